"""Probable label mistakes in the window: found by a button, visited, accepted and kept by keys."""

import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from segstudio.app.values import JobKind, Notice, NoticeKind
from segstudio.engine.protocol import FindMistakes, Mistake, MistakesLooked
from segstudio.geometry import Rect
from segstudio.ui.panels.lint_panel import LintPanel
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

LARGE, FIRST, SECOND = Rect(20, 30, 50, 40), Rect(24, 34, 6, 5), Rect(50, 40, 8, 8)
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def class_id(desk: Desk, name: str) -> int:
    found = desk.documents.classes.named(name)
    assert found is not None
    return found.id


def asks(desk: Desk, times: int = 1) -> None:
    """Wait until the engine is asked for mistakes, for the first time or again, as the newest of its requests."""
    desk.wait(lambda: sum(isinstance(request, FindMistakes) for request in desk.engine.asked) == times)
    assert isinstance(desk.engine.asked[-1], FindMistakes)


def tells(desk: Desk, *found: tuple[int, Rect, float]) -> None:
    """The engine says that these boxes of images (by place in the list) are labelled nucleus and look like debris."""
    for place, rect, score in found:
        mask = zlib.compress(np.packbits(np.ones(rect.area, np.bool_)).tobytes())
        image, box = desk.navigation.rows[place].id, (rect.x, rect.y, rect.w, rect.h)
        labelled, said = class_id(desk, "nucleus"), class_id(desk, "debris")
        desk.engine.answer(Mistake(0, image, 0, box, mask, labelled, said, score))
    desk.engine.answer(MistakesLooked(0, 3, 3))


def ends(desk: Desk) -> None:
    desk.engine.end()
    desk.wait(lambda: not desk.opened.mistakes.searching and desk.opened.mistakes.known)


