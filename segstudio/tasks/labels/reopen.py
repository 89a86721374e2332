"""Done images become unfinished again: their labels stay, and so does what Done has filled in."""

import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from segstudio.labels.edit import Batch, Edit
from segstudio.labels.model import Cause, ClassTable, ImageId, Origin, Status
from segstudio.labels.paint.fill import Filling
from segstudio.labels.tiles.streamed import StreamedEdit
from segstudio.labels.user import user_name
from segstudio.store.label_fill import filled
from segstudio.store.progress_token import Ticker
from segstudio.store.project import Project
from segstudio.tasks.labels.together import counted

__all__ = ["write_reopened"]


def write_reopened(project: Project, images: Sequence[ImageId], ticker: Ticker) -> "Future[int]":
    """Mark images not done: one edit an image, all in one batch, so that they are undone together.

    Raises `ReadOnly`; the future says how many edits it took, and raises `Cancelled`, `DiskRefused`.
    """
    status_alone = Filling({}, ClassTable(()), Origin.FILLED, status=Status.IN_PROGRESS)

    def edits(db: sqlite3.Connection, _ticker: Ticker) -> Iterator[StreamedEdit]:
        for image in images:
            header = Edit(image, Cause.STATUS, tool=Cause.STATUS.value, author=user_name())
            yield filled(db, header, status_alone)

    ticker.total = len(images)
    return project.writing().write_all(counted(edits, ticker), Batch(Cause.STATUS, user_name()))
