"""Frozen values that the owners hand to the widgets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segstudio.geometry import Rect
from segstudio.labels.model import Cause, ImageId, Seq

if TYPE_CHECKING:
    from segstudio.labels.edit import Table

__all__ = ["Changed", "EngineState", "ImageItem", "ImageTrouble", "JobState", "SaveState"]


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed; `seq` is None while a gesture is under way or was aborted."""

    seq: Seq | None
    image: ImageId | None
    plane: int
    rect: Rect
    tables: "frozenset[Table]" = frozenset()
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class ImageItem:
    """One row of the image list; `index` is its place in `info`."""

    index: int
    id: ImageId
    name: str
    status: str
    split: str | None
    labelled_pixels: int
    objects: int
    problem: str
    width: int
    height: int
    planes: int


@dataclass(frozen=True, slots=True)
class ImageTrouble:
    """What stands between a person and the image asked for: `kind` is 'missing', 'changed' or '' for nothing."""

    kind: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class SaveState:
    """Whether every edit is on disk; `time` (local, HH:MM:SS) of the last that is; why one is not."""

    saved: bool
    time: str
    sentence: str


@dataclass(frozen=True, slots=True)
class EngineState:
    """`kind` is off, starting, ready or dead; `device` in words."""

    kind: str
    device: str
    sentence: str


@dataclass(frozen=True, slots=True)
class JobState:
    """A long job: what it is doing, how far it is (0..1 or None), and seconds left if known."""

    job: str
    running: bool
    text: str = ""
    fraction: float | None = None
    seconds_left: float | None = None
    cancellable: bool = True
