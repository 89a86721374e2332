"""The embedded sample as a project."""

from pathlib import Path

import pytest

from segstudio.errors import DiskRefused
from segstudio.store.project import Project
from segstudio.tasks.demo import make_demo_project, read_sample


def test_each_demo_is_a_fresh_copy_beside_the_ones_before(tmp_path: Path) -> None:
    first, second = make_demo_project(tmp_path), make_demo_project(tmp_path)
    assert first.parent.name == "coins"
    assert second.parent.name == "coins-2"
    with Project.open(second) as project:
        names = {image.path for image in project.images()}
    sample = read_sample()
    assert {Path(field.image).name for field in sample.fields} < names
    assert len(names) == len(sample.fields) + len(sample.play)


def test_a_place_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    taken = tmp_path / "a file"
    taken.write_text("not a folder")
    with pytest.raises(DiskRefused, match="cannot be copied"):
        make_demo_project(taken)
