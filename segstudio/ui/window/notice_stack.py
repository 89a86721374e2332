"""The place above the image for strips: only the most important one is visible, so that the image stays large.

Each strip shows and hides itself as if it were alone; the next one appears when the one before it goes.
"""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QVBoxLayout, QWidget

__all__ = ["Strips"]


class Strips(QWidget):
    """`strips`, the most important first."""

    def __init__(self, *strips: QWidget) -> None:
        super().__init__()
        self.setObjectName("strips")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._places: list[tuple[QWidget, QWidget]] = []
        for strip in strips:
            place = QWidget()
            inside = QVBoxLayout(place)
            inside.setContentsMargins(0, 0, 0, 0)
            inside.addWidget(strip)
            column.addWidget(place)
            self._places.append((strip, place))
            strip.installEventFilter(self)
        self._choose()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Choose again when a strip was shown or hidden."""
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            self._choose()
        return False

    def _choose(self) -> None:
        first = next((strip for strip, _ in self._places if not strip.isHidden()), None)
        for strip, place in self._places:
            place.setVisible(strip is first)
        self.setVisible(first is not None)
