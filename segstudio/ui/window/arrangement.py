"""Where the panels are: beside and below the image, in splitters whose sizes are kept between two windows."""

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QSplitter, QWidget

from segstudio.ui.panels.class_panel import ClassPanel
from segstudio.ui.panels.display_panel import DisplayPanel
from segstudio.ui.panels.image_list import ImageListPanel
from segstudio.ui.panels.table import PANELS, Panel, Place, Surroundings
from segstudio.ui.panels.training_panel import TrainingPanel
from segstudio.ui.window.shortcut_guard import leave_keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QAction

    from segstudio.app.session import Session

__all__ = ["Arrangement"]

_SIDE_W = 264
_BOTTOM_H = 248
_FOLDED_H = 156
_BOTTOM_SHARES = (560, 760)


class Arrangement:
    """The panels of one window and the splitters around `column`, which holds the image.

    `middle` is the widget that holds everything: `upper` (the column, and `side` beside it) above `bottom`.
    """

    def __init__(self, session: "Session", action: "Callable[[str], QAction]", column: QWidget) -> None:
        self._surroundings = Surroundings(session, action)
        self.panels: dict[str, QWidget] = {row.name: row.make(self._surroundings) for row in PANELS.own}
        self.classes = cast(ClassPanel, self.panels["classes"])
        self.display = cast(DisplayPanel, self.panels["display"])
        self.images = cast(ImageListPanel, self.panels["images"])
        self.training = cast(TrainingPanel, self.panels["training"])
        self.side = _splitter("sideSplitter", Qt.Orientation.Vertical)
        self.upper = _splitter("upperSplitter", Qt.Orientation.Horizontal, column, self.side)
        self.upper.setStretchFactor(0, 1)
        self.upper.setStretchFactor(1, 0)
        self.upper.setSizes([1000, _SIDE_W])
        self.bottom = _splitter("bottomSplitter", Qt.Orientation.Horizontal)
        for row in PANELS.own:
            if row.name != "training":  # folded, it is in the title row of the images
                self._place(row)
        self._bottom_h = {True: _FOLDED_H, False: _BOTTOM_H}
        self._bottom_shares = list(_BOTTOM_SHARES)
        self.middle = _splitter("middleSplitter", Qt.Orientation.Vertical, self.upper, self.bottom)
        self.middle.setStretchFactor(0, 1)
        self.middle.setStretchFactor(1, 0)
        self.middle.setSizes([700, _FOLDED_H])
        self.images.add_to_head(self.training)
        self.side.setMinimumWidth(208)
        self.bottom.setMinimumHeight(144)
        self.bottom.setMinimumWidth(320)  # narrower than the curves, which fold first
        leave_keys(self.side, self.bottom)
        self.training.foldChanged.connect(self._place_training)

    def add_rows(self) -> None:
        """Add the panels of other packages after ours; those that are there already stay as they are."""
        for row in PANELS.rows:
            if row.name not in self.panels:
                self.panels[row.name] = row.make(self._surroundings)
                self._place(row)
                leave_keys(self.panels[row.name])

    def close_threads(self) -> None:
        """End the threads of the panels: the window closes."""
        self.images.close_threads()
        self.training.close_threads()

    def state(self) -> str:
        """Sizes of all splitters as one line of text, for the preferences."""
        states = [bytes(s.saveState().toBase64().data()).decode() for s in self._splitters()]
        return " ".join([*states, ",".join(map(str, self._bottom_state()))])

    def restore(self, state: str) -> None:
        """Take over sizes kept by `state()`; any other text is ignored."""
        states = state.split()
        if len(states) != len(self._splitters()) + 1:
            return
        for splitter, kept in zip(self._splitters(), states, strict=False):
            splitter.restoreState(QByteArray.fromBase64(kept.encode()))
        bottom = states[-1].split(",")
        if len(bottom) == 4 and all(part.isdecimal() for part in bottom):
            folded, unfolded, *self._bottom_shares = map(int, bottom)
            self._bottom_h = {True: folded, False: unfolded}
        self._set_bottom_height(self._bottom_h[self.training.folded])

    def _place(self, row: Panel) -> None:
        splitter = self.side if row.place is Place.SIDE else self.bottom
        splitter.addWidget(self.panels[row.name])
        splitter.setStretchFactor(splitter.count() - 1, int(row.grows))

    def _place_training(self, folded: bool) -> None:
        """Put the training panel in the title row of the images if folded, otherwise beside the images."""
        was_high = self.middle.sizes()[1]
        if was_high:
            self._bottom_h[not folded] = was_high
        if folded:
            self._bottom_shares = self._shares()
            self.images.add_to_head(self.training)
        else:
            self.bottom.addWidget(self.training)
            left, right = self._bottom_shares
            self.bottom.setSizes([left, *self.bottom.sizes()[1:-1], right])
        self.training.show()
        self._set_bottom_height(self._bottom_h[folded])

    def _shares(self) -> list[int]:
        """Widths of the image and training panels, unfolded; panels of other packages may be between them."""
        sizes = self.bottom.sizes()
        return [sizes[0], sizes[-1]]

    def _set_bottom_height(self, height: int) -> None:
        whole = sum(self.middle.sizes()) or self.middle.window().height()
        self.middle.setSizes([whole - height, height])

    def _splitters(self) -> tuple[QSplitter, ...]:
        return (self.middle, self.upper, self.side)

    def _bottom_state(self) -> tuple[int, int, int, int]:
        """Heights of the lower panels with the training panel folded and unfolded, and the widths of the two."""
        folded, high = self.training.folded, self.middle.sizes()[1]
        heights = self._bottom_h | ({folded: high} if high else {})
        left, right = self._bottom_shares if folded else self._shares()
        return heights[True], heights[False], left, right


def _splitter(name: str, orientation: Qt.Orientation, *parts: QWidget) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setObjectName(name)
    splitter.setHandleWidth(1)
    splitter.setChildrenCollapsible(False)
    for part in parts:
        splitter.addWidget(part)
    return splitter
