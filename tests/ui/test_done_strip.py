"""An image on which Done found nothing to label is confirmed as empty in place."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segstudio.app.values import DoneState, Rest
from segstudio.geometry import Rect
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.small_projects import plates


@pytest.fixture
def asked(window: MainWindow, desk: Desk) -> Desk:
    """The question whether an image without labels is empty: Done found nothing to label in it."""
    desk.shows(3)
    assert not window.done_strip.isVisible()
    desk.session.mark_done()
    desk.wait(window.done_strip.isVisible)
    assert desk.opened.finishing.state is DoneState.NOTHING_LABELLED
    assert "not marked done" in window.done_strip.text.text()
    return desk


def test_the_button_confirms_that_the_image_is_empty(window: MainWindow, asked: Desk) -> None:
    QTest.mouseClick(window.done_strip.confirm_button, Qt.MouseButton.LeftButton)
    asked.wait(lambda: asked.navigation.index != 3)
    asked.shows(3)
    assert asked.navigation.items[3].status == "done"
    assert (asked.class_ids() == 1).all()


@pytest.mark.parametrize("way", ["escape", "close"])
def test_escape_and_the_cross_withdraw_the_question(window: MainWindow, asked: Desk, way: str) -> None:
    if way == "escape":
        QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    else:
        QTest.mouseClick(window.done_strip.close_button, Qt.MouseButton.LeftButton)
    assert not window.done_strip.isVisible()
    assert asked.opened.finishing.state is DoneState.IDLE


def test_waiting_is_no_question(window: MainWindow, desk: Desk) -> None:
    desk.shows(3)
    desk.session.propose()
    desk.session.mark_done()
    assert desk.opened.finishing.state is DoneState.WAITING
    assert not window.done_strip.isVisible()


@pytest.mark.parametrize(
    ("rest", "words"), [("proposal", "from the proposal"), ("background", "background"), ("unknown", "stay unknown")]
)
def test_the_tip_of_done_says_what_becomes_of_the_rest(window: MainWindow, desk: Desk, rest: str, words: str) -> None:
    desk.opened.finishing.set_rest(Rest(rest))
    button = window.bars.button("done")
    assert button is not None
    assert words in button.toolTip()
    assert "show the next one" in button.toolTip()


def test_the_panel_of_classes_shows_how_many_objects_the_image_has(window: MainWindow, desk: Desk) -> None:
    desk.load(plates(3), ["cell::instance", "leaf"])
    desk.wait(lambda: desk.opened.object_counts.by_class)
    model = window.arrangement.classes.model
    row = model.row_of("cell")
    before = window.arrangement.classes.view.grab().toImage()
    assert "1 object in this image" in model.data(model.index(row), Qt.ItemDataRole.AccessibleTextRole)
    for n in range(2):
        desk.paint(Rect(100 + 20 * n, 100, 5, 5), 2)
    desk.wait(lambda: "3 objects in this image" in model.data(model.index(row), Qt.ItemDataRole.AccessibleTextRole))
    assert "object" not in model.data(model.index(model.row_of("leaf")), Qt.ItemDataRole.AccessibleTextRole)
    assert window.arrangement.classes.view.grab().toImage() != before
