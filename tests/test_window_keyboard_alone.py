"""One small job from beginning to end by the keyboard alone: no mouse event is ever sent."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from segstudio.app.preferences import Preferences, save_preferences
from segstudio.labels.model import Status
from tests.window_bench import Bench, make_project

Key = Qt.Key
PLAIN = Qt.KeyboardModifier.NoModifier
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


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


def press(bench: Bench, key: Qt.Key, held: Qt.KeyboardModifier = PLAIN, times: int = 1) -> None:
    """Press and release a key wherever the focus is, as a person without a mouse does."""
    for _time in range(times):
        QTest.keyClick(bench.window.focusWidget() or bench.window, key, held)


def ask(bench: Bench, words: str) -> None:
    """Find something in the command palette and do it."""
    press(bench, Key.Key_K, CTRL)
    field = bench.window.focusWidget()
    assert isinstance(field, QLineEdit)
    QTest.keyClicks(field, words)
    press(bench, Key.Key_Return)


def objects(bench: Bench) -> int:
    """How many rims there are on the image on screen."""
    current = bench.opened.documents.current
    assert current is not None
    rim = bench.opened.documents.classes.named("rim")
    assert rim is not None
    ids = current.document.class_ids(0, current.document.raster.bounds(0)) == rim.id
    return cv2.connectedComponents(ids.astype(np.uint8))[0] - 1


def stroke(bench: Bench, key: Qt.Key) -> None:
    """Go twenty pixels on, and paint a dot."""
    press(bench, key, SHIFT, times=2)
    press(bench, Key.Key_Space)


def test_three_objects_one_taken_back_done_and_exported(bench: Bench, tmp_path: Path) -> None:
    ask(bench, "rim")
    assert bench.opened.documents.current_class.name == "rim"
    ask(bench, "leave unknown")
    press(bench, Key.Key_BracketLeft, times=5)
    press(bench, Key.Key_F9, SHIFT)
    for key in (Key.Key_Left, Key.Key_Up, Key.Key_Right):
        stroke(bench, key)
    bench.settle()
    assert len(bench.seqs) >= 3
    assert objects(bench) == 3
    press(bench, Key.Key_Z, CTRL)
    assert objects(bench) == 2
    press(bench, Key.Key_Escape)
    first = bench.session.current_image
    press(bench, Key.Key_Return)
    bench.wait(lambda: bench.session.current_image != first)
    bench.settle()
    bench.wait(lambda: bench.opened.navigation.items[0].status is Status.DONE)
    ended: list[object] = []
    bench.opened.exports.finished.connect(ended.append)
    ask(bench, "export")
    press(bench, Key.Key_Return)
    bench.wait(lambda: ended)
    exported = [file for file in tmp_path.rglob("*") if file.is_file() and "export" in str(file).casefold()]
    masks = [file for file in exported if file.stem == Path(first or "").stem]
    from PIL import Image

    values = np.unique(np.asarray(Image.open(masks[0]))) if masks else []
    assert len(values) > 1, exported
    assert bench.failures == []
