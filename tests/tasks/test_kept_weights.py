"""Which weights are left after many rounds of learning that goes on, whatever happens between them."""

import shutil
import sqlite3
from collections import namedtuple
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segstudio.engine.project_data import ProjectData
from segstudio.engine.sources import Sources
from segstudio.errors import DiskRefused, WeightsDamaged
from segstudio.runs import Checkpointed, Choices
from segstudio.store import backup, learning
from segstudio.store.backup import back_up
from segstudio.store.project import Project
from segstudio.store.repairing import repaired_project
from segstudio.tasks.images.info import info
from segstudio.tasks.learning import kept_weights
from segstudio.tasks.learning import train as train_module
from segstudio.tasks.learning.interrupted import interrupted_run
from segstudio.tasks.learning.train import train
from segstudio.tasks.progress import finished
from tests.refusing_files import refused_from
from tests.tasks.fake_training import FakeEngine


def _run(project: Project, *, round_: bool = True, **engine: Any) -> str:
    """A run that ends with the verdict of the engine; its version."""
    current = project.current_version()
    there = FakeEngine(current="embedded" if current is None else current.name, **engine)
    steps = train(project, there, Choices(max_steps=1), picks_up=round_)  # type: ignore[arg-type]
    return finished(steps).version


def _weights(project: Project) -> set[str]:
    return {path.stem for path in (project.path / "models").glob("*.safetensors")}


def _without(project: Project) -> set[str]:
    return {version.name for version in project.versions() if not version.has_weights}


def test_of_rounds_that_come_to_nothing_the_newest_alone_keeps_its_weights(project: Project) -> None:
    for _ in range(5):
        _run(project, promoted=False)
    assert _weights(project) == {"v5"}
    assert _without(project) == {"v1", "v2", "v3", "v4"}
    for version in project.versions():  # all else of each is there
        card = msgspec.json.decode((project.path / "models" / f"{version.name}.json").read_bytes())
        assert card["picks_up"]
    assert {run.version for run in project.runs()} == {"v1", "v2", "v3", "v4", "v5"}
    assert all((project.path / "runs" / run.name / "events.jsonl").is_file() for run in project.runs())
    assert [version["weights"] for version in info(project)["versions"]] == [False, False, False, False, True]


def test_promoted_versions_and_those_that_a_person_made_keep_their_weights(project: Project) -> None:
    _run(project)
    _run(project, round_=False, promoted=False)
    _run(project)
    for _ in range(3):
        _run(project, promoted=False)
    assert _weights(project) == {"v1", "v2", "v3", "v6"}


def test_a_candidate_that_a_person_let_propose_keeps_its_weights_ever_after(project: Project) -> None:
    _run(project)
    _run(project, promoted=False)
    learning.make_current(project, "v2").result(30)
    learning.make_current(project, "v1").result(30)
    for _ in range(3):
        _run(project, promoted=False)
    assert _weights(project) == {"v1", "v2", "v5"}


def test_what_a_run_that_can_be_resumed_continues_is_kept(project: Project) -> None:
    _run(project, promoted=False)
    waiting = _run(project, round_=False, promoted=False, base="v1")
    folder = project.path / "runs" / next(run.name for run in project.runs() if run.version == waiting)
    (folder / "checkpoint.safetensors").write_bytes(b"c")
    for _ in range(3):
        _run(project, promoted=False)
    assert _weights(project) == {"v1", "v2", "v5"}


def test_a_version_whose_card_cannot_be_read_keeps_its_weights(project: Project) -> None:
    _run(project, promoted=False)
    (project.path / "models" / "v1.json").write_bytes(b"{")
    for _ in range(3):
        _run(project, promoted=False)
    assert _weights(project) == {"v1", "v4"}


def test_a_version_without_weights_neither_proposes_nor_predicts_and_one_sentence_says_why(project: Project) -> None:
    for _ in range(2):
        _run(project, promoted=False)
    with pytest.raises(WeightsDamaged, match="weights of version v1 were not kept: it is a round of Keep learning"):
        learning.make_current(project, "v1").result(30)
    assert project.current_version() is None
    with pytest.raises(WeightsDamaged, match="were not kept"):
        ProjectData(project, Sources()).weights("v1")


