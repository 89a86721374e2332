"""Forgetting how labels were painted: what stays, what goes, what a crash or a full disk leaves."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import namedtuple
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segstudio.errors import DiskRefused, ProjectLocked, ReadOnly, UserError
from segstudio.geometry import Rect
from segstudio.labels.edit import Batch, Edit
from segstudio.labels.model import Cause, ImageId, Seq
from segstudio.store.history import compact as compact_module
from segstudio.store.history import daily
from segstudio.store.project import Project
from segstudio.store.snapshots import keep, listed
from segstudio.tasks.keeping.compact import CompactReport, compact, planned
from segstudio.tasks.keeping.snapshots import restore
from tests.store.store_painting import CELL, FIRST, VESSEL, commit, flushed, paint, painted, redo, undo


def run(project: Project, before: int) -> CompactReport:
    task = compact(project, planned(project, before=Seq(before)))
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value


def restored(project: Project, seq: int) -> None:
    for _ in restore(project, Seq(seq)):
        pass


def deltas(project: Project) -> list[tuple[int, int]]:
    with project.reading() as db:
        return db.execute("SELECT seq, count(*) FROM deltas GROUP BY seq ORDER BY seq").fetchall()


def scribble(project: Project, count: int, image: ImageId = FIRST) -> None:
    document = project.document(image)
    for n in range(count):
        paint(project, document, Rect(n * 3, n * 2, 200, 100), CELL if n % 2 else VESSEL)
    flushed(project)


def test_the_labels_the_rows_and_who_did_what_stay(project: Project) -> None:
    scribble(project, 6)
    before = project.labels_sha256(FIRST)
    with project.reading() as db:
        edits = db.execute("SELECT * FROM edits ORDER BY seq").fetchall()
    report = run(project, 5)
    assert (report.plan.floor, report.plan.edits) == (4, 4)
    assert [seq for seq, _ in deltas(project)] == [5, 6]
    with project.reading() as db:
        assert db.execute("SELECT * FROM edits ORDER BY seq").fetchall() == edits
    assert project.labels_sha256(FIRST) == before


def test_undo_stops_at_the_floor_and_still_after_a_restart(project: Project) -> None:
    scribble(project, 4)
    run(project, 4)
    for _ in range(2):
        history = project.history(FIRST)
        assert (history.undoable, history.redoable, history.floor) == ((4,), (), 3)
        project.close()
        project = Project.open(project.path)
    undo(project, project.document(FIRST), Seq(4))
    flushed(project)
    assert project.history(FIRST).undoable == ()
    project.close()


def test_an_edit_before_the_floor_that_is_made_again_is_no_more_undone_than_after_a_restart(project: Project) -> None:
    scribble(project, 2)
    document = project.document(FIRST)
    taken_back = undo(project, document, Seq(2))
    flushed(project)
    run(project, 3)
    history = project.history(FIRST)
    assert (history.undoable, history.redoable) == ((), (taken_back,))
    edit = project.load_edit(taken_back, document.raster.tile).inverted(taken_back, Cause.REDO)
    history.record(commit(project, document, edit), edit)
    flushed(project)
    assert history.undoable == project.history(FIRST).undoable == ()


def test_an_image_without_an_edit_below_the_floor_is_not_cut_off(project: Project) -> None:
    scribble(project, 3)
    scribble(project, 1, ImageId(2))
    run(project, 4)
    assert project.history(ImageId(2)).floor == 0
    assert project.history(ImageId(2)).undoable == (4,)


def test_named_snapshots_stay_restorable_with_one_delta_a_tile_between_them(project: Project) -> None:
    recorded: dict[int, str] = {}
    for name in ("a", "b", "c"):
        scribble(project, 4)
        recorded[keep(project, name).result(30).seq] = project.labels_sha256(FIRST)
    scribble(project, 2)
    now = project.labels_sha256(FIRST)
    run(project, 14)
    assert deltas(project) == [(8, 1), (12, 1), (13, 1), (14, 1)]
    for seq, sha in recorded.items():
        restored(project, seq)
        assert project.labels_sha256(FIRST) == sha
    restored(project, 14)
    assert project.labels_sha256(FIRST) == now
    with pytest.raises(UserError, match="no longer kept"):
        restored(project, 6)


def test_compacting_again_joins_what_a_deleted_snapshot_kept_apart(project: Project) -> None:
    from segstudio.store.snapshots import delete

    shas: dict[str, tuple[int, str]] = {}
    for name in ("a", "b"):
        scribble(project, 4)
        shas[name] = keep(project, name).result(30).seq, project.labels_sha256(FIRST)
    scribble(project, 4)
    run(project, 12)
    assert [seq for seq, _ in deltas(project)] == [8, 11, 12]
    delete(project, next(s.id for s in listed(project) if s.name == "b")).result(30)
    run(project, 12)
    assert [seq for seq, _ in deltas(project)] == [11, 12]
    restored(project, shas["a"][0])
    assert project.labels_sha256(FIRST) == shas["a"][1]
    with pytest.raises(UserError, match="no longer kept"):
        restored(project, shas["b"][0])


def test_what_was_taken_back_after_the_floor_can_be_made_again(project: Project) -> None:
    document = project.document(FIRST)
    first = paint(project, document, Rect(0, 0, 200, 100), CELL)
    second = paint(project, document, Rect(10, 10, 200, 100), VESSEL)
    made = keep(project, "a").result(30)
    sha = project.labels_sha256(FIRST)
    undo(project, document, second)
    undone = undo(project, document, first)
    flushed(project)
    run(project, 3)
    assert project.history(FIRST).redoable == (3, 4)
    document = project.document(FIRST)
    redo(project, document, undone)
    redo(project, document, Seq(3))
    flushed(project)
    assert project.labels_sha256(FIRST) == sha
    commit(project, document, painted(document, Rect(0, 0, 50, 50), 0))
    flushed(project)
    restored(project, made.seq)
    assert project.labels_sha256(FIRST) == sha


def test_the_floor_does_not_divide_a_batch(project: Project) -> None:
    def square(image: ImageId) -> Edit:
        document = project.document(image)
        return painted(document, Rect(0, 0, 50, 50), document.next_object, new_class=CELL)

    scribble(project, 2)
    assert project.writer is not None
    images = [row.id for row in project.images()]
    project.writer.write_all([square(image) for image in images], Batch(Cause.IMPORT)).result(30)
    assert planned(project, before=Seq(5)).floor == 2
    assert planned(project, before=Seq(6)).floor == 5


def test_a_day_is_local_and_a_clock_that_went_backwards_makes_the_floor_lower(project: Project) -> None:
    document = project.document(FIRST)
    for n, time in enumerate(("2026-03-02T12:00:00.000Z", "2026-03-09T12:00:00.000Z", "2026-03-03T12:00:00.000Z")):
        edit = painted(document, Rect(n * 20, 0, 10, 10), document.next_object, new_class=CELL)
        commit(project, document, Edit(edit.image, edit.cause, edit.tiles, edit.rows, time=time))
    flushed(project)
    assert planned(project, day=date(2026, 3, 1)).floor == 0
    assert planned(project, day=date(2026, 3, 5)).floor == 1
    assert planned(project, day=date(2026, 3, 11)).floor == 3
    assert planned(project, keep_days=0).floor == 3


def test_daily_snapshots_below_the_floor_go_and_are_named_before(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        monkeypatch.setattr(daily, "_today", lambda n=n: date(2026, 3, 2 + n))
        scribble(project, 2)
    keep(project, "mine").result(30)
    plan = planned(project, before=Seq(5))
    assert (plan.daily, plan.named) == (("before 2026-03-03",), ())
    run(project, 5)
    assert [s.name for s in listed(project)] == ["mine", "before 2026-03-04"]
    assert all(s.kept for s in listed(project))


def test_the_file_is_smaller_afterwards_and_the_report_says_by_how_much(make_project: Callable[..., Project]) -> None:
    project = make_project()
    document = project.document(FIRST)
    rng = np.random.default_rng(1)
    paint(project, document, Rect(0, 0, 600, 400), CELL)
    for _ in range(12):
        x, y = (int(v) for v in rng.integers(0, 300, 2))
        paint(project, document, Rect(x, y, 280, 190), VESSEL)
    flushed(project)
    report = run(project, 13)
    assert report.bytes_before > report.bytes_after
    assert report.bytes_after == (project.path / "project.db").stat().st_size
    assert project.writer is not None
    assert project.writer.flush(5)
    paint(project, project.document(FIRST), Rect(0, 0, 20, 20), CELL)
    flushed(project)
    again = run(project, 13)
    assert again.plan.empty
    assert again.bytes_after == again.bytes_before


def test_a_plan_changes_nothing(project: Project) -> None:
    scribble(project, 4)
    before = deltas(project)
    plan = planned(project, before=Seq(4))
    assert (plan.edits, plan.deltas) == (3, 3)
    assert plan.size > 0
    assert deltas(project) == before
    assert project.history(FIRST).undoable == (1, 2, 3, 4)


def test_only_the_one_who_writes_may(project: Project) -> None:
    scribble(project, 2)
    with Project.open(project.path, write=False) as reader, pytest.raises(ReadOnly):
        run(reader, 2)
    with pytest.raises(ProjectLocked):
        Project.open(project.path)


def test_without_room_nothing_is_dropped(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    scribble(project, 3)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 1000))
    with pytest.raises(DiskRefused, match="needs"):
        run(project, 3)
    assert len(deltas(project)) == 3


def test_a_fault_in_the_middle_drops_nothing_and_the_project_goes_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    scribble(project, 3)
    scribble(project, 3, ImageId(2))

    def full(db: object, plan: object, ticker: object) -> None:
        whole(db, plan, ticker)  # type: ignore[arg-type]
        raise OSError(28, "No space left on device")

    whole = compact_module.compact_journal
    monkeypatch.setattr(compact_module, "compact_journal", full)
    with pytest.raises(DiskRefused):
        run(project, 6)
    assert len(deltas(project)) == 6
    assert project.history(FIRST).undoable == (1, 2, 3)
    scribble(project, 1)


_DIES = """
import os, sys
from pathlib import Path
from typing import Any
from segstudio.labels.model import Seq
from segstudio.store.history import compact as module
from segstudio.store.project import Project
from segstudio.tasks.keeping import compact as tasks

