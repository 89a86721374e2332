"""What another version proposes for the plane on screen, to be compared: read from the cache, else asked of the engine.

It is shown and measured, never accepted, and kept apart from the proposals.
"""

from collections.abc import Callable
from concurrent.futures import Future

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal, say_refusal
from segstudio.app.values import JobId, JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.proposal_requests import in_view
from segstudio.app.viewing.proposals import Proposals
from segstudio.engine.client import EngineClient
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.model import ImageId
from segstudio.labels.proposal import Proposal
from segstudio.runs import EMBEDDED, INSTANT
from segstudio.tasks.labels.accept import is_whole
from segstudio.tasks.learning.predict import PredictProgress, PredictReport, predict
from segstudio.text import _

__all__ = ["Compared"]

_REFITTED = (INSTANT, EMBEDDED)
"""They may propose something else from one moment to the next, so that nothing kept of them is trusted."""

_Place = tuple[ImageId, int]


class Compared(QObject):
    """`proposal` is that of the version wanted for the plane on screen, None while it is on its way; `changed`: it is
    another one."""

    changed = Signal()

    def __init__(
        self,
        ground: Ground,
        engine: EngineClient,
        documents: Documents,
        navigation: Navigation,
        proposals: Proposals,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._ground, self._engine = ground, engine
        self._documents, self._navigation, self._proposals = documents, navigation, proposals
        self._worker = Worker("compared", ground.main)
        self._version = ""
        self._number = 0
        self._job: JobId | None = None
        self.proposal: Proposal | None = None
        navigation.imageLoading.connect(lambda _path: self._leave())
        navigation.imageFailed.connect(lambda _path, _why: self._leave())
        navigation.imageShown.connect(self._seek)
        navigation.contentReplaced.connect(self._content_replaced)

    @property
    def coming(self) -> bool:
        """Whether it is being read or made."""
        return self._job is not None

    def want(self, version: str) -> None:
        """Find what this version proposes from now on, on every image shown; '' for none."""
        if version == self._version:
            return
        self._leave()
        self._version = version
        self._seek()

    def _leave(self) -> None:
        """Nothing is awaited, and nothing shown."""
        self._number += 1
        if self._job is not None:
            self._ground.jobs.drop(self._job)
            self._job = None
        if self.proposal is not None:
            self.proposal = None
            self.changed.emit()

    def _seek(self) -> None:
        """Read what is kept of it for the plane on screen."""
        where = self._where()
        if not self._version or where is None:
            return
        self._leave()
        self._look(where, self._version, self._found)

    def _where(self) -> _Place | None:
        image = self._navigation.shown
        return None if image is None or self._navigation.flagged else (image, self._navigation.plane)

    def _look(self, where: _Place, version: str, then: Callable[[_Place, Proposal | None], None]) -> None:
        """Read it on the worker; `then` gets it unless nobody waits any more."""
        number, kept = self._number, self._ground.project.compared

        def arrived(future: "Future[Proposal | None]") -> None:
            error = refusal(future)
            if number != self._number:
                return
            if error is not None:
                self._ground.notices.fail(JobKind.COMPARE, error)
                return
            found = future.result()
            then(where, None if found is None or found.version != version else found)

        self._worker.submit(lambda: kept.read(*where), arrived)

    def _found(self, where: _Place, found: Proposal | None) -> None:
        opened = self._documents.current
        if opened is None:
            return
        if found is None or found.version in _REFITTED or not is_whole(found, opened.document):
            self._ask(where)
        else:
            self._show(found)

    def _show(self, proposal: Proposal) -> None:
        self.proposal = proposal
        self.changed.emit()

    # -- asking the engine ---------------------------------------------------------------------------------------------

    def _ask(self, where: _Place) -> None:
        """Let the version propose; what there is so far is shown."""
        project, notices, version = self._ground.project, self._ground.notices, self._version
        if project.writer is None:
            notices.say(project.why_read_only)
            return
        number, bounds = self._number, Rect(0, 0, *self._navigation.rows[self._navigation.index].planes[where[1]])
        steps = predict(
            project,
            self._engine,
            [where[0]],
            planes=[where],
            version=version,
            visible=lambda: (*where, in_view(self._proposals.visible, bounds)),
            replace_people=True,
            into=project.compared,
        )

        def shown(_where: _Place, found: Proposal | None) -> None:
            if found is not None:
                self._show(found)

        def told(id_: JobId, progress: PredictProgress) -> None:
            self._ground.jobs.tell(id_, None, progress.fraction)
            if progress.part and number == self._number:
                self._look(where, version, shown)

        def done(report: PredictReport) -> None:
            if report.failed:
                notices.fail(JobKind.COMPARE, report.failed[0].sentence)
            elif number == self._number:
                self._look(where, version, shown)

        def ended() -> None:
            if number == self._number:
                self._job = None

        self._job = self._ground.jobs.start(
            JobKind.COMPARE,
            _("Proposing to compare"),
            steps,
            self._ground.main,
            on_value=told,
            on_done=done,
            on_failed=lambda error: self._failed(number, error),
            on_end=ended,
        )

    def _failed(self, number: int, error: UserError) -> None:
        if number == self._number:
            self._ground.notices.fail(JobKind.COMPARE, error)

    def _content_replaced(self, image: int) -> None:
        """What was proposed for the content before is nothing for the new one."""
        kept = self._ground.project.compared
        if self._ground.project.writer is not None:
            self._worker.submit(lambda: kept.forget(ImageId(image)), lambda f: say_refusal(f, self._ground.notices.say))
        if self._navigation.shown == image:
            self._seek()

    def close(self, wait_s: float | None = None) -> None:
        """End the worker; nobody waits for an answer any more."""
        self._leave()
        self._worker.close(wait_s)
