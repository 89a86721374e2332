"""Random gestures of the tools that paint, with undo, redo, Escape, another image and restarts, beside plain arrays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from segstudio.ui.canvas import Canvas
from tests.ui.desk import Desk
from tests.window_bench import disc_path

W, H = 300, 280
"""Four tiles, none of them whole but one."""
STEPS = 45
LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.NoButton
Point = tuple[float, float]
Mask = NDArray[np.bool_]
CLASSES = {"background": 1, "nucleus": 2, "lumen": 3}
ROUND = ("brush", "eraser")


@pytest.fixture
def desk(own_desk: Desk) -> Desk:
    return own_desk


@pytest.fixture
def canvas(qtbot: QtBot, desk: Desk) -> Iterator[Canvas]:
    widget = Canvas(desk.session)
    qtbot.addWidget(widget)
    widget.resize(500, 460)
    grey = np.full((H, W, 3), 120, np.uint8)
    desk.show({"a.png": grey, "b.png": grey}, ("nucleus:#e69f00", "lumen:#56b4e9"))
    with qtbot.waitExposed(widget):
        widget.show()
    yield widget
    widget._behind.stop()
    widget._badge.withdraw()


def even_odd(points: list[Point]) -> Mask:
    """The pixels whose centre lies inside, by the crossings of a ray to the left of each."""
    y, x = np.mgrid[:H, :W] + 0.5
    inside = np.zeros((H, W), np.bool_)
    for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
        if ay != by:
            crosses = (np.minimum(ay, by) <= y) & (y < np.maximum(ay, by))
            inside ^= crosses & (ax + (y - ay) / (by - ay) * (bx - ax) <= x)
    return inside


def box(a: Point, b: Point) -> Mask:
    y, x = np.mgrid[:H, :W] + 0.5
    (left, right), (top, bottom) = sorted((a[0], b[0])), sorted((a[1], b[1]))
    return (left <= x) & (x < right) & (top <= y) & (y < bottom)


def oval(a: Point, b: Point) -> Mask:
    y, x = np.mgrid[:H, :W] + 0.5
    rx, ry = abs(b[0] - a[0]) / 2, abs(b[1] - a[1]) / 2
    return ((x - (a[0] + b[0]) / 2) / rx) ** 2 + ((y - (a[1] + b[1]) / 2) / ry) ** 2 < 1


@dataclass
class Plain:
    """One image as an array of class ids, with what can be taken back and made again."""

    now: NDArray[np.uint16] = field(default_factory=lambda: np.zeros((H, W), np.uint16))
    before: list[NDArray[np.uint16]] = field(default_factory=list)
    after: list[NDArray[np.uint16]] = field(default_factory=list)

    def paint(self, mask: Mask, value: int) -> None:
        painted = np.where(mask, np.uint16(value), self.now)
        if not np.array_equal(painted, self.now):
            self.before.append(self.now)
            self.after.clear()
            self.now = painted

    def undo(self) -> None:
        if self.before:
            self.after.append(self.now)
            self.now = self.before.pop()

    def redo(self) -> None:
        if self.after:
            self.before.append(self.now)
            self.now = self.after.pop()


class Hand:
    """Makes gestures on the canvas, and the same on plain arrays."""

    def __init__(self, canvas: Canvas, desk: Desk, seed: int) -> None:
        self.canvas, self.desk, self.rng = canvas, desk, np.random.default_rng(seed)
        self.images = [Plain(), Plain()]
        self.shown = 0
        self.class_name = "nucleus"
        self.choose()

    @property
    def plain(self) -> Plain:
        return self.images[self.shown]

    def choose(self) -> None:
        self.class_name = str(self.rng.choice(["nucleus", "lumen"]))
        self.desk.session.set_class(self.class_name)

    def point(self) -> Point:
        """Somewhere on the image or a little beside it; never on a centre or an edge of a pixel."""
        x, y = self.rng.integers(-8, W + 8), self.rng.integers(-8, H + 8)
        return float(x) + 0.37, float(y) + 0.21

    def send(self, kind: QEvent.Type, at: Point, button: Qt.MouseButton) -> None:
        place = self.canvas.to_widget(*at)
        changed = NONE if kind is QEvent.Type.MouseMove else button
        held = NONE if kind is QEvent.Type.MouseButtonRelease else button
        event = QMouseEvent(kind, place, self.canvas.mapToGlobal(place), changed, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self.canvas, event)

    def drag(self, points: list[Point], button: Qt.MouseButton = LEFT, *, release: bool = True) -> None:
        self.send(QEvent.Type.MouseButtonPress, points[0], button)
        for at in points[1:]:
            self.send(QEvent.Type.MouseMove, at, button)
        if release:
            self.send(QEvent.Type.MouseButtonRelease, points[-1], button)

    def value(self, button: Qt.MouseButton) -> int:
        return CLASSES["background"] if button is RIGHT else CLASSES[self.class_name]

    def stroke(self) -> None:
        tool, button = str(self.rng.choice(ROUND)), (LEFT, RIGHT)[int(self.rng.integers(2))]
        radius = float(self.rng.choice([0.5, 3.0, 17.5, 60.0]))
        points = [self.point() for _ in range(int(self.rng.integers(1, 5)))]
        self.desk.session.set_tool(tool)
        self.desk.session.set_brush_radius(radius)
        self.drag(points, button)
        erases = tool == "eraser" and button is LEFT
        self.plain.paint(disc_path(points, radius, (H, W)), 0 if erases else self.value(button))

    def shape(self) -> None:
        tool, button = str(self.rng.choice(["rectangle", "ellipse"])), (LEFT, RIGHT)[int(self.rng.integers(2))]
        a, b = self.point(), self.point()
        if min(abs(a[0] - b[0]), abs(a[1] - b[1])) < 2:
            return
        self.desk.session.set_tool(tool)
        self.drag([a, ((a[0] + b[0]) / 2, a[1]), b], button)
        self.plain.paint(box(a, b) if tool == "rectangle" else oval(a, b), self.value(button))

    def lasso(self) -> None:
        points = [self.point() for _ in range(int(self.rng.integers(3, 7)))]
        self.desk.session.set_tool("lasso")
        self.drag(points)
        self.plain.paint(even_odd(points), self.value(LEFT))

    def polygon(self) -> None:
        points = [self.point() for _ in range(int(self.rng.integers(3, 6)))]
        near = [np.hypot(a[0] - b[0], a[1] - b[1]) for n, a in enumerate(points) for b in points[:n]]
        if min(near) < 15:
            return  # a click on a corner takes hold of it
        self.desk.session.set_tool("polygon")
        for at in points:
            self.drag([at])
        QTest.keyClick(self.canvas, Qt.Key.Key_Return)
        self.plain.paint(even_odd(points), self.value(LEFT))

    def fill(self) -> None:
        x, y = self.point()
        self.desk.session.set_tool("fill")
        self.drag([(x, y)])
        if 0 <= x < W and 0 <= y < H:
            same = (self.plain.now == self.plain.now[int(y), int(x)]).astype(np.uint8)
            _, parts = cv2.connectedComponents(same, connectivity=4)
            self.plain.paint(parts == parts[int(y), int(x)], self.value(LEFT))

    def dropped(self) -> None:
        """A gesture that Escape takes back."""
        self.desk.session.set_tool(str(self.rng.choice(["brush", "rectangle", "lasso"])))
        self.drag([self.point() for _ in range(3)], release=False)
        QTest.keyClick(self.canvas, Qt.Key.Key_Escape)
        self.send(QEvent.Type.MouseButtonRelease, self.point(), LEFT)

    def undo(self) -> None:
        self.desk.session.undo()
        self.plain.undo()

    def redo(self) -> None:
        self.desk.session.redo()
        self.plain.redo()

    def other_image(self) -> None:
        self.shown = 1 - self.shown
        self.desk.shows(self.shown)

    def restart(self) -> None:
        self.desk.settle()
        self.desk.open(self.desk.opened.path, first=self.shown)
        self.choose()

    def step(self) -> str:
        steps: list[tuple[Callable[[], None], float]] = [
            (self.stroke, 5), (self.shape, 3), (self.lasso, 2), (self.polygon, 2), (self.fill, 2), (self.dropped, 2),
            (self.undo, 4), (self.redo, 3), (self.choose, 2), (self.other_image, 1), (self.restart, 0.4),
        ]  # fmt: skip
        weights = np.array([weight for _, weight in steps])
        work = steps[int(self.rng.choice(len(steps), p=weights / weights.sum()))][0]
        work()
        self.desk.wait(lambda: not self.desk.documents.gesture_active)
        return work.__name__


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_hand_does_the_labels_are_those_of_a_plain_array(canvas: Canvas, desk: Desk, seed: int) -> None:
    hand, done = Hand(canvas, desk, seed), list[str]()
    for _ in range(STEPS):
        done.append(hand.step())
        found = desk.class_ids()
        assert np.array_equal(found, hand.plain.now), (done, int((found != hand.plain.now).sum()))
    assert desk.bugs == []
