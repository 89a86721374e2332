"""How long the window keeps anybody waiting while every statement on its disk takes its time.

    python benchmarks/slow_disk.py [--delay-s 0.5] [--images 20]

A timer of 5 ms beats while a project is opened, strokes are painted, saved and read back into the list, and the list is
read after a run; while an edit is undone and redone, a class made, an image taken out, another one added, and the
snapshots are listed. One JSON object a line: the longest time between two beats, and as its floor the longest in an
idle window of the same run (the machine's own share).
"""

import argparse
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from common import report
from PIL import Image
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.app.viewing.proposals import Proposals
from segstudio.store import project as projects
from segstudio.store.database import connect as connecting
from segstudio.store.database import connections
from segstudio.store.writing import write_connection
from segstudio.tasks.images.new import new_project
from segstudio.ui import open_window


class SlowDisk(sqlite3.Connection):
    """Every statement takes `delay_s`."""

    delay_s = 0.0

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        time.sleep(SlowDisk.delay_s)
        return super().execute(*arguments)


def longest(begin: Callable[[], None], ended: Callable[[], object], most_s: float = 120.0) -> float:
    """The longest time between two beats, in ms, from `begin` to when `ended` holds."""
    last, worst, end = time.perf_counter(), 0.0, time.monotonic() + most_s
    loop, timer = QEventLoop(), QTimer()

    def beat() -> None:
        nonlocal last, worst
        now = time.perf_counter()
        last, worst = now, max(worst, now - last)
        if ended() or time.monotonic() > end:
            loop.quit()

    timer.timeout.connect(beat)
    timer.start(5)
    begin()
    loop.exec()
    return round(worst * 1000, 1)


def main() -> None:
    """Open, paint and follow a run over the slow disk; print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--delay-s", type=float, default=0.5)
    parser.add_argument("--images", type=int, default=20)
    options = parser.parse_args()
    connect = connecting.connect
    for module in (projects, connections, write_connection):
        module.connect = lambda path, access, _kind=None: connect(path, access, SlowDisk)  # type: ignore[attr-defined]
    Proposals._propose_if_stale = lambda _self: None  # type: ignore[method-assign]  # no engine is measured here
    app = QApplication([])
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_STATE_HOME"] = home
        images = Path(home) / "images"
        images.mkdir()
        for n in range(options.images):
            Image.fromarray(np.full((512, 512), 40 + n, np.uint8)).save(images / f"{n}.png")
        path = Path(home) / "slow.segstudio"
        for _ in new_project(path, [str(images)], []):
            pass
        window = open_window(None)
        session, seqs, shown = window.session, [], []
        session.editCommitted.connect(seqs.append)
        session.imageShown.connect(lambda: shown.append(1))
        since = time.monotonic()
        idle = longest(lambda: None, lambda: time.monotonic() - since > 2)
        SlowDisk.delay_s = options.delay_s
        found = {"open": longest(lambda: window.opening.open_path(path), lambda: shown)}

        def paint() -> None:
            """Three strokes, one event a turn of the event loop, as a hand gives them; then Save."""
            left, canvas = Qt.MouseButton.LeftButton, window.canvas
            turns: list[Callable[[], object]] = []
            for y in (100, 150, 200):
                begin, end = (canvas.to_widget(x, y).toPoint() for x in (100, 200))
                turns.append(partial(QTest.mousePress, canvas, left, pos=begin))
                turns.append(partial(QTest.mouseMove, canvas, end))
                turns.append(partial(QTest.mouseRelease, canvas, left, pos=end))
            turns.append(session.projects.save)
            for n, turn in enumerate(turns):
                QTimer.singleShot(20 * n, turn)

        found["paint"] = longest(
            paint, lambda: len(seqs) == 3 and session.project.navigation.items[0].labelled_pixels > 0
        )
        opened = session.project
        assert opened is not None
        since = time.monotonic()
        found["run"] = longest(opened.navigation.follow_run, lambda: time.monotonic() - since > 4 * options.delay_s + 1)
        documents, navigation = opened.documents, opened.navigation

        def reach(what: str, begin: Callable[[], object], ended: Callable[[], object]) -> None:
            found[what] = longest(lambda: QTimer.singleShot(20, begin), ended)

        submitted = documents.submitted
        reach("undo", window.bars.action("undo").trigger, lambda: documents.submitted == submitted + 1)
        reach("redo", window.bars.action("redo").trigger, lambda: documents.submitted == submitted + 2)
        reach("class", lambda: opened.classes.add("dirt"), lambda: documents.submitted == submitted + 3)
        last = navigation.rows[-1].id
        reach("remove", lambda: opened.growing.remove_images({last}), lambda: documents.submitted == submitted + 4)
        reach("remove_listed", lambda: None, lambda: len(navigation.rows) == options.images - 1)
        Image.fromarray(np.full((512, 512), 9, np.uint8)).save(Path(home) / "new.png")
        reach(
            "add",
            lambda: opened.growing.add([str(Path(home) / "new.png")]),
            lambda: len(navigation.rows) == options.images,
        )
        since = time.monotonic()
        reach(
            "snapshots",
            window.bars.action("snapshots").trigger,
            lambda: time.monotonic() - since > 6 * options.delay_s + 1,
        )
        SlowDisk.delay_s = 0.0
        window.close()
        for what, ms in found.items():
            case: dict[str, object] = {"what": what, "delay_s": options.delay_s, "images": options.images}
            report("slow_disk", case, {"longest_ms": ms}, {"longest_ms": idle, "ratio": round(ms / idle, 2)})
    del app


if __name__ == "__main__":
    main()
