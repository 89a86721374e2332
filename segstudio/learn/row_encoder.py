"""The shipped encoder, fed with the rows of an image from top to bottom: what it has seen it need not see again.

Each block keeps the few rows of its input that the next ones are convolved with. A level's rows come once, some hundred
rows behind the image's, and are those that the whole image gives.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from segstudio.learn.fusing import Convolution

__all__ = ["LEVELS", "RowEncoder", "takes_rows"]

LEVELS = (4, 8, 16, 32)
"""Strides of the levels that come out. That of stride 2 is large, and one convolution away from the image."""

_ENDS = (0, 2, 3, 5, 7)
"""Behind how many of the encoder's stages each level is taken, the one of stride 2 first."""

_FEW_FROM = 3
"""From this stage on few rows come at once."""

Rows = torch.Tensor | None


def takes_rows(net: nn.Module) -> bool:
    """Whether a network has an encoder that can be fed so: EfficientNet-Lite, fused."""
    from segmentation_models_pytorch.encoders.timm_efficientnet import EfficientNetLiteEncoder

    encoder = getattr(net, "encoder", None)
    if not isinstance(encoder, EfficientNetLiteEncoder) or not isinstance(encoder.conv_stem, Convolution):
        return False
    stages = cast(nn.Sequential, encoder.blocks)
    return len(stages) == _ENDS[-1] and all(_known(block) for block in _blocks(stages))


def _blocks(stages: nn.Sequential) -> Iterator[nn.Module]:
    for stage in stages:
        yield from cast(nn.Sequential, stage)


def _known(block: nn.Module) -> bool:
    """Whether a block is convolutions and nothing else, of which one has rows to remember."""
    from timm.models._efficientnet_blocks import DepthwiseSeparableConv, InvertedResidual

    parts = [part for name, part in block.named_children() if type(part) is not nn.Identity and name != "drop_path"]
    sizes = [part.rows for part in parts if isinstance(part, Convolution)]
    if type(block) is DepthwiseSeparableConv:
        return len(sizes) == len(parts) == 2 and sizes[1] == 1
    return type(block) is InvertedResidual and len(sizes) == len(parts) == 3 and sizes[0] == sizes[2] == 1


class RowEncoder:
    """One image, or a strip of its columns, through the encoder."""

    def __init__(self, encoder: nn.Module) -> None:
        stages = cast(nn.Sequential, encoder.blocks)
        self._stem = _Remembering(cast(Convolution, encoder.conv_stem))
        self._stages = [
            [_of_block(block, few=place >= _FEW_FROM) for block in cast(nn.Sequential, stage)]
            for place, stage in enumerate(stages)
        ]

    def feed(self, x: torch.Tensor, *, last: bool) -> list[Rows]:
        """The next rows (1, channels, h, w), h even, to the next rows of each of `LEVELS`; None where there are none
        yet. With the last ones come all that are missing.
        """
        found: Rows = self._stem.feed(x, last=last)
        out: list[Rows] = []
        for begin, end in pairwise(_ENDS):
            for step in (step for stage in self._stages[begin:end] for step in stage):
                found = step.feed(found, last=last)
            out.append(found)
        return out


class _Remembering:
    """A convolution over rows, with what is done to each pixel before it and behind it, and perhaps its input added.

    Where a map is large its rows are kept as they come in: `before` makes them six times as large, and doing that to a
    few of them again is cheaper than to join all. Where few rows come at once (`few`), it is the other way round.
    """

    def __init__(
        self,
        conv: Convolution,
        before: Callable[[torch.Tensor], torch.Tensor] | None = None,
        behind: Callable[[torch.Tensor], torch.Tensor] | None = None,
        *,
        adds: bool = False,
        few: bool = False,
    ) -> None:
        self._conv, self._before, self._behind, self._adds = conv, before, behind, adds
        self._early = before if few else None
        self._late = None if few else before
        self._kept: Rows = None
        self._waiting: Rows = None  # to be added to what comes out
        self._above = conv.padding  # rows of zeros that still lie above what is kept

    def feed(self, x: Rows, *, last: bool) -> Rows:
        if self._adds:
            self._waiting = _joined(self._waiting, x)
        rows = _joined(self._kept, x if x is None or self._early is None else self._early(x))
        if rows is None:
            return None
        conv, above, below = self._conv, self._above, self._conv.padding if last else 0
        n = (above + rows.shape[2] + below - conv.rows) // conv.stride + 1
        if n <= 0:
            self._kept = rows
            return None
        inner = rows if self._late is None else self._late(rows)
        if above or below:
            inner = F.pad(inner, (0, 0, above, below))
        found = conv.within(inner)
        if self._behind is not None:
            found = self._behind(found)
        if self._waiting is not None:
            found += self._waiting[:, :, :n]
            self._waiting = self._waiting[:, :, n:].clone()
        used = n * conv.stride
        self._kept = rows[:, :, max(used - above, 0) :].clone()
        self._above = max(above - used, 0)
        return found


def _joined(kept: Rows, x: Rows) -> Rows:
    if kept is None or x is None:
        return x if kept is None else kept
    return torch.cat([kept, x], 2)


def _of_block(block: nn.Module, *, few: bool) -> _Remembering:
    adds = bool(block.has_skip)
    conv = cast(Convolution, block.conv_dw)
    if hasattr(block, "conv_pwl"):
        return _Remembering(conv, cast(nn.Module, block.conv_pw), cast(nn.Module, block.conv_pwl), adds=adds, few=few)
    return _Remembering(conv, None, cast(nn.Module, block.conv_pw), adds=adds)
