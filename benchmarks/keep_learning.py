"""A long sitting with 'Keep learning while I label': what the hand waits for meanwhile, and whether anything is lost.

    python benchmarks/keep_learning.py [--minutes 30] [--rest 60] [--images 6]

A real window (1600 x 1000, offscreen) over a project of the shipped coins, the real engine, real events of the mouse: a
stroke every two seconds or so along pixels of one class of the shipped masks, every twelfth followed by Done or by the
next image. Every fourth is followed by a slow gesture at once, with the event loop between its events, so that a round
can begin or end within it: a brush stroke and a polygon in turns; `broken` counts those that were not one edit. First
for `--rest` seconds with learning off and the engine held still, then for `--minutes` with it on. At
the end the window is closed, the project is opened again, and every image is compared, pixel by pixel and origin by
origin, with what the window showed when it was left. One row: the times of moves at rest and while learning, the ratio
of their 99th percentiles less what a bare widget lost in the same time, versions, runs, edits, and `lost` pixels.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import cv2
import numpy as np
import psutil
from brush import Bare, moves, path, send
from common import Took, report
from made_up import folders_of_its_own
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.assets import asset
from segstudio.geometry import Rect
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from segstudio.ui import favour_the_hand
from tests.window_bench import Bench

_RADIUS = 6
_PAUSE_S = 1.5
_STROKES_AN_IMAGE = 12
_STROKES_TO_A_SLOW_ONE = 4
_MOVES = 25
_SLOW_MS = 150
_CORNERS, _ROUND_PX = 10, 60.0
Labels = tuple[NDArray[np.uint32], NDArray[np.uint8]]


class Hand:
    """A hand that paints what the masks say, and keeps what the window showed of each image when it was left."""

    def __init__(self, bench: Bench, masks: dict[str, NDArray[np.uint8]]) -> None:
        self.bench, self.masks = bench, masks
        self.rng = np.random.default_rng(0)
        self.wall: list[float] = []
        self.cpu: list[float] = []
        self.bare: list[float] = []
        self.strokes = self.slow_ones = self.broken = 0
        self.left: dict[str, Labels] = {}
        canvas = bench.canvas
        self.widget = Bare((canvas.width(), canvas.height()), _RADIUS, canvas.scale)
        self.widget.show()
        QApplication.processEvents()

    def works(self, seconds: float) -> None:
        """Paint for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.stroke()
            self.strokes += 1
            if self.strokes % _STROKES_TO_A_SLOW_ONE == 0:
                self.slow(polygon=self.strokes % (2 * _STROKES_TO_A_SLOW_ONE) == 0)
            QTest.qWait(int(1000 * _PAUSE_S))
            if self.strokes % _STROKES_AN_IMAGE == 0:
                self.goes_on()

    def slow(self, *, polygon: bool) -> None:
        """A gesture that takes a second or two, begun before the last stroke is on disk, and whether it is one edit."""
        session, canvas = self.bench.session, self.bench.canvas
        self.bench.settle()
        edits = len(self.bench.seqs)
        self.stroke()
        way = self._way()[::3]
        if polygon:
            session.set_tool("polygon")
            angles = np.arange(_CORNERS) * (2 * np.pi / _CORNERS)
            for point in [way[0] + QPointF(_ROUND_PX * np.cos(a), _ROUND_PX * np.sin(a)) for a in angles]:
                send(canvas, QEvent.Type.MouseButtonPress, point)
                send(canvas, QEvent.Type.MouseButtonRelease, point)
                QTest.qWait(_SLOW_MS)
            QTest.keyClick(canvas, Qt.Key.Key_Return)
            session.set_tool("brush")
        else:
            send(canvas, QEvent.Type.MouseButtonPress, way[0])
            for point in way[1:]:
                QTest.qWait(_SLOW_MS)
                send(canvas, QEvent.Type.MouseMove, point)
            send(canvas, QEvent.Type.MouseButtonRelease, way[-1])
        self.bench.settle()
        self.slow_ones += 1
        self.broken += len(self.bench.seqs) - edits > 2

    def stroke(self) -> None:
        """A stroke of one class, about as long as a coin is wide; then the same moves over a bare widget."""
        way = self._way()
        canvas = self.bench.canvas
        send(canvas, QEvent.Type.MouseButtonPress, way[0])
        moved = moves(canvas, way)
        send(canvas, QEvent.Type.MouseButtonRelease, way[-1])
        self.wall += moved.wall_s
        self.cpu += moved.cpu_s
        self.bare += moves(self.widget, path(self.widget, len(way))).wall_s

    def _way(self) -> list[QPointF]:
        """The way of a stroke along pixels of a class of the image on screen, which is chosen."""
        name = self.bench.session.current_image
        assert name is not None
        mask = self.masks[name]
        value = int(self.rng.integers(2))
        ys, xs = np.nonzero(cv2.erode((mask == value).astype(np.uint8), np.ones((7, 7), np.uint8)))
        at = int(self.rng.integers(len(xs)))
        self.bench.session.set_class("coin" if value else "background")
        return self._along(mask == value, float(xs[at]) + 0.5, float(ys[at]) + 0.5)

    def _along(self, inside: NDArray[np.bool_], x: float, y: float) -> list[QPointF]:
        """A way of small steps that stays on pixels of the class."""
        angle = float(self.rng.uniform(0, 2 * np.pi))
        points = [(x, y)]
        for _ in range(_MOVES):
            angle += float(self.rng.normal(0, 0.4))
            nx, ny = x + 2.0 * np.cos(angle), y + 2.0 * np.sin(angle)
            h, w = inside.shape
            if 0 <= int(nx) < w and 0 <= int(ny) < h and inside[int(ny), int(nx)]:
                x, y = float(nx), float(ny)
            points.append((x, y))
        return [self.bench.canvas.to_widget(px, py) for px, py in points]

    def goes_on(self) -> None:
        """Done, or only the next image."""
        self.note()
        session, project = self.bench.session, self.bench.opened
        if self.rng.random() < 0.5 and project.navigation.next_unfinished() is not None:
            session.mark_done()
        else:
            session.open_image((project.navigation.index + 1) % len(project.navigation.rows))
        self.bench.wait(lambda: not project.navigation.loading and project.navigation.shown is not None, 300)
        QTest.qWait(300)

    def note(self) -> None:
        """Keep what the window shows of the image on screen."""
        self.bench.settle()
        name = self.bench.session.current_image
        assert name is not None
        self.left[name] = (self.bench.session.labels().copy(), self.bench.session.origins().copy())

    def note_all(self) -> None:
        """Keep what the window shows of every image."""
        for place in range(len(self.bench.opened.navigation.rows)):
            self.bench.shows(place)
            self.note()

    def taken(self) -> tuple[Took, list[float]]:
        """The times of the moves so far, and the bare widget's; the next ones begin anew."""
        found = Took(self.wall, self.cpu), self.bare
        self.wall, self.cpu, self.bare = [], [], []
        return found


