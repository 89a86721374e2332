"""Small files as microscopes and slide scanners write them."""

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

__all__ = ["noise", "slide"]


def noise(*shape: int, dtype: Any = np.uint16, seed: int = 3) -> NDArray[Any]:
    """Samples that differ everywhere."""
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def slide(path: Path, scan: NDArray[np.uint8], compression: str | int | None = None) -> None:
    """A scan (h, w, 3) as Aperio's scanners write it: thumbnail, two levels, label and macro beside it."""
    said = "Aperio Image Library v12.0.15\r\n{} |AppMag = 20|MPP = 0.4990|Filename = Jane Doe 1961"
    rest = {"photometric": "rgb", "metadata": None}
    with tifffile.TiffWriter(path) as file:
        file.write(scan, tile=(64, 64), compression=compression, description=said.format("level 0"), **rest)
        file.write(scan[::8, ::8], description=said.format("thumbnail"), rowsperstrip=16, **rest)
        for step in (2, 4):
            small = scan[::step, ::step]
            file.write(small, tile=(64, 64), compression=compression, description=said.format(step), **rest)
        label, macro = np.full((30, 40, 3), 11, np.uint8), np.full((30, 40, 3), 22, np.uint8)
        file.write(label, description=said.format("label 30x40"), subfiletype=1, rowsperstrip=16, **rest)
        file.write(macro, description=said.format("macro 30x40"), subfiletype=9, rowsperstrip=16, **rest)
