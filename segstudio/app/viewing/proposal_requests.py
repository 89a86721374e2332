"""The requests for a proposal: the one that is awaited, how far it is, and those that were dropped but still end."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from segstudio.app.ground import Ground
from segstudio.app.jobs import Job
from segstudio.app.values import JobId, JobKind
from segstudio.tasks.learning.predict import Plane, PredictProgress, PredictReport
from segstudio.text import _

__all__ = ["Asked", "ProposalRequests"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request under way: its number, its place, how many edits it knows, whether it can only be a guess."""

    number: int
    where: Plane
    edits: int
    guess: bool


class ProposalRequests(QObject):
    """At most one is awaited: `asked`. `came` is called with it when there is a part to be shown, `ended` with it and
    its report or error when its task is through; then `finish` ends it. `cancel` is what a person's cancelling does.
    """

    runningChanged = Signal(bool)

    def __init__(
        self,
        ground: Ground,
        came: Callable[[Asked], None],
        ended: Callable[[Asked, PredictReport | None, BaseException | None], None],
        cancel: Callable[[], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._ground, self._came, self._ended, self._cancel = ground, came, ended, cancel
        self._shown: JobId | None = None
        self._jobs: list[Job[PredictProgress, PredictReport]] = []
        self._number = 0
        self.asked: Asked | None = None

    def start(
        self, where: Plane, edits: int, steps: Generator[PredictProgress, None, PredictReport], *, guess: bool
    ) -> None:
        """Begin a request; the one before it is told to end, and its answer is dropped."""
        self.drop()
        self._number += 1
        asked = Asked(self._number, where, edits, guess)
        job = Job(
            "propose",
            steps,
            self._ground.main,
            on_value=lambda progress: self._progressed(asked, progress),
            on_done=lambda report: self._through(job, asked, report, None),
            on_failed=lambda error: self._through(job, asked, None, error),
            on_cancelled=lambda: self._through(job, asked, None, None),
        )
        self._jobs.append(job)
        self.asked = asked
        self.runningChanged.emit(True)
        self._shown = self._ground.jobs.show(JobKind.PROPOSE, _("Proposing"), self._ground.main, self._cancel)
        job.start()

    def drop(self) -> None:
        """The request is no longer of use."""
        for job in self._jobs:
            job.cancel()
        self.finish()

    def finish(self) -> None:
        """Nothing is awaited now."""
        if self.asked is not None:
            self.asked = None
            self.runningChanged.emit(False)
        if self._shown is not None:
            self._ground.jobs.end(self._shown)
            self._shown = None

    def waiter(self) -> Callable[[float], None]:
        """A function for any thread that waits for the threads of all requests so far, each for so many seconds."""
        jobs = list(self._jobs)

        def wait(timeout_s: float) -> None:
            for job in jobs:
                job.wait(timeout_s)

        return wait

    def _progressed(self, asked: Asked, progress: PredictProgress) -> None:
        if asked is self.asked:
            if self._shown is not None and progress.fraction is not None:
                words = _("Proposing {percent} %", percent=int(100 * progress.fraction))
                self._ground.jobs.tell(self._shown, words, progress.fraction)
            if progress.part and (progress.image, progress.plane) == asked.where:
                self._came(asked)

    def _through(
        self,
        job: "Job[PredictProgress, PredictReport]",
        asked: Asked,
        report: PredictReport | None,
        error: BaseException | None,
    ) -> None:
        self._jobs.remove(job)
        if not job.cancelled and asked is self.asked:
            self._ended(asked, report, error)
