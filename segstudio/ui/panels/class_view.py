"""The list of classes under the pointer: a row dragged is put elsewhere, one clicked with Alt is shown alone."""

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractItemView, QApplication, QListView, QWidget

from segstudio.text import _
from segstudio.ui.theme import current_theme

__all__ = ["ClassView"]

_SCROLL_PX = 12
"""So near to its upper or lower edge the list scrolls while a row is carried."""


class ClassView(QListView):
    """`carried`: the row of the first number was dropped, or is to be moved by a key, so that it comes to be the row of
    the second one. `aloneAsked` carries a row. Escape puts a row that is carried back.
    """

    carried = Signal(int, int)
    aloneAsked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classList")
        self.setAccessibleName(_("Classes"))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._pressed: tuple[int, QPoint] | None = None
        self._gap: int | None = None
        self.setMinimumHeight(40)  # Qt's own is more than a low window has for it

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick the row, or show it alone; what follows may be a drag."""
        at = event.position().toPoint()
        row = self.indexAt(at).row()
        if event.button() is Qt.MouseButton.LeftButton and row >= 0:
            if _asks_alone(event.modifiers()):
                self.aloneAsked.emit(row)
                event.accept()
                return
            self._pressed = row, at
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Carry the row, once the pointer has gone far enough for it to be meant; it picks no other row."""
        at = event.position().toPoint()
        if self._pressed is None or not event.buttons() & Qt.MouseButton.LeftButton:
            super().mouseMoveEvent(event)
            return
        if self._gap is None and (at - self._pressed[1]).manhattanLength() < QApplication.startDragDistance():
            return
        self._scroll_at(at.y())
        self._gap = self._gap_at(at)
        self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Drop the row that is carried."""
        pressed = self._pressed
        if event.button() is not Qt.MouseButton.LeftButton or self._gap is None or pressed is None:
            self._pressed = None
            super().mouseReleaseEvent(event)
            return
        gap = self._gap_at(event.position().toPoint())
        self._put_down()
        to = gap - (gap > pressed[0])
        if to != pressed[0]:
            self.carried.emit(pressed[0], to)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape ends a drag; Alt with an arrow moves the class that is chosen."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        step = steps.get(Qt.Key(event.key())) if event.modifiers() & Qt.KeyboardModifier.AltModifier else None
        row = self.currentIndex().row()
        if event.key() == Qt.Key.Key_Escape and self._gap is not None:
            self._put_down()
        elif step is not None and 0 <= row + step < self.model().rowCount():
            self.carried.emit(row, row + step)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A drag ends as if it had not begun."""
        self._put_down()
        super().focusOutEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """Draw the line where the row would be dropped above the rows."""
        done = super().viewportEvent(event)
        if isinstance(event, QPaintEvent) and self._gap is not None:
            y = self._y_of(self._gap)
            painter = QPainter(self.viewport())
            painter.setPen(QPen(QColor(current_theme().accent), 2))
            painter.drawLine(4, y, self.viewport().width() - 4, y)
            painter.end()
        return done

    def _put_down(self) -> None:
        self._pressed, was, self._gap = None, self._gap, None
        if was is not None:
            self.viewport().unsetCursor()
            self.viewport().update()

    def _rows(self) -> list[int]:
        return [row for row in range(self.model().rowCount()) if not self.isRowHidden(row)]

    def _gap_at(self, at: QPoint) -> int:
        """The row before which a drop there puts what is carried; as many as there are rows for the end."""
        for row in self._rows():
            if at.y() < self.visualRect(self.model().index(row, 0)).center().y():
                return row
        return self.model().rowCount()

    def _y_of(self, gap: int) -> int:
        rows = self._rows()
        below = next((row for row in rows if row >= gap), None)
        if below is not None:
            return max(1, self.visualRect(self.model().index(below, 0)).top())
        return self.visualRect(self.model().index(rows[-1], 0)).bottom() if rows else 1

    def _scroll_at(self, y: int) -> None:
        bar = self.verticalScrollBar()
        if y < _SCROLL_PX:
            bar.setValue(bar.value() - _SCROLL_PX)
        elif y > self.viewport().height() - _SCROLL_PX:
            bar.setValue(bar.value() + _SCROLL_PX)


def _asks_alone(modifiers: Qt.KeyboardModifier) -> bool:
    """Alt; or Ctrl and Shift, where the desktop keeps Alt with a click for itself."""
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    return modifiers in (Qt.KeyboardModifier.AltModifier, both)
