"""The instant learner's network: frozen features of the embedded base and classical filters under a small net.

The first layer of the small net is linear and so commutes with bilinear enlarging: it runs at each scale's own size,
and only its sums are enlarged.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from segstudio.geometry import Rect
from segstudio.learn.instant import filters
from segstudio.learn.instant.keeping import FeatureKeeper
from segstudio.learn.networks import cropped

__all__ = ["STRIDES", "Head", "InstantNetwork", "values_at"]

STRIDES = (1, 2, 4, 8, 16, 32)
"""Of the parts of the features."""

_STRIP = 32


class Head(nn.Module):
    """Two layers on features: what they say with those of what lies around a pixel and what without, averaged.

    `far` holds the first layer's weights of those, the last features; with its bias, what it adds is zero where they
    are as usual. `near` holds its weights of the others.
    """

    def __init__(self, near: nn.Linear, far: nn.Linear, second: nn.Linear) -> None:
        super().__init__()
        self.near, self.far, self.second = near, far, second

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits (n, outputs) of features (n, d)."""
        near, far = features.split([self.near.in_features, self.far.in_features], 1)
        return self.mean(self.near(near), self.far(far))

    def mean(self, near: torch.Tensor, far: torch.Tensor) -> torch.Tensor:
        """Logits (..., outputs) of the mean of both answers, from the two parts of the sums (..., hidden) before the
        hidden units; they are overwritten.
        """
        both = self.second((near + far).relu_()).log_softmax(-1)
        return torch.logaddexp(both, self.second(near.relu_()).log_softmax(-1))


