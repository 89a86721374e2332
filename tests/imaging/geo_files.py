"""Small georeferenced files for tests."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

UTM = "EPSG:32633"
NORTH_UP = (0.5, 0.0, 500_000.0, 0.0, -0.5, 5_000_000.0)
"""Half a metre a pixel."""


def noise(shape: tuple[int, ...], dtype: str = "uint8", low: int = 1, high: int = 255) -> NDArray[Any]:
    """Samples (h, w, c) that are the same at every call."""
    return np.random.default_rng(7).integers(low, high, shape).astype(dtype)


def write_raster(
    path: Path,
    samples: NDArray[Any],
    driver: str = "GTiff",
    *,
    crs: str | None = UTM,
    transform: tuple[float, ...] | None = NORTH_UP,
    names: tuple[str, ...] = (),
    overviews: tuple[int, ...] = (),
    mask: NDArray[np.bool_] | None = None,
    **profile: Any,
) -> Path:
    """Samples (h, w, c) as a file of a driver of GDAL, with the names of its bands, smaller copies, and a mask."""
    import rasterio
    from affine import Affine
    from rasterio.enums import Resampling

    height, width, count = samples.shape
    if crs is not None:
        profile["crs"] = crs
    if transform is not None:
        profile["transform"] = Affine(*transform)
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path, "w", driver=driver, width=width, height=height, count=count, dtype=samples.dtype, **profile
        ) as out,
    ):
        out.write(np.moveaxis(samples, -1, 0))
        for band, name in enumerate(names, 1):
            out.set_band_description(band, name)
        if mask is not None:
            out.write_mask(mask)
        if overviews:
            out.build_overviews(overviews, Resampling.nearest)
    return path
