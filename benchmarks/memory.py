"""How much memory the window takes for a large image: private pages of its process, before and after 1,000 strokes.

    python benchmarks/memory.py [--side 10000] [--strokes 1000] [--rest 10]

A JPEG of this side is made in a temporary folder (by another process), opened in the real window (1600 x 1000,
offscreen), and painted on with real events of the mouse: strokes of 20 events, at 1:1, in the whole view and between,
all over the image. `private_mb` are Private_Clean + Private_Dirty of /proc/self/smaps_rollup (Linux alone): what would
be free if the process ended. One JSON object a line: with no project, with the image on screen, at the end of the
strokes, and at rest. The floor is the image itself, as its samples would lie in memory. The engine, a process of its
own, is not started.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np
from brush import send
from common import report
from made_up import Room, folders_of_its_own
from PySide6.QtCore import QEvent, QPointF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.app.preferences import Preferences, save_preferences
from segstudio.app.session import Session
from segstudio.geometry import Rect
from segstudio.tasks.images.new import new_project
from segstudio.ui.window.main_window import MainWindow

EVENTS = 20
A_PLACE = 20
"""Strokes before the view goes elsewhere."""

ZOOMS = (1.0, 0.25, 0.5, 2.0, None)
"""One after the other, by place; None shows the whole image."""


def private_mb() -> float:
    """Private pages of this process, in MB (2 ** 20 bytes)."""
    rows = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith("Private_")) / 1024


def make_image(path: Path, side: int) -> None:
    """An RGB JPEG of blobs and noise: some 25 MB at a side of 10,000 pixels."""
    import cv2
    from PIL import Image

    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (-(-side // 40), -(-side // 40), 3), dtype=np.uint8)
    pixels = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    noise = rng.integers(0, 24, (997, 997, 3), dtype=np.uint8)
    for y in range(0, side, 997):
        for x in range(0, side, 997):
            part = pixels[y : y + 997, x : x + 997]
            cv2.add(part, noise[: part.shape[0], : part.shape[1]], part)
    Image.fromarray(pixels).save(path, quality=85)


def stroke(room: Room, rng: np.random.Generator) -> None:
    """A wavy stroke somewhere in view."""
    canvas = room.canvas
    t = np.arange(EVENTS)
    x = canvas.width() * rng.uniform(0.1, 0.7) + 10 * t
    y = canvas.height() * rng.uniform(0.2, 0.8) + 40 * np.sin(t / 3 + rng.uniform(0, 6))
    points = [QPointF(float(a), float(b)) for a, b in zip(x, y, strict=True)]
    send(canvas, QEvent.Type.MouseButtonPress, points[0])
    for at in points[1:]:
        send(canvas, QEvent.Type.MouseMove, at)
    send(canvas, QEvent.Type.MouseButtonRelease, points[-1])


def paint(room: Room, side: int, strokes: int) -> float:
    """So many strokes all over the image, with two classes and four radii by turns; the most private MB seen."""
    rng, most = np.random.default_rng(4), 0.0
    for n in range(strokes):
        if n % A_PLACE == 0:
            zoom = ZOOMS[n // A_PLACE % len(ZOOMS)]
            if zoom is None:
                room.canvas.zoom_to_fit()
            else:
                w, h = int(room.canvas.width() / zoom), int(room.canvas.height() / zoom)
                x, y = (int(part) for part in rng.uniform(0, (max(side - w, 1), max(side - h, 1))))
                room.canvas.zoom_to(Rect(x, y, w, h))
            room.settle()
        room.session.set_class(("nucleus", "cell")[n // 3 % 2])
        room.session.set_brush_radius((8, 20, 40, 100)[n // 7 % 4])
        stroke(room, rng)
        most = max(most, private_mb()) if n % 5 == 0 else most
    room.settle()
    return most


def main() -> None:
    """Measure, and print a row a state."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=10_000, help="of the image, in pixels")
    parser.add_argument("--strokes", type=int, default=1_000)
    parser.add_argument("--rest", type=float, default=10.0, help="seconds without a hand")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.make is not None:
        make_image(chosen.make, chosen.side)
        return
    with tempfile.TemporaryDirectory() as folder, folders_of_its_own(Path(folder)):
        measure(Path(folder), chosen.side, chosen.strokes, chosen.rest)


def measure(home: Path, side: int, strokes: int, rest_s: float) -> None:
    """One window from its start to its rest."""
    image = home / "large.jpg"
    made = [sys.executable, __file__, "--make", os.fspath(image), "--side", str(side)]
    subprocess.run(made, check=True)
    sample_mb = side * side * 3 / 2**20

    def say(state: str, **more: float) -> None:
        private = private_mb()
        case = {"state": state, "side_px": side, "file_mb": round(image.stat().st_size / 2**20, 1), "strokes": strokes}
        least = {"what": "the samples of the image", "mb": round(sample_mb, 1), "ratio": round(private / sample_mb, 2)}
        report("memory", case, {"private_mb": round(private, 1), **more}, least)

    application = QApplication.instance() or QApplication([])
    save_preferences(Preferences(automatic_proposals=False, theme="dark"))
    project = home / "large.segstudio"
    for _ in new_project(project, [os.fspath(image)], ["nucleus", "cell::instance"]):
        pass
    window = MainWindow(Session())
    window.resize(1600, 1000)
    window.show()
    QTest.qWait(500)
    say("no project")
    window.opening.open_path(project)
    room = Room(window, side)
    room.wait(lambda: window.session.project is not None and window.session.project.navigation.shown is not None)
    room.settle()
    say("image on screen")
    QTest.qWait(int(1000 * rest_s))
    say("image on screen, at rest")
    window.session.set_tool("brush")
    begun = time.perf_counter()
    most = paint(room, side, strokes)
    say("strokes painted", most_mb=round(most, 1), seconds=round(time.perf_counter() - begun))
    QTest.qWait(int(1000 * rest_s))
    say("strokes painted, at rest")
    window.close()
    room.wait(lambda: window.session.project is None)
    window.deleteLater()
    application.processEvents()


if __name__ == "__main__":
    main()
