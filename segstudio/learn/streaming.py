"""A strip of a plane's columns from top to bottom through a network whose encoder takes rows: nothing is encoded twice.

The encoder's levels wait until the deepest of them has come far enough; then the decoder draws some rows, a window at a
time, from the levels of a little more than that. Memory grows with the width of the strip, not with its height.
"""

from collections.abc import Callable, Iterator
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from segstudio.geometry import Rect
from segstudio.learn.fusing import Convolution, Enlarging
from segstudio.learn.networks import Wrapping
from segstudio.learn.row_encoder import LEVELS, RowEncoder, Rows, takes_rows

__all__ = ["REACH_PX", "can_stream", "streamed"]

REACH_PX = 64
"""How far the decoder sees: two pixels of the deepest level."""

_REACH = 2
_FED_ROWS = 96
_ROOM_ROWS = 1024
"""Of the image: how far the deepest level lies behind, and what is drawn at once and around that."""

_DRAWN_ROWS = 256


def can_stream(net: nn.Module) -> bool:
    """Whether a network is the shipped kind, fused: an encoder that takes rows, and the decoder of a U-Net."""
    inner = net.net if isinstance(net, Wrapping) else net
    decoder = getattr(inner, "decoder", None)
    blocks = list(getattr(decoder, "blocks", []))
    return (
        takes_rows(inner)
        and len(blocks) == len(LEVELS) + 1
        and all(isinstance(block, Enlarging) for block in blocks)
        and isinstance(getattr(decoder, "center", None), nn.Identity)
    )


def streamed(
    net: nn.Module,
    read: Callable[[Rect], torch.Tensor],
    seen: Rect,
    drawn: Rect,
    columns: int,
    wanted: Callable[[Rect], bool],
) -> Iterator[tuple[Rect, torch.Tensor | None]]:
    """Logits (1, outputs, h, w) of the parts of `drawn` that are wanted, row by row from left to right and at most
    `columns` wide; None with the rectangle of what was only encoded.

    Rectangles are in network pixels, `seen` and `drawn` in whole strides of the encoder; `seen` holds `drawn` and the
    context. `read` gives the network's input for one. The network is one that `can_stream`.
    """
    inner = net.net if isinstance(net, Wrapping) else net
    strip = _Strip(inner, seen)
    top, columns = drawn.y, _even(drawn.w, columns)
    for y in range(seen.y, seen.bottom, _FED_ROWS):
        fed = Rect(seen.x, y, seen.w, min(_FED_ROWS, seen.bottom - y))
        strip.feed(read(fed), last=fed.bottom == seen.bottom)
        yield fed, None
        while top < drawn.bottom:
            bottom = min(top + _DRAWN_ROWS, drawn.bottom)
            if strip.bottom < min(bottom + REACH_PX, seen.bottom):
                break
            for x in range(drawn.x, drawn.right, columns):
                part = Rect(x, top, min(columns, drawn.right - x), bottom - top)
                if wanted(part):
                    logits = strip.drawn(part)
                    yield part, net.changed(logits) if isinstance(net, Wrapping) else logits
            top = bottom
            strip.forget(top - REACH_PX)


