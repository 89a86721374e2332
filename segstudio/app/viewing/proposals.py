"""The owner of proposals: asks the engine for what is on screen, and shows the answer.

Stored proposals are read and decoded on a worker; an answer carries its request and is dropped when that is no
longer on screen. Nothing that starts automatically replaces a person's proposal, or appears where one was rejected.
"""

from collections.abc import Sequence
from concurrent.futures import Future

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, say_refusal
from segstudio.app.values import JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.proposal_age import ProposalAge
from segstudio.app.viewing.proposal_requests import Asked, ProposalRequests
from segstudio.app.viewing.stored_proposals import Learnt, Look, Stored, StoredProposals
from segstudio.engine.client import EngineClient
from segstudio.errors import DiskRefused, UserError
from segstudio.geometry import Rect
from segstudio.labels.model import ImageId, Status
from segstudio.labels.proposal import Proposal
from segstudio.runs import EMBEDDED, FROM_PEOPLE, INSTANT
from segstudio.store.values import Split
from segstudio.tasks.labels.accept import is_whole
from segstudio.tasks.learning.predict import Plane, PredictReport, predict
from segstudio.text import _

__all__ = ["Proposals"]

_PAUSE_OF_THE_HAND_MS = 1500
_GESTURE_POLL_MS = 50
_JOB_END_S = 5.0


