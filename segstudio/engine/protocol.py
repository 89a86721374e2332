"""The messages between client and engine, in frames (`engine.frames`) of msgpack.

The first one each way is a hello. Only the hello names a folder of this machine: every other message would mean the
same to an engine elsewhere. A request carries an `id`; every reply carries the id of its request, and the last one is
`Done` or `Failed`.
"""

import msgspec

from segstudio.runs import Choices, Event, Figures, HeldOutPicture, LabelStamp, Measure, Plan, PlaneFacts

__all__ = [
    "CHUNK_BYTES",
    "PROTOCOL",
    "Blob",
    "Bye",
    "Cancel",
    "Describe",
    "Described",
    "Done",
    "Doubt",
    "DoubtTile",
    "Failed",
    "FindMistakes",
    "Hello",
    "LeftOut",
    "Look",
    "Measured",
    "Message",
    "Mistake",
    "MistakesLooked",
    "Predict",
    "PredictedImage",
    "PredictedTile",
    "Reply",
    "Request",
    "RunEvent",
    "RunPicture",
    "RunPlanned",
    "Stop",
    "Target",
    "Train",
    "Trained",
    "Welcome",
    "decode_message",
    "decode_reply",
]

PROTOCOL = 3

CHUNK_BYTES = 4 << 20
"""Weights travel in parts of this size, so that other messages pass between them."""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Client to engine: which protocol, which project, and after how many idle seconds the engine may end."""

    protocol: int
    project: str
    idle_s: float


class Target(msgspec.Struct, frozen=True):
    """A plane to predict; `visible` is the rectangle (x, y, w, h) on screen, which comes first."""

    image: int
    plane: int
    visible: tuple[int, int, int, int] | None = None


class Predict(msgspec.Struct, frozen=True, tag="predict", kw_only=True):
    """Predict planes with a version ('current', 'instant', 'embedded', or a name)."""

    id: int = 0
    targets: list[Target]
    version: str = "current"
    device: str = "auto"


class Describe(msgspec.Struct, frozen=True, tag="describe", kw_only=True):
    """Say of planes how sure a version is of them by `measure`, whether it agrees with version `against` ('' for none),
    and what they look like.
    """

    id: int = 0
    targets: list[Target]
    version: str = "current"
    against: str = ""
    measure: Measure = "margin"
    device: str = "auto"


class Doubt(msgspec.Struct, frozen=True, tag="doubt", kw_only=True):
    """Say of each pixel of a plane how unsure a version is of it, by `measure`."""

    id: int = 0
    target: Target
    measure: Measure
    version: str = "current"
    device: str = "auto"


class FindMistakes(msgspec.Struct, frozen=True, tag="find-mistakes", kw_only=True):
    """Find labels that are probably mistakes, in every labelled plane."""

    id: int = 0
    device: str = "auto"


class Train(msgspec.Struct, frozen=True, tag="train", kw_only=True):
    """Start or resume a run; `version` is the child's name. `plan` repeats an earlier plan. With `picks_up` the run
    also learns what is painted while it is under way.

    A resumed run begins at its last checkpoint, with the time that had passed when the engine was lost. `after` is the
    plan of an earlier run that made `choices.base`, and which this one goes on with.
    """

    id: int = 0
    run: str
    version: str
    choices: Choices
    plan: Plan | None = None
    resume: bool = False
    elapsed_s: float = 0.0
    picks_up: bool = False
    after: Plan | None = None


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End a run after its current step, and keep what it has learned."""

    id: int


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Nobody is waiting for this request any more."""

    id: int


class Look(msgspec.Struct, frozen=True, tag="look"):
    """Something else is on screen: in the request `id`, this plane's `visible` part comes first from now on."""

    id: int
    image: int
    plane: int
    visible: tuple[int, int, int, int]


Request = Predict | Describe | Doubt | FindMistakes | Train
Message = Hello | Predict | Describe | Doubt | FindMistakes | Train | Stop | Cancel | Look


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """Engine to client: it is ready. `device` is the name for the status bar."""

    protocol: int
    pid: int
    device: str
    torch: str
    threads: int


class LeftOut(msgspec.Struct, frozen=True, tag="left-out"):
    """Engine to client: a row of another package that no table took, as in `segstudio.registry.BrokenRow`."""

    table: str
    name: str
    package: str
    reason: str


class PredictedTile(msgspec.Struct, frozen=True, tag="tile"):
    """One tile of a proposal, encoded as the label document encodes tiles and confidence."""

    id: int
    image: int
    plane: int
    ty: int
    tx: int
    labels: bytes
    confidence: bytes


