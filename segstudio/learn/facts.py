"""What is measured on a project before anything is decided: known pixels by place, class and origin, object sizes.

Known pixels are counted in cells of 32 x 32 image pixels; only cells that hold one are kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.model import Origin
from segstudio.learn.data import ClassEntry, Dataset, Part, PlaneEntry

__all__ = ["CELL", "Cells", "Facts", "knows_two_classes", "survey"]

CELL = 32

_SIZED_PLANES = 12
_SIZED_PIXELS = 4 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Known pixels of one plane by cell: rows `y`, columns `x` (in cells), counts (n, classes).

    `truth` counts those fit for measuring (painted, imported, or of a finished image), `painted` those of the hand.
    """

    y: NDArray[np.int64]
    x: NDArray[np.int64]
    known: NDArray[np.int64]
    truth: NDArray[np.int64]
    painted: NDArray[np.int64]

    def chosen(self, keep: NDArray[np.bool_]) -> "Cells":
        """Some of the cells."""
        return Cells(self.y[keep], self.x[keep], self.known[keep], self.truth[keep], self.painted[keep])


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Measurements of a project. `cells[i]` belongs to `planes[i]`; columns of counts follow `classes`.

    `object_px` is by class the diameter in image pixels that half of its pixels' objects reach; `finished` how many
    images are marked done or labelled for the most part; `last_edit` the edit that everything was read at.
    """

    classes: tuple[ClassEntry, ...]
    planes: tuple[PlaneEntry, ...]
    cells: tuple[Cells, ...]
    channels: tuple[int, ...]
    object_px: dict[int, float]
    finished: int
    last_edit: int

    def known(self, part: Part) -> NDArray[np.int64]:
        """Known pixels by class on one side of the split."""
        total = np.zeros(len(self.classes), np.int64)
        for entry, cells in zip(self.planes, self.cells, strict=True):
            if entry.part is part:
                total += cells.known.sum(0)
        return total


def survey(data: Dataset) -> Iterator[Facts | None]:
    """Measure a project; yields None between planes, so that others get their turn, and the facts at the end."""
    classes = tuple(data.classes())
    last_edit = data.last_edit()
    planes: list[PlaneEntry] = []
    cells: list[Cells] = []
    sizes: dict[int, list[tuple[float, int]]] = {}
    every = data.planes()
    for entry in every:
        found = _cells(data, entry, classes)
        if found is None:
            continue
        planes.append(entry)
        cells.append(found)
        if len(planes) <= _SIZED_PLANES:
            _add_sizes(data, entry, classes, sizes)
        yield None
    yield Facts(
        classes,
        tuple(planes),
        tuple(cells),
        tuple(sorted({entry.channels for entry in planes or every})),
        {id_: _weighted_median(pairs) for id_, pairs in sizes.items()},
        len({e.image for e, c in zip(planes, cells, strict=True) if e.finished or c.known.sum() * 2 > e.bounds.area}),
        last_edit,
    )


def knows_two_classes(data: Dataset) -> bool:
    """Whether two classes have a known pixel on the training side; looks no further than it must."""
    found: set[int] = set()
    for entry in data.planes():
        if entry.part is Part.TRAIN:
            for rect in data.labelled(entry.image, entry.plane):
                found.update(np.unique(data.labels(entry.image, entry.plane, rect)[0]).tolist())
                if len(found - {0}) >= 2:
                    return True
    return False


def _cells(data: Dataset, entry: PlaneEntry, classes: Sequence[ClassEntry]) -> Cells | None:
    parts = [_cells_of(data, entry, rect, classes) for rect in data.labelled(entry.image, entry.plane)]
    parts = [part for part in parts if len(part.y)]
    if not parts:
        return None
    joined = [np.concatenate([getattr(part, name) for part in parts]) for name in Cells.__slots__]
    return Cells(*joined)


def _cells_of(data: Dataset, entry: PlaneEntry, rect: Rect, classes: Sequence[ClassEntry]) -> Cells:
    """Cells of one rectangle, which begins on a cell's corner."""
    ids, origins = data.labels(entry.image, entry.plane, rect)
    rows, columns = -(-rect.h // CELL), -(-rect.w // CELL)
    index = _column_of(ids, classes)
    y, x = np.nonzero(index >= 0)
    place = (y // CELL) * columns + x // CELL
    column, origin = index[y, x], origins[y, x]
    n, k = rows * columns, len(classes)
    fit = np.full(len(y), True) if entry.finished else np.isin(origin, (Origin.PAINTED, Origin.IMPORTED))
    known = np.bincount(place * k + column, minlength=n * k).reshape(n, k)
    truth = np.bincount((place * k + column)[fit], minlength=n * k).reshape(n, k)
    painted = np.bincount(place[origin == Origin.PAINTED], minlength=n)
    filled = np.flatnonzero(known.sum(1))
    return Cells(
        filled // columns + rect.y // CELL,
        filled % columns + rect.x // CELL,
        known[filled].astype(np.int64),
        truth[filled].astype(np.int64),
        painted[filled].astype(np.int64),
    )


def _column_of(ids: NDArray[np.int32], classes: Sequence[ClassEntry]) -> NDArray[np.int64]:
    """Place of each pixel's class in the list, -1 for none."""
    lookup = np.full(max([int(ids.max(initial=0)), *(c.id for c in classes)]) + 1, -1, np.int64)
    for place, entry in enumerate(classes):
        lookup[entry.id] = place
    return lookup[ids]


def _add_sizes(
    data: Dataset, entry: PlaneEntry, classes: Sequence[ClassEntry], sizes: dict[int, list[tuple[float, int]]]
) -> None:
    """Objects of a plane by class as (diameter in pixels, area): of the largest inscribed circle for semantic classes,
    whose regions run together, of a circle of the same area for instances.
    """
    rect = entry.bounds
    if rect.area > _SIZED_PIXELS:
        side = int(_SIZED_PIXELS**0.5)
        first = data.labelled(entry.image, entry.plane)[0]
        rect = Rect(first.x, first.y, side, side).intersected(entry.bounds)
    ids, _ = data.labels(entry.image, entry.plane, rect)
    for class_ in classes:
        mask = (ids == class_.id).astype(np.uint8)
        if class_.background or not mask.any():
            continue
        n, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        area = stats[1:, cv2.CC_STAT_AREA].astype(np.int64)
        if class_.instances:
            diameter = np.sqrt(area * (4 / np.pi))
        else:
            inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
            radius = np.zeros(n)
            np.maximum.at(radius, parts.ravel(), inside.ravel())
            diameter = 2 * radius[1:]
        sizes.setdefault(class_.id, []).extend(zip(diameter.tolist(), area.tolist(), strict=True))


def _weighted_median(pairs: Sequence[tuple[float, int]]) -> float:
    """The size that half of the area belongs to objects no larger than."""
    size, weight = (np.array(column, np.float64) for column in zip(*sorted(pairs), strict=True))
    return float(size[np.searchsorted(np.cumsum(weight), weight.sum() / 2)])
