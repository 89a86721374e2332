"""One small job (three objects, a split, a hole, a correction) by the mouse alone and by the keyboard alone: the labels
are the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from segstudio.app.preferences import Preferences, save_preferences
from tests.window_bench import LEFT, Bench, make_project

Key = Qt.Key
PLAIN = Qt.KeyboardModifier.NoModifier
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
Spot = tuple[int, int]
TOOL_KEYS = {
    "brush": (Key.Key_B, PLAIN),
    "rectangle": (Key.Key_R, PLAIN),
    "split": (Key.Key_D, PLAIN),
    "eraser": (Key.Key_E, PLAIN),
}
ROUND, SECOND, BOX, WRONG = (25, 25), (25, 80), (70, 60), (85, 20)


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path) -> Iterator[Bench]:
    """A window in which nothing is proposed by itself, so that no engine starts."""
    save_preferences(Preferences(automatic_proposals=False))
    made = Bench(make_project(tmp_path / "home", fields=2))
    made.wait(lambda: made.shown)
    made.window.activateWindow()
    made.wait(made.window.isActiveWindow)
    made.canvas.setFocus()
    yield made
    made.close()


class Hand(Protocol):
    """What the job needs; places are pixels of the image."""

    def choose_class(self, name: str) -> None: ...
    def choose_tool(self, name: str) -> None: ...
    def dot(self, at: Spot) -> None: ...
    def drag(self, start: Spot, end: Spot) -> None: ...
    def undo(self) -> None: ...


class Mouse:
    """Clicks and drags; no key is ever pressed."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def choose_class(self, name: str) -> None:
        view = self._bench.window.arrangement.classes.view
        row = next(row for row in range(view.model().rowCount()) if name in str(view.model().index(row, 0).data()))
        QTest.mouseClick(view.viewport(), LEFT, pos=view.visualRect(view.model().index(row, 0)).center())

    def choose_tool(self, name: str) -> None:
        button = self._bench.window.findChild(QWidget, f"tool{name.capitalize()}")
        assert button is not None
        QTest.mouseClick(button, LEFT)

    def dot(self, at: Spot) -> None:
        QTest.mouseClick(self._bench.canvas, LEFT, pos=self._place(at))

    def drag(self, start: Spot, end: Spot) -> None:
        canvas, a, b = self._bench.canvas, self._place(start), self._place(end)
        QTest.mousePress(canvas, LEFT, pos=a)
        QTest.mouseMove(canvas, (a + b) / 2)
        QTest.mouseMove(canvas, b)
        QTest.mouseRelease(canvas, LEFT, pos=b)

    def undo(self) -> None:
        self._bench.click("undoButton")

    def _place(self, at: Spot) -> QPoint:
        return self._bench.at(at[0] + 0.5, at[1] + 0.5)


class Keyboard:
    """Keys only; no mouse event is ever sent."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._press(Key.Key_F9, SHIFT)

    def choose_class(self, name: str) -> None:
        self._press(Key.Key_K, CTRL)
        field = self._bench.window.focusWidget()
        assert isinstance(field, QLineEdit)
        QTest.keyClicks(field, name)
        self._press(Key.Key_Return)

    def choose_tool(self, name: str) -> None:
        self._press(*TOOL_KEYS[name])

    def dot(self, at: Spot) -> None:
        self._go(at)
        self._press(Key.Key_Space)

    def drag(self, start: Spot, end: Spot) -> None:
        self._go(start)
        self._press(Key.Key_Return)
        self._go(end)
        self._press(Key.Key_Return)

    def undo(self) -> None:
        self._press(Key.Key_Z, CTRL)

    def _go(self, to: Spot) -> None:
        for axis, back, on in ((0, Key.Key_Left, Key.Key_Right), (1, Key.Key_Up, Key.Key_Down)):
            way = to[axis] - int(self._bench.window.keyboard_hand.position[axis])
            for held, steps in ((SHIFT, abs(way) // 10), (PLAIN, abs(way) % 10)):
                for _step in range(steps):
                    self._press(on if way > 0 else back, held)

    def _press(self, key: Qt.Key, held: Qt.KeyboardModifier = PLAIN) -> None:
        QTest.keyClick(self._bench.window.focusWidget() or self._bench.window, key, held)


def do_the_job(hand: Hand) -> None:
    """Two round objects and a box; the first is split, the box gets a hole, and a dot too many is taken back."""
    hand.choose_class("rim")
    hand.choose_tool("brush")
    hand.dot(ROUND)
    hand.dot(SECOND)
    hand.choose_tool("rectangle")
    hand.drag((BOX[0] - 20, BOX[1] - 20), (BOX[0] + 20, BOX[1] + 20))
    hand.choose_tool("split")
    hand.drag((ROUND[0], ROUND[1] - 15), (ROUND[0], ROUND[1] + 15))
    hand.choose_tool("eraser")
    hand.dot(BOX)
    hand.choose_tool("brush")
    hand.dot(WRONG)
    hand.undo()


def ids(bench: Bench) -> NDArray[np.uint32]:
    bench.settle()
    return np.array(bench.session.labels())


def objects_and_holes(labels: NDArray[np.uint32]) -> tuple[int, int]:
    """How many objects there are, and how many areas within them are unlabelled."""
    found = np.unique(labels[labels > 0])
    outside = cv2.connectedComponents((labels == 0).astype(np.uint8), connectivity=4)[0] - 1
    return len(found), outside - 1


def zoom_in_by_whole_pixels(bench: Bench) -> None:
    """A pixel of the image takes a whole number of pixels of the screen: both hands can point at its middle."""
    bench.canvas.set_zoom(4.0)
    bench.canvas.move_to(50, 59)


@pytest.mark.parametrize("by", [Mouse, Keyboard], ids=["mouse", "keyboard"])
def test_the_job_is_done_with_either_hand(bench: Bench, by: type[Mouse] | type[Keyboard]) -> None:
    zoom_in_by_whole_pixels(bench)
    do_the_job(by(bench))
    labels = ids(bench)
    assert objects_and_holes(labels) == (4, 1)
    assert len(bench.seqs) == 7  # two dots, a box, a split, a hole, a dot and its undo
    assert bench.failures == []


def test_both_hands_make_the_same_labels(bench: Bench) -> None:
    zoom_in_by_whole_pixels(bench)
    do_the_job(Mouse(bench))
    by_mouse = ids(bench)
    while bench.opened.documents.can_undo:
        bench.session.undo()
    bench.settle()
    zoom_in_by_whole_pixels(bench)
    do_the_job(Keyboard(bench))
    assert np.array_equal(ids(bench) > 0, by_mouse > 0)
    assert objects_and_holes(ids(bench)) == objects_and_holes(by_mouse)
