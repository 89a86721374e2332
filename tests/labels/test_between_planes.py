"""Labels from plane to plane: shapes between shapes, and a plane copied into the next."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from segstudio.errors import UserError
from segstudio.labels.document import Document
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassId, ObjectId, Origin, Touch
from segstudio.labels.paint.objects.parts import Report
from segstudio.labels.paint.planes.copying import copied_plane
from segstudio.labels.paint.planes.interpolation import interpolated, spans_of
from segstudio.labels.paint.planes.shape_between import edge_distances, shape_between
from segstudio.labels.paint.policy import MayTouch
from tests.labels.label_strategies import a_document, pixels
from tests.labels.object_plates import CLASSES, applied
from tests.labels.regions import region_of

W, H = 300, 64
"""Over the border of two tiles."""
PLANES = 11
ALL = MayTouch()


def disc(x: float, y: float, radius: float) -> NDArray[np.bool_]:
    yy, xx = np.mgrid[:H, :W] + 0.5
    return np.hypot(xx - x, yy - y) <= radius


def stack(
    painted: Mapping[int, Mapping[int, NDArray[np.bool_]]],
    origin: Origin = Origin.PAINTED,
    sizes: tuple[tuple[int, int], ...] = ((W, H),) * PLANES,
) -> Document:
    """Objects 1 (background), 2 (semantic), 3 and 4 (instances), 5 (locked class), by plane and object."""
    document = a_document(*sizes)
    gesture = Gesture(document, Cause.PAINT)
    for class_id in (1, 2, 3, 3, 4):
        gesture.new_object(ClassId(class_id))
    for plane, objects in painted.items():
        for object_id, mask in objects.items():
            gesture.paint_region(plane, region_of(document.raster.bounds(plane), mask), ObjectId(object_id), origin)
    gesture.commit()
    return document


def add(document: Document, plane: int, object_id: int, mask: NDArray[np.bool_], origin: Origin) -> None:
    gesture = Gesture(document, Cause.PAINT)
    gesture.paint_region(plane, region_of(document.raster.bounds(plane), mask), ObjectId(object_id), origin)
    gesture.commit()


def ids(document: Document, plane: int) -> NDArray[np.uint32]:
    return pixels(document, plane)[0]


def interpolate(document: Document, **options: int) -> Report:
    report = Report()
    applied(document, interpolated(document, CLASSES, report, **options))
    return report


# -- shapes ------------------------------------------------------------------------------------------------------------


@st.composite
def masks(draw: st.DrawFn) -> NDArray[np.bool_]:
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    mask = np.zeros((40, 50), np.bool_)
    for _disc in range(draw(st.integers(1, 4))):
        yy, xx = np.mgrid[:40, :50]
        mask |= np.hypot(xx - rng.integers(50), yy - rng.integers(40)) <= rng.integers(1, 15)
    return mask


@given(masks(), st.floats(0, 1))
def test_between_equal_shapes_lies_the_same_shape(mask: NDArray[np.bool_], fraction: float) -> None:
    assert np.array_equal(shape_between(mask, mask, fraction), mask)


@given(masks(), masks())
def test_at_both_ends_are_the_shapes_themselves(first: NDArray[np.bool_], last: NDArray[np.bool_]) -> None:
    assert np.array_equal(shape_between(first, last, 0), first)
    assert np.array_equal(shape_between(first, last, 1), last)


@given(masks(), masks(), st.floats(0, 1))
def test_between_lies_what_both_have_and_nothing_that_neither_has(
    first: NDArray[np.bool_], last: NDArray[np.bool_], fraction: float
) -> None:
    between = shape_between(first, last, fraction)
    assert between[first & last].all()
    assert not between[~(first | last)].any()


@given(masks(), st.floats(0, 1))
def test_between_a_shape_and_nothing_lies_nothing(mask: NDArray[np.bool_], fraction: float) -> None:
    nothing = np.zeros_like(mask)
    assert not shape_between(mask, nothing, fraction).any()
    assert not shape_between(nothing, mask, fraction).any()


@settings(max_examples=40)
@given(st.floats(2, 28), st.floats(2, 28), st.floats(0.05, 0.95))
def test_between_two_discs_lies_a_disc_of_the_radius_between_within_a_pixel(a: float, b: float, at: float) -> None:
    between = shape_between(disc(150, 32, a), disc(150, 32, b), at)
    radius = (1 - at) * a + at * b
    assert not between[~disc(150, 32, radius + 1)].any()
    assert between[disc(150, 32, radius - 1)].all()


@given(masks())
def test_distances_are_positive_inside_and_half_a_pixel_at_the_edge(mask: NDArray[np.bool_]) -> None:
    found = edge_distances(mask)
    assert np.array_equal(found > 0, mask)
    if mask.any() and not mask.all():
        assert np.abs(found).min() == 0.5


# -- interpolation -----------------------------------------------------------------------------------------------------


def test_an_object_is_filled_between_its_planes_keeps_its_id_and_counts_as_computed() -> None:
    document = stack({2: {3: disc(256, 30, 10)}, 8: {3: disc(256, 30, 20)}})
    report = interpolate(document)
    assert report.number == 5
    for plane in range(PLANES):
        found, origins = pixels(document, plane)
        if 2 < plane < 8:
            radius = 10 + (plane - 2) * 10 / 6
            assert not (found[~disc(256, 30, radius + 1)]).any()
            assert (found[disc(256, 30, radius - 1)] == 3).all()
            assert (origins[found == 3] == Origin.COMPUTED).all()
        elif plane not in (2, 8):
            assert not found.any(), "nothing is made up beyond the planes that somebody labelled"


def test_only_what_is_unlabelled_is_filled() -> None:
    document = stack({0: {3: disc(60, 30, 20)}, 10: {3: disc(60, 30, 20)}, 5: {2: disc(60, 30, 5)}})
    interpolate(document)
    found = ids(document, 5)
    assert (found[disc(60, 30, 5)] == 2).all()
    assert (found[disc(60, 30, 20) & ~disc(60, 30, 5)] == 3).all()


def test_each_span_goes_from_one_labelled_plane_to_the_next() -> None:
    shapes = {0: disc(60, 30, 10), 4: disc(60, 30, 20), 8: disc(60, 30, 10)}
    document = stack({plane: {3: mask} for plane, mask in shapes.items()})
    interpolate(document)
    assert np.array_equal(ids(document, 2) == 3, shape_between(shapes[0], shapes[4], 0.5))
    assert np.array_equal(ids(document, 6) == 3, shape_between(shapes[4], shapes[8], 0.5))


def test_a_computed_plane_ends_no_span_and_a_corrected_one_does() -> None:
    document = stack({0: {3: disc(60, 30, 10)}, 10: {3: disc(60, 30, 10)}})
    interpolate(document)
    assert [(span.first, span.last) for span in spans_of(document)] == [(0, 10)]
    add(document, 5, 3, disc(60, 30, 3), Origin.PAINTED)
    assert [(span.first, span.last) for span in spans_of(document)] == [(0, 5), (5, 10)]


def test_a_plane_that_is_labelled_throughout_ends_the_spans_of_what_is_not_in_it() -> None:
    whole = np.ones((H, W), np.bool_)
    document = stack({0: {3: disc(60, 30, 10)}, 5: {1: whole}, 10: {3: disc(60, 30, 10)}})
    assert spans_of(document) == []


def test_spans_end_where_the_next_point_in_time_begins() -> None:
    document = stack({0: {3: disc(60, 30, 10)}, 4: {3: disc(60, 30, 10)}, 7: {3: disc(60, 30, 10)}})
    assert [(span.first, span.last) for span in spans_of(document, run=5)] == [(0, 4)]


def test_around_a_plane_only_the_spans_over_it_are_filled() -> None:
    mask = disc(60, 30, 10)
    document = stack({0: {3: mask}, 4: {3: mask}, 10: {3: mask}})
    assert interpolate(document, around=6).number == 5
    assert not ids(document, 2).any()
    assert (ids(document, 9) == 3).any()


def test_where_two_objects_meet_a_pixel_is_that_of_which_it_lies_deeper_inside() -> None:
    left, right = np.zeros((H, W), np.bool_), np.zeros((H, W), np.bool_)
    left[:, 20:100], right[:, 100:180] = True, True
    document = stack({0: {3: left, 4: right}, 10: {3: left, 4: right}})
    interpolate(document)
    assert np.array_equal(ids(document, 5) == 3, left)
    assert np.array_equal(ids(document, 5) == 4, right)


def test_a_background_over_the_whole_plane_surrounds_what_is_interpolated() -> None:
    first, last = disc(60, 30, 10), disc(60, 30, 20)
    document = stack({0: {1: ~first, 3: first}, 10: {1: ~last, 3: last}})
    interpolate(document)
    between = shape_between(first, last, 0.5)
    assert np.array_equal(ids(document, 5) == 3, between)
    assert (ids(document, 5)[~shape_between(first, last, 0.6)] == 1).all()


def test_locked_classes_are_passed_over() -> None:
    document = stack({0: {5: disc(60, 30, 10)}, 10: {5: disc(60, 30, 10)}})
    report = interpolate(document)
    assert (report.number, report.left) == (0, 1)
    assert not ids(document, 5).any()


def test_between_planes_of_other_sizes_nothing_is_made_up() -> None:
    mask = disc(60, 30, 10)
    document = stack({0: {3: mask}, 2: {3: mask}}, sizes=((W, H), (W, H + 1), (W, H)))
    assert interpolate(document).number == 0


# -- copies ------------------------------------------------------------------------------------------------------------


def copy(document: Document, may: MayTouch = ALL, **options: object) -> Report:
    report = Report()
    applied(document, copied_plane(document, (0, 1), CLASSES, may, report, **options))  # type: ignore[arg-type]
    return report


def test_a_copied_plane_has_the_same_objects_in_the_same_place() -> None:
    document = stack({0: {2: disc(60, 30, 20), 3: disc(256, 30, 20)}, 1: {4: disc(60, 30, 5)}})
    before = ids(document, 0).copy()
    report = copy(document)
    assert report.number == 2
    assert np.array_equal(ids(document, 1), before)
    assert np.array_equal(ids(document, 0), before)
    found, origins = pixels(document, 1)
    assert (origins[found != 0] == Origin.PAINTED).all()


def test_one_class_may_be_copied_alone() -> None:
    document = stack({0: {2: disc(60, 30, 20), 3: disc(256, 30, 20)}})
    copy(document, only=[ClassId(3)])
    assert set(np.unique(ids(document, 1)).tolist()) == {0, 3}


def test_copies_cover_only_what_the_policy_allows() -> None:
    document = stack({0: {3: disc(60, 30, 20)}, 1: {2: disc(60, 30, 5)}})
    copy(document, MayTouch(Touch.UNLABELLED))
    assert (ids(document, 1)[disc(60, 30, 5)] == 2).all()
    assert (ids(document, 1)[disc(60, 30, 20) & ~disc(60, 30, 5)] == 3).all()


def test_what_is_locked_is_neither_copied_nor_covered() -> None:
    document = stack({0: {3: disc(60, 30, 20), 5: disc(200, 30, 20)}, 1: {5: disc(60, 30, 5)}})
    report = copy(document)
    assert (report.number, report.left) == (1, 1)
    assert (ids(document, 1)[disc(60, 30, 5)] == 5).all()
    assert not (ids(document, 1)[disc(200, 30, 20)]).any()


def test_planes_of_two_sizes_are_not_copied() -> None:
    document = stack({0: {3: disc(60, 30, 10)}}, sizes=((W, H), (W, H + 1)))
    with pytest.raises(UserError, match="differ in size"):
        copy(document)
