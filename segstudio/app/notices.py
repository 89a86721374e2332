"""The owner of notices: every message to the person at the window goes through here."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from segstudio import faults
from segstudio.app.faults import Faults
from segstudio.app.values import JobKind, Notice, NoticeKind
from segstudio.errors import UserError

__all__ = ["Notices"]


class Notices(QObject):
    """`told` carries a `Notice`. `abort` ends a gesture that a fault hit, and returns whether there was one."""

    told = Signal(object)

    def __init__(self, abort: Callable[[], bool] = lambda: False, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._faults = Faults(abort, self.told.emit, self)

    def say(self, sentence: str) -> None:
        """Show a passing message."""
        self.told.emit(Notice(NoticeKind.WORD, sentence))

    def announce(self, job: JobKind, sentence: str) -> None:
        """Show a message that stays until it is closed, or until the job has succeeded."""
        self.told.emit(Notice(NoticeKind.NEWS, sentence, job=job))

    def fail(self, job: JobKind, why: str | UserError, details: str = "", *, cancelled: bool = False) -> None:
        """Report why something could not be done."""
        sentence = why.line if isinstance(why, UserError) else why
        self.told.emit(Notice(NoticeKind.FAILURE, sentence, details, job, cancelled))

    def tell_bug(self, sentence: str, details: str) -> None:
        """Report a bug."""
        self.told.emit(Notice(NoticeKind.BUG, sentence, details))

    def attempt(self, call: Callable[[], object], job: JobKind | None = None) -> bool:
        """Call, and report a `UserError` in passing, or as the failure of a job; True where there was none."""
        try:
            call()
        except UserError as error:
            if job is None:
                self.say(error.line)
            else:
                self.fail(job, error)
            return False
        return True

    def met(self, error: Exception, quiet_s: float = faults.QUIET_S) -> bool:
        """Report a fault caught at a border of the window, and end the gesture that it hit.

        False for a repeated one: the same was reported within the last `quiet_s` seconds.
        """
        return self._faults.met(error, quiet_s)

    def listen(self) -> None:
        """Receive uncaught exceptions of every thread."""
        self._faults.listen()

    def close(self) -> None:
        """Stop receiving them; notices are still passed on."""
        self._faults.close()
