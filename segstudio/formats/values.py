"""The plain values that go to and come from formats: no project, no file handle."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from segstudio.labels.model import Kind

__all__ = ["NOTHING", "ExportPlan", "FormatClass", "LabelPlane", "MaskFile", "MaskReader", "MaskValues", "MaskWriter"]

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
    that names do not depend on the choice. `background` asks for the background in formats that leave it out.
    """

    classes: tuple[FormatClass, ...]
    images: tuple[tuple[str, int], ...]
    background: bool = False


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
    """Class values (h, w) int32 as they stand in a file; pixels of a value in `unknown` say nothing."""

    values: NDArray[np.int32]
    unknown: int


class MaskWriter(Protocol):
    """Writes one export into an empty folder and compares what it reads back with what it was given."""

    def add(self, labels: LabelPlane) -> None:
        """Write one plane. Raises `ExportMismatch` where the file does not hold it, OSError where the disk refuses."""
        ...

    def finish(self) -> Iterable[PurePosixPath]:
        """Write and compare what is left; the files made, relative to the folder. Raises as `add` does."""
        ...


class MaskReader(Protocol):
    """Finds masks below a path, and reads one."""

    def find(self, path: Path) -> list[MaskFile]:
        """The masks in a folder (and below), or the one file."""
        ...

    def size(self, mask: MaskFile) -> tuple[int, int]:
        """Width and height, without decoding. Raises `UnreadableImage` with its name."""
        ...

    def read(self, mask: MaskFile) -> MaskValues:
        """Decode a mask. Raises `UnreadableImage` or `MaskMismatch` with its name."""
        ...
