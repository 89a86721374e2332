"""Operations on objects against plain arrays: each is one edit, which is taken back and made again byte for byte."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.gesture import Gesture, Paintable
from segstudio.labels.model import Cause, ObjectId, Origin, Status, Touch
from segstudio.labels.paint.boxes import boxes_of
from segstudio.labels.paint.nearest import nearest_set
from segstudio.labels.paint.objects import extent, shape, specks
from segstudio.labels.paint.objects.copying import copied, pasted
from segstudio.labels.paint.objects.cuts import cut_objects
from segstudio.labels.paint.objects.parts import Report
from segstudio.labels.paint.objects.recolor import deleted, merged
from segstudio.labels.paint.objects.split import crossed, cut, line_mask, separated, split
from segstudio.labels.paint.policy import MayTouch
from segstudio.labels.paint.region import Region
from tests.labels.label_strategies import a_document, few, pixels, with_columns
from tests.labels.object_plates import CLASSES, applied, flooded, painted_document, parts_of_mask, plates

ids_strategy = st.sets(st.integers(1, 6), min_size=1, max_size=4)
SMALL = (40, 30)
"""Where the model is slow: the plate lies over the corner of four tiles, at (236, 240)."""


def placed(plate: NDArray[np.int_]) -> Document:
    """A small plate in a larger image, over the corner of four tiles."""
    large = np.zeros((280, 290), np.int_)
    large[0, :6] = range(1, 7)
    h, w = plate.shape
    large[240 : 240 + h, 236 : 236 + w] = plate
    return painted_document(large)


def distances(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The distance of every pixel to the nearest one of a mask that is at most 6 away; infinite beyond."""
    h, w = mask.shape
    far = np.pad(mask, 6)
    found = np.full(mask.shape, np.inf)
    for dy, dx in product(range(-6, 7), repeat=2):
        there = far[6 + dy : 6 + dy + h, 6 + dx : 6 + dx + w]
        found[there] = np.minimum(found[there], np.hypot(dy, dx))
    return found


def lookup(document: Document, ids: list[int]) -> NDArray[np.bool_]:
    """By object id: whether it is one of these."""
    return np.isin(np.arange(len(document.class_lookup())), ids)


# -- merge and delete ------------------------------------------------------------------------------------------------


@few
@given(plates(), ids_strategy)
def test_merging_gives_all_pixels_to_the_lowest_id_and_keeps_who_made_them(plate, ids) -> None:
    document = painted_document(plate, np.where(np.indices(plate.shape)[1] % 3, Origin.PAINTED, Origin.ACCEPTED))
    before, origins = pixels(document)
    report = Report()
    edit = applied(document, merged(document, ids, report))
    np.testing.assert_array_equal(pixels(document)[0], np.where(np.isin(before, list(ids)), min(ids), before))
    np.testing.assert_array_equal(pixels(document)[1], origins)
    assert report.selects == {min(ids)}
    assert (edit is None) == (len(ids) == 1)


@few
@given(plates(), ids_strategy)
def test_deleting_makes_the_pixels_unknown(plate, ids) -> None:
    document = painted_document(plate)
    applied(document, deleted(document, ids, report := Report()))
    np.testing.assert_array_equal(pixels(document)[0], np.where(np.isin(plate, list(ids)), 0, plate))
    np.testing.assert_array_equal(pixels(document)[1] == 0, pixels(document)[0] == 0)
    assert report.pixels == np.isin(plate, list(ids)).sum()


def test_objects_are_merged_and_deleted_on_every_plane_of_a_stack() -> None:
    plate = np.zeros((40, 300), np.int_)
    plate[5:20, 200:290] = 4
    plate[25:35, 10:290] = 5
    one = painted_document(plate)
    stack = a_document((300, 40), (300, 40))
    stack.become(Document(stack.image, stack.raster, one.objects, one.next_object))
    for key, tile in one.raster.in_memory().items():
        stack.raster.put(key, tile)
        stack.raster.put((1, *key[1:]), tile)
    applied(stack, merged(stack, {ObjectId(4), ObjectId(5)}, Report()))
    for plane in (0, 1):
        np.testing.assert_array_equal(pixels(stack, plane)[0], np.where(plate == 5, 4, plate))
    applied(stack, deleted(stack, {ObjectId(4)}, Report()))
    assert not any(pixels(stack, plane)[0].any() for plane in (0, 1))


