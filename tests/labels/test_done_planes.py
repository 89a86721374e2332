"""How far an image is, plane by plane: what is kept in its row, and that its status follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.labels.done_planes import Marks, is_sound, planes_of, ranges_of
from segstudio.labels.model import Status

PLANES = 12
some = st.sets(st.integers(0, PLANES - 1))


@given(some)
def test_numbers_come_back_from_their_ranges(planes: set[int]) -> None:
    assert planes_of(ranges_of(planes)) == planes


def test_ranges_are_short_and_rise() -> None:
    assert ranges_of([7, 0, 1, 2]) == "0-2,7"
    assert ranges_of(range(300)) == "0-299"
    assert ranges_of([]) == ""


@given(some, some)
def test_planes_are_marked_beside_those_that_are_done_and_the_image_follows(first: set[int], more: set[int]) -> None:
    marks = Marks().with_done(first, PLANES).with_done(more, PLANES)
    assert set(marks.done(PLANES)) == first | more
    assert [plane for plane in range(PLANES) if marks.is_done(plane)] == sorted(first | more)
    whole = len(first | more) == PLANES
    assert marks.status is (Status.DONE if whole else Status.IN_PROGRESS if first | more else Status.NEW)
    assert bool(marks.some) is (bool(first | more) and not whole), "what the status says is not said again"


@given(some, some)
def test_planes_that_are_reopened_leave_the_others_done(done: set[int], again: set[int]) -> None:
    marks = Marks().with_done(done, PLANES).without(again, PLANES)
    assert set(marks.done(PLANES)) == (done - again)
    assert marks.status is (Status.DONE if len(done - again) == PLANES else Status.IN_PROGRESS)


@given(some, some)
def test_the_change_of_a_row_leads_from_one_to_the_other_and_back(before: set[int], after: set[int]) -> None:
    a, b = Marks().with_done(before, PLANES), Marks().with_done(after, PLANES)
    row = a.change(1, b)
    if row is None:
        assert a == b
        return
    assert row.before is not None
    assert row.after is not None
    assert a.changed(row.after) == b
    assert b.changed(row.before) == a


@pytest.mark.parametrize("text", ["x", "1-", "2-x", "-"])
def test_what_is_no_range_of_planes_is_not_kept(text: str) -> None:
    assert not is_sound({"done_planes": text})
    assert is_sound({"done_planes": "0-3,9", "status": "in-progress"})
    assert not is_sound({"status": "finished"})


def test_an_image_of_one_plane_has_its_status_alone() -> None:
    row = Marks(Status.IN_PROGRESS).change(1, Marks(Status.IN_PROGRESS).with_done([0], 1))
    assert row is not None
    assert (row.before, row.after) == ({"status": "in-progress"}, {"status": "done"})
