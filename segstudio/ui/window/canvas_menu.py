"""The menu of the right button on the image, for who wants a menu there and paints background otherwise."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu

from segstudio.labels.model import Kind, ObjectId
from segstudio.text import _, elided
from segstudio.ui.window.icons import icon, swatch

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.labels.model import LabelClass
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["canvas_menu", "show_canvas_menu"]

_FIRST = ("undo", "redo")
_LAST = (("fit", "actual-size", "zoom-selection"), ("show-labels", "show-proposals"))
_NAME_LENGTH = 40


def show_canvas_menu(window: "MainWindow", at: QPoint) -> None:
    """Open the menu at a position in the canvas; it is gone once it is closed."""
    menu = canvas_menu(window, at)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.popup(window.canvas.mapToGlobal(at))


def canvas_menu(window: "MainWindow", at: QPoint) -> QMenu:
    """What can be done there: undo and redo, something with the class and the object under the pointer, zoom, and what
    is shown."""
    menu = QMenu(window)
    menu.setObjectName("canvasMenu")
    for name in _FIRST:
        menu.addAction(window.bars.action(name))
    project = window.session.project
    if project is not None:
        _add_under(menu, project, *window.canvas.to_image(at))
    for group in _LAST:
        menu.addSeparator()
        for name in group:
            menu.addAction(window.bars.action(name))
    return menu


def _add_under(menu: QMenu, project: "OpenedProject", x: float, y: float) -> None:
    found = _under(project, x, y)
    if found is None:
        return
    object_id, label_class = found
    name = elided(label_class.name, _NAME_LENGTH).replace("&", "&&")
    menu.addSeparator()
    paint = menu.addAction(
        swatch(label_class.color),
        _("Paint with '{name}'", name=name),
        partial(project.documents.choose_class, label_class.name),
    )
    paint.setObjectName("menuPaintWith")
    if label_class.kind is Kind.INSTANCE:
        select = menu.addAction(_("Select this object"), partial(project.documents.selection.select, [object_id]))
        select.setObjectName("menuSelectObject")
        _add_lock(menu, project, object_id)
    lock = _("Unlock '{name}'", name=name) if label_class.locked else _("Lock '{name}'", name=name)
    locking = menu.addAction(
        icon("unlock" if label_class.locked else "lock"),
        lock,
        lambda: project.ground.notices.attempt(
            lambda: project.classes.change(label_class.name, locked=not label_class.locked)
        ),
    )
    locking.setObjectName("menuLockClass")


def _add_lock(menu: QMenu, project: "OpenedProject", object_id: "ObjectId") -> None:
    """Lock the object, or unlock it."""
    opened = project.documents.current
    locked = opened is not None and object_id in opened.document.locked
    words = _("Unlock this object") if locked else _("Lock this object")
    locking = menu.addAction(
        icon("unlock" if locked else "lock"),
        words,
        lambda: project.ground.notices.attempt(lambda: project.objects.locks.put([object_id], locked=not locked)),
    )
    locking.setObjectName("menuLockObject")


def _under(project: "OpenedProject", x: float, y: float) -> "tuple[ObjectId, LabelClass] | None":
    """The object at an image position and its class; None where nothing is labelled."""
    from segstudio.labels.paint.policy import class_at, object_at

    opened, plane = project.documents.current, project.documents.plane
    if opened is None or project.navigation.shown is None:
        return None
    label_class = class_at(opened.document, x, y, plane, project.documents.classes)
    return None if label_class is None else (object_at(opened.document, x, y, plane), label_class)
