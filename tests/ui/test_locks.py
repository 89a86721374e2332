"""Objects that are locked: by key, in the table, in the menus; and nothing that a hand does changes them."""

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from segstudio.app.values import Rest
from segstudio.geometry import Rect
from segstudio.labels.model import ObjectId
from segstudio.ui.panels.object_model import COLUMNS
from segstudio.ui.panels.object_table import ObjectPanel
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

Key, NONE, CTRL, SHIFT = (
    Qt.Key,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
LEFT = Qt.MouseButton.LeftButton
SIZE = (600, 400)
GREY = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
NUCLEUS, TISSUE = 2, 3
A, B = Rect(100, 100, 60, 60), Rect(200, 100, 60, 60)


class Plate:
    """A window with one grey image and two nuclei: 1, of two parts and with a hole, and 2."""

    def __init__(self, window: MainWindow, desk: Desk) -> None:
        self.window, self.desk, self.canvas = window, desk, window.canvas

    def at(self, x: float, y: float) -> QPoint:
        return self.canvas.to_widget(x, y).toPoint()

    def drag(self, *points: tuple[float, float]) -> None:
        QTest.mousePress(self.canvas, LEFT, NONE, self.at(*points[0]))
        for point in points[1:]:
            QTest.mouseMove(self.canvas, self.at(*point))
        QTest.mouseRelease(self.canvas, LEFT, NONE, self.at(*points[-1]))

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self.canvas, key, modifiers)

    def ids(self) -> NDArray[np.uint32]:
        return self.desk.document.raster.read(0, Rect(0, 0, *SIZE))[0]

    def said(self, words: str) -> None:
        self.desk.wait(lambda: any(words in sentence for sentence in self.desk.said))

    def lock(self, *ids: int) -> None:
        self.desk.session.select(ids)
        self.key(Key.Key_L, CTRL)
        self.desk.wait(lambda: self.desk.document.locked == set(ids))


@pytest.fixture
def plate(empty_window: MainWindow, desk: Desk) -> Plate:
    desk.show({"a.png": GREY}, ["nucleus::instance", "tissue"])
    empty_window.canvas.setFocus()
    empty_window.canvas.zoom_to_fit()
    for rect in (A, B):
        desk.paint(rect, NUCLEUS)
    from tests.store.store_painting import painted

    desk.documents.commit(painted(desk.document, Rect(300, 120, 3, 2), ObjectId(1)))
    desk.erase(Rect(120, 120, 10, 10))
    desk.documents.choose_class("nucleus")
    return Plate(empty_window, desk)


# -- locking and unlocking -------------------------------------------------------------------------------------------


def test_the_key_locks_what_is_selected_in_one_step_and_again_unlocks_it(plate: Plate) -> None:
    desk, action = plate.desk, plate.window.bars.action("lock-objects")
    plate.key(Key.Key_L, CTRL)
    plate.said("No object is selected")
    assert not action.isChecked()
    edits = desk.edits
    plate.lock(1, 2)
    plate.said("2 objects locked")
    assert desk.edits == edits + 1
    assert action.isChecked()
    assert desk.documents.selection.ids == {1, 2}
    desk.session.select([])
    assert not action.isChecked()
    desk.session.select([2])
    plate.key(Key.Key_L, CTRL)
    desk.wait(lambda: desk.document.locked == {1})
    plate.said("1 object unlocked")
    assert not action.isChecked()


def test_of_several_objects_those_that_are_open_are_locked_first(plate: Plate) -> None:
    plate.lock(1)
    plate.desk.session.select([1, 2])
    plate.key(Key.Key_L, CTRL)
    plate.desk.wait(lambda: plate.desk.document.locked == {1, 2})
    plate.said("1 object locked")


def test_undo_takes_a_lock_back_and_another_opening_finds_it(plate: Plate) -> None:
    desk = plate.desk
    plate.lock(1)
    plate.key(Key.Key_Z, CTRL)
    desk.wait(lambda: desk.document.locked == set())
    plate.key(Key.Key_Y, CTRL)
    desk.wait(lambda: desk.document.locked == {1})
    desk.settle()
    path = desk.opened.path
    desk.open(path)
    assert desk.document.locked == {1}
    assert [row["locked"] for row in desk.session.objects()] == [True, False]


