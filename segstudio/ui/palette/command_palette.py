"""The command palette: a field over the window, and below it what answers the letters typed there."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from segstudio.text import _
from segstudio.ui.palette.entry_list import ROW_H, EntryList, said
from segstudio.ui.palette.matching import pattern_of
from segstudio.ui.palette.searching import Search
from segstudio.ui.palette.sources import SOURCES, Entry, Source
from segstudio.ui.panels.controls import muted_label

if TYPE_CHECKING:
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["CommandPalette"]

_WIDTH, _MARGIN, _TOP = 640, 24, 48
_ROWS, _SHOWN = 12, 60
_RECENT = 12
_SLICE_S = 0.005
"""How long a key may keep the window busy; the search goes on between events."""

_Key = Qt.Key
_STEPS: dict[int, int] = {_Key.Key_Up: -1, _Key.Key_Down: 1, _Key.Key_PageUp: -_ROWS + 1, _Key.Key_PageDown: _ROWS - 1}


class CommandPalette(QFrame):
    """`commandPalette` with `paletteField` and `paletteList`; part of the window, above whatever is there."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        self._kept = window.session.kept_preferences
        self._sources: list[Source] = []
        self._search: Search | None = None
        self._moved = False
        self._back_to: QWidget | None = None
        self.setObjectName("commandPalette")
        self.setProperty("role", "card")
        self.setAccessibleName(_("Command palette"))
        self.field = QLineEdit()
        self.field.setObjectName("paletteField")
        self.field.setPlaceholderText(_("Find an action, a class, an image or a version"))
        self.field.setAccessibleName(self.field.placeholderText())
        self.list = EntryList()
        self.nothing = muted_label(_("Nothing here has these letters"))
        self._slices = QTimer(self)
        self._slices.setSingleShot(True)
        self._slices.timeout.connect(self._look_on)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        for part in (self.field, self.list, self.nothing):
            column.addWidget(part)
        self.field.textChanged.connect(self._typed)
        self.field.installEventFilter(self)
        self.list.clicked.connect(lambda _index: self._run())
        self.list.selectionModel().currentChanged.connect(lambda _now, _before: self._say_current())
        window.installEventFilter(self)
        self.hide()

    def toggle(self) -> None:
        """Open it, or close it."""
        self.leave() if self.isVisible() else self.open()

    def open(self) -> None:
        """Show it with nothing typed: what was used last, then the actions."""
        self._back_to = self._window.focusWidget()
        self._sources = [make(self._window) for make in SOURCES]
        self.field.clear()
        self._typed("")
        self._place()
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def leave(self) -> None:
        """Close it; the focus goes back to where it was."""
        back, self._back_to = self._back_to, None
        self._close()
        if back is not None and back.isVisible() and back.isEnabled():
            back.setFocus()
        else:
            self._window.pages.focus()

    def _close(self) -> None:
        self._slices.stop()
        self._search, self._sources = None, []
        self.hide()

    # -- searching -----------------------------------------------------------------------------------------------------

    def _typed(self, text: str) -> None:
        self._moved = False
        recent = self._kept.current.recent_entries
        self._search = Search(self._sources, pattern_of(text), recent, _SHOWN)
        self._search.step(_SLICE_S)
        self._show_hits()
        if not self._search.ended:
            self._slices.start(0)

    def _look_on(self) -> None:
        """Look a little further; what is shown stays until all was seen, so that no row moves twice under the eye."""
        search = self._search
        if search is None or search.ended:
            return
        search.step(_SLICE_S)
        if search.ended:
            self._show_hits()
        else:
            self._slices.start(0)

    def _show_hits(self) -> None:
        assert self._search is not None
        before = self.list.current if self._moved else None
        rows = [self._sources[hit.source].entry(hit.i) for hit in self._search.best()]
        self.list.found.show(rows, pattern_of(self.field.text()))
        self.list.select(next((n for n, row in enumerate(rows) if before is not None and row.id == before.id), 0))
        self.list.setVisible(bool(rows))
        self.nothing.setVisible(not rows and self._search.ended)
        self._place()

    def _say_current(self) -> None:
        row = self.list.current
        self.field.setAccessibleDescription(said(row) if row is not None else "")

    # -- running -------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        """Close, then do what the selected row says; one that cannot be run says why, and stays."""
        if self._search is not None and not self._search.ended:
            self._search.step()
            self._show_hits()
        row = self.list.current
        if row is None:
            return
        if row.why:
            self._window.session.notices.say(_("'{what}' is not available: {why}.", what=_plain(row), why=row.why))
            return
        self._remember(row)
        self.leave()
        row.run()

    def _remember(self, row: Entry) -> None:
        before = self._kept.current.recent_entries
        self._kept.prefer(recent_entries=[row.id, *(id_ for id_ in before if id_ != row.id)][:_RECENT])

    # -- events --------------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the window; keys of the list reach it from the field, and a click elsewhere closes."""
        if watched is self.field:
            if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
                return self._key(event)
            if event.type() is QEvent.Type.FocusOut and self.isVisible():
                QTimer.singleShot(0, self, self._focus_left)
        elif event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def _focus_left(self) -> None:
        # Another window or a menu may have it for a moment; only another part of this window closes the palette.
        now = self._window.focusWidget()
        if self.isVisible() and now is not None and now is not self.field and self._window.isActiveWindow():
            self._close()

    def _key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == _Key.Key_Escape:
            self.leave()
        elif key in (_Key.Key_Return, _Key.Key_Enter):
            if not event.isAutoRepeat():
                self._run()
        elif key in _STEPS:
            self._moved = True
            self._move(_STEPS[key])
        elif key not in (_Key.Key_Tab, _Key.Key_Backtab):
            return False
        return True

    def _move(self, by: int) -> None:
        """Move the selection; a single step goes round at the ends."""
        rows, at = self.list.found.rowCount(), self.list.currentIndex().row()
        if rows:
            self.list.select((at + by) % rows if abs(by) == 1 else at + by)

    def _place(self) -> None:
        """At the top, in the middle, as high as its rows need and the window has room for."""
        window = self._window
        width = min(_WIDTH, window.width() - 2 * _MARGIN)
        rows = min(max(self.list.found.rowCount(), 1), _ROWS)
        above = self.field.sizeHint().height() + 24
        room = window.height() - _TOP - _MARGIN - above
        self.list.setFixedHeight(min(rows * ROW_H, max(room - room % ROW_H, ROW_H)))
        self.setFixedWidth(width)
        self.adjustSize()
        self.move((window.width() - width) // 2, _TOP)


def _plain(row: Entry) -> str:
    return row.title.rstrip("…")
