"""Images that were moved or renamed are found again by path, by name, by content, and never by name alone."""

import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from segstudio.errors import ReadOnly, UserError
from segstudio.imaging.hashing import content_hash
from segstudio.store.project import Project
from segstudio.tasks.images.relink import relink
from segstudio.tasks.progress import finished
from tests.tasks.pictures import label, picture, project_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return project_of(tmp_path)


def _there(project: Project) -> list[bool]:
    return [row.file.is_file() for row in project.images()]


def test_a_folder_that_moved_is_found_as_a_whole_by_relative_paths(path: Path, tmp_path: Path) -> None:
    moved = shutil.move(tmp_path / "images", tmp_path / "elsewhere")
    with Project.open(path) as project:
        assert _there(project) == [False] * 3
        report = finished(relink(project, moved))
        assert (report.found, report.missing) == (("a.png", "sub/b.png", "sub/c.png"), ())
        assert _there(project) == [True] * 3
        assert {row.root for row in project.images()} == {moved}
        assert [row.path for row in project.images()] == ["a.png", "sub/b.png", "sub/c.png"]
    with Project.open(path, write=False) as reader:
        assert _there(reader) == [True] * 3


def test_renamed_files_are_found_by_their_content_and_the_rest_stays(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with Project.open(path) as project:
        row = project.images()[2]
        project.set_content_hash(row.id, content_hash(row.file)).result(30)
        os.rename(row.file, other / "renamed.png")
        os.utime(other / "renamed.png", ns=(1, 1))
        picture(other / "noise.png", 99)
        report = finished(relink(project, other))
        assert report.found == ("sub/c.png",)
        assert project.images()[2].file == other / "renamed.png"
        assert project.images()[0].root == tmp_path / "images"
        assert finished(relink(project, other)).found == ()


def test_a_file_of_the_same_name_and_another_content_is_not_taken(path: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "images")
    picture(tmp_path / "other" / "a.png", 77)
    with Project.open(path) as project:
        report = finished(relink(project, tmp_path / "other"))
        assert (report.found, report.different) == ((), ("a.png",))
        assert len(report.missing) == 3


def test_names_match_whatever_their_normal_form_and_case(tmp_path: Path) -> None:
    path = project_of(tmp_path, (unicodedata.normalize("NFC", "Bäume/Äste.PNG"),))
    moved = tmp_path / "moved" / unicodedata.normalize("NFD", "bäume")
    moved.mkdir(parents=True)
    (file,) = (tmp_path / "images").rglob("*.PNG")
    os.rename(file, moved / unicodedata.normalize("NFD", "äste.png"))
    with Project.open(path) as project:
        assert len(finished(relink(project, tmp_path / "moved")).found) == 1
        assert _there(project) == [True]


def test_a_project_that_moved_with_its_images_finds_them_without_being_asked(path: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    shutil.move(path, away / path.name)
    shutil.move(tmp_path / "images", away / "images")
    # The old folder is there again, and empty: only the place beside the project has the files.
    (tmp_path / "images").mkdir()
    with Project.open(away / path.name, write=False) as reader:
        assert _there(reader) == [True] * 3


def test_relinking_is_refused_where_nothing_can_be_written_or_looked_through(path: Path, tmp_path: Path) -> None:
    with Project.open(path, write=False) as reader, pytest.raises(ReadOnly):
        finished(relink(reader, tmp_path))
    with Project.open(path) as project, pytest.raises(UserError, match="is not a folder"):
        finished(relink(project, tmp_path / "nowhere"))


def test_labels_stay_with_their_image(path: Path, tmp_path: Path) -> None:
    with Project.open(path) as project:
        image = project.images()[1].id
        label(project, image)
        before = project.labels_sha256(image)
        moved = shutil.move(tmp_path / "images", tmp_path / "elsewhere")
        finished(relink(project, moved))
        assert project.labels_sha256(image) == before
