"""The owner of edits that are computed (accept, done, objects, gestures kept early): on a worker, applied by the loop.

Each is computed over a frozen copy of the labels and applied where their tiles and the locks of objects are still the
same, else computed again; the window waits for none. They are applied in the order of the requests.
"""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, wait
from dataclasses import dataclass
from time import monotonic

from PySide6.QtCore import QObject, QTimer

from segstudio.app.editing.documents import Documents, OpenDocument
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker
from segstudio.app.values import JobKind
from segstudio.errors import EditConflict, NothingLabelled, UserError
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import ObjectId
from segstudio.labels.paint.fill import Filling, Outcome, parts_of
from segstudio.labels.paint.flood import Cancelled
from segstudio.labels.tiles.streamed import Part, collected, tile_bytes
from segstudio.text import _

__all__ = ["Fills", "TooLarge"]

_GESTURE_POLL_MS = 50
_MOMENT_S = 0.05
_SOON_S = 0.03
"""How long a small change is waited for, so that it is there when the key is let go."""


class TooLarge(UserError):
    """The edit does not fit into memory: it has to be streamed."""


@dataclass(frozen=True, slots=True)
class _Filled:
    """An edit, or None where nothing changes, and what comes of it."""

    edit: Edit | None
    outcome: Outcome


@dataclass(slots=True, eq=False)
class _Fill:
    """One of them, named for people; `future` is None while those before it are under way."""

    name: str
    opened: OpenDocument
    compute: Callable[[Document], _Filled]
    then: Callable[[Outcome], None]
    otherwise: Callable[[UserError], None]
    never_empty: bool = False
    begun_at: int = 0
    locked: AbstractSet[ObjectId] = frozenset()
    future: "Future[_Filled] | None" = None