class PredictedImage(msgspec.Struct, frozen=True, tag="image", kw_only=True):
    """A plane is finished, or could not be read (`problem`). `rows`: object id, class id, score 0..1.

    With `part` it is not finished yet: the tiles sent so far can be shown, the others follow. `fit_s` is how many
    seconds fitting the instant learner took for this request, 0 if it had been fitted before.
    """

    id: int
    image: int
    plane: int
    version: str
    rows: list[tuple[int, int, float]] = msgspec.field(default_factory=list[tuple[int, int, float]])
    part: bool = False
    scale: float = 1.0
    network_pixels: int = 0
    decode_s: float = 0.0
    network_s: float = 0.0
    fit_s: float = 0.0
    problem: str = ""


class Described(msgspec.Struct, frozen=True, tag="described"):
    """What `version` says of a plane: `uncertainty` and `disagreement` in 0..1 (None without another version), and
    features float16 (d) of length 1, from the embedded encoder.
    """

    id: int
    image: int
    plane: int
    version: str
    uncertainty: float
    disagreement: float | None
    features: bytes


class DoubtTile(msgspec.Struct, frozen=True, tag="doubt-tile"):
    """Uncertainty (0..1) in a tile of a plane, encoded as the label document encodes confidence, of a version that
    tells so many `classes` apart.
    """

    id: int
    ty: int
    tx: int
    levels: bytes
    classes: int


class Mistake(msgspec.Struct, frozen=True, tag="mistake"):
    """A region `rect` (x, y, w, h) of a plane, labelled as one class, of which a model says another. `mask` are its
    pixels within the box, row by row, packed to bits and compressed by zlib; the greater `score`, the graver.
    """

    id: int
    image: int
    plane: int
    rect: tuple[int, int, int, int]
    mask: bytes
    labelled: int
    said: int
    score: float


class MistakesLooked(msgspec.Struct, frozen=True, tag="mistakes-looked"):
    """How many of the labelled planes have been looked at for mistakes."""

    id: int
    done: int
    total: int


class Measured(msgspec.Struct, frozen=True, tag="measured"):
    """Facts measured on the labels of a plane, for the client to keep."""

    id: int
    stamp: LabelStamp
    facts: PlaneFacts


class RunPlanned(msgspec.Struct, frozen=True, tag="planned"):
    """The plan of a run: once before it starts, again when the schedule is known, and when the run has ended."""

    id: int
    plan: Plan


class RunEvent(msgspec.Struct, frozen=True, tag="event"):
    """An event of a run."""

    id: int
    event: Event


class RunPicture(msgspec.Struct, frozen=True, tag="picture"):
    """A held-out image as the run sees it now: after each measurement, at most half a megabyte, kept nowhere."""

    id: int
    picture: HeldOutPicture


class Blob(msgspec.Struct, frozen=True, tag="blob"):
    """A part of a file of weights; `kind` is 'checkpoint' or 'weights'."""

    id: int
    kind: str
    data: bytes
    last: bool


class Trained(msgspec.Struct, frozen=True, tag="trained", kw_only=True):
    """A run has ended: figures of parent and child on the same pixels, and the gate's verdict.

    `current` is the version that proposes from now on; `advice` says what would help if that is not the child.
    `older` has the figures of both on the finished images that the promoted version had learned from, if any.
    """

    id: int
    parent: str
    promoted: bool
    current: str
    reason: str
    steps: int
    seconds: float
    figures: dict[str, Figures | None]
    card: dict[str, object]
    advice: str = ""
    older: dict[str, Figures | None] = {}


class Bye(msgspec.Struct, frozen=True, tag="bye"):
    """The engine ends because it was idle: any request that comes now is for another process."""


class Done(msgspec.Struct, frozen=True, tag="done"):
    """No more replies to this request follow."""

    id: int


class Failed(msgspec.Struct, frozen=True, tag="failed", kw_only=True):
    """The request could not be fulfilled. `error` names a class of `segstudio.errors`; empty for a bug."""

    id: int
    error: str
    sentence: str
    safe: str = ""
    todo: str = ""
    trace: str = ""


Reply = (
    Welcome
    | Bye
    | LeftOut
    | PredictedTile
    | PredictedImage
    | Described
    | DoubtTile
    | Mistake
    | MistakesLooked
    | Measured
    | RunPlanned
    | RunEvent
    | RunPicture
    | Blob
    | Trained
    | Done
    | Failed
)

_messages: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def decode_message(data: bytes) -> Message:
    """The client's message in these bytes. Raises `msgspec.DecodeError` if they hold none."""
    return _messages.decode(data)


def decode_reply(data: bytes) -> Reply:
    """The engine's reply in these bytes. Raises `msgspec.DecodeError` if they hold none."""
    return _replies.decode(data)
