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


def ome_set(folder: Path, stack: NDArray[Any], names: list[str]) -> None:
    """A stack (c, z, h, w) as an OME-TIFF of a file a channel."""
    channels, slices, height, width = stack.shape
    ids = [f"urn:uuid:00000000-0000-0000-0000-00000000000{i}" for i in range(channels)]
    data = "".join(
        f'<TiffData FirstC="{c}" FirstZ="{z}" IFD="{z}" PlaneCount="1">'
        f'<UUID FileName="{names[c]}">{ids[c]}</UUID></TiffData>'
        for c in range(channels)
        for z in range(slices)
    )
    named = "".join(f'<Channel ID="Channel:0:{c}" SamplesPerPixel="1" Name="dye {c}"/>' for c in range(channels))
    for c in range(channels):
        xml = (
            f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="{ids[c]}"><Image ID="Image:0" Name="a"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
            f'SizeX="{width}" SizeY="{height}" SizeZ="{slices}" SizeC="{channels}" SizeT="1" PhysicalSizeX="0.5" '
            f'PhysicalSizeY="0.5">{named}{data}</Pixels></Image></OME>'
        )
        with tifffile.TiffWriter(folder / names[c]) as file:
            for z in range(slices):
                file.write(stack[c, z], metadata=None, description=xml.encode() if z == 0 else None)
