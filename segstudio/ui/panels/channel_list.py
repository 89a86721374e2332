"""The channels of the image on screen: which are shown, in which colour, and whose levels the histogram changes."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QToolButton, QWidget

from segstudio.text import _
from segstudio.ui.panels.controls import Choice, Tick, muted_label
from segstudio.ui.window.icons import swatch

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.viewing.channel_views import ChannelRow

__all__ = ["ChannelList", "LevelsChoice"]

_ROW_H = 24
_MOST_ROWS = 4
"""Rows that are seen at once; more are scrolled to."""
_LONG_NAME = 6
"""Letters from which on names need a column of their own, where there are few."""


class ChannelList(QScrollArea):
    """`channelList`: a tick for each channel (`channelShown0` ...) and its colour (`channelColour0` ...)."""

    def __init__(self) -> None:
        super().__init__()
        self._project: OpenedProject | None = None
        self._rows: tuple[ChannelRow, ...] = ()
        self._ticks: list[Tick] = []
        self._colours: list[QToolButton] = []
        self.setObjectName("channelList")
        self.setAccessibleName(_("Channels"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def follow(self, project: "OpenedProject | None") -> None:
        """List the channels of this project's images."""
        self._project = project

    def show_now(self) -> None:
        """Show the channels of the image on screen; nothing where it has only one."""
        rows = () if self._project is None else self._project.channel_views.rows
        rows = rows if len(rows) > 1 else ()
        self.setVisible(bool(rows))
        if [row.name for row in rows] != [row.name for row in self._rows]:
            self._build(rows)
        for row, tick, button in zip(rows, self._ticks, self._colours, strict=True):
            tick.setChecked(row.shown)
            button.setIcon(swatch("#{:02x}{:02x}{:02x}".format(*row.colour)))
        self._rows = rows

    def _build(self, rows: "tuple[ChannelRow, ...]") -> None:
        body = QWidget()
        grid = QGridLayout(body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        self._ticks, self._colours = [], []
        columns = _columns(rows)
        for place, row in enumerate(rows):
            tick, button = Tick(row.name), QToolButton()
            tick.setObjectName(f"channelShown{row.index}")
            tick.setToolTip(_("Show {name}", name=row.name))
            tick.setAccessibleName(_("Show {name}", name=row.name))
            tick.setFixedHeight(_ROW_H)
            tick.setMinimumWidth(40)
            tick.clicked.connect(lambda on, index=row.index: self._show(index, on))
            button.setObjectName(f"channelColour{row.index}")
            button.setProperty("role", "icon")
            button.setIconSize(QSize(12, 12))
            button.setFixedSize(_ROW_H, _ROW_H)
            button.setToolTip(_("The colour of {name}", name=row.name))
            button.setAccessibleName(_("The colour of {name}", name=row.name))
            button.clicked.connect(lambda _on, index=row.index: self._ask_colour(index))
            at, column = place // columns, place % columns * 2
            grid.addWidget(button, at, column)
            grid.addWidget(tick, at, column + 1)
            grid.setColumnStretch(column + 1, 1)
            self._ticks.append(tick)
            self._colours.append(button)
        shown = min(-(-len(rows) // columns), _MOST_ROWS)
        self.setFixedHeight(shown * _ROW_H)
        self.setWidget(body)

    def _show(self, index: int, on: bool) -> None:
        if self._project is not None:
            self._project.channel_views.show(index, on)

    def _ask_colour(self, index: int) -> None:
        from PySide6.QtWidgets import QColorDialog

        row = next((row for row in self._rows if row.index == index), None)
        if row is None:
            return
        dialog = QColorDialog(QColor(*row.colour), self)
        dialog.setObjectName("channelColourDialog")
        dialog.setWindowTitle(_("The colour of {name}", name=row.name))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(lambda colour: self._coloured(index, colour))
        dialog.open()

    def _coloured(self, index: int, colour: QColor) -> None:
        if self._project is not None:
            self._project.channel_views.set_colour(index, (colour.red(), colour.green(), colour.blue()))


def _columns(rows: "tuple[ChannelRow, ...]") -> int:
    """In how many columns they are listed: red, green and blue stand in one row."""
    if len(rows) == 3 and all(len(row.name) < _LONG_NAME for row in rows):
        return 3
    return 1 if len(rows) < _MOST_ROWS else 2


class LevelsChoice(QWidget):
    """`levelsOf`: the channel whose levels histogram, numbers and sliders change; shown for images of several."""

    def __init__(self) -> None:
        super().__init__()
        self._project: OpenedProject | None = None
        self._listed: list[tuple[int | None, str]] = []
        self.choice = Choice()
        words = _("The channel whose brightness and contrast are changed")
        self.choice.setObjectName("levelsOf")
        self.choice.setToolTip(words)
        self.choice.setAccessibleName(words)
        self.choice.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(8)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.addWidget(muted_label(_("Change")), 0, 0)
        grid.addWidget(self.choice, 0, 1)
        grid.setColumnStretch(1, 1)
        self.choice.activated.connect(self._chosen)

    def follow(self, project: "OpenedProject | None") -> None:
        """Offer the channels of this project's images."""
        self._project = project

    def show_now(self) -> None:
        """List the channels that are shown."""
        rows = () if self._project is None else self._project.channel_views.rows
        shown = [(row.index, row.name) for row in rows if row.shown]
        self.setVisible(len(rows) > 1 and len(shown) > 1)
        items: list[tuple[int | None, str]] = [(None, _("All channels")), *shown]
        if items != self._listed:
            self._listed = items
            self.choice.clear()
            for index, name in items:
                self.choice.addItem(name, index)
        chosen = next((row.index for row in rows if row.chosen), None)
        self.choice.setCurrentIndex([index for index, _name in items].index(chosen))

    def _chosen(self) -> None:
        if self._project is not None:
            self._project.channel_views.choose(self.choice.currentData())
