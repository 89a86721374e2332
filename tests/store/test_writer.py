import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segstudio.errors import DiskRefused, ReadOnly, UnreadableImage
from segstudio.geometry import Rect
from segstudio.labels.edit import Batch, Edit
from segstudio.labels.model import Cause, ImageId, Origin, Seq
from segstudio.store import project as project_module
from segstudio.store.database.connect import Access, connect
from segstudio.store.project import Project
from segstudio.store.writing import fitting, write_connection
from segstudio.store.writing import writer as writer_module
from segstudio.store.writing.waiting_edits import waiting_file
from segstudio.store.writing.writer import Writer
from tests.labels.filled_planes import filled
from tests.store.refusing_disk import RefusingConnection, refusing
from tests.store.store_painting import CELL, FIRST, SIZE, flushed, paint, painted, undo, whole


@pytest.fixture
def kind() -> type[RefusingConnection]:
    return refusing()


@pytest.fixture
def refused(make_project: Callable[..., Project], kind: type[RefusingConnection]) -> Iterator[Project]:
    """A project whose writer meets a disk that refuses while `kind.refuse` is set."""
    project = make_project()
    project.close()
    with Project.open(project.path, connection_type=kind) as opened:
        yield opened
        kind.refuse = None


def _writer(project: Project) -> Writer:
    assert project.writer is not None
    return project.writer


def test_a_refused_commit_loses_nothing_and_is_tried_again(refused: Project, kind: type[RefusingConnection]) -> None:
    document = refused.document(FIRST)
    writer = _writer(refused)
    said: list[str] = []
    recovered = threading.Event()
    saved: list[Seq] = []
    writer.on_refused = said.append
    writer.on_recovered = recovered.set
    writer.on_saved = saved.append
    kind.refuse = "database or disk is full"
    for i in range(3):
        paint(refused, document, Rect(50 * i, 0, 40, 40), CELL)
    assert not writer.flush(30)
    assert saved == []
    assert said == ["The disk that holds the project is full."]
    assert writer.state.refused == said[0]
    assert not writer.state.saved
    assert writer.pending == 3
    assert refused.image(FIRST).labelled_pixels == 0
    kind.refuse = None
    paint(refused, document, Rect(0, 100, 40, 40), CELL)
    assert writer.flush(30)
    assert recovered.wait(30)
    assert (saved, writer.state.refused, writer.state.saved) == ([1, 2, 3, 4], "", True)
    assert refused.image(FIRST).labelled_pixels == 4 * 1600


