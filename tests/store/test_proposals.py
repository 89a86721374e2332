import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segstudio.errors import DiskRefused
from segstudio.geometry import TILE, Rect
from segstudio.labels.model import ClassId, ImageId
from segstudio.labels.proposal import ProposalRow, ProposalTile
from segstudio.labels.tiles.tile import Constant, frozen
from segstudio.store import project as project_module
from segstudio.store import proposals as proposals_module
from segstudio.store.project import Project
from segstudio.store.proposals import EncodedTile, encoded
from tests.store.store_painting import FIRST

ROWS = {1: ProposalRow(ClassId(2), 0.75), 2: ProposalRow(ClassId(3), 0.5)}


def _tiles(level: int = 9) -> dict[tuple[int, int], EncodedTile]:
    ids = np.ones((TILE, TILE), np.uint32)
    ids[:, 100:] = 2
    dense = ProposalTile(frozen(ids, np.zeros((TILE, TILE), np.uint8)), np.full((64, 64), level, np.uint8))
    constant = ProposalTile(Constant(1, 0), np.full((64, 64), 15, np.uint8))
    return {(0, 0): encoded(dense), (1, 2): encoded(constant)}


def test_a_proposal_comes_back_as_it_was_written_and_touches_no_label(project: Project) -> None:
    number = project.proposals.write(FIRST, 0, "v1", ROWS, _tiles())
    found = project.proposals.read(FIRST, 0)
    assert found is not None
    assert (found.number, found.version, found.rows) == (number, "v1", ROWS)
    assert found.class_ids(Rect(98, 0, 4, 1)).tolist() == [[2, 2, 3, 3]]
    assert found.confidence(Rect(0, 0, 1, 1))[0, 0] == 9 * 17
    assert project.last_seq() == 0
    assert project.proposals.read(ImageId(2), 0) is None


def test_the_newest_proposal_replaces_all_but_the_one_shown_first(project: Project) -> None:
    cache = project.proposals
    first = cache.write(FIRST, 0, "embedded", ROWS, _tiles(1))
    cache.mark_shown(FIRST, 0, first)
    second = cache.write(FIRST, 0, "instant", ROWS, _tiles(2))
    cache.mark_shown(FIRST, 0, second)
    third = cache.write(FIRST, 0, "v1", ROWS, _tiles(3))
    kept = cache.first(FIRST, 0)
    newest = cache.read(FIRST, 0)
    assert kept is not None
    assert newest is not None
    assert (kept.number, newest.number) == (first, third)
    assert [(note.number, note.version) for note in cache.notes()] == [(third, "v1")]
    cache.finish(FIRST, [0])
    assert cache.first(FIRST, 0) is None
    newest = cache.read(FIRST, 0)
    assert newest is not None
    assert newest.number == third


def test_a_proposal_that_was_never_shown_is_no_first_one(project: Project) -> None:
    project.proposals.write(FIRST, 0, "embedded", ROWS, _tiles())
    assert project.proposals.first(FIRST, 0) is None


def test_readers_see_what_the_writer_wrote_and_write_nothing(project: Project) -> None:
    with Project.open(project.path, write=False) as reader:
        assert reader.proposals.read(FIRST, 0) is None
        assert reader.proposals.notes() == []
        project.proposals.write(FIRST, 0, "v1", ROWS, _tiles())
        assert reader.proposals.read(FIRST, 0) is not None
        reader.proposals.mark_shown(FIRST, 0, 1)
        assert project.proposals.first(FIRST, 0) is None


def test_the_cache_may_be_deleted_at_any_time(project: Project) -> None:
    cache = project.proposals
    cache.write(FIRST, 0, "v1", ROWS, _tiles())
    for file in (project.path / "cache").iterdir():
        file.unlink()
    assert cache.read(FIRST, 0) is None
    cache.write(FIRST, 0, "v2", ROWS, _tiles())
    found = cache.read(FIRST, 0)
    assert found is not None
    assert found.version == "v2"
    project.close()
    for file in (project.path / "cache").iterdir():
        file.unlink()
    (project.path / "cache").rmdir()
    with Project.open(project.path) as again:
        assert again.proposals.read(FIRST, 0) is None


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be looked at" * 40])
def test_a_cache_that_cannot_be_used_is_made_anew(project: Project, content: bytes) -> None:
    path: Path = project.path / "cache" / "proposals.db"
    path.write_bytes(content)
    with Project.open(project.path, write=False) as reader:
        assert reader.proposals.read(FIRST, 0) is None
    project.proposals.write(FIRST, 0, "v1", ROWS, _tiles())
    assert project.proposals.read(FIRST, 0) is not None


def test_a_damaged_proposal_counts_as_none(project: Project) -> None:
    labels, confidence = _tiles()[0, 0]
    project.proposals.write(FIRST, 0, "v1", ROWS, {(0, 0): (labels[:-9], confidence)})
    assert project.proposals.read(FIRST, 0) is None


