"""What the policies 'one class' and 'a range of values' are told: small controls below 'Paint over'."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QPushButton, QVBoxLayout, QWidget

from segstudio.app.editing.tools.value_picker import pick_values
from segstudio.labels.model import Touch
from segstudio.labels.paint.limits import ValueRange
from segstudio.text import _
from segstudio.ui.panels.controls import Choice, PixelSpin, muted_label
from segstudio.ui.window.icons import swatch

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session

__all__ = ["TouchLimits"]

_WIDEST = 1e15


class _ValueSpin(PixelSpin):
    """A value: whole numbers of 32 bits are shown in full."""

    def textFromValue(self, value: float) -> str:
        """12 rather than 12.0000."""
        return f"{value:.10g}"


class TouchLimits(QWidget):
    """`touchClass` is shown for the policy of one class, `touchChannel`, `touchLow`, `touchHigh` and `touchPick` for a
    range of values, and nothing for the others.
    """

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._tools = session.tools
        self._project: OpenedProject | None = None
        self.setObjectName("touchLimits")
        self.of_class, self.channel = Choice(), Choice()
        self.low, self.high = _ValueSpin(), _ValueSpin()
        self.pick = QPushButton(_("Pick"))
        self._class_part, self._range_part = QWidget(), QWidget()
        self._dress()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._class_part)
        column.addWidget(self._range_part)
        self.of_class.activated.connect(lambda place: self._tools.limit_class(self.of_class.itemData(place)))
        self.channel.activated.connect(lambda _place: self._show_range())
        self.low.valueChanged.connect(lambda _value: self._typed())
        self.high.valueChanged.connect(lambda _value: self._typed())
        self.pick.clicked.connect(self._pick)
        self._tools.changed.connect(self._follow)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Offer the classes of this project, and the channels of its images."""
        self._project = project
        if project is not None:
            project.documents.classesChanged.connect(self._list_classes)
            project.navigation.imageShown.connect(self._list_channels)
        self._list_classes()
        self._list_channels()

    def _dress(self) -> None:
        for choice, name, words in (
            (self.of_class, "touchClass", _("The class whose pixels a stroke may change")),
            (self.channel, "touchChannel", _("The channel whose values count; grey is the mean of all")),
        ):
            choice.setObjectName(name)
            choice.setAccessibleName(words)
            choice.setToolTip(words)
            choice.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            choice.setMinimumContentsLength(8)
        for spin, name, words in (
            (self.low, "touchLow", _("The lowest value that a stroke may change")),
            (self.high, "touchHigh", _("The highest value that a stroke may change")),
        ):
            spin.setObjectName(name)
            spin.setAccessibleName(words)
            spin.setToolTip(words)
            spin.setRange(-_WIDEST, _WIDEST)
            spin.setDecimals(4)
            spin.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
            spin.setFixedHeight(26)
            spin.setMinimumWidth(48)
        self.pick.setObjectName("touchPick")
        self.pick.setCheckable(True)
        self.pick.setToolTip(_("Click in the image, or drag a rectangle, to take the values there"))
        self.pick.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        only = QGridLayout(self._class_part)
        only.addWidget(muted_label(_("Class")), 0, 0)
        only.addWidget(self.of_class, 0, 1)
        only.setColumnStretch(1, 1)
        values = QGridLayout(self._range_part)
        values.addWidget(self.channel, 0, 0, 1, 4)
        values.addWidget(self.low, 1, 0)
        values.addWidget(muted_label(_("to")), 1, 1)
        values.addWidget(self.high, 1, 2)
        values.addWidget(self.pick, 1, 3)
        values.setColumnStretch(0, 1)
        values.setColumnStretch(2, 1)
        for grid in (only, values):
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setHorizontalSpacing(8)
            grid.setVerticalSpacing(8)

    def _list_classes(self) -> None:
        self.of_class.clear()
        self.of_class.addItem(_("Where the stroke begins"), None)
        for found in self._project.documents.classes if self._project is not None else ():
            self.of_class.addItem(swatch(found.color), found.name, found.id)
        self._follow()

    def _list_channels(self) -> None:
        """A single channel needs no choice; several begin with grey."""
        display = self._project.navigation.display if self._project is not None else None
        channels = 1 if display is None else display.channels
        if self.channel.count() != (channels + 1 if channels > 1 else 1):
            self.channel.clear()
            if channels > 1:
                self.channel.addItem(_("Grey (mean of the channels)"), None)
            for n in range(channels):
                self.channel.addItem(_("Channel {n}", n=n + 1), n)
        self._follow()

    def _follow(self) -> None:
        touch, limits = self._tools.touch, self._tools.limits
        self._class_part.setVisible(touch is Touch.CLASS)
        self._range_part.setVisible(touch is Touch.RANGE)
        self.setVisible(touch in (Touch.CLASS, Touch.RANGE))
        self.channel.setVisible(self.channel.count() > 1)
        self.pick.setChecked(self._tools.borrowed)
        self.of_class.setCurrentIndex(max(self.of_class.findData(limits.class_id), 0))
        self._show_range()

    def _show_range(self) -> None:
        """Show the range of the chosen channel: where none is set, all values that the image can have."""
        shown = next((r for r in self._tools.limits.ranges if r.channel == self.channel.currentData()), None)
        low, high = self._all_values() if shown is None else (shown.low, shown.high)
        for spin, value in ((self.low, low), (self.high, high)):
            blocked = spin.blockSignals(True)
            spin.setValue(value)
            spin.blockSignals(blocked)

    def _all_values(self) -> tuple[float, float]:
        display = self._project.navigation.display if self._project is not None else None
        if display is None:
            return 0.0, 255.0
        kind, bits = display.dtype.kind, 8 * display.dtype.itemsize
        if kind == "u":
            return 0.0, 2.0**bits - 1
        if kind == "i":
            return -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1
        return display.found.low, display.found.high

    def _typed(self) -> None:
        """Take what was typed. Grey and single channels exclude each other: two rules at once would be a riddle."""
        channel = self.channel.currentData()
        kept = [
            r for r in self._tools.limits.ranges if r.channel != channel and (r.channel is None) == (channel is None)
        ]
        self._tools.limit_values([*kept, ValueRange(self.low.value(), self.high.value(), channel)])

    def _pick(self, wanted: bool) -> None:
        if wanted:
            pick_values(self._tools, grey=self.channel.currentData() is None)
        else:
            self._tools.give_back()