def test_the_writer_tries_again_by_itself(
    refused: Project, kind: type[RefusingConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_RETRY_S", 0.02)
    writer = _writer(refused)
    saved = threading.Event()
    writer.on_saved = lambda _: saved.set()
    kind.refuse = "disk I/O error"
    kind.code = sqlite3.SQLITE_IOERR
    paint(refused, refused.document(FIRST), Rect(0, 0, 40, 40), CELL)
    assert not writer.flush(30)
    assert writer.state.refused == "The disk that holds the project reports an error."
    kind.refuse = None
    assert saved.wait(30)


@pytest.mark.parametrize("nth", range(12))
def test_a_disk_that_is_full_at_the_nth_statement_leaves_all_or_nothing(
    refused: Project, kind: type[RefusingConnection], nth: int
) -> None:
    document = refused.document(FIRST)
    paint(refused, document, Rect(0, 0, 300, 100), CELL)
    flushed(refused)
    before = refused.labels_sha256(FIRST)
    kind.at, kind.after, kind.refuse = "", nth, "full"
    undo(refused, document, Seq(1))
    writer = _writer(refused)
    if not writer.flush(30):
        assert refused.labels_sha256(FIRST) == before
        assert refused.last_seq() == 1
    kind.refuse = None
    assert writer.flush(30)
    assert refused.last_seq() == 2
    assert refused.image(FIRST).labelled_pixels == 0


def test_opening_while_the_disk_still_refuses_reads_and_goes_on_waiting(
    refused: Project, kind: type[RefusingConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind.refuse = "full"
    paint(refused, refused.document(FIRST), Rect(0, 0, 60, 60), CELL)
    refused.close(wait_s=1)
    with monkeypatch.context() as patched:
        patched.setattr(project_module, "connect", lambda path, access: connect(path, access, kind))
        with pytest.raises(DiskRefused, match="full"):
            Project.open(refused.path)
        with Project.open(refused.path, read_only_ok=True) as reader:
            assert not reader.writable
            assert "full" in reader.why_read_only
    kind.refuse = None
    with Project.open(refused.path) as again:
        assert again.last_seq() == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a process's file size has no limit here")
def test_a_file_that_really_cannot_grow_refuses_and_goes_on_when_there_is_room(project: Project) -> None:
    import resource

    writer = _writer(project)
    document = project.document(FIRST)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = project.path / "project.db-wal"
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 100_000, hard))
        for i in range(60):
            paint(project, document, Rect(9 * i, 5 * i, 31, 17), CELL)
            written = writer.flush(30)
            if not written:
                break
        assert not written
        assert writer.state.refused.startswith("The disk that holds the project")
        assert project.last_seq() == project.image(FIRST).last_edit == i
        with pytest.raises(DiskRefused):
            project.set_setting("note", 1).result(30)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert writer.flush(30)
    assert np.array_equal(whole(project.document(FIRST))[0], whole(document)[0])


def test_edits_refused_at_close_are_kept_and_replayed_at_the_next_opening(
    refused: Project, kind: type[RefusingConnection], user_folders: Path
) -> None:
    document = refused.document(FIRST)
    paint(refused, document, Rect(0, 0, 60, 60), CELL)
    flushed(refused)
    kind.refuse = "full"
    paint(refused, document, Rect(100, 0, 60, 60), CELL)
    undo(refused, document, Seq(2))
    paint(refused, document, Rect(200, 200, 200, 100), CELL)
    expected = whole(document)
    refused.close(wait_s=1)
    kept = waiting_file(refused.uuid, refused.path)
    assert kept.is_file()
    assert user_folders in kept.parents
    with Project.open(refused.path, write=False) as reader:
        assert reader.last_seq() == 1
    with Project.open(refused.path) as again:
        assert again.notice.startswith("3 edits")
        assert not kept.exists()
        assert again.last_seq() == 4
        assert np.array_equal(whole(again.document(FIRST))[0], expected[0])
        assert again.history(FIRST).undoable == (1, 4)
    with Project.open(refused.path) as again:
        assert again.notice == ""


def test_edits_that_no_longer_fit_are_set_aside_and_not_lost(refused: Project, kind: type[RefusingConnection]) -> None:
    document = refused.document(FIRST)
    kind.refuse = "full"
    paint(refused, document, Rect(0, 0, 60, 60), CELL)
    refused.close(wait_s=1)
    kept = waiting_file(refused.uuid, refused.path)
    hidden = kept.rename(kept.with_suffix(".hidden"))
    with Project.open(refused.path) as other:
        paint(other, other.document(FIRST), Rect(0, 0, 9, 9), CELL)
    hidden.rename(kept)
    with Project.open(refused.path) as again:
        assert "no longer fit" in again.notice
        assert again.last_seq() == 1
    assert len(list(kept.parent.glob("*.conflict"))) == 1


def test_a_copy_of_a_project_gets_none_of_the_edits_that_wait_for_the_original(
    refused: Project, kind: type[RefusingConnection]
) -> None:
    kind.refuse = "full"
    paint(refused, refused.document(FIRST), Rect(0, 0, 60, 60), CELL)
    refused.close(wait_s=1)
    copied = shutil.copytree(refused.path, refused.path.with_name("copy.segstudio"))
    with Project.open(copied) as copy:
        assert copy.notice.startswith("1 edit that the disk refused is waiting for the copy of this project at ")
        assert copy.last_seq() == 0
    with Project.open(refused.path) as again:
        assert again.last_seq() == 1


def test_a_project_whose_folder_is_deleted_while_open_is_not_called_saved(project: Project) -> None:
    document = project.document(FIRST)
    paint(project, document, Rect(0, 0, 50, 50), CELL)
    flushed(project)
    shutil.rmtree(project.path)
    paint(project, document, Rect(100, 0, 50, 50), CELL)
    writer = _writer(project)
    assert not writer.flush(30)
    assert writer.state.refused == "The project's folder was moved or deleted while it was open."
    project.close(wait_s=1)
    assert waiting_file(project.uuid, project.path).is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="a folder with open files cannot be moved here")
def test_a_project_whose_folder_was_moved_away_is_saved_when_it_is_back(project: Project) -> None:
    document = project.document(FIRST)
    away = project.path.rename(project.path.with_name("away.segstudio"))
    paint(project, document, Rect(100, 0, 50, 50), CELL)
    writer = _writer(project)
    assert not writer.flush(30)
    away.rename(project.path)
    assert writer.flush(30)
    assert project.image(FIRST).labelled_pixels == 2500


def test_a_job_runs_after_the_edits_before_it_and_in_a_transaction_of_its_own(project: Project) -> None:
    writer = _writer(project)
    document = project.document(FIRST)
    paint(project, document, Rect(0, 0, 50, 50), CELL)
    seen = writer.call(lambda db: db.execute("SELECT max(seq) FROM edits").fetchone()[0])

    def fail(db: sqlite3.Connection) -> None:
        db.execute("UPDATE images SET problem = 'half'")
        raise LookupError("mine")

    failed = writer.call(fail)
    paint(project, document, Rect(0, 100, 50, 50), CELL)
    assert seen.result(30) == 1
    with pytest.raises(LookupError):
        failed.result(30)
    assert writer.flush(30)
    assert project.image(FIRST).problem == ""
    assert project.last_seq() == 2


def test_a_job_that_the_disk_refuses_says_so_and_later_ones_go_on(
    refused: Project, kind: type[RefusingConnection]
) -> None:
    kind.refuse = "full"
    with pytest.raises(DiskRefused, match="full"):
        refused.set_setting("a", 1).result(30)
    kind.refuse = None
    refused.set_setting("a", 2).result(30)
    assert refused.setting("a") == 2


def test_waiting_edits_are_committed_together(
    refused: Project, kind: type[RefusingConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = 0

    def counting(self: RefusingConnection, sql: str, *args: object) -> sqlite3.Cursor:
        nonlocal commits
        commits += sql == "COMMIT"
        return sqlite3.Connection.execute(self, sql, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(kind, "execute", counting)
    gate = threading.Event()
    writer = _writer(refused)
    writer.call(lambda _: gate.wait(30))
    document = refused.document(FIRST)
    for i in range(40):
        paint(refused, document, Rect(5 * i, 0, 5, 5), CELL)
    gate.set()
    assert writer.flush(30)
    assert commits == 2


def test_flush_gives_up_after_its_time(project: Project) -> None:
    gate = threading.Event()
    writer = _writer(project)
    writer.call(lambda _: gate.wait(30))
    assert not writer.flush(0.01)
    gate.set()
    assert writer.flush(30)


def test_the_log_is_folded_into_the_database_when_idle_and_at_close(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_IDLE_S", 0.01)
    database, log = project.path / "project.db", project.path / "project.db-wal"
    before = database.stat().st_mtime_ns
    size = database.stat().st_size
    paint(project, project.document(FIRST), Rect(0, 0, 50, 50), CELL)
    flushed(project)
    deadline = threading.Event()
    for _ in range(200):
        if (database.stat().st_mtime_ns, database.stat().st_size) != (before, size):
            break
        deadline.wait(0.02)
    assert (database.stat().st_mtime_ns, database.stat().st_size) != (before, size)
    project.close()
    assert not log.exists() or log.stat().st_size == 0


def test_a_closed_project_takes_no_edit(project: Project) -> None:
    document = project.document(FIRST)
    edit = painted(document, Rect(0, 0, 9, 9), 1, new_class=CELL)
    writer = _writer(project)
    project.close()
    with pytest.raises(ReadOnly):
        writer.submit(edit)
    with pytest.raises(ReadOnly):
        writer.call(lambda _: None)
    with pytest.raises(ReadOnly):
        project.set_setting("a", 1)


def test_a_long_log_is_folded_in_at_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_connection, "_LONG_LOG_BYTES", 30_000)
    document = project.document(FIRST)
    log = project.path / "project.db-wal"
    sizes: list[int] = []
    for i in range(30):
        paint(project, document, Rect(11 * i, 7 * i, 90, 60), CELL)
        flushed(project)
        sizes.append(log.stat().st_size)
    # Once folded in, the log is written from its beginning again and grows no more.
    assert sizes[-1] < 300_000
    assert sizes[-1] == sizes[-10]


def _square(project: Project, image: ImageId) -> Edit:
    classes = np.zeros((SIZE[1], SIZE[0]), np.int32)
    classes[:20, :20] = CELL
    edit = filled(project.document(image), 0, classes, project.classes(), Origin.IMPORTED)
    assert edit is not None
    return edit


def test_edits_written_together_are_numbered_one_by_one_after_what_waits(project: Project) -> None:
    writer = _writer(project)
    saved: list[Seq] = []
    writer.on_saved = saved.append
    document = project.document(FIRST)
    paint(project, document, Rect(30, 0, 4, 4), CELL)
    others = [row.id for row in project.images()][1:]
    assert writer.write_all(_square(project, image) for image in others).result(30) == 2
    paint(project, document, Rect(0, 30, 4, 4), CELL)
    assert writer.flush(30)
    assert saved == [1, 3, 4]
    assert project.last_seq() == 4


def test_a_batch_marks_its_edits_and_has_a_row_of_its_own(project: Project) -> None:
    writer = _writer(project)
    batch = Batch(Cause.IMPORT, author="ann")
    images = [row.id for row in project.images()]
    assert writer.write_all((_square(project, image) for image in images), batch).result(30) == len(images)
    document = project.document(FIRST)
    for seq in range(1, len(images) + 1):
        assert project.load_edit(Seq(seq), document.raster.tile).batch == batch.id
    with closing(connect(project.path / "project.db", Access.READ)) as db:
        assert db.execute("SELECT id, cause, author FROM batches").fetchall() == [(batch.id, "import", "ann")]


def test_a_batch_of_no_edits_leaves_nothing_behind(project: Project) -> None:
    assert _writer(project).write_all(iter(()), Batch(Cause.IMPORT)).result(30) == 0
    with closing(connect(project.path / "project.db", Access.READ)) as db:
        assert db.execute("SELECT count(*) FROM batches").fetchone() == (0,)


def test_of_edits_written_together_none_stays_where_one_fails(project: Project) -> None:
    writer = _writer(project)

    def half() -> Iterator[Edit]:
        yield _square(project, FIRST)
        with pytest.raises(ReadOnly, match="large change"):
            paint(project, project.document(FIRST), Rect(0, 0, 4, 4), CELL)
        raise UnreadableImage("The second mask cannot be read.")

    with pytest.raises(UnreadableImage, match="second mask"):
        writer.write_all(half()).result(30)
    assert project.last_seq() == 0
    assert not project.document(FIRST).objects
    assert writer.state.saved
    paint(project, project.document(FIRST), Rect(0, 0, 4, 4), CELL)
    assert writer.flush(30)
    assert project.last_seq() == 1


def test_a_try_under_way_when_the_disk_comes_back_is_not_the_answer_to_a_flush(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, tried, go = _writer(project), threading.Event(), threading.Event()
    write, full = fitting.write_edit, True

    def slowly_refused(*arguments: Any) -> Any:
        if full:
            tried.set()
            assert go.wait(30)
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL  # type: ignore[misc]
            raise error
        return write(*arguments)

    monkeypatch.setattr(fitting, "write_edit", slowly_refused)
    paint(project, project.document(FIRST), Rect(0, 0, 9, 9), CELL)
    assert tried.wait(30)
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(writer.flush(30)))
    asking.start()
    time.sleep(0.1)  # the flush waits for the try by now
    full = False
    go.set()
    asking.join(30)
    assert answers == [True]
    assert project.last_seq() == 1
