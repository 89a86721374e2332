"""Repair of projects that were compacted: what compacting dropped is no damage."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from segstudio.geometry import Rect
from segstudio.labels.model import ImageId, Seq
from segstudio.store import snapshots
from segstudio.store.project import Project
from segstudio.tasks.keeping.compact import compact, planned
from segstudio.tasks.keeping.repair import repair
from segstudio.tasks.keeping.snapshots import restore
from segstudio.tasks.progress import finished
from tests.store.store_painting import (
    CELL,
    CLASSES,
    FIRST,
    VESSEL,
    commit,
    flushed,
    new_images,
    paint,
    painted,
    redo,
    undo,
)

IMAGES = [ImageId(1), ImageId(2)]


@pytest.fixture
def compacted(tmp_path: Path) -> Path:
    """Compacted up to edit 5 with the snapshot 'early' at 2; edit 5 was taken back after that."""
    path = tmp_path / "field.segstudio"
    with Project.create(path, new_images(tmp_path, 2), CLASSES) as project:
        documents = [project.document(image) for image in IMAGES]
        paint(project, documents[0], Rect(0, 0, 30, 30), VESSEL)
        paint(project, documents[1], Rect(0, 0, 30, 30), VESSEL)
        flushed(project)
        snapshots.keep(project, "early").result()
        for n in (1, 2, 3):
            commit(project, documents[0], painted(documents[0], Rect(40 * n, 0, 30, 30), 1))
        undo(project, documents[0], Seq(5))
        paint(project, documents[1], Rect(300, 0, 30, 30), CELL)
        flushed(project)
        finished(compact(project, planned(project, before=Seq(6))))
    return path


def _states(path: Path) -> tuple[object, ...]:
    with Project.open(path, write=False) as project:
        histories = [(project.history(i).undoable, project.history(i).redoable) for i in IMAGES]
        kept = [(s.name, s.kept) for s in snapshots.listed(project)]
        return histories, kept, [project.labels_sha256(i) for i in IMAGES]


def test_a_compacted_project_keeps_its_undo_and_its_snapshots(compacted: Path) -> None:
    before = _states(compacted)
    report = finished(repair(compacted))
    assert report.whole, report
    assert _states(report.out) == before
    with Project.open(report.out) as project:
        redo(project, project.document(FIRST), Seq(6))
        flushed(project)
        assert project.image(FIRST).labelled_pixels == 3600
        finished(restore(project, snapshots.named(project, "early").seq))
        assert project.image(FIRST).labelled_pixels == 900
        assert project.image(IMAGES[1]).labelled_pixels == 900
    assert finished(repair(report.out)).whole


def test_a_broken_tile_of_a_compacted_project_is_rebuilt_or_listed_with_the_snapshots(compacted: Path) -> None:
    with closing(sqlite3.connect(compacted / "project.db")) as db, db:
        db.execute("UPDATE tiles SET data = x'01' WHERE image = 2 AND tx = 1")  # painted after the floor
    report = finished(repair(compacted))
    assert (report.rebuilt, report.whole) == (1, True)
    shutil.rmtree(report.out)
    with closing(sqlite3.connect(compacted / "project.db")) as db, db:
        db.execute("UPDATE tiles SET data = x'01' WHERE image = 2 AND tx = 0")  # painted before the first kept state
    report = finished(repair(compacted))
    assert [(t.path, t.tx) for t in report.lost_tiles] == [("field/1.png", 0)]
    assert not report.history
    assert report.lost_snapshots == ("early",)


def test_a_hole_above_the_floor_of_a_compacted_project_ends_its_history(compacted: Path) -> None:
    with closing(sqlite3.connect(compacted / "project.db")) as db, db:
        db.execute("DELETE FROM deltas WHERE seq = 7")
    assert not finished(repair(compacted)).history


def test_snapshots_can_be_kept_after_some_were_lost(compacted: Path) -> None:
    with closing(sqlite3.connect(compacted / "project.db")) as db, db:
        assert db.execute("SELECT 1 FROM settings WHERE key GLOB 'snapshot_author.*'").fetchone() is not None
        db.execute("DELETE FROM snapshots")
    report = finished(repair(compacted))
    with Project.open(report.out) as project:
        assert project.setting("snapshot_author.1") is None
        assert snapshots.keep(project, "again").result().name == "again"
