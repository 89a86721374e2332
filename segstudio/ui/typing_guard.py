"""Single-key shortcuts rest while somebody types: a text field gets its letters, digits, Return and Escape."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

__all__ = ["TypingGuard"]

_WITH_COMMAND = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_LEAVING = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)


def is_text_field(widget: QObject | None) -> bool:
    """Whether keys typed into this widget are text."""
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    return isinstance(widget, QLineEdit | QAbstractSpinBox | QPlainTextEdit | QTextEdit)


class TypingGuard(QObject):
    """Watches the widget with the focus while that is a text field.

    After Return or Escape in a number `home` gets the focus.
    """

    def __init__(self, window: QWidget, home: Callable[[], QWidget]) -> None:
        super().__init__(window)
        self._window = window
        self._home = home
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._focus_moved)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Claim plain keys before a shortcut does."""
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() is QEvent.Type.ShortcutOverride and not event.modifiers() & _WITH_COMMAND:
            event.accept()
            return True
        leaves = event.type() is QEvent.Type.KeyPress and event.key() in _LEAVING
        if leaves and isinstance(watched, QAbstractSpinBox):
            QTimer.singleShot(0, self, lambda: self._home().setFocus())
        return False

    def _focus_moved(self, old: QWidget | None, now: QWidget | None) -> None:
        if is_text_field(old) and old is not None:
            old.removeEventFilter(self)
        if is_text_field(now) and now is not None and now.window() is self._window:
            now.installEventFilter(self)
