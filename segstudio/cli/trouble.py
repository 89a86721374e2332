"""What went wrong and is no `UserError`: a path that cannot be used is one sentence; all else is a bug.

The trace of a bug goes to a log, and a person gets one line.
"""

import errno
import os
import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from segstudio.cli.output import complain
from segstudio.errors import UserError, printable
from segstudio.faults import keep
from segstudio.text import _

__all__ = ["must_be_text", "refused_path", "report_bug", "report_bugs"]

_SHOW = "SEGSTUDIO_TRACE"
_SHOWN = 60

_WHY = {
    errno.EACCES: "reading, writing or entering it is not allowed",
    errno.EPERM: "reading, writing or entering it is not allowed",
    errno.ENAMETOOLONG: "the path is too long",
    errno.ELOOP: "the links on the way to it lead round in a circle",
    errno.ENOTDIR: "a part of the path is a file, no folder",
    errno.EROFS: "the drive can only be read",
}


def refused_path(error: OSError) -> str:
    """One sentence about a path that the system refuses as such; '' for any other error.

    In one place for every path of every command: each is looked at, opened or made somewhere, and any of that may fail.
    """
    why, path = _WHY.get(error.errno or 0), error.filename
    if why is None or path is None:
        return ""
    text = printable(os.fsdecode(path))
    shown = text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]}…{text[-_SHOWN:]}"
    return f"'{shown}' cannot be used: {why}."


def must_be_text(arguments: Sequence[str]) -> None:
    """Raise `UserError` where an argument is no text: a project keeps paths as text, and cannot keep that one."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise UserError(
                _("'{argument}' cannot be used: it is not valid UTF-8.", argument=argument),
                todo=_("Rename the file or folder, and try again."),
            ) from error


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
    complain(_("This is a bug of SegStudio ({name}: {error}); {kept}", name=kind.__name__, error=error, kept=kept))


def _report_of_thread(arguments: threading.ExceptHookArgs) -> None:
    error = arguments.exc_value
    if error is not None and not isinstance(error, SystemExit):
        report_bug(type(error), error, arguments.exc_traceback)


def _report_unraisable(arguments: Any) -> None:
    error: BaseException | None = arguments.exc_value
    if error is not None:
        report_bug(type(error), error, arguments.exc_traceback)
