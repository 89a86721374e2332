"""The owner of accept, and of Done by the project's policy."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.background_fill import Fills
from segstudio.app.editing.background_writes import filling
from segstudio.app.editing.documents import Documents, OpenDocument
from segstudio.app.ground import Ground
from segstudio.app.jobs import say_refusal
from segstudio.app.values import Changed, DoneState, JobId, JobKind, Rest
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.proposal_wait import ProposalWait
from segstudio.app.viewing.proposals import Proposals
from segstudio.errors import Cancelled, NothingLabelled, UserError
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ImageId, Status
from segstudio.labels.paint.fill import Filling, Outcome, most_bytes
from segstudio.labels.proposal import Proposal
from segstudio.labels.tiles.tile import Dense
from segstudio.tasks.labels.accept import REST_SETTING, accepting, emptying, finishing, rest_of
from segstudio.tasks.labels.effort import count_effort
from segstudio.text import _, elided

__all__ = ["Finishing"]


class Finishing(QObject):
    """Accepts what is on screen, finishes images; `fills` computes their edits, `state` says where Done stands.

    Done waits for a proposal that is coming. Where nothing would be labelled it does nothing, and asks.
    """

    stateChanged = Signal()
    restChanged = Signal()

    def __init__(
        self,
        ground: Ground,
        documents: Documents,
        navigation: Navigation,
        shown: Proposals,
        parent: QObject | None = None,
        rest: Rest | None = None,
    ) -> None:
        """`rest` is the project's policy where it was read before."""
        super().__init__(parent)
        self._ground, self._project, self._notices = ground, ground.project, ground.notices
        self._documents, self._navigation, self._shown = documents, navigation, shown
        self.fills = Fills(ground, documents, shown.worker, self)
        self.state = DoneState.IDLE
        self._wait = ProposalWait(shown, self)
        self._waiting: JobId | None = None
        self._rest = rest or rest_of(ground.project.setting(REST_SETTING))
        navigation.imageLoading.connect(lambda _path: self._left())
        documents.changed.connect(self._changed)
        shown.proposalReady.connect(self.withdraw)
        shown.runningChanged.connect(lambda _running: QTimer.singleShot(0, self, self._show_waiting))

    # -- accept ------------------------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Fill what is unlabelled with the proposal, as one edit."""
        opened, proposal = self._may_begin(), self._shown.on_screen
        if opened is None or self._is_another_content():
            return
        if proposal is None:
            self._notices.say(_("There is no proposal to accept yet."))
            return
        work = accepting(lambda _plane: proposal, [proposal.plane], self._documents.classes)
        self._fill(opened, Cause.ACCEPT, (_("Accept"), _("Accepting")), work, self._accepted)

    def _accepted(self, outcome: Outcome) -> None:
        if not outcome.changed:
            self._notices.say(_("Nothing to accept: the proposed pixels are already labelled, or locked."))

    # -- done --------------------------------------------------------------------------------------------------------

    def mark_done_and_go_on(self, *, empty: bool = False) -> None:
        """Mark the image on screen done, then show the next that is not."""
        image = self._navigation.shown
        if image is not None and (empty or self._rest is not Rest.PROPOSAL or not self._is_another_content()):
            self.mark_done(lambda: self._show_next(image), empty=empty)

    def _show_next(self, done: ImageId) -> None:
        navigation = self._navigation
        navigation.mark_done(done)
        if navigation.shown != done:
            return  # the person moved on while the rest was being filled in
        following = navigation.next_unfinished()
        if following is None:
            hidden = any(item.status is not Status.DONE for item in navigation.items)
            listed = _("Every image in the list is done; the filter hides others.")
            self._notices.say(listed if hidden else _("Every image is done."))
        elif following != navigation.index:
            navigation.open(following)

    def _is_another_content(self) -> bool:
        """Whether the file of the image on screen has changed since it was labelled; a message says so."""
        flagged = self._navigation.flagged
        if flagged:
            self._notices.say(flagged)
        return bool(flagged)

    def mark_done(self, then: Callable[[], None], *, empty: bool = False) -> None:
        """Fill the rest by the project's policy and mark the image done, as one edit; `then` runs after it.

        A proposal that is coming is waited for where it is used. With `empty` a person says that nothing is left to
        label: all that is unlabelled becomes background, whatever the policy. Where nothing would be labelled without
        that, nothing is done, and `state` says so.
        """
        opened = self._may_begin()
        if opened is None or (self._wait.active and not empty):
            return
        self._wait.stop()
        if empty:
            self._finish(opened, then, empty=True)
        elif self._rest is Rest.PROPOSAL and self._shown.coming and not self._is_full(opened):
            self._wait.begin(lambda: self._go_on(opened, then), self._not_proposed)
            self._become(DoneState.WAITING)
            self._show_waiting()
        else:
            self._finish(opened, then)

    def _show_waiting(self) -> None:
        """Show it as the newest job: the proposal's own, which may begin later, would hide it."""
        if self.state is DoneState.WAITING:
            self._end_waiting()
            text = _("Waiting for the proposal; Esc stops waiting")
            self._waiting = self._ground.jobs.show(JobKind.WAIT, text, self._ground.main, self.stop_waiting)

    def _end_waiting(self) -> None:
        if self._waiting is not None:
            self._ground.jobs.end(self._waiting)
            self._waiting = None

    def _may_begin(self) -> OpenDocument | None:
        """The document on screen, its stroke kept; None, saying why, where nothing can be changed now."""
        opened = self._documents.current
        why_not = self._project.why_read_only if self._project.writer is None else self._documents.busy
        if why_not:
            self._notices.say(why_not)
            return None
        self._documents.commit_gesture()
        return opened

    def _is_full(self, opened: OpenDocument) -> bool:
        """Whether every pixel is labelled, as far as the project knows: then no proposal changes one."""
        row = self._navigation.rows[self._navigation.index]
        pixels = sum(w * h for w, h in opened.document.raster.sizes)
        return row.labelled_pixels >= pixels and not any(c.removed for c in self._documents.classes.all)

    def _go_on(self, opened: OpenDocument, then: Callable[[], None]) -> None:
        """The proposal is there."""
        self._become(DoneState.IDLE)
        if self._documents.busy:
            self._notices.say(self._documents.busy)
        elif self._navigation.shown == opened.document.image:
            self._documents.commit_gesture()
            self._finish(opened, then)

    def _not_proposed(self, why: str) -> None:
        self._become(DoneState.IDLE)
        sentence = _("This image was not marked done: {why}", why=why)
        # The failure itself is reported now: this sentence, which has both, must be the last.
        QTimer.singleShot(0, self, lambda: self._notices.fail(JobKind.DONE, sentence))

    def _finish(self, opened: OpenDocument, then: Callable[[], None], *, empty: bool = False) -> None:
        planes, classes = range(len(opened.document.raster.sizes)), self._documents.classes
        name = elided(self._navigation.name_of(opened.document.image), 32)
        rest = Rest.BACKGROUND if empty else self._rest
        work = emptying(planes, classes) if empty else finishing(self._proposal_of(opened), planes, rest, classes)

        def done(outcome: Outcome) -> None:
            self.withdraw()
            self._notices.say(self._words(name, rest, outcome.short))
            self._count_effort(opened.document.copy())
            then()

        def not_done(error: UserError) -> None:
            if not isinstance(error, NothingLabelled):
                if not isinstance(error, Cancelled):  # already reported
                    self._notices.fail(JobKind.DONE, error)
            elif self._navigation.shown == opened.document.image:
                self._become(DoneState.NOTHING_LABELLED)
                self._notices.say(_("Nothing would be labelled in this image, so it was not marked done."))

        self._fill(opened, Cause.DONE, (_("Done"), _("Finishing")), work, done, not_done)

    def _proposal_of(self, opened: OpenDocument) -> Callable[[int], Proposal | None]:
        """What was seen, not what may have been written since; of other planes what is stored."""
        image, here, seen = opened.document.image, self._navigation.plane, self._shown.on_screen
        proposals = self._project.proposals
        return lambda plane: seen if plane == here else proposals.read(image, plane)

    def _words(self, name: str, rest: Rest, short: bool) -> str:
        """What Done did and the way back, with the name: another image is on screen when it is read."""
        if rest is Rest.UNKNOWN:
            return _("Done: unlabelled pixels stay unknown.")
        if rest is Rest.BACKGROUND and short:
            return _("Done, but the background is locked: unlabelled pixels stay unknown.")
        if rest is Rest.BACKGROUND:
            return _(
                "{name} is done: the rest became background. To reverse this, open it and undo.",
                name=name,
            )
        if short:
            return _("Done, but the proposal did not cover everything: the rest stays unknown.")
        return _("{name} is done: the rest took the proposal. To reverse this, open it and undo.", name=name)

    # -- where Done stands -------------------------------------------------------------------------------------------

    def withdraw(self) -> bool:
        """Withdraw the question whether the image is empty; whether it was asked."""
        asked = self.state is DoneState.NOTHING_LABELLED
        if asked:
            self._become(DoneState.IDLE)
        return asked

    def stop_waiting(self) -> bool:
        """Stop waiting for a proposal: nothing is marked; whether Done was waiting."""
        waited = self._wait.stop()
        if waited:
            self._become(DoneState.IDLE)
            self._notices.say(_("Done was cancelled; the image was not marked done."))
        return waited

    def _become(self, state: DoneState) -> None:
        if state is self.state:
            return
        was, self.state = self.state, state
        if was is DoneState.WAITING:
            self._end_waiting()
        self.stateChanged.emit()

    def _left(self) -> None:
        """Another image was asked for: drop everything about the previous one."""
        self.stop_waiting()
        self.withdraw()

    def _changed(self, change: Changed) -> None:
        if change.seq is not None and change.image in (None, self._navigation.shown):
            self.withdraw()

    # -- filling -----------------------------------------------------------------------------------------------------

    def _fill(
        self,
        opened: OpenDocument,
        cause: Cause,
        names: tuple[str, str],
        work: Filling,
        then: Callable[[Outcome], None] = lambda _outcome: None,
        otherwise: Callable[[UserError], None] | None = None,
    ) -> None:
        """Write a filling: in memory, or as a job if too large. `names`: of the command, and of its progress."""
        header = Edit(opened.document.image, cause, tool=cause.value, author=self._documents.author)
        if most_bytes(opened.document, work.planes, self._dense_tiles()) > self._documents.largest_edit_bytes:
            self._stream(header, names[1], work, then, otherwise)
        else:
            self.fills.add(names[0], opened, header, work, then, otherwise)

    def _dense_tiles(self) -> dict[int, Iterable[tuple[int, int]]]:
        """Of the plane on screen: where what was seen is more than one object."""
        seen = self._shown.on_screen
        if seen is None:
            return {}
        return {seen.plane: [key for key, tile in seen.tiles.items() if isinstance(tile.labels, Dense)]}

    def _stream(
        self,
        header: Edit,
        text: str,
        work: Filling,
        then: Callable[[Outcome], None],
        otherwise: Callable[[UserError], None] | None,
    ) -> None:
        """Write what is too large for memory as a job, once the edits that are being computed are there."""
        assert header.image is not None
        images = frozenset({header.image})
        outcome = Outcome()

        def written(_edits: int) -> None:
            then(outcome)

        def begin() -> None:
            try:
                write = filling(self._project, header, work, outcome)
                self._documents.write_long(JobKind(header.cause.value), text, write, images, written, otherwise)
            except UserError as error:
                self._notices.say(error.line)

        self._documents.after(begin)

    @property
    def rest(self) -> Rest:
        """What Done makes of unlabelled pixels."""
        return self._rest

    def set_rest(self, rest: Rest) -> None:
        """Decide what Done makes of unlabelled pixels from now on; images that are done stay as they are."""
        writing = self._project.set_setting(REST_SETTING, rest.value)
        self._rest = rest
        writing.add_done_callback(lambda future: self._ground.main.post(lambda: say_refusal(future, self._notices.say)))
        self.restChanged.emit()

    def _count_effort(self, after: Document) -> None:
        project, classes = self._project, self._documents.classes

        def written(future: "Future[None]") -> None:
            self._ground.main.post(lambda: say_refusal(future, self._notices.say))

        def counted(future: "Future[Future[None] | None]") -> None:
            try:
                writing = future.result()
            except UserError as error:
                self._notices.say(error.line)
            else:
                if writing is not None:
                    writing.add_done_callback(written)

        self._shown.worker.submit(lambda: count_effort(project, after, classes), counted)

    # -- ending ------------------------------------------------------------------------------------------------------

    def settle(self, timeout_s: float | None = None) -> bool:
        """Wait for whole-image edits that are being computed, and apply them; whether all ended within the time."""
        return self.fills.settle(timeout_s)

    def cancel_fill(self) -> bool:
        """Stop waiting, and drop whole-image edits that are not applied yet; whether there was something to stop."""
        waited = self.stop_waiting()
        dropped = self.fills.cancel()
        for name in dropped:
            self._notices.say(_("{name} was cancelled; nothing was changed.", name=name))
        return waited or bool(dropped)

    def close(self) -> None:
        """Stop waiting for a proposal; apply what is being computed."""
        self._wait.stop()
        self.fills.settle()
