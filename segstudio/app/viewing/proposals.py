"""The owner of proposals: asks the engine for what is on screen, and shows the answer.

What is shown is `ShownProposal`; an answer carries its request and is dropped when that is no longer on screen.
Nothing that starts automatically replaces a person's proposal, or appears where one was rejected.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import Future

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, say_refusal
from segstudio.app.values import JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.proposal_age import ProposalAge
from segstudio.app.viewing.proposal_requests import ProposalRequests, Request, in_view
from segstudio.app.viewing.shown_proposal import ShownProposal
from segstudio.app.viewing.stored_proposals import Look, Stored
from segstudio.engine.client import EngineClient
from segstudio.errors import DiskRefused, UserError
from segstudio.geometry import Rect
from segstudio.labels.model import ImageId
from segstudio.labels.proposal import Proposal
from segstudio.store.values import Split
from segstudio.tasks.learning.predict import Plane, PredictReport, predict
from segstudio.text import _

__all__ = ["Proposals"]

_PAUSE_OF_THE_HAND_MS = 1500
_GESTURE_POLL_MS = 50
_JOB_END_S = 5.0


class Proposals(QObject):
    """A request that somebody waits for (`owed`) ends in exactly one `proposalReady` or one notice, and `failed` then
    carries its sentence. `ageChanged` says that `stale` did.

    `visible` is the rectangle of image pixels that is on screen: it is proposed before the rest, also when it moves.
    None = all of it. `worker` computes what nobody waits for, one thing after another.
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
        self.worker = Worker("fill", ground.main)
        self._shown = ShownProposal(ground, documents, navigation, self._is_awaited, self._came, self)
        self._requests = ProposalRequests(ground, self._part_came, self._through, self._broke, self.cancel, self)
        self._requests.runningChanged.connect(self.runningChanged)
        self._owed = self._cancelled = self._in_a_moment = self._closed = False
        self._age = ProposalAge()
        self._was_stale = False
        self._automatic = True
        self.visible: Rect | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_OF_THE_HAND_MS)
        self._pause.timeout.connect(self._hand_paused)
        navigation.imageLoading.connect(lambda _path: self._shown.read_ahead())
        navigation.imageShown.connect(self._image_shown)
        navigation.imageFailed.connect(lambda _path, _sentence: self._image_failed())
        navigation.contentReplaced.connect(self._content_replaced)
        documents.changed.connect(lambda change: self._age.note(change, documents.recent))
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
    def on_screen(self) -> Proposal | None:
        """The proposal of the image and plane on screen, if there is one."""
        return self._shown.proposal

    @property
    def reading(self) -> bool:
        """Whether what is stored for the image on screen is on its way."""
        return self._shown.reading

    @property
    def rejected(self) -> bool:
        """Whether a person wants none for what is on screen."""
        return self._shown.rejected

    @property
    def seen(self) -> Proposal | None:
        """The proposal drawn: none while the image asked for is still being decoded."""
        return None if self._navigation.loading else self._shown.proposal

    @property
    def coming(self) -> bool:
        """Whether a proposal for the image on screen is on its way, is being read, or is asked for in a moment."""
        return self.running or self._shown.reading or self._in_a_moment

    @property
    def is_guess(self) -> bool:
        """Whether what is on screen comes from the embedded model, before anything was learnt here."""
        return self._shown.is_guess

    @property
    def stale(self) -> bool:
        """Whether what is on screen is older than the strokes that its learner learns from."""
        older = self._age.newest > self._age.edits
        return self._shown.is_instant and older and self._is_learned_from()

    @property
    def automatic(self) -> bool:
        """Whether proposals begin without being asked for; what is stored is shown either way."""
        return self._automatic

    @automatic.setter
    def automatic(self, wanted: bool) -> None:
        begins = wanted and not self._automatic
        self._automatic = wanted
        if begins and self._navigation.shown is not None and not self.coming:
            self._propose_if_stale()

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
        """Ask for the plane on screen, unless the request under way will do."""
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
        self._shown.learn(self._model_changed)

    def _model_changed(self) -> None:
        if self._shown.reading or self._is_persons():
            return
        if not (self._automatic or self._owed or self.running):
            return
        self._requests.drop()
        self._begin()

    def follow_import(self, images: Collection[ImageId]) -> None:
        """Proposals came in for these images: the one on screen is read again, and a request for it is dropped."""
        image = self._navigation.shown
        if image is None or image not in images:
            return
        if not self._owed:
            self._requests.drop()
        self._shown.rejected = False
        self._shown.look(Look(image, self._navigation.plane))

    def _is_persons(self) -> bool:
        """Whether a person decided what is to be seen here, and has not asked for anything else."""
        return not self._owed and self._shown.decided

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
        self._shown.rejected, self._shown.proposal = True, None
        self.cancel()
        # What a request writes in its last step is rejected too.
        self._shown.reject(image, plane, lambda: wait(_JOB_END_S))
        self._changed()
        self._notices.say(_("The proposal was rejected; Propose asks for another."))

    def cancel(self) -> None:
        """End the request under way; what it has shown so far stays until the image is shown again."""
        if not self.running:
            return
        self._requests.drop()
        self._cancelled = True
        self._fail(_("Proposing was cancelled."), cancelled=True)

    def _ask(self, where: Plane) -> None:
        """Start a request; one before it is told to end, and its answer is dropped."""
        self._shown.rejected = self._cancelled = False
        bounds = Rect(0, 0, *self._sizes()[where[1]])
        steps = predict(
            self._project,
            self._engine,
            [where[0]],
            planes=[where],
            visible=lambda: (*where, in_view(self.visible, bounds)),
            replace_people=self._owed,
        )
        self._requests.start(where, self._documents.submitted, steps, guess=self._shown.learnt.nothing)

    def _part_came(self, asked: Request) -> None:
        """What there is so far is shown, the screen's part first."""
        self._shown.look(Look(*asked.where, asked.number, known=self.on_screen))

    def _through(self, asked: Request, report: PredictReport | None, error: UserError | None) -> None:
        if not self._is_awaited(asked.number):
            return
        if report is not None:
            self._age.measured(self._sizes(), report)
        if error is None:
            self._shown.look(Look(*asked.where, asked.number, ends=True))
        elif self._documents.gesture_active:
            QTimer.singleShot(_GESTURE_POLL_MS, self, lambda: self._through(asked, None, error))
        else:
            self._requests.drop()
            self._owed = False
            # The window already reports a refusing disk: this is not another fault.
            self._fail(error.line, JobKind.SAVE if isinstance(error, DiskRefused) else JobKind.PROPOSE)

    def _broke(self) -> None:
        """The request ended in a bug, which is reported as one."""
        self._requests.drop()
        self._owed = False

    def _is_awaited(self, request: int) -> bool:
        asked = self._requests.asked
        return asked is not None and asked.number == request

    def _image_failed(self) -> None:
        """The image asked for cannot be shown: anyone waiting for its proposal is informed."""
        self._requests.drop()
        self._shown.forget()
        self._changed()
        if self._owed:
            self._fail(_("The image cannot be shown, so nothing is proposed for it."))

    def _fail(self, sentence: str, job: JobKind = JobKind.PROPOSE, *, cancelled: bool = False) -> None:
        self._owed = False
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
            self._shown.learn(self._learnt_more)
        self._note_age()

    def _learnt_more(self) -> None:
        asked = self._requests.asked
        if asked is not None and asked.guess and not self._shown.learnt.nothing:
            self._ask(asked.where)
        elif not self._pause.isActive():
            self._hand_paused()  # the disk took longer than the pause of painting

    def _hand_paused(self) -> None:
        """Once two classes have known pixels the instant learner takes the place of the guess; where it is quick, it is
        fitted again in each pause.
        """
        if self.running or self._documents.gesture_active or self._is_persons() or not self._automatic:
            return
        if (self.is_guess and self._shown.learnt.two_classes) or (
            self.stale and not self._cancelled and not self._is_done() and self._age.is_quick(self._sizes())
        ):
            self._begin()

    def _is_learned_from(self) -> bool:
        item = self._navigation.items[self._navigation.index] if self._navigation.index >= 0 else None
        return item is not None and item.split != Split.HELD_OUT

    def _sizes(self) -> Sequence[tuple[int, int]]:
        return self._navigation.rows[self._navigation.index].planes

    def _is_done(self) -> bool:
        return self._navigation.items[self._navigation.index].marks.is_done(self._navigation.plane)

    def _changed(self) -> None:
        self.proposalChanged.emit()
        self._note_age()

    def _note_age(self) -> None:
        if self.stale != self._was_stale:
            self._was_stale = self.stale
            self.ageChanged.emit()

    # -- looking -----------------------------------------------------------------------------------------------------

    def _image_shown(self) -> None:
        self._requests.drop()
        opening = self._shown.clear()
        self._cancelled = self._in_a_moment = False
        self._age.edits = self._documents.submitted
        if self._navigation.flagged:
            # What is stored belongs to another content, and nothing is proposed until a person has decided.
            self._changed()
            if self._owed:
                self._fail(self._navigation.flagged)
            return
        if opening is not None and not self._shown.show(*opening):
            self._changed()

    def _content_replaced(self, image: int) -> None:
        """What was proposed for the content before is nothing for the new one: it is deleted, and proposed again."""
        here = self._navigation.shown == image
        if here:
            self._requests.drop()
            self._shown.forget()
            self._changed()
        if self._project.writer is not None:
            self._shown.delete(ImageId(image))
            if here:
                self._shown.look(Look(ImageId(image), self._navigation.plane))

    def _came(self, look: Look, future: "Future[Stored]") -> None:
        """What was read of the image on screen is shown; with the last part a request ends."""
        asked = self._requests.asked
        if look.request and asked is not None:
            self._age.edits = asked.edits
        if look.ends:
            self._requests.drop()
            self._owed = False
        error = self._shown.take(look, future)
        if error is not None:
            if not self.running:  # of a part: the request goes on, and its end says how it ended
                self._fail(error.line)
            return
        self._note_shown()
        self._changed()
        if look.ends:
            self._pause.start()  # an edit made since then is still to be learned from
            self.proposalReady.emit()
        elif not look.request:
            self._propose_if_stale()

    def _note_shown(self) -> None:
        """Keep which whole proposal was shown first; what shows only the visible part counts for nothing yet."""
        proposal = self._shown.whole
        if proposal is not None and self._project.writer is not None:
            proposals, shown = self._project.proposals, (proposal.image, proposal.plane, proposal.number)
            self.worker.submit(
                lambda: proposals.mark_shown(*shown), lambda future: say_refusal(future, self._notices.say)
            )

    def _propose_if_stale(self) -> None:
        begins = self._automatic and not (self._is_done() or self._is_persons() or not self._shown.may_be_better)
        if self._project.writer is not None and (self._owed or begins):
            self._in_a_moment = True
            QTimer.singleShot(0, self, self._begin)

    def close(self, wait_s: float | None = None) -> None:
        """Drop what was asked for, end the workers."""
        self._closed = True
        self._pause.stop()
        self._requests.drop()
        self._shown.close(wait_s)
        self.worker.close(wait_s, drop=False)
