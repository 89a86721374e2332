"""Livewire on the real canvas: an outline that follows edges from click to click."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.app.editing.tools.overlay import Handles, Polyline
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.geometry import Rect
from segstudio.labels.paint.polygon import polygon_region
from segstudio.ui.canvas import Canvas
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.fill_hands import (
    AROUND,
    LEFT,
    H,
    W,
    at,
    ended,
    iou,
    open_scene,
    overlay_of,
    painted,
    scene,
    trace,
    use,
)


@pytest.fixture
def canvas(room: object, empty_window: MainWindow, desk: Desk) -> Canvas:
    return open_scene(empty_window, desk)


def known(desk: Desk) -> bool:
    """Whether every line follows its path."""
    lines = overlay_of(desk, Polyline)
    return bool(lines) and all(len(line.points) > 2 for line in lines)


@pytest.mark.parametrize("ends", ["enter", "double click", "first"])
def test_livewire_follows_the_disc_between_four_clicks(canvas: Canvas, desk: Desk, ends: str) -> None:
    use(desk, "livewire")
    before = desk.edits
    trace(canvas, desk, AROUND)
    QTest.mouseMove(canvas, at(canvas, 100, 350))
    QTest.mouseMove(canvas, at(canvas, 250, 140))
    desk.wait(lambda: known(desk))
    if ends == "enter":
        QTest.keyClick(canvas, Qt.Key.Key_Return)
    elif ends == "double click":
        QTest.mouseDClick(canvas, LEFT, pos=at(canvas, *AROUND[-1]))
    else:
        QTest.mouseClick(canvas, LEFT, pos=at(canvas, *AROUND[0]))
    desk.wait(lambda: ended(desk))
    assert iou(painted(desk), scene() == 200) > 0.97, "a square through the four points has 0.64"
    assert desk.edits == before + 1


def test_livewire_closed_before_the_paths_are_known_waits_for_them(canvas: Canvas, desk: Desk) -> None:
    use(desk, "livewire")
    trace(canvas, desk, AROUND)
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    desk.wait(lambda: ended(desk))
    assert iou(painted(desk), scene() == 200) > 0.97


def test_backspace_takes_the_last_point_of_a_livewire_and_then_all(canvas: Canvas, desk: Desk) -> None:
    use(desk, "livewire")
    before = desk.edits
    trace(canvas, desk, [*AROUND, (590, 390)])
    QTest.keyClick(canvas, Qt.Key.Key_Backspace)
    assert len(overlay_of(desk, Handles)[0].points) == 4
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    desk.wait(lambda: ended(desk))
    assert iou(painted(desk), scene() == 200) > 0.97
    trace(canvas, desk, AROUND[:2])
    QTest.keyClick(canvas, Qt.Key.Key_Backspace)
    QTest.keyClick(canvas, Qt.Key.Key_Backspace)
    assert ended(desk)
    assert desk.edits == before + 1


def test_livewire_goes_straight_where_the_image_is_flat(canvas: Canvas, desk: Desk) -> None:
    use(desk, "livewire")
    trace(canvas, desk, [(20, 150), (120, 150), (120, 350), (20, 350)])
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    desk.wait(lambda: ended(desk))
    box = np.zeros((H, W), np.bool_)
    box[150:350, 20:120] = True
    assert iou(painted(desk), box) > 0.97


def test_a_livewire_of_one_point_says_that_it_covers_nothing(canvas: Canvas, desk: Desk) -> None:
    use(desk, "livewire")
    before = desk.edits
    trace(canvas, desk, AROUND[:1])
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert "covers no pixel" in desk.said[-1]
    assert ended(desk)
    assert desk.edits == before


def test_a_livewire_outlives_lost_focus_and_another_tool_closes_it(canvas: Canvas, desk: Desk) -> None:
    use(desk, "livewire")
    trace(canvas, desk, AROUND)
    QTest.mouseMove(canvas, at(canvas, 100, 350))
    QTest.mouseMove(canvas, at(canvas, 250, 140))
    desk.wait(lambda: known(desk))
    QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusOut))
    assert desk.documents.gesture_active
    QTest.keyClick(canvas, Qt.Key.Key_B)
    assert ended(desk)
    assert iou(painted(desk), scene() == 200) > 0.97


@pytest.mark.parametrize(
    "corners", [[(102.5, 55.5), (311.5, 369.5), (452.5, 195.5)], [(445.5, 233.5), (115.5, 173.5), (511.5, 240.5)]]
)
def test_a_livewire_closed_at_once_paints_what_a_polygon_of_its_points_does(
    canvas: Canvas, desk: Desk, corners: list[tuple[float, float]]
) -> None:
    use(desk, "livewire")
    for x, y in corners:
        desk.documents.active_tool.pointer(Pointer(Phase.PRESS, x, y, Button.LEFT))
    desk.documents.active_tool.commit()
    plane = Rect(0, 0, W, H)
    assert np.array_equal(painted(desk), polygon_region([corners], plane).mask(plane))
