"""Tools that look at pixels, over a picture that is still being decoded: the hand never waits, and is told why."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from segstudio.imaging.filling_samples import FillingSamples
from segstudio.imaging.readers import tiff
from segstudio.imaging.readers.tiff_windows import WindowSource
from segstudio.tasks.images.new import new_project
from segstudio.ui.canvas import Canvas
from tests.ui.canvas_values import SPECS
from tests.ui.desk import Desk

SIDE = 700


@pytest.fixture
def goes() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def canvas(qtbot: QtBot, own_desk: Desk, goes: threading.Event, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canvas]:
    import tifffile

    monkeypatch.setattr(tiff, "_LARGE_BYTES", 1)
    desk, place = own_desk, own_desk.place()
    pixels = np.full((SIDE, SIDE, 3), 100, np.uint8)
    pixels[200:400, 200:400] = 180
    tifffile.imwrite(place / "a.tif", pixels, tile=(64, 64), photometric="rgb", compression="zlib")
    for _ in new_project(place / "p.segstudio", [str(place / "a.tif")], SPECS):
        pass
    inner = WindowSource.read

    def slow(self: WindowSource, *given: Any) -> NDArray[Any]:
        assert goes.wait(20)
        return inner(self, *given)

    monkeypatch.setattr(WindowSource, "read", slow)
    widget = Canvas(desk.session)
    qtbot.addWidget(widget)
    widget.resize(500, 400)
    desk.open(place / "p.segstudio")
    with qtbot.waitExposed(widget):
        widget.show()
    yield widget
    widget._behind.stop()


def click(canvas: Canvas, x: float, y: float) -> None:
    at: QPoint = canvas.to_widget(x, y).toPoint()
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)


@pytest.mark.parametrize("tool", ["wand", "threshold"])
def test_a_tool_says_that_pixels_are_still_being_decoded_and_works_once_they_are(
    canvas: Canvas, own_desk: Desk, goes: threading.Event, tool: str
) -> None:
    desk = own_desk
    display = desk.navigation.display
    assert display is not None
    assert isinstance(display.stored, FillingSamples)
    desk.session.set_tool(tool)
    click(canvas, 300, 300)
    desk.wait(lambda: "This part is still being decoded." in desk.said)
    assert desk.edits == 0
    goes.set()
    desk.wait(lambda: display.stored.settled)
    click(canvas, 300, 300)
    desk.wait(lambda: desk.edits == 1)
    assert desk.class_ids()[300, 300] != 0
