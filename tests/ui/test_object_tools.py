"""Pick, split and the operations on objects, by real mouse and key events in a real window."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDoubleSpinBox, QLabel, QPushButton, QWidget

from segstudio.app.editing.tools.overlay import Circle, Polyline
from segstudio.app.values import Rest
from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ClassId, ObjectId
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

SIZE = (600, 400)
GREY = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
LEFT = Qt.MouseButton.LeftButton
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
NONE = Qt.KeyboardModifier.NoModifier
NUCLEUS, TISSUE = 2, 3
"""Ids of the classes: 'nucleus' has separate objects, 'tissue' is one area."""


class Hand:
    """A window with one grey image, and the hands in front of it."""

    def __init__(self, window: MainWindow, desk: Desk) -> None:
        self.window, self.desk = window, desk
        self.canvas = window.canvas

    def at(self, x: float, y: float) -> QPoint:
        return self.canvas.to_widget(x, y).toPoint()

    def click(self, x: float, y: float, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.mouseClick(self.canvas, LEFT, modifiers, self.at(x, y))

    def hover(self, x: float, y: float) -> None:
        QTest.mouseMove(self.canvas, self.at(x, y))

    def drag(self, *points: tuple[float, float], modifiers: Qt.KeyboardModifier = NONE, lift: bool = True) -> None:
        QTest.mousePress(self.canvas, LEFT, modifiers, self.at(*points[0]))
        for point in points[1:]:
            QTest.mouseMove(self.canvas, self.at(*point))
        if lift:
            QTest.mouseRelease(self.canvas, LEFT, modifiers, self.at(*points[-1]))

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self.canvas, key, modifiers)

    def nucleus(self, *rects: Rect, class_id: int = NUCLEUS) -> ObjectId:
        """An object of these rectangles, painted without a pointer."""
        made = ObjectId(self.desk.document.next_object)
        self.desk.paint(rects[0], class_id)
        from tests.store.store_painting import painted

        for rect in rects[1:]:
            self.desk.documents.commit(painted(self.desk.document, rect, made))
        return made

    def ids(self) -> NDArray[np.uint32]:
        return self.desk.document.raster.read(0, Rect(0, 0, *SIZE))[0]

    def selected(self) -> set[int]:
        return set(self.desk.documents.selection.ids)

    def said(self, words: str) -> None:
        self.desk.wait(lambda: any(words in sentence for sentence in self.desk.said))

    def edited(self, action: Callable[[], object]) -> None:
        """Do it and wait for its one edit."""
        before = self.desk.edits
        action()
        self.desk.wait(lambda: self.desk.edits > before)
        assert self.desk.edits == before + 1

    def lock(self, class_id: int, locked: bool = True) -> None:
        row = changed_class_row(self.desk.documents.classes[ClassId(class_id)], locked=locked)
        self.desk.documents.commit_classes(Edit(None, Cause.CLASSES, rows=(row,)))


@pytest.fixture
def hand(empty_window: MainWindow, desk: Desk) -> Hand:
    desk.show({"a.png": GREY, "b.png": GREY[:300, :500]}, ["nucleus::instance", "tissue"])
    desk.session.tools.set_new_object(False)
    empty_window.canvas.setFocus()
    empty_window.canvas.zoom_to_fit()
    desk.documents.choose_class("nucleus")
    return Hand(empty_window, desk)


# -- pick ------------------------------------------------------------------------------------------------------------


def test_a_click_selects_the_object_under_it_and_beside_objects_nothing(hand: Hand) -> None:
    a, b = hand.nucleus(Rect(50, 50, 60, 60)), hand.nucleus(Rect(250, 240, 40, 40))
    edits = hand.desk.edits
    hand.key(Qt.Key.Key_X)
    hand.click(80, 80)
    assert hand.selected() == {a}
    hand.click(270, 260, SHIFT)
    assert hand.selected() == {a, b}
    hand.click(80, 80, SHIFT)
    assert hand.selected() == {b}
    hand.click(400, 100)
    assert hand.selected() == set()
    assert hand.desk.edits == edits


def test_a_box_selects_what_is_in_it_and_with_shift_in_addition(hand: Hand) -> None:
    a, b = hand.nucleus(Rect(50, 50, 30, 30)), hand.nucleus(Rect(240, 240, 40, 40))
    c = hand.nucleus(Rect(450, 60, 40, 40))
    hand.key(Qt.Key.Key_X)
    hand.drag((30, 30), (100, 90), (270, 270))
    hand.desk.wait(lambda: hand.selected() == {a, b})
    hand.drag((440, 40), (470, 70), modifiers=SHIFT)
    hand.desk.wait(lambda: hand.selected() == {a, b, c})
    hand.drag((520, 300), (560, 340))
    hand.desk.wait(lambda: hand.selected() == set())


def test_the_box_is_shown_while_it_is_dragged_and_escape_drops_it(hand: Hand) -> None:
    a = hand.nucleus(Rect(50, 50, 30, 30))
    hand.key(Qt.Key.Key_X)
    hand.click(60, 60)
    hand.drag((200, 200), (300, 300), lift=False)
    assert isinstance(hand.desk.session.tools.overlay[0], Polyline)
    hand.key(Qt.Key.Key_Escape)
    assert hand.desk.session.tools.overlay == ()
    QTest.mouseRelease(hand.canvas, LEFT, NONE, hand.at(300, 300))
    assert hand.selected() == {a}


def test_another_image_takes_the_selection_away(hand: Hand) -> None:
    hand.nucleus(Rect(50, 50, 30, 30))
    hand.desk.session.select([1])
    assert hand.selected() == {1}
    hand.desk.shows(1)
    assert hand.selected() == set()


def test_a_read_only_window_picks_and_changes_nothing(empty_window: MainWindow, desk: Desk) -> None:
    desk.load(read_only=True)
    desk.shows(0)
    first = next(iter(desk.document.objects))
    desk.session.select([first])
    assert set(desk.documents.selection.ids) == {first}
    empty_window.canvas.setFocus()
    for key in (Qt.Key.Key_M, Qt.Key.Key_Delete):
        desk.said.clear()
        QTest.keyClick(empty_window.canvas, key)
        assert any("read-only" in sentence for sentence in desk.said)
    hand = Hand(empty_window, desk)
    hand.key(Qt.Key.Key_D)
    desk.said.clear()
    hand.click(100, 100)
    assert any("read-only" in sentence for sentence in desk.said)
    assert not desk.documents.gesture_active


# -- new object ------------------------------------------------------------------------------------------------------


def test_j_lets_the_next_stroke_begin_an_object_on_top_of_another_one_and_only_that_one(hand: Hand) -> None:
    a = hand.nucleus(Rect(50, 50, 200, 200))
    hand.key(Qt.Key.Key_B)
    hand.key(Qt.Key.Key_J)
    assert hand.window.bars.action("new-object").isChecked()
    hand.said("begins a new object")
    hand.drag((100, 100), (120, 100))
    b = int(hand.ids()[100, 110])
    assert b not in (0, a)
    assert not hand.window.bars.action("new-object").isChecked()
    hand.drag((200, 200), (210, 210))
    assert hand.ids()[205, 205] == a


def test_j_waits_for_a_stroke_whatever_else_makes_an_object(hand: Hand) -> None:
    hand.nucleus(Rect(100, 100, 80, 60))
    hand.key(Qt.Key.Key_J)
    hand.key(Qt.Key.Key_D)
    hand.edited(lambda: hand.drag((140, 80), (140, 130), (140, 180)))
    assert hand.desk.session.tools.new_object
    hand.key(Qt.Key.Key_B)
    QTest.mouseClick(hand.canvas, Qt.MouseButton.RightButton, NONE, hand.at(400, 300))
    assert hand.desk.session.tools.new_object, "background was painted for the first time"
    hand.edited(lambda: hand.click(140, 130))
    assert not hand.desk.session.tools.new_object


def test_j_pressed_twice_is_as_before_and_a_semantic_class_has_no_new_object(hand: Hand) -> None:
    a = hand.nucleus(Rect(50, 50, 200, 200))
    hand.key(Qt.Key.Key_J)
    hand.key(Qt.Key.Key_J)
    hand.drag((100, 100), (120, 100))
    assert hand.ids()[100, 110] == a
    hand.desk.documents.choose_class("tissue")
    hand.key(Qt.Key.Key_J)
    hand.said("'tissue' is one area")
    assert not hand.window.bars.action("new-object").isChecked()


# -- split -----------------------------------------------------------------------------------------------------------


def test_a_line_dragged_across_makes_two_objects_which_undo_makes_one(hand: Hand) -> None:
    a = hand.nucleus(Rect(100, 100, 120, 60))
    before = hand.ids()
    hand.key(Qt.Key.Key_D)
    hand.edited(lambda: hand.drag((180, 80), (180, 120), (180, 180)))
    ids = hand.ids()
    assert (ids[110:150, 105:170] == a).all(), "the larger part keeps the id"
    assert (ids[110:150, 190:215] == a + 1).all()
    assert hand.selected() == {a, a + 1}
    hand.key(Qt.Key.Key_Z, CTRL)
    hand.desk.wait(lambda: np.array_equal(hand.ids(), before))
    hand.desk.wait(lambda: hand.selected() == {a})
    hand.key(Qt.Key.Key_Z, CTRL | SHIFT)
    hand.desk.wait(lambda: np.array_equal(hand.ids(), ids))


def test_two_clicks_cut_along_a_straight_line(hand: Hand) -> None:
    a = hand.nucleus(Rect(100, 100, 120, 60))
    hand.key(Qt.Key.Key_D)
    hand.click(140, 80)
    hand.hover(140, 150)
    assert any(isinstance(shape, Polyline) for shape in hand.desk.session.tools.overlay)
    hand.edited(lambda: hand.click(140, 190))
    assert hand.ids()[130, 200] == a
    assert hand.ids()[130, 110] == a + 1
    assert hand.desk.session.tools.overlay == ()


def test_a_line_that_cuts_nothing_says_why(hand: Hand) -> None:
    hand.nucleus(Rect(100, 100, 120, 60))
    hand.nucleus(Rect(300, 100, 120, 60), class_id=TISSUE)
    edits = hand.desk.edits
    hand.key(Qt.Key.Key_D)
    hand.drag((140, 80), (140, 130))
    hand.said("does not cross an object")
    hand.drag((350, 80), (350, 180))
    hand.said("'tissue' is one area")
    hand.drag((500, 300), (550, 300))
    hand.said("no object on the line")
    hand.lock(NUCLEUS)
    hand.desk.said.clear()
    hand.drag((140, 80), (140, 180))
    hand.said("'nucleus' is locked")
    assert hand.desk.edits == edits + 1, "the lock alone"
    assert not hand.desk.documents.gesture_active


@pytest.mark.parametrize("ending", ["escape", "undo", "tool", "image", "focus", "save"])
def test_a_straight_line_that_is_left_unfinished_cuts_nothing(hand: Hand, ending: str) -> None:
    hand.nucleus(Rect(100, 100, 120, 60))
    before, edits = hand.ids(), hand.desk.edits
    hand.key(Qt.Key.Key_D)
    hand.click(140, 80)
    assert hand.desk.documents.gesture_active
    if ending == "escape":
        hand.key(Qt.Key.Key_Escape)
    elif ending == "undo":
        hand.key(Qt.Key.Key_Z, CTRL)
    elif ending == "tool":
        hand.key(Qt.Key.Key_B)
    elif ending == "save":
        hand.key(Qt.Key.Key_S, CTRL)
    elif ending == "focus":
        QApplication.sendEvent(hand.canvas, QFocusEvent(QEvent.Type.FocusOut))
        assert hand.desk.documents.gesture_active, "the second click may still come"
        hand.key(Qt.Key.Key_Escape)
    else:
        hand.desk.shows(1)
        hand.desk.shows(0)
    assert not hand.desk.documents.gesture_active
    assert hand.desk.edits == edits
    np.testing.assert_array_equal(hand.ids(), before)


def test_a_line_that_is_being_computed_is_kept_by_another_tool_and_seen(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = hand.nucleus(Rect(100, 100, 120, 60))
    seen: list[Rect] = []
    hand.desk.documents.changed.connect(lambda change: seen.append(change.rect))
    hand.key(Qt.Key.Key_D)
    hand.drag((180, 80), (180, 180))
    hand.edited(lambda: hand.key(Qt.Key.Key_B))
    assert hand.ids()[130, 200] == a + 1
    assert any(not rect.intersected(Rect(200, 130, 1, 1)).empty for rect in seen)


# -- the selection's operations ----------------------------------------------------------------------------------------


def test_m_merges_the_selected_objects_into_the_lowest_id(hand: Hand) -> None:
    a, b = hand.nucleus(Rect(50, 50, 60, 60)), hand.nucleus(Rect(250, 240, 40, 40))
    hand.key(Qt.Key.Key_X)
    hand.click(270, 260)
    hand.key(Qt.Key.Key_M)
    hand.said("at least two")
    hand.click(80, 80, CTRL)
    hand.edited(lambda: hand.key(Qt.Key.Key_M))
    assert hand.ids()[260, 270] == a
    assert hand.selected() == {a}
    hand.key(Qt.Key.Key_Z, CTRL)
    hand.desk.wait(lambda: hand.ids()[260, 270] == b)


def test_objects_of_two_classes_are_not_merged(hand: Hand) -> None:
    a, b = hand.nucleus(Rect(50, 50, 60, 60)), hand.nucleus(Rect(250, 240, 40, 40), class_id=TISSUE)
    hand.desk.session.select([a, b])
    hand.key(Qt.Key.Key_M)
    hand.said("one class")


def test_delete_makes_the_selected_objects_unknown(hand: Hand) -> None:
    hand.nucleus(Rect(50, 50, 60, 60))
    b = hand.nucleus(Rect(250, 240, 40, 40))
    hand.desk.session.select([b])
    hand.edited(lambda: hand.key(Qt.Key.Key_Delete))
    assert not (hand.ids() == b).any()
    assert hand.selected() == set()
    hand.key(Qt.Key.Key_Delete)
    hand.said("No object is selected")


def test_an_object_cut_in_two_by_hand_becomes_two_by_one_key(hand: Hand) -> None:
    a = hand.nucleus(Rect(100, 100, 120, 60))
    hand.desk.documents.choose_class("background")
    hand.key(Qt.Key.Key_B)
    hand.desk.session.set_brush_radius(4)
    hand.drag((180, 80), (180, 180))
    hand.desk.documents.choose_class("nucleus")
    assert set(np.unique(hand.ids()[130]).tolist()) >= {a}
    assert (hand.ids()[130, [110, 210]] == a).all(), "one object of two parts, as it is exported and counted"
    hand.said("in separate parts now: Shift+D")
    hand.edited(lambda: hand.key(Qt.Key.Key_D, SHIFT))
    assert hand.ids()[130, 110] == a
    assert hand.ids()[130, 210] not in (0, a)
    hand.desk.said.clear()
    hand.desk.documents.selection.clear()
    hand.key(Qt.Key.Key_D, SHIFT)
    hand.said("No object has several parts")


@pytest.mark.parametrize(
    ("key", "modifiers", "changed"),
    [
        (Qt.Key.Key_H, SHIFT, (125, 125)),
        (Qt.Key.Key_BracketRight, CTRL, (99, 120)),
        (Qt.Key.Key_BracketLeft, CTRL, (100, 120)),
        (Qt.Key.Key_M, SHIFT, (300, 120)),
        (Qt.Key.Key_L, SHIFT, (300, 120)),
        (Qt.Key.Key_Delete, CTRL, (300, 120)),
    ],
)
def test_the_shape_of_the_selected_object_is_changed_by_a_key_in_one_step(
    hand: Hand, key: Qt.Key, modifiers: Qt.KeyboardModifier, changed: tuple[int, int]
) -> None:
    a = hand.nucleus(Rect(100, 100, 60, 60), Rect(300, 120, 2, 2))
    hand.desk.erase(Rect(120, 120, 10, 10))
    before = hand.ids()
    hand.desk.session.select([a])
    hand.edited(lambda: hand.key(key, modifiers))
    x, y = changed
    assert (hand.ids()[y, x] == a) != (before[y, x] == a)
    hand.key(Qt.Key.Key_Z, CTRL)
    hand.desk.wait(lambda: np.array_equal(hand.ids(), before))


def test_the_part_under_the_pointer_is_dropped(hand: Hand) -> None:
    a = hand.nucleus(Rect(100, 100, 60, 60), Rect(300, 120, 30, 30))
    hand.hover(310, 130)
    hand.edited(lambda: hand.key(Qt.Key.Key_Delete, SHIFT))
    assert not (hand.ids()[:, 290:] == a).any()
    assert (hand.ids()[100:160, 100:160] == a).all()
    hand.hover(500, 300)
    hand.key(Qt.Key.Key_Delete, SHIFT)
    hand.said("no object under the pointer")


def test_growing_leaves_other_objects_alone_unless_the_option_says_otherwise(hand: Hand) -> None:
    a, b = hand.nucleus(Rect(100, 100, 40, 40)), hand.nucleus(Rect(140, 100, 40, 40))
    hand.desk.session.select([a])
    hand.edited(lambda: hand.key(Qt.Key.Key_BracketRight, CTRL))
    assert (hand.ids()[110:130, 140:180] == b).all()
    hand.key(Qt.Key.Key_X)
    hand.desk.session.tools.set_option("over-objects", True)
    hand.edited(lambda: hand.key(Qt.Key.Key_BracketRight, CTRL))
    assert (hand.ids()[110:130, 140:142] == a).all()
    hand.desk.session.tools.set_option("over-objects", False)


def test_copies_are_pasted_into_the_next_image_and_a_word_says_what_was_cut_off(hand: Hand) -> None:
    a, b = hand.nucleus(Rect(50, 50, 60, 60)), hand.nucleus(Rect(480, 280, 40, 40))
    hand.desk.session.select([a, b])
    hand.key(Qt.Key.Key_C, CTRL)
    hand.said("2 objects copied")
    hand.desk.shows(1)
    hand.edited(lambda: hand.key(Qt.Key.Key_V, CTRL))
    hand.said("2 objects pasted. 1 does not fit and was cut off.")
    ids = hand.desk.document.raster.read(0, Rect(0, 0, 500, 300))[0]
    assert (ids[50:110, 50:110] == 1).all()
    assert (ids[280:300, 480:500] == 2).all()
    assert hand.selected() == {1, 2}
    hand.edited(lambda: hand.key(Qt.Key.Key_V, CTRL))
    assert hand.selected() == {3, 4}


def test_nothing_is_pasted_where_nothing_was_copied(hand: Hand) -> None:
    hand.key(Qt.Key.Key_V, CTRL)
    hand.said("Nothing was copied")
    hand.key(Qt.Key.Key_C, CTRL)
    hand.said("No object is selected")


def test_no_operation_changes_an_object_of_a_locked_class(hand: Hand) -> None:
    a = hand.nucleus(Rect(100, 100, 60, 60), Rect(300, 120, 3, 2))
    b = hand.nucleus(Rect(200, 100, 60, 60))
    hand.desk.erase(Rect(120, 120, 10, 10))
    hand.desk.session.select([a, b])
    hand.key(Qt.Key.Key_C, CTRL)
    hand.said("2 objects copied")
    hand.lock(NUCLEUS)
    before, edits = hand.ids(), hand.desk.edits
    hand.hover(301.5, 121)
    keys = [
        (Qt.Key.Key_M, NONE), (Qt.Key.Key_Delete, NONE), (Qt.Key.Key_D, SHIFT), (Qt.Key.Key_H, SHIFT),
        (Qt.Key.Key_BracketRight, CTRL), (Qt.Key.Key_BracketLeft, CTRL), (Qt.Key.Key_M, SHIFT), (Qt.Key.Key_L, SHIFT),
        (Qt.Key.Key_Delete, CTRL), (Qt.Key.Key_Delete, SHIFT), (Qt.Key.Key_V, CTRL),
    ]  # fmt: skip
    for key, modifiers in keys:
        hand.desk.said.clear()
        hand.key(key, modifiers)
        hand.said("locked")
    hand.desk.documents.selection.clear()
    hand.key(Qt.Key.Key_D, SHIFT)
    hand.said("No object has several parts")
    hand.key(Qt.Key.Key_E, CTRL | SHIFT)
    specks = hand.desk.opened.specks
    hand.desk.wait(lambda: specks.found is not None)
    assert specks.found is not None
    assert specks.found.number == 0
    specks.close()
    assert hand.desk.edits == edits
    np.testing.assert_array_equal(hand.ids(), before)


def test_neither_accept_nor_done_changes_a_locked_class(hand: Hand) -> None:
    hand.nucleus(Rect(100, 100, 60, 60))
    hand.lock(NUCLEUS)
    before = hand.ids()
    hand.desk.opened.finishing.set_rest(Rest.PROPOSAL)
    hand.desk.proposed(NUCLEUS)
    hand.desk.session.accept_proposal()
    hand.said("Nothing to accept")
    np.testing.assert_array_equal(hand.ids(), before)


def test_a_painted_core_and_the_accepted_rest_are_one_object(hand: Hand) -> None:
    a = hand.nucleus(Rect(100, 100, 60, 60))
    hand.desk.proposed(NUCLEUS)
    hand.edited(lambda: hand.key(Qt.Key.Key_A))
    assert (hand.ids() == a).all()


# -- specks ----------------------------------------------------------------------------------------------------------


def test_specks_are_counted_and_marked_before_they_are_erased(hand: Hand) -> None:
    hand.nucleus(Rect(100, 100, 60, 60))
    for x in (300, 320, 340):
        hand.nucleus(Rect(x, 200, 2, 2))
    hand.nucleus(Rect(400, 300, 4, 5))
    hand.key(Qt.Key.Key_E, CTRL | SHIFT)
    strip = hand.window.findChild(QWidget, "speckStrip")
    text = hand.window.findChild(QLabel, "speckText")
    size = hand.window.findChild(QDoubleSpinBox, "speckSize")
    erase = hand.window.findChild(QPushButton, "speckErase")
    assert strip is not None
    assert text is not None
    assert size is not None
    assert erase is not None
    hand.desk.wait(lambda: "3 parts" in text.text())
    assert strip.isVisible()
    assert "12 pixels" in text.text()
    overlay = hand.desk.session.tools.overlay
    assert [type(shape) for shape in overlay] == [Circle] * 3
    size.setValue(25)
    hand.desk.wait(lambda: "4 parts" in text.text())
    hand.click(500, 50)  # a stroke with the brush: what was found is of before it
    assert not strip.isVisible()
    hand.key(Qt.Key.Key_E, CTRL | SHIFT)
    hand.desk.wait(lambda: "4 parts" in text.text())
    hand.edited(lambda: QTest.mouseClick(erase, LEFT))
    hand.said("4 specks erased")
    assert not strip.isVisible()
    assert not hand.ids()[190:320, 290:420].any()
    assert hand.desk.session.tools.overlay == ()
    size.setValue(9)


def test_the_strip_of_specks_is_left_by_escape_and_by_another_image(hand: Hand) -> None:
    strip = hand.window.findChild(QWidget, "speckStrip")
    assert strip is not None
    hand.key(Qt.Key.Key_E, CTRL | SHIFT)
    hand.desk.wait(lambda: strip.isVisible() and hand.desk.opened.specks.found is not None)
    hand.key(Qt.Key.Key_Escape)
    assert not strip.isVisible()
    hand.key(Qt.Key.Key_E, CTRL | SHIFT)
    assert strip.isVisible()
    hand.desk.shows(1)
    assert not strip.isVisible()


# -- large ones ------------------------------------------------------------------------------------------------------


def test_what_does_not_fit_into_memory_is_written_as_a_job_and_undone(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hand.nucleus(Rect(20, 20, 300, 300)), hand.nucleus(Rect(400, 20, 100, 300))
    hand.nucleus(Rect(550, 50, 2, 2))
    before = hand.ids()
    hand.desk.settle()
    monkeypatch.setattr(hand.desk.documents, "largest_edit_bytes", 1000)
    hand.desk.session.select([a, b])
    hand.edited(lambda: hand.key(Qt.Key.Key_M))
    hand.desk.wait(lambda: not hand.desk.documents.busy)
    np.testing.assert_array_equal(hand.ids(), np.where(before == b, a, before))
    assert hand.selected() == {a}
    hand.key(Qt.Key.Key_E, CTRL | SHIFT)
    specks = hand.desk.opened.specks
    hand.desk.wait(lambda: specks.found is not None)
    hand.edited(specks.erase)
    hand.desk.wait(lambda: not hand.desk.documents.busy)
    hand.said("1 speck erased")
    assert not hand.ids()[50:52, 550:552].any()
    for _ in range(2):
        hand.key(Qt.Key.Key_Z, CTRL)
        hand.desk.wait(lambda: not hand.desk.documents.busy)
    hand.desk.wait(lambda: np.array_equal(hand.ids(), before))


def test_painting_while_an_operation_is_computed_is_kept_and_the_operation_is_made_on_it(hand: Hand) -> None:
    a = hand.nucleus(Rect(100, 100, 60, 60))
    hand.desk.session.select([a])
    hand.drag((130, 130), (230, 130), lift=False)
    hand.key(Qt.Key.Key_BracketRight, CTRL)
    hand.desk.wait(lambda: hand.desk.edits >= 3)
    QTest.mouseRelease(hand.canvas, LEFT, NONE, hand.at(230, 130))
    assert hand.ids()[130, 225] == a
    assert hand.ids()[98, 120] == a
