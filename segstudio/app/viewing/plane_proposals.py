"""The owner of proposals that a person asks for over many planes of a stack: one job, which goes on while they look at
other planes."""

from collections.abc import Generator, Iterable
from functools import partial

from PySide6.QtCore import QObject

from segstudio.app.ground import Ground
from segstudio.app.values import JobId, JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.proposals import Proposals
from segstudio.engine.client import EngineClient
from segstudio.labels.model import ImageId
from segstudio.store.project import Project
from segstudio.tasks.learning.predict import Plane, PredictProgress, PredictReport, predict
from segstudio.text import _, count

__all__ = ["PlaneProposals"]


class PlaneProposals(QObject):
    """One job at a time. Planes whose proposal a person made, or rejected, are left as they are."""

    def __init__(
        self,
        ground: Ground,
        engine: EngineClient,
        navigation: Navigation,
        proposals: Proposals,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._ground, self._engine = ground, engine
        self._navigation, self._proposals = navigation, proposals
        self._job: JobId | None = None

    @property
    def running(self) -> bool:
        """Whether planes are being proposed."""
        return self._job is not None

    def ask(self, planes: Iterable[int]) -> None:
        """Propose for these planes of the image on screen, those on screen first as they come; says how many."""
        image, notices = self._navigation.shown, self._ground.notices
        if image is None or self._navigation.flagged:
            notices.say(self._navigation.flagged or _("No image is shown."))
            return
        if self.running:
            notices.say(_("Planes are being proposed already."))
            return
        number = len(self._navigation.rows[self._navigation.index].planes)
        wanted = [(image, plane) for plane in planes if 0 <= plane < number]
        if not wanted:
            return
        self._job = self._ground.jobs.start(
            JobKind.PROPOSE,
            _("Proposing planes"),
            _steps(self._ground.project, self._engine, wanted),
            self._ground.main,
            on_value=self._progressed,
            on_done=partial(self._done, image),
            on_cancelled=lambda: notices.say(_("Proposing was cancelled; the planes proposed so far are kept.")),
            on_end=self._ended,
        )

    def _progressed(self, job: JobId, progress: PredictProgress) -> None:
        words = _("Proposing plane {n} of {total}", n=min(progress.done + 1, progress.total), total=progress.total)
        self._ground.jobs.tell(job, words, progress.fraction)
        here = progress.image == self._navigation.shown and progress.plane == self._navigation.plane
        if progress.image is not None and here and not progress.part:
            self._proposals.follow_import({progress.image})

    def _done(self, image: ImageId, planes: int) -> None:
        self._ground.notices.say(
            count(planes, "1 plane has a proposal now.", "{n} planes have a proposal now.")
            if planes
            else _("No plane got a proposal: they were made or rejected by hand.")
        )
        if planes and image == self._navigation.shown:
            self._proposals.follow_import({image})

    def _ended(self) -> None:
        self._job = None


def _steps(project: Project, engine: EngineClient, wanted: list[Plane]) -> Generator[PredictProgress, None, int]:
    """How many of these planes got a proposal."""
    open_ = [place for place in wanted if not project.proposals.is_rejected(*place)]
    if not open_:
        return 0
    steps, done = predict(project, engine, [open_[0][0]], planes=open_), 0
    report: PredictReport | None = None
    try:
        while True:
            progress = next(steps)
            done = progress.done
            yield progress
    except StopIteration as end:
        report = end.value
    finally:
        steps.close()
    assert report is not None
    return len(open_) - report.passed_over if not report.failed else done
