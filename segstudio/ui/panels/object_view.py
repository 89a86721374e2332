"""The view of the table of objects: how a cell looks, and which keys belong to it."""

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from segstudio.text import _
from segstudio.ui.panels.object_model import COLUMNS, LOCK_COLUMN, ObjectModel, is_right
from segstudio.ui.theme import current_theme
from segstudio.ui.window.icons import pixmap

__all__ = ["ROW_H", "ObjectView"]

ROW_H = 24
_PAD = 8
_SWATCH = 12
_WIDTHS = {"id": 76, "locked": 32, "class": 92, "area": 76, "origin": 92, "mean": 116, "box": 132}
_STRONG = ("id", "class", "area")
_SIDES = tuple(
    int(Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignRight if is_right(n) else Qt.AlignmentFlag.AlignLeft))
    for n in range(len(COLUMNS))
)
_MOST_WORDS = 4096
_Index = QModelIndex | QPersistentModelIndex
_JUMPS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_OWN = {
    *_JUMPS,
    Qt.Key.Key_Delete,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
}
"""What these keys do elsewhere in the window waits while the table has the focus."""


class ObjectView(QTableView):
    """Rows are selected whole, several with Ctrl and Shift. `sought` carries the row that a person wants to see,
    `menuAsked` a place on the screen, `lockAsked` the row whose lock was clicked; `deleteAsked`: delete what is
    selected.
    """

    sought = Signal(int)
    deleteAsked = Signal()
    lockAsked = Signal(int)
    menuAsked = Signal(QPoint)

    def __init__(self, model: ObjectModel) -> None:
        super().__init__()
        self.setObjectName("objectTable")
        self.setAccessibleName(_("Objects of this image"))
        self.setModel(model)
        self._pressed_lock = -1
        self._cell = _Cell(model, self)
        self.setItemDelegate(self._cell)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setProperty("takesClicks", True)  # its keys are for the row that was clicked
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_H)
        self.verticalHeader().setMinimumSectionSize(ROW_H)
        header = self.horizontalHeader()
        header.setObjectName("objectTableHeader")
        header.setAccessibleName(_("Columns of the table of objects"))
        header.setHighlightSections(False)
        header.setSectionsMovable(False)
        for column, (name, *_words) in enumerate(COLUMNS):
            self.setColumnWidth(column, _WIDTHS[name])
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.doubleClicked.connect(lambda index: self.sought.emit(index.row()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the names of classes the room that is left: beside all columns, or else beside the first ones alone."""
        super().resizeEvent(event)
        room, names = self.viewport().width(), [name for name, *_words in COLUMNS]
        others = sum(_WIDTHS.values()) - _WIDTHS["class"]
        if room < others + _WIDTHS["class"]:
            others = _WIDTHS["id"] + _WIDTHS["locked"] + _WIDTHS["area"]
        self.setColumnWidth(names.index("class"), max(_WIDTHS["class"], room - others))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows that are out of date."""
        self._cell.begin()
        super().paintEvent(event)

    @property
    def selected(self) -> list[int]:
        """The selected rows, from above."""
        runs = self.selectionModel().selection()
        return [row for n in range(runs.count()) for row in range(runs.at(n).top(), runs.at(n).bottom() + 1)]

    def event(self, event: QEvent) -> bool:
        """Take the keys of a table before they become commands of the window."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = not event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
            whole = event.key() == Qt.Key.Key_A and event.modifiers() == Qt.KeyboardModifier.ControlModifier
            if (plain and event.key() in _OWN) or whole:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter shows the object, Delete deletes what is selected; letters are commands of the window."""
        if event.key() in _JUMPS and self.currentIndex().isValid():
            self.sought.emit(self.currentIndex().row())
        elif event.key() == Qt.Key.Key_Delete:
            self.deleteAsked.emit()
        elif event.key() in _OWN or event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A press on a lock is meant for that alone: what is selected stays so."""
        self._pressed_lock = self._lock_at(event)
        if self._pressed_lock < 0:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Two quick clicks on a lock are two clicks."""
        self._pressed_lock = self._lock_at(event)
        if self._pressed_lock < 0:
            super().mouseDoubleClickEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Nothing is dragged from a lock."""
        if self._pressed_lock < 0:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ask for the lock that was pressed, where the pointer is still on it."""
        pressed, self._pressed_lock = self._pressed_lock, -1
        if pressed < 0:
            super().mouseReleaseEvent(event)
        elif self._lock_at(event) == pressed:
            self.lockAsked.emit(pressed)

    def _lock_at(self, event: QMouseEvent) -> int:
        """The row whose lock is under the pointer; -1 for none, or another button or a key beside it."""
        index = self.indexAt(event.position().toPoint())
        plain = event.button() is Qt.MouseButton.LeftButton and not event.modifiers()
        return index.row() if plain and index.column() == LOCK_COLUMN else -1

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of what is selected: a row outside is selected first."""
        event.accept()
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            index = self.currentIndex()
            at = self.viewport().mapToGlobal(self.visualRect(index).center())
        else:
            at = event.globalPos()
            index = self.indexAt(self.viewport().mapFromGlobal(at))
        if index.isValid():
            if not self.selectionModel().isRowSelected(index.row(), QModelIndex()):
                self.selectRow(index.row())
            self.menuAsked.emit(at)


class _Cell(QStyledItemDelegate):
    """Draws a cell itself: asking the model for nine roles of each would take most of a frame. Colours are looked up
    once for each painting of the view (`begin`), and words are elided once for each width.
    """

    def __init__(self, model: ObjectModel, parent: ObjectView) -> None:
        super().__init__(parent)
        self._model = model
        self._elided: dict[tuple[str, int], str] = {}
        self._selected, self._hovered = 0, 0
        self.begin()

    def begin(self) -> None:
        """Take the colours of the theme as it is now."""
        theme = current_theme()
        self._text, self._muted, self._edge = QColor(theme.text), QColor(theme.muted), QColor(theme.edge)
        self._accent, self._soft, self._hover = QColor(theme.accent), QColor(theme.accent_soft), QColor(theme.hover)

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """The same for all rows."""
        return QSize(_WIDTHS[COLUMNS[index.column()][0]], ROW_H)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw the words, elided to fit, and before the number the colour of the object."""
        cell: QRect = option.rect  # type: ignore[attr-defined]
        row, column = index.row(), index.column()
        name = COLUMNS[column][0]
        selected, hovered = self._states(option)
        if selected or hovered:
            painter.fillRect(cell, self._soft if selected else self._hover)
        if selected and column == 0:
            painter.fillRect(QRect(cell.x(), cell.y(), 3, cell.height()), self._accent)
        if column == LOCK_COLUMN:
            self._lock(painter, cell, locked=self._model.is_locked(row), faint=selected or hovered)
            return
        place = cell.adjusted(_PAD + (_SWATCH + 4 if column == 0 else 0), 0, -_PAD, 0)
        if column == 0:
            self._swatch(painter, cell.x() + _PAD, cell.y() + (cell.height() - _SWATCH) / 2, self._model.color(row))
        painter.setPen(self._text if name in _STRONG else self._muted)
        painter.drawText(place, _SIDES[column], self._fitting(painter, self._model.words(row, name), place.width()))

    def _lock(self, painter: QPainter, cell: QRect, *, locked: bool, faint: bool) -> None:
        """The lock of an object; an open one, faint, where it could be clicked."""
        if locked or faint:
            theme = current_theme()
            shown = pixmap("lock", theme.text) if locked else pixmap("unlock", theme.faint)
            painter.drawPixmap(cell.x() + (cell.width() - 16) // 2, cell.y() + (cell.height() - 16) // 2, shown)

    def _states(self, option: QStyleOptionViewItem) -> tuple[bool, bool]:
        """Whether the cell is selected, and whether the pointer is over it: bits, as flags take longer than drawing."""
        if not self._selected:
            from PySide6.QtWidgets import QStyle  # its enumerations take 15 ms to make

            self._selected = QStyle.StateFlag.State_Selected.value
            self._hovered = QStyle.StateFlag.State_MouseOver.value
        state: int = option.state.value  # type: ignore[attr-defined]
        return bool(state & self._selected), bool(state & self._hovered)

    def _fitting(self, painter: QPainter, words: str, width: int) -> str:
        found = self._elided.get((words, width))
        if found is None:
            if len(self._elided) >= _MOST_WORDS:
                self._elided.clear()
            found = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, width)
            self._elided[words, width] = found
        return found

    def _swatch(self, painter: QPainter, x: float, y: float, color: str) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(self._edge)
        painter.setBrush(QColor(color))
        painter.drawRoundedRect(QRectF(x + 0.5, y + 0.5, _SWATCH - 1, _SWATCH - 1), 3, 3)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
