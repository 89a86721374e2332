"""A project closed while its disk hangs: nothing that runs is called failed, and nobody else writes meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from segstudio.errors import DiskRefused, ProjectLocked
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.model import ImageId
from segstudio.store.project import Project
from segstudio.store.writing import writer as writer_module
from segstudio.store.writing.waiting_edits import read_waiting, waiting_files_of
from segstudio.store.writing.writer import Writer
from tests.store.store_painting import CELL, FIRST, VESSEL, paint, painted


class Hanging:
    """A change that begins and then waits for the disk."""

    def __init__(self) -> None:
        self.begun, self.goes = threading.Event(), threading.Event()

    def edits(self, edit: Edit) -> Iterator[Edit]:
        self.begun.set()
        assert self.goes.wait(30)
        yield edit


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    monkeypatch.setattr(writer_module, "_RETRY_S", 0.1)
    disk = Hanging()
    yield disk
    disk.goes.set()


def _writer(project: Project) -> Writer:
    assert project.writer is not None
    return project.writer


def _reopened(path: Path) -> Project:
    """The project, as soon as nobody writes it any more."""
    end = time.monotonic() + 30
    while True:
        try:
            return Project.open(path)
        except ProjectLocked:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_a_job_that_runs_at_the_close_is_not_failed_and_holds_the_lock_until_it_has_ended(
    make_project: Callable[..., Project], disk: Hanging
) -> None:
    project = make_project()
    edit = painted(project.document(FIRST), Rect(0, 0, 20, 20), 1, new_class=VESSEL)
    future = _writer(project).write_all(lambda _: disk.edits(edit))
    assert disk.begun.wait(30)
    later = project.set_setting("after", 1)
    dropped = project.set_setting("dropped", 1)
    assert dropped.cancel()
    project.close(wait_s=0.1)
    assert not future.done()
    with pytest.raises(DiskRefused, match="closed before this was written"):
        later.result(0)
    with pytest.raises(CancelledError):
        dropped.result(0)
    with pytest.raises(ProjectLocked):
        Project.open(project.path)
    disk.goes.set()
    assert future.result(30) == 1
    with _reopened(project.path) as again:
        assert again.last_seq() == 1
        assert again.setting("after") is None
        paint(again, again.document(FIRST), Rect(100, 0, 50, 50), CELL)
    with Project.open(project.path) as again:
        assert again.notice == ""
        assert again.image(FIRST).labelled_pixels == 400 + 2500


def test_edits_behind_a_job_that_hangs_are_kept_and_written_once(
    make_project: Callable[..., Project], disk: Hanging
) -> None:
    project = make_project()
    second = ImageId(2)

    def job(_: object) -> None:
        disk.begun.set()
        assert disk.goes.wait(30)

    running = _writer(project).call(job)
    assert disk.begun.wait(30)
    paint(project, project.document(second), Rect(0, 0, 50, 50), CELL)
    project.close(wait_s=0.1)
    (kept,) = waiting_files_of(project.path)
    assert len(read_waiting(kept)) == 1
    disk.goes.set()
    assert running.result(30) is None
    with _reopened(project.path) as again:
        assert again.notice == ""
        assert again.last_seq() == 1
        assert again.image(second).labelled_pixels == 2500
    assert not kept.exists()
