"""Random gestures of every tool, with undo, redo, Escape, another image and restarts, beside plain arrays."""

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from segstudio.ui.canvas import Canvas
from tests.ui.desk import Desk
from tests.ui.tools_model import picture
from tests.ui.tools_object_hand import ObjectHand

STEPS = 60
SPECS = ("nucleus:#e69f00", "lumen:#56b4e9", "cell:#009e73:instance", "grain:#cc79a7:instance")


@pytest.fixture
def desk(own_desk: Desk) -> Desk:
    return own_desk


@pytest.fixture
def canvas(qtbot: QtBot, desk: Desk) -> Iterator[Canvas]:
    widget = Canvas(desk.session)
    qtbot.addWidget(widget)
    widget.resize(500, 460)
    desk.show({"a.png": picture(), "b.png": picture()}, SPECS)
    with qtbot.waitExposed(widget):
        widget.show()
    yield widget
    widget._behind.stop()
    widget._badge.withdraw()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_hand_does_the_labels_are_those_of_plain_arrays(canvas: Canvas, desk: Desk, seed: int) -> None:
    hand = ObjectHand(canvas, desk, seed)
    for _ in range(STEPS):
        try:
            hand.step()
        except AssertionError as error:
            raise AssertionError(f"{hand.done}: {error}; {hand.rules.touch}, locked {hand.rules.locked}") from error
    assert desk.bugs == []
