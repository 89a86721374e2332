"""A damaged project says so in the window's session, with what to do, and can be closed while it is checked."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent

from segstudio.app.session import Session
from segstudio.errors import UserError
from segstudio.store.database.lock import ProjectLock


@pytest.fixture
def session(qapp: object) -> Iterator[Session]:
    made = Session()
    made.kept_preferences.remembers = False
    yield made
    made.close()
    # Its project is deleted later; its parent must live until then.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _damage(path: Path, table: str = "objects_class") -> None:
    file = path / "project.db"
    with closing(sqlite3.connect(file)) as db:
        root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
    with open(file, "rb+") as raw:
        raw.seek((root - 1) * 4096)
        raw.write(b"\x5a" * 4096)
    (path / "project.lock").write_text("a\nhere\n1\n")


def test_a_damaged_project_is_said_to_be_damaged_with_what_to_do(
    qtbot: Any, session: Session, project_path: Path
) -> None:
    _damage(project_path)
    said: list[dict[str, str]] = []
    session.failed.connect(said.append)
    session.projects.open(project_path, first_image=None)
    qtbot.waitUntil(lambda: any(one["job"] == "check" for one in said), timeout=10_000)
    (sentence,) = [one["sentence"] for one in said if one["job"] == "check"]
    assert "segstudio repair small.segstudio" in sentence


def test_a_project_is_closed_while_it_is_being_checked(session: Session, project_path: Path) -> None:
    (project_path / "project.lock").write_text("a\nhere\n1\n")
    session.projects.open(project_path, first_image=None)
    session.close()


@pytest.mark.parametrize("table", ["files", "images"])
def test_a_project_that_cannot_be_opened_is_left_free_for_repair(
    session: Session, project_path: Path, table: str
) -> None:
    _damage(project_path, table)
    with pytest.raises(UserError, match="damaged"):
        session.projects.open(project_path)
    assert session.project is None
    lock = ProjectLock(project_path / "project.lock")
    lock.acquire("repair")
    lock.release()
    assert not [thread.name for thread in threading.enumerate() if thread.name == "segstudio-writer"]
