"""The window over a disk on which every statement takes its time: the GUI thread asks it for nothing meanwhile."""

import sqlite3
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from segstudio.app.values import Rest
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.model import Seq, Status
from segstudio.store import project as projects
from segstudio.store.database import connect as connecting
from segstudio.store.database import connections
from segstudio.store.database.lock import is_held
from segstudio.store.project import Project
from segstudio.store.writing import write_connection
from segstudio.ui.dialogs.snapshots import SnapshotsDialog
from tests.window_bench import Bench, make_project, without_proposals

pytestmark = pytest.mark.timeout(180)

CTRL = Qt.KeyboardModifier.ControlModifier
DELAY_S = 0.1
STATEMENT_S = 0.3
QUICK_S = 0.03
"""For work of dozens of statements: a wait for all of it is still far longer than a beat may be."""
MANY_S = 0.01
"""For work of hundreds."""
BEAT_S = 0.25
"""The window answers while one statement takes longer."""
GAP_S = 0.5
"""Far above what the window takes; one statement on the GUI thread shows in `asked`."""


class SlowDisk(sqlite3.Connection):
    """Every statement takes `delay_s`; those of the GUI thread are written down with what asked for them."""

    delay_s = 0.0
    asked: list[str] = []  # noqa: RUF012 - one for all connections

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        if SlowDisk.delay_s:
            if threading.current_thread() is threading.main_thread():
                SlowDisk.asked.append("".join(traceback.format_stack(limit=9)[:-1]))
            time.sleep(SlowDisk.delay_s)
        return super().execute(*arguments)