def test_an_object_without_a_pixel_is_neither_merged_nor_deleted_in_what_is_said() -> None:
    plate = np.zeros((40, 300), np.int_)
    plate[5:20, 200:290], plate[25:35, 10:290] = 4, 5
    document = painted_document(plate)
    every = {ObjectId(3), ObjectId(4), ObjectId(5)}
    for ids, number in ((every, 2), ({ObjectId(4), ObjectId(5)}, 2), ({ObjectId(5)}, 1)):
        applied(painted_document(plate), deleted(document, ids, report := Report()))
        assert report.number == number
    applied(document, merged(document, every, report := Report()))
    assert report.number == 2


# -- split -----------------------------------------------------------------------------------------------------------


def test_the_pixels_on_a_line_hang_together_by_their_sides() -> None:
    rng = np.random.default_rng(3)
    rect = Rect(2, 3, 40, 30)
    for _ in range(200):
        a, b = (tuple(p) for p in rng.uniform(-5, 50, (2, 2)))
        mask = line_mask([a, b], rect)
        steps = np.linspace(0, 1, 4000)[:, None]
        on = np.floor(np.array(a) + steps * (np.array(b) - np.array(a))).astype(int) - (rect.x, rect.y)
        inside = (on >= 0).all(1) & (on < (rect.w, rect.h)).all(1)
        assert mask[on[inside, 1], on[inside, 0]].all(), "a pixel that the line passes through is on it"
        assert len(flooded(mask, 4)) <= 1
        assert mask.sum() <= len({tuple(p) for p in on[inside].tolist()}) + 3


@few
@given(plates(SMALL), st.lists(st.tuples(st.floats(-3, 43), st.floats(-3, 33)), min_size=2, max_size=4))
def test_a_line_cuts_an_object_as_a_plain_model_does(plate, line) -> None:
    document = placed(plate)
    moved = [(x + 236, y + 240) for x, y in line]
    report = Report()
    before, origins = pixels(document)
    next_object = document.next_object
    applied(document, split(document, 0, [ObjectId(4), ObjectId(5)], moved, report))
    after = pixels(document)[0]
    np.testing.assert_array_equal(pixels(document)[1], origins)
    untouched = ~np.isin(before, [4, 5])
    np.testing.assert_array_equal(after[untouched], before[untouched])
    on_line = line_mask(moved, Rect(0, 0, 290, 280))
    new: set[int] = set()
    for object_id in (4, 5):
        pieces = modelled_pieces(before == object_id, on_line)
        given_ids = [set(after[piece].tolist()) for piece in pieces]
        assert all(len(ids) == 1 for ids in given_ids)
        flat = [ids.pop() for ids in given_ids]
        assert len(set(flat)) == len(flat), "each piece is an object of its own"
        sizes = [int(piece.sum()) for piece in pieces]
        if pieces:
            assert sizes[flat.index(object_id)] == max(sizes), "the larger part keeps the id"
            new |= set(flat) - {object_id}
        rest = (before == object_id) & ~np.any([np.zeros_like(before, np.bool_), *pieces], axis=0)
        assert (after[rest] == object_id).all(), "what is not cut keeps the id"
    assert new == set(range(next_object, next_object + len(new)))
    assert all(document.objects[ObjectId(n)] == 3 for n in new)
    assert report.number == sum(bool(modelled_pieces(before == n, on_line)) for n in (4, 5))


