"""The card that tells a newcomer the first step: on the image, out of the hand's way, gone with the first stroke."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from segstudio.ui.canvas.first_step import FirstStep
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.small_projects import plates


@pytest.fixture
def card(window: MainWindow, desk: Desk) -> FirstStep:
    """The card over a project without a label."""
    desk.load(plates(4), ["nucleus"], labelled=False)
    return window.first_step


def test_on_the_first_image_the_first_step_stands_on_the_image_itself(card: FirstStep, window: MainWindow) -> None:
    assert card.isVisible()
    assert window.canvas.isAncestorOf(card)
    assert "Paint some of 'nucleus' with the left button" in card.text()
    assert window.canvas.rect().contains(card.geometry())


def test_where_something_is_labelled_nobody_needs_it(window: MainWindow) -> None:
    assert not window.first_step.isVisible()


def test_it_goes_with_the_first_stroke_and_does_not_come_back(card: FirstStep, window: MainWindow, desk: Desk) -> None:
    QTest.mouseClick(window.canvas, Qt.MouseButton.LeftButton, pos=window.canvas.to_widget(90, 90).toPoint())
    assert desk.edits == 1
    assert not card.isVisible()
    window.canvas.hovered.emit(1.0, 1.0)
    desk.settle()
    desk.wait(lambda: desk.navigation.items[0].labelled_pixels)
    desk.shows(1)
    assert not card.isVisible()


def test_it_makes_way_for_the_hand_and_takes_no_press(card: FirstStep, window: MainWindow, desk: Desk) -> None:
    middle = card.geometry().center()
    QTest.mouseMove(window.canvas, middle)
    assert not card.isVisible()
    QTest.mouseMove(window.canvas, QPoint(20, 20))
    assert card.isVisible()
    assert window.canvas.childAt(middle) is None
    QTest.mousePress(window.canvas, Qt.MouseButton.LeftButton, pos=middle)
    assert desk.documents.gesture_active
    QTest.mouseRelease(window.canvas, Qt.MouseButton.LeftButton, pos=middle)


def test_a_proposal_that_finds_something_is_told_of(card: FirstStep, desk: Desk) -> None:
    desk.proposed(2, "embedded")
    assert card.text().startswith("The hatched areas are proposed.")


def test_a_read_only_window_asks_nobody_to_paint(window: MainWindow, desk: Desk) -> None:
    desk.load(plates(4), ["nucleus"], labelled=False, read_only=True)
    assert not window.first_step.isVisible()
