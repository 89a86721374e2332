"""Features of pictures, kept since they were computed, so that a refit and the picture on screen need no encoder.

They are kept by the very pixels that they were made from: a changed file, another scale or other levels are other
pixels, so nothing kept is ever out of date.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

from segstudio.geometry import Rect

__all__ = ["KEPT_BYTES", "FeatureKeeper"]

KEPT_BYTES = 512 << 20
"""Some five million pixels of three channels, at 103 bytes a pixel."""

Key = tuple[bytes, tuple[int, ...], str, tuple[Rect, ...]]


class FeatureKeeper:
    """Features within a budget of bytes. What was only looked at goes first, then what was learned from, in both the
    least recently used before the others. A window of a plane that is too large for one is kept only if it is learned
    from: so predicting a large plane takes no more memory than a small one.
    """

    def __init__(self, budget_bytes: int = KEPT_BYTES) -> None:
        self.used_bytes = 0
        self._budget = budget_bytes
        self._learned: OrderedDict[Key, list[torch.Tensor]] = OrderedDict()
        self._seen: OrderedDict[Key, list[torch.Tensor]] = OrderedDict()
        self._learning = False

    @contextmanager
    def learning(self) -> Iterator[None]:
        """What is asked for meanwhile is learned from."""
        self._learning = True
        try:
            yield
        finally:
            self._learning = False

    def get(
        self, x: torch.Tensor, inner: Sequence[Rect] | None, made: Callable[[], list[torch.Tensor]]
    ) -> list[torch.Tensor]:
        """The features of pictures (n, c, h, w) or of a rectangle of each, `made` now if they are not kept."""
        key = _key(x, inner)
        learned = self._learning or key in self._learned
        parts = self._learned.pop(key, None) or self._seen.pop(key, None)
        if parts is None:
            parts = made()
            if inner is not None and not learned:
                return parts
            self.used_bytes += _bytes(parts)
        (self._learned if learned else self._seen)[key] = parts
        while self.used_bytes > self._budget:
            _, gone = (self._seen or self._learned).popitem(last=False)
            self.used_bytes -= _bytes(gone)
        return parts


def _key(x: torch.Tensor, inner: Sequence[Rect] | None) -> Key:
    pixels = x.detach().float().contiguous().cpu().numpy()
    digest = hashlib.blake2b(pixels.data, digest_size=16).digest()
    return digest, tuple(x.shape), str(x.device), tuple(inner or ())


def _bytes(parts: Sequence[torch.Tensor]) -> int:
    return sum(part.numel() * part.element_size() for part in parts)
