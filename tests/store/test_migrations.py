"""Projects of released schemas open, migrate, undo and read as their own program left them."""

import json
import shutil
import sqlite3
import zipfile
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from segstudio.errors import DiskRefused, ProjectNewer
from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, ClassId, ImageId, Seq, Status
from segstudio.store import project as project_module
from segstudio.store.database.connect import Access, connect
from segstudio.store.database.migrations import MIGRATIONS, Migration, migrate
from segstudio.store.database.schema import READABLE_FROM, SCHEMA_VERSION
from segstudio.store.project import Project
from tests.store.store_painting import CELL, FIRST, commit, flushed, paint, undo

PROJECTS = Path(__file__).parent / "projects"
RELEASED = [int(path.stem.removeprefix("schema-")) for path in sorted(PROJECTS.glob("schema-*.zip"))]


_OBJECTS_OF_SCHEMA_1 = [1, 1, 1, 0]
"""Its own program counted none of them."""


def _unpacked(version: int, folder: Path) -> tuple[Path, dict[str, Any]]:
    path = folder / "released.segstudio"
    with zipfile.ZipFile(PROJECTS / f"schema-{version}.zip") as archive:
        archive.extractall(path)
    facts = json.loads((PROJECTS / f"schema-{version}.json").read_text(encoding="utf-8"))
    return path, {"objects": _OBJECTS_OF_SCHEMA_1, **facts}


