"""What `doctor PROJECT` finds in a project: damage, missing and changed images."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from segstudio.labels.tiles.codec import encode_tile
from segstudio.labels.tiles.tile import EMPTY, Tile, digest
from segstudio.store import check, filesystems
from segstudio.store.project import NewClass, NewImage, Project
from segstudio.store.values import NewPlane
from segstudio.tasks.keeping.project_health import examine_project, is_project


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.png").write_bytes(b"x" * 10)
    images = [
        NewImage(name, tmp_path, 10, 1, name, (NewPlane("0", 40, 30),), 1, "uint8", "png")
        for name in ("a.png", "b.png")
    ]
    Project.create(tmp_path / "leaves.segstudio", images, [NewClass("leaf")]).close()
    return tmp_path / "leaves.segstudio"


def test_a_missing_image_is_a_problem_and_no_damage(path: Path) -> None:
    found = examine_project(path)
    assert found.damage == []
    assert found.problems == [
        "1 image is not where the project expects it ('b.png'); 'segstudio relink' looks in another folder."
    ]
    assert found.as_json()["ok"] is True


def test_another_content_in_the_place_of_a_labelled_image_is_found_before_anybody_opened_it(path: Path) -> None:
    with closing(sqlite3.connect(path / "project.db")) as db, db:
        db.execute("UPDATE images SET last_edit = 1 WHERE path = 'a.png'")
    (path.parent / "a.png").write_bytes(b"y" * 11)
    found = examine_project(path)
    assert found.changed == 1
    assert "The content of 1 image has changed since it was labelled ('a.png')." in found.problems


def test_a_damaged_page_and_a_missing_database_are_damage(path: Path) -> None:
    with closing(sqlite3.connect(path / "project.db")) as db:
        root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'objects_class'").fetchone()[0]
    with open(path / "project.db", "rb+") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\x5a" * 4096)
    assert "segstudio repair" in examine_project(path).damage[0]
    (path / "project.db").unlink()
    assert is_project(path)
    assert "segstudio repair" in examine_project(path).damage[0]


def test_on_a_network_drive_nothing_holds_up_who_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystems, "file_system", lambda _: "nfs4")
    monkeypatch.setattr(check, "_TILES", 1)
    real = check.digest
    with Project.open(path) as writer:
        for n in range(3):
            _put_tile(writer, n)

        def beside(tile: Tile) -> bytes:
            writer.set_setting("n", 1).result(10)
            return real(tile)

        monkeypatch.setattr(check, "digest", beside)
        found = examine_project(path)
        assert (found.tiles, found.damage) == (3, [])
        assert "not fully checked" in found.problems[-1]
    assert not any("not fully checked" in problem for problem in examine_project(path).problems)


def _put_tile(project: Project, tx: int) -> None:
    statement = "INSERT INTO tiles (image, plane, ty, tx, digest, data) VALUES (1, 0, 0, ?, ?, ?)"
    assert project.writer is not None
    values = (tx, digest(EMPTY), encode_tile(EMPTY))
    project.writer.call(lambda db: db.execute(statement, values).rowcount).result(10)
