"""The owner of the tool in hand: the tool, its radius, what it may touch, and what it shows above the image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.tools.base import Cursor, Effect
from segstudio.app.editing.tools.options import Option, OptionValue, fitting
from segstudio.app.editing.tools.table import TOOLS, tool_named
from segstudio.app.values import MAX_RADIUS_PX, MIN_RADIUS_PX
from segstudio.labels.model import Touch

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

    def __init__(self, radius: float = 12.0, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tool = TOOLS["brush"]
        self._radius = radius
        self._touch = Touch.ALL
        self._overlay: Overlay = ()
        self._options: dict[str, OptionValue] = {}
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
    def overlay(self) -> Overlay:
        """What the tool in use shows above the image."""
        return self._overlay

    @property
    def options(self) -> Mapping[str, OptionValue]:
        """The values of options that were set, by name; `value_of` knows those that were not."""
        return MappingProxyType(self._options)

    def value_of(self, option: Option) -> OptionValue:
        """What an option is set to, else its default."""
        return self._options.get(option.name, option.default)

    def values(self) -> Mapping[str, OptionValue]:
        """The values of the options of the chosen tool by name."""
        return {option.name: self.value_of(option) for option in self._tool.options}

    def set_option(self, name: str, value: OptionValue) -> None:
        """Set an option of the chosen tool; a number beyond its limits becomes the nearest.

        Raises `ValueError` where the tool has no such option, or it cannot be this.
        """
        option = next((one for one in self._tool.options if one.name == name), None)
        found = None if option is None else fitting(option, value)
        if found is None:
            raise ValueError(f"the tool '{self._tool.name}' has no option {name}={value!r}")
        if found != self._options.get(name):
            self._options[name] = found
            self.changed.emit()

    def choose(self, name: str) -> None:
        """Choose a tool; one under way goes on until it ends. Raises `UserError` where there is none of this name."""
        self._tool = tool_named(name)
        self.changed.emit()

    def turn_pen(self, *, eraser: bool) -> None:
        """A pen was turned round: its eraser end erases while it is used, then the tool from before is back."""
        if eraser and self._before_eraser is None and self._tool.effect is not Effect.UNKNOWN:
            rows = (row for row in TOOLS.values() if row.effect is Effect.UNKNOWN and row.cursor is Cursor.RING)
            if (row := next(rows, None)) is not None:
                self._before_eraser = self._tool.name
                self.choose(row.name)
        elif not eraser and self._before_eraser is not None:
            before, self._before_eraser = self._before_eraser, None
            self.choose(before)

    def set_radius(self, px: float) -> None:
        """Set the radius in image pixels; one beyond `MIN_RADIUS_PX` or `MAX_RADIUS_PX` becomes the nearest."""
        self._radius = min(MAX_RADIUS_PX, max(MIN_RADIUS_PX, float(px)))
        self.changed.emit()

    def set_touch(self, touch: Touch) -> None:
        """Set which pixels a stroke may change."""
        self._touch = touch
        self.changed.emit()

    def show(self, overlay: Overlay) -> None:
        """Take what the tool in use shows now."""
        if overlay or self._overlay:
            self._overlay = overlay
            self.overlayChanged.emit()
