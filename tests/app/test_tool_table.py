"""The table of tools and their protocol, measured by a polygon that is one file and one row, over a real project."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segstudio import registry
from segstudio.app.editing.active_tool import ActiveTool
from segstudio.app.editing.class_choice import StoredClasses
from segstudio.app.editing.documents import Documents, OpenDocument
from segstudio.app.editing.tool_state import Question, ToolState
from segstudio.app.editing.tools.base import Answer, Context, Tool
from segstudio.app.editing.tools.overlay import Handles, Polyline
from segstudio.app.editing.tools.pointer import Button, Key, KeyEvent, Phase, Pointer
from segstudio.app.editing.tools.table import TOOLS, tool_named
from segstudio.errors import UserError
from segstudio.labels.model import Cause, ImageId
from segstudio.store.project import Project
from tests.app.grounds import Heard, ground_of
from tests.polygon_tool import POLYGON, Polygon

FIRST = ImageId(1)
TRIANGLE = [(10.0, 10.0), (50.0, 12.0), (20.0, 40.0)]


class Bench:
    """The labels of one project, and a tool over them."""

    def __init__(self, project: Project, tool: str) -> None:
        self.ground = ground_of(project)
        self.main = self.ground.main
        self.tools = ToolState()
        self.documents = Documents(self.ground, tools=self.tools)
        self.hand: ActiveTool = self.documents.active_tool
        self.project = project
        self.seqs: list[int] = []
        self.heard = Heard(self.ground)
        self.said = self.heard.words
        self.documents.editCommitted.connect(self.seqs.append)
        self.show(FIRST)
        self.tools.choose(tool)

    def show(self, image: ImageId) -> None:
        opened = OpenDocument(self.project.document(image), self.project.history(image))
        self.documents.show(self.documents.held(image) or opened, 0)

    def click(self, *points: tuple[float, float], button: Button = Button.LEFT) -> None:
        for x, y in points:
            self.hand.pointer(Pointer(Phase.PRESS, x, y, button))
            self.hand.pointer(Pointer(Phase.RELEASE, x, y, button))

    def key(self, key: Key) -> bool:
        return self.hand.key(KeyEvent(key))

    def painted(self) -> np.ndarray:
        assert self.documents.current is not None
        raster = self.documents.current.document.raster
        return raster.read(0, raster.bounds(0))[0] > 0


@pytest.fixture
def polygon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A polygon in the table of tools."""
    monkeypatch.setitem(TOOLS._own, "sketch", POLYGON)
    monkeypatch.setattr(TOOLS, "_all", None)


@pytest.fixture
def bench(polygon: None, opened: Callable[[], Project]) -> Iterator[Bench]:
    made = Bench(opened(), "sketch")
    yield made
    made.main.close()


def inside(corners: list[tuple[float, float]], shape: tuple[int, ...]) -> np.ndarray:
    """By the even-odd rule, pixel by pixel: how often a ray to the left of the centre meets the outline."""
    out = np.zeros(shape, np.bool_)
    for y, x in np.ndindex(*shape):
        cx, cy, odd = x + 0.5, y + 0.5, False
        for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
            if (ay <= cy) != (by <= cy) and ax + (cy - ay) / (by - ay) * (bx - ax) <= cx:
                odd = not odd
        out[y, x] = odd
    return out


OURS = [
    *("pan", "brush", "eraser", "polygon", "lasso", "rectangle", "ellipse"),
    *("fill", "wand", "livewire", "threshold", "snap"),
    *("pick", "split", "window"),
]


def test_the_names_of_our_tools_and_another_name_is_refused_by_naming_them() -> None:
    assert list(TOOLS) == OURS
    with pytest.raises(UserError, match=f"There is no tool 'saw'; choose one of {', '.join(OURS)}"):
        tool_named("saw")


def test_another_package_adds_a_tool_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "polygons-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: polygons\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[segstudio.tools]\nsketch = tests.polygon_tool:POLYGON\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(TOOLS, "_all", None)
    monkeypatch.setattr(registry, "_broken", [])
    assert "tests.polygon_tool" in sys.modules
    assert list(TOOLS) == [*OURS, "sketch"]
    assert ToolState().tool.name == "brush"
    assert registry.broken_rows() == ()


