"""How shapes end that are under way or being computed: every way, with every tool, by real events."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from segstudio import faults
from segstudio.app.editing.class_choice import StoredClasses
from segstudio.app.editing.tools import shape
from segstudio.app.editing.tools.overlay import Polyline
from segstudio.app.editing.tools.painting import Painting
from segstudio.geometry import Rect
from segstudio.labels.model import ClassId
from segstudio.labels.paint.polygon import polygon_region
from segstudio.labels.tiles.tile import frozen
from segstudio.ui.canvas import Canvas
from tests.ui.desk import Desk
from tests.ui.shape_hands import (
    CELL,
    LEFT,
    LOOP,
    NO,
    NUCLEUS,
    WHOLE,
    begin,
    click,
    drag,
    handles,
    image,
    inside,
    key,
    move,
    open_canvas,
    painted,
    use,
)


@pytest.fixture
def desk(own_desk: Desk) -> Desk:
    return own_desk


@pytest.fixture
def canvas(qtbot: QtBot, desk: Desk) -> Iterator[Canvas]:
    with open_canvas(qtbot, desk) as made:
        yield made


each_tool = pytest.mark.parametrize("tool", ["polygon", "lasso", "rectangle", "ellipse"])


@each_tool
@pytest.mark.parametrize("end", ["Escape", "undo"])
def test_escape_and_undo_drop_it_and_what_follows_does_nothing(canvas: Canvas, desk: Desk, tool: str, end: str) -> None:
    begin(canvas, desk, tool)
    assert desk.documents.can_undo
    if end == "Escape":
        key(canvas, Qt.Key.Key_Escape)
    else:
        desk.session.undo()
    assert not desk.documents.gesture_active
    assert desk.session.tools.overlay == ()
    if tool != "polygon":
        move(canvas, QPoint(300, 300))
        QTest.mouseRelease(canvas, LEFT, NO, QPoint(300, 300))
    assert desk.edits == 0
    assert not (desk.class_ids() > 0).any()
    assert desk.said == []


@each_tool
def test_another_tool_keeps_it_and_shows_it(canvas: Canvas, desk: Desk, tool: str) -> None:
    before = canvas.grab().toImage()
    expected = begin(canvas, desk, tool)
    use(desk, "brush")
    assert desk.edits == 1
    assert np.array_equal(painted(desk), expected)
    QTest.qWait(50)
    assert (
        canvas.grab().toImage().pixelColor(250, 200) != before.pixelColor(250, 200)
        or not expected[tuple(int(n) for n in reversed(canvas.to_image(QPointF(250, 200))))]
    )


@each_tool
def test_another_image_keeps_it_on_its_own(canvas: Canvas, desk: Desk, tool: str) -> None:
    expected = begin(canvas, desk, tool)
    desk.shows(1)
    assert not (desk.class_ids() > 0).any()
    assert desk.session.tools.overlay == ()
    desk.shows(0)
    assert np.array_equal(painted(desk), expected)


@each_tool
def test_lost_focus_ends_what_a_button_holds_and_leaves_a_polygon_under_way(
    canvas: Canvas, desk: Desk, tool: str
) -> None:
    expected = begin(canvas, desk, tool)
    QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusOut))
    assert desk.documents.gesture_active == (tool == "polygon")
    if tool == "polygon":
        key(canvas, Qt.Key.Key_Return)
    assert np.array_equal(painted(desk), expected)


def test_lost_focus_ends_a_freehand_part_of_a_polygon(canvas: Canvas, desk: Desk) -> None:
    use(desk, "polygon")
    drag(canvas, *LOOP, release=False)
    QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusOut))
    move(canvas, QPoint(20, 20))
    assert handles(desk) == image(canvas, [LOOP[0], LOOP[-1]])
    key(canvas, Qt.Key.Key_Return)
    assert np.array_equal(painted(desk), inside(canvas, LOOP))


@each_tool
def test_another_class_keeps_it_with_the_class_that_it_began_with(canvas: Canvas, desk: Desk, tool: str) -> None:
    expected = begin(canvas, desk, tool)
    desk.session.set_class("cell")
    assert np.array_equal(painted(desk), expected)
    assert not painted(desk, CELL).any()


@each_tool
def test_a_class_that_is_removed_meanwhile_leaves_nothing_half_done(canvas: Canvas, desk: Desk, tool: str) -> None:
    begin(canvas, desk, tool)
    desk.opened.classes.remove("nucleus")
    desk.wait(lambda: not desk.documents.gesture_active and NUCLEUS not in [c.id for c in desk.documents.classes])
    desk.settle()
    assert desk.session.tools.overlay == ()
    if tool != "polygon":
        QTest.mouseRelease(canvas, LEFT, NO, LOOP[-1])
    assert not desk.documents.gesture_active


@each_tool
def test_a_class_that_is_gone_without_a_word_is_said_and_nothing_painted(canvas: Canvas, desk: Desk, tool: str) -> None:
    begin(canvas, desk, tool)
    table = desk.documents.classes
    gone = table.with_class(replace(table[ClassId(NUCLEUS)], removed=True))
    desk.documents.choice.take(StoredClasses(gone, desk.opened.store.next_class()))
    if tool == "polygon":
        key(canvas, Qt.Key.Key_Return)
    else:
        QTest.mouseRelease(canvas, LEFT, NO, LOOP[-1])
    assert desk.said == ["Nothing is painted: the class was removed meanwhile."]
    assert desk.edits == 0
    assert not desk.documents.gesture_active


@each_tool
def test_a_fault_takes_all_of_it_back(canvas: Canvas, desk: Desk, tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    region = Painting.region

    def broken(self: Painting, *arguments: object) -> Rect:
        region(self, *arguments)  # type: ignore[arg-type]
        raise RuntimeError("broken by hand")

    begin(canvas, desk, tool)
    monkeypatch.setattr(Painting, "region", broken)
    with capture_exceptions():
        faults.watch()
        if tool == "polygon":
            key(canvas, Qt.Key.Key_Return)
        else:
            QTest.mouseRelease(canvas, LEFT, NO, LOOP[-1])
    assert len(desk.bugs) == 1
    assert "broken by hand" in desk.bugs[0]
    desk.forget()
    assert not (desk.class_ids() > 0).any()
    assert not desk.documents.gesture_active
    assert not desk.documents.can_undo


# --- large shapes ----------------------------------------------------------------------------------------------------


class Worker:
    """Holds the worker back until `goes`."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.goes, self.threads = threading.Event(), list[str]()
        computed = Painting.later

        def held(painting: Painting, region: object) -> object:
            work = computed(painting, region)  # type: ignore[arg-type]

            def waiting(cancelled: object) -> object:
                self.threads.append(threading.current_thread().name)
                assert self.goes.wait(20)
                return work(cancelled)  # type: ignore[arg-type]

            return waiting

        patch.setattr(shape, "_LARGE_PX", 0)
        patch.setattr(Painting, "later", held)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    made = Worker(monkeypatch)
    yield made
    made.goes.set()


