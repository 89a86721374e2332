"""Touching objects are taken apart as suits the objects that are held out."""

import tracemalloc
from dataclasses import dataclass

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE
from segstudio.labels.touching import separated
from segstudio.learn.data import ClassEntry, Part
from segstudio.learn.gate import HeldOut, HeldOutTile
from segstudio.learn.separating import LEAST_OBJECTS, HeldOutObjects
from segstudio.learn.versions import VersionCard
from segstudio.runs import ObjectFigures, Separation
from segstudio.tasks.progress import finished
from tests.learn.conftest import BACKGROUND, BRIGHT, MemoryData

SIDE = 512
CLASSES = (ClassEntry(BACKGROUND, "background", True, False), ClassEntry(BRIGHT, "cell", False, True))
Ids = NDArray[np.int32]


def _discs(*discs: tuple[int, int, int]) -> Ids:
    """Objects 1, 2 ... of centre and radius, the later ones on top."""
    out = np.zeros((SIDE, SIDE), np.int32)
    for number, (x, y, radius) in enumerate(discs, 1):
        cv2.circle(out, (x, y), radius, number, -1)
    return out


def _of_two_sizes(pairs: int = 9) -> Ids:
    """Large discs, each with a small one that touches it: a neck that is wide beside the small one's width."""
    found = []
    for n in range(pairs):
        x, y = 80 + 160 * (n % 3), 80 + 160 * (n // 3)
        found += [(x, y, 40), (x + 48, y, 9)]
    return _discs(*found)


def _of_waists(n: int = 16) -> Ids:
    """Objects of two lobes, each of them one: the default cuts them in two."""
    out = np.zeros((SIDE, SIDE), np.int32)
    for k in range(n):
        x, y = 60 + 120 * (k % 4), 60 + 120 * (k // 4)
        cv2.circle(out, (x - 20, y), 22, k + 1, -1)
        cv2.circle(out, (x + 20, y), 22, k + 1, -1)
    return out


@dataclass
class _Looked:
    how: Separation
    figures: ObjectFigures | None


def _tuned(drawn: Ids, *, predicted: Ids | None = None, known: NDArray[np.bool_] | None = None) -> _Looked:
    """What is chosen where the objects were drawn so, and were predicted as pixels of one class without a fault."""
    truth = np.where(drawn > 0, 1, 0).astype(np.int64)
    data = MemoryData({1: np.zeros((SIDE, SIDE, 3), np.float32)}, {1: drawn}, {}, parts={1: Part.HELD_OUT})
    data.entries, data.drawn = CLASSES, {1: drawn}
    entry = data.planes()[0]
    tiles = [HeldOutTile(entry, ty, tx, None) for ty in range(2) for tx in range(2)]
    objects = HeldOutObjects(data, HeldOut(tuple(tiles), tuple((c.id, c.name) for c in CLASSES)))
    seen = truth if predicted is None else np.where(predicted > 0, 1, 0)
    if known is not None:
        truth = np.where(known, truth, -1)
    for tile in tiles:
        at = np.s_[tile.ty * TILE : (tile.ty + 1) * TILE, tile.tx * TILE : (tile.tx + 1) * TILE]
        objects.see(tile, truth[at], seen[at].astype(np.int64))
    steps = objects.tuned()
    while True:
        try:
            assert next(steps) is None
        except StopIteration as end:
            return _Looked(*end.value)


def test_where_sizes_differ_the_tuned_setting_finds_objects_that_the_default_misses():
    drawn = _of_two_sizes()
    found = _tuned(drawn)
    assert found.figures is not None
    assert found.figures.tuned
    assert found.figures.objects == 18
    assert found.figures.f1 > found.figures.f1_default + 0.2
    assert separated(drawn > 0)[0] == 9
    assert separated(drawn > 0, found.how)[0] == 18


def test_objects_with_a_waist_are_left_whole_where_people_draw_them_whole():
    drawn = _of_waists()
    found = _tuned(drawn)
    assert separated(drawn > 0)[0] == 32
    assert separated(drawn > 0, found.how)[0] == 16
    assert found.figures == ObjectFigures(16, 1.0, 2 * 16 / 48, tuned=True)  # one lobe of each is more than half


def test_with_few_held_out_objects_the_default_stays_and_the_figures_say_so():
    drawn = _of_waists(LEAST_OBJECTS - 1)
    found = _tuned(drawn)
    assert found.how == Separation()
    assert found.figures == ObjectFigures(LEAST_OBJECTS - 1, 2 / 3, 2 / 3, tuned=False)


def test_the_default_stays_where_no_other_setting_is_better():
    drawn = _discs(*((60 + 120 * (k % 4), 60 + 120 * (k // 4), 20) for k in range(16)))
    found = _tuned(drawn)
    assert found.how == Separation()
    assert found.figures == ObjectFigures(16, 1.0, 1.0, tuned=True)


def test_an_object_that_is_not_known_whole_counts_neither_way():
    drawn = _of_waists()
    known = np.ones(drawn.shape, np.bool_)
    known[:, :60] = False  # through the middle of four objects
    found = _tuned(drawn, known=known)
    assert found.figures is not None
    assert found.figures.objects == 12
    assert found.figures.f1 == 1.0


def test_what_is_proposed_where_something_else_is_known_counts_against_a_version():
    drawn = _discs(*((60 + 120 * (k % 4), 60 + 120 * (k // 4), 20) for k in range(12)))
    predicted = np.maximum(drawn, _discs(*((60 + 120 * (k % 4), 420, 20) for k in range(4))))
    found = _tuned(drawn, predicted=predicted)
    assert found.figures is not None
    assert found.figures.f1 == found.figures.f1_default == 2 * 12 / 28


def test_every_held_out_image_has_its_say_and_no_more_is_kept_than_is_looked_at():
    """Large ones, of which each would be all that is looked at; objects are in the last one alone."""
    side, images = 2 * SIDE, range(1, 5)
    empty, drawn = np.zeros((side, side), np.int32), np.zeros((side, side), np.int32)
    drawn[:SIDE, :SIDE] = _of_waists()
    pixels = np.zeros((side, side, 3), np.float32)
    data = MemoryData(dict.fromkeys(images, pixels), dict.fromkeys(images, empty) | {4: drawn}, {})
    data.entries, data.drawn = CLASSES, data.ids
    tiles = [HeldOutTile(entry, ty, tx, None) for entry in data.planes() for ty in range(4) for tx in range(4)]
    objects = HeldOutObjects(data, HeldOut(tuple(tiles), tuple((c.id, c.name) for c in CLASSES)))
    tracemalloc.start()
    for tile in tiles:
        seen = (data.ids[tile.entry.image][tile.rect.y : tile.rect.bottom, tile.rect.x : tile.rect.right] > 0) * 1
        objects.see(tile, seen, seen)
    kept, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 6 << 20  # five bytes a pixel
    _how, figures = _end(objects)
    assert figures == ObjectFigures(16, 1.0, 2 * 16 / 48, tuned=True)


def test_without_an_instance_class_nothing_is_chosen():
    data = MemoryData({1: np.zeros((TILE, TILE, 3), np.float32)}, {1: np.ones((TILE, TILE), np.int32)}, {})
    objects = HeldOutObjects(data, HeldOut((), ((1, "background"), (2, "blob"))))
    assert _end(objects) == (Separation(), None)


def _end(objects: HeldOutObjects) -> tuple[Separation, ObjectFigures | None]:
    return finished(objects.tuned())


def test_a_card_of_an_earlier_release_has_the_default():
    card = VersionCard("tiny", 3, (1, 2), (0.5,) * 3, (0.2,) * 3, 32, separation=Separation(share=0.1))
    values = msgspec.to_builtins(card)
    assert msgspec.convert(values, VersionCard, strict=False).separation == Separation(share=0.1)
    del values["separation"]
    assert msgspec.convert(values, VersionCard, strict=False).separation == Separation()
