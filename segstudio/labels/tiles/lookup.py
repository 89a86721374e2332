"""Looking up many small numbers in a table."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["PLACES", "looked_up"]

PLACES = 256
"""The length of a table: every place that a byte can name."""

T = TypeVar("T", np.uint8, np.int32)


def looked_up(places: NDArray[np.uint8], table: NDArray[T]) -> NDArray[T]:
    """The entries (of the shape of `places`) of a table (256,): a third of numpy's time, since the places are not
    widened first.
    """
    import cv2

    return np.asarray(cv2.LUT(places, table), table.dtype).reshape(places.shape)
