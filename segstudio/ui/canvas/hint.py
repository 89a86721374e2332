"""Text on the canvas: how to start, what is being loaded, why an image cannot be shown."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from segstudio.text import _

__all__ = ["Badge", "Hint"]

_STYLE = """
QLabel { color: #a8a8a8; background: transparent; }
QLabel#canvasHintTitle { color: #d6d6d6; font-size: 15px; }
QPushButton#canvasOpenButton { color: #d6d6d6; background: transparent; border: 1px solid #5c5c5c; border-radius: 4px;
    padding: 6px 16px; }
QPushButton#canvasOpenButton:hover { background: #383838; border-color: #8a8a8a; }
QPushButton#canvasOpenButton:focus { border-color: #d6d6d6; }
QPushButton#canvasOpenButton:pressed { background: #444444; }
"""


_BADGE_STYLE = "background: #1e1e1e; color: #d6d6d6; border-radius: 4px; padding: 4px 8px;"
_PATIENCE_MS = 250
_CORNER_PX = 12


class Hint(QWidget):
    """A title, a line below it and a button, centred; the canvas behind it is dark in every theme."""

    openRequested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("canvasHint")
        self.setStyleSheet(_STYLE)
        self.title = _label("canvasHintTitle")
        self.line = _label("canvasHintLine")
        self.button = QPushButton(_("Open…"))
        self.button.setObjectName("canvasOpenButton")
        self.button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.button.clicked.connect(self.openRequested)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(8)
        layout.addStretch(1)
        layout.addWidget(self.title)
        layout.addWidget(self.line)
        layout.addSpacing(8)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)

    def say(self, title: str, line: str = "", *, button: bool = False) -> None:
        """Show this text, with or without the button."""
        self.title.setText(title)
        self.line.setText(line)
        self.line.setVisible(bool(line))
        self.button.setVisible(button)
        self.setAccessibleName(" ".join(part for part in (title, line) if part))
        self.show()


class Badge(QLabel):
    """A message in the lower left corner, shown only for something that takes a while."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("canvasBadge")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setStyleSheet(_BADGE_STYLE)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self._appear)
        self.hide()

    def announce(self, text: str) -> None:
        """Show this text after a moment, unless `withdraw` is called first."""
        self.setText(text)
        self._patience.start()

    def withdraw(self) -> None:
        """Hide the message."""
        self._patience.stop()
        self.hide()

    def _appear(self) -> None:
        parent = self.parentWidget()
        assert parent is not None
        self.setMaximumWidth(max(parent.width() - 2 * _CORNER_PX, 1))
        self.adjustSize()
        self.move(_CORNER_PX, parent.height() - self.height() - _CORNER_PX)
        self.show()


def _label(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return label