def finish(canvas: Canvas, tool: str) -> None:
    if tool == "polygon":
        key(canvas, Qt.Key.Key_Return)
    else:
        QTest.mouseRelease(canvas, LEFT, NO, LOOP[-1])


@each_tool
def test_a_large_shape_is_computed_on_a_worker_and_shown_until_then(
    canvas: Canvas, desk: Desk, tool: str, worker: Worker
) -> None:
    expected = begin(canvas, desk, tool)
    finish(canvas, tool)
    assert desk.documents.gesture_active
    assert desk.session.tools.overlay != ()
    QTest.mouseMove(canvas, QPoint(60, 60))
    click(canvas, QPoint(50, 50))
    assert desk.edits == 0
    worker.goes.set()
    desk.wait(lambda: not desk.documents.gesture_active)
    assert desk.edits == 1
    assert np.array_equal(painted(desk), expected)
    assert threading.current_thread().name not in worker.threads


@each_tool
@pytest.mark.parametrize("end", ["Escape", "another tool", "lost focus", "another image"])
def test_what_is_being_computed_ends_well_as_well(
    canvas: Canvas, desk: Desk, tool: str, end: str, worker: Worker
) -> None:
    expected = begin(canvas, desk, tool)
    finish(canvas, tool)
    if end == "Escape":
        key(canvas, Qt.Key.Key_Escape)
        expected = np.zeros_like(expected)
    elif end == "another tool":
        use(desk, "brush")
    elif end == "lost focus":
        QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusOut))
        assert desk.documents.gesture_active
        worker.goes.set()
        desk.wait(lambda: not desk.documents.gesture_active)
    else:
        desk.shows(1)
        desk.shows(0)
    assert not desk.documents.gesture_active
    worker.goes.set()
    desk.settle()
    QTest.qWait(30)
    assert np.array_equal(painted(desk), expected)
    assert desk.edits == int(expected.any())


