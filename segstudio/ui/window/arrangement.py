"""Where the panels are: beside and below the image, in splitters whose sizes are kept between two windows."""

import json
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget

from segstudio.text import _
from segstudio.ui.panels.brush_panel import BrushPanel
from segstudio.ui.panels.class_panel import ClassPanel
from segstudio.ui.panels.display_panel import DisplayPanel
from segstudio.ui.panels.image_list import HEAD_H, STRIP_H, ImageListPanel
from segstudio.ui.panels.lint_panel import LintPanel
from segstudio.ui.panels.object_table import ObjectPanel
from segstudio.ui.panels.table import PANELS, Panel, Place, Surroundings
from segstudio.ui.panels.tabs import PanelTabs
from segstudio.ui.panels.training_panel import TrainingPanel
from segstudio.ui.window.shortcut_guard import leave_keys
from segstudio.ui.window.side_column import SideColumn

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QAction

    from segstudio.app.session import Session

__all__ = ["Arrangement"]

_SIDE_W = 208
_LIST_W, _LIST_LEAST_W = 208, 176
_BOTTOM_H, _BOTTOM_LEAST_H = 248, 144
_BOTTOM_SHARES = (560, 760)
_LARGEST = 16777215
_FOLDABLE = ("show-side", "show-bottom")

# The keys of the sizes that are kept, in pixels: widths of the two columns, heights of the bottom with the training
# panel folded and not, widths of images and training beside each other, and the heights of the panels in the column.
_SIDE, _LIST, _FOLDED, _UNFOLDED, _SHARES, _STACK = "side", "list", "folded", "unfolded", "shares", "stack"


