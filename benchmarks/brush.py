"""How long the hand waits: from an event of the mouse to its pixels in the window, and what releasing and undoing cost.

    python benchmarks/brush.py [--sides 1024,4096,10000,32768,100000] [--ratio 2] [--events 300] [--quick] [--training]
    python benchmarks/brush.py --profile 200

Real events go to the canvas of the real window (1600 x 1000, offscreen) over a real project; each figure holds the
event, the painting of labels, the drawing of the buffer, the repaint, and whatever else the event set off. Every
stroke begins when the one before it is on disk. The floor is a bare widget of the canvas' size in a window of its own
that takes the same events, writes the brush's square into two arrays (uint32 and uint8) and repaints the rectangle of
the same size. One row a case; `ratio` is the median over that of the floor. A busy machine spoils the clock: the
figures in processor time of the window's thread stand beside it.

With `--training` every case is measured twice, while the engine process is held still, and while it trains on the same
project; the second row has `p99_of_idle`: its 99th percentile, less what the bare widget lost in the same time, over
that at rest. So what else runs on the machine spoils both alike.

With `--profile` it prints instead where the processor time of a brush of that radius goes at 1:1 on 4096 x 4096: of its
moves, and of an undo; calls a move stand at the head.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import cProfile
import os
import pstats
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np
from common import Took, report
from made_up import Room, opened_room
from PySide6.QtCore import QEvent, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

LEFT = Qt.MouseButton.LeftButton
NO_BUTTON = Qt.MouseButton.NoButton
SIDES = (1024, 4096, 10_000, 32_768, 100_000)
RADII = (1.0, 20.0, 200.0, 1000.0)
UNDONE = 300
"""Events of the strokes whose release, undo and redo are measured."""


class Bare(QWidget):
    """Does the least that a brush must do."""

    def __init__(self, size: tuple[int, int], radius: float, scale: float) -> None:
        super().__init__()
        side = max(int(2 * radius), 1)
        self.ids = np.zeros((side, side), np.uint32)
        self.origins = np.zeros((side, side), np.uint8)
        self.reach = max(radius * scale, 1.0)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.resize(*size)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.ids.fill(1)
        self.origins.fill(1)
        at, reach = event.position(), self.reach
        self.update(QRect(int(at.x() - reach), int(at.y() - reach), int(2 * reach) + 1, int(2 * reach) + 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(40, 40, 40))
        painter.end()


def send(widget: QWidget, kind: QEvent.Type, at: QPointF) -> None:
    """A mouse event, and everything that it sets off."""
    button = NO_BUTTON if kind is QEvent.Type.MouseMove else LEFT
    held = NO_BUTTON if kind is QEvent.Type.MouseButtonRelease else LEFT
    event = QMouseEvent(kind, at, widget.mapToGlobal(at), button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)
    QApplication.processEvents()


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of this thread's processor time."""
    begun, begun_cpu = time.perf_counter(), time.thread_time()
    work()
    return time.perf_counter() - begun, time.thread_time() - begun_cpu


def took(works: list[Callable[[], object]]) -> Took:
    """Each once."""
    both = [timed(work) for work in works]
    return Took([wall for wall, _ in both], [cpu for _, cpu in both])


