"""'Paint over' holds for what objects take and for what is pasted, by real keys in a real window."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segstudio.geometry import Rect
from segstudio.labels.model import ObjectId, Touch
from segstudio.labels.paint.limits import ValueRange
from segstudio.ui.window.main_window import MainWindow
from tests.store.store_painting import painted
from tests.ui.desk import Desk

W, H = 600, 400
NUCLEUS, TISSUE = 2, 3
"""Ids of the classes: 'nucleus' has separate objects, 'tissue' is one area."""
MINE, AREA, OTHER = 1, 2, 3
"""Ids of the objects: the nucleus that is changed, the tissue on its left, and another nucleus on its right."""
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
KEYS = {
    "fill-holes": (Qt.Key.Key_H, SHIFT),
    "grow": (Qt.Key.Key_BracketRight, CTRL),
    "smooth": (Qt.Key.Key_M, SHIFT),
    "paste": (Qt.Key.Key_V, CTRL),
}


class Bench:
    """A window with a nucleus over a tile's border that has two holes and a notch; what is around it is labelled."""

    def __init__(self, window: MainWindow, desk: Desk) -> None:
        self.window, self.desk = window, desk
        self.values = np.full((H, W, 3), 100, np.uint8)
        self.values[105:, :] = 180
        desk.show({"a.png": self.values}, ["nucleus::instance", "tissue"])
        desk.paint(Rect(220, 90, 60, 60), NUCLEUS)
        desk.paint(Rect(200, 70, 56, 100), TISSUE)
        desk.paint(Rect(256, 70, 56, 100), NUCLEUS)
        self.put(Rect(220, 90, 60, 60), MINE)
        for hole in (Rect(228, 101, 8, 8), Rect(254, 90, 4, 12)):
            self.put(hole, AREA)
        for hole in (Rect(264, 101, 8, 8), Rect(256, 90, 2, 12)):
            self.put(hole, OTHER)
        self.put(Rect(230, 103, 2, 4), 0)
        desk.session.tools.choose("pick")
        desk.session.tools.set_option("over-objects", True)
        self.select(MINE)

    def put(self, rect: Rect, object_id: int) -> None:
        self.desk.documents.commit(painted(self.desk.document, rect, ObjectId(object_id)))

    def select(self, *ids: int) -> None:
        self.desk.session.select(ids)

    def ids(self) -> NDArray[np.uint32]:
        return self.desk.document.raster.read(0, Rect(0, 0, W, H))[0]

    def copy(self) -> None:
        """Copy the nucleus, and paint other things over most of it."""
        QTest.keyClick(self.window.canvas, Qt.Key.Key_C, CTRL)
        self.desk.wait(lambda: "1 object copied." in self.desk.said)
        self.put(Rect(220, 90, 30, 40), AREA)
        self.put(Rect(256, 90, 20, 40), OTHER)
        self.put(Rect(220, 130, 30, 10), 0)

    def press(self, name: str) -> NDArray[np.bool_]:
        """What the operation took: where another object is now, but for what the nucleus itself lost."""
        before, edits = self.ids(), self.desk.edits
        self.desk.said.clear()
        QTest.keyClick(self.window.canvas, *KEYS[name])
        self.desk.wait(lambda: bool(self.desk.said))
        after = self.ids()
        assert (self.desk.edits > edits) == bool((after != before).any())
        return (after != before) & (after != 0)


@pytest.fixture
def bench(empty_window: MainWindow, desk: Desk) -> Bench:
    empty_window.canvas.setFocus()
    return Bench(empty_window, desk)


def one_class(bench: Bench) -> NDArray[np.bool_]:
    bench.desk.session.set_touch(Touch.CLASS)
    bench.desk.session.tools.limit_class(bench.desk.documents.classes.named("tissue").id)
    return bench.ids() == AREA


def one_object(bench: Bench) -> NDArray[np.bool_]:
    bench.desk.session.set_touch(Touch.OBJECT)
    return np.isin(bench.ids(), list(bench.desk.documents.selection.ids))


def a_range(bench: Bench) -> NDArray[np.bool_]:
    bench.desk.session.set_touch(Touch.RANGE)
    bench.desk.session.tools.limit_values((ValueRange(50, 150),))
    return bench.values.mean(axis=2) <= 150


def unlabelled(bench: Bench) -> NDArray[np.bool_]:
    bench.desk.session.set_touch(Touch.UNLABELLED)
    return bench.ids() == 0


@pytest.mark.parametrize("policy", [one_class, one_object, a_range, unlabelled])
@pytest.mark.parametrize("name", KEYS)
def test_objects_take_and_cover_only_what_the_policy_allows(
    bench: Bench, name: str, policy: Callable[[Bench], NDArray[np.bool_]]
) -> None:
    if name == "paste":
        bench.copy()
        bench.select(OTHER)
    before = bench.ids()
    takes = bench.press(name)
    assert takes.any()
    bench.desk.session.undo()
    bench.desk.wait(lambda: np.array_equal(bench.ids(), before))
    bench.select(OTHER if name == "paste" else MINE)
    allowed = policy(bench)
    if policy in (one_class, a_range):
        assert (takes & allowed).any()
    assert (takes & ~allowed).any()
    np.testing.assert_array_equal(bench.press(name), takes & allowed)


@pytest.mark.parametrize("name", KEYS)
def test_a_class_that_a_stroke_would_choose_where_it_begins_has_to_be_chosen(bench: Bench, name: str) -> None:
    if name == "paste":
        bench.copy()
    bench.desk.session.set_touch(Touch.CLASS)
    assert not bench.press(name).any()
    assert bench.desk.said == ["Nothing is changed: choose the class that may be painted over."]


def test_a_paste_into_one_object_needs_one_that_is_selected(bench: Bench) -> None:
    bench.copy()
    bench.select()
    bench.desk.session.set_touch(Touch.OBJECT)
    assert not bench.press("paste").any()
    assert bench.desk.said == ["Nothing is changed: only one object may be painted over, and none is selected."]