def test_the_menu_on_the_image_locks_the_object_under_the_pointer(plate: Plate) -> None:
    from segstudio.ui.window.canvas_menu import canvas_menu

    for words, locked in (("Lock this object", {2}), ("Unlock this object", set())):
        menu = canvas_menu(plate.window, plate.at(230, 130))
        action = menu.findChild(QAction, "menuLockObject")
        assert action is not None
        assert action.text() == words
        action.trigger()
        plate.desk.wait(lambda locked=locked: plate.desk.document.locked == locked)
        menu.close()


def test_the_outline_of_a_locked_object_is_dashed_as_soon_as_it_is_locked(plate: Plate) -> None:
    plate.desk.session.select([2])
    row = plate.at(230, 100).y() + 1

    def whites() -> int:
        image = plate.canvas.grab().toImage()
        left, right = plate.at(205, 100).x(), plate.at(255, 100).x()
        return sum(image.pixelColor(x, row).lightness() > 240 for x in range(left, right))

    plate.desk.wait(lambda: whites() > 0)
    plain = whites()
    plate.key(Key.Key_L, CTRL)
    plate.desk.wait(lambda: 0.3 * plain < whites() < 0.7 * plain)


# -- nothing changes them --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "class_name", "words"),
    [
        ("brush", "nucleus", "Nothing is painted: object 2 is locked"),
        ("rectangle", "nucleus", "Nothing is painted: object 2 is locked"),
        ("ellipse", "nucleus", "Nothing is painted: object 2 is locked"),
        ("lasso", "nucleus", "Nothing is painted: object 2 is locked"),
        ("polygon", "nucleus", "Nothing is painted: object 2 is locked"),
        ("livewire", "nucleus", "Nothing is painted: object 2 is locked"),
        ("fill", "nucleus", "Nothing is painted: object 2 is locked"),
        ("wand", "nucleus", "Nothing is painted: object 2 is locked"),
        ("snap", "nucleus", "Nothing is painted: object 2 is locked"),
        ("threshold", "nucleus", "Nothing is painted: object 2 is locked"),
        ("brush", "tissue", "The pixels here belong to object 2, which is locked"),
        ("rectangle", "tissue", "The pixels here belong to object 2, which is locked"),
        ("lasso", "tissue", "The pixels here belong to object 2, which is locked"),
        ("fill", "tissue", "The pixels here belong to object 2, which is locked"),
        ("eraser", "nucleus", "The pixels here belong to object 2, which is locked"),
    ],
)
def test_a_tool_that_begins_on_a_locked_object_says_so_and_changes_none_of_its_pixels(
    plate: Plate, tool: str, class_name: str, words: str
) -> None:
    plate.lock(2)
    before = plate.ids() == 2
    plate.desk.session.set_tool(tool)
    plate.desk.documents.choose_class(class_name)
    plate.drag((230, 130), (250, 150), (280, 180))
    plate.said(words)
    plate.desk.settle()
    np.testing.assert_array_equal(plate.ids() == 2, before)


def test_a_stroke_from_beside_goes_round_a_locked_object(plate: Plate) -> None:
    plate.lock(2)
    plate.desk.session.set_brush_radius(12)
    plate.drag((180, 130), (290, 130))
    ids = plate.ids()
    assert (ids[100:160, 200:260] == 2).all()
    assert ids[130, 180] == ids[130, 290] == 3


def test_new_objects_are_begun_on_top_of_a_locked_one_without_taking_its_pixels(plate: Plate) -> None:
    plate.lock(2)
    plate.key(Key.Key_J)
    plate.drag((230, 130), (300, 130))
    ids = plate.ids()
    assert (ids[100:160, 200:260] == 2).all()
    assert ids[130, 290] == 3