def modelled_pieces(mask: NDArray[np.bool_], on_line: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    found = []
    for part in parts_of_mask(mask):
        pieces = parts_of_mask(part & ~on_line)
        if len(pieces) < 2:
            continue
        pieces.sort(key=lambda piece: -int(piece.sum()))
        places = [np.argwhere(piece) for piece in pieces]
        grown = [piece.copy() for piece in pieces]
        for y, x in np.argwhere(part & on_line):
            near = [((place - (y, x)) ** 2).sum(1).min() for place in places]
            grown[int(np.argmin(near))][y, x] = True
        found += grown
    return found


def test_a_straight_line_across_a_square_makes_two_of_it_and_the_larger_keeps_the_id() -> None:
    plate = np.zeros((30, 300), np.int_)
    plate[5:25, 240:270] = 4
    document = painted_document(plate)
    applied(document, split(document, 0, [ObjectId(4)], [(250.5, 0.0), (250.5, 30.0)], report := Report()))
    ids = pixels(document)[0]
    assert (ids[5:25, 251:270] == 4).all()
    assert (ids[5:25, 240:250] == 5).all()
    assert (ids[5:25, 250] == 4).all(), "as near to either part: it goes to the larger"
    assert report.selects == {4, 5}


def test_a_line_that_ends_inside_an_object_cuts_nothing() -> None:
    mask = np.ones((20, 20), np.bool_)
    assert not cut(mask, line_mask([(10.5, 0.0), (10.5, 12.0)], Rect(0, 0, 20, 20))).any()
    assert not cut(mask, np.ones_like(mask)).any()


def test_the_objects_on_a_line_are_found_over_tile_borders() -> None:
    plate = np.zeros((40, 300), np.int_)
    plate[:, 100:120], plate[10:, 255:260], plate[:5, 200:210] = 4, 5, 6
    document = painted_document(plate)
    assert crossed(document, 0, [(0.0, 20.0), (310.0, 25.0)]) == {4, 5}
    assert crossed(document, 0, [(0.0, -20.0), (310.0, -25.0)]) == set()


@few
@given(plates(SMALL), ids_strategy)
def test_each_part_becomes_an_object_and_the_largest_keeps_the_id(plate, ids) -> None:
    document = placed(plate)
    before = pixels(document)[0]
    report = Report()
    applied(document, separated(document, 0, ids, report))
    after = pixels(document)[0]
    for object_id in ids:
        parts = parts_of_mask(before == object_id)
        flat = [set(after[part].tolist()) for part in parts]
        assert [len(one) for one in flat] == [1] * len(parts)
        assert len(set.union(*flat)) == len(parts)
        sizes = [int(part.sum()) for part in parts]
        assert flat[int(np.argmax(sizes))] == {object_id}
    np.testing.assert_array_equal(after[~np.isin(before, list(ids))], before[~np.isin(before, list(ids))])
    assert all(document.objects[ObjectId(int(n))] for n in np.unique(after) if n)


# -- shape -----------------------------------------------------------------------------------------------------------


@few
@given(plates(SMALL), ids_strategy, st.sampled_from([{0}, {0, 1, 2}]))
def test_holes_are_filled_as_far_as_the_policy_goes(plate, ids, free) -> None:
    document = placed(plate)
    before = pixels(document)[0]
    allowed = Paintable(lookup(document, list(free)))
    report = Report()
    applied(document, shape.filled_holes(document, 0, ids, allowed, report))
    wanted, holes = before.copy(), 0
    there = np.s_[239:271, 235:277]  # the plate and a pixel around it
    for object_id in sorted(ids, reverse=True):
        for part in parts_of_mask(before[there] != object_id, 4):
            if not (part[[0, -1]].any() or part[:, [0, -1]].any()):
                filled = part & np.isin(before[there], list(free))
                holes += bool(filled.any())
                wanted[there][filled] = object_id
    np.testing.assert_array_equal(pixels(document)[0], wanted)
    assert report.number == holes
    gained = pixels(document)[0] != before
    assert (pixels(document)[1][gained] == Origin.PAINTED).all()


@few
@given(plates(SMALL), ids_strategy, st.integers(1, 6))
def test_objects_grow_to_the_nearest_and_never_over_others(plate, ids, by) -> None:
    document = placed(plate)
    before = pixels(document)[0]
    allowed = Paintable(lookup(document, [0, 1]))
    applied(document, shape.grown(document, 0, ids, by, allowed, report := Report()))
    order = sorted(ids)
    every = np.stack([distances(before == n) for n in order])
    nearest = np.array(order)[np.argmin(every, axis=0)]
    takes = np.isin(before, [0, 1]) & ~np.isin(before, order) & (every.min(axis=0) <= by)
    np.testing.assert_array_equal(pixels(document)[0], np.where(takes, nearest, before))
    assert report.number == len(np.unique(nearest[takes])), "an object without room to grow is not counted"


@few
@given(plates(SMALL), ids_strategy, st.integers(1, 4))
def test_objects_shrink_by_what_is_near_to_others(plate, ids, by) -> None:
    document = placed(plate)
    before = pixels(document)[0]
    applied(document, shape.shrunk(document, 0, ids, by, report := Report()))
    wanted = before.copy()
    for n in ids:
        wanted[(before == n) & (distances(before != n) <= by)] = 0
    np.testing.assert_array_equal(pixels(document)[0], wanted)
    assert report.number == len(np.unique(before[wanted != before]))


@few
@given(plates(SMALL), st.integers(1, 6), st.integers(1, 3))
def test_smoothing_opens_and_closes_by_a_disc(plate, object_id, by) -> None:
    document = placed(plate)
    before = pixels(document)[0]
    allowed = Paintable(lookup(document, [0]))
    report = Report()
    applied(document, shape.smoothed(document, 0, [ObjectId(object_id)], by, allowed, report))
    mask = before == object_id
    opened = distances(mask & (distances(~mask) > by)) <= by
    closed = distances(~(distances(opened) <= by)) > by
    wanted = before.copy()
    if opened.any():
        wanted[mask & ~closed] = 0
        wanted[closed & (before == 0)] = object_id
    np.testing.assert_array_equal(pixels(document)[0], wanted)
    assert (report.number, report.left) == (int((wanted != before).any()), int(not opened.any()))


def test_an_object_at_the_image_s_edge_does_not_shrink_from_it() -> None:
    plate = np.zeros((30, 40), np.int_)
    plate[0:20, 0:20] = 4
    document = painted_document(plate)
    applied(document, shape.shrunk(document, 0, [ObjectId(4)], 3, Report()))
    np.testing.assert_array_equal(np.argwhere(pixels(document)[0] == 4).max(axis=0), (16, 16))
    assert pixels(document)[0][0, 0] == 4


@few
@given(plates(SMALL), ids_strategy, st.one_of(st.just(np.inf), st.integers(1, 40)))
def test_small_parts_are_dropped_but_never_the_largest(plate, ids, below) -> None:
    document = placed(plate)
    before = pixels(document)[0]
    applied(document, shape.without_small(document, 0, ids, below, report := Report()))
    wanted, dropped = before.copy(), 0
    for n in ids:
        parts = parts_of_mask(before == n)
        largest = int(np.argmax([part.sum() for part in parts]))
        for place, part in enumerate(parts):
            if place != largest and part.sum() < below:
                wanted[part] = 0
                dropped += 1
    np.testing.assert_array_equal(pixels(document)[0], wanted)
    assert report.number == dropped


@few
@given(plates(SMALL), st.integers(0, 39), st.integers(0, 29))
def test_the_part_under_the_pointer_is_dropped(plate, x, y) -> None:
    document = placed(plate)
    before = pixels(document)[0]
    applied(
        document, shape.without_part(document, 0, ObjectId(int(before[y + 240, x + 236])), x + 236, y + 240, Report())
    )
    wanted = before.copy()
    for part in parts_of_mask(before == before[y + 240, x + 236]) if before[y + 240, x + 236] else []:
        if part[y + 240, x + 236]:
            wanted[part] = 0
    np.testing.assert_array_equal(pixels(document)[0], wanted)


# -- copying ---------------------------------------------------------------------------------------------------------


@few
@given(plates(), plates((280, 35)), ids_strategy, st.sampled_from([Touch.ALL, Touch.UNLABELLED]))
def test_copies_come_to_the_same_place_as_new_objects_cut_at_the_edge(plate, other, ids, touch) -> None:
    source, target = painted_document(plate), painted_document(other)
    copies = copied(source, 0, ids)
    before, next_object = pixels(target)[0], target.next_object
    applied(target, pasted(target, 0, copies, CLASSES, MayTouch(touch), report := Report()))
    wanted, number, cut_off = before.copy(), next_object, 0
    free = before == 0 if touch is Touch.UNLABELLED else before != 6  # 6 is of a locked class
    for n in sorted(ids):
        if n == 6:
            continue
        cut_off += bool((plate[35:] == n).any() or (plate[:, 280:] == n).any())
        where = (plate[:35, :280] == n) & free
        if not where.any():
            continue
        wanted[where] = n if n in (1, 2) else number
        number += n not in (1, 2)
    np.testing.assert_array_equal(pixels(target)[0], wanted)
    assert report.left == cut_off
    assert target.next_object == number
    assert (pixels(target)[1][pixels(target)[0] >= next_object] == Origin.PAINTED).all()


def test_a_paste_into_a_new_image_makes_the_area_of_a_class_and_begins_the_image() -> None:
    plate = np.full((30, 40), 2)
    plate[0, :6] = range(1, 7)
    target = a_document((40, 30))
    copies = copied(painted_document(plate), 0, [ObjectId(2)])
    applied(target, pasted(target, 0, (*copies, *copies), CLASSES, MayTouch(), Report()))
    assert dict(target.objects) == {1: 2}
    assert target.status is Status.IN_PROGRESS


def test_a_copy_of_a_class_that_was_removed_or_locked_is_passed_over() -> None:
    plate = np.zeros((30, 40), np.int_)
    plate[3:9, 3:9] = 4
    document = painted_document(plate)
    copies = copied(document, 0, [ObjectId(4)])
    for columns in ({"removed": True}, {"locked": True}):
        classes = with_columns(CLASSES, 3, columns)
        report = Report()
        assert applied(document, pasted(document, 0, copies, classes, MayTouch(), report)) is None
        assert report.number == 0


# -- specks ----------------------------------------------------------------------------------------------------------


@few
@given(plates((300, 60)), st.integers(2, 60), st.booleans())
def test_specks_are_found_and_erased_whatever_the_blocks(plate, below, tile_by_tile) -> None:
    document = painted_document(plate)
    changeable = lookup(document, [1, 2, 3, 4, 5])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(specks, "_BLOCK", 256 if tile_by_tile else specks._BLOCK)
        found = specks.find_specks(document, changeable, below, 0, 10_000)
        steps: list[int] = []
        report = Report()
        applied(document, specks.without_specks(document, changeable, below, report, steps.append))
    assert sum(steps) == specks.speck_steps(document)
    wanted, small = plate.copy(), []
    for n in range(1, 6):
        small += [part for part in parts_of_mask(plate == n) if part.sum() < below]
    for part in small:
        wanted[part] = 0
    np.testing.assert_array_equal(pixels(document)[0], wanted)
    pixels_in_all = sum(int(part.sum()) for part in small)
    assert (found.number, found.pixels) == (report.number, report.pixels) == (len(small), pixels_in_all)
    boxes = {next(iter(boxes_of(part.astype(np.int_)).values())) for part in small}
    assert set(found.boxes) == boxes


def test_a_search_for_specks_stops_when_nobody_waits_for_it() -> None:
    plate = np.zeros((30, 40), np.int_)
    plate[3, 3] = 4
    document = painted_document(plate)
    assert specks.find_specks(document, lookup(document, [4]), 5, 0, 10, lambda: True).number == 0


# -- small ones ------------------------------------------------------------------------------------------------------


@few
@given(plates())
def test_boxes_are_those_of_every_value(plate) -> None:
    wanted = {}
    for value in np.unique(plate[plate != 0]).tolist():
        ys, xs = np.nonzero(plate == value)
        wanted[value] = Rect(xs.min(), ys.min(), xs.max() - xs.min() + 1, ys.max() - ys.min() + 1)
    assert boxes_of(plate) == wanted
    document = painted_document(plate)
    assert extent.extents(document.raster, 0, range(1, 7), 7) == wanted


@few
@given(st.integers(0, 9999), st.integers(1, 4))
def test_the_nearest_set_is_that_of_all_distances_and_of_equal_ones_the_first(seed, count) -> None:
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 30, (40, 2))
    sets = [rng.integers(0, 30, (rng.integers(1, 12), 2)) for _ in range(count)]
    squares = [((points[:, None] - one[None]) ** 2).sum(2).min(1) for one in sets]
    np.testing.assert_array_equal(nearest_set(points, sets), np.argmin(squares, axis=0))


