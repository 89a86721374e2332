"""Annotations of one plane painted over each other: run-length code and polygons in, numbers of annotations out.

Every area becomes COCO's run-length code first, so that one function paints all files of annotations. Later annotations
are painted over earlier ones. Only some hundred areas and one plane are in memory at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import MaskMismatch
from segstudio.formats.rle import unpacked
from segstudio.formats.values import Annotation
from segstudio.text import _

__all__ = ["AnnotatedPlane", "packed_counts", "packed_polygons", "painted"]

_AT_ONCE = 256
_LEAST_NUMBERS = 6
"""The fewest numbers in a polygon: three points."""


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedPlane:
    """Numbers (h, w) uint32 of annotations, 0 = none, and the place of the class by number, int32, -1 for 0.

    `overlapping` counts pixels in more than one annotation, `empty` annotations without a pixel, `crowds` those that
    stand for several objects.
    """

    numbers: NDArray[np.uint32]
    class_places: NDArray[np.int32]
    overlapping: int
    empty: int
    crowds: int


def painted(annotations: Iterable[Annotation], width: int, height: int) -> AnnotatedPlane:
    """Annotations of a plane, numbered from 1. Raises `MaskMismatch`, naming the annotation that is wrong."""
    size = width * height
    flat = np.zeros(size, np.uint32)  # down the columns, as the code has it
    places: list[int] = [-1]
    covered = empty = crowds = 0
    rest = iter(annotations)
    while batch := list(islice(rest, _AT_ONCE)):
        runs = unpacked([a.packed for a in batch], height, size, empty=True)
        if runs is None:
            raise _damaged(batch, height, size)
        owners = np.repeat(runs.keys, np.diff(runs.firsts)) + len(places)
        for start, stop, owner in zip(runs.starts.tolist(), runs.stops.tolist(), owners.tolist(), strict=True):
            flat[start:stop] = owner
        covered += int((runs.stops - runs.starts).sum())
        empty += len(batch) - len(runs.keys)
        crowds += sum(a.crowd for a in batch)
        places += [a.class_place for a in batch]
    return AnnotatedPlane(
        numbers=np.ascontiguousarray(flat.reshape(width, height).T),
        class_places=np.array(places, np.int32),
        overlapping=covered - int(np.count_nonzero(flat)),
        empty=empty,
        crowds=crowds,
    )


def _damaged(batch: Sequence[Annotation], height: int, size: int) -> MaskMismatch:
    wrong = next((a for a in batch if unpacked([a.packed], height, size, empty=True) is None), batch[0])
    return MaskMismatch(
        _("{name} has a run-length code that is damaged or has another size than its image.", name=wrong.name)
    )


def packed_counts(counts: Sequence[int], width: int, height: int, name: str) -> bytes:
    """Run lengths, unset and set in turn, as packed code. Raises `MaskMismatch` if they have another size."""
    from pycocotools import mask as coco_mask

    if any(count < 0 for count in counts) or sum(counts) != width * height:
        raise MaskMismatch(
            _(
                "{name} has run lengths for {coded} pixels, but its image has {pixels}.",
                name=name,
                coded=sum(counts),
                pixels=width * height,
            )
        )
    plain: Any = {"size": [height, width], "counts": list(counts)}  # its stubs know packed ones only
    return coco_mask.frPyObjects(plain, height, width)["counts"]


def packed_polygons(polygons: Sequence[Sequence[float]], width: int, height: int, name: str) -> bytes:
    """The pixels inside any of these polygons (x and y in turn), drawn as pycocotools does, as packed code.

    What reaches beyond the image is cut off. Raises `MaskMismatch` if one has fewer than three points or a number that
    is not finite, if all of them are outside the image, or if a point is far away from it.
    """
    from pycocotools import mask as coco_mask

    for polygon in polygons:
        if len(polygon) < _LEAST_NUMBERS or len(polygon) % 2:
            raise MaskMismatch(
                _(
                    "{name} has a polygon of {numbers} numbers, but x and y of at least three points are needed.",
                    name=name,
                    numbers=len(polygon),
                )
            )
        if not all(map(isfinite, polygon)):
            raise MaskMismatch(_("{name} has a polygon with a number that is not finite.", name=name))
    if not any(_meets(polygon, width, height) for polygon in polygons) or not all(
        # The library walks along each edge pixel by pixel, however far that leads.
        -width <= x <= 2 * width and -height <= y <= 2 * height
        for polygon in polygons
        for x, y in _points(polygon)
    ):
        raise MaskMismatch(
            _("{name} is outside its image of {width} x {height} pixels.", name=name, width=width, height=height)
        )
    plain: Any = [list(map(float, polygon)) for polygon in polygons]  # its stubs know packed ones only
    merged: Any = coco_mask.merge(coco_mask.frPyObjects(plain, height, width))
    return merged["counts"]


def _points(polygon: Sequence[float]) -> Iterator[tuple[float, float]]:
    return zip(polygon[::2], polygon[1::2], strict=True)


def _meets(polygon: Sequence[float], width: int, height: int) -> bool:
    """Whether the box around a polygon has a point in common with the image."""
    xs, ys = polygon[::2], polygon[1::2]
    return max(xs) >= 0 and min(xs) <= width and max(ys) >= 0 and min(ys) <= height
