"""How far a long write is, and whether it is still wanted: shared by the writer's thread and the waiting one."""

import threading

from segstudio.errors import Cancelled
from segstudio.text import _

__all__ = ["Ticker"]


class Ticker:
    """`done` of `total` steps (0: not known yet); both only rise."""

    def __init__(self) -> None:
        self.done = 0
        self.total = 0
        self._cancelled = threading.Event()

    @property
    def fraction(self) -> float | None:
        """How far it is, 0..1; None while the total is not known."""
        return min(self.done / self.total, 1.0) if self.total else None

    def cancel(self) -> None:
        """Ask the work to end at its next step, leaving nothing behind."""
        self._cancelled.set()

    def step(self, steps: int = 1) -> None:
        """Count steps done. Raises `Cancelled` where the work is not wanted any more."""
        if self._cancelled.is_set():
            raise Cancelled(_("The change was cancelled."), safe=_("Nothing was changed."))
        self.done += steps
