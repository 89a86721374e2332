"""Patches whose encoder levels are kept while the encoder stays as it is: most of a step's work is done once a patch.

The images and five levels of a patch of 256 x 256 are 0.9 M numbers, 1.8 MB in half precision: the number of patches
bounds the pool's bytes.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from segstudio.learn.sampling import UNKNOWN, Batch

__all__ = ["Encoded", "Pool"]

_STREAM = 5


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The levels (n, c, h, w) of the encoder for n patches in half precision, the images first, and their labels."""

    levels: list[torch.Tensor]
    labels: torch.Tensor


class Pool:
    """The last patches that entered: a whole batch at step 0, one at every step after it.

    What is in it, and what a step draws from it, follow from the steps alone. `draw(step, n)` gives n patches of a
    step, `encode(batch, step)` their levels.
    """

    def __init__(
        self, patches: int, batch: int, draw: Callable[[int, int], Batch], encode: Callable[[Batch, int], Encoded]
    ) -> None:
        self._batch = batch
        self._draw = draw
        self._encode = encode
        self._kept: deque[Encoded] = deque(maxlen=max(patches, batch))
        self._next = 0

    def filled(self, step: int) -> Iterator[None]:
        """Enter again what had entered before this step, where a run goes on; yields after each."""
        if self._next == step:
            return
        self._kept.clear()
        for before in range(max(step - (self._kept.maxlen or 0), 0), step):
            self._enter(before)
            yield

    def batch(self, step: int, seed: int) -> Encoded:
        """What a step learns from: the newest patches and others by chance, each once."""
        newest = self._enter(step)
        others = len(self._kept) - newest
        rng = np.random.default_rng((seed, step, _STREAM))
        chosen = rng.choice(others, min(self._batch - newest, others), replace=False).tolist() if others else []
        drawn = [self._kept[i] for i in (*chosen, *range(others, len(self._kept)))]
        levels = [torch.cat(level) for level in zip(*(one.levels for one in drawn), strict=True)]
        return Encoded(levels, torch.cat([one.labels for one in drawn]))

    def _enter(self, step: int) -> int:
        """The patches of a step come in, the oldest go; returns how many came. One that is not finite teaches
        nothing.
        """
        count = self._batch if step == 0 else 1
        found = self._encode(self._draw(step, count), step)
        for place in range(count):
            levels = [level[place : place + 1].clone() for level in found.levels]
            labels = found.labels[place : place + 1]
            if not all(bool(torch.isfinite(level).all()) for level in levels):
                levels, labels = [torch.zeros_like(level) for level in levels], torch.full_like(labels, UNKNOWN)
            self._kept.append(Encoded(levels, labels))
        self._next = step + 1
        return count