def _even(length: int, most: int) -> int:
    """The length of parts, in whole strides, where as few as possible of at most so much are about as long."""
    unit = LEVELS[-1]
    return -(-length // (-(-length // most) * unit)) * unit


class _Strip:
    """What has been seen of some columns and may still be needed."""

    def __init__(self, net: nn.Module, seen: Rect) -> None:
        self._encoder = cast(nn.Module, net.encoder)
        self._stem = cast(Convolution, self._encoder.conv_stem)
        self._decoder = cast(nn.Module, net.decoder)
        self._head = cast(nn.Module, net.segmentation_head)
        self._seen, self._rows = seen, RowEncoder(self._encoder)
        self._image = _Level(1, seen)
        self._levels = {stride: _Level(stride, seen) for stride in LEVELS}

    @property
    def bottom(self) -> int:
        """Down to where every level has come."""
        return min(level.bottom for level in self._levels.values())

    @torch.inference_mode()
    def feed(self, x: torch.Tensor, *, last: bool) -> None:
        """Encode the next rows."""
        x = x.to(self._stem.weight.dtype)
        self._image.add(x)
        for level, found in zip(self._levels.values(), self._rows.feed(x, last=last), strict=True):
            level.add(found)

    def forget(self, y: int) -> None:
        """Drop what lies above a row of network pixels."""
        for level in (self._image, *self._levels.values()):
            level.forget(y)

    @torch.inference_mode()
    def drawn(self, part: Rect) -> torch.Tensor:
        """Logits of a part. Of each map the decoder gets as much as reaches the part, two pixels around it."""
        stride = LEVELS[-1]
        around = self._around(part, stride)
        x = self._levels[stride].cut(around)
        for block in list(self._decoder.blocks):  # type: ignore[arg-type]
            near = self._around(part, stride)
            x = _inner(x, around, near, stride)
            around, stride = near, stride // 2
            x = block(x, 0, 0, skip_connection=self._beside(around, stride))
        return _inner(self._head(x), around, part, 1)

    def _around(self, part: Rect, stride: int) -> Rect:
        reach = _REACH * stride
        grown = Rect.of_edges(part.x - reach, part.y - reach, part.right + reach, part.bottom + reach)
        return grown.intersected(self._seen)

    def _beside(self, rect: Rect, stride: int) -> torch.Tensor | None:
        if stride == 1:
            return None
        return self._stemmed(rect) if stride == 2 else self._levels[stride].cut(rect)

    def _stemmed(self, rect: Rect) -> torch.Tensor:
        """The level of stride 2 is made again: kept, it would take three times as much as all others."""
        seen = self._seen
        above, left = int(rect.y > seen.y), int(rect.x > seen.x)
        image = self._image.cut(Rect(rect.x - left, rect.y - above, rect.w + left, rect.h + above))
        return self._stem.inside(F.pad(image, (1 - left, 0, 1 - above, 0)))


def _inner(x: torch.Tensor, around: Rect, part: Rect, stride: int) -> torch.Tensor:
    """The part of a map of `around` that belongs to a smaller rectangle."""
    y, x0 = (part.y - around.y) // stride, (part.x - around.x) // stride
    return x[:, :, y : y + part.h // stride, x0 : x0 + part.w // stride]


class _Level:
    """The rows of one level that may still be needed, in one piece of memory: small ones would scatter the rest."""

    def __init__(self, stride: int, seen: Rect) -> None:
        self._stride, self._left, self._top = stride, seen.x, seen.y
        self._room = min(seen.h, _ROOM_ROWS) // stride
        self._held: torch.Tensor | None = None
        self._begin = self._end = 0  # of what is needed, in rows of `_held`

    @property
    def top(self) -> int:
        """The first row of network pixels that is there."""
        return self._top

    @property
    def bottom(self) -> int:
        """The row of network pixels behind the last that is there."""
        return self._top + (self._end - self._begin) * self._stride

    def add(self, rows: Rows) -> None:
        """Put rows below those that are there."""
        if rows is not None:
            held = self._with_room(rows)
            held[:, :, self._end : self._end + rows.shape[2]] = rows
            self._end += rows.shape[2]

    def forget(self, y: int) -> None:
        """Drop what lies above a row of network pixels."""
        gone = min(max((y - self._top) // self._stride, 0), self._end - self._begin)
        self._begin += gone
        self._top += gone * self._stride

    def cut(self, rect: Rect) -> torch.Tensor:
        """The level's part of a rectangle."""
        assert self._held is not None
        low, high = (self._begin + (y - self._top) // self._stride for y in (rect.y, rect.bottom))
        left, right = ((x - self._left) // self._stride for x in (rect.x, rect.right))
        return self._held[:, :, low:high, left:right]

    def _with_room(self, rows: torch.Tensor) -> torch.Tensor:
        """What is held, with room for these rows at the end: moved up, or in a larger piece."""
        live, held = self._end - self._begin, self._held
        if held is None or live + rows.shape[2] > held.shape[2]:
            self._room = max(self._room, live + rows.shape[2])
            n, channels, _height, width = rows.shape
            found = torch.empty((n, channels, self._room, width), dtype=rows.dtype, memory_format=torch.channels_last)
            if held is not None:
                found[:, :, :live] = held[:, :, self._begin : self._end]
            self._held = held = found
        elif self._end + rows.shape[2] > held.shape[2]:
            for y in range(0, live, self._begin):  # no part upon itself
                end = min(y + self._begin, live)
                held[:, :, y:end] = held[:, :, self._begin + y : self._begin + end]
        else:
            return held
        self._begin, self._end = 0, live
        return held
