"""The check of labels in a window: what was found follows the labels, and mending is one step of undo."""

from collections.abc import Generator, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from segstudio.app.editing import lint_looks
from segstudio.app.editing.lint import Lint
from segstudio.app.editing.mistakes import Mistakes
from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.lint.finding import LintKind
from segstudio.labels.lint.image_look import ImageLook
from segstudio.labels.model import Cause, Status
from segstudio.tasks.images.remove import remove_images
from segstudio.tasks.labels.lint import look_at_image
from tests.app.proposal_desk import Desk


@pytest.fixture
def lint(desk: Desk) -> Iterator[Lint]:
    mistakes = Mistakes(desk.ground, None, desk.documents, desk.navigation)  # type: ignore[arg-type]
    owner = Lint(desk.ground, desk.documents, desk.navigation, desk.finishing.fills, mistakes)
    yield owner
    owner.close()
    mistakes.close()


def change(desk: Desk, name: str, **columns: object) -> None:
    found = desk.documents.classes.named(name)
    assert found is not None
    edit = Edit(None, Cause.CLASSES, rows=(changed_class_row(found, **columns),))  # type: ignore[arg-type]
    desk.documents.commit_classes(edit)


def dot(desk: Desk, x: float, y: float, radius: float) -> None:
    desk.documents.tools.set_radius(radius)
    desk.stroke(x, y)


def with_speck(desk: Desk, image: int) -> None:
    """A disc of cell and one pixel of it apart, in an image."""
    desk.shows(image)
    desk.documents.choose_class("cell")
    dot(desk, 30, 30, 8)
    dot(desk, 60.5, 50.5, 0.5)


def ready(desk: Desk, lint: Lint) -> None:
    desk.qtbot.waitUntil(lambda: lint.looks.complete, timeout=20_000)


def kinds(lint: Lint) -> list[LintKind]:
    return [one.kind for one in lint.findings]


def test_nothing_is_looked_at_until_somebody_wants_to_know(desk: Desk, lint: Lint) -> None:
    with_speck(desk, 0)
    desk.qtbot.wait(400)
    assert (lint.findings, lint.looks.complete) == ((), False)
    lint.watch(True)
    ready(desk, lint)
    assert kinds(lint) == [LintKind.SPECK, LintKind.UNUSED_CLASS]
    assert (lint.looks.known, lint.looks.total) == (3, 3)


def test_a_finding_that_is_edited_away_goes_and_undo_brings_it_back(desk: Desk, lint: Lint) -> None:
    with_speck(desk, 0)
    lint.watch(True)
    ready(desk, lint)
    lint.choose(lint.findings[0])
    desk.documents.tools.set_radius(12)
    desk.documents.tools.choose("eraser")
    desk.stroke(60, 50)
    desk.qtbot.waitUntil(lambda: LintKind.SPECK not in kinds(lint))
    assert lint.chosen is None
    desk.documents.undo()
    desk.qtbot.waitUntil(lambda: LintKind.SPECK in kinds(lint))


