"""A bug: its trace goes to a log, a person gets one line."""

import os
import sys
import threading
from types import TracebackType
from typing import Any

from segstudio.cli.output import complain
from segstudio.faults import keep

__all__ = ["report_bug", "report_bugs"]

_SHOW = "SEGSTUDIO_TRACE"


def report_bugs() -> None:
    """From now on every exception that nobody caught is reported: of the main thread, of others, of finalisers."""
    sys.excepthook = report_bug
    threading.excepthook = _report_of_thread
    sys.unraisablehook = _report_unraisable


def report_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Write the trace of an exception that nobody caught; with SEGSTUDIO_TRACE=1 show it too."""
    if os.environ.get(_SHOW):
        sys.__excepthook__(kind, error, trace)
        return
    path = keep(error if error.__traceback__ is not None else error.with_traceback(trace))
    kept = f"{_SHOW}=1 shows its trace." if path is None else f"its trace is in {path}."
    complain(f"This is a bug of SegStudio ({kind.__name__}: {error}); {kept}")


def _report_of_thread(arguments: threading.ExceptHookArgs) -> None:
    error = arguments.exc_value
    if error is not None and not isinstance(error, SystemExit):
        report_bug(type(error), error, arguments.exc_traceback)


def _report_unraisable(arguments: Any) -> None:
    error: BaseException | None = arguments.exc_value
    if error is not None:
        report_bug(type(error), error, arguments.exc_traceback)
