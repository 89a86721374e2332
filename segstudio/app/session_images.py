"""The Session's images: the list, which one is on screen, and its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.app.session_base import SessionBase
from segstudio.app.values import ImageItem
from segstudio.errors import UserError
from segstudio.geometry import Rect

if TYPE_CHECKING:
    from segstudio.app.viewing.display import DisplayImage
    from segstudio.labels.document import Document

__all__ = ["SessionImages"]


class SessionImages(SessionBase):
    """Forwards to the owners of what is on screen."""

    @property
    def images(self) -> Sequence[ImageItem]:
        """The images of the project in the order of `info`."""
        return self._opened.navigation.items if self._opened else ()

    @property
    def current_index(self) -> int:
        """Place of the image on screen, or being loaded; -1 for none."""
        return self._opened.navigation.index if self._opened else -1

    @property
    def current_image(self) -> str | None:
        """Path of that image as `info` has it."""
        i = self.current_index
        return self.images[i].name if i >= 0 else None

    def image_file(self, index: int) -> Path:
        """Where the file of an image lies."""
        if self._opened is None:
            raise UserError("No project is open.")
        return self._opened.navigation.rows[index].file

    def image_content(self, index: int) -> str:
        """A mark of what an image holds as far as it is known: with another content comes another mark."""
        if self._opened is None:
            raise UserError("No project is open.")
        row = self._opened.navigation.rows[index]
        return f"{row.changed or row.quick_hash} {self.images[index].problem}"

    @property
    def plane(self) -> int:
        """Number of the plane on screen."""
        return self._opened.navigation.plane if self._opened else 0

    @property
    def image_failed(self) -> bool:
        """Whether the image asked for cannot be shown."""
        return self._opened is not None and self._opened.navigation.failed

    def open_image(self, index_or_path: int | str, plane: int = 0) -> None:
        """Show an image: `imageShown` follows. Raises `UserError` where the project has none such."""
        self.wait_for_opening()
        if self._opened is not None:
            self._opened.navigation.open(self._opened.navigation.find(index_or_path), plane)

    @property
    def held_out(self) -> bool:
        """Whether the image on screen, or being loaded, is held out: measured on, never learned from."""
        return self._opened is not None and self._opened.roles.held_out

    def hold_out(self, path: int | str, held: bool) -> None:
        """Hold an image out, or let it be learned from: then another labelled one takes the role. `imagesChanged`
        follows, or `failed` with what stands against it. Raises `UserError` where the project has none such.
        """
        if self._may_write() and self._opened is not None:
            navigation = self._opened.navigation
            self._opened.roles.hold_out(navigation.rows[navigation.find(path)].id, held=held)

    def set_visible(self, rect: Rect | None) -> None:
        """Which pixels of the image are on screen: they are proposed before the rest."""
        self._visible = rect
        if self._opened is not None:
            self._opened.proposals.visible = rect

    def next_image(self) -> None:
        """Show the next image of the list."""
        self._step(1)

    def previous_image(self) -> None:
        """Show the previous image of the list."""
        self._step(-1)

    def _step(self, by: int) -> None:
        if self._opened is not None:
            self._opened.navigation.step(by)

    @property
    def display(self) -> DisplayImage | None:
        """Pixels of the image on screen."""
        return self._opened.navigation.display if self._opened else None

    @property
    def document(self) -> Document | None:
        """Labels of the image on screen."""
        current = self._opened.documents.current if self._opened else None
        return current.document if current else None

    def value_at(self, x: int, y: int) -> tuple[str, str]:
        """Stored value of a pixel in words, and the name of the class it is labelled with ('unknown' for none)."""
        if self._opened is None or self.display is None or self.document is None:
            return "", ""
        w, h = self.display.size
        if not (0 <= x < w and 0 <= y < h):
            return "", ""
        class_id = int(self.document.class_ids(self.plane, Rect(x, y, 1, 1))[0, 0])
        found = self.classes.effective(class_id) if class_id else None  # type: ignore[arg-type]
        return self.display.value_text(x, y), found.name if found else self.tr("unknown")
