"""Calling listeners from a thread that must not end with them."""

import sys
import threading
from collections.abc import Callable

__all__ = ["ignore", "report", "tell"]


def ignore(*_: object) -> None:
    """The call-back of a caller that does not listen."""


def tell(call: Callable[..., object], *told: object) -> None:
    """Call a listener; its fault is reported, and ends nothing."""
    try:
        call(*told)
    except Exception:  # noqa: BLE001
        report()


def report() -> None:
    """Report the fault being handled like one that ends a thread, and continue."""
    threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
