"""The embedded sample as a project."""

from pathlib import Path

import pytest

from segstudio.errors import DiskRefused
from segstudio.store.project import Project
from segstudio.tasks.sample import make_demo_project, read_sample


def test_each_demo_is_a_fresh_copy_beside_the_ones_before(tmp_path: Path) -> None:
    first, second = make_demo_project(tmp_path), make_demo_project(tmp_path)
    assert (first.parent.name, second.parent.name) == ("retina", "retina-2")
    sample = read_sample().projects[0]
    with Project.open(second) as project:
        names = [image.path for image in project.images()]
    assert names[: len(sample.fields)] == [Path(field.image).name for field in sample.fields]
    assert names[len(sample.fields) :] == [f"play_{Path(picture).name}" for picture in sample.play]


def test_the_other_project_of_the_sample_lies_beside_the_first_with_its_masks(tmp_path: Path) -> None:
    home = make_demo_project(tmp_path).parent
    other = read_sample().projects[1]
    with Project.open(home / f"{other.name}.segstudio") as project:
        assert len(project.images()) == len(other.fields)
    masks = {path.name for path in (home / other.name / "masks").iterdir()}
    assert masks == {Path(field.mask).name for field in other.fields}


def test_a_place_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    taken = tmp_path / "a file"
    taken.write_text("not a folder")
    with pytest.raises(DiskRefused, match="cannot be copied"):
        make_demo_project(taken)
