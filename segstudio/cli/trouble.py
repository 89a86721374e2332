"""Errors that are no `UserError`: a path that cannot be used is one sentence; anything else is a bug.

The trace of a bug goes to a log, and the person sees one line.
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
from segstudio.text import N_, _

__all__ = ["must_be_text", "refused_path", "report_bug", "report_bugs"]

_SHOW = "SEGSTUDIO_TRACE"
_SHOWN = 60

_WHY = {
    errno.EACCES: N_("'{path}' cannot be used: reading, writing or entering it is not allowed."),
    errno.EPERM: N_("'{path}' cannot be used: reading, writing or entering it is not allowed."),
    errno.ENAMETOOLONG: N_("'{path}' cannot be used: the path is too long."),
    errno.ELOOP: N_("'{path}' cannot be used: the links leading to it go round in a circle."),
    errno.ENOTDIR: N_("'{path}' cannot be used: a part of the path is a file, not a folder."),
    errno.EROFS: N_("'{path}' cannot be used: the drive is read-only."),
}


def refused_path(error: OSError) -> str:
    """One sentence about a path that the system itself refuses; '' for any other error.

    One place for every path of every command: each is examined, opened or made somewhere, and any of these may fail.
    """
    why, path = _WHY.get(error.errno or 0), error.filename
    if why is None or path is None:
        return ""
    text = printable(os.fsdecode(path))
    shown = text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]}…{text[-_SHOWN:]}"
    return _(why, path=shown)


def must_be_text(arguments: Sequence[str]) -> None:
    """Raise `UserError` if an argument is not text: a project stores paths as text, and could not store that one."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise UserError(
                _("'{argument}' cannot be used: it is not valid UTF-8.", argument=argument),
                todo=_("Rename the file or folder and try again."),
            ) from error


def report_bugs() -> None:
    """Report every uncaught exception from now on: of the main thread, of other threads, of finalisers."""
    sys.excepthook = report_bug
    threading.excepthook = _report_of_thread
    sys.unraisablehook = _report_unraisable


def report_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log the trace of an uncaught exception; with SEGSTUDIO_TRACE=1 print it instead."""
    if os.environ.get(_SHOW):
        sys.__excepthook__(kind, error, trace)
        return
    path = keep(error if error.__traceback__ is not None else error.with_traceback(trace))
    said = {"name": kind.__name__, "error": error}
    if path is None:
        complain(
            _("This is a bug of SegStudio ({name}: {error}); {variable}=1 shows its trace.", variable=_SHOW, **said)
        )
    else:
        complain(_("This is a bug of SegStudio ({name}: {error}); its trace is in {path}.", path=path, **said))


def _report_of_thread(arguments: threading.ExceptHookArgs) -> None:
    error = arguments.exc_value
    if error is not None and not isinstance(error, SystemExit):
        report_bug(type(error), error, arguments.exc_traceback)


def _report_unraisable(arguments: Any) -> None:
    error: BaseException | None = arguments.exc_value
    if error is not None:
        report_bug(type(error), error, arguments.exc_traceback)
