"""A label that wraps its words, but never takes more than two lines from the image."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QLabel

from segstudio.ui.text import wrapped

__all__ = ["TwoLines"]

_LEAST_W = 72


class TwoLines(QLabel):
    """What has no room in two lines is elided; the tooltip then has the whole text, as `text()` always has."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._whole = ""
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setText(text)

    def text(self) -> str:
        """The whole text."""
        return self._whole

    def setText(self, text: str) -> None:
        """Set the whole text."""
        self._whole = text
        self.setAccessibleName(text)
        self._fit()
        self.updateGeometry()

    def shown(self) -> str:
        """The words that have room; the end is elided."""
        return super().text()

    def sizeHint(self) -> QSize:
        """As wide as the text."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._whole) + 2, metrics.lineSpacing())

    def minimumSizeHint(self) -> QSize:
        """A few words: what is said must not widen the window."""
        return QSize(_LEAST_W, self.fontMetrics().lineSpacing())

    def heightForWidth(self, width: int) -> int:
        """One line or two."""
        return min(2, len(_starts(self._whole, self.font(), width))) * self.fontMetrics().lineSpacing() + 1

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Elide for this width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = _two_lines(self._whole, self.font(), self.width())
        super().setText(shown)
        self.setToolTip("" if shown == self._whole else wrapped(self._whole))


def _starts(text: str, font: QFont, width: int) -> list[int]:
    """Where the lines of a text begin, in UTF-16 units."""
    if not text:
        return [0]
    from PySide6.QtGui import QTextLayout, QTextOption

    layout = QTextLayout(text.replace("\n", "\u2028"), font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    starts = []
    layout.beginLayout()
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(width, 1))
        starts.append(line.textStart())
    layout.endLayout()
    return starts


def _two_lines(text: str, font: QFont, width: int) -> str:
    starts = _starts(text, font, width)
    if len(starts) <= 2:
        return text
    units = text.encode("utf-16-le")
    first = units[: 2 * starts[1]].decode("utf-16-le").rstrip()
    rest = units[2 * starts[1] :].decode("utf-16-le").replace("\n", " ")
    return f"{first}\n{QFontMetrics(font).elidedText(rest, Qt.TextElideMode.ElideRight, width)}"
