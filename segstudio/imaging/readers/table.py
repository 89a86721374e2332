"""The families of image files that can be read, each listed once. Told apart by their first bytes."""

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from segstudio.errors import UnreadableImage
from segstudio.imaging.readers.metaimage import is_metaimage
from segstudio.imaging.readers.nifti import is_nifti, unzipped
from segstudio.imaging.readers.refusal import refused
from segstudio.imaging.readers.tiff_software import software_of
from segstudio.imaging.source import ImageInfo, ImageSource, Stored
from segstudio.registry import Registry, named
from segstudio.text import N_, _

__all__ = [
    "FAMILIES",
    "MASK_MARK",
    "NAMING_OTHERS",
    "NOT_PLAIN",
    "OWN_MASK",
    "Content",
    "Family",
    "Gathered",
    "NotReadYetError",
    "Reader",
    "SeriesReader",
    "content_of",
    "family_of",
    "is_palette_png",
    "readable_formats",
]

MASK_MARK = b"SegStudio mask"
"""The words by which our exported masks are recognised: software of a PNG or TIFF, description of a NIfTI."""

OWN_MASK = b"tEXtSoftware\0" + MASK_MARK
"""The chunk with them; it comes right after the PNG's header."""

NOT_PLAIN = N_("it is not a plain file but a pipe, a socket or a device")
"""Why such a thing in a file's place is never opened: that might wait for ever. Translated when shown."""

NAMING_OTHERS = ("vrt", "envi")
"""The families whose files name others, in which the pixels are."""

_HEAD = 1024
"""Enough bytes to recognise every family, our own masks, and formats that are known but not supported yet."""


class NotReadYetError(UnreadableImage):
    """A file in a format that is known but not supported yet; `format` is its English name."""

    def __init__(self, name: str, format_: str) -> None:
        super().__init__(
            _("{name} cannot be read: {format} files are not supported yet.", name=name, format=_(format_)),
            todo=_("SegStudio reads {formats}.", formats=readable_formats()),
        )
        self.format = format_


class Reader(Protocol):
    """What the module of a family offers."""

    def probe(self, path: Path) -> ImageInfo:
        """Header alone."""
        ...

    def open_image(self, path: Path) -> ImageSource:
        """The pixels, decoded when asked for."""
        ...


@dataclass(frozen=True, slots=True)
class Gathered:
    """An image of several files: the places of its files among those that were given, in its own order, and what it
    is.
    """

    places: tuple[int, ...]
    info: ImageInfo


class SeriesReader(Reader, Protocol):
    """What the module of a family offers whose images may be of several files each (`ImageInfo.part`)."""

    def gathered(self, parts: Sequence[ImageInfo]) -> list[Gathered]:
        """The images that the files of one series make, by their headers; most often one."""
        ...

    def open_series(self, stored: Stored) -> ImageSource:
        """The pixels of an image of several files, whose order is known: no other header is read."""
        ...


@dataclass(frozen=True, slots=True)
class Family:
    """One family: its name, the endings it usually has, a test of a file's first bytes, the module that reads it, and
    its name for people.

    `module` is the dotted name: heavy libraries are imported when a file of the family is first met.
    """

    name: str
    extensions: tuple[str, ...]
    sniff: Callable[[bytes], bool]
    module: str
    title: str

    def reader(self) -> Reader:
        """The module, imported when first needed."""
        return cast(Reader, import_module(self.module))

    def series_reader(self) -> SeriesReader:
        """The module of a family whose images may be of several files."""
        return cast(SeriesReader, import_module(self.module))


def _begins(*magic: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magic)


