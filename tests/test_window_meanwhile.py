"""The real window by mouse and keys while something else takes its time: a long write, a Done that is computed."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segstudio.app.editing import open_documents
from segstudio.app.values import JobKind, Rest, Restored
from segstudio.store.project import Project
from tests.window_bench import LEFT, Bench, make_project, without_proposals

pytestmark = pytest.mark.timeout(120)

CTRL = Qt.KeyboardModifier.ControlModifier


class Hand(Bench):
    """A bench whose writer can be held up in the middle of a change of many images."""

    def __init__(self, project: Path) -> None:
        super().__init__(project)
        self.wait(lambda: self.shown)
        self.fresh()
        self.restored: list[Restored] = []
        self.timers: list[threading.Timer] = []
        self.gates: list[threading.Event] = []
        self.opened.snapshots.restored.connect(self.restored.append)

    def holds(self, patch: pytest.MonkeyPatch) -> threading.Event:
        """From now on a change of many images waits, in its transaction, for the event."""
        go, writer = threading.Event(), self.opened.store.writer
        assert writer is not None
        write_all = writer.write_all
        self.gates.append(go)

        def waiting(edits: Any, batch: Any = None) -> Any:
            def at_last(db: Any) -> Any:
                assert go.wait(60)
                return edits(db) if callable(edits) else edits

            return write_all(at_last, batch)

        patch.setattr(writer, "write_all", waiting)
        return go

    def computes(self) -> threading.Event:
        """What accept and done fill in is computed only after the event."""
        go = threading.Event()
        self.gates.append(go)
        self.opened.proposals.worker.submit(lambda: go.wait(60))
        return go

    def lets_go(self, go: threading.Event, after_s: float) -> None:
        """Set the event from another thread: a window that waits for it is held up so long, and not for ever."""
        self.timers.append(threading.Timer(after_s, go.set))
        self.timers[-1].start()

    def keeps(self, name: str) -> int:
        """Keep a snapshot; its id."""
        self.opened.snapshots.keep(name)
        self.wait(lambda: any(item.name == name for item in self.opened.snapshots.items))
        return next(item.id for item in self.opened.snapshots.items if item.name == name)

    def restores(self, id_: int) -> None:
        """Restore the project and wait for its end."""
        before = len(self.restored)
        self.opened.snapshots.restore_project(id_)
        self.wait(lambda: len(self.restored) > before)
        self.free()

    def free(self) -> None:
        """Wait until nothing is being written."""
        self.wait(lambda: not self.opened.documents.busy)
        self.settle()

    def stored(self) -> NDArray[np.bool_]:
        """Where the image on screen is labelled, as the project has it."""
        shown = self.opened.navigation.shown
        assert shown is not None
        document = self.opened.store.document(shown)
        return document.raster.read(0, document.raster.bounds(0))[0] > 0

    def painted(self) -> NDArray[np.bool_]:
        """Where the image on screen is labelled, as the window has it."""
        return self.session.labels() > 0


@pytest.fixture
def me(qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    without_proposals(monkeypatch)
    bench = Hand(make_project(tmp_path / "project", 3))
    yield bench
    for timer in bench.timers:
        timer.cancel()
        timer.join()
    for go in bench.gates:
        go.set()
    bench.close()


def test_a_stroke_painted_while_a_restore_with_classes_is_undone_stays_and_is_saved(
    me: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = me.keeps("before")
    me.drag((100, 100), (130, 130))
    me.opened.classes.add("dirt")
    me.settle()
    me.restores(kept)
    me.session.set_class("coin")
    go = me.holds(monkeypatch)
    me.key(Qt.Key.Key_Z, CTRL)
    me.wait(lambda: me.opened.documents.busy)
    me.shows(1)
    me.drag((50, 50), (90, 90))
    me.drag((20, 20), (30, 60), release=False)
    under_the_hand = me.painted()
    go.set()
    me.wait(lambda: not me.opened.documents.long.running)
    QTest.qWait(60)
    assert np.array_equal(me.painted(), under_the_hand)
    me.lift(30, 60)
    me.free()
    assert me.opened.documents.classes.named("dirt") is not None
    assert np.array_equal(me.painted(), under_the_hand)
    assert np.array_equal(me.stored(), under_the_hand)
    me.key(Qt.Key.Key_Z, CTRL)
    me.key(Qt.Key.Key_Z, CTRL)
    me.settle()
    assert not me.painted().any()
    assert not me.stored().any()
    assert me.failures == []


def undoing(me: Hand, patch: pytest.MonkeyPatch) -> threading.Event:
    """The undo of a restore that changed the first image waits for the event; the second is on screen."""
    kept = me.keeps("before")
    me.drag((100, 100), (130, 130))
    me.settle()
    me.restores(kept)
    me.shows(1)
    go = me.holds(patch)
    me.opened.snapshots.undo_restore()
    assert me.opened.documents.busy
    return go


def test_what_is_kept_backed_up_and_exported_meanwhile_has_the_stroke_that_waits(
    me: Hand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    go = undoing(me, monkeypatch)
    me.drag((30, 30), (60, 60))
    painted = me.painted()
    assert painted.any()
    ends: list[Any] = []
    me.opened.backups.backedUp.connect(ends.append)
    me.session.exportFinished.connect(ends.append)
    me.opened.snapshots.keep("with the stroke")
    me.opened.backups.ask(tmp_path / "copy")
    me.session.export("png", tmp_path / "out")
    QTest.qWait(100)
    assert len(me.opened.snapshots.items) == 1
    go.set()
    me.wait(lambda: len(ends) == 2 and len(me.opened.snapshots.items) == 2)
    me.free()
    image = me.opened.navigation.shown
    assert image is not None
    with Project.open(tmp_path / "copy.segstudio", write=False) as copy:
        document = copy.document(image)
        assert np.array_equal(document.raster.read(0, document.raster.bounds(0))[0] > 0, painted)
    me.key(Qt.Key.Key_Z, CTRL)
    me.settle()
    assert not me.painted().any()
    me.restores(next(item.id for item in me.opened.snapshots.items if item.name == "with the stroke"))
    assert np.array_equal(me.painted(), painted)
    assert me.failures == []


def seconds(call: Callable[[], object]) -> float:
    """How long a call held up the window."""
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


def test_paging_on_does_not_wait_for_a_done_that_is_still_computed_nor_lose_it(
    me: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_documents, "_KEPT", 1)
    me.opened.finishing.set_rest(Rest("background"))
    go = me.computes()
    me.lets_go(go, 5.0)  # who waits on the window's thread cannot be let on by it
    me.session.mark_done()
    for image in (1, 2, 3):
        assert seconds(lambda image=image: me.session.open_image(image)) < 1
        me.wait(lambda: not me.opened.navigation.loading)
    assert seconds(lambda: me.opened.snapshots.keep("after Done")) < 1
    assert seconds(lambda: me.opened.backups.ask(None)) < 1
    assert me.opened.snapshots.items == []
    go.set()
    me.wait(lambda: me.opened.snapshots.items)
    assert me.opened.navigation.items[0].status == "done"
    assert me.opened.snapshots.items[0].edits == 0
    me.shows(0)
    assert me.stored().all()
    assert me.failures == []


def test_paging_on_while_a_done_waits_for_a_change_of_many_images_neither_waits_nor_cancels_it(
    me: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    me.opened.finishing.set_rest(Rest("background"))
    done = me.computes()
    kept = me.keeps("before")
    me.drag((100, 100), (130, 130))
    me.settle()
    me.restores(kept)
    me.shows(2)
    me.session.mark_done()
    me.shows(1)
    go = me.holds(monkeypatch)
    me.opened.snapshots.undo_restore()
    done.set()
    QTest.qWait(100)
    me.lets_go(go, 5.0)
    assert seconds(lambda: me.session.open_image(3)) < 1
    me.wait(lambda: not me.opened.navigation.loading)
    go.set()
    me.wait(lambda: me.opened.navigation.items[2].status == "done")
    me.free()
    me.shows(0)
    assert me.painted().any()
    assert me.failures == []


def test_a_stroke_under_way_while_the_window_waits_to_close_is_not_cut(
    me: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = undoing(me, monkeypatch)
    me.window.close()
    assert me.window.closing_strip.isVisible()
    me.drag((20, 20), (40, 40), release=False)
    go.set()
    QTest.qWait(600)
    assert me.window.isVisible()
    assert me.opened.documents.gesture_active
    before = me.painted().sum()
    QTest.mouseMove(me.canvas, me.at(100, 40))
    me.lift(100, 40)
    painted, image = me.painted(), me.opened.navigation.shown
    assert painted.sum() > before
    me.wait(lambda: not me.window.isVisible())
    assert me.project is not None
    assert image is not None
    with Project.open(me.project, write=False) as project:
        document = project.document(image)
        assert np.array_equal(document.raster.read(0, document.raster.bounds(0))[0] > 0, painted)


def test_a_window_waits_to_close_until_a_done_is_computed_and_goes_on_meanwhile(me: Hand) -> None:
    me.opened.finishing.set_rest(Rest("background"))
    go = me.computes()
    me.lets_go(go, 8.0)
    me.session.mark_done()
    assert seconds(me.window.close) < 4
    assert me.window.isVisible()
    assert "Saving 1 edit …" in me.labels_say("Saving")
    go.set()
    me.wait(lambda: not me.window.isVisible())
    assert me.project is not None
    with Project.open(me.project, write=False) as project:
        assert project.images()[0].status == "done"


def test_escape_while_done_is_computed_says_that_it_was_cancelled_at_once(me: Hand) -> None:
    go = me.computes()
    me.session.mark_done()
    assert seconds(lambda: me.key(Qt.Key.Key_Escape)) < 0.19
    assert me.said[-1] == "Done was cancelled; nothing was changed."
    go.set()
    QTest.qWait(100)
    assert me.opened.navigation.items[0].status != "done"
    assert me.opened.navigation.index == 0


def test_every_start_of_a_restore_ends_and_an_undo_of_it_that_did_not_work_can_be_asked_for_again(
    me: Hand,
) -> None:
    patch = pytest.MonkeyPatch()
    kept = me.keeps("before")
    me.drag((100, 100), (130, 130))
    me.settle()
    dialog = me.window.later.snapshots
    dialog.present()
    dialog.list.setCurrentItem(dialog.list.topLevelItem(0))
    me.session.open_image(1)
    assert not dialog.restore_image.isEnabled()
    me.opened.snapshots.restore_image(kept)
    assert (me.failures[-1]["job"], me.failures[-1]["sentence"]) == ("restore", "The image is still loading.")
    me.wait(lambda: not me.opened.navigation.loading)
    assert dialog.restore_image.isEnabled()
    go = me.holds(patch)
    QTest.mouseClick(dialog.restore, LEFT)
    assert dialog.state.text() == "Restoring …"
    me.wait(lambda: me.session.jobs.of(JobKind.RESTORE))
    me.cancel(JobKind.RESTORE)
    go.set()
    me.wait(lambda: "cancelled" in dialog.state.text())
    assert me.failures[-1]["job"] == "restore"
    patch.undo()
    QTest.mouseClick(dialog.restore, LEFT)
    me.wait(lambda: me.restored)
    me.free()
    go = me.holds(patch)
    QTest.mouseClick(dialog.undo, LEFT)
    me.opened.snapshots.undo_restore()  # busy
    assert "nothing else can be changed" in me.failures[-1]["sentence"]
    me.cancel(JobKind.UNDO)
    go.set()
    me.wait(lambda: "cancelled" in dialog.state.text())
    patch.undo()
    QTest.mouseClick(dialog.undo, LEFT)
    me.wait(lambda: len(me.restored) == 2)
    assert me.restored[-1].taken_back
    assert dialog.state.text() == "The restore of 'before' was undone."
    assert not dialog.undo.isVisible()
    me.free()
    me.shows(0)
    assert me.painted().any()
    dialog.close()
