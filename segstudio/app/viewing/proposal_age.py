"""How old a proposal is, and whether its learner is quick enough to be fitted again in a pause of painting."""

from collections.abc import Sequence

from segstudio.app.editing.edit_cache import RecentEdits
from segstudio.app.values import Changed
from segstudio.runs import INSTANT
from segstudio.tasks.learning.predict import PredictReport

__all__ = ["ProposalAge"]

_QUICK_S = 3.0
_LARGEST_PX = 1024 * 1024

Sizes = Sequence[tuple[int, int]]


class ProposalAge:
    """`edits` is how many edits what is on screen knows, `newest` the last from which something can be learned; beside
    these, how long the instant learner took for planes of each size.
    """

    def __init__(self) -> None:
        self.edits = self.newest = 0
        self._fit_s = 0.0
        self._took_s: dict[tuple[tuple[int, int], ...], float] = {}

    def note(self, change: Changed, recent: RecentEdits) -> None:
        """Note an edit, if something can be learned from it."""
        if change.seq is not None:
            edit = recent.get(change.seq)
            if edit is None or edit.relabels:
                self.newest = max(self.newest, change.seq)

    def measured(self, planes: Sizes, report: PredictReport) -> None:
        """Keep how long the instant learner took for an image: its fit, also one made for another, and the rest."""
        if report.version == INSTANT:
            self._fit_s = report.fit_s or self._fit_s
            seconds = report.seconds
            self._took_s[tuple(planes)] = self._fit_s + seconds.decode + seconds.network + seconds.writing

    def is_quick(self, planes: Sizes) -> bool:
        """Whether it took under 3 s the last time, for an image of this size and of at most 1024 x 1024 pixels."""
        small = sum(width * height for width, height in planes) <= _LARGEST_PX
        return small and self._took_s.get(tuple(planes), _QUICK_S) < _QUICK_S
