"""Where the panels are and how much they leave to the image: by default, moved, dragged, hidden, after a restart."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QSlider,
    QSplitter,
    QWidget,
)
from pytestqt.qtbot import QtBot

from segstudio.app.preferences import load_preferences
from segstudio.app.session import Session
from segstudio.ui.panels.image_cell import CELL_H, name_lines
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.small_projects import plates

LEFT = Qt.MouseButton.LeftButton
SIZES = [(1600, 1000), (1440, 900), (1280, 720), (800, 600)]


def place(window: MainWindow, part: QWidget) -> QRect:
    """Where a part is in the window."""
    return part.rect().translated(part.mapTo(window, QPoint(0, 0)))


def drag(splitter: QSplitter, handle: int, by: QPoint) -> None:
    """Drag a handle of a splitter with the mouse."""
    grip = splitter.handle(handle)
    at = grip.rect().center()
    QTest.mousePress(grip, LEFT, pos=at)
    QTest.mouseMove(grip, at + by)
    QTest.mouseRelease(grip, LEFT, pos=at + by)


@pytest.fixture
def again(qtbot: QtBot, own_window: MainWindow, own_desk: Desk) -> Iterator[tuple[MainWindow, MainWindow]]:
    """A window, and the next one over the same preferences, which is made when it is asked for."""

    def pair() -> Iterator[MainWindow]:
        yield own_window
        path = own_desk.opened.path
        own_window.close()
        session = Session()
        made = MainWindow(session)
        qtbot.addWidget(made)
        made.resize(1280, 800)
        made.show()
        qtbot.waitExposed(made)
        session.projects.open(path, 0)
        qtbot.waitUntil(lambda: session.project is not None and session.project.navigation.shown is not None)
        yield made
        made.close()

    windows = pair()
    yield windows  # type: ignore[misc]
    for _ in windows:
        pass


@pytest.mark.parametrize(("size", "share"), [((1600, 1000), 0.70), ((1440, 900), 0.66), ((1280, 720), 0.55)])
def test_the_image_has_most_of_the_window(
    window: MainWindow, qtbot: QtBot, size: tuple[int, int], share: float
) -> None:
    window.resize(*size)
    qtbot.waitUntil(lambda: window.canvas.view_fraction() >= share)
    assert (window.width(), window.height()) == size


def test_a_canvas_that_is_not_seen_has_no_share(window: MainWindow) -> None:
    window.pages.show_help("keys")
    assert window.canvas.view_fraction() == 0.0


def test_the_images_are_one_row_of_whole_thumbnails(window: MainWindow, qtbot: QtBot) -> None:
    view = window.arrangement.images.view
    for size in SIZES:
        window.resize(*size)
        qtbot.waitUntil(lambda: view.viewport().height() == CELL_H)
        assert view.viewport().rect().contains(view.visualRect(view.currentIndex()))


def test_unfolded_training_leaves_the_number_of_images_that_are_done(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1280, 720)
    window.arrangement.training.head.fold.click()
    assert not window.arrangement.training.folded
    counts = window.findChild(QWidget, "imageCounts")
    assert counts is not None
    qtbot.waitUntil(counts.isVisible)
    window.arrangement.training.head.fold.click()


def test_a_list_in_front_has_the_room_that_the_tool_does_not_need(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1280, 720)
    arrangement = window.arrangement
    tabs = arrangement.side.widget(0)
    assert tabs is not None
    before = tabs.height()
    arrangement.turn_to("lint")
    qtbot.waitUntil(lambda: tabs.height() >= before + 40)
    assert arrangement.lint.find_button.text() == "Find label mistakes"
    arrangement.turn_to("classes")
    qtbot.waitUntil(lambda: tabs.height() == before)


@pytest.mark.parametrize("width", [60, 100, 240])
def test_a_long_name_has_two_lines_that_keep_its_beginning_and_its_end(window: MainWindow, width: int) -> None:
    metrics = window.fontMetrics()
    name = "tissue_of_a_patient_with_a_long_name_section_0042.png"
    lines = name_lines(name, metrics, width)
    assert len(lines) == 2
    assert all(metrics.horizontalAdvance(line) <= width for line in lines)
    assert name.startswith(lines[0])
    assert name.endswith(lines[1].rpartition("…")[2])
    assert name_lines("a.png", metrics, width) == ("a.png",)


def test_the_images_go_beside_the_image_and_back_by_the_menu(window: MainWindow, qtbot: QtBot) -> None:
    panel, training = window.arrangement.images, window.arrangement.training
    below = place(window, panel)
    window.bars.action("images-beside").trigger()
    qtbot.waitUntil(lambda: place(window, panel).right() <= place(window, window.canvas).left())
    assert place(window, panel).height() > 0.7 * window.height()
    assert training.folded
    assert place(window, training).top() > place(window, window.canvas).bottom()
    assert training.height() <= 32
    view = panel.view
    rects = [view.visualRect(view.model().index(row, 0)) for row in range(3)]
    assert [rect.top() for rect in rects] == [0, CELL_H, 2 * CELL_H], "one below the other, from the top"
    window.bars.action("images-beside").trigger()
    qtbot.waitUntil(lambda: place(window, panel) == below)
    assert panel.isAncestorOf(training)


def test_the_panels_change_sides_and_the_images_take_the_other(window: MainWindow, qtbot: QtBot) -> None:
    side, canvas, images = window.arrangement.side, window.canvas, window.arrangement.images
    assert place(window, side).left() > place(window, canvas).right()
    window.bars.action("panels-left").trigger()
    window.bars.action("images-beside").trigger()
    qtbot.waitUntil(lambda: place(window, images).left() > place(window, canvas).right())
    assert place(window, side).right() < place(window, canvas).left()


@pytest.mark.parametrize("beside", [False, True])
def test_a_run_unfolds_the_training_wherever_the_images_are(
    window: MainWindow, desk: Desk, qtbot: QtBot, beside: bool
) -> None:
    desk.session.kept_preferences.prefer(images_beside=beside)
    window.resize(1600, 1000)
    desk.trains()
    training = window.arrangement.training
    qtbot.waitUntil(training.curves.loss_plot.isVisible)
    assert training.height() > 140
    assert window.arrangement.images.view.isVisible()
    QTest.mouseClick(training.head.fold, LEFT)
    qtbot.waitUntil(lambda: window.canvas.view_fraction() >= (0.6 if beside else 0.7))
    assert training.head.stop.isVisible(), "a run can always be stopped"


def test_f10_hides_the_images_beside_the_image_too(window: MainWindow) -> None:
    window.bars.action("images-beside").trigger()
    QTest.keyClick(window.canvas, Qt.Key.Key_F10)
    assert not window.arrangement.images.isVisible()
    assert not window.arrangement.bottom.isVisible()
    QTest.keyClick(window.canvas, Qt.Key.Key_F10)
    assert window.arrangement.images.isVisible()


def test_finding_an_image_brings_a_hidden_list_back(window: MainWindow) -> None:
    QTest.keyClick(window.canvas, Qt.Key.Key_F10)
    QTest.keyClick(window.canvas, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    field = window.findChild(QLineEdit, "imageFilter")
    assert field is not None
    assert field.hasFocus()


def test_reset_undoes_what_was_dragged_moved_and_hidden(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1600, 1000)
    qtbot.waitUntil(lambda: window.canvas.view_fraction() >= 0.7)
    usual = window.arrangement.side.width()
    drag(window.arrangement.upper, 1, QPoint(-150, 0))
    drag(window.arrangement.middle, 1, QPoint(0, -100))
    assert window.arrangement.side.width() > usual + 100
    window.bars.action("panels-left").trigger()
    window.bars.action("images-beside").trigger()
    window.bars.action("show-side").trigger()
    window.bars.action("reset-panels").trigger()
    qtbot.waitUntil(lambda: window.canvas.view_fraction() >= 0.7)
    assert window.arrangement.side.width() == usual
    assert window.bars.action("show-side").isChecked()
    assert not window.bars.action("panels-left").isChecked()


def test_sizes_that_were_dragged_come_back_with_the_next_window(again: Iterator[MainWindow], qtbot: QtBot) -> None:
    window = next(again)
    drag(window.arrangement.upper, 1, QPoint(-60, 0))
    drag(window.arrangement.middle, 1, QPoint(0, -2 * CELL_H))
    side, bottom = window.arrangement.side.width(), window.arrangement.bottom.height()
    assert side > 250
    later = next(again)
    assert later is not window
    qtbot.waitUntil(lambda: (later.arrangement.side.width(), later.arrangement.bottom.height()) == (side, bottom))


def test_places_and_what_is_hidden_come_back_with_the_next_window(again: Iterator[MainWindow]) -> None:
    window = next(again)
    for name in ("images-beside", "panels-left", "show-side"):
        window.bars.action(name).trigger()
    later = next(again)
    assert load_preferences().images_beside
    assert load_preferences().panels_left
    assert not later.arrangement.side.isVisible()
    later.bars.action("show-side").trigger()
    assert place(later, later.arrangement.side).right() < place(later, later.canvas).left()
    assert place(later, later.arrangement.images).left() > place(later, later.canvas).right()


@pytest.mark.parametrize(
    "state", ["", "{", "[1]", '{"side": "wide", "folded": -3, "stack": [1], "hidden": 4}', "a b c d"]
)
def test_a_state_that_makes_no_sense_means_the_usual_sizes(window: MainWindow, state: str) -> None:
    usual = window.arrangement.side.width()
    window.arrangement.restore(state)
    assert window.arrangement.side.width() == usual
    assert window.arrangement.side.isVisible()


SOLID = (QAbstractButton, QAbstractSpinBox, QComboBox, QLabel, QSlider, QLineEdit)


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_where_the_panels_are(
    window: MainWindow, desk: Desk, qtbot: QtBot, size: tuple[int, int], beside: bool
) -> None:
    desk.load(plates(6), ["nucleus of a cell that has a very long name indeed", *(f"class {n}" for n in range(12))])
    desk.session.kept_preferences.prefer(images_beside=beside)
    window.resize(*size)
    qtbot.wait(30)
    assert (window.width(), window.height()) == size
    assert window.canvas.width() > 200
    for panel in (window.arrangement.side, window.arrangement.bottom, window.arrangement.images):
        for widget in panel.findChildren(QWidget):
            if isinstance(widget, SOLID) and widget.isVisible():
                assert window.rect().contains(place(window, widget)), widget.objectName()
                assert widget.visibleRegion().boundingRect() == widget.rect(), widget.objectName()
                least = min(widget.minimumSizeHint().width(), widget.maximumWidth())
                assert widget.width() >= least or isinstance(widget, QLineEdit), widget.objectName()


def test_the_settings_move_the_panels(window: MainWindow, qtbot: QtBot) -> None:
    window.bars.action("settings").trigger()
    for name in ("settingsImagesPlace", "settingsPanelsSide"):
        choice = window.findChild(QComboBox, name)
        assert choice is not None
        choice.setFocus()
        QTest.keyClick(choice, Qt.Key.Key_Down)
    window.close_topmost()
    qtbot.waitUntil(lambda: place(window, window.arrangement.side).right() < place(window, window.canvas).left())
    assert window.bars.action("images-beside").isChecked()
    assert place(window, window.arrangement.images).left() > place(window, window.canvas).right()
