"""The files of a DICOM series in the order in which they lie in the patient.

They are sorted by their place along the normal of the slices, not by name or number of instance: both are often those
of the export. Slices that differ in size, kind or orientation are stacks of their own.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import hypot
from statistics import median

import msgspec

from segstudio.imaging.metadata import Affine, Metadata
from segstudio.imaging.readers.table import Gathered
from segstudio.imaging.source import ImageInfo
from segstudio.text import N_

__all__ = ["GAPS", "REPEATED", "TILTED", "TWICE", "UNEQUAL", "stacks"]

GAPS = N_("Slices are missing: the distance between some neighbours is larger than between the others.")
UNEQUAL = N_("The slices are not equally far apart; the distance given is the usual one.")
TWICE = N_("Some files are there twice; each is taken once.")
TILTED = N_("The slices are shifted against each other, as with a tilted gantry: the stack is not upright.")
REPEATED = N_("Some slices lie at the same place.")

_SAME_MM, _DIGITS = 1e-3, 3
_EQUAL = 0.02
"""How much the distance of two slices may differ from the usual one, as a share of it."""

_MISSING = 1.5
_TURNED = 0.01
"""How much directions may differ within a stack, as a share of a pixel's size."""

_UPRIGHT = 0.9998
"""The least cosine between the normal and the way from slice to slice: about a degree."""


def stacks(parts: Sequence[ImageInfo]) -> list[Gathered]:
    """The stacks that files make, the largest first."""
    once, twice = _once(parts)
    alike: list[list[int]] = []
    for place in once:
        group = next((places for places in alike if _fit(parts[places[0]], parts[place])), None)
        alike.append([place]) if group is None else group.append(place)
    found = sorted(alike, key=lambda places: (-len(places), places))
    return [_stack(parts, places, (TWICE,) if twice else ()) for places in found]


def _once(parts: Sequence[ImageInfo]) -> tuple[list[int], bool]:
    """The places of files that are not there before under the same key, and whether some were."""
    seen: set[str] = set()
    kept: list[int] = []
    for place, info in enumerate(parts):
        key = info.planes[0].key
        if key == UNKNOWN_KEY or key not in seen:
            seen.add(key)
            kept.append(place)
    return kept, len(kept) < len(parts)


UNKNOWN_KEY = "0"


def _fit(one: ImageInfo, other: ImageInfo) -> bool:
    """Whether two slices may belong to one stack."""

    def kind(info: ImageInfo) -> object:
        plane = info.planes[0]
        return plane.width, plane.height, info.channels, info.dtype, info.metadata.inverted

    if kind(one) != kind(other):
        return False
    a, b = one.metadata.affine, other.metadata.affine
    if a is None or b is None:
        return a is b
    pairs = [(x, y) for row_a, row_b in zip(a, b, strict=True) for x, y in zip(row_a[:2], row_b[:2], strict=True)]
    return max(abs(x - y) for x, y in pairs) <= _TURNED * max(abs(x) for x, _ in pairs)


def _stack(parts: Sequence[ImageInfo], places: Sequence[int], notes: tuple[str, ...]) -> Gathered:
    heights = {place: _height(parts[place].metadata.affine) for place in places}
    ordered = sorted(places, key=lambda place: (heights[place], _order(parts[place]), place))
    times = _times([heights[place] for place in ordered]) if parts[places[0]].metadata.affine is not None else 1
    if times > 1:
        ordered = [place for time in range(times) for place in ordered[time::times]]
    depth = len(ordered) // times
    first = parts[ordered[0]]
    if len(ordered) == 1:
        return Gathered((ordered[0],), replace(first, part=None))
    metadata = first.metadata
    if metadata.affine is not None:
        metadata = _spaced(metadata, [heights[place] for place in ordered[:depth]])
        metadata = _led(metadata, parts[ordered[depth - 1]].metadata.affine, depth)
    metadata = msgspec.structs.replace(
        metadata,
        axes="tzyx" if times > 1 else "zyx",
        sizes=(times, depth) if times > 1 else (depth,),
        notes=(*metadata.notes, *notes),
        personal=any(parts[place].metadata.personal for place in ordered),
    )
    planes = tuple(
        replace(plane, file=n, key=f"{plane.key}#{n}" if plane.key == UNKNOWN_KEY else plane.key)
        for n, plane in enumerate(parts[place].planes[0] for place in ordered)
    )
    return Gathered(tuple(ordered), replace(first, planes=planes, metadata=metadata, part=None))


def _order(info: ImageInfo) -> tuple[float, ...]:
    return info.part.order if info.part is not None else ()


def _height(affine: Affine | None) -> float:
    """Where a slice lies along its normal, in millimetres, to the micrometre; 0 where that is not known."""
    return 0.0 if affine is None else round(sum(row[2] * row[3] for row in affine), _DIGITS)


def _times(heights: Sequence[float]) -> int:
    """How many slices lie at each place, 1 where that differs; `heights` are sorted."""
    runs: list[int] = []
    for place, height in enumerate(heights):
        if place and height - heights[place - 1] < _SAME_MM:
            runs[-1] += 1
        else:
            runs.append(1)
    return runs[0] if len(set(runs)) == 1 and len(runs) > 1 else 1


def _led(metadata: Metadata, last: Affine | None, depth: int) -> Metadata:
    """With the way from slice to slice, which is not that of the normal where the gantry is tilted."""
    first = metadata.affine
    if first is None or last is None or depth < 2 or len(metadata.spacing or ()) < 3:
        return metadata
    way = [(b[3] - a[3]) / (depth - 1) for a, b in zip(first, last, strict=True)]
    normal = [row[2] for row in first]
    lengths = hypot(*way) * hypot(*normal)
    upright = lengths and sum(a * b for a, b in zip(way, normal, strict=True)) / lengths >= _UPRIGHT
    if upright:
        return metadata
    rows = [(row[0], row[1], step, row[3]) for row, step in zip(first, way, strict=True)]
    return msgspec.structs.replace(metadata, affine=(rows[0], rows[1], rows[2]), notes=(*metadata.notes, TILTED))


def _spaced(metadata: Metadata, heights: Sequence[float]) -> Metadata:
    """With the distance of slices at these sorted heights, and what a person should know of it."""
    steps = [above - below for below, above in pairwise(heights)]
    apart = [step for step in steps if step >= _SAME_MM]
    notes = list(metadata.notes)
    if len(apart) < len(steps):
        notes.append(REPEATED)
    if not apart:
        return msgspec.structs.replace(metadata, notes=tuple(notes))
    distance = median(apart)
    if max(apart) > _MISSING * distance:
        notes.append(GAPS)
    elif max(abs(step - distance) for step in apart) > _EQUAL * distance:
        notes.append(UNEQUAL)
    assert metadata.affine is not None
    assert metadata.spacing is not None
    rows = [(row[0], row[1], row[2] * distance, row[3]) for row in metadata.affine]
    return msgspec.structs.replace(
        metadata, spacing=(distance, *metadata.spacing), affine=(rows[0], rows[1], rows[2]), notes=tuple(notes)
    )
