"""Uncaught faults: every one goes to the log of bugs and to the listeners, which means an open window.

The hooks of the interpreter (main thread, other threads, finalisers) end here, and so do the boundaries that catch what
is raised below them: an event of the canvas, a call posted to the main thread. A `UserError` is not a bug: if a window
reports it, nothing else happens. This module knows no window and no Qt.
"""

import os
import sys
import threading
import traceback
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import segstudio
from segstudio.errors import UserError

__all__ = ["QUIET_S", "Listener", "fingerprint", "keep", "listen", "report", "trace_of", "unlisten", "watch"]

Listener = Callable[[Exception, float], bool]
"""Called on the thread of the fault, with the fault and the seconds of quiet before a similar one is reported again;
returns whether it was reported, rather than taken as the same one continuing.
"""

QUIET_S = 1.0
_MOST_AT_ONCE = 8
"""Faults met while another is being reported, and while those are, and so on."""

_LARGEST_LOG = 4 << 20
_KEPT, _MET = "_segstudio_kept_in", "_segstudio_met"

_lock = threading.RLock()
_listeners: "list[weakref.WeakMethod[Any]]" = []
_before: dict[str, Any] = {}
_inside = threading.local()


def listen(listener: Listener) -> None:
    """Report every fault to a bound method from now on, as long as its object lives; sets the hooks."""
    unlisten(listener)
    with _lock:
        _listeners.append(weakref.WeakMethod(listener))
    watch()


def unlisten(listener: Listener) -> None:
    """Stop reporting to it."""
    with _lock:
        _listeners[:] = [kept for kept in _listeners if kept() not in (None, listener)]


def watch() -> None:
    """Put our hooks in front of the current ones, which are called after them.

    Calling it again costs next to nothing, and helps if another hook was set since (pytest does so for each phase of a
    test).
    """
    for word, (module, name, hook) in _HOOKS.items():
        now = getattr(module, name)
        if now is not hook:
            _before[word] = now
            setattr(module, name, hook)


def report(error: BaseException, *, quiet_s: float = QUIET_S, only: Listener | None = None) -> bool:
    """Report a fault that a boundary caught or a hook received; whether it is a new one.

    It goes to all listeners, or only to the one given. A bug is logged, and passed to the previous hook. One that comes
    again within `quiet_s` of the last is skipped: a fault in every paint event is one fault.
    """
    return _met(error, quiet_s, only, lambda: _call_before("main", type(error), error, error.__traceback__))


def trace_of(error: BaseException) -> str:
    """The trace of an exception as Python prints it."""
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def keep(error: BaseException) -> Path | None:
    """Write the trace of a bug to the log, once; returns the log's path, None if it cannot be written."""
    if not hasattr(error, _KEPT):
        _mark(error, _KEPT, _written(trace_of(error)))
    return getattr(error, _KEPT, None)


def _mark(error: BaseException, name: str, value: object) -> None:
    with suppress(AttributeError):  # an error with slots only cannot be marked: it is reported and written at each call
        setattr(error, name, value)


def _written(text: str) -> Path | None:
    from datetime import UTC, datetime

    import platformdirs

    path = platformdirs.user_log_path("segstudio", appauthor=False) / "bugs.log"
    head = f"{datetime.now(UTC).isoformat()} segstudio {segstudio.__version__} {' '.join(sys.argv)}\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > _LARGEST_LOG:
            os.replace(path, path.with_suffix(".old.log"))
        with path.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{head}{text}\n")
    except OSError:
        return None
    return path


def fingerprint(error: BaseException) -> int:
    """The same number for faults that were raised on the same path through the program."""
    places = tuple((frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__))
    return hash((type(error).__name__, places))


def _met(error: BaseException, quiet_s: float, only: Listener | None, otherwise: Callable[[], object]) -> bool:
    if not isinstance(error, Exception):
        otherwise()  # Ctrl+C and the end of the program are not faults
        return False
    if getattr(error, _MET, False):
        return False  # re-raised, or passed from thread to thread
    _mark(error, _MET, True)
    waiting: deque[Callable[[], bool]] | None = getattr(_inside, "waiting", None)
    if waiting is not None:
        # Met while another is being reported: it comes next. The same fault met again in its own report is not new.
        waiting.append(lambda: _told(error, quiet_s, only, otherwise))
        return True
    waiting = _inside.waiting = deque()
    try:
        new = _told(error, quiet_s, only, otherwise)
        for _ in range(_MOST_AT_ONCE):
            if waiting:
                waiting.popleft()()
        return new
    finally:
        _inside.waiting = None


def _told(error: Exception, quiet_s: float, only: Listener | None, otherwise: Callable[[], object]) -> bool:
    listeners = _alive() if only is None else [only]
    told = [_tell(listener, error, quiet_s) for listener in listeners]
    new = any(told) or not listeners
    if new and not (listeners and isinstance(error, UserError)):
        keep(error)
        otherwise()
    return new


def _alive() -> list[Listener]:
    with _lock:
        _listeners[:] = [kept for kept in _listeners if kept() is not None]
        return [listener for kept in _listeners if (listener := kept()) is not None]


def _tell(listener: Listener, error: Exception, quiet_s: float) -> bool:
    """Report to a listener; what it raises itself is printed, and stops nothing."""
    try:
        return listener(error, quiet_s)
    except Exception as second:  # noqa: BLE001 - printed where Python prints what nobody handles
        sys.__excepthook__(type(second), second, second.__traceback__)
        return True


def _call_before(name: str, *arguments: object) -> None:
    before = _before.get(name, sys.__excepthook__ if name == "main" else None)
    if before is not None:
        before(*arguments)


def _except(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if error.__traceback__ is None:
        error = error.with_traceback(trace)
    _met(error, QUIET_S, None, lambda: _call_before("main", kind, error, trace))


def _except_in_thread(arguments: threading.ExceptHookArgs) -> None:
    error = arguments.exc_value
    if error is None or isinstance(error, SystemExit):
        _call_before("thread", arguments)
        return
    _met(error, QUIET_S, None, lambda: _call_before("thread", arguments))


def _unraisable(arguments: Any) -> None:
    error: BaseException | None = arguments.exc_value
    if error is None:
        _call_before("finaliser", arguments)
        return
    _met(error, QUIET_S, None, lambda: _call_before("finaliser", arguments))


_HOOKS: dict[str, tuple[Any, str, Any]] = {
    "main": (sys, "excepthook", _except),
    "thread": (threading, "excepthook", _except_in_thread),
    "finaliser": (sys, "unraisablehook", _unraisable),
}
