"""Colour maps: 256 colours for the shades of one channel, by name. Each tells more values apart than grey does."""

from functools import lru_cache
from typing import TYPE_CHECKING

from segstudio.text import N_

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["COLOUR_MAPS", "colour_map"]

COLOUR_MAPS = {
    "viridis": N_("Viridis"),
    "magma": N_("Magma"),
    "inferno": N_("Inferno"),
    "plasma": N_("Plasma"),
    "cividis": N_("Cividis"),
    "turbo": N_("Turbo"),
    "hot": N_("Hot"),
    "bone": N_("Bone"),
}
"""Their names, and what a person reads, translated when shown."""


@lru_cache(maxsize=len(COLOUR_MAPS))
def colour_map(name: str) -> "NDArray[np.uint8]":
    """The colours uint8 (256, 3), red first, from the darkest shade to the lightest. Raises `KeyError`."""
    import cv2
    import numpy as np

    if name not in COLOUR_MAPS:
        raise KeyError(name)
    shades = np.arange(256, dtype=np.uint8)[:, None]
    table = np.asarray(cv2.applyColorMap(shades, getattr(cv2, f"COLORMAP_{name.upper()}")), np.uint8)
    table = np.ascontiguousarray(table[:, 0, ::-1])
    table.setflags(write=False)
    return table
