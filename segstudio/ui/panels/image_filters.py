"""What the image list shows and in which order: a field for words of the name, and a menu each for the rest."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QSizePolicy, QToolButton, QWidget

from segstudio.labels.model import Status
from segstudio.text import N_, _, elided
from segstudio.ui.window.icons import icon, swatch

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session

__all__ = ["ImageFilters"]

_STATUSES = (
    (Status.NEW, N_("New")),
    (Status.IN_PROGRESS, N_("In progress")),
    (Status.DONE, N_("Done")),
)
_ORDERS = (
    ("added", N_("Order of the project")),
    ("name", N_("Name")),
    ("status", N_("Status")),
    ("labelled", N_("Labelled share")),
    ("problem", N_("Problems first")),
)
_FIELD_W, _FIELD_LEAST_W = 160, 56
_NAME_LENGTH = 40
_BUTTON_PX = 26


class ImageFilters(QWidget):
    """`imageFilter`, `imageFilterButton` and `imageSortButton`; they show what the listing has, whoever chose it.

    `left` says that a person is done with the field: Return or Escape; `wentDown` that one goes on to the images.
    """

    left = Signal()
    wentDown = Signal()

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._project: OpenedProject | None = None
        self.field = _Field()
        self.filter_button, self.sort_button = QToolButton(), QToolButton()
        self._dress()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.field, 1)
        row.addWidget(self.filter_button)
        row.addWidget(self.sort_button)
        self.field.textChanged.connect(self._typed)
        self.field.entered.connect(self._entered)
        self.field.accepted.connect(self._accepted)
        self.field.dropped.connect(self._dropped)
        self.field.wentDown.connect(self.wentDown)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show what is listed of this project."""
        self._project = project
        self.setEnabled(project is not None)
        if project is not None:
            project.listing.changed.connect(self._show)
        self._show()

    def _dress(self) -> None:
        self.field.setObjectName("imageFilter")
        self.field.setPlaceholderText(_("Filter by name"))
        self.field.setAccessibleName(_("Filter images by name"))
        self.field.setToolTip(_("List the images whose name has every word of this (Ctrl+F)"))
        self.field.setMinimumWidth(_FIELD_LEAST_W)
        self.field.setMaximumWidth(_FIELD_W)
        for button, name, sign, words, fill in (
            (self.filter_button, "imageFilter", "filter", _("Filter the images"), self._fill_filters),
            (self.sort_button, "imageSort", "sort", _("Sort the images"), self._fill_orders),
        ):
            menu = QMenu(button)
            menu.setObjectName(f"{name}Menu")
            menu.aboutToShow.connect(fill)
            button.setObjectName(f"{name}Button")
            button.setProperty("role", "bare")
            button.setFixedSize(_BUTTON_PX, _BUTTON_PX)
            button.setIcon(icon(sign))
            button.setAccessibleName(words)
            button.setCheckable(True)
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
            button.setMenu(menu)
        menu = self.filter_button.menu()
        self._class_menu = QMenu(_("Class present"), menu)
        self._class_menu.setObjectName("imageClassMenu")

    def set_wide(self, wide: bool) -> None:
        """Let the field take the whole width, as in a column, or as much as a name needs."""
        self.field.setMaximumWidth(16777215 if wide else _FIELD_W)
        policy = QSizePolicy.Policy.Preferred if wide else QSizePolicy.Policy.Maximum
        self.setSizePolicy(policy, QSizePolicy.Policy.Fixed)

    # -- the field -----------------------------------------------------------------------------------------------------

    def _entered(self) -> None:
        if self._project is not None:
            self._project.listing.prepare()

    def _typed(self, text: str) -> None:
        if self._project is not None:
            listing = self._project.listing
            listing.choose(replace(listing.filter, text=text))

    def _accepted(self) -> None:
        """Show the first image that is left, unless the one on screen is among them."""
        if self._project is not None:
            places, navigation = self._project.listing.places, self._project.navigation
            if len(places) and navigation.index not in places:
                navigation.open(places[0])
        self.left.emit()

    def _dropped(self) -> None:
        self.field.clear()
        self.left.emit()

    def _show(self) -> None:
        listing = self._project.listing if self._project is not None else None
        text = listing.filter.text if listing is not None else ""
        if text != self.field.text():
            self.field.setText(text)
        filters = listing is not None and listing.filter.beyond_text
        sorts = listing is not None and not listing.order.plain
        self.filter_button.setChecked(filters)
        self.sort_button.setChecked(sorts)
        self.filter_button.setToolTip(
            _("The list is filtered; click to change it")
            if filters
            else _("List images by status, class, problem, or held out")
        )
        self.sort_button.setToolTip(_("The list is sorted; click to change it") if sorts else _("Sort the list"))

    # -- the menus -----------------------------------------------------------------------------------------------------

    def _fill_filters(self) -> None:
        """Offer what can be asked for now: classes come and go."""
        self._show()  # a click on a checkable button has turned it over
        menu, project = self.filter_button.menu(), self._project
        menu.clear()
        if project is None:
            return
        listing = project.listing
        wanted = listing.filter
        for status, words in _STATUSES:
            name = "imageStatus" + "".join(part.capitalize() for part in status.name.split("_"))
            chosen = wanted.statuses ^ {status}
            self._check(menu, name, _(words), status in wanted.statuses,
                        lambda chosen=chosen: listing.choose(replace(wanted, statuses=chosen)))  # fmt: skip
        menu.addSeparator()
        self._fill_classes(project)
        menu.addMenu(self._class_menu)
        self._check(menu, "imageProblem", _("With a problem"), wanted.problem,
                    lambda: listing.choose(replace(wanted, problem=not wanted.problem)))  # fmt: skip
        self._check(menu, "imageHeldOut", _("Held out"), wanted.held_out,
                    lambda: listing.choose(replace(wanted, held_out=not wanted.held_out)))  # fmt: skip
        menu.addSeparator()
        everything = menu.addAction(_("Show all"))
        everything.setObjectName("imageShowAllAction")
        everything.setEnabled(not wanted.empty)
        everything.triggered.connect(listing.show_all)

    def _fill_classes(self, project: "OpenedProject") -> None:
        menu, listing = self._class_menu, project.listing
        wanted = listing.filter
        menu.clear()
        group = QActionGroup(menu)
        for n, found in enumerate(project.documents.classes, 1):
            name = elided(found.name, _NAME_LENGTH).replace("&", "&&")
            chosen = None if wanted.has_class == found.id else found.id
            action = self._check(menu, f"imageClass{n}", name, wanted.has_class == found.id,
                                 lambda chosen=chosen: listing.choose(replace(wanted, has_class=chosen)))  # fmt: skip
            action.setIcon(swatch(found.color))
            group.addAction(action)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)

    def _fill_orders(self) -> None:
        self._show()
        menu, project = self.sort_button.menu(), self._project
        menu.clear()
        if project is None:
            return
        # Imported here because nothing else of the window needs its values before a project is open.
        from segstudio.app.viewing.image_filter import Order

        listing = project.listing
        order = listing.order
        group = QActionGroup(menu)
        for key, words in _ORDERS:
            chosen = replace(order, by=Order(key))
            group.addAction(self._check(menu, f"imageSort{key.title()}", _(words), order.by == key,
                                        lambda chosen=chosen: listing.sort(chosen)))  # fmt: skip
        menu.addSeparator()
        turned = replace(order, backwards=not order.backwards)
        self._check(menu, "imageSortBackwards", _("Reverse the order"), order.backwards, lambda: listing.sort(turned))

    def _check(self, menu: QMenu, name: str, words: str, checked: bool, call: Callable[[], object]) -> QAction:
        action = menu.addAction(words)
        action.setObjectName(name)
        action.setCheckable(True)
        action.setChecked(checked)
        action.triggered.connect(lambda _checked=False: call())
        return action


class _Field(QLineEdit):
    """`entered` with the focus, `accepted` by Return, `dropped` by Escape, `wentDown` by the arrow key."""

    entered = Signal()
    accepted = Signal()
    dropped = Signal()
    wentDown = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setClearButtonEnabled(True)
        clear = self.findChild(QToolButton)
        assert clear is not None
        clear.setObjectName("imageFilterClear")
        clear.setAccessibleName(_("Clear the filter"))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Say that somebody is about to type."""
        super().focusInEvent(event)
        self.entered.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the keys that leave the field."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.accepted.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.dropped.emit()
        elif event.key() == Qt.Key.Key_Down:
            self.wentDown.emit()
        else:
            super().keyPressEvent(event)
