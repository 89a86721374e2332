"""A copy of a project: made beside a writer, checked, whole or not at all."""

import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from segstudio.errors import DiskRefused, ProjectDamaged, UserError
from segstudio.geometry import Rect
from segstudio.store import backup as backup_module
from segstudio.store import filesystems
from segstudio.store.backup import BACKUP_OF, Backup, back_up
from segstudio.store.database.connect import Access, connect
from segstudio.store.project import Project
from segstudio.store.snapshots import keep, listed
from segstudio.store.writing import waiting_edits
from segstudio.tasks.keeping.backup import backup
from tests.store.refusing_disk import refusing
from tests.store.store_painting import CELL, CLASSES, FIRST, flushed, new_images, paint, undo


def made(project: Project, place: Path | None = None) -> Backup:
    task = backup(project, place)
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value


@pytest.fixture
def worked_on(project: Project) -> Project:
    """A project with labels, an undo, a snapshot, a model, a run, times and effort."""
    document = project.document(FIRST)
    paint(project, document, Rect(0, 0, 300, 300), CELL)
    keep(project, "a").result(30)
    undo(project, document, paint(project, document, Rect(50, 50, 90, 90), CELL))
    (project.path / "models" / "v1.safetensors").write_bytes(np.arange(100_000, dtype=np.uint32).tobytes())
    (project.path / "runs" / "run1").mkdir(parents=True)
    (project.path / "runs" / "run1" / "events.jsonl").write_text("{}\n")
    (project.path / "cache" / "proposals.db").write_bytes(b"junk")
    project.add_time(FIRST, 12.5, "ann").result(5)
    project.set_effort(FIRST, 3, 40).result(5)
    flushed(project)
    return project


def test_a_backup_beside_a_writer_is_the_project_as_it_stood(worked_on: Project, tmp_path: Path) -> None:
    report = made(worked_on, tmp_path / "kept" / "copy")
    assert report.path == tmp_path / "kept" / "copy.segstudio"
    assert (report.seq, report.tiles) == (3, 4)
    paint(worked_on, worked_on.document(FIRST), Rect(0, 0, 10, 10), CELL)
    flushed(worked_on)
    with Project.open(report.path) as copy:
        assert copy.last_seq() == 3
        assert copy.uuid == worked_on.uuid
        assert copy.labels_sha256(FIRST) != worked_on.labels_sha256(FIRST)
        assert [s.name for s in listed(copy)] == ["a"]
        assert copy.history(FIRST).redoable == (3,)
        assert copy.effort(FIRST) == (3, 40)
        assert copy.seconds() == {FIRST: 12.5}
        assert copy.setting(BACKUP_OF)["path"] == str(worked_on.path)
        paint(copy, copy.document(FIRST), Rect(0, 0, 10, 10), CELL)
    model = Path("models/v1.safetensors")
    assert (report.path / model).read_bytes() == (worked_on.path / model).read_bytes()
    assert (report.path / "runs" / "run1" / "events.jsonl").read_text() == "{}\n"
    assert list((report.path / "cache").iterdir()) == []
    assert not (report.path / "project.db-wal").exists()


def test_without_a_place_it_stands_beside_the_project_and_in_a_folder_under_that_name(
    worked_on: Project, tmp_path: Path
) -> None:
    beside = made(worked_on).path
    assert beside.parent == tmp_path
    assert beside.match("field-????????-??????.segstudio")
    (tmp_path / "disk").mkdir()
    assert made(worked_on, tmp_path / "disk").path.parent == tmp_path / "disk"


def test_a_backup_never_overwrites(worked_on: Project, tmp_path: Path) -> None:
    (tmp_path / "b.segstudio").mkdir()
    (tmp_path / "b.segstudio" / "mine").write_text("x")
    with pytest.raises(UserError, match="never overwrites"):
        made(worked_on, tmp_path / "b.segstudio")
    assert [p.name for p in (tmp_path / "b.segstudio").iterdir()] == ["mine"]
    with pytest.raises(UserError, match="inside the project"):
        made(worked_on, worked_on.path / "b.segstudio")


