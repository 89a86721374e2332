"""A copy of a project heals what a repair could not save: a loss is nobody's erasing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from segstudio.geometry import Rect
from segstudio.labels.model import ImageId
from segstudio.store.project import Project
from segstudio.tasks.keeping.backup import backup
from segstudio.tasks.keeping.merge import merge
from segstudio.tasks.keeping.repair import repair
from segstudio.tasks.progress import finished
from tests.store.store_painting import CELL, CLASSES, FIRST, VESSEL, commit, flushed, new_images, paint, painted

SECOND = ImageId(2)


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    """The backup of a project whose first tile then broke, in its row and in the journal; `p` is that project."""
    with Project.create(tmp_path / "p.segstudio", new_images(tmp_path, 2), CLASSES) as project:
        first, second = project.document(FIRST), project.document(SECOND)
        paint(project, first, Rect(0, 0, 200, 200), VESSEL)
        paint(project, first, Rect(200, 100, 120, 100), CELL)
        paint(project, second, Rect(0, 0, 40, 40), CELL)
        flushed(project)
        finished(backup(project, tmp_path / "backup.segstudio"))
        paint(project, first, Rect(300, 300, 20, 20), VESSEL)
        commit(project, second, painted(second, Rect(0, 0, 40, 10), 0))
        flushed(project)
    with closing(sqlite3.connect(tmp_path / "p.segstudio" / "project.db")) as db, db:
        for table in ("tiles", "deltas"):
            where = "image = 1" if table == "tiles" else "seq < 3"
            db.execute(f"UPDATE {table} SET data = zeroblob(length(data)) WHERE {where} AND ty = 0 AND tx = 0")
    return tmp_path / "backup.segstudio"


@pytest.mark.parametrize("backup_first", [False, True])
def test_what_a_repair_lost_comes_back_from_a_backup(healthy: Path, tmp_path: Path, backup_first: bool) -> None:
    report = finished(repair(tmp_path / "p.segstudio", tmp_path / "repaired.segstudio"))
    assert [(tile.path, tile.ty, tile.tx) for tile in report.lost_tiles] == [("field/0.png", 0, 0)]
    sides = [tmp_path / "repaired.segstudio", healthy]
    found = finished(merge(*(reversed(sides) if backup_first else sides), tmp_path / "c.segstudio"))
    assert found.conflicts == ()
    assert "repaired" in found.notes[0]
    with Project.open(tmp_path / "c.segstudio", write=False) as c:
        document = c.document(FIRST)
        assert (document.class_ids(0, Rect(0, 0, 200, 200)) == VESSEL).all()
        assert (document.class_ids(0, Rect(200, 100, 120, 100)) == CELL).all()
        assert (document.class_ids(0, Rect(300, 300, 20, 20)) == VESSEL).all()
        assert list(document.objects.values()).count(CELL) == 1
        # The other image lost nothing: there the side that changed alone wins as ever.
        assert c.image(SECOND).labelled_pixels == 40 * 30


def test_a_copy_of_a_repaired_project_is_compared_with_their_common_past(healthy: Path, tmp_path: Path) -> None:
    report = finished(repair(tmp_path / "p.segstudio", tmp_path / "repaired.segstudio"))
    with Project.open(report.out) as project:
        finished(backup(project, tmp_path / "copy.segstudio"))
        document = project.document(FIRST)
        commit(project, document, painted(document, Rect(300, 300, 20, 20), 0))
        flushed(project)
    found = finished(merge(tmp_path / "copy.segstudio", report.out, tmp_path / "c.segstudio"))
    assert found.notes == ()
    with Project.open(tmp_path / "c.segstudio", write=False) as c:
        assert not c.document(FIRST).class_ids(0, Rect(300, 300, 20, 20)).any()
