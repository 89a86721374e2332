"""The owner of which objects of the image on screen are selected: the canvas, the table and the tools follow it."""

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from segstudio.labels.model import ObjectId

__all__ = ["Selection"]


class Selection(QObject):
    """`ids` are object ids of the image on screen; another image, or an object that is gone, takes them away."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ids: frozenset[ObjectId] = frozenset()

    @property
    def ids(self) -> frozenset[ObjectId]:
        """The selected objects."""
        return self._ids

    def select(self, ids: Iterable[int]) -> None:
        """Select these objects and no others."""
        wanted = frozenset(ObjectId(int(id_)) for id_ in ids)
        if wanted != self._ids:
            self._ids = wanted
            self.changed.emit()

    def clear(self) -> None:
        """Select nothing."""
        self.select(())
