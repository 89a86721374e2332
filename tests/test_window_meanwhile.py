"""The real window by mouse and keys while something else takes its time: a long write, a Done that is computed."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from window_bench import Bench, make_project

from segstudio.app.opened import OpenedProject
from segstudio.app.proposing import Proposals
from segstudio.store.project import Project

pytestmark = pytest.mark.timeout(120)

CTRL = Qt.KeyboardModifier.ControlModifier


class Hand(Bench):
    """A bench whose writer can be held up in the middle of a change of many images."""

    def __init__(self, project: Path) -> None:
        super().__init__(project)
        self.wait(lambda: self.shown)
        self.fresh()
        self.restored: list[dict[str, Any]] = []
        self.session.snapshotRestored.connect(self.restored.append)

    @property
    def opened(self) -> OpenedProject:
        """What the session has open."""
        assert self.session._opened is not None  # what is looked at here has no name in the contract
        return self.session._opened

    def holds(self, patch: pytest.MonkeyPatch) -> threading.Event:
        """From now on a change of many images waits, in its transaction, for the event."""
        go, writer = threading.Event(), self.opened.project.writer
        assert writer is not None
        write_all = writer.write_all

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
        self.opened.proposals.worker.submit(lambda: go.wait(60))
        return go

    def keeps(self, name: str) -> int:
        """Keep a snapshot; its id."""
        self.session.keep_snapshot(name)
        self.wait(lambda: any(item.name == name for item in self.session.snapshots))
        return next(item.id for item in self.session.snapshots if item.name == name)

    def restores(self, id_: int) -> None:
        """Restore the project and wait for its end."""
        before = len(self.restored)
        self.session.restore_snapshot(id_)
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
        document = self.opened.project.document(shown)
        return document.raster.read(0, document.raster.bounds(0))[0] > 0

    def painted(self) -> NDArray[np.bool_]:
        """Where the image on screen is labelled, as the window has it."""
        return self.session.labels() > 0


@pytest.fixture
def me(qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.setattr(Proposals, "propose", lambda _: None)  # no engine is needed here
    bench = Hand(make_project(tmp_path / "project", 3))
    yield bench
    bench.close()


def test_a_stroke_painted_while_a_restore_with_classes_is_undone_stays_and_is_saved(
    me: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = me.keeps("before")
    me.drag((100, 100), (130, 130))
    me.session.add_class("dirt")
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
    assert me.session.classes.named("dirt") is not None
    assert np.array_equal(me.painted(), under_the_hand)
    assert np.array_equal(me.stored(), under_the_hand)
    me.key(Qt.Key.Key_Z, CTRL)
    me.key(Qt.Key.Key_Z, CTRL)
    me.settle()
    assert not me.painted().any()
    assert not me.stored().any()
    assert me.failures == []