def test_a_disk_that_refuses_does_not_cost_the_proposals_that_are_there(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.proposals.write(FIRST, 0, "v1", ROWS, _tiles())
    project.proposals.close()

    def full(*_: object) -> sqlite3.Connection:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL  # type: ignore[misc]
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(proposals_module, "connect", full)
        with pytest.raises(DiskRefused, match="full"):
            project.proposals.write(FIRST, 0, "v2", ROWS, _tiles())
    found = project.proposals.read(FIRST, 0)
    assert found is not None
    assert found.version == "v1"


@pytest.mark.parametrize("version", ["imported", "merged"])
def test_no_model_takes_the_place_of_a_person_s_proposal_unless_told_to(project: Project, version: str) -> None:
    cache = project.proposals
    number = cache.write(FIRST, 0, version, ROWS, _tiles())
    for model in ("embedded", "instant", "v7"):
        assert cache.write(FIRST, 0, model, ROWS, _tiles(1)) is None
    found = cache.read(FIRST, 0)
    assert found is not None
    assert (found.number, found.version) == (number, version)
    assert cache.from_people() == {(FIRST, 0)}
    assert cache.write(FIRST, 0, "imported", ROWS, _tiles(2)) is not None  # a person's word again
    assert cache.write(FIRST, 0, "v7", ROWS, _tiles(3), replace_people=True) is not None
    assert cache.from_people() == frozenset()
    assert cache.write(FIRST, 0, "v8", ROWS, _tiles(3)) is not None


def test_a_rejected_proposal_is_gone_until_one_is_written(project: Project) -> None:
    cache = project.proposals
    number = cache.write(FIRST, 0, "v1", ROWS, _tiles())
    cache.write(ImageId(2), 0, "v1", ROWS, _tiles())
    cache.reject(FIRST, 0)
    cache.reject(FIRST, 0)
    cache.close()  # what is decided is on disk
    assert cache.is_rejected(FIRST, 0)
    assert cache.read(FIRST, 0) is None
    assert [note.image for note in cache.notes()] == [2]
    assert not cache.extend(number, ROWS, _tiles())
    with Project.open(project.path, write=False) as reader:
        assert reader.proposals.read(FIRST, 0) is None
    cache.write(FIRST, 0, "v1", ROWS, _tiles())
    assert not cache.is_rejected(FIRST, 0)
    assert cache.read(FIRST, 0) is not None


def test_the_cache_of_an_older_program_has_no_rejections_and_keeps_what_it_holds(project: Project) -> None:
    cache = project.proposals
    cache.write(FIRST, 0, "merged", ROWS, _tiles())
    cache.close()
    with sqlite3.connect(project.path / "cache" / "proposals.db") as db:
        db.execute("DROP TABLE rejected")
    db.close()
    with Project.open(project.path, write=False) as reader:
        assert reader.proposals.read(FIRST, 0) is not None
        assert not reader.proposals.is_rejected(FIRST, 0)
        assert len(reader.proposals.notes()) == 1
    assert cache.read(FIRST, 0) is not None
    cache.reject(FIRST, 0)
    assert cache.read(FIRST, 0) is None


def test_a_proposal_grows_part_by_part_under_its_number(project: Project) -> None:
    cache, tiles = project.proposals, _tiles()
    number = cache.write(FIRST, 0, "v1", {}, {(0, 0): tiles[0, 0]})
    assert number is not None
    part = cache.read(FIRST, 0)
    assert part is not None
    assert cache.extend(number, ROWS, {(1, 2): tiles[1, 2]})
    whole = cache.read(FIRST, 0, part)
    assert whole is not None
    assert (whole.number, whole.rows, set(whole.tiles)) == (number, ROWS, {(0, 0), (1, 2)})
    assert whole.tiles[0, 0] is part.tiles[0, 0]
    cache.write(FIRST, 0, "v2", ROWS, _tiles())
    assert not cache.extend(number, ROWS, tiles)  # another has taken its place


class _Watched:
    """A lock that tells when a second one wants it."""

    def __init__(self, second: threading.Event) -> None:
        self._lock, self._second, self._wanted = threading.Lock(), second, 0

    def __enter__(self) -> None:
        self._wanted += 1
        if self._wanted == 2:
            self._second.set()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_two_threads_that_ask_first_get_one_cache(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    making, second, made = threading.Event(), threading.Event(), []

    def slow(*args: Any, **options: Any) -> proposals_module.Proposals:
        made.append(args)
        if len(made) == 2:
            second.set()
        making.set()
        assert second.wait(20)  # the other thread stands at the lock, or in here too where there is none
        return proposals_module.Proposals(*args, **options)

    monkeypatch.setattr(project_module, "Proposals", slow)
    monkeypatch.setattr(project, "_making", _Watched(second))
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(lambda: project.proposals)
        assert making.wait(20)
        other = threads.submit(lambda: project.proposals)
        assert one.result(20) is other.result(20)
    assert len(made) == 1
