"""The view of the image list: which image is shown, which are selected, and where a menu is asked for."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from segstudio.ui.panels.image_cell import CELL_H, CELL_W

__all__ = ["ImageView"]

_ADDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
_Index = QModelIndex | QPersistentModelIndex


class ImageView(QListView):
    """A click or an arrow key picks the image to be shown; with Ctrl or Shift it only selects, and the image on screen
    stays.

    `picked` carries a row. `menuAsked` carries the rows that a menu is for and its place on the screen: the selection,
    or the one image under the pointer where that is outside the selection.
    """

    picked = Signal(int)
    menuAsked = Signal(list, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selects = False
        self.setGridSize(QSize(CELL_W, CELL_H))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)

    @property
    def selected(self) -> list[int]:
        """The selected rows, in the order of the list."""
        return sorted(index.row() for index in self.selectionModel().selectedIndexes())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show whole rows only, the chosen image among them: a strip of a row tells nobody anything."""
        rest = self.height() % CELL_H if self.height() > CELL_H else 0
        self.setViewportMargins(0, 0, 0, rest)
        self._fill_rows()
        super().resizeEvent(event)
        if self.currentIndex().isValid():
            self.scrollTo(self.currentIndex())

    def _fill_rows(self) -> None:
        """Share the width among as many cells as it has room for: one in a narrow column.

        Qt keeps room for the scroll bar, seen or not; a cell that is wider than the rest would begin one row lower.
        """
        width = self.maximumViewportSize().width() - self.verticalScrollBar().sizeHint().width() - 1
        size = QSize(max(1, width // max(1, width // CELL_W)), CELL_H)
        if size != self.gridSize():
            self.setGridSize(size)

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        """Pick the image that a key or a click went to."""
        super().currentChanged(current, previous)
        if current.isValid() and not self._selects:
            self.picked.emit(current.row())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Take the focus; where no image is current Qt makes the first one so, which nobody picked."""
        self._selects = True
        super().focusInEvent(event)
        self._selects = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick the image, or select it; one that has the focus already may not be the one on screen."""
        self._selects = True
        super().mousePressEvent(event)
        index = self.indexAt(event.position().toPoint())
        if event.button() is Qt.MouseButton.LeftButton and not event.modifiers() & _ADDS and index.isValid():
            self.picked.emit(index.row())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a selection with the mouse."""
        super().mouseReleaseEvent(event)
        self._selects = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk through the images, or select them."""
        self._selects = bool(event.modifiers() & _ADDS)
        super().keyPressEvent(event)
        self._selects = False

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for a menu: for what is under the pointer, or from the keyboard for what is selected."""
        event.accept()
        self._selects = False  # the release of the button goes to the menu
        by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        at = event.globalPos()
        index = self.currentIndex() if by_key else self.indexAt(self.viewport().mapFromGlobal(at))
        if not index.isValid():
            return
        if by_key:
            at = self.viewport().mapToGlobal(self.visualRect(index).center())
        selected = self.selectionModel().isSelected(index)
        rows = self.selected if selected or by_key else []
        self.menuAsked.emit(rows or [index.row()], at)
