"""Ways of breaking the real window: each is said in it, ends the stroke under way whole, and harms no later one."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPointF, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.exceptions import capture_exceptions

from segstudio import faults
from segstudio.app.editing.tools.stroke import StrokeTool
from segstudio.app.jobs import Job
from segstudio.app.open_project import OpenedProject
from segstudio.errors import ProjectDamaged
from segstudio.labels.edit import Edit
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Seq
from segstudio.labels.tiles.raster import Raster
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from segstudio.ui.canvas.back_buffer import Frame
from segstudio.ui.canvas.layers.image import ImageLayer
from segstudio.ui.canvas.layers.labels import LabelLayer
from tests.window_bench import Bench, make_project, without_proposals

pytestmark = pytest.mark.timeout(120)

CTRL = Qt.KeyboardModifier.ControlModifier
MADE = "Something went wrong in SegStudio"


class Hand(Bench):
    """A bench without an engine, in front of an image on which one stroke is painted and saved."""

    def __init__(self, project: Path) -> None:
        super().__init__(project)
        self.wait(lambda: self.shown)
        self.fresh()
        self.drag((60, 60), (80, 60))
        self.settle()
        self.seqs.clear()

    @property
    def opened(self) -> OpenedProject:
        assert self.session.project is not None  # what is broken here has no name in the contract
        return self.session.project

    def painted(self) -> np.ndarray:
        return self.session.labels() > 0

    def objects(self) -> set[int]:
        document = self.session.project.documents.current.document
        assert document is not None
        return set(document.objects)

    def message(self) -> str:
        """What the strip above the image says; '' while it is hidden."""
        label = self.window.message_strip.findChild(QLabel, "messageText")
        assert label is not None
        return label.text() if label.isVisible() else ""


@pytest.fixture
def me(qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    without_proposals(monkeypatch)
    bench = Hand(make_project(tmp_path / "project", 2))
    yield bench
    bench.close()


@pytest.fixture
def wide(qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    """A window on an image of two tiles."""
    without_proposals(monkeypatch)
    images = tmp_path / "images"
    images.mkdir()
    Image.fromarray(np.full((120, 400), 90, np.uint8)).save(images / "wide.png")
    for _ in new_project(tmp_path / "wide.segstudio", [str(images)], ["background::background", "coin"]):
        pass
    bench = Hand(tmp_path / "wide.segstudio")
    yield bench
    bench.close()


@contextmanager
def bugs_wanted() -> Iterator[list[Any]]:
    """Within this block a bug fails no test; those that reached the interpreter's hook are in the list."""
    with capture_exceptions() as found:
        faults.watch()  # pytest's hook stands in front of the window's else
        yield found


def boom(*_: object, **__: object) -> Any:
    raise RuntimeError("broken by hand")


def later(call: Callable[..., Any]) -> None:
    """Call it from a slot of a timer. (What a single shot calls is raised by QTest's own loop.)"""
    timer = QTimer(QApplication.instance())
    timer.setSingleShot(True)
    timer.timeout.connect(call)
    timer.timeout.connect(timer.deleteLater)
    timer.start(0)


def begin(me: Hand) -> None:
    """A stroke of a class of which the image has no object yet."""
    me.drag((100, 100), (120, 110), release=False)


def go_on(me: Hand) -> None:
    QTest.mouseMove(me.canvas, me.at(130, 120))
    me.lift(130, 120)


def a_slot(me: Hand, patch: pytest.MonkeyPatch) -> None:
    me.opened.documents.changed.connect(boom)
    begin(me)
    go_on(me)
    me.opened.documents.changed.disconnect(boom)


def a_press(me: Hand, patch: pytest.MonkeyPatch) -> None:
    with patch.context() as broken:
        broken.setattr(Gesture, "paint_spans", boom)
        begin(me)
        go_on(me)


def a_press_after_its_first_tile(me: Hand, patch: pytest.MonkeyPatch) -> None:
    paint, done = Gesture._paint, []

    def second(self: Gesture, *arguments: Any) -> None:
        paint(self, *arguments)
        done.append(1)
        boom()

    with patch.context() as broken:
        broken.setattr(Gesture, "_paint", second)
        begin(me)
        go_on(me)
    assert done


