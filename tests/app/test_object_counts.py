"""How many objects the classes of the image on screen have."""

from collections.abc import Iterator

import pytest

from segstudio.app.editing.tools.pointer import Button
from segstudio.app.viewing.object_counts import ObjectCounts
from segstudio.labels.class_rows import changed_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause
from tests.app.proposal_desk import CELL, Desk


@pytest.fixture
def counts(desk: Desk) -> Iterator[ObjectCounts]:
    desk.documents.commit_classes(_changed(desk, "cell", kind="instance"))
    owner = ObjectCounts(desk.ground, desk.documents, desk.navigation)
    yield owner
    owner.close()


def _changed(desk: Desk, name: str, **columns: object) -> Edit:
    found = desk.documents.classes.named(name)
    assert found is not None
    return Edit(None, Cause.CLASSES, rows=(changed_class_row(found, **columns),))  # type: ignore[arg-type]


def until(desk: Desk, counts: ObjectCounts, number: int) -> None:
    desk.qtbot.waitUntil(lambda: counts.by_class == {CELL: number})


def test_instances_are_counted_as_they_come_and_go_and_background_never(desk: Desk, counts: ObjectCounts) -> None:
    desk.shows(0)
    until(desk, counts, 0)
    desk.documents.tools.set_radius(3)
    desk.stroke(10, 10)
    desk.stroke(40, 10)
    desk.stroke(70, 60, Button.RIGHT)  # background
    until(desk, counts, 2)
    desk.documents.undo()
    desk.documents.undo()
    until(desk, counts, 1)


def test_another_image_has_its_own_and_none_until_they_are_counted(desk: Desk, counts: ObjectCounts) -> None:
    desk.shows(0)
    desk.stroke(10, 10)
    until(desk, counts, 1)
    desk.navigation.open(1)
    assert counts.by_class == {}
    until(desk, counts, 0)
    desk.shows(0)
    until(desk, counts, 1)


def test_objects_of_a_merged_class_count_with_what_it_was_merged_into(desk: Desk, counts: ObjectCounts) -> None:
    desk.documents.commit_classes(_changed(desk, "crack", kind="instance"))
    desk.shows(0)
    desk.documents.tools.set_radius(3)
    desk.stroke(10, 10)
    desk.documents.class_id = next(c.id for c in desk.documents.classes if c.name == "crack")
    desk.stroke(40, 10)
    desk.qtbot.waitUntil(lambda: sum(counts.by_class.values()) == 2)
    desk.documents.commit_classes(_changed(desk, "crack", merged_into=CELL))
    until(desk, counts, 2)