SHAPES = {
    "triangle": TRIANGLE,
    "crossing itself": [(10, 10), (50, 40), (50, 10), (10, 40)],
    "beyond the image": [(-30, 20), (40, -10), (90, 70)],
    "through centres": [(5.5, 5.5), (9.5, 5.5), (9.5, 9.5), (5.5, 9.5)],
}


@pytest.mark.parametrize("corners", SHAPES.values(), ids=SHAPES)
def test_a_polygon_ends_by_a_key_as_one_edit_of_the_pixels_inside(qtbot: Any, bench: Bench, corners: Any) -> None:
    bench.click(*corners)
    assert not bench.painted().any()
    assert bench.hand.active
    assert bench.key(Key.ENTER)
    assert np.array_equal(bench.painted(), inside(corners, bench.painted().shape))
    assert not bench.hand.active
    qtbot.waitUntil(lambda: bench.seqs == [1])
    with bench.project.reading() as db:
        assert db.execute("SELECT cause, tool FROM edits").fetchall() == [(Cause.PAINT.value, "sketch")]


def test_what_a_tool_shows_follows_the_pointer_and_goes_with_the_end_of_the_gesture(qtbot: Any, bench: Bench) -> None:
    bench.hand.pointer(Pointer(Phase.HOVER, 5, 5))
    assert bench.tools.overlay == ()
    bench.click(*TRIANGLE[:2])
    with qtbot.waitSignal(bench.tools.overlayChanged):
        bench.hand.pointer(Pointer(Phase.HOVER, 30, 30))
    line, band, handles = bench.tools.overlay
    assert line == Polyline(tuple(TRIANGLE[:2]), fill=bench.documents.current_class.color)
    assert band == Polyline((TRIANGLE[1], (30, 30)), dashed=True)
    assert handles == Handles(tuple(TRIANGLE[:2]))
    bench.hand.pointer(Pointer(Phase.HOVER, 12, 10, scale=2.0))
    assert bench.tools.overlay[-1] == Handles(tuple(TRIANGLE[:2]), hot=0)
    bench.hand.pointer(Pointer(Phase.HOVER, 12, 10, scale=20.0))
    assert bench.tools.overlay[-1] == Handles(tuple(TRIANGLE[:2]))
    bench.key(Key.ENTER)
    assert bench.tools.overlay == ()


def test_a_tool_takes_its_keys_while_it_is_under_way_alone(bench: Bench) -> None:
    assert not bench.hand.takes(Key.ENTER)
    assert not bench.key(Key.ENTER)
    bench.click(*TRIANGLE[:1])
    assert bench.hand.takes(Key.ENTER)
    assert not bench.hand.takes(Key.TAB)
    assert not bench.key(Key.TAB)
    bench.documents.cancel_gesture()
    assert not bench.hand.takes(Key.ENTER)
    bench.tools.choose("brush")
    bench.hand.pointer(Pointer(Phase.PRESS, 20, 20, Button.LEFT))
    assert not bench.hand.takes(Key.ENTER)


def test_backspace_takes_corners_back_until_nothing_is_under_way(bench: Bench) -> None:
    bench.click((0, 0), *TRIANGLE, (5, 60))
    bench.key(Key.BACKSPACE)
    bench.key(Key.BACKSPACE)
    assert bench.tools.overlay[-1] == Handles(((0.0, 0.0), *TRIANGLE[:2]))
    for _ in range(3):
        assert bench.hand.active
        bench.key(Key.BACKSPACE)
    assert not bench.hand.active
    assert bench.tools.overlay == ()


def test_two_corners_are_no_polygon_and_no_edit(bench: Bench) -> None:
    bench.click(*TRIANGLE[:2])
    bench.key(Key.ENTER)
    assert not bench.hand.active
    assert not bench.documents.can_undo


def test_undo_and_cancel_drop_what_is_under_way_and_nothing_else(bench: Bench) -> None:
    bench.click(*TRIANGLE)
    bench.key(Key.ENTER)
    before = bench.painted()
    for drop in (bench.documents.undo, bench.documents.cancel_gesture):
        bench.click((60, 60), (80, 60), (70, 75))
        assert bench.documents.can_undo
        drop()
        assert not bench.hand.active
        assert bench.tools.overlay == ()
        assert np.array_equal(bench.painted(), before)


