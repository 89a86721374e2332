"""The families of image files that can be read, each listed once. Told apart by their first bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from segstudio.errors import UnreadableImage
from segstudio.imaging.readers.refusal import refused
from segstudio.imaging.source import ImageInfo, ImageSource
from segstudio.registry import Registry, named

__all__ = ["FAMILIES", "OWN_MASK", "Content", "Family", "Reader", "content_of", "family_of", "is_palette_png"]

OWN_MASK = b"tEXtSoftware\0SegStudio mask"
"""The chunk by which the masks we export are known; it stands right behind the PNG's header."""

_HEAD = 96
"""Bytes that are enough to tell every family, and our own masks."""


class Reader(Protocol):
    """What the module of a family offers."""

    def probe(self, path: Path) -> ImageInfo:
        """Header alone."""
        ...

    def open_image(self, path: Path) -> ImageSource:
        """The pixels, decoded when asked for."""
        ...


@dataclass(frozen=True, slots=True)
class Family:
    """One family: its name, the endings it usually has, a test of a file's first bytes, the module that reads it.

    `module` is the dotted name: heavy libraries are imported when a file of the family is first met.
    """

    name: str
    extensions: tuple[str, ...]
    sniff: Callable[[bytes], bool]
    module: str

    def reader(self) -> Reader:
        """The module, imported when it is first needed."""
        return cast(Reader, import_module(self.module))


def _begins(*magic: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magic)


_RASTER, _TIFF, _NPY = (f"segstudio.imaging.readers.{name}" for name in ("raster", "tiff", "npy"))
_FAMILIES = (
    Family("png", (".png", ".apng"), _begins(b"\x89PNG\r\n\x1a\n"), _RASTER),
    Family("jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), _begins(b"\xff\xd8\xff"), _RASTER),
    Family("tiff", (".tif", ".tiff"), _begins(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _TIFF),
    Family("webp", (".webp",), lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", _RASTER),
    Family("gif", (".gif",), _begins(b"GIF87a", b"GIF89a"), _RASTER),
    Family("npy", (".npy",), _begins(b"\x93NUMPY"), _NPY),
    # Two letters are little proof: the size of the second header, 12 to 124, is looked at too.
    Family("bmp", (".bmp", ".dib"), lambda head: head[:2] == b"BM" and head[15:18] == b"\0\0\0", _RASTER),
)
FAMILIES: Registry[Family] = Registry("readers", {family.name: family for family in _FAMILIES}, named(Family))


def family_of(path: Path) -> Family:
    """The family a file belongs to. Raises `UnreadableImage` where it is missing, empty or none of them."""
    head = _head(path)
    found = _sniffed(head)
    if found is not None:
        return found
    if not head:
        raise UnreadableImage(f"{path.name} cannot be read: the file is empty.")
    claimed = next((f for f in FAMILIES.rows if path.suffix.lower() in f.extensions), None)
    if claimed is not None:
        raise UnreadableImage(f"{path.name} is no image: it is named like a {claimed.name.upper()} file but is none.")
    raise UnreadableImage(f"{path.name} is no image of a format that SegStudio reads.")


class Content(Enum):
    """What a scan of a folder takes a file for."""

    IMAGE = "image"
    OWN_MASK = "own mask"
    OTHER = "other"


def content_of(path: Path) -> Content:
    """What the first bytes of a file say; a file that cannot be opened is `OTHER`."""
    try:
        head = _head(path)
    except UnreadableImage:
        return Content.OTHER
    if OWN_MASK in head:
        return Content.OWN_MASK
    return Content.OTHER if _sniffed(head) is None else Content.IMAGE


def is_palette_png(path: Path) -> bool:
    """Whether a file is a PNG whose pixels are places in a palette, as masks often are; False if unreadable."""
    try:
        head = _head(path)
    except UnreadableImage:
        return False
    # The colour type stands behind signature, length, 'IHDR', width, height and depth (PNG specification, 11.2.1).
    return head.startswith(b"\x89PNG\r\n\x1a\n") and head[25:26] == b"\x03"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(_HEAD)
    except OSError as error:
        raise refused(path, error) from error


def _sniffed(head: bytes) -> Family | None:
    return next((family for family in FAMILIES.rows if family.sniff(head)), None)
