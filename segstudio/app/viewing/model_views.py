"""How the model's work is looked at: its proposal, how sure it is, or what it would change; and compared with what."""

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.learning.versions import Versions
from segstudio.app.values import LABELS, ModelView
from segstudio.app.viewing.compared import Compared
from segstudio.app.viewing.proposals import Proposals
from segstudio.labels.proposal import Proposal
from segstudio.labels.proposal_views import ConfidenceTiles, DifferenceTiles, LabelledClasses, ProposedClasses

__all__ = ["ModelViews"]


_TURN_MS = 500
"""Two turns a second at most: slower than what can harm people who are sensitive to flashes (three a second)."""


class ModelViews(QObject):
    """`view` is what is drawn; `changed`: that, or what it is made from, is another.

    `against` is what differences are taken from, and what `flipped` shows in the proposal's place: `LABELS`, or the
    name of a version. Until a person chooses, it is the version that the current one learned from, else the labels.
    """

    changed = Signal()

    def __init__(
        self,
        documents: Documents,
        proposals: Proposals,
        versions: Versions,
        compared: Compared,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._documents, self._proposals = documents, proposals
        self._versions, self._compared = versions, compared
        self._view, self._flipped, self._chosen = ModelView.CLASSES, False, ""
        self._turns = QTimer(self)
        self._turns.setInterval(_TURN_MS)
        self._turns.timeout.connect(lambda: self.flip(not self._flipped))
        self._made: tuple[tuple[object, ...], ConfidenceTiles | DifferenceTiles] | None = None
        proposals.proposalChanged.connect(self.changed)
        compared.changed.connect(self.changed)
        versions.changed.connect(self._versions_changed)

    # -- what a person chooses -----------------------------------------------------------------------------------------

    @property
    def view(self) -> ModelView:
        """What is drawn of the proposal."""
        return self._view

    def show(self, view: ModelView) -> None:
        """Draw this from now on, on every image."""
        if view is not self._view:
            self._view = view
            self._follow()

    @property
    def flipped(self) -> bool:
        """Whether what it is compared with is shown in the proposal's place."""
        return self._flipped

    def flip(self, flipped: bool) -> None:
        """Show what it is compared with in the proposal's place, or the proposal again."""
        if flipped != self._flipped:
            self._flipped = flipped
            self._follow()

    @property
    def blinking(self) -> bool:
        """Whether the two are shown in turns."""
        return self._turns.isActive()

    def blink(self, on: bool) -> None:
        """Show the two in turns, or the proposal alone again."""
        if on:
            self._turns.start()
        else:
            self._turns.stop()
        self._flipped = on
        self._follow()

    @property
    def choices(self) -> tuple[str, ...]:
        """What a proposal can be compared with: the labels, and every version but the one that proposes."""
        return (LABELS, *(item.name for item in self._versions.items() if item.has_weights and not item.current))

    @property
    def against(self) -> str:
        """What it is compared with."""
        choices = self.choices
        if self._chosen in choices:
            return self._chosen
        parent = next((item.parent for item in self._versions.items() if item.current), "")
        return parent if parent in choices else LABELS

    def compare_with(self, name: str) -> None:
        """Compare with the labels or with a version from now on."""
        if name != self._chosen:
            self._chosen = name
            self._follow()

    # -- what is drawn -------------------------------------------------------------------------------------------------

    @property
    def coming(self) -> bool:
        """Whether what it is compared with is on its way."""
        return self._compared.coming

    @property
    def proposal(self) -> Proposal | None:
        """The proposal to be drawn by classes, also until what it is compared with is there; None where another view is
        drawn in its place."""
        seen, other = self._proposals.seen, self._compared.proposal
        if self._flipped:
            return None if self.against == LABELS else other or seen
        return seen if self._view is ModelView.CLASSES or self.tiles is None else None

    @property
    def tiles(self) -> ConfidenceTiles | DifferenceTiles | None:
        """What is drawn in the proposal's place; the same object until it is made from something else."""
        key = self._key()
        if key is None:
            self._made = None
        elif self._made is None or self._made[0] != key:
            self._made = key, self._make()
        return None if self._made is None else self._made[1]

    def _key(self) -> tuple[object, ...] | None:
        """What the tiles are made from; None where there are none."""
        seen, opened = self._proposals.seen, self._documents.current
        if self._flipped or self._view is ModelView.CLASSES or seen is None or opened is None:
            return None
        if self._view is ModelView.CONFIDENCE:
            return self._view, seen
        other = opened.document if self.against == LABELS else self._compared.proposal
        return None if other is None else (self._view, seen, other, self._documents.classes)

    def _make(self) -> ConfidenceTiles | DifferenceTiles:
        seen, opened, classes = self._proposals.seen, self._documents.current, self._documents.classes
        assert seen is not None
        assert opened is not None
        if self._view is ModelView.CONFIDENCE:
            return ConfidenceTiles(seen)
        other = self._compared.proposal
        if self.against == LABELS or other is None:
            before = LabelledClasses(opened.document, seen.plane, classes)
        else:
            before = ProposedClasses(other, classes)
        return DifferenceTiles(ProposedClasses(seen, classes), before, classes)

    # -- what it depends on --------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Ask for the other version where it is looked at, and say that something else is drawn."""
        needed = self._flipped or self._view is ModelView.DIFFERENCE
        against = self.against
        self._compared.want(against if needed and against != LABELS else "")
        self.changed.emit()

    def _versions_changed(self) -> None:
        if self._flipped or self._view is ModelView.DIFFERENCE:
            self._follow()