def _brand(*brands: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[4:8] == b"ftyp" and head[8:12] in brands


_OF_TIFF = _begins(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _is_tiff(head: bytes) -> bool:
    """The first 128 bytes of a DICOM file may be anything, and some are the header of a TIFF."""
    return _OF_TIFF(head) and head[128:132] != b"DICM"


def _is_dicom(head: bytes) -> bool:
    """With its mark, or without one, as old files are: beginning with an element of group 2 or 8 of an even length."""
    if head[128:132] == b"DICM":
        return True
    group, element, vr = head[:2], int.from_bytes(head[2:4], "little"), head[4:6]
    explicit = vr in (b"UL", b"CS", b"UI", b"OB", b"SH", b"DA", b"TM", b"LO")
    length = int.from_bytes(head[6:8] if explicit else head[4:8], "little")
    return group in (b"\x02\0", b"\x08\0") and element <= _LAST_FIRST and length % 2 == 0 and 0 < length <= _LONGEST


def _is_npz(head: bytes) -> bool:
    """An archive whose first file is an array."""
    return head.startswith(b"PK\x03\x04") and head[30 : 30 + int.from_bytes(head[26:28], "little")].endswith(b".npy")


_LAST_FIRST, _LONGEST = 0x18, 128
"""The highest element with which a file without a mark begins, and the longest value of it."""

_RASTER, _TIFF, _NPY, _DICOM, _NIFTI, _WINDOWS, _VRT = (
    f"segstudio.imaging.readers.{name}" for name in ("raster", "tiff", "npy", "dicom", "nifti", "raster_file", "vrt")
)
_NRRD, _META, _NPZ = (f"segstudio.imaging.readers.{name}" for name in ("nrrd", "metaimage", "npz"))
_FAMILIES = (
    Family("png", (".png", ".apng"), _begins(b"\x89PNG\r\n\x1a\n"), _RASTER, "PNG"),
    Family("jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), _begins(b"\xff\xd8\xff"), _RASTER, "JPEG"),
    Family("tiff", (".tif", ".tiff", ".svs", ".scn", ".ndpi", ".bif", ".qptiff"), _is_tiff, _TIFF, "TIFF"),
    Family("webp", (".webp",), lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", _RASTER, "WebP"),
    Family("gif", (".gif",), _begins(b"GIF87a", b"GIF89a"), _RASTER, "GIF"),
    Family("npy", (".npy",), _begins(b"\x93NUMPY"), _NPY, "NumPy (.npy)"),
    # Two letters prove little, so the size of the second header, 12 to 124, is checked too.
    Family("bmp", (".bmp", ".dib"), lambda head: head[:2] == b"BM" and head[15:18] == b"\0\0\0", _RASTER, "BMP"),
    Family("jp2", (".jp2", ".j2k", ".jpf"), _begins(b"\0\0\0\x0cjP  ", b"\xffO\xffQ"), _WINDOWS, "JPEG 2000"),
    Family("vrt", (".vrt",), lambda head: b"<VRTDataset" in head, _VRT, "VRT"),
    Family("envi", (".hdr",), _begins(b"ENVI\n", b"ENVI\r", b"ENVI "), _WINDOWS, "ENVI"),
    Family("imagine", (".img",), _begins(b"EHFA_HEADER_TAG"), _WINDOWS, "Erdas Imagine"),
    Family("dicom", (".dcm", ".dicom", ".ima"), _is_dicom, _DICOM, "DICOM"),
    Family("nifti", (".nii", ".nii.gz", ".hdr"), is_nifti, _NIFTI, "NIfTI"),
    Family("avif", (".avif",), _brand(b"avif", b"avis"), _RASTER, "AVIF"),
    Family("npz", (".npz",), _is_npz, _NPZ, "NumPy (.npz)"),
    Family("nrrd", (".nrrd", ".nhdr"), _begins(b"NRRD000"), _NRRD, "NRRD"),
    Family("metaimage", (".mha", ".mhd"), is_metaimage, _META, "MetaImage"),
)
FAMILIES: Registry[Family] = Registry("readers", {family.name: family for family in _FAMILIES}, named(Family))


@dataclass(frozen=True, slots=True)
class _Foreign:
    """A format of images that is not supported yet: recognised by its first bytes, or by its ending where these say too
    little."""

    title: str
    extensions: tuple[str, ...]
    sniff: Callable[[bytes], bool] = lambda _: False


_FOREIGN: tuple[_Foreign, ...] = (
    _Foreign("CZI", (".czi",), _begins(b"ZISRAWFILE")),
    _Foreign("LIF", (".lif",)),
    _Foreign("ND2", (".nd2",), _begins(b"\xda\xce\xbe\x0a")),
    _Foreign("MRC", (".mrc",)),
    _Foreign("HDF5", (".h5", ".hdf5", ".ims"), _begins(b"\x89HDF\r\n")),
    _Foreign("HEIC", (".heic", ".heif"), _brand(b"heic", b"heix", b"mif1", b"msf1")),
    _Foreign("JPEG XL", (".jxl",), _begins(b"\0\0\0\x0cJXL ")),
    _Foreign("OpenEXR", (".exr",), _begins(b"v/1\x01")),
    _Foreign("Photoshop", (".psd", ".psb"), _begins(b"8BPS")),
    _Foreign(N_("video"), (".mp4", ".mov", ".avi", ".mkv", ".webm"), _brand(b"isom", b"mp42", b"avc1", b"qt  ")),
)


def readable_formats() -> str:
    """The formats that can be read, for people: 'PNG, JPEG, ... and BMP'."""
    *first, last = (family.title for family in FAMILIES.rows)
    return _("{formats} and {last}", formats=", ".join(first), last=last)


def family_of(path: Path) -> Family:
    """The family a file belongs to. Raises `UnreadableImage` if it is missing, empty or of no family."""
    head = _head(path)
    found = _sniffed(head)
    if found is not None:
        return found
    if not head:
        raise UnreadableImage(_("{name} cannot be read: the file is empty.", name=path.name))
    name = path.name.lower()
    foreign = next((f for f in _FOREIGN if f.sniff(head) or name.endswith(f.extensions)), None)
    if foreign is not None:
        raise NotReadYetError(path.name, foreign.title)
    todo = _("SegStudio reads {formats}.", formats=readable_formats())
    claimed = next((f for f in FAMILIES.rows if name.endswith(f.extensions)), None)
    if claimed is not None:
        sentence = _(
            "{name} is not an image: its name says {family}, but its content does not.",
            name=path.name,
            family=claimed.title,
        )
        raise UnreadableImage(sentence, todo=todo)
    raise UnreadableImage(_("{name} is not an image in a format that SegStudio reads.", name=path.name), todo=todo)


class Content(Enum):
    """What a file is to a scan of a folder."""

    IMAGE = "image"
    OWN_MASK = "own mask"
    OTHER = "other"


def content_of(path: Path) -> Content:
    """What a file is by its first bytes; a file that cannot be opened is `OTHER`."""
    try:
        head = _head(path)
    except UnreadableImage:
        return Content.OTHER
    if OWN_MASK in head:
        return Content.OWN_MASK
    family = _sniffed(head)
    if family is None:
        return Content.OTHER
    return Content.OWN_MASK if _is_marked(path, family, head) else Content.IMAGE


def _is_marked(path: Path, family: Family, head: bytes) -> bool:
    if family.name == "nifti":
        return MASK_MARK in unzipped(head)
    try:
        return family.name == "tiff" and software_of(path, head) == MASK_MARK
    except OSError:
        return False


def is_palette_png(path: Path) -> bool:
    """Whether a file is a PNG whose pixels are places in a palette, as masks often are; False if unreadable."""
    try:
        head = _head(path)
    except UnreadableImage:
        return False
    # The colour type follows signature, length, 'IHDR', width, height and depth (PNG specification, 11.2.1).
    return head.startswith(b"\x89PNG\r\n\x1a\n") and head[25:26] == b"\x03"


def _head(path: Path) -> bytes:
    try:
        # Checked before opening: a pipe without a writer would block, and a device may do anything.
        if not stat.S_ISREG(mode := os.stat(path).st_mode) and not stat.S_ISDIR(mode):
            raise UnreadableImage(_("{name} cannot be read: {reason}.", name=path.name, reason=_(NOT_PLAIN)))
        with path.open("rb", buffering=0) as file:
            return file.read(_HEAD)
    except OSError as error:
        raise refused(path, error) from error


def _sniffed(head: bytes) -> Family | None:
    return next((family for family in FAMILIES.rows if family.sniff(head)), None)
