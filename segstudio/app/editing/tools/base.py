"""What a tool is: a row of the table, and the handler that it makes, a state machine over plain values.

A handler is given each event together with the context that it works on, and returns an `Answer`. It keeps no way
back to whoever calls it, and knows no widget. `segstudio.app.editing.active_tool` does what the answers say.

**How a gesture ends.** By an answer whose `ends` is KEEP or DROP, to whichever event the tool likes: the release of a
button, a click, a key. It may also be ended from outside, at any time: `commit` keeps what there is (another image,
save, another tool, Done), `abort` takes all of it back (Escape, undo, a fault). Lost focus and a release that nobody
saw are `interrupted`, and there the tool says whether it ends. What would take `commit` long to compute is a `Later`:
it is taken from the tool, which is aborted, and made on a worker as an edit of its own.

**How a tool answers later.** A tool that has to wait, for the engine or for a long computation, puts what it wants to
know into `Answer.asks`, a value, and stays under way. `ToolState.asked` tells it, with a ticket, to whoever serves
such questions; `ActiveTool.arrived(ticket, value)` brings the result to `ToolHandler.arrived`, whose answer counts like
any other. The result of a gesture that has ended meanwhile is dropped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from segstudio.app.editing.tools.options import Option, OptionValue
from segstudio.app.editing.tools.pointer import Button, Key, KeyEvent, Pointer
from segstudio.geometry import Rect
from segstudio.labels.paint.limits import Limits

if TYPE_CHECKING:
    # The table is read when a window opens, which it does without NumPy.
    from segstudio.app.editing.tools.overlay import Overlay
    from segstudio.app.viewing.display import DisplayImage
    from segstudio.imaging.display import View
    from segstudio.labels.document import Document
    from segstudio.labels.edit import Edit
    from segstudio.labels.model import ClassTable, LabelClass, ObjectId, Touch
    from segstudio.labels.paint.flood import Cancelled
    from segstudio.labels.proposal import Proposal

__all__ = ["NOWHERE", "Answer", "Context", "Cursor", "Effect", "End", "Later", "Paint", "Seen", "Tool", "ToolHandler"]

NOWHERE = Rect(0, 0, 0, 0)
"""Where nothing changed."""


@dataclass(frozen=True, slots=True)
class Paint:
    """What is painted with; `radius` in image pixels, `options` the values of all tools' options by name.

    `new_object`: what is painted with an instance class is a new object, also where it begins on one.
    `touch` says which pixels may be changed, `limits` what the person chose for it.
    """

    classes: ClassTable
    label_class: LabelClass
    radius: float
    touch: Touch
    plane: int
    author: str
    options: Mapping[str, OptionValue] = field(default_factory=dict[str, OptionValue])
    new_object: bool = False
    limits: Limits = field(default_factory=Limits)

    def class_of(self, button: Button) -> LabelClass:
        """The class that a button paints: the right one background, the left one what was chosen."""
        return self.classes.background if button is Button.RIGHT else self.label_class


@dataclass(frozen=True, slots=True)
class Seen:
    """What is on screen beside the labels: the pixels of the plane, its proposal, and the selected objects.

    `view` are the image pixels in view, None where that is not known.
    """

    image: DisplayImage | None = None
    proposal: Proposal | None = None
    selected: frozenset[ObjectId] = frozenset()
    view: Rect | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What an event is about: the labels of the image on screen, what is painted on them now, and what else is seen."""

    document: Document
    paint: Paint
    seen: Seen = Seen()


class End(Enum):
    """Whether a gesture ends with an answer, and how."""

    NOT_YET = auto()
    KEEP = auto()
    DROP = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """What an event came to: the pixels that changed on the plane shown, what is seen above them, and the end.

    `overlay` None leaves what is shown as it is; the end of a gesture takes it away. `asks`: see the module. `selects`
    are the objects to be selected from now on, `view` is how the image is to be shown, each None = as before. `says` is
    a sentence for the person, `sets` the values of options of this tool from now on.
    """

    changed: Rect = NOWHERE
    overlay: Overlay | None = None
    ends: End = End.NOT_YET
    asks: object = None
    selects: frozenset[ObjectId] | None = None
    says: str = ""
    sets: Mapping[str, OptionValue] | None = None
    view: View | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Later:
    """What a gesture has yet to compute when it is kept from outside: `make` gives its edit, None for no change.

    It runs on a worker, on `context` with a copy of the labels as its document, and again where the labels have changed
    meanwhile. It raises `UserError` where there is nothing to keep; once cancelled it may return anything. `painted` is
    the class that it paints.
    """

    context: Context
    make: Callable[[Context, Cancelled], Edit | None]
    painted: LabelClass | None = None

    def now(self) -> Edit:
        """The edit, computed here; an empty one where nothing changes."""
        from segstudio.labels.edit import Edit
        from segstudio.labels.model import Cause

        document = self.context.document
        edit = self.make(replace(self.context, document=document.copy()), lambda: False)
        return Edit(document.image, Cause.PAINT) if edit is None else edit


