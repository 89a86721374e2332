"""How long a bar is that stands for a round length in the image. Pure values."""

from dataclasses import dataclass
from math import floor, isfinite, log10

from segstudio.imaging.metadata import Metadata

__all__ = ["ScaleBar", "Spacing", "scale_bar", "spacing_of"]

_ROUND = (5.0, 2.0, 1.0)


@dataclass(frozen=True, slots=True)
class Spacing:
    """How wide a pixel of an image is: `size` in `unit` ('µm', 'mm', 'm')."""

    size: float
    unit: str


def spacing_of(metadata: Metadata) -> Spacing | None:
    """How wide a pixel is by what the file says of it; None where it says nothing, or no unit."""
    return Spacing(metadata.spacing[-1], metadata.unit) if metadata.spacing and metadata.unit else None


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """`length` is 1, 2 or 5 times a power of ten, in `unit`; `view_px` how long that is on screen."""

    length: float
    unit: str
    view_px: float

    @property
    def words(self) -> str:
        """The length with its unit, as it is written beside the bar."""
        return f"{self.length:g} {self.unit}"


def scale_bar(spacing: Spacing | None, scale: float, most_px: float) -> ScaleBar | None:
    """The longest bar of a round length of at most `most_px` view pixels; `scale` is view pixels per image pixel.

    None where the size of a pixel is unknown, or is none.
    """
    if spacing is None or not spacing.size > 0 or not isfinite(spacing.size):
        return None
    most = most_px / scale * spacing.size
    power = 10.0 ** floor(log10(most))
    # Floats: 10 ** 0.3010 must not fall below the 2 that it is.
    length = next((times * power for times in _ROUND if times * power <= most * (1 + 1e-9)), power)
    return ScaleBar(length, spacing.unit, length / spacing.size * scale)
