"""The owner of the tool in hand: the tool, its radius, what it may touch and begins, what it shows above the image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.tools.base import Cursor, Effect
from segstudio.app.editing.tools.options import Option, OptionValue, fitting
from segstudio.app.editing.tools.table import TOOLS, tool_named
from segstudio.app.values import MAX_RADIUS_PX, MIN_RADIUS_PX
from segstudio.errors import UserError
from segstudio.labels.model import ClassId, Touch
from segstudio.labels.paint.limits import Limits, ValueRange
from segstudio.text import _

if TYPE_CHECKING:
    from segstudio.app.editing.tools.base import Tool
    from segstudio.app.editing.tools.overlay import Overlay

__all__ = ["Question", "ToolState"]


@dataclass(frozen=True, slots=True)
class Question:
    """A tool's question, and the ticket under which the result is returned to it."""

    ticket: int
    what: object


class ToolState(QObject):
    """Lives as long as the window's session, whichever project is open. `viewChosen` carries the `View` in which a tool
    wants to show the image.
    """

    changed = Signal()
    overlayChanged = Signal()
    asked = Signal(object)
    viewChosen = Signal(object)

    def __init__(
        self,
        radius: float = 12.0,
        parent: QObject | None = None,
        *,
        options: Mapping[str, OptionValue] | None = None,
    ) -> None:
        """`options` are values by name from another time; what an option cannot be is not used."""
        super().__init__(parent)
        self._tool = TOOLS["brush"]
        self._radius = radius
        self._lender: Tool | None = None
        self._touch = Touch.ALL
        self._new_object = False
        self._limits = Limits()
        self._overlay: Overlay = ()
        self._options: dict[str, OptionValue] = dict(options or {})
        self._fitted: tuple[Tool, Mapping[str, OptionValue]] | None = None
        self._before_eraser: str | None = None

    @property
    def tool(self) -> Tool:
        """The row of the tool that was chosen."""
        return self._tool

    @property
    def radius(self) -> float:
        """Radius of brush and eraser in image pixels."""
        return self._radius

    @property
    def touch(self) -> Touch:
        """Which pixels a stroke may change."""
        return self._touch

    @property
    def new_object(self) -> bool:
        """Whether the next stroke of an instance class begins an object, wherever it starts."""
        return self._new_object

    @property
    def limits(self) -> Limits:
        """What was chosen for the policies of one class and of a range of values."""
        return self._limits

    @property
    def borrowed(self) -> bool:
        """Whether the tool in hand is one that is given back after use."""
        return self._lender is not None

    @property
    def overlay(self) -> Overlay:
        """What the tool in use shows above the image."""
        return self._overlay

    @property
    def options(self) -> Mapping[str, OptionValue]:
        """The values of options that were set, by name; `value_of` knows those that were not."""
        return MappingProxyType(self._options)

    def value_of(self, option: Option) -> OptionValue:
        """What an option is set to, else its default."""
        found = fitting(option, self._options.get(option.name))
        return option.default if found is None else found

    def values(self) -> Mapping[str, OptionValue]:
        """The values of the options of the chosen tool by name; the same mapping until one of them changes."""
        if self._fitted is None or self._fitted[0] is not self._tool:
            found = {option.name: self.value_of(option) for option in self._tool.options}
            self._fitted = self._tool, MappingProxyType(found)
        return self._fitted[1]

    def set_option(self, name: str, value: OptionValue) -> None:
        """Set an option of the chosen tool; a number beyond its limits becomes the nearest.

        Raises `ValueError` where the tool has no such option, or it cannot be this.
        """
        self.keep(self._tool, {name: value})

    def keep(self, tool: Tool, values: Mapping[str, OptionValue]) -> None:
        """Set options of any tool, as `set_option` does those of the chosen one."""
        rows = {option.name: option for option in tool.options}
        found = {name: fitting(rows[name], value) if name in rows else None for name, value in values.items()}
        fits = {name: value for name, value in found.items() if value is not None}
        if len(fits) < len(found):
            raise ValueError(f"the tool '{tool.name}' has no such options: {values}")
        if any(self._options.get(name) != value for name, value in fits.items()):
            self._options.update(fits)
            self._fitted = None
            self.changed.emit()

    def keep_option(self, option: Option, value: OptionValue) -> None:
        """Set an option that is not only the chosen tool's, to a value that fits it."""
        if value != self._options.get(option.name):
            self._options[option.name] = value
            self._fitted = None
            self.changed.emit()

    def choose(self, name: str) -> None:
        """Choose a tool; one under way goes on until it ends. Raises `UserError` where there is none of this name."""
        self._tool, self._lender = tool_named(name), None
        self.changed.emit()

    def turn_pen(self, *, eraser: bool) -> None:
        """A pen was turned round: its eraser end erases while it is used, then the tool from before is back."""
        if eraser and self._before_eraser is None and self._tool.effect is not Effect.UNKNOWN:
            self.give_back()
            rows = (row for row in TOOLS.values() if row.effect is Effect.UNKNOWN and row.cursor is Cursor.RING)
            if (row := next(rows, None)) is not None:
                self._before_eraser = self._tool.name
                self.choose(row.name)
        elif not eraser and self._before_eraser is not None:
            before, self._before_eraser = self._before_eraser, None
            self.choose(before)

    def borrow(self, row: Tool) -> None:
        """Use a tool that no table lists, until `give_back` or until another is chosen."""
        self._lender = self._lender or self._tool
        self._tool = row
        self.changed.emit()

    def give_back(self) -> None:
        """Use the tool again that was in hand before one was borrowed."""
        if self._lender is not None:
            self._tool, self._lender = self._lender, None
            self.changed.emit()

    def set_radius(self, px: float) -> None:
        """Set the radius in image pixels; one beyond `MIN_RADIUS_PX` or `MAX_RADIUS_PX` becomes the nearest."""
        self._radius = min(MAX_RADIUS_PX, max(MIN_RADIUS_PX, float(px)))
        self.changed.emit()

    def set_tolerance(self, share: float) -> None:
        """Set the tolerance of the tools that have one, 0 to 1; a value beyond becomes the nearest."""
        self.keep(TOOLS["wand"], {"tolerance": round(100.0 * share, 6)})

    def set_touch(self, touch: Touch | str) -> None:
        """Set which pixels a stroke may change. Raises `UserError` for a name that is none of `Touch`."""
        if touch not in list(Touch):
            names = ", ".join(Touch)
            raise UserError(
                _("A stroke cannot be limited to '{name}'; choose one of {names}.", name=touch, names=names)
            )
        self._touch = Touch(touch)
        self.changed.emit()

    def limit_class(self, class_id: ClassId | None) -> None:
        """Set the class that the policy CLASS means; None = the one under the first point of a stroke."""
        self._limits = replace(self._limits, class_id=class_id)
        self.changed.emit()

    def limit_values(self, ranges: Iterable[ValueRange]) -> None:
        """Set the values that the policy RANGE means: all ranges have to hold, none = every value."""
        self._limits = replace(self._limits, ranges=tuple(ranges))
        self.changed.emit()

    def set_new_object(self, on: bool) -> None:
        """Let the next stroke of an instance class begin an object, or let it go on with the one where it starts."""
        if on is not self._new_object:
            self._new_object = on
            self.changed.emit()

    def show(self, overlay: Overlay) -> None:
        """Take what the tool in use shows now."""
        if overlay or self._overlay:
            self._overlay = overlay
            self.overlayChanged.emit()
