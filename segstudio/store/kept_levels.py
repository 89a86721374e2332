"""Levels of planes in cache/levels: found when a plane is first decoded, and the same for screen and network since.

They count while the file has the size and time that it had then, so other content silently drops them. Those
of 8-bit pictures are not kept: they are always the same.
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from segstudio.imaging.levels import Levels
from segstudio.store.catalog.record_file import RecordFile, RecordKind, read_records

__all__ = ["FileStamp", "KeptLevels", "PlaneLevels", "read_levels", "stamp_of"]

_LEVELS = Path("cache", "levels")

FileStamp = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds of an image's file; as `stamp_of` gives it for several."""


def stamp_of(files: Sequence[FileStamp]) -> FileStamp:
    """The stamp of an image: that of its file. Of several the sums, so that none can change without it; of times the
    lowest 62 bits.
    """
    if len(files) == 1:
        return files[0]
    return sum(size for size, _ in files), sum(time for _, time in files) % (1 << 62)


class PlaneLevels(msgspec.Struct, frozen=True):
    """The levels that a plane of an image had when its file had this size and time."""

    image: int
    plane: int
    stamp: FileStamp
    low: float
    high: float

    def of(self, stamp: FileStamp) -> Levels | None:
        """The levels, if the file is still the same; None for a record that SegStudio did not write."""
        return Levels(self.low, self.high) if self.stamp == stamp and self.low < self.high else None


def _key(kept: PlaneLevels) -> tuple[int, int]:
    return kept.image, kept.plane


_KIND = RecordKind(b"segstudio levels 1\n", msgspec.msgpack.Decoder(PlaneLevels), _key)


def read_levels(project: Path) -> Mapping[tuple[int, int], PlaneLevels]:
    """What a project keeps, by image and plane."""
    return read_records(project / _LEVELS, _KIND)


class KeptLevels:
    """What is kept, read when it is first asked for, by any thread; `writes` where the project may be written."""

    def __init__(self, project: Path, *, writes: bool) -> None:
        self._project = project
        self._file = RecordFile(project / _LEVELS, _KIND, at_once=1) if writes else None
        self._known: dict[tuple[int, int], PlaneLevels] | None = None
        self._lock = threading.Lock()

    def get(self, image: int, plane: int, stamp: FileStamp) -> Levels | None:
        """The levels of a plane for a file of this size and time; None where they are not known."""
        with self._lock:
            found = self._all().get((image, plane))
        return None if found is None else found.of(stamp)

    def keep(self, image: int, plane: int, stamp: FileStamp, levels: Levels) -> None:
        """Keep what was found, if it is new. Raises `OSError` where the disk refuses: it then lasts until the end."""
        new = PlaneLevels(image, plane, stamp, levels.low, levels.high)
        with self._lock:
            if self._all().get(_key(new)) != new:
                self._all()[_key(new)] = new
                if self._file is not None:
                    self._file.add(new)

    def _all(self) -> dict[tuple[int, int], PlaneLevels]:
        if self._known is None:
            self._known = dict(read_levels(self._project))
        return self._known
