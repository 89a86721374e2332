"""The cursor that the keyboard moves: it paints what a mouse at the same pixels would paint, with every tool."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from segstudio.app.editing.tools.table import TOOLS
from segstudio.ui.window.main_window import MainWindow
from tests.polygon_tool import POLYGON
from tests.ui.desk import Desk
from tests.window_bench import disc_path

Key = Qt.Key
RADIUS = 3.3
"""No pixel's centre is at exactly this distance: positions go through the view and back, and lose their last bit."""
PLAIN, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


class Hand:
    """Presses keys over the canvas of a window whose keyboard cursor is there."""

    def __init__(self, window: MainWindow, desk: Desk) -> None:
        self.window, self.desk, self.canvas = window, desk, window.canvas
        desk.shows(3)
        desk.session.tools.set_radius(RADIUS)
        self._before = desk.edits
        self.click(Key.Key_F9, held=SHIFT)

    @property
    def edits(self) -> int:
        """How many edits were made since it began."""
        return self.desk.edits - self._before

    @property
    def at(self) -> tuple[float, float]:
        return self.window.keyboard_hand.position

    def click(self, *keys: Qt.Key, held: Qt.KeyboardModifier = PLAIN, times: int = 1) -> None:
        for key in keys * times:
            QTest.keyClick(self.canvas, key, held)

    def press(self, key: Qt.Key) -> None:
        QTest.keyPress(self.canvas, key)

    def lift(self, key: Qt.Key) -> None:
        QTest.keyRelease(self.canvas, key)

    def go(self, x: int, y: int) -> None:
        """Go to a pixel by arrow keys."""
        self.window.keyboard_hand._go_to(x, y - 1)
        self.click(Key.Key_Down)
        assert self.at == (x + 0.5, y + 0.5)

    def painted(self, class_id: int = 2) -> np.ndarray:
        return self.desk.class_ids() == class_id


@pytest.fixture
def hand(window: MainWindow, desk: Desk) -> Iterator[Hand]:
    yield Hand(window, desk)
    window.keyboard_hand.set_active(False)


def mark(window: MainWindow) -> QWidget:
    found = window.findChild(QWidget, "keyboardCursor")
    assert found is not None
    return found


def test_it_begins_in_the_middle_of_the_view_and_is_seen_there(hand: Hand) -> None:
    middle = hand.canvas.to_image(QPointF(hand.canvas.rect().center()))
    assert hand.at == pytest.approx(middle, abs=1.0)
    assert mark(hand.window).isVisible()
    assert hand.window.bars.action("keyboard-cursor").isChecked()
    assert hand.desk.said[-1].startswith("Arrows move the cursor")


def test_arrows_move_it_by_a_pixel_ten_and_a_tenth_of_the_view(hand: Hand) -> None:
    hand.go(60, 50)
    hand.click(Key.Key_Right, Key.Key_Right, Key.Key_Up)
    assert hand.at == (62.5, 49.5)
    hand.click(Key.Key_Left, held=SHIFT)
    assert hand.at == (52.5, 49.5)
    hand.canvas.set_zoom(4.0)
    far = round(0.1 * hand.canvas.width() / 4)
    hand.click(Key.Key_Right, held=CTRL)
    assert hand.at == (52.5 + far, 49.5)
    hand.click(Key.Key_Left, held=CTRL, times=20)
    assert hand.at == (0.5, 49.5), "it stays in the image"


def test_a_stroke_of_held_space_is_the_stroke_of_a_mouse_over_the_same_pixels(hand: Hand) -> None:
    hand.go(60, 50)
    hand.press(Key.Key_Space)
    assert hand.desk.documents.gesture_active
    hand.click(Key.Key_Right, held=SHIFT)
    hand.click(Key.Key_Down, times=3)
    hand.lift(Key.Key_Space)
    shape = hand.painted().shape
    wanted = disc_path([(60.5, 50.5), (70.5, 50.5), (70.5, 53.5)], RADIUS, shape)
    assert np.array_equal(hand.painted(), wanted)
    assert hand.edits == 1
    hand.click(Key.Key_Z, held=CTRL)
    assert not hand.painted().any()


