"""The right button: it paints background, or opens a menu where a person has chosen that in the settings."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QMenu

from segstudio.geometry import Rect
from segstudio.labels.model import Kind
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

RIGHT = Qt.MouseButton.RightButton
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def with_menu(window: MainWindow, desk: Desk) -> MainWindow:
    """The window whose right button opens a menu, with some 'debris' painted at 100, 100."""
    desk.session.kept_preferences.prefer(right_button="menu")
    debris = desk.documents.classes.named("debris")
    assert debris is not None
    desk.paint(Rect(90, 90, 30, 30), debris.id)
    return window


def _menu(window: MainWindow, x: float, y: float) -> QMenu:
    """Click with the right button at an image position."""
    QTest.mouseClick(window.canvas, RIGHT, pos=window.canvas.to_widget(x, y).toPoint())
    return next(menu for menu in window.findChildren(QMenu, "canvasMenu") if menu.isVisible())


def _entry(menu: QMenu, name: str) -> QAction | None:
    return next((action for action in menu.actions() if action.objectName() == name), None)


def test_the_right_button_paints_background_until_somebody_chooses_a_menu(window: MainWindow, desk: Desk) -> None:
    edits = desk.edits
    QTest.mouseClick(window.canvas, RIGHT, pos=window.canvas.to_widget(300, 300).toPoint())
    assert desk.edits == edits + 1
    assert not window.findChildren(QMenu, "canvasMenu")


def test_the_settings_choose_what_the_right_button_does(window: MainWindow, desk: Desk) -> None:
    window.bars.action("settings").trigger()
    choice = window.findChild(QComboBox, "settingsRightButton")
    assert choice is not None
    choice.setFocus()
    QTest.keyClick(choice, Qt.Key.Key_Down)
    assert desk.session.preferences.right_button == "menu"


def test_a_menu_paints_nothing_and_offers_the_class_under_the_pointer(with_menu: MainWindow, desk: Desk) -> None:
    edits = desk.edits
    menu = _menu(with_menu, 100, 100)
    assert desk.edits == edits
    paint = _entry(menu, "menuPaintWith")
    assert paint is not None
    assert paint.text() == "Paint with 'debris'"
    paint.trigger()
    assert desk.documents.current_class.name == "debris"
    menu.close()


def test_where_nothing_is_labelled_the_menu_has_no_class(with_menu: MainWindow, desk: Desk) -> None:
    desk.erase(Rect(0, 0, 640, 480))
    menu = _menu(with_menu, 100, 100)
    assert _entry(menu, "menuPaintWith") is None
    assert [action.objectName() for action in menu.actions()][:2] == ["actionUndo", "actionRedo"]
    menu.close()


def test_the_menu_locks_a_class_and_unlocks_it(with_menu: MainWindow, desk: Desk) -> None:
    for locked in (True, False):
        menu = _menu(with_menu, 100, 100)
        entry = _entry(menu, "menuLockClass")
        assert entry is not None
        entry.trigger()
        found = desk.documents.classes.named("debris")
        assert found is not None
        assert found.locked is locked
        menu.close()


def test_the_object_under_the_pointer_is_selected(with_menu: MainWindow, desk: Desk) -> None:
    desk.opened.classes.add("cell", None, Kind.INSTANCE)
    desk.paint(Rect(300, 300, 20, 20), desk.documents.current_class.id)
    newest = desk.document.next_object - 1
    menu = _menu(with_menu, 310, 310)
    entry = _entry(menu, "menuSelectObject")
    assert entry is not None
    entry.trigger()
    assert desk.documents.selection.ids == {newest}
    menu.close()


def test_in_mid_stroke_and_beside_the_image_the_menu_is_safe(with_menu: MainWindow, desk: Desk) -> None:
    canvas = with_menu.canvas
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=canvas.to_widget(200, 200).toPoint())
    QTest.mousePress(canvas, RIGHT, pos=canvas.to_widget(210, 200).toPoint())
    assert not with_menu.findChildren(QMenu, "canvasMenu")
    QTest.mouseRelease(canvas, RIGHT, pos=canvas.to_widget(210, 200).toPoint())
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=canvas.to_widget(210, 200).toPoint())
    QTest.mouseClick(canvas, RIGHT, pos=QPoint(2, 2))
    menu = next(menu for menu in with_menu.findChildren(QMenu, "canvasMenu") if menu.isVisible())
    assert _entry(menu, "menuPaintWith") is None
    menu.close()
