"""Network drives are written with a rollback journal, and a project that moves changes its mode; synced folders."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from segstudio.errors import ReadOnly
from segstudio.geometry import Rect
from segstudio.labels.model import Seq
from segstudio.store import filesystems
from segstudio.store.database.connect import Access, connect
from segstudio.store.filesystems import (
    JournalMode,
    file_system,
    is_network,
    journal_mode,
    of_mounts,
    synced_by,
)
from segstudio.store.project import Project
from tests.store.store_painting import CELL, FIRST, flushed, paint, undo, whole

MOUNTS = [
    ("/", "ext4"),
    ("/srv/team share", "cifs"),
    ("/mnt/nas", "nfs4"),
    ("/mnt/nas/scratch", "xfs"),
    ("/srv/far", "fuse.sshfs"),
]


@pytest.mark.parametrize(
    ("path", "system", "mode"),
    [
        ("/srv/leaves.segstudio", "ext4", JournalMode.LOG),
        ("/srv/team share/leaves.segstudio", "cifs", JournalMode.ROLLBACK),
        ("/srv/team sharing", "ext4", JournalMode.LOG),
        ("/mnt/nas/x", "nfs4", JournalMode.ROLLBACK),
        ("/mnt/nas/scratch/x", "xfs", JournalMode.LOG),
        ("/srv/far", "fuse.sshfs", JournalMode.ROLLBACK),
    ],
)
def test_the_drive_of_a_path_decides_the_journal(path: str, system: str, mode: JournalMode) -> None:
    assert of_mounts(path, MOUNTS) == system
    assert journal_mode(of_mounts(path, MOUNTS)) is mode


def test_an_unknown_file_system_is_a_local_disk() -> None:
    assert journal_mode("") is JournalMode.LOG
    assert not is_network("fuse.encfs")
    assert is_network("NFS")
    assert of_mounts("/x", []) == ""


def test_this_machine_says_what_its_drives_are(tmp_path: Path) -> None:
    if sys.platform == "linux":
        assert file_system(Path("/proc/self")) == "proc"
    assert file_system(tmp_path / "not" / "yet" / "there") == file_system(tmp_path)


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/srv/Dropbox/x.segstudio", "Dropbox"),
        ("/srv/Dropbox (Lab)/x.segstudio", "Dropbox"),
        ("/srv/Library/Mobile Documents/x.segstudio", "iCloud"),
        ("/srv/OneDrive - Lab/x.segstudio", "OneDrive"),
        ("/srv/notdropbox/x.segstudio", ""),
        ("/srv/marked/deep/x.segstudio", "Syncthing"),
    ],
)
def test_a_synced_folder_is_known_by_its_name_or_by_what_its_service_leaves(path: str, service: str) -> None:
    assert synced_by(Path(path), lambda marker: marker == Path("/srv/marked/.stfolder").absolute()) == service


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    def switch(on: bool) -> None:
        monkeypatch.setattr(filesystems, "file_system", lambda _: "nfs4" if on else "ext4")

    return switch


def _mode(path: Path) -> str:
    with closing(connect(path / "project.db", Access.READ)) as db:
        return str(db.execute("PRAGMA journal_mode").fetchone()[0])


def test_on_a_network_drive_everything_is_written_without_a_log(
    make_project: Callable[..., Project], network: Callable[[bool], None]
) -> None:
    network(True)
    project = make_project()
    assert "is on a network drive (nfs4)" in project.notice
    document = project.document(FIRST)
    paint(project, document, Rect(0, 0, 300, 100), CELL)
    undo(project, document, paint(project, document, Rect(0, 0, 30, 300), CELL))
    flushed(project)
    assert not (project.path / "project.db-wal").exists()
    with Project.open(project.path, write=False) as reader:
        assert reader.last_seq() == 3
        assert np.array_equal(whole(reader.document(FIRST))[0], whole(document)[0])
    project.close()
    assert _mode(project.path) == "delete"
    with Project.open(project.path) as again:
        assert again.history(FIRST).redoable == (Seq(3),)


def test_a_project_that_moves_between_drives_changes_its_mode_at_opening(
    make_project: Callable[..., Project], network: Callable[[bool], None]
) -> None:
    project = make_project()
    for n, on in enumerate((True, False, True)):
        project.close()
        network(on)
        project = Project.open(project.path)
        paint(project, project.document(FIRST), Rect(30 * n, 0, 20, 20), CELL)
        flushed(project)
        assert _mode(project.path) == ("delete" if on else "wal")
    assert project.image(FIRST).labelled_pixels == 3 * 400
    project.close()


def test_while_somebody_reads_the_mode_stays_and_the_writer_copes(
    make_project: Callable[..., Project], network: Callable[[bool], None]
) -> None:
    project = make_project()
    project.close()
    with Project.open(project.path, write=False) as reader:
        with reader._readers.transaction() as db:
            db.execute("SELECT count(*) FROM images").fetchone()
            network(True)
            writer = Project.open(project.path)
            paint(writer, writer.document(FIRST), Rect(0, 0, 20, 20), CELL)
            flushed(writer)
            assert _mode(project.path) == "wal"
        writer.close()
    with Project.open(project.path) as again:
        assert _mode(project.path) == "delete"
        assert again.image(FIRST).labelled_pixels == 400


def test_a_commit_waits_for_a_reader_and_a_reader_for_a_commit(
    make_project: Callable[..., Project], network: Callable[[bool], None]
) -> None:
    network(True)
    project = make_project()
    document = project.document(FIRST)
    with project.reading() as db:
        db.execute("SELECT count(*) FROM edits").fetchone()
        paint(project, document, Rect(0, 0, 20, 20), CELL)
        assert project.writer is not None
        assert not project.writer.flush(0.2)
    flushed(project)
    stop = threading.Event()
    failed: list[BaseException] = []

    def read() -> None:
        while not stop.is_set():
            try:
                project.frozen(FIRST)
            except ReadOnly as error:
                failed.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    for n in range(20):
        paint(project, document, Rect(20 * n, 40, 20, 20), CELL)
    flushed(project)
    stop.set()
    thread.join()
    assert not failed
    assert project.image(FIRST).labelled_pixels == 21 * 400


_PAINT_AND_DIE = """
    import os, signal, sys
    from pathlib import Path
    sys.path.insert(0, "tests/store")
    from segstudio.store import filesystems
    filesystems.file_system = lambda _: "nfs4"
    from segstudio.store.database.connect import Access, connect
    db = connect(Path(sys.argv[1]) / "project.db", Access.WRITE)
    db.execute("PRAGMA cache_spill = 1")
    db.execute("PRAGMA cache_size = 1")
    db.execute("BEGIN IMMEDIATE")
    for n in range(400):
        db.execute("INSERT INTO settings VALUES (?, ?)", (f"half{n}", "x" * 1000))
    db.execute("UPDATE images SET problem = 'half'")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal here")
def test_a_transaction_that_was_cut_off_is_taken_back_also_for_one_who_only_reads(
    make_project: Callable[..., Project], network: Callable[[bool], None]
) -> None:
    network(True)
    project = make_project()
    project.close()
    died = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_PAINT_AND_DIE), str(project.path)],
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    assert os.path.getsize(project.path / "project.db-journal") > 0
    with Project.open(project.path, write=False) as reader:
        assert [row.problem for row in reader.images()] == ["", "", ""]
        assert reader.setting("half1") is None
    with Project.open(project.path) as again:
        assert again.setting("half1") is None
        assert not (project.path / "project.db-journal").exists()
