"""Image, labels and proposal resampled to device pixels. Pure functions of arrays; a pixel is the same in whatever
rectangle it is drawn, so that strips and patches meet without a seam.

Enlarged, a device pixel shows the image pixel that contains its centre: pixels have crisp edges, and labels lie exactly
on them. Reduced, the image is averaged (box-filtered levels, bilinear between), and no label is skipped: a device pixel
shows the highest mark of the cells it covers. (If the image ends within the first half of a device pixel, that pixel
shows the ground.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, log2
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect, ViewTransform
from segstudio.imaging.display import View, colours, is_plain, picked
from segstudio.imaging.outside_map import OutsideMap
from segstudio.imaging.pyramid import resizable
from segstudio.labels.tiles.overview import FACTOR, LEVELS, Marks, reduced
from segstudio.ui.canvas.palette import Ink

__all__ = [
    "Grid",
    "Pixels",
    "Seen",
    "coloured",
    "compose_codes",
    "cut",
    "edges",
    "enlarged",
    "grid_of",
    "ground",
    "inked",
    "laid_out",
    "marks_in_view",
    "marks_seen",
    "resampled",
]

Index = NDArray[np.intp]
ReadMarks = Callable[[int, Rect], Marks]
Seen = tuple[Rect, Marks]
"""Device pixels, and their marks (h, w)."""

_STRIPE_PX = 4
_SMALL_PX = 100_000
"""Fewer pixels are drawn sooner than it is found where among them something is marked."""
_CHANNELS_AT_ONCE = 4
"""The most channels that OpenCV resamples in one call."""
_Pixel = TypeVar("_Pixel", bound=np.unsignedinteger)


class Pixels(Protocol):
    """The image: samples by level (level n is reduced by 2 ** n), and how they are displayed.

    `stored` is one and the same object in every view of the same samples.
    """

    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def levels(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def stored(self) -> object: ...
    @property
    def view(self) -> View: ...
    @property
    def beyond(self) -> OutsideMap | None: ...
    def at_once(self, level: int, rect: Rect) -> NDArray[Any]: ...
    def has(self, level: int, rect: Rect) -> bool: ...


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Device pixels on the image, with the image positions of their centres; `scale` is device px per image px."""

    rect: Rect
    xs: NDArray[np.float64]
    ys: NDArray[np.float64]
    scale: float

    def part(self, rect: Rect) -> "Grid":
        """The pixels of a rectangle, counted from the first one."""
        inside = rect.moved(self.rect.x, self.rect.y)
        return Grid(inside, self.xs[rect.x : rect.right], self.ys[rect.y : rect.bottom], self.scale)


def grid_of(transform: ViewTransform, image: tuple[int, int], rect: Rect) -> Grid | None:
    """The part of a rectangle of device pixels whose centres are on the image; None if there is none."""
    s, dx, dy = transform.scale, transform.dx, transform.dy
    x0, x1 = max(rect.x, ceil(dx - 0.5)), min(rect.right, ceil(image[0] * s + dx - 0.5))
    y0, y1 = max(rect.y, ceil(dy - 0.5)), min(rect.bottom, ceil(image[1] * s + dy - 0.5))
    if x0 >= x1 or y0 >= y1:
        return None
    xs = (np.arange(x0, x1, dtype=np.float64) + (0.5 - dx)) / s
    ys = (np.arange(y0, y1, dtype=np.float64) + (0.5 - dy)) / s
    return Grid(Rect(x0, y0, x1 - x0, y1 - y0), xs, ys, s)


def ground(pixels: Pixels, grid: Grid, out: NDArray[np.uint32]) -> None:
    """Draw the image at the pixels of the grid into `out` (h, w) as 0xffRRGGBB.

    Samples are turned into colours while there are fewest of them: before enlarging, after reducing. Samples that are
    shown as stored are reduced as colours in one step.
    """
    view, (width, height) = pixels.view, pixels.size
    if grid.scale >= 1:
        columns, rows = _cells(grid.xs, 1, width), _cells(grid.ys, 1, height)
        source = _span(columns, rows)
        samples = picked(pixels.at_once(0, source), view)
        if samples.shape[:2] == out.shape:
            coloured(samples, view, out)
        else:
            out[...] = enlarged(coloured(samples, view), rows - source.y, columns - source.x)
    elif is_plain(pixels.dtype, view):
        samples, matrix = _reduced(pixels, grid)
        # Four channels are more than twice as fast as three.
        _drawn_into(out, _packed(_warped(_bgra(samples), matrix, (grid.rect.w, grid.rect.h), _unpacked(out))))
    else:
        coloured(resampled(pixels, grid), view, out)


