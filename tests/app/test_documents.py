"""The owner of the labels in memory, over a real project, without a window."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segstudio.app.editing.documents import Documents, OpenDocument
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.values import SaveState
from segstudio.errors import ReadOnly
from segstudio.labels.class_rows import new_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, LabelClass
from segstudio.store.project import Project
from tests.app.grounds import Heard, ground_of

FIRST = ImageId(1)


class Bench:
    """Documents of one project with the image on screen chosen."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.ground = ground_of(project)
        self.heard, self.main = Heard(self.ground), self.ground.main
        self.documents = Documents(self.ground)
        self.seqs: list[int] = []
        self.documents.editCommitted.connect(self.seqs.append)
        self.show(FIRST)

    def show(self, image: ImageId) -> None:
        opened = self.documents.held(image) or OpenDocument(self.project.document(image), self.project.history(image))
        self.documents.show(opened, 0)

    def stroke(self, x: float, y: float, button: Button = Button.LEFT, to: tuple[float, float] | None = None) -> None:
        self.documents.pointer(Pointer(Phase.PRESS, x, y, button))
        if to is not None:
            self.documents.pointer(Pointer(Phase.MOVE, *to, button))
        self.documents.pointer(Pointer(Phase.RELEASE, *(to or (x, y)), button))

    def ids(self) -> np.ndarray:
        assert self.documents.current is not None
        document = self.documents.current.document
        return document.raster.read(0, document.raster.bounds(0))[0]

    def close(self) -> None:
        self.documents.close()
        self.project.close()
        self.main.close()


@pytest.fixture
def bench(opened: Callable[[], Project]) -> Iterator[Bench]:
    bench = Bench(opened())
    yield bench
    bench.documents.close()


def test_each_stroke_undo_and_redo_is_one_committed_edit_and_numbers_rise_by_one(qtbot: Any, bench: Bench) -> None:
    bench.stroke(20, 20, to=(30, 25))
    painted = bench.ids()
    bench.documents.undo()
    assert not bench.ids().any()
    bench.documents.redo()
    assert np.array_equal(bench.ids(), painted)
    qtbot.waitUntil(lambda: len(bench.seqs) == 3)
    assert bench.seqs == [1, 2, 3]


def test_a_stroke_that_changes_nothing_is_no_edit(qtbot: Any, bench: Bench) -> None:
    bench.stroke(20, 20)
    bench.stroke(20, 20)
    bench.stroke(-500, -500)
    qtbot.waitUntil(lambda: bench.seqs == [1])
    bench.documents.undo()
    qtbot.waitUntil(lambda: bench.seqs == [1, 2])
    assert not bench.documents.can_undo


def test_escape_takes_an_unfinished_stroke_away_and_nothing_else(bench: Bench) -> None:
    bench.stroke(20, 20)
    before = bench.ids()
    bench.documents.pointer(Pointer(Phase.PRESS, 50, 50, Button.LEFT))
    bench.documents.pointer(Pointer(Phase.MOVE, 60, 50, Button.LEFT))
    assert not np.array_equal(bench.ids(), before)
    assert bench.documents.cancel_gesture()
    assert np.array_equal(bench.ids(), before)
    assert not bench.documents.cancel_gesture()


def test_undo_in_mid_stroke_aborts_the_stroke_alone(bench: Bench) -> None:
    bench.stroke(20, 20)
    before = bench.ids()
    bench.documents.pointer(Pointer(Phase.PRESS, 50, 50, Button.LEFT))
    bench.documents.undo()
    assert np.array_equal(bench.ids(), before)
    assert bench.documents.can_undo


def test_the_first_stroke_carries_the_status_and_its_undo_gives_it_back(qtbot: Any, bench: Bench) -> None:
    bench.stroke(20, 20)
    qtbot.waitUntil(lambda: len(bench.seqs) == 1)
    assert bench.project.image(FIRST).status == "in-progress"
    bench.documents.undo()
    qtbot.waitUntil(lambda: len(bench.seqs) == 2)
    assert bench.project.image(FIRST).status == "new"


