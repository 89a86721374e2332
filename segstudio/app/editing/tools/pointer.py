"""Events of pointer and keys, in image coordinates. Plain values: the canvas makes them, the tools read them."""

from enum import Enum, auto
from typing import NamedTuple

__all__ = ["Button", "Key", "KeyEvent", "Phase", "Pointer"]


class Phase(Enum):
    """What the pointer did; DOUBLE stands in the place of the second press of a quick pair, LEAVE for going away."""

    PRESS = auto()
    MOVE = auto()
    RELEASE = auto()
    HOVER = auto()
    DOUBLE = auto()
    LEAVE = auto()


class Button(Enum):
    """Which button the event is about; for MOVE the one that is held."""

    NONE = auto()
    LEFT = auto()
    RIGHT = auto()
    MIDDLE = auto()


class Key(Enum):
    """The keys that a tool under way can take before the window does; both Return and Enter are ENTER."""

    ENTER = auto()
    ESCAPE = auto()
    BACKSPACE = auto()
    DELETE = auto()
    TAB = auto()
    SHIFT = auto()
    CTRL = auto()
    ALT = auto()


class Pointer(NamedTuple):
    """One pointer event; x, y in image coordinates (0, 0 = outer corner of the first pixel), time in seconds.

    `scale` is the view's, in view pixels for an image pixel: what is near is a matter of the screen. `pressure` is that
    of a pen, 0 ... 1; a mouse has 1.
    """

    phase: Phase
    x: float
    y: float
    button: Button = Button.NONE
    shift: bool = False
    ctrl: bool = False
    alt: bool = False
    time: float = 0.0
    scale: float = 1.0
    pressure: float = 1.0

    @property
    def at(self) -> tuple[float, float]:
        """The position (x, y)."""
        return self.x, self.y


class KeyEvent(NamedTuple):
    """A key went down or up, with the modifiers that are held. A key that repeats goes down again and again."""

    key: Key
    down: bool = True
    shift: bool = False
    ctrl: bool = False
    alt: bool = False
