"""Brightness and contrast: the panel beside the image, the drag over it, and what a script sets."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QSlider

from segstudio.app.viewing.adjusting import Adjusted
from segstudio.errors import UserError
from segstudio.ui.panels.controls import PixelSpin
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def unfolded(window: MainWindow, desk: Desk) -> Iterator[MainWindow]:
    """The window with the panel unfolded, and the histogram counted."""
    window.bars.action("show-display").trigger()
    project = desk.session.project
    assert project is not None
    desk.wait(lambda: project.histograms.current is not None)
    return window


def _now(window: MainWindow) -> Adjusted:
    project = window.session.project
    assert project is not None
    assert project.adjusting.now is not None
    return project.adjusting.now


def _click(window: MainWindow, name: str) -> None:
    button = window.findChild(QAbstractButton, name)
    assert button is not None
    assert button.isEnabled()
    QTest.mouseClick(button, LEFT, pos=QPoint(10, button.height() // 2))  # a check box takes no click beside its words


def _slide(window: MainWindow, name: str, steps: int) -> None:
    slider = window.findChild(QSlider, name)
    assert slider is not None
    slider.setFocus()
    for _ in range(abs(steps)):
        QTest.keyClick(slider, Qt.Key.Key_Right if steps > 0 else Qt.Key.Key_Left)


def _ground(window: MainWindow) -> NDArray[np.uint8]:
    """The picture on the canvas without labels."""
    window.canvas.set_labels_shown(False)
    shown = window.canvas.grab().toImage()
    return np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), -1).copy()


def test_the_panel_is_folded_until_it_is_wanted_and_stays_as_it_was_left(window: MainWindow, desk: Desk) -> None:
    panel = window.arrangement.display
    folded = panel.height()
    assert panel.body.isHidden()
    assert not desk.opened.histograms.wanted
    QTest.keyClick(window, Qt.Key.Key_F6)
    assert not panel.body.isHidden()
    assert window.session.preferences.display_panel
    desk.wait(lambda: panel.height() > folded + 100)
    _click(window, "displayFold")
    assert panel.body.isHidden()
    assert not window.session.preferences.display_panel


def test_the_key_brings_the_panels_back_where_they_are_hidden(window: MainWindow) -> None:
    window.bars.action("show-side").trigger()
    assert not window.arrangement.side.isVisible()
    QTest.keyClick(window, Qt.Key.Key_F6)
    assert window.arrangement.side.isVisible()
    assert window.arrangement.display.body.isVisible()


def test_a_handle_that_is_dragged_becomes_the_value_that_is_black(unfolded: MainWindow) -> None:
    plot = unfolded.arrangement.display.plot
    before = _ground(unfolded)
    start = QPoint(round(plot.place_of(0)), 20)
    end = QPoint(round(plot.place_of(100)), 20)
    QTest.mousePress(plot, LEFT, pos=start)
    QTest.mouseMove(plot, end)
    QTest.mouseRelease(plot, LEFT, pos=end)
    now = _now(unfolded)
    assert now.low == pytest.approx(100, abs=3)
    assert now.high == 255
    assert (_ground(unfolded) != before).any()


def test_between_the_handles_both_are_dragged_and_a_handle_never_passes_the_other(unfolded: MainWindow) -> None:
    plot = unfolded.arrangement.display.plot
    QTest.mousePress(plot, LEFT, pos=QPoint(round(plot.place_of(120)), 20))
    QTest.mouseMove(plot, QPoint(round(plot.place_of(150)), 20))
    QTest.mouseRelease(plot, LEFT, pos=QPoint(round(plot.place_of(150)), 20))
    now = _now(unfolded)
    assert now.high - now.low == pytest.approx(255)
    assert now.low == pytest.approx(30, abs=3)
    QTest.mousePress(plot, LEFT, pos=QPoint(round(plot.place_of(now.low)), 20))
    QTest.mouseMove(plot, QPoint(plot.width() + 300, 20))
    QTest.mouseRelease(plot, LEFT, pos=QPoint(plot.width() + 300, 20))
    after = _now(unfolded)
    assert after.low < after.high == now.high


def test_sliders_make_the_picture_brighter_and_reset_shows_it_as_at_first(unfolded: MainWindow) -> None:
    before = _ground(unfolded)
    _slide(unfolded, "displayBrightness", 5)
    _slide(unfolded, "displayContrast", 10)
    _slide(unfolded, "displayGamma", 20)
    now = _now(unfolded)
    assert (round(now.brightness), round(now.contrast)) == (5, 10)
    assert now.gamma == pytest.approx(5**0.2)
    assert _ground(unfolded).astype(int).sum() > before.astype(int).sum()
    _click(unfolded, "displayInvert")
    assert _now(unfolded).invert
    _click(unfolded, "displayReset")
    assert _now(unfolded).untouched
    assert (_ground(unfolded) == before).all()


def test_level_and_width_can_be_typed(unfolded: MainWindow) -> None:
    for name, text in (("windowLevel", "90"), ("windowWidth", "40")):
        spin = unfolded.findChild(PixelSpin, name)
        assert spin is not None
        spin.setFocus()
        spin.selectAll()
        QTest.keyClicks(spin, text)
        QTest.keyClick(spin, Qt.Key.Key_Return)
    assert (_now(unfolded).low, _now(unfolded).high) == (70, 110)


def test_auto_spreads_a_dull_picture_over_black_and_white(unfolded: MainWindow) -> None:
    _click(unfolded, "displayAuto")
    now = _now(unfolded)
    assert 0 < now.low < now.high < 255
    assert not now.untouched


def test_another_image_has_its_own_window_and_the_first_keeps_its(unfolded: MainWindow, desk: Desk) -> None:
    desk.session.set_window(90, 40)
    first = _now(unfolded)
    desk.shows(1)
    assert _now(unfolded).untouched
    desk.shows(0)
    assert _now(unfolded) == first


def test_a_drag_with_the_tool_changes_the_window_and_no_label(window: MainWindow, desk: Desk) -> None:
    canvas, edits = window.canvas, desk.edits
    QTest.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ShiftModifier)
    assert desk.session.tools.tool.name == "window"
    start = canvas.rect().center()
    QTest.mousePress(canvas, LEFT, pos=start)
    QTest.mouseMove(canvas, start + QPoint(-60, 30))
    QTest.mouseRelease(canvas, LEFT, pos=start + QPoint(-60, 30))
    now = _now(window)
    assert now.high - now.low < 255
    assert now.low + now.high > 255
    assert desk.edits == edits
    assert not desk.documents.gesture_active
    QTest.mouseDClick(canvas, LEFT, pos=start)
    assert _now(window).untouched


def test_escape_takes_a_drag_with_the_tool_back(window: MainWindow, desk: Desk) -> None:
    canvas = window.canvas
    desk.session.set_tool("window")
    start = canvas.rect().center()
    QTest.mousePress(canvas, LEFT, pos=start)
    QTest.mouseMove(canvas, start + QPoint(40, 40))
    assert not _now(window).untouched
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert _now(window).untouched
    QTest.mouseRelease(canvas, LEFT, pos=start)


def test_a_script_sets_the_window_of_a_channel(window: MainWindow, desk: Desk) -> None:
    desk.session.set_window(100, 50)
    now = _now(window)
    assert (now.low, now.high) == (75, 125)
    display = desk.navigation.display
    assert display is not None
    others = [channel.levels for channel in display.view.channels if channel.index != 0]
    assert all((levels.low, levels.high) == (0, 255) for levels in others)


@pytest.mark.parametrize(("level", "width", "channel"), [(0, 0, 0), (0, -3, 0), (float("nan"), 1, 0), (5, 5, 7)])
def test_a_window_that_shows_nothing_is_refused(
    window: MainWindow, desk: Desk, level: float, width: float, channel: int
) -> None:
    before = _now(window)
    with pytest.raises(UserError):
        desk.session.set_window(level, width, channel)
    assert _now(window) == before
