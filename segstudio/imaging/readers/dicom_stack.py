"""The files of a DICOM series in the order in which they lie in the patient.

They are sorted by their place along the normal of the slices, not by name or number of instance: both are often those
of the export. Slices that differ in size, kind or orientation are stacks of their own.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

import msgspec

from segstudio.imaging.metadata import Affine, Metadata
from segstudio.imaging.readers.table import Gathered
from segstudio.imaging.source import ImageInfo
from segstudio.text import N_

__all__ = ["GAPS", "REPEATED", "UNEQUAL", "stacks"]

GAPS = N_("Slices are missing: the distance between some neighbours is larger than between the others.")
UNEQUAL = N_("The slices are not equally far apart; the distance that is told is the usual one.")
REPEATED = N_("Some slices lie at the same place.")

_SAME_MM = 1e-3
_EQUAL = 0.02
"""How much the distance of two slices may differ from the usual one, as a share of it."""

_MISSING = 1.5
_TURN_DIGITS = 2


def stacks(parts: Sequence[ImageInfo]) -> list[Gathered]:
    """The stacks that files make, the largest first."""
    alike: defaultdict[object, list[int]] = defaultdict(list)
    for place, info in enumerate(parts):
        alike[_kind(info)].append(place)
    found = sorted(alike.values(), key=lambda places: (-len(places), places))
    return [_stack(parts, places) for places in found]


def _kind(info: ImageInfo) -> object:
    """What slices of one stack have in common."""
    plane, affine = info.planes[0], info.metadata.affine
    turned = None if affine is None else tuple(round(v, _TURN_DIGITS) for row in affine for v in (row[0], row[1]))
    return plane.width, plane.height, info.channels, info.dtype, turned, info.metadata.inverted


def _stack(parts: Sequence[ImageInfo], places: Sequence[int]) -> Gathered:
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
    metadata = msgspec.structs.replace(
        metadata, axes="tzyx" if times > 1 else "zyx", sizes=(times, depth) if times > 1 else (depth,)
    )
    planes = tuple(replace(parts[place].planes[0], file=n) for n, place in enumerate(ordered))
    return Gathered(tuple(ordered), replace(first, planes=planes, metadata=metadata, part=None))


def _order(info: ImageInfo) -> tuple[float, ...]:
    return info.part.order if info.part is not None else ()


def _height(affine: Affine | None) -> float:
    """Where a slice lies along its normal, in millimetres; 0 where that is not known."""
    return 0.0 if affine is None else sum(row[2] * row[3] for row in affine)


def _times(heights: Sequence[float]) -> int:
    """How many slices lie at each place, 1 where that differs; `heights` are sorted."""
    runs: list[int] = []
    for place, height in enumerate(heights):
        if place and height - heights[place - 1] < _SAME_MM:
            runs[-1] += 1
        else:
            runs.append(1)
    return runs[0] if len(set(runs)) == 1 and len(runs) > 1 else 1


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
