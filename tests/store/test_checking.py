"""Looking whether a project's file is whole: when it is due, what it finds, and that closing ends it."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from segstudio.errors import ProjectDamaged
from segstudio.geometry import Rect
from segstudio.labels.model import ImageId
from segstudio.store import filesystems
from segstudio.store.check import CHECKED, BackgroundCheck, BadTile, bad_tiles, begin_check, check_due, quick_check
from segstudio.store.database.connect import Access, connect
from segstudio.store.project import Project
from tests.store.damage import overwrite_page, root_page
from tests.store.store_painting import CELL, FIRST, flushed, paint

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("checked", "unclean", "due"),
    [
        ("2026-03-09T12:00:00.000Z", False, False),
        ("2026-03-09T12:00:00.000Z", True, True),
        ("2026-03-03T11:00:00.000Z", False, True),
        ("2026-03-11T12:00:00.000Z", False, True),  # the clock went backwards
        ("nonsense", False, True),
        (None, False, False),
        (None, True, True),
    ],
)
def test_a_check_is_due_after_an_unclean_end_and_weekly(checked: str | None, unclean: bool, due: bool) -> None:
    assert check_due(checked, unclean=unclean, now=NOW) is due


def _as_killed(path: Path) -> None:
    """What a writer that was killed leaves in the lock's file."""
    (path / "project.lock").write_text("a\nhere\n1\n")


def test_after_an_unclean_end_the_file_is_checked_and_the_day_is_kept(make_project: Callable[..., Project]) -> None:
    project = make_project()
    said: list[str] = []
    assert not project.ended_badly
    assert begin_check(project, said.append) is None
    project.close()
    _as_killed(project.path)
    with Project.open(project.path) as again:
        assert again.ended_badly
        check = begin_check(again, said.append)
        assert check is not None
        assert check.wait(30)
        flushed(again)
        assert again.setting(CHECKED) is not None
    assert said == []
    with Project.open(project.path) as clean:
        assert not clean.ended_badly


def test_damage_is_said_in_one_sentence_with_what_to_do(make_project: Callable[..., Project]) -> None:
    project = make_project()
    paint(project, project.document(FIRST), Rect(0, 0, 300, 300), CELL)
    project.close()
    overwrite_page(project.path / "project.db", root_page(project.path / "project.db", "objects_class"))
    _as_killed(project.path)
    said: list[str] = []
    with Project.open(project.path) as again:
        check = begin_check(again, said.append)
        assert check is not None
        assert check.wait(30)
        assert again.setting(CHECKED) is None
    assert len(said) == 1
    assert "damaged" in said[0]
    assert "segstudio repair field.segstudio" in said[0]


def test_a_check_ends_when_it_is_closed_and_says_nothing(project: Project) -> None:
    said: list[str] = []
    check = BackgroundCheck(project.path / "project.db", said.append)
    check.close()
    with closing(connect(project.path / "project.db", Access.READ)) as db:
        stop = threading.Event()
        stop.set()
        assert quick_check(db, stop) is None
        assert quick_check(db) == ""
    assert len(said) <= 1


def test_on_a_network_drive_nothing_is_checked_in_the_background(
    make_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project()
    project.close()
    _as_killed(project.path)
    monkeypatch.setattr(filesystems, "file_system", lambda _: "nfs4")
    with Project.open(project.path) as again:
        assert begin_check(again, lambda _: None) is None


def _flip_tile(path: Path) -> None:
    with closing(sqlite3.connect(path / "project.db")) as db, db:
        data = bytearray(db.execute("SELECT data FROM tiles ORDER BY id LIMIT 1").fetchone()[0])
        data[-5] ^= 1
        db.execute("UPDATE tiles SET data = ? WHERE id = (SELECT min(id) FROM tiles)", (bytes(data),))


def test_a_flipped_tile_is_met_on_every_way_of_reading_and_nothing_else_is_lost(
    make_project: Callable[..., Project],
) -> None:
    project = make_project()
    document, other = project.document(FIRST), project.document(ImageId(2))
    paint(project, document, Rect(3, 3, 100, 100), CELL)
    paint(project, other, Rect(3, 3, 100, 100), CELL)
    seq = paint(project, document, Rect(30, 30, 100, 100), CELL)
    project.close()
    _flip_tile(project.path)
    with Project.open(project.path) as again:
        for read in (
            lambda: again.tile(FIRST, (0, 0, 0)),
            lambda: again.tiles(FIRST, 0),
            lambda: again.frozen(FIRST),  # export, evaluate, engine
            lambda: again.load_edit(seq, again.document(FIRST).raster.tile),  # undo
        ):
            with pytest.raises(ProjectDamaged, match=r"The labels of 'field/0.png' are damaged on disk \(plane 0"):
                read()
        assert len(again.frozen(ImageId(2)).tiles) == 1
    with closing(connect(project.path / "project.db", Access.READ)) as db:
        assert [bad for bad in bad_tiles(db) if bad] == [BadTile(FIRST, 0, 0, 0)]
