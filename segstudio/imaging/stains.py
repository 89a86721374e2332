"""Stains of a slide as channels: how much haematoxylin, eosin and DAB make the colour of a pixel.

Method: A. C. Ruifrok and D. A. Johnston, Quantification of histochemical staining by color deconvolution, Analytical
and Quantitative Cytology and Histology 23 (2001), 291-299. Dyes absorb, so their optical densities add up, and three of
them are told apart by solving for their amounts.
"""

import numpy as np
from numpy.typing import NDArray

from segstudio.imaging.source import Pixels

__all__ = ["COLORS", "STAINS", "mixed", "separated"]

STAINS = ("haematoxylin", "eosin", "DAB")
COLORS = ("#4B3B8F", "#E05A9C", "#8B5A2B")
"""What the channels are called, and the colour in which each is shown."""

_ABSORBED = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
"""How much of red, green and blue each stain absorbs, as the authors measured it."""

_UNIT = _ABSORBED / np.linalg.norm(_ABSORBED, axis=1, keepdims=True)
_APART = np.linalg.inv(_UNIT)
_DARKEST = 1.0 / 255.0
"""The least share of light that is counted: of a pixel that is black nothing is known but that it is dark."""


def separated(samples: Pixels, white: float = 255.0) -> NDArray[np.float32]:
    """Optical densities (base 10) of haematoxylin, eosin and DAB, float32 (h, w, 3), of RGB samples (h, w, 3).

    `white` is the sample of bare glass; darker than a 255th of it counts as that, and amounts below 0 as 0.
    """
    light = np.clip(samples.astype(np.float32) / np.float32(white), _DARKEST, 1.0)
    amounts = -np.log10(light) @ _APART.astype(np.float32)
    return np.maximum(amounts, 0.0, dtype=np.float32)


def mixed(amounts: NDArray[np.floating], white: float = 255.0) -> NDArray[np.float32]:
    """The opposite: light float32 (h, w, 3), 0 to `white`, that is left by these densities of the stains."""
    return (white * 10.0 ** -(amounts @ _UNIT)).astype(np.float32)
