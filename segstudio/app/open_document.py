"""A document in memory with what belongs to it while it is open."""

from dataclasses import dataclass

from segstudio.labels.document import Document
from segstudio.store.history import History

__all__ = ["OpenDocument"]


@dataclass(slots=True)
class OpenDocument:
    """A document with its history and the number of the last edit that belongs to it.

    `generation` is that of `Documents` when it was read: where it is another by now, it is read anew first.
    """

    document: Document
    history: History
    last: int = 0
    generation: int = 0
