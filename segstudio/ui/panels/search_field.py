"""A field to search with, which Escape empties and leaves."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QToolButton

from segstudio.text import _

__all__ = ["SearchField"]


class SearchField(QLineEdit):
    """`escaped`: Escape was pressed in it."""

    escaped = Signal()

    def __init__(self, name: str, words: str, tip: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setPlaceholderText(words)
        self.setAccessibleName(words)
        self.setToolTip(tip)
        self.setClearButtonEnabled(True)
        clear = self.findChild(QToolButton)
        if clear is not None:
            clear.setObjectName(f"{name}Clear")
            clear.setAccessibleName(_("Empty the field"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Escape; the window would close a message with it."""
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
            event.accept()
        else:
            super().keyPressEvent(event)
