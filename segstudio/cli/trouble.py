"""A bug: its trace goes to a log, a person gets one line."""

import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import segstudio
from segstudio.cli.output import complain

__all__ = ["report_bug"]

_SHOW = "SEGSTUDIO_TRACE"


def report_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Write the trace of an exception that nobody caught; with SEGSTUDIO_TRACE=1 show it too."""
    if os.environ.get(_SHOW):
        sys.__excepthook__(kind, error, trace)
        return
    text = "".join(traceback.format_exception(kind, error, trace))
    complain(f"This is a bug of SegStudio ({kind.__name__}: {error}); {_kept(text)}")


def _kept(text: str) -> str:
    """Where the trace was kept, as the rest of a sentence."""
    import platformdirs

    path = platformdirs.user_log_path("segstudio", appauthor=False) / "bugs.log"
    head = f"{datetime.now(UTC).isoformat()} segstudio {segstudio.__version__} {' '.join(sys.argv)}\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with Path(path).open("a", encoding="utf-8") as log:
            log.write(f"{head}{text}\n")
    except OSError:
        return f"{_SHOW}=1 shows its trace."
    return f"its trace is in {path}."