def test_the_policy_of_one_object_changes_nothing_where_that_is_locked(plate: Plate) -> None:
    plate.lock(2)
    plate.desk.session.select([])
    plate.desk.session.set_touch("object")
    plate.desk.documents.choose_class("tissue")
    before, edits = plate.ids(), plate.desk.edits
    plate.drag((230, 130), (250, 150))
    plate.said("Nothing changes: object 2 is locked")
    assert plate.desk.edits == edits
    np.testing.assert_array_equal(plate.ids(), before)


def test_a_class_that_is_one_area_is_not_painted_while_its_area_is_locked(plate: Plate) -> None:
    desk = plate.desk
    desk.paint(Rect(400, 300, 30, 30), TISSUE)
    plate.lock(3)
    desk.documents.choose_class("tissue")
    edits = desk.edits
    plate.drag((50, 50), (80, 80))
    plate.said("Nothing is painted: object 3 is locked")
    assert desk.edits == edits


def test_no_operation_changes_a_locked_object(plate: Plate) -> None:
    desk = plate.desk
    plate.lock(1)
    desk.session.select([1, 2])
    before, edits = plate.ids(), desk.edits
    QTest.mouseMove(plate.canvas, plate.at(301.5, 121))
    keys = [
        (Key.Key_M, NONE), (Key.Key_Delete, NONE), (Key.Key_D, SHIFT), (Key.Key_H, SHIFT),
        (Key.Key_BracketRight, CTRL), (Key.Key_BracketLeft, CTRL), (Key.Key_M, SHIFT), (Key.Key_L, SHIFT),
        (Key.Key_Delete, CTRL), (Key.Key_Delete, SHIFT),
    ]  # fmt: skip
    for key, modifiers in keys:
        desk.said.clear()
        plate.key(key, modifiers)
        plate.said("Nothing is changed: object 1 is locked")
    desk.opened.objects.reclass(TISSUE)
    plate.said("Nothing is changed: object 1 is locked")
    desk.documents.selection.clear()
    plate.key(Key.Key_D, SHIFT)
    plate.said("No object has several parts")
    plate.key(Key.Key_E, CTRL | SHIFT)
    specks = desk.opened.specks
    desk.wait(lambda: specks.found is not None)
    assert specks.found is not None
    assert specks.found.number == 0
    specks.close()
    assert desk.edits == edits
    np.testing.assert_array_equal(plate.ids(), before)


def test_a_line_does_not_split_a_locked_object(plate: Plate) -> None:
    plate.lock(2)
    plate.key(Key.Key_D)
    edits = plate.desk.edits
    plate.drag((230, 80), (230, 130), (230, 180))
    plate.said("Object 2 is locked.")
    assert plate.desk.edits == edits


def test_an_object_is_not_taken_into_an_area_that_is_locked(plate: Plate) -> None:
    desk = plate.desk
    desk.paint(Rect(400, 300, 30, 30), TISSUE)
    plate.lock(3)
    edits = desk.edits
    desk.opened.objects.reclass(TISSUE, [2])
    plate.said("object 3 is locked")
    assert desk.edits == edits


@pytest.mark.parametrize("done", [False, True])
def test_neither_accept_nor_done_extends_a_locked_object(plate: Plate, done: bool) -> None:
    desk = plate.desk
    plate.lock(1, 2)
    before = plate.ids()
    desk.opened.finishing.set_rest(Rest.PROPOSAL)
    desk.proposed(NUCLEUS)
    edits = desk.edits
    if done:
        desk.session.mark_done()
    else:
        desk.session.accept_proposal()
    desk.wait(lambda: desk.edits > edits)
    ids = plate.ids()
    for locked in (1, 2):
        np.testing.assert_array_equal(ids == locked, before == locked)
    assert (ids[before == 0] > 2).all()


# -- while something is being computed -------------------------------------------------------------------------------


@pytest.fixture
def go(plate: Plate) -> Iterator[Callable[[], None]]:
    """What computes edits is busy with something else until this is called."""
    goes = threading.Event()
    plate.desk.opened.proposals.worker.submit(lambda: goes.wait(60))
    yield goes.set
    goes.set()


