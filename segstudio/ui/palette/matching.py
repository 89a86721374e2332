"""How well a name answers what was typed: letters in their order, better at the beginning of words and side by side.

Pure functions of strings; what is typed counts without case, and each of its words for itself, in any order.
"""

import re
from dataclasses import dataclass

__all__ = ["Pattern", "pattern_of"]

_WHOLE, _BEGINS, _WORD, _WORDS, _INSIDE, _SCATTERED = 1000, 900, 700, 600, 450, 250
_ALSO, _ALSO_LETTERS = 60, 3
_LONG = 200
"""A longer name is a worse answer, up to this many letters: the whole length then no longer matters."""


_STARTS = re.compile(r"(?<![^\W_])[^\W_]")
"""The first letter of each word."""


@dataclass(frozen=True, slots=True)
class _Word:
    """One word that was typed, and what finds its letters in their order.

    Between two letters it skips what is not the second, so that no name, however long, is searched twice.
    """

    text: str
    scattered: re.Pattern[str]

    def score(self, name: str) -> int:
        """How well a name without case has this word; 0 for not at all."""
        at = name.find(self.text)
        if at == 0:
            return _WHOLE if len(name) == len(self.text) else _BEGINS
        if at > 0:
            return _WORD if not name[at - 1].isalnum() else _INSIDE
        found = self.scattered.match(name)
        if found is None:
            return 0
        if self._initials(name):
            return _WORDS
        return max(1, _SCATTERED - 4 * (found.end() - found.start(1) - len(self.text)))

    def places(self, name: str) -> list[int]:
        """The letters of a name without case that answer this word."""
        at = name.find(self.text)
        if at >= 0:
            return list(range(at, at + len(self.text)))
        found = self.scattered.match(name)
        if found is None:
            return []
        return self._initials(name) or [found.start(n) for n in range(1, len(self.text) + 1)]

    def _initials(self, name: str) -> list[int]:
        """Where words of a name begin with the letters of this one, in their order; nothing where not all do."""
        out: list[int] = []
        for start in _STARTS.finditer(name):
            if len(out) < len(self.text) and start[0] == self.text[len(out)]:
                out.append(start.start())
        return out if len(out) == len(self.text) else []


@dataclass(frozen=True, slots=True)
class Pattern:
    """What was typed. Without a word everything answers it equally well."""

    words: tuple[_Word, ...]

    def score(self, name: str, also: str = "") -> int:
        """How well a name answers: 0 for not at all, more is better. `also` is further text, of which a few
        letters are not enough."""
        if not self.words:
            return 1
        name = name.casefold()
        total = 0
        for word in self.words:
            score = word.score(name)
            if score < _ALSO and len(word.text) >= _ALSO_LETTERS and word.text in also.casefold():
                score = _ALSO
            if not score:
                return 0
            total += score
        return max(1, 1000 * total // len(self.words) - min(len(name), _LONG))

    def places(self, name: str) -> frozenset[int]:
        """The letters of a name that answer, for a reader to see why it is there."""
        folded = name.casefold()
        if len(folded) != len(name):  # a letter that becomes two: their places are others then
            return frozenset()
        return frozenset(place for word in self.words for place in word.places(folded))


def pattern_of(typed: str) -> Pattern:
    """The pattern of what was typed."""
    return Pattern(tuple(_word(word) for word in typed.casefold().split()))


def _word(text: str) -> _Word:
    return _Word(text, re.compile("".join(f"[^{re.escape(letter)}]*({re.escape(letter)})" for letter in text)))
