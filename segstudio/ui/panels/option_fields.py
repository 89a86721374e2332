"""The fields of a tool's options, made from its rows: a number, a choice, a check box."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from segstudio.app.editing.tools import options
from segstudio.app.editing.tools.options import Option, OptionValue
from segstudio.text import _
from segstudio.ui.panels.controls import Choice, ElidedLabel, PixelSpin, Tick

if TYPE_CHECKING:
    from segstudio.app.editing.tool_state import ToolState

__all__ = ["OptionField", "option_field"]


class OptionField:
    """`widget` shows the value of an option and sets it, `label` names it where it does not itself.

    The object name is `option-NAME`.
    """

    def __init__(self, option: Option, widget: QWidget, show: Callable[[OptionValue], object]) -> None:
        self.option, self.widget, self._show = option, widget, show
        self.label = None if isinstance(option, options.Flag) else ElidedLabel(_(option.title))
        if self.label is not None:
            self.label.setProperty("role", "muted")
        widget.setObjectName(f"option-{option.name}")
        widget.setAccessibleName(_(option.title))
        widget.setToolTip(_(option.tip))

    def follow(self, value: OptionValue) -> None:
        """Show a value without setting it."""
        blocked = self.widget.blockSignals(True)
        self._show(value)
        self.widget.blockSignals(blocked)


def option_field(option: Option, tools: "ToolState") -> OptionField:
    """The field of one option of the chosen tool."""

    def set_to(value: OptionValue) -> None:
        tools.set_option(option.name, value)

    match option:
        case options.Number():
            spin = PixelSpin()
            spin.setDecimals(option.decimals)
            spin.setRange(option.low, option.high)
            spin.setSingleStep(option.step)
            spin.setSuffix(_(option.suffix) if option.suffix else "")
            spin.setFixedSize(72, 26)
            spin.valueChanged.connect(set_to)
            return OptionField(option, spin, lambda value: spin.setValue(float(value)))
        case options.Choice():
            box = Choice()
            box.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
            for value, words in option.choices:
                box.addItem(_(words), value)
            box.activated.connect(lambda place: set_to(box.itemData(place)))
            return OptionField(option, box, lambda value: box.setCurrentIndex(box.findData(value)))
        case options.Flag():
            tick = Tick(_(option.title))
            tick.toggled.connect(set_to)
            return OptionField(option, tick, lambda value: tick.setChecked(bool(value)))