def test_a_large_shape_that_covers_nothing_is_said(canvas: Canvas, desk: Desk, worker: Worker) -> None:
    worker.goes.set()
    use(desk, "lasso")
    drag(canvas, QPoint(150, 200), QPoint(350, 200))
    desk.wait(lambda: not desk.documents.gesture_active)
    assert desk.said == ["Nothing is painted: the shape covers no pixel."]
    assert desk.document.next_object == 1
    assert desk.edits == 0


def test_tiles_that_changed_while_it_was_computed_are_painted_anew(canvas: Canvas, desk: Desk, worker: Worker) -> None:
    expected = begin(canvas, desk, "lasso")
    finish(canvas, "lasso")
    raster = desk.document.raster
    ids = np.zeros((256, 256), np.uint32)
    ids[100:110, 200:256] = desk.document.next_object - 1
    raster.put((0, 0, 0), frozen(ids, (ids > 0).astype(np.uint8)))
    worker.goes.set()
    desk.wait(lambda: not desk.documents.gesture_active)
    expected[100:110, 200:256] = True
    assert np.array_equal(painted(desk), expected)


# --- long outlines ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["lasso", "polygon"])
def test_a_long_outline_repaints_only_its_end(canvas: Canvas, desk: Desk, tool: str) -> None:
    use(desk, tool)
    turn = np.linspace(0, 40 * np.pi, 3000)
    points = [QPointF(250 + (60 + n / 40) * np.cos(t), 200 + (60 + n / 40) * np.sin(t)) for n, t in enumerate(turn)]

    def send(kind: QEvent.Type, at: QPointF) -> None:
        button = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else LEFT
        held = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else LEFT
        QApplication.sendEvent(canvas, QMouseEvent(kind, at, canvas.mapToGlobal(at), button, held, NO))

    send(QEvent.Type.MouseButtonPress, points[0])
    for at in points[1:2500]:
        send(QEvent.Type.MouseMove, at)
    before = desk.session.tools.overlay
    send(QEvent.Type.MouseMove, points[2500])
    now = desk.session.tools.overlay
    fresh = [shown for shown in now if not any(shown is old for old in before)]
    assert len(now) > 9
    assert [isinstance(shown, Polyline) and len(shown.points) < 300 for shown in fresh] == [True]
    for at in points[2501:]:
        send(QEvent.Type.MouseMove, at)
    send(QEvent.Type.MouseButtonRelease, points[-1])
    if tool == "polygon":
        key(canvas, Qt.Key.Key_Return)
    desk.wait(lambda: not desk.documents.gesture_active)
    around = [canvas.to_image(at) for at in points]
    assert np.array_equal(painted(desk), polygon_region([around], WHOLE).mask(WHOLE))


def on_screen(canvas: Canvas) -> QImage:
    """What the window shows now, nothing painted for the occasion."""
    QTest.qWait(20)
    return QApplication.primaryScreen().grabWindow(canvas.window().winId()).toImage()


def test_a_repaint_of_the_end_of_a_line_leaves_the_picture_that_painting_all_of_it_gives(
    canvas: Canvas, desk: Desk
) -> None:
    use(desk, "lasso")
    turn = np.linspace(0, 6 * np.pi, 1500)
    around = [QPoint(round(250 + 150 * np.cos(t)), round(200 + 150 * np.sin(t * 1.01))) for t in turn]
    drag(canvas, *around[:1400], release=False)
    on_screen(canvas)
    for at in around[1400:]:
        move(canvas, at)
        QApplication.sendPostedEvents()
    in_parts = on_screen(canvas)
    canvas.update()
    assert on_screen(canvas) == in_parts
    key(canvas, Qt.Key.Key_Escape)
    assert on_screen(canvas) != in_parts
