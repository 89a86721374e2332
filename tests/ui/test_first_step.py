"""The card that tells a newcomer the first step: on the image, out of the hand's way, gone with the first stroke."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from segstudio.app.values import Changed
from segstudio.geometry import Rect
from segstudio.labels.model import ImageId, Status
from segstudio.labels.proposal import Proposal, ProposalRow
from segstudio.ui.canvas.first_step import FirstStep
from segstudio.ui.window.main_window import MainWindow
from tests.ui.fake_session import FakeSession, class_table, image_items


@pytest.fixture
def card(window: MainWindow, session: FakeSession) -> FirstStep:
    items = [item._replace(labelled_pixels=0, status=Status.NEW) for item in image_items(4)]
    session.load(items, class_table(["nucleus"]))
    return window.first_step


def test_on_the_first_image_the_first_step_stands_on_the_image_itself(card: FirstStep, window: MainWindow) -> None:
    assert card.isVisible()
    assert window.canvas.isAncestorOf(card)
    assert "Paint some of 'nucleus' with the left button" in card.text()
    assert window.canvas.rect().contains(card.geometry())


def test_where_something_is_labelled_nobody_needs_it(window: MainWindow, session: FakeSession) -> None:
    assert not window.first_step.isVisible()


def test_it_goes_with_the_first_stroke_and_does_not_come_back(
    card: FirstStep, window: MainWindow, session: FakeSession
) -> None:
    session.changed.emit(Changed(None, ImageId(1), 0, Rect(3, 3, 9, 9)))
    assert not card.isVisible()
    window.canvas.hovered.emit(1.0, 1.0)
    session.images[0] = session.images[0]._replace(labelled_pixels=50)
    session.open_image(1)
    assert not card.isVisible()


def test_it_makes_way_for_the_hand_and_takes_no_press(
    card: FirstStep, window: MainWindow, session: FakeSession
) -> None:
    middle = card.geometry().center()
    QTest.mouseMove(window.canvas, middle)
    assert not card.isVisible()
    QTest.mouseMove(window.canvas, QPoint(20, 20))
    assert card.isVisible()
    assert window.canvas.childAt(middle) is None
    QTest.mousePress(window.canvas, Qt.MouseButton.LeftButton, pos=middle)
    assert ("pointer", "PRESS") in session.calls


def test_a_proposal_that_finds_something_is_told_of(card: FirstStep, session: FakeSession) -> None:
    session.proposal_on_screen = Proposal(
        ImageId(1), 0, 1, "embedded", {2: ProposalRow(session.classes.named("nucleus").id, 0.9)}, {}
    )  # type: ignore
    session.proposalChanged.emit()
    assert card.text().startswith("The hatched areas are proposed.")


def test_a_read_only_window_asks_nobody_to_paint(window: MainWindow, session: FakeSession) -> None:
    items = [item._replace(labelled_pixels=0, status=Status.NEW) for item in image_items(4)]
    session.load(items, class_table(["nucleus"]), why="read-only: ben on desk")
    assert not window.first_step.isVisible()
