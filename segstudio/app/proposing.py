"""The owner of proposals: asks the engine for what is on screen, and shows the answer.

What is stored is read and decoded on a worker; an answer carries what it was asked for and is dropped when that is no
longer on screen.
"""

from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.documents import Documents
from segstudio.app.jobs import Job, MainThread, Worker, say_refusal
from segstudio.app.navigation import Navigation
from segstudio.engine.client import EngineClient
from segstudio.errors import DiskRefused, UserError
from segstudio.geometry import Rect
from segstudio.labels.model import ImageId, Status
from segstudio.labels.proposal import Proposal
from segstudio.runs import EMBEDDED, FROM_PEOPLE, INSTANT
from segstudio.store.project import Project
from segstudio.tasks.accept import is_whole
from segstudio.tasks.predict import PredictProgress, PredictReport, predict

__all__ = ["Proposals"]

_PAUSE_OF_THE_HAND_MS = 1500
_GESTURE_POLL_MS = 50


@dataclass(frozen=True, slots=True)
class _Look:
    """A reading of what is stored for a plane; `request` is the request it ends or shows a part of, 0 for none."""

    image: ImageId
    plane: int
    request: int = 0
    ends: bool = False


class Proposals(QObject):
    """`on_screen` is the proposal of the image and plane on screen, if there is one.

    While `reading`, what is stored for it is on its way. `visible` is the rectangle of image pixels that is on screen:
    it is proposed before the rest. None = all of it. `worker` computes what nobody waits for, one thing after another.
    """

    proposalReady = Signal()
    proposalChanged = Signal()
    failed = Signal(object)
    said = Signal(str)
    runningChanged = Signal(bool)

    def __init__(
        self,
        project: Project,
        engine: EngineClient,
        documents: Documents,
        navigation: Navigation,
        main: MainThread,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._project, self._engine = project, engine
        self._documents, self._navigation, self._main = documents, navigation, main
        self._reader, self.worker = Worker("proposal", main), Worker("fill", main)
        self._jobs: list[Job[PredictProgress, PredictReport]] = []
        self._request = 0
        self._asked_for: tuple[ImageId, int] | None = None
        self._asked_at = 0
        self._owed = False
        self._in_a_moment = False
        self._opening: tuple[_Look, Future[Proposal | None]] | None = None
        self.reading = False
        self.on_screen: Proposal | None = None
        self.visible: Rect | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_OF_THE_HAND_MS)
        self._pause.timeout.connect(self._upgrade_guess)
        navigation.imageLoading.connect(lambda _path: self._image_loading())
        navigation.imageShown.connect(self._image_shown)
        navigation.imageFailed.connect(lambda _path, _sentence: self._image_failed())
        navigation.contentReplaced.connect(self._content_replaced)
        documents.editCommitted.connect(lambda _seq: self._pause.start())

    # -- proposing ---------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether a proposal for the image on screen is on its way."""
        return self._asked_for is not None

    @property
    def coming(self) -> bool:
        """Whether a proposal for the image on screen is on its way, is being read, or is asked for in a moment."""
        return self.running or self.reading or self._in_a_moment

    @property
    def is_guess(self) -> bool:
        """Whether what is on screen comes from the embedded model, before anything was learnt here."""
        return self.on_screen is not None and self.on_screen.version == EMBEDDED

    def propose(self) -> None:
        """Ask for a proposal of the image on screen; exactly one `proposalReady` follows, or `failed`.

        One on its way that was begun before the last edit is asked for anew: the answer knows every edit so far.
        """
        image = self._navigation.shown
        if self._project.writer is None:
            self.said.emit(self._project.why_read_only)
            return
        if self._navigation.index < 0:
            self.said.emit(self.tr("No image is open."))
            return
        if image is None and not self._navigation.loading:
            self._fail(self.tr("The image cannot be shown, so nothing is proposed for it."))
            return
        if self._navigation.flagged:
            self._fail(self._navigation.flagged)
            return
        self._owed = True
        if image is None:
            return  # asked for while the image is being decoded: it is proposed once it is shown
        where = (image, self._navigation.plane)
        if self._asked_for != where or self._asked_at != self._documents.submitted:
            self._ask(where)

    def refresh(self) -> None:
        """Ask anew after the model has changed: what is on its way knows only the one before."""
        self._drop()
        if self._navigation.shown is not None and not self._navigation.flagged:
            self.propose()

    def _ask(self, where: tuple[ImageId, int]) -> None:
        """Start a request; one before it is told to end, and its answer is dropped."""
        self._drop()
        self._request += 1
        request = self._request
        image, plane = where
        bounds = Rect(0, 0, *self._project.image(image).planes[plane])
        seen = bounds if self.visible is None else self.visible.intersected(bounds)
        steps = predict(self._project, self._engine, [image], visible=(image, plane, bounds if seen.empty else seen))
        job = Job(
            "propose",
            steps,
            self._main,
            on_value=lambda progress: self._progressed(request, progress),
            on_done=lambda report: self._ended(job, request, _error_of(report)),
            on_failed=lambda error: self._ended(job, request, error),
            on_cancelled=lambda: self._ended(job, request, None),
        )
        self._jobs.append(job)
        self._asked_for, self._asked_at = where, self._documents.submitted
        self.runningChanged.emit(True)
        job.start()

    def _drop(self) -> None:
        """What was asked for is of no use any more."""
        for job in self._jobs:
            job.cancel()
        if self._asked_for is not None:
            self._asked_for = None
            self.runningChanged.emit(False)

    def _progressed(self, request: int, progress: PredictProgress) -> None:
        """What the screen shows is there before the rest."""
        if progress.part and self._awaited(request) and (progress.image, progress.plane) == self._asked_for:
            assert progress.image is not None
            self._look(_Look(progress.image, progress.plane, request))

    def _awaited(self, request: int) -> bool:
        return self._asked_for is not None and request == self._request

    def _ended(self, job: "Job[PredictProgress, PredictReport]", request: int, error: BaseException | None) -> None:
        self._jobs.remove(job)
        if not job.cancelled:
            self._arrived(request, error)

    def _arrived(self, request: int, error: BaseException | None) -> None:
        if self._asked_for is None or not self._awaited(request):
            return
        if error is None:
            self._look(_Look(*self._asked_for, request, ends=True))
        elif self._documents.gesture_active:
            QTimer.singleShot(_GESTURE_POLL_MS, self, lambda: self._arrived(request, error))
        else:
            self._end_request()
            if not isinstance(error, UserError):
                raise error
            # What the disk refuses the window says already: it is no other fault.
            self._fail(error.line, "save" if isinstance(error, DiskRefused) else "propose")

    def _end_request(self) -> None:
        self._asked_for = None
        self._owed = False
        self.runningChanged.emit(False)

    def _image_failed(self) -> None:
        """The image asked for cannot be shown: whoever waits for its proposal is told."""
        self._drop()
        self._opening = None
        self.on_screen = None
        self.proposalChanged.emit()
        if self._owed:
            self._fail(self.tr("The image cannot be shown, so nothing is proposed for it."))

    def _fail(self, sentence: str, job: str = "propose") -> None:
        self._owed = False
        self.failed.emit({"job": job, "sentence": sentence, "details": ""})

    # -- looking -----------------------------------------------------------------------------------------------------

    def _image_loading(self) -> None:
        """What is stored for the image is read while its pixels are decoded."""
        look = _Look(self._navigation.rows[self._navigation.index].id, self._navigation.plane)
        if self._opening is not None:
            self._opening[1].cancel()
        self._opening = (look, self._read(look))

    def _image_shown(self) -> None:
        self._drop()
        self.on_screen = None
        self.reading = self._in_a_moment = False
        opening, self._opening = self._opening, None
        if self._navigation.flagged:
            # What is stored belongs to another content, and nothing is proposed until a person has decided.
            self.proposalChanged.emit()
            if self._owed:
                self._fail(self._navigation.flagged)
            return
        if opening is None:
            return
        look, future = opening
        self.reading = True
        if future.done():
            self._looked(look, future)
        else:
            self.proposalChanged.emit()
            self._when_read(look, future)

    def _content_replaced(self, image: int) -> None:
        """What was proposed for the content before is nothing for the new one: it is deleted, and proposed anew."""
        here, proposals = self._navigation.shown == image, self._project.proposals
        if here:
            self._drop()
            self._opening = self.on_screen = None
            self.proposalChanged.emit()
        if self._project.writer is not None:
            self._reader.submit(lambda: proposals.forget(ImageId(image), FROM_PEOPLE), self._noted)
            if here:
                self._look(_Look(ImageId(image), self._navigation.plane))

    def _read(self, look: _Look) -> "Future[Proposal | None]":
        proposals = self._project.proposals
        return self._reader.submit(lambda: proposals.read(look.image, look.plane))

    def _look(self, look: _Look) -> None:
        self._when_read(look, self._read(look))

    def _when_read(self, look: _Look, future: "Future[Proposal | None]") -> None:
        def read(future: "Future[Proposal | None]") -> None:
            if not future.cancelled():
                self._main.post(lambda: self._looked(look, future))

        future.add_done_callback(read)

    def _looked(self, look: _Look, future: "Future[Proposal | None]") -> None:
        """Show what was read, unless another image is on screen, or it was asked for anew."""
        if (look.image, look.plane) != (self._navigation.shown, self._navigation.plane):
            return
        if look.request and not self._awaited(look.request):
            return
        if self._documents.gesture_active:
            # What lies under a hand that has begun does not change.
            QTimer.singleShot(_GESTURE_POLL_MS, self, lambda: self._looked(look, future))
            return
        if look.ends:
            self._end_request()
        self.reading = False
        error = future.exception()
        if isinstance(error, UserError):
            if not self.running:  # of a part: the request goes on, and its end says how it ended
                self._fail(error.line)
            return
        found, before = future.result(), self.on_screen
        if before is None or (found is not None and found.number >= before.number):
            self.on_screen = found
        self._note_shown()
        self.proposalChanged.emit()
        if look.ends:
            self.proposalReady.emit()
        elif not look.request:
            self._propose_if_stale()

    def _note_shown(self) -> None:
        """Keep which whole proposal was shown first; what shows only the visible part counts for nothing yet."""
        proposal = self.on_screen
        if proposal is not None and self._is_whole(proposal) and self._project.writer is not None:
            proposals = self._project.proposals
            self.worker.submit(
                lambda: proposals.mark_shown(proposal.image, proposal.plane, proposal.number), self._noted
            )

    def _is_whole(self, proposal: Proposal) -> bool:
        opened = self._documents.current
        return opened is not None and is_whole(proposal, opened.document)

    def _propose_if_stale(self) -> None:
        item = self._navigation.items[self._navigation.index]
        wanted = self._owed or (item.status != Status.DONE.value and self._stale())
        if self._project.writer is not None and wanted:
            self._in_a_moment = True
            QTimer.singleShot(0, self, self._propose_quietly)

    def _stale(self) -> bool:
        """Whether a better proposal may be had: none yet, a part, an older version's, or a learner refitted since."""
        if self.on_screen is not None and self.on_screen.version in FROM_PEOPLE:
            return False
        if self.on_screen is None or self.on_screen.version == INSTANT or not self._is_whole(self.on_screen):
            return True
        current = self._project.current_version()
        if current is not None:
            return self.on_screen.version != current.name
        return self._two_classes_known() or self.on_screen.version != EMBEDDED

    def _propose_quietly(self) -> None:
        self._in_a_moment = False
        if self._navigation.shown is not None:
            self.propose()

    def _upgrade_guess(self) -> None:
        """Once two classes have known pixels the instant learner takes the place of the embedded guess."""
        if self.is_guess and not self.running and not self._documents.gesture_active and self._two_classes_known():
            self.propose()

    def _two_classes_known(self) -> bool:
        return len(self._project.known_classes()) >= 2

    def _noted(self, future: "Future[None]") -> None:
        say_refusal(future, self.said.emit)

    def close(self) -> None:
        """Drop what was asked for, end the workers."""
        self._pause.stop()
        self._drop()
        self._reader.close()
        self.worker.close(drop=False)

    def wait(self, timeout_s: float) -> None:
        """Wait for the threads of requests that were dropped."""
        for job in list(self._jobs):
            job.wait(timeout_s)

    # -- the contract ------------------------------------------------------------------------------------------------

    def values(self, image: ImageId, plane: int, rect: Rect) -> tuple[NDArray[np.uint16], NDArray[np.float32]] | None:
        """Class values (255 or 65535 where nothing is proposed) and confidence 0..1, each (h, w), read-only."""
        proposal = self._project.proposals.read(image, plane)
        if proposal is None:
            return None
        classes = self._documents.classes
        highest = max(c.value for c in classes.all)
        proposed = max((row.class_id for row in proposal.rows.values()), default=0)
        ids = max(max(c.id for c in classes.all), proposed) + 1
        lookup = np.full(ids, 255 if highest <= 254 else 65535, np.uint16)
        for c in classes.all:
            effective = classes.effective(c.id)
            if effective is not None:
                lookup[c.id] = effective.value
        found = lookup[proposal.class_ids(rect)]
        confidence = proposal.confidence(rect).astype(np.float32) / np.float32(255)
        found.setflags(write=False)
        confidence.setflags(write=False)
        return found, confidence


def _error_of(report: PredictReport) -> UserError | None:
    """Why the image got no proposal: a file that cannot be read is listed, not raised."""
    return UserError(report.failed[0].sentence) if report.failed else None
