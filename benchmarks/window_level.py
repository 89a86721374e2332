"""How fast a picture of 16 bits is shown between other levels: from the new view to its pixels in the window.

    python benchmarks/window_level.py [--quick]

A real canvas (1298 x 658, offscreen) over a real session shows a made-up picture of 4096 x 4096 and takes a new view a
frame, as a hand that drags its window gives them; each figure holds the new look-up table, the drawing of the buffer
and the repaint. The floor is an empty widget that resamples the same region to the same size in OpenCV and paints it.
To reach: 60 frames a second, 16.7 ms.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import cv2
import numpy as np
from common import measured, report
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from segstudio.imaging.display import BLUE, GREEN, RED, WHITE, ShownChannel, View
from segstudio.imaging.levels import Levels
from segstudio.ui.canvas import Canvas
from tests.ui.canvas_values import SPECS
from tests.ui.desk import Desk, opened_desk

VIEW = (1298, 658)
SIDE = 4096
MAGENTA = (255, 0, 255)
CASES = {
    "grey": (np.uint16, (WHITE,)),
    "grey, with a sign": (np.int16, (WHITE,)),
    "grey, floats": (np.float32, (WHITE,)),
    "red, green, blue": (np.uint16, (RED, GREEN, BLUE)),
    "four in colours of their own": (np.uint16, (RED, GREEN, BLUE, MAGENTA)),
    "8 bits": (np.uint8, (WHITE,)),
}


class Resampled(QWidget):
    """Does the least that another picture of the same region must do."""

    def __init__(self, region: NDArray[np.uint8], scale: float) -> None:
        super().__init__()
        self.region, self.size_px = region, (round(region.shape[1] * scale), round(region.shape[0] * scale))
        self.resize(*VIEW)

    def paintEvent(self, event: QPaintEvent) -> None:
        shown = self.region
        if self.size_px != (shown.shape[1], shown.shape[0]):
            shown = np.asarray(cv2.resize(shown, self.size_px, interpolation=cv2.INTER_LINEAR), np.uint8)
        h, w = shown.shape
        painter = QPainter(self)
        painter.drawImage(QPointF(0, 0), QImage(shown.data, w, h, w, QImage.Format.Format_Grayscale8))
        painter.end()


def view_of(colours: tuple[tuple[int, int, int], ...], top: float, frame: int) -> View:
    """The view of a frame: the window widens and moves."""
    levels = Levels(0.1 * top + top * frame / 4000, 0.6 * top + top * frame / 2000)
    return View(tuple(ShownChannel(i, levels, colour) for i, colour in enumerate(colours)))


def top_of(name: str) -> float:
    """The largest value of a kind of picture, about."""
    dtype, _ = CASES[name]
    return 60000.0 if dtype == np.uint16 else 250.0 if dtype == np.uint8 else 30000.0


def picture(name: str) -> NDArray[np.generic]:
    """Samples (SIDE, SIDE, channels) of waves and a little noise."""
    dtype, colours = CASES[name]
    top = top_of(name)
    wave = (np.sin(np.arange(SIDE) / 37.0) + np.cos(np.arange(SIDE) / 91.0)[:, None] + 2) * (top / 4)
    noise = np.random.default_rng(1).random((SIDE, SIDE)) * top * 0.02
    return np.repeat((wave + noise)[..., None].astype(dtype), len(colours), axis=2)


def rewindow(desk: Desk, canvas: Canvas, name: str, zoom: float, frames: int) -> None:
    """One kind of picture at one zoom (0 for the whole of it)."""
    _, colours = CASES[name]
    top = top_of(name)
    canvas.zoom_to_fit()
    canvas.set_zoom(zoom or canvas.scale)
    canvas.repaint()

    def show(frame: int) -> None:
        desk.navigation.displaying.choose(view_of(colours, top, frame))
        canvas.repaint()

    show(frames)
    took = measured(partial(show, frame) for frame in range(frames))
    floor = measured([bare(canvas)] * frames)
    report(
        "window_level",
        {"picture": name, "side_px": SIDE, "zoom": round(canvas.scale, 4), "frames": frames},
        {**took.figures(), "frames_a_second": round(1 / took.median_s, 1)},
        {
            "what": "empty widget, one channel of 8 bits resampled by OpenCV, repaint",
            **floor.figures(),
            "ratio": round(took.median_s / floor.median_s, 2),
        },
    )


def bare(canvas: Canvas) -> Callable[[], None]:
    """The floor for what the canvas shows: a repaint of the region in view, from the level that is next in size."""
    seen = canvas._viewport.visible()
    step = max(int(1 / canvas.scale), 1)
    region = np.zeros((seen.h // step, seen.w // step), np.uint8)
    widget = Resampled(region, canvas.scale * step)
    widget.show()
    QApplication.processEvents()
    return widget.repaint


def main() -> None:
    """Run every case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few frames, and grey alone")
    quick = parser.parse_args().quick
    QApplication.instance() or QApplication([])
    for name in ("grey",) if quick else CASES:
        with opened_desk() as desk:
            canvas = Canvas(desk.session)
            canvas.resize(*VIEW)
            desk.show({"a.tif": picture(name)}, SPECS)
            canvas.show()
            QApplication.processEvents()
            for zoom in (0.0, 0.7, 1.0, 4.0):
                rewindow(desk, canvas, name, zoom, 30 if quick else 300)
            canvas.close()
            desk.leave()
            canvas.deleteLater()


if __name__ == "__main__":
    main()
