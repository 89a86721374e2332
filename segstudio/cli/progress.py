"""Run a task to its end, with a bar on standard error if that is a terminal."""

import sys
import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from segstudio.tasks.progress import Progress

__all__ = ["Bar", "run_task", "shown"]

_SHOW_S = 0.1

P = TypeVar("P")
R = TypeVar("R")


class Bar:
    """A progress bar; nothing if standard error is not a terminal."""

    def __init__(self, unit: str) -> None:
        self._bar: Any = None
        self._shown_at = 0.0
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=0, unit=unit, file=sys.stderr, leave=False, dynamic_ncols=True)

    def show(self, done: int, total: int, text: str = "") -> None:
        """Move the bar, at most ten times a second."""
        now = time.monotonic()
        if self._bar is not None and now - self._shown_at >= _SHOW_S:
            self._shown_at = now
            self._bar.total = total or None
            self._bar.n = done
            self._bar.set_postfix_str(text[-60:])

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


def run_task(task: Generator[P, None, R], on_value: Callable[[P], None]) -> R:
    """Pass on every value of a task and return its report; an interruption closes the task, so that it cleans up."""
    try:
        while True:
            try:
                value = next(task)
            except StopIteration as end:
                return end.value
            on_value(value)
    finally:
        task.close()


def shown(task: Generator[Progress, None, R], unit: str) -> R:
    """Run a task that yields `Progress`, and show its progress."""
    bar = Bar(unit)
    try:
        return run_task(task, lambda p: bar.show(p.done, p.total, p.doing))
    finally:
        bar.close()
