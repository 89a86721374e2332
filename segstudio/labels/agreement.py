"""Where two people's labels of the same pixels agree, as a map. Pure functions of arrays; neither side is the truth.

A pixel is of a class, *unknown* or *ignored* (`metrics.UNKNOWN`, `metrics.IGNORED`). A pixel that only one side knows
is counted as such and is in no other figure: a person who has not looked at it has said nothing about it.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from segstudio.metrics import IGNORED, UNKNOWN

__all__ = ["Verdict", "agreement_map"]


class Verdict(IntEnum):
    """What an agreement map says of a pixel."""

    NOBODY = 0
    AGREE = 1
    DIFFER = 2
    ONLY_A = 3
    ONLY_B = 4
    IGNORED = 5


def agreement_map(a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.uint8]:
    """The `Verdict` of each pixel of two arrays of classes of one shape, as uint8. Raises ValueError for two shapes."""
    if a.shape != b.shape:
        raise ValueError(f"{a.shape} and {b.shape} differ in shape")
    known_a, known_b = a != UNKNOWN, b != UNKNOWN
    verdict = np.where(a == b, np.uint8(Verdict.AGREE), np.uint8(Verdict.DIFFER))
    verdict[~known_b] = Verdict.ONLY_A
    verdict[~known_a] = Verdict.ONLY_B
    verdict[~known_a & ~known_b] = Verdict.NOBODY
    verdict[(a == IGNORED) | (b == IGNORED)] = Verdict.IGNORED
    return verdict
