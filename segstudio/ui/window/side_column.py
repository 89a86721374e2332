"""The column of panels beside the image: the first has what the others leave, and they leave it some rows."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

__all__ = ["SideColumn"]

_FIRST_PX = 190
"""A list of classes and how they look, or some rows of objects: it has less only where nothing else yields."""


class SideColumn(QSplitter):
    """`sideSplitter`. In a low window panels that can scroll give way, until a boundary was dragged (`chosen`)."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self.setObjectName("sideSplitter")
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)
        self.chosen = False
        self._sharing = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share another height."""
        super().resizeEvent(event)
        self.share()

    def event(self, event: QEvent) -> bool:
        """A panel has folded, or another tool has more options."""
        done = super().event(event)
        if event.type() is QEvent.Type.LayoutRequest:
            self.share()
        return done

    def share(self) -> None:
        """Give every panel the height that it asks for, less what the first one lacks."""
        parts = [part for part in map(self.widget, range(self.count())) if part is not None]
        shown = [part for part in parts if not part.isHidden()]
        if self.chosen or self._sharing or len(shown) < 2 or not self.height():
            return
        wanted = {part: _wanted(part) for part in shown[1:]}
        room = self.height() - self.handleWidth() * (len(shown) - 1)
        lacks = max(_FIRST_PX, shown[0].minimumSizeHint().height()) - (room - sum(wanted.values()))
        for part in shown[1:]:
            if lacks > 0:
                given = min(lacks, max(0, wanted[part] - max(part.minimumHeight(), part.minimumSizeHint().height())))
                wanted[part] -= given
                lacks -= given
        self._sharing = True
        try:
            self.setSizes([room - sum(wanted.values()), *(wanted[part] for part in shown[1:])])
        finally:
            self._sharing = False


def _wanted(part: QWidget) -> int:
    return min(max(part.sizeHint().height(), part.minimumHeight()), part.maximumHeight())
