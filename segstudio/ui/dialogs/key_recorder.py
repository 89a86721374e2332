"""A button that hears the next key that is pressed, whatever that key means elsewhere in the window."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QPushButton

from segstudio.text import _

__all__ = ["KeyRecorder", "key_pressed"]

_MODIFIERS = (
    Qt.Key.Key_Shift,
    Qt.Key.Key_Control,
    Qt.Key.Key_Alt,
    Qt.Key.Key_Meta,
    Qt.Key.Key_AltGr,
    Qt.Key.Key_Super_L,
    Qt.Key.Key_Super_R,
    Qt.Key.Key_CapsLock,
    Qt.Key.Key_NumLock,
    Qt.Key.Key_unknown,
)


def key_pressed(event: QKeyEvent) -> str:
    """What was pressed as portable text; '' for a modifier alone.

    Shift counts as part of a sign ('?', not 'Shift+?'), as it is another key on every keyboard. So does the keypad,
    since nobody could tell '1' from '1' in a list.
    """
    if event.key() in _MODIFIERS:
        return ""
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    text = event.text()
    sign = bool(text) and text.isprintable() and not text.isalnum() and not text.isspace()
    if sign:
        held &= ~Qt.KeyboardModifier.ShiftModifier
    key = event.key()
    if key == Qt.Key.Key_Backtab:
        key, held = int(Qt.Key.Key_Tab), held | Qt.KeyboardModifier.ShiftModifier
    return QKeySequence(held.value | key).toString(QKeySequence.SequenceFormat.PortableText)


class KeyRecorder(QPushButton):
    """`recorded` carries the key as portable text; Escape, another click or a lost focus record nothing."""

    recorded = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setCheckable(True)
        self.setAutoDefault(False)
        self._say()
        self.toggled.connect(self._toggled)

    def begin(self) -> None:
        """Hear the next key."""
        self.setFocus()
        self.setChecked(True)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the key before shortcuts, the form and the focus do."""
        if watched is not self or not isinstance(event, QKeyEvent) or not self.isChecked():
            return False
        event.accept()
        if event.type() is QEvent.Type.KeyPress and not event.isAutoRepeat():
            self._heard(event)
        return True

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hear nothing any more."""
        self.setChecked(False)
        super().focusOutEvent(event)

    def _heard(self, event: QKeyEvent) -> None:
        key = key_pressed(event)
        if not key:
            return
        self.setChecked(False)
        if key != "Esc":
            self.recorded.emit(key)

    def _toggled(self, on: bool) -> None:
        # The filter of a form, which makes Return press its button, was installed when the focus came: this one has to
        # be asked before it.
        self.removeEventFilter(self)
        if on:
            self.installEventFilter(self)
        self._say()

    def _say(self) -> None:
        words = _("Press a key…") if self.isChecked() else _("Add a key…")
        self.setText(words)
        self.setAccessibleName(words)
