"""'Paint over' one class, one object or a range of values: what is offered, typed and picked, with real events."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from segstudio.geometry import Rect
from segstudio.labels.model import Touch
from segstudio.ui.panels.touch_limits import TouchLimits
from segstudio.ui.window.main_window import MainWindow
from tests.shown_pixels import whole
from tests.ui.desk import Desk


def limits_of(window: MainWindow) -> TouchLimits:
    found = window.findChild(TouchLimits, "touchLimits")
    assert isinstance(found, TouchLimits)
    return found


def on(window: MainWindow, x: float, y: float) -> QPoint:
    return window.canvas.to_widget(x, y).toPoint()


def drag(window: MainWindow, *points: tuple[float, float]) -> None:
    QTest.mousePress(window.canvas, Qt.MouseButton.LeftButton, pos=on(window, *points[0]))
    for point in points:
        QTest.mouseMove(window.canvas, on(window, *point))
    QTest.mouseRelease(window.canvas, Qt.MouseButton.LeftButton, pos=on(window, *points[-1]))


def test_the_controls_of_a_policy_are_seen_while_it_is_chosen(window: MainWindow, desk: Desk) -> None:
    limits = limits_of(window)
    seen = {}
    for touch in Touch:
        desk.session.set_touch(str(touch))
        parts = (limits.of_class, limits.low, limits.pick)
        seen[touch] = [part.isVisible() for part in parts]
    none = [False] * 3
    assert seen == dict.fromkeys(Touch, none) | {
        Touch.CLASS: [True, False, False],
        Touch.RANGE: [False, True, True],
    }


def test_a_stroke_changes_pixels_of_the_chosen_class_alone(window: MainWindow, desk: Desk) -> None:
    desk.paint(Rect(100, 100, 60, 60), 2)
    desk.paint(Rect(160, 100, 60, 60), 3)
    desk.session.set_class("debris")
    desk.session.set_touch(Touch.CLASS)
    choice = limits_of(window).of_class
    assert [choice.itemText(i) for i in range(choice.count())] == [
        "Where the stroke begins", "background", "nucleus", "membrane", "debris"
    ]  # fmt: skip
    choice.setCurrentIndex(3)
    choice.activated.emit(3)
    before = desk.class_ids()
    drag(window, (110, 130), (210, 130))
    after = desk.class_ids()
    assert set(np.unique(before[after != before])) == {3}
    assert set(np.unique(after[after != before])) == {4}


def test_the_class_is_forgotten_with_its_project(window: MainWindow, desk: Desk) -> None:
    desk.session.set_touch(Touch.CLASS)
    desk.session.tools.limit_class(desk.documents.classes.foreground[0].id)
    desk.load()
    assert desk.session.tools.limits.class_id is None
    assert limits_of(window).of_class.currentIndex() == 0


def test_values_are_typed_for_a_channel_or_for_grey_and_the_two_exclude_each_other(
    window: MainWindow, desk: Desk
) -> None:
    desk.session.set_touch(Touch.RANGE)
    limits = limits_of(window)
    assert [limits.channel.itemData(i) for i in range(limits.channel.count())] == [None, 0, 1, 2]
    assert (limits.low.value(), limits.high.value()) == (0, 255)
    for place, low in ((1, 10), (2, 20)):
        limits.channel.setCurrentIndex(place)
        limits.channel.activated.emit(place)
        limits.low.setValue(low)
    assert [(r.channel, r.low, r.high) for r in desk.session.tools.limits.ranges] == [(0, 10, 255), (1, 20, 255)]
    limits.channel.setCurrentIndex(0)
    limits.channel.activated.emit(0)
    limits.high.setValue(99)
    assert [(r.channel, r.low, r.high) for r in desk.session.tools.limits.ranges] == [(None, 0, 99)]


def test_values_are_picked_by_dragging_and_the_brush_is_back(window: MainWindow, desk: Desk) -> None:
    desk.session.set_tool("brush")
    desk.session.set_touch(Touch.RANGE)
    limits = limits_of(window)
    QTest.mouseClick(limits.pick, Qt.MouseButton.LeftButton)
    assert limits.pick.isChecked()
    drag(window, (300, 200), (320, 210), (340, 220))
    assert not limits.pick.isChecked()
    assert desk.session.tools.tool.name == "brush"
    assert desk.edits == desk.documents.submitted
    assert not desk.documents.gesture_active
    (found,) = desk.session.tools.limits.ranges
    assert found.channel is None
    assert 0 < found.low <= found.high < 255
    assert limits.low.value() == pytest.approx(found.low, abs=1e-4)

    grey = whole(desk.navigation.display).mean(axis=2)
    before = desk.class_ids()
    drag(window, (200, 200), (400, 240))
    changed = desk.class_ids() != before
    assert changed.any()
    assert ((grey[changed] >= found.low) & (grey[changed] <= found.high)).all()


def test_picking_ends_with_a_second_click_on_its_button(window: MainWindow, desk: Desk) -> None:
    desk.session.set_tool("eraser")
    desk.session.set_touch(Touch.RANGE)
    pick = limits_of(window).pick
    QTest.mouseClick(pick, Qt.MouseButton.LeftButton)
    QTest.mouseClick(pick, Qt.MouseButton.LeftButton)
    assert not pick.isChecked()
    assert desk.session.tools.tool.name == "eraser"