def test_images_are_found_from_the_copy_wherever_it_stands(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    for image in new_images(pictures):
        (pictures / image.path).parent.mkdir(parents=True, exist_ok=True)
        (pictures / image.path).write_bytes(b"pixels")
    for copied in (False, True):
        name = f"copied-{copied}.segstudio"
        with Project.create(tmp_path / name, new_images(pictures), CLASSES, copy_files=copied) as project:
            far = made(project, tmp_path / "far" / "away" / name).path
            files = [row.file for row in project.images()]
        with Project.open(far, write=False) as copy:
            found = [row.file for row in copy.images()]
            assert all(file.read_bytes() == b"pixels" for file in found)
            assert (found == files) is not copied
            assert all(file.is_relative_to(far) for file in found) is copied
    # Root and copies move together: what is relative still holds.
    (tmp_path / "moved").mkdir()
    for folder in ("pictures", "far"):
        shutil.move(tmp_path / folder, tmp_path / "moved" / folder)
    with Project.open(tmp_path / "moved" / "far" / "away" / "copied-False.segstudio", write=False) as copy:
        assert all(row.file.read_bytes() == b"pixels" for row in copy.images())


def test_a_copy_takes_no_edits_that_wait_for_the_project_while_it_stands(worked_on: Project) -> None:
    copy = made(worked_on).path
    edit = worked_on.load_edit(worked_on.last_seq(), worked_on.document(FIRST).raster.tile)
    waiting_edits.keep(worked_on.uuid, worked_on.path, [(worked_on.last_seq(), edit)])
    with Project.open(copy) as opened:
        assert opened.notice == ""
        assert opened.last_seq() == 3
    assert waiting_edits.waiting_file(worked_on.uuid, worked_on.path).exists()


def test_where_there_is_no_room_it_is_said_before_anything_is_written(
    worked_on: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 1000))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DiskRefused, match="MB free"):
        made(worked_on, tmp_path / "b")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_disk_that_breaks_off_leaves_nothing(
    worked_on: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path, tick: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup_module, "_copy_file", full)
    with pytest.raises(DiskRefused, match="full"):
        made(worked_on, tmp_path / "b")
    assert [p.name for p in tmp_path.iterdir() if "b" in p.name.split(".")] == []
    assert list(tmp_path.glob(".*")) == []


def test_a_damaged_tile_makes_no_backup(make_project: Callable[..., Project], tmp_path: Path) -> None:
    project = make_project()
    paint(project, project.document(FIRST), Rect(0, 0, 30, 30), CELL)
    project.close()
    db = connect(project.path / "project.db", Access.WRITE)
    db.execute("UPDATE tiles SET data = substr(data, 1, 20)")
    db.close()
    with Project.open(project.path, write=False) as reader, pytest.raises(ProjectDamaged, match="damaged"):
        made(reader, tmp_path / "b")
    assert not (tmp_path / "b.segstudio").exists()


def test_a_backup_that_is_stopped_leaves_nothing(worked_on: Project, tmp_path: Path) -> None:
    task = backup(worked_on, tmp_path / "b")
    next(task)
    task.close()
    # It may have been done already: then it is whole.
    if (tmp_path / "b.segstudio").exists():
        Project.open(tmp_path / "b.segstudio").close()
    assert list(tmp_path.glob(".*")) == []


def test_edits_that_the_disk_refuses_are_counted_as_not_in_it(
    make_project: Callable[..., Project], tmp_path: Path
) -> None:
    make_project().close()
    kind = refusing()
    project = Project.open(tmp_path / "field.segstudio", connection_type=kind)
    document = project.document(FIRST)
    paint(project, document, Rect(0, 0, 30, 30), CELL)
    flushed(project)
    assert made(project, tmp_path / "whole").unsaved == 0
    kind.refuse = "full"
    for n in range(2):
        paint(project, document, Rect(100, 40 * n, 30, 30), CELL)
    report = made(project, tmp_path / "lacking")
    assert (report.seq, report.unsaved) == (1, 2)
    project.close(0.1)
    kind.refuse = None
    with Project.open(project.path, write=False) as reader:
        assert made(reader, tmp_path / "beside").unsaved == 2
    with Project.open(project.path) as again:
        assert made(again, tmp_path / "after").seq == 3


@pytest.fixture
def on_network(monkeypatch: pytest.MonkeyPatch, make_project: Callable[..., Project]) -> Project:
    """A project on a network drive, of many steps to copy."""
    monkeypatch.setattr(filesystems, "file_system", lambda _: "nfs4")
    monkeypatch.setattr(backup_module, "_PAGES", 1)
    return make_project()


def test_on_a_network_drive_strokes_are_saved_while_it_is_copied(on_network: Project, tmp_path: Path) -> None:
    document = on_network.document(FIRST)
    paint(on_network, document, Rect(0, 0, 30, 30), CELL)
    flushed(on_network)
    ticks = 0

    def stroke(done: int, total: int, doing: str) -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 5:
            paint(on_network, document, Rect(50, 0, 30, 30), CELL)
            assert on_network.writer is not None
            assert on_network.writer.flush(10)

    report = back_up(on_network, tmp_path / "b.segstudio", stroke)
    assert report.seq == 2
    with Project.open(report.path, write=False) as copy:
        assert copy.labels_sha256(FIRST) == on_network.labels_sha256(FIRST)


def test_on_a_network_drive_a_copy_that_never_comes_to_its_end_is_given_up(
    on_network: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_module, "_RESTARTS", 2)
    ticks = 0

    def busy(done: int, total: int, doing: str) -> None:
        nonlocal ticks
        ticks += 1
        if ticks % 5 == 0:
            on_network.set_setting("n", ticks).result(10)

    with pytest.raises(UserError, match="kept changing"):
        back_up(on_network, tmp_path / "b.segstudio", busy)
    assert [path.name for path in tmp_path.iterdir()] == ["field.segstudio"]


def test_a_backup_does_not_go_into_the_project_through_a_link_and_leaves_no_folder_above(
    worked_on: Project, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(worked_on.path)
    with pytest.raises(UserError, match="cannot be made inside the project"):
        made(worked_on, tmp_path / "link" / "copy")
    running = backup(worked_on, tmp_path / "x" / "y" / "copy")
    next(running)
    running.close()
    assert not (tmp_path / "x").exists()
