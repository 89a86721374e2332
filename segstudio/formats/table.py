"""The formats, each listed once. Help, dialogs, documents and the tests of every format come from this table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from segstudio.formats.coco import CocoWriter, is_own_coco
from segstudio.formats.png import PngReader, PngWriter, is_own_png, own_pngs
from segstudio.formats.values import ExportPlan, MaskReader, MaskWriter

__all__ = ["FORMATS", "Format", "format_named", "readable", "writable"]


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `losses` says what of the labels it cannot hold; None where it is not written, or not read, yet.

    `own` tells a file that we wrote, which a later export may replace, from another program's, or a person's. `earlier`
    gives the files that exports of ours left below a folder, and the project that wrote each ('': not known); a format
    of one file has none. `grey` formats can be written without colours.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    losses: str
    write: Callable[[Path, ExportPlan], MaskWriter] | None
    own: Callable[[Path], bool]
    read: Callable[[], MaskReader] | None
    earlier: Callable[[Path], Iterable[tuple[PurePosixPath, str]]] = lambda _: ()
    grey: bool = False


FORMATS: tuple[Format, ...] = (
    Format(
        "png",
        "Masks as PNG",
        (".png",),
        "which object a pixel belongs to; origins; ignored pixels become unknown",
        PngWriter,
        is_own_png,
        PngReader,
        own_pngs,
        grey=True,
    ),
    Format(
        "coco", "COCO", (".json",), "origins; ignored and unknown pixels are left out", CocoWriter, is_own_coco, None
    ),
)


def writable() -> tuple[str, ...]:
    """Names of the formats that can be exported."""
    return tuple(f.name for f in FORMATS if f.write is not None)


def readable() -> tuple[str, ...]:
    """Names of the formats that can be imported."""
    return tuple(f.name for f in FORMATS if f.read is not None)


def format_named(name: str) -> Format | None:
    """The format of this name."""
    return next((f for f in FORMATS if f.name == name), None)
