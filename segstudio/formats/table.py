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
from segstudio.text import N_

if TYPE_CHECKING:
    from segstudio.formats.values import AnnotationReader, ExportPlan, MaskReader, MaskWriter

__all__ = ["FORMATS", "Format", "FormatModule", "Holds", "Layout", "Option", "formats_table", "readable", "writable"]


class Layout(StrEnum):
    """How labels are laid out in files: one mask per plane, or one file of annotations with many images and objects."""

    MASKS = "masks"
    ANNOTATIONS = "annotations"


class Holds(StrEnum):
    """What of the labels survives writing and reading."""

    CLASSES = "classes"
    OBJECTS = "objects"
    UNKNOWN = "unknown"


class Option(StrEnum):
    """Options of an export: write the background where it is left out, plain grey instead of colours."""

    BACKGROUND = "background"
    GREY = "grey"


class FormatModule(Protocol):
    """What the module of a format offers, in the directions that its row names."""

    def writer(self, folder: Path, plan: "ExportPlan") -> "MaskWriter":
        """Writes one export into an empty folder."""
        ...

    def is_own(self, path: Path) -> bool:
        """Whether one of our exports wrote a file, so that a later one may replace it. Raises `OSError`."""
        ...

    def earlier(self, out: Path) -> Iterable[tuple[PurePosixPath, str]]:
        """The files that earlier exports left below a folder, with the project that wrote each ('': not known); nothing
        if the format has a single file. Raises `OSError`."""
        ...

    def mask_reader(self) -> "MaskReader":
        """Reads masks: for the layout `MASKS`."""
        ...

    def annotation_reader(self, path: Path) -> "AnnotationReader":
        """Reads a file of annotations, or the one in a folder: for the layout `ANNOTATIONS`. Raises `UserError`."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its name, its title for people, the endings of its files, and all that the program asks about it.

    `module` is the dotted name. `losses` names what it cannot hold, for people; `about` describes in a few sentences
    how its files are read, for the help of `import`. `title`, `losses` and `about` are translated when shown.
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
        """The module, imported when first needed."""
        return cast(FormatModule, import_module(self.module))


_TABLE = (
    Format(
        "png",
        N_("PNG masks"),
        "segstudio.formats.png",
        (".png",),
        Layout.MASKS,
        frozenset({Holds.CLASSES, Holds.UNKNOWN}),
        N_("which object a pixel belongs to; origins; ignored pixels become unknown"),
        options=frozenset({Option.GREY}),
        about=N_(
            "8- or 16-bit grey or palette PNG whose pixels are class values (background 0, the others 1, 2, 3 ... in "
            "the order they were made), 255 = unknown; matched to images by path and stem, even where masks and images "
            "are in parallel folders (train/masks, train/images). In an instance class each 8-connected component "
            "becomes an object. A mask without an image is named and skipped."
        ),
    ),
    Format(
        "geotiff",
        N_("GeoTIFF masks"),
        "segstudio.formats.geotiff",
        (".tif", ".tiff"),
        Layout.MASKS,
        frozenset({Holds.CLASSES, Holds.UNKNOWN}),
        N_("which object a pixel belongs to; origins; ignored pixels become unknown"),
        options=frozenset({Option.GREY}),
        about=N_(
            "TIFF with one band of whole numbers, which are class values; the value for no data, else 255, is unknown. "
            "Matched to images as PNG masks are. A mask that lies elsewhere on the map than its image is refused."
        ),
    ),
    Format(
        "nifti",
        N_("NIfTI masks"),
        "segstudio.formats.nifti",
        (".nii.gz", ".nii"),
        Layout.MASKS,
        frozenset({Holds.CLASSES, Holds.UNKNOWN}),
        N_("which object a voxel belongs to; origins; ignored voxels become unknown"),
        about=N_(
            "volumes of whole numbers, which are class values, 255 = unknown; one volume holds the masks of all planes "
            "of an image. Matched to images as PNG masks are. A volume on another grid than its image is refused."
        ),
    ),
    Format(
        "coco",
        N_("COCO (JSON)"),
        "segstudio.formats.coco",
        (".json",),
        Layout.ANNOTATIONS,
        frozenset({Holds.CLASSES, Holds.OBJECTS}),
        N_("origins; ignored and unknown pixels are left out"),
        options=frozenset({Option.BACKGROUND}),
        about=N_(
            "a JSON file of instances: polygons and both kinds of RLE. Categories are matched to classes by name, "
            "images by file_name, or by the bare file name if it is unique. Each annotation of an instance class "
            "becomes an object; where two overlap, the later one wins. Boxes and keypoints without a segmentation are "
            "counted and left out."
        ),
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
    """The formats as the table in docs/formats.md, in English."""
    lines = ["| format | files | out | in | holds | what is lost |", "| --- | --- | --- | --- | --- | --- |"]
    for form in forms:
        out, back = ("yes" if way else "no" for way in (form.exports, form.imports))
        held = ", ".join(what for what in Holds if what in form.holds)
        endings = " ".join(f"`{ending}`" for ending in form.extensions)
        lines.append(f"| `{form.name}` | {form.title}: {endings} | {out} | {back} | {held} | {form.losses} |")
    return "\n".join(lines)
