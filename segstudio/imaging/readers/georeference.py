"""Where a raster lies on a map, and what its bands are called: what rasterio says of a file, as plain values."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segstudio.imaging.metadata import Channel, Metadata, Transform
from segstudio.text import N_

__all__ = ["CRS_BESIDE", "metadata_of"]

CRS_BESIDE = (".prj",)
"""The endings of files beside a picture that name its coordinate system."""

_ROTATED = N_("The picture lies turned on the map: distances are measured along its rows and columns.")
_SKEWED = N_("The picture is skewed on the map: areas and distances in it are not to scale.")
_DEGREES = N_("The coordinates are in degrees, so the size of a pixel in metres is not known.")
_NO_UNIT = N_("The coordinate system has no unit of length, so the size of a pixel in metres is not known.")
_NO_CRS = N_("The file says where the picture lies, but not in which coordinate system.")
_NO_TRANSFORM = N_("The file names a coordinate system, but not where the picture lies in it.")
_SINGULAR = N_("The file does not say where the picture lies: its transform has no inverse.")
_POINTS = N_("The file gives only control points for its place on the map; they are not used.")
_SQUARE = 1e-3
"""The cosine of the angle between rows and columns up to which that counts as a right one."""


def metadata_of(path: Path, dataset: Any, bands: Sequence[int]) -> Metadata:
    """What an open dataset says of these bands, which are the channels, counted from 1. Within `gdal`."""
    transform = _transform(dataset)
    crs = dataset.crs or _crs_beside(path)
    notes: list[str] = []
    spacing: tuple[float, float] | None = None
    if transform is None:
        notes += [_SINGULAR] if _is_singular(dataset) else [_POINTS] if dataset.gcps[0] else [_NO_TRANSFORM] * bool(crs)
    else:
        metre, note = _unit(crs)
        notes += [note] if note else []
        notes += _angles(transform)
        a, b, _c, d, e, _f = transform
        spacing = None if metre is None else (math.hypot(b, e) * metre, math.hypot(a, d) * metre)
    nodata, several = _nodata(dataset, bands)
    return Metadata(
        channels=_channels(dataset, bands),
        spacing=spacing,
        unit="m" if spacing else "",
        crs=_text(crs),
        transform=transform,
        nodata=nodata,
        masked=several or _is_masked(dataset, bands),
        notes=tuple(notes),
    )


def _transform(dataset: Any) -> Transform | None:
    found = dataset.transform
    if found.is_identity or not all(map(math.isfinite, found[:6])) or abs(found.determinant) == 0.0:
        return None
    a, b, c, d, e, f = (float(value) for value in found[:6])
    return a, b, c, d, e, f


def _is_singular(dataset: Any) -> bool:
    found = dataset.transform
    return not all(map(math.isfinite, found[:6])) or found.determinant == 0.0


def _crs_beside(path: Path) -> Any:
    """The coordinate system in a .prj file beside the picture, None if there is none that can be read."""
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    for ending in CRS_BESIDE:
        try:
            return CRS.from_wkt(path.with_suffix(ending).read_text("utf-8", "replace"), morph_from_esri_dialect=True)
        except (OSError, CRSError):
            continue
    return None


def _text(crs: Any) -> str:
    if not crs:
        return ""
    number = crs.to_epsg()
    return f"EPSG:{number}" if number else str(crs.to_wkt())


def _unit(crs: Any) -> tuple[float | None, str]:
    """How many metres a unit of the coordinates is, or None and why that is not known."""
    from rasterio.errors import CRSError

    if not crs:
        return None, _NO_CRS
    if crs.is_geographic:
        return None, _DEGREES
    try:
        name, factor = crs.linear_units_factor
    except CRSError:
        return None, _NO_UNIT
    known = math.isfinite(factor) and factor > 0.0 and str(name).lower() not in ("", "unknown", "unnamed")
    return (float(factor), "") if known else (None, _NO_UNIT)


def _angles(transform: Transform) -> list[str]:
    a, b, _c, d, e, _f = transform
    if abs(a * b + d * e) > _SQUARE * math.hypot(a, d) * math.hypot(b, e):
        return [_SKEWED]
    return [_ROTATED] if b or d else []


def _nodata(dataset: Any, bands: Sequence[int]) -> tuple[float | None, bool]:
    """The value that means no data where all bands have the same, and whether they have several, or NaN, which JSON
    cannot hold.
    """
    values = [dataset.nodatavals[band - 1] for band in bands]
    if any(value is None for value in values):
        return None, False
    first = float(values[0])
    same = math.isfinite(first) and all(float(value) == first for value in values)
    return (first, False) if same else (None, True)


def _is_masked(dataset: Any, bands: Sequence[int]) -> bool:
    """Whether a mask or a band of opacity says where the picture ends."""
    from rasterio.enums import MaskFlags

    flags = dataset.mask_flag_enums[bands[0] - 1]
    return MaskFlags.per_dataset in flags or MaskFlags.alpha in flags


def _channels(dataset: Any, bands: Sequence[int]) -> tuple[Channel, ...]:
    """The bands by their descriptions, else by what they are said to be; () where neither says anything."""
    names = [str(dataset.descriptions[band - 1] or "") for band in bands]
    if not any(names):
        return ()
    return tuple(Channel(name) for name in names)
