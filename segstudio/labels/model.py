"""The words of the label document: ids, classes, objects, origins, causes, status."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NewType
from unicodedata import normalize

__all__ = [
    "Cause",
    "ClassId",
    "ClassTable",
    "EditId",
    "ImageId",
    "Kind",
    "LabelClass",
    "ObjectId",
    "Origin",
    "Rest",
    "Seq",
    "Status",
    "Touch",
    "folded_name",
]

ImageId = NewType("ImageId", int)
ClassId = NewType("ClassId", int)
ObjectId = NewType("ObjectId", int)
EditId = NewType("EditId", int)
Seq = NewType("Seq", int)


class Kind(StrEnum):
    """What a class is for."""

    BACKGROUND = "background"
    SEMANTIC = "semantic"
    INSTANCE = "instance"
    IGNORE = "ignore"


class Origin(IntEnum):
    """Who made a labelled pixel."""

    NONE = 0
    PAINTED = 1
    ACCEPTED = 2
    IMPORTED = 3
    FILLED = 4
    COMPUTED = 5


class Status(StrEnum):
    """How far an image is."""

    NEW = "new"
    IN_PROGRESS = "in-progress"
    DONE = "done"


class Rest(StrEnum):
    """What Done makes of the pixels that are unlabelled: the proposal's class, background, or nothing."""

    PROPOSAL = "proposal"
    BACKGROUND = "background"
    UNKNOWN = "unknown"


class Touch(StrEnum):
    """Which pixels a stroke may change; those of locked objects and classes never.

    CLASS: of one class alone; OBJECT: of the selected objects, else of the one under the first point; RANGE: where the
    image's values lie within limits.
    """

    ALL = "all"
    UNLABELLED = "unlabelled"
    LABELLED = "labelled"
    CLASS = "class"
    OBJECT = "object"
    RANGE = "range"


class Cause(StrEnum):
    """What made an edit."""

    PAINT = "paint"
    ERASE = "erase"
    ACCEPT = "accept"
    DONE = "done"
    IMPORT = "import"
    STATUS = "status"
    CLASSES = "classes"
    IMAGES = "images"
    UNDO = "undo"
    REDO = "redo"
    RESTORE = "restore"
    MERGE = "merge"
    OBJECTS = "objects"


@dataclass(frozen=True, slots=True)
class LabelClass:
    """One class of a project; `value` is its stable value in exported masks, `position` its place in the list.

    `opacity` (0 to 1) is multiplied with that of all labels where the class is drawn; at 0 it has an outline only.
    """

    id: ClassId
    name: str
    color: str
    kind: Kind
    value: int
    position: int
    locked: bool = False
    visible: bool = True
    removed: bool = False
    merged_into: ClassId | None = None
    opacity: float = 1.0

    @property
    def one_object(self) -> bool:
        """Whether an image holds at most one object of it."""
        return self.kind is not Kind.INSTANCE


class ClassTable:
    """The classes of a project in the order of their list; immutable, `with_class` gives a new table."""

    def __init__(self, classes: Iterable[LabelClass]) -> None:
        self._by_id = {c.id: c for c in sorted(classes, key=lambda c: c.position)}

    def __iter__(self) -> Iterator[LabelClass]:
        """The classes that are in use: neither removed nor merged away."""
        return (c for c in self._by_id.values() if not c.removed and c.merged_into is None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._by_id

    def __getitem__(self, id_: ClassId) -> LabelClass:
        """The class as it was made, also where it is removed or merged away."""
        return self._by_id[id_]

    def get(self, id_: ClassId) -> LabelClass | None:
        """The class as it was made; None where there is none of this id."""
        return self._by_id.get(id_)

    @property
    def all(self) -> tuple[LabelClass, ...]:
        """Every class ever made, removed and merged ones included."""
        return tuple(self._by_id.values())

    def effective(self, id_: ClassId) -> LabelClass | None:
        """What an object of this class counts as today: merges followed; None where that class is removed."""
        found = self._by_id.get(id_)
        for _ in range(len(self._by_id)):
            if found is None or found.merged_into is None:
                break
            found = self._by_id.get(found.merged_into)
        return None if found is None or found.removed else found

    def named(self, name: str) -> LabelClass | None:
        """The class in use of this name, without regard to case."""
        folded = folded_name(name)
        return next((c for c in self if folded_name(c.name) == folded), None)

    @property
    def background(self) -> LabelClass:
        """The background class, of which every project has exactly one."""
        return next(c for c in self._by_id.values() if c.kind is Kind.BACKGROUND)

    @property
    def foreground(self) -> tuple[LabelClass, ...]:
        """Classes in use that are neither background nor ignore."""
        return tuple(c for c in self if c.kind in (Kind.SEMANTIC, Kind.INSTANCE))

    def with_class(self, changed: LabelClass) -> "ClassTable":
        """A table in which this class is new or replaced."""
        return ClassTable([*(c for c in self._by_id.values() if c.id != changed.id), changed])


def folded_name(name: str) -> str:
    """The form in which names are compared: NFC, without case (Unicode 16, section 3.13, canonical caseless match)."""
    return normalize("NFC", normalize("NFD", name).casefold()).strip()
