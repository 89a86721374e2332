"""Mending what the check of labels finds: it goes, in one edit, and nothing else changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from segstudio.labels.document import Document
from segstudio.labels.done_planes import Marks
from segstudio.labels.edit import Edit
from segstudio.labels.lint import plane as lint_plane
from segstudio.labels.lint.finding import Finding, LintKind
from segstudio.labels.lint.image_look import findings_of
from segstudio.labels.lint.mending import mended
from segstudio.labels.model import Cause, ClassTable, Kind, Origin, Seq, Status
from segstudio.labels.paint.objects.parts import Report
from segstudio.labels.tiles.streamed import collected
from tests.labels.label_strategies import a_class, pixels, some, state
from tests.labels.object_plates import painted_document, plates
from tests.labels.test_lint import CLASSES, document_of, look


def mend(
    document: Document, kind: LintKind, classes: ClassTable = CLASSES, only: list[Finding] | None = None
) -> tuple[Edit | None, Report]:
    """Mend all of a kind, or these, and apply the edit."""
    findings = [found for found in findings_of(look(document, classes)) if found.kind is kind]
    report = Report()
    parts = mended(document.copy(), classes, findings if only is None else only, report)
    edit = collected(Edit(document.image, Cause.OBJECTS), parts)
    if edit is not None:
        document.apply(edit)
    return edit, report


def drawn(document: Document) -> list[str]:
    """The objects of a document as `document_of` takes them."""
    return ["".join("." if id_ == 0 else str(id_) for id_ in row) for row in pixels(document)[0].tolist()]


def test_a_speck_becomes_the_object_around_it_or_unknown() -> None:
    document = document_of(["2222.11111", "2222.12111", "......1111", ".2........"])
    _edit, report = mend(document, LintKind.SPECK)
    assert drawn(document) == ["2222.11111", "2222.11111", "......1111", ".........."]
    assert (report.number, report.left, report.pixels) == (2, 0, 2)


def test_a_pinhole_becomes_the_object_with_more_of_its_edge() -> None:
    document = document_of(["33344", "33.44", "33344"])
    mend(document, LintKind.PINHOLE)
    assert drawn(document) == ["33344", "33344", "33344"]
    assert int(pixels(document)[1][1, 2]) == Origin.PAINTED


def test_what_is_unlabelled_in_a_done_image_becomes_background() -> None:
    document = document_of(["22.1", "2221", ".221"], done=True)
    edit, report = mend(document, LintKind.UNKNOWN_IN_DONE)
    assert drawn(document) == ["2211", "2221", "1221"]
    assert int(pixels(document)[1][0, 2]) == Origin.FILLED
    assert (report.number, report.pixels, document.status) == (2, 2, Status.DONE)
    assert edit is not None
    document.apply(edit.inverted(Seq(1), Cause.UNDO))
    assert drawn(document) == ["22.1", "2221", ".221"]


def test_background_is_made_where_the_image_has_none_yet() -> None:
    document = document_of(["22", "2."], done=True)
    without = Document(document.image, document.raster, {2: 2}, 3, Status.DONE)  # type: ignore[dict-item]
    _edit, report = mend(without, LintKind.UNKNOWN_IN_DONE)
    made = without.single_object(CLASSES.background.id)
    assert made is not None
    assert int(pixels(without)[0][1, 1]) == made
    assert report.number == 1


def test_one_of_two_is_mended_alone() -> None:
    document = document_of(["22.1", "2221", ".221"], done=True)
    second = list(findings_of(look(document)))[1]
    _edit, report = mend(document, LintKind.UNKNOWN_IN_DONE, only=[second])
    assert drawn(document) == ["22.1", "2221", "1221"]
    assert (report.number, report.left) == (1, 0)


@pytest.mark.parametrize(
    ("rows", "kind", "locked"),
    [
        (["22221", "22222", "....1", "2..1."], LintKind.SPECK, 2),
        (["222", "212", "222"], LintKind.PINHOLE, 1),
        (["222", "2.2", "222"], LintKind.PINHOLE, 2),
        (["222", "2.1"], LintKind.UNKNOWN_IN_DONE, 1),
    ],
)
def test_what_is_locked_neither_gives_nor_takes_a_pixel(rows: list[str], kind: LintKind, locked: int) -> None:
    classes = CLASSES.with_class(a_class(locked, CLASSES[locked].kind, locked=True))  # type: ignore[index]
    document = document_of(rows, done=True)
    before = state(document)
    edit, report = mend(document, kind, classes)
    assert edit is None
    assert state(document) == before
    assert (report.number, report.left) == (0, 1)


def test_a_speck_beside_a_locked_object_becomes_what_else_is_there() -> None:
    classes = CLASSES.with_class(a_class(3, Kind.INSTANCE, locked=True))
    document = document_of(["222.333", "222.323", "....3.1"])
    mend(document, LintKind.SPECK, classes)
    assert drawn(document)[1] == "222.3.3"


def test_a_speck_with_nothing_but_locked_objects_around_it_is_left() -> None:
    classes = CLASSES.with_class(a_class(3, Kind.INSTANCE, locked=True))
    document = document_of(["222.333", "222.323", "....333"], done=True)
    edit, report = mend(document, LintKind.SPECK, classes)
    assert edit is None
    assert (report.number, report.left) == (0, 1)


def test_specks_that_touch_become_what_is_around_both() -> None:
    document = document_of(["11111122", "11321122", "11111133"])
    _edit, report = mend(document, LintKind.SPECK)
    assert drawn(document) == ["11111122", "11111122", "11111133"]
    assert (report.number, report.left, report.pixels) == (2, 0, 2)


def test_a_speck_within_a_speck_becomes_what_is_around_that() -> None:
    document = document_of(["111112233", "132311223", "113111223"])
    _edit, report = mend(document, LintKind.SPECK)
    assert drawn(document) == ["111112233", "111111223", "111111223"]
    assert report.left == 0


LOCKED = CLASSES.with_class(a_class(4, Kind.IGNORE, locked=True))


def chain_of(specks: int) -> Document:
    """A row of specks, each of which touches nothing but the next one and what is locked: the last one alone touches a
    large object.
    """
    row = ("23" * specks)[:specks] + "1111"
    wall = "6" * len(row)
    large = ["2" * len(row)] * 3 + ["3" * len(row)] * 3
    return document_of([*large, wall, row, wall, *large], done=True)


def test_a_chain_of_specks_becomes_what_is_at_its_end() -> None:
    document = chain_of(40)
    _edit, report = mend(document, LintKind.SPECK, LOCKED)
    assert drawn(document)[7] == "1" * 44
    assert (report.number, report.left) == (40, 0)


def test_a_long_chain_of_specks_takes_as_much_longer_as_it_is_and_can_be_cancelled_on_the_way() -> None:
    document = chain_of(1000)
    before, turns = state(document), _turns(document)
    assert 2 * 1000 / 256 < turns < 4 * 1000 / 256  # each is found, waits for the next, and is decided
    for turn in range(turns):
        with pytest.raises(_CancelledError):
            _turns(document, turn)
    assert state(document) == before


def _turns(document: Document, cancelled_at: int = -1) -> int:
    """How many steps are told of while specks are mended, one in 256 looks; it may be cancelled at one of them."""
    findings = [found for found in findings_of(look(document, LOCKED)) if found.kind is LintKind.SPECK]
    turns = 0

    def step(_steps: int) -> None:
        nonlocal turns
        if turns == cancelled_at:
            raise _CancelledError
        turns += 1

    collected(Edit(document.image, Cause.OBJECTS), mended(document.copy(), LOCKED, findings, Report(), step))
    return turns


class _CancelledError(Exception):
    pass


def test_what_has_changed_meanwhile_is_left_alone() -> None:
    document = document_of(["2222..2", "2222...", "222...2"])
    gone = list(findings_of(look(document)))
    edited = document_of(["2222.22", "2222...", "222...."])
    before = state(edited)
    edit, report = mend(edited, LintKind.SPECK, only=gone)
    assert edit is None
    assert state(edited) == before
    assert (report.number, report.left) == (0, 2)


@some
@given(
    plates(),
    st.sampled_from([LintKind.SPECK, LintKind.PINHOLE, LintKind.UNKNOWN_IN_DONE]),
    st.sampled_from([256, 1024]),
)
def test_what_was_found_is_gone_and_the_inverse_brings_it_back(
    ids: NDArray[np.int_], kind: LintKind, block: int
) -> None:
    document = painted_document(ids)
    document.marks = Marks(Status.DONE)
    before, untouched = state(document), pixels(document)[0].copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lint_plane, "_BLOCK", block)
        found = [one for one in findings_of(look(document)) if one.kind is kind]
        edit, report = mend(document, kind)
        after = list(findings_of(look(document)))
    assert report.number == len(found)
    assert report.left == 0
    changed = pixels(document)[0] != untouched
    assert int(changed.sum()) == report.pixels
    for one in found:
        assert one not in after
        assert one.rect is not None
        changed[one.rect.y : one.rect.bottom, one.rect.x : one.rect.right] = False
    assert not changed.any()
    if edit is not None:
        document.apply(edit.inverted(Seq(1), Cause.UNDO))
        assert state(document) == before
