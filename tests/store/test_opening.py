import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segstudio.errors import (
    NotAProject,
    ProjectDamaged,
    ProjectLocked,
    ProjectNewer,
    ReadOnly,
)
from segstudio.geometry import Rect
from segstudio.store.database.connect import Access, connect
from segstudio.store.database.schema import SCHEMA_VERSION
from segstudio.store.project import Project
from tests.store.damage import overwrite_page, root_page
from tests.store.store_painting import CELL, FIRST, flushed, paint


def test_a_folder_that_is_no_project_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotAProject, match="is not a SegStudio project"):
        Project.open(tmp_path / "nothing.segstudio")
    folder = tmp_path / "other.segstudio"
    folder.mkdir()
    with pytest.raises(NotAProject):
        Project.open(folder)
    (folder / "project.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(NotAProject):
        Project.open(folder)
    (folder / "project.db").unlink()
    db = sqlite3.connect(folder / "project.db")
    db.execute("CREATE TABLE t (x)")
    db.close()
    with pytest.raises(NotAProject):
        Project.open(folder)


def test_a_second_writer_is_told_who_has_the_project(project: Project) -> None:
    with pytest.raises(ProjectLocked) as told:
        Project.open(project.path)
    assert f"(process {os.getpid()})" in told.value.sentence
    with Project.open(project.path, read_only_ok=True) as second:
        assert not second.writable
        assert second.why_read_only == told.value.sentence
        with pytest.raises(ReadOnly):
            second.set_setting("a", 1)


def _elsewhere(script: str, *args: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        **options,  # type: ignore[call-overload]
    )


_HOLD = """
    import sys
    from pathlib import Path
    from segstudio.store.project import Project
    project = Project.open(Path(sys.argv[1]))
    print("open", flush=True)
    sys.stdin.read()
"""


def test_the_lock_of_another_process_is_free_the_moment_it_is_killed(make_project: Callable[..., Project]) -> None:
    project = make_project()
    project.close()
    with _elsewhere(_HOLD, str(project.path)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(ProjectLocked, match=rf"\(process {holder.pid}\)"):
            Project.open(project.path)
        with Project.open(project.path, write=False) as reader:
            assert len(reader.images()) == 3
        holder.kill()
        holder.wait()
        with Project.open(project.path) as again:
            assert again.writable


def test_a_child_process_does_not_inherit_the_lock(make_project: Callable[..., Project]) -> None:
    project = make_project()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    try:
        project.close()
        Project.open(project.path).close()
    finally:
        child.communicate(b"\n")


def _as_newer(path: Path, readable_from: int) -> None:
    db = connect(path / "project.db", Access.WRITE)
    db.execute("PRAGMA user_version = 7")
    db.execute("UPDATE settings SET value = ? WHERE key = 'readable_from'", (str(readable_from),))
    db.close()


def test_a_newer_project_opens_for_reading_where_it_allows_that(make_project: Callable[..., Project]) -> None:
    project = make_project()
    project.close()
    _as_newer(project.path, readable_from=1)
    with pytest.raises(ProjectNewer, match="newer"):
        Project.open(project.path)
    with Project.open(project.path, write=False) as reader:
        assert len(reader.images()) == 3
    with Project.open(project.path, read_only_ok=True) as reader:
        assert not reader.writable
        assert "newer" in reader.why_read_only
    _as_newer(project.path, readable_from=SCHEMA_VERSION + 1)
    for write in (True, False):
        with pytest.raises(ProjectNewer, match="newer"):
            Project.open(project.path, write=write, read_only_ok=True)


@pytest.fixture
def everybodys_path() -> Iterator[Path]:
    """A temporary folder that other users may read, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


_READ_AS_NOBODY = """
    import os, sys
    from pathlib import Path
    from segstudio.errors import ReadOnly
    from segstudio.geometry import Rect
    from segstudio.labels.model import ImageId
    from segstudio.store.project import Project
    path = Path(sys.argv[1])
    if os.geteuid() == 0:
        os.setegid(65534)
        os.seteuid(65534)
    try:
        Project.open(path)
    except ReadOnly as error:
        print(error.sentence)
    with Project.open(path, read_only_ok=True) as project:
        assert not project.writable and project.why_read_only
        print(project.images()[0].labelled_pixels, project.labels_sha256(ImageId(1)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no read-only permission here")
@pytest.mark.parametrize("log_left", [False, True])
def test_a_read_only_folder_is_read_with_and_without_a_log_beside_it(
    make_project: Callable[..., Project], everybodys_path: Path, log_left: bool
) -> None:
    project = make_project()
    paint(project, project.document(FIRST), Rect(0, 0, 20, 20), CELL)
    flushed(project)
    folder = everybodys_path / "copy.segstudio"
    if log_left:
        # What an owner that was killed leaves: the log is not folded in yet.
        _copy_files(project.path, folder)
    expected = project.labels_sha256(FIRST)
    project.close()
    if not log_left:
        _copy_files(project.path, folder)
    assert (folder / "project.db-wal").exists() == log_left
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)
    try:
        out, err = _elsewhere(_READ_AS_NOBODY, str(folder)).communicate(timeout=60)
    finally:
        folder.chmod(0o755)
    assert err == ""
    sentence, figures = out.strip().splitlines()
    assert sentence.startswith("The folder of the project 'copy.segstudio' cannot be written")
    assert figures == f"400 {expected}"
    assert {file.name for file in folder.iterdir()} <= {"project.db", "project.db-wal"}


def _copy_files(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for name in ("project.db", "project.db-wal"):
        if (source / name).exists():
            # Through the shell: a handle of this process would drop SQLite's locks when it is closed.
            subprocess.run(["cp", str(source / name), str(target / name)], check=True)


def test_a_full_disk_does_not_keep_the_lock_from_being_taken(
    make_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project()
    project.close()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "ftruncate", full)
    with Project.open(project.path) as opened:
        assert opened.writable
        with pytest.raises(ProjectLocked):
            Project.open(project.path)


def test_a_reader_whose_folder_is_deleted_says_so_or_reads_on(make_project: Callable[..., Project]) -> None:
    project = make_project()
    project.close()
    with Project.open(project.path, write=False) as reader:
        shutil.rmtree(project.path)
        held = reader._readers._free.copy()
        assert len(reader.images()) == 3  # from the handle that is open
        reader._readers._free.clear()
        with pytest.raises(ReadOnly, match="cannot be opened"):
            reader.images()
        reader._readers._free.extend(held)


def test_a_damaged_project_says_what_to_do(make_project: Callable[..., Project]) -> None:
    project = make_project()
    project.close()
    file = project.path / "project.db"
    overwrite_page(file, root_page(file, "images"))
    with Project.open(project.path, write=False) as reader, pytest.raises(ProjectDamaged) as told:
        reader.images()
    assert "segstudio repair field.segstudio" in told.value.line
    overwrite_page(file, 1)
    with pytest.raises(NotAProject) as gone:
        Project.open(project.path)
    assert "segstudio repair" in gone.value.line
