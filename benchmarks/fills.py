"""How long the hand waits for fill, wand, livewire, threshold and snap: each event, and until the first result is seen.

    python benchmarks/fills.py [--quick]

Real events go to the real canvas (1298 x 658, offscreen) over a real session and a real project, at fit. 'event' is one
mouse event and what the window does until it is idle but for the worker, 'first' the time from the press to the first
preview, 'done' that from the release to the edit. The floor is cv2.floodFill of the same plane in memory, in this run;
for livewire, threshold and snap it is an event that does nothing.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import cv2
import numpy as np
from common import Took, measured, report
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.app.editing.tools.overlay import Patch, Polyline
from segstudio.ui.canvas import Canvas
from tests.ui.canvas_values import SPECS
from tests.ui.desk import Desk, opened_desk

VIEW = (1298, 658)
LEFT, NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
PRESS, MOVE, RELEASE = QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease


def picture(side: int) -> np.ndarray:
    """Blobs of several sizes with a little noise, grey: edges that a wand, scissors and superpixels can find."""
    rng = np.random.default_rng(1)
    plane = cv2.resize(rng.integers(10, 245, (24, 24), np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
    noise = rng.integers(-6, 7, (1000, side), np.int8)
    for y in range(0, side, 1000):
        rows = plane[y : y + 1000]
        rows[:] = np.clip(rows.astype(np.int16) + noise[: len(rows)], 0, 255)
    return plane


class Hand:
    """Sends mouse events, each timed with what the window does at once."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas

    def send(self, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton = LEFT) -> None:
        """One event, and the repaint it asks for."""
        held = NO_BUTTON if kind is RELEASE else button
        cause = NO_BUTTON if kind is MOVE else button
        event = QMouseEvent(kind, at, self._canvas.mapToGlobal(at), cause, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self._canvas, event)
        QApplication.processEvents()

    def until(self, holds: Callable[[], object], longest: list[float]) -> float:
        """Handle events until it holds; how long that took. `longest` gathers the turns of the loop."""
        start = time.perf_counter()
        while not holds():
            turn = time.perf_counter()
            QApplication.processEvents()
            longest.append(time.perf_counter() - turn)
            if time.perf_counter() - start > 120:
                raise TimeoutError
            if longest[-1] < 0.0005:
                time.sleep(0.0005)
        return time.perf_counter() - start


def floor_of(plane: np.ndarray, seed: tuple[int, int], reach: int) -> Took:
    """cv2.floodFill of the plane, into a mask."""
    mask = np.zeros((plane.shape[0] + 2, plane.shape[1] + 2), np.uint8)

    def flood() -> None:
        mask.fill(0)
        flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE
        cv2.floodFill(plane, mask, seed, 1, reach, reach, flags)

    return measured([flood] * 3)


def told(
    name: str, case: dict[str, object], events: Took, turns: list[float], more: dict[str, float], least: Took
) -> None:
    """One row."""
    what = "cv2.floodFill" if name in ("fill", "wand") else "hover with the pan tool"
    ratio = more.get("done_ms", events.median_s * 1000) / max(least.median_s * 1000, 1e-6)
    worst = round(max(turns, default=0.0) * 1000, 2)
    figures = {**events.figures(), "longest_turn_ms": worst, **more}
    report(name, case, figures, {"what": what, **least.figures(), "ratio": round(ratio, 2)})


def ended(desk: Desk) -> bool:
    """Whether no gesture is under way."""
    return not desk.documents.gesture_active


