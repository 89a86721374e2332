"""What the engine does next: open requests by priority. Pure, no torch, no pipe.

Within a priority it is first come first served, but for `TRAIN`: there they take turns, so that neither does a run wait
for a large proposal nor the proposal for the run.
"""

from enum import IntEnum

__all__ = ["Agenda", "Priority"]


class Priority(IntEnum):
    """Lower comes first. TRAIN are runs, and what is on the screen once it has had its first turns."""

    VISIBLE = 0
    TRAIN = 1
    REST = 2


class Agenda:
    """Ids of open requests. It is asked anew between any two steps or tiles, so nothing is ever interrupted."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[Priority, int]] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._open

    def add(self, id_: int, priority: Priority) -> None:
        """Open a request, behind those of the same priority. Raises ValueError for an id that is open."""
        if id_ in self._open:
            raise ValueError(f"request {id_} is open already")
        self._open[id_] = (priority, self._count)
        self._count += 1

    def move(self, id_: int, priority: Priority) -> None:
        """Change the priority of an open request; its place among those of the new one is by when it was opened."""
        self._open[id_] = (priority, self._open[id_][1])

    def close(self, id_: int) -> bool:
        """Take a request off; whether it was open."""
        return self._open.pop(id_, None) is not None

    def take(self) -> int | None:
        """The request whose turn it is, one of TRAIN for this once; None where none is open."""
        found = min(self._open, key=self._open.__getitem__, default=None)
        if found is not None and self._open[found][0] is Priority.TRAIN:
            self._open[found] = (Priority.TRAIN, self._count)
            self._count += 1
        return found