def path(widget: QWidget, events: int) -> list[QPointF]:
    """A wavy way through the widget, about 12 view pixels an event."""
    width, height = widget.width(), widget.height()
    t = np.arange(events)
    xs = 0.15 * width + (6.5 * t) % (0.7 * width)
    ys = 0.5 * height + 0.24 * height * np.sin(t / 17)
    return [QPointF(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]


def moves(widget: QWidget, points: list[QPointF]) -> Took:
    """The moves of a stroke whose button is down."""
    return took([partial(send, widget, QEvent.Type.MouseMove, at) for at in points[1:]])


def stroke(room: Room, events: int) -> tuple[Took, Took]:
    """One stroke: its moves, and its release."""
    canvas, points = room.canvas, path(room.canvas, events)
    send(canvas, QEvent.Type.MouseButtonPress, points[0])
    moved = moves(canvas, points)
    released = took([partial(send, canvas, QEvent.Type.MouseButtonRelease, points[-1])])
    room.settle()
    return moved, released


def back(room: Room, step: Callable[[], object]) -> Took:
    """An undo or a redo, with everything that it sets off."""

    def whole() -> None:
        step()
        QApplication.processEvents()

    found = took([whole])
    room.settle()
    return found


def suffered(case: str, ours: Took, bare: Took, idle: dict[str, tuple[float, float]]) -> dict[str, object]:
    """The figure of a case while the engine trains, if it was measured at rest before; `idle` remembers that.

    It is the 99th percentile, less what the bare widget lost in the same time, over the one at rest.
    """
    p99, bare_p99 = ours.figures()["p99_ms"], bare.figures()["p99_ms"]
    if case not in idle:
        idle[case] = p99, bare_p99
        return {}
    rested, bare_rested = idle[case]
    return {"idle_p99_ms": rested, "p99_of_idle": round((p99 - max(bare_p99 - bare_rested, 0.0)) / rested, 2)}


def case(room: Room, radius: float, zoom: str, events: int, objects: int, idle: dict[str, tuple[float, float]]) -> None:
    """Measure one radius at one zoom and print the row."""
    canvas = room.canvas
    room.session.set_tool("brush")
    room.session.set_brush_radius(radius)
    canvas.zoom_to_fit() if zoom == "fit" else canvas.set_zoom(1.0)
    room.settle()
    stroke(room, 30)
    back(room, room.session.undo)  # every stroke paints pixels that are not of its class yet
    moved, _ = stroke(room, events)
    back(room, room.session.undo)
    _, released = stroke(room, UNDONE)
    undone = back(room, room.session.undo)
    redone = back(room, room.session.redo)
    back(room, room.session.undo)
    bare = Bare((canvas.width(), canvas.height()), radius, canvas.scale)
    bare.show()
    QApplication.processEvents()
    points = path(bare, events)
    moves(bare, points[:30])
    least = moves(bare, points)
    bare.deleteLater()
    report(
        "brush",
        {
            "side_px": room.side,
            "zoom": zoom,
            "radius_px": radius,
            "objects": objects,
            "device_ratio": canvas.devicePixelRatioF(),
            "canvas": [canvas.width(), canvas.height()],
            "events": events,
            "training": room.is_learning,
        },
        {
            **moved.figures(),
            **suffered(f"{zoom}, {radius:g}", moved, least, idle),
            "release_ms": released.figures()["p50_ms"],
            "release_cpu_ms": released.figures()["cpu_p50_ms"],
            "undo_ms": undone.figures()["p50_ms"],
            "undo_cpu_ms": undone.figures()["cpu_p50_ms"],
            "redo_ms": redone.figures()["p50_ms"],
            "redo_cpu_ms": redone.figures()["cpu_p50_ms"],
        },
        {
            "what": "bare widget, the brush's square written, the same rectangle repainted",
            **least.figures(),
            "ratio": round(moved.median_s / least.median_s, 2),
        },
    )


def profile(radius: float, events: int) -> None:
    """Print where a stroke's moves and its undo spend the processor time of the window's thread."""
    with opened_room(4096, 0) as room:
        room.session.set_tool("brush")
        room.session.set_brush_radius(radius)
        room.canvas.set_zoom(1.0)
        room.settle()
        stroke(room, 30)
        back(room, room.session.undo)
        points = path(room.canvas, events)
        send(room.canvas, QEvent.Type.MouseButtonPress, points[0])
        for what, work in (("moves", partial(moves, room.canvas, points)), ("undo", None)):
            if work is None:
                send(room.canvas, QEvent.Type.MouseButtonRelease, points[-1])
                room.settle()
                work = partial(took, [lambda: (room.session.undo(), QApplication.processEvents())])
            watched = cProfile.Profile(time.thread_time)
            watched.runcall(work)
            found = pstats.Stats(watched)
            times = events - 1 if what == "moves" else 1
            sys.stdout.write(f"\n{what}: {found.total_calls / times:.0f} calls each\n")  # type: ignore[attr-defined]
            found.sort_stats("tottime").print_stats(20)
        room.settle()


def main() -> None:
    """Run every case; another device ratio in a process of its own, since Qt reads it once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", default=",".join(map(str, SIDES)), help="sides of the image in pixels")
    parser.add_argument("--events", type=int, default=300)
    parser.add_argument("--ratio", type=float, default=1.0, help="device pixels a view pixel")
    parser.add_argument("--quick", action="store_true", help="two sides, two radii, few events")
    parser.add_argument("--profile", type=float, metavar="RADIUS", help="say where the time of this brush goes instead")
    parser.add_argument("--training", action="store_true", help="at rest, and while the engine trains; no objects")
    chosen = parser.parse_args()
    if chosen.ratio != 1.0 and "QT_SCALE_FACTOR" not in os.environ:
        environment = {**os.environ, "QT_SCALE_FACTOR": str(chosen.ratio)}
        sys.exit(subprocess.run([sys.executable, *sys.argv], env=environment, check=False).returncode)
    QApplication.instance() or QApplication([])
    if chosen.profile is not None:
        profile(chosen.profile, chosen.events)
        return
    sides = (1024, 10_000) if chosen.quick else tuple(int(side) for side in chosen.sides.split(","))
    for side in sides:
        for objects in (0,) if chosen.quick or chosen.training else (0, 10_000):
            with opened_room(side, objects, learns=chosen.training) as room:
                idle: dict[str, tuple[float, float]] = {}
                cases = [
                    partial(case, room, radius, zoom, 60 if chosen.quick else chosen.events, objects, idle)
                    for zoom in ("1:1", "fit")
                    for radius in (RADII[1:3] if chosen.quick else RADII)
                ]
                in_both_states(room, cases, training=chosen.training)


def in_both_states(room: Room, cases: list[Callable[[], None]], *, training: bool) -> None:
    """Measure at rest; or each case at rest and while the engine trains, one after the other."""
    if not training:
        for measure in cases:
            measure()
        return
    with room.learning():
        for measure in cases:
            with room.engine_stopped():
                measure()
            measure()


if __name__ == "__main__":
    main()
