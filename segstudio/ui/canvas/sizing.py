"""The size of the brush by hand: dragged with Ctrl, or by the wheel with Alt. Plain values, no Qt."""

from dataclasses import dataclass

__all__ = ["SizeDrag", "wheeled"]

_STEP = 1.15
"""A notch of the wheel changes the radius by so much."""


@dataclass(frozen=True, slots=True)
class SizeDrag:
    """A drag that began at x with a radius (image pixels), `scale` view pixels an image pixel: the edge follows it."""

    x: float
    radius: float
    scale: float

    def radius_at(self, x: float) -> float:
        """The radius while the pointer is there; whoever takes it keeps it within the limits."""
        return self.radius + (x - self.x) / self.scale


def wheeled(radius: float, notches: float) -> float:
    """The radius after turning the wheel by some notches; half a pixel each at least, so that a small one grows too."""
    turned = radius * _STEP**notches
    return turned if abs(turned - radius) >= 0.5 * abs(notches) else radius + 0.5 * notches
