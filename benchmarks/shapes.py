"""What a shape costs: its pixels, the events that draw and close it, and the hand that goes on drawing a long one.

    python benchmarks/shapes.py [--quick]

`pixels` computes regions alone, beside OpenCV's fillPoly of the same vertices into a uint8 array (which rounds them to
whole pixels and knows no tiles). `events` sends real events to the real canvas (1298 x 658, offscreen) over a real
session: moves, the release, and every turn of the event loop until the shape is painted, beside a bare widget that
repaints itself whole. `painting` is what the event loop does for a finished shape on a plane of 20,000 x 20,000 pixels,
without a canvas, and the work before it on the worker.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import sys
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import cv2
import numpy as np
from common import Took, measured, report
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from segstudio.app.editing.tools.base import Context, Paint
from segstudio.app.editing.tools.painting import Painting
from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.model import ImageId, Touch
from segstudio.labels.paint.polygon import polygon_region
from segstudio.labels.tiles.raster import Raster
from segstudio.ui.canvas import Canvas
from tests.ui.canvas_values import CLASSES, SPECS
from tests.ui.desk import Desk, opened_desk

VIEW = (1298, 658)
LEFT, NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton


class Bare(QWidget):
    """Repaints itself whole at every move."""

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.resize(*VIEW)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(40, 40, 40))
        painter.end()


def wavy(count: int, width: float, height: float) -> NDArray[np.float64]:
    """Vertices (n, 2) of an outline with bays that nearly fills a rectangle; not a convex one."""
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    radius = 0.48 * (1 - 0.15 - 0.15 * np.sin(9 * turn) * np.cos(31 * turn))
    return np.stack([width * (0.5 + radius * np.cos(turn)), height * (0.5 + radius * np.sin(turn))], axis=1)


def pixels(side: int, count: int, times: int) -> None:
    """A region alone."""
    ring, plane = wavy(count, side, side), Rect(0, 0, side, side)
    took = measured([lambda: polygon_region([ring], plane)] * times)
    picture, rounded = np.zeros((side, side), np.uint8), np.round(ring).astype(np.int32)
    least = measured([lambda: cv2.fillPoly(picture, [rounded], 1)] * times)
    floor = {"what": "cv2.fillPoly into uint8", **least.figures(), "ratio": ratio(took, least)}
    report("shapes", {"what": "pixels", "side_px": side, "vertices": count}, dict(took.figures()), floor)


def ratio(took: Took, least: Took) -> float:
    """By the medians."""
    return round(took.median_s / least.median_s, 2)


def send(widget: QWidget, kind: QEvent.Type, at: QPointF) -> None:
    """A mouse event, and the repaint it asks for."""
    button = NO_BUTTON if kind is QEvent.Type.MouseMove else LEFT
    held = NO_BUTTON if kind is QEvent.Type.MouseButtonRelease else LEFT
    event = QMouseEvent(kind, at, widget.mapToGlobal(at), button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)
    QApplication.sendPostedEvents()


def until_painted(desk: Desk) -> tuple[Took, float]:
    """Turns of the event loop until no shape is under way, and how long that took together (seconds)."""
    turns = Took([], [])
    start = time.perf_counter()
    while desk.documents.gesture_active:
        turn = measured([QApplication.processEvents])
        turns.wall_s.extend(turn.wall_s)
        turns.cpu_s.extend(turn.cpu_s)
        time.sleep(0.0005)
    took = time.perf_counter() - start
    for turn in (measured([QApplication.processEvents]) for _ in range(20)):
        turns.wall_s.extend(turn.wall_s)
        turns.cpu_s.extend(turn.cpu_s)
    return turns, took


def events(canvas: Canvas, desk: Desk, side: int, count: int, bare: Bare) -> None:
    """One lasso around most of the image."""
    desk.session.tools.choose("lasso")
    whole = canvas.to_widget(side, side) - canvas.to_widget(0, 0)
    corner = canvas.to_widget(0, 0)
    points = [corner + QPointF(x, y) for x, y in wavy(count, whole.x(), whole.y())]
    send(canvas, QEvent.Type.MouseButtonPress, points[0])
    moves = measured(partial(send, canvas, QEvent.Type.MouseMove, at) for at in points[1:])
    least = measured(partial(send, bare, QEvent.Type.MouseMove, at) for at in points[1:200])
    release = measured([partial(send, canvas, QEvent.Type.MouseButtonRelease, points[-1])])
    turns, until_s = until_painted(desk)
    tail = Took(moves.wall_s[-500:], moves.cpu_s[-500:])
    report(
        "shapes",
        {"what": "events", "side_px": side, "vertices": count},
        {
            **moves.figures(),
            "last_500_p99_ms": tail.figures()["p99_ms"],
            "release_ms": round(release.median_s * 1000, 2),
            "until_painted_ms": round(until_s * 1000, 1),
            "worst_turn_ms": turns.figures()["max_ms"],
        },
        {"what": "bare widget repainted whole", **least.figures(), "ratio": ratio(moves, least)},
    )
    desk.settle()


def painting(side: int, count: int, times: int) -> None:
    """A large shape without a canvas: the worker's part, and the part of the event loop."""
    ring, plane = wavy(count, side, side), Rect(0, 0, side, side)
    works, puts = Took([], []), Took([], [])
    for _ in range(times):
        document = Document(ImageId(1), Raster([(side, side)]))
        paint = Paint(CLASSES, list(CLASSES)[1], 5.0, Touch.ALL, 0, "a")
        painting = Painting(Context(document, paint), "polygon", (1.0, 1.0), paint.label_class)
        work, found = painting.later(lambda _: polygon_region([ring], plane)), []
        for took, call in (
            (works, lambda work=work, found=found: found.append(work(lambda: False))),
            (puts, lambda painting=painting, found=found: (list(painting.put(found[0])), painting.commit())),
        ):
            one = measured([call])
            took.wall_s.extend(one.wall_s)
            took.cpu_s.extend(one.cpu_s)
    picture, rounded = np.zeros((side, side), np.uint8), np.round(ring).astype(np.int32)
    least = measured([lambda: cv2.fillPoly(picture, [rounded], 1)] * times)
    report(
        "shapes",
        {"what": "painting", "side_px": side, "vertices": count},
        {"put_" + name: value for name, value in puts.figures().items()}
        | {"work_" + name: value for name, value in works.figures().items()},
        {"what": "cv2.fillPoly into uint8", **least.figures(), "ratio": ratio(works, least)},
    )


def main() -> None:
    """Run every case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small images and few vertices")
    quick = parser.parse_args().quick
    QApplication.instance() or QApplication([])
    for side in (1024,) if quick else (1024, 4096, 20000):
        for count in (4, 300) if quick else (4, 300, 3000, 100_000):
            pixels(side, count, 3 if quick else 15)
    for count in (300,) if quick else (4, 300, 3000):
        painting(2048 if quick else 4096, count, 3 if quick else 15)
        if not quick:
            painting(20000, count, 7)
    bare = Bare()
    bare.show()
    for side in (1024,) if quick else (1024, 4096):
        with opened_desk() as desk:
            canvas = Canvas(desk.session)
            canvas.resize(*VIEW)
            desk.show({"a.png": np.full((side, side, 3), 120, np.uint8)}, SPECS)
            canvas.show()
            QApplication.processEvents()
            for count in (100, 300) if quick else (300, 3000, 3000, 100_000):
                events(canvas, desk, side, count, bare)
            canvas.close()
            desk.leave()
            canvas.deleteLater()
    bare.close()


if __name__ == "__main__":
    main()