class _Encoder(nn.Module):
    """The encoder's levels, the filters of the same stride behind them; the first is the picture among its filters.

    Computed where the encoder sees, filters need no rim of their own when a window is cut out.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        colours = x[:, :3].contiguous(memory_format=torch.channels_last)
        bank = filters.filter_bank(x)
        levels = self.encoder(colours)
        behind = [torch.cat([level, found], 1) for level, found in zip(levels[1:], bank[1:], strict=False)]
        return [bank[0], *behind, *levels[len(bank) :]]


class InstantNetwork(nn.Module):
    """Pixels (n, channels, h, w), normalised, to logits (n, outputs, h, w); h and w are multiples of 32.

    The encoder sees the first three channels, the filters all of them. With a `keeper`, the features of a picture are
    computed once.
    """

    def __init__(self, base: nn.Module, channels: int, keeper: FeatureKeeper | None = None) -> None:
        super().__init__()
        if channels < 3:
            raise ValueError("the instant learner wants three channels or more; fewer are repeated")
        self.channels = channels
        self.encoder = _Encoder(base.get_submodule("encoder"))
        self.decoder = base.get_submodule("decoder")
        self.head: Head | None = None
        self._keeper = keeper

    def parts(self, levels: list[torch.Tensor]) -> list[torch.Tensor]:
        """Features float16 (n, d, h / s, w / s) at each of `STRIDES`: filters and encoder, at full size with what the
        decoder draws. Half precision always, so that features just computed and those kept are the same.
        """
        pure = list(levels)
        for place, stride in enumerate(filters.STRIDES):
            count = filters.filters_at(self.channels, stride)
            pure[place] = levels[place][:, :-count] if place else levels[0][:, : self.channels]
        full = torch.cat([levels[0], self.decoder(pure).float()], 1)
        return [_half(part) for part in (full, *levels[1:])]

    def features(self, x: torch.Tensor, inner: Sequence[Rect] | None = None) -> list[torch.Tensor]:
        """The parts of pictures, or of a rectangle of each; from the keeper where it has them."""

        def made() -> list[torch.Tensor]:
            levels = self.encoder(x)
            return self.parts(levels if inner is None else cropped(levels, inner))

        return made() if self._keeper is None else self._keeper.get(x, inner, made)

    def encoded(self, parts: Sequence[torch.Tensor]) -> tuple[slice, ...]:
        """Where the encoder's levels lie among the features of a pixel, the coarsest at the end."""
        found, at = [], parts[0].shape[1]
        for stride, part in zip(STRIDES[1:], parts[1:], strict=True):
            behind = filters.filters_at(self.channels, stride) if stride in filters.STRIDES else 0
            found.append(slice(at, at + part.shape[1] - behind))
            at += part.shape[1]
        return tuple(found)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of pictures."""
        return self.scored(self.features(x))

    def window(self, x: torch.Tensor, inner: Sequence[Rect]) -> torch.Tensor:
        """Logits of a rectangle of each picture, all of one size; around it only the encoder and the filters see."""
        return self.scored(self.features(x, inner))

    def draw(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """Logits from the levels of `encoder`, which may have been cropped."""
        return self.scored(self.parts(levels))

    def scored(self, parts: list[torch.Tensor]) -> torch.Tensor:
        """Logits float32 from the parts: the first layer at each scale, its sums enlarged twofold from the coarsest to
        the finest; at full size in strips of some rows, because 64 hidden units are large there.
        """
        head = cast(Head, self.head)
        with torch.autocast(parts[0].device.type, enabled=False):
            weights = head.near.weight.split([part.shape[1] for part in parts[:-1]], 1)
            far, near = _linear(parts[-1], head.far.weight, head.far.bias), None
            for part, weight in zip(parts[-2:0:-1], weights[:0:-1], strict=True):
                here = _linear(part, weight)
                far, near = _twice(far), here if near is None else here + _twice(near)
            assert near is not None
            height, strips = parts[0].shape[2], []
            for top in range(0, height, _STRIP):
                end = min(top + _STRIP, height)
                sums = _linear(parts[0][:, :, top:end], weights[0], head.near.bias)
                sums += _rows_of_twice(near, top, end)
                strips.append(head.mean(sums, _rows_of_twice(far, top, end)))
            return torch.cat(strips, 1).permute(0, 3, 1, 2)


def _half(part: torch.Tensor) -> torch.Tensor:
    """As float16, the channels of a pixel together."""
    return part.to(torch.float16, memory_format=torch.channels_last)


def _linear(part: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """A linear layer at every pixel: (n, d, h, w) to (n, h, w, units)."""
    return F.linear(part.permute(0, 2, 3, 1).float(), weight, bias)


def _twice(values: torch.Tensor) -> torch.Tensor:
    """Values (n, h, w, d) at twice the size, bilinear between the centres of pixels."""
    grown = F.interpolate(values.permute(0, 3, 1, 2), scale_factor=2.0, mode="bilinear", align_corners=False)
    return grown.permute(0, 2, 3, 1)


def _rows_of_twice(values: torch.Tensor, top: int, end: int) -> torch.Tensor:
    """The rows top ... end of `_twice`, both even, without the others."""
    low = max(top // 2 - 1, 0)
    cut = values[:, low : end // 2 + 1]
    return _twice(cut)[:, top - 2 * low : end - 2 * low]


def values_at(parts: Sequence[torch.Tensor], y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Features float32 (n, sum of d) at pixels of full size, enlarged as `scored` enlarges what is made of them.

    `parts` are those of one picture, `y` and `x` int64 (n).
    """
    return torch.cat([_values(part[0], stride, y, x) for part, stride in zip(parts, STRIDES, strict=True)], 1)


def _values(part: torch.Tensor, stride: int, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    pixels = part.permute(1, 2, 0)
    if stride == 1:
        return pixels[y, x].float()
    out = torch.zeros(len(y), part.shape[0], device=part.device)
    for rows, down in _cells(part.shape[1], stride, y):
        for columns, across in _cells(part.shape[2], stride, x):
            out += pixels[rows, columns].float() * (down * across)[:, None]
    return out


def _cells(length: int, stride: int, at: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The cells on an axis that pixels are made from, at most three, each with its weight.

    Enlarging by 2 again and again reaches one cell further than enlarging at once.
    """
    weights = torch.eye(length, device=at.device)[None]
    for _ in range(stride.bit_length() - 1):
        weights = F.interpolate(weights, scale_factor=2.0, mode="linear", align_corners=False)
    shares, cells = weights[0].T[at].topk(min(3, length), 1)
    return list(zip(cells.unbind(1), shares.unbind(1), strict=True))
