"""What the check of labels finds, computed plainly with SciPy over whole arrays."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from segstudio.geometry import Rect
from segstudio.labels.lint.finding import LintKind

__all__ = ["Fault", "expected"]

Fault = tuple[LintKind, int, int, Rect, int]
"""Kind, class, object, box, pixels; 0 for no class and no object."""

EIGHT = np.ones((3, 3), int)
FOUR = ndimage.generate_binary_structure(2, 1)


def expected(
    ids: NDArray[np.int_],
    class_of: NDArray[np.int_],
    foreground: list[int],
    instances: list[int],
    background: int,
    below: int,
    *,
    done: bool,
) -> set[Fault]:
    """The faults of an image of one plane with these object ids (h, w)."""
    owner = class_of[ids]
    return {
        *_specks(ids, owner, foreground, below),
        *_pinholes(ids, owner, foreground, background, below),
        *_touching(ids, owner, instances),
        *(_unknown(owner) if done else ()),
    }


def _parts(mask: NDArray[np.bool_], structure: NDArray[np.int_]) -> Iterator[NDArray[np.bool_]]:
    numbers: NDArray[np.int_] = np.zeros(mask.shape, int)
    count = ndimage.label(mask, structure, output=numbers)
    for number in range(1, int(count) + 1):  # type: ignore[arg-type]
        yield numbers == number


def _box(mask: NDArray[np.bool_]) -> Rect:
    rows, columns = np.nonzero(mask)
    x, y = int(columns.min()), int(rows.min())
    return Rect(x, y, int(columns.max()) - x + 1, int(rows.max()) - y + 1)


def _specks(ids: NDArray[np.int_], owner: NDArray[np.int_], foreground: list[int], below: int) -> Iterator[Fault]:
    for class_id in foreground:
        parts = list(_parts(owner == class_id, EIGHT))
        most = max((int(part.sum()) for part in parts), default=0)
        for part in parts:
            if part.sum() < min(below, most):
                yield LintKind.SPECK, class_id, int(ids[part].min()), _box(part), int(part.sum())


def _pinholes(
    ids: NDArray[np.int_], owner: NDArray[np.int_], foreground: list[int], background: int, below: int
) -> Iterator[Fault]:
    for class_id in foreground:
        mask = owner == class_id
        for hole in _parts(ndimage.binary_fill_holes(mask) & ~mask, FOUR):
            if hole.sum() < below and np.isin(owner[hole], [0, background]).all():
                rim: list[int] = []
                for axis, by in ((0, 1), (0, -1), (1, 1), (1, -1)):
                    rim += np.roll(np.where(hole, 0, ids), -by, axis)[hole].tolist()
                around = np.bincount([one for one in rim if one and class_of_is(ids, owner, one, class_id)])
                yield LintKind.PINHOLE, class_id, int(around.argmax()), _box(hole), int(hole.sum())


def class_of_is(ids: NDArray[np.int_], owner: NDArray[np.int_], one: int, class_id: int) -> bool:
    """Whether an object that has a pixel is of a class."""
    return bool((owner[ids == one] == class_id).any())


def _touching(ids: NDArray[np.int_], owner: NDArray[np.int_], instances: list[int]) -> Iterator[Fault]:
    for class_id in instances:
        mine = np.unique(ids[owner == class_id]).tolist()
        for low in mine:
            for high in mine:
                near = [ndimage.binary_dilation(ids == one, FOUR) for one in (low, high)]
                pixels = ((ids == low) & near[1]) | ((ids == high) & near[0])
                if low < high and pixels.any():
                    yield LintKind.TOUCHING, class_id, low, _box(pixels), int(pixels.sum())


def _unknown(owner: NDArray[np.int_]) -> Iterator[Fault]:
    for part in _parts(owner == 0, EIGHT):
        yield LintKind.UNKNOWN_IN_DONE, 0, 0, _box(part), int(part.sum())
