"""The values that go into a new project and come out of an opened one. Frozen; no connection, no file."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from segstudio.imaging.metadata import known
from segstudio.imaging.outside import has_outside
from segstudio.imaging.source import PlaneInfo, Stored
from segstudio.labels.done_planes import Marks
from segstudio.labels.edit import TileKey
from segstudio.labels.model import ClassId, ImageId, Kind, ObjectId, Seq, Status
from segstudio.labels.tiles.tile import Tile
from segstudio.store.catalog.split import Split

__all__ = [
    "FileState",
    "FrozenLabels",
    "ImageRow",
    "NewClass",
    "NewFile",
    "NewImage",
    "NewPlane",
    "ObjectRow",
    "RunRow",
    "Split",
    "VersionRow",
    "digest_of",
]


@dataclass(frozen=True, slots=True)
class NewPlane:
    """A plane of an image: the reader's stable key, width and height in pixels as shown, the place of its file."""

    key: str
    width: int
    height: int
    file: int = 0


@dataclass(frozen=True, slots=True)
class NewFile:
    """A further file of an image: `path` as that of the image, what its entry says, and its quick hash."""

    path: str
    size: int
    mtime_ns: int
    quick_hash: str


class FileState(msgspec.Struct, frozen=True, gc=False):
    """What was known of a file when it was last looked at: size in bytes, time of change in nanoseconds, quick hash."""

    size: int
    mtime_ns: int
    quick_hash: str


def digest_of(files: Sequence[FileState]) -> str:
    """One hash of the content of an image: the quick hash of its file; of several, a hash of theirs."""
    if len(files) == 1:
        return files[0].quick_hash
    return hashlib.blake2b("".join(file.quick_hash for file in files).encode(), digest_size=20).hexdigest()


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image for a project: `path` with '/' relative to `root`, what its header says, and its quick hash.

    Images of one `group` stand on one side of the split; '' = one file a group, files of equal hash together. `name` is
    what the project calls it; '' = its path. `more` are its files after the first, `metadata` is as
    `imaging.metadata.encoded` gives it.
    """

    path: str
    root: Path
    size: int
    mtime_ns: int
    quick_hash: str
    planes: tuple[NewPlane, ...]
    channels: int
    dtype: str
    family: str
    group: str = ""
    name: str = ""
    more: tuple[NewFile, ...] = ()
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class NewClass:
    """A class for a new project; an empty colour is chosen."""

    name: str
    color: str = ""
    kind: Kind = Kind.SEMANTIC


class ImageRow(msgspec.Struct, frozen=True, gc=False):
    """An image and its derived columns. `planes` are (width, height); `path` is relative to `root`, with '/'.

    `changed` is the digest of another content found in the place of its files, '' while it is what was labelled.
    `keys` and `places` are the reader's key and the file of each plane, where there are several; `more` are the paths
    of the files after the first, below the same root, and `more_states` what is known of them. `metadata` is JSON, for
    `imaging.metadata.known`; `done_planes` are those that are done while others are not, for `marks`. A Struct, since a
    project may have 100,000: they are made in a third of the time of frozen dataclasses.
    """

    id: ImageId
    path: str
    root: Path
    planes: tuple[tuple[int, int], ...]
    channels: int
    dtype: str
    family: str
    status: Status
    group_id: int
    split: Split | None
    objects: int
    labelled_pixels: int
    last_edit: Seq
    removed: bool
    problem: str
    size: int
    mtime_ns: int
    quick_hash: str
    content_hash: str
    inner_path: str
    changed: str = ""
    beside: Path | None = None
    keys: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    more: tuple[str, ...] = ()
    more_states: tuple[FileState, ...] = ()
    metadata: str = ""
    done_planes: str = ""

    @property
    def marks(self) -> Marks:
        """Its status by planes."""
        return Marks(self.status, self.done_planes)

    @property
    def file(self) -> Path:
        """Where the first file lies: under its root, else where that would lie if it had moved with the project."""
        return self._root / self.inner_path

    @property
    def files(self) -> tuple[Path, ...]:
        """Where all its files lie."""
        root = self._root
        return (root / self.inner_path, *(root / path for path in self.more))

    @property
    def states(self) -> tuple[FileState, ...]:
        """What is known of each of its files."""
        return (FileState(self.size, self.mtime_ns, self.quick_hash), *self.more_states)

    @property
    def digest(self) -> str:
        """One hash of all its files."""
        return digest_of(self.states) if self.more_states else self.quick_hash

    def with_states(self, states: Sequence[FileState]) -> "ImageRow":
        """It with other things known of its files."""
        first, *more = states
        return structs.replace(
            self, size=first.size, mtime_ns=first.mtime_ns, quick_hash=first.quick_hash, more_states=tuple(more)
        )

    @property
    def stored(self) -> Stored:
        """What its pixels are read from."""
        planes = zip(self.keys, self.planes, self.places, strict=True) if self.keys else ()
        planes = tuple(PlaneInfo(key, *size, place) for key, size, place in planes)
        return Stored(self.files, planes, known(self.metadata))

    @property
    def bounded(self) -> bool:
        """Whether pixels may lie outside the picture."""
        return bool(self.metadata) and has_outside(known(self.metadata))

    @property
    def _root(self) -> Path:
        beside = self.beside
        moved = beside is not None and not (self.root / self.inner_path).exists()
        return beside if beside is not None and moved and (beside / self.inner_path).exists() else self.root


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """An object and its derived columns: pixels in all and by origin 1..5, box x0, y0, x1, y1 (half-open) or None.

    `locked`: it is locked by itself, whatever its class.
    """

    id: ObjectId
    class_id: ClassId
    area: int
    box: tuple[int, int, int, int] | None
    by_origin: tuple[int, int, int, int, int]
    locked: bool = False


@dataclass(frozen=True, slots=True)
class FrozenLabels:
    """The committed labels of one image as they stood after edit `last_edit`; `sizes` are (width, height) by plane."""

    image: ImageId
    sizes: tuple[tuple[int, int], ...]
    tiles: Mapping[TileKey, Tile]
    objects: Mapping[ObjectId, ClassId]
    marks: Marks
    last_edit: Seq
    next_object: int

    @property
    def status(self) -> Status:
        """How far the image is: done where all its planes are."""
        return self.marks.status


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A model version: `learner` 'deep' or 'instant', `seq` the last edit it learned from, `figures` of the gate.

    Of one without weights, a round that came to nothing, the figures, the card and the curves were kept.
    """

    name: str
    number: int
    learner: str
    parent: str
    made: str
    seq: Seq
    promoted: bool
    reason: str = ""
    steps: int = 0
    seconds: float = 0.0
    figures: Mapping[str, Any] = field(default_factory=dict[str, Any])
    current: bool = False
    has_weights: bool = True


@dataclass(frozen=True, slots=True)
class RunRow:
    """A training run; its folder under runs/ has its name.

    `state`: running, done, stopped, time, failed, discarded, or interrupted, and then it will be resumed.
    """

    id: int
    name: str
    started: str
    ended: str
    state: str
    parent: str
    version: str
    device: str
    seed: int
    steps: int
    seconds: float
    summary: Mapping[str, Any]
