"""The panel of the tool in use: the radius of a brush in image pixels, what is painted over, the tool's own options."""

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QSlider, QVBoxLayout, QWidget

from segstudio.app.editing.tools.base import Cursor, Effect
from segstudio.app.editing.tools.table import TOOLS
from segstudio.app.values import MAX_RADIUS_PX, MIN_RADIUS_PX
from segstudio.labels.model import Touch
from segstudio.text import N_, _
from segstudio.ui.panels.controls import Choice, PixelSpin, muted_label, role_label
from segstudio.ui.panels.option_fields import OptionField, option_field
from segstudio.ui.panels.touch_limits import TouchLimits
from segstudio.ui.window.shortcut_guard import leave_keys

if TYPE_CHECKING:
    from segstudio.app.editing.tools.base import Tool
    from segstudio.app.session import Session

__all__ = ["BrushPanel"]

_SLIDER_STEPS = 200
_ROW_H, _GAP, _MARGIN = 26, 8, 12
_LEAST_ROWS = 1
_TOUCH = (
    ("all", N_("Everything")),
    ("unlabelled", N_("Unlabelled")),
    ("labelled", N_("Labelled")),
    ("class", N_("One class")),
    ("object", N_("One object")),
    ("range", N_("Value range")),
)


class BrushPanel(QFrame):
    """`brushSize` is the radius as a number, `brushSizeSlider` the same on a logarithmic scale, `mayTouch` what is
    painted over; below them are the options of the tool. It is as high with every tool of ours. `left`: what had the
    focus here is not there with the tool that was just chosen.
    """

    left = Signal()

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._tools = session.tools
        self._tool: Tool | None = None
        self._yields = False
        self._fields: list[OptionField] = []
        self.setObjectName("brushPanel")
        self.setProperty("role", "panel")
        self.title = role_label("", "title")
        self.title.setObjectName("toolTitle")
        self.size_spin = PixelSpin()
        self.size_slider = QSlider(Qt.Orientation.Horizontal)
        self.touch = Choice()
        self._dress()
        self._size_label, self._touch_label = muted_label(_("Radius")), muted_label(_("Paint over"))
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(_GAP)
        self._grid.setColumnStretch(1, 1)
        self._grid.addWidget(self._size_label, 0, 0)
        self._grid.addWidget(self.size_slider, 0, 1)
        self._grid.addWidget(self.size_spin, 0, 2)
        self._grid.addWidget(self._touch_label, 1, 0)
        self._grid.addWidget(self.touch, 1, 1, 1, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, _GAP, 0, 12)  # the margin at the right belongs to the scroll bar
        column.setSpacing(_GAP)
        column.addWidget(self.title)
        column.addWidget(self._scrolled(TouchLimits(session)), 1)
        self.setMinimumHeight(self._height_of(_LEAST_ROWS))
        self.size_spin.valueChanged.connect(session.tools.set_radius)
        self.size_slider.valueChanged.connect(self._slid)
        self.touch.activated.connect(self._touched)
        session.tools.changed.connect(self._follow)
        self._follow()

    def sizeHint(self) -> QSize:
        """As high as the tool with the most fields needs: nothing moves when another is chosen. Where a list above it
        is short of rows, as high as the tool in use needs.
        """
        tools = [self._tool] if self._yields and self._tool is not None else TOOLS.own
        return QSize(super().sizeHint().width(), self._height_of(max(_rows(tool) for tool in tools)))

    def yield_room(self, yields: bool) -> None:
        """Leave the height that the tool in use does not need to the list above, or ask for it again."""
        if yields != self._yields:
            self._yields = yields
            self.updateGeometry()

    def _height_of(self, rows: int) -> int:
        return self.title.sizeHint().height() + rows * (_ROW_H + _GAP) + _GAP + 12

    def _scrolled(self, limits: QWidget) -> QScrollArea:
        """The fields, which scroll in a low window."""
        body, area = QWidget(), _Fields()
        column = QVBoxLayout(body)
        column.setSpacing(_GAP)
        column.addLayout(self._grid)
        column.addWidget(limits)
        column.addStretch(1)
        area.setObjectName("toolFields")
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(body)
        return area

    def _dress(self) -> None:
        keys = _("Radius of brush and eraser in image pixels ([ and ])")
        self.size_spin.setObjectName("brushSize")
        self.size_spin.setRange(MIN_RADIUS_PX, MAX_RADIUS_PX)
        self.size_spin.setSuffix(_(" px"))
        self.size_spin.setFixedSize(72, 26)
        self.size_spin.setToolTip(keys)
        self.size_spin.setAccessibleName(_("Brush radius in pixels"))
        self.size_slider.setObjectName("brushSizeSlider")
        self.size_slider.setRange(0, _SLIDER_STEPS)
        self.size_slider.setMinimumWidth(32)
        self.size_slider.setToolTip(keys)
        self.size_slider.setAccessibleName(_("Brush radius"))
        self.touch.setObjectName("mayTouch")
        self.touch.setToolTip(_("Which pixels a stroke may change; it never changes those that are locked"))
        self.touch.setAccessibleName(_("What a stroke paints over"))
        self.touch.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.touch.setMinimumContentsLength(8)
        for touch, text in _TOUCH:
            self.touch.addItem(_(text), touch)

    def _slid(self, place: int) -> None:
        if place != _place(self._tools.radius):
            self._tools.set_radius(_radius(place))

    def _follow(self) -> None:
        if self._tools.tool is not self._tool:
            self._take(self._tools.tool)
        radius = self._tools.radius
        for widget, value in ((self.size_spin, radius), (self.size_slider, _place(radius))):
            blocked = widget.blockSignals(True)
            widget.setValue(value)  # type: ignore[arg-type]
            widget.blockSignals(blocked)
        self.touch.setCurrentIndex([touch for touch, _text in _TOUCH].index(str(self._tools.touch)))
        for field in self._fields:
            field.follow(self._tools.value_of(field.option))

    def _take(self, tool: "Tool") -> None:
        """Show what can be set about another tool."""
        self._tool = tool
        focus = self.focusWidget()
        had_focus = focus is not None and focus.hasFocus()
        self.title.setText(_(tool.title))
        for widgets, shown in (
            ((self._size_label, self.size_slider, self.size_spin), _has_brush(tool)),
            ((self._touch_label, self.touch), _paints(tool)),
        ):
            for widget in widgets:
                widget.setVisible(shown)
        for field in self._fields:
            for widget in filter(None, (field.label, field.widget)):
                self._grid.removeWidget(widget)
                widget.hide()
                widget.deleteLater()
        self._fields = [option_field(option, self._tools) for option in tool.options]
        for row, field in enumerate(self._fields, 2):
            if field.label is not None:
                self._grid.addWidget(field.label, row, 0)
            self._grid.addWidget(field.widget, row, int(field.label is not None), 1, -1)
            for widget in filter(None, (field.label, field.widget)):
                widget.show()  # a layout would do it later
            leave_keys(field.widget)
        if self._yields:
            self.updateGeometry()
        if had_focus and not (focus in self.findChildren(QWidget) and focus.isVisibleTo(self)):
            self.left.emit()

    def _touched(self, place: int) -> None:
        self._tools.set_touch(Touch(_TOUCH[place][0]))