def test_undo_and_redo_survive_a_restart(opened: Callable[[], Project]) -> None:
    first = Bench(opened())
    first.stroke(20, 20)
    one = first.ids()
    first.stroke(50, 50, Button.RIGHT)
    both = first.ids()
    first.documents.undo()
    first.close()
    second = Bench(opened())
    assert np.array_equal(second.ids(), one)
    second.documents.redo()
    assert np.array_equal(second.ids(), both)
    second.documents.undo()
    second.documents.undo()
    assert not second.ids().any()
    assert not second.documents.can_undo


def test_undo_belongs_to_the_image_on_screen(bench: Bench) -> None:
    bench.stroke(20, 20)
    bench.show(ImageId(2))
    assert not bench.documents.can_undo
    bench.documents.undo()
    bench.show(FIRST)
    assert bench.ids().any()


def test_the_right_button_paints_background_and_the_eraser_gives_unknown(bench: Bench) -> None:
    bench.stroke(20, 20)
    bench.stroke(60, 40, Button.RIGHT)
    document = bench.documents.current.document  # type: ignore[union-attr]
    classes = document.class_ids(0, document.raster.bounds(0))
    assert set(np.unique(classes)) == {0, bench.documents.classes.background.id, bench.documents.class_id}
    bench.documents.tools.choose("eraser")
    bench.stroke(20, 20)
    assert bench.ids()[20, 20] == 0
    assert bench.ids()[40, 60] != 0
    bench.stroke(20, 20, Button.RIGHT)
    assert document.objects[bench.ids()[20, 20]] == bench.documents.classes.background.id


class FullDisk(sqlite3.Connection):
    """A connection to a disk that is full while `full` is set."""

    full = False

    def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
        if FullDisk.full and sql.startswith("COMMIT"):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return super().execute(sql, *rest)


def test_a_full_disk_is_said_loses_nothing_and_is_over_when_there_is_room_again(qtbot: Any, project_path: Path) -> None:
    bench = Bench(Project.open(project_path, connection_type=FullDisk))
    try:
        sentences = bench.heard.failures
        FullDisk.full = True
        bench.stroke(20, 20)
        qtbot.waitUntil(lambda: bool(sentences))
        assert not bench.documents.save_state().saved
        assert bench.seqs == []
        painted = bench.ids()
        bench.documents.undo()
        bench.documents.redo()
        assert np.array_equal(bench.ids(), painted)
        FullDisk.full = False
        qtbot.waitUntil(lambda: bench.seqs == [1, 2, 3], timeout=10_000)
        assert bench.documents.save_state().saved
        assert bench.project.image(FIRST).labelled_pixels == int((painted > 0).sum())
    finally:
        FullDisk.full = False
        bench.close()


def test_saved_is_said_when_every_edit_is_though_a_job_still_waits(qtbot: Any, bench: Bench) -> None:
    released = threading.Event()
    writer = bench.project.writer
    assert writer is not None
    states: list[SaveState] = []
    bench.documents.saveStateChanged.connect(states.append)
    bench.stroke(20, 20)
    assert not states[-1].saved
    job = writer.call(lambda db: released.wait(10))
    qtbot.waitUntil(lambda: bench.seqs == [1])
    assert states[-1].saved
    released.set()
    job.result(10)


def test_a_read_only_project_refuses_edits_by_name(opened: Callable[[], Project], project_path: Path) -> None:
    opened()
    reader = Project.open(project_path, write=True, read_only_ok=True)
    try:
        bench = Bench(reader)
        bench.stroke(20, 20)
        assert not bench.ids().any()
        with pytest.raises(ReadOnly):
            bench.documents.commit(Edit(FIRST, Cause.STATUS))
    finally:
        reader.close()


def test_an_undo_that_takes_the_current_class_away_chooses_another(bench: Bench) -> None:
    row = new_class_row(LabelClass(ClassId(9), "late", "#123456", Kind.SEMANTIC, 9, 9))
    bench.documents.commit_classes(Edit(None, Cause.CLASSES, rows=(row,)))
    bench.documents.class_id = ClassId(9)
    bench.documents.undo()
    assert bench.documents.classes.effective(bench.documents.class_id) is not None
    bench.stroke(20, 20)
    assert bench.documents.current is not None
    assert bench.documents.current.document.objects[bench.ids()[20, 20]] == bench.documents.class_id
