"""The place above the image for strips: only the most important one is visible, so that the image stays large.

Each strip shows and hides itself as if it were alone; the next one appears when the one before it goes.
"""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from segstudio.text import _
from segstudio.ui.window.icons import icon

__all__ = ["PassingStrip", "Strips", "close_button"]


def close_button(name: str) -> QToolButton:
    """The button of this object name that closes what a strip says."""
    button = QToolButton()
    button.setObjectName(name)
    button.setProperty("role", "icon")
    button.setIcon(icon("close"))
    button.setToolTip(_("Close (Esc)"))
    button.setAccessibleName(_("Close the message"))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


class PassingStrip(QFrame):
    """A strip that says what has just happened, and can be closed; `spoke` announces something new on it."""

    spoke = Signal()

    def lay_out(self, sign: QWidget, text: QWidget, *buttons: QWidget) -> None:
        """Put these from left to right; the text has the room that is left."""
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(8)
        row.addWidget(sign)
        row.addWidget(text, 1)
        for button in buttons:
            row.addWidget(button)

    def dismiss(self) -> None:
        """Close what the strip says."""
        self.hide()


class Strips(QWidget):
    """`strips`, the most important first. Of passing strips the one that spoke last goes before all but the first of
    `strips`: it answers what a person has just done."""

    def __init__(self, *strips: QWidget) -> None:
        super().__init__()
        self.setObjectName("strips")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._places: dict[QWidget, QWidget] = {}
        self._spoke: list[QWidget] = []
        for strip in strips:
            place = QWidget()
            inside = QVBoxLayout(place)
            inside.setContentsMargins(0, 0, 0, 0)
            inside.addWidget(strip)
            column.addWidget(place)
            self._places[strip] = place
            strip.installEventFilter(self)
            if isinstance(strip, PassingStrip):
                strip.spoke.connect(self._heard)
        self._choose()

    def dismiss_first(self) -> None:
        """Close the passing strip that comes first; the one behind it appears."""
        for strip in self._in_order():
            if isinstance(strip, PassingStrip) and not strip.isHidden():
                strip.dismiss()
                return

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Choose again when a strip was shown or hidden."""
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            self._choose()
        return False

    def _heard(self) -> None:
        strip = self.sender()
        assert isinstance(strip, QWidget)
        self._spoke = [strip, *(other for other in self._spoke if other is not strip)]
        self._choose()

    def _in_order(self) -> list[QWidget]:
        first, *others = self._places
        return [first, *self._spoke, *(strip for strip in others if strip not in self._spoke)]

    def _choose(self) -> None:
        self._spoke = [strip for strip in self._spoke if not strip.isHidden()]
        first = next((strip for strip in self._in_order() if not strip.isHidden()), None)
        for strip, place in self._places.items():
            place.setVisible(strip is first)
        self.setVisible(first is not None)