class Proposals(QObject):
    """`on_screen` is the proposal of the image and plane on screen, if there is one; `rejected`: a person wants none.

    While `reading`, what is stored for it is on its way. `visible` is the rectangle of image pixels that is on screen:
    it is proposed before the rest, also when it moves. None = all of it. `ageChanged` says that `stale` did. `worker`
    computes what nobody waits for, one thing after another. A request that somebody waits for (`owed`) ends in exactly
    one `proposalReady` or one notice, and `failed` then carries its sentence.
    """

    proposalReady = Signal()
    proposalChanged = Signal()
    failed = Signal(str)
    runningChanged = Signal(bool)
    ageChanged = Signal()

    def __init__(
        self,
        ground: Ground,
        engine: EngineClient,
        documents: Documents,
        navigation: Navigation,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._project, self._notices, self._engine = ground.project, ground.notices, engine
        self._documents, self._navigation = documents, navigation
        self._stored, self.worker = StoredProposals(ground.project, ground.main), Worker("fill", ground.main)
        self._requests = ProposalRequests(ground, self._part_came, self._through, self.cancel, self)
        self._requests.runningChanged.connect(self.runningChanged)
        self._owed = self._cancelled = self._in_a_moment = self._closed = False
        self._opening: tuple[Look, Future[Stored]] | None = None
        self._age, self._learnt = ProposalAge(), Learnt()
        self._was_stale = False
        self.reading = self.rejected = False
        self.on_screen: Proposal | None = None
        self.visible: Rect | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_OF_THE_HAND_MS)
        self._pause.timeout.connect(self._hand_paused)
        navigation.imageLoading.connect(lambda _path: self._image_loading())
        navigation.imageShown.connect(self._image_shown)
        navigation.imageFailed.connect(lambda _path, _sentence: self._image_failed())
        navigation.contentReplaced.connect(self._content_replaced)
        documents.editCommitted.connect(lambda _seq: self._committed())

    # -- proposing ---------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether a proposal for the image on screen is on its way."""
        return self._requests.asked is not None

    @property
    def owed(self) -> bool:
        """Whether a proposal was asked for and `proposalReady` or a notice is still to come."""
        return self._owed

    @property
    def seen(self) -> Proposal | None:
        """The proposal drawn: none while the image asked for is still being decoded."""
        return None if self._navigation.loading else self.on_screen

    @property
    def coming(self) -> bool:
        """Whether a proposal for the image on screen is on its way, is being read, or is asked for in a moment."""
        return self.running or self.reading or self._in_a_moment

    @property
    def is_guess(self) -> bool:
        """Whether what is on screen comes from the embedded model, before anything was learnt here."""
        return self.on_screen is not None and self.on_screen.version == EMBEDDED

    @property
    def stale(self) -> bool:
        """Whether what is on screen is older than the strokes that its learner learns from."""
        instant = self.on_screen is not None and self.on_screen.version == INSTANT
        return instant and self._documents.submitted > self._age.edits and self._is_learned_from()

    def propose(self) -> None:
        """Ask for a proposal of the image on screen, also in the place of what a person proposed or rejected; exactly
        one `proposalReady` follows, or a notice.

        One on its way that was begun before the last edit is asked for again: the answer knows every edit so far.
        """
        if self._project.writer is None:
            self._notices.say(self._project.why_read_only)
            return
        if self._navigation.index < 0:
            self._notices.say(_("No image is open."))
            return
        if self._navigation.shown is None and not self._navigation.loading:
            self._fail(_("The image cannot be shown, so nothing is proposed for it."))
            return
        if self._navigation.flagged:
            self._fail(self._navigation.flagged)
            return
        self._owed = True
        self._begin()

    def _begin(self) -> None:
        """Ask for the image on screen, unless the request under way will do."""
        self._in_a_moment = False
        image = self._navigation.shown
        if image is None or self._navigation.flagged or self._project.writer is None:
            return  # asked for while the image is being decoded: it is proposed once it is shown
        where, asked = (image, self._navigation.plane), self._requests.asked
        if asked is None or (asked.where, asked.edits) != (where, self._documents.submitted):
            self._ask(where)

    def refresh(self) -> None:
        """Ask again after the model has changed: a request under way knows only the one before.

        A person's proposal or rejection stays. While stored proposals are being read, the end of that decides.
        """
        self._stored.read_learnt(self._model_changed)

    def _model_changed(self, future: "Future[Learnt]") -> None:
        if not self._has_learnt(future) or self.reading or self._is_persons():
            return
        self._requests.drop()
        self._begin()

    def _has_learnt(self, future: "Future[Learnt]") -> bool:
        """Show what was read; whether that was possible."""
        error = future.exception()
        if error is None:
            self._learnt = future.result()
        elif isinstance(error, UserError):
            self._notices.say(error.line)
        else:
            raise error
        return error is None

    def _is_persons(self) -> bool:
        """Whether a person decided what is to be seen here, and has not asked for anything else."""
        by_hand = self.on_screen is not None and self.on_screen.version in FROM_PEOPLE
        return not self._owed and (self.rejected or by_hand)

    def reject(self) -> None:
        """Show no proposal for this image until one is asked for, also when it is opened again."""
        image, plane = self._navigation.shown, self._navigation.plane
        if self._project.writer is None:
            self._notices.say(self._project.why_read_only)
            return
        if image is None or (self.on_screen is None and not self.running):
            self._notices.say(_("There is no proposal to reject."))
            return
        wait = self._requests.waiter()
        self.rejected, self.on_screen = True, None
        self.cancel()
        # What a request writes in its last step is rejected too.
        self._stored.reject(image, plane, lambda: wait(_JOB_END_S), self._noted)
        self._changed()
        self._notices.say(_("The proposal was rejected; P asks for another."))

    def cancel(self) -> None:
        """End the request under way; what it has shown so far stays until the image is shown again."""
        if not self.running:
            return
        self._requests.drop()
        self._cancelled = True
        self._owed = False
        self._tell_failure(_("Proposing was cancelled."), cancelled=True)

    def _ask(self, where: Plane) -> None:
        """Start a request; one before it is told to end, and its answer is dropped."""
        self.rejected = self._cancelled = False
        bounds = Rect(0, 0, *self._sizes()[where[1]])
        steps = predict(
            self._project,
            self._engine,
            [where[0]],
            visible=lambda: (*where, self._visible_of(bounds)),
            replace_people=self._owed,
        )
        self._requests.start(where, self._documents.submitted, steps, guess=self._learnt.nothing)

    def _visible_of(self, bounds: Rect) -> Rect:
        """What is on the screen of a plane, all of it where that is not known. Asked on the job's thread."""
        visible = self.visible
        seen = bounds if visible is None else visible.intersected(bounds)
        return bounds if seen.empty else seen

    def _part_came(self, asked: Asked) -> None:
        """What there is so far is shown, the screen's part first."""
        self._look(Look(*asked.where, asked.number, known=self.on_screen))

    def _through(self, asked: Asked, report: PredictReport | None, error: BaseException | None) -> None:
        if not self._is_awaited(asked.number):
            return
        if report is not None:
            self._age.measured(self._sizes(), report)
            error = _error_of(report)
        if error is None:
            self._look(Look(*asked.where, asked.number, ends=True))
        elif self._documents.gesture_active:
            QTimer.singleShot(_GESTURE_POLL_MS, self, lambda: self._through(asked, None, error))
        else:
            self._requests.finish()
            self._owed = False
            if not isinstance(error, UserError):
                raise error
            # The window already reports a refusing disk: this is not another fault.
            self._fail(error.line, JobKind.SAVE if isinstance(error, DiskRefused) else JobKind.PROPOSE)

    def _is_awaited(self, request: int) -> bool:
        asked = self._requests.asked
        return asked is not None and asked.number == request

    def _image_failed(self) -> None:
        """The image asked for cannot be shown: anyone waiting for its proposal is informed."""
        self._requests.drop()
        self._opening = None
        self.on_screen = None
        self._changed()
        if self._owed:
            self._fail(_("The image cannot be shown, so nothing is proposed for it."))

    def _fail(self, sentence: str, job: JobKind = JobKind.PROPOSE) -> None:
        self._owed = False
        self._tell_failure(sentence, job)

    def _tell_failure(self, sentence: str, job: JobKind = JobKind.PROPOSE, *, cancelled: bool = False) -> None:
        self.failed.emit(sentence)
        self._notices.fail(job, sentence, cancelled=cancelled)

    # -- painting ----------------------------------------------------------------------------------------------------

    def _committed(self) -> None:
        """An edit is durable: a guess gives way to the instant learner, and what is on screen may be older than it."""
        if self._closed:  # over a disk that hangs, an edit may be reported as late as that
            return
        self._pause.start()
        asked = self._requests.asked
        if self.is_guess or (asked is not None and asked.guess):
            self._stored.read_learnt(self._learnt_more)
        self._note_age()

    def _learnt_more(self, future: "Future[Learnt]") -> None:
        if not self._has_learnt(future):
            return
        asked = self._requests.asked
        if asked is not None and asked.guess and not self._learnt.nothing:
            self._ask(asked.where)
        elif not self._pause.isActive():
            self._hand_paused()  # the disk took longer than the pause of painting

    def _hand_paused(self) -> None:
        """Once two classes have known pixels the instant learner takes the place of the guess; where it is quick, it is
        fitted again in each pause.
        """
        if self.running or self._documents.gesture_active or self._is_persons():
            return
        if (self.is_guess and self._learnt.two_classes) or (
            self.stale and not self._cancelled and not self._is_done() and self._age.is_quick(self._sizes())
        ):
            self._begin()

    def _is_learned_from(self) -> bool:
        item = self._navigation.items[self._navigation.index] if self._navigation.index >= 0 else None
        return item is not None and item.split != Split.HELD_OUT

    def _sizes(self) -> Sequence[tuple[int, int]]:
        return self._navigation.rows[self._navigation.index].planes

    def _is_done(self) -> bool:
        return self._navigation.items[self._navigation.index].status == Status.DONE.value

    def _changed(self) -> None:
        self.proposalChanged.emit()
        self._note_age()

    def _note_age(self) -> None:
        if self.stale != self._was_stale:
            self._was_stale = self.stale
            self.ageChanged.emit()

    # -- looking -----------------------------------------------------------------------------------------------------

    def _image_loading(self) -> None:
        """What is stored for the image is read while its pixels are decoded."""
        look = Look(self._navigation.rows[self._navigation.index].id, self._navigation.plane)
        if self._opening is not None:
            self._opening[1].cancel()
        self._opening = (look, self._stored.read(look))

    def _image_shown(self) -> None:
        self._requests.drop()
        self.on_screen = None
        self.reading = self.rejected = self._cancelled = self._in_a_moment = False
        self._age.edits = self._documents.submitted
        opening, self._opening = self._opening, None
        if self._navigation.flagged:
            # What is stored belongs to another content, and nothing is proposed until a person has decided.
            self._changed()
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
            self._changed()
            self._stored.when_read(future, lambda future: self._looked(look, future))

    def _content_replaced(self, image: int) -> None:
        """What was proposed for the content before is nothing for the new one: it is deleted, and proposed again."""
        here, proposals = self._navigation.shown == image, self._project.proposals
        if here:
            self._requests.drop()
            self._opening = self.on_screen = None
            self._changed()
        if self._project.writer is not None:
            self._stored.worker.submit(lambda: proposals.forget(ImageId(image), FROM_PEOPLE), self._noted)
            if here:
                self._look(Look(ImageId(image), self._navigation.plane))

    def _look(self, look: Look) -> None:
        self._stored.when_read(self._stored.read(look), lambda future: self._looked(look, future))

    def _looked(self, look: Look, future: "Future[Stored]") -> None:
        """Show what was read, unless another image is on screen, or a new one was asked for."""
        if (look.image, look.plane) != (self._navigation.shown, self._navigation.plane):
            return
        if not self._is_awaited(look.request) if look.request else self.rejected:
            return
        if self._documents.gesture_active:
            # A proposal does not change under a stroke that has begun.
            QTimer.singleShot(_GESTURE_POLL_MS, self, lambda: self._looked(look, future))
            return
        asked = self._requests.asked
        if look.request and asked is not None:
            self._age.edits = asked.edits
        if look.ends:
            self._requests.finish()
            self._owed = False
        self.reading = False
        error = future.exception()
        if isinstance(error, UserError):
            if not self.running:  # of a part: the request goes on, and its end says how it ended
                self._fail(error.line)
            return
        stored, before = future.result(), self.on_screen
        found, self._learnt = stored.proposal, stored.learnt
        if not look.request:
            self.rejected = stored.rejected
        if before is None or (found is not None and found.number >= before.number):
            self.on_screen = found
        self._note_shown()
        self._changed()
        if look.ends:
            self._pause.start()  # an edit made since then is still to be learned from
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
        wanted = self._owed or (not self._is_done() and self._may_be_better())
        if self._project.writer is not None and wanted:
            self._in_a_moment = True
            QTimer.singleShot(0, self, self._begin)

    def _may_be_better(self) -> bool:
        """Whether a better proposal may be had: none yet, a part, an older version's, or a learner refitted since."""
        if self._is_persons():
            return False
        if self.on_screen is None or self.on_screen.version == INSTANT or not self._is_whole(self.on_screen):
            return True
        if self._learnt.version is not None:
            return self.on_screen.version != self._learnt.version
        return self._learnt.two_classes or self.on_screen.version != EMBEDDED

    def _noted(self, future: "Future[None]") -> None:
        say_refusal(future, self._notices.say)

    def close(self) -> None:
        """Drop what was asked for, end the workers."""
        self._closed = True
        self._pause.stop()
        self._requests.drop()
        self._stored.worker.close()
        self.worker.close(drop=False)

    def wait(self, timeout_s: float) -> None:
        """Wait for the threads of requests that were dropped."""
        self._requests.waiter()(timeout_s)


def _error_of(report: PredictReport) -> UserError | None:
    """Why the image got no proposal: an unreadable file is listed, not raised."""
    return UserError(report.failed[0].sentence) if report.failed else None
