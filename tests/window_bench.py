"""One real window over a project of real images, with hands (mouse and keys) and eyes; for tests of the contract."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from segstudio.app.jobs import Worker
from segstudio.app.open_project import OpenedProject
from segstudio.app.values import JobKind, Notice, NoticeKind
from segstudio.app.viewing.proposals import Proposals
from segstudio.assets import asset
from segstudio.tasks.images.new import new_project
from segstudio.ui import open_window

__all__ = ["LEFT", "MIDDLE", "RIGHT", "Bench", "disc_path", "make_project", "open_bench", "without_proposals"]

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
PLANES = 3


def make_project(folder: Path, fields: int = 4) -> Path:
    """Fields of coins and a stack of pages; background, coin and the instance class 'rim'."""
    images = folder / "images"
    images.mkdir(parents=True)
    for file in sorted(asset("sample", "coins", "images").glob("*.png"))[:fields]:
        shutil.copyfile(file, images / file.name)
    from PIL import Image

    pages = [Image.fromarray(np.full((70, 90), 60 * n + 20, np.uint8)) for n in range(PLANES)]
    pages[0].save(images / "pages.tif", save_all=True, append_images=pages[1:])
    path = folder / "contract.segstudio"
    for _ in new_project(path, [str(images)], ["background::background", "coin", "rim::instance"]):
        pass
    return path


def disc_path(points: list[tuple[float, float]], radius: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels whose centre lies within the radius of the polyline, by the distance of every pixel in float64."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64) + 0.5
    out = np.zeros(shape, np.bool_)
    for (ax, ay), (bx, by) in pairwise(points if len(points) > 1 else points * 2):
        dx, dy = bx - ax, by - ay
        square = dx * dx + dy * dy
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / square, 0, 1) if square > 0 else np.zeros(shape)
        out |= np.hypot(x - ax - t * dx, y - ay - t * dy) <= radius
    return out


def without_proposals(patch: pytest.MonkeyPatch) -> None:
    """Nothing is proposed, asked for or not: a window starts no engine."""
    for name in ("propose", "_propose_if_stale", "_hand_paused"):
        patch.setattr(Proposals, name, lambda _: None)


@contextmanager
def open_bench(home: Path) -> Iterator["Bench"]:
    """A window on a new project whose first proposal was accepted, with settings of its own, for a module of tests."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(variable, str(home / variable))
        workers: list[Worker] = []
        make = Worker.__init__
        with patch.context() as watched:
            watched.setattr(Worker, "__init__", lambda self, *args: workers.append(self) or make(self, *args))
            bench = Bench(make_project(home))
            bench.wait(lambda: bench.ready, 300)
        bench.session.accept_proposal()
        bench.wait(lambda: bench.seqs)
        for worker in workers:  # every thread that lives as long as the window has begun
            worker.submit(lambda: None).result(30)
        yield bench
        bench.close()


class Bench:
    """Hands and eyes in front of one window."""

    def __init__(self, project: Path | None) -> None:
        self.project = project
        self.window = open_window(project)
        self.session = self.window.session
        self.canvas = self.window.canvas
        self.failures: list[dict[str, Any]] = []
        self.seqs: list[int] = []
        self.said: list[str] = []
        self.ready: list[str | None] = []
        self.shown: list[str | None] = []
        self.session.failed.connect(self.failures.append)
        self.session.editCommitted.connect(self.seqs.append)
        self.session.notices.told.connect(self._heard)
        self.session.proposalReady.connect(lambda: self.ready.append(self.session.current_image))
        self.session.imageShown.connect(lambda: self.shown.append(self.session.current_image))
        self.window.resize(1280, 720)

    def wait(self, holds: Callable[[], object], seconds: float = 60.0) -> None:
        """Handle events until it holds."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"waited {seconds} s in vain; failures: {self.failures}, said: {self.said}"
            QTest.qWait(10)

    def _heard(self, notice: Notice) -> None:
        if notice.kind is NoticeKind.WORD:
            self.said.append(notice.sentence)

    @property
    def opened(self) -> OpenedProject:
        """The open project's owners."""
        assert self.session.project is not None
        return self.session.project

    def cancel(self, kind: JobKind) -> None:
        """Cancel every job of a kind."""
        for job in self.session.jobs.of(kind):
            self.session.jobs.cancel(job.id)

    def shows(self, image: int | str, plane: int = 0) -> None:
        """Open an image and wait until it is on screen."""
        before = len(self.shown)
        self.session.open_image(image, plane)
        self.wait(lambda: len(self.shown) > before and not self.opened.navigation.loading)

    def settle(self) -> None:
        """Wait until every edit is durable and reported."""
        self.wait(lambda: self.opened.documents.save_state().saved)

    def idle(self) -> None:
        """Wait until no proposal is on its way, from the engine or from the disk."""
        QTest.qWait(20)
        self.wait(lambda: not self.opened.proposals.coming, 120)

    def fresh(self, image: int | str = 0, plane: int = 0) -> None:
        """Show an image with nothing on it, the brush at its usual size, and forget what was seen so far."""
        self.window.activateWindow()
        self.wait(self.window.isActiveWindow)
        self.canvas.setFocus()
        self.session.set_tool("brush")
        self.session.set_brush_radius(6)
        self.session.set_class("coin")
        self.shows(image, plane)
        while self.opened.documents.can_undo:
            self.session.undo()
        self.settle()
        self.idle()
        self.canvas.zoom_to_fit()
        for seen in (self.seqs, self.said, self.ready, self.shown, self.failures):
            seen.clear()

    def at(self, x: float, y: float) -> QPoint:
        """The whole widget position nearest to an image position."""
        return self.canvas.to_widget(x, y).toPoint()

    def drag(
        self, *points: tuple[float, float], button: Qt.MouseButton = LEFT, release: bool = True
    ) -> list[tuple[float, float]]:
        """Press, move and release near image positions; where the pointer really was, in image coordinates."""
        at = [self.at(*point) for point in points]
        QTest.mousePress(self.canvas, button, pos=at[0])
        for position in at[1:]:
            QTest.mouseMove(self.canvas, position)
        if release:
            QTest.mouseRelease(self.canvas, button, pos=at[-1])
        return [self.canvas.to_image(QPointF(position)) for position in at]

    def lift(self, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
        """Release a button near an image position."""
        QTest.mouseRelease(self.canvas, button, pos=self.at(x, y))

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press and release a key over the canvas."""
        QTest.keyClick(self.canvas, key, modifiers)

    def click(self, name: str) -> None:
        """Click a widget by its name."""
        widget = self.window.findChild(QWidget, name)
        assert widget is not None, name
        QTest.mouseClick(widget, LEFT)

    def wheel(self, position: QPointF, notches: int) -> None:
        """Turn the wheel over a widget position."""
        event = QWheelEvent(
            position, self.canvas.mapToGlobal(position), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(self.canvas, event)

    def labels_say(self, word: str) -> str:
        """The text of a visible label that has this word in it; empty for none."""
        texts = [label.text() for label in self.window.findChildren(QLabel) if label.isVisible()]
        return next((text for text in texts if word in text), "")

    def rest(self) -> None:
        """Stop timers of what was said last, so that the next test begins with none."""
        for timer in self.window.findChildren(QTimer) + self.session.findChildren(QTimer):
            timer.stop()
        # A proposal may be on its way, or one for an image left long ago; its thread is no leak of the next test's.
        self.wait(lambda: not any(thread.name.startswith("job-") for thread in threading.enumerate()), 120)

    def close(self) -> None:
        """Close the window."""
        self.window.close()
        self.window.deleteLater()