class Fills(QObject):
    """A notice reports one that could not be computed."""

    def __init__(self, ground: Ground, documents: Documents, worker: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices = ground.notices
        self._documents = documents
        self._worker = worker
        self._fills: list[_Fill] = []
        documents.computing = lambda: [fill.opened for fill in self._fills]

    def add(
        self,
        name: str,
        opened: OpenDocument,
        header: Edit,
        work: Filling,
        then: Callable[[Outcome], None] = lambda _outcome: None,
        otherwise: Callable[[UserError], None] | None = None,
    ) -> None:
        """Fill a document as the edit of this header: `then` runs after it, `otherwise` in place of a notice."""
        refuse = otherwise or self._fail
        self._fills.append(
            _Fill(name, opened, lambda copy: _computed(copy, header, work), then, refuse, work.never_empty)
        )
        self._go_on()

    def change(
        self,
        name: str,
        opened: OpenDocument,
        header: Edit,
        parts: Callable[[Document], Iterable[Part]],
        then: Callable[[bool], None],
        otherwise: Callable[[UserError], None],
    ) -> None:
        """Make the edit of this header and these parts, which may be computed several times; a small one at once.

        `then` learns whether anything changed; `otherwise` gets `TooLarge` where it is larger than is kept in memory.
        """
        limit = self._documents.largest_edit_bytes
        self.soon(name, opened, lambda copy, _: collected(header, _limited(parts(copy), limit)), then, otherwise)

    def soon(
        self,
        name: str,
        opened: OpenDocument,
        make: Callable[[Document, Cancelled], Edit | None],
        then: Callable[[bool], None],
        otherwise: Callable[[UserError], None],
    ) -> None:
        """Make the edit that `make` gives of a copy, a small one at once; the rest is as for `change`."""

        def compute(copy: Document) -> _Filled:
            edit = make(copy, lambda: fill not in self._fills)
            return _Filled(edit, Outcome(changed=edit is not None))

        fill = _Fill(name, opened, compute, lambda outcome: then(outcome.changed), otherwise)
        self._fills.append(fill)
        self._go_on()
        free = not (self._documents.gesture_active or self._documents.busy)
        if free and self._fills[0] is fill and wait([self._begun(fill)], _SOON_S).done:
            self._apply(fill)

    def _fail(self, error: UserError) -> None:
        self._notices.fail(JobKind.DONE, error)

    def settle(self, timeout_s: float | None = None) -> bool:
        """Wait for what is under way and apply it, keeping a stroke first; whether all of it ended within the time."""
        end = None if timeout_s is None else monotonic() + timeout_s
        if self._fills:
            self._documents.commit_gesture()
        while self._fills:
            head = self._fills[0]
            left = None if end is None else max(0.0, end - monotonic())
            if not wait((self._begun(head),), left).done:
                return False
            self._apply(head)
        return True

    def cancel(self) -> list[str]:
        """Drop what is not applied yet of the document on screen; the names of what would have changed something.

        What is not computed within one moment for all is taken to change something: nobody waits for it.
        """
        mine = [fill for fill in self._fills if fill.opened is self._documents.current]
        wait([fill.future for fill in mine if fill.future is not None], _MOMENT_S)
        self._fills = [fill for fill in self._fills if fill not in mine]
        self._go_on()
        return [fill.name for fill in mine if _would_change(fill)]

    def _begun(self, fill: _Fill) -> "Future[_Filled]":
        if fill.future is None:
            copy, fill.begun_at = fill.opened.document.copy(), fill.opened.last
            fill.locked = frozenset(copy.locked)
            fill.future = self._worker.submit(lambda: fill.compute(copy), lambda future: self._computed(fill, future))
        return fill.future

    def _computed(self, fill: _Fill, future: "Future[_Filled]") -> None:
        if fill not in self._fills or fill.future is not future:
            return  # cancelled, applied by whoever waited for it, or computed again
        if self._documents.gesture_active or self._documents.busy:
            QTimer.singleShot(_GESTURE_POLL_MS, self, lambda: self._computed(fill, future))
        else:
            self._apply(fill)

    def _apply(self, fill: _Fill) -> None:
        future = self._begun(fill)
        self._fills.remove(fill)
        try:
            filled = _result(fill, future)
            if filled.edit is not None:
                self._documents.commit(filled.edit)
            fill.then(filled.outcome)
        except EditConflict:
            # Painted meanwhile on the same tiles, or locked: computed once more on what is there now.
            fill.future = None
            self._fills.insert(0, fill)
        except UserError as error:
            fill.otherwise(error)
        finally:
            self._go_on()

    def _go_on(self) -> None:
        self._documents.tell()
        if self._fills:
            self._begun(self._fills[0])
        else:
            self._documents.go_on()


def _computed(document: Document, header: Edit, work: Filling) -> _Filled:
    """For a worker thread, over a frozen copy."""
    outcome = Outcome()
    edit = collected(header, parts_of(document, work, outcome=outcome))
    return _Filled(edit, outcome)


def _limited(parts: Iterable[Part], limit: int) -> Iterator[Part]:
    """The parts as long as their tiles fit. Raises `TooLarge`."""
    held = 0
    for part in parts:
        if isinstance(part, tuple):
            held += tile_bytes(part[1].before) + tile_bytes(part[1].after)
        if held > limit:
            raise TooLarge(_("The change is too large to be made at once."))
        yield part


def _result(fill: _Fill, future: "Future[_Filled]") -> _Filled:
    """What was computed. Raises `EditConflict` where it was about pixels being there at all, and some came or went, or
    where an object was locked or unlocked meanwhile."""
    if fill.opened.document.locked != fill.locked:
        raise EditConflict("objects were locked or unlocked while the edit was computed")
    error = future.exception()
    outcome = None if error is not None else future.result().outcome
    tells_of_pixels = isinstance(error, NothingLabelled) or (
        outcome is not None and (bool(outcome.empty) or not outcome.changed)
    )
    if fill.never_empty and tells_of_pixels and fill.opened.last != fill.begun_at:
        raise EditConflict("the image was painted on while its edit was computed")
    return future.result()


def _would_change(fill: _Fill) -> bool:
    if fill.future is None or not fill.future.done():
        return True
    edit = fill.future.result().edit if fill.future.exception() is None else None
    return edit is not None and not edit.empty
