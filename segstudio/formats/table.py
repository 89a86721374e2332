"""The formats, each listed once. Help, dialogs, documents and the tests of every format come from this table."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from segstudio.formats.coco import CocoWriter
from segstudio.formats.png import PngReader, PngWriter
from segstudio.formats.values import ExportPlan, MaskReader, MaskWriter

__all__ = ["FORMATS", "Format", "format_named", "readable", "writable"]


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `losses` says what of the labels it cannot hold; None where it is not written, or not read, yet."""

    name: str
    title: str
    extensions: tuple[str, ...]
    losses: str
    write: Callable[[Path, ExportPlan], MaskWriter] | None
    read: Callable[[], MaskReader] | None


FORMATS: tuple[Format, ...] = (
    Format(
        "png",
        "Masks as PNG",
        (".png",),
        "which object a pixel belongs to; origins; ignored pixels become unknown",
        PngWriter,
        PngReader,
    ),
    Format("coco", "COCO", (".json",), "origins; ignored and unknown pixels are left out", CocoWriter, None),
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
