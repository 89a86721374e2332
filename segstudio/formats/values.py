"""The plain values passed to and from formats: no project, no file handle."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from segstudio.imaging.metadata import PLAIN, Metadata
from segstudio.imaging.source import Stored
from segstudio.labels.model import Kind

__all__ = [
    "NOTHING",
    "AnnotatedImage",
    "Annotation",
    "AnnotationClass",
    "AnnotationReader",
    "ExportPlan",
    "FormatClass",
    "LabelPlane",
    "MaskFile",
    "MaskReader",
    "MaskValues",
    "MaskWriter",
]

NOTHING = -1
"""Stands for unknown and for ignored pixels in arrays of class values."""


@dataclass(frozen=True, slots=True)
class FormatClass:
    """A class as files see it: its stable value, name, colour `#RRGGBB` and kind."""

    value: int
    name: str
    color: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What stays the same for a whole export.

    `images` are (relative path, number of planes) of every image of the project, including those not exported, so that
    names do not depend on the choice. `background` asks for the background in formats that leave it out, `grey` for
    files of plain values without a palette. `project` is the project's uuid: an export may clear away its own files.
    """

    classes: tuple[FormatClass, ...]
    images: tuple[tuple[str, int], ...]
    background: bool = False
    grey: bool = False
    project: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class LabelPlane:
    """The labels of one plane: class values int32 (h, w), `NOTHING` where unknown or ignored; object ids uint32 (h, w).

    `path` is the image's relative path with '/', `plane` counts from 0 to `planes` - 1. `stored` says where the image
    lies on a map or in a patient, and in which files.
    """

    path: str
    plane: int
    planes: int
    values: NDArray[np.int32]
    objects: NDArray[np.uint32]
    stored: Stored | None = None


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A file that holds a mask, and its path with '/' below the folder that is read.

    Of a file with the masks of several planes there is one of these for each; their names have the plane's number.
    """

    file: Path
    name: str
    plane: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class MaskValues:
    """Class values (h, w) int32 as stored in a file; pixels with the value `unknown` are not labelled.

    `colors` (n, 3) uint8 are the colours of the values below n, None if they mean nothing. In a colour `picture` the
    values are only places in that list. `grid` says where the mask lies, as far as its file does.
    """

    values: NDArray[np.int32]
    unknown: int
    colors: NDArray[np.uint8] | None = None
    picture: bool = False
    grid: Metadata = PLAIN


class MaskWriter(Protocol):
    """Writes one export into an empty folder, reads it back and compares it with what it was given."""

    def add(self, labels: LabelPlane) -> None:
        """Write one plane. Raises `ExportMismatch` if the file does not hold it, OSError if the disk refuses."""
        ...

    def names_of(self, path: str) -> Iterable[PurePosixPath]:
        """The files, relative to the folder, that belong to the image of this path alone, one for each plane."""
        ...

    def finish(self) -> Iterable[PurePosixPath]:
        """Write and compare the rest; returns the files made, relative to the folder. Raises as `add` does."""
        ...


class MaskReader(Protocol):
    """Finds masks below a path, and reads one."""

    def find(self, path: Path) -> list[MaskFile]:
        """The masks in a folder (and below), or the one file. Raises `UserError` for a folder that may not be read."""
        ...

    def others(self, path: Path) -> list[MaskFile]:
        """Pictures and arrays there that may be masks in a format that is not read. Raises as `find` does."""
        ...

    def holds_values(self, mask: MaskFile) -> bool:
        """Whether a file's header says that it holds values, not colours; False if it cannot be read."""
        ...

    def size(self, mask: MaskFile) -> tuple[int, int]:
        """Width and height, without decoding. Raises `UnreadableImage` with its name."""
        ...

    def read(self, mask: MaskFile, *, pictures: bool = False) -> MaskValues:
        """Decode a mask; a colour picture only if `pictures` are wanted.

        Raises `UnreadableImage` or `MaskMismatch` with its name.
        """
        ...


@dataclass(frozen=True, slots=True)
class AnnotationClass:
    """A class as named in a file of annotations; `number` is its id there, `objects` whether it has objects."""

    name: str
    number: int | None = None
    objects: bool = True


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """A plane of an image as a file of annotations lists it; `place` is its place in the reader's list.

    `path` is as in the file, `size` (width, height) None if the file does not give it. `classes` are the places of the
    classes used, `annotations` their number. `left_out` counts annotations that say nothing about single pixels, by
    their name for people, which is translated when shown.
    """

    place: int
    path: str
    size: tuple[int, int] | None
    plane: int = 0
    classes: frozenset[int] = frozenset()
    annotations: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Annotation:
    """One area of a class (its place in the reader's list): `packed` is COCO's run-length code of a whole plane.

    `name` identifies it for people. A `crowd` is several objects that were not told apart.
    """

    name: str
    class_place: int
    packed: bytes
    crowd: bool = False


class AnnotationReader(Protocol):
    """A file with annotations of many images. Areas are read image by image, one annotation at a time."""

    @property
    def name(self) -> str:
        """The file's name, for people."""
        ...

    @property
    def classes(self) -> Sequence[AnnotationClass]:
        """Every class named in the file."""
        ...

    @property
    def images(self) -> Sequence[AnnotatedImage]:
        """Every plane in the file, in its order."""
        ...

    @property
    def stray(self) -> int:
        """How many annotations belong to no image of the file."""
        ...

    def annotations(self, image: AnnotatedImage, width: int, height: int) -> Iterator[Annotation]:
        """The annotations of a plane of this size, in order. Raises `MaskMismatch`, naming the annotation."""
        ...
