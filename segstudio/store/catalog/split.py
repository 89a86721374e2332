"""Which groups train and which are held out. Pure rules; `roles` applies them.

The first three groups that get labels train. After that one is held out if none is yet, or if its hash says so (one in
five) and at least three train for each one held out. What comes in as a whole, by import, is decided by that alone. An
image that a person is painting on is never the one: another labelled group that no version has learned from takes the
role, and where there is none it waits, for the next group or for a run to begin.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["LEAST_TRAIN", "Candidate", "Split", "decide", "hash_holds_out", "in_turn", "stand_in"]

LEAST_TRAIN = 3
"""How many groups train before one is held out."""

_TRAIN_FOR_EACH = 3
_ONE_IN = 5


class Split(StrEnum):
    """What a group is used for."""

    TRAIN = "train"
    HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A labelled group that trains and that no version has learned from; `last_edit` is its newest edit's number."""

    id: int
    key: str
    finished: bool
    last_edit: int


def decide(key: str, train: int, held_out: int) -> Split:
    """The split of a group, given how many groups train and how many are held out already."""
    if train < LEAST_TRAIN:
        return Split.TRAIN
    if held_out == 0:
        return Split.HELD_OUT
    if hash_holds_out(key) and train >= _TRAIN_FOR_EACH * (held_out + 1):
        return Split.HELD_OUT
    return Split.TRAIN


def stand_in(candidates: Iterable[Candidate]) -> Candidate | None:
    """Which group is held out in the place of another: a finished one rather than one begun, then by hash, so that
    neither the easiest nor the newest is preferred; None where there is none.
    """
    return min(candidates, key=_preference, default=None)


def in_turn(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates as they would stand in one after another; the next one is the last."""
    return sorted(candidates, key=_preference, reverse=True)


def _preference(candidate: Candidate) -> tuple[bool, int]:
    return not candidate.finished, _hash(candidate.key)


def hash_holds_out(key: str) -> bool:
    """Whether a group's key falls among the one in five that may be held out."""
    return _hash(key) % _ONE_IN == 0


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
