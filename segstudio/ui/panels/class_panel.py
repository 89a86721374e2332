"""The class panel: pick, find, add, rename, recolour, move, merge, lock, hide and remove classes."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QColor, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from segstudio.labels.colors import next_color
from segstudio.labels.model import Kind
from segstudio.text import _, elided
from segstudio.ui.panels.class_list import ROW_H, ClassListModel, ClassRow, Spot
from segstudio.ui.panels.class_opacity import opacity_action
from segstudio.ui.panels.class_view import ClassView
from segstudio.ui.panels.kinds import KIND_TIPS, KINDS
from segstudio.ui.panels.label_look import LabelLook
from segstudio.ui.panels.merge_strip import MergeStrip
from segstudio.ui.panels.search_field import SearchField
from segstudio.ui.window.icons import icon, swatch

if TYPE_CHECKING:
    from segstudio.app.editing.classes import Classes
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.labels.model import LabelClass

__all__ = ["ClassPanel", "free_name", "palette"]

_COLORS = 14
_CORNER_H = 24
_LEAST_H = 3 * ROW_H // 2
_LOOK_FROM_H = _LEAST_H + 2 * ROW_H
_SEARCHED_FROM = 13
"""So many classes have a field to search them."""


def palette() -> list[str]:
    """The colours that the menu offers: those that new classes get automatically, in that order."""
    colors: list[str] = []
    for _unused in range(_COLORS):
        colors.append(next_color(colors))
    return colors


def free_name(stem: str, used: list[str]) -> str:
    """`stem`, with the first number that makes it unique if it is taken."""
    taken = {name.casefold() for name in used}
    number, name = 2, stem
    while name.casefold() in taken:
        name, number = f"{stem} {number}", number + 1
    return name


class ClassPanel(QFrame):
    """`classPanel`: `classSearch` where there are many classes, the list `classList`, and how labels look; in `corner`
    the button that adds a class. `named`: the editor of a name closed, or a class was found.
    """

    named = Signal()

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._notices = session.notices
        self._project: OpenedProject | None = None
        self.setObjectName("classPanel")
        self.setProperty("role", "panel")
        self.setAccessibleName(_("Classes"))
        self.model = ClassListModel(session)
        self.row = ClassRow(self)
        self.view = self._make_view()
        self.search, self._finding = self._make_search(), QWidget()
        self.merging = MergeStrip(session)
        self.look = LabelLook(session)
        self.add_button = self._make_add_button()
        self.corner = self._make_corner()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        finding = QHBoxLayout(self._finding)
        finding.setContentsMargins(12, 8, 12, 8)
        finding.addWidget(self.search)
        column.addWidget(self._finding)
        column.addWidget(self.view, 1)
        column.addWidget(self.merging)
        column.addWidget(self.look)
        rename = QShortcut(QKeySequence("F2"), self.view)
        rename.setContext(Qt.ShortcutContext.WidgetShortcut)
        rename.activated.connect(lambda: self.view.edit(self.view.currentIndex()))
        self.row.clicked.connect(self._clicked)
        # The view takes the focus back only after this signal, so wait for that.
        self.row.closeEditor.connect(lambda: QTimer.singleShot(0, self, self.named.emit))
        self.model.renamed.connect(self._rename)
        self.model.modelReset.connect(self._filter)
        self.model.dataChanged.connect(self._filter)
        self.view.carried.connect(self._carry)
        self.view.aloneAsked.connect(self._toggle_alone)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the classes of this project."""
        self._project = project
        self.add_button.setEnabled(project is not None)
        self.search.clear()
        self.merging.follow(project)
        if project is not None:
            project.documents.classesChanged.connect(self._follow)
            project.documents.classChosen.connect(self._follow)
        self._follow()

    def minimumSizeHint(self) -> QSize:
        """As low as the title and one class and a half: what else is here then makes way."""
        return QSize(super().minimumSizeHint().width(), _LEAST_H)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the list the room of the slider where there is little."""
        super().resizeEvent(event)
        self.look.setVisible(self.height() >= _LOOK_FROM_H)

    def menu_for(self, found: "LabelClass") -> QMenu:
        """The context menu of a class."""
        menu = QMenu(self)
        menu.setObjectName("classMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(_("Rename…"), QKeySequence("F2"), lambda: self.rename(found.name))
        menu.addMenu(self._color_menu(found, menu))
        menu.addSeparator()
        lock, hide = (_("Unlock") if found.locked else _("Lock")), (_("Hide") if found.visible else _("Show"))
        menu.addAction(icon("unlock" if found.locked else "lock"), lock, partial(self._toggle_lock, found))
        menu.addAction(icon("eye-off" if found.visible else "eye"), hide, partial(self._toggle_visible, found))
        menu.addAction(self._opacity_action(found, menu))
        alone = _("Show all classes") if self._is_alone(found) else _("Show only this class")
        menu.addAction(alone, QKeySequence("Shift+Y"), partial(self._toggle_alone, self.model.row_of(found.name)))
        menu.addSeparator()
        row = self.model.row_of(found.name)
        for words, key, to in ((_("Move up"), "Alt+Up", row - 1), (_("Move down"), "Alt+Down", row + 1)):
            moved = menu.addAction(words, QKeySequence(key), partial(self._carry, row, to))
            moved.setEnabled(0 <= to < self.model.rowCount())
        if found.kind is not Kind.BACKGROUND:
            menu.addMenu(self._kind_menu(found, menu))
            menu.addMenu(self._merge_menu(found, menu))
            menu.addSeparator()
            menu.addAction(icon("close"), _("Remove (can be undone)"), partial(self._remove, found))
        return menu

    def rename(self, name: str) -> None:
        """Open the editor on the name of this class."""
        row = self.model.row_of(name)
        if row >= 0:
            self.view.edit(self.model.index(row))

    def _make_view(self) -> ClassView:
        view = ClassView()
        view.setModel(self.model)
        view.setItemDelegate(self.row)
        view.customContextMenuRequested.connect(self._show_menu)
        view.selectionModel().currentChanged.connect(self._picked)
        return view

    def _make_corner(self) -> QWidget:
        """The button in a margin of its own: it stands beside the tabs."""
        corner = QWidget(self)
        corner.setObjectName("classCorner")
        row = QHBoxLayout(corner)
        row.setContentsMargins(0, 0, 8, 0)
        self.add_button.setFixedHeight(_CORNER_H)
        row.addWidget(self.add_button)
        return corner

    def _make_search(self) -> SearchField:
        tip = _("List only classes with these letters in their name; Enter chooses the first")
        field = SearchField("classSearch", _("Find a class"), tip)
        field.textChanged.connect(self._filter)
        field.returnPressed.connect(self._choose_found)
        field.escaped.connect(self._leave_search)
        field.hide()
        return field

    def _make_add_button(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("classAdd")
        button.setProperty("role", "icon")
        button.setIcon(icon("add"))
        button.setToolTip(_("Add a class"))
        button.setAccessibleName(_("Add a class"))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.setObjectName("classAddMenu")
        for kind, text in KINDS:
            action = menu.addAction(_(text), partial(self.add, kind))
            action.setObjectName(f"classAdd{kind.value.capitalize()}")
            action.setToolTip(_(KIND_TIPS[kind]))
        menu.setToolTipsVisible(True)
        button.setMenu(menu)
        return button

    def add(self, kind: Kind) -> None:
        """Add a class of this kind with a free name and colour, and open the editor on its name."""
        if self._project is None:
            return
        classes = self._project.classes
        name = free_name(_("class"), [c.name for c in self._project.documents.classes])
        self._notices.attempt(lambda: classes.add(name, None, kind))
        self.rename(name)

    def _color_menu(self, found: "LabelClass", parent: QMenu) -> QMenu:
        menu = QMenu(_("Colour"), parent)
        menu.setObjectName("classColorMenu")
        menu.setIcon(swatch(found.color))
        for color in palette():
            menu.addAction(swatch(color, 16), color.upper(), partial(self._change, found, color=color))
        menu.addSeparator()
        menu.addAction(_("Another colour…"), partial(self._other_color, found))
        return menu

    def _opacity_action(self, found: "LabelClass", menu: QMenu) -> QAction:
        """The slider of its opacity: what is chosen is seen on the way, and is one edit at the end."""

        def shows(opacity: float | None) -> None:
            if self._project is not None:
                self._project.solo.try_opacity(found.id, opacity)

        return opacity_action(menu, found.opacity, shows, lambda opacity: self._change(found, opacity=opacity))

    def _other_color(self, found: "LabelClass") -> None:
        from PySide6.QtWidgets import QColorDialog

        dialog = QColorDialog(QColor(found.color), self)
        dialog.setObjectName("classColorDialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(lambda color: self._change(found, color=color.name()))
        dialog.open()

    def _clicked(self, row: int, spot: Spot) -> None:
        found = self.model.label_class(row)
        if found is None:
            return
        if spot is Spot.LOCK:
            self._toggle_lock(found)
        elif spot is Spot.EYE:
            self._toggle_visible(found)
        elif spot is Spot.SWATCH:
            rect = self.view.visualRect(self.model.index(row))
            menu = self._color_menu(found, QMenu(self))
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.view.viewport().mapToGlobal(rect.bottomLeft()))

    def _kind_menu(self, found: "LabelClass", parent: QMenu) -> QMenu:
        menu = QMenu(_("Kind"), parent)
        menu.setObjectName("classKindMenu")
        menu.setToolTipsVisible(True)
        for kind, text in KINDS:
            action = menu.addAction(_(text), partial(self._change, found, kind=kind.value))
            action.setToolTip(_(KIND_TIPS[kind]))
            action.setCheckable(True)
            action.setChecked(found.kind is kind)
        return menu

    def _merge_menu(self, found: "LabelClass", parent: QMenu) -> QMenu:
        menu = QMenu(_("Merge into"), parent)
        menu.setObjectName("classMergeMenu")
        for other in self._project.documents.classes if self._project is not None else ():
            if other.id != found.id:
                words = elided(other.name, 40).replace("&", "&&")
                menu.addAction(swatch(other.color), words, partial(self.merging.ask, found.name, other.name))
        return menu

    # -- finding, moving, one alone -----------------------------------------------------------------------------------

    def _filter(self) -> None:
        """List what is searched for, and everything where there are few."""
        rows = self.model.rowCount()
        self.search.setVisible(rows >= _SEARCHED_FROM)
        self._finding.setVisible(rows >= _SEARCHED_FROM)
        wanted = self.search.text().strip().casefold() if rows >= _SEARCHED_FROM else ""
        for row in range(rows):
            found = self.model.label_class(row)
            self.view.setRowHidden(row, found is not None and wanted not in found.name.casefold())

    def _choose_found(self) -> None:
        """Choose the first class that is listed, and list all of them again."""
        rows = (row for row in range(self.model.rowCount()) if not self.view.isRowHidden(row))
        found = self.model.label_class(next(rows, -1))
        if found is not None and self._project is not None:
            self._project.documents.choose_class(found.name)
            self._leave_search()

    def _leave_search(self) -> None:
        self.search.clear()
        self.view.setFocus()
        self.view.scrollTo(self.view.currentIndex())
        self.named.emit()

    def _carry(self, row: int, to: int) -> None:
        found = self.model.label_class(row)
        if found is not None:
            self._attempt(lambda classes: classes.move(found.name, to))

    def _is_alone(self, found: "LabelClass") -> bool:
        project = self._project
        return project is not None and project.solo.on and project.documents.current_class.id == found.id

    def _toggle_alone(self, row: int) -> None:
        """Show only this class, which is chosen with it; again, show all."""
        found, project = self.model.label_class(row), self._project
        if found is None or project is None:
            return
        alone = self._is_alone(found)
        project.documents.choose_class(found.name)
        project.solo.on = not alone

    # -- what a click or the menu does --------------------------------------------------------------------------------

    def _toggle_lock(self, found: "LabelClass") -> None:
        self._change(found, locked=not found.locked)

    def _toggle_visible(self, found: "LabelClass") -> None:
        if self._project is not None and self._project.solo.on:
            self._project.solo.on = False  # the eyes show what is alone: a click on one shows all again
            return
        self._change(found, visible=not found.visible)

    def _change(self, found: "LabelClass", **columns: str | float | bool) -> None:
        self._attempt(lambda classes: classes.change(found.name, **columns))

    def _remove(self, found: "LabelClass") -> None:
        self._attempt(lambda classes: classes.remove(found.name))

    def _rename(self, name: str, new_name: str) -> None:
        self._attempt(lambda classes: classes.rename(name, new_name))

    def _attempt(self, change: "Callable[[Classes], None]") -> None:
        if self._project is not None:
            classes = self._project.classes
            self._notices.attempt(lambda: change(classes))

    def _show_menu(self, point: QPoint) -> None:
        found = self.model.label_class(self.view.indexAt(point).row())
        if found is not None:
            self.menu_for(found).popup(self.view.viewport().mapToGlobal(point))

    def _picked(self, current: QModelIndex, _previous: QModelIndex) -> None:
        found = self.model.label_class(current.row())
        if found is not None and self._project is not None and found.id != self._project.documents.current_class.id:
            self._project.documents.choose_class(found.name)

    def _follow(self) -> None:
        now = self._project.documents.current_class if self._project is not None else None
        row = self.model.row_of(now.name) if now is not None else -1
        selection = self.view.selectionModel()
        if row >= 0 and selection.currentIndex().row() != row:
            index = self.model.index(row)
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.view.scrollTo(index)
