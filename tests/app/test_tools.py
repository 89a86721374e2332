"""Brush and eraser as state machines over plain pointer values."""

import numpy as np
import pytest

from segstudio.app.editing.tools.base import Context, End, Paint
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.editing.tools.stroke import StrokeTool
from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind, LabelClass, Status
from segstudio.labels.paint.policy import Touch
from segstudio.labels.tiles.raster import Raster

GROUND = LabelClass(ClassId(1), "background", "#000000", Kind.BACKGROUND, 0, 0)
CELL = LabelClass(ClassId(2), "cell", "#ff0000", Kind.SEMANTIC, 1, 1)


class Held:
    """A tool with the context that its owner would give it."""

    def __init__(self, tool: StrokeTool, board: "Board") -> None:
        self._tool, self._board = tool, board

    @property
    def active(self) -> bool:
        return self._tool.active

    def press(self, event: Pointer) -> Rect:
        return self._tool.press(event, self._board.context()).changed

    def move(self, event: Pointer) -> Rect:
        return self._tool.move(event, self._board.context()).changed

    def release(self, event: Pointer) -> tuple[Rect, bool]:
        answer = self._tool.release(event, self._board.context())
        return answer.changed, answer.ends is End.KEEP

    def commit(self) -> Edit | None:
        return self._tool.commit(self._board.context())

    def abort(self) -> dict[int, Rect]:
        return self._tool.abort()


class Board:
    """One blank image under a brush."""

    def __init__(self, name: str = "brush") -> None:
        self.document = Document(ImageId(1), Raster(((60, 40),)), {}, 1, Status.NEW)
        self.radius = 3.0
        self.take(name)

    def take(self, name: str) -> None:
        self.tool = Held(StrokeTool(name, erases=name == "eraser"), self)

    def context(self) -> Context:
        paint = Paint(ClassTable((GROUND, CELL)), CELL, self.radius, Touch.ALL, 0, "me")
        return Context(self.document, paint)

    def ids(self) -> np.ndarray:
        return self.document.raster.read(0, self.document.raster.bounds(0))[0]


@pytest.fixture
def board() -> Board:
    return Board()


def at(phase: Phase, x: float, y: float, button: Button = Button.LEFT) -> Pointer:
    return Pointer(phase, x, y, button)


def test_a_second_button_neither_ends_nor_changes_a_stroke(board: Board) -> None:
    board.tool.press(at(Phase.PRESS, 20, 20))
    assert board.tool.press(at(Phase.PRESS, 40, 20, Button.RIGHT)).empty
    assert board.tool.release(at(Phase.RELEASE, 40, 20, Button.RIGHT))[1] is False
    assert board.tool.active
    _, ends = board.tool.release(at(Phase.RELEASE, 20, 20))
    assert ends
    edit = board.tool.commit()
    assert edit is not None
    assert not board.tool.active
    assert board.ids()[20, 40] == 0


def test_moves_without_a_press_paint_nothing(board: Board) -> None:
    assert board.tool.move(at(Phase.MOVE, 20, 20)).empty
    assert board.tool.release(at(Phase.RELEASE, 20, 20))[1] is False
    assert board.tool.commit() is None
    assert board.tool.abort() == {}
    assert not board.ids().any()


def test_the_radius_of_a_stroke_is_that_of_its_beginning(board: Board) -> None:
    board.tool.press(at(Phase.PRESS, 20, 20))
    board.radius = 15.0
    board.tool.move(at(Phase.MOVE, 40, 20))
    ys, _ = np.nonzero(board.ids())
    assert ys.max() - ys.min() + 1 == 6
    board.tool.abort()
    assert not board.ids().any()


def test_every_move_returns_a_rectangle_that_holds_what_it_changed(board: Board) -> None:
    board.tool.press(at(Phase.PRESS, 5, 5))
    rng = np.random.default_rng(2)
    for _ in range(40):
        before = board.ids()
        x, y = rng.uniform(-10, 70, 2)
        rect = board.tool.move(at(Phase.MOVE, x, y))
        ys, xs = np.nonzero(board.ids() != before)
        if len(ys):
            assert rect.x <= xs.min() <= xs.max() < rect.right
            assert rect.y <= ys.min() <= ys.max() < rect.bottom


def test_the_eraser_takes_away_and_its_right_button_paints_background() -> None:
    board = Board()
    board.tool.press(at(Phase.PRESS, 20, 20))
    board.tool.commit()
    board.take("eraser")
    board.tool.press(at(Phase.PRESS, 20, 20))
    board.tool.commit()
    assert not board.ids().any()
    board.tool.press(at(Phase.PRESS, 20, 20, Button.RIGHT))
    board.tool.commit()
    assert board.document.objects[board.ids()[20, 20]] == GROUND.id
