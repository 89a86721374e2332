"""The confusion matrix as a map: of the pixels of each class (a row) the share that was predicted as each class."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from segstudio.app.learning.class_figures import ConfusionShares
from segstudio.text import _, count
from segstudio.ui.text import wrapped
from segstudio.ui.theme import current_theme

__all__ = ["ConfusionMap"]

_CELL_LEAST_W, _CELL_MOST_W, _CELL_H = 18, 80, 20
_NAMES_MOST_W, _HEAD_H = 96, 20
_NUMBER_W = 26
_TITLE_W, _DOT = 40, 8
_STRONG = 0.55


class ConfusionMap(QWidget):
    """`confusionMap`: rows are what people labelled, columns what was predicted; a tip says each cell in words."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("confusionMap")
        self.setAccessibleName(_("Confusion matrix"))
        self.shares: ConfusionShares | None = None
        self._colors: Mapping[str, str] = {}
        self._width = 0

    def show_shares(self, shares: ConfusionShares | None, colors: Mapping[str, str] | None = None) -> None:
        """Draw a matrix, None for none; `colors` of classes stand for names that have no room."""
        self.shares, self._colors = shares, colors or {}
        self._resize()
        self.update()

    def fit(self, width: int) -> None:
        """Draw cells as wide as they fit into a width, and never so narrow that they could not be told apart."""
        self._width = width
        self._resize()

    @property
    def _names_w(self) -> int:
        if self.shares is None:
            return 0
        widest = max((self._metrics.horizontalAdvance(name) for name in self.shares.rows), default=0)
        return min(_NAMES_MOST_W, widest + 8)

    @property
    def _small(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(max(6.5, font.pointSizeF() * 0.85))
        return font

    @property
    def _metrics(self) -> QFontMetrics:
        return QFontMetrics(self._small)

    @property
    def _cell_w(self) -> int:
        columns = len(self.shares.columns) if self.shares is not None else 0
        room = (self._width - self._names_w) // max(columns, 1)
        return min(_CELL_MOST_W, max(_CELL_LEAST_W, room))

    def _resize(self) -> None:
        self.setFixedSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        """The room that every cell needs."""
        if self.shares is None:
            return QSize(0, 0)
        return QSize(self._names_w + self._cell_w * len(self.shares.columns), _HEAD_H + _CELL_H * len(self.shares.rows))

    def cell(self, row: int, column: int) -> QRect:
        """Where a cell is; row -1 for the name of a column."""
        y = 0 if row < 0 else _HEAD_H + row * _CELL_H
        return QRect(self._names_w + column * self._cell_w, y, self._cell_w, _HEAD_H if row < 0 else _CELL_H)

    def words_at(self, place: QPoint) -> str:
        """What is under a place, in words; empty for nothing."""
        if self.shares is None:
            return ""
        column, row = (place.x() - self._names_w) // self._cell_w, (place.y() - _HEAD_H) // _CELL_H
        in_rows, in_columns = 0 <= row < len(self.shares.rows), 0 <= column < len(self.shares.columns)
        if place.y() < _HEAD_H and in_columns:
            return _named(self.shares.columns[column])
        if place.x() < self._names_w and in_rows:
            return _named(self.shares.rows[row])
        if not (in_rows and in_columns):
            return ""
        share, pixels = self.shares.shares[row][column], self.shares.pixels[row][column]
        return count(
            pixels,
            "{share} of '{truth}' was predicted as '{predicted}': {n} pixel",
            "{share} of '{truth}' was predicted as '{predicted}': {n} pixels",
            share=f"{100 * share:.1f} %",
            truth=self.shares.rows[row],
            predicted=_named(self.shares.columns[column]),
        )

    def event(self, event: QEvent) -> bool:
        """Say what is under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), wrapped(self.words_at(event.pos())), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw names, and a cell the darker the larger its share."""
        if self.shares is None:
            return
        theme = current_theme()
        painter = QPainter(self)
        painter.setFont(self._small)
        painter.setPen(QColor(theme.muted))
        align = Qt.AlignmentFlag
        for row, name in enumerate(self.shares.rows):
            box = QRect(0, self.cell(row, 0).top(), self._names_w - 6, _CELL_H)
            self._text(painter, box, name, align.AlignRight | align.AlignVCenter)
        for column, name in enumerate(self.shares.columns):
            self._title(painter, self.cell(-1, column), name)
        for row, shares in enumerate(self.shares.shares):
            for column, share in enumerate(shares):
                box = self.cell(row, column).adjusted(0, 0, -1, -1)
                if not box.intersects(event.rect()):
                    continue
                painter.fillRect(box, QColor(theme.control))
                fill = QColor(theme.accent)
                fill.setAlphaF(share)
                painter.fillRect(box, fill)
                if self._cell_w >= _NUMBER_W and self.shares.pixels[row][column]:
                    painter.setPen(QColor(theme.on_accent if share > _STRONG else theme.text))
                    painter.drawText(box, int(align.AlignCenter), f"{100 * share:.0f}")
        painter.end()

    def _title(self, painter: QPainter, box: QRect, name: str) -> None:
        """The name of a column, or where the cells are narrow the colour of its class."""
        if self._cell_w >= _TITLE_W or name not in self._colors:
            self._text(painter, box.adjusted(2, 0, -2, 0), _named(name), Qt.AlignmentFlag.AlignCenter)
            return
        dot = QRect(0, 0, _DOT, _DOT)
        dot.moveCenter(box.center())
        painter.fillRect(dot, QColor(self._colors[name]))

    def _text(self, painter: QPainter, box: QRect, text: str, align: Qt.AlignmentFlag) -> None:
        shown = self._metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, int(align), shown)


def _named(column: str) -> str:
    return column or _("none")