def a_move(me: Hand, patch: pytest.MonkeyPatch) -> None:
    begin(me)
    with patch.context() as broken:
        broken.setattr(StrokeTool, "move", boom)
        QTest.mouseMove(me.canvas, me.at(130, 120))
    go_on(me)


def a_release(me: Hand, patch: pytest.MonkeyPatch) -> None:
    begin(me)
    with patch.context() as broken:
        broken.setattr(StrokeTool, "release", boom)
        go_on(me)


def the_end_of_a_gesture(me: Hand, patch: pytest.MonkeyPatch) -> None:
    begin(me)
    with patch.context() as broken:
        broken.setattr(Gesture, "_kept_rows", boom)
        go_on(me)


def the_writers_door(me: Hand, patch: pytest.MonkeyPatch) -> None:
    begin(me)
    with patch.context() as broken:
        broken.setattr(me.opened.store.writer, "submit", boom)
        go_on(me)


def a_hover(me: Hand, patch: pytest.MonkeyPatch) -> None:
    begin(me)
    with patch.context() as broken:
        broken.setattr(me.canvas, "_say_where", boom)
        go_on(me)


def a_handler_of_the_canvas(me: Hand, patch: pytest.MonkeyPatch) -> None:
    begin(me)
    with patch.context() as broken:
        broken.setattr(me.canvas, "_act", boom)
        go_on(me)


def a_frame_of_the_image(me: Hand, patch: pytest.MonkeyPatch) -> None:
    begin(me)
    with patch.context() as broken:
        broken.setattr(ImageLayer, "draw", boom)
        me.canvas.zoom_by(1.5)
        me.wait(me.message)
    me.canvas.zoom_to_fit()
    go_on(me)


def a_frame_of_the_labels(me: Hand, patch: pytest.MonkeyPatch) -> None:
    begin(me)
    with patch.context() as broken:
        broken.setattr(LabelLayer, "draw", boom)
        me.canvas.zoom_by(1.5)
        me.wait(me.message)
    me.canvas.zoom_to_fit()
    go_on(me)


def the_paint_event(me: Hand, patch: pytest.MonkeyPatch) -> None:
    begin(me)
    with patch.context() as broken:
        broken.setattr(Frame, "paint", boom)
        me.canvas.update()
        me.wait(me.message)
    go_on(me)


def the_wheel(me: Hand, patch: pytest.MonkeyPatch) -> None:
    begin(me)
    with patch.context() as broken:
        broken.setattr(me.canvas, "zoom_by", boom)
        me.wheel(QPointF(me.at(100, 100)), 1)
    go_on(me)


def an_action(me: Hand, patch: pytest.MonkeyPatch) -> None:
    begin(me)
    with patch.context() as broken:
        broken.setattr(me.session.tools, "set_radius", boom)
        me.key(Qt.Key.Key_BracketRight)
    go_on(me)


def a_timer(me: Hand, patch: pytest.MonkeyPatch) -> None:
    begin(me)
    later(boom)
    me.wait(me.message)
    go_on(me)


def a_call_from_a_thread(me: Hand, patch: pytest.MonkeyPatch) -> None:
    begin(me)
    me.opened.documents.main.post(boom)
    me.wait(me.message)
    go_on(me)


FOREGROUND = [
    a_slot, a_press, a_press_after_its_first_tile, a_move, a_release, the_end_of_a_gesture, the_writers_door, a_hover,
    a_handler_of_the_canvas, a_frame_of_the_image, a_frame_of_the_labels, the_paint_event, the_wheel, an_action,
    a_timer, a_call_from_a_thread,
]  # fmt: skip


