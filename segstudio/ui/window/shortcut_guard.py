"""Suspends single-key shortcuts during typing: a text field gets letters, digits, Return and Escape.

In a form, which is any widget that `make_form` gave a default button, Return presses that button.
"""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTextEdit,
    QWidget,
)

__all__ = ["TypingGuard", "default_button", "is_text_field", "keeps_focus", "leave_keys", "make_form"]

_WITH_COMMAND = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_LEAVING = (*_RETURN, Qt.Key.Key_Escape)
_DEFAULT = "defaultButton"


def is_text_field(widget: QObject | None) -> bool:
    """Whether keys typed in this widget are text."""
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    return isinstance(widget, QLineEdit | QAbstractSpinBox | QPlainTextEdit | QTextEdit)


def make_form(form: QWidget, button: QPushButton) -> None:
    """Make Return anywhere in `form` press `button`, a named child of it, or else the button with the focus."""
    form.setProperty(_DEFAULT, button.objectName())


def default_button(widget: QObject | None) -> QPushButton | None:
    """The button that Return presses for a form or a widget in one; None outside a form."""
    while isinstance(widget, QWidget):
        name = widget.property(_DEFAULT)
        if name:
            return widget.findChild(QPushButton, name)
        widget = widget.parent()
    return None


def keeps_focus(widget: QObject | None) -> bool:
    """Whether the pointer must not take the focus from this widget: it is a text field, or part of a form."""
    return is_text_field(widget) or default_button(widget) is not None


def leave_keys(*parts: QWidget) -> None:
    """Keep a click from moving the focus into these widgets or their children; Tab still does.

    Excepted are text fields, and what has the property `takesClicks`: a list whose keys are for the row clicked.
    """
    for part in parts:
        for widget in (part, *part.findChildren(QWidget)):
            if is_text_field(widget) or widget.property("takesClicks"):
                continue
            if widget.focusPolicy().value & Qt.FocusPolicy.ClickFocus.value:
                widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)


class TypingGuard(QObject):
    """Watches the focused widget while it is a text field or part of a form.

    After Return or Escape in a spin box, `home` gets the focus.
    """

    def __init__(self, window: QWidget, home: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._home = home
        self._watched: QWidget | None = None
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._focus_moved)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take plain keys before a shortcut does."""
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() is QEvent.Type.ShortcutOverride and event.matches(QKeySequence.StandardKey.DeleteEndOfLine):
            # On some desktops Ctrl+K, which finds commands wherever the focus is; a press that is no shortcut still
            # deletes.
            event.ignore()
            return True
        plain = not event.modifiers() & _WITH_COMMAND
        presses = event.key() in _RETURN and default_button(watched) is not None
        if event.type() is QEvent.Type.ShortcutOverride and plain and (presses or is_text_field(watched)):
            event.accept()
            return True
        if event.type() is not QEvent.Type.KeyPress:
            return False
        if event.key() in _LEAVING and isinstance(watched, QAbstractSpinBox):
            QTimer.singleShot(0, self._home, self._home.setFocus)
        # In a multi-line text, Return alone starts a new line.
        if presses and not (plain and isinstance(watched, QPlainTextEdit | QTextEdit)):
            self._press(watched, event.isAutoRepeat())
            return True
        return False

    def _press(self, watched: QObject, again: bool) -> None:
        button = watched if isinstance(watched, QAbstractButton) else default_button(watched)
        if button is not None and not again:
            button.click()

    def _focus_moved(self, old: QWidget | None, now: QWidget | None) -> None:
        # The widget that lost the focus may be half destroyed, so call nothing else on it.
        if old is not None and old is self._watched:
            old.removeEventFilter(self)
        self._watched = now if now is not None and keeps_focus(now) and now.window() is self._window else None
        if self._watched is not None:
            self._watched.installEventFilter(self)
