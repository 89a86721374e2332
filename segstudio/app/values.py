"""Frozen values that the owners hand to the widgets.

Named tuples: all of them are made at every start, and a frozen dataclass takes six times as long to make.
"""

from enum import Enum, StrEnum
from typing import TYPE_CHECKING, NamedTuple, NewType

from segstudio.engine.outcome import State as EngineKind
from segstudio.geometry import Rect
from segstudio.labels.done_planes import Marks
from segstudio.labels.model import Cause, ImageId, Rest, Seq, Status

if TYPE_CHECKING:
    from segstudio.labels.edit import Table
    from segstudio.runs import Event, TrainResult

__all__ = [
    "LABELS",
    "LEAST_RATE",
    "MAX_RADIUS_PX",
    "MIN_RADIUS_PX",
    "MOST_RATE",
    "Changed",
    "DoneState",
    "EngineKind",
    "EngineState",
    "ImageItem",
    "ImageTrouble",
    "ImagesAdded",
    "ImagesFound",
    "ImagesRemoved",
    "JobId",
    "JobKind",
    "JobState",
    "LastRun",
    "ModelView",
    "Notice",
    "NoticeKind",
    "Place",
    "Rest",
    "Restored",
    "SaveState",
    "SnapshotItem",
    "TroubleKind",
    "VersionItem",
]

MIN_RADIUS_PX, MAX_RADIUS_PX = 0.5, 1000.0
"""Between them is the radius of brush and eraser, in image pixels."""

LEAST_RATE, MOST_RATE = 1, 60
"""Between them is how many planes of a stack are played in a second."""

LABELS = "labels"
"""Stands for the labels in the place of a version that a proposal is compared with; versions have other names."""

JobId = NewType("JobId", int)
"""One job of a window; never given again."""


class JobKind(StrEnum):
    """The subject of a job or a notice: the `job` of the contract's `failed`."""

    ACCEPT = "accept"
    ADD = "add"
    AHEAD = "ahead"
    BACKUP = "backup"
    CHECK = "check"
    COMPARE = "compare"
    CONTENT = "content"
    DONE = "done"
    EXPORT = "export"
    HOLD_OUT = "hold-out"
    IMAGE = "image"
    IMPORT = "import"
    IMPORT_CHECK = "import-check"
    LOOK = "look"
    MISTAKES = "mistakes"
    NEW = "new"
    OBJECTS = "objects"
    OPEN = "open"
    PROPOSE = "propose"
    REDO = "redo"
    RELINK = "relink"
    REMOVE = "remove"
    RESTORE = "restore"
    SAVE = "save"
    SNAPSHOT = "snapshot"
    TRAIN = "train"
    UNDO = "undo"
    VERSIONS = "versions"
    WAIT = "done-wait"


class JobState(NamedTuple):
    """A job under way: what it is doing, how far it is (0..1 or None), and seconds left if known."""

    id: JobId
    kind: JobKind
    text: str = ""
    fraction: float | None = None
    seconds_left: float | None = None
    cancellable: bool = True


class NoticeKind(StrEnum):
    """The kinds of notice.

    WORD is a passing message; NEWS stays until closed; FAILURE ends a job that failed; FAULT is something a person
    can fix, outside any job; BUG is an error in the program.
    """

    WORD = "word"
    NEWS = "news"
    FAILURE = "failure"
    FAULT = "fault"
    BUG = "bug"


class Notice(NamedTuple):
    """One sentence for the person at the window; `cancelled` where that person ended the job."""

    kind: NoticeKind
    sentence: str
    details: str = ""
    job: JobKind | None = None
    cancelled: bool = False


class DoneState(Enum):
    """Where Done stands: at rest, waiting for the proposal, refused because nothing would be labelled, or asking
    whether planes that were never shown are to be marked too.
    """

    IDLE = "idle"
    WAITING = "waiting"
    NOTHING_LABELLED = "nothing labelled"
    NEVER_SHOWN = "never shown"


class Changed(NamedTuple):
    """What changed; `seq` is None while a gesture is under way or was aborted.

    All of it lies within `rect`, and what looks different within `parts`, where they are given.
    """

    seq: Seq | None
    image: ImageId | None
    plane: int
    rect: Rect
    tables: "frozenset[Table]" = frozenset()
    cause: Cause | None = None
    parts: tuple[Rect, ...] | None = None


