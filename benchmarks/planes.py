"""How fast a stack is leafed through: from the key to the pixels of the next plane in the window.

    python benchmarks/planes.py [--planes 300] [--side 512]

A real window (1440 x 900, offscreen) shows a made-up CT series, a file a slice, in a project whose order is stored,
with labels on every tenth plane. `held`: a key is pressed 30 times a second from the first plane to the last, so that
planes are decoded ahead meanwhile; `back`: the same the other way, where what is near is in memory. A step ends when
its key event and the repaint of the canvas have returned. `gui` is processor time of the thread of the window alone,
which a busy machine spoils less; `late` counts the steps whose plane was not in memory. The floor is the look-up and
resize of the same samples. To reach: 20 ms a step.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
HOME = tempfile.TemporaryDirectory(prefix="segstudio-planes-")
for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
    os.environ[variable] = str(Path(HOME.name, variable))

import cv2
import numpy as np
from common import report
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.app.preferences import Preferences, save_preferences
from segstudio.tasks.images.new import new_project
from tests.imaging.dicom_files import write_dicom
from tests.window_bench import Bench

EVERY_S = 1 / 30
LONGEST_S = 5.0


class Repaints(QObject):
    """Counts the repaints of a widget."""

    number = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.number += event.type() is QEvent.Type.Paint
        return False


def make_series(folder: Path, planes: int, side: int) -> None:
    rng = np.random.default_rng(1)
    yy, xx = np.mgrid[:side, :side] - side / 2
    noise = rng.normal(0, 40, (side, side))
    for n in range(planes):
        organ = np.hypot(xx, yy) < side / 4 + side / 8 * np.sin(n / 30)
        pixels = (np.roll(noise, 7 * n, axis=1) + 1000 * organ).astype(np.int16)
        write_dicom(
            folder / f"IM{n:04}.dcm", pixels, ImagePositionPatient=[-10.0, -20.0, 1.5 * n],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=[0.7, 0.7], InstanceNumber=n + 1,
            RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400,
        )  # fmt: skip


def steps(bench: Bench, repaints: Repaints, key: Qt.Key, planes: list[int]) -> dict[str, float]:
    """Press a key once for each of these planes, which it leads to."""
    wall, gui, late = list[float](), list[float](), 0
    navigation = bench.opened.navigation
    for plane in planes:
        begun, begun_cpu, before = time.perf_counter(), time.thread_time(), repaints.number
        QTest.keyClick(bench.canvas, key, Qt.KeyboardModifier.ControlModifier)
        late += navigation.loading
        while navigation.loading or navigation.plane != plane or repaints.number == before:
            QApplication.processEvents()
            if time.perf_counter() - begun > LONGEST_S:
                raise SystemExit(f"plane {plane} did not come within {LONGEST_S} s")
        wall.append(1000 * (time.perf_counter() - begun))
        gui.append(1000 * (time.thread_time() - begun_cpu))
        while time.perf_counter() - begun < EVERY_S:
            QApplication.processEvents()
            time.sleep(0.001)
    p50, p95 = np.percentile(wall, [50, 95])
    g50, g95 = np.percentile(gui, [50, 95])
    return {
        "p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2), "max_ms": round(max(wall), 2),
        "gui_p50_ms": round(float(g50), 2), "gui_p95_ms": round(float(g95), 2), "gui_max_ms": round(max(gui), 2),
        "late": late, "steps": len(planes),
    }  # fmt: skip


def floor_ms(side: int, size: tuple[int, int]) -> float:
    """A look-up of the samples and a resize to the canvas: the least that another plane must cost."""
    samples = np.random.default_rng(2).integers(-1000, 1000, (side, side)).astype(np.int16)
    table = np.arange(1 << 16).astype(np.uint8)
    taken = []
    for _time in range(30):
        begun = time.perf_counter()
        cv2.resize(table[samples.view(np.uint16)], size, interpolation=cv2.INTER_NEAREST)
        taken.append(1000 * (time.perf_counter() - begun))
    return float(np.median(taken))


def main() -> None:
    """Print a row a direction."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planes", type=int, default=300)
    parser.add_argument("--side", type=int, default=512)
    wanted = parser.parse_args()
    application = QApplication.instance() or QApplication([])
    save_preferences(Preferences(automatic_proposals=False))
    home = Path(HOME.name)
    make_series(home / "ct", wanted.planes, wanted.side)
    for _progress in new_project(home / "ct.segstudio", [str(home / "ct")], ["background::background", "organ"]):
        pass
    bench = Bench(home / "ct.segstudio")
    bench.wait(lambda: bench.shown)
    bench.window.resize(1440, 900)
    bench.window.activateWindow()
    bench.wait(bench.window.isActiveWindow)
    bench.session.set_class("organ")
    for plane in range(0, wanted.planes, 10):
        bench.session.set_plane(plane)
        bench.wait(lambda plane=plane: bench.opened.documents.plane == plane and not bench.opened.navigation.loading)
        bench.drag((100.0, 100.0), (200.0, 150.0))
    bench.settle()
    bench.session.set_plane(0)
    bench.wait(lambda: bench.opened.documents.plane == 0)
    QTest.qWait(1000)
    repaints = Repaints()
    bench.canvas.installEventFilter(repaints)
    size = bench.canvas.width(), bench.canvas.height()
    least = floor_ms(wanted.side, size)
    forth = list(range(1, wanted.planes))
    back = [*forth[::-1][1:], 0]
    for name, key, planes in (("held", Qt.Key.Key_PageDown, forth), ("back", Qt.Key.Key_PageUp, back)):
        figures = steps(bench, repaints, key, planes)
        case = {"case": name, "planes": wanted.planes, "side": wanted.side}
        report("planes", case, dict(figures), {"ms": round(least, 2), "ratio": round(figures["p50_ms"] / least, 1)})
    bench.close()
    del application


if __name__ == "__main__":
    main()
