"""Frozen values that the owners hand to the widgets."""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from segstudio.geometry import Rect
from segstudio.labels.model import Cause, ImageId, Rest, Seq

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segstudio.labels.edit import Table

__all__ = [
    "WAIT_JOB",
    "Changed",
    "DoneState",
    "EngineState",
    "ImageItem",
    "ImageTrouble",
    "JobState",
    "LastRun",
    "Rest",
    "SaveState",
    "SnapshotItem",
    "VersionItem",
]

WAIT_JOB = "done-wait"
"""The job that the window shows while Done waits for a proposal."""


class DoneState(Enum):
    """Where Done stands: at rest, waiting for the proposal, or refused because nothing would be labelled."""

    IDLE = "idle"
    WAITING = "waiting"
    NOTHING_LABELLED = "nothing labelled"


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed; `seq` is None while a gesture is under way or was aborted."""

    seq: Seq | None
    image: ImageId | None
    plane: int
    rect: Rect
    tables: "frozenset[Table]" = frozenset()
    cause: Cause | None = None


class ImageItem(NamedTuple):
    """One row of the image list; `index` is its place in `info`. A tuple, since there may be 100,000."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  (nobody looks for a value in a row)
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
    """What stands between a person and the image asked for: `kind` is 'missing', 'changed' or '' for nothing.

    A changed one is `usable` where it is shown, so that its labels may belong to what it holds now.
    """

    kind: str = ""
    sentence: str = ""
    usable: bool = False


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
    """A long job: what it is doing, how far it is (0..1 or None), and seconds left if known.

    `part` tells several that run beside each other apart.
    """

    job: str
    running: bool
    text: str = ""
    fraction: float | None = None
    seconds_left: float | None = None
    cancellable: bool = True
    part: int = 0


@dataclass(frozen=True, slots=True)
class SnapshotItem:
    """One row of the list of snapshots: `time` is UTC, `edits` were made since, `author` is '' for a daily one.

    `kept` is false where its state was compacted away.
    """

    id: int
    name: str
    time: str
    edits: int
    author: str
    daily: bool
    kept: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionItem:
    """What may propose: a version, or (without `made`) the instant learner or the embedded guess.

    `made` is UTC in ISO 8601; `before` and `now` are mean IoU on the same held-out pixels, of its parent and of itself,
    None where nothing was held out; `reason` says why it was promoted or not.
    """

    name: str
    parent: str = ""
    made: str = ""
    before: float | None = None
    now: float | None = None
    promoted: bool = False
    reason: str = ""
    current: bool = False


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run of a project: its events as `trainingEvent` carries them, its result, or why there is none."""

    name: str
    events: "tuple[Mapping[str, object], ...]"
    result: "Mapping[str, object] | None"
    why: str