def test_an_object_that_is_too_large_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extent, "_LARGEST_BOX_PX", 50)
    plate = np.zeros((30, 40), np.int_)
    plate[3:13, 3:9] = 4
    document = painted_document(plate)
    for operation in (separated, shape.kept_largest):
        with pytest.raises(UserError, match="6 x 10"):
            list(operation(document, 0, [ObjectId(4)], Report()))


def test_no_operation_on_nothing_is_an_edit() -> None:
    document = a_document((40, 30))
    for operation, by in product((shape.shrunk,), (1, 5)):
        assert applied(document, operation(document, 0, [], by, Report())) is None
    assert applied(document, shape.without_part(document, 0, ObjectId(0), 3, 3, Report())) is None
    assert applied(document, split(document, 0, [], [(0, 0), (9, 9)], Report())) is None
    assert Cause.OBJECTS == "objects"


def test_a_ring_at_the_image_s_edge_has_no_hole() -> None:
    plate = np.zeros((30, 40), np.int_)
    plate[0:10, 5:15], plate[0:7, 8:12] = 4, 0
    document = painted_document(plate)
    report = Report()
    parts = shape.filled_holes(document, 0, [ObjectId(4)], Paintable(lookup(document, [0])), report)
    assert applied(document, parts) is None
    assert report.number == 0


# -- what a stroke cuts ----------------------------------------------------------------------------------------------


@few
@given(plates(SMALL), st.integers(0, 39), st.integers(0, 29), st.integers(1, 25), st.integers(1, 25))
def test_the_objects_that_an_edit_cuts_are_those_with_more_parts_than_before(plate, x, y, w, h) -> None:
    document = placed(plate)
    before = pixels(document)[0]
    gesture = Gesture(document, Cause.ERASE)
    gesture.paint_region(0, Region.of_rect(Rect(x + 236, y + 240, w, h)), 0, Origin.NONE)
    edit = gesture.commit()
    after = pixels(document)[0]
    # The pixels at the upper edge, one of each object, are far away and count as no part.
    before[0], after[0] = 0, 0
    wanted = {n for n in range(3, 7) if len(parts_of_mask(after == n)) > max(len(parts_of_mask(before == n)), 1)}
    if edit is not None:
        found = cut_objects(document.raster, 0, edit, lookup(document, [3, 4, 5, 6]), Rect(0, 100, 290, 180))
        assert found <= wanted | {n for n in range(3, 7) if len(parts_of_mask(before == n)) > 1}
        assert {n for n in wanted if len(parts_of_mask(before == n)) == 1} <= found
    else:
        assert not wanted
