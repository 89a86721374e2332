"""What moving and zooming the view costs, from an event to its pixels in the window; also in the middle of a stroke.

    python benchmarks/view.py [--sides 1024,4096,10000] [--ratio 2] [--size 1600x1000] [--quick] [--training]

Real events go to the canvas of the real window over a real project: the middle button drags the image by (13, 7) view
pixels an event, the wheel zooms by a notch at the pointer. The floor of a drag is a bare widget of the same size that
repaints all of an image it holds; that of a zoom the same widget that first resamples the region in view with OpenCV
(three channels, bilinear, from the level of the pyramid that is next in size).
Each figure also stands in processor time of the window's thread: a busy machine spoils the clock. `--training` measures
every case again while the engine trains, as benchmarks/brush.py does.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import cv2
import numpy as np
from brush import LEFT, NO_BUTTON, SIDES, in_both_states, send, suffered, took
from common import Took, report
from made_up import Room, opened_room
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

MIDDLE = Qt.MouseButton.MiddleButton
PLAIN = Qt.KeyboardModifier.NoModifier


class Bare(QWidget):
    """Holds a picture of its own size in device pixels, and paints it; `resample` makes it anew from a region."""

    def __init__(self, size: tuple[int, int], scale: float) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.resize(*size)
        ratio = self.devicePixelRatioF()
        self.wide, self.high = round(size[0] * ratio), round(size[1] * ratio)
        by = 1 / (scale * ratio)
        while by >= 2:
            by /= 2
        shape = max(round(self.high * by), 1), max(round(self.wide * by), 1), 3
        self.region = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
        self.picture = np.zeros((self.high, self.wide, 4), np.uint8)
        self.image = QImage(self.picture.data, self.wide, self.high, 4 * self.wide, QImage.Format.Format_RGB32)
        self.image.setDevicePixelRatio(ratio)
        self.show()
        QApplication.processEvents()

    def resample(self) -> None:
        """Make the picture anew."""
        shown = cv2.resize(self.region, (self.wide, self.high), interpolation=cv2.INTER_LINEAR)
        cv2.cvtColor(shown, cv2.COLOR_RGB2BGRA, self.picture)
        self.again()

    def again(self) -> None:
        """Paint all of it."""
        self.update()
        QApplication.processEvents()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawImage(0, 0, self.image)
        painter.end()


def drag(widget: QWidget, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton = MIDDLE) -> None:
    """An event of the middle button, and everything that it sets off."""
    changed = NO_BUTTON if kind is QEvent.Type.MouseMove else button
    held = NO_BUTTON if kind is QEvent.Type.MouseButtonRelease else button
    QApplication.sendEvent(widget, QMouseEvent(kind, at, widget.mapToGlobal(at), changed, held, PLAIN))
    QApplication.processEvents()


def turn(widget: QWidget, at: QPointF, notches: int) -> None:
    """The wheel, and everything that it sets off."""
    event = QWheelEvent(
        at, widget.mapToGlobal(at), QPoint(), QPoint(0, 120 * notches), NO_BUTTON, PLAIN, Qt.ScrollPhase.NoScrollPhase,
        False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    QApplication.processEvents()


def drags(room: Room, times: int) -> Took:
    """The image is dragged to and fro."""
    canvas = room.canvas
    at = QPointF(canvas.width() / 2, canvas.height() / 2)
    places = [at + QPointF(13, 7) * (n if n // 10 % 2 == 0 else 20 - n) for n in (k % 20 for k in range(1, times + 1))]
    drag(canvas, QEvent.Type.MouseButtonPress, at)
    found = took([partial(drag, canvas, QEvent.Type.MouseMove, place) for place in places])
    drag(canvas, QEvent.Type.MouseButtonRelease, places[-1])
    return found


def zooms(room: Room, times: int) -> Took:
    """The wheel is turned in and out."""
    at = QPointF(room.canvas.width() * 0.4, room.canvas.height() * 0.6)
    return took([partial(turn, room.canvas, at, 1 if n // 3 % 2 == 0 else -1) for n in range(times)])


def case(
    room: Room, zoom: str, times: int, objects: int, idle: dict[str, tuple[float, float]], *, in_stroke: bool
) -> None:
    """A drag and a zoom at one scale, and their rows."""
    canvas = room.canvas
    canvas.zoom_to_fit() if zoom == "fit" else canvas.set_zoom(1.0)
    room.settle()
    bare = Bare((canvas.width(), canvas.height()), canvas.scale * 2 ** (1 / 3))
    if in_stroke:
        room.session.set_tool("brush")
        room.session.set_brush_radius(20)
        begin = QPointF(canvas.width() * 0.3, canvas.height() * 0.3)
        send(canvas, QEvent.Type.MouseButtonPress, begin)
        for n in range(30):
            send(canvas, QEvent.Type.MouseMove, begin + QPointF(4 * n, n))
    works = (("drag", drags, bare.again), ("zoom", zooms, bare.resample))
    for name, work, floor in works:
        work(room, 6)
        found = work(room, times)
        floor()
        least = took([floor] * times)
        report(
            "view",
            {
                "what": name,
                "side_px": room.side,
                "zoom": zoom,
                "objects": objects,
                "in_stroke": in_stroke,
                "device_ratio": canvas.devicePixelRatioF(),
                "canvas": [canvas.width(), canvas.height()],
                "training": room.is_learning,
            },
            {**found.figures(), **suffered(f"{name}, {zoom}, {in_stroke}", found, least, idle)},
            {
                "what": "bare widget: all of it repainted" + (", resampled before" if name == "zoom" else ""),
                **least.figures(),
                "ratio": round(found.median_s / least.median_s, 2),
                "ratio_p99": round(found.figures()["p99_ms"] / least.figures()["p99_ms"], 2),
            },
        )
    if in_stroke:
        QApplication.sendEvent(
            canvas,
            QMouseEvent(QEvent.Type.MouseButtonRelease, begin, canvas.mapToGlobal(begin), LEFT, NO_BUTTON, PLAIN),
        )
        room.settle()
    bare.deleteLater()


def main() -> None:
    """Run every case; another device ratio in a process of its own, since Qt reads it once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", default=",".join(map(str, SIDES)), help="sides of the image in pixels")
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--ratio", type=float, default=1.0, help="device pixels a view pixel")
    parser.add_argument("--size", default="1600x1000", help="of the window, in view pixels")
    parser.add_argument("--quick", action="store_true", help="two sides, few events")
    parser.add_argument("--training", action="store_true", help="at rest, and while the engine trains; no objects")
    chosen = parser.parse_args()
    if chosen.ratio != 1.0 and "QT_SCALE_FACTOR" not in os.environ:
        environment = {**os.environ, "QT_SCALE_FACTOR": str(chosen.ratio)}
        sys.exit(subprocess.run([sys.executable, *sys.argv], env=environment, check=False).returncode)
    QApplication.instance() or QApplication([])
    width, height = map(int, chosen.size.split("x"))
    sides = (1024, 10_000) if chosen.quick else tuple(int(side) for side in chosen.sides.split(","))
    for side in sides:
        for objects in (0,) if chosen.quick or chosen.training else (0, 10_000):
            with opened_room(side, objects, (width, height), learns=chosen.training) as room:
                idle: dict[str, tuple[float, float]] = {}
                cases = [
                    partial(case, room, zoom, 20 if chosen.quick else chosen.times, objects, idle, in_stroke=in_stroke)
                    for zoom in ("1:1", "fit")
                    for in_stroke in (False, True)
                ]
                in_both_states(room, cases, training=chosen.training)


if __name__ == "__main__":
    main()
