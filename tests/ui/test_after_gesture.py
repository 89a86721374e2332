"""What the training panel shows waits for the hand that paints."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from segstudio.ui.panels import after_gesture
from segstudio.ui.panels.after_gesture import AfterGesture
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.room import Room
from tests.ui.test_training_panel import evaluated, make_plots, started, stepped, trained

LEFT = Qt.MouseButton.LeftButton
HERE, THERE = QPoint(200, 200), QPoint(240, 220)


@pytest.fixture(scope="module", autouse=True)
def plots(room: Room) -> None:
    """They are there before the first test."""
    make_plots(room)


@pytest.fixture
def pressed(window: MainWindow, desk: Desk) -> Iterator[MainWindow]:
    """A window over a project with a run under way, and the brush down on the canvas."""
    desk.load()
    desk.trains()
    desk.tells(started(), stepped(1))
    desk.session.set_tool("brush")
    canvas = window.canvas
    QTest.mousePress(canvas, LEFT, pos=HERE)
    assert desk.documents.gesture_active
    yield window
    QTest.mouseRelease(canvas, LEFT, pos=THERE)


def test_steps_that_come_during_a_stroke_are_shown_after_it_in_their_order(
    pressed: MainWindow, desk: Desk, qtbot: QtBot
) -> None:
    panel = pressed.arrangement.training
    desk.tells(stepped(2), evaluated(2, 0.5), stepped(3))
    QTest.mouseMove(pressed.canvas, THERE)
    qtbot.wait(200)
    assert panel.curves.loss_plot.series["training"][0] == [1]
    QTest.mouseRelease(pressed.canvas, LEFT, pos=THERE)
    qtbot.waitUntil(lambda: panel.curves.loss_plot.series["training"][0] == [1, 2, 3])
    assert panel.curves.iou_plot.series["mean"] == ([2], [0.5])


def test_a_run_that_ends_during_a_stroke_is_shown_as_ended_after_it(
    pressed: MainWindow, desk: Desk, qtbot: QtBot
) -> None:
    panel = pressed.arrangement.training
    desk.tells(stepped(2))
    desk.ends(trained(promoted=True))
    assert "promoted" not in panel.head.state.text()
    QTest.mouseRelease(pressed.canvas, LEFT, pos=THERE)
    qtbot.waitUntil(lambda: "promoted" in panel.head.state.text())
    assert panel.curves.loss_plot.series["training"][0] == [1, 2]
    assert not panel.head.progress.isVisible()


def test_another_project_never_shows_what_waited(pressed: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    panel = pressed.arrangement.training
    desk.tells(stepped(2))
    panel.follow(None)
    QTest.mouseRelease(pressed.canvas, LEFT, pos=THERE)
    qtbot.wait(200)
    assert panel.curves.loss_plot.series == {}


def test_a_gesture_without_end_delays_for_a_while_only(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(after_gesture, "_LONGEST_MS", 200)
    done: list[int] = []
    parent = QObject()
    patience = AfterGesture(lambda: True, parent)
    for number in range(3):
        patience.do(lambda number=number: done.append(number))
    qtbot.wait(80)
    assert done == []
    qtbot.waitUntil(lambda: done == [0, 1, 2])


def test_without_a_gesture_nothing_waits() -> None:
    done: list[int] = []
    AfterGesture(lambda: False, QObject()).do(lambda: done.append(1))
    assert done == [1]
