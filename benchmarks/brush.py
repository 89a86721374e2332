"""How long the hand waits: from a mouse event to its pixels in the window, and what a zoom and a drag cost.

    python benchmarks/brush.py [--quick]

Real events go to the real canvas (1920 x 1080, offscreen) over a real session and a real project; each figure holds
the event, the painting of labels, the drawing of the buffer and the repaint. The floor is an empty widget that takes
the same event, fills the brush's square in two NumPy arrays (uint32 and uint8) and repaints the same rectangle.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import sys
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np
from common import measured, report
from PySide6.QtCore import QEvent, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from segstudio.geometry import TILE, Rect
from segstudio.labels.edit import Edit, TileChange, TileKey
from segstudio.labels.model import Cause
from segstudio.labels.tiles.tile import Constant, frozen
from segstudio.ui.canvas import Canvas
from tests.ui.canvas_values import SPECS
from tests.ui.desk import Desk, opened_desk

VIEW = (1920, 1080)
LEFT = Qt.MouseButton.LeftButton
NO_BUTTON = Qt.MouseButton.NoButton
_TILES = 64
"""Tiles an edit while the document is filled."""


class Empty(QWidget):
    """Does the least that a brush must do."""

    def __init__(self, radius: float, scale: float) -> None:
        super().__init__()
        side = max(int(2 * radius), 1)
        self.ids = np.zeros((side, side), np.uint32)
        self.origins = np.zeros((side, side), np.uint8)
        self.reach = max(radius * scale, 1.0)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.resize(*VIEW)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.ids.fill(1)
        self.origins.fill(1)
        at, reach = event.position(), self.reach
        self.repaint(QRect(int(at.x() - reach), int(at.y() - reach), int(2 * reach), int(2 * reach)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(40, 40, 40))
        painter.end()


def send(widget: QWidget, kind: QEvent.Type, at: QPointF) -> None:
    """A mouse event, and the repaint it asks for."""
    button = NO_BUTTON if kind is QEvent.Type.MouseMove else LEFT
    held = NO_BUTTON if kind is QEvent.Type.MouseButtonRelease else LEFT
    event = QMouseEvent(kind, at, widget.mapToGlobal(at), button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)
    QApplication.sendPostedEvents()


def path(events: int) -> list[QPointF]:
    """A wavy way through the view, about 12 pixels an event."""
    t = np.arange(events)
    return [QPointF(300 + 6.5 * i % 1300, 540 + 260 * float(np.sin(i / 17))) for i in t]


def fill(desk: Desk, seed: int) -> None:
    """Half of the tiles labelled in blobs of several classes, some whole, as a project in progress has them."""
    rng = np.random.default_rng(seed)
    for class_id in (1, 2, 3):
        desk.paint(Rect(0, 0, 8, 8), class_id)  # objects of these numbers
    document = desk.document
    blob = np.kron(rng.integers(0, 4, (32, 32)), np.ones((8, 8), int)).astype(np.uint32)
    tiles: dict[TileKey, TileChange] = {}
    for key in list(document.raster.keys(0)):
        kind, before = rng.integers(4), document.raster.tile(key)
        if kind == 0:
            tiles[key] = TileChange(before, Constant(2, 1))
        elif kind < 3:
            ids = np.roll(blob, tuple(rng.integers(0, TILE, 2)), (0, 1))
            tiles[key] = TileChange(before, frozen(ids, (ids > 0).astype(np.uint8)))
    keys = list(tiles)
    for begin in range(0, len(keys), _TILES):
        part = {key: tiles[key] for key in keys[begin : begin + _TILES]}
        desk.documents.commit(Edit(document.image, Cause.PAINT, part, tool="brush", author="a"))
        desk.settle()


def brush(canvas: Canvas, desk: Desk, side: int, radius: float, zoom: float, events: int) -> None:
    """One stroke, event by event."""
    desk.session.tools.choose("brush")
    desk.session.tools.set_radius(radius)
    canvas.set_zoom(zoom)
    canvas.repaint()
    points = path(events)
    send(canvas, QEvent.Type.MouseButtonPress, points[0])
    took = measured(partial(send, canvas, QEvent.Type.MouseMove, at) for at in points[1:])
    release = measured([partial(send, canvas, QEvent.Type.MouseButtonRelease, points[-1])])
    empty = Empty(radius, canvas.scale)
    empty.show()
    QApplication.processEvents()
    least = measured(partial(send, empty, QEvent.Type.MouseMove, at) for at in points[1:])
    empty.deleteLater()
    report(
        "brush",
        {"side_px": side, "radius_px": radius, "zoom": round(canvas.scale, 4), "events": events},
        {**took.figures(), "release_ms": round(release.median_s * 1000, 3)},
        {
            "what": "empty widget, NumPy fill of the brush's square, repaint",
            **least.figures(),
            "ratio": round(took.median_s / least.median_s, 2),
        },
    )


def frames(canvas: Canvas, side: int, zoom: float, times: int) -> None:
    """Whole frames: what a zoom costs (labels known), and a drag by (13, 7) pixels."""
    canvas.set_zoom(zoom)
    first = measured([partial(settle, canvas)])
    buffer = np.zeros((VIEW[1], VIEW[0]), np.uint32)
    least = measured([partial(buffer.fill, 7)] * times)

    def recompose() -> None:
        canvas.set_zoom(canvas.scale)
        canvas.repaint()

    middle = canvas.to_image(QPointF(960, 540))
    place = [0]

    def drag() -> None:
        place[0] += 1
        sign = 1 if place[0] // 20 % 2 else -1
        at = canvas.to_widget(*middle)
        canvas._drag_to(middle, QPointF(at.x() + 13 * sign, at.y() + 7 * sign))
        canvas.repaint()

    for name, work in (("zoom", recompose), ("drag", drag)):
        took = measured([work] * times)
        report(
            "frame",
            {"side_px": side, "zoom": round(canvas.scale, 4), "what": name},
            {**took.figures(), "first_ms": round(first.median_s * 1000, 2)},
            {
                "what": "NumPy fill of the view",
                **least.figures(),
                "ratio": round(took.median_s / least.median_s, 1),
            },
        )


def settle(canvas: Canvas) -> None:
    """Draw until nothing is out of date."""
    while not canvas._frame.up_to_date:
        canvas.repaint()


def main() -> None:
    """Run every case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the smaller document and few events")
    quick = parser.parse_args().quick
    QApplication.instance() or QApplication([])
    for side in (4000,) if quick else (4000, 10000):
        with opened_desk() as desk:
            run(desk, side, quick=quick)


def run(desk: Desk, side: int, *, quick: bool) -> None:
    """Every case on one image."""
    canvas = Canvas(desk.session)
    canvas.resize(*VIEW)
    tile = np.random.default_rng(1).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    desk.show({"a.png": np.tile(tile, (side // 500, side // 500, 1))}, SPECS)
    fill(desk, side)
    canvas.show()
    QApplication.processEvents()
    for zoom in (canvas.scale, 0.6, 1.0, 2.5, 8.0):
        frames(canvas, side, zoom, 20 if quick else 60)
    for zoom in (1.0, canvas._viewport.limits()[0] * 8):
        for radius in (5.0, 50.0, 200.0, 1000.0):
            brush(canvas, desk, side, radius, zoom, 60 if quick else 300)
    canvas.close()
    desk.leave()
    canvas.deleteLater()


if __name__ == "__main__":
    main()
