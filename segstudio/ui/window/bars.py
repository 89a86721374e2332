"""Menus, toolbars and QActions, made from the table of actions, and which of them are enabled now."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from segstudio.app.values import ModelView
from segstudio.text import N_, _, elided
from segstudio.ui.text import beside_icon
from segstudio.ui.window.actions import (
    ACTIONS,
    DONE_TIPS,
    MENUS,
    SUBMENUS,
    Action,
    Bar,
    Menu,
    Needs,
    action_named,
    added_tools,
    object_name,
)
from segstudio.ui.window.bar_focus import BarFocus
from segstudio.ui.window.fitting_bar import FittingBar
from segstudio.ui.window.icons import ICON_SIZE, icon, swatch
from segstudio.ui.window.keymap import Keymap, native_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from segstudio.app.open_project import OpenedProject
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["Bars", "tooltip"]

_MAIN_BAR = (
    ("open",),
    ("propose", "accept", "reject", "done"),
    ("fine-tune",),
    ("undo", "redo"),
    ("import", "export"),
)
_TOOL_BAR = (tuple(row.name for row in ACTIONS if row.group == "tool"), ("fit", "actual-size"))
_REPEATED = frozenset(
    ["next", "previous", "next-plane", "previous-plane", "smaller", "bigger", "zoom-in", "zoom-out", "undo", "redo"]
)
"""Actions that go on while their key is held."""
_ICON_ONLY = {"undo", "redo"}
_SHORTENED = (("open", "import", "export"), ("propose", "accept", "reject", "done", "fine-tune"))
"""What loses its words first in a narrow window, and what then: the steps of the loop keep theirs longest."""
_BUDGETS = ("fine-tune-1", "fine-tune-5", "fine-tune-20", "keep-learning")

_WHY_NOT = {
    Needs.PROJECT: N_("There is no project open"),
    Needs.LEARNING: N_("The model is learning already"),
    Needs.PLANES: N_("The image on screen has one plane"),
    Needs.UNDO: N_("There is nothing to undo on this image"),
    Needs.REDO: N_("There is nothing to redo on this image"),
    Needs.TRAINING: N_("The model is not learning"),
    Needs.KEEPING: N_("The model is not learning"),
}


def tooltip(action: Action) -> str:
    """Name, keys and what the action does."""
    keys = " / ".join(native_key(key) for key in action.keys)
    head = action.shown_text.rstrip("…")
    return f"{head} ({keys})\n{action.shown_tip}" if keys else f"{head}\n{action.shown_tip}"


class Bars:
    """Owns the QActions of one window; `action(name)` finds one, `keymap` says which keys each has,
    `focus` where Tab is in the main bar and in the tool bar."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._session = window.session
        self._covered = False
        self._actions: dict[str, QAction] = {}
        self._rows = list(ACTIONS)
        self._there: dict[Needs, bool] = {}
        self.keymap = Keymap(window.session.kept_preferences, window)
        for row in ACTIONS:
            self._actions[row.name] = self._make(row)
        self._tools_menu = self._fill_menus()
        self.main_bar = self._toolbar("mainBar", _("Main"), Qt.ToolBarArea.TopToolBarArea, _MAIN_BAR)
        self.tool_bar = self._toolbar("toolBar", _("Tools"), Qt.ToolBarArea.LeftToolBarArea, _TOOL_BAR)
        self._add_budgets()
        self.focus = tuple(BarFocus(bar) for bar in (self.main_bar, self.tool_bar))
        self._order_focus()
        session = self._session
        session.jobs.changed.connect(self.refresh)
        session.notices.told.connect(self.refresh)
        session.tools.changed.connect(self._check_tool)
        self.keymap.changed.connect(self._take_keys)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)
        self._check_tool()

    def follow(self, project: "OpenedProject | None") -> None:
        """Enable the actions that this project allows."""
        self._project = project
        if project is not None:
            project.navigation.imageShown.connect(self.refresh)
            project.navigation.imageLoading.connect(self.refresh)
            project.documents.historyChanged.connect(self.refresh)
            project.documents.classesChanged.connect(self._name_classes)
            project.documents.selection.changed.connect(self.check_lock)
            project.documents.historyChanged.connect(self.check_lock)
            project.training.runningChanged.connect(self.refresh)
            project.finishing.restChanged.connect(self.check_rest)
            project.views.changed.connect(self.check_view)
            project.keep_learning.changed.connect(self.check_keep_learning)
            project.next_images.changed.connect(self.check_order)
        self.refresh()
        self.check_keep_learning()
        self.check_order()
        self.check_rest()
        self.check_view()
        self.check_lock()
        self._name_classes()

    def cover(self, covered: bool) -> None:
        """Disable what acts on the image while a page covers it."""
        self._covered = covered
        self.refresh()

    def action(self, name: str) -> QAction:
        """The QAction of a row of the table."""
        return self._actions[name]

    def button(self, name: str) -> QToolButton | None:
        """The toolbar button of a row; None if it has none."""
        for bar in (self.main_bar, self.tool_bar):
            found = bar.widgetForAction(self._actions[name])
            if isinstance(found, QToolButton):
                return found
        return None

    def refresh(self, _: object = None) -> None:
        """Enable the actions that make sense now; none acts on an image that a page covers."""
        project = self._project
        seen = project is not None and not self._covered
        image = project is not None and seen and project.navigation.index >= 0
        shown = project is not None and image and not project.navigation.failed
        documents = project.documents if project is not None and shown else None
        training = project is not None and project.training.running
        there = {
            Needs.NOTHING: True,
            Needs.PROJECT: seen,
            Needs.IMAGE: image,
            Needs.SHOWN: shown,
            Needs.PLANES: image and project is not None and project.planes.number > 1,
            Needs.LEARNING: seen and not training,
            Needs.UNDO: documents is not None and (documents.can_undo or bool(documents.undo_ends)),
            Needs.REDO: documents is not None and documents.can_redo,
            Needs.TRAINING: training,
            Needs.KEEPING: training or (project is not None and project.keep_learning.on),
        }
        # Asked after every stroke: a hundred actions that stay as they are cost more than its pixels.
        other = {needs for needs, holds in there.items() if self._there.get(needs) is not holds}
        self._there = there
        for row in self._rows:
            if row.needs in other:
                self._actions[row.name].setEnabled(there[row.needs])

    def why_disabled(self, name: str) -> str:
        """Why an action cannot be used now; '' where it can."""
        row = next(row for row in self._rows if row.name == name)
        if self._there[row.needs]:
            return ""
        project = self._project
        if project is None:
            return _("There is no project open")
        if self._covered:
            return _("It works on the image, which this page covers")
        if row.needs in (Needs.IMAGE, Needs.SHOWN) or project.navigation.index < 0 or project.navigation.failed:
            return _("No image is on screen")
        return _(_WHY_NOT[row.needs])

    def add_tools(self) -> None:
        """Give the tools of other packages their actions, menu entries and buttons, after ours; once."""
        added = [row for row in added_tools() if row.name not in self._actions]
        self.keymap.add(added)
        for row in added:
            last = self._actions[next(r.name for r in reversed(self._rows) if r.group == "tool")]
            self._rows.append(row)
            self._actions[row.name] = self._make(row)
            for place in (self._tools_menu, self.tool_bar):
                inside = place.actions()
                place.insertAction(inside[inside.index(last) + 1], self._actions[row.name])
            self._dress(self.tool_bar, row, icon_only=True)
        if added:
            self._order_focus()
            self._there = {}
            self.refresh()
            self._check_tool()

    def choose_stops(self) -> None:
        """See to it that Tab stops in each bar at a button that can be pressed now."""
        for focus in self.focus:
            focus.choose()

    def follow_focus(self, then: "Callable[[QWidget], object]") -> None:
        """Call this with a button that an arrow key has reached."""
        for focus in self.focus:
            focus.moved.connect(then)

    def _order_focus(self) -> None:
        """Have Tab reach the main bar, then the tool bar."""
        last: QWidget | None = None
        for focus in self.focus:
            last = focus.take_buttons(last)

    def _make(self, row: Action) -> QAction:
        action = QAction(row.shown_text, self._window)
        action.setObjectName(object_name(row))
        self._give_keys(action, row)
        action.setIconText(beside_icon(row.shown_text.rstrip("…")))
        action.setCheckable(row.checkable)
        action.setAutoRepeat(row.name in _REPEATED)
        if row.name == "cancel":
            # The canvas sees Escape first; if it ignores the key, the window's keyPressEvent gets it.
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        if row.icon and row.bar is not Bar.NONE:
            action.setIcon(icon(row.icon))
        action.triggered.connect(lambda _checked=False: row.run(self._window))
        self._window.addAction(action)
        return action

    def _give_keys(self, action: QAction, row: Action) -> None:
        keys = self.keymap.keys(row.name)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setToolTip(tooltip(row._replace(keys=keys)))

    def _take_keys(self) -> None:
        """Use the keys that a person has just chosen, in the window as it stands."""
        for row in self._rows:
            self._give_keys(self._actions[row.name], row)
        self.check_rest()

    def _fill_menus(self) -> QMenu:
        menus: dict[Menu, QMenu] = {}
        for name in MENUS:
            menus[name] = self._window.menuBar().addMenu(_(name))
            menus[name].setObjectName(f"menu{name}")
            menus[name].aboutToShow.connect(partial(self._draw_icons, name))
        for row in ACTIONS:
            if row.menu in SUBMENUS and row.menu not in menus:
                menus[row.menu] = menus[SUBMENUS[row.menu]].addMenu(_(row.menu))
                menus[row.menu].setObjectName(f"menu{row.menu.name.capitalize()}")
                menus[row.menu].setToolTipsVisible(row.menu in (Menu.REST, Menu.ORDER, Menu.PLANES))
            if row.separated:
                menus[row.menu].addSeparator()
            menus[row.menu].addAction(self._actions[row.name])
        return menus[Menu.TOOLS]

    def _draw_icons(self, menu: Menu) -> None:
        """Draw the icons that only a menu shows when it opens: drawing them earlier would delay the window."""
        for row in ACTIONS:
            if row.menu is menu and row.icon and self._actions[row.name].icon().isNull():
                self._actions[row.name].setIcon(icon(row.icon))

    def _toolbar(self, name: str, title: str, area: Qt.ToolBarArea, groups: tuple[tuple[str, ...], ...]) -> QToolBar:
        upright = area is Qt.ToolBarArea.LeftToolBarArea
        rows = {row.name: row for row in ACTIONS}
        stages = () if upright else tuple(tuple(rows[row].button for row in stage) for stage in _SHORTENED)
        bar = FittingBar(title, self._window, stages)
        bar.setObjectName(name)
        # It has taken its spacing from the style sheet already, without its name.
        bar.style().unpolish(bar)
        QCoreApplication.sendEvent(bar, QEvent(QEvent.Type.StyleChange))
        bar.setMovable(False)
        bar.setFloatable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.toggleViewAction().setVisible(False)
        bar.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        for place, group in enumerate(groups):
            if place:
                bar.addSeparator()
            for action_name in group:
                bar.addAction(self._actions[action_name])
                self._dress(bar, rows[action_name], upright or action_name in _ICON_ONLY)
        if not upright:
            spacer = QWidget()
            spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            bar.addWidget(spacer)
            self._actions["palette"].setIcon(icon("search"))
            bar.spare(self._palette_button())
        self._window.addToolBar(area, bar)
        return bar

    def _palette_button(self) -> QToolButton:
        """The button at the end of the bar: of its own, since hiding its action would take the key away."""
        button = QToolButton()
        button.setDefaultAction(self._actions["palette"])
        button.setObjectName(action_named("palette").button)
        button.setAccessibleName(action_named("palette").shown_text.rstrip("…"))
        button.setProperty("role", "bare")
        return button

    def _dress(self, bar: QToolBar, row: Action, icon_only: bool) -> None:
        button = bar.widgetForAction(self._actions[row.name])
        assert isinstance(button, QToolButton)
        style = Qt.ToolButtonStyle
        button.setObjectName(row.button)
        button.setToolButtonStyle(style.ToolButtonIconOnly if icon_only else style.ToolButtonTextBesideIcon)
        button.setAccessibleName(row.shown_text.rstrip("…"))
        if icon_only:
            button.setProperty("role", "bare")

    def _add_budgets(self) -> None:
        button = self.button("fine-tune")
        assert button is not None
        menu = QMenu(button)
        menu.setObjectName("fineTuneMenu")
        for name in _BUDGETS:
            menu.addAction(self._actions[name])
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)

    def check_rest(self) -> None:
        """Check the menu entry for what Done does with unlabelled pixels in this project."""
        rest = str(self._project.finishing.rest) if self._project is not None else "proposal"
        for row in ACTIONS:
            if row.group == "rest":
                self._actions[row.name].setChecked(row.name == f"rest-{rest}")
        done = action_named("done")._replace(tip=DONE_TIPS[rest], keys=self.keymap.keys("done"))
        self._actions["done"].setToolTip(tooltip(done))

    def check_view(self) -> None:
        """Check how the proposal is looked at."""
        views = self._project.views if self._project is not None else None
        checked = {
            "show-confidence": views is not None and views.view is ModelView.CONFIDENCE,
            "show-differences": views is not None and views.view is ModelView.DIFFERENCE,
            "blink": views is not None and views.blinking,
        }
        for name, on in checked.items():
            self._actions[name].setChecked(on)

    def check_order(self) -> None:
        """Check the order in which Done goes through the images."""
        order = str(self._project.next_images.order) if self._project is not None else "list"
        for row in ACTIONS:
            if row.group == "order":
                self._actions[row.name].setChecked(row.name == f"order-{order}")

    def check_keep_learning(self) -> None:
        """Check whether learning goes on by itself: then it can be stopped."""
        self._actions["keep-learning"].setChecked(self._project is not None and self._project.keep_learning.on)
        self.refresh()

    def check_new_object(self) -> None:
        """Check whether the next stroke begins an object."""
        self._actions["new-object"].setChecked(self._session.tools.new_object)

    def check_lock(self) -> None:
        """Check whether the selected objects are locked."""
        project = self._project
        self._actions["lock-objects"].setChecked(project is not None and project.objects.locks.all_selected)

    def check_preferences(self) -> None:
        """Check the actions that stand for a preference."""
        kept = self._session.preferences
        checked = {
            "add-new-images": kept.add_new_images,
            "pixel-grid": kept.pixel_grid,
            "minimap": kept.minimap,
        }
        for name, on in checked.items():
            self._actions[name].setChecked(on)

    def _check_tool(self) -> None:
        self.check_new_object()
        for row in self._rows:
            if row.group == "tool":
                self._actions[row.name].setChecked(row.name == self._session.tools.tool.name)

    def _name_classes(self) -> None:
        classes = list(self._project.documents.classes) if self._project is not None else []
        for n in range(1, 10):
            action = self._actions[f"class-{n}"]
            action.setVisible(n <= len(classes))
            if n <= len(classes):
                action.setText(elided(classes[n - 1].name, 40).replace("&", "&&"))
                action.setIcon(swatch(classes[n - 1].color))
