"""The Session's models: propose, accept, done, fine-tune; and the export of what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.app.session_base import SessionBase
from segstudio.app.values import WAIT_JOB, DoneState, Rest, VersionItem

if TYPE_CHECKING:
    from segstudio.labels.model import ImageId
    from segstudio.labels.proposal import Proposal

__all__ = ["SessionLearning"]


class SessionLearning(SessionBase):
    """Forwards to the owners of proposals, training and export."""

    @property
    def proposal_on_screen(self) -> Proposal | None:
        """What a model draws for the image on screen."""
        return self._opened.proposals.on_screen if self._opened and not self.loading else None

    @property
    def proposal_is_guess(self) -> bool:
        """Whether it comes from the embedded model, before anything was learnt here."""
        return self._opened is not None and self._opened.proposals.is_guess

    @property
    def proposal_stale(self) -> bool:
        """Whether it is older than the strokes that its learner learns from."""
        return self._opened is not None and self._opened.proposals.stale

    @property
    def proposing(self) -> bool:
        """Whether a proposal for the image on screen is on its way."""
        return self._opened is not None and self._opened.proposals.running

    def propose(self) -> None:
        """Ask for a proposal of the image on screen; exactly one `proposalReady` (or `failed`) follows."""
        if self._may_write() and self._opened is not None:
            self._opened.documents.commit_gesture()
            self._opened.proposals.propose()

    def reject_proposal(self) -> None:
        """Show no proposal for the image on screen until one is asked for, also when the project is opened again."""
        if self._may_write() and self._is_shown() and self._opened is not None:
            self._opened.documents.commit_gesture()
            self._opened.proposals.reject()

    def accept_proposal(self) -> None:
        """Fill what is unlabelled with the proposal, as one edit."""
        if self._may_write() and self._is_shown() and self._is_as_labelled() and self._opened is not None:
            self._opened.finishing.accept()

    def mark_done(self, empty: bool = False) -> None:
        """Fill the rest, mark the image done, show the next that is not.

        Waits for a proposal that is coming. Where nothing would be labelled nothing happens, and `done_state` says so,
        until a person confirms with `empty`: then all that is unlabelled becomes background, whatever the setting.
        """
        if not self._may_write() or not self._is_shown() or self._opened is None:
            return
        if empty or self.done_rest is not Rest.PROPOSAL or self._is_as_labelled():
            image = self._opened.navigation.shown
            assert image is not None
            self._opened.finishing.mark_done(lambda: self._after_done(image), empty=empty)

    @property
    def done_state(self) -> DoneState:
        """Whether Done waits for the proposal, or a person has to say that the image is empty."""
        return self._opened.finishing.state if self._opened is not None else DoneState.IDLE

    def withdraw_done(self) -> bool:
        """Ask no longer whether the image is empty; whether that was asked."""
        return self._opened is not None and self._opened.finishing.withdraw()

    def _after_done(self, image: ImageId) -> None:
        if self._opened is None:
            return
        navigation = self._opened.navigation
        navigation.mark_done(image)
        if navigation.shown != image:
            return  # the person has gone on while the rest was being filled in
        following = navigation.next_unfinished()
        if following is None:
            self.said.emit(self.tr("Every image is done."))
        elif following != navigation.index:
            navigation.open(following)

    @property
    def done_rest(self) -> Rest:
        """What Done makes of unlabelled pixels."""
        return self._opened.finishing.rest if self._opened is not None else Rest.PROPOSAL

    def set_done_rest(self, rest: str) -> None:
        """Decide what Done makes of unlabelled pixels from now on: 'proposal', 'background' or 'unknown'."""
        if self._may_write() and self._opened is not None:
            self._opened.finishing.set_rest(Rest(rest))
            self.settingsChanged.emit()

    @property
    def training(self) -> bool:
        """Whether a run is under way."""
        return self._opened is not None and self._opened.training.running

    def fine_tune(self, **options: object) -> None:
        """Train in the background: options are those of `segstudio train` with underscores."""
        if self.training:
            self.said.emit(self.tr("A run is under way already."))
        elif self._may_write() and self._opened is not None:
            self._opened.documents.commit_gesture()
            training = self._opened.training
            self._opened.documents.after(lambda: training.start(**options))

    def stop_training(self) -> None:
        """End the run early; the best so far is compared and kept."""
        if self._opened is not None:
            self._opened.training.stop()

    @property
    def versions(self) -> tuple[VersionItem, ...]:
        """What may propose, newest first; one is current."""
        return self._opened.versions.items() if self._opened is not None else ()

    def use_version(self, name: str) -> None:
        """Let a version propose from now on; proposals are made anew. Raises `UserError` where there is none such."""
        if self._may_write() and self._opened is not None:
            self._opened.versions.use(name)

    def _version_chosen(self) -> None:
        if self._opened is not None:
            self.versionsChanged.emit()
            self._opened.proposals.refresh()

    def _training_finished(self, result: dict[str, object]) -> None:
        if self._opened is not None:
            self._opened.versions.changed()
        self.trainingFinished.emit(result)
        if self._opened is not None:
            self._opened.navigation.follow_run()
            self.versionsChanged.emit()
            self._opened.proposals.refresh()

    def export(self, format: str, out: Path | str, content: str = "labels") -> None:
        """Export in the background: `exportFinished` when every file is in place and read back."""
        if self._opened is None:
            self.wait_for_opening()
        if self._opened is None:
            self.said.emit(self.tr("No project is open."))
            return
        self._opened.documents.commit_gesture()
        exports = self._opened.exports
        self._opened.documents.after(lambda: exports.start(format, Path(out), content))

    def cancel_job(self, job: str, part: int | None = None) -> None:
        """Cancel a long job by its name; `part` names one of several exports, None means all of them."""
        if self._opened is not None and job == "export":
            self._opened.exports.cancel(part)
        elif self._opened is not None and job in ("add", "remove", "look"):
            self._opened.growing.cancel()
        elif self._opened is not None and job == "relink":
            self._opened.relinking.cancel()
        elif self._opened is not None and job == "backup":
            self._opened.backups.cancel()
        elif self._opened is not None and job == WAIT_JOB:
            self._opened.finishing.stop_waiting()
        elif self._opened is not None and job == "propose":
            self._opened.proposals.cancel()
        elif job == "train":
            self.stop_training()
        elif job == "new" and self._creation is not None:
            self._creation.cancel()
        elif self._opened is not None:
            self._opened.documents.long.cancel(job)
