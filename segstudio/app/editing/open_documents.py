"""The documents in memory: which images, what they know of the store, and how they become again what it holds."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.open_document import OpenDocument, taken_out
from segstudio.app.editing.save_state import Saving
from segstudio.app.editing.stored_state import StoredState
from segstudio.app.values import Changed
from segstudio.errors import EditConflict
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, Table
from segstudio.labels.model import ImageId, Seq
from segstudio.labels.tiles.raster import TileBudget
from segstudio.store.project import History, Project

__all__ = ["OpenDocuments"]

_KEPT = 4


class OpenDocuments(QObject):
    """`generation` counts the changes that others made in the store; a document of an older one is read again first.

    `changed` carries what has to be drawn again, as a `Changed`.
    """

    changed = Signal(object)

    def __init__(
        self,
        project: Project,
        saving: Saving,
        budget: TileBudget,
        waiting: Callable[[OpenDocument], Sequence[Edit]],
        parent: QObject | None = None,
    ) -> None:
        """`waiting` are the edits of a document that the writer has not got yet; `budget` is for its tiles."""
        super().__init__(parent)
        self._project, self._saving, self.budget, self._waiting = project, saving, budget, waiting
        self._by_image: dict[ImageId, OpenDocument] = {}
        self.generation = 0

    def get(self, image: ImageId) -> OpenDocument | None:
        """The document of an image where it is in memory."""
        return self._by_image.get(image)

    def show(self, opened: OpenDocument) -> None:
        """Put a document in the place of the newest, as it is in the store and in what waits."""
        image, raster = opened.document.image, opened.document.raster
        self._by_image.pop(image, None)
        self._by_image[image] = opened
        raster.share(self.budget)
        raster.saved(self._saving.acknowledged)
        if opened.generation != self.generation:
            self._read_anew(opened)

    def release(self, awaited: Sequence[OpenDocument]) -> None:
        """Let the oldest go, once all their edits are durable; `awaited` are needed still."""
        for image in list(self._by_image)[:-_KEPT]:
            opened = self._by_image[image]
            if opened.last <= self._saving.acknowledged and not any(other is opened for other in awaited):
                self._by_image.pop(image).document.raster.leave()

    def record(self, seq: Seq, edit: Edit, opened: OpenDocument | None) -> None:
        """An edit of a document, or with None of all of them, has its number."""
        for holder in [opened] if opened is not None else self._by_image.values():
            holder.history.record(seq, edit)
            holder.last = seq
        if opened is not None:
            opened.document.raster.written(edit.tiles, seq)

    def saved(self, seq: int) -> None:
        """All edits up to this one are durable."""
        for opened in self._by_image.values():
            opened.document.raster.saved(seq)

    def take_out(self, edit: Edit, opened: OpenDocument) -> None:
        """Unmake the newest edit of a document, which got no number."""
        try:
            rects = taken_out(opened, edit)
        except EditConflict:
            self.read_again(opened)
            return
        opened.document.raster.saved(self._saving.acknowledged)
        for plane, rect in rects.items():
            self.changed.emit(Changed(None, opened.document.image, plane, rect))

    @property
    def images(self) -> tuple[ImageId, ...]:
        """The images whose documents are in memory."""
        return tuple(self._by_image)

    def follow(self, stored: StoredState, images: frozenset[ImageId] | None) -> None:
        """The store was changed, in these images or (None) anywhere, and holds this now."""
        self.generation += 1
        self._saving.catch_up(stored.last_seq)
        for image, opened in self._by_image.items():
            if image not in stored.histories:
                continue  # opened while the rest was read: it is of an older generation, and read again when shown
            if images is None or image in images:
                self._become(opened, stored.documents[image], stored.histories[image])
                continue
            # Its pixels stay: strokes may be on them that the store has not got yet. An edit of the whole project, of
            # classes or of images that come back, stands in every image's history.
            opened.history = stored.histories[image]
            opened.generation = self.generation

    def give_up(self, images: frozenset[ImageId | None]) -> None:
        """Edits of these images (None among them: of the whole project) were refused: what is saved counts again."""
        for image, opened in self._by_image.items():
            if image in images:
                self.read_again(opened)
            elif None in images:
                opened.history = self._project.history(image)

    def read_again(self, opened: OpenDocument) -> None:
        """Read the stored and the waiting edits; where that fails too, the image is read before it is shown again."""
        opened.generation = -1
        self._read_anew(opened)
        for edit in self._waiting(opened):
            # The writer sets aside one that depends on a lost edit, and reports it.
            with suppress(EditConflict):
                opened.document.apply(edit)

    def _read_anew(self, opened: OpenDocument) -> None:
        image = opened.document.image
        self._become(opened, self._project.document(image), self._project.history(image))

    def _become(self, opened: OpenDocument, stored: Document, history: History) -> None:
        document, submitted = opened.document, self._saving.submitted
        document.become(stored)
        opened.history = history
        opened.last, opened.generation = submitted, self.generation
        tables = frozenset({Table.OBJECTS, Table.IMAGES})
        for plane in range(len(document.raster.sizes)):
            self.changed.emit(Changed(Seq(submitted), document.image, plane, document.raster.bounds(plane), tables))
