"""A person at an offscreen window: real mouse and key events, waiting for what follows, pictures and printed lines."""

import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.app.open_project import OpenedProject
from segstudio.demo.hand import HandStroke
from segstudio.errors import UserError
from segstudio.text import _

__all__ = ["Driver"]


class Driver:
    """One window on one project; pictures go to `home`, numbered. A failure that the window reports ends every wait."""

    def __init__(self, home: Path, project: Path) -> None:
        from segstudio.ui import open_window

        self.home = home
        self.step = 0
        self.began = monotonic()
        self.failures: list[str] = []
        self.window = open_window(project)
        self.session = self.window.session
        self.session.failed.connect(lambda failure: self.failures.append(str(failure["sentence"])))
        self.session.kept_preferences.remembers = False
        self.window.resize(1440, 900)
        self.window.show()

    # -- acting ------------------------------------------------------------------------------------------------------

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

    # -- looking -----------------------------------------------------------------------------------------------------

    @property
    def opened(self) -> OpenedProject:
        """The open project's owners."""
        assert self.session.project is not None
        return self.session.project

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
