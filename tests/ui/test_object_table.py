"""The table of objects in the window: what it lists, how it is sorted, filtered and selected, and what it does."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from segstudio.geometry import Rect
from segstudio.ui.panels.object_model import COLUMNS
from segstudio.ui.panels.object_table import ObjectPanel
from segstudio.ui.window.main_window import MainWindow
from tests.shown_pixels import whole
from tests.ui.desk import Desk

AREAS = (Rect(20, 30, 50, 40), Rect(240, 100, 60, 200), Rect(400, 300, 30, 30), Rect(500, 40, 20, 50))
"""The last one is of the semantic class 'membrane'."""


def classes_named(desk: Desk, name: str) -> int:
    found = desk.documents.classes.named(name)
    assert found is not None
    return found.id


@pytest.fixture
def panel(window: MainWindow, desk: Desk) -> ObjectPanel:
    """The table, in front, of an image with three nuclei (objects 1 to 3) and a membrane (4)."""
    desk.load(labelled=False)
    desk.opened.classes.change("nucleus", kind="instance")
    desk.wait(lambda: desk.documents.classes.named("nucleus").kind == "instance")
    for rect, name in zip(AREAS, ("nucleus", "nucleus", "nucleus", "membrane"), strict=True):
        desk.paint(rect, classes_named(desk, name))
    QTest.keyClick(window.canvas, Qt.Key.Key_F8)
    found = window.arrangement.objects
    desk.wait(lambda: found.model.rowCount() == 4)
    return found


def column(panel: ObjectPanel, name: str) -> list[str]:
    return [panel.model.words(row, name) for row in range(panel.model.rowCount())]


def click(panel: ObjectPanel, row: int, modifiers=Qt.KeyboardModifier.NoModifier, button=Qt.MouseButton.LeftButton):
    at = panel.view.visualRect(panel.model.index(row, stands("class"))).center()
    QTest.mouseClick(panel.view.viewport(), button, modifiers, at)
    return at


def stands(name: str) -> int:
    """Where a column stands."""
    return [each for each, *_words in COLUMNS].index(name)


def head(panel: ObjectPanel, name: str) -> None:
    header, section = panel.view.horizontalHeader(), stands(name)
    panel.view.horizontalScrollBar().setValue(panel.view.columnViewportPosition(section))
    at = QPoint(header.sectionViewportPosition(section) + 12, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)


def test_every_object_is_a_row_with_what_it_measures(panel: ObjectPanel, desk: Desk) -> None:
    values = whole(desk.navigation.display)
    assert column(panel, "id") == ["1", "2", "3", "4"]
    assert column(panel, "class") == ["nucleus", "nucleus", "nucleus", "membrane"]
    assert column(panel, "area") == ["2,000", "12,000", "900", "1,000"]
    assert column(panel, "origin") == ["painted"] * 4
    assert column(panel, "box")[1] == "240, 100, 60 × 200"
    part = values[100:300, 240:300].reshape(-1, 3).mean(axis=0)
    assert [float(word) for word in column(panel, "mean")[1].split()] == pytest.approx(list(part), abs=0.51)
    assert panel.counted.text() == "4 objects"


def test_a_click_on_a_title_sorts_and_another_turns_it_round(panel: ObjectPanel) -> None:
    head(panel, "area")
    assert column(panel, "id") == ["3", "4", "1", "2"]
    head(panel, "area")
    assert column(panel, "id") == ["2", "1", "4", "3"]
    assert panel.model.headerData(stands("area"), Qt.Orientation.Horizontal) == "Area ↓"
    head(panel, "box")
    assert column(panel, "id") == ["1", "4", "2", "3"]
    head(panel, "class")
    assert column(panel, "class") == ["nucleus"] * 3 + ["membrane"]
    head(panel, "id")


def test_class_and_text_choose_what_is_listed(panel: ObjectPanel, desk: Desk) -> None:
    panel.of_class.setFocus()
    QTest.keyClick(panel.of_class, Qt.Key.Key_End)
    QTest.keyClick(panel.of_class, Qt.Key.Key_Up)
    assert column(panel, "id") == ["4"]
    assert panel.counted.text() == "1 of 4 objects"
    QTest.keyClick(panel.of_class, Qt.Key.Key_Home)
    panel.search.setFocus()
    QTest.keyClicks(panel.search, "NUCL")
    desk.wait(lambda: column(panel, "id") == ["1", "2", "3"])
    panel.search.clear()
    QTest.keyClicks(panel.search, "3")
    desk.wait(lambda: column(panel, "id") == ["3"])
    QTest.keyClicks(panel.search, "99")
    desk.wait(lambda: panel.model.rowCount() == 0)
    assert panel.nothing.isVisible()
    assert "No object matches" in panel.nothing.text()
    panel.search.clear()
    desk.wait(lambda: panel.model.rowCount() == 4)


def test_what_is_selected_in_the_table_is_selected_in_the_image_and_the_other_way_round(
    panel: ObjectPanel, desk: Desk
) -> None:
    click(panel, 0)
    click(panel, 2, Qt.KeyboardModifier.ControlModifier)
    assert desk.documents.selection.ids == {1, 3}
    desk.documents.select([2, 4])
    assert panel.view.selected == [1, 3]
    click(panel, 1)
    click(panel, 3, Qt.KeyboardModifier.ShiftModifier)
    assert desk.documents.selection.ids == {2, 3, 4}
    head(panel, "area")  # another order: the same objects
    assert set(panel.model.ids(panel.view.selected)) == {2, 3, 4}
    head(panel, "id")
    desk.documents.selection.clear()
    assert panel.view.selected == []


@pytest.mark.parametrize("by_key", [True, False])
def test_enter_and_a_double_click_show_the_object_and_nothing_is_marked_done(
    window: MainWindow, panel: ObjectPanel, desk: Desk, by_key: bool
) -> None:
    at = click(panel, 2)
    assert panel.view.hasFocus()
    if by_key:
        QTest.keyClick(panel.view, Qt.Key.Key_Return)
    else:
        QTest.mouseDClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    middle = window.canvas.to_image(window.canvas.rect().center())
    assert middle == pytest.approx((415, 315), abs=1)
    assert window.canvas.scale == pytest.approx(min(window.canvas.width(), window.canvas.height()) / 60, rel=0.1)
    assert desk.document.status != "done"


def test_delete_deletes_the_selected_objects_in_one_step_that_undo_takes_back(panel: ObjectPanel, desk: Desk) -> None:
    click(panel, 0)
    click(panel, 1, Qt.KeyboardModifier.ShiftModifier)
    edits = desk.edits
    QTest.keyClick(panel.view, Qt.Key.Key_Delete)
    desk.wait(lambda: column(panel, "id") == ["3", "4"])
    assert desk.edits == edits + 1
    assert np.count_nonzero(desk.class_ids()) == 1900
    desk.session.undo()
    desk.wait(lambda: column(panel, "id") == ["1", "2", "3", "4"])


@pytest.mark.parametrize("by_key", [True, False])
def test_objects_that_a_filter_hides_are_not_deleted_and_stay_selected(
    panel: ObjectPanel, desk: Desk, by_key: bool
) -> None:
    click(panel, 0)
    click(panel, 2, Qt.KeyboardModifier.ShiftModifier)
    panel.search.setFocus()
    QTest.keyClicks(panel.search, "2")
    desk.wait(lambda: column(panel, "id") == ["2"])
    assert desk.documents.selection.ids == {1, 2, 3}
    if by_key:
        QTest.keyClick(panel.view, Qt.Key.Key_Delete)
    else:
        action = panel.menu().findChild(QAction, "objectDelete")
        assert action is not None
        assert action.text() == "Delete this object"
        action.trigger()
    desk.wait(lambda: "1 object deleted." in desk.said)
    assert desk.documents.selection.ids == {1, 3}
    panel.search.clear()
    desk.wait(lambda: column(panel, "id") == ["1", "3", "4"])


def open_menu(panel: ObjectPanel, row: int) -> QMenu:
    at = panel.view.visualRect(panel.model.index(row, stands("class"))).center()
    panel.view.menuAsked.disconnect(panel._show_menu)
    asked: list[QPoint] = []
    panel.view.menuAsked.connect(asked.append)
    try:
        QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.RightButton, pos=at)
        from PySide6.QtGui import QContextMenuEvent

        place = panel.view.viewport().mapToGlobal(at)
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, place)
        QApplication.sendEvent(panel.view.viewport(), event)
    finally:
        panel.view.menuAsked.disconnect(asked.append)
        panel.view.menuAsked.connect(panel._show_menu)
    assert asked
    return panel.menu()


def test_the_menu_changes_the_class_of_all_that_are_selected(panel: ObjectPanel, desk: Desk) -> None:
    click(panel, 0)
    click(panel, 1, Qt.KeyboardModifier.ShiftModifier)
    menu = open_menu(panel, 0)
    classes = menu.findChild(QMenu, "objectReclassMenu")
    assert classes.title() == "Change the class of 2 objects to"
    edits = desk.edits
    next(action for action in classes.actions() if action.text() == "membrane").trigger()
    menu.close()
    desk.wait(lambda: column(panel, "class") == ["nucleus", "membrane"])
    assert (desk.edits, column(panel, "area")) == (edits + 1, ["900", "15,000"])
    desk.session.undo()
    desk.wait(lambda: column(panel, "class") == ["nucleus"] * 3 + ["membrane"])


def test_objects_that_a_filter_hides_keep_their_class_though_they_were_selected(panel: ObjectPanel, desk: Desk) -> None:
    desk.documents.select([1, 2, 3])
    panel.search.setFocus()
    QTest.keyClicks(panel.search, "1")
    desk.wait(lambda: column(panel, "id") == ["1"])
    menu = open_menu(panel, 0)
    classes = menu.findChild(QMenu, "objectReclassMenu")
    next(action for action in classes.actions() if action.text() == "membrane").trigger()
    menu.close()
    panel.search.clear()
    desk.wait(lambda: column(panel, "id") == ["2", "3", "4"])
    assert column(panel, "class") == ["nucleus", "nucleus", "membrane"]


def test_a_right_click_outside_the_selection_selects_that_row_first(panel: ObjectPanel, desk: Desk) -> None:
    click(panel, 0)
    menu = open_menu(panel, 2)
    assert desk.documents.selection.ids == {3}
    assert menu.findChild(QMenu, "objectReclassMenu").title() == "Change its class to"
    menu.close()


def test_a_locked_class_is_not_offered_and_its_objects_stay(panel: ObjectPanel, desk: Desk) -> None:
    desk.opened.classes.change("nucleus", locked=True)
    click(panel, 0)
    menu = panel.menu()
    offered = {a.text(): a.isEnabled() for a in menu.findChild(QMenu, "objectReclassMenu").actions()}
    assert offered == {"background": True, "nucleus": False, "membrane": True, "debris": True}
    menu.close()
    edits = desk.edits
    QTest.keyClick(panel.view, Qt.Key.Key_Delete)
    assert desk.edits == edits
    assert "'nucleus' is locked" in desk.said[-1]


def test_page_keys_scroll_the_table_and_letters_are_still_commands(
    window: MainWindow, panel: ObjectPanel, desk: Desk
) -> None:
    click(panel, 0)
    image = desk.navigation.path
    QTest.keyClick(panel.view, Qt.Key.Key_PageDown)
    QTest.keyClick(panel.view, Qt.Key.Key_End)
    assert desk.navigation.path == image
    QTest.keyClick(panel.view, Qt.Key.Key_E)
    assert desk.session.tools.tool.name == "eraser"
    QTest.keyClick(panel.view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert desk.documents.selection.ids == {1, 2, 3, 4}


def test_f8_goes_to_the_table_and_back_to_the_classes(window: MainWindow, panel: ObjectPanel) -> None:
    assert panel.view.hasFocus()
    assert panel.isVisible()
    QTest.keyClick(panel.view, Qt.Key.Key_F8)
    assert window.arrangement.classes.isVisible()
    assert window.canvas.hasFocus()


def test_an_image_without_objects_and_a_window_without_a_project_say_so(
    window: MainWindow, panel: ObjectPanel, desk: Desk
) -> None:
    desk.shows(1)
    desk.wait(lambda: "no objects yet" in panel.nothing.text())
    assert panel.nothing.isVisible()
    assert panel.counted.text() == ""
    desk.shows(0)
    desk.wait(lambda: panel.model.rowCount() == 4)


def test_strokes_appear_as_rows_and_the_place_in_the_list_stays(panel: ObjectPanel, desk: Desk) -> None:
    nucleus = classes_named(desk, "nucleus")
    for n in range(40):
        desk.paint(Rect(10 + 14 * n, 440, 8, 8), nucleus)
    desk.wait(lambda: panel.model.rowCount() == 44)
    bar = panel.view.verticalScrollBar()
    desk.wait(lambda: bar.maximum() > 1)  # the view is laid out after its rows are there
    bar.setValue(bar.maximum() // 2)
    at = bar.value()
    assert at
    desk.paint(Rect(600, 10, 8, 8), nucleus)
    desk.wait(lambda: panel.model.rowCount() == 45)
    assert bar.value() == at


def test_a_project_of_one_class_with_a_very_long_name_is_listed_in_its_width(panel: ObjectPanel, desk: Desk) -> None:
    name = "a very long name that nobody would give to a class but somebody does"
    desk.opened.classes.rename("nucleus", name)
    desk.wait(lambda: column(panel, "class")[0] == name)
    assert panel.view.columnWidth(stands("class")) <= panel.view.viewport().width()
    assert panel.model.data(panel.model.index(0, stands("class")), Qt.ItemDataRole.ToolTipRole) == name
