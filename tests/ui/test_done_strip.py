"""An image on which Done found nothing to label is confirmed as empty in place."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segstudio.app.values import DoneState, Rest
from segstudio.ui.window.main_window import MainWindow
from tests.ui.fake_session import FakeSession, class_table, image_items

Called = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture
def asked(window: MainWindow, session: FakeSession) -> FakeSession:
    session.load(image_items(3), class_table(["cell"]))
    assert not window.done_strip.isVisible()
    session.done_state = DoneState.NOTHING_LABELLED
    session.doneStateChanged.emit()
    assert window.done_strip.isVisible()
    assert "not marked done" in window.done_strip.text.text()
    return session


def test_the_button_confirms_that_the_image_is_empty(window: MainWindow, asked: FakeSession, called: Called) -> None:
    QTest.mouseClick(window.done_strip.confirm_button, Qt.MouseButton.LeftButton)
    assert called("mark_done") == [("mark_done", "empty")]


@pytest.mark.parametrize("way", ["escape", "close"])
def test_escape_and_the_cross_withdraw_the_question(window: MainWindow, asked: FakeSession, way: str) -> None:
    if way == "escape":
        QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    else:
        QTest.mouseClick(window.done_strip.close_button, Qt.MouseButton.LeftButton)
    assert not window.done_strip.isVisible()
    assert asked.done_state is DoneState.IDLE


def test_waiting_is_no_question(window: MainWindow, session: FakeSession) -> None:
    session.load(image_items(3), class_table(["cell"]))
    session.done_state = DoneState.WAITING
    session.doneStateChanged.emit()
    assert not window.done_strip.isVisible()


@pytest.mark.parametrize(
    ("rest", "words"), [("proposal", "from the proposal"), ("background", "background"), ("unknown", "stay unknown")]
)
def test_the_tip_of_done_says_what_becomes_of_the_rest(
    window: MainWindow, session: FakeSession, rest: str, words: str
) -> None:
    session.load(image_items(3), class_table(["cell"]))
    assert session.project is not None
    session.project.finishing.set_rest(Rest(rest))
    button = window.bars.button("done")
    assert button is not None
    assert words in button.toolTip()
    assert "show the next one" in button.toolTip()


def test_the_panel_of_classes_shows_how_many_objects_the_image_has(window: MainWindow, session: FakeSession) -> None:
    session.load(image_items(3), class_table(["cell", "leaf"]))
    model = window.arrangement.classes.model
    cell = next(c for c in session.classes if c.name == "cell")
    before = window.arrangement.classes.view.grab().toImage()
    session.object_counts = {cell.id: 1234}
    session.objectsCounted.emit()
    row = model.row_of("cell")
    assert "1,234 objects in this image" in model.data(model.index(row), Qt.ItemDataRole.AccessibleTextRole)
    assert "object" not in model.data(model.index(model.row_of("leaf")), Qt.ItemDataRole.AccessibleTextRole)
    assert window.arrangement.classes.view.grab().toImage() != before
