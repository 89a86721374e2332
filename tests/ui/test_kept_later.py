"""A gesture that is still being computed when the hand goes on: nothing waits for it, and nothing of it is lost."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton
from pytestqt.exceptions import capture_exceptions

from segstudio import faults
from segstudio.app.editing.class_choice import StoredClasses
from segstudio.app.editing.tools import region_painting, shape
from segstudio.app.editing.tools.lasso import LassoTool
from segstudio.geometry import Rect
from segstudio.labels.model import ClassId
from segstudio.labels.paint import flood
from segstudio.labels.paint.polygon import polygon_region
from segstudio.ui.canvas import Canvas
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.fill_hands import AROUND, H, W, at, drag, ended, name_of, open_scene, painted, scene, trace, use


@pytest.fixture
def canvas(room: object, empty_window: MainWindow, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Canvas:
    """Nothing is small enough here to be computed at once."""
    monkeypatch.setattr(region_painting, "_AT_ONCE_S", -1.0)
    monkeypatch.setattr(shape, "_LARGE_PX", 0)
    made = open_scene(empty_window, desk, ("nucleus", "membrane", "cell::instance"))
    desk.paint(CELL, 4)
    desk.settle()
    return made


CELL = Rect(20, 250, 60, 60)
"""An object that can be split."""


class Workers:
    """Both workers are busy with something else until `go`: whatever is computed meanwhile, the window computes."""

    def __init__(self, desk: Desk) -> None:
        self._goes = threading.Event()
        for worker in (desk.opened.tool_work._worker, desk.opened.proposals.worker):
            worker.submit(lambda: self._goes.wait(60))

    def go(self) -> None:
        self._goes.set()


@pytest.fixture
def workers(canvas: Canvas, desk: Desk) -> Iterator[Workers]:
    made = Workers(desk)
    yield made
    made.go()


def begin(canvas: Canvas, desk: Desk, tool: str) -> None:
    """A gesture that is finished but for what has to be computed, or that another tool finishes."""
    use(desk, tool, 8.0)
    if tool in ("fill", "snap"):
        drag(canvas, (300, 200))
    elif tool == "wand":
        drag(canvas, (300, 200), lift=False)
    elif tool == "livewire":
        trace(canvas, desk, AROUND)
        QTest.keyClick(canvas, Qt.Key.Key_Return)
    elif tool == "polygon":
        trace(canvas, desk, AROUND)
    elif tool == "split":
        drag(canvas, (50, 240), (50, 280), (50, 320))
    else:
        drag(canvas, (200, 100), (400, 100), (400, 300))


TOOLS = ("fill", "wand", "livewire", "snap", "polygon", "lasso", "rectangle", "ellipse", "split")
each_tool = pytest.mark.parametrize("tool", TOOLS)


@each_tool
@pytest.mark.parametrize("to", ["image", "tool", "class"])
def test_the_hand_goes_on_at_once_and_the_gesture_comes_to_its_own_image_as_one_edit(
    canvas: Canvas, desk: Desk, workers: Workers, tool: str, to: str
) -> None:
    before, labels = desk.edits, desk.class_ids()
    objects = len(desk.document.objects)
    begin(canvas, desk, tool)
    if to == "image":
        desk.shows(1)
    elif to == "tool":
        desk.session.set_tool("brush")
    else:
        desk.session.set_class(name_of(desk, 1))
    assert ended(desk)
    assert desk.edits == before
    assert desk.session.tools.overlay == ()
    assert "is still being computed" in desk.said[-1]
    assert not desk.documents.save_state().saved
    workers.go()
    desk.wait(lambda: desk.edits == before + 1)
    desk.settle()
    if to == "image":
        assert not desk.class_ids().any()
        assert not desk.documents.can_undo
        desk.shows(0)
    if tool == "split":
        assert len(desk.document.objects) == objects + 1
    else:
        assert painted(desk)[200, 300]
    desk.session.undo()
    assert np.array_equal(desk.class_ids(), labels)


@pytest.mark.parametrize("by", ["key", "button"])
def test_undo_cancels_it_on_an_image_where_nothing_else_was_done(
    room: object, empty_window: MainWindow, desk: Desk, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr(shape, "_LARGE_PX", 0)
    desk.show({"a.png": np.full((80, 90, 3), 120, np.uint8)})
    window, workers, before = empty_window, Workers(desk), desk.edits
    window.canvas.setFocus()
    undo = window.bars.action("undo")
    use(desk, "rectangle")
    drag(window.canvas, (10, 10), (60, 60))
    desk.session.set_tool("brush")
    assert ended(desk)
    assert undo.isEnabled()
    if by == "key":
        QTest.keyClick(window.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    else:
        button = window.findChild(QToolButton, "undoButton")
        assert button is not None
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert desk.said[-1].endswith("was cancelled; nothing was changed.")
    assert not undo.isEnabled()
    workers.go()
    QTest.qWait(50)
    assert desk.edits == before
    assert not desk.class_ids().any()


def test_undo_is_there_for_what_came_of_it_and_not_where_nothing_did(
    room: object, empty_window: MainWindow, desk: Desk
) -> None:
    desk.show({"a.png": np.full((80, 90, 3), 120, np.uint8)})
    desk.session.set_class(desk.documents.classes[ClassId(2)].name)
    workers, undo = Workers(desk), empty_window.bars.action("undo")
    desk.opened.objects.erase_specks(5)
    assert undo.isEnabled()
    workers.go()
    desk.wait(lambda: not desk.documents.computing())
    assert not undo.isEnabled()


@each_tool
@pytest.mark.parametrize("by", ["undo", "Escape"])
def test_undo_and_escape_cancel_it_and_say_so(canvas: Canvas, desk: Desk, workers: Workers, tool: str, by: str) -> None:
    before, labels = desk.edits, desk.class_ids()
    begin(canvas, desk, tool)
    desk.session.set_tool("brush")
    if by == "undo":
        desk.session.undo()
    else:
        QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert desk.said[-1].endswith("was cancelled; nothing was changed.")
    workers.go()
    QTest.qWait(50)
    assert desk.edits == before
    assert np.array_equal(desk.class_ids(), labels)
    assert desk.documents.save_state().saved


@pytest.mark.parametrize("tool", ["fill", "snap", "rectangle"])
def test_a_project_that_closes_waits_for_it(canvas: Canvas, desk: Desk, workers: Workers, tool: str) -> None:
    begin(canvas, desk, tool)
    path = desk.opened.path
    threading.Timer(0.2, workers.go).start()
    desk.session.projects.close()
    desk.open(path)
    assert painted(desk)[200, 300]


def test_a_window_that_is_asked_to_close_does_not_stand_still_for_it(
    canvas: Canvas, desk: Desk, workers: Workers
) -> None:
    begin(canvas, desk, "fill")
    desk.documents.commit_gesture()
    assert not desk.session.projects.ready_to_close(0.0)
    workers.go()
    desk.wait(lambda: desk.session.projects.ready_to_close(0.0))
    assert painted(desk)[200, 300]


def test_what_is_painted_meanwhile_stays(canvas: Canvas, desk: Desk, workers: Workers) -> None:
    before = desk.edits
    begin(canvas, desk, "fill")
    use(desk, "brush", 20.0)
    desk.session.set_class(name_of(desk, 3))
    drag(canvas, (150, 150), (200, 150))
    stroke = painted(desk, 3)
    assert stroke.any()
    workers.go()
    desk.wait(lambda: desk.edits == before + 2)
    assert np.array_equal(painted(desk, 3), stroke)
    assert painted(desk).sum() == W * H - 100 * 100 - 60 * 60 - stroke.sum()


def test_its_image_stays_open_until_it_is_there(
    room: object, empty_window: MainWindow, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region_painting, "_AT_ONCE_S", -1.0)
    desk.show({f"{n}.png": np.full((80, 90, 3), 120, np.uint8) for n in range(8)})
    empty_window.canvas.setFocus()
    workers, before = Workers(desk), desk.edits
    use(desk, "fill")
    drag(empty_window.canvas, (40, 40))
    for n in range(1, 8):
        desk.shows(n)
    workers.go()
    desk.wait(lambda: desk.edits == before + 1)
    assert not desk.class_ids().any()
    desk.shows(0)
    assert desk.class_ids().all()


def test_what_cannot_be_painted_is_said_once_it_is_known(
    canvas: Canvas, desk: Desk, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flood.flooded, "__kwdefaults__", {"largest_tiles": 0})
    before = desk.edits
    begin(canvas, desk, "wand")
    desk.shows(1)
    workers.go()
    desk.wait(lambda: "too large and too scattered" in desk.said[-1])
    assert desk.edits == before
    desk.wait(lambda: desk.documents.save_state().saved)


def test_a_mistake_of_the_program_is_reported_and_leaves_nothing(
    canvas: Canvas, desk: Desk, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Callable[[], bool]:
        raise ZeroDivisionError("a mistake of ours")

    before, labels = desk.edits, desk.class_ids()
    begin(canvas, desk, "rectangle")
    monkeypatch.setattr(shape.Painting, "region", broken)
    with capture_exceptions() as met:
        faults.watch()
        desk.session.set_tool("brush")
        workers.go()
        desk.wait(lambda: desk.bugs and met)
    assert "a mistake of ours" in desk.bugs[-1]
    desk.bugs.clear()
    assert desk.edits == before
    assert np.array_equal(desk.class_ids(), labels)
    assert desk.documents.save_state().saved


def test_a_class_that_is_removed_meanwhile_takes_the_gesture_along(
    canvas: Canvas, desk: Desk, workers: Workers
) -> None:
    begin(canvas, desk, "rectangle")
    desk.opened.classes.remove(name_of(desk, 2))
    workers.go()
    desk.wait(lambda: not desk.documents.computing())
    desk.settle()
    owners = {class_id for class_id in desk.document.objects.values() if desk.documents.classes.effective(class_id)}
    assert owners == {1, 4}


def test_a_class_that_is_gone_without_a_word_is_said(canvas: Canvas, desk: Desk, workers: Workers) -> None:
    before = desk.edits
    begin(canvas, desk, "rectangle")
    table = desk.documents.classes
    gone = table.with_class(replace(table[ClassId(2)], removed=True))
    desk.documents.choice.take(StoredClasses(gone, desk.opened.store.next_class()))
    desk.session.set_tool("brush")
    assert desk.said[-1] == "Nothing is painted: the class was removed meanwhile."
    workers.go()
    assert desk.edits == before


def test_a_fill_over_a_class_that_is_locked_leaves_that_alone(canvas: Canvas, desk: Desk, workers: Workers) -> None:
    desk.paint(Rect(200, 150, 50, 50), 3)
    desk.opened.classes.change(name_of(desk, 3), locked=True)
    before = desk.edits
    begin(canvas, desk, "rectangle")
    desk.shows(1)
    workers.go()
    desk.wait(lambda: desk.edits == before + 1)
    desk.shows(0)
    assert (desk.class_ids()[150:200, 200:250] == 3).all()
    assert painted(desk).sum() > 100 * 100


def test_an_object_that_is_locked_meanwhile_is_left_alone(canvas: Canvas, desk: Desk, workers: Workers) -> None:
    before = desk.edits
    use(desk, "rectangle")
    drag(canvas, (10, 240), (50, 280))
    desk.session.set_tool("brush")
    cell = next(id_ for id_, class_id in desk.document.objects.items() if class_id == 4)
    desk.session.select([cell])
    QTest.keyClick(canvas, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert desk.document.locked == {cell}
    workers.go()
    desk.wait(lambda: desk.edits == before + 2)
    assert (desk.class_ids()[250:310, 20:80] == 4).all()
    assert painted(desk)[245, 15]


def test_a_shape_that_covers_nothing_is_said_when_that_is_known(canvas: Canvas, desk: Desk, workers: Workers) -> None:
    use(desk, "lasso")
    drag(canvas, (200, 200), (300, 260), (200, 200), lift=False)
    desk.session.set_tool("brush")
    workers.go()
    desk.wait(lambda: desk.said[-1] == "Nothing is painted: the shape covers no pixel.")
    assert not painted(desk).any()


def test_j_counts_for_the_gesture_that_is_kept_and_not_for_the_next(
    canvas: Canvas, desk: Desk, workers: Workers
) -> None:
    name = next(c.name for c in desk.documents.classes if not c.one_object)
    desk.session.set_class(name)
    use(desk, "rectangle")
    desk.session.tools.set_new_object(True)
    drag(canvas, (200, 100), (400, 300))
    desk.session.set_tool("brush")
    assert not desk.session.tools.new_object
    before = desk.edits
    workers.go()
    desk.wait(lambda: desk.edits == before + 1)


def test_a_gesture_of_a_tool_that_is_known_already_is_there_at_once(
    canvas: Canvas, desk: Desk, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region_painting, "_AT_ONCE_S", 5.0)
    before = desk.edits
    drag_at = at(canvas, 300, 200)
    use(desk, "wand")
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=drag_at)
    desk.session.set_tool("brush")
    assert desk.edits == before + 1
    assert painted(desk)[200, 300]
    assert painted(desk).sum() < H * W


@pytest.mark.parametrize("tool", ["wand", "livewire", "snap"])
def test_a_file_that_is_another_by_now_changes_nothing_about_what_was_seen(
    canvas: Canvas, desk: Desk, tool: str
) -> None:
    place = desk.place()
    desk.open(desk.projects.of_pixels(place, {"a.png": np.repeat(scene()[..., None], 3, 2)}, ("nucleus",)))
    desk.session.set_class(name_of(desk, 2))
    workers, before = Workers(desk), desk.edits
    begin(canvas, desk, tool)
    (file,) = place.rglob("a.png")
    file.write_bytes(b"no picture any more")
    desk.session.set_tool("brush")
    workers.go()
    desk.wait(lambda: desk.edits == before + 1)
    assert painted(desk)[200, 300]
    assert (scene()[painted(desk)] == 200).mean() > 0.95


def test_an_outline_of_a_hundred_thousand_points_that_crosses_itself_is_left_at_once(
    canvas: Canvas, desk: Desk, workers: Workers
) -> None:
    turn = np.linspace(0, 200 * np.pi, 100_000)
    radius = 40 + 100 * np.abs(np.sin(turn * 1.37))
    ring = np.stack([300 + radius * np.cos(turn), 200 + radius * np.sin(turn)], 1).tolist()
    before = desk.edits
    use(desk, "lasso")
    drag(canvas, (300, 200), (320, 200), lift=False)
    handler = desk.documents.active_tool._handler
    assert isinstance(handler, LassoTool)
    handler._trails[0].points.extend((x, y) for x, y in ring)
    desk.shows(1)
    assert desk.edits == before
    workers.go()
    desk.wait(lambda: desk.edits == before + 1)
    desk.shows(0)
    first = [canvas.to_image(QPointF(at(canvas, *point))) for point in ((300, 200), (320, 200))]
    plane = Rect(0, 0, W, H)
    assert np.array_equal(painted(desk), polygon_region([[*first, *ring]], plane).mask(plane))
