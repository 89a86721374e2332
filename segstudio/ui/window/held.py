"""A look at something else for as long as a key is held: the bare image, or what the proposal is compared with."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["Flip", "Held", "Peek"]

_ENDING = (QEvent.Type.MouseButtonPress, QEvent.Type.WindowDeactivate, QEvent.Type.ApplicationDeactivate)


class Held(QObject):
    """`begin` shows it; the key's release ends it, as do a press of a button and another window. From the menu, where
    no key is held, the next key ends it.
    """

    def __init__(self, window: "MainWindow", shows: Callable[[], None], ends: Callable[[], None]) -> None:
        super().__init__(window)
        self._shows, self._ends = shows, ends
        self.under_way = False

    def begin(self) -> None:
        """Show it; nothing else changes."""
        application = QApplication.instance()
        if self.under_way or application is None:
            return
        self.under_way = True
        application.installEventFilter(self)
        self._shows()

    def end(self) -> None:
        """Show again what was shown before."""
        application = QApplication.instance()
        if not self.under_way or application is None:
            return
        self.under_way = False
        application.removeEventFilter(self)
        self._ends()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Wait for the end; no event is kept from whom it is for."""
        released = event.type() is QEvent.Type.KeyRelease and isinstance(event, QKeyEvent) and not event.isAutoRepeat()
        if released or event.type() in _ENDING:
            self.end()
        return False


class Peek(Held):
    """The image without labels and proposal."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window, self._show, self._show_again)
        self._window = window

    def _show(self) -> None:
        self._window.canvas.set_labels_shown(False)
        self._window.canvas.set_proposal_shown(False)

    def _show_again(self) -> None:
        action = self._window.bars.action
        self._window.canvas.set_labels_shown(action("show-labels").isChecked())
        self._window.canvas.set_proposal_shown(action("show-proposals").isChecked())


class Flip(Held):
    """What the proposal is compared with, in its place."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window, self._show, self._show_again)
        self._window = window

    def _show(self) -> None:
        if project := self._window.session.project:
            project.views.flip(True)

    def _show_again(self) -> None:
        if project := self._window.session.project:
            project.views.flip(False)