def dies(*arguments):
    os.kill(os.getpid(), 9)

if sys.argv[2] == "during":
    real = module._joined
    module._joined = lambda *a: (real(*a), dies())
else:
    module.vacuum = dies
project = Project.open(Path(sys.argv[1]))
for _ in tasks.compact(project, tasks.planned(project, before=Seq(6))):
    pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no signal kills there")
@pytest.mark.parametrize("when", ["during", "before VACUUM"])
def test_killed_at_any_time_it_loses_nothing(project: Project, when: str) -> None:
    scribble(project, 3)
    made = keep(project, "a").result(30)
    sha = project.labels_sha256(FIRST)
    scribble(project, 3)
    now = project.labels_sha256(FIRST)
    project.close()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run([sys.executable, "-c", _DIES, str(project.path), when], env=environment, timeout=60)
    assert done.returncode == -9
    with Project.open(project.path) as again:
        assert again.labels_sha256(FIRST) == now
        assert len(deltas(again)) == (6 if when == "during" else 2)
        restored(again, made.seq)
        assert again.labels_sha256(FIRST) == sha


def test_an_edit_whose_deltas_were_joined_is_not_taken_back_by_any_way(project: Project) -> None:
    scribble(project, 1)
    keep(project, "a").result(30)
    scribble(project, 3)
    keep(project, "b").result(30)
    run(project, 5)
    before = project.labels_sha256(FIRST)
    with pytest.raises(UserError, match="Edit 4 can no longer be undone"):
        project.take_back(Seq(4), "ann").result(30)
    with pytest.raises(UserError, match="Edit 4 can no longer be undone"):
        project.load_edit(Seq(4), project.document(FIRST).raster.tile)
    assert (project.labels_sha256(FIRST), project.last_seq()) == (before, 4)


