"""How far a task is: the value that tasks yield. Closing the generator cancels the task."""

from dataclasses import dataclass

__all__ = ["Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` steps; `total` is 0 while it is not known. `doing` is what is done just now, for people."""

    done: int
    total: int
    doing: str = ""
