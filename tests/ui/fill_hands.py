"""A scene for fill, wand, livewire, threshold and snap, and hands that use them on the real canvas."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from segstudio.geometry import Rect
from segstudio.labels.model import ClassId
from segstudio.ui.canvas import Canvas
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.small_projects import CLASSES

__all__ = [
    "AROUND", "FILLS", "LEFT", "RIGHT", "START", "H", "W", "at", "click", "drag", "ended", "iou", "name_of",
    "open_scene", "overlay_of", "painted", "scene", "trace", "use",
]  # fmt: skip

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
W, H = 600, 400
FILLS = ("fill", "wand", "livewire", "threshold", "snap")


def scene() -> np.ndarray:
    """A grey ramp from 60 to 100 with a bright disc of 200 and a dark square of 20."""
    picture = np.repeat(np.linspace(60, 100, W).astype(np.uint8)[None], H, 0)
    cv2.circle(picture, (300, 200), 80, 200, -1)
    picture[40:140, 440:560] = 20
    return picture


def open_scene(window: MainWindow, desk: Desk, classes: Sequence[str] = CLASSES) -> Canvas:
    """Two images of the scene, the first with class 1 in its upper left corner; class 2 is chosen."""
    desk.show({"a.png": np.repeat(scene()[..., None], 3, 2), "b.png": np.repeat(scene()[..., None], 3, 2)}, classes)
    desk.paint(Rect(0, 0, 100, 100), 1)
    desk.settle()
    desk.session.set_class(name_of(desk, 2))
    window.canvas.setFocus()
    return window.canvas


def name_of(desk: Desk, class_id: int) -> str:
    found = desk.documents.classes.effective(ClassId(class_id))
    assert found is not None
    return found.name


def use(desk: Desk, tool: str, radius: float = 12.0, **options: float | str | bool) -> None:
    desk.session.set_tool(tool)
    desk.session.set_brush_radius(radius)
    for name, value in options.items():
        desk.session.tools.set_option(name, value)


def at(canvas: Canvas, x: float, y: float) -> QPoint:
    return canvas.to_widget(x, y).toPoint()


def click(canvas: Canvas, desk: Desk, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
    """Click, and wait until what it began has ended."""
    QTest.mouseClick(canvas, button, pos=at(canvas, x, y))
    desk.wait(lambda: not desk.documents.gesture_active)


def drag(canvas: Canvas, *points: tuple[float, float], button: Qt.MouseButton = LEFT, lift: bool = True) -> None:
    QTest.mousePress(canvas, button, pos=at(canvas, *points[0]))
    for point in points[1:]:
        QTest.mouseMove(canvas, at(canvas, *point))
    if lift:
        QTest.mouseRelease(canvas, button, pos=at(canvas, *points[-1]))


def painted(desk: Desk, class_id: int = 2) -> np.ndarray:
    return desk.class_ids() == class_id


def ended(desk: Desk) -> bool:
    return not desk.documents.gesture_active


def overlay_of(desk: Desk, kind: type) -> list:
    return [shape for shape in desk.session.tools.overlay if isinstance(shape, kind)]


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def trace(canvas: Canvas, desk: Desk, points: list[tuple[float, float]]) -> None:
    for point in points:
        QTest.mouseClick(canvas, LEFT, pos=at(canvas, *point))


AROUND = [(300, 120), (380, 200), (300, 280), (220, 200)]


START: dict[str, Callable[[Canvas], None]] = {
    "wand": lambda canvas: drag(canvas, (300, 200), lift=False),
    "livewire": lambda canvas: [QTest.mouseClick(canvas, LEFT, pos=at(canvas, *point)) for point in AROUND] and None,
    "threshold": lambda canvas: drag(canvas, (300, 200), lift=False),
    "snap": lambda canvas: drag(canvas, (300, 200), lift=False),
}