def test_lost_focus_keeps_a_stroke_and_leaves_a_polygon_under_way(bench: Bench) -> None:
    bench.click(*TRIANGLE)
    bench.hand.interrupt()
    assert bench.hand.active
    bench.documents.cancel_gesture()
    bench.tools.choose("brush")
    bench.hand.pointer(Pointer(Phase.PRESS, 20, 20, Button.LEFT))
    bench.hand.interrupt()
    assert not bench.hand.active
    assert bench.painted()[20, 20]


def test_another_image_ends_a_polygon_and_keeps_it(bench: Bench) -> None:
    bench.click(*TRIANGLE)
    bench.documents.commit_gesture()
    bench.show(ImageId(2))
    assert bench.tools.overlay == ()
    assert not bench.painted().any()
    bench.show(FIRST)
    assert bench.painted()[20, 20]


def test_a_gesture_goes_on_with_its_own_tool_when_another_one_is_chosen(bench: Bench) -> None:
    bench.click(*TRIANGLE[:2])
    bench.tools.choose("brush")
    bench.click(TRIANGLE[2])
    bench.key(Key.ENTER)
    assert np.array_equal(bench.painted(), inside(TRIANGLE, bench.painted().shape))
    bench.click((80, 60))
    assert bench.painted()[60, 80]


def test_a_locked_class_is_told_at_the_first_click_and_at_no_other(bench: Bench) -> None:
    bench.click(*TRIANGLE)
    chosen = bench.documents.class_id
    row = bench.documents.classes[chosen]
    locked = bench.documents.classes.with_class(replace(row, locked=True))
    bench.documents.choice.take(StoredClasses(locked, bench.project.next_class()))
    bench.click((30, 30))
    assert bench.said == []
    bench.documents.cancel_gesture()
    bench.click((30, 30))
    assert not bench.hand.active
    assert "locked" in bench.said[0]


def test_a_fault_at_the_closing_takes_the_whole_polygon_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    painted = Polygon._paint

    def broken(self: Polygon, context: Context) -> Any:
        painted(self, context)
        raise RuntimeError("broken by hand")

    bench.click(*TRIANGLE)
    with monkeypatch.context() as patch:
        patch.setattr(Polygon, "_paint", broken)
        with pytest.raises(RuntimeError):
            bench.key(Key.ENTER)
    assert not bench.painted().any()
    assert not bench.hand.active
    assert bench.tools.overlay == ()
    assert not bench.documents.can_undo


class Asking(Polygon):
    """A polygon whose corners come from elsewhere: each click asks, and what arrives is a corner."""

    def press(self, event: Pointer, context: Context) -> Answer:
        self._corners = self._corners or [event.at]
        return Answer(asks=event.at)

    def arrived(self, value: Any, context: Context) -> Answer:
        self._corners.append(value)
        return self._closed(context) if len(self._corners) == 3 else Answer()


def test_an_answer_that_comes_later_ends_a_gesture_and_one_of_an_ended_gesture_is_dropped(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Tool("asking", "Asking", "Ask for corners", "", (), lambda _: Asking())
    monkeypatch.setitem(TOOLS._own, "asking", row)
    monkeypatch.setattr(TOOLS, "_all", None)
    asked: list[Question] = []
    bench.tools.asked.connect(asked.append)
    bench.tools.choose("asking")
    bench.click((1, 1))
    bench.documents.cancel_gesture()
    bench.click(TRIANGLE[0])
    assert [a.what for a in asked] == [(1, 1), TRIANGLE[0]]
    bench.hand.arrived(asked[0].ticket, (70.0, 70.0))
    for corner in TRIANGLE[1:]:
        assert not bench.painted().any()
        bench.hand.arrived(asked[1].ticket, corner)
    assert np.array_equal(bench.painted(), inside(TRIANGLE, bench.painted().shape))
    assert not bench.hand.active
    bench.hand.arrived(asked[1].ticket, (70.0, 70.0))
    assert not bench.hand.active


def test_what_the_hand_holds_outlives_a_project(bench: Bench) -> None:
    bench.tools.set_radius(1e6)
    assert bench.tools.radius == 1000.0
    bench.tools.set_radius(0.1)
    assert bench.tools.radius == 0.5
    other = Documents(ground_of(bench.project), tools=bench.tools)
    assert other.tools.tool is POLYGON
    assert other.tools.radius == 0.5
