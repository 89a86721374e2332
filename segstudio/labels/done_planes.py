"""How far an image is, plane by plane: its status, and which of its planes are done while others are not.

Both stand in the image's row and change by edits of it. The planes are kept as text: numbers and ranges from 0, rising,
as in '0-2,7'; '' where none is done, and where all are, which the status says. So an image of one plane has its status
alone, and an edit of a release that knew no planes says the same as ever.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from segstudio.labels.model import Status

if TYPE_CHECKING:
    from segstudio.labels.edit import Columns, RowChange

__all__ = ["Marks", "is_sound", "planes_of", "ranges_of"]


class Marks(NamedTuple):
    """The status of an image, and the planes that are done where some are and some are not, as text."""

    status: Status = Status.NEW
    some: str = ""

    def done(self, planes: int) -> Collection[int]:
        """The numbers of the done ones of so many planes."""
        return range(planes) if self.status is Status.DONE else planes_of(self.some) if self.some else ()

    def is_done(self, plane: int) -> bool:
        """Whether a plane of the image is done."""
        return self.status is Status.DONE or (bool(self.some) and plane in planes_of(self.some))

    def with_done(self, marked: Iterable[int], planes: int) -> "Marks":
        """The same, and these of so many planes are done. With the last of them the image is."""
        done = {*self.done(planes), *marked}
        if len(done) == planes:
            return Marks(Status.DONE)
        return Marks(Status.IN_PROGRESS, ranges_of(done)) if done else self

    def without(self, marked: Collection[int], planes: int) -> "Marks":
        """The same, and none of these of so many planes is done."""
        left = set(self.done(planes)).difference(marked)
        return Marks(Status.DONE) if len(left) == planes else Marks(Status.IN_PROGRESS, ranges_of(left))

    def after(self, status: Status | None, marked: Collection[int], planes: int, *, edited: bool) -> "Marks":
        """The same once these of so many planes have become `status`, done or not; None where that is not decided: then
        an image that was new is in progress if a pixel was `edited`."""
        if status is Status.DONE:
            return self.with_done(marked, planes)
        if status is not None:
            return self.without(marked, planes)
        return Marks(Status.IN_PROGRESS) if edited and self.status is Status.NEW else self

    @property
    def columns(self) -> dict[str, str]:
        """The columns of the image's row."""
        return {"status": self.status.value, "done_planes": self.some}

    def change(self, image: int, after: "Marks") -> "RowChange | None":
        """The change of an image's row from these to others; None where they are the same."""
        from segstudio.labels.edit import RowChange, Table  # what an empty window does without

        before, now = self.columns, after.columns
        differ = [name for name in before if before[name] != now[name]]
        if not differ:
            return None
        return RowChange(Table.IMAGES, image, {n: before[n] for n in differ}, {n: now[n] for n in differ})

    def changed(self, columns: "Columns") -> "Marks":
        """What they are after a change to these columns of the row, of which it may have none."""
        return Marks(Status(str(columns.get("status", self.status))), str(columns.get("done_planes", self.some)))


def is_sound(columns: "Columns") -> bool:
    """Whether the columns of an image's row can be kept."""
    try:
        planes_of(str(columns.get("done_planes", "")))
    except ValueError:
        return False
    return columns.get("status", Status.NEW) in list(Status)


@lru_cache(maxsize=256)  # it is asked for plane by plane
def planes_of(text: str) -> frozenset[int]:
    """The numbers that a text of ranges names. Raises ValueError where it is none."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, dash, last = part.partition("-")
        found.update(range(int(first), int(last if dash else first) + 1))
    return frozenset(found)


def ranges_of(numbers: Iterable[int]) -> str:
    """Numbers as text: single ones and ranges, rising."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found)
