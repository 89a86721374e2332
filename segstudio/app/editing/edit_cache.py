"""The newest edits with their tiles, so that undo need not read them: the last, and as many as fit into a budget."""

from collections import OrderedDict

from segstudio.labels.edit import Edit
from segstudio.labels.model import Seq
from segstudio.labels.tiles.streamed import LARGEST_EDIT_BYTES, edit_bytes

__all__ = ["RecentEdits"]

_BUDGET_BYTES = 64 << 20
_ROW_BYTES = 1 << 10
"""What an edit costs beside its dense tiles, about."""


class RecentEdits:
    """Edits of all open documents by number, oldest first; the oldest go. Class edits have no tiles: they fit long."""

    def __init__(self, budget_bytes: int = _BUDGET_BYTES) -> None:
        self._budget_bytes = budget_bytes
        self._edits: OrderedDict[Seq, tuple[Edit, int]] = OrderedDict()
        self.bytes_held = 0

    def get(self, seq: Seq) -> Edit | None:
        """The edit of this number where it is held."""
        found = self._edits.get(seq)
        return None if found is None else found[0]

    def add(self, seq: Seq, edit: Edit) -> None:
        """Hold an edit, letting older ones go.

        Accepting a whole image is often taken back at once: the newest is held whatever its size, but for a stroke
        larger than any other edit may be. Most of its tiles are those of the document.
        """
        size = edit_bytes(edit) + _ROW_BYTES * (1 + len(edit.rows))
        self._edits[seq] = edit, size
        self.bytes_held += size
        most = max(self._budget_bytes, size) if size <= LARGEST_EDIT_BYTES else self._budget_bytes
        while self.bytes_held > most:
            self.bytes_held -= self._edits.popitem(last=False)[1][1]

    def drop(self, seq: Seq) -> None:
        """Release an edit; nothing happens where it is not held."""
        self.bytes_held -= self._edits.pop(seq, (None, 0))[1]
