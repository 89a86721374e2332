"""The search behind the palette: a part at a time, so that no number of images makes a key wait. No widgets."""

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from segstudio.ui.palette.matching import Pattern
from segstudio.ui.palette.sources import Source

__all__ = ["Hit", "Search"]

_AT_ONCE = 64
_KEPT = 2_000
_RECENT_BONUS = 130_000
"""What was used last goes before an answer that is a little better."""


class Hit(NamedTuple):
    """A row that answers: in order, the best answers come first, equal ones as they are listed."""

    cost: int
    source: int
    i: int


class Search:
    """Looks through all rows of `sources`; `recent` are ids, newest first. At most `limit` hits are kept."""

    def __init__(self, sources: Sequence[Source], pattern: Pattern, recent: Sequence[str], limit: int) -> None:
        self._pattern, self._limit = pattern, limit
        self._recent = {id_: len(recent) - n for n, id_ in enumerate(recent)}
        self._hits: list[Hit] = []
        self._found = self._look(sources)
        self.ended = False

    def step(self, budget_s: float | None = None) -> None:
        """Look on for about this long; without a budget until the end."""
        until = None if budget_s is None else time.perf_counter() + budget_s
        for _part in self._found:
            if until is not None and time.perf_counter() >= until:
                return
        self.ended = True

    def best(self) -> list[Hit]:
        """The best hits so far."""
        self._hits.sort()
        del self._hits[self._limit :]
        return list(self._hits)

    def _look(self, sources: Sequence[Source]) -> Iterator[None]:
        """Yields after every few rows."""
        score, recent, asked = self._pattern.score, self._recent, bool(self._pattern.words)
        worst = 0  # a row that answers no better than what is kept already is none: most of 100,000 equal ones
        for number, source in enumerate(sources):
            if not asked and not source.lists_unasked:
                continue
            for begin in range(0, len(source), _AT_ONCE):
                for i in range(begin, min(begin + _AT_ONCE, len(source))):
                    points = score(source.name(i), source.also(i))
                    if points:
                        rank = recent.get(source.id(i), 0) if recent else 0
                        cost = -points - (_RECENT_BONUS + rank if rank else 0)
                        if cost < worst:
                            self._hits.append(Hit(cost, number, i))
                if len(self._hits) > _KEPT:
                    worst = self.best()[-1].cost
                yield
