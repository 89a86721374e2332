"""The real window and its keys over a disk that is slow, or refuses: what is said is true, and nothing is lost."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segstudio.app import open_project
from segstudio.app.editing.stored_state import read_state
from segstudio.labels.edit import Batch, Edit
from segstudio.labels.model import Cause, Origin
from segstudio.store.project import Project
from segstudio.store.writing import waiting_edits
from tests.failing_disk import Disk
from tests.labels.filled_planes import filled
from tests.window_bench import Bench, make_project, without_proposals

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Disk]:
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    disk = Disk(monkeypatch)
    yield disk
    disk.mend()


@pytest.fixture
def me(qapp: object, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    without_proposals(monkeypatch)
    # Ctrl+S waits a moment for the disk, and goes on without it: how busy the machine is must not decide what it says.
    monkeypatch.setattr(open_project, "_SAVE_WAIT_S", 30.0)
    bench = Bench(make_project(tmp_path / "project", 1))
    bench.wait(lambda: bench.shown)
    bench.fresh()
    yield bench
    disk.mend()
    bench.close()


def save(me: Bench) -> str:
    QTest.keyClick(me.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    return me.window.status_bar.said_label.text()


def test_ctrl_s_saves_and_says_since_when_or_why_not(me: Bench, disk: Disk) -> None:
    me.drag((40, 40), (60, 50))
    said = save(me)
    assert said.startswith("Everything is saved automatically")
    assert me.opened.documents.save_state().time in said
    assert me.seqs == [1]
    disk.full = True
    me.drag((90, 40), (95, 50))
    said = save(me)
    assert said.startswith("not saved: ")
    assert "full" in said
    disk.full = False
    assert save(me).startswith("Everything is saved automatically")
    assert me.seqs == [1, 2]


def test_ctrl_s_in_mid_stroke_keeps_the_stroke(me: Bench) -> None:
    me.drag((40, 40), (60, 50), release=False)
    assert save(me).startswith("Everything is saved automatically")
    assert me.seqs == [1]
    me.lift(60, 50)
    me.settle()
    assert me.seqs == [1]


def test_closing_over_a_slow_disk_says_so_and_the_window_closes_when_all_is_saved(me: Bench, disk: Disk) -> None:
    disk.goes.clear()
    for x in (40, 80, 120):
        me.drag((x, 40), (x + 5, 50))
    labels = me.session.labels().copy()
    me.window.close()
    assert me.window.isVisible()
    assert "Saving 3 edits" in me.labels_say("Saving")
    me.drag((40, 90), (50, 95))  # one can go on while it waits
    me.wait(lambda: "Saving 4 edits" in me.labels_say("Saving"))
    labels = me.session.labels().copy()
    disk.goes.set()
    me.wait(lambda: not me.window.isVisible())
    assert me.project is not None
    with Project.open(me.project, write=False) as project:
        document = project.document(project.images()[0].id)
        assert (document.raster.read(0, document.raster.bounds(0))[0] == labels).all()
        assert project.last_seq() == 4


def test_closing_now_over_a_disk_that_hangs_keeps_the_edits_for_the_next_opening(me: Bench, disk: Disk) -> None:
    disk.goes.clear()
    me.drag((40, 40), (60, 50))
    labels = me.session.labels().copy()
    me.window.close()
    me.wait(me.window.closing_strip.isVisible)
    threading.Timer(1.0, disk.goes.set).start()  # the disk comes back too late for the window, in time for the thread
    QTest.mouseClick(me.window.closing_strip.now_button, Qt.MouseButton.LeftButton)
    assert not me.window.isVisible()
    assert me.project is not None
    with Project.open(me.project) as project:
        document = project.document(project.images()[0].id)
        assert (document.raster.read(0, document.raster.bounds(0))[0] == labels).all()
        assert not waiting_edits.waiting_file(project.uuid, project.path).exists()
        assert project.last_seq() == 1


def test_closing_over_a_full_disk_keeps_the_edits_and_the_next_opening_saves_them(me: Bench, disk: Disk) -> None:
    disk.full = True
    me.drag((40, 40), (60, 50))
    me.wait(lambda: me.opened.documents.save_state().sentence)
    labels = me.session.labels().copy()
    me.window.close()
    assert not me.window.isVisible()
    disk.full = False
    assert me.project is not None
    with Project.open(me.project) as project:
        assert "has now been saved" in project.notice
        document = project.document(project.images()[0].id)
        assert (document.raster.read(0, document.raster.bounds(0))[0] == labels).all()


def imported(me: Bench) -> None:
    """A batch over the images of the project, as an import makes one."""
    assert me.session.project is not None  # an import is a command: no window of ours makes one
    opened = me.session.project
    project = opened.store
    assert project.writer is not None

    def edits() -> Iterator[Edit]:
        for row in project.images()[:2]:
            whole = np.full(row.planes[0][::-1], 2, np.int32)
            edit = filled(project.document(row.id), 0, whole, project.classes(), Origin.IMPORTED)
            assert edit is not None
            yield edit

    project.writer.write_all(edits(), Batch(Cause.IMPORT)).result(30)
    opened.documents._follow(None, read_state(opened.store, opened.documents._open.images, None))


def press(me: Bench, key: Qt.Key) -> None:
    QTest.keyClick(me.window, key, Qt.KeyboardModifier.ControlModifier)


def test_undo_of_a_batch_is_a_job_that_is_shown_and_can_be_cancelled_and_no_stroke_is_lost(
    me: Bench, disk: Disk
) -> None:
    imported(me)
    me.wait(lambda: me.session.labels().all())
    disk.goes.clear()
    press(me, Qt.Key.Key_Z)
    bar = me.window.status_bar
    me.wait(lambda: bar.job_label.text() == "Undo in 2 images")
    assert bar.currentMessage().startswith("not saved")
    me.drag((40, 40), (60, 50))  # on an image that is being changed: refused, with a sentence
    assert me.said[-1] == "Undo in 2 images: nothing else can be changed here until it is done."
    assert bar.job_cancel.isVisibleTo(me.window)
    QTest.mouseClick(bar.job_cancel, Qt.MouseButton.LeftButton)
    disk.goes.set()
    me.wait(lambda: not bar.job_label.text())
    assert me.session.labels().all()
    assert me.said[-1].startswith("The change was cancelled.")
    press(me, Qt.Key.Key_Z)
    me.wait(lambda: not me.session.labels().any())
    me.settle()
    press(me, Qt.Key.Key_Y)
    me.wait(lambda: me.session.labels().all())
    me.settle()
    assert me.seqs == [1, 2, 3, 4, 5, 6]
