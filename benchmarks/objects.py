"""The table of objects, timed: measuring a plane of many objects, one edit of it, and a scroll step of its table.

    python benchmarks/objects.py [SIZE] [OBJECTS]

Prints, for a plane of SIZE x SIZE (10,000) with OBJECTS (100,000) discs in rows: the time to measure all of it and the
memory that its sums hold, the time to add up the sums after an edit of one tile, and the median and the 99th of 100
scroll steps of the table and of the canvas with ten objects selected.
"""

import os
import statistics
import sys
from collections.abc import Callable
from time import perf_counter, thread_time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtWidgets import QApplication

from segstudio.geometry import TILE, Rect, ViewTransform, tile_rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.measure.sums import Sums, added, tile_sums
from segstudio.labels.measure.table import object_table
from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind, LabelClass, ObjectId
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import frozen
from segstudio.ui.canvas.layers.selection import SelectionLayer
from segstudio.ui.panels.object_model import ObjectModel
from segstudio.ui.panels.object_view import ROW_H, ObjectView

_CLASSES = ClassTable(
    (
        LabelClass(ClassId(1), "background", "#6b7280", Kind.BACKGROUND, 0, 0),
        LabelClass(ClassId(2), "cell", "#e69f00", Kind.INSTANCE, 1, 1),
    )
)


def many_discs(size: int, objects: int) -> Document:
    """A document of one plane with so many discs in a grid."""
    across = max(int(objects**0.5), 1)
    step = size / across
    raster = Raster(((size, size),))
    near = np.arange(TILE)
    for ty, tx in tiles_of(Rect(0, 0, size, size)):
        ys, xs = near[:, None] + ty * TILE + 0.5, near[None, :] + tx * TILE + 0.5
        row, column = (ys // step).astype(np.int64), (xs // step).astype(np.int64)
        inside = ((ys / step - row - 0.5) ** 2 + (xs / step - column - 0.5) ** 2 < 0.18) & (ys < size) & (xs < size)
        ids = np.where(inside, row * across + column + 1, 0).astype(np.uint32)
        raster.put((0, ty, tx), frozen(ids, (ids > 0).astype(np.uint8)))
    classes = {ObjectId(n): ClassId(2) for n in range(1, across * across + 1)}
    return Document(ImageId(1), raster, classes, across * across + 1)


def times_ms(step: Callable[[], object], times: int) -> str:
    """A step in milliseconds, by the clock and by the processor: on a busy machine these differ."""
    clock, processor = list[float](), list[float]()
    for _ in range(times):
        begun, used = perf_counter(), thread_time()
        step()
        clock.append((perf_counter() - begun) * 1000)
        processor.append((thread_time() - used) * 1000)
    last = int(0.99 * (times - 1))
    return (
        f"{statistics.median(clock):.1f} ms, p99 {sorted(clock)[last]:.1f} "
        f"(processor {statistics.median(processor):.1f}, p99 {sorted(processor)[last]:.1f})"
    )


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")


def _measure(document: Document, size: int) -> tuple[dict[tuple[int, int], Sums], float]:
    samples = np.random.default_rng(0).integers(0, 255, (TILE, TILE, 3)).astype(np.uint8)
    bounds, parts = Rect(0, 0, size, size), dict[tuple[int, int], Sums]()
    begun = perf_counter()
    for key in document.raster.keys(0):
        part = tile_rect(*key[1:]).intersected(bounds)
        parts[key[1:]] = tile_sums(document.raster.look(key), part, samples[: part.h, : part.w])
    return parts, perf_counter() - begun


def main() -> None:
    """Print the figures."""
    size, objects = (int(word) for word in (*sys.argv[1:], *("10000", "100000")[len(sys.argv) - 1 :]))
    application = QApplication([])
    document = many_discs(size, objects)
    parts, seconds = _measure(document, size)
    held = sum(a.nbytes for s in parts.values() for a in (s.ids, s.boxes, s.origins, s.sums, s.counts))
    _say(
        f"measure {size} x {size}, {objects} objects: {seconds:.2f} s, {len(parts)} tiles, {held / 1e6:.0f} MB of sums"
    )
    class_of = document.class_lookup()
    _say(f"add up after an edit: {times_ms(lambda: object_table(added(parts.values(), 3), class_of, _CLASSES), 10)}")

    model = ObjectModel()
    view = ObjectView(model)
    view.resize(700, 800)
    view.show()
    table = object_table(added(parts.values(), 3), class_of, _CLASSES)
    _say(f"show {len(table)} rows: {times_ms(lambda: model.show(table, _CLASSES), 10)}")
    application.processEvents()
    bar = view.verticalScrollBar()

    def scroll() -> None:
        bar.setValue(bar.value() + 3 * ROW_H)
        view.viewport().repaint()

    _say(f"a scroll step of {view.viewport().height() // ROW_H} rows: {times_ms(scroll, 100)}")
    _say(f"sort by area: {times_ms(lambda: model.sort(2), 5)}")

    layer = SelectionLayer()
    rng = np.random.default_rng(1)
    device = (1300, 660)
    fit = ViewTransform(min(device[0] / size, device[1] / size), 0, 0)
    near = ViewTransform(1.0, -size / 2, -size / 2)
    for words, view_at in (("at fit", fit), ("at 1:1", near)):

        def choose(view_at: ViewTransform = view_at) -> None:
            layer.show(document, 0, frozenset(rng.integers(1, objects, 10).tolist()))
            layer.catch_up(view_at, device, 1.0)

        _say(f"outline ten others {words}: {times_ms(choose, 5)}")
        offsets = iter(range(1, 1000))

        def pan(view_at: ViewTransform = view_at, offsets: "object" = offsets) -> None:
            layer.catch_up(view_at.panned(next(offsets), 0), device, 1.0)  # type: ignore[call-overload]

        _say(f"pan with ten outlined {words}: {times_ms(pan, 50)}")


if __name__ == "__main__":
    main()