def starved_s() -> float:
    """For how long this thread could have run and other processes had the processor; 0 where no system says it."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


class Pulse:
    """A timer of 5 ms; `longest_s` is the longest time between two of its beats, the first from `restart` on.

    Time in which other processes had the processor is not counted: that the machine is busy is no fault of the window.
    """

    def __init__(self) -> None:
        self.timer = QTimer()
        self.timer.setInterval(5)
        self.timer.timeout.connect(self._beat)
        self.timer.start()
        self.restart()

    def restart(self) -> None:
        self.longest_s, self._last = 0.0, time.perf_counter() - starved_s()

    def _beat(self) -> None:
        now = time.perf_counter() - starved_s()
        self.longest_s, self._last = max(self.longest_s, now - self._last), now


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[SlowDisk]]:
    connect = connecting.connect

    def slowly(path: Path, access: Any, connection_type: Any = None) -> sqlite3.Connection:
        return connect(path, access, SlowDisk)

    for module in (projects, connections, write_connection):
        monkeypatch.setattr(module, "connect", slowly)
    without_proposals(monkeypatch)
    SlowDisk.delay_s, SlowDisk.asked = 0.0, []
    yield SlowDisk
    SlowDisk.delay_s = 0.0


@pytest.fixture
def pulse() -> Iterator[Pulse]:
    made = Pulse()
    yield made
    made.timer.stop()


@pytest.fixture
def me(qapp: object, slow: type[SlowDisk], tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(make_project(tmp_path / "project", 3))
    bench.wait(lambda: bench.shown)
    bench.fresh()
    yield bench
    SlowDisk.delay_s = 0.0
    bench.close()


def test_a_project_is_opened_without_the_window_asking_the_disk(
    qapp: object, slow: type[SlowDisk], pulse: Pulse, tmp_path: Path
) -> None:
    path = make_project(tmp_path / "project", 3)
    bench = Bench(None)
    QTest.qWait(50)
    slow.delay_s = MANY_S
    pulse.restart()
    bench.window.opening.open_path(path)
    assert bench.session.project is None
    bench.wait(lambda: bench.shown, 60)
    slow.delay_s = 0.0
    assert slow.asked == []
    assert pulse.longest_s < GAP_S
    assert bench.opened.path == path
    bench.close()


def test_a_script_goes_on_at_once_after_opening_a_window(qapp: object, slow: type[SlowDisk], tmp_path: Path) -> None:
    path = make_project(tmp_path / "project", 3)
    slow.delay_s = QUICK_S
    bench = Bench(path)
    assert bench.session.project is None, "the disk is too quick for this test"
    bench.session.open_image(1)
    slow.delay_s = 0.0
    assert bench.shown == []
    assert bench.opened.navigation.index == 1
    assert bench.session.labels(0).shape == (150, 126)
    bench.wait(lambda: bench.shown)
    assert bench.opened.navigation.index == 1
    bench.close()


def test_a_project_that_cannot_be_opened_leaves_the_one_before(me: Bench, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.segstudio"
    nothing.mkdir()
    me.window.opening.open_path(nothing)
    me.wait(lambda: me.failures)
    assert me.failures[0]["job"] == "open"
    assert me.labels_say("not a SegStudio project")
    assert me.opened.path == me.project
    me.drag((40, 40), (80, 40))
    me.settle()
    assert len(me.seqs) == 1


def test_of_two_projects_asked_for_in_a_row_the_last_is_opened_and_the_other_is_free(
    qapp: object, slow: type[SlowDisk], tmp_path: Path
) -> None:
    first, second = make_project(tmp_path / "first", 1), make_project(tmp_path / "second", 1)
    bench = Bench(None)
    slow.delay_s = MANY_S
    bench.window.opening.open_path(first)
    bench.window.opening.open_path(second)
    bench.wait(lambda: bench.shown, 60)
    slow.delay_s = 0.0
    assert bench.opened.path == second
    bench.wait(lambda: not is_held(first))
    bench.close()


def test_a_window_is_closed_while_a_project_is_being_opened(qapp: object, slow: type[SlowDisk], tmp_path: Path) -> None:
    path = make_project(tmp_path / "project", 1)
    bench = Bench(None)
    slow.delay_s = MANY_S
    bench.window.opening.open_path(path)
    bench.close()
    slow.delay_s = 0.0
    assert not is_held(path)


def test_strokes_and_a_save_ask_the_disk_for_nothing(me: Bench, slow: type[SlowDisk], pulse: Pulse) -> None:
    slow.delay_s = MANY_S
    pulse.restart()
    for y in (40, 60, 80):
        me.drag((40, y), (80, y))
        QTest.qWait(30)
    me.key(Qt.Key.Key_S, CTRL)
    me.wait(lambda: len(me.seqs) == 3, 60)
    me.wait(lambda: me.opened.navigation.items[0].labelled_pixels > 0, 60)
    slow.delay_s = 0.0
    assert slow.asked == []
    assert pulse.longest_s < GAP_S


@contextmanager
def at_work(slow: type[SlowDisk], pulse: Pulse, statement_s: float = STATEMENT_S) -> Iterator[None]:
    """Meanwhile the disk takes its time, and the GUI thread neither asks it for anything nor waits for it.

    Where workers have much to ask, a statement may take less: what the GUI thread asks for is written down anyway.
    """
    QTest.qWait(50)
    slow.asked.clear()
    slow.delay_s = statement_s
    pulse.restart()
    yield
    slow.delay_s = 0.0
    assert slow.asked == []
    assert pulse.longest_s < BEAT_S


def painted(me: Bench) -> int:
    """How many pixels of the image on screen are labelled."""
    return int(np.count_nonzero(me.session.labels()))


def strokes_of_yesterday(me: Bench, n: int) -> list[int]:
    """Strokes that are in the journal alone; how many pixels are labelled before the first and after each."""
    counts = [0]
    for y in range(40, 40 + 20 * n, 20):
        me.drag((40, y), (80, y))
        QTest.qWait(1)
        counts.append(painted(me))
    me.settle()
    recent = me.opened.documents.recent
    for seq in me.seqs:
        recent.drop(Seq(seq))
    return counts


def test_undo_and_redo_of_what_was_just_painted_come_at_once(me: Bench, slow: type[SlowDisk], pulse: Pulse) -> None:
    with at_work(slow, pulse):
        me.drag((40, 40), (80, 40))
        QTest.qWait(20)
        after = painted(me)
        me.key(Qt.Key.Key_Z, CTRL)
        assert painted(me) == 0
        QTest.qWait(20)
        me.key(Qt.Key.Key_Y, CTRL)
        assert painted(me) == after > 0
    me.wait(lambda: len(me.seqs) == 3)


def test_an_edit_of_the_journal_is_undone_when_the_disk_has_answered_and_each_press_counts(
    me: Bench, slow: type[SlowDisk], pulse: Pulse
) -> None:
    none, one, two, three = strokes_of_yesterday(me, 3)
    with at_work(slow, pulse, QUICK_S):
        me.key(Qt.Key.Key_Z, CTRL)
        me.key(Qt.Key.Key_Z, CTRL)
        assert painted(me) == three
        me.wait(lambda: painted(me) == two, 60)
        me.wait(lambda: painted(me) == one, 60)
    me.settle()
    assert len(me.seqs) == 5
    me.opened.documents.recent.drop(Seq(me.seqs[-1]))
    with at_work(slow, pulse, QUICK_S):
        me.key(Qt.Key.Key_Y, CTRL)
        assert painted(me) == one
        me.wait(lambda: painted(me) == two, 60)
    me.key(Qt.Key.Key_Z, CTRL)
    me.key(Qt.Key.Key_Z, CTRL)
    me.wait(lambda: painted(me) == none)


def test_a_stroke_made_while_an_undo_is_being_read_goes_before_it(
    me: Bench, slow: type[SlowDisk], pulse: Pulse
) -> None:
    before = strokes_of_yesterday(me, 2)[-1]
    with at_work(slow, pulse, QUICK_S):
        me.key(Qt.Key.Key_Z, CTRL)
        me.key(Qt.Key.Key_Z, CTRL)
        me.drag((40, 120), (80, 120))
        assert painted(me) > before
        me.key(Qt.Key.Key_Z, CTRL)
        assert painted(me) == before
        QTest.qWait(round(20 * QUICK_S * 1000))
        assert painted(me) == before
    me.settle()
    assert me.failures == []


def test_a_gesture_under_way_lets_an_undo_that_was_read_wait(me: Bench, slow: type[SlowDisk], pulse: Pulse) -> None:
    none, one = strokes_of_yesterday(me, 1)
    with at_work(slow, pulse, QUICK_S):
        me.key(Qt.Key.Key_Z, CTRL)
        me.drag((40, 120), (80, 120), release=False)
        QTest.qWait(round(20 * QUICK_S * 1000))
        assert painted(me) > one
        me.key(Qt.Key.Key_Escape)
        me.wait(lambda: painted(me) == none, 60)


def test_an_undo_that_is_being_read_is_made_before_the_window_closes(me: Bench, slow: type[SlowDisk]) -> None:
    strokes_of_yesterday(me, 1)
    slow.delay_s = QUICK_S
    me.key(Qt.Key.Key_Z, CTRL)
    assert not me.opened.documents.save_state().saved
    path = me.opened.path
    me.session.close()
    slow.delay_s = 0.0
    with Project.open(path) as again:
        assert [again.document(row.id).class_ids(0, Rect(0, 0, 99, 99)).any() for row in again.images()[:1]] == [False]
        assert again.last_seq() == 2


def test_a_class_that_is_in_use_is_refused_by_a_late_sentence(me: Bench, slow: type[SlowDisk], pulse: Pulse) -> None:
    me.opened.classes.add("dirt")
    me.shows(1)
    me.drag((40, 40), (80, 40))
    me.settle()
    me.shows(0)
    with at_work(slow, pulse, QUICK_S):
        me.key(Qt.Key.Key_Z, CTRL)
        me.wait(lambda: me.said, 60)
    assert "Adding the class 'dirt' cannot be undone" in me.said[-1]
    assert me.opened.documents.classes.named("dirt") is not None


def test_a_new_class_needs_no_disk_and_no_value_is_given_twice(me: Bench, slow: type[SlowDisk], pulse: Pulse) -> None:
    classes = me.opened.documents.choice
    first = classes.next
    with at_work(slow, pulse):
        action = me.window.findChild(QAction, "classAddSemantic")
        assert action is not None
        action.trigger()
        editor = me.window.findChild(QLineEdit, "classNameEdit")
        assert editor is not None
        QTest.keyClicks(editor, "dirt")
        QTest.keyClick(editor, Qt.Key.Key_Return)
        me.wait(lambda: classes.current.name == "dirt")
        assert (classes.current.id, classes.current.value) == first
    me.settle()
    me.key(Qt.Key.Key_Z, CTRL)
    me.wait(lambda: classes.classes.named("dirt") is None)
    with at_work(slow, pulse):
        me.opened.classes.add("dust")
        assert (classes.current.id, classes.current.value) == (first[0] + 1, first[1] + 1)
    me.settle()
    assert me.opened.store.next_class() == classes.next == (first[0] + 2, first[1] + 2)


def test_an_image_is_taken_out_without_the_window_asking_the_disk(
    me: Bench, slow: type[SlowDisk], pulse: Pulse
) -> None:
    last, before = me.opened.navigation.items[-1], me.opened.documents.submitted
    with at_work(slow, pulse):
        me.opened.growing.remove_images({me.opened.navigation.rows[-1].id})
        me.wait(lambda: me.opened.documents.submitted == before + 1, 20)
    me.wait(lambda: last.name not in [item.name for item in me.opened.navigation.items])
    assert me.failures == []


def test_images_are_added_without_the_window_asking_the_disk(
    me: Bench, slow: type[SlowDisk], pulse: Pulse, tmp_path: Path
) -> None:
    Image.fromarray(np.full((50, 60), 9, np.uint8)).save(tmp_path / "new.png")
    with at_work(slow, pulse, MANY_S):
        me.session.add_images([tmp_path / "new.png"])
        me.wait(lambda: "new.png" in [item.name for item in me.opened.navigation.items], 60)
    assert me.failures == []


def test_a_snapshot_is_restored_and_the_restore_undone_without_the_window_asking_the_disk(
    me: Bench, slow: type[SlowDisk], pulse: Pulse
) -> None:
    me.opened.snapshots.keep("before")
    me.wait(lambda: me.said)
    me.drag((40, 40), (80, 40))
    me.settle()
    after, restored = painted(me), []
    me.opened.snapshots.restored.connect(restored.append)
    (kept,) = [item for item in me.opened.snapshots.items if item.name == "before"]
    with at_work(slow, pulse, MANY_S):
        me.opened.snapshots.restore_project(kept.id)
        me.wait(lambda: len(restored) == 1, 60)
    assert painted(me) == 0
    with at_work(slow, pulse, MANY_S):
        me.opened.snapshots.undo_restore()
        me.wait(lambda: len(restored) == 2, 60)
    assert painted(me) == after
    assert me.failures == []


def test_strokes_made_while_what_was_restored_is_being_read_are_kept(me: Bench, slow: type[SlowDisk]) -> None:
    me.drag((40, 40), (80, 40))
    me.settle()
    me.opened.snapshots.keep("first")
    me.wait(lambda: me.said)
    me.shows(1)
    me.drag((40, 60), (80, 60))
    me.settle()
    (kept,) = [item for item in me.opened.snapshots.items if item.name == "first"]
    first, restored = me.opened.navigation.rows[0].id, []
    me.opened.snapshots.restored.connect(restored.append)
    slow.delay_s = MANY_S
    me.opened.snapshots.restore(kept.id, first)  # the image on screen is another one
    me.wait(lambda: me.opened.documents.long.running, 20)
    me.drag((40, 90), (80, 90))
    before = painted(me)
    me.wait(lambda: restored, 60)
    slow.delay_s = 0.0
    me.settle()
    assert painted(me) == before
    me.shows(0)
    me.shows(1)
    assert painted(me) == before


def test_an_image_is_marked_done_for_many_without_the_window_asking_the_disk(
    me: Bench, slow: type[SlowDisk], pulse: Pulse
) -> None:
    me.opened.finishing.set_rest(Rest.BACKGROUND)
    me.settle()
    images = [row.id for row in me.opened.navigation.rows[:2]]
    with at_work(slow, pulse, MANY_S):
        me.opened.marking.mark(images, done=True)
        me.wait(lambda: [item.status for item in me.opened.navigation.items[:2]] == [Status.DONE] * 2, 60)
    assert me.failures == []


def test_the_list_of_snapshots_comes_when_the_disk_has_answered(me: Bench, slow: type[SlowDisk], pulse: Pulse) -> None:
    me.opened.snapshots.keep("by hand")
    me.wait(lambda: me.said)
    action = me.window.bars.action("snapshots")
    action.trigger()
    dialog = me.window.findChild(SnapshotsDialog, "snapshotsDialog")
    assert dialog is not None
    dialog.hide()
    dialog.list.clear()
    with at_work(slow, pulse, QUICK_S):
        action.trigger()
        assert dialog.empty.text() == "Reading the snapshots …"
        assert dialog.empty.isVisible()
        me.wait(lambda: dialog.list.topLevelItemCount() == 1, 20)
    assert not dialog.empty.isVisible()
    dialog.hide()


def test_the_kind_of_a_class_changes_when_a_slow_disk_has_answered(
    me: Bench, slow: type[SlowDisk], pulse: Pulse
) -> None:
    me.opened.classes.add("dirt")
    me.settle()
    slow.delay_s = DELAY_S
    pulse.restart()
    me.opened.classes.change("dirt", kind="instance")
    me.wait(lambda: (found := me.opened.documents.classes.named("dirt")) is not None and found.kind == "instance", 60)
    slow.delay_s = 0.0
    assert slow.asked == []
    assert pulse.longest_s < GAP_S
    me.session.set_class("dirt")
    me.drag((40, 40), (80, 40))
    me.settle()
    with pytest.raises(UserError, match="only while no pixel"):
        me.opened.classes.change("dirt", kind="semantic")


def test_after_a_run_only_rows_of_another_part_in_learning_are_read(
    me: Bench, slow: type[SlowDisk], pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert me.session.project is not None
    project, navigation = me.opened.store, me.opened.navigation
    me.opened.proposals_ahead.close()  # it asks for the rows of what comes next
    asked: list[list[int]] = []
    some = project.some_images
    monkeypatch.setattr(project, "some_images", lambda images: asked.append(list(images)) or some(images))
    monkeypatch.setattr(project, "images", lambda: pytest.fail("the whole list is read"))
    group = navigation.rows[1].group_id
    project.writing().call(
        lambda db: db.execute("UPDATE groups SET split = 'held-out' WHERE id = ?", (group,)) and None
    ).result()
    slow.delay_s = DELAY_S
    pulse.restart()
    navigation.follow_run()
    me.wait(lambda: me.opened.navigation.items[1].split == "held-out", 60)
    slow.delay_s = 0.0
    assert slow.asked == []
    assert pulse.longest_s < GAP_S
    assert asked == [[navigation.rows[1].id]]


def test_a_hanging_disk_holds_the_close_no_longer_than_it_may(me: Bench, slow: type[SlowDisk]) -> None:
    me.drag((40, 40), (80, 40))
    slow.delay_s = 1.5
    begun = time.monotonic()
    me.session.close(0.5)
    took = time.monotonic() - begun
    slow.delay_s = 0.0
    assert took < 0.5 + 3.5
    assert me.project is not None
    project = me.project
    me.wait(lambda: not is_held(project))
    with Project.open(project) as again:
        assert again.last_seq() >= 1