def test_enter_presses_the_tool_and_the_next_enter_lifts_it_and_nothing_is_marked_done(hand: Hand) -> None:
    hand.go(40, 40)
    hand.click(Key.Key_Return)
    assert hand.desk.documents.gesture_active
    hand.click(Key.Key_Right, times=5)
    hand.click(Key.Key_Enter)
    assert not hand.desk.documents.gesture_active
    assert np.array_equal(hand.painted(), disc_path([(40.5, 40.5), (45.5, 40.5)], RADIUS, hand.painted().shape))
    hand.desk.opened.finishing.settle()
    assert hand.desk.navigation.index == 3
    hand.click(Key.Key_Escape)
    assert not hand.window.keyboard_hand.active
    assert not mark(hand.window).isVisible()


def test_escape_takes_a_stroke_back_before_it_puts_the_cursor_away(hand: Hand) -> None:
    hand.go(40, 40)
    hand.press(Key.Key_Space)
    hand.click(Key.Key_Escape)
    hand.lift(Key.Key_Space)
    assert not hand.painted().any()
    assert hand.window.keyboard_hand.active
    hand.click(Key.Key_Escape)
    assert not hand.window.keyboard_hand.active


def test_the_menu_key_is_the_right_button(hand: Hand) -> None:
    hand.go(40, 40)
    hand.press(Key.Key_Menu)
    hand.lift(Key.Key_Menu)
    assert hand.painted(1)[40, 40]


def test_a_polygon_of_three_corners_by_space_is_closed_by_enter(
    hand: Hand, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TOOLS._own, "polygon", POLYGON)
    monkeypatch.setattr(TOOLS, "_all", None)
    desk.session.tools.choose("polygon")
    for x, y in ((30, 30), (60, 30), (30, 60)):
        hand.go(x, y)
        hand.click(Key.Key_Space)
    assert desk.documents.gesture_active
    hand.click(Key.Key_Return)
    assert not desk.documents.gesture_active
    assert hand.edits == 1
    assert hand.painted()[35, 35]
    assert not hand.painted()[58, 58]
    desk.session.tools.choose("brush")


def test_at_the_edge_the_view_follows_also_in_mid_stroke(hand: Hand) -> None:
    hand.canvas.set_zoom(20.0)
    x, y = (int(value) for value in hand.at)
    hand.press(Key.Key_Space)
    hand.click(Key.Key_Right, held=SHIFT, times=5)
    at = hand.canvas.to_widget(*hand.at)
    assert hand.canvas.rect().contains(at.toPoint())
    assert mark(hand.window).geometry().center() == QPoint(round(at.x()), round(at.y()))
    hand.lift(Key.Key_Space)
    wanted = disc_path([(x + 0.5, y + 0.5), hand.at], RADIUS, hand.painted().shape)
    assert np.array_equal(hand.painted(), wanted)


def test_a_bumped_mouse_neither_ends_the_stroke_nor_moves_it(hand: Hand) -> None:
    hand.go(40, 40)
    hand.press(Key.Key_Space)
    QTest.mouseMove(hand.canvas, QPoint(5, 5))
    QTest.mouseClick(hand.canvas, Qt.MouseButton.LeftButton, pos=QPoint(9, 9))
    hand.click(Key.Key_Right)
    hand.lift(Key.Key_Space)
    assert np.array_equal(hand.painted(), disc_path([(40.5, 40.5), (41.5, 40.5)], RADIUS, hand.painted().shape))


def test_a_lost_focus_ends_the_stroke_which_is_kept_and_the_next_space_begins_another(hand: Hand) -> None:
    hand.go(40, 40)
    hand.press(Key.Key_Space)
    hand.window.arrangement.images.view.setFocus()
    assert not hand.desk.documents.gesture_active
    assert hand.painted()[40, 40]
    hand.canvas.setFocus()
    hand.lift(Key.Key_Space)
    hand.click(Key.Key_Right, times=20)
    assert hand.edits == 1
    hand.click(Key.Key_Space)
    assert hand.edits == 2


def test_on_another_image_it_stands_in_the_middle_again(hand: Hand, desk: Desk) -> None:
    hand.go(3, 3)
    desk.shows(4)
    middle = hand.canvas.to_image(QPointF(hand.canvas.rect().center()))
    assert hand.at == pytest.approx(middle, abs=1.0)


def test_without_it_arrows_and_space_mean_what_they_meant(window: MainWindow, desk: Desk) -> None:
    desk.shows(3)
    QTest.keyPress(window.canvas, Key.Key_Space)
    assert window.canvas.cursor().shape() is Qt.CursorShape.OpenHandCursor
    QTest.keyRelease(window.canvas, Key.Key_Space)
    assert not mark(window).isVisible()
    assert not desk.class_ids().any()
