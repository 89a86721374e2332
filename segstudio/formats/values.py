"""The plain values that go to and come from formats: no project, no file handle."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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
    """What is the same for a whole export.

    `images` are (relative path, number of planes) of every image of the project, also those that are not exported, so
    that names do not depend on the choice. `background` asks for the background in formats that leave it out, `grey`
    for files of plain values without a palette. `project` is the project's uuid: what it wrote it may clear away.
    """

    classes: tuple[FormatClass, ...]
    images: tuple[tuple[str, int], ...]
    background: bool = False
    grey: bool = False
    project: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class LabelPlane:
    """The labels of one plane: class values int32 (h, w), `NOTHING` where unknown or ignored; object ids uint32 (h, w).

    `path` is the image's relative path with '/', `plane` counts from 0 to `planes` - 1.
    """

    path: str
    plane: int
    planes: int
    values: NDArray[np.int32]
    objects: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A file that holds a mask, and its path with '/' below the folder that is read."""

    file: Path
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class MaskValues:
    """Class values (h, w) int32 as they stand in a file; pixels of the value `unknown` say nothing.

    `colors` (n, 3) uint8 are what the values below n are shown in, None where that says nothing. In a colour `picture`
    the values are only places in that list.
    """

    values: NDArray[np.int32]
    unknown: int
    colors: NDArray[np.uint8] | None = None
    picture: bool = False


class MaskWriter(Protocol):
    """Writes one export into an empty folder and compares what it reads back with what it was given."""

    def add(self, labels: LabelPlane) -> None:
        """Write one plane. Raises `ExportMismatch` where the file does not hold it, OSError where the disk refuses."""
        ...

    def names_of(self, path: str) -> Iterable[PurePosixPath]:
        """The files, relative to the folder, that belong to the image of this path alone, one for each plane."""
        ...

    def finish(self) -> Iterable[PurePosixPath]:
        """Write and compare what is left; the files made, relative to the folder. Raises as `add` does."""
        ...


class MaskReader(Protocol):
    """Finds masks below a path, and reads one."""

    def find(self, path: Path) -> list[MaskFile]:
        """The masks in a folder (and below), or the one file. Raises `UserError` for a folder that may not be read."""
        ...

    def others(self, path: Path) -> list[MaskFile]:
        """Pictures and arrays in the same place that may be masks of a format which is not read. Raises as `find`."""
        ...

    def holds_values(self, mask: MaskFile) -> bool:
        """Whether a file's header says that it holds values, not colours; False where it cannot be read."""
        ...

    def size(self, mask: MaskFile) -> tuple[int, int]:
        """Width and height, without decoding. Raises `UnreadableImage` with its name."""
        ...

    def read(self, mask: MaskFile, *, pictures: bool = False) -> MaskValues:
        """Decode a mask; a colour picture only where `pictures` are wanted.

        Raises `UnreadableImage` or `MaskMismatch` with its name.
        """
        ...


@dataclass(frozen=True, slots=True)
class AnnotationClass:
    """A class as a file of annotations names it; `number` is its id there, `objects` says that it has single ones."""

    name: str
    number: int | None = None
    objects: bool = True


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """A plane of an image as a file of annotations knows it; `place` is its own in the reader's list.

    `path` is as the file has it, `size` (width, height) None where the file does not say. `classes` are the places of
    those it uses, `annotations` their number. `left_out` counts what says nothing of single pixels, by its name for
    people.
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

    `name` says which one it is, for people. A `crowd` is several objects that nobody told apart.
    """

    name: str
    class_place: int
    packed: bytes
    crowd: bool = False


class AnnotationReader(Protocol):
    """A file with the annotations of many images. Areas are read image by image, one annotation at a time."""

    @property
    def name(self) -> str:
        """The file's name, for people."""
        ...

    @property
    def classes(self) -> Sequence[AnnotationClass]:
        """Every class that the file names."""
        ...

    @property
    def images(self) -> Sequence[AnnotatedImage]:
        """Every plane that the file knows, in its order."""
        ...

    @property
    def stray(self) -> int:
        """How many annotations belong to no image of the file."""
        ...

    def annotations(self, image: AnnotatedImage, width: int, height: int) -> Iterator[Annotation]:
        """What the file says of a plane of this size, in its order. Raises `MaskMismatch`, naming the annotation."""
        ...
