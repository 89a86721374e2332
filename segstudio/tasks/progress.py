"""How far a task is: the value that tasks yield. Closing the generator cancels the task."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Progress", "finished", "progress_of"]

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` steps; `total` is 0 while it is not known. `doing` says what is being done, for people."""

    done: int
    total: int
    doing: str = ""


def progress_of(steps: Generator[tuple[int, int, str], None, R]) -> Generator[Progress, None, R]:
    """The steps (done, total, doing) of a long work of the store as progress; returns what it returns."""
    try:
        while True:
            yield Progress(*next(steps))
    except StopIteration as end:
        return end.value
    finally:
        steps.close()


def finished(task: Generator[object, None, R]) -> R:
    """Run a task to its end and return its report; its progress is dropped."""
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value
