"""Power cuts at random moments: nothing acknowledged is lost, and the simulation notices where it would be.

The large form, with a row a life, is tests/soak/power_loss.py.
"""

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from segstudio import durable
from segstudio.errors import ProjectDamaged
from segstudio.store.database import connect, create
from segstudio.store.project import Project
from tests.store.apsw_connection import connection_on
from tests.store.power_loss_lives import Lost, lives, memory_folder, write_files
from tests.store.simulated_disk import Loss, SimulatedDisk, SimulatedVFS
from tests.store.store_painting import new_images


@pytest.fixture
def folder() -> Iterator[Path]:
    made = memory_folder()
    yield made
    shutil.rmtree(made)


def live(folder: Path, cuts: int, failing_syncs: float = 0) -> int:
    """Returns how many cuts were verified."""
    verified = 0
    for life in lives(folder, random.Random(20260101), failing_syncs=failing_syncs):
        verified += len(life)
        if verified >= cuts:
            break
    return verified


def test_a_power_cut_loses_nothing_that_was_acknowledged(folder: Path) -> None:
    assert live(folder, 60) >= 60


def test_syncs_that_fail_and_lose_what_was_written_before_them_cost_nothing_that_was_acknowledged(
    folder: Path,
) -> None:
    assert live(folder, 30, failing_syncs=0.3) >= 30


def made_before_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What is safe of a new project at the moment that it gets its name."""
    disk, safe = SimulatedDisk({}, folder), dict[str, bytes]()
    vfs = SimulatedVFS(disk)
    with monkeypatch.context() as patched:
        patched.setattr(create, "connect", lambda path, access: connect.connect(path, access, connection_on(vfs)))
        patched.setattr(durable, "sync_folder", lambda _: disk.sync_names())
        patched.setattr(os, "rename", lambda *_: safe.update(disk.crash(random.Random(1), Loss.DROP)))
        create.build_project(folder / "new.segstudio", new_images(folder), (), copy_files=False)
    vfs.unregister()
    return safe


def test_a_new_project_is_whole_on_disk_before_it_gets_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(made_before_its_name(folder, monkeypatch), folder / "cut.segstudio")
    with Project.open(folder / "cut.segstudio") as project:
        assert len(project.images()) == 3
        assert project.uuid


def test_without_any_sync_a_new_project_would_have_its_name_too_early(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connect.PRAGMAS, "synchronous", 0)
    assert not made_before_its_name(folder, monkeypatch).get("project.db")


def test_without_a_sync_a_commit_such_cuts_lose_acknowledged_edits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connect.PRAGMAS, "synchronous", 1)
    with pytest.raises(Lost, match="called saved"):
        live(folder, 400)


def test_without_any_sync_such_cuts_lose_edits_or_the_whole_database(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connect.PRAGMAS, "synchronous", 0)
    with pytest.raises((Lost, ProjectDamaged)):
        live(folder, 400)
