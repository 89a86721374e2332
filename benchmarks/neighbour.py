"""How long until the next image of the list is on screen: from the key to the first pixels of it in the window.

    python benchmarks/neighbour.py [--sizes 2048x2048,6000x4000] [--images 20] [--stay 1000]

The real window (1600 x 1000, offscreen) over a project of JPEGs made here. The key N or Shift+N (next, previous) shows
another one, and the clock runs from the event until it is painted and the event loop has done all that it had to do. In
both directions, each image on screen for `--stay` milliseconds and until its neighbours are loaded ahead; then again
jumping to images far away, which nobody loaded ahead. The floor is a bare widget that repaints a picture of its size.
`cpu_*` is what the window's own thread worked.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np
from brush import took
from common import Took, report
from made_up import Room, folders_of_its_own
from PIL import Image
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from view import Bare

from segstudio.app.preferences import Preferences, save_preferences
from segstudio.app.session import Session
from segstudio.tasks.images.new import new_project
from segstudio.ui.window.main_window import MainWindow


def make_images(folder: Path, width: int, height: int, count: int) -> None:
    """JPEGs of blobs, each other ones."""
    import cv2

    folder.mkdir()
    for n in range(count):
        coarse = np.random.default_rng(n).integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
        Image.fromarray(np.asarray(cv2.resize(coarse, (width, height)))).save(folder / f"{n:03d}.jpg", quality=85)


class Shown(QObject):
    """Watches the canvas paint: whether the image asked for is on screen."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._navigation = room.session.project.navigation
        self._painted, self._before = False, -1
        room.canvas.installEventFilter(self)

    def eventFilter(self, _canvas: QObject, event: QEvent) -> bool:
        arrived = self._navigation.shown is not None and self._navigation.index != self._before
        if event.type() is QEvent.Type.Paint and arrived:
            self._painted = True
        return False

    def after(self, act: Callable[[], object]) -> tuple[float, float]:
        """Do something that shows another image; seconds until it is painted, and of this thread's processor time."""
        self._painted, self._before = False, self._navigation.index
        begun, begun_cpu = time.perf_counter(), time.thread_time()
        act()
        while not self._painted:
            QApplication.processEvents()
            if not self._painted:
                time.sleep(0.0002)
            if time.perf_counter() - begun > 60:
                raise TimeoutError("no image was shown")
        return time.perf_counter() - begun, time.thread_time() - begun_cpu


def case(name: str, size: tuple[int, int], shown: list[tuple[float, float]], bare: Took, count: int) -> None:
    """Print a row."""
    found = Took([wall for wall, _ in shown], [cpu for _, cpu in shown])
    report(
        "neighbour",
        {"what": name, "width_px": size[0], "height_px": size[1], "images": count, "switches": len(shown)},
        found.figures(),
        {
            "what": "bare widget repainted at a key",
            **bare.figures(),
            "ratio": round(found.median_s / bare.median_s, 2),
        },
    )


def measure(home: Path, size: tuple[int, int], count: int, stay_ms: int) -> None:
    """One window over images of one size."""
    images, project = home / "images", home / "list.segstudio"
    make_images(images, *size, count)
    save_preferences(Preferences(automatic_proposals=False, theme="dark"))
    for _ in new_project(project, [os.fspath(images)], ["nucleus", "cell::instance"]):
        pass
    window = MainWindow(Session())
    window.resize(1600, 1000)
    window.show()
    window.opening.open_path(project)
    room = Room(window, size[0])
    session = window.session
    room.wait(lambda: session.project is not None and session.project.navigation.shown is not None)
    session.open_image(0)
    room.settle()
    shown = Shown(room)
    bare = Bare((room.canvas.width(), room.canvas.height()), 1.0)
    floor = took([bare.again] * 40)
    bare.hide()
    window.activateWindow()
    room.wait(window.isActiveWindow)
    room.canvas.setFocus()
    for name, held in (("next", Qt.KeyboardModifier.NoModifier), ("previous", Qt.KeyboardModifier.ShiftModifier)):
        found: list[tuple[float, float]] = []
        for _ in range(count - 1):
            QTest.qWait(stay_ms)
            session.project.navigation._ahead._worker.submit(int).result(60)  # a busy machine takes longer
            found.append(shown.after(partial(QTest.keyClick, room.canvas, Qt.Key.Key_N, held)))
        case(f"{name}, loaded ahead", size, found, floor, count)
    far: list[tuple[float, float]] = []
    for n in range(min(count, 12)):
        QTest.qWait(300)
        far.append(shown.after(partial(session.open_image, (count // 2 + n * (count // 3 + 1)) % count)))
    case("not loaded ahead", size, far, floor, count)
    room.settle()
    window.close()
    room.wait(lambda: session.project is None)
    window.deleteLater()
    bare.deleteLater()
    QApplication.processEvents()


def main() -> None:
    """Run every size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="2048x2048,6000x4000", help="of the images, in pixels")
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--stay", type=int, default=1000, help="milliseconds that an image is looked at")
    chosen = parser.parse_args()
    QApplication.instance() or QApplication([])
    for size in chosen.sizes.split(","):
        width, height = map(int, size.split("x"))
        with tempfile.TemporaryDirectory() as folder, folders_of_its_own(Path(folder)):
            measure(Path(folder), (width, height), chosen.images, chosen.stay)


if __name__ == "__main__":
    main()
