"""The formats, each listed once. Help, dialogs, documents and the tests of every format come from this table.

A format is a row here and a module, imported when a file is written or read. Another package adds one by an entry
point of the group `segstudio.formats` that names a `Format`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol, cast

from segstudio.registry import Registry, named

if TYPE_CHECKING:
    from segstudio.formats.values import AnnotationReader, ExportPlan, MaskReader, MaskWriter

__all__ = ["FORMATS", "Format", "FormatModule", "Holds", "Layout", "Option", "formats_table", "readable", "writable"]


class Layout(StrEnum):
    """How labels lie in files: a mask a plane, or one file of annotations with many images and objects."""

    MASKS = "masks"
    ANNOTATIONS = "annotations"


class Holds(StrEnum):
    """What of the labels is there again after writing and reading."""

    CLASSES = "classes"
    OBJECTS = "objects"
    UNKNOWN = "unknown"


class Option(StrEnum):
    """What an export may be asked for: the background where it is left out, plain grey instead of colours."""

    BACKGROUND = "background"
    GREY = "grey"


class FormatModule(Protocol):
    """What the module of a format offers, in the directions that its row names."""

    def writer(self, folder: Path, plan: "ExportPlan") -> "MaskWriter":
        """Writes one export into an empty folder."""
        ...

    def is_own(self, path: Path) -> bool:
        """Whether an export of ours wrote a file, so that a later one may replace it. Raises `OSError`."""
        ...

    def earlier(self, out: Path) -> Iterable[tuple[PurePosixPath, str]]:
        """What earlier exports left below a folder, and the project that wrote each ('': not known); nothing where a
        format has but one file. Raises `OSError`."""
        ...

    def mask_reader(self) -> "MaskReader":
        """Reads masks: for the layout `MASKS`."""
        ...

    def annotation_reader(self, path: Path) -> "AnnotationReader":
        """Reads a file of annotations, or the one in a folder: for the layout `ANNOTATIONS`. Raises `UserError`."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its name, its name for people, the endings of its files, and all that the program asks about it.

    `module` is the dotted name. `losses` says what of the labels it cannot hold, for people. `about` says in a few
    sentences how its files are read, for the help of `import`.
    """

    name: str
    title: str
    module: str
    extensions: tuple[str, ...]
    layout: Layout
    holds: frozenset[Holds]
    losses: str
    exports: bool = True
    imports: bool = True
    options: frozenset[Option] = frozenset()
    about: str = ""

    def load(self) -> FormatModule:
        """The module, imported when it is first needed."""
        return cast(FormatModule, import_module(self.module))


_TABLE = (
    Format(
        "png",
        "PNG masks",
        "segstudio.formats.png",
        (".png",),
        Layout.MASKS,
        frozenset({Holds.CLASSES, Holds.UNKNOWN}),
        "which object a pixel belongs to; origins; ignored pixels become unknown",
        options=frozenset({Option.GREY}),
        about="8- or 16-bit grey or palette PNG whose pixels are class values (background 0, the others 1, 2, 3 ... in "
        "the order they were made), 255 = unknown; matched to images by path and stem, also where masks and images lie "
        "in parallel folders (train/masks, train/images). In an instance class each 8-connected component becomes an "
        "object. A mask without an image is named and skipped.",
    ),
    Format(
        "coco",
        "COCO (JSON)",
        "segstudio.formats.coco",
        (".json",),
        Layout.ANNOTATIONS,
        frozenset({Holds.CLASSES, Holds.OBJECTS}),
        "origins; ignored and unknown pixels are left out",
        options=frozenset({Option.BACKGROUND}),
        about="a JSON file of instances: polygons and both kinds of RLE. Categories are classes by name, images are "
        "matched by file_name, or by the name alone where only one has it. Each annotation of an instance class "
        "becomes an object; where two overlap the later one is kept. Boxes and keypoints without a segmentation are "
        "counted and left out.",
    ),
)
FORMATS: Registry[Format] = Registry("formats", {form.name: form for form in _TABLE}, named(Format))


def writable() -> tuple[str, ...]:
    """Names of the formats that can be exported."""
    return tuple(form.name for form in FORMATS.rows if form.exports)


def readable(layout: Layout | None = None) -> tuple[str, ...]:
    """Names of the formats that can be imported, of one layout or of all."""
    return tuple(form.name for form in FORMATS.rows if form.imports and layout in (None, form.layout))


def formats_table(forms: Iterable[Format]) -> str:
    """Formats as the table of docs/formats.md."""
    lines = ["| format | files | out | in | holds | what is lost |", "| --- | --- | --- | --- | --- | --- |"]
    for form in forms:
        out, back = ("yes" if way else "no" for way in (form.exports, form.imports))
        held = ", ".join(what for what in Holds if what in form.holds)
        endings = " ".join(f"`{ending}`" for ending in form.extensions)
        lines.append(f"| `{form.name}` | {form.title}: {endings} | {out} | {back} | {held} | {form.losses} |")
    return "\n".join(lines)