def test_a_crash_between_writing_and_deleting_costs_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row says first that the weights are not kept; files left behind are deleted after the next round."""
    _run(project, promoted=False)
    with monkeypatch.context() as cut:
        cut.setattr(Path, "unlink", _refuse)
        _run(project, promoted=False)
    assert _weights(project) == {"v1", "v2"}
    assert _without(project) == {"v1"}
    _run(project, promoted=False)
    assert _weights(project) == {"v3"}


def _refuse(path: Path, missing_ok: bool = False) -> None:
    if path.suffix == ".safetensors" and path.parent.name == "models":
        raise PermissionError(13, "another program has it open")


def test_a_file_is_never_deleted_before_its_version_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    _run(project, promoted=False)

    def refused(*_: object) -> None:
        raise DiskRefused("The disk is full.")

    with monkeypatch.context() as cut:
        cut.setattr(kept_weights, "drop_weights", refused)
        assert _run(project, promoted=False) == "v2"  # the round itself counts
    assert _weights(project) == {"v1", "v2"}
    assert _without(project) == set()


def test_a_round_that_is_refused_at_any_write_leaves_no_file_without_a_version(project: Project) -> None:
    met, nth = True, 0
    while met:
        with refused_from(nth) as refusal:
            said = _refusal(project)
        assert not said or "Everything painted is safe" in said
        met = refusal.met
        nth += 1
        named = {version.name for version in project.versions()}
        cards = {path.stem for path in (project.path / "models").glob("*.json")}
        assert cards == named
        assert {v.name for v in project.versions() if v.has_weights} <= _weights(project) <= named
    assert nth > 8
    _run(project, promoted=False)
    assert len(_weights(project)) == 1


def _refusal(project: Project) -> str:
    """What was said where a round was refused."""
    try:
        _run(project, promoted=False)
    except DiskRefused as error:
        return error.line
    return ""


@pytest.mark.parametrize("error", [sqlite3.DatabaseError("malformed"), CancelledError(), KeyboardInterrupt()])
def test_a_version_whose_row_is_not_written_for_whatever_reason_leaves_no_file(
    project: Project, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    never = _Awaited(error)
    monkeypatch.setattr(train_module, "add_trained", lambda *_args, **_options: never)
    with pytest.raises(type(error)):
        _run(project)
    assert list((project.path / "models").iterdir()) == []
    assert project.versions() == []
    if isinstance(error, KeyboardInterrupt):
        assert never.cancelled()  # the writer does not do it after all


def test_an_interruption_while_the_row_is_being_written_comes_too_late(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def added(*args: Any, **options: Any) -> "Future[None]":
        awaited = _Awaited(KeyboardInterrupt())
        awaited.set_running_or_notify_cancel()
        awaited.set_result(learning.add_trained(*args, **options).result())
        return awaited

    monkeypatch.setattr(train_module, "add_trained", added)
    assert _run(project) == "v1"
    assert _weights(project) == {"v1"}
    assert [version.name for version in project.versions()] == ["v1"]


class _Awaited(Future[None]):
    """A job of the writer; whoever waits for it meets an error first."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._errors = [error]

    def result(self, timeout: float | None = None) -> None:
        """The error; then what has become of the job."""
        if self._errors:
            raise self._errors.pop()
        return super().result(timeout)


def test_a_repaired_project_misses_no_weights_that_were_not_kept(project: Project, tmp_path: Path) -> None:
    for _ in range(3):
        _run(project, promoted=False)
    project.close()
    repaired = tmp_path / "repaired.segstudio"
    report = finished(repaired_project(project.path, repaired))
    assert report.lost_weights == ()
    with Project.open(repaired, write=False) as again:
        assert _without(again) == {"v1", "v2"}
        assert {path.stem for path in (repaired / "models").glob("*.json")} == {"v1", "v2", "v3"}


def test_a_round_that_is_interrupted_and_resumed_is_a_round_still(project: Project) -> None:
    begun = train(project, FakeEngine(promoted=False), Choices(max_steps=1), picks_up=True, resumable=True)  # type: ignore[arg-type]
    while not isinstance(next(begun), Checkpointed):
        pass
    begun.close()
    found = interrupted_run(project)
    assert found is not None
    engine = FakeEngine(promoted=False)
    result = finished(train(project, engine, found.choices, resume=found, resumable=True))  # type: ignore[arg-type]
    assert engine.asked[0].resume
    assert engine.asked[0].picks_up
    _run(project, promoted=False)
    assert result.version in _without(project)  # no person made it


def test_a_round_does_not_begin_where_the_disk_has_no_room_to_spare(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 300_000_000))
    with pytest.raises(DiskRefused, match="needs 500 MB free on the disk of the project"):
        _run(project)
    assert project.runs() == []
    assert _run(project, round_=False) == "v1"  # asked for by a person


def test_weights_that_go_while_a_backup_is_made_do_not_end_it(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        _run(project, promoted=False)
    (project.path / "models" / "v1.safetensors").write_bytes(b"w")  # left behind
    copied: Callable[..., None] = backup._copy_file

    def copy(source: Path, target: Path, tick: object) -> None:
        if source.name == "v1.safetensors":
            source.unlink()
        copied(source, target, tick)

    monkeypatch.setattr(backup, "_copy_file", copy)
    back_up(project, tmp_path / "copy.segstudio", lambda *_: None)
    with Project.open(tmp_path / "copy.segstudio", write=False) as again:
        assert _without(again) == {"v1"}
        assert _weights(again) == {"v2"}
