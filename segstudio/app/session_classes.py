"""The Session's classes: which one is painted, and how the list changes."""

from __future__ import annotations

from collections.abc import Mapping

from segstudio.app.session_base import SessionBase
from segstudio.errors import UserError
from segstudio.labels.model import ClassId, Kind, LabelClass

__all__ = ["SessionClasses"]


class SessionClasses(SessionBase):
    """Forwards to the owner of the class list."""

    @property
    def current_class(self) -> LabelClass | None:
        """The class that the brush paints."""
        return None if self._opened is None else self._opened.documents.current_class

    @property
    def object_counts(self) -> Mapping[ClassId, int]:
        """Objects in the image on screen by instance class, as far as they are saved; empty until they are counted."""
        return self._opened.object_counts.by_class if self._opened is not None else {}

    def set_class(self, name: str) -> None:
        """Choose the class to paint. Raises `UserError` where there is none of this name."""
        if self._opened is None:
            self.wait_for_opening()
        if self._opened is None:
            return
        found = self.classes.named(name)
        if found is None:
            raise UserError(f"There is no class {name!r} in this project.")
        self._opened.documents.commit_gesture()
        self._opened.documents.class_id = found.id

    def add_class(self, name: str, color: str | None = None, kind: str = "semantic") -> None:
        """Make a class and choose it to paint with. Raises `UserError` for a name that is taken or not allowed."""
        if self._may_write() and self._opened is not None:
            self._opened.classes.add(name, color, Kind(kind))

    def rename_class(self, name: str, new_name: str) -> None:
        """Rename a class. Raises `UserError` for a name that is taken or not allowed."""
        if self._may_write() and self._opened is not None:
            self._opened.classes.rename(name, new_name)

    def change_class(self, name: str, **columns: str | bool) -> None:
        """Change colour (`color`), lock (`locked`), visibility (`visible`) or kind (`kind`) of a class."""
        if self._may_write() and self._opened is not None:
            self._opened.classes.change(name, **columns)

    def remove_class(self, name: str) -> None:
        """Take a class out of use; its pixels stay stored and count as nothing. `said` tells how many they are."""
        if self._may_write() and self._opened is not None:
            self._opened.classes.remove(name)
