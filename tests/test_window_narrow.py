"""A real window in little room: nothing that is said widens it, and what matters stays readable."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolBar, QToolButton

from segstudio.app.values import JobKind
from segstudio.ui.theme import current_theme
from segstudio.ui.window.status_bar import zoom_text
from tests.window_bench import Bench, open_bench

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def bench(qapp: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_bench(tmp_path_factory.mktemp("narrow")) as bench:
        kept = QApplication.allWidgets()
        yield bench
        kept.clear()


@pytest.fixture
def narrow(bench: Bench) -> Iterator[Bench]:
    bench.fresh()
    bench.window.resize(700, 520)
    yield bench
    bench.window.resize(1280, 720)
    bench.rest()


def hover(bench: Bench, x: float, y: float) -> None:
    """Move the mouse over an image position, as the system does: what it left hears of that."""
    QTest.mouseMove(bench.window.windowHandle(), bench.canvas.mapTo(bench.window, bench.at(x, y)))


def leave(bench: Bench) -> None:
    """Move the mouse from the image onto the status bar."""
    bar = bench.window.status_bar
    QTest.mouseMove(bench.window.windowHandle(), bar.mapTo(bench.window, bar.rect().center()))


def test_nothing_in_the_status_bar_widens_the_window(narrow: Bench) -> None:
    window, bar = narrow.window, narrow.window.status_bar
    hover(narrow, 10.5, 10.5)
    narrow.wait(lambda: bar.cursor_label.text().startswith("10, 10"))
    narrow.session.notices.say("A sentence that is longer than any window of 700 pixels could ever show. " * 3)
    narrow.wait(lambda: bar.said_label.text().startswith("A sentence"))
    assert window.width() == 700
    assert bar.zoom_label.geometry().right() <= bar.width()
    assert not bar.device_label.isVisible()
    assert narrow.session.project is not None
    device = narrow.session.project.engine_state.device
    assert device in bar.currentMessage()  # said, though there is no room to show it


def test_a_wide_window_shows_the_device_and_keeps_the_labels_in_their_places(narrow: Bench) -> None:
    window, bar = narrow.window, narrow.window.status_bar
    window.resize(1280, 720)
    narrow.wait(bar.device_label.isVisible)
    hover(narrow, 20.5, 20.5)
    leave(narrow)
    narrow.wait(lambda: not bar.cursor_label.text())
    before = bar.zoom_label.pos()
    hover(narrow, 10.5, 10.5)
    narrow.wait(bar.cursor_label.text)
    assert bar.zoom_label.pos() == before


def test_the_steps_of_the_loop_have_their_names_on_their_buttons(narrow: Bench) -> None:
    bar = narrow.window.findChild(QToolBar, "mainBar")
    assert bar is not None
    for name in ("proposeButton", "acceptButton", "rejectButton", "doneButton", "fineTuneButton"):
        button = bar.findChild(QToolButton, name)
        assert button is not None
        assert button.isVisible()
        assert button.width() >= button.fontMetrics().horizontalAdvance(button.text()) + button.iconSize().width()


BUTTONS = (
    "openButton", "proposeButton", "acceptButton", "rejectButton", "doneButton", "fineTuneButton", "undoButton",
    "redoButton", "importButton", "exportButton",
)  # fmt: skip


def reached(bench: Bench, name: str) -> bool:
    """Whether a button of the toolbar is in sight, with the words that it shows."""
    bar = bench.window.bars.main_bar
    button = bar.findChild(QToolButton, name)
    assert button is not None, name
    return button.isVisible() and bar.rect().contains(button.geometry()) and button.width() >= button.sizeHint().width()


@pytest.mark.parametrize("size", [(1280, 720), (800, 600), (700, 520), (460, 460)])
def test_every_button_of_the_toolbar_is_within_reach_at_every_size(narrow: Bench, size: tuple[int, int]) -> None:
    narrow.window.resize(*size)
    QTest.qWait(50)
    assert [name for name in BUTTONS if not reached(narrow, name)] == []


def test_export_is_one_click_away_where_its_button_has_lost_its_word(narrow: Bench) -> None:
    narrow.window.resize(800, 600)
    QTest.qWait(50)
    button = narrow.window.bars.button("export")
    assert button is not None
    assert button.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonIconOnly
    narrow.click("exportButton")
    assert narrow.window.export_panel.isVisible()
    narrow.click("exportButton")
    narrow.window.resize(1280, 720)
    narrow.wait(lambda: button.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextBesideIcon)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_button_for_what_has_no_room_is_seen_in_both_themes(narrow: Bench, theme: str) -> None:
    narrow.session.kept_preferences.prefer(theme=theme)
    narrow.window.resize(700, 380)
    bar = narrow.window.bars.tool_bar
    bar.setMaximumHeight(90)
    more = bar.findChild(QToolButton, "qt_toolbar_ext_button")
    assert more is not None
    narrow.wait(more.isVisible)
    drawn = more.grab().toImage()
    colours = {drawn.pixelColor(x, y).lightness() for x in range(drawn.width()) for y in range(drawn.height())}
    assert max(colours) - min(colours) > 100, "the arrow stands out from its ground"
    bar.setMaximumHeight(16777215)
    narrow.session.kept_preferences.prefer(theme="dark")


LONG = "A sentence that is longer than any two lines above an image could ever show in a small window. " * 5


@pytest.mark.parametrize("size", [(1280, 720), (800, 600), (540, 460)])
def test_a_message_takes_two_lines_at_most_and_its_tip_has_the_rest(narrow: Bench, size: tuple[int, int]) -> None:
    strip = narrow.window.message_strip
    narrow.window.resize(*size)
    QTest.qWait(50)
    narrow.session.notices.fail(JobKind.EXPORT, LONG)
    QTest.qWait(50)
    lines = strip.text.height() / strip.text.fontMetrics().lineSpacing()
    assert lines < 2.5, "the image keeps its room"
    assert strip.text.shown().endswith("…")
    assert strip.text.toolTip().split() == LONG.split()
    assert narrow.window.width() == size[0]
    narrow.click("messageCopy")
    assert QApplication.clipboard().text() == LONG
    narrow.click("messageClose")
    assert not strip.isVisible()


def test_a_short_message_is_whole_and_has_no_tip(narrow: Bench) -> None:
    narrow.session.notices.fail(JobKind.EXPORT, "The disk is full.")
    QTest.qWait(50)
    text = narrow.window.message_strip.text
    assert (text.shown(), text.toolTip()) == ("The disk is full.", "")
    narrow.click("messageClose")


def test_only_a_failure_has_the_colour_of_a_warning(narrow: Bench) -> None:
    strip = narrow.window.message_strip
    colours = []
    for tell in (narrow.session.notices.announce, narrow.session.notices.fail):
        tell(JobKind.HOLD_OUT, "2 images marked done.")
        QTest.qWait(50)
        colours.append(strip.grab().toImage().pixelColor(strip.width() // 2, 3).name().upper())
    assert colours == [current_theme().panel, current_theme().warning_soft]
    narrow.click("messageClose")


def test_a_message_about_one_image_goes_when_another_is_shown(narrow: Bench) -> None:
    strip = narrow.window.message_strip
    narrow.session.notices.fail(JobKind.DONE, "This image was not marked done.")
    assert strip.isVisible()
    narrow.canvas.setFocus()
    narrow.key(Qt.Key.Key_N)
    narrow.wait(lambda: not strip.isVisible())
    narrow.session.notices.fail(JobKind.EXPORT, "The disk is full.")
    narrow.key(Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    narrow.wait(lambda: len(narrow.shown) > 1)
    assert strip.isVisible(), "another image does not empty the disk"
    narrow.click("messageClose")


def test_a_message_goes_when_what_failed_is_tried_again(narrow: Bench) -> None:
    strip = narrow.window.message_strip
    narrow.session.notices.fail(JobKind.ADD, "No image was found.")
    assert strip.isVisible()
    narrow.session.add_images([narrow.opened.path.parent / "images"])
    narrow.wait(lambda: not strip.isVisible())
    narrow.wait(lambda: "All of these images are already in the project" in narrow.said)


def test_the_export_panel_is_readable_in_a_window_of_800_pixels(narrow: Bench, tmp_path: Path) -> None:
    narrow.window.resize(800, 600)
    panel = narrow.window.export_panel
    narrow.drag((40, 40), (60, 50))
    narrow.settle()
    narrow.key(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    narrow.wait(panel.isVisible)
    panel.content.setCurrentIndex(panel.content.findData("labels"))
    panel.folder.setText(str(tmp_path / "out"))
    narrow.click("exportStart")
    narrow.wait(lambda: panel.state.text().startswith("Done: "))
    QTest.qWait(50)
    assert panel.state.shown() == panel.state.text()
    for choice in (panel.format, panel.content):
        words = choice.fontMetrics().horizontalAdvance(choice.currentText())
        assert choice.width() >= words + 28, "the words, and the chevron beside them"
    assert narrow.window.width() == 800
    narrow.key(Qt.Key.Key_Escape)
    narrow.wait(lambda: not panel.isVisible())


def test_no_zoom_is_said_while_an_image_loads(narrow: Bench) -> None:
    label = narrow.window.status_bar.zoom_label
    assert label.text() != ""
    narrow.session.open_image(1)
    narrow.window.resize(720, 540)
    narrow.canvas.zoomChanged.emit(454.0)
    assert label.text() == ""
    narrow.wait(lambda: narrow.shown and not narrow.opened.navigation.loading)
    narrow.wait(lambda: label.text() == zoom_text(narrow.canvas.scale))


@pytest.mark.parametrize("height", [460, 520, 600, 900])
def test_the_list_shows_whole_rows_with_the_chosen_image_in_sight(narrow: Bench, height: int) -> None:
    narrow.window.resize(460, height)
    view = narrow.window.arrangement.images.view
    for image in range(len(narrow.opened.navigation.items)):
        narrow.shows(image)
        QTest.qWait(20)
        port = view.viewport().rect()
        rects = [view.visualRect(view.model().index(row, 0)) for row in range(view.model().rowCount())]
        assert port.contains(rects[image]), "the chosen image is in sight"
        seen = [rect for rect in rects if rect.intersects(port)]
        assert all(port.contains(rect) for rect in seen), "no row is cut"
