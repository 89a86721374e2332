"""Random gestures with every tool on the real canvas, and the same on plain arrays."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.app.editing.tools import region_painting
from segstudio.app.editing.tools.overlay import Patch, Polyline
from segstudio.geometry import Rect
from segstudio.ui.canvas import Canvas
from segstudio.ui.canvas.keyboard_hand import KeyboardHand
from tests.ui.desk import Desk
from tests.ui.tools_model import (
    CLASSES,
    H,
    Mask,
    Plain,
    Point,
    Rules,
    W,
    around,
    box,
    even_odd,
    oval,
)
from tests.window_bench import disc_path

__all__ = ["LEFT", "NONE", "RIGHT", "Hand"]

LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.NoButton
PRESS, MOVE, RELEASE = QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease
PLAIN, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
RADII = (0.5, 3.0, 17.5, 60.0)
TOLERANCE = 5.0


class Hand:
    """Makes gestures on the canvas, and the same on plain arrays."""

    def __init__(self, canvas: Canvas, desk: Desk, seed: int) -> None:
        self.canvas, self.desk, self.rng = canvas, desk, np.random.default_rng(seed)
        self.rules = Rules()
        self.images = [Plain(self.rules), Plain(self.rules)]
        self.shown = 0
        self.done: list[str] = []
        self.class_id = CLASSES["nucleus"]
        self.keyboard = KeyboardHand(desk.session, canvas)
        self.choose_class()

    @property
    def plain(self) -> Plain:
        return self.images[self.shown]

    def ids(self) -> NDArray[np.uint32]:
        """The program's object ids."""
        return self.desk.document.raster.read(0, Rect(0, 0, W, H))[0]

    def quiet(self) -> None:
        """Wait until nothing is under way."""
        documents = self.desk.documents
        self.desk.wait(lambda: not documents.gesture_active and not documents.computing() and not documents.owes)

    def choose_class(self) -> None:
        """Choose a class."""
        name = str(self.rng.choice(["nucleus", "lumen", "cell", "grain"]))
        self.class_id = CLASSES[name]
        self.desk.session.set_class(name)

    # -- mouse ---------------------------------------------------------------------------------------------------------

    def point(self, *, inside: bool = False) -> Point:
        """Somewhere on the image, or a little beside it; never on a centre or an edge of a pixel."""
        beside = 0 if inside else 8
        x, y = self.rng.integers(-beside, W + beside), self.rng.integers(-beside, H + beside)
        return float(x + 0.05 + 0.4 * self.rng.random()), float(y + 0.05 + 0.4 * self.rng.random())

    def send(self, kind: QEvent.Type, at: Point, button: Qt.MouseButton, held: Qt.KeyboardModifier = PLAIN) -> None:
        place = self.canvas.to_widget(*at)
        changed = NONE if kind is MOVE else button
        down = NONE if kind is RELEASE else button
        QApplication.sendEvent(
            self.canvas, QMouseEvent(kind, place, self.canvas.mapToGlobal(place), changed, down, held)
        )

    def drag(
        self,
        points: list[Point],
        button: Qt.MouseButton = LEFT,
        held: Qt.KeyboardModifier = PLAIN,
        *,
        lift: bool = True,
    ) -> None:
        self.send(PRESS, points[0], button, held)
        for at in points[1:]:
            self.send(MOVE, at, button, held)
        if lift:
            self.send(RELEASE, points[-1], button, held)

    def button(self) -> Qt.MouseButton:
        return LEFT if self.rng.random() < 0.7 else RIGHT

    def painted(self, button: Qt.MouseButton) -> int:
        """The class that a button paints."""
        return CLASSES["background"] if button is RIGHT else self.class_id

    # -- strokes -------------------------------------------------------------------------------------------------------

    def stroke(self) -> None:
        """Brush or eraser."""
        tool, button, radius = str(self.rng.choice(["brush", "eraser"])), self.button(), float(self.rng.choice(RADII))
        points = [self.point() for _ in range(int(self.rng.integers(1, 5)))]
        self.desk.session.set_tool(tool)
        self.desk.session.set_brush_radius(radius)
        self.drag(points, button)
        erases = tool == "eraser" and button is LEFT
        self.plain.paint(disc_path(points, radius, (H, W)), 0 if erases else self.painted(button), points[0])

    def line(self) -> None:
        """A dab, and with Shift a straight line on from it."""
        (a, b), radius = (self.point(), self.point()), float(self.rng.choice(RADII))
        self.desk.session.set_tool("brush")
        self.desk.session.set_brush_radius(radius)
        if self.plain.refuses(a, self.class_id):
            return
        policy_of = self.plain.under(a)
        self.drag([a])
        self.plain.paint(disc_path([a], radius, (H, W)), self.class_id, a)
        self.follow()
        if not self.plain.refuses(b, self.class_id):
            self.drag([b], held=SHIFT)
            self.plain.paint(disc_path([a, b], radius, (H, W)), self.class_id, a, policy_of)

    def threshold(self) -> None:
        """A brush that paints what is like the pixel of the press."""
        points, radius = [self.point(inside=True), self.point(), self.point()], float(self.rng.choice(RADII))
        button = self.button()
        self.desk.session.set_tool("threshold")
        self.desk.session.set_tolerance(TOLERANCE / 100)
        self.desk.session.set_brush_radius(radius)
        self.drag(points, button)
        mask = disc_path(points, radius, (H, W)) & self.like(points[0])
        self.plain.paint(mask, self.painted(button), points[0])

    def snap(self) -> None:
        """A click with the brush that follows edges, of which all was shown before."""
        at, button = self.point(inside=True), self.button()
        self.desk.session.set_tool("snap")
        self.desk.session.set_brush_radius(float(self.rng.choice([3.0, 17.5])))
        self.send(MOVE, at, NONE)
        self.desk.wait(lambda: any(isinstance(shape, Patch) for shape in self.desk.session.tools.overlay))
        (patch,) = self.desk.session.tools.overlay
        assert isinstance(patch, Patch)
        mask, rect = np.zeros((H, W), np.bool_), patch.rect
        mask[rect.y : rect.bottom, rect.x : rect.right] = patch.mask
        self.drag([at], button)
        self.plain.paint(mask, self.painted(button), at)

    def by_keys(self) -> None:
        """The brush, moved and held by keys."""
        keyboard, radius = self.keyboard, 3.3
        self.desk.session.set_tool("brush")
        self.desk.session.set_brush_radius(radius)
        keyboard.set_active(True)
        for _ in range(int(self.rng.integers(4))):
            QTest.keyClick(self.canvas, self.arrow(), Qt.KeyboardModifier.ControlModifier)
        points = [keyboard.position]
        refused = self.plain.refuses(points[0], self.class_id)
        QTest.keyPress(self.canvas, Qt.Key.Key_Space)
        for _ in range(int(self.rng.integers(5))):
            QTest.keyClick(self.canvas, self.arrow(), SHIFT)
            points.append(keyboard.position)
        QTest.keyRelease(self.canvas, Qt.Key.Key_Space)
        keyboard.set_active(False)
        if not refused:
            self.plain.paint(disc_path(points, radius, (H, W)), self.class_id, points[0])

    def arrow(self) -> Qt.Key:
        return [Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down][int(self.rng.integers(4))]

    # -- outlines ------------------------------------------------------------------------------------------------------

    def shape(self) -> None:
        """Rectangle or ellipse."""
        tool, button, a, b = str(self.rng.choice(["rectangle", "ellipse"])), self.button(), self.point(), self.point()
        if min(abs(a[0] - b[0]), abs(a[1] - b[1])) < 2:
            return
        self.desk.session.set_tool(tool)
        self.drag([a, ((a[0] + b[0]) / 2, a[1]), b], button)
        self.plain.paint(box(a, b) if tool == "rectangle" else oval(a, b), self.painted(button), a)

    def lasso(self) -> None:
        """An outline in one go."""
        points, button = [self.point() for _ in range(int(self.rng.integers(3, 7)))], self.button()
        self.desk.session.set_tool("lasso")
        self.drag(points, button)
        self.plain.paint(even_odd(points), self.painted(button), points[0])

    def corners(self, least: int, most: int) -> list[Point] | None:
        """Corners to click at; None where they take hold of one another, or the first press is refused."""
        points = [self.point(inside=True) for _ in range(int(self.rng.integers(least, most)))]
        near = [np.hypot(a[0] - b[0], a[1] - b[1]) for n, a in enumerate(points) for b in points[:n]]
        return None if min(near) < 15 or self.plain.refuses(points[0], self.class_id) else points

    def polygon(self) -> None:
        """An outline of clicks."""
        points = self.corners(3, 6)
        if points is None:
            return
        self.desk.session.set_tool("polygon")
        for at in points:
            self.drag([at])
        QTest.keyClick(self.canvas, Qt.Key.Key_Return)
        self.plain.paint(even_odd(points), self.class_id, points[0])

    def livewire(self) -> None:
        """Clicks around something, closed by one on the first of them: what was shown is what is filled."""
        points = self.corners(3, 5)
        if points is None:
            return
        self.desk.session.set_tool("livewire")
        for at in points:
            self.drag([at])
            self.desk.wait(self.is_traced)
        self.send(MOVE, points[0], NONE)
        lines = [shape for shape in self.desk.session.tools.overlay if isinstance(shape, Polyline)]
        self.drag([points[0]])
        self.quiet()
        self.plain.paint(even_odd([at for line in lines for at in line.points[:-1]]), self.class_id, points[0])

    def is_traced(self) -> bool:
        """Whether the paths from the last anchor are known."""
        lines = [shape for shape in self.desk.session.tools.overlay if isinstance(shape, Polyline)]
        return bool(lines) and not any(line.dashed for line in lines)

    # -- areas ---------------------------------------------------------------------------------------------------------

    def like(self, at: Point) -> Mask:
        """The pixels whose value is like the one under a point."""
        grey = self.rules.grey
        return np.abs(grey - grey[int(at[1]), int(at[0])]) <= TOLERANCE / 100 * 255

    def fill(self) -> None:
        """The area of one object, or of nothing."""
        at = self.point()
        self.desk.session.set_tool("fill")
        self.drag([at])
        self.filled(self.plain, at)

    def filled(self, plain: Plain, at: Point) -> None:
        if 0 <= at[0] < W and 0 <= at[1] < H:
            same = plain.ids == plain.ids[int(at[1]), int(at[0])]
            plain.paint(around(same, int(at[0]), int(at[1])), self.class_id, at)

    def wand(self) -> None:
        """What is like a pixel, hanging together or all there is."""
        at, everywhere, button = self.point(inside=True), self.rng.random() < 0.3, self.button()
        self.desk.session.set_tool("wand")
        self.desk.session.set_tolerance(TOLERANCE / 100)
        self.desk.session.tools.set_option("contiguous", not everywhere)
        self.drag([at], button)
        like = self.like(at)
        self.plain.paint(like if everywhere else around(like, int(at[0]), int(at[1])), self.painted(button), at)

    # -- how they end --------------------------------------------------------------------------------------------------

    def dropped(self) -> None:
        """A gesture that Escape takes back."""
        self.desk.session.set_tool(str(self.rng.choice(["brush", "rectangle", "lasso", "wand", "threshold", "pick"])))
        self.drag([self.point(inside=True) for _ in range(3)], lift=False)
        QTest.keyClick(self.canvas, Qt.Key.Key_Escape)
        self.send(RELEASE, self.point(), LEFT)

    def cut_short(self) -> None:
        """A gesture that another image ends: it is kept."""
        a, b = self.point(), self.point()
        tool = str(self.rng.choice(["brush", "rectangle", "fill"]))
        if min(abs(a[0] - b[0]), abs(a[1] - b[1])) < 2:
            return
        plain, selected = self.plain, self.plain.selected
        self.desk.session.set_tool(tool)
        self.desk.session.set_brush_radius(17.5)
        self.drag([a, b], lift=False)
        self.other_image()
        plain.selected = selected
        if tool == "fill":
            self.filled(plain, a)
        else:
            plain.paint(disc_path([a, b], 17.5, (H, W)) if tool == "brush" else box(a, b), self.class_id, a)
        plain.selected = set()

    def kept_later(self) -> None:
        """Another image while an area is still to be computed: the area comes to its own image."""
        at, plain, tool = self.point(inside=True), self.plain, str(self.rng.choice(["fill", "wand"]))
        selected = plain.selected
        if self.rules.new_object or plain.refuses(at, self.class_id):
            return
        self.desk.session.set_tool(tool)
        self.desk.session.set_tolerance(TOLERANCE / 100)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(region_painting, "_AT_ONCE_S", -1.0)
            if tool == "wand":
                self.desk.session.tools.set_option("contiguous", True)
            self.drag([at])
            self.other_image()
        plain.selected = selected
        if tool == "fill":
            self.filled(plain, at)
        else:
            plain.paint(around(self.like(at), int(at[0]), int(at[1])), self.class_id, at)
        plain.selected = set()

    def undo(self) -> None:
        """Take back; a change of classes stays."""
        if self.plain.may_undo:
            self.desk.session.undo()
            self.plain.undo()

    def redo(self) -> None:
        """Make again."""
        self.desk.session.redo()
        self.plain.redo()

    def other_image(self) -> None:
        """Show the other image."""
        self.plain.selected = set()
        self.shown = 1 - self.shown
        self.desk.shows(self.shown)
        self.plain.selected = set()

    def restart(self) -> None:
        """Close the project and open it again: it reads the same."""
        self.quiet()
        self.desk.settle()
        ids, objects = self.ids(), dict(self.desk.document.objects)
        self.desk.open(self.desk.opened.path, first=self.shown)
        assert np.array_equal(self.ids(), ids)
        assert dict(self.desk.document.objects) == objects
        self.rules.touch_class = None
        for plain in self.images:
            plain.selected = set()
        self.choose_class()

    # -- what it comes to ----------------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Wait, compare, and take over what is selected."""
        self.quiet()
        plain, ids = self.plain, self.ids()
        assert np.array_equal(self.desk.class_ids(), plain.classes), int((self.desk.class_ids() != plain.classes).sum())
        assert plain.agrees(ids)
        origins = self.desk.document.raster.read(0, Rect(0, 0, W, H))[1]
        assert np.array_equal(origins > 0, ids > 0)
        assert self.desk.session.tools.new_object is self.rules.new_object
        pairs = plain.pairs(ids)
        here = [id_ for id_ in self.desk.documents.selection.ids if id_ in pairs]
        self.desk.session.select(here)
        plain.selected = {pairs[id_] for id_ in here}

    def steps(self) -> list[tuple[Callable[[], None], float]]:
        """What it may do next, and how likely that is."""
        return [
            (self.stroke, 5), (self.line, 1), (self.threshold, 1), (self.snap, 1), (self.by_keys, 0.5), (self.shape, 3),
            (self.lasso, 2), (self.polygon, 2), (self.livewire, 0.7), (self.fill, 2), (self.wand, 2), (self.dropped, 2),
            (self.cut_short, 1), (self.kept_later, 1), (self.undo, 4), (self.redo, 3), (self.choose_class, 2),
            (self.other_image, 1), (self.restart, 0.4),
        ]  # fmt: skip

    def step(self) -> None:
        """Do something, and compare."""
        steps = self.steps()
        weights = np.array([weight for _, weight in steps])
        work = steps[int(self.rng.choice(len(steps), p=weights / weights.sum()))][0]
        self.done.append(work.__name__)
        work()
        self.follow()
