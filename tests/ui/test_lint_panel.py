"""The check of labels in the window: what it lists, where a click goes, what is mended, and when it is told of."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QToolButton

from segstudio.geometry import Rect
from segstudio.labels.lint.finding import LintKind
from segstudio.ui.panels.lint_panel import LintPanel
from segstudio.ui.theme import DARK, LIGHT
from segstudio.ui.window.icons import icon
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

LARGE, SPECK, OTHER_SPECK = Rect(20, 30, 50, 40), Rect(240, 100, 3, 2), Rect(300, 120, 2, 2)


def class_id(desk: Desk, name: str) -> int:
    found = desk.documents.classes.named(name)
    assert found is not None
    return found.id


@pytest.fixture
def panel(window: MainWindow, desk: Desk) -> Iterator[LintPanel]:
    """The list, in front: two specks of nucleus in the first image, one in the second; membrane and debris unused."""
    desk.load(labelled=False)
    window.canvas.setFocus()
    nucleus = class_id(desk, "nucleus")
    desk.opened.classes.change("nucleus", kind="instance")
    desk.wait(lambda: desk.documents.classes.named("nucleus").kind == "instance")
    for rect in (LARGE, SPECK, OTHER_SPECK):
        desk.paint(rect, nucleus)
    desk.shows(1)
    for rect in (LARGE, SPECK):
        desk.paint(rect, nucleus)
    desk.shows(2)
    QTest.keyClick(window.canvas, Qt.Key.Key_F7)
    found = window.arrangement.lint
    desk.wait(lambda: desk.opened.lint.looks.complete and found.model.rowCount() == 7)
    yield found
    window.arrangement.turn_to("classes")


def rows(panel: LintPanel) -> list[str]:
    return [panel.model.words(row) for row in range(panel.model.rowCount())]


def click(panel: LintPanel, row: int) -> None:
    at = panel.view.visualRect(panel.model.index(row, 0)).center()
    QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def press(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def known(desk: Desk, kind: LintKind, number: int) -> None:
    """Wait until so many of a kind are found."""
    desk.wait(lambda: desk.opened.lint.looks.complete and desk.opened.lint.counts.get(kind, 0) == number)


def test_findings_are_listed_by_kind_with_their_numbers(panel: LintPanel) -> None:
    assert rows(panel) == [
        "Specks: 3",
        "nucleus, 6 px, plate_0000.png at 240, 100",
        "nucleus, 4 px, plate_0000.png at 300, 120",
        "nucleus, 6 px, plate_0001.png at 240, 100",
        "Unused classes: 2",
        "membrane, in no image",
        "debris, in no image",
    ]
    assert [panel.kind.itemText(n) for n in range(panel.kind.count())] == [
        "All kinds (5)",
        "Specks (3)",
        "Unused classes (2)",
    ]


def test_a_hundred_thousand_findings_are_put_together_without_a_call_for_each(panel: LintPanel, desk: Desk) -> None:
    lint = desk.opened.lint
    first, image = lint.findings[0], desk.navigation.rows[0].id
    many = {LintKind.SPECK: [replace(first, rect=Rect(n, 0, 3, 2)) for n in range(100_000)]}
    lint.looks._found[image] = many
    lint.looks._put_together()
    lint.choose(lint.findings[99_999])
    assert _calls(lint.looks._put_together) < 1000  # comparisons among them; benchmarks/lint_list.py has the time
    assert lint.counts[LintKind.SPECK] == panel.model.heading(0)[1] == 100_001
    assert lint.place == 99_999


def _calls(call: Callable[[], object]) -> int:
    """How many functions of Python it calls, each turn of a generator among them."""
    events: Counter[str] = Counter()
    sys.setprofile(lambda _frame, event, _arg: events.update((event,)))
    try:
        call()
    finally:
        sys.setprofile(None)
    return events["call"]


def test_a_click_goes_to_the_image_and_the_place_and_marks_it(panel: LintPanel, desk: Desk, window: MainWindow) -> None:
    click(panel, 2)
    desk.wait(lambda: desk.navigation.index == 0 and not desk.navigation.loading)
    desk.wait(lambda: desk.documents.tools.overlay)
    middle = window.canvas.to_widget(301, 121)
    assert abs(middle.x() - window.canvas.width() / 2) < 3
    assert abs(middle.y() - window.canvas.height() / 2) < 3
    assert panel.view.currentIndex().row() == 2


def test_a_heading_is_no_finding(panel: LintPanel, desk: Desk) -> None:
    click(panel, 0)
    assert desk.opened.lint.chosen is None
    assert not panel.mend_button.isEnabled()
    assert not panel.mend_all_button.isEnabled()


def test_keys_go_from_one_to_the_next_and_mend_it(panel: LintPanel, desk: Desk, window: MainWindow) -> None:
    QTest.keyClick(window.canvas, Qt.Key.Key_F4)
    desk.wait(lambda: desk.navigation.index == 0 and not desk.navigation.loading)
    assert panel.view.currentIndex().row() == 1
    QTest.keyClick(window.canvas, Qt.Key.Key_F4)
    assert panel.view.currentIndex().row() == 2
    QTest.keyClick(window.canvas, Qt.Key.Key_F4, Qt.KeyboardModifier.ShiftModifier)
    assert panel.view.currentIndex().row() == 1
    QTest.keyClick(window.canvas, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    known(desk, LintKind.SPECK, 2)
    desk.wait(lambda: rows(panel)[1] == "nucleus, 4 px, plate_0000.png at 300, 120")
    QTest.keyClick(window.canvas, Qt.Key.Key_F4)
    assert desk.opened.lint.chosen is not None
    assert desk.opened.lint.chosen.rect == OTHER_SPECK


def test_arrows_in_the_list_go_there_too(panel: LintPanel, desk: Desk) -> None:
    panel.view.setFocus()
    QTest.keyClick(panel.view, Qt.Key.Key_Down)
    assert desk.opened.lint.chosen == desk.opened.lint.findings[0]
    QTest.keyClick(panel.view, Qt.Key.Key_End)
    assert desk.opened.lint.chosen == desk.opened.lint.findings[-1]
    QTest.keyClick(panel.view, Qt.Key.Key_Up)
    assert desk.opened.lint.chosen == desk.opened.lint.findings[-2]


def test_one_is_mended_and_undo_brings_it_back(panel: LintPanel, desk: Desk, window: MainWindow) -> None:
    click(panel, 1)
    desk.wait(lambda: desk.navigation.index == 0 and not desk.navigation.loading)
    before = desk.class_ids()
    press(panel.mend_button)
    known(desk, LintKind.SPECK, 2)
    assert (desk.class_ids() != before).sum() == SPECK.area
    assert "1 finding mended." in desk.said
    QTest.keyClick(window.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    known(desk, LintKind.SPECK, 3)
    assert (desk.class_ids() == before).all()


def test_all_of_a_kind_are_mended_in_all_images_in_one_step(panel: LintPanel, desk: Desk, window: MainWindow) -> None:
    click(panel, 3)
    desk.wait(lambda: desk.navigation.index == 1 and not desk.navigation.loading)
    assert "3" in panel.mend_all_button.toolTip()
    press(panel.mend_all_button)
    desk.wait(lambda: "3 findings mended." in desk.said)
    known(desk, LintKind.SPECK, 0)
    desk.settle()
    QTest.keyClick(window.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    known(desk, LintKind.SPECK, 3)


def test_unused_classes_are_removed_in_one_step(panel: LintPanel, desk: Desk, window: MainWindow) -> None:
    click(panel, 5)
    assert (panel.mend_button.text(), panel.mend_all_button.text()) == ("Remove", "Remove all")
    press(panel.mend_all_button)
    known(desk, LintKind.UNUSED_CLASS, 0)
    assert [c.name for c in desk.documents.classes] == ["background", "nucleus"]
    QTest.keyClick(window.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    known(desk, LintKind.UNUSED_CLASS, 2)


def test_one_kind_is_shown_alone(panel: LintPanel, desk: Desk) -> None:
    panel.kind.setCurrentIndex(1)
    panel.kind.activated.emit(1)
    assert rows(panel)[0] == "Specks: 3"
    assert panel.model.rowCount() == 4
    assert panel.mend_all_button.isEnabled()
    press(panel.mend_all_button)
    known(desk, LintKind.SPECK, 0)
    desk.wait(lambda: panel.kind.currentText() == "All kinds (2)")


def test_objects_that_touch_are_shown_and_the_button_says_why_they_are_not_mended(panel: LintPanel, desk: Desk) -> None:
    desk.paint(Rect(70, 30, 40, 40), class_id(desk, "nucleus"))
    desk.paint(Rect(110, 30, 40, 40), class_id(desk, "nucleus"))
    known(desk, LintKind.TOUCHING, 1)
    desk.wait(lambda: "Touching objects: 1" in rows(panel))
    click(panel, rows(panel).index("Touching objects: 1") + 1)
    assert not panel.mend_button.isEnabled()
    assert "merge them if they are one" in panel.mend_button.toolTip().replace("\n", " ")


def test_what_is_painted_over_goes_from_the_list(panel: LintPanel, desk: Desk) -> None:
    desk.shows(0)
    desk.erase(SPECK)
    known(desk, LintKind.SPECK, 2)
    desk.wait(lambda: panel.model.rowCount() == 6)


def test_labels_without_faults_say_so(window: MainWindow, desk: Desk) -> None:
    desk.load(names=("plate_0000.png",), classes=("nucleus",), labelled=False)
    desk.paint(LARGE, class_id(desk, "nucleus"))
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_F7)
    panel = window.arrangement.lint
    desk.wait(lambda: panel.nothing.text() == "No faults were found in the labels.")
    assert panel.nothing.isVisible()
    assert panel.view.hasFocus() or not panel.view.isVisible()
    window.arrangement.turn_to("classes")


def test_a_read_only_window_lists_and_does_not_mend(window: MainWindow, desk: Desk) -> None:
    desk.load(names=("plate_0000.png",), labelled=False, read_only=True)
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_F7)
    panel = window.arrangement.lint
    desk.wait(lambda: panel.model.rowCount() == 4)
    click(panel, 1)
    assert not panel.mend_button.isEnabled()
    assert panel.mend_button.toolTip().startswith("read-only")
    window.arrangement.turn_to("classes")


def test_a_run_is_told_of_what_was_found_once_and_waits_for_nothing(window: MainWindow, desk: Desk) -> None:
    desk.load(labelled=False)
    nucleus = class_id(desk, "nucleus")
    for rect in (LARGE, SPECK):
        desk.paint(rect, nucleus)
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert desk.opened.training.running
    strip = window.lint_strip
    desk.wait(strip.isVisible)
    assert strip.text.text() == "Found in the labels: 1 speck, 2 unused classes."
    press(strip.show_button)
    assert not strip.isVisible()
    assert window.arrangement.lint.isVisible()
    window.arrangement.turn_to("classes")
    window.bars.action("export").trigger()
    QTest.qWait(400)
    assert not strip.isVisible()
    window.bars.action("export").trigger()


def test_an_export_is_told_of_what_was_found_before_anything_is_written(window: MainWindow, desk: Desk) -> None:
    desk.load(labelled=False)
    desk.paint(LARGE, class_id(desk, "nucleus"))
    window.bars.action("export").trigger()
    strip = window.lint_strip
    desk.wait(strip.isVisible)
    assert strip.text.text() == "Found in the labels: 2 unused classes."
    desk.opened.lint.watch(True)
    for name in ("membrane", "debris"):
        desk.opened.classes.remove(name)
    desk.wait(lambda: not strip.isVisible())
    desk.opened.lint.watch(False)
    window.bars.action("export").trigger()


def test_its_tab_is_an_icon_with_a_name_and_leaves_room_for_the_others(window: MainWindow) -> None:
    bar = window.arrangement.tabs["sideTabs"].tabBar()
    place = bar.count() - 1
    assert (bar.tabText(place), bar.accessibleTabName(place), bar.tabToolTip(place)) == (
        "",
        "Check labels",
        "Check labels",
    )
    assert not any(button.isVisible() for button in bar.findChildren(QToolButton))
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(place).center())
    assert window.arrangement.lint.isVisible()
    window.arrangement.turn_to("classes")


def test_in_a_low_window_the_list_has_the_room_of_filter_and_button(panel: LintPanel, window: MainWindow) -> None:
    assert panel.kind.isVisible()
    assert panel.find_button.isVisible()
    window.resize(1000, 480)
    QTest.qWait(20)
    assert panel.kind.isHidden()
    assert panel.find_button.isHidden()
    assert panel.mend_button.isVisible()
    window.resize(1280, 620)
    QTest.qWait(20)
    assert panel.kind.isVisible()
    assert panel.find_button.x() > panel.kind.geometry().right(), "side by side where the list has little room"
    assert (panel.find_button.text(), panel.find_button.icon().isNull()) == ("", False)
    window.resize(1440, 900)
    QTest.qWait(20)
    assert panel.find_button.geometry().bottom() < panel.kind.y()
    assert (panel.find_button.text(), panel.find_button.icon().isNull()) == ("Find label mistakes", True)
    window.resize(1280, 800)


def test_its_tab_has_the_colours_of_the_theme_that_is_chosen(window: MainWindow, desk: Desk) -> None:
    bar = window.arrangement.tabs["sideTabs"].tabBar()
    preferences = desk.session.kept_preferences
    before = preferences.current.theme
    seen: list[int] = []
    for theme in (LIGHT, DARK):
        preferences.prefer(theme=theme.name)
        seen.append(bar.tabIcon(bar.count() - 1).cacheKey())
        assert seen[-1] == icon("check").cacheKey(), "the icon of the theme that is chosen now"
    assert seen[0] != seen[1]
    preferences.prefer(theme=before)
