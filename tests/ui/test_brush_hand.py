"""The brush in the hand: the pixels that its cursor shows, size by drag and wheel, lines, squares, pens, touchpads."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QInputDevice,
    QMouseEvent,
    QNativeGestureEvent,
    QPointingDevice,
    QPolygonF,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from segstudio.app.editing.tools.overlay import Polyline
from segstudio.geometry import Rect
from segstudio.labels.model import Touch
from segstudio.labels.paint.stroke import capsule_spans, square_spans
from segstudio.ui.canvas import Canvas
from segstudio.ui.canvas.brush_outline import PixelOutline
from tests.ui.canvas_values import SPECS, spans_mask
from tests.ui.desk import Desk

SIZE = (400, 300)
WHOLE = Rect(0, 0, *SIZE)
GREY = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
LEFT, NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
SHIFT, CTRL, ALT = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)
PLAIN = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def desk(own_desk: Desk) -> Desk:
    return own_desk


@pytest.fixture
def canvas(qtbot: QtBot, desk: Desk) -> Iterator[Canvas]:
    """A canvas of 500 x 400 that shows the first of two grey images; the brush is in the hand."""
    widget = Canvas(desk.session)
    qtbot.addWidget(widget)
    widget.resize(500, 400)
    desk.show({"a.png": GREY, "b.png": GREY}, SPECS)
    with qtbot.waitExposed(widget):
        widget.show()
    desk.session.tools.choose("brush")
    desk.session.tools.set_radius(6.0)
    yield widget
    widget._behind.stop()
    widget._badge.withdraw()


def mouse(canvas: Canvas, kind: QEvent.Type, x: float, y: float, *, held: bool = True, keys: object = PLAIN) -> None:
    """A mouse event at an image position, the left button held or not."""
    at = canvas.to_widget(x, y)
    button = NO_BUTTON if kind is QEvent.Type.MouseMove else LEFT
    buttons = LEFT if held and kind is not QEvent.Type.MouseButtonRelease else NO_BUTTON
    QApplication.sendEvent(canvas, QMouseEvent(kind, at, canvas.mapToGlobal(at), button, buttons, keys))


def click(canvas: Canvas, x: float, y: float, keys: object = PLAIN) -> None:
    mouse(canvas, QEvent.Type.MouseButtonPress, x, y, keys=keys)
    mouse(canvas, QEvent.Type.MouseButtonRelease, x, y, keys=keys)


def painted(desk: Desk) -> np.ndarray:
    return desk.class_ids() != 0


def wheel(
    canvas: Canvas,
    angle: tuple[int, int] = (0, 0),
    pixels: tuple[int, int] = (0, 0),
    keys: object = PLAIN,
    phase: Qt.ScrollPhase = Qt.ScrollPhase.NoScrollPhase,
) -> None:
    at = QPointF(250, 200)
    event = QWheelEvent(at, canvas.mapToGlobal(at), QPoint(*pixels), QPoint(*angle), NO_BUTTON, keys, phase, False)
    QApplication.sendEvent(canvas, event)


def pen(
    canvas: Canvas,
    kind: QEvent.Type,
    x: float,
    y: float,
    pressure: float,
    end: QPointingDevice.PointerType = QPointingDevice.PointerType.Pen,
) -> None:
    """An event of a pen at an image position."""
    at = canvas.to_widget(x, y)
    device = QPointingDevice(
        "pen", 7, QInputDevice.DeviceType.Stylus, end, QInputDevice.Capability.Pressure, 1, 1, parent=canvas
    )
    button = NO_BUTTON if kind is QEvent.Type.TabletMove else LEFT
    buttons = NO_BUTTON if kind is QEvent.Type.TabletRelease else LEFT
    event = QTabletEvent(
        kind, device, at, canvas.mapToGlobal(at), pressure, 0.0, 0.0, 0.0, 0.0, 0.0, PLAIN, button, buttons
    )
    QApplication.sendEvent(canvas, event)


# -- the cursor -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("square", [False, True])
@pytest.mark.parametrize(("zoom", "radius"), [(3.0, 0.5), (5.5, 2.3), (12.0, 7.0), (4.0, 31.0)])
def test_the_cursor_goes_round_the_very_pixels_that_a_click_paints(
    canvas: Canvas, desk: Desk, zoom: float, radius: float, square: bool
) -> None:
    desk.session.tools.set_option("brush_shape", "square" if square else "round")
    desk.session.tools.set_radius(radius)
    canvas.set_zoom(zoom)
    x, y = canvas.to_image(QPointF(251, 187))
    mouse(canvas, QEvent.Type.MouseMove, x, y, held=False)
    outline = canvas._ring
    assert isinstance(outline, PixelOutline)
    shown = QPolygonF([QPointF(*point) for point in outline.points])
    click(canvas, x, y)
    found = painted(desk)
    assert found.any()
    rows, columns = np.nonzero(found)
    for row in range(rows.min() - 2, rows.max() + 3):
        for column in range(columns.min() - 2, columns.max() + 3):
            inside = shown.containsPoint(canvas.to_widget(column + 0.5, row + 0.5), Qt.FillRule.OddEvenFill)
            assert inside == found[row, column], (row, column)


@pytest.mark.parametrize(("zoom", "radius"), [(3.0, 0.5), (8.0, 3.0), (4.0, 40.0), (6.0, 11.5)])
def test_what_is_repainted_for_the_cursor_is_all_that_it_covers(
    canvas: Canvas, desk: Desk, zoom: float, radius: float
) -> None:
    desk.session.tools.set_radius(radius)
    canvas.set_zoom(zoom)
    canvas.repaint()
    for place in (QPointF(200, 170), QPointF(203, 170), QPointF(231, 188), QPointF(120, 90)):
        x, y = canvas.to_image(place)
        mouse(canvas, QEvent.Type.MouseMove, x, y, held=False)
        QApplication.processEvents()
    after = canvas.grab().toImage()
    canvas._frame.spoil_all()
    canvas.update()
    QApplication.processEvents()
    assert canvas.grab().toImage() == after


# -- size -------------------------------------------------------------------------------------------------------------


def test_dragging_with_ctrl_changes_the_size_and_paints_nothing(canvas: Canvas, desk: Desk) -> None:
    canvas.set_zoom(2.0)
    mouse(canvas, QEvent.Type.MouseButtonPress, 100, 100, keys=CTRL)
    ring = canvas._ring
    mouse(canvas, QEvent.Type.MouseMove, 110, 100, keys=CTRL)
    assert desk.session.tools.radius == pytest.approx(16.0)
    assert canvas._ring is not None
    assert ring is not None
    mouse(canvas, QEvent.Type.MouseButtonRelease, 110, 100, keys=CTRL)
    mouse(canvas, QEvent.Type.MouseMove, 150, 100, held=False)
    assert desk.session.tools.radius == pytest.approx(16.0)
    assert not painted(desk).any()


def test_escape_takes_the_change_of_size_back(canvas: Canvas, desk: Desk) -> None:
    mouse(canvas, QEvent.Type.MouseButtonPress, 100, 100, keys=CTRL)
    mouse(canvas, QEvent.Type.MouseMove, 180, 100, keys=CTRL)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert desk.session.tools.radius == 6.0
    mouse(canvas, QEvent.Type.MouseButtonRelease, 180, 100)
    assert not painted(desk).any()


@pytest.mark.parametrize("keys", [ALT, CTRL | SHIFT])
def test_the_wheel_changes_the_size_with_alt_or_ctrl_and_shift(canvas: Canvas, desk: Desk, keys: object) -> None:
    scale = canvas.scale
    # With Alt some systems report the wheel as turned sideways.
    wheel(canvas, (120, 0) if keys == ALT else (0, 120), keys=keys)
    assert desk.session.tools.radius == pytest.approx(6.9)
    wheel(canvas, (0, -240), keys=keys)
    assert desk.session.tools.radius < 6.0
    assert canvas.scale == scale
    desk.session.tools.set_radius(0.5)
    wheel(canvas, (0, 120), keys=keys)
    assert desk.session.tools.radius == 1.0


# -- lines and squares ------------------------------------------------------------------------------------------------


def test_a_click_with_shift_paints_a_straight_line_from_the_last_stroke_as_one_edit(canvas: Canvas, desk: Desk) -> None:
    click(canvas, 40, 40)
    mouse(canvas, QEvent.Type.MouseMove, 200, 120, held=False, keys=SHIFT)
    (line,) = desk.session.tools.overlay
    assert isinstance(line, Polyline)
    assert line.points[0] == pytest.approx((40.0, 40.0))
    click(canvas, 200, 120, SHIFT)
    assert desk.session.tools.overlay == ()
    expected = spans_mask(capsule_spans((40, 40), (200, 120), 6.0, WHOLE), WHOLE)
    assert np.array_equal(painted(desk), expected)
    desk.session.undo()
    assert np.array_equal(painted(desk), spans_mask(capsule_spans((40, 40), (40, 40), 6.0, WHOLE), WHOLE))


@pytest.mark.parametrize("touch", [Touch.CLASS, Touch.OBJECT])
def test_a_line_may_touch_what_the_stroke_before_it_might(canvas: Canvas, desk: Desk, touch: Touch) -> None:
    ground, chosen = Rect(20, 20, 200, 36), desk.documents.class_id
    other = next(c.id for c in desk.documents.classes if c.id not in (1, chosen))
    desk.paint(ground, other)
    desk.session.set_touch(touch)
    click(canvas, 40, 40)
    click(canvas, 200, 52, SHIFT)
    expected = spans_mask(capsule_spans((40, 40), (200, 52), 6.0, WHOLE), WHOLE)
    inside = np.zeros_like(expected)
    inside[ground.y : ground.bottom, ground.x : ground.right] = True
    assert np.array_equal(desk.class_ids() == chosen, expected & inside)


def test_the_line_is_not_shown_without_shift_and_does_not_reach_another_image(canvas: Canvas, desk: Desk) -> None:
    click(canvas, 40, 40)
    mouse(canvas, QEvent.Type.MouseMove, 60, 60, held=False, keys=SHIFT)
    mouse(canvas, QEvent.Type.MouseMove, 61, 60, held=False)
    assert desk.session.tools.overlay == ()
    desk.settle()
    desk.shows(1)
    click(canvas, 200, 120, SHIFT)
    assert np.array_equal(painted(desk), spans_mask(capsule_spans((200, 120), (200, 120), 6.0, WHOLE), WHOLE))


def test_a_square_brush_paints_squares(canvas: Canvas, desk: Desk) -> None:
    desk.session.tools.set_option("brush_shape", "square")
    mouse(canvas, QEvent.Type.MouseButtonPress, 50, 50)
    mouse(canvas, QEvent.Type.MouseMove, 90.5, 71.25)
    mouse(canvas, QEvent.Type.MouseButtonRelease, 90.5, 71.25)
    x, y = canvas.to_image(canvas.to_widget(90.5, 71.25))
    expected = spans_mask(square_spans((50, 50), (x, y), 6.0, WHOLE), WHOLE)
    assert np.array_equal(painted(desk), expected)


# -- pens and touchpads -----------------------------------------------------------------------------------------------


def test_a_pen_paints_by_its_pressure_where_that_is_asked_for(canvas: Canvas, desk: Desk) -> None:
    desk.session.tools.set_radius(20.0)
    pen(canvas, QEvent.Type.TabletPress, 100, 100, 0.5)
    pen(canvas, QEvent.Type.TabletRelease, 100, 100, 0.0)
    half = spans_mask(capsule_spans((100, 100), (100, 100), 10.0, WHOLE), WHOLE)
    assert np.array_equal(painted(desk), half)
    desk.session.tools.set_option("pen_pressure", False)
    pen(canvas, QEvent.Type.TabletPress, 200, 100, 0.5)
    pen(canvas, QEvent.Type.TabletRelease, 200, 100, 0.0)
    full = spans_mask(capsule_spans((200, 100), (200, 100), 20.0, WHOLE), WHOLE)
    assert np.array_equal(painted(desk), half | full)


def test_the_eraser_end_of_a_pen_erases_and_then_the_brush_is_back(canvas: Canvas, desk: Desk) -> None:
    click(canvas, 100, 100)
    eraser = QPointingDevice.PointerType.Eraser
    pen(canvas, QEvent.Type.TabletPress, 100, 100, 1.0, eraser)
    assert desk.session.tools.tool.name == "eraser"
    pen(canvas, QEvent.Type.TabletMove, 105, 100, 1.0, eraser)
    pen(canvas, QEvent.Type.TabletRelease, 105, 100, 0.0, eraser)
    assert not painted(desk).any()
    assert desk.session.tools.tool.name == "brush"


def test_two_fingers_move_the_image_and_a_wheel_zooms(canvas: Canvas) -> None:
    canvas.set_zoom(4.0)
    before = canvas.to_image(QPointF(250, 200))
    wheel(canvas, (0, 40), (-12, 20), phase=Qt.ScrollPhase.ScrollUpdate)
    assert canvas.scale == 4.0
    after = canvas.to_image(QPointF(250, 200))
    assert (after[0] - before[0], after[1] - before[1]) == pytest.approx((3.0, -5.0))
    wheel(canvas, (0, 120))
    assert canvas.scale > 4.0


def test_a_pinch_zooms_at_the_fingers(canvas: Canvas) -> None:
    canvas.set_zoom(2.0)
    at = QPointF(120, 90)
    held = canvas.to_image(at)
    device = QPointingDevice.primaryPointingDevice()
    event = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture, device, 2, at, at, canvas.mapToGlobal(at), 0.25, QPointF()
    )
    QApplication.sendEvent(canvas, event)
    assert canvas.scale == pytest.approx(2.5)
    assert canvas.to_image(at) == pytest.approx(held)
