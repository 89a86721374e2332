"""The brush panel: the radius in image pixels, and what a stroke paints over."""

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QSlider, QVBoxLayout

from segstudio.app.values import MAX_RADIUS_PX, MIN_RADIUS_PX
from segstudio.labels.model import Touch
from segstudio.text import N_, _
from segstudio.ui.panels.controls import Choice, PixelSpin, muted_label, role_label
from segstudio.ui.panels.touch_limits import TouchLimits

if TYPE_CHECKING:
    from segstudio.app.session import Session

__all__ = ["BrushPanel"]

_SLIDER_STEPS = 200
_TOUCH = (
    ("all", N_("Everything")),
    ("unlabelled", N_("Unlabelled pixels only")),
    ("labelled", N_("Labelled pixels only")),
    ("class", N_("One class only")),
    ("object", N_("Inside one object")),
    ("range", N_("Values in a range")),
)


class BrushPanel(QFrame):
    """`brushSize` is the radius as a number, `brushSizeSlider` the same on a logarithmic scale."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._tools = session.tools
        self.setObjectName("brushPanel")
        self.setProperty("role", "panel")
        self.size_spin = PixelSpin()
        self.size_slider = QSlider(Qt.Orientation.Horizontal)
        self.touch = Choice()
        self._dress()
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(8)
        grid.addWidget(muted_label(_("Radius")), 0, 0)
        grid.addWidget(self.size_slider, 0, 1)
        grid.addWidget(self.size_spin, 0, 2)
        grid.addWidget(muted_label(_("Paint over")), 1, 0)
        grid.addWidget(self.touch, 1, 1, 1, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 12)
        column.setSpacing(8)
        column.addWidget(role_label(_("Brush"), "title"))
        column.addLayout(grid)
        column.addWidget(TouchLimits(session))
        self.size_spin.valueChanged.connect(session.tools.set_radius)
        self.size_slider.valueChanged.connect(self._slid)
        self.touch.activated.connect(self._touched)
        session.tools.changed.connect(self._follow)
        self._follow()

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
        self.touch.setToolTip(_("Which pixels a stroke may change; it never changes those of locked classes"))
        self.touch.setAccessibleName(_("What a stroke paints over"))
        self.touch.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.touch.setMinimumContentsLength(8)
        for touch, text in _TOUCH:
            self.touch.addItem(_(text), touch)

    def _slid(self, place: int) -> None:
        if place != _place(self._tools.radius):
            self._tools.set_radius(_radius(place))

    def _follow(self) -> None:
        radius = self._tools.radius
        for widget, value in ((self.size_spin, radius), (self.size_slider, _place(radius))):
            blocked = widget.blockSignals(True)
            widget.setValue(value)  # type: ignore[arg-type]
            widget.blockSignals(blocked)
        self.touch.setCurrentIndex([touch for touch, _text in _TOUCH].index(str(self._tools.touch)))

    def _touched(self, place: int) -> None:
        self._tools.set_touch(Touch(_TOUCH[place][0]))


def _place(radius: float) -> int:
    span = math.log(MAX_RADIUS_PX / MIN_RADIUS_PX)
    return round(math.log(max(radius, MIN_RADIUS_PX) / MIN_RADIUS_PX) / span * _SLIDER_STEPS)


def _radius(place: int) -> float:
    radius = MIN_RADIUS_PX * (MAX_RADIUS_PX / MIN_RADIUS_PX) ** (place / _SLIDER_STEPS)
    return min(MAX_RADIUS_PX, max(MIN_RADIUS_PX, round(radius * 2) / 2))
