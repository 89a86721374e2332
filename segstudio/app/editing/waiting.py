"""What waits while a large change is being written: strokes on other images, and calls that want all edits made."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.background_writes import LongWrites
from segstudio.app.editing.open_document import OpenDocument
from segstudio.errors import ReadOnly
from segstudio.labels.edit import Edit
from segstudio.text import _

__all__ = ["Waiting"]

_POLL_MS = 50


class Waiting(QObject):
    """Strokes go on, in their order, once nothing large is being written (`released`); then the calls, in theirs.

    A stroke that waits is in its document already, with its tiles.
    """

    released = Signal()

    def __init__(
        self,
        long: LongWrites,
        may_call: Callable[[], bool],
        send: Callable[[Edit, OpenDocument], object],
        parent: QObject | None = None,
    ) -> None:
        """`send` hands a stroke on; it raises `ReadOnly` where it can be handed on later, and leaves it made.

        `may_call` says whether calls need not wait for something else.
        """
        super().__init__(parent)
        self._long, self._may_call, self._send = long, may_call, send
        self._strokes: list[tuple[Edit, OpenDocument]] = []
        self._calls: list[Callable[[], object]] = []
        self._poll = QTimer(self)
        self._poll.setSingleShot(True)
        self._poll.setInterval(_POLL_MS)
        self._poll.timeout.connect(self.release)
        long.ended.connect(self.release)

    @property
    def edits(self) -> list[Edit]:
        """The strokes that wait, oldest first."""
        return [edit for edit, _ in self._strokes]

    @property
    def documents(self) -> list[OpenDocument]:
        """The documents that they were made on."""
        return [opened for _, opened in self._strokes]

    @property
    def owes(self) -> bool:
        """Whether a call waits."""
        return bool(self._calls)

    @property
    def busy(self) -> str:
        """Why nothing but strokes on other images can be changed now; '' where all can."""
        if not self._long.writing and not self._strokes:
            return ""
        what = self._long.text or _("A large change is being written")
        return _("{what}: nothing else can be changed here until it is done.", what=what)

    def must_be_free(self) -> None:
        """Raise `ReadOnly` where something has to be waited for."""
        if self.busy:
            raise ReadOnly(self.busy)

    def of(self, opened: OpenDocument) -> list[Edit]:
        """The strokes on a document that wait, oldest first."""
        return [edit for edit, owner in self._strokes if owner is opened]

    def hold(self, edit: Edit, opened: OpenDocument) -> None:
        """Keep a stroke until nothing large is being written."""
        self._strokes.append((edit, opened))
        self._look_again()

    def call(self, call: Callable[[], object]) -> None:
        """Call once there is nothing left to wait for: at once where that is now."""
        self._calls.append(call)
        self.go_on()
        if self._long.writing:
            self._look_again()

    def go_on(self) -> None:
        """Do the calls that wait, in their order, where there is nothing left to wait for."""
        while self._calls and not self.busy and self._may_call():
            self._calls.pop(0)()

    def release(self) -> None:
        """Hand on the strokes that wait; later where something large is still being written."""
        self._poll.stop()
        while self._strokes and not self._long.writing:
            stroke = self._strokes.pop(0)
            try:
                self._send(*stroke)
            except ReadOnly:  # somebody else began to write something large just now, or the writer has ended
                self._strokes.insert(0, stroke)
                break
            except BaseException:
                self._look_again()  # this one is unmade and reported; those behind it have their turn
                raise
        if self._strokes or self._long.writing:
            self._look_again()
            return
        self.released.emit()
        self.go_on()

    def close(self) -> None:
        """Drop the calls; the strokes stay."""
        self._calls.clear()
        self._poll.stop()

    def _look_again(self) -> None:
        # The end of a job of this window is reported; that of another writer is not.
        if self._strokes or self._calls:
            self._poll.start()
