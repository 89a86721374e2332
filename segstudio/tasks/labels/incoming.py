"""Labels that come in from files, whatever their format: planes of images, each read at its turn.

`import` and `evaluate` see these alone; masks and files of annotations fulfil them.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from segstudio.labels.model import ClassTable
from segstudio.store.project import ImageRow
from segstudio.tasks.labels.classes import AddClass
from segstudio.tasks.labels.meanings import Meaning
from segstudio.tasks.progress import Progress

__all__ = ["Incoming", "IncomingPlane", "ReadPlane", "reopened_by"]


class IncomingPlane(Protocol):
    """A plane of an image that labels come in for."""

    @property
    def name(self) -> str:
        """Their origin, for people: the mask, or the image as the file of annotations has it."""
        ...

    @property
    def image(self) -> ImageRow:
        """The image."""
        ...

    @property
    def plane(self) -> int:
        """Its plane."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ReadPlane:
    """Class ids (h, w) int32, 0 = unknown; where the format holds objects, also their numbers (h, w) uint32."""

    class_ids: NDArray[np.int32]
    numbers: NDArray[np.uint32] | None = None


class Incoming(Protocol):
    """What was found in files for the images of a project. `use` comes before the first `read`."""

    @property
    def planes(self) -> Sequence[IncomingPlane]:
        """What belongs to an image, those of one image behind each other."""
        ...

    @property
    def skipped(self) -> tuple[str, ...]:
        """Names of what belongs to no image, or to several alike."""
        ...

    @property
    def unread(self) -> tuple[str, ...]:
        """Files named like masks, in a format that is not read."""
        ...

    @property
    def annotations(self) -> int:
        """How many annotations these planes have; 0 for masks."""
        ...

    @property
    def binary(self) -> tuple[str, ...]:
        """Masks read so far of only 0 and 255, where 255 means unknown though nobody said so; none where one of
        them holds more."""
        ...

    @property
    def binary_value(self) -> int:
        """255, in 16 bits 65535."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what was left out, or decided, in the planes read so far."""
        ...

    def meanings(self, classes: ClassTable) -> Generator[Progress, None, tuple[Meaning, ...]]:
        """What is in the files for the images of the project, with the classes it stands for; needs no `use`.

        Raises `MaskMismatch`, `UnreadableImage`, `UserError`.
        """
        ...

    def missing(self, classes: ClassTable) -> tuple[AddClass, ...]:
        """The classes given by name that a project with these classes does not have."""
        ...

    def use(self, classes: ClassTable) -> None:
        """The classes that all names and values stand for from now on; none is missing."""
        ...

    def read(self, plane: IncomingPlane) -> ReadPlane:
        """The labels of a plane. Raises `MaskMismatch`, `UnknownClassValue`, `UnreadableImage`."""
        ...


def reopened_by(planes: Iterable[IncomingPlane]) -> tuple[str, ...]:
    """Paths of the images of which one of these planes is done."""
    return tuple(dict.fromkeys(p.image.path for p in planes if p.image.marks.is_done(p.plane)))
