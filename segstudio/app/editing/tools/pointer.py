"""What a pointer did, in image coordinates. Plain values: the canvas makes them, the tools read them."""

from dataclasses import dataclass
from enum import Enum, auto

__all__ = ["Button", "Phase", "Pointer"]


class Phase(Enum):
    """What the pointer did."""

    PRESS = auto()
    MOVE = auto()
    RELEASE = auto()
    HOVER = auto()


class Button(Enum):
    """Which button the event is about; for MOVE the one that is held."""

    NONE = auto()
    LEFT = auto()
    RIGHT = auto()
    MIDDLE = auto()


@dataclass(frozen=True, slots=True)
class Pointer:
    """One pointer event; x, y in image coordinates (0, 0 = outer corner of the first pixel), time in seconds."""

    phase: Phase
    x: float
    y: float
    button: Button = Button.NONE
    shift: bool = False
    ctrl: bool = False
    alt: bool = False
    time: float = 0.0
