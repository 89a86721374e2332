"""The owner of solo: only the chosen class is shown; and of an opacity of a class that is being tried. It is how the
image is looked at, so nothing of it is stored.
"""

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.labels.model import ClassId, ClassTable

__all__ = ["Solo"]


class Solo(QObject):
    """While it is `on` it follows the class that is chosen. `changed`: other classes are shown, or otherwise."""

    changed = Signal()

    def __init__(self, documents: Documents, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._documents = documents
        self._on = False
        self._tried: tuple[ClassId, float] | None = None
        documents.classChosen.connect(self._follow)

    @property
    def on(self) -> bool:
        """Whether only one class is shown."""
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        if on != self._on:
            self._on = on
            self.changed.emit()

    @property
    def classes(self) -> ClassTable:
        """The classes as they are to be shown: all as they are stored, or the chosen one alone."""
        table = self._documents.classes
        if self._tried is not None and (found := table.get(self._tried[0])) is not None:
            table = table.with_class(replace(found, opacity=self._tried[1]))
        if not self._on:
            return table
        chosen = self._documents.current_class.id
        return ClassTable(replace(c, visible=c.id == chosen) for c in table.all)

    def try_opacity(self, class_id: ClassId, opacity: float | None) -> None:
        """Show a class in this opacity until another call; None: as it is stored."""
        tried = None if opacity is None else (class_id, opacity)
        if tried != self._tried:
            self._tried = tried
            self.changed.emit()

    def _follow(self) -> None:
        if self._on:
            self.changed.emit()
