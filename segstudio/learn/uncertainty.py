"""How unsure a model is of pixels, by four measures, each 0 (sure) to 1.

- `confidence`: one minus the probability of the likeliest class (least confidence; Lewis and Gale 1994), which with n
  classes is at most 1 - 1 / n. This is what the confidence stored with a proposal says.
- `margin`: one minus the difference between the two likeliest (Scheffer et al. 2001): high where two are level.
- `entropy`: that of all probabilities over the logarithm of their number (Shannon 1948): high where many are level.
- `flips`: how far what is said of the picture and of its mirror image lie apart, half the sum of the differences of the
  probabilities (total variation): high where the answer rests on chance. Consistency under such changes finds errors
  that a model is sure of (Gao et al., Consistency-Based Semi-Supervised Active Learning, 2020).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from segstudio.learn.data import Dataset, PlaneEntry
from segstudio.learn.model import Model
from segstudio.learn.predict import TileProbabilities, predict_tiles
from segstudio.runs import Measure

__all__ = ["uncertain_tiles", "uncertainty"]

Place = tuple[int, int]


def uncertainty(
    measure: Measure, values: NDArray[np.float32], mirrored: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Uncertainty (h, w) of probabilities (outputs, h, w). `flips` needs those of the mirror image, turned back; a
    model of one output is sure of everything but them.
    """
    if measure == "flips":
        if mirrored is None:
            raise ValueError("the disagreement of flips needs the mirror image")
        return np.abs(values - mirrored).sum(0) / np.float32(2)
    if len(values) < 2:
        return np.zeros(values.shape[1:], np.float32)
    if measure == "entropy":
        logs = np.log(np.maximum(values, np.finfo(np.float32).tiny))
        return np.clip(-(values * logs).sum(0) / np.float32(np.log(len(values))), 0, 1)
    if measure == "margin":
        second, best = np.partition(values, -2, 0)[-2:]
        return 1 - (best - second)
    return 1 - values.max(0)


def uncertain_tiles(
    model: Model, data: Dataset, entry: PlaneEntry, measure: Measure
) -> Iterator[tuple[Place, NDArray[np.float32]] | None]:
    """The place (ty, tx) of each tile of a plane and the uncertainty (h, w) of its pixels within the plane; None
    between windows. Raises as `predict_tiles`.
    """
    if measure != "flips":
        for found in predict_tiles(model, data, entry):
            yield None if found is None else ((found.ty, found.tx), uncertainty(measure, found.values))
        return
    waiting: dict[Place, TileProbabilities] = {}
    both = (predict_tiles(model, data, entry), predict_tiles(model, data, entry, mirrored=True))
    for plain, mean in _in_turns(*both):
        for found, twice in ((plain, False), (mean, True)):
            if found is None:
                continue
            other = waiting.pop((found.ty, found.tx), None)
            if other is None:
                waiting[found.ty, found.tx] = found
                continue
            own, of_both = (other, found) if twice else (found, other)
            # The mean of both is what `predict_tiles` gives: the mirror image's own is as far beyond it.
            apart = uncertainty("flips", own.values, 2 * of_both.values - own.values)
            yield (found.ty, found.tx), np.clip(apart, 0, 1)
        yield None


def _in_turns(
    one: Iterator[TileProbabilities | None], other: Iterator[TileProbabilities | None]
) -> Iterator[tuple[TileProbabilities | None, TileProbabilities | None]]:
    """A step of each, until both have ended."""
    ended = object()
    while True:
        a, b = next(one, ended), next(other, ended)
        if a is ended and b is ended:
            return
        yield (
            a if isinstance(a, TileProbabilities) else None,
            b if isinstance(b, TileProbabilities) else None,
        )
