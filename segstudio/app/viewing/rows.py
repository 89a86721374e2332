"""Reads rows of the image list away from the GUI thread: those that changed, and the whole list where it must be.

What is asked for while something is being read is read together, next: a stroke costs no wait, however slow the disk.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal, SignalInstance

from segstudio.app.jobs import MainThread, Worker
from segstudio.app.values import ImageItem
from segstudio.labels.model import ImageId, Seq
from segstudio.store.file_check import changed_sentence
from segstudio.store.project import Project
from segstudio.store.values import ImageRow

__all__ = ["ImageList", "RowReader", "item_of", "list_of"]


@dataclass(frozen=True, slots=True)
class ImageList:
    """Rows in the order of `info`, the place of each, and what the window's list shows of them."""

    rows: list[ImageRow]
    index_of: dict[ImageId, int]
    items: list[ImageItem]


class RowReader(QObject):
    """`rowsRead` carries rows, `listRead` an `ImageList`; both come from the event loop, in the order of asking.

    What cannot be read is reported as a fault, and read when it is asked for the next time.
    """

    rowsRead = Signal(object)
    listRead = Signal(object)

    def __init__(self, project: Project, main: MainThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._worker = Worker("rows", main)
        self._wanted: set[ImageId] = set()
        self._asked = False
        self._closed = False

    def ask(self, images: Collection[ImageId]) -> None:
        """Read the rows of these images; those that are asked for before the last reading has ended, at once."""
        self._wanted.update(images)
        if self._wanted and not self._asked and not self._closed:
            self._asked = True
            wanted, self._wanted = self._wanted, set()
            self._read(lambda: self._project.some_images(wanted))

    def ask_changed(self, since: Seq) -> None:
        """Read the rows that edits after this number have changed."""
        project = self._project
        self._read(lambda: project.some_images(project.changed_since(since)))

    def ask_decided(self, since: Seq) -> None:
        """Read the rows of images whose role was decided, or moved, at this edit or later."""
        project = self._project
        self._read(lambda: project.some_images(project.decided_since(since)))

    def ask_splits(self, rows: Sequence[ImageRow]) -> None:
        """Read the rows whose part in learning is another than these say: a run gives parts, and changes no label."""
        project = self._project

        def changed() -> list[ImageRow]:
            splits = project.splits()
            return project.some_images([row.id for row in list(rows) if row.split != splits.get(row.id)])

        self._read(changed)

    def ask_all(self, then: Callable[[], object] = lambda: None) -> None:
        """Read the whole list: images were added, removed or found again. `then` is called once it was carried on."""

        def read(future: "Future[ImageList]") -> None:
            self._emit(self.listRead, future)
            if not self._closed:
                then()

        if not self._closed:
            self._worker.submit(lambda: list_of(self._project), read)

    def close(self, wait_s: float | None = None) -> None:
        """Drop what was asked for; nothing comes any more."""
        self._closed = True
        self._worker.close(wait_s)

    def _read(self, read: Callable[[], list[ImageRow]]) -> None:
        if not self._closed:
            self._worker.submit(read, self._rows_read)

    def _rows_read(self, future: "Future[list[ImageRow]]") -> None:
        self._asked = False
        try:
            self._emit(self.rowsRead, future)
        finally:
            self.ask(())

    def _emit(self, signal: SignalInstance, future: "Future[Any]") -> None:
        if not self._closed:
            signal.emit(future.result())


def list_of(project: Project) -> ImageList:
    """The whole list as it is committed; for a worker thread, since it may be long."""
    rows = project.images()
    return ImageList(rows, {row.id: i for i, row in enumerate(rows)}, [item_of(i, row) for i, row in enumerate(rows)])


def item_of(index: int, row: ImageRow) -> ImageItem:
    """The list's row of an image."""
    w, h = row.planes[0]
    return ImageItem(
        index,
        row.id,
        row.path,
        row.status,
        row.split,
        row.labelled_pixels,
        row.objects,
        row.problem or (changed_sentence(row) if row.changed else ""),
        w,
        h,
        len(row.planes),
        row.done_planes,
    )
