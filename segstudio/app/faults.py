"""The owner of faults that reach the window: one sentence for each, and the end of the gesture that it hit.

A `UserError` shows its own line; a bug is reported as one, and its details hold the trace. A repeated one, such as a
fault at every paint event, is reported once.
"""

import re
import threading
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QThread, Signal

from segstudio import faults
from segstudio.app.values import Notice, NoticeKind
from segstudio.errors import UserError
from segstudio.text import _

__all__ = ["Faults"]

# What PySide puts before the words of an exception for every C++ call that it has passed through.
_ON_THE_WAY = re.compile(r"^(Error calling Python override of [\w:]+\(\): )+")
_LONGEST_WORDS = 160


class Faults(QObject):
    """Calls `tell` with a `Notice` of a fault or a bug, on the thread that made this.

    `abort` ends a gesture under way, saying whether there was one. Only a fault of that thread ends it: what fails in
    the background does not take the stroke from the hand.
    """

    _arrived = Signal(object)

    def __init__(
        self, abort: Callable[[], bool], tell: Callable[[Notice], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._abort, self._tell = abort, tell
        self._lock = threading.Lock()
        self._last: dict[int, float] = {}
        self._arrived.connect(self._say_of_elsewhere, Qt.ConnectionType.QueuedConnection)
        self.listen()

    def listen(self) -> None:
        """Receive uncaught exceptions of every thread."""
        faults.listen(self._heard)

    def close(self) -> None:
        """Stop receiving them; exceptions caught at a border of this window can still be reported."""
        faults.unlisten(self._heard)

    def met(self, error: Exception, quiet_s: float = faults.QUIET_S) -> bool:
        """Report a fault caught at a border of this window; False where it repeats one just reported."""
        return faults.report(error, quiet_s=quiet_s, only=self._heard)

    def _heard(self, error: Exception, quiet_s: float) -> bool:
        """From any thread, with an uncaught exception."""
        if not self._is_new(error, quiet_s):
            return False
        if QThread.currentThread() is self.thread():
            self._say(error, aborted=self._abort())
        else:
            self._arrived.emit(error)
        return True

    def _say_of_elsewhere(self, error: Exception) -> None:
        self._say(error, aborted=False)

    def _is_new(self, error: Exception, quiet_s: float) -> bool:
        like, now = faults.fingerprint(error), time.monotonic()
        with self._lock:
            before = self._last.get(like)
            self._last[like] = now
        return before is None or now - before > quiet_s

    def _say(self, error: Exception, *, aborted: bool) -> None:
        if isinstance(error, UserError):
            sentence = error.line
            if aborted:
                sentence = " ".join((sentence, _("The stroke being painted was undone.")))
            self._tell(Notice(NoticeKind.FAULT, sentence))
            return
        safe = _("Your labels are safe.")
        if aborted:
            safe = _("Your labels are safe; the stroke being painted was undone.")
        what = _("Something went wrong in SegStudio; this is a bug ({words}).", words=_words(error))
        todo = _("'Copy details' copies what a bug report needs.")
        self._tell(Notice(NoticeKind.BUG, f"{what} {safe} {todo}", _details(error)))


def _words(error: Exception) -> str:
    words = _ON_THE_WAY.sub("", str(error)).split("\n")[0]
    if len(words) > _LONGEST_WORDS:
        words = words[:_LONGEST_WORDS] + " …"
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _details(error: Exception) -> str:
    log = faults.keep(error)
    trace = faults.trace_of(error).rstrip()
    return trace if log is None else f"{trace}\n\n{log}"
