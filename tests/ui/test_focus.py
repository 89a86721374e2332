"""The focus by keyboard: the order of Tab through the window, what has it is seen, and everything has a name."""

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QAccessible, QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFrame, QMenu, QWidget

from segstudio.ui.theme import DARK, LIGHT, Theme, apply_theme
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

Key = Qt.Key
ORDER = [
    *("openButton", "toolPan", "canvas", "sideTabsBar", "classAdd", "classList", "labelOpacity", "labelStyle"),
    *("proposalView", "nextErrorButton"),
    *("brushSizeSlider", "brushSize", "mayTouch", "option-brush_shape", "option-pen_pressure", "displayFold"),
    *("imageFilter", "imageFilterButton", "imageSortButton", "imageList", "versionsButton", "trainingFold"),
]


def press(window: MainWindow, key: Qt.Key) -> QWidget:
    QTest.keyClick(window.focusWidget() or window, key)
    now = window.focusWidget()
    assert now is not None
    return now


def walk(window: MainWindow, key: Qt.Key) -> list[QWidget]:
    """The parts that a key reaches from the canvas, until it is back there."""
    window.canvas.setFocus()
    out = [press(window, key)]
    while out[-1] is not window.canvas:
        out.append(press(window, key))
        assert len(out) < 60
    return out


def ring(window: MainWindow) -> list[QFrame]:
    return [bar for bar in window.findChildren(QFrame, "focusRing") if bar.isVisible()]


def test_tab_goes_from_the_bars_to_the_image_and_on_to_the_panels(window: MainWindow, desk: Desk) -> None:
    desk.shows(3)
    names = [widget.objectName() for widget in walk(window, Key.Key_Tab)]
    at = ORDER.index("canvas") + 1
    assert names == ORDER[at:] + ORDER[:at]
    backwards = [widget.objectName() for widget in walk(window, Key.Key_Backtab)]
    assert backwards == [*reversed(names[:-1]), "canvas"]


def test_everything_that_tab_reaches_has_a_name_for_screen_readers(window: MainWindow, desk: Desk) -> None:
    desk.shows(3)
    window.message_strip.say(None, "The disk is full.", "details")
    window.bars.action("export").trigger()
    window.bars.action("versions").trigger()
    for widget in walk(window, Key.Key_Tab):
        found = QAccessible.queryAccessibleInterface(widget)
        assert found.text(QAccessible.Text.Name), widget.objectName()


def test_arrows_move_inside_a_bar_past_what_is_off_and_space_presses(window: MainWindow, desk: Desk) -> None:
    desk.shows(3)
    window.canvas.setFocus()
    assert press(window, Key.Key_Backtab).objectName() == "toolPan"
    assert press(window, Key.Key_Down).objectName() == "toolBrush"
    assert press(window, Key.Key_Down).objectName() == "toolEraser"
    press(window, Key.Key_Space)
    assert desk.session.tools.tool.name == "eraser"
    assert press(window, Key.Key_Home).objectName() == "toolPan"
    assert press(window, Key.Key_Up).objectName() == "toolActualSize"
    assert press(window, Key.Key_Tab) is window.canvas
    assert press(window, Key.Key_Backtab).objectName() == "toolActualSize", "it comes back to where it was"
    assert press(window, Key.Key_Backtab).objectName() == "openButton"
    reached = {press(window, Key.Key_Right).objectName() for _step in range(12)}
    assert "doneButton" in reached
    assert "undoButton" not in reached


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_the_down_key_opens_the_menu_of_a_button(window: MainWindow, desk: Desk) -> None:
    desk.shows(3)
    window.bars.button("fine-tune").setFocus()  # pyright: ignore[reportOptionalMemberAccess]
    menu = window.findChild(QMenu, "fineTuneMenu")
    assert menu is not None
    seen: list[bool] = []
    menu.aboutToShow.connect(lambda: seen.append(True))
    QTimer.singleShot(50, menu, menu.close)
    press(window, Key.Key_Down)
    assert seen == [True]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_what_tab_reaches_has_a_ring_in_both_themes_until_a_mouse_is_used(
    window: MainWindow, desk: Desk, theme: Theme
) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    desk.shows(3)
    apply_theme(application, theme)
    try:
        for widget in walk(window, Key.Key_Tab):
            if widget is window.canvas:
                continue
            assert widget.isVisible()
        bars = ring(window)
        assert len(bars) == 4
        picture = window.grab().toImage()
        for bar in bars:
            at = bar.geometry().center()
            assert picture.pixelColor(at) == QColor(theme.accent), at
        QTest.mouseClick(window.canvas, Qt.MouseButton.LeftButton, pos=QPoint(4, 4))
        assert ring(window) == []
    finally:
        apply_theme(application, DARK)


def test_the_ring_follows_the_part_and_goes_with_the_focus(window: MainWindow, desk: Desk) -> None:
    window.canvas.setFocus()
    press(window, Key.Key_Tab)
    press(window, Key.Key_Backtab)
    before = [bar.geometry() for bar in ring(window)]
    window.resize(1100, 700)
    QTest.qWait(20)
    after = [bar.geometry() for bar in ring(window)]
    assert len(after) == 4
    assert before != after
    window.arrangement.images.view.setFocus()
    assert ring(window) == []
