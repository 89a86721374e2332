"""The owner of what a proposal is used for: accept, done by the project's policy, and the effort that it cost."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from segstudio.app.documents import Documents, OpenDocument
from segstudio.app.fill_edits import (
    Filled,
    accepting,
    corrected,
    finishing,
    frozen_copy,
    is_whole,
    most_bytes,
    streamed,
)
from segstudio.app.filling import Fills
from segstudio.app.jobs import MainThread, say_refusal
from segstudio.app.long_writes import filling
from segstudio.app.navigation import Navigation
from segstudio.app.proposing import Proposals
from segstudio.app.values import Rest
from segstudio.errors import UserError
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, Origin, Status
from segstudio.labels.proposal import Proposal
from segstudio.store.filling import Filling
from segstudio.store.project import Project

__all__ = ["DONE_REST", "Finishing", "rest_of"]

DONE_REST = "done_rest"


class Finishing(QObject):
    """Accepts what is on screen, finishes images; `fills` computes their edits."""

    failed = Signal(str)
    said = Signal(str)

    def __init__(
        self,
        project: Project,
        documents: Documents,
        navigation: Navigation,
        shown: Proposals,
        main: MainThread,
        parent: QObject | None = None,
        rest: Rest | None = None,
    ) -> None:
        """`rest` is the project's policy where it was read before."""
        super().__init__(parent)
        self._project, self._documents, self._navigation = project, documents, navigation
        self._shown, self._main = shown, main
        self.fills = Fills(documents, shown.worker, self)
        self.fills.failed.connect(self.failed)
        self._rest = rest or rest_of(project.setting(DONE_REST))

    def accept(self) -> None:
        """Fill what is unlabelled with the proposal, as one edit."""
        proposal, opened = self._shown.on_screen, self._documents.current
        if self._project.writer is None:
            self.said.emit(self._project.why_read_only)
            return
        if opened is None or proposal is None:
            self.said.emit(self.tr("There is no proposal to accept yet."))
            return
        if self._documents.busy:
            self.said.emit(self._documents.busy)
            return
        self._documents.commit_gesture()
        classes = self._documents.classes
        if most_bytes(opened.document, [proposal.plane], proposal) > self._documents.largest_edit_bytes:
            work = streamed([proposal.plane], lambda _: proposal, Rest.PROPOSAL, classes, Origin.ACCEPTED)
            self._stream(opened, Cause.ACCEPT, self.tr("Accepting"), work, lambda: None)
            return
        compute = accepting(proposal, self._documents.classes, self._documents.author)
        self.fills.add(self.tr("Accept"), opened, compute)

    def mark_done(self, then: Callable[[], None]) -> None:
        """Fill the rest by the project's policy and mark the image done, as one edit; `then` runs after it."""
        opened = self._documents.current
        if self._project.writer is None:
            self.said.emit(self._project.why_read_only)
            return
        if opened is None:
            return
        if self._documents.busy:
            self.said.emit(self._documents.busy)
            return
        self._documents.commit_gesture()
        image, here, seen = opened.document.image, self._navigation.plane, self._shown.on_screen
        proposals, reading = self._project.proposals, self._shown.reading

        def proposal_of(plane: int) -> Proposal | None:
            """What was seen, not what may have been written since; of other planes what is stored."""
            return seen if plane == here and not reading else proposals.read(image, plane)

        rest = self.rest

        def finished(filled: Filled) -> None:
            self._say_done(rest, filled)
            self._count_effort(frozen_copy(opened.document))
            then()

        planes = range(len(opened.document.raster.sizes))
        largest = self._documents.largest_edit_bytes
        if rest is not Rest.UNKNOWN and most_bytes(opened.document, planes, seen) > largest:
            work = streamed(planes, proposal_of, rest, self._documents.classes, Origin.FILLED, Status.DONE)
            short = seen is None or not is_whole(seen, opened.document)
            self._stream(opened, Cause.DONE, self.tr("Finishing"), work, lambda: finished(Filled(None, short)))
            return
        compute = finishing(proposal_of, rest, self._documents.classes, self._documents.author)
        self.fills.add(self.tr("Done"), opened, compute, finished)

    def _stream(self, opened: OpenDocument, cause: Cause, text: str, work: Filling, then: Callable[[], None]) -> None:
        """Write what is too large for memory as a job, once the edits that are being computed are there."""
        image = opened.document.image
        header = Edit(image, cause, tool=cause.value, author=self._documents.author)

        def begin() -> None:
            try:
                write = filling(self._project, header, work)
                self._documents.write_long(cause.value, text, write, frozenset({image}), lambda _: then())
            except UserError as error:
                self.said.emit(error.line)

        self._documents.after(begin)

    @property
    def rest(self) -> Rest:
        """What Done makes of unlabelled pixels."""
        return self._rest

    def set_rest(self, rest: Rest) -> None:
        """Decide what Done makes of unlabelled pixels from now on; images that are done stay as they are."""
        self._rest = rest
        self._project.set_setting(DONE_REST, rest.value).add_done_callback(
            lambda future: self._main.post(lambda: say_refusal(future, self.said.emit))
        )

    def _say_done(self, rest: Rest, filled: Filled) -> None:
        if rest is Rest.BACKGROUND:
            self.said.emit(self.tr("Done: what was unlabelled became background; undo on that image."))
        elif rest is Rest.UNKNOWN:
            self.said.emit(self.tr("Done: what was unlabelled stays unknown."))
        elif filled.short:
            self.said.emit(self.tr("Done, but not all of it was proposed yet: what is unlabelled stays unknown."))
        else:
            self.said.emit(self.tr("Done: what was unlabelled was filled in from the proposal; undo on that image."))

    def _count_effort(self, after: Document) -> None:
        """Keep how much of what was shown first was painted otherwise; from now on nothing counts as shown first."""
        project, classes = self._project, self._documents.classes

        def count() -> None:
            planes = range(len(after.raster.sizes))
            firsts = [first for p in planes if (first := project.proposals.first(after.image, p)) is not None]
            figures = [corrected(after, first, classes) for first in firsts]
            project.proposals.finish(after.image)
            if figures and project.writer is not None:
                project.set_effort(after.image, sum(f[0] for f in figures), sum(f[1] for f in figures)).result()

        self._shown.worker.submit(count, lambda future: say_refusal(future, self.said.emit))

    def settle(self, timeout_s: float | None = None) -> bool:
        """Wait for whole-image edits that are being computed, and apply them; whether all ended within the time."""
        return self.fills.settle(timeout_s)

    def cancel_fill(self) -> bool:
        """Drop whole-image edits that are not applied yet; whether one of them would have changed something."""
        dropped = self.fills.cancel()
        for name in dropped:
            self.said.emit(self.tr("{0} was cancelled; nothing was filled in.").format(name))
        return bool(dropped)

    def close(self) -> None:
        """Apply what is being computed."""
        self.fills.settle()


def rest_of(setting: object) -> Rest:
    """The policy; the proposal's class where none was chosen, or one that only a later version knows."""
    return Rest(setting) if isinstance(setting, str) and setting in list(Rest) else Rest.PROPOSAL
