"""Measurements on a project before anything is decided: known pixels by place, class and origin, object sizes.

Known pixels are counted in cells of 32 x 32 image pixels; only cells that hold one are kept. Only labels are read: a
damaged image is found when its pixels are first requested.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

import cv2
import numpy as np
import zstandard
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.model import Origin
from segstudio.learn.data import ClassEntry, Dataset, Part, PlaneEntry
from segstudio.runs import PlaneFacts

__all__ = ["CELL", "Cells", "Facts", "Looked", "PackedCells", "knows_two_classes", "survey"]

CELL = 32

_SIZED_PLANES = 12
_SIZED_PIXELS = 4 << 20
_TURN = 256
_LEVEL = 3
_NOTHING = np.zeros(0, np.int64)
_FITNESS = np.zeros(256, np.int64)
_FITNESS[Origin.IMPORTED], _FITNESS[Origin.PAINTED] = 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Known pixels of one plane by cell: rows `y`, columns `x` (in cells), counts (n, classes).

    `truth` counts those fit for measuring (painted, imported, or of a finished image), `painted` those painted by hand.
    """

    y: NDArray[np.int64]
    x: NDArray[np.int64]
    known: NDArray[np.int64]
    truth: NDArray[np.int64]
    painted: NDArray[np.int64]

    def chosen(self, keep: NDArray[np.bool_]) -> "Cells":
        """Some of the cells."""
        return Cells(self.y[keep], self.x[keep], self.known[keep], self.truth[keep], self.painted[keep])


class PackedCells(Sequence[Cells]):
    """The cells of many planes, unpacked one plane at a time: those of a thousand photographs would fill the memory."""

    def __init__(self, packed: Sequence[tuple[PlaneEntry, PlaneFacts]], classes: Sequence[ClassEntry]) -> None:
        self._packed = packed
        self._classes = [c.id for c in classes]

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, place: int) -> Cells: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Cells]: ...
    def __getitem__(self, place: int | slice) -> Cells | Sequence[Cells]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        entry, facts = self._packed[place]
        return _unpacked(facts, self._classes, entry.finished)