def differing(project: Project, left: dict[str, Labels]) -> int:
    """How many pixels of the project on disk are not what the window showed."""
    lost = 0
    for row in project.images():
        document = project.document(row.id)
        ids, origins = document.raster.read(0, Rect(0, 0, *row.planes[0]))
        shown_ids, shown_origins = left[row.path]
        lost += int(np.count_nonzero((ids != shown_ids) | (origins != shown_origins)))
    return lost


def engine_process() -> psutil.Process:
    """The engine of this process's window."""
    engines = [child for child in psutil.Process().children() if "segstudio.engine.server" in child.cmdline()]
    return engines[0]


def main() -> None:
    """Sit, and print the row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="with learning on (default: 30)")
    parser.add_argument("--rest", type=float, default=60.0, help="seconds with learning off (default: 60)")
    parser.add_argument("--images", type=int, default=6, help="of coins (default: 6)")
    options = parser.parse_args()
    QApplication.instance() or QApplication([])
    favour_the_hand()
    with tempfile.TemporaryDirectory() as folder, folders_of_its_own(Path(folder)):
        home = Path(folder)
        files = sorted(asset("sample", "coins", "images").glob("*.png"))[: options.images]
        masks = {file.name: np.array(Image.open(asset("sample", "coins", "masks") / file.name)) for file in files}
        project = home / "coins.segstudio"
        for _ in new_project(project, [os.fspath(file) for file in files], ["coin"]):
            pass
        bench = Bench(project)
        bench.window.resize(1600, 1000)
        bench.wait(lambda: bench.ready, 300)
        bench.session.set_tool("brush")
        bench.session.set_brush_radius(_RADIUS)
        bench.canvas.zoom_to_fit()
        hand = Hand(bench, {name: (mask > 0).astype(np.uint8) for name, mask in masks.items()})
        for _ in range(4):
            hand.stroke()
        bench.idle()
        hand.taken()
        with suppress(IndexError):
            engine_process().suspend()
        bench.opened.proposals.automatic = False
        hand.works(options.rest)
        rested, bare_rested = hand.taken()
        with suppress(IndexError):
            engine_process().resume()
        bench.opened.proposals.automatic = True
        bench.session.keep_learning()
        hand.works(60 * options.minutes)
        busy, bare_busy = hand.taken()
        bench.session.keep_learning(False)
        bench.wait(lambda: not bench.opened.training.running, 300)
        hand.note_all()
        versions = bench.opened.store.versions()
        runs = bench.opened.store.runs()
        edits, failures = len(bench.seqs), list(bench.failures)
        bench.close()
        with Project.open(project, write=False) as again:
            lost = differing(again, hand.left)
            last = int(again.last_seq())
        p99, rest_p99 = (float(np.percentile(t.wall_s, 99)) * 1000 for t in (busy, rested))
        bare, bare_rest = (float(np.percentile(t, 99)) * 1000 for t in (bare_busy, bare_rested))
        report(
            "keep_learning",
            {"minutes": options.minutes, "images": len(files), "strokes": hand.strokes},
            {
                **busy.figures(),
                "rest_p99_ms": round(rest_p99, 3),
                "p99_of_rest": round((p99 - max(bare - bare_rest, 0.0)) / rest_p99, 2),
                "versions": len(versions),
                "promoted": sum(version.promoted for version in versions),
                "last_mean_iou": versions[-1].figures.get("child", {}).get("mean_iou") if versions else None,
                "runs": len(runs),
                "runs_failed": sum(run.state == "failed" for run in runs),
                "edits": edits,
                "last_edit": last,
                "failures": failures,
                "slow": hand.slow_ones,
                "broken": hand.broken,
                "lost": lost,
            },
            {
                "what": "bare widget, moved over in the same way",
                "p99_ms": round(bare, 3),
                "ratio": round(p99 / bare, 2),
            },
        )
        sys.exit(1 if lost or failures or hand.broken else 0)


if __name__ == "__main__":
    main()