def test_a_lock_waits_for_nothing_that_is_being_computed(plate: Plate, go: Callable[[], None]) -> None:
    desk = plate.desk
    desk.session.select([2])
    plate.key(Key.Key_H, SHIFT)
    assert desk.documents.computing()
    plate.key(Key.Key_L, CTRL)
    assert desk.document.locked == {2}
    assert plate.window.bars.action("lock-objects").isChecked()
    assert desk.said[-1] == "1 object locked. No tool can change it."
    edits = desk.edits
    plate.drag((230, 130), (250, 150))
    plate.said("object 2 is locked")
    assert desk.edits == edits
    plate.key(Key.Key_L, CTRL)
    assert desk.document.locked == set()


@pytest.mark.parametrize(
    ("key", "modifiers"),
    [
        (Key.Key_M, NONE),
        (Key.Key_Delete, NONE),
        (Key.Key_D, SHIFT),
        (Key.Key_H, SHIFT),
        (Key.Key_BracketRight, CTRL),
        (Key.Key_BracketLeft, CTRL),
        (Key.Key_M, SHIFT),
        (Key.Key_L, SHIFT),
        (Key.Key_Delete, CTRL),
        (Key.Key_Delete, SHIFT),
        (None, NONE),
    ],
)
@pytest.mark.parametrize("begun", [True, False])
def test_an_operation_leaves_alone_what_is_locked_by_the_time_it_is_computed(
    plate: Plate, go: Callable[[], None], key: Qt.Key | None, modifiers: Qt.KeyboardModifier, begun: bool
) -> None:
    """Whether it was begun before the lock, or waits behind another."""
    desk = plate.desk
    if not begun:
        desk.session.select([2])
        plate.key(Key.Key_H, SHIFT)
    desk.session.select([1, 2])
    before, edits = plate.ids(), desk.edits
    QTest.mouseMove(plate.canvas, plate.at(301.5, 121))
    if key is None:
        desk.opened.objects.reclass(TISSUE)
    else:
        plate.key(key, modifiers)
    desk.session.select([1])
    plate.key(Key.Key_L, CTRL)
    assert desk.document.locked == {1}
    go()
    plate.said("Nothing is changed: object 1 is locked. Unlock it first.")
    desk.wait(lambda: not desk.documents.computing())
    assert desk.edits == edits + 1
    np.testing.assert_array_equal(plate.ids(), before)


def test_a_part_that_is_another_objects_by_then_is_not_dropped(plate: Plate, go: Callable[[], None]) -> None:
    desk = plate.desk
    desk.session.select([1])
    plate.key(Key.Key_Delete, CTRL)
    QTest.mouseMove(plate.canvas, plate.at(301.5, 121))
    plate.key(Key.Key_Delete, SHIFT)
    desk.paint(Rect(300, 120, 3, 2), NUCLEUS)
    go()
    desk.wait(lambda: not desk.documents.computing())
    assert (plate.ids()[120:122, 300:303] == 3).all()


# -- the table -------------------------------------------------------------------------------------------------------


def stands(name: str) -> int:
    """Where a column stands."""
    return [each for each, *_words in COLUMNS].index(name)


@pytest.fixture
def panel(plate: Plate) -> ObjectPanel:
    plate.key(Key.Key_F8)
    found = plate.window.arrangement.objects
    plate.desk.wait(lambda: found.model.rowCount() == 2)
    return found


def click_lock(panel: ObjectPanel, row: int) -> None:
    at = panel.view.visualRect(panel.model.index(row, stands("locked"))).center()
    QTest.mouseClick(panel.view.viewport(), LEFT, pos=at)


def listed(panel: ObjectPanel) -> list[str]:
    return [panel.model.words(row, "id") for row in range(panel.model.rowCount())]


def test_a_click_on_the_lock_of_a_row_locks_that_object_and_selects_nothing(panel: ObjectPanel, plate: Plate) -> None:
    desk = plate.desk
    desk.session.select([1])
    click_lock(panel, 1)
    desk.wait(lambda: panel.model.is_locked(1))
    assert desk.document.locked == {2}
    assert desk.documents.selection.ids == {1}
    index = panel.model.index(1, stands("locked"))
    assert panel.model.data(index, Qt.ItemDataRole.AccessibleTextRole) == "locked"
    assert "unlock" in panel.model.data(index, Qt.ItemDataRole.ToolTipRole)
    click_lock(panel, 1)
    desk.wait(lambda: not panel.model.is_locked(1))
    assert desk.document.locked == set()