def press(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def panel(window: MainWindow, desk: Desk) -> Iterator[LintPanel]:
    """The list, in front, over three images with a nucleus in two of them."""
    desk.load(("plate_0000.png", "plate_0001.png", "plate_0002.png"), labelled=False)
    window.canvas.setFocus()
    for place in (0, 1):
        desk.shows(place)
        desk.paint(LARGE, class_id(desk, "nucleus"))
    desk.shows(2)
    QTest.keyClick(window.canvas, Qt.Key.Key_F7)
    desk.wait(lambda: desk.opened.lint.looks.complete)
    yield window.arrangement.lint
    window.arrangement.turn_to("classes")


@pytest.fixture
def found(panel: LintPanel, desk: Desk) -> LintPanel:
    """The list with one mistake in each of the two images, that of the second graver."""
    press(panel.find_button)
    asks(desk)
    tells(desk, (0, FIRST, 4.0), (1, SECOND, 8.0))
    ends(desk)
    return panel


def rows(panel: LintPanel) -> list[str]:
    return [panel.model.words(row) for row in range(panel.model.rowCount())]


def click(panel: LintPanel, row: int) -> None:
    at = panel.view.visualRect(panel.model.index(row, 0)).center()
    QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def number(desk: Desk, n: int) -> None:
    desk.wait(lambda: desk.opened.mistakes.known and len(desk.opened.mistakes.findings) == n)


def at(desk: Desk, place: int) -> None:
    desk.wait(lambda: desk.navigation.index == place and not desk.navigation.loading)
    desk.wait(lambda: desk.documents.tools.overlay)


def test_the_button_finds_them_and_lists_them_first_the_gravest_first(found: LintPanel, desk: Desk) -> None:
    assert found.find_button.objectName() == "findMistakesButton"
    assert rows(found)[:4] == [
        "Probable mistakes: 2",
        "labelled nucleus, looks like debris, 64 px, plate_0001.png at 50, 40",
        "labelled nucleus, looks like debris, 30 px, plate_0000.png at 24, 34",
        "Unused classes: 2",
    ]
    assert found.kind.itemText(1) == "Probable mistakes (2)"
    assert desk.said[-1] == "2 probable mistakes were found. 3 labelled images were compared."


def test_the_search_says_how_far_it_is_and_the_button_stops_it(panel: LintPanel, desk: Desk) -> None:
    press(panel.find_button)
    asks(desk)
    assert (panel.find_button.accessibleName(), panel.progress.text()) == ("Stop the search", "Comparing …")
    tells(desk, (0, FIRST, 4.0))
    desk.wait(lambda: panel.progress.text() == "Compared 3 of 3 …")
    assert desk.session.jobs.of(JobKind.MISTAKES)
    press(panel.find_button)
    number(desk, 1)
    assert panel.find_button.accessibleName() == "Find label mistakes"
    assert not panel.progress.isVisible()
    assert rows(panel)[0] == "Probable mistakes: 1"


def test_a_search_that_stands_still_says_that_it_waits_for_the_run(panel: LintPanel, desk: Desk) -> None:
    press(panel.find_button)
    asks(desk)
    tells(desk, (0, FIRST, 4.0))
    desk.wait(lambda: panel.progress.text() == "Compared 3 of 3 …")
    desk.trains()
    assert panel.progress.text() == "Waiting for the run to end …"
    assert desk.session.jobs.of(JobKind.MISTAKES)[0].text == "Finding label mistakes after the run"
    desk.engine.refuse("The run ended.")
    desk.wait(lambda: panel.progress.text() == "Compared 3 of 3 …")
    assert desk.session.jobs.of(JobKind.MISTAKES)[0].text == "Finding label mistakes"
    press(panel.find_button)
    number(desk, 1)


def test_a_click_goes_there_and_marks_it(found: LintPanel, desk: Desk, window: MainWindow) -> None:
    click(found, 2)
    at(desk, 0)
    middle = window.canvas.to_widget(FIRST.x + FIRST.w / 2, FIRST.y + FIRST.h / 2)
    assert abs(middle.x() - window.canvas.width() / 2) < 3
    assert abs(middle.y() - window.canvas.height() / 2) < 3
    assert (found.mend_button.text(), found.mend_button.isEnabled()) == ("Accept", True)
    assert found.keep_button.isVisible()
    assert not found.mend_all_button.isVisible()


def test_other_findings_have_their_own_buttons(found: LintPanel, desk: Desk) -> None:
    click(found, 4)
    assert (found.mend_button.text(), found.mend_all_button.text()) == ("Remove", "Remove all")
    assert not found.keep_button.isVisible()


def test_keys_go_there_accept_and_undo(found: LintPanel, desk: Desk, window: MainWindow) -> None:
    QTest.keyClick(window.canvas, Qt.Key.Key_F4)
    at(desk, 1)
    before = desk.class_ids()
    QTest.keyClick(window.canvas, Qt.Key.Key_M, CONTROL)
    number(desk, 1)
    after = desk.class_ids()
    assert (after[SECOND.y : SECOND.bottom, SECOND.x : SECOND.right] == class_id(desk, "debris")).all()
    assert (after != before).sum() == SECOND.area
    assert "64 px are 'debris' now." in desk.said
    QTest.keyClick(window.canvas, Qt.Key.Key_Z, CONTROL)
    number(desk, 2)
    assert (desk.class_ids() == before).all()


def test_after_accepting_the_next_one_is_that_in_its_place(found: LintPanel, desk: Desk, window: MainWindow) -> None:
    QTest.keyClick(window.canvas, Qt.Key.Key_F4)
    at(desk, 1)
    QTest.keyClick(window.canvas, Qt.Key.Key_M, CONTROL)
    number(desk, 1)
    QTest.keyClick(window.canvas, Qt.Key.Key_F4)
    at(desk, 0)
    assert found.view.currentIndex().row() == 1


def test_after_accepting_the_next_one_of_the_same_image_is_shown(
    panel: LintPanel, desk: Desk, window: MainWindow
) -> None:
    press(panel.find_button)
    asks(desk)
    tells(desk, (1, FIRST, 4.0), (1, SECOND, 8.0))
    ends(desk)
    QTest.keyClick(window.canvas, Qt.Key.Key_F4)
    at(desk, 1)
    QTest.keyClick(window.canvas, Qt.Key.Key_M, CONTROL)
    number(desk, 1)
    desk.wait(lambda: desk.opened.lint.chosen == desk.opened.mistakes.findings[0])
    assert panel.view.currentIndex().row() == 1
    assert desk.documents.tools.overlay


def test_a_key_keeps_the_label_and_goes_to_the_next(found: LintPanel, desk: Desk, window: MainWindow) -> None:
    QTest.keyClick(window.canvas, Qt.Key.Key_F4)
    at(desk, 1)
    edits = desk.edits
    QTest.keyClick(window.canvas, Qt.Key.Key_M, CONTROL | SHIFT)
    at(desk, 0)
    assert rows(found)[:2] == [
        "Probable mistakes: 1",
        "labelled nucleus, looks like debris, 30 px, plate_0000.png at 24, 34",
    ]
    assert found.view.currentIndex().row() == 1
    press(found.keep_button)
    assert rows(found)[0] == "Unused classes: 2"
    assert desk.edits == edits


def test_what_was_kept_is_not_listed_by_the_next_search(found: LintPanel, desk: Desk, window: MainWindow) -> None:
    click(found, 1)
    at(desk, 1)
    QTest.keyClick(found.view, Qt.Key.Key_M, CONTROL | SHIFT)
    at(desk, 0)
    press(found.find_button)
    asks(desk, 2)
    tells(desk, (0, FIRST, 4.0), (1, SECOND, 8.0))
    ends(desk)
    assert rows(found)[0] == "Probable mistakes: 1"
    assert "plate_0000.png" in rows(found)[1]


def test_painting_over_one_takes_it_off_the_list(found: LintPanel, desk: Desk) -> None:
    desk.shows(0)
    desk.erase(Rect(25, 35, 1, 1))
    number(desk, 1)
    assert rows(found)[0] == "Probable mistakes: 1"


def test_nothing_found_says_so(panel: LintPanel, desk: Desk) -> None:
    press(panel.find_button)
    asks(desk)
    tells(desk)
    ends(desk)
    assert desk.said[-1] == "No probable mistakes were found. 3 labelled images were compared."


def test_too_few_labels_are_said_in_a_notice(panel: LintPanel, desk: Desk) -> None:
    told: list[Notice] = []
    desk.session.notices.told.connect(told.append)
    press(panel.find_button)
    asks(desk)
    desk.engine.refuse("At least two images must be labelled.", "NotEnoughLabels")
    desk.wait(lambda: not desk.opened.mistakes.searching)
    desk.session.notices.told.disconnect(told.append)
    assert [(one.kind, one.job, one.sentence) for one in told] == [
        (NoticeKind.FAILURE, JobKind.MISTAKES, "At least two images must be labelled.")
    ]
    assert panel.find_button.accessibleName() == "Find label mistakes"


def test_the_menu_finds_them_too(window: MainWindow, desk: Desk) -> None:
    window.bars.action("find-mistakes").trigger()
    asks(desk)
    assert window.arrangement.lint.isVisible()
    ends(desk)
    window.arrangement.turn_to("classes")


def test_a_read_only_window_finds_them_and_says_why_it_accepts_none(window: MainWindow, desk: Desk) -> None:
    desk.load(("plate_0000.png", "plate_0001.png"), read_only=True)
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_F7)
    panel = window.arrangement.lint
    ys, xs = np.nonzero(desk.class_ids() == class_id(desk, "nucleus"))
    press(panel.find_button)
    asks(desk)
    tells(desk, (0, Rect(int(xs[0]), int(ys[0]), 1, 1), 4.0))
    ends(desk)
    click(panel, 1)
    assert not panel.mend_button.isEnabled()
    assert panel.mend_button.toolTip().startswith("read-only")
    QTest.keyClick(panel.view, Qt.Key.Key_M, CONTROL)
    desk.wait(lambda: desk.said[-1].startswith("read-only"))
    press(panel.keep_button)
    assert desk.opened.mistakes.findings == ()
    window.arrangement.turn_to("classes")
