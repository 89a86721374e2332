"""A tool bar for the keyboard: one stop of Tab, inside which the arrow keys move, and Space presses.

No click gives its buttons the focus, so that Space goes on moving the image for whoever has a mouse.
"""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QToolBar, QToolButton, QWidget

__all__ = ["BarFocus"]

_STEPS: dict[int, int] = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
_ENDS: dict[int, int] = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: -1}


class BarFocus(QObject):
    """`stop` is the button that Tab reaches: where the focus was last, else the first that can be pressed. `moved`
    carries the button that an arrow key has reached. `choose` is to be called before Tab moves: what can be pressed
    changes all the time."""

    moved = Signal(QWidget)

    def __init__(self, bar: QToolBar) -> None:
        super().__init__(bar)
        self._bar = bar
        self._buttons: list[QToolButton] = []
        self.stop: QToolButton | None = None

    def take_buttons(self, after: QWidget | None = None) -> QWidget | None:
        """Take in the buttons of the bar, in the order of Tab behind `after`; the last of them."""
        widgets = [self._bar.widgetForAction(action) for action in self._bar.actions()]
        for button in self._buttons:
            button.removeEventFilter(self)
        self._buttons = [widget for widget in widgets if isinstance(widget, QToolButton)]
        for button in self._buttons:
            button.installEventFilter(self)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # Qt orders no others
            if after is not None:
                QWidget.setTabOrder(after, button)
            after = button
        self.choose()
        return after

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move by arrow keys; remember where the focus was."""
        if event.type() is QEvent.Type.FocusIn and isinstance(watched, QToolButton):
            self.choose(watched)
        elif event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and isinstance(watched, QToolButton):
            return self._key(watched, event.key())
        return False

    def choose(self, wanted: QToolButton | None = None) -> None:
        """Let Tab stop at this button, or where it stopped before; elsewhere if that cannot be pressed any more."""
        there, stop = self._there(), wanted or self.stop
        self.stop = stop if stop in there else next(iter(there), None)
        for button in self._buttons:
            policy = Qt.FocusPolicy.TabFocus if button is self.stop else Qt.FocusPolicy.NoFocus
            if button.focusPolicy() is not policy:
                button.setFocusPolicy(policy)

    def _key(self, button: QToolButton, key: int) -> bool:
        if key == Qt.Key.Key_Down and button.menu() is not None:
            button.showMenu()
            return True
        there = self._there()
        if key in _STEPS:
            at = there.index(button) if button in there else 0
            to = there[(at + _STEPS[key]) % len(there)]
        elif key in _ENDS:
            to = there[_ENDS[key]]
        else:
            return False
        to.setFocus(Qt.FocusReason.TabFocusReason)
        self.moved.emit(to)
        return True

    def _there(self) -> list[QToolButton]:
        """The buttons that can be pressed now."""
        return [button for button in self._buttons if button.isEnabled() and not button.isHidden()]
