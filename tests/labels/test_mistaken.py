"""Probable mistakes accepted: the pixels become what they look like, in one edit, and what is locked stays."""

import numpy as np
import pytest

from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.lint.finding import Finding
from segstudio.labels.lint.mending import mended
from segstudio.labels.lint.mistaken import mistake, still_doubted
from segstudio.labels.model import Cause, ClassId, ClassTable, ImageId, Kind, ObjectId, Origin, Seq
from segstudio.labels.paint.objects.locking import locks_changed
from segstudio.labels.paint.objects.parts import Report
from segstudio.labels.tiles.streamed import collected
from tests.labels.label_strategies import a_class, pixels, with_columns
from tests.labels.test_lint import document_of

CLASSES = ClassTable([
    a_class(1, Kind.BACKGROUND),
    a_class(2, Kind.SEMANTIC),
    a_class(3, Kind.INSTANCE),
    a_class(4, Kind.IGNORE),
    a_class(5, Kind.INSTANCE),
])  # fmt: skip
"""Objects 1, 2 and 6 are the only ones of the classes 1, 2 and 4; 3, 4 and 5 are instances of 3."""


def doubt(document: Document, rows: list[str], labelled: int, said: int) -> Finding:
    """A mistake of the pixels drawn as #,."""
    drawn = np.array([[sign == "#" for sign in row] for row in rows])
    ys, xs = np.nonzero(drawn)
    rect = Rect(int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1)
    mask = drawn[rect.y : rect.bottom, rect.x : rect.right]
    return mistake(ImageId(document.image), 0, rect, mask, ClassId(labelled), ClassId(said))


def accept(document: Document, *found: Finding, classes: ClassTable = CLASSES) -> tuple[Edit | None, Report]:
    """Accept mistakes, and apply the edit."""
    report = Report()
    edit = collected(Edit(document.image, Cause.OBJECTS), mended(document.copy(), classes, found, report))
    if edit is not None:
        document.apply(edit)
    return edit, report


def drawn(document: Document) -> list[str]:
    """The objects of a document as `document_of` takes them."""
    return ["".join("." if id_ == 0 else str(id_) for id_ in row) for row in pixels(document)[0].tolist()]


def test_the_pixels_become_the_one_object_of_the_class_and_are_painted() -> None:
    document = document_of(["22221", "22221", "1111."])
    found = doubt(document, [".##..", ".##..", "....."], 2, 1)
    edit, report = accept(document, found)
    assert drawn(document) == ["21121", "21121", "1111."]
    assert {int(origin) for origin in pixels(document)[1][0, 1:3]} == {Origin.PAINTED}
    assert (report.number, report.left, report.pixels) == (1, 0, 4)
    assert not still_doubted(document, CLASSES, found)
    assert edit is not None
    document.apply(edit.inverted(Seq(1), Cause.UNDO))
    assert drawn(document) == ["22221", "22221", "1111."]
    assert still_doubted(document, CLASSES, found)


def test_a_part_that_is_nearly_all_doubted_leaves_no_crumbs() -> None:
    document = document_of(["1222211", "1222211", "1111111", "1111122"])
    found = doubt(document, [".###...", ".####..", ".......", "......."], 2, 1)
    edit, report = accept(document, found)
    assert drawn(document) == ["1111111", "1111111", "1111111", "1111122"]
    assert (report.number, report.pixels) == (1, 8)
    assert edit is not None
    document.apply(edit.inverted(Seq(1), Cause.UNDO))
    assert drawn(document) == ["1222211", "1222211", "1111111", "1111122"]


def test_of_an_instance_class_they_join_the_object_they_share_most_edges_with() -> None:
    document = document_of(["33114", "33114", "11111"])
    accept(document, doubt(document, ["..##.", "...#.", "....."], 1, 3))
    assert drawn(document) == ["33444", "33144", "11111"]


def test_where_no_object_of_the_class_is_beside_them_a_new_one_is_made() -> None:
    document = document_of(["33111", "33111"])
    made = document.next_object
    accept(document, doubt(document, ["...##", "...##"], 1, 3))
    assert document.objects[ObjectId(made)] == 3
    assert (pixels(document)[0][:, 3:5] == made).all()


def test_an_instance_most_of_which_is_doubted_gets_the_other_class_as_it_is() -> None:
    document = document_of(["3333.", "3333.", "....."])
    edit, report = accept(document, doubt(document, ["###..", "###..", "....."], 3, 5))
    assert drawn(document) == ["3333.", "3333.", "....."]
    assert document.objects[ObjectId(3)] == 5
    assert report.number == 1
    assert edit is not None
    document.apply(edit.inverted(Seq(1), Cause.UNDO))
    assert document.objects[ObjectId(3)] == 3


def test_of_an_instance_of_which_little_is_doubted_a_part_becomes_another_one() -> None:
    document = document_of(["333333", "333333"])
    made = document.next_object
    accept(document, doubt(document, ["....##", "....##"], 3, 5))
    assert document.objects[ObjectId(3)] == 3
    assert document.objects[ObjectId(made)] == 5
    assert (pixels(document)[0][:, 4:] == made).all()


def test_two_new_ones_in_one_edit_are_two_objects() -> None:
    document = document_of(["222222", "222222"])
    one, other = doubt(document, ["##....", "##...."], 2, 3), doubt(document, ["....##", "....##"], 2, 3)
    _edit, report = accept(document, one, other)
    ids = pixels(document)[0]
    assert len({int(ids[0, 0]), int(ids[0, 5]), 2}) == 3
    assert report.number == 2


@pytest.mark.parametrize("locked", [2, 1], ids=["the class they have", "the class they look like"])
def test_a_locked_class_neither_gives_nor_takes_them(locked: int) -> None:
    document = document_of(["22221", "22221"])
    classes = with_columns(CLASSES, locked, {"locked": True})
    edit, report = accept(document, doubt(document, [".##..", ".##.."], 2, 1), classes=classes)
    assert (edit, report.number, report.left) == (None, 0, 1)


@pytest.mark.parametrize("locked", [2, 1], ids=["the object that has them", "the object that would take them"])
def test_a_locked_object_neither_gives_nor_takes_them(locked: int) -> None:
    document = document_of(["22221", "22221"])
    document.apply(Edit(document.image, Cause.OBJECTS, rows=locks_changed(document, [ObjectId(locked)], locked=True)))
    edit, report = accept(document, doubt(document, [".##..", ".##.."], 2, 1))
    assert (edit, report.number, report.left) == (None, 0, 1)


def test_labels_that_have_changed_since_are_left() -> None:
    document = document_of(["22221", "22121"])
    found = doubt(document, [".##..", ".##.."], 2, 1)
    assert not still_doubted(document, CLASSES, found)
    edit, report = accept(document, found)
    assert (edit, report.left) == (None, 1)
