"""What a second survey of the same labels asks for: nothing."""

from pathlib import Path

import numpy as np
import pytest

from segstudio.engine.project_data import ProjectData
from segstudio.engine.sources import Sources
from segstudio.imaging.source import ImageSource, Stored, open_stored
from segstudio.labels.class_rows import changed_class_row, new_class_row
from segstudio.labels.edit import Edit, RowChange
from segstudio.labels.model import Cause, ClassId, Kind, LabelClass
from segstudio.learn.data import Part
from segstudio.learn.facts import Facts, Looked, survey
from segstudio.store.kept_facts import FACTS, FactsFile
from segstudio.store.project import Project
from tests.engine.conftest import label, new_project


def _closed(stored: Stored) -> ImageSource:
    """Only a file that is gone may be asked for: its refusal says so."""
    assert not stored.first.exists(), f"{stored.first} was opened"
    return open_stored(stored)


def _surveyed(project: Project) -> tuple[Facts, list[str], ProjectData]:
    """The facts, the images whose labels were read for them, and the view. No picture may be opened."""
    data = ProjectData(project, Sources(open_=_closed))
    read: list[str] = []
    file = FactsFile(project.path / FACTS)
    for found in survey(data):
        if isinstance(found, Looked):
            read.append(found.entry.path)
            file.add((data.stamp(found.entry.image, found.entry.plane), found.facts))
        elif isinstance(found, Facts):
            file.flush()
            return found, read, data
    raise AssertionError


def _same(a: Facts, b: Facts) -> bool:
    cells = all(
        np.array_equal(getattr(x, name), getattr(y, name))
        for x, y in zip(a.cells, b.cells, strict=True)
        for name in ("y", "x", "known", "truth", "painted")
    )
    sums = all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("known", "truth", "painted"))
    return cells and sums and (a.planes, a.object_px, a.finished) == (b.planes, b.object_px, b.finished)


@pytest.fixture
def three(tmp_path: Path):
    project, truths = new_project(tmp_path, 4)
    with project:
        for row, truth in zip(project.images()[:3], truths, strict=False):
            label(project, row.id, truth)
        yield project


def _change(project: Project, row: RowChange) -> None:
    project.writing().submit(Edit(None, Cause.CLASSES, {}, (row,)))
    project.writing().flush()


def test_a_second_survey_reads_no_labels_and_says_the_same(three: Project):
    first, read, _ = _surveyed(three)
    assert read == ["0.png", "1.png", "2.png"]
    again, read, data = _surveyed(three)
    assert read == []
    assert data.known.packed_bytes == 0
    assert _same(first, again)


def test_only_what_was_edited_is_read_again(three: Project):
    _surveyed(three)
    blank = np.zeros((192, 192), np.int32)
    blank[:90] = 1
    label(three, three.images()[3].id, blank)
    facts, read, _ = _surveyed(three)
    assert read == ["3.png"]
    assert len(facts.planes) == 4
    (three.path / FACTS).unlink()
    assert _same(facts, _surveyed(three)[0])


def test_a_class_more_changes_nothing_and_one_that_counts_otherwise_does(three: Project):
    first, _, _ = _surveyed(three)
    new = LabelClass(ClassId(3), "new", "#ff0000", Kind.SEMANTIC, 2, 2)
    _change(three, new_class_row(new))
    facts, read, _ = _surveyed(three)
    assert (len(facts.classes), read) == (3, [])
    assert np.array_equal(facts.known[:, :2], first.known)
    blob = three.classes().named("blob")
    assert blob is not None
    _change(three, changed_class_row(blob, removed=True))
    facts, read, _ = _surveyed(three)
    assert len(read) == 3
    assert facts.known[:, 0].all()
    assert not facts.known[:, 1:].any()


def test_of_a_file_that_is_gone_nothing_is_learned_whatever_is_kept(three: Project):
    _surveyed(three)
    three.images()[1].file.unlink()
    facts, read, data = _surveyed(three)
    assert [entry.path for entry in facts.planes] == ["0.png", "2.png"]
    assert read == []
    assert [sentence for sentence in data.unreadable() if "1.png" in sentence and "no such file" in sentence]


def test_which_classes_are_known_is_told_without_reading_labels(three: Project):
    data = ProjectData(three, Sources(open_=_closed))
    assert len(data.known_classes(Part.TRAIN)) == 2
    assert data.known_classes(Part.HELD_OUT) == set()
    assert data.known.packed_bytes == 0
