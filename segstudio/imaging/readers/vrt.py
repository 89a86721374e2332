"""VRT, GDAL's mosaics: a file of XML that names the files its pixels are in.

It may name anything, also an address on the network, a program, or a file that is nobody's business. Before GDAL sees
it, every file it names must be a picture that lies beside it or below, and that GDAL cannot take for something else.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from segstudio.errors import UnreadableImage
from segstudio.imaging.readers.refusal import reading
from segstudio.text import _

if TYPE_CHECKING:
    from segstudio.imaging.readers.raster_file import RasterSource
    from segstudio.imaging.source import ImageInfo

__all__ = ["open_image", "probe", "sources_of"]

_LARGEST = 64 << 20
_DEEPEST = 4
_NAMING = ("SourceFilename", "SourceDataset")
_HIDDEN = ("PixelFunctionCode", "PixelFunctionLanguage", "TransformerCode", "GeoLocTransformer", "RPCTransformer")
"""Elements that hold code, or name files in ways that are not looked into."""
_READ = ("tiff", "png", "jpeg", "jp2", "imagine", "vrt")
"""The families whose files GDAL may open for a mosaic."""


def probe(path: Path) -> "ImageInfo":
    """See `imaging.source.probe`."""
    from segstudio.imaging.readers import raster_file

    sources_of(path)
    return raster_file.probe(path)


def open_image(path: Path) -> "RasterSource":
    """See `imaging.source.open_image`."""
    from segstudio.imaging.readers import raster_file

    sources_of(path)
    return raster_file.open_image(path)


def sources_of(path: Path, depth: int = 0) -> tuple[Path, ...]:
    """The files that a mosaic is made of. Raises `UnreadableImage` where one is missing, or is not to be opened."""
    from segstudio.imaging.readers.table import family_of

    folder, found = Path(os.path.realpath(path.parent)), dict[Path, None]()
    for name, relative in _named(path):
        if "://" in name or name.startswith(("/vsi", "\\\\")):
            raise _refused(path, _("it takes pixels from '{source}', and SegStudio fetches nothing", source=name))
        file = Path(os.path.realpath(folder / name if relative else Path(name)))
        if not (relative or os.path.isabs(name)) or not file.is_relative_to(folder):
            raise _refused(path, _("it takes pixels from '{source}', which does not lie beside it", source=name))
        if file in found:
            continue
        if not file.is_file():
            raise _refused(path, _("'{source}', which it is made of, is missing", source=name))
        if (family := family_of(file).name) not in _READ:
            raise _refused(path, _("'{source}', which it is made of, is in a format not read from there", source=name))
        if family == "vrt":
            if depth == _DEEPEST:
                raise _refused(path, _("it is made of mosaics of mosaics without end"))
            sources_of(file, depth + 1)
        found[file] = None
    return tuple(found)


def _named(path: Path) -> Iterator[tuple[str, bool]]:
    """Each file that a mosaic names, and whether it is named from its own folder."""
    with reading(path, ElementTree.ParseError):
        if path.stat().st_size > _LARGEST:
            raise _refused(path, _("it is too large for a mosaic"))
        text = path.read_bytes()
        # An entity may stand for a text that is not looked at here, or for one without end.
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise _refused(path, _("it declares entities, which no mosaic needs"))
        root = ElementTree.fromstring(text)
    for element in root.iter():
        if element.tag in _HIDDEN or element.get("subClass") in ("VRTRawRasterBand", "VRTProcessedDataset"):
            raise _refused(path, _("it computes its pixels in a way that SegStudio does not follow"))
        if element.tag in _NAMING:
            yield (element.text or "").strip(), element.get("relativeToVRT") == "1"
        elif any(word in (element.text or "") for word in ("/vsi", "://")) and element.tag not in _WORDS:
            raise _refused(path, _("it names '{source}', and SegStudio fetches nothing", source=element.text))


_WORDS = ("SRS", "MDI", "Description", "GeoTransform", "TargetSRS", "SourceSRS")
"""Elements whose text is told and never opened."""


def _refused(path: Path, reason: str) -> UnreadableImage:
    return UnreadableImage(_("{name} cannot be read: {reason}.", name=path.name, reason=reason))
