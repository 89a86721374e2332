"""The first, second, third ... write of an export, a run or kept edits refused in turn, until one passes untouched."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from segstudio.errors import DiskRefused, ProjectDamaged
from segstudio.imaging.readers.table import OWN_MASK
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, Seq
from segstudio.runs import Choices
from segstudio.store.project import Project
from segstudio.store.writing import waiting_edits
from segstudio.tasks.labels.export import export
from segstudio.tasks.labels.import_masks import import_masks
from segstudio.tasks.learning.train import train
from segstudio.tasks.progress import finished
from tests.refusing_files import refused_from
from tests.tasks.fake_training import FakeEngine

Mask = Callable[..., Path]


@pytest.fixture
def labelled(project: Project, mask: Mask) -> Project:
    finished(import_masks(project, "png", mask("a.png", (1, 0, 0, 5, 5), ground=0)))
    finished(import_masks(project, "png", mask("sub/c.png", (2, 9, 9, 3, 3)).parents[0]))
    return project


def refusal_of(work: Callable[[], object]) -> str:
    """What was said of a refusal; '' where there was none."""
    try:
        work()
    except DiskRefused as error:
        return error.line
    return ""


@pytest.mark.parametrize("form", ["png", "coco"])
def test_an_export_that_is_refused_at_any_write_leaves_only_whole_files(
    labelled: Project, tmp_path: Path, form: str
) -> None:
    met, nth = True, 0
    while met:
        out = tmp_path / f"out-{nth}"
        (out / "masks").mkdir(parents=True)
        old = OWN_MASK + b", what was there before"
        (out / "masks" / "a.png").write_bytes(old)
        with refused_from(nth) as refusal:
            said = refusal_of(lambda out=out: finished(export(labelled, form, out)))
        assert not said or ("No space left on device" in said and "The labels are safe." in said)
        assert bool(said) == refusal.met
        for file in out.rglob("*.*"):
            if file.read_bytes() == old:
                continue
            if file.suffix == ".json":
                json.loads(file.read_text())
            else:
                with Image.open(file) as image:
                    image.load()
        assert not list(tmp_path.glob("*.part"))
        met, nth = refusal.met, nth + 1
    assert nth > 4


@pytest.mark.skipif(os.name == "nt", reason="a folder cannot be synced here")
def test_an_export_is_called_done_once_its_names_are_synced(
    labelled: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, os.replace
    kinds = {True: "folder", False: "file"}
    monkeypatch.setattr(os, "fsync", lambda fd: (done.append(kinds[stat.S_ISDIR(os.fstat(fd).st_mode)]), sync(fd))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append("name"), replace(a, b))[1])
    finished(export(labelled, "png", tmp_path / "out"))
    assert done == ["file"] * 2 + ["name"] * 2 + ["folder"] * len(done[4:])
    assert len(done[4:]) == 4  # beside the export, its folder, masks, masks/sub


def test_an_export_names_the_image_whose_labels_are_damaged(labelled: Project, tmp_path: Path) -> None:
    assert labelled.writer is not None
    labelled.writer.call(lambda db: db.execute("UPDATE tiles SET data = x'01' WHERE image = 1")).result(30)
    with pytest.raises(ProjectDamaged, match=r"'a\.png'"):
        finished(export(labelled, "png", tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    assert finished(export(labelled, "png", tmp_path / "out", images="sub/*")).images == 1


def test_a_run_that_is_refused_at_any_write_leaves_no_version_that_is_not_whole(labelled: Project) -> None:
    met, nth = True, 0
    labels = [labelled.labels_sha256(row.id) for row in labelled.images()]
    while met:
        before = len(labelled.versions())
        with refused_from(nth) as refusal:
            said = refusal_of(lambda: finished(train(labelled, FakeEngine(), Choices(max_steps=1))))  # type: ignore[arg-type]
        assert not said or ("No space left on device" in said and "Everything painted is safe" in said)
        met = refusal.met
        assert len(labelled.versions()) == before + (not met)
        for version in labelled.versions():
            assert (labelled.path / "models" / f"{version.name}.safetensors").read_bytes() == b"w" * 50_000
            msgspec.json.decode((labelled.path / "models" / f"{version.name}.json").read_bytes())
        assert len(list((labelled.path / "models").iterdir())) == 2 * len(labelled.versions())
        assert not list((labelled.path / "models").glob(".*"))
        assert all(run.state in ("failed", "done") for run in labelled.runs())
        nth += 1
    assert nth > 8
    assert labels == [labelled.labels_sha256(row.id) for row in labelled.images()]


def test_edits_that_are_kept_aside_are_the_old_ones_or_all_of_them_at_any_refused_write(
    project: Project, user_folders: Path
) -> None:
    first, second = Edit(None, Cause.CLASSES), Edit(None, Cause.CLASSES)
    path = waiting_edits.keep(project.uuid, project.path, [(Seq(1), first)])
    kept = path.read_bytes()
    met, nth = True, 0
    while met:
        path.write_bytes(kept)
        with refused_from(nth) as refusal:
            said = refusal_of(lambda: waiting_edits.keep(project.uuid, project.path, [(Seq(2), second)]))
        assert not said or "could be saved neither" in said
        met, nth = refusal.met, nth + 1
        assert len(waiting_edits.read_waiting(path)) in ((1, 2) if met else (2,))
        assert user_folders in path.parents
    path.unlink()
