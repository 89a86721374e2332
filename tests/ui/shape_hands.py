"""Hands that draw shapes on the real canvas, and what their outlines enclose."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from segstudio.app.editing.tools.overlay import Handles, Polyline
from segstudio.geometry import Rect
from segstudio.labels.paint.polygon import ellipse_region, polygon_region
from segstudio.ui.canvas import Canvas
from tests.ui.canvas_values import SPECS
from tests.ui.desk import Desk

SIZE = (400, 300)
WHOLE = Rect(0, 0, *SIZE)
GREY = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NO, SHIFT, CTRL, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)
TRIANGLE = [QPoint(150, 100), QPoint(350, 130), QPoint(220, 300)]
SQUARE = [QPoint(120, 80), QPoint(380, 80), QPoint(380, 320), QPoint(120, 320)]
HOLE = [QPoint(200, 150), QPoint(300, 150), QPoint(250, 250)]
LOOP = [QPoint(120, 120), QPoint(260, 90), QPoint(370, 200), QPoint(300, 320), QPoint(140, 290)]
BACKGROUND, NUCLEUS, CELL = 1, 2, 3


@contextmanager
def open_canvas(qtbot: QtBot, desk: Desk) -> Iterator[Canvas]:
    """The canvas of two grey images, with the class 'nucleus' chosen."""
    frame = QWidget()
    qtbot.addWidget(frame)
    made = Canvas(desk.session, frame)
    made.setFixedSize(500, 400)
    QVBoxLayout(frame).addWidget(made)
    desk.show({"a.png": GREY, "b.png": GREY}, SPECS)
    desk.session.set_class("nucleus")
    with qtbot.waitExposed(frame):
        frame.show()
    frame.activateWindow()
    made.setFocus()
    yield made
    made._behind.stop()
    made._badge.withdraw()


def use(desk: Desk, tool: str) -> None:
    desk.session.set_tool(tool)


def click(
    canvas: Canvas,
    *points: QPoint,
    button: Qt.MouseButton = LEFT,
    held: Qt.KeyboardModifier = NO,
) -> None:
    for point in points:
        QTest.mouseClick(canvas, button, held, point)


def drag(
    canvas: Canvas,
    *points: QPoint,
    button: Qt.MouseButton = LEFT,
    held: Qt.KeyboardModifier = NO,
    release: bool = True,
) -> None:
    QTest.mousePress(canvas, button, held, points[0])
    for point in points[1:]:
        move(canvas, point, button, held)
    if release:
        QTest.mouseRelease(canvas, button, held, points[-1])


def move(canvas: Canvas, to: QPoint, button: Qt.MouseButton = LEFT, held: Qt.KeyboardModifier = NO) -> None:
    """A real move with the button down and modifiers held, which QTest.mouseMove does not say."""
    at = QPointF(to)
    event = QMouseEvent(QEvent.Type.MouseMove, at, canvas.mapToGlobal(at), Qt.MouseButton.NoButton, button, held)
    QApplication.sendEvent(canvas, event)


def key(canvas: Canvas, which: Qt.Key, held: Qt.KeyboardModifier = NO) -> None:
    QTest.keyClick(canvas, which, held)


def image(canvas: Canvas, points: list[QPoint]) -> list[tuple[float, float]]:
    return [canvas.to_image(QPointF(point)) for point in points]


def inside(canvas: Canvas, *rings: list[QPoint]) -> np.ndarray:
    return polygon_region([image(canvas, ring) for ring in rings], WHOLE).mask(WHOLE)


def painted(desk: Desk, class_id: int = NUCLEUS) -> np.ndarray:
    return desk.class_ids() == class_id


def handles(desk: Desk) -> list[tuple[float, float]]:
    return [point for shown in desk.session.tools.overlay if isinstance(shown, Handles) for point in shown.points]


def tint(desk: Desk) -> set[str]:
    return {shown.fill for shown in desk.session.tools.overlay if isinstance(shown, Polyline) and shown.fill}


def box_of(canvas: Canvas, a: QPoint, b: QPoint) -> tuple[float, float, float, float]:
    (ax, ay), (bx, by) = image(canvas, [a, b])
    return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)


def begin(canvas: Canvas, desk: Desk, tool: str) -> np.ndarray:
    """A shape under way; what it would paint."""
    use(desk, tool)
    if tool == "polygon":
        click(canvas, *LOOP)
        return inside(canvas, LOOP)
    drag(canvas, *LOOP, release=False)
    if tool == "lasso":
        return inside(canvas, LOOP)
    left, top, right, bottom = box_of(canvas, LOOP[0], LOOP[-1])
    if tool == "ellipse":
        return ellipse_region(left, top, right, bottom, WHOLE).mask(WHOLE)
    return polygon_region([[(left, top), (right, top), (right, bottom), (left, bottom)]], WHOLE).mask(WHOLE)
