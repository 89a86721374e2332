"""Where the edits of one open project go that cannot be written into it: kept for the next opening, or set aside.

What the disk refused is kept (`waiting_edits.keep`) and written at the next opening. What does not follow what is saved
would not fit then either, so it is set aside in a separate file, which no opening writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from segstudio.labels.edit import Columns, Edit, RowChange
from segstudio.labels.model import ImageId, Seq
from segstudio.store.writing import waiting_edits

__all__ = ["Outbox"]


@dataclass(frozen=True, slots=True)
class Outbox:
    """Of the project with this uuid in this folder; only for the holder of its lock."""

    uuid: str
    place: Path

    def keep(self, edits: Sequence[tuple[Seq, Edit]]) -> Path:
        """Keep edits for the next opening. Raises `DiskRefused`."""
        return waiting_edits.keep(self.uuid, self.place, _sound(edits))

    def set_aside(self, edits: Sequence[tuple[Seq, Edit]]) -> Path:
        """Keep edits that do not follow what is saved, in a file named by its content. Raises `DiskRefused`."""
        return waiting_edits.set_aside(self.uuid, self.place, _sound(edits))


def _sound(edits: Sequence[tuple[Seq, Edit]]) -> list[tuple[Seq, Edit]]:
    """The edits with plain values: one made by a fault of the program must be kept like any other."""
    return [
        (
            seq,
            replace(
                edit,
                image=None if edit.image is None else ImageId(int(edit.image)),
                tiles={(int(p), int(ty), int(tx)): change for (p, ty, tx), change in edit.tiles.items()},
                rows=tuple(
                    RowChange(row.table, int(row.key), _columns(row.before), _columns(row.after)) for row in edit.rows
                ),
            ),
        )
        for seq, edit in edits
    ]


def _columns(columns: Columns | None) -> Columns | None:
    return None if columns is None else {str(name): _plain(value) for name, value in columns.items()}


def _plain(value: Any) -> str | int | float | bool | None:
    """A value that can be encoded; NumPy's numbers, which cannot, become Python's."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    item = getattr(value, "item", None)
    found = item() if callable(item) else value
    return found if isinstance(found, int | float) else str(found)