class ImageItem(NamedTuple):
    """One row of the image list; `index` is its place in `info`. A tuple, since there may be 100,000."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  (nobody looks for a value in a row)
    id: ImageId
    name: str
    status: Status
    split: str | None
    labelled_pixels: int
    objects: int
    problem: str
    width: int
    height: int
    planes: int
    done_planes: str = ""

    @property
    def marks(self) -> Marks:
        """Its status by planes."""
        return Marks(self.status, self.done_planes)

    @property
    def planes_done(self) -> int:
        """How many of its planes are done."""
        return len(self.marks.done(self.planes))

    def open_plane(self, after: int = -1) -> int | None:
        """The first plane behind one, round the end, that is not done; None where all are."""
        done = self.marks.done(self.planes)
        order = (*range(after + 1, self.planes), *range(min(after + 1, self.planes)))
        return next((plane for plane in order if plane not in done), None)


class TroubleKind(StrEnum):
    """What is wrong with the image asked for: nothing, its file is not there, or holds something else than before."""

    NONE = ""
    MISSING = "missing"
    CHANGED = "changed"


class ImageTrouble(NamedTuple):
    """The reason why a person cannot see the image asked for, or has to decide about it.

    A changed one is `usable` where it is shown, so that its labels may belong to what it holds now.
    """

    kind: TroubleKind = TroubleKind.NONE
    sentence: str = ""
    usable: bool = False


class ModelView(StrEnum):
    """What is drawn of a proposal: its classes, how sure the model is, or what it would change."""

    CLASSES = "classes"
    CONFIDENCE = "confidence"
    DIFFERENCE = "difference"


class SaveState(NamedTuple):
    """Whether every edit is on disk; `time` (local, HH:MM:SS) of the last that is; why one is not."""

    saved: bool
    time: str
    sentence: str


class EngineState(NamedTuple):
    """How the engine is; `device` in words."""

    kind: EngineKind
    device: str
    sentence: str


class SnapshotItem(NamedTuple):
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


class VersionItem(NamedTuple):
    """What may propose: a version, or (without `made`) the instant learner or the embedded guess.

    `made` is UTC in ISO 8601; `before` and `now` are mean IoU on the same held-out pixels, of its parent and of itself,
    None where nothing was held out; `reason` says why it was promoted or not. Without weights it can neither propose
    nor be compared.
    """

    name: str
    parent: str = ""
    made: str = ""
    before: float | None = None
    now: float | None = None
    promoted: bool = False
    reason: str = ""
    current: bool = False
    has_weights: bool = True


class LastRun(NamedTuple):
    """The newest run of a project that made a version: its events and its result; where none did, or a newer one goes
    on, the newest, without a result.

    `unmade`: the newest run made no version, `why` not, and whether it was `discarded`.
    """

    name: str
    events: "tuple[Event, ...]"
    result: "TrainResult | None"
    why: str
    discarded: bool = False
    unmade: bool = False


class ImagesAdded(NamedTuple):
    """Paths of new images, of those brought back, of those that were there, and of what was skipped with its reason.

    `sentence` says all of it.
    """

    added: tuple[str, ...]
    back: tuple[str, ...]
    there: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    sentence: str = ""


class ImagesFound(NamedTuple):
    """How many images lie beside the project's own and are not in it; 0 where none are any more.

    `sentence` says so, and what was skipped. `refused`: adding them came to nothing, so only a person tries again.
    """

    images: int
    sentence: str = ""
    refused: bool = False


class ImagesRemoved(NamedTuple):
    """How many images were taken out by the edit of this number; `sentence` says so."""

    images: int
    seq: Seq
    sentence: str


class Place(NamedTuple):
    """Where a person was in a project: an image by its path, a plane of it, its view, and the id of the class chosen.

    `scale` is in view pixels per image pixel, `x` and `y` the image position in the middle; where the whole image was
    shown (`fitted`) they do not count. `views` are those of other images, (path, scale, x, y) each, the newest last;
    `seen` the planes that were on screen of images that have several, (path, ranges) each.
    """

    image: str
    plane: int = 0
    fitted: bool = True
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0
    label_class: int = 0
    views: tuple[tuple[str, float, float, float], ...] = ()
    seen: tuple[tuple[str, str], ...] = ()


class Restored(NamedTuple):
    """What restoring a snapshot changed: paths of images, whether the classes, and classes that are unused now."""

    name: str
    images: tuple[str, ...] = ()
    classes: bool = False
    unused_classes: tuple[str, ...] = ()
    taken_back: bool = False
