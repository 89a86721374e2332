"""The demo without a display: the whole job by real mouse and key events in an offscreen window, step by step.

Each step prints its figures and saves a picture of the window; the exports are saved beside them. The simulated person
knows the masks of the sample and paints where the proposal is wrong, or from scratch if that is less work.
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
from segstudio.text import N_, _, count

__all__ = ["run_demo"]

_LEARN_FROM = 4
_TRAIN_STEPS = 45
"""About a minute on two idle cores; a busy machine takes longer but learns the same."""
_TRAIN_SECONDS = 300.0
"""After this time Stop is clicked, which keeps the best result so far."""
_STROKES = 120
_WORTH_MENDING = 0.75
_SWEEP_PX = 48.0
_SPOT_PX = 6


@dataclass(frozen=True, slots=True)
class _Rest:
    """The fields that stay unlabelled: mean IoU of their proposals, the version that proposed, and the strokes to
    correct them or to paint them from scratch."""

    iou: float
    by: str
    strokes: int
    strokes_from_nothing: int


def run_demo(folder: Path | None = None, steps: int = _TRAIN_STEPS) -> int:
    """Run every step in `folder` (`segstudio-demo` by default); the exit code. Raises `UserError` on failure."""
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
    """Pass on the messages of Qt, except one that the offscreen platform prints for every window."""
    if "propagateSizeHints" not in message:
        sys.stderr.write(message + "\n")


class _Demo:
    """One run of the demo; `step` counts the pictures."""

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
        self.session.kept_preferences.remembers = False
        self.window.resize(1440, 900)
        self.window.show()

    # -- the job -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Propose, correct, fine-tune, compare, export."""
        self.until(lambda: self.session.project is not None, 60, _("the project"))
        navigation = self.opened.navigation
        self.until(lambda: navigation.index == 0 and not navigation.loading, 60, _("the first image"))
        images = count(len(navigation.items), "1 image", "{n} images")
        self.report("opened", f"{self.project}, {images}")
        self.open(self.names[0])
        self.wait_for_proposal()
        self.report(
            "proposed",
            _(
                "{device}; first guess IoU {iou} on {image}",
                device=self.device(),
                iou=f"{self.iou_of_proposal():.3f}",
                image=self.names[0],
            ),
        )
        guess = self.look_at_rest("before any label")
        for name in self.names[:_LEARN_FROM]:
            self.label(name)
        before = self.look_at_rest("before fine-tuning")
        result = self.fine_tune()
        after = self.look_at_rest("after fine-tuning")
        self.open(self.names[_LEARN_FROM])
        self.wait_for_proposal()
        self.report("compared", _verdict(result))
        self.say(
            "learned",
            _(
                "IoU of '{name}' on the unlabelled fields: {guess} for the first guess, {before} for the instant "
                "learner, {after} for {version} after fine-tuning",
                name=self.foreground,
                guess=f"{guess.iou:.3f}",
                before=f"{before.iou:.3f}",
                after=f"{after.iou:.3f}",
                version=after.by,
            ),
        )
        self.say(
            "saved",
            _(
                "strokes to complete those fields: {nothing} from scratch, {before} from the proposals of the instant "
                "learner, {after} from those of {version} after fine-tuning",
                nothing=before.strokes_from_nothing,
                before=before.strokes,
                after=after.strokes,
                version=after.by,
            ),
        )
        self.label(self.names[_LEARN_FROM], worth_mending=0.0)
        self.export()
        spent = f"{monotonic() - self.began:.0f}"
        self.say("done", _("{seconds} s in total; pictures and exports in {folder}", seconds=spent, folder=self.home))

    def label(self, name: str, worth_mending: float = _WORTH_MENDING) -> None:
        """Label one field with real brush strokes and press Enter.

        A proposal with an IoU of at least `worth_mending` is corrected where it is wrong, and the rest is accepted.
        Otherwise the objects are painted from scratch and everything still unlabelled becomes background: the labels
        that the gate measures on must not come from the model that it measures.
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
        if not anew:
            self.click("acceptButton")
        self.until(lambda: bool((self.session.labels() > 0).all()), 30, _("every pixel to be labelled"))
        labels = self.iou(truth, self.labelled())
        said = N_("{image}: proposal IoU {guess}, corrected and accepted with {strokes}, labels IoU {labels}")
        if anew:
            said = N_("{image}: proposal IoU {guess}, painted from scratch with {strokes}, labels IoU {labels}")
        strokes = count(made, "1 stroke", "{n} strokes")
        figures = {"guess": f"{guess:.3f}", "labels": f"{labels:.3f}"}
        self.report("painted" if anew else "mended", _(said, image=name, strokes=strokes, **figures))
        index = self.opened.navigation.index
        QTest.keyClick(self.window.canvas, Qt.Key.Key_Return)
        self.until(lambda: self.opened.navigation.items[index].status == "done", 30, _("the image to be marked done"))

    def sweep(self, shape: tuple[int, ...]) -> int:
        """Paint background with a wide brush over all unlabelled pixels; returns the number of strokes."""
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
        """Press, move and release the mouse along a stroke, like a pointer with a fine resolution."""
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
        """Press Ctrl+Z on the canvas, and wait until that is on disk."""
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
        """Fine-tune as a click on the button does, and paint on another image while it runs."""
        from PySide6.QtCore import Qt

        results: list[dict[str, Any]] = []
        events: list[dict[str, Any]] = []
        self.session.trainingFinished.connect(results.append)
        self.session.trainingEvent.connect(events.append)
        self.session.fine_tune(max_steps=self.train_steps)
        self.until(lambda: any(e["kind"] == "stepped" for e in events) or bool(self.failures), 120, _("the first step"))
        self.open(self.names[_LEARN_FROM])
        self.committed(lambda: self.stroke(HandStroke(((6.5, 6.5), (18.5, 6.5)), 4.0), Qt.MouseButton.RightButton))
        self.say("painted", _("one stroke during training, saved"))
        began = monotonic()
        self.until(lambda: sum(e["kind"] == "stepped" for e in events) > 12 or bool(results), 300, _("some steps"))
        self.press_undo()
        self.say("undone", _("the same stroke, by Ctrl+Z, so that this field stays unlabelled"))
        loss = next(e["loss"] for e in reversed(events) if e["kind"] == "stepped")
        self.report("training", _("loss {loss}", loss=f"{loss:.3f}"))
        self.until(lambda: bool(results) or monotonic() > began + _TRAIN_SECONDS, 600, _("the end of training"))
        if not results:
            self.click("stopTrainingButton")
        self.until(lambda: bool(results), 180, _("the end of training"))
        result = results[0]
        parent, child = result["held_out"]["parent"], result["held_out"]["child"]
        steps, seconds = count(result["steps"], "1 step", "{n} steps"), f"{result['seconds']:.0f}"
        figures = [_("{steps} in {seconds} s", steps=steps, seconds=seconds)]
        if parent and child:
            before, now = f"{parent['mean_iou']:.3f}", f"{child['mean_iou']:.3f}"
            figures.append(_("held-out mean IoU {before} -> {now}", before=before, now=now))
        self.report("trained", "; ".join(figures))
        return result

    def export(self) -> None:
        """Export PNG masks and COCO, which are read back."""
        for format_ in ("png", "coco"):
            finished: list[dict[str, Any]] = []
            self.session.exportFinished.connect(finished.append)
            self.session.export(format_, self.home / f"export-{format_}")
            self.until(lambda finished=finished: bool(finished), 60, _("the export as {format}", format=format_))
            self.session.exportFinished.disconnect(finished.append)
            files = count(len(finished[0]["files"]), "1 file", "{n} files")
            self.say("exported", _("{format}: {files}, read back and equal", format=format_, files=files))
        self.report("exported", _("PNG masks and COCO"))

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
            self.until(lambda: not self.opened.navigation.loading, 30, _("image {name}", name=name))
            return
        self.session.imageShown.connect(lambda: shown.append(True))
        self.session.open_image(name)
        self.until(lambda: bool(shown) and self.session.current_image == name, 30, _("image {name}", name=name))
        self.window.canvas.zoom_to_fit()

    def wait_for_proposal(self) -> None:
        """Wait until the image on screen has a proposal; ask for one unless one is on its way."""
        proposals = self.opened.proposals
        if proposals.seen is None and not proposals.running:
            self.session.propose()
        self.until(lambda: proposals.seen is not None and not proposals.running, 180, _("a proposal"))

    def proposed(self) -> NDArray[np.uint16]:
        """Class values of the proposal on screen."""
        found = self.session.proposal()
        if found is None:
            raise UserError(_("The proposal has vanished."))
        return found[0]

    def labelled(self) -> NDArray[np.uint16]:
        """Class values of the labels on screen."""
        assert self.opened.documents.current is not None
        document = self.opened.documents.current.document
        values = {c.id: c.value for c in self.opened.documents.classes}
        ids = document.class_ids(0, document.raster.bounds(0))
        return np.vectorize(lambda c: values.get(c, 255), otypes=[np.uint16])(ids)

    def truth(self, name: str) -> NDArray[np.uint8]:
        """The mask of a field that comes with the sample."""
        from PIL import Image

        with Image.open(self.truth_folder / Path(name).with_suffix(".png").name) as mask:
            return np.asarray(mask, np.uint8)

    def iou(self, truth: NDArray[np.uint8], found: NDArray[np.integer]) -> float:
        """IoU of the foreground."""
        both = int(((truth == 1) & (found == 1)).sum())
        either = int(((truth == 1) | (found == 1)).sum())
        return both / either if either else 0.0

    def iou_of_proposal(self) -> float:
        """IoU of the proposal on screen with the mask of the sample."""
        return self.iou(self.truth(str(self.session.current_image)), self.proposed())

    def look_at_rest(self, when: str) -> "_Rest":
        """Make fresh proposals for the fields that stay unlabelled: their IoU, and the strokes to correct them."""
        figures: list[float] = []
        strokes = from_nothing = 0
        for name in self.names[_LEARN_FROM:]:
            self.open(name)
            self.until(lambda: not self.opened.proposals.running, 180, _("a proposal"))
            ready: list[bool] = []
            self.session.proposalReady.connect(lambda ready=ready: ready.append(True))
            self.session.propose()
            self.until(lambda ready=ready: bool(ready), 180, _("a proposal"))
            figures.append(self.iou_of_proposal())
            truth, found = self.truth(name), self.proposed()
            strokes += sum(map(len, wrong_strokes(truth, found)))
            from_nothing += sum(map(len, wrong_strokes(truth, np.full_like(found, 255))))
        seen = self.opened.proposals.seen
        by = seen.version if seen is not None else "none"
        rest = _Rest(float(np.mean(figures)), by, strokes, from_nothing)
        each = ", ".join(f"{f:.3f}" for f in figures)
        mean = f"{rest.iou:.3f}"
        self.report(
            when, _("unlabelled fields, proposals of {version}: IoU {iou} ({each})", version=by, iou=mean, each=each)
        )
        return rest

    def device(self) -> str:
        """The device of the engine."""
        return self.opened.engine_state.device or _("device not known yet")

    # -- waiting and printing ------------------------------------------------------------------------------------------

    def committed(self, act: Callable[[], object]) -> None:
        """Do something that makes an edit, and wait until that is on disk."""
        numbers: list[int] = []
        self.session.editCommitted.connect(numbers.append)
        act()
        self.until(lambda: bool(numbers), 30, _("the edit to be saved"))
        self.session.editCommitted.disconnect(numbers.append)

    def until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Run the event loop until a condition holds. Raises `UserError` after so many seconds, or on a failure."""
        from PySide6.QtCore import QEventLoop, QTimer

        deadline = monotonic() + seconds
        while not holds():
            if self.failures:
                raise UserError(_("The demo failed while waiting for {what}: {why}", what=what, why=self.failures[0]))
            if monotonic() > deadline:
                raise UserError(
                    _("The demo gave up after waiting {seconds} s for {what}.", seconds=round(seconds), what=what)
                )
            loop = QEventLoop()
            QTimer.singleShot(20, loop.quit)
            loop.exec()

    def report(self, step: str, text: str) -> None:
        """Print a step and save a picture of the window."""
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


def _verdict(result: dict[str, Any]) -> str:
    """Whether the new version was promoted, and why not."""
    if result["promoted"]:
        return _("version {version} promoted", version=result["version"])
    return _("version {version} kept as a candidate ({why})", version=result["version"], why=result["reason"])


def wrong_strokes(
    truth: NDArray[np.uint8], found: NDArray[np.integer], most: int = 1000
) -> tuple[list[HandStroke], list[HandStroke]]:
    """The strokes for objects that `found` (h, w) misses, and those for background where it has too much.

    Background is not counted where nothing was found (255), because it is filled in one step.
    """
    objects = strokes_for((truth == 1) & ~_widened(found == 1), truth == 1, most, _SPOT_PX)
    ground = strokes_for((found == 1) & ~_widened(truth == 1), truth == 0, most, _SPOT_PX)
    return objects, ground


def _widened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask and the pixels around it, so that an edge that is off by one counts as right."""
    import cv2

    return cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