def test_only_the_image_that_was_changed_is_looked_at_again(
    desk: Desk, lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_speck(desk, 0)
    lint.watch(True)
    ready(desk, lint)
    looked: list[int] = []
    monkeypatch.setattr(lint_looks, "look_at_image", lambda *a: looked.append(a[1]) or look_at_image(*a))
    desk.shows(1)
    dot(desk, 20, 20, 5)
    desk.qtbot.waitUntil(lambda: bool(looked) and lint.looks.complete)
    assert looked == [desk.navigation.rows[1].id]


def test_another_colour_of_a_class_changes_nothing_and_a_class_that_goes_does(
    desk: Desk, lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_speck(desk, 0)
    lint.watch(True)
    ready(desk, lint)
    looked: list[int] = []
    monkeypatch.setattr(lint_looks, "look_at_image", lambda *a: looked.append(a[1]) or look_at_image(*a))
    change(desk, "cell", color="#123456")
    desk.qtbot.wait(300)
    assert looked == []
    change(desk, "cell", removed=True)
    desk.qtbot.waitUntil(lambda: kinds(lint) == [LintKind.UNUSED_CLASS] and lint.looks.complete)
    assert len(looked) == 3


def test_choosing_a_finding_goes_to_its_image_and_marks_it(desk: Desk, lint: Lint) -> None:
    with_speck(desk, 1)
    desk.shows(0)
    lint.watch(True)
    ready(desk, lint)
    sought: list[Rect] = []
    lint.sought.connect(sought.append)
    lint.step(1)
    desk.qtbot.waitUntil(lambda: bool(sought))
    assert desk.navigation.index == 1
    assert sought == [Rect(60, 50, 1, 1).grown(24)]
    assert desk.documents.tools.overlay
    assert desk.said[-1] == "Finding 1 of 2"
    lint.step(-1)
    assert desk.said[-1] == "This is the first finding."
    desk.shows(2)
    assert not desk.documents.tools.overlay


def test_the_next_one_before_anything_is_known_looks_first(desk: Desk, lint: Lint) -> None:
    with_speck(desk, 0)
    lint.step(1)
    assert desk.said[-1] == "Checking the labels …"
    desk.qtbot.waitUntil(lambda: lint.chosen is not None)
    assert lint.chosen == lint.findings[0]


def test_a_step_without_a_list_looks_until_all_is_known_and_no_longer(
    desk: Desk, lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_speck(desk, 0)
    dot(desk, 70.5, 60.5, 0.5)
    lint.step(1)
    desk.qtbot.waitUntil(lambda: lint.chosen is not None)
    looked: list[int] = []
    monkeypatch.setattr(lint_looks, "look_at_image", lambda *a: looked.append(a[1]) or look_at_image(*a))
    lint.mend_chosen()
    desk.qtbot.wait(500)
    assert looked == []
    lint.step(1)
    assert lint.chosen is not None
    assert lint.chosen.rect == Rect(70, 60, 1, 1)
    ready(desk, lint)
    assert looked == [desk.navigation.rows[0].id]
    assert kinds(lint).count(LintKind.SPECK) == 1


def test_after_mending_the_next_one_is_that_in_its_place(desk: Desk, lint: Lint) -> None:
    with_speck(desk, 0)
    dot(desk, 70.5, 60.5, 0.5)
    lint.watch(True)
    ready(desk, lint)
    lint.step(1)
    lint.mend_chosen()
    desk.qtbot.waitUntil(lambda: lint.looks.complete and kinds(lint).count(LintKind.SPECK) == 1)
    lint.step(1)
    assert lint.chosen is not None
    assert lint.chosen.rect == Rect(70, 60, 1, 1)


def test_one_is_mended_and_undone(desk: Desk, lint: Lint) -> None:
    with_speck(desk, 0)
    before = desk.read()[0]
    lint.watch(True)
    ready(desk, lint)
    lint.choose(lint.findings[0])
    lint.mend_chosen()
    assert desk.said[-1] == "1 finding mended."
    assert (desk.read()[0] != before).sum() == 1
    desk.documents.undo()
    assert (desk.read()[0] == before).all()


def test_all_of_a_kind_in_several_images_are_mended_and_undone_in_one_step(desk: Desk, lint: Lint) -> None:
    with_speck(desk, 0)
    with_speck(desk, 1)
    lint.watch(True)
    ready(desk, lint)
    assert lint.counts[LintKind.SPECK] == 2
    lint.mend_all(LintKind.SPECK)
    desk.qtbot.waitUntil(lambda: desk.said[-1:] == ["2 findings mended."])
    desk.qtbot.waitUntil(lambda: lint.looks.complete and LintKind.SPECK not in kinds(lint))
    desk.documents.undo()
    desk.qtbot.waitUntil(lambda: kinds(lint).count(LintKind.SPECK) == 2 and lint.looks.complete)


def test_a_done_image_with_gaps_is_mended_with_background(desk: Desk, lint: Lint) -> None:
    with_speck(desk, 0)
    opened = desk.documents.current
    assert opened is not None
    row = Edit(opened.document.image, Cause.STATUS, rows=(_status(opened.document.image, opened.document.status),))
    desk.documents.commit(row)
    lint.watch(True)
    ready(desk, lint)
    assert lint.counts[LintKind.UNKNOWN_IN_DONE] == 1
    lint.mend_all(LintKind.UNKNOWN_IN_DONE)
    desk.qtbot.waitUntil(lambda: LintKind.UNKNOWN_IN_DONE not in kinds(lint))
    assert (desk.read()[0] != 0).all()


def _status(image: int, before: Status) -> RowChange:
    return RowChange(Table.IMAGES, image, {"status": before.value}, {"status": Status.DONE.value})


def test_unused_classes_are_taken_out_in_one_edit(desk: Desk, lint: Lint) -> None:
    lint.watch(True)
    ready(desk, lint)
    assert kinds(lint) == [LintKind.UNUSED_CLASS, LintKind.UNUSED_CLASS]
    before = desk.documents.submitted
    lint.mend_all(LintKind.UNUSED_CLASS)
    assert desk.documents.submitted == before + 1
    assert [c.name for c in desk.documents.classes] == ["background"]
    assert desk.said[-1] == "2 classes were removed: cell, crack. Undo brings them back."


def test_what_only_a_person_can_decide_is_explained(desk: Desk, lint: Lint) -> None:
    desk.shows(0)
    desk.documents.choose_class("cell")
    dot(desk, 30, 30, 3)
    lint.watch(True)
    ready(desk, lint)
    assert kinds(lint)[0] is LintKind.NEARLY_EMPTY_CLASS
    assert not lint.can_mend(LintKind.NEARLY_EMPTY_CLASS)
    lint.choose(lint.findings[0])
    lint.mend_chosen()
    assert desk.said[-1].startswith("A class with few pixels is only shown")


def test_what_is_locked_is_left_and_said(desk: Desk, lint: Lint) -> None:
    with_speck(desk, 0)
    change(desk, "cell", locked=True)
    lint.watch(True)
    ready(desk, lint)
    before = desk.documents.submitted
    lint.choose(lint.findings[0])
    lint.mend_chosen()
    assert desk.said[-1] == "Nothing was mended: something there is locked, or has changed since."
    assert desk.documents.submitted == before


def test_a_read_only_window_says_so(desk: Desk, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    with_speck(desk, 0)
    lint.watch(True)
    ready(desk, lint)
    lint.choose(lint.findings[0])
    writer = desk.project.writer
    monkeypatch.setattr(desk.project, "writer", None)
    monkeypatch.setattr(desk.project, "why_read_only", "read-only: Anna writes it")
    lint.mend_chosen()
    assert desk.said[-1] == "read-only: Anna writes it"
    assert not lint.can_mend(LintKind.SPECK)
    monkeypatch.setattr(desk.project, "writer", writer)


def test_a_run_or_an_export_is_told_once_of_the_same_findings(desk: Desk, lint: Lint) -> None:
    told: list[int] = []
    lint.reminded.connect(lambda: told.append(len(lint.findings)))
    with_speck(desk, 0)
    lint.remind()
    desk.qtbot.waitUntil(lambda: told == [2])
    lint.remind()
    desk.qtbot.wait(300)
    assert told == [2]
    dot(desk, 70.5, 60.5, 0.5)
    lint.remind()
    desk.qtbot.waitUntil(lambda: told == [2, 3])


def test_labels_without_faults_are_not_told_of(desk: Desk, lint: Lint) -> None:
    told: list[int] = []
    lint.reminded.connect(lambda: told.append(1))
    for name, x in (("cell", 20), ("crack", 50)):
        desk.shows(0)
        desk.documents.choose_class(name)
        dot(desk, x, 30, 9)
    lint.remind()
    desk.qtbot.waitUntil(lambda: lint.looks.complete)
    desk.qtbot.wait(50)
    assert (lint.findings, told) == ((), [])


def test_an_image_that_was_taken_out_has_no_findings_any_more(desk: Desk, lint: Lint) -> None:
    with_speck(desk, 0)
    with_speck(desk, 1)
    lint.watch(True)
    ready(desk, lint)
    assert lint.counts[LintKind.SPECK] == 2
    desk.shows(2)
    remove_images(desk.project, [desk.navigation.rows[0].path])
    desk.navigation.reload()
    desk.qtbot.waitUntil(lambda: lint.looks.complete and lint.counts[LintKind.SPECK] == 1)
    assert lint.looks.total == 2


def test_an_image_that_is_taken_out_while_it_is_looked_at_and_then_rewritten_is_forgotten(
    desk: Desk, lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_speck(desk, 0)
    with_speck(desk, 1)
    desk.shows(2)
    begun, go_on = Event(), Event()

    def slow(*arguments: Any) -> Generator[int, None, ImageLook]:
        begun.set()
        assert go_on.wait(20)
        return (yield from look_at_image(*arguments))

    monkeypatch.setattr(lint_looks, "look_at_image", slow)
    lint.watch(True)
    desk.qtbot.waitUntil(begun.is_set)
    assert lint.looks._at is not None
    image = lint.looks._at
    remove_images(desk.project, [row.path for row in desk.navigation.rows if row.id == image])
    desk.navigation.reload()
    desk.documents.rewritten.emit(frozenset({image}))
    go_on.set()
    desk.qtbot.waitUntil(lambda: lint.looks.complete)
    assert lint.looks.total == 2
    assert image not in {found.image for found in lint.findings}


def test_closing_waits_for_no_look_that_is_under_way(desk: Desk, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Event()

    def slow(*_: object) -> Iterator[int]:
        while True:
            begun.set()
            yield 1

    monkeypatch.setattr(lint_looks, "look_at_image", slow)
    lint.watch(True)
    desk.qtbot.waitUntil(begun.is_set)
    lint.close(5)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
