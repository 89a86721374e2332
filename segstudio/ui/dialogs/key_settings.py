"""The keys in the settings: every action with its keys, one more by pressing it, and what stands in its way."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segstudio.text import _
from segstudio.ui.dialogs.key_recorder import KeyRecorder
from segstudio.ui.panels.controls import muted_label, role_label
from segstudio.ui.window.actions import Action, Menu
from segstudio.ui.window.icons import icon
from segstudio.ui.window.keymap import FIXED, Keymap, native_key, refusal_of_key, shared_with_tools

__all__ = ["KeySettings"]

_LIST_H = 264
_NAME_W = 300
_ROW = Qt.ItemDataRole.UserRole


class KeySettings(QWidget):
    """`keySettings`: the list, and below it the keys of the action that is selected there. Applied at once."""

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap
        self._wanted = ""
        self._groups: list[tuple[QTreeWidgetItem, list[QTreeWidgetItem]]] = []
        self.setObjectName("keySettings")
        self.search = QLineEdit()
        self.list = QTreeWidget()
        self.name, self.tip = role_label("", "title"), muted_label("")
        self.record = KeyRecorder()
        self.reset, self.reset_all = QPushButton(_("Reset")), QPushButton(_("Reset all keys"))
        self.note = QLabel()
        self.replace = QPushButton(_("Replace"))
        self._chips = QHBoxLayout()
        self._dress()
        self._arrange()
        self._fill()
        self._connect()
        self._selected()

    # -- making --------------------------------------------------------------------------------------------------------

    def _dress(self) -> None:
        for widget, name, words in (
            (self.search, "keySearch", _("Search actions and keys")),
            (self.list, "keyList", _("Actions and their keys")),
            (self.name, "keyAction", ""),
            (self.record, "keyRecord", ""),
            (self.reset, "keyReset", _("Give this action its usual keys again")),
            (self.reset_all, "keyResetAll", _("Give every action its usual keys again")),
            (self.note, "keyNote", ""),
            (self.replace, "keyReplace", _("Replace")),
        ):
            widget.setObjectName(name)
            if words:
                widget.setAccessibleName(words)
        for button in (self.reset, self.reset_all):
            button.setToolTip(button.accessibleName())
        self.search.setPlaceholderText(_("Search actions and keys"))
        self.search.setClearButtonEnabled(True)
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setIndentation(12)
        self.list.setUniformRowHeights(True)
        self.list.setMinimumHeight(_LIST_H)
        self.list.setColumnWidth(0, _NAME_W)
        self.list.setItemsExpandable(False)
        self.tip.setWordWrap(True)
        self.note.setWordWrap(True)
        self.note.setProperty("role", "warning")

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addLayout(self._chips)
        buttons.addWidget(self.record)
        buttons.addWidget(self.reset)
        buttons.addStretch(1)
        buttons.addWidget(self.reset_all)
        self._chips.setSpacing(8)
        said = QHBoxLayout()
        said.setSpacing(8)
        said.addWidget(self.note, 1)
        said.addWidget(self.replace)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        frame = QFrame()
        frame.setProperty("role", "plot")
        framed = QVBoxLayout(frame)
        framed.setContentsMargins(1, 1, 1, 1)
        framed.addWidget(self.list)
        for part in (self.search, frame, self.name, self.tip):
            column.addWidget(part)
        column.addLayout(buttons)
        column.addLayout(said)

    def _fill(self) -> None:
        for menu in Menu:
            rows = [row for row in self._keymap.rows if row.menu is menu]
            if not rows:
                continue
            group = QTreeWidgetItem([_(menu)])
            group.setFlags(Qt.ItemFlag.ItemIsEnabled)
            font = self.font()
            font.setBold(True)
            group.setFont(0, font)
            self.list.addTopLevelItem(group)
            group.setExpanded(True)
            items: list[QTreeWidgetItem] = []
            for row in rows:
                item = QTreeWidgetItem(group, [_name(row)])
                item.setData(0, _ROW, row.name)
                item.setToolTip(0, row.shown_tip)
                items.append(item)
            self._groups.append((group, items))
        self._show_keys()
        self.list.setCurrentItem(self._items()[0])

    def _connect(self) -> None:
        self.search.textChanged.connect(self._filter)
        self.list.currentItemChanged.connect(lambda _now, _before: self._selected())
        self.list.itemDoubleClicked.connect(lambda _item, _column: self._row is not None and self.record.begin())
        self.record.recorded.connect(self._recorded)
        self.record.clicked.connect(lambda: self._say(""))
        self.replace.clicked.connect(self._replace)
        self.reset.clicked.connect(self._reset)
        self.reset_all.clicked.connect(self._reset_all)
        self._keymap.changed.connect(self._changed)

    # -- showing -------------------------------------------------------------------------------------------------------

    @property
    def _row(self) -> Action | None:
        """The action that is selected."""
        item = self.list.currentItem()
        name = item.data(0, _ROW) if item is not None else None
        return next((row for row in self._keymap.rows if row.name == name), None)

    def _items(self) -> list[QTreeWidgetItem]:
        return [item for _group, items in self._groups for item in items]

    def _show_keys(self) -> None:
        accent = self.palette().color(QPalette.ColorRole.Link)
        for item in self._items():
            name = item.data(0, _ROW)
            item.setText(1, "   ".join(native_key(key) for key in self._keymap.keys(name)))
            font = self.list.font()
            font.setBold(self._keymap.is_chosen(name))
            item.setFont(1, font)
            item.setForeground(1, accent)

    def changeEvent(self, event: QEvent) -> None:
        """Show the keys in the accent of another theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._show_keys()

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        for item in self._items():
            said = " ".join((item.text(0), item.toolTip(0), item.text(1))).casefold()
            item.setHidden(not all(word in said for word in words))
        for group, items in self._groups:
            group.setHidden(all(item.isHidden() for item in items))
        shown = [item for item in self._items() if not item.isHidden()]
        if shown and self.list.currentItem() not in shown:
            self.list.setCurrentItem(shown[0])

    def _changed(self) -> None:
        self._show_keys()
        self._show_chips()

    def _selected(self) -> None:
        self._say("")
        row = self._row
        self.name.setText(_name(row) if row is not None else "")
        self.tip.setText(row.shown_tip if row is not None else "")
        self._show_chips()

    def _show_chips(self) -> None:
        row = self._row
        had_focus = self.focusWidget()
        while (item := self._chips.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.setParent(None)
                old.deleteLater()
        may = row is not None and row.name not in FIXED
        for n, key in enumerate(self._keymap.keys(row.name) if row is not None else (), 1):
            self._chips.addWidget(self._chip(n, key, may))
        self.record.setEnabled(may)
        self.reset.setEnabled(may and row is not None and self._keymap.is_chosen(row.name))
        self.reset_all.setEnabled(self._keymap.any_chosen)
        if had_focus is not None and (not had_focus.isEnabled() or had_focus.parent() is None) and may:
            self.record.setFocus()

    def _chip(self, n: int, key: str, may: bool) -> QPushButton:
        chip = QPushButton(native_key(key))
        chip.setObjectName(f"keyRemove{n}")
        chip.setEnabled(may)
        chip.setToolTip(_("Remove this key") if may else _("This key stays"))
        chip.setAccessibleName(_("Remove the key {key}", key=native_key(key)))
        if may:
            chip.setIcon(icon("close"))
            chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        chip.clicked.connect(lambda: self._remove(key))
        return chip

    def _say(self, sentence: str, button: str = "") -> None:
        self.note.setText(sentence)
        self.note.setVisible(bool(sentence))
        self.replace.setVisible(bool(button))
        if button:
            self.replace.setText(button)
            self.replace.setAccessibleName(button)
            self.replace.setFocus()

    # -- changing ------------------------------------------------------------------------------------------------------

    def _recorded(self, key: str) -> None:
        row, holder = self._row, self._keymap.holder(key)
        if row is None:
            return
        self._wanted, shown = key, native_key(key)
        if refusal := refusal_of_key(key):
            self._say(refusal)
        elif holder is row:
            self._say(_("'{key}' is a key of this action already.", key=shown))
        elif holder is not None and shared_with_tools(key):
            words = _(
                "'{key}' is a key of '{action}', and a tool under way takes it first.", key=shown, action=_name(holder)
            )
            self._say(words, _("Replace"))
        elif holder is not None:
            words = _("'{key}' is a key of '{action}'; it can mean one thing only.", key=shown, action=_name(holder))
            self._say(words, _("Replace"))
        elif shared_with_tools(key):
            self._say(_("A tool under way takes '{key}' first.", key=shown), _("Use it anyway"))
        else:
            self._keymap.give(row.name, key)

    def _replace(self) -> None:
        row = self._row
        self._say("")
        self.record.setFocus()
        if row is not None:
            self._keymap.give(row.name, self._wanted)

    def _remove(self, key: str) -> None:
        self._say("")
        if (row := self._row) is not None:
            self._keymap.take(row.name, key)

    def _reset(self) -> None:
        row = self._row
        self._say("")
        if row is None:
            return
        elsewhere = self._keymap.reset(row.name)
        if elsewhere and (holder := self._keymap.holder(elsewhere[0])) is not None:
            key = native_key(elsewhere[0])
            self._say(_("'{key}' stays a key of '{action}', by your choice.", key=key, action=_name(holder)))

    def _reset_all(self) -> None:
        self._say("")
        self._keymap.reset_all()


def _name(row: Action) -> str:
    return row.shown_text.rstrip("…")
