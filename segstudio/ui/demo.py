"""The demo without a display: the whole job by real mouse and key events on an offscreen window, step by step.

Each step prints its figures and leaves a picture of the window; the exports stay beside. The person is simulated: it
sees the sample's own masks and dabs the brush where the proposal is wrong.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UserError

__all__ = ["run_demo"]

_LEARN_FROM = 4
_TRAIN_SECONDS = 60.0
_DABS = 80


def run_demo(folder: Path | None = None, train_seconds: float = _TRAIN_SECONDS) -> int:
    """Run every step in `folder` (`segstudio-demo` by default); the exit code. Raises `UserError` where one fails."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import qInstallMessageHandler
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication(["segstudio"])
    previous = qInstallMessageHandler(_say_qt)
    home = (folder or Path("segstudio-demo")).resolve()
    home.mkdir(parents=True, exist_ok=True)
    demo = _Demo(home, train_seconds)
    try:
        demo.run()
    finally:
        demo.close()
        qInstallMessageHandler(previous)
    del app
    return 0


def _say_qt(_kind: object, _context: object, message: str) -> None:
    """Hand on what Qt says, but for one sentence that the offscreen platform says of every window."""
    if "propagateSizeHints" not in message:
        sys.stderr.write(message + "\n")


class _Demo:
    """One run; `steps` count the pictures."""

    def __init__(self, home: Path, train_seconds: float) -> None:
        from segstudio.tasks.demo import make_demo_project, read_sample
        from segstudio.ui import open_window

        self.home = home
        self.train_seconds = train_seconds
        self.step = 0
        self.began = monotonic()
        sample = read_sample()
        self.names = [Path(field.image).name for field in sample.fields]
        self.foreground = next(c.name for c in sample.classes if c.kind != "background")
        self.project = make_demo_project(home)
        self.truth_folder = self.project.parent / "masks"
        self.failures: list[str] = []
        self.window = open_window(self.project)
        self.session = self.window.session
        self.session.failed.connect(lambda failure: self.failures.append(str(failure["sentence"])))
        self.session.remembers = False
        self.window.resize(1440, 900)
        self.window.show()

    # -- the job -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Propose, correct, fine-tune, compare, export."""
        session = self.session
        self.until(lambda: session.current_index == 0 and not session.loading, 60, "the first image")
        self.report("opened", f"{self.project}, {len(session.images)} images")
        self.open(self.names[0])
        self.wait_for_proposal()
        self.report("proposed", f"{self.device()}; first guess IoU {self.iou_of_proposal():.3f} on {self.names[0]}")
        guess = self.iou_of_rest("before any label")
        for name in self.names[:_LEARN_FROM]:
            self.correct(name)
        before = self.iou_of_rest("before fine-tuning")
        result = self.fine_tune()
        after = self.iou_of_rest("after fine-tuning")
        verdict = "promoted" if result["promoted"] else f"kept as a candidate ({result['reason']})"
        self.report(
            "compared",
            f"version {result['version']} {verdict}; unseen fields: IoU {guess:.3f} guessed, {before:.3f} learnt in "
            f"seconds, {after:.3f} in the end",
        )
        self.export()
        self.say("done", f"{monotonic() - self.began:.0f} s in all; pictures and exports in {self.home}")

    def correct(self, name: str) -> None:
        """Mend the proposal of one field with real brush strokes, accept the rest, press Enter."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QAbstractButton

        self.open(name)
        self.wait_for_proposal()
        guess = self.iou_of_proposal()
        truth = self.truth(name)
        found = self.proposed()
        strokes = 0
        for value, button in ((1, Qt.MouseButton.LeftButton), (0, Qt.MouseButton.RightButton)):
            for x, y, radius in dabs((truth == value) & (found != value), truth == value, _DABS):
                self.session.set_brush_radius(radius)
                strokes += self.dab(x, y, button)
        picture = f"{strokes} dabs on {name}, proposal IoU {guess:.3f}"
        self.report("corrected", picture)
        accept = self.window.findChild(QAbstractButton, "acceptButton")
        assert accept is not None
        QTest.mouseClick(accept, Qt.MouseButton.LeftButton)
        self.until(lambda: bool((self.session.labels() > 0).all()), 30, "the accepted rest")
        self.report("accepted", f"{name}: labels IoU {self.iou(self.truth(name), self.labelled()):.3f}")
        index = self.session.current_index
        QTest.keyClick(self.window.canvas, Qt.Key.Key_Return)
        self.until(lambda: self.session.images[index].status == "done", 30, "the image to be done")

    def dab(self, x: float, y: float, button: Any) -> int:
        """One click of the mouse on the canvas; how many edits it made."""
        from PySide6.QtTest import QTest

        before = self.session.labels().copy()
        at = self.window.canvas.to_widget(x, y).toPoint()
        QTest.mousePress(self.window.canvas, button, pos=at)
        QTest.mouseRelease(self.window.canvas, button, pos=at)
        return int(not np.array_equal(before, self.session.labels()))

    def fine_tune(self) -> dict[str, Any]:
        """Click Fine-tune's way and paint on another image while it runs."""
        from PySide6.QtCore import Qt

        results: list[dict[str, Any]] = []
        events: list[dict[str, Any]] = []
        self.session.trainingFinished.connect(results.append)
        self.session.trainingEvent.connect(events.append)
        self.session.fine_tune(max_seconds=self.train_seconds)
        self.until(lambda: any(e["kind"] == "stepped" for e in events) or bool(self.failures), 120, "the first step")
        self.open(self.names[_LEARN_FROM])
        self.session.set_brush_radius(4.0)
        self.committed(lambda: self.dab(6.5, 6.5, Qt.MouseButton.RightButton))
        self.say("painted", "while it trains: one stroke, saved")
        self.until(lambda: sum(e["kind"] == "stepped" for e in events) > 12 or bool(results), 120, "some steps")
        self.report("training", f"loss {next(e['loss'] for e in reversed(events) if e['kind'] == 'stepped'):.3f}")
        self.until(lambda: bool(results), self.train_seconds + 180, "the end of training")
        result = results[0]
        parent, child = result["held_out"]["parent"], result["held_out"]["child"]
        figures = f"{result['steps']} steps in {result['seconds']:.0f} s"
        if parent and child:
            figures += f"; held-out mean IoU {parent['mean_iou']:.3f} -> {child['mean_iou']:.3f}"
        self.report("trained", figures)
        return result

    def export(self) -> None:
        """PNG masks and COCO, read back."""
        for format_ in ("png", "coco"):
            finished: list[dict[str, Any]] = []
            self.session.exportFinished.connect(finished.append)
            self.session.export(format_, self.home / f"export-{format_}")
            self.until(lambda finished=finished: bool(finished), 60, f"the {format_} export")
            self.session.exportFinished.disconnect(finished.append)
            self.say("exported", f"{format_}: {len(finished[0]['files'])} files, read back and equal")
        self.report("exported", "PNG masks and COCO")

    # -- looking -----------------------------------------------------------------------------------------------------

    def open(self, name: str) -> None:
        """Show an image by its file name and fit it."""
        shown: list[bool] = []
        if self.session.current_image == name:
            self.until(lambda: not self.session.loading, 30, f"image {name}")
            return
        self.session.imageShown.connect(lambda: shown.append(True))
        self.session.open_image(name)
        self.until(lambda: bool(shown) and self.session.current_image == name, 30, f"image {name}")
        self.window.canvas.zoom_to_fit()

    def wait_for_proposal(self) -> None:
        """Wait until the image on screen has a proposal; ask for one where none is on its way."""
        session = self.session
        if session.proposal_on_screen is None and not session.proposing:
            session.propose()
        self.until(lambda: session.proposal_on_screen is not None and not session.proposing, 180, "a proposal")

    def proposed(self) -> NDArray[np.uint16]:
        """Class values of the proposal on screen."""
        found = self.session.proposal()
        if found is None:
            raise UserError("The proposal vanished.")
        return found[0]

    def labelled(self) -> NDArray[np.uint16]:
        """Class values of the labels on screen."""
        document = self.session.document
        assert document is not None
        values = {c.id: c.value for c in self.session.classes}
        ids = document.class_ids(0, document.raster.bounds(0))
        return np.vectorize(lambda c: values.get(c, 255), otypes=[np.uint16])(ids)

    def truth(self, name: str) -> NDArray[np.uint8]:
        """The sample's own mask of a field."""
        from PIL import Image

        with Image.open(self.truth_folder / Path(name).with_suffix(".png").name) as mask:
            return np.asarray(mask, np.uint8)

    def iou(self, truth: NDArray[np.uint8], found: NDArray[np.integer]) -> float:
        """IoU of the foreground."""
        both = int(((truth == 1) & (found == 1)).sum())
        either = int(((truth == 1) | (found == 1)).sum())
        return both / either if either else 0.0

    def iou_of_proposal(self) -> float:
        """IoU of the proposal on screen with the sample's mask."""
        return self.iou(self.truth(str(self.session.current_image)), self.proposed())

    def iou_of_rest(self, when: str) -> float:
        """Mean IoU of fresh proposals on the fields that were never corrected."""
        figures: list[float] = []
        for name in self.names[_LEARN_FROM:]:
            self.open(name)
            self.until(lambda: not self.session.proposing, 180, "a proposal")
            ready: list[bool] = []
            self.session.proposalReady.connect(lambda ready=ready: ready.append(True))
            self.session.propose()
            self.until(lambda ready=ready: bool(ready), 180, "a proposal")
            figures.append(self.iou_of_proposal())
        mean = float(np.mean(figures))
        by = self.session.proposal_on_screen.version if self.session.proposal_on_screen else "none"
        each = ", ".join(f"{f:.3f}" for f in figures)
        self.report(when, f"unseen fields, proposal by {by}: IoU {mean:.3f} ({each})")
        return mean

    def device(self) -> str:
        """Where the engine computes."""
        return self.session.engine_state.device or "device not known yet"

    # -- waiting and telling -----------------------------------------------------------------------------------------

    def committed(self, act: Callable[[], object]) -> None:
        """Do something that makes an edit and wait until that is on disk."""
        numbers: list[int] = []
        self.session.editCommitted.connect(numbers.append)
        act()
        self.until(lambda: bool(numbers), 30, "the edit to be saved")
        self.session.editCommitted.disconnect(numbers.append)

    def until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Let the event loop run until something holds. Raises `UserError` after a while, or at a failure."""
        from PySide6.QtCore import QEventLoop, QTimer

        deadline = monotonic() + seconds
        while not holds():
            if self.failures:
                raise UserError(f"The demo failed while waiting for {what}: {self.failures[0]}")
            if monotonic() > deadline:
                raise UserError(f"The demo waited {seconds:.0f} s in vain for {what}.")
            loop = QEventLoop()
            QTimer.singleShot(20, loop.quit)
            loop.exec()

    def report(self, step: str, text: str) -> None:
        """Print a step and keep a picture of the window."""
        self.step += 1
        name = f"{self.step:02d}-{step.replace(' ', '-')}.png"
        self.window.grab().save(str(self.home / name))
        self.say(step, f"{text}  [{name}]")

    def say(self, step: str, text: str) -> None:
        """Print a step."""
        sys.stdout.write(f"{monotonic() - self.began:6.1f} s  {step}: {text}\n")
        sys.stdout.flush()

    def close(self) -> None:
        """Close the window and its session."""
        self.window.close()


def dabs(wrong: NDArray[np.bool_], inside: NDArray[np.bool_], most: int) -> list[tuple[float, float, float]]:
    """Discs (x, y, radius in px) that a person would dab: within `inside`, where it is deepest, over what is `wrong`.

    Greedy: the largest disc of `inside` around the deepest wrong pixel, again on what is left, until less than a few
    pixels are wrong or `most` dabs are made. Distances are Euclidean (Felzenszwalb & Huttenlocher 2012, by OpenCV).
    """
    import cv2

    depth = cv2.distanceTransform(np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    left = wrong.copy()
    out: list[tuple[float, float, float]] = []
    ys, xs = np.mgrid[: wrong.shape[0], : wrong.shape[1]]
    while len(out) < most and int(left.sum()) >= 6:
        y, x = np.unravel_index(int(np.argmax(np.where(left, depth, 0))), depth.shape)
        radius = max(float(depth[y, x]) - 0.5, 0.5)
        out.append((float(x) + 0.5, float(y) + 0.5, radius))
        left &= (xs - x) ** 2 + (ys - y) ** 2 > radius**2
    return out
