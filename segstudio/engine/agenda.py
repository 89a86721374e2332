"""What the engine does next: open requests by priority. Pure, no torch, no pipe.

Within a priority it is first come, first served, except for `TRAIN` and `IDLE`, where requests take turns: neither a
run nor a large proposal waits for the other, and of two that take minutes the second makes headway too.
"""

from enum import IntEnum

__all__ = ["Agenda", "Priority"]


class Priority(IntEnum):
    """Lower comes first. TRAIN holds runs, and what is on screen once it has had its first turns. IDLE holds what takes
    minutes and is waited for by nobody: it has its turns while nothing else is open.
    """

    VISIBLE = 0
    TRAIN = 1
    REST = 2
    IDLE = 3


_BY_TURNS = (Priority.TRAIN, Priority.IDLE)


class Agenda:
    """Ids of open requests. It is consulted between any two steps or tiles, so nothing is ever interrupted."""

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
        """Change the priority of an open request; within the new one, requests are ordered by when they were opened."""
        self._open[id_] = (priority, self._open[id_][1])

    def close(self, id_: int) -> bool:
        """Take a request off; whether it was open."""
        return self._open.pop(id_, None) is not None

    def take(self) -> int | None:
        """The request whose turn it is; one of TRAIN or IDLE then goes to the back. None if none is open."""
        found = min(self._open, key=self._open.__getitem__, default=None)
        if found is not None and self._open[found][0] in _BY_TURNS:
            self._open[found] = (self._open[found][0], self._count)
            self._count += 1
        return found
