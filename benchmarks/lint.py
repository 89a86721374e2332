"""The check of labels, timed: many images, or one large plane, with blobs of three classes, specks, holes and gaps.

    python benchmarks/lint.py [SIDE] [IMAGES]

Prints for IMAGES (1) of SIDE x SIDE (20,000) pixels, made up as they are read: seconds and pixels a second, by the
clock and by the processor (on a busy machine these differ), how much the process's peak of memory rose, and how many of
each kind were found. Reading tiles from a disk is not in it.
"""

import resource
import sys
from collections import Counter
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.edit import TileKey
from segstudio.labels.lint.finding import MIN_AREA_PX
from segstudio.labels.lint.image_look import findings_of, look_at
from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind, LabelClass, ObjectId, Status
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import Tile, frozen

_KINDS = (Kind.BACKGROUND, Kind.SEMANTIC, Kind.SEMANTIC, Kind.INSTANCE)
_CLASSES = ClassTable(
    LabelClass(ClassId(n), f"class {n}", "#808080", kind, n - 1, n) for n, kind in enumerate(_KINDS, 1)
)
_PATTERN = 4 * TILE
_NOISE = 0.0005
"""So many pixels are specks, and so many have no label: about a thousand findings a megapixel."""


def pattern() -> NDArray[np.uint32]:
    """Object ids that are repeated over a plane: background 1, semantic classes 2 and 3, separate objects from 4."""
    import cv2

    rng = np.random.default_rng(0)
    size = (_PATTERN, _PATTERN)
    coarse, fine = (cv2.GaussianBlur(rng.standard_normal(size, np.float32), (0, 0), sigma) for sigma in (12, 6))
    ids = np.ones(size, np.uint32)
    ids[coarse > 0.02], ids[coarse < -0.03] = 2, 3
    cells = cv2.connectedComponents((fine > 0.06).astype(np.uint8))[1]
    ids[cells > 0] = 3 + cells[cells > 0]
    ids[rng.random(size) < _NOISE] = 2
    ids[rng.random(size) < _NOISE] = 0
    return ids


def made_up(side: int, ids: NDArray[np.uint32]) -> Document:
    """A done image of one plane, whose tiles are made when they are read."""

    def load(key: TileKey) -> Tile:
        y, x = (part * TILE % _PATTERN for part in key[1:])
        part = ids[y : y + TILE, x : x + TILE].copy()
        return frozen(part, np.ones_like(part, np.uint8))

    keys = [(0, *place) for place in tiles_of(Rect(0, 0, side, side))]
    last = int(ids.max())
    objects = {ObjectId(n): ClassId(min(n, 4)) for n in range(1, last + 1)}
    return Document(ImageId(1), Raster([(side, side)], load, keys), objects, last + 1, Status.DONE)


def main(side: int, images: int) -> None:
    """Time it."""
    ids = pattern()
    before, begun, used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, perf_counter(), process_time()
    found: Counter[str] = Counter()
    for _ in range(images):
        steps = look_at(made_up(side, ids), _CLASSES, MIN_AREA_PX)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                found.update(one.kind.value for one in findings_of(end.value))
                break
    took, used = perf_counter() - begun, process_time() - used
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    megapixels = images * side * side / 1e6
    print(f"{images} x {side} x {side}: {took:.1f} s by the clock, {megapixels / took:.1f} Mpx/s")
    print(f"of the processor {used:.1f} s, {megapixels / used:.1f} Mpx/s; peak {peak:+.0f} MB")
    print(dict(found))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
