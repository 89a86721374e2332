"""The demo without a display: the whole job by real mouse and key events on an offscreen window, step by step.

Each step prints its figures and leaves a picture of the window; the exports stay beside. The person is simulated: it
sees the sample's own masks and paints where the proposal is wrong, or paints anew where that is less work.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.app.open_project import OpenedProject
from segstudio.demo.hand import HandStroke, strokes_for
from segstudio.errors import UserError
from segstudio.text import _

__all__ = ["run_demo"]

_LEARN_FROM = 4
_TRAIN_STEPS = 45
"""About a minute on two idle cores; a busy machine takes longer and learns the same."""
_TRAIN_SECONDS = 300.0
"""After this Stop is clicked, which keeps the best so far."""
_STROKES = 120
_WORTH_MENDING = 0.75
_SWEEP_PX = 48.0
_SPOT_PX = 6


@dataclass(frozen=True, slots=True)
class _Rest:
    """The fields that nobody labels: mean IoU of their proposals, whose they are, strokes to mend them, and to paint
    them from nothing."""

    iou: float
    by: str
    strokes: int
    strokes_from_nothing: int


def run_demo(folder: Path | None = None, steps: int = _TRAIN_STEPS) -> int:
    """Run every step in `folder` (`segstudio-demo` by default); the exit code. Raises `UserError` where one fails."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import qInstallMessageHandler
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication(["segstudio"])
    previous = qInstallMessageHandler(_say_qt)
    home = (folder or Path("segstudio-demo")).resolve()
    home.mkdir(parents=True, exist_ok=True)
    demo = _Demo(home, steps)
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

    def __init__(self, home: Path, steps: int) -> None:
        from segstudio.tasks.sample import make_demo_project, read_sample
        from segstudio.ui import open_window

        self.home = home
        self.train_steps = steps
        self.step = 0
        self.began = monotonic()
        sample = read_sample().projects[0]
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
        self.until(lambda: self.session.project is not None, 60, "the project")
        navigation = self.opened.navigation
        self.until(lambda: navigation.index == 0 and not navigation.loading, 60, "the first image")
        self.report("opened", f"{self.project}, {len(navigation.items)} images")
        self.open(self.names[0])
        self.wait_for_proposal()
        self.report("proposed", f"{self.device()}; first guess IoU {self.iou_of_proposal():.3f} on {self.names[0]}")
        guess = self.look_at_rest("before any label")
        for name in self.names[:_LEARN_FROM]:
            self.label(name)
        before = self.look_at_rest("before fine-tuning")
        result = self.fine_tune()
        after = self.look_at_rest("after fine-tuning")
        verdict = "promoted" if result["promoted"] else f"kept as a candidate ({result['reason']})"
        self.open(self.names[_LEARN_FROM])
        self.wait_for_proposal()
        self.report("compared", f"version {result['version']} {verdict}")
        self.say(
            "learned",
            f"IoU of '{self.foreground}' on the fields that nobody labelled: {guess.iou:.3f} guessed, {before.iou:.3f} "
            f"by the instant learner, {after.iou:.3f} by {after.by} after fine-tuning",
        )
        self.say(
            "saved",
            f"strokes to mend those fields: {before.strokes_from_nothing} from nothing, {before.strokes} from the "
            f"instant learner's proposals, {after.strokes} from those of {after.by} after fine-tuning",
        )
        self.label(self.names[_LEARN_FROM], worth_mending=0.0)
        self.export()
        self.say("done", f"{monotonic() - self.began:.0f} s in all; pictures and exports in {self.home}")

    def label(self, name: str, worth_mending: float = _WORTH_MENDING) -> None:
        """Label one field with real brush strokes and press Enter.

        A proposal whose IoU makes it worth mending is mended where it is wrong, and its rest accepted; else the objects
        are painted anew, and the background is swept over all that is still unlabelled: what the gate measures on is
        not the work of what it measures.
        """
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        self.open(name)
        self.wait_for_proposal()
        guess, truth, found = self.iou_of_proposal(), self.truth(name), self.proposed()
        anew = guess < worth_mending
        objects, ground = wrong_strokes(truth, np.full_like(found, 255) if anew else found, _STROKES)
        for stroke in objects:
            self.stroke(stroke, Qt.MouseButton.LeftButton)
        swept = self.sweep(truth.shape) if anew else 0
        for stroke in () if anew else ground:
            self.stroke(stroke, Qt.MouseButton.RightButton)
        made = len(objects) + (swept if anew else len(ground))
        how = "painted anew" if anew else "mended and accepted"
        if not anew:
            self.click("acceptButton")
        self.until(lambda: bool((self.session.labels() > 0).all()), 30, "the labelled rest")
        labels = self.iou(truth, self.labelled())
        self.report(
            how.split()[0], f"{name}: proposal IoU {guess:.3f}, {how} with {made} strokes, labels IoU {labels:.3f}"
        )
        index = self.opened.navigation.index
        QTest.keyClick(self.window.canvas, Qt.Key.Key_Return)
        self.until(lambda: self.opened.navigation.items[index].status == "done", 30, "the image to be done")

    def sweep(self, shape: tuple[int, ...]) -> int:
        """Paint background with a wide brush over all that is unlabelled; how many strokes that took."""
        from PySide6.QtCore import Qt

        from segstudio.labels.paint.policy import Touch

        self.session.set_touch(Touch.UNLABELLED)
        rows = np.arange(_SWEEP_PX * 0.5, shape[0] + _SWEEP_PX * 0.5, _SWEEP_PX)
        for y in rows:
            points = ((0.5, float(y)), (shape[1] - 0.5, float(y)))
            self.stroke(HandStroke(points, _SWEEP_PX), Qt.MouseButton.RightButton)
        self.session.set_touch(Touch.ALL)
        return len(rows)

    def stroke(self, stroke: HandStroke, button: Any) -> None:
        """Press, move and release the mouse along a stroke, as a pointer of fine resolution would."""
        from PySide6.QtCore import QEvent, Qt
        from PySide6.QtGui import QMouseEvent
        from PySide6.QtWidgets import QApplication

        self.session.set_brush_radius(stroke.radius)
        canvas = self.window.canvas
        at = [canvas.to_widget(x, y) for x, y in stroke.points]
        none, kinds = Qt.MouseButton.NoButton, QEvent.Type
        events = [
            (kinds.MouseButtonPress, at[0], button, button),
            *((kinds.MouseMove, point, none, button) for point in at[1:]),
            (kinds.MouseButtonRelease, at[-1], button, none),
        ]
        for kind, point, changed, held in events:
            where = canvas.mapToGlobal(point)
            event = QMouseEvent(kind, point, where, changed, held, Qt.KeyboardModifier.NoModifier)
            QApplication.sendEvent(canvas, event)
        QApplication.processEvents()

    def press_undo(self) -> None:
        """Ctrl+Z on the canvas, and wait until that is on disk."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        control = Qt.KeyboardModifier.ControlModifier
        self.committed(lambda: QTest.keyClick(self.window.canvas, Qt.Key.Key_Z, control))

    def click(self, name: str) -> None:
        """Click a button of the window."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QAbstractButton

        button = self.window.findChild(QAbstractButton, name)
        assert button is not None
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def fine_tune(self) -> dict[str, Any]:
        """Click Fine-tune's way and paint on another image while it runs."""
        from PySide6.QtCore import Qt

        results: list[dict[str, Any]] = []
        events: list[dict[str, Any]] = []
        self.session.trainingFinished.connect(results.append)
        self.session.trainingEvent.connect(events.append)
        self.session.fine_tune(max_steps=self.train_steps)
        self.until(lambda: any(e["kind"] == "stepped" for e in events) or bool(self.failures), 120, "the first step")
        self.open(self.names[_LEARN_FROM])
        self.committed(lambda: self.stroke(HandStroke(((6.5, 6.5), (18.5, 6.5)), 4.0), Qt.MouseButton.RightButton))
        self.say("painted", "while it trains: one stroke, saved")
        began = monotonic()
        self.until(lambda: sum(e["kind"] == "stepped" for e in events) > 12 or bool(results), 300, "some steps")
        self.press_undo()
        self.say("undone", "the same stroke, by Ctrl+Z: this field stays one that nobody labelled")
        self.report("training", f"loss {next(e['loss'] for e in reversed(events) if e['kind'] == 'stepped'):.3f}")
        self.until(lambda: bool(results) or monotonic() > began + _TRAIN_SECONDS, 600, "the end of training")
        if not results:
            self.click("stopTrainingButton")
        self.until(lambda: bool(results), 180, "the end of training")
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

    @property
    def opened(self) -> OpenedProject:
        """The open project's owners."""
        assert self.session.project is not None
        return self.session.project

    # -- looking -----------------------------------------------------------------------------------------------------

    def open(self, name: str) -> None:
        """Show an image by its file name and fit it."""
        shown: list[bool] = []
        if self.session.current_image == name:
            self.until(lambda: not self.opened.navigation.loading, 30, f"image {name}")
            return
        self.session.imageShown.connect(lambda: shown.append(True))
        self.session.open_image(name)
        self.until(lambda: bool(shown) and self.session.current_image == name, 30, f"image {name}")
        self.window.canvas.zoom_to_fit()

    def wait_for_proposal(self) -> None:
        """Wait until the image on screen has a proposal; ask for one where none is on its way."""
        proposals = self.opened.proposals
        if proposals.seen is None and not proposals.running:
            self.session.propose()
        self.until(lambda: proposals.seen is not None and not proposals.running, 180, "a proposal")

    def proposed(self) -> NDArray[np.uint16]:
        """Class values of the proposal on screen."""
        found = self.session.proposal()
        if found is None:
            raise UserError(_("The proposal vanished."))
        return found[0]

    def labelled(self) -> NDArray[np.uint16]:
        """Class values of the labels on screen."""
        assert self.opened.documents.current is not None
        document = self.opened.documents.current.document
        values = {c.id: c.value for c in self.opened.documents.classes}
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

    def look_at_rest(self, when: str) -> "_Rest":
        """Fresh proposals on the fields that are never labelled: how good, and what mending them would take."""
        figures: list[float] = []
        strokes = from_nothing = 0
        for name in self.names[_LEARN_FROM:]:
            self.open(name)
            self.until(lambda: not self.opened.proposals.running, 180, "a proposal")
            ready: list[bool] = []
            self.session.proposalReady.connect(lambda ready=ready: ready.append(True))
            self.session.propose()
            self.until(lambda ready=ready: bool(ready), 180, "a proposal")
            figures.append(self.iou_of_proposal())
            truth, found = self.truth(name), self.proposed()
            strokes += sum(map(len, wrong_strokes(truth, found)))
            from_nothing += sum(map(len, wrong_strokes(truth, np.full_like(found, 255))))
        seen = self.opened.proposals.seen
        by = seen.version if seen is not None else "none"
        rest = _Rest(float(np.mean(figures)), by, strokes, from_nothing)
        each = ", ".join(f"{f:.3f}" for f in figures)
        self.report(when, f"fields that nobody labelled, proposal by {by}: IoU {rest.iou:.3f} ({each})")
        return rest

    def device(self) -> str:
        """Where the engine computes."""
        return self.opened.engine_state.device or "device not known yet"

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
                raise UserError(
                    _("The demo failed while waiting for {what}: {failures}", what=what, failures=self.failures[0])
                )
            if monotonic() > deadline:
                raise UserError(_("The demo waited {seconds:.0f} s in vain for {what}.", seconds=seconds, what=what))
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


def wrong_strokes(
    truth: NDArray[np.uint8], found: NDArray[np.integer], most: int = 1000
) -> tuple[list[HandStroke], list[HandStroke]]:
    """The strokes for objects that `found` (h, w) misses, and those for background where it has too much.

    Where nothing was found (255) the background is not counted: it is filled in at one go.
    """
    objects = strokes_for((truth == 1) & ~_widened(found == 1), truth == 1, most, _SPOT_PX)
    ground = strokes_for((found == 1) & ~_widened(truth == 1), truth == 0, most, _SPOT_PX)
    return objects, ground


def _widened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask and the pixels around it: a rim that is off by one is right."""
    import cv2

    return cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
