"""The requests for a proposal: the one that is awaited, and how far it is; of one that was dropped nothing is heard."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from segstudio.app.ground import Ground
from segstudio.app.values import JobId, JobKind
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.tasks.learning.predict import Plane, PredictProgress, PredictReport
from segstudio.text import _

__all__ = ["ProposalRequests", "Request", "in_view"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request under way: its number, its place, how many edits it knows, whether it can only be a guess."""

    number: int
    where: Plane
    edits: int
    guess: bool


class ProposalRequests(QObject):
    """At most one is awaited: `asked`. `came` is called with it when there is a part to be shown, `ended` with it and
    its report or error when its task is through, `broke` where a bug ended it; then `drop` ends it. `cancel` is what
    a person's cancelling does.
    """

    runningChanged = Signal(bool)

    def __init__(
        self,
        ground: Ground,
        came: Callable[[Request], None],
        ended: Callable[[Request, PredictReport | None, UserError | None], None],
        broke: Callable[[], None],
        cancel: Callable[[], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._ground, self._came, self._ended = ground, came, ended
        self._broke, self._cancel = broke, cancel
        self._job: JobId | None = None
        self._number = 0
        self.asked: Request | None = None

    def start(
        self, where: Plane, edits: int, steps: Generator[PredictProgress, None, PredictReport], *, guess: bool
    ) -> None:
        """Begin a request; the one before it is told to end, and its answer is dropped."""
        self.drop()
        self._number += 1
        asked = Request(self._number, where, edits, guess)
        self.asked = asked
        self.runningChanged.emit(True)
        self._job = self._ground.jobs.start(
            JobKind.PROPOSE,
            _("Proposing"),
            steps,
            self._ground.main,
            on_value=lambda _id, progress: self._progressed(asked, progress),
            on_done=lambda report: self._through(asked, report, None),
            on_failed=lambda error: self._through(asked, None, error),
            on_bug=self._broke,
            cancel=self._cancel,
        )

    def drop(self) -> None:
        """Nothing is awaited now: a request under way is told to end, and its answer is dropped."""
        if self.asked is not None:
            self.asked = None
            self.runningChanged.emit(False)
        if self._job is not None:
            self._ground.jobs.drop(self._job)
            self._job = None

    def waiter(self) -> Callable[[float], None]:
        """A function for any thread that waits for the threads of all requests so far, each for so many seconds."""
        return self._ground.jobs.waiter(JobKind.PROPOSE, self._ground.main)

    def _progressed(self, asked: Request, progress: PredictProgress) -> None:
        if asked is self.asked:
            if self._job is not None and progress.fraction is not None:
                words = _("Proposing {percent} %", percent=int(100 * progress.fraction))
                self._ground.jobs.tell(self._job, words, progress.fraction)
            if progress.part and (progress.image, progress.plane) == asked.where:
                self._came(asked)

    def _through(self, asked: Request, report: PredictReport | None, error: UserError | None) -> None:
        if asked is self.asked:
            self._ended(asked, report, error if report is None else _error_of(report))


def in_view(visible: Rect | None, bounds: Rect) -> Rect:
    """What is on the screen of a plane, all of it where that is not known; for any thread."""
    seen = bounds if visible is None else visible.intersected(bounds)
    return bounds if seen.empty else seen


def _error_of(report: PredictReport) -> UserError | None:
    """Why the image got no proposal: an unreadable file is listed, not raised."""
    return UserError(report.failed[0].sentence) if report.failed else None
