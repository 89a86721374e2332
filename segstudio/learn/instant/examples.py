"""Which known pixels the instant learner learns from, and what it sees of them.

Features depend on what lies 200 px away, so they are taken where prediction takes them: from the
whole plane, or from windows of a large one with the context that prediction has.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.learn.data import Dataset, PlaneEntry, padded_labels
from segstudio.learn.grid import UNIT, Grid, Window
from segstudio.learn.networks import Context
from segstudio.learn.split import excluded, margin_within, rects_of
from segstudio.runs import Block

__all__ = ["PIXELS", "Sample", "View", "chosen", "labels_of", "views", "views_of"]

PIXELS = 12_000
"""Known pixels that are learned from."""

_WINDOW_PX = 640
_SEEN_PIXELS = 4_000_000
_VIEWS = 24


@dataclass(frozen=True, slots=True)
class View:
    """A window of a labelled plane: `window.seen` goes through the encoder, `window.net` is learned from."""

    entry: PlaneEntry
    window: Window


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Pixels of one view: features float32 (n, d), where the encoder's levels lie among them, classes int64 (n), and
    how many pixels of each class are known there, float64 (classes).
    """

    features: torch.Tensor
    encoded: tuple[slice, ...]
    classes: torch.Tensor
    known: NDArray[np.float64]


def views(data: Dataset, planes: Sequence[PlaneEntry], context: Context, rng: np.random.Generator) -> list[View]:
    """Windows of planes with known pixels, the most recently changed images first and each image's in turn: at most 24
    of them and some four million pixels for the encoder.
    """
    entries = (e for e in planes if data.learnable(e.image))
    by_plane: list[list[View]] = []
    for entry in sorted(entries, key=lambda e: (-e.seq, e.image, e.plane)):
        if len(by_plane) == _VIEWS:
            break
        found = views_of(entry, context, data.labelled(entry.image, entry.plane))
        if found:
            by_plane.append([found[i] for i in rng.permutation(len(found))])
    turns = (found[i] for i in range(_VIEWS) for found in by_plane if i < len(found))
    out: list[View] = []
    seen = 0
    for view in turns:
        seen += view.window.seen.area
        if out and (seen > _SEEN_PIXELS or len(out) == _VIEWS):
            break
        out.append(view)
    return out


def views_of(entry: PlaneEntry, context: Context, rects: Sequence[Rect]) -> list[View]:
    """The windows of a plane that some rectangles reach into; a plane of about a megapixel is one window."""
    grid = Grid.covering(entry.width, entry.height, UNIT, _WINDOW_PX, 0, context.px)
    places = sorted({place for rect in rects for place in grid.touching(rect)})
    return [View(entry, grid.window(*place)) for place in places]


def labels_of(
    data: Dataset, view: View, lookup: NDArray[np.int64], blocks: Sequence[Block], margin_px: int
) -> NDArray[np.int64]:
    """Class places (h, w) of the part of a view that is learned from: -1 where nothing is known, and in blocks and
    their margins, which are at most an eighth of the image.
    """
    rect = view.window.net  # at scale 1 these are image pixels
    ids, _ = padded_labels(data, view.entry, rect)
    labels = lookup[np.minimum(ids, len(lookup) - 1)]
    hidden = excluded(rects_of(blocks, view.entry), margin_within(view.entry, margin_px), rect)
    if hidden is not None:
        labels[hidden] = -1
    return labels


def chosen(labels: NDArray[np.int64], n: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Flat positions of known pixels: half of them drawn from all, half in equal shares from each class."""
    flat = labels.ravel()
    known = rng.permutation(np.flatnonzero(flat >= 0))
    if len(known) <= most:
        return known
    anywhere = known[: most // 2]
    rest = known[most // 2 :]
    per_class = [found for place in range(n) if len(found := rest[flat[rest] == place])]
    share = max((most - len(anywhere)) // len(per_class), 1)
    return np.concatenate([anywhere, *(found[:share] for found in per_class)])
