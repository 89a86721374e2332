"""A look at the bare image: labels and proposal are hidden for as long as a key is held."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["Peek"]

_ENDING = (QEvent.Type.MouseButtonPress, QEvent.Type.WindowDeactivate, QEvent.Type.ApplicationDeactivate)


class Peek(QObject):
    """`begin` hides them; the key's release shows them again, as do a press of a button and another window. From the
    menu, where no key is held, the next key ends it.
    """

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        self.under_way = False

    def begin(self) -> None:
        """Hide labels and proposal; nothing else changes."""
        application = QApplication.instance()
        if self.under_way or application is None:
            return
        self.under_way = True
        application.installEventFilter(self)
        self._window.canvas.set_labels_shown(False)
        self._window.canvas.set_proposal_shown(False)

    def end(self) -> None:
        """Show again what was shown before."""
        application = QApplication.instance()
        if not self.under_way or application is None:
            return
        self.under_way = False
        application.removeEventFilter(self)
        action = self._window.bars.action
        self._window.canvas.set_labels_shown(action("show-labels").isChecked())
        self._window.canvas.set_proposal_shown(action("show-proposals").isChecked())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Wait for the end; no event is kept from whom it is for."""
        released = event.type() is QEvent.Type.KeyRelease and isinstance(event, QKeyEvent) and not event.isAutoRepeat()
        if released or event.type() in _ENDING:
            self.end()
        return False