class _Some(Sequence[Cells]):
    """Some of the planes' cells."""

    def __init__(self, every: Sequence[Cells], at: Sequence[int]) -> None:
        self._every, self._at = every, at

    def __len__(self) -> int:
        return len(self._at)

    @overload
    def __getitem__(self, place: int) -> Cells: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Cells]: ...
    def __getitem__(self, place: int | slice) -> Cells | Sequence[Cells]:
        if isinstance(place, slice):
            return [self._every[i] for i in self._at[place]]
        return self._every[self._at[place]]


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Measurements of a project. `cells[i]` belongs to `planes[i]`, as do the rows of `known` and `truth` (planes,
    classes) and of `painted` (planes), which are the sums over its cells; columns follow `classes`.

    `object_px` is by class the diameter in image pixels that half of its pixels' objects reach, for classes where
    enough objects are labelled up to their edge to tell; `finished` how many images are marked done or mostly labelled;
    `last_edit` the edit that everything was read at.
    """

    classes: tuple[ClassEntry, ...]
    planes: tuple[PlaneEntry, ...]
    cells: Sequence[Cells]
    known: NDArray[np.int64]
    truth: NDArray[np.int64]
    painted: NDArray[np.int64]
    channels: tuple[int, ...]
    object_px: dict[int, float]
    finished: int
    last_edit: int

    def only(self, groups: Collection[str]) -> "Facts":
        """The same of the planes of some groups."""
        at = [i for i, entry in enumerate(self.planes) if entry.group in groups]
        planes = tuple(self.planes[i] for i in at)
        known, truth, painted = (values[at] for values in (self.known, self.truth, self.painted))
        return replace(self, planes=planes, cells=_Some(self.cells, at), known=known, truth=truth, painted=painted)

    def known_on(self, part: Part) -> NDArray[np.int64]:
        """Known pixels by class on one side of the split."""
        return self.known[[entry.part is part for entry in self.planes]].sum(0)

    def has_truth(self, part: Part) -> bool:
        """Whether one side of the split holds a pixel that is fit for measuring."""
        return bool(self.truth[[entry.part is part for entry in self.planes]].any())


@dataclass(frozen=True, slots=True)
class Looked:
    """A plane whose labels were read and measured: the `done`th of `total`, which are of `images` images."""

    entry: PlaneEntry
    facts: PlaneFacts
    done: int
    total: int
    images: int


def survey(data: Dataset) -> Iterator[Looked | Facts | None]:
    """Measure a project: measurements made earlier on the same labels are reused, and no pixel is read.

    Between planes it yields the plane it measured, or None, so that others get a turn; the facts come last.
    """
    classes = tuple(data.classes())
    last_edit = data.last_edit()
    entries = [entry for entry in data.planes() if data.learnable(entry.image)]
    kept = [data.kept(entry.image, entry.plane) for entry in entries]
    new = [entry.image for entry, facts in zip(entries, kept, strict=True) if facts is None]
    found: list[tuple[tuple[int, int], PlaneFacts]] = []
    done = 0
    for entry, facts in zip(entries, kept, strict=True):
        sized = len(found) < _SIZED_PLANES
        if facts is None or (sized and facts.objects is None and any(facts.known)):
            facts = _measured(data, entry, classes, sized=sized)
            done += 1
            yield Looked(entry, facts, done, max(len(new), done), len(set(new)))
        elif len(found) % _TURN == 0:
            yield None
        if any(facts.known):
            found.append(((entry.image, entry.plane), facts))
    now = {(entry.image, entry.plane): entry for entry in data.planes()}  # as their labels were read
    yield _facts(classes, [(now[place], facts) for place, facts in found], entries, last_edit)


def _facts(
    classes: tuple[ClassEntry, ...],
    found: Sequence[tuple[PlaneEntry, PlaneFacts]],
    entries: Sequence[PlaneEntry],
    last_edit: int,
) -> Facts:
    planes = tuple(entry for entry, _ in found)
    place = {c.id: i for i, c in enumerate(classes)}
    known = np.zeros((len(found), len(classes)), np.int64)
    truth = np.zeros_like(known)
    sizes: dict[int, list[tuple[float, int, bool]]] = {}
    for row, (entry, facts) in enumerate(found):
        columns = [place[id_] for id_ in facts.classes]
        known[row, columns] = facts.known
        truth[row, columns] = facts.known if entry.finished else facts.fit
        if row < _SIZED_PLANES:
            for id_, pairs in (facts.objects or {}).items():
                sizes.setdefault(id_, []).extend(pairs)
    full = known.sum(1) * 2 > [entry.bounds.area for entry in planes]
    return Facts(
        classes,
        planes,
        PackedCells(found, classes),
        known,
        truth,
        np.array([facts.painted for _, facts in found], np.int64),
        tuple(sorted({entry.channels for entry in planes or entries})),
        {id_: size for id_, found in sizes.items() if (size := _median_size(found)) is not None},
        len({e.image for e, most in zip(planes, full, strict=True) if e.finished or most}),
        last_edit,
    )


def _measured(data: Dataset, entry: PlaneEntry, classes: Sequence[ClassEntry], *, sized: bool) -> PlaneFacts:
    """Read the labels of a plane and count them."""
    rects = data.labelled(entry.image, entry.plane)
    parts = [_counted(data, entry, rect, classes) for rect in rects]
    y, x, known, fit, painted = (np.concatenate([part[i] for part in parts] or [_NOTHING]) for i in range(5))
    known, fit = known.reshape(len(y), len(classes)), fit.reshape(len(y), len(classes))
    held = np.flatnonzero(known.any(0))
    known, fit = known[:, held], fit[:, held]
    columns = (y.astype("<u4"), x.astype("<u4"), known.astype("<u2"), fit.astype("<u2"), painted.astype("<u2"))
    return PlaneFacts(
        tuple(classes[i].id for i in held.tolist()),
        tuple(known.sum(0).tolist()),
        tuple(fit.sum(0).tolist()),
        int(painted.sum()),
        zstandard.compress(b"".join(column.tobytes() for column in columns), _LEVEL),
        _objects(data, entry, rects, classes) if sized and len(held) else None,
    )


def _unpacked(facts: PlaneFacts, classes: Sequence[int], finished: bool) -> Cells:
    """Cells with the columns of today's classes."""
    data = zstandard.decompress(facts.cells)
    k = len(facts.classes)
    n = len(data) // (10 + 4 * k)
    y, x = np.frombuffer(data, "<u4", 2 * n).reshape(2, n).astype(np.int64)
    counts = np.frombuffer(data, "<u2", offset=8 * n).astype(np.int64)
    own = [classes.index(id_) for id_ in facts.classes]
    known, truth = np.zeros((n, len(classes)), np.int64), np.zeros((n, len(classes)), np.int64)
    known[:, own] = counts[: n * k].reshape(n, k)
    truth[:, own] = known[:, own] if finished else counts[n * k : 2 * n * k].reshape(n, k)
    return Cells(y, x, known, truth, counts[2 * n * k :])


