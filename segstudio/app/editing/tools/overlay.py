"""What a tool shows above the image while it is used: shapes in image coordinates. Values: the canvas draws them.

Lines and handles keep their width on the screen at every zoom. A shape that is the same object as one shown before
costs nothing: a tool keeps what has not changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    # Drawn without NumPy, but for patches.
    import numpy as np
    from numpy.typing import NDArray

    from segstudio.geometry import Rect

__all__ = ["Circle", "Handles", "Overlay", "Patch", "Point", "Polyline", "Shape", "Words", "reused"]

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Polyline:
    """A line through points; `closed` makes it a polygon, `dashed` a rubber band.

    `fill` ('#rrggbb' or '') tints the inside weakly, by the even-odd rule; without `stroked` there is no line.
    """

    points: tuple[Point, ...]
    closed: bool = False
    dashed: bool = False
    fill: str = ""
    stroked: bool = True


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle around (x, y), `radius` in image pixels."""

    x: float
    y: float
    radius: float
    dashed: bool = False
    fill: str = ""


@dataclass(frozen=True, slots=True)
class Handles:
    """Points that can be taken hold of; `hot` is the index of the one that would be, -1 for none."""

    points: tuple[Point, ...]
    hot: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Pixels tinted with a colour: `mask` is a bool array (h, w) over `rect`, or a coarser one stretched over it."""

    rect: Rect
    mask: NDArray[np.bool_]
    color: str


@dataclass(frozen=True, slots=True)
class Words:
    """A short line of text beside the point (x, y): a value that the hand is setting."""

    x: float
    y: float
    text: str


Shape: TypeAlias = Polyline | Circle | Handles | Patch | Words
Overlay: TypeAlias = tuple[Shape, ...]


def reused(overlay: Overlay, before: Overlay) -> Overlay:
    """The same shapes, those that are equal to the ones shown before in their places as the same objects."""
    kept = tuple(old if old == new else new for old, new in zip(before, overlay, strict=False))
    return (*kept, *overlay[len(kept) :])