class _Fields(QScrollArea):
    """The scroll bar stands in the margin beside the fields, which stay as wide as they are without it."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the margin to the scroll bar, or to nothing."""
        super().resizeEvent(event)
        body: QWidget | None = self.widget()
        column = body.layout() if body is not None else None
        if column is not None:
            column.setContentsMargins(0, 0, max(0, _MARGIN - (self.width() - self.viewport().width())), 0)


def _place(radius: float) -> int:
    span = math.log(MAX_RADIUS_PX / MIN_RADIUS_PX)
    return round(math.log(max(radius, MIN_RADIUS_PX) / MIN_RADIUS_PX) / span * _SLIDER_STEPS)


def _radius(place: int) -> float:
    radius = MIN_RADIUS_PX * (MAX_RADIUS_PX / MIN_RADIUS_PX) ** (place / _SLIDER_STEPS)
    return min(MAX_RADIUS_PX, max(MIN_RADIUS_PX, round(radius * 2) / 2))


def _has_brush(tool: "Tool") -> bool:
    return tool.cursor is Cursor.RING


def _paints(tool: "Tool") -> bool:
    return tool.effect is not Effect.NOTHING


def _rows(tool: "Tool") -> int:
    return _has_brush(tool) + _paints(tool) + len(tool.options)
