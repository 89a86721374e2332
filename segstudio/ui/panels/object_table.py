"""The panel of objects: each object of the image with what it measures; find, select, jump to, reclass and delete."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPoint, Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from segstudio.labels.model import ClassTable, Kind
from segstudio.text import _, count, elided
from segstudio.ui.panels.controls import Choice, ElidedLabel, role_label
from segstudio.ui.panels.object_model import ObjectModel
from segstudio.ui.panels.object_view import ObjectView
from segstudio.ui.window.icons import icon, swatch

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.labels.model import LabelClass

__all__ = ["ObjectPanel"]

_TYPED_MS = 150
_LOWEST_PX = 20
_NAME_CHARACTERS = 40
_LOCKED = "locked"
"""What the filter of classes holds for the objects that are locked, of whatever class."""


class ObjectPanel(QFrame):
    """`objectPanel`: the filters `objectClass` and `objectFind`, `objectCount`, and `objectTable`.

    What is selected in it is selected in the image, and the other way round.
    """

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._session = session
        self._project: OpenedProject | None = None
        self._follows = False
        self.setObjectName("objectPanel")
        self.setProperty("role", "panel")
        self.setAccessibleName(_("Objects"))
        self.model = ObjectModel()
        self.view = ObjectView(self.model)
        self.of_class, self.search = Choice(), QLineEdit()
        self.counted = ElidedLabel()
        self.nothing = role_label("", "muted")
        self._typed = QTimer(self)
        self._typed.setSingleShot(True)
        self._typed.setInterval(_TYPED_MS)
        self._dress()
        self._lay_out()
        self.of_class.activated.connect(lambda _place: self._filter())
        self.search.textChanged.connect(lambda _text: self._typed.start())
        self._typed.timeout.connect(self._filter)
        self.view.sought.connect(self._seek)
        self.view.deleteAsked.connect(self.delete_selected)
        self.view.menuAsked.connect(self._show_menu)
        self.view.lockAsked.connect(self._turn_lock)
        self.view.selectionModel().selectionChanged.connect(lambda _new, _old: self._select())
        self.model.reordered.connect(self._reordered)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """List the objects of this project's image."""
        self._project = project
        if project is not None:
            project.object_rows.changed.connect(self._show)
            project.documents.selection.changed.connect(self._follow_selection)
            project.documents.classesChanged.connect(self._list_classes)
            project.object_rows.watch(self.isVisible())
        self.search.clear()
        self.of_class.setCurrentIndex(0)
        self._list_classes()
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        """Objects are measured while the table is seen."""
        super().showEvent(event)
        if self._project is not None:
            self._project.object_rows.watch(True)
            self._show()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing is measured for a table that nobody sees."""
        super().hideEvent(event)
        if self._project is not None:
            self._project.object_rows.watch(False)

    def set_tinted(self, tinted: bool) -> None:
        """Show each object in its own colour, as in the image, or in that of its class."""
        self.model.set_tinted(tinted)

    def delete_selected(self) -> None:
        """Make the objects that are selected and listed unknown, in one step."""
        self._change(lambda project, ids: project.objects.delete(ids))

    def menu(self) -> QMenu:
        """The menu of what is selected."""
        menu = QMenu(self)
        menu.setObjectName("objectMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        rows = self.view.selected
        may = self._project is not None and self._project.may_write and bool(rows)
        jump = menu.addAction(icon("fit"), _("Show in the image"), lambda: self._seek(rows[0]))
        jump.setObjectName("objectJump")
        classes = menu.addMenu(count(len(rows), "Change its class to", "Change the class of {n} objects to"))
        classes.setObjectName("objectReclassMenu")
        classes.setEnabled(may)
        for found in self._project.documents.classes if self._project is not None else ():
            name = elided(found.name, _NAME_CHARACTERS).replace("&", "&&")
            action = classes.addAction(swatch(found.color), name, partial(self._reclass, found))
            action.setEnabled(not found.locked)
        menu.addSeparator()
        locked = bool(rows) and all(self.model.is_locked(row) for row in rows)
        words = (
            count(len(rows), "Unlock this object", "Unlock {n} objects")
            if locked
            else count(len(rows), "Lock this object", "Lock {n} objects")
        )
        lock = menu.addAction(icon("unlock" if locked else "lock"), words, partial(self._lock, locked=not locked))
        lock.setObjectName("objectLock")
        lock.setEnabled(may)
        words = count(len(rows), "Delete this object", "Delete {n} objects")
        delete = menu.addAction(icon("close"), words, self.delete_selected)
        delete.setObjectName("objectDelete")
        delete.setEnabled(may)
        return menu

    # -- made once ---------------------------------------------------------------------------------------------------

    def _dress(self) -> None:
        self.of_class.setObjectName("objectClass")
        self.of_class.setAccessibleName(_("Class of the objects shown"))
        self.of_class.setToolTip(_("Show the objects of one class alone, or those that are locked"))
        self.of_class.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.of_class.setMinimumContentsLength(6)
        self.search.setObjectName("objectFind")
        self.search.setAccessibleName(_("Find objects"))
        self.search.setPlaceholderText(_("Find"))
        self.search.setToolTip(_("Part of a class's name or of an object's number"))
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(64)
        for button in self.search.findChildren(QToolButton):
            button.setAccessibleName(_("Clear the text"))
        self.counted.setObjectName("objectCount")
        self.counted.setProperty("role", "muted")
        self.nothing.setObjectName("objectNothing")
        self.nothing.setWordWrap(True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.nothing.setContentsMargins(16, 24, 16, 16)

    def _lay_out(self) -> None:
        filters = QHBoxLayout()
        filters.setContentsMargins(8, 6, 8, 4)
        filters.setSpacing(8)
        filters.addWidget(self.of_class, 1)
        filters.addWidget(self.search, 1)
        body = QWidget()
        body.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        body.setMinimumHeight(_LOWEST_PX)  # in a low window the image needs the room
        self._body = QStackedLayout(body)
        self._body.addWidget(self.view)
        self._body.addWidget(self.nothing)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(filters)
        column.addWidget(body, 1)
        column.addWidget(self.counted)
        self.counted.setContentsMargins(8, 2, 8, 2)

    # -- what is shown -----------------------------------------------------------------------------------------------

    def _show(self) -> None:
        project = self._project
        if not self.isVisible() and project is not None:
            return
        table = project.object_rows.table if project is not None else None
        at = self.view.verticalScrollBar().value()
        self._follows = True
        self.model.show(table, project.documents.classes if project is not None else ClassTable(()))
        self._follows = False
        self.view.verticalScrollBar().setValue(at)

    def _reordered(self) -> None:
        """Other rows, or another order: select anew, and count."""
        project, shown, total = self._project, self.model.rowCount(), self.model.total
        measuring = project is not None and project.object_rows.measuring
        self._body.setCurrentWidget(self.view if shown else self.nothing)
        if total and not shown:
            self.nothing.setText(_("No object matches. Choose another class, or clear the text."))
        elif measuring and not total:
            self.nothing.setText(_("Measuring the objects …"))
        elif project is None or project.navigation.shown is None:
            self.nothing.setText(_("No image is shown."))
        else:
            self.nothing.setText(_("This image has no objects yet. Paint one, or accept a proposal."))
        if shown == total:
            self.counted.setText(count(total, "1 object", "{n} objects") if total else "")
        else:
            self.counted.setText(_("{shown} of {total} objects", shown=f"{shown:,}", total=f"{total:,}"))
        self._mark_selected()

    def _list_classes(self) -> None:
        chosen = self.of_class.currentData()
        self.of_class.clear()
        self.of_class.addItem(_("All classes"), None)
        self.of_class.addItem(icon("lock"), _("Locked objects"), _LOCKED)
        for found in self._project.documents.classes if self._project is not None else ():
            if found.kind in (Kind.SEMANTIC, Kind.INSTANCE):
                self.of_class.addItem(swatch(found.color), found.name, found.id)
        self.of_class.setCurrentIndex(max(self.of_class.findData(chosen), 0))
        self._filter()

    def _filter(self) -> None:
        self._typed.stop()
        chosen = self.of_class.currentData()
        locked = chosen == _LOCKED
        self.model.choose(None if locked else chosen, self.search.text(), locked=locked)

    # -- selection ---------------------------------------------------------------------------------------------------

    def _select(self) -> None:
        """What was selected here is selected in the image."""
        if self._project is not None and not self._follows:
            self._follows = True
            self._project.documents.select(self.model.ids(self.view.selected))
            self._follows = False

    def _follow_selection(self) -> None:
        """What was selected elsewhere is selected here, and the first of it is brought into view."""
        if not self._follows and self.isVisible():
            ranges = self._mark_selected()
            if ranges:
                self.view.scrollTo(self.model.index(ranges[0][0], 0))

    def _mark_selected(self) -> list[tuple[int, int]]:
        ids = self._project.documents.selection.ids if self._project is not None else ()
        ranges = self.model.ranges(ids)
        last, selection = self.model.columnCount() - 1, QItemSelection()
        for top, bottom in ranges:
            selection.select(self.model.index(top, 0), self.model.index(bottom, last))
        follows, self._follows = self._follows, True
        chooses = QItemSelectionModel.SelectionFlag
        self.view.selectionModel().select(selection, chooses.ClearAndSelect)
        if ranges and not self.view.currentIndex().isValid():
            self.view.selectionModel().setCurrentIndex(self.model.index(ranges[0][0], 0), chooses.NoUpdate)
        self._follows = follows
        return ranges

    # -- what is done ------------------------------------------------------------------------------------------------

    def _seek(self, row: int) -> None:
        rect = self.model.rect(row) if 0 <= row < self.model.rowCount() else None
        if rect is not None and self._project is not None:
            self._project.object_rows.seek(rect)

    def _reclass(self, wanted: "LabelClass") -> None:
        """Those that are selected and shown: a filter may hide others, which stay as they are."""
        self._change(lambda project, ids: project.objects.reclass(wanted.id, ids))

    def _lock(self, *, locked: bool) -> None:
        """Those that are selected and shown."""
        self._change(lambda project, ids: project.objects.locks.put(ids, locked=locked))

    def _turn_lock(self, row: int) -> None:
        """Lock the object of a row, or unlock it; one of several ids as a whole."""
        project, ids = self._project, self.model.ids([row])
        if project is not None:
            self._session.notices.attempt(lambda: project.objects.locks.turn(ids))

    def _change(self, change: "Callable[[OpenedProject, list[int]], object]") -> None:
        project, ids = self._project, self.model.ids(self.view.selected)
        if project is not None and ids:
            self._session.notices.attempt(lambda: change(project, list(ids)))

    def _show_menu(self, at: QPoint) -> None:
        self.menu().popup(at)
