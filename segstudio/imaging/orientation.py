"""Which way a picture lies in the patient: letters for its edges. Pure functions."""

from math import hypot

from segstudio.imaging.metadata import Affine

__all__ = ["Edges", "edge_letters"]

Edges = tuple[str, str, str, str]
"""The letters at the left, top, right and bottom edge."""

_TOWARDS = ("R", "A", "S")
_AWAY = ("L", "P", "I")
_LEAST = 0.35
"""Of a direction's length: what lies along an axis by less has no letter of its own."""


def edge_letters(affine: Affine) -> Edges:
    """R, L (right, left), A, P (front, back), S, I (head, feet) of the patient; two where a direction is oblique, the
    nearer one first. '' for an axis of no length.
    """
    right, down = (_letters([row[axis] for row in affine]) for axis in (0, 1))
    left, up = (_letters([-row[axis] for row in affine]) for axis in (0, 1))
    return left, up, right, down


def _letters(direction: list[float]) -> str:
    length = hypot(*direction)
    if not length > 0.0:
        return ""
    parts = sorted(range(3), key=lambda axis: -abs(direction[axis]))
    named = [axis for axis in parts[:2] if abs(direction[axis]) / length > _LEAST]
    return "".join(_TOWARDS[axis] if direction[axis] > 0 else _AWAY[axis] for axis in named)
