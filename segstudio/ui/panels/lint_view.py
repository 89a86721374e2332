"""The view of the list of findings: how a row looks, and which keys belong to it."""

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from segstudio.text import _
from segstudio.ui.panels.lint_model import KIND_WORDS, LintModel
from segstudio.ui.theme import current_theme

__all__ = ["LintView"]

_ROW_H = 34
_PAD, _GAP = 8, 8
_SWATCH = 12
_Index = QModelIndex | QPersistentModelIndex
_GOES = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_OWN = {
    *_GOES,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
}
"""What these keys do elsewhere in the window waits while the list has the focus."""


class LintView(QListView):
    """`lintList`; `chosen` carries the row of a finding that a person clicked, or moved to with the keys."""

    chosen = Signal(int)

    def __init__(self, model: LintModel) -> None:
        super().__init__()
        self.setObjectName("lintList")
        self.setAccessibleName(_("What was found in the labels"))
        self.setModel(model)
        self._row = _Row(model, self)
        self.setItemDelegate(self._row)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setProperty("takesClicks", True)  # its keys are for the row that was clicked
        self.clicked.connect(lambda index: self.chosen.emit(index.row()))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows that are out of date."""
        self._row.begin(self.font())
        super().paintEvent(event)

    def event(self, event: QEvent) -> bool:
        """Take the keys of a list before they become commands of the window."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if plain and event.key() in _OWN:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go to another finding, Enter to the same again; letters are commands of the window."""
        if event.key() not in _OWN:
            event.ignore()
            return
        # Where nothing is chosen yet, the first row that has the focus is the next one.
        begins = event.key() == Qt.Key.Key_Down and not self.selectionModel().hasSelection()
        if event.key() not in _GOES and not (begins and self.currentIndex().isValid()):
            super().keyPressEvent(event)
        if self.currentIndex().isValid():
            self.chosen.emit(self.currentIndex().row())


class _Row(QStyledItemDelegate):
    """Draws a row itself: a heading with its number, or two lines: class and size above the image.

    Of a probable mistake both classes stand at the left.
    """

    def __init__(self, model: LintModel, parent: LintView) -> None:
        super().__init__(parent)
        self._model = model
        self.begin(parent.font())

    def begin(self, font: QFont) -> None:
        """Take the colours of the theme as it is now."""
        theme = current_theme()
        self._text, self._muted, self._edge = QColor(theme.text), QColor(theme.muted), QColor(theme.edge)
        self._accent, self._soft, self._hover = QColor(theme.accent), QColor(theme.accent_soft), QColor(theme.hover)
        self._strong = QFont(font)
        self._strong.setWeight(QFont.Weight.DemiBold)

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """The same for all rows."""
        return QSize(80, _ROW_H)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw a row."""
        cell: QRect = option.rect  # type: ignore[attr-defined]
        heading = self._model.heading(index.row())
        if heading is not None:
            self._heading(painter, cell, _(KIND_WORDS[heading[0]]), f"{heading[1]:,}")
            return
        state: QStyle.StateFlag = option.state  # type: ignore[attr-defined]
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(cell, self._soft if selected else self._hover)
        if selected:
            painter.fillRect(QRect(cell.x(), cell.y(), 3, cell.height()), self._accent)
        found = self._model.finding(index.row())
        assert found is not None
        line = QRect(cell.x() + _PAD, cell.y() + 1, cell.width() - 2 * _PAD, (cell.height() - 2) // 2)
        at = QPoint(line.x(), line.y() + (line.height() - _SWATCH) // 2)
        self._swatch(painter, at, self._model.color(found))
        words = line.adjusted(_SWATCH + _GAP, 0, 0, 0)
        size = self._model.size(found) if found.rect is not None else ""
        room = words.adjusted(0, 0, -(_width(painter, size) + _GAP) if size else 0, 0)
        self._write(painter, room, self._model.title(found), self._text)
        self._write(painter, words, size, self._muted, right=True)
        below, other = words.translated(0, line.height()), self._model.other(found)
        mode = Qt.TextElideMode.ElideMiddle
        if other is not None:
            self._swatch(painter, at + QPoint(0, line.height()), other[0])
            self._write(painter, below, other[1], self._text)
            below = below.adjusted(min(_width(painter, other[1]) + _GAP, below.width()), 0, 0, 0)
            mode = Qt.TextElideMode.ElideLeft  # of a few letters the last ones tell images apart
        self._write(painter, below, self._model.place(found), self._muted, right=other is not None, mode=mode)

    def _heading(self, painter: QPainter, cell: QRect, words: str, number: str) -> None:
        line = cell.adjusted(_PAD, 10, -_PAD, -4)
        font = painter.font()
        painter.setFont(self._strong)
        room = line.adjusted(0, 0, -(_width(painter, number) + _GAP), 0)
        self._write(painter, room, words, self._text)
        painter.setFont(font)
        self._write(painter, line, number, self._muted, right=True)

    def _write(
        self,
        painter: QPainter,
        room: QRect,
        words: str,
        color: QColor,
        *,
        right: bool = False,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        painter.setPen(color)
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        shown = painter.fontMetrics().elidedText(words, mode, room.width())
        painter.drawText(room, int(side | Qt.AlignmentFlag.AlignVCenter), shown)

    def _swatch(self, painter: QPainter, at: QPoint, color: str) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(self._edge)
        painter.setBrush(QColor(color) if color else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(at.x() + 0.5, at.y() + 0.5, _SWATCH - 1, _SWATCH - 1), 3, 3)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _width(painter: QPainter, words: str) -> int:
    return painter.fontMetrics().horizontalAdvance(words)
