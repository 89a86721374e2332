"""A clock for a person and a machine that work at the same time; nothing here looks at a real one.

The person does one thing after another: paints, travels, looks. The machine has work of a known length, one piece after
another, and begins none before it is given. Pure: the same events give the same times.
"""

from dataclasses import dataclass

__all__ = ["Find", "Paint", "Speeds", "Timeline", "Travel", "Wait"]


@dataclass(frozen=True, slots=True)
class Speeds:
    """How fast the hand is, in image pixels a second, and how many seconds it takes to find the next thing to do."""

    paint_px_s: float = 400.0
    travel_px_s: float = 800.0
    find_s: float = 0.2

    def __post_init__(self) -> None:
        """Refuse a hand that never arrives."""
        if min(self.paint_px_s, self.travel_px_s) <= 0 or self.find_s < 0:
            raise ValueError("speeds must be positive")


@dataclass(frozen=True, slots=True)
class Paint:
    """A stroke of so many pixels."""

    px: float


@dataclass(frozen=True, slots=True)
class Travel:
    """The way to where the next stroke begins."""

    px: float


@dataclass(frozen=True, slots=True)
class Find:
    """A look for the next error, or for the next key."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds in which the person only watches."""

    seconds: float


@dataclass(slots=True)
class Timeline:
    """`now` is the person's time in seconds, `free_at` when the machine has done all that it was given."""

    speeds: Speeds = Speeds()
    now: float = 0.0
    free_at: float = 0.0

    def does(self, event: Paint | Travel | Find | Wait) -> float:
        """The person does something; returns the time at which it is done. Raises ValueError for a negative length."""
        seconds = self._seconds(event)
        if seconds < 0:
            raise ValueError("nothing takes less than no time")
        self.now += seconds
        return self.now

    def _seconds(self, event: Paint | Travel | Find | Wait) -> float:
        match event:
            case Paint(px):
                return px / self.speeds.paint_px_s
            case Travel(px):
                return px / self.speeds.travel_px_s
            case Find():
                return self.speeds.find_s
            case Wait(seconds):
                return seconds

    def given(self, seconds: float) -> float:
        """The machine is given work now; returns when it will be done, after all that it was given before."""
        self.free_at = max(self.free_at, self.now) + seconds
        return self.free_at

    def awaited(self) -> float:
        """The person waits for the machine."""
        self.now = max(self.now, self.free_at)
        return self.now

    def steps_due(self, per_s: float) -> int:
        """How many training steps, so many a second, the machine has finished since it was last asked; what it has
        begun of another one is not lost.
        """
        steps = max(int((self.now - self.free_at) * per_s + 1e-9), 0)
        self.free_at += steps / per_s
        return steps
