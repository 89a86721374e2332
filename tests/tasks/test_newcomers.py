"""New images are found beside those of a project: in their folders, not below, once, and without masks."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.store.progress_token import Ticker
from segstudio.store.project import Project
from segstudio.tasks.images.add import additions_of, write_additions
from segstudio.tasks.images.newcomers import Mark, Newcomers, newcomers
from segstudio.tasks.images.remove import remove_images
from segstudio.tasks.images.scan import Scan
from segstudio.tasks.progress import finished
from tests.tasks.pictures import picture, project_of


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """The images a.png, sub/b.png and sub/c.png of tmp_path/images, open for writing."""
    with Project.open(project_of(tmp_path)) as opened:
        yield opened


def found(project: Project, passed: frozenset[Mark] = frozenset()) -> Newcomers:
    return finished(newcomers(project, passed))


def names(new: Newcomers) -> list[str]:
    return [file.path for file in new.files]


def test_a_new_file_is_named_as_its_neighbours_are_and_added_so(project: Project, tmp_path: Path) -> None:
    picture(tmp_path / "images/sub/d_10.png", 10)
    picture(tmp_path / "images/sub/d_9.png", 11)
    picture(tmp_path / "images/e.png", 12)
    new = found(project)
    assert (names(new), new.folders) == (["e.png", "sub/d_9.png", "sub/d_10.png"], 2)
    plan = finished(additions_of(project, Scan(list(new.files), []), lenient=True))
    write_additions(project, plan, Ticker()).result(30)
    assert [row.path for row in project.images()][3:] == ["e.png", "sub/d_9.png", "sub/d_10.png"]
    assert names(found(project)) == []


def test_other_folders_are_not_looked_through(project: Project, tmp_path: Path) -> None:
    picture(tmp_path / "images/another/x.png", 10)
    picture(tmp_path / "y.png", 11)
    assert names(found(project)) == []


def test_removed_images_copies_hidden_files_and_masks_are_not_new(project: Project, tmp_path: Path) -> None:
    remove_images(project, ["sub/b.png"])
    shutil.copyfile(tmp_path / "images/a.png", tmp_path / "images/copy.png")
    labels = np.zeros((40, 60), np.uint8)
    labels[10:20, 10:20] = 1
    mask = Image.fromarray(labels, "P")
    mask.putpalette([0, 0, 0, 255, 0, 0])
    mask.save(tmp_path / "images/sub/c_mask.png")
    picture(tmp_path / "images/.hidden.png", 12)
    assert names(found(project)) == []


def test_what_cannot_be_read_is_named_and_what_is_no_image_is_not(project: Project, tmp_path: Path) -> None:
    (tmp_path / "images/scan.psd").write_bytes(b"8BPS" + bytes(128) + bytes(64))
    (tmp_path / "images/notes.txt").write_text("none", encoding="utf-8")
    new = found(project)
    assert new.files == ()
    assert [file.reason.word for file in new.skipped] == ["Photoshop: not supported yet"]
    assert len(new.looked_at) == 2


def test_a_file_that_was_looked_at_is_new_again_only_when_it_has_changed(project: Project, tmp_path: Path) -> None:
    half = tmp_path / "images/half.png"
    whole = picture(tmp_path / "whole.png", 10).read_bytes()
    half.write_bytes(whole[:20])
    first = found(project)
    assert (names(first), len(first.looked_at)) == ([], 1)
    second = found(project, first.looked_at)
    assert (second.files, second.looked_at) == ((), frozenset())
    half.write_bytes(whole)
    assert names(found(project, first.looked_at)) == ["half.png"]


def test_a_file_that_was_half_copied_is_found_once_it_is_whole_though_its_folder_has_not_changed(
    project: Project, tmp_path: Path
) -> None:
    half = tmp_path / "images/half.png"
    whole = picture(tmp_path / "whole.png", 10).read_bytes()
    half.write_bytes(b"")
    passed: frozenset[Mark] = frozenset()
    settled: frozenset[Mark] = frozenset()

    def look() -> list[str]:
        nonlocal passed, settled
        new = finished(newcomers(project, passed, settled))
        passed, settled = passed | new.looked_at, new.settled
        return names(new)

    assert (look(), look()) == ([], [])
    half.write_bytes(whole[:20])
    assert (look(), look()) == ([], [])
    half.write_bytes(whole)
    assert (look(), look()) == (["half.png"], [])


def test_of_files_that_are_no_images_nothing_is_read_twice(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images/notes.txt").write_text("none", encoding="utf-8")
    (tmp_path / "images/text.png").write_text("none", encoding="utf-8")
    settled = found(project).settled
    monkeypatch.setattr(Project, "images", lambda *_args, **_named: pytest.fail("the list of images was read"))
    assert finished(newcomers(project, (), settled)).settled == settled


def test_a_folder_that_is_gone_is_passed_over(project: Project, tmp_path: Path) -> None:
    os.rename(tmp_path / "images/sub", tmp_path / "away")
    picture(tmp_path / "images/e.png", 12)
    assert names(found(project)) == ["e.png"]


def test_folders_that_have_not_changed_are_not_read_again(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled = found(project).settled
    assert {folder for folder, _size, _time in settled} == {str(tmp_path / "images"), str(tmp_path / "images/sub")}
    with monkeypatch.context() as patch:
        patch.setattr(Project, "images", lambda *_args, **_named: pytest.fail("the list of images was read"))
        assert finished(newcomers(project, (), settled)).settled == settled
    picture(tmp_path / "images/e.png", 12)
    assert names(finished(newcomers(project, (), settled))) == ["e.png"]
