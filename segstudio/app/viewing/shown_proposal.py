"""The proposal on screen: read and decoded away from the GUI thread, and what a person has decided about it."""

from collections.abc import Callable
from concurrent.futures import Future

from PySide6.QtCore import QObject, QTimer

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import refusal, say_refusal
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.stored_proposals import Learnt, Look, Stored, StoredProposals
from segstudio.errors import UserError
from segstudio.labels.model import ImageId
from segstudio.labels.proposal import Proposal
from segstudio.runs import EMBEDDED, FROM_PEOPLE, INSTANT
from segstudio.tasks.labels.accept import is_whole

__all__ = ["ShownProposal"]

_GESTURE_POLL_MS = 50

Came = Callable[[Look, "Future[Stored]"], None]


class ShownProposal(QObject):
    """`proposal` is that of the image and plane on screen, if there is one; `rejected`: a person wants none.

    While `reading`, what is stored for it is on its way. `learnt` is what one asked for now would come from.
    """

    def __init__(
        self,
        ground: Ground,
        documents: Documents,
        navigation: Navigation,
        is_awaited: Callable[[int], bool],
        came: Came,
        parent: QObject,
    ) -> None:
        """`is_awaited` says whether the request of this number is; `came` gets what was read, to `take` it."""
        super().__init__(parent)
        self._project, self._notices = ground.project, ground.notices
        self._documents, self._navigation = documents, navigation
        self._stored = StoredProposals(ground.project, ground.main)
        self._is_awaited, self._came = is_awaited, came
        self._opening: tuple[Look, Future[Stored]] | None = None
        self.proposal: Proposal | None = None
        self.reading = self.rejected = False
        self.learnt = Learnt()

    # -- what is on screen -------------------------------------------------------------------------------------------

    @property
    def is_guess(self) -> bool:
        """Whether it comes from the embedded model, before anything was learnt here."""
        return self.proposal is not None and self.proposal.version == EMBEDDED

    @property
    def is_instant(self) -> bool:
        """Whether it comes from the instant learner."""
        return self.proposal is not None and self.proposal.version == INSTANT

    @property
    def decided(self) -> bool:
        """Whether a person decided what is to be seen here."""
        return self.rejected or (self.proposal is not None and self.proposal.version in FROM_PEOPLE)

    @property
    def whole(self) -> Proposal | None:
        """The proposal where it is one for the whole image."""
        opened, proposal = self._documents.current, self.proposal
        if proposal is None or opened is None or not is_whole(proposal, opened.document):
            return None
        return proposal

    @property
    def may_be_better(self) -> bool:
        """Whether a better one may be had: none yet, a part, an older version's, or a learner refitted since."""
        if self.proposal is None or self.is_instant or self.whole is None:
            return True
        if self.learnt.version is not None:
            return self.proposal.version != self.learnt.version
        return self.learnt.two_classes or self.proposal.version != EMBEDDED

    # -- reading it ----------------------------------------------------------------------------------------------------

    def read_ahead(self) -> None:
        """Read what is stored for the image asked for, while its pixels are decoded."""
        look = Look(self._navigation.rows[self._navigation.index].id, self._navigation.plane)
        if self._opening is not None:
            self._opening[1].cancel()
        self._opening = (look, self._stored.read(look))

    def forget(self) -> None:
        """Show none, and drop what was read ahead."""
        self._opening = self.proposal = None

    def clear(self) -> "tuple[Look, Future[Stored]] | None":
        """Another image is shown: begin with nothing. What was read ahead for it, for `show`."""
        opening = self._opening
        self.forget()
        self.reading = self.rejected = False
        return opening

    def show(self, look: Look, future: "Future[Stored]") -> bool:
        """Show what was read ahead; whether that was there already."""
        self.reading = True
        if future.done():
            self._looked(look, future)
            return True
        self._stored.when_read(future, lambda future: self._looked(look, future))
        return False

    def look(self, look: Look) -> None:
        """Read what is stored now."""
        self._stored.when_read(self._stored.read(look), lambda future: self._looked(look, future))

    def _looked(self, look: Look, future: "Future[Stored]") -> None:
        """Pass on what was read, unless another image is on screen, or a new one was asked for."""
        if (look.image, look.plane) != (self._navigation.shown, self._navigation.plane):
            return
        if not self._is_awaited(look.request) if look.request else self.rejected:
            return
        if self._documents.gesture_active:
            # A proposal does not change under a stroke that has begun.
            QTimer.singleShot(_GESTURE_POLL_MS, self, lambda: self._looked(look, future))
            return
        self._came(look, future)

    def take(self, look: Look, future: "Future[Stored]") -> UserError | None:
        """Show what was read; why not, where it could not be read."""
        self.reading = False
        if (error := refusal(future)) is not None:
            return error
        stored, before = future.result(), self.proposal
        self.learnt = stored.learnt
        if not look.request:
            self.rejected = stored.rejected
        if before is None or (stored.proposal is not None and stored.proposal.number >= before.number):
            self.proposal = stored.proposal
        return None

    def learn(self, then: Callable[[], None]) -> None:
        """Read what a proposal would come from; `then` where that was possible, else it is said."""

        def read(future: "Future[Learnt]") -> None:
            if (error := refusal(future)) is not None:
                self._notices.say(error.line)
                return
            self.learnt = future.result()
            then()

        self._stored.read_learnt(read)

    # -- writing -------------------------------------------------------------------------------------------------------

    def reject(self, image: ImageId, plane: int, after: Callable[[], None]) -> None:
        """Note that a person wants none, once `after` has returned."""
        self._stored.reject(image, plane, after, self._noted)

    def delete(self, image: ImageId) -> None:
        """Delete what was proposed for an image, but what a person imported."""
        proposals = self._project.proposals
        self._stored.worker.submit(lambda: proposals.forget(image, FROM_PEOPLE), self._noted)

    def _noted(self, future: "Future[None]") -> None:
        say_refusal(future, self._notices.say)

    def close(self, wait_s: float | None = None) -> None:
        """End the worker."""
        self._stored.worker.close(wait_s)