def area(
    desk: Desk, canvas: Canvas, hand: Hand, plane: np.ndarray, tool: str, drags: int, case: dict[str, object]
) -> None:
    """A fill or a wand: press, some moves, release, and the wait for the edit; then undo."""
    side = plane.shape[0]
    seed = (side // 2 + 31, side // 2 + 17)
    start = canvas.to_widget(seed[0] + 0.5, seed[1] + 0.5)
    desk.session.set_tool(tool)
    turns: list[float] = []
    events = [partial(hand.send, PRESS, start)]
    took = measured(events)
    began = time.perf_counter()
    first = hand.until(lambda: ended(desk) or any(isinstance(s, Patch) for s in desk.session.tools.overlay), turns)
    if tool == "wand":
        moves = [start + QPointF(4.0 + 2.0 * n % 60, 0.0) for n in range(drags)]
        some = measured(partial(hand.send, MOVE, at) for at in moves)
        took = Took(took.wall_s + some.wall_s, took.cpu_s + some.cpu_s)
        start = moves[-1] if moves else start
    release = measured([partial(hand.send, RELEASE, start)])
    done = hand.until(lambda: ended(desk), turns)
    label = int(desk.documents.class_id)
    pixels = int((desk.document.class_ids(0, desk.document.raster.bounds(0)) == label).sum()) if side <= 4096 else -1
    seen = time.perf_counter() - began
    reach = int(desk.session.tools.values().get("tolerance", 0.0) * 2.55)  # type: ignore[operator]
    least = floor_of(plane if tool == "wand" else np.zeros_like(plane), seed, reach)
    wall, cpu = took.wall_s + release.wall_s, took.cpu_s + release.cpu_s
    more: dict[str, float] = {
        "first_ms": round(first * 1000, 1), "done_ms": round((done + release.median_s) * 1000, 1),
        "pixels": float(pixels), "all_ms": round(seen * 1000, 1),
    }  # fmt: skip
    told(tool, {"side_px": side, **case}, Took(wall, cpu), turns, more, least)
    desk.session.undo()
    hand.until(lambda: desk.documents.save_state().saved, [])


def strokes(desk: Desk, canvas: Canvas, hand: Hand, side: int, tool: str, events: int) -> None:
    """Hover and a stroke at 1:1 with threshold or snap, and hovering after a click with livewire."""
    canvas.set_zoom(1.0)
    QTest.qWait(20)
    points = [QPointF(350 + 5.0 * (i % 120), 329 + 180 * float(np.sin(i / 17))) for i in range(events)]
    desk.session.set_tool("pan")
    least = measured(partial(hand.send, MOVE, at, NO_BUTTON) for at in points)
    desk.session.set_tool(tool)
    desk.session.set_brush_radius(20)
    turns: list[float] = []
    if tool == "livewire":
        began = time.perf_counter()
        hand.send(PRESS, points[0])
        hand.send(RELEASE, points[0])
        hand.send(MOVE, points[1], NO_BUTTON)
        hand.until(lambda: all(not line.dashed for line in _lines(desk)), turns)
        first = time.perf_counter() - began
        took = measured(partial(hand.send, MOVE, at, NO_BUTTON) for at in points)
        desk.documents.cancel_gesture()
        told(tool, {"side_px": side, "events": events}, took, turns, {"first_ms": round(first * 1000, 1)}, least)
        return
    hover = measured(partial(hand.send, MOVE, at, NO_BUTTON) for at in points)
    told(tool, {"side_px": side, "events": events, "what": "hover"}, hover, turns, {}, least)
    hand.send(PRESS, points[0])
    took = measured(partial(hand.send, MOVE, at) for at in points)
    release = measured([partial(hand.send, RELEASE, points[-1])])
    done = hand.until(lambda: ended(desk), turns)
    more: dict[str, float] = {"done_ms": round((done + release.median_s) * 1000, 2)}
    told(tool, {"side_px": side, "events": events, "what": "stroke"}, took, turns, more, least)
    desk.session.undo()
    hand.until(lambda: desk.documents.save_state().saved, [])


def _lines(desk: Desk) -> list[Polyline]:
    return [shape for shape in desk.session.tools.overlay if isinstance(shape, Polyline)]


def run(side: int, events: int) -> None:
    """Every case at one size."""
    plane = picture(side)
    with opened_desk() as desk, TemporaryDirectory() as folder:
        desk.open(desk.projects.of_pixels(Path(folder), {"a.tif": plane[..., None]}, SPECS))
        measure(desk, plane, events)


def measure(desk: Desk, plane: np.ndarray, events: int) -> None:
    """Every case on the open image."""
    side = plane.shape[0]
    canvas = Canvas(desk.session)
    canvas.resize(*VIEW)
    canvas.show()
    canvas.zoom_to_fit()
    QTest.qWait(200)
    hand = Hand(canvas)
    area(desk, canvas, hand, plane, "fill", 0, {"what": "blank"})
    for tolerance in (0.05, 0.3):
        desk.session.set_tolerance(tolerance)
        area(desk, canvas, hand, plane, "wand", 0, {"what": "click", "tolerance": tolerance})
    desk.session.set_tolerance(0.05)
    area(desk, canvas, hand, plane, "wand", events // 4, {"what": "drag", "tolerance": 0.05})
    desk.session.set_tool("wand")
    desk.session.set_tolerance(0.3)
    if side <= 8192:  # beyond, it is refused
        desk.session.tools.set_option("contiguous", False)
        area(desk, canvas, hand, plane, "wand", 0, {"what": "everywhere", "tolerance": 0.3})
        desk.session.tools.set_option("contiguous", True)
    desk.session.set_tolerance(0.05)
    for tool in ("livewire", "threshold", "snap"):
        strokes(desk, canvas, hand, side, tool, events)
    canvas.hide()
    canvas.deleteLater()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one small size, few events")
    parser.add_argument("--sides", type=int, nargs="*", default=[1024, 4096, 20000])
    chosen = parser.parse_args()
    application = QApplication([])
    for edge in [1024] if chosen.quick else chosen.sides:
        run(edge, 60 if chosen.quick else 300)
