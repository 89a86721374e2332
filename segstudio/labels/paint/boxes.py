"""The boxes of all values of an array at once. A pure function, by runs of equal pixels: its cost does not depend on
how many values there are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect

__all__ = ["boxes_of"]


def boxes_of(values: NDArray[np.integer[Any]]) -> dict[int, Rect]:
    """By value, ascending, 0 left out: the smallest rectangle around its pixels in an array (h, w)."""
    h, w = values.shape
    if h == 0 or w == 0:
        return {}
    flat = values.reshape(-1)
    begins = np.empty(h * w, np.bool_)
    np.not_equal(flat[1:], flat[:-1], out=begins[1:])
    begins[::w] = True
    starts = np.flatnonzero(begins)
    last = np.append(starts[1:], h * w) - 1
    found = flat[starts]
    kept = found != 0
    starts, last = starts[kept], last[kept]
    each, which = np.unique(found[kept], return_inverse=True)
    x0, y0 = np.full(len(each), w), np.full(len(each), h)
    x1, y1 = np.zeros(len(each), np.intp), np.zeros(len(each), np.intp)
    np.minimum.at(x0, which, starts % w)
    np.maximum.at(x1, which, last % w)
    np.minimum.at(y0, which, starts // w)
    np.maximum.at(y1, which, starts // w)
    boxes = zip(each.tolist(), x0.tolist(), y0.tolist(), x1.tolist(), y1.tolist(), strict=True)
    return {value: Rect(left, top, right - left + 1, bottom - top + 1) for value, left, top, right, bottom in boxes}
