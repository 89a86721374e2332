"""What a TIFF of a microscope says beside its pixels: axes, channels and the size of a pixel.

OME-TIFF, ImageJ and scanned slides say it, each in its own way; all lengths become micrometres. Of a slide nothing
else of its description is taken: that may hold names and numbers of a patient.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from segstudio.imaging.metadata import PLAIN, Channel, Metadata, Window
from segstudio.imaging.readers.tiff_series import SLIDES, has_label
from segstudio.text import N_

if TYPE_CHECKING:
    import tifffile

__all__ = ["described", "micrometres"]

_MICROMETRES = {
    "µm": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "nm": 1e-3, "pm": 1e-6, "å": 1e-4,
    "mm": 1e3, "cm": 1e4, "m": 1e6, "in": 25400.0, "inch": 25400.0,
}  # fmt: skip
_INCH, _CENTIMETRE = 2, 3
_LARGEST_PIXEL = 100.0
"""Micrometres: a resolution that makes the pixels of a slide larger is a default of whatever wrote it."""

_NOT_STITCHED = N_("The tiles of this slide overlap and are not stitched: what lies at their edges may be seen twice.")


def described(file: "tifffile.TiffFile", place: int, others: tuple[tuple[str, int], ...], channels: int) -> Metadata:
    """What is said of the series at `place`: `others` are its axes that count planes, with their lengths."""
    series = file.series[place]
    kind = str(series.kind)
    axes, sizes = _axes(others)
    found: tuple[tuple[Channel, ...], tuple[float | None, ...]] = ((), ())
    windows: tuple[Window, ...] = ()
    if kind == "ome":
        found = _ome(file.ome_metadata or "", series, len(file.series), place)
    elif kind == "imagej":
        found, windows = _imagej(file, channels), _imagej_windows(file.imagej_metadata or {}, channels)
    elif kind in SLIDES:
        found = _slide_channels(series, channels), _slide_spacing(file, series)
    named, (z, y, x) = found[0], (*found[1], None, None, None)[:3]
    spacing = None if y is None or x is None else (z, y, x) if "z" in axes and z is not None else (y, x)
    facts = Metadata(
        axes=axes,
        sizes=sizes,
        channels=named if len(named) == channels and any(c != Channel() for c in named) else (),
        spacing=spacing,
        unit="µm" if spacing else "",
        windows=windows,
        notes=(_NOT_STITCHED,) if kind == "bif" else (),
        personal=has_label(file.series),
    )
    return PLAIN if facts == PLAIN else facts


def micrometres(value: object, unit: object) -> float | None:
    """A length in micrometres; None where it is no length above 0 or its unit is unknown."""
    name = str(unit).replace("\\u00B5", "µ").replace("\u03bc", "µ").strip().lower()
    try:
        length = float(str(value)) * _MICROMETRES[name]
    except (ValueError, KeyError):
        return None
    return length if 0.0 < length < float("inf") else None


def _axes(others: tuple[tuple[str, int], ...]) -> tuple[str, tuple[int, ...]]:
    """Names and lengths of the axes of the planes; of pages of which nothing is known, none."""
    if not others or all(axis in "IQ" for axis, _length in others):
        return "yx", ()
    return "".join(axis for axis, _length in others).lower() + "yx", tuple(length for _axis, length in others)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _ome(
    xml: str, series: "tifffile.TiffPageSeries", count: int, place: int
) -> tuple[tuple[Channel, ...], tuple[float | None, ...]]:
    """Channels, and micrometres along z, y, x, of the image of a series."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return (), ()
    images = [element for element in root if _tag(element) == "Image"]
    named = [image for image in images if image.get("Name") == series.name]
    if len(images) != count and len(named) == 1:
        image = named[0]
    elif place < len(images):
        image = images[place]
    else:
        return (), ()
    pixels = next((element for element in image if _tag(element) == "Pixels"), None)
    if pixels is None:
        return (), ()
    told = [element for element in pixels if _tag(element) == "Channel"]
    samples = [int(element.get("SamplesPerPixel", "1")) for element in told]
    channels = tuple(_ome_channel(element) for element in told) if all(n == 1 for n in samples) else ()
    lengths = [
        micrometres(pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm")) for axis in "ZYX"
    ]
    return channels, tuple(lengths)


def _ome_channel(element: ElementTree.Element) -> Channel:
    """Its name, else its dye; its colour is a signed number of which the bytes are red, green, blue, opacity."""
    color = element.get("Color", "")
    try:
        color = f"#{(int(color) & 0xFFFFFFFF) >> 8:06X}" if color else ""
    except ValueError:
        color = ""
    return Channel(element.get("Name") or element.get("Fluor") or "", color)


def _imagej(file: "tifffile.TiffFile", channels: int) -> tuple[tuple[Channel, ...], tuple[float | None, ...]]:
    meta: Mapping[str, Any] = file.imagej_metadata or {}
    page = file.pages.first
    unit = meta.get("unit", "")
    y, x = (_pixel(page.tags.valueof(tag), unit) for tag in (283, 282))
    tables = meta.get("LUTs")
    named = tuple(Channel(color=_brightest(table)) for table in tables) if tables and len(tables) == channels else ()
    return named, (micrometres(meta.get("spacing"), unit), y, x)


def _pixel(resolution: object, unit: object) -> float | None:
    """Micrometres of a pixel; the resolution is pixels a unit, as a fraction."""
    if not isinstance(resolution, tuple) or len(resolution) != 2 or not all(resolution):
        return None
    return micrometres(resolution[1] / resolution[0], unit)


def _brightest(table: Any) -> str:
    """The colour that a table (3, 256) gives to the highest value."""
    red, green, blue = (int(value) for value in np.asarray(table)[:3, -1])
    return f"#{red:02X}{green:02X}{blue:02X}"


def _imagej_windows(meta: Mapping[str, Any], channels: int) -> tuple[Window, ...]:
    low, high = meta.get("min"), meta.get("max")
    if channels != 1 or not isinstance(low, int | float) or not isinstance(high, int | float) or not low < high:
        return ()
    return (Window((low + high) / 2, high - low),)


def _slide_channels(series: "tifffile.TiffPageSeries", channels: int) -> tuple[Channel, ...]:
    """Names and colours as Akoya's scanners write them, a page a channel."""
    if series.kind != "qpi" or len(series.pages) != channels:
        return ()
    return tuple(_qpi_channel(str(getattr(page, "description", ""))) for page in series.pages)


def _qpi_channel(xml: str) -> Channel:
    name, color = re.search(r"<Name>([^<]*)</Name>", xml), re.search(r"<Color>(\d+),(\d+),(\d+)</Color>", xml)
    shade = "" if color is None else "#" + "".join(f"{min(int(part), 255):02X}" for part in color.groups())
    return Channel("" if name is None else name[1], shade)


def _slide_spacing(file: "tifffile.TiffFile", series: "tifffile.TiffPageSeries") -> tuple[float | None, ...]:
    """Micrometres along z, y, x."""
    page = file.pages.first
    text = str(page.description)
    if series.kind == "svs":
        found = re.search(r"\bMPP\s*=\s*([0-9.eE+-]+)", text)
        size = None if found is None else micrometres(found[1], "µm")
        return None, size, size
    if series.kind == "philips":
        return None, *_philips_spacing(file.philips_metadata or "")
    if series.kind == "scn":
        return None, *_scn_spacing(text, series.name)
    if series.kind == "bif":
        found = re.search(rb"ScanRes=[\"']([0-9.]+)", bytes(page.tags.valueof(700) or b""))
        size = None if found is None else micrometres(found[1].decode(), "µm")
        return None, size, size
    unit = {_INCH: "inch", _CENTIMETRE: "cm"}.get(page.tags.valueof(296) or 0, "")
    sizes = [_pixel(series.keyframe.tags.valueof(tag), unit) for tag in (283, 282)]
    return None, *(size if size is not None and size <= _LARGEST_PIXEL else None for size in sizes)


def _philips_spacing(xml: str) -> tuple[float | None, float | None]:
    found = re.search(r'DICOM_PIXEL_SPACING"[^>]*>([^<]*)<', xml)
    numbers = re.findall(r"[0-9.eE+-]+", found[1]) if found is not None else []
    return (micrometres(numbers[0], "mm"), micrometres(numbers[1], "mm")) if len(numbers) >= 2 else (None, None)


def _scn_spacing(xml: str, name: str) -> tuple[float | None, float | None]:
    """Of Leica's file the size of each scan is told in nanometres."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return None, None
    for image in root.iter():
        if _tag(image) != "image" or image.get("name", "Unknown") != name:
            continue
        parts = {_tag(part): part for part in image}
        if "view" in parts and "pixels" in parts:
            sizes = [
                _ratio(parts["view"].get(f"size{axis}"), parts["pixels"].get(f"size{axis}")) for axis in ("Y", "X")
            ]
            return sizes[0], sizes[1]
    return None, None


def _ratio(length: str | None, pixels: str | None) -> float | None:
    try:
        return micrometres(float(length or "") / float(pixels or ""), "nm")
    except (ValueError, ZeroDivisionError):
        return None
