"""A large picture with smaller levels of its own: drawn at once, and sharper as its blocks are decoded."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from segstudio.geometry import Rect
from segstudio.imaging import tiled_samples
from segstudio.imaging.readers import tiff
from segstudio.imaging.readers.tiff_windows import WindowSource
from segstudio.imaging.tiled_samples import TiledSamples
from segstudio.tasks.images.new import new_project
from segstudio.ui.canvas import Canvas
from tests.shown_pixels import whole
from tests.ui.canvas_values import SPECS
from tests.ui.desk import Desk

SIDE = 2048


def picture() -> NDArray[np.uint8]:
    rng = np.random.default_rng(5)
    coarse = rng.integers(40, 200, (SIDE // 32, SIDE // 32, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((32, 32, 1), np.uint8)).astype(np.uint8)


def write(path: Path, pixels: NDArray[Any]) -> None:
    import tifffile

    with tifffile.TiffWriter(path) as file:
        for level in range(3):
            step = 2**level
            file.write(pixels[::step, ::step], tile=(256, 256), photometric="rgb", subfiletype=int(level > 0))


@pytest.fixture
def desk(own_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(tiled_samples, "_LARGE_PX", 1)
    monkeypatch.setattr(tiff, "_LARGE_BYTES", 1)
    return own_desk


@pytest.fixture
def canvas(qtbot: QtBot, desk: Desk) -> Iterator[Canvas]:
    widget = Canvas(desk.session)
    qtbot.addWidget(widget)
    widget.resize(400, 300)
    place = desk.place()
    write(place / "slide.tif", picture())
    for _ in new_project(place / "p.segstudio", [str(place / "slide.tif")], SPECS):
        pass
    desk.open(place / "p.segstudio")
    desk.session.set_tool("pan")  # no outline of a brush lies over the picture, wherever the pointer is
    with qtbot.waitExposed(widget):
        widget.show()
    yield widget
    widget._behind.stop()


def seen(canvas: Canvas) -> NDArray[np.uint8]:
    """What the canvas shows (h, w, 3)."""
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    shown = rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3)
    return shown.copy()  # the image goes


def around(canvas: Canvas) -> Rect:
    """The image pixels in view, where a view pixel is one of them."""
    left, top = canvas.to_image(canvas.rect().topLeft())
    return Rect(round(left), round(top), canvas.width(), canvas.height())


def test_the_picture_in_view_becomes_what_the_file_holds(canvas: Canvas, desk: Desk) -> None:
    display = desk.navigation.display
    assert display is not None
    assert isinstance(display.stored, TiledSamples)
    canvas.set_zoom(1.0)
    part = around(canvas)
    expected = picture()[part.y : part.bottom, part.x : part.right]
    desk.wait(lambda: np.array_equal(seen(canvas), expected))


def test_painting_goes_on_while_blocks_are_decoded(canvas: Canvas, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    goes = threading.Event()
    inner = WindowSource.read

    def slow(self: WindowSource, *given: Any) -> NDArray[Any]:
        assert goes.wait(20)
        return inner(self, *given)

    monkeypatch.setattr(WindowSource, "read", slow)
    canvas.set_zoom(1.0)
    part = around(canvas)
    blurred = seen(canvas)
    expected = picture()[part.y : part.bottom, part.x : part.right]
    assert not np.array_equal(blurred, expected)
    assert abs(float(blurred.mean()) - float(expected.mean())) < 15, "it is drawn from the overview"
    assert desk.navigation.display is not None
    assert desk.navigation.display.value_text(part.x + 9, part.y + 9) == "…"
    desk.paint(Rect(part.x + 50, part.y + 50, 40, 40), 2)
    assert not np.array_equal(seen(canvas)[50:90, 50:90], blurred[50:90, 50:90])
    goes.set()
    beside = np.ones(expected.shape[:2], np.bool_)
    beside[45:95, 45:95] = False
    # Blending what is under a label's tile may round otherwise by one.
    desk.wait(lambda: np.abs(seen(canvas)[beside].astype(int) - expected[beside]).max() <= 1)


def test_its_pixels_are_those_of_the_file_for_every_tool(canvas: Canvas, desk: Desk) -> None:
    assert np.array_equal(whole(desk.navigation.display), picture())
    assert canvas.scale < 1
