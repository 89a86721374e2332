"""The table of objects of the image on screen: measured while it is looked at, kept up by the tiles that changed."""

from collections.abc import Iterator

import numpy as np
import pytest

from segstudio.app.editing.tools.pointer import Phase
from segstudio.app.viewing import object_rows
from segstudio.app.viewing.object_rows import ObjectRows
from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause
from tests.app.proposal_desk import Desk
from tests.shown_pixels import whole


@pytest.fixture
def rows(desk: Desk) -> Iterator[ObjectRows]:
    change(desk, "cell", kind="instance")
    owner = ObjectRows(desk.ground, desk.documents, desk.navigation)
    desk.documents.tools.set_radius(3)
    yield owner
    owner.close()


def change(desk: Desk, name: str, **columns: object) -> None:
    found = desk.documents.classes.named(name)
    assert found is not None
    edit = Edit(None, Cause.CLASSES, rows=(changed_class_row(found, **columns),))  # type: ignore[arg-type]
    desk.documents.commit_classes(edit)


def until(desk: Desk, rows: ObjectRows, count: int) -> None:
    desk.qtbot.waitUntil(lambda: rows.table is not None and len(rows.table) == count and not rows.measuring)


def check(desk: Desk, rows: ObjectRows) -> None:
    """What the table says of pixels, boxes and values is what the arrays hold."""
    ids, origins = desk.read()
    values = whole(desk.navigation.display)[..., 0]
    assert rows.table is not None
    for n, id_ in enumerate(rows.table.ids.tolist()):
        mask = ids == id_
        ys, xs = np.nonzero(mask)
        assert rows.table.sums.areas[n] == mask.sum()
        assert rows.table.rect(n) == Rect.of_edges(xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
        assert rows.table.sums.origins[n, 1] == (origins[mask] == 1).sum()
        assert rows.table.means[n, 0] == pytest.approx(values[mask].mean())


def test_nothing_is_measured_until_somebody_looks(desk: Desk, rows: ObjectRows) -> None:
    desk.shows(0)
    desk.stroke(10, 10)
    desk.qtbot.wait(150)
    assert rows.table is None
    assert not rows.measuring
    rows.watch(True)
    until(desk, rows, 1)
    check(desk, rows)


def test_rows_follow_strokes_undo_and_another_image(desk: Desk, rows: ObjectRows) -> None:
    rows.watch(True)
    desk.shows(0)
    until(desk, rows, 0)
    desk.stroke(10, 10)
    desk.stroke(40, 10)
    until(desk, rows, 2)
    check(desk, rows)
    desk.documents.undo()
    until(desk, rows, 1)
    desk.navigation.open(1)
    assert rows.table is None
    desk.qtbot.waitUntil(lambda: not desk.navigation.loading)
    until(desk, rows, 0)
    desk.shows(0)
    until(desk, rows, 1)
    check(desk, rows)


def test_an_edit_measures_the_tiles_that_it_touched_alone(
    desk: Desk, rows: ObjectRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.watch(True)
    desk.shows(0)
    until(desk, rows, 0)
    measured = []
    real = object_rows.tile_sums
    monkeypatch.setattr(object_rows, "tile_sums", lambda *a: measured.append(a[1]) or real(*a))
    desk.stroke(10, 10)
    until(desk, rows, 1)
    assert len(measured) == 1
    change(desk, "cell", color="#123456")
    desk.qtbot.wait(150)
    until(desk, rows, 1)
    assert len(measured) == 1


def test_a_stroke_under_way_is_measured_when_it_ends(desk: Desk, rows: ObjectRows) -> None:
    rows.watch(True)
    desk.shows(0)
    until(desk, rows, 0)
    desk.pointer(Phase.PRESS, 20, 20)
    desk.qtbot.wait(150)
    assert rows.table is not None
    assert len(rows.table) == 0
    desk.pointer(Phase.RELEASE, 30, 20)
    until(desk, rows, 1)
    check(desk, rows)


def test_a_stroke_that_is_taken_back_in_the_middle_leaves_the_rows_right(desk: Desk, rows: ObjectRows) -> None:
    rows.watch(True)
    desk.shows(0)
    desk.stroke(10, 10)
    until(desk, rows, 1)
    desk.pointer(Phase.PRESS, 20, 20)
    desk.documents.cancel_gesture()
    desk.qtbot.wait(150)
    until(desk, rows, 1)
    check(desk, rows)


def test_a_class_that_goes_takes_its_rows_along(desk: Desk, rows: ObjectRows) -> None:
    rows.watch(True)
    desk.shows(0)
    desk.stroke(10, 10)
    until(desk, rows, 1)
    change(desk, "cell", removed=True)
    until(desk, rows, 0)