def test_a_press_on_a_lock_that_is_dragged_away_does_nothing(panel: ObjectPanel, plate: Plate) -> None:
    port, edits = panel.view.viewport(), plate.desk.edits
    where = [panel.view.visualRect(panel.model.index(row, stands("locked"))).center() for row in (0, 1)]
    QTest.mousePress(port, LEFT, pos=where[0])
    QTest.mouseMove(port, where[1])
    QTest.mouseRelease(port, LEFT, pos=where[1])
    plate.desk.settle()
    assert plate.desk.edits == edits
    assert panel.view.selected == []


def test_two_quick_clicks_on_a_lock_are_two_clicks_and_show_no_object(panel: ObjectPanel, plate: Plate) -> None:
    """Before the table has been measured again after the first."""
    scale, edits, port = plate.canvas.scale, plate.desk.edits, panel.view.viewport()
    click_lock(panel, 0)
    at = panel.view.visualRect(panel.model.index(0, stands("locked"))).center()
    QTest.mouseDClick(port, LEFT, pos=at)
    QTest.mouseRelease(port, LEFT, pos=at)
    plate.desk.wait(lambda: plate.desk.edits == edits + 2)
    assert plate.desk.document.locked == set()
    assert plate.canvas.scale == scale


def test_the_table_is_sorted_by_locks_and_lists_what_is_locked_alone(panel: ObjectPanel, plate: Plate) -> None:
    desk = plate.desk
    click_lock(panel, 1)
    desk.wait(lambda: panel.model.is_locked(1))
    header = panel.view.horizontalHeader()
    at = QPoint(header.sectionViewportPosition(stands("locked")) + 12, header.height() // 2)
    QTest.mouseClick(header.viewport(), LEFT, pos=at)
    assert listed(panel) == ["2", "1"]
    assert panel.model.headerData(stands("locked"), Qt.Orientation.Horizontal) == "↑"
    QTest.mouseClick(header.viewport(), LEFT, pos=at)
    assert listed(panel) == ["1", "2"]
    panel.of_class.setFocus()
    QTest.keyClick(panel.of_class, Key.Key_Home)
    QTest.keyClick(panel.of_class, Key.Key_Down)
    assert panel.of_class.currentText() == "Locked objects"
    assert listed(panel) == ["2"]
    assert panel.counted.text() == "1 of 2 objects"
    click_lock(panel, 0)
    desk.wait(lambda: listed(panel) == [])
    assert "No object matches" in panel.nothing.text()


def test_the_menu_of_the_table_locks_all_that_is_selected(panel: ObjectPanel, plate: Plate) -> None:
    desk = plate.desk
    desk.session.select([1, 2])
    edits = desk.edits
    for words, locked in (("Lock 2 objects", {1, 2}), ("Unlock 2 objects", set())):
        menu: QMenu = panel.menu()
        action = menu.findChild(QAction, "objectLock")
        assert action is not None
        assert action.text() == words
        action.trigger()
        desk.wait(lambda locked=locked: desk.document.locked == locked)
        desk.wait(lambda locked=locked: panel.model.is_locked(0) == bool(locked))
        menu.close()
    assert desk.edits == edits + 2


def test_an_area_of_several_ids_is_locked_as_a_whole(panel: ObjectPanel, plate: Plate) -> None:
    """As after a merge of classes: the table has one row for it."""
    desk = plate.desk
    desk.opened.classes.add("scar")
    scar = desk.documents.current_class.id
    desk.paint(Rect(400, 300, 30, 30), TISSUE)
    desk.paint(Rect(450, 300, 30, 30), scar)
    desk.opened.classes.merge("scar", "tissue")
    desk.wait(lambda: listed(panel) == ["1", "2", "3"])
    click_lock(panel, 2)
    desk.wait(lambda: desk.document.locked == {3, 4})
    desk.wait(lambda: panel.model.is_locked(2))
