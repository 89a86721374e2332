"""Edits that the journal refuses after they were made in memory: taken out there too, and said."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.labels.edit import Edit
from segstudio.labels.model import Seq
from segstudio.store.project import Project
from segstudio.store.writing.write_queue import SetAside
from tests.app.test_documents import Bench


class Refusing:
    """Numbers edits and writes none of them, as a journal does that sets them aside."""

    def __init__(self, bench: Bench, patch: pytest.MonkeyPatch) -> None:
        assert bench.project.writer is not None
        self._writer = bench.project.writer
        self.edits: list[tuple[Seq, Edit]] = []
        patch.setattr(self._writer, "submit", self._submit)

    def _submit(self, edit: Edit) -> Seq:
        seq = Seq(self._writer._next)
        self._writer._next += 1
        self.edits.append((seq, edit))
        return seq

    def tells(self) -> None:
        self._writer.on_set_aside(SetAside(tuple(self.edits), "An edit was taken back.", "Traceback ...", None))


@pytest.fixture
def bench(qtbot: Any, opened: Callable[[], Project]) -> Any:
    made = Bench(opened())
    yield made
    made.close()


def test_a_refused_edit_leaves_memory_and_history_and_is_told_of_once(
    qtbot: Any, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[SetAside] = []
    bench.documents.setAside.connect(told.append)
    bench.stroke(20, 20)
    qtbot.waitUntil(lambda: bench.seqs == [1])
    before = bench.ids()
    with monkeypatch.context() as broken:
        journal = Refusing(bench, broken)
        bench.stroke(50, 50)
        assert not np.array_equal(bench.ids(), before)
        assert not bench.documents.save_state().saved
        journal.tells()
        qtbot.waitUntil(lambda: bool(told))
    assert np.array_equal(bench.ids(), before)
    assert bench.documents.save_state().saved
    assert bench.documents.current is not None
    assert bench.documents.current.history.undoable == (1,)
    assert bench.documents._door.recent.get(Seq(2)) is None
    bench.stroke(70, 40)
    qtbot.waitUntil(lambda: len(bench.seqs) == 2)
    assert bench.seqs == [1, 3]
    stored = bench.project.document(bench.documents.current.document.image)
    assert np.array_equal(stored.raster.read(0, stored.raster.bounds(0))[0], bench.ids())


def test_what_waits_beside_a_refused_edit_stays_in_memory(
    qtbot: Any, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[SetAside] = []
    bench.documents.setAside.connect(told.append)
    with monkeypatch.context() as broken:
        journal = Refusing(bench, broken)
        bench.stroke(50, 50)
        waiting = [(Seq(2), journal.edits[0][1])]
        broken.setattr(bench.project.writer, "pending_edits", lambda: waiting)
        journal.edits[0] = (Seq(1), journal.edits[0][1])
        painted = bench.ids()
        journal.tells()
        qtbot.waitUntil(lambda: bool(told))
        assert np.array_equal(bench.ids(), painted)


def test_a_stroke_under_way_on_the_image_is_taken_back(
    qtbot: Any, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        journal = Refusing(bench, broken)
        bench.stroke(20, 20)
        bench.documents.pointer(Pointer(Phase.PRESS, 50, 50, Button.LEFT))
        assert bench.documents.gesture_active
        journal.tells()
        qtbot.waitUntil(lambda: not bench.documents.gesture_active)
    assert not bench.ids().any()