def test_an_undo_whose_target_lost_its_deltas_is_neither_offered_nor_made_again(project: Project) -> None:
    document = project.document(FIRST)
    second = [paint(project, document, Rect(n * 50, 0, 40, 40), CELL) for n in range(2)][1]
    undone = undo(project, document, second)
    flushed(project)
    assert project.writer is not None

    def lose(db: sqlite3.Connection) -> None:
        # As a repair leaves a project whose journal is not whole, with an undo that waited.
        db.execute("DELETE FROM deltas")
        db.execute("INSERT INTO settings VALUES ('undo_floor', '2'), ('compacted_points', '[2]')")

    project.writer.call(lose).result(30)
    history = project.history(FIRST)
    assert (history.undoable, history.redoable, history.floor) == ((), (), 2)
    for redone in (
        lambda: project.take_back(undone, "ann").result(30),
        lambda: project.load_edit(undone, document.raster.tile),
    ):
        with pytest.raises(UserError, match="Edit 2 can no longer be"):
            redone()
    assert project.last_seq() == 3


def test_closed_after_the_last_image_but_before_the_commit_it_changes_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    scribble(project, 3)
    reached, go_on = threading.Event(), threading.Event()
    real = compact_module._compact_image

    def slow(*arguments: Any) -> None:
        real(*arguments)
        reached.set()
        assert go_on.wait(30)

    monkeypatch.setattr(compact_module, "_compact_image", slow)
    task = compact(project, planned(project, before=Seq(3)))
    next(task)
    assert reached.wait(30)
    task.close()
    go_on.set()
    flushed(project)
    assert len(deltas(project)) == 3
    assert project.history(FIRST).undoable == (1, 2, 3)