class Arrangement:
    """The panels of one window and the splitters around `column`, which holds the image.

    `middle` is the widget that holds everything: `upper` (the column, `side` beside it, and the images where a person
    prefers them there, at the other side) above `bottom`. What a person has not dragged has its usual size.
    """

    def __init__(self, session: "Session", action: "Callable[[str], QAction]", column: QWidget) -> None:
        self._surroundings = Surroundings(session, action)
        self.tabs: dict[str, PanelTabs] = {}
        self._kept, self._action, self._column = session.kept_preferences, action, column
        self.panels: dict[str, QWidget] = {row.name: row.make(self._surroundings) for row in PANELS.own}
        self.classes = cast(ClassPanel, self.panels["classes"])
        self.tool = cast(BrushPanel, self.panels["brush"])
        self.objects = cast(ObjectPanel, self.panels["objects"])
        self.lint = cast(LintPanel, self.panels["lint"])
        self.display = cast(DisplayPanel, self.panels["display"])
        self.images = cast(ImageListPanel, self.panels["images"])
        self.training = cast(TrainingPanel, self.panels["training"])
        self.side = SideColumn()
        self.upper = _splitter("upperSplitter", Qt.Orientation.Horizontal, column, self.side)
        self.bottom = _splitter("bottomSplitter", Qt.Orientation.Horizontal)
        self.middle = _splitter("middleSplitter", Qt.Orientation.Vertical, self.upper, self.bottom)
        for splitter, grows in ((self.upper, column), (self.middle, self.upper)):
            for place in range(splitter.count()):
                splitter.setStretchFactor(place, int(splitter.widget(place) is grows))
        for row in PANELS.own:
            if row.name not in ("images", "training"):  # they move
                self._place(row)
        for tabs in self.tabs.values():
            tabs.currentChanged.connect(lambda _place, tabs=tabs: self._turned(tabs))
        self.bottom.setMinimumWidth(320)  # narrower than the curves, which fold first
        self._sizes: dict[str, Any] = {}
        self._there = False
        self._placed = (self._beside, self._left)
        leave_keys(self.side, self.images, self.training)
        self._arrange()
        self.training.foldChanged.connect(lambda _folded: self._arrange())
        self._kept.changed.connect(self._preferences_changed)
        for splitter in self._splitters():
            splitter.splitterMoved.connect(lambda _at, _n, moved=splitter: self._dragged(moved))

    def add_rows(self) -> None:
        """Add the panels of other packages after ours; those that are there already stay as they are."""
        for row in PANELS.rows:
            if row.name not in self.panels:
                self.panels[row.name] = row.make(self._surroundings)
                self._place(row)
                leave_keys(self.panels[row.name])

    def turn_to(self, name: str) -> None:
        """Show the tab of a panel that shares its place with others."""
        panel = self.panels[name]
        for tabs in self.tabs.values():
            if tabs.indexOf(panel) >= 0:
                tabs.setCurrentWidget(panel)

    def _turned(self, tabs: "PanelTabs") -> None:
        """A list of findings or objects has the room that the tool in use does not need."""
        if tabs.indexOf(self.classes) >= 0:
            self.tool.yield_room(tabs.currentWidget() is not self.classes)

    def show(self, there: bool) -> None:
        """Show the panels that are switched on; they are `there` with a project that no page covers."""
        self._there = there
        side, bottom = (there and self._action(name).isChecked() for name in _FOLDABLE)
        self.side.setVisible(side)
        self.bottom.setVisible(bottom)
        if self._beside:
            self.images.setVisible(bottom)
        self._resize()

    def reset(self) -> None:
        """Put every panel back in its place, to its size, and in sight."""
        self._sizes.clear()
        for name in _FOLDABLE:
            self._action(name).setChecked(True)
        self._kept.prefer(images_beside=False, panels_left=False)
        self.training.fold_as_usual()
        self.side.chosen = False
        self.side.share()
        self.show(self._there)

    def close_threads(self) -> None:
        """End the threads of the panels: the window closes."""
        self.images.close_threads()
        self.training.close_threads()

    def state(self) -> str:
        """What a person has dragged and hidden as one line of text, for the preferences."""
        hidden = [name for name in _FOLDABLE if not self._action(name).isChecked()]
        return json.dumps({**self._sizes, "hidden": hidden})

    def restore(self, state: str) -> None:
        """Take over what `state()` gave; any other text means the usual sizes."""
        try:
            kept = json.loads(state)
        except ValueError:
            kept = {}
        kept = kept if isinstance(kept, dict) else {}
        self._sizes = {key: kept[key] for key in (_SIDE, _LIST, _FOLDED, _UNFOLDED) if _is_size(kept.get(key))}
        self._sizes |= {key: kept[key] for key in (_SHARES, _STACK) if _are_sizes(kept.get(key))}
        hidden = kept.get("hidden")
        for name in _FOLDABLE:
            self._action(name).setChecked(not isinstance(hidden, list) or name not in hidden)
        stack = self._sizes.get(_STACK, ())
        if len(stack) == self.side.count():
            self.side.chosen = True
            self.side.setSizes(stack)
        self.show(self._there)

    # -- where ---------------------------------------------------------------------------------------------------------

    @property
    def _beside(self) -> bool:
        return self._kept.current.images_beside

    @property
    def _left(self) -> bool:
        return self._kept.current.panels_left

    def _place(self, row: Panel) -> None:
        splitter, panel = self.side if row.place is Place.SIDE else self.bottom, self.panels[row.name]
        if row.group in self.tabs:
            self.tabs[row.group].add(panel, _(row.title), row.icon)
            return
        if row.group:
            tabs = self.tabs[row.group] = PanelTabs(row.group)
            tabs.add(panel, _(row.title), row.icon)
            panel = tabs
        splitter.addWidget(panel)
        splitter.setStretchFactor(splitter.count() - 1, int(row.grows))

    def _preferences_changed(self) -> None:
        if self._placed != (self._beside, self._left):
            self._placed = (self._beside, self._left)
            self._arrange()
            self.show(self._there)

    def _arrange(self) -> None:
        """Put the panels that move where they belong: the images below or beside the image, the training panel in
        their title row, or beside or below them.
        """
        images, training = self.images, self.training
        self._action("images-beside").setChecked(self._beside)
        self._action("panels-left").setChecked(self._left)
        if self._beside:
            self.upper.addWidget(images)
        else:
            self.bottom.insertWidget(0, images)
            images.show()
        images.set_beside(self._beside)
        columns = [self.side, self._column, *([images] if self._beside else [])]
        for place, part in enumerate(columns if self._left else columns[::-1]):
            self.upper.insertWidget(place, part)
        for place, part in enumerate(_widgets(self.upper)):
            self.upper.setStretchFactor(place, int(part is self._column))
        if training.folded and not self._beside:
            images.add_to_head(training)
        else:
            self.bottom.addWidget(training)
            self.bottom.setStretchFactor(self.bottom.count() - 1, int(self._beside))
        training.show()
        images.setMinimumWidth(_LIST_LEAST_W if self._beside else 0)
        self.bottom.setStretchFactor(0, 1)
        self._resize()

    # -- how large -----------------------------------------------------------------------------------------------------

    def _resize(self) -> None:
        """Give every place the size that was chosen for it, or its usual one; the image has the rest."""
        folded = self.training.folded
        one_line = folded and self._beside
        least = HEAD_H if one_line else STRIP_H if folded else _BOTTOM_LEAST_H
        self.bottom.setMinimumHeight(least)
        self.bottom.setMaximumHeight(HEAD_H if one_line else _LARGEST)
        usual = STRIP_H if folded else _BOTTOM_H
        height = least if one_line else max(least, self._sizes.get(_FOLDED if folded else _UNFOLDED, usual))
        whole = sum(self.middle.sizes()) or self.middle.window().height()
        self.middle.setSizes([max(1, whole - height), height])
        widths = {self.side: self._sizes.get(_SIDE, _SIDE_W), self.images: self._sizes.get(_LIST, _LIST_W)}
        parts = _widgets(self.upper)
        taken = sum(width for part, width in widths.items() if part in parts and not part.isHidden())
        whole = sum(self.upper.sizes()) or self.upper.window().width()
        self.upper.setSizes([widths.get(part, max(1, whole - taken)) for part in parts])
        if not folded and not self._beside:
            first, *between, last = self.bottom.sizes()
            first, last = self._sizes.get(_SHARES, _BOTTOM_SHARES)
            self.bottom.setSizes([first, *between, last])

    def _dragged(self, splitter: QSplitter) -> None:
        """Keep what a person chose; of what is hidden there is no size."""
        sizes = dict(zip(_widgets(splitter), splitter.sizes(), strict=True))
        if splitter is self.upper:
            kept = {_SIDE: sizes[self.side], _LIST: sizes.get(self.images, 0)}
        elif splitter is self.middle:
            kept = {_FOLDED if self.training.folded else _UNFOLDED: sizes[self.bottom]}
        elif splitter is self.side:
            self.side.chosen = True
            kept = {_STACK: list(sizes.values())}
        else:
            kept = {_SHARES: [splitter.sizes()[0], splitter.sizes()[-1]]}
        self._sizes |= {key: size for key, size in kept.items() if size}

    def _splitters(self) -> tuple[QSplitter, ...]:
        return (self.middle, self.upper, self.side, self.bottom)


def _widgets(splitter: QSplitter) -> list[QWidget]:
    return [cast(QWidget, splitter.widget(place)) for place in range(splitter.count())]


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST


def _are_sizes(value: object) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(map(_is_size, value))


def _splitter(name: str, orientation: Qt.Orientation, *parts: QWidget) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setObjectName(name)
    splitter.setHandleWidth(1)
    splitter.setChildrenCollapsible(False)
    for part in parts:
        splitter.addWidget(part)
    return splitter
