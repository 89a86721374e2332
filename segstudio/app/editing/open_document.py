"""A document in memory with what belongs to it while it is open."""

from dataclasses import dataclass

from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, Seq
from segstudio.store.project import History

__all__ = ["OpenDocument", "taken_out"]


@dataclass(slots=True)
class OpenDocument:
    """A document with its history and the number of the last edit that belongs to it.

    `generation` is that of `Documents` when it was read: where it is another by now, it is read again first.
    """

    document: Document
    history: History
    last: int = 0
    generation: int = 0


def taken_out(opened: OpenDocument, edit: Edit) -> dict[int, Rect]:
    """Unmake the newest edit of a document, which has no number; what has to be drawn again, by plane.

    The tiles stay in memory until the last edit that has one is durable: they may be its work.
    """
    rects = opened.document.apply(edit.inverted(Seq(0), Cause.UNDO))
    opened.document.raster.written(edit.tiles, opened.last)
    return rects