@pytest.mark.parametrize("breaks", FOREGROUND, ids=lambda way: way.__name__)
def test_a_fault_is_said_takes_the_stroke_back_and_the_next_one_is_one_edit(
    me: Hand, monkeypatch: pytest.MonkeyPatch, breaks: Callable[[Hand, pytest.MonkeyPatch], None]
) -> None:
    me.session.set_class("rim")
    before, objects = me.painted(), me.objects()
    with bugs_wanted() as found:
        breaks(me, monkeypatch)
        me.wait(me.message)
    assert found, "a bug reaches the interpreter's hook, so that it fails a test"
    assert me.message().startswith(MADE)
    assert "RuntimeError: broken by hand" in me.message()
    assert "boom" in me.window.message_strip.details.toPlainText()
    assert np.array_equal(me.painted(), before)
    assert me.objects() == objects
    assert not me.opened.documents.gesture_active
    assert me.seqs == []
    stroke_is_one_edit(me)


def stroke_is_one_edit(me: Hand) -> None:
    """The next stroke is exactly one edit, and in the project what it is on the screen."""
    me.drag((30, 30), (60, 40))
    me.settle()
    QTest.qWait(20)
    assert len(me.seqs) == 1
    assert me.opened.documents.save_state().saved
    shown = me.opened.navigation.shown
    assert shown is not None
    stored = me.opened.store.document(shown)
    ids, _ = stored.raster.read(0, stored.raster.bounds(0))
    assert np.array_equal(ids, me.session.labels())


def a_thread(me: Hand) -> None:
    thread = threading.Thread(target=boom)
    thread.start()
    thread.join()


def a_job(me: Hand) -> None:
    def steps() -> Generator[int, None, None]:
        yield 1
        boom()

    def failed(error: BaseException) -> None:
        raise error

    def ignored(*_: object) -> None:
        pass

    main = me.opened.documents.main
    job: Job[int, None] = Job(
        "broken", steps(), main, on_value=ignored, on_done=ignored, on_failed=failed, on_cancelled=ignored
    )
    job.start()
    job.wait(5)


def a_worker(me: Hand) -> None:
    me.opened.proposals.worker.submit(boom)


@pytest.mark.parametrize("breaks", [a_thread, a_job, a_worker], ids=lambda way: way.__name__)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_a_thread_is_said(me: Hand, breaks: Callable[[Hand], None]) -> None:
    with bugs_wanted():
        breaks(me)
        me.wait(lambda: me.message().startswith(MADE))
    stroke_is_one_edit(me)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_fails_does_not_take_the_stroke_from_the_hand(me: Hand) -> None:
    begin(me)
    with bugs_wanted():
        a_thread(me)
        me.wait(me.message)
    go_on(me)
    me.settle()
    assert len(me.seqs) == 1


# -- what is no bug ---------------------------------------------------------------------------------------------------


def damaged(*_: object) -> Any:
    raise ProjectDamaged("A tile of the image is damaged.", todo="Run repair.")


