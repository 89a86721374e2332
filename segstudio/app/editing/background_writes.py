"""Changes too large, or of too many images, to be made in memory: written by the writer's thread as one job.

While one is under way nothing else can be written. A stroke on an image that it leaves alone waits in memory until it
has ended; on an image that it changes none begins. Its end is reported after all its edits, once a worker has read what
the open documents follow.
"""

from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from time import monotonic

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.stored_state import StoredState
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.app.values import JobId, JobKind
from segstudio.errors import Cancelled, ReadOnly, UserError
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import ImageId
from segstudio.labels.paint.fill import Filling, Outcome
from segstudio.store.label_fill import Changing, changed, filled
from segstudio.store.progress_token import Ticker
from segstudio.store.project import Project
from segstudio.text import _

__all__ = ["LongWrites", "Write", "changing", "filling"]

_TELL_MS = 100
_CANCEL_S = 10.0
_READ_S = 5.0

Write = Callable[[Ticker], "Future[int]"]


def filling(project: Project, header: Edit, work: Filling, outcome: Outcome | None = None) -> Write:
    """The write that fills an image block by block from what is stored; `header` names the image and the cause."""

    def write(ticker: Ticker) -> "Future[int]":
        if project.writer is None:
            raise ReadOnly(project.why_read_only)
        return project.writer.write_all(lambda db: [filled(db, header, work, ticker, outcome)])

    return write


def changing(project: Project, header: Edit, parts: Changing, steps_of: Callable[[Document], int]) -> Write:
    """The write that changes an image by parts computed from what is stored; `header` names the image and the cause."""

    def write(ticker: Ticker) -> "Future[int]":
        if project.writer is None:
            raise ReadOnly(project.why_read_only)
        return project.writer.write_all(lambda db: [changed(db, header, parts, steps_of, ticker)])

    return write


@dataclass(slots=True, eq=False)
class _Running:
    """`images` are those that it changes; None where that is not known, so all."""

    kind: JobKind
    id: JobId
    text: str
    images: frozenset[ImageId] | None
    ticker: Ticker
    future: "Future[int]"
    then: Callable[[int], None]
    otherwise: Callable[[UserError], None] | None
    read: "Future[StoredState] | None" = None


class LongWrites(QObject):
    """At most one long write. `written` has the images that may have changed (None = any), and what the store holds
    now; `ended` follows any end."""

    written = Signal(object, object)
    ended = Signal()

    def __init__(
        self,
        ground: Ground,
        reading: Callable[[frozenset[ImageId] | None], Callable[[], StoredState]],
        parent: QObject | None = None,
    ) -> None:
        """`reading` says what is to be read once images were changed; what it returns is called on a worker."""
        super().__init__(parent)
        self._reading = reading
        self._worker = Worker("follow", ground.main)
        self._project = ground.project
        self._main, self._notices, self._jobs = ground.main, ground.notices, ground.jobs
        self._running: _Running | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_TELL_MS)
        self._timer.timeout.connect(self._tell)

    @property
    def running(self) -> bool:
        """Whether one is under way."""
        return self._running is not None

    @property
    def writing(self) -> bool:
        """Whether edits must wait: for one under way, or for something large that others gave to the writer."""
        writer = self._project.writer
        return self.running or (writer is not None and writer.writing_all)

    @property
    def text(self) -> str:
        """What is being done; '' where nothing is."""
        return self._running.text if self._running is not None else ""

    def changes(self, image: ImageId) -> bool:
        """Whether the one under way may change this image."""
        running = self._running
        return running is not None and (running.images is None or image in running.images)

    def start(
        self,
        kind: JobKind,
        text: str,
        write: Write,
        images: frozenset[ImageId] | None = None,
        then: Callable[[int], None] = lambda _: None,
        otherwise: Callable[[UserError], None] | None = None,
    ) -> None:
        """Begin: `write` hands the work to the writer; `then` gets the number of edits once open documents follow.

        `otherwise` gets the reason why nothing was written, `Cancelled` too, in place of a notice.

        Raises `UserError` where another one is under way, and what `write` raises.
        """
        if self._running is not None:
            raise UserError(_("{text}: nothing else can be changed until it is done.", text=self._running.text))
        ticker = Ticker()
        future = write(ticker)
        id_ = self._jobs.show(kind, text, self._main, ticker.cancel)
        running = self._running = _Running(kind, id_, text, images, ticker, future, then, otherwise)
        self._timer.start()
        future.add_done_callback(lambda _: self._main.post(lambda: self._read(running)))

    def finish_if_soon(self, timeout_s: float) -> None:
        """Wait a moment for the one under way; if it ends in time its end is reported now, so that no job is shown."""
        running, end = self._running, monotonic() + timeout_s
        if running is not None and wait([running.future], timeout_s).done:
            self._finish(running, end - monotonic())

    def close(self, wait_s: float | None = None) -> None:
        """Read nothing more; a reading under way is waited for no longer than that."""
        self._worker.close(wait_s)

    def finish(self, timeout_s: float) -> None:
        """Wait for the one under way, cancel it after the time, and report its end now.

        If the disk hangs, the outcome is not known yet; a message says so.
        """
        running = self._running
        if running is None:
            return
        if not wait([running.future], timeout_s).done:
            running.ticker.cancel()
            if not wait([running.future], _CANCEL_S).done:
                sentence = _(
                    "{text}: the disk does not respond. It is done completely or not at all; you will see which when "
                    "you next open the project.",
                    text=running.text,
                )
                self._notices.fail(running.kind, sentence)
                return
        self._finish(running, _READ_S)

    def _tell(self) -> None:
        if self._running is not None:
            self._jobs.tell(self._running.id, fraction=self._running.ticker.fraction)

    def _read(self, running: _Running) -> None:
        """It was written, or not: read what the open documents follow, and report the end then."""
        if self._running is not running or running.read is not None:
            return
        if running.future.exception() is not None:
            self._end(running)
            return
        running.read = self._worker.submit(self._reading(running.images), lambda _: self._end(running))

    def _finish(self, running: _Running, timeout_s: float) -> None:
        """Report the end now, if what is read once it was written comes in time."""
        self._read(running)
        if running.read is not None and wait([running.read], max(0.0, timeout_s)).done:
            self._end(running)

    def _state(self, images: frozenset[ImageId] | None, read: "Future[StoredState]") -> StoredState:
        """What was read. A disk that refused is asked once more, here: open documents must follow what was written."""
        return self._reading(images)() if refusal(read) is not None else read.result()

    def _end(self, running: _Running) -> None:
        if self._running is not running:
            return
        self._running = None
        self._timer.stop()
        error = running.future.exception()
        self._jobs.end(running.id)
        try:
            if running.read is not None:
                self.written.emit(running.images, self._state(running.images, running.read))
        finally:
            self.ended.emit()  # what was held is let go, whatever could not be read
        if isinstance(error, Cancelled):
            self._notices.say(error.line)
        if isinstance(error, UserError) and running.otherwise is not None:
            running.otherwise(error)
        elif isinstance(error, Cancelled):
            pass  # reported, and not a failure
        elif isinstance(error, UserError):
            self._notices.fail(running.kind, error)
        elif error is not None:
            raise error
        else:
            running.then(running.future.result())
