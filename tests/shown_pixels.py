"""The samples of an image as it is displayed, whole."""

from typing import Any

from numpy.typing import NDArray

from segstudio.app.viewing.display import DisplayImage
from segstudio.geometry import Rect

__all__ = ["whole"]


def whole(display: DisplayImage | None) -> NDArray[Any]:
    """The samples (h, w, c) at full size of an image that is there."""
    assert display is not None
    return display.samples(0, Rect(0, 0, *display.size))