def test_an_error_of_the_disk_under_the_hand_is_its_own_line(me: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    before = me.painted()
    with monkeypatch.context() as broken:
        broken.setattr(Raster, "memento", damaged)
        begin(me)
        go_on(me)
    assert me.message().startswith("A tile of the image is damaged. Run repair.")
    assert np.array_equal(me.painted(), before)
    stroke_is_one_edit(me)


def test_a_tile_that_cannot_be_read_leaves_the_others_on_the_screen_and_comes_when_it_can(
    wide: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = wide
    me.drag((280, 60), (295, 60))
    me.settle()
    look = Raster.look

    def one(self: Raster, key: Any) -> Any:
        return damaged() if key == (0, 0, 0) else look(self, key)

    def seen(x: float, y: float) -> bool:
        me.canvas.zoom_to_fit()
        me.canvas.grab()
        at = me.at(x, y)
        return bool(me.canvas._frame.overlay[at.y(), at.x()])

    assert seen(70, 60)
    assert seen(288, 60)
    with monkeypatch.context() as broken:
        broken.setattr(Raster, "look", one)
        me.canvas._scene.labels._labels.clear()
        me.canvas._overlay_changed()
        me.wait(me.message)
        QTest.qWait(50)  # the message takes its room from the canvas
        assert seen(288, 60)
        assert not seen(70, 60)
        assert me.message().startswith("A tile of the image is damaged.")
    me.wait(lambda: seen(70, 60))


def test_a_database_that_is_gone_is_said_and_a_stroke_is_kept(me: Hand) -> None:
    assert me.project is not None
    place = me.project / "project.db"
    place.rename(me.project / "elsewhere.db")
    me.drag((30, 30), (60, 40))
    me.wait(lambda: not me.opened.documents.save_state().saved and "moved" in me.message())
    assert me.labels_say("not saved")
    (me.project / "elsewhere.db").rename(place)
    me.settle()
    assert len(me.seqs) == 1


def test_a_stroke_on_a_plane_whose_labels_cannot_be_read_is_refused_in_words(
    me: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    tile = Project.tile
    me.shows(1)
    me.shows(0)
    with monkeypatch.context() as broken:
        broken.setattr(Project, "tile", damaged)
        document = me.opened.documents.current.document
        assert document is not None
        document.raster.forget({(0, 0, 0)})
        begin(me)
        go_on(me)
        assert me.message().startswith("A tile of the image is damaged.")
    assert Project.tile is tile
    stroke_is_one_edit(me)


# -- once, and never in a circle --------------------------------------------------------------------------------------


def test_a_fault_of_every_paint_event_is_said_once_and_a_stroke_goes_on(
    me: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bugs_wanted() as found, monkeypatch.context() as broken:
        broken.setattr(Frame, "paint", boom)
        me.canvas.update()
        me.wait(lambda: me.failures)
        before = len(me.failures)
        assert before
        for _ in range(5):
            me.canvas.update()
            QTest.qWait(10)
        me.drag((30, 30), (60, 40))
        assert len(me.failures) == before
        assert len(found) <= 2
    me.settle()
    assert len(me.seqs) == 1


def test_a_fault_in_saying_a_fault_ends(me: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    me.session.failed.connect(boom)
    with bugs_wanted():
        later(boom)
        me.wait(me.message)
    me.session.failed.disconnect(boom)
    assert me.message().startswith(MADE)


def test_copy_details_copies_the_sentence_and_the_trace(me: Hand) -> None:
    with bugs_wanted():
        later(boom)
        me.wait(me.message)
    button = me.window.message_strip.findChild(QPushButton, "messageCopy")
    assert button is not None
    assert button.text().strip() == "Copy details"
    button.click()
    copied = QApplication.clipboard().text()
    assert copied.startswith(MADE)
    assert "in boom" in copied
    assert "bugs.log" in copied


def test_the_log_has_the_trace(me: Hand, user_folders: Path) -> None:
    with bugs_wanted():
        later(boom)
        me.wait(me.message)
    (log,) = user_folders.rglob("bugs.log")
    assert "RuntimeError: broken by hand" in log.read_text()


def test_a_window_that_could_not_be_closed_stays_and_says_why(me: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    with bugs_wanted(), monkeypatch.context() as broken:
        broken.setattr(me.session.projects, "secure", boom)
        me.window.close()
    assert me.window.isVisible()
    assert me.message().startswith(MADE)


def test_an_error_in_a_slot_that_is_no_bug_says_its_line(me: Hand) -> None:
    later(damaged)
    me.wait(me.message)
    assert me.message().startswith("A tile of the image is damaged. Run repair.")


def test_an_edit_that_the_journal_refuses_is_taken_out_said_and_harms_no_later_one(
    me: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an edit is made on is not what is saved: a fault of the program that shows only in the journal."""
    before = me.painted()
    writer = me.opened.store.writer
    assert writer is not None
    submit = writer.submit

    def without_rows(edit: Edit) -> Seq:
        return submit(replace(edit, rows=()))

    me.session.set_class("rim")
    with monkeypatch.context() as broken:
        broken.setattr(writer, "submit", without_rows)
        me.drag((30, 100), (60, 110))
    me.wait(lambda: np.array_equal(me.painted(), before))
    me.wait(me.message)
    assert me.window.message_strip.details.toPlainText()
    assert me.seqs == []
    me.settle()
    stroke_is_one_edit(me)
    me.key(Qt.Key.Key_Z, CTRL)
    me.settle()
    assert np.array_equal(me.painted(), before)