def resampled(pixels: Pixels, grid: Grid) -> NDArray[Any]:
    """The samples (h, w, n) of the shown channels at the pixels of a grid of a scale below 1."""
    samples, matrix = _reduced(pixels, grid)
    return _warped(resizable(samples), matrix, (grid.rect.w, grid.rect.h))


def coloured(samples: NDArray[Any], view: View, out: NDArray[np.uint32] | None = None) -> NDArray[np.uint32]:
    """Samples (h, w, n) of the shown channels as 0xffRRGGBB (h, w), drawn into `out` where it is given."""
    if out is None:
        return _packed(_bgra(colours(samples, view)))
    return _drawn_into(out, _packed(_bgra(colours(samples, view), _unpacked(out))))


def inked(codes: Marks, colors: NDArray[np.uint32], out: NDArray[np.uint32]) -> None:
    """Draw the colour of each code (h, w) into `out`; there is a colour for every code."""
    import cv2

    if codes.dtype != np.uint8 or not codes.size:
        out[...] = np.take(colors, codes, mode="clip")
        return
    table = np.zeros(256, np.uint32)
    table[: len(colors)] = colors
    _drawn_into(out, cv2.LUT(codes, table.view(np.int32), out.view(np.int32)).view(np.uint32))


def _reduced(pixels: Pixels, grid: Grid) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """The shown channels of what is in view, from the level next in size, and the matrix from device pixels to them."""
    width, height = pixels.size
    level = min(floor(log2(1 / grid.scale) + 1e-9), pixels.levels - 1)
    w, h = -(-width // 2**level), -(-height // 2**level)
    # Every level begins at the corner of the image; its pixels are 2 ** level wide, even a last one partly outside.
    f = 0.5**level
    left, top = grid.xs[0] * f - 0.5, grid.ys[0] * f - 0.5
    right, bottom = grid.xs[-1] * f - 0.5, grid.ys[-1] * f - 0.5
    source = Rect.of_edges(left - 1, top - 1, right + 2, bottom + 2).intersected(Rect(0, 0, w, h))
    matrix = np.array([[f / grid.scale, 0, left - source.x], [0, f / grid.scale, top - source.y]])
    return picked(pixels.at_once(level, source), pixels.view), matrix


def _warped(
    samples: NDArray[Any], matrix: NDArray[np.float64], size: tuple[int, int], out: NDArray[np.uint8] | None = None
) -> NDArray[Any]:
    """Samples (h, w, c) at the positions that a matrix gives for `size` (width, height) pixels, bilinear.

    Four channels of uint8 can be drawn into `out`.
    """
    import cv2

    if not samples.shape[2]:
        return np.zeros((size[1], size[0], 0), samples.dtype)
    if samples.shape[2] > _CHANNELS_AT_ONCE:
        parts = np.split(samples, range(_CHANNELS_AT_ONCE, samples.shape[2], _CHANNELS_AT_ONCE), axis=2)
        return np.concatenate([_warped(np.ascontiguousarray(part), matrix, size) for part in parts], axis=2)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shown = np.asarray(cv2.warpAffine(samples, matrix, size, out, flags=how, borderMode=cv2.BORDER_REPLICATE))
    return shown if shown.ndim == 3 else shown[..., None]


def _bgra(shown: NDArray[np.uint8], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Colours (h, w, 3) or grey (h, w, 1) as (h, w, 4), in the byte order of 0xffRRGGBB; drawn into `out` if given."""
    import cv2

    how = cv2.COLOR_GRAY2BGRA if shown.shape[2] == 1 else cv2.COLOR_RGB2BGRA
    return np.asarray(cv2.cvtColor(shown, how, out), np.uint8)


def _packed(bgra: NDArray[np.uint8]) -> NDArray[np.uint32]:
    return bgra.view(np.uint32)[..., 0]


def _drawn_into(out: NDArray[np.uint32], drawn: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """`out`, with what OpenCV drew: into it, or into an array of its own where it could not."""
    if not np.may_share_memory(out, drawn):
        out[...] = drawn
    return out


def _unpacked(out: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The bytes (h, w, 4) of rows of 0xffRRGGBB: OpenCV draws into a part of a buffer."""
    return out.view(np.uint8).reshape(*out.shape, 4)


def marks_in_view(read: ReadMarks, grid: Grid, image: tuple[int, int]) -> Marks:
    """Marks at the pixels of the grid (h, w). `read(level, rect)` returns the marks of a rectangle of a level."""
    return laid_out(marks_seen(read, grid, image), grid.rect)


def marks_seen(read: ReadMarks, grid: Grid, image: tuple[int, int]) -> Seen | None:
    """The same, but only of a part of the grid beyond which nothing is marked; None where nothing is."""
    if grid.scale >= 1:
        first_x = last_x = _cells(grid.xs, 1, image[0])
        first_y = last_y = _cells(grid.ys, 1, image[1])
        level = 0
    else:
        level = floor(log2(1 / grid.scale) + 1e-9)
        cell = FACTOR**level
        # A device pixel is at least one cell and less than two wide: two samples each way, half a pixel apart, miss
        # none.
        quarter = 0.25 / grid.scale
        first_x, last_x = _cells(grid.xs - quarter, cell, image[0]), _cells(grid.xs + quarter, cell, image[0])
        first_y, last_y = _cells(grid.ys - quarter, cell, image[1]), _cells(grid.ys + quarter, cell, image[1])
        _reach_edges(grid.xs, 1 / grid.scale, first_x, last_x, cell, image[0])
        _reach_edges(grid.ys, 1 / grid.scale, first_y, last_y, cell, image[1])
    source = Rect.of_edges(int(first_x[0]), int(first_y[0]), int(last_x[-1]) + 1, int(last_y[-1]) + 1)
    marks = _read_marks(read, level, source, image)
    box = marked_part(marks)
    if box.empty:
        return None
    columns = _showing(first_x, last_x, source.x + box.x, source.x + box.right)
    rows = _showing(first_y, last_y, source.y + box.y, source.y + box.bottom)
    part = grid.part(Rect(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start))
    upper, left = first_y[rows] - source.y, first_x[columns] - source.x
    if level == 0 and grid.scale >= 1:
        return part.rect, enlarged(cut(marks, box), upper - box.y, left - box.x)
    lower, right = last_y[rows] - source.y, last_x[columns] - source.x
    near = marks[:, int(left[0]) : int(right[-1]) + 1]
    # Whole rows first: copying them is fast and leaves fewer pixels for the columns.
    down = _turned(np.maximum(np.take(near, upper, axis=0), np.take(near, lower, axis=0)))
    left, right = left - left[0], right - left[0]
    return part.rect, _turned(np.maximum(np.take(down, left, axis=0), np.take(down, right, axis=0)))


def _reach_edges(centres: NDArray[np.float64], pixel: float, first: Index, last: Index, cell: int, extent: int) -> None:
    """Let the outermost device pixels show the cells at the image's edges, where no pixel beyond them would; unless one
    between them would be missed, for a pixel shows two."""
    end = -(-extent // cell) - 1
    if centres[0] < pixel and last[0] <= 1:
        first[0] = 0
    if centres[-1] + pixel >= extent and first[-1] >= end - 1:
        last[-1] = end


def _read_marks(read: ReadMarks, level: int, source: Rect, image: tuple[int, int]) -> Marks:
    """Marks of a rectangle of a level, also beyond the coarsest that is kept: a plane of 100000 pixels far away."""
    if level <= LEVELS:
        return read(level, source)
    factor, cell = FACTOR ** (level - LEVELS), FACTOR**LEVELS
    whole = Rect(0, 0, -(-image[0] // cell), -(-image[1] // cell))
    part = Rect(source.x * factor, source.y * factor, source.w * factor, source.h * factor).intersected(whole)
    marks = read(LEVELS, part)
    padded: Marks = np.zeros((source.h * factor, source.w * factor), marks.dtype)
    padded[: part.h, : part.w] = marks
    return reduced(padded, factor)


def laid_out(seen: Seen | None, rect: Rect) -> Marks:
    """Marks of a rectangle of device pixels (h, w), which holds those that were seen."""
    if seen is None:
        return np.zeros((rect.h, rect.w), np.uint8)
    part, marks = seen
    if part == rect:
        return marks
    out: Marks = np.zeros((rect.h, rect.w), marks.dtype)
    cut(out, part.moved(-rect.x, -rect.y))[...] = marks
    return out


def _showing(first: Index, last: Index, begin: int, end: int) -> slice:
    """The pixels that show a cell from `begin` up to `end`; each shows those from `first` to `last`, both ascending."""
    return slice(int(np.searchsorted(last, begin)), int(np.searchsorted(first, end)))


def marked_part(marks: Marks) -> Rect:
    """The smallest rectangle around everything that is marked; of few pixels, all of them where any is."""
    import cv2

    if marks.size < _SMALL_PX:
        return Rect(0, 0, marks.shape[1], marks.shape[0]) if marks.any() else Rect(0, 0, 0, 0)
    return Rect(*cv2.boundingRect(marks if marks.dtype == np.uint8 else (marks > 0).view(np.uint8)))


def cut(array: NDArray[_Pixel], rect: Rect) -> NDArray[_Pixel]:
    """A rectangle of an array (h, w)."""
    return array[rect.y : rect.bottom, rect.x : rect.right]


def enlarged(small: NDArray[_Pixel], rows: Index, columns: Index) -> NDArray[_Pixel]:
    """`small[rows][:, columns]`: whole pixels repeated, columns first, because there are fewer rows then.

    `rows` and `columns` increase from 0 without gaps, so if there are as many as in `small`, the result is `small`.
    """
    if small.shape[:2] == (len(rows), len(columns)):
        return small
    if small.itemsize == 1:
        wide = _turned(np.take(_turned(small), columns, axis=0))
    else:
        wide = np.take(small, columns, axis=1, mode="clip")
    return np.take(wide, rows, axis=0, mode="clip")


def edges(values: NDArray[np.unsignedinteger], width: int) -> NDArray[np.bool_]:
    """Where a pixel differs from one of its four neighbours at a distance of up to `width`, within the array."""
    found = np.zeros(values.shape, np.bool_)
    for step in range(1, width + 1):
        across = values[:, step:] != values[:, :-step]
        found[:, step:] |= across
        found[:, :-step] |= across
        down = values[step:] != values[:-step]
        found[step:] |= down
        found[:-step] |= down
    return found


def compose_codes(
    labels: Marks,
    proposed: Marks | None,
    outlined: NDArray[np.bool_] | None,
    origin: tuple[int, int],
    line: int,
    count: int,
    code_type: type[np.uint8] | type[np.uint16],
) -> Marks:
    """What to draw at each pixel (h, w), as `ink * count + mark`: labels filled, elsewhere the proposal striped.

    `outlined` are labelled pixels to be drawn as outlines; `origin` is the device position of the first pixel relative
    to the corner of the image, so that stripes move with it; `line` is the width of the rim of a proposal in pixels.
    """
    codes: Marks = labels.astype(code_type)
    if outlined is not None:
        codes += outlined.view(np.uint8) * code_type(Ink.OUTLINE * count)
    if proposed is None or not proposed.any():
        return codes
    free: Marks = proposed.astype(code_type)
    free *= labels == 0
    stripes = _stripes(free.shape, origin, count, code_type)
    # Everything in small integers with masks of ones: several times faster than selecting by condition.
    rim = np.negative(edges(free, line).astype(code_type))
    shown = np.negative((free > 0).astype(code_type))
    inks = (stripes ^ code_type(Ink.RIM * count)) & rim
    inks ^= stripes
    inks &= shown
    codes += free
    codes += inks
    return codes


def _stripes(
    shape: tuple[int, ...], origin: tuple[int, int], count: int, code_type: type[np.uint8] | type[np.uint16]
) -> Marks:
    """Diagonal stripes, a read-only view (h, w) of one row: stripe and gap inks in turn."""
    h, w = shape
    along = (np.arange(h + w) + origin[0] + origin[1]) // _STRIPE_PX % 2
    row = np.where(along == 0, Ink.STRIPE * count, Ink.GAP * count).astype(code_type)
    return np.lib.stride_tricks.sliding_window_view(row, w)[:h]


def _turned(values: NDArray[_Pixel]) -> NDArray[_Pixel]:
    """The transpose, copied: taking rows of it is much faster than taking columns of small integers."""
    import cv2

    return np.asarray(cv2.transpose(np.ascontiguousarray(values)), values.dtype)


def _cells(positions: NDArray[np.float64], side: int, extent: int) -> Index:
    """The cell of `side` pixels that contains each position, clipped to an image of `extent` pixels."""
    return np.clip(np.floor(positions / side), 0, -(-extent // side) - 1).astype(np.intp)


def _span(columns: Index, rows: Index) -> Rect:
    x, y = int(columns[0]), int(rows[0])
    return Rect(x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