def knows_two_classes(data: Dataset) -> bool:
    """Whether two classes have a known pixel on the training side."""
    return len(data.known_classes(Part.TRAIN)) >= 2


def _counted(
    data: Dataset, entry: PlaneEntry, rect: Rect, classes: Sequence[ClassEntry]
) -> tuple[NDArray[np.int64], ...]:
    """Rows, columns, known and fit pixels (n, classes) and painted ones of the cells of one rectangle that hold a known
    pixel. It begins on a cell's corner.
    """
    ids, origins = data.labels(entry.image, entry.plane, rect)
    rows, columns, k = -(-rect.h // CELL), -(-rect.w // CELL), len(classes)
    index = _column_of(ids, classes)
    cell = (np.arange(rect.h) // CELL * columns)[:, None] + np.arange(rect.w) // CELL
    # One count for all: cell, class, and whether the pixel is accepted, imported or painted; the last is for unknown.
    place = np.where(index < 0, rows * columns * k * 3, (cell * k + index) * 3 + _FITNESS[origins])
    every = np.bincount(place.ravel(), minlength=rows * columns * k * 3 + 1)[:-1].reshape(-1, k, 3)
    counts = every.sum(2), every[:, :, 1:].sum(2), every[:, :, 2]
    filled = np.flatnonzero(counts[0].any(1))
    return (
        filled // columns + rect.y // CELL,
        filled % columns + rect.x // CELL,
        counts[0][filled],
        counts[1][filled],
        counts[2][filled].sum(1),
    )


def _column_of(ids: NDArray[np.int32], classes: Sequence[ClassEntry]) -> NDArray[np.int64]:
    """Place of each pixel's class in the list, -1 for none."""
    lookup = np.full(max([int(ids.max(initial=0)), *(c.id for c in classes)]) + 1, -1, np.int64)
    for place, entry in enumerate(classes):
        lookup[entry.id] = place
    return lookup[ids]


def _objects(
    data: Dataset, entry: PlaneEntry, rects: Sequence[Rect], classes: Sequence[ClassEntry]
) -> dict[int, list[tuple[float, int, bool]]]:
    """Objects of a plane by class as (diameter in pixels, area, closed): the diameter of the largest inscribed circle
    for semantic classes, whose regions run together, of a circle of the same area for instances. One that has an
    unknown neighbour, or is cut by the part that was looked at, is not closed: it is at least as large.
    """
    rect = entry.bounds
    if rect.area > _SIZED_PIXELS:
        side = int(_SIZED_PIXELS**0.5)
        rect = Rect(rects[0].x, rects[0].y, side, side).intersected(entry.bounds)
    ids, _ = data.labels(entry.image, entry.plane, rect)
    open_ = _beside_unknown(ids, rect, entry.bounds)
    sizes: dict[int, list[tuple[float, int, bool]]] = {}
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
            here = mask > 0
            np.maximum.at(radius, parts[here], inside[here])
            diameter = 2 * radius[1:]
        closed = np.ones(n, np.bool_)
        closed[np.unique(parts[open_])] = False
        sizes[class_.id] = list(zip(diameter.tolist(), area.tolist(), closed[1:].tolist(), strict=True))
    return sizes


def _beside_unknown(ids: NDArray[np.int32], rect: Rect, bounds: Rect) -> NDArray[np.bool_]:
    """The pixels (h, w) of a part of a plane beside one that is unknown, or not in the part but in the plane."""
    framed = cv2.copyMakeBorder((ids == 0).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    framed[0], framed[-1] = rect.y > bounds.y, rect.bottom < bounds.bottom
    framed[:, 0] |= np.uint8(rect.x > bounds.x)
    framed[:, -1] |= np.uint8(rect.right < bounds.right)
    return cv2.dilate(framed, np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0


def _median_size(found: Sequence[tuple[float, int, bool]]) -> float | None:
    """The size that half of the area belongs to objects no larger than; None where too few are closed to tell.

    Those that are not closed count as larger than they are (Kaplan and Meier 1958): of strokes, only specks would be
    left without them.
    """
    remaining = float(sum(area for _, area, _ in found))
    above = 1.0
    for size, area, closed in sorted(found, key=lambda each: (each[0], not each[2])):
        if closed:
            above *= 1 - area / remaining
            if above <= 0.5:
                return size
        remaining -= area
    return None
