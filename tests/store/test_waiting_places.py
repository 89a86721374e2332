"""Edits that wait belong to a place: copies share a uuid, a path has many spellings, projects are moved."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from segstudio.geometry import Rect
from segstudio.labels.model import Seq
from segstudio.store.database.connect import Access, connect
from segstudio.store.project import Project
from segstudio.store.writing import waiting_edits
from segstudio.tasks.keeping.compact import compact, planned
from segstudio.tasks.progress import finished
from tests.store.refusing_disk import RefusingConnection, refusing
from tests.store.store_painting import FIRST, VESSEL, commit, flushed, paint, painted, redo, undo

SAVED = "1 edit that the disk refused when the project was closed has now been saved."

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need a right here")


@pytest.fixture
def field(make_project: Callable[..., Project]) -> Path:
    """A project with one rectangle on its first image, closed."""
    project = make_project()
    paint(project, project.document(FIRST), Rect(0, 0, 50, 50), VESSEL)
    flushed(project)
    project.close()
    return project.path


def _folder() -> Path:
    return platformdirs.user_state_path("segstudio") / "waiting"


def _files(kind: str = "edits") -> list[Path]:
    return sorted(_folder().glob(f"*.{kind}"))


def _refused_at_close(path: Path, rect: Rect) -> None:
    kind: type[RefusingConnection] = refusing()
    project = Project.open(path, connection_type=kind)
    document = project.document(FIRST)
    kind.refuse = "full"
    paint(project, document, rect, VESSEL)
    project.close(wait_s=0.1)


def _labelled(path: Path) -> int:
    with Project.open(path, write=False) as project:
        return project.image(FIRST).labelled_pixels


def test_two_copies_that_close_on_one_full_disk_keep_their_edits_each_for_itself(field: Path) -> None:
    copy = Path(shutil.copytree(field, field.with_name("copy.segstudio")))
    _refused_at_close(field, Rect(100, 100, 10, 10))
    _refused_at_close(copy, Rect(200, 200, 20, 20))
    assert len(_files()) == 2
    with Project.open(field) as first:
        assert first.notice.startswith(SAVED)
        assert f"1 edit that the disk refused is waiting for the copy of this project at {copy}" in first.notice
    with Project.open(copy) as second:
        assert second.notice == SAVED
    assert (_labelled(field), _labelled(copy)) == (2600, 2900)
    assert not _files()
    assert not _files("conflict")


@pytest.mark.parametrize("closed_by", ["plain", "dots", "link"])
@pytest.mark.parametrize("opened_by", ["plain", "dots", "link"])
def test_edits_are_found_by_any_spelling_of_the_path(field: Path, closed_by: str, opened_by: str) -> None:
    (field.parent / "sub").mkdir()
    link = field.with_name("link.segstudio")
    os.symlink(field, link)
    paths = {"plain": field, "dots": field.parent / "sub" / ".." / field.name, "link": link}
    _refused_at_close(paths[closed_by], Rect(100, 100, 10, 10))
    assert waiting_edits.waiting_files_of(paths[opened_by]) == _files()
    with Project.open(paths[opened_by]) as again:
        assert again.notice == SAVED


def test_edits_go_along_with_a_project_that_was_moved(field: Path) -> None:
    _refused_at_close(field, Rect(100, 100, 10, 10))
    moved = field.rename(field.with_name("moved.segstudio"))
    with Project.open(moved) as again:
        assert again.notice == SAVED


def test_edits_go_along_with_a_moved_project_whose_place_another_one_has_taken(
    field: Path, make_project: Callable[..., Project]
) -> None:
    _refused_at_close(field, Rect(100, 100, 10, 10))
    moved = field.rename(field.with_name("moved.segstudio"))
    make_project().close()
    with Project.open(moved) as again:
        assert again.notice == SAVED


def test_files_under_the_name_of_before_are_still_replayed(field: Path) -> None:
    with Project.open(field, write=False) as project:
        uuid = project.uuid
    _refused_at_close(field, Rect(100, 100, 10, 10))
    (kept,) = _files()
    kept.rename(kept.with_name(f"{uuid}.edits"))
    with Project.open(field) as again:
        assert again.notice == SAVED
    assert not _files()


def test_edits_that_are_kept_twice_are_in_the_file_once(field: Path) -> None:
    kind: type[RefusingConnection] = refusing()
    project = Project.open(field, connection_type=kind)
    document = project.document(FIRST)
    kind.refuse = "full"
    paint(project, document, Rect(100, 100, 10, 10), VESSEL)
    project.secure(0.1)
    project.close(0.1)
    (kept,) = _files()
    assert len(waiting_edits.read_waiting(kept)) == 1


def test_what_stands_unreadable_in_the_place_of_the_file_costs_no_edit(field: Path) -> None:
    _refused_at_close(field, Rect(100, 100, 10, 10))
    (kept,) = _files()
    kept.write_bytes(b"")
    kind: type[RefusingConnection] = refusing()
    kept.rename(kept.with_suffix(".hidden"))
    project = Project.open(field, connection_type=kind)
    kept.with_suffix(".hidden").rename(kept)
    kind.refuse = "full"
    paint(project, project.document(FIRST), Rect(200, 200, 10, 10), VESSEL)
    project.close(wait_s=0.1)
    assert len(waiting_edits.read_waiting(kept)) == 1
    assert waiting_edits.set_aside_files_of(field) == _files("conflict") != []


def test_a_file_that_cannot_be_read_is_said_and_the_project_opens(field: Path) -> None:
    _refused_at_close(field, Rect(100, 100, 10, 10))
    (kept,) = _files()
    kept.unlink()
    kept.mkdir()
    with Project.open(field) as project:
        assert project.notice == (
            f"Edits that could not be saved earlier cannot be read (Is a directory); they are in {kept}."
        )
        assert project.writable
    with Project.open(field, write=False) as project:
        assert f"they are in {kept}" in project.notice


def test_a_fault_while_a_project_opens_leaves_it_unlocked(field: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(waiting_edits, "replay", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            Project.open(field)
    with Project.open(field) as project:
        assert project.writable


def test_who_only_reads_is_told_of_edits_that_wait_until_they_are_in_the_journal(field: Path) -> None:
    _refused_at_close(field, Rect(100, 100, 10, 10))
    (kept,) = _files()
    data = kept.read_bytes()
    with Project.open(field, write=False) as project:
        assert project.unsaved.edits == 1
        assert project.notice == project.unsaved.sentence
        assert project.notice.startswith("1 edit of the project 'field.segstudio' that the disk refused is waiting")
    Project.open(field).close()
    kept.write_bytes(data)
    with Project.open(field, write=False) as project:
        assert (project.unsaved.edits, project.notice) == (0, "")


def _waiting_undo(path: Path, seq: Seq) -> None:
    kind: type[RefusingConnection] = refusing()
    project = Project.open(path, connection_type=kind)
    kind.refuse = "full"
    undo(project, project.document(FIRST), seq)
    project.close(wait_s=0.1)


def test_an_undo_of_what_the_journal_no_longer_holds_is_set_aside(field: Path) -> None:
    _waiting_undo(field, Seq(1))
    db = connect(field / "project.db", Access.WRITE)
    db.execute("DELETE FROM deltas WHERE seq = 1")
    db.close()
    with Project.open(field) as again:
        assert "1 edit no longer fits this project" in again.notice
        assert again.image(FIRST).labelled_pixels == 2500
        assert again.history(FIRST).redoable == ()


def test_an_undo_of_what_was_compacted_meanwhile_is_set_aside(field: Path) -> None:
    with Project.open(field) as project:
        document = project.document(FIRST)
        commit(project, document, painted(document, Rect(100, 0, 50, 50), 1))
        flushed(project)
    _waiting_undo(field, Seq(2))
    (kept,) = _files()
    hidden = kept.rename(kept.with_suffix(".hidden"))
    with Project.open(field) as project:
        finished(compact(project, planned(project, before=Seq(3))))
    hidden.rename(kept)
    with Project.open(field) as again:
        assert "1 edit no longer fits this project" in again.notice
        assert again.image(FIRST).labelled_pixels == 5000


def test_a_redo_that_waits_is_done_where_the_journal_holds_it(field: Path) -> None:
    kind: type[RefusingConnection] = refusing()
    project = Project.open(field, connection_type=kind)
    document = project.document(FIRST)
    kind.refuse = "full"
    redo(project, document, undo(project, document, Seq(1)))
    project.close(wait_s=0.1)
    with Project.open(field) as again:
        assert again.notice.startswith("2 edits that the disk refused")
        assert again.image(FIRST).labelled_pixels == 2500
        undo(again, again.document(FIRST), Seq(1))
        flushed(again)
        assert again.image(FIRST).labelled_pixels == 0
