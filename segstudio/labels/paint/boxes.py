"""The boxes of all values of an array at once. A pure function, by runs of equal pixels: its cost does not depend on
how many values there are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect

__all__ = ["box_edges", "boxes_of"]


def boxes_of(values: NDArray[np.integer[Any]]) -> dict[int, Rect]:
    """By value, ascending, 0 left out: the smallest rectangle around its pixels in an array (h, w)."""
    each, edges = box_edges(values)
    boxes = zip(each.tolist(), *edges.T.tolist(), strict=True)
    return {value: Rect(left, top, right - left, bottom - top) for value, left, top, right, bottom in boxes}


def box_edges(values: NDArray[np.integer[Any]]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The values, ascending, 0 left out, and the edges (n, 4) of their boxes: left, top, and right and bottom just
    outside; for many boxes at once."""
    h, w = values.shape
    if h == 0 or w == 0:
        return np.zeros(0, values.dtype), np.zeros((0, 4), np.intp)
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
    edges = np.zeros((len(each), 4), np.intp)
    edges[:, 0], edges[:, 1] = w, h
    np.minimum.at(edges[:, 0], which, starts % w)
    np.minimum.at(edges[:, 1], which, starts // w)
    np.maximum.at(edges[:, 2], which, last % w + 1)
    np.maximum.at(edges[:, 3], which, starts // w + 1)
    return each, edges
