"""What the engine does next: open requests by priority, first come first served within one. Pure, no torch, no pipe."""

from enum import IntEnum

__all__ = ["Agenda", "Priority"]


class Priority(IntEnum):
    """Lower comes first."""

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

    def next(self) -> int | None:
        """The request whose turn it is; None where none is open."""
        return min(self._open, key=self._open.__getitem__, default=None)