class ToolHandler(ABC):
    """One tool in one window. Methods for events that do not concern it need not be there.

    `keys` are those that it takes before the window does while it is under way. An exception aborts the gesture.
    """

    keys: frozenset[Key] = frozenset()

    @property
    @abstractmethod
    def active(self) -> bool:
        """Whether a gesture has begun and not ended."""

    def press(self, event: Pointer, context: Context) -> Answer:
        """A button went down."""
        return Answer()

    def move(self, event: Pointer, context: Context) -> Answer:
        """The pointer moved while the button of the last press is held."""
        return Answer()

    def release(self, event: Pointer, context: Context) -> Answer:
        """The button of the last press went up."""
        return Answer()

    def hover(self, event: Pointer, context: Context) -> Answer:
        """The pointer moved with no button of this tool down."""
        return Answer()

    def double_click(self, event: Pointer, context: Context) -> Answer:
        """The second press of a quick pair, which was preceded by a press and a release like any other."""
        return self.press(event, context)

    def leave(self, event: Pointer, context: Context) -> Answer:
        """The pointer left the canvas."""
        return Answer()

    def key(self, event: KeyEvent, context: Context) -> Answer:
        """One of `keys` went down or up while a gesture is under way."""
        return Answer()

    def interrupted(self, context: Context) -> Answer:
        """The focus went elsewhere, or a release was lost: a gesture that lives by a held button ends, and is kept."""
        return Answer(ends=End.KEEP) if self.active else Answer()

    def arrived(self, value: object, context: Context) -> Answer:
        """The result of what an answer asked for."""
        return Answer()

    def unanswered(self) -> None:  # noqa: B027 (most tools wait for nothing)
        """What was asked for until now is not answered any more: another image, or the end of a gesture."""

    def unfinished(self, context: Context) -> Later | None:
        """What `commit` would compute for long; None where it is quick. Asked right before it, of an active tool."""
        return None

    @abstractmethod
    def commit(self, context: Context) -> Edit | None:
        """End the gesture and keep it; None where it changed nothing or none is under way.

        The edit is made on the document already. Whatever fails leaves the gesture under way, for `abort`.
        """

    @abstractmethod
    def abort(self) -> dict[int, Rect]:
        """End the gesture as if it had never begun; what has to be drawn again, by plane."""


class Effect(Enum):
    """What a tool does to labels; CLASS paints the chosen class, UNKNOWN takes labels away, OBJECTS changes objects of
    any class and looks after locked ones itself.
    """

    NOTHING = auto()
    CLASS = auto()
    UNKNOWN = auto()
    OBJECTS = auto()


class Cursor(Enum):
    """How the pointer looks; RING is a cross with the outline of the brush around it."""

    ARROW = auto()
    CROSS = auto()
    RING = auto()
    HAND = auto()


@dataclass(frozen=True, slots=True)
class Tool:
    """One row of the table. Action, menu, button and the list of keys are made from it.

    `keys` are portable key sequences, the first is shown; `icon` the name of a shipped one, or the path of an SVG file.
    `drags_view` says that the left button moves the image, which the canvas does without asking the tool. `options` are
    what a person can set about it, shown beside the image; `hint` says in the status bar how it is used.
    """

    name: str
    title: str
    tip: str
    icon: str
    keys: tuple[str, ...]
    make: Callable[[Tool], ToolHandler]
    cursor: Cursor = Cursor.CROSS
    effect: Effect = Effect.CLASS
    drags_view: bool = False
    options: tuple[Option, ...] = ()
    hint: str = ""
