"""Which groups train and which are held out: decided once, when a group first gets labels.

The first three train. After that one is held out if none is yet, or if its hash says so (one in five) and at least
three train for each one held out.
"""

import hashlib
from enum import StrEnum

__all__ = ["Split", "decide", "hash_holds_out"]

_FIRST = 3
_TRAIN_FOR_EACH = 3
_ONE_IN = 5


class Split(StrEnum):
    """What a group is used for."""

    TRAIN = "train"
    HELD_OUT = "held-out"


def decide(key: str, train: int, held_out: int) -> Split:
    """The split of a group, given how many groups train and how many are held out already."""
    if train < _FIRST:
        return Split.TRAIN
    if held_out == 0:
        return Split.HELD_OUT
    if hash_holds_out(key) and train >= _TRAIN_FOR_EACH * (held_out + 1):
        return Split.HELD_OUT
    return Split.TRAIN


def hash_holds_out(key: str) -> bool:
    """Whether a group's key falls among the one in five that may be held out."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % _ONE_IN == 0
