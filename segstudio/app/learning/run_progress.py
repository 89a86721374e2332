"""How far a run is, from its steps. Pure functions; no Qt."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segstudio.runs import Stepped

__all__ = ["seconds_left", "share_done"]


def seconds_left(last: "Stepped", steps: int, max_seconds: float | None, rate: float) -> float | None:
    """Seconds until the clock or the number of steps ends a run, at `rate` steps a second; None where nobody knows."""
    guesses = [max_seconds - last.seconds] if max_seconds is not None else []
    if rate > 0 and steps:
        guesses.append((steps - last.step) / rate)
    return max(0.0, min(guesses)) if guesses else None


def share_done(last: "Stepped", steps: int, max_seconds: float | None) -> float:
    """How much of a run is over, 0..1, by its steps or by the clock: by what is further."""
    parts = [last.step / steps] if steps else [0.0]
    if max_seconds:
        parts.append(last.seconds / max_seconds)
    return min(1.0, max(parts))