@pytest.fixture(params=RELEASED)
def released(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    return _unpacked(request.param, tmp_path)


def _version(path: Path) -> int:
    db = connect(path / "project.db", Access.READ)
    try:
        return int(db.execute("PRAGMA user_version").fetchone()[0])
    finally:
        db.close()


def _facts(project: Project) -> dict[str, Any]:
    ids = [row.id for row in project.images()]
    return {
        "uuid": project.uuid,
        "last_edit": project.last_seq(),
        "labels_sha256": [project.labels_sha256(id_) for id_ in ids],
        "undoable": [list(project.history(id_).undoable) for id_ in ids],
        "redoable": [list(project.history(id_).redoable) for id_ in ids],
        "labelled_pixels": [row.labelled_pixels for row in project.images()],
        "objects": [row.objects for row in project.images()],
    }


def test_every_schema_before_this_one_has_its_project_here() -> None:
    assert list(range(1, SCHEMA_VERSION)) == [version for version in RELEASED if version < SCHEMA_VERSION]
    assert [step.version for step in MIGRATIONS] == list(range(2, SCHEMA_VERSION + 1))
    assert READABLE_FROM <= SCHEMA_VERSION


def test_a_released_project_is_read_as_it_is_and_not_migrated(released: tuple[Path, dict[str, Any]]) -> None:
    path, expected = released
    before = _version(path)
    with Project.open(path, write=False) as reader:
        assert _facts(reader) == expected
        assert reader.images()[0].changed == ""
        assert reader.versions()[0].name == "v1"
    assert _version(path) == before
    assert not (path / "backups").exists()


def test_a_released_project_is_migrated_by_its_writer_and_undoes_as_before(
    released: tuple[Path, dict[str, Any]],
) -> None:
    path, expected = released
    with Project.open(path) as project:
        assert "backups" in project.notice
        assert _facts(project) == expected
        assert [row.problem for row in project.images()][3] == "The file could not be read."
        document = project.document(FIRST)
        redo = project.history(FIRST).next_redo()
        assert redo is not None
        undo(project, document, redo)
        first = project.history(ImageId(3)).undoable[-1]
        undo(project, project.document(ImageId(3)), first)
        paint(project, document, Rect(0, 0, 9, 9), CELL)
        flushed(project)
        assert project.image(ImageId(3)).labelled_pixels == 900
    assert _version(path) == SCHEMA_VERSION
    with Project.open(path) as again:
        assert again.notice == ""
        assert again.last_seq() == expected["last_edit"] + 3


def test_nothing_is_locked_or_faint_in_a_released_project_and_both_can_be_set_and_undone(
    released: tuple[Path, dict[str, Any]],
) -> None:
    path, _ = released
    with Project.open(path, write=False) as reader:
        assert reader.document(FIRST).locked == set()
        assert not any(row.locked for row in reader.objects(FIRST))
        assert {c.opacity for c in reader.classes().all} == {1.0}
    with Project.open(path) as project:
        document = project.document(FIRST)
        row = RowChange(Table.OBJECTS, 1, {"locked": False}, {"locked": True})
        seq = commit(project, document, Edit(FIRST, Cause.OBJECTS, rows=(row,)))
        assert project.writer is not None
        fading = changed_class_row(project.classes()[ClassId(CELL)], opacity=0.5)
        project.writer.submit(Edit(None, Cause.CLASSES, rows=(fading,)))
        flushed(project)
        assert {row.id for row in project.objects(FIRST) if row.locked} == {1}
        assert project.classes()[ClassId(CELL)].opacity == 0.5
        undo(project, document, seq)
        flushed(project)
        assert project.document(FIRST).locked == set()
        edits = project.history(FIRST).undoable
        assert edits[0] < seq  # those of before the update are undone as before


def test_all_planes_of_a_released_image_that_is_done_are_done_until_that_is_undone(
    released: tuple[Path, dict[str, Any]],
) -> None:
    path, _ = released
    third = ImageId(3)
    with Project.open(path, write=False) as reader:
        assert list(reader.image(third).marks.done(2)) == [0, 1]
        assert list(reader.document(third).done_planes) == [0, 1]
        assert list(reader.image(FIRST).marks.done(2)) == []
    with Project.open(path) as project:
        document = project.document(third)
        assert list(document.done_planes) == [0, 1]
        done_by_the_old_program = project.history(third).undoable[-1]
        undo(project, document, done_by_the_old_program)
        assert list(document.done_planes) == []
        row = document.marks.change(third, document.marks.with_done([1], 2))
        assert row is not None
        seq = commit(project, document, Edit(third, Cause.DONE, rows=(row,)))
        flushed(project)
        assert list(project.image(third).marks.done(2)) == [1]
        assert project.image(third).status is Status.IN_PROGRESS
        undo(project, document, seq)
        flushed(project)
        assert list(project.image(third).marks.done(2)) == []


def test_the_copy_made_before_is_the_project_as_it_was(released: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    path, expected = released
    before = _version(path)
    Project.open(path).close()
    old = tmp_path / "old.segstudio"
    old.mkdir()
    shutil.copy(path / "backups" / f"before-schema-{SCHEMA_VERSION}.db", old / "project.db")
    assert _version(old) == before
    with Project.open(old, write=False) as reader:
        assert _facts(reader) == expected


def test_a_new_project_has_the_schema_of_a_migrated_one(
    released: tuple[Path, dict[str, Any]], project: Project
) -> None:
    path, _ = released
    Project.open(path).close()

    def schema(folder: Path) -> set[tuple[str, ...]]:
        db = connect(folder / "project.db", Access.READ)
        try:
            return set(db.execute("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'"))
        finally:
            db.close()

    assert schema(path) == schema(project.path)


def test_without_room_for_the_copy_nothing_is_touched(
    released: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, expected = released
    before = _version(path)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1000))
    with pytest.raises(DiskRefused, match=r"needs 17 MB, and .* has 0 MB free"):
        Project.open(path)
    assert _version(path) == before
    with Project.open(path, read_only_ok=True) as reader:
        assert "older version" in reader.why_read_only
        assert _facts(reader) == expected


def _broken(db: sqlite3.Connection) -> None:
    db.execute("UPDATE images SET problem = 'half'")
    raise sqlite3.OperationalError("no such thing")


def test_a_migration_that_fails_leaves_the_project_to_its_own_program(
    released: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, expected = released
    before = _version(path)
    steps = (*MIGRATIONS, Migration(SCHEMA_VERSION + 1, _broken))
    monkeypatch.setattr(project_module, "migrate", lambda *a, **k: migrate(*a, **k, migrations=steps))
    with pytest.raises(sqlite3.OperationalError):
        Project.open(path)
    assert _version(path) == before
    monkeypatch.undo()
    with Project.open(path) as project:
        assert _facts(project) == expected


def test_undo_does_not_cross_a_migration_that_changes_what_edits_change(
    released: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, expected = released
    steps = (*MIGRATIONS, Migration(SCHEMA_VERSION + 1, lambda db: None))
    with monkeypatch.context() as patched:
        patched.setattr(project_module, "migrate", lambda *a, **k: migrate(*a, **k, migrations=steps))
        patched.setattr("segstudio.store.database.schema.SCHEMA_VERSION", SCHEMA_VERSION + 1)
        with Project.open(path) as project:
            history = project.history(FIRST)
            assert (history.undoable, history.redoable) == ((), ())
            seq = paint(project, project.document(FIRST), Rect(0, 0, 9, 9), CELL)
            flushed(project)
            assert seq == Seq(expected["last_edit"] + 1)
            assert project.history(FIRST).undoable == (seq,)
    with pytest.raises(ProjectNewer):
        Project.open(path)


def test_a_full_disk_while_the_copy_is_made_leaves_no_half_of_it(released: tuple[Path, dict[str, Any]]) -> None:
    path, _ = released

    class Full(sqlite3.Connection):
        def execute(self, sql: str, *args: object) -> sqlite3.Cursor:  # type: ignore[override]
            if sql.startswith("VACUUM INTO"):
                Path(args[0][0]).write_bytes(b"half")  # type: ignore[index]
                error = sqlite3.OperationalError("full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL  # type: ignore[misc]
                raise error
            return super().execute(sql, *args)  # type: ignore[arg-type]

    db = connect(path / "project.db", Access.WRITE, Full)
    try:
        with pytest.raises(DiskRefused, match="full"):
            migrate(db, path, readable_from=1)
    finally:
        db.close()
    assert list((path / "backups").iterdir()) == []


def test_digests_and_counts_of_a_migrated_project_are_those_of_its_labels(
    released: tuple[Path, dict[str, Any]],
) -> None:
    path, expected = released

    def kept(project: Project) -> list[bytes | None]:
        with project.reading() as db:
            return [row[0] for row in db.execute("SELECT labels_sha256 FROM images ORDER BY position")]

    with Project.open(path) as project:
        assert _facts(project) == expected
        assert [project.image(row.id).objects for row in project.images()] == expected["objects"]
    with Project.open(path) as project:  # the close has filled in what the migration left open
        found = kept(project)
        assert [None if digest is None else digest.hex() for digest in found] == expected["labels_sha256"]
        assert list(project.labels_digests().values()) == expected["labels_sha256"]
        for row in project.images():
            with project.reading() as db:
                given = db.execute(
                    "SELECT class_id, count(*) FROM objects WHERE image = ? AND area > 0 GROUP BY class_id", (row.id,)
                ).fetchall()
                stored = "SELECT class_id, objects FROM object_counts WHERE image = ?"
                assert db.execute(stored, (row.id,)).fetchall() == given
