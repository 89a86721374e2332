"""The held-out picture in the training panel, as the engine sends it."""

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segstudio.engine.protocol import RunPicture
from segstudio.runs import HeldOutPicture
from segstudio.ui.panels.training_picture import TrainingPicture, drawn
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.room import Room
from tests.ui.test_training_classes import turn
from tests.ui.test_training_panel import make_plots, started

LEFT = Qt.MouseButton.LeftButton
BACKGROUND, NUCLEUS = 1, 2


@pytest.fixture(scope="module", autouse=True)
def plots(room: Room) -> None:
    """Plots and page live as long as the window: they are there before the first test."""
    make_plots(room)
    turn(room.window, "Picture")
    turn(room.window, "Curves")


def picture(step: int, width: int = 40, height: int = 30) -> HeldOutPicture:
    """A grey picture of which people labelled the middle as a nucleus, and of which the left half is predicted so."""
    truth = np.full((height, width), BACKGROUND, "<u2")
    truth[10:20, 10:30] = NUCLEUS
    predicted = np.full((height, width), BACKGROUND, "<u2")
    predicted[:, : width // 2] = NUCLEUS
    return HeldOutPicture(
        step=step,
        path="plate_0001.png",
        plane=0,
        width=width,
        height=height,
        image=bytes([100]) * (3 * width * height),
        truth=truth.tobytes(),
        predicted=predicted.tobytes(),
    )


def shows(window: MainWindow, desk: Desk, *steps: int) -> TrainingPicture:
    """The engine sends pictures after these steps, and the page is open."""
    if not desk.opened.training.running:
        desk.trains()
        desk.tells(started())
    told: list[Any] = []
    desk.opened.training.pictured.connect(told.append)
    desk.engine.answer(*(RunPicture(0, picture(step)) for step in steps))
    desk.wait(lambda: len(told) == len(steps))
    return turn(window, "Picture")


def test_what_is_predicted_is_filled_and_what_is_labelled_outlined(window: MainWindow, desk: Desk) -> None:
    classes = desk.documents.classes
    nucleus = next(found for found in classes if found.name == "nucleus")
    assert int(nucleus.id) == NUCLEUS
    color = np.array([int(nucleus.color[n : n + 2], 16) for n in (1, 3, 5)])
    out = drawn(picture(1), classes, predicted=True, labelled=True)
    assert out[5, 35].tolist() == [100, 100, 100], "background is not filled"
    assert abs(out[5, 5].astype(int) - (100 + color) / 2).max() <= 1
    assert out[10, 25].tolist() == color.tolist(), "the outline of what is labelled"
    assert out[15, 25].tolist() == [100, 100, 100], "the outline is not filled"
    plain = drawn(picture(1), classes, predicted=False, labelled=False)
    assert (plain == 100).all()


def test_the_newest_picture_is_shown_and_earlier_ones_are_gone_back_to(window: MainWindow, desk: Desk) -> None:
    window.resize(1600, 900)
    page = shows(window, desk, 4, 8)
    assert page.view.isVisible()
    assert page.path.text() == "plate_0001.png"
    assert page.at.text() == "Held out · after step 8"
    page.step.setFocus()
    QTest.keyClick(page.step, Qt.Key.Key_Left)
    assert page.at.text() == "Held out · after step 4"
    shows(window, desk, 12)
    assert page.at.text() == "Held out · after step 4", "a person looks at an earlier one"
    QTest.keyClick(page.step, Qt.Key.Key_End)
    shows(window, desk, 16)
    assert page.at.text() == "Held out · after step 16"


def test_ticks_leave_prediction_and_labels_out(window: MainWindow, desk: Desk) -> None:
    window.resize(1600, 900)
    page = shows(window, desk, 4)
    before = page.view.image
    assert before is not None
    QTest.mouseClick(page.predicted, LEFT, pos=page.predicted.rect().center() / 2)
    QTest.mouseClick(page.labelled, LEFT, pos=page.labelled.rect().center() / 2)
    after = page.view.image
    assert after is not None
    assert before != after
    assert after.pixelColor(5, 5).red() == after.pixelColor(25, 10).red() == 100
    page.predicted.setChecked(True)
    page.labelled.setChecked(True)


def test_no_more_than_sixty_four_pictures_are_kept_and_the_image_once(window: MainWindow, desk: Desk) -> None:
    page = shows(window, desk, *range(1, 101))
    assert len(page.pictures) == 64
    assert page.pictures[-1].step == 100
    assert len({id(each.image) for each in page.pictures}) == 1


def test_a_run_that_goes_on_from_its_checkpoint_makes_its_pictures_again(window: MainWindow, desk: Desk) -> None:
    page = shows(window, desk, 4, 8, 12)
    desk.tells(started(step=6))
    shows(window, desk, 8)
    assert [each.step for each in page.pictures] == [4, 8]


def test_without_a_picture_the_page_says_why(window: MainWindow, desk: Desk) -> None:
    desk.trains()
    desk.tells(started())
    page = turn(window, "Picture")
    assert page.none.isVisible()
    assert page.none.text() == "A held-out image appears here once the run measures it"
    desk.tells(started(held_out_groups=[]))
    assert page.none.text() == "Nothing is held out, so there is no picture to show"
    desk.load()
    assert page.pictures == []
