"""The check of labels finds what SciPy finds over whole arrays, wherever the borders of blocks lie."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect
from segstudio.labels.document import Document
from segstudio.labels.done_planes import Marks
from segstudio.labels.lint import plane as lint_plane
from segstudio.labels.lint.finding import Finding, LintKind
from segstudio.labels.lint.image_look import ImageLook, class_findings, findings_of, look_at, tiles_to_look_at
from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind, ObjectId, Status
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import EMPTY, frozen
from tests.labels.label_strategies import a_class
from tests.labels.lint_oracle import Fault, expected
from tests.labels.object_plates import painted_document

CLASSES = ClassTable(
    [a_class(1, Kind.BACKGROUND), a_class(2, Kind.SEMANTIC), a_class(3, Kind.INSTANCE), a_class(4, Kind.IGNORE)]
)
CLASS_OF = np.array([0, 1, 2, 3, 3, 3, 4])
"""By id of the objects that `painted_document` makes."""


def look(document: Document, classes: ClassTable = CLASSES, below: int = 9) -> ImageLook:
    """Look at an image, to the end."""
    steps = look_at(document, classes, below)
    tiles = 0
    while True:
        try:
            tiles += next(steps)
        except StopIteration as end:
            assert tiles == tiles_to_look_at(document)
            return end.value


def faults(findings: Iterable[Finding]) -> list[Fault]:
    """Findings as the oracle gives them."""
    out: list[Fault] = []
    for found in findings:
        assert found.rect is not None
        out.append((found.kind, found.class_id or 0, found.object_id or 0, found.rect, found.pixels))
    return out


def document_of(rows: list[str], *, done: bool = False) -> Document:
    """A document of one plane drawn with digits, the ids of objects; a dot is unknown."""
    ids = np.array([[0 if sign == "." else int(sign) for sign in row] for row in rows])
    document = painted_document(ids)
    document.marks = Marks(Status.DONE if done else Status.IN_PROGRESS)
    return document


@st.composite
def _ids(draw: st.DrawFn) -> NDArray[np.int_]:
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    w, h = draw(st.integers(1, 37)), draw(st.integers(1, 29))
    block = draw(st.sampled_from([1, 2, 3, 5]))
    values = np.array(draw(st.lists(st.integers(0, 6), min_size=1, max_size=5)))
    coarse = values[rng.integers(0, len(values), (h // block + 1, w // block + 1))]
    ids = np.kron(coarse, np.ones((block, block), np.int_))[:h, :w]
    noise = rng.random(ids.shape) < draw(st.sampled_from([0.0, 0.03, 0.2]))
    ids[noise] = rng.integers(0, 7, int(noise.sum()))
    return ids


@settings(max_examples=80, deadline=None)
@given(
    ids=_ids(),
    block=st.sampled_from([1, 2, 3, 7, 16, 1024]),
    below=st.sampled_from([1, 2, 4, 9, 30]),
    done=st.booleans(),
)
def test_every_fault_is_found_once_wherever_blocks_end(
    ids: NDArray[np.int_], block: int, below: int, done: bool
) -> None:
    document = painted_document(ids)
    document.marks = Marks(Status.DONE if done else Status.IN_PROGRESS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lint_plane, "_BLOCK", block)
        steps = look_at(document, CLASSES, below)
        try:
            while True:
                next(steps)
        except StopIteration as end:
            found = faults(findings_of(end.value))
    assert len(found) == len(set(found))
    assert set(found) == expected(ids, CLASS_OF, [2, 3], [3], 1, below, done=done)


def test_the_only_part_of_a_class_is_no_speck_however_small() -> None:
    assert faults(findings_of(look(document_of(["2....", "....."])))) == []


def test_of_two_small_parts_the_smaller_one_is_a_speck() -> None:
    found = faults(findings_of(look(document_of(["22...2", "......"]))))
    assert found == [(LintKind.SPECK, 2, 2, Rect(5, 0, 1, 1), 1)]


def test_parts_that_meet_at_a_corner_are_one_and_holes_that_do_are_two() -> None:
    document = document_of(["222222", "2.2222", "22.222", "222222", "......", "2....."])
    found = faults(findings_of(look(document)))
    assert found == [
        (LintKind.SPECK, 2, 2, Rect(0, 5, 1, 1), 1),
        (LintKind.PINHOLE, 2, 2, Rect(1, 1, 1, 1), 1),
        (LintKind.PINHOLE, 2, 2, Rect(2, 2, 1, 1), 1),
    ]


def test_another_class_within_one_is_no_hole_and_neither_is_one_that_is_to_be_ignored() -> None:
    assert faults(findings_of(look(document_of(["22222", "23262", "22222"])))) == []


def test_a_hole_of_background_and_unknown_pixels_is_one() -> None:
    found = faults(findings_of(look(document_of(["2222", "21.2", "2222"]))))
    assert found == [(LintKind.PINHOLE, 2, 2, Rect(1, 1, 2, 1), 2)]


def test_a_gap_at_the_edge_of_the_image_is_no_hole() -> None:
    assert faults(findings_of(look(document_of(["222", "2.2"])))) == []


def test_a_hole_between_two_objects_belongs_to_the_one_with_more_of_its_edge() -> None:
    found = faults(findings_of(look(document_of(["33344", "33.44", "33344"]))))
    assert (LintKind.PINHOLE, 3, 3, Rect(2, 1, 1, 1), 1) in found


def test_two_objects_that_share_an_edge_touch_once_and_those_that_meet_at_a_corner_do_not() -> None:
    found = faults(findings_of(look(document_of(["33.....", "3344...", "....5.."]))))
    assert found == [(LintKind.TOUCHING, 3, 3, Rect(1, 1, 2, 1), 2)]


def test_unlabelled_pixels_count_once_the_image_is_done() -> None:
    rows = ["11.", "111", ".11"]
    assert faults(findings_of(look(document_of(rows)))) == []
    assert faults(findings_of(look(document_of(rows, done=True)))) == [
        (LintKind.UNKNOWN_IN_DONE, 0, 0, Rect(2, 0, 1, 1), 1),
        (LintKind.UNKNOWN_IN_DONE, 0, 0, Rect(0, 2, 1, 1), 1),
    ]


def test_a_class_that_was_removed_counts_as_unlabelled_and_one_merged_away_as_the_other() -> None:
    removed = CLASSES.with_class(a_class(2, Kind.SEMANTIC, removed=True))
    found = faults(findings_of(look(document_of(["1122"], done=True), removed)))
    assert found == [(LintKind.UNKNOWN_IN_DONE, 0, 0, Rect(2, 0, 2, 1), 2)]
    merged = CLASSES.with_class(a_class(2, Kind.SEMANTIC, merged_into=ClassId(3)))
    found = faults(findings_of(look(document_of(["2233"]), merged)))
    assert found == [(LintKind.TOUCHING, 3, 2, Rect(1, 0, 2, 1), 2)]


def test_a_class_with_few_pixels_is_nearly_empty_and_one_without_any_is_unused() -> None:
    looks = [look(document_of(["11", "11"])), look(document_of([".2", "22"]))]
    assert list(class_findings(looks, CLASSES)) == [
        Finding(LintKind.NEARLY_EMPTY_CLASS, looks[1].image, 0, ClassId(2), None, Rect(0, 0, 2, 2), 3),
        Finding(LintKind.UNUSED_CLASS, None, None, ClassId(3), None, None, 0),
    ]


def test_a_class_of_a_hundred_pixels_is_not_nearly_empty() -> None:
    kinds = {found.kind for found in class_findings([look(document_of(["2" * 25] * 4))], CLASSES)}
    assert kinds == {LintKind.UNUSED_CLASS}


def test_background_and_ignore_are_never_missed() -> None:
    looks = [look(document_of(["2" * 60, "3" * 60, "3" * 60, "2" * 60]))]
    assert list(class_findings(looks, CLASSES)) == []


def stack(*planes: list[str]) -> Document:
    """A document of several planes drawn with digits, all of class 2 or unknown."""
    raster = Raster([(len(rows[0]), len(rows)) for rows in planes])
    for number, rows in enumerate(planes):
        ids = np.zeros((TILE, TILE), np.uint32)
        drawn = np.array([[0 if sign == "." else int(sign) for sign in row] for row in rows])
        ids[: drawn.shape[0], : drawn.shape[1]] = drawn
        raster.put((number, 0, 0), frozen(ids, (ids > 0).astype(np.uint8)))
    return Document(ImageId(1), raster, {ObjectId(2): ClassId(2)}, 3, Status.IN_PROGRESS)


def test_a_part_is_a_speck_where_another_plane_has_a_larger_one() -> None:
    found = list(findings_of(look(stack(["2222", "2222"], [".2..", "...."]))))
    assert [(one.plane, one.rect) for one in found] == [(1, Rect(1, 0, 1, 1))]


def test_every_plane_of_a_done_image_is_done() -> None:
    document = stack(["2222", "222."], ["2222", ".222"])
    document.marks = Marks(Status.DONE)
    found = [(one.plane, one.kind, one.rect) for one in findings_of(look(document))]
    assert found == [
        (0, LintKind.UNKNOWN_IN_DONE, Rect(3, 1, 1, 1)),
        (1, LintKind.UNKNOWN_IN_DONE, Rect(0, 1, 1, 1)),
    ]


def test_an_image_without_labels_has_no_faults_until_it_is_done() -> None:
    document = Document(ImageId(1), Raster([(40, 30)], lambda _key: EMPTY, ()))
    assert list(findings_of(look(document))) == []
    document.marks = Marks(Status.DONE)
    assert faults(findings_of(look(document))) == [(LintKind.UNKNOWN_IN_DONE, 0, 0, Rect(0, 0, 40, 30), 1200)]
