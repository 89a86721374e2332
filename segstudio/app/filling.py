"""The owner of whole-image edits under way (accept, done): computed on a worker, applied by the event loop.

Each is computed over a frozen copy of the labels and applied where their tiles are still the same, else computed anew;
the window waits for none. They are applied in the order in which they were asked for.
"""

from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.documents import Documents, OpenDocument
from segstudio.app.fill_edits import Filled, frozen_copy
from segstudio.app.jobs import Worker
from segstudio.errors import EditConflict, UserError
from segstudio.labels.document import Document

__all__ = ["Fills"]

_GESTURE_POLL_MS = 50
_MOMENT_S = 0.2


@dataclass(slots=True, eq=False)
class _Fill:
    """One of them; `future` is None while those before it are under way."""

    opened: OpenDocument
    compute: Callable[[Document], Filled]
    then: Callable[[Filled], None]
    future: "Future[Filled] | None" = None


class Fills(QObject):
    """`failed` carries the sentence of one that could not be computed."""

    failed = Signal(str)

    def __init__(self, documents: Documents, worker: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._documents = documents
        self._worker = worker
        self._fills: list[_Fill] = []
        self._waiting: list[Callable[[], None]] = []

    def add(
        self, opened: OpenDocument, compute: Callable[[Document], Filled], then: Callable[[Filled], None] | None = None
    ) -> None:
        """Compute an edit of a document and commit it; `then` runs after it."""
        self._fills.append(_Fill(opened, compute, then or (lambda _filled: None)))
        if len(self._fills) == 1:
            self._begin(self._fills[0])

    def after(self, call: Callable[[], None]) -> None:
        """Run `call` once nothing is under way: at once where nothing is."""
        if self._fills:
            self._waiting.append(call)
        else:
            call()

    def settle(self, *, keep: OpenDocument | None = None) -> None:
        """Wait for what is under way and apply it, but for edits of `keep`; a stroke under way is kept first."""
        wanted = [fill for fill in self._fills if fill.opened is not keep]
        if wanted:
            self._documents.settle()
        while any(fill in self._fills for fill in wanted):
            head = self._fills[0]
            if head.future is not None:
                wait((head.future,))
                self._apply(head)

    def cancel(self) -> bool:
        """Drop what is not applied yet of the document on screen; whether one of them would have changed something.

        What takes longer than a moment to compute is taken to change something: nobody waits for it.
        """
        mine = [fill for fill in self._fills if fill.opened is self._documents.current]
        changing = any(_would_change(fill) for fill in mine)
        self._fills = [fill for fill in self._fills if fill not in mine]
        self._go_on()
        return changing

    def _begin(self, fill: _Fill) -> None:
        copy, compute = frozen_copy(fill.opened.document), fill.compute
        fill.future = self._worker.submit(lambda: compute(copy), lambda future: self._computed(fill, future))

    def _computed(self, fill: _Fill, future: "Future[Filled]") -> None:
        if fill not in self._fills or fill.future is not future:
            return  # cancelled, applied by whoever waited for it, or computed anew
        if self._documents.gesture_active or self._documents.busy:
            QTimer.singleShot(_GESTURE_POLL_MS, self, lambda: self._computed(fill, future))
        else:
            self._apply(fill)

    def _apply(self, fill: _Fill) -> None:
        assert fill.future is not None
        self._fills.remove(fill)
        try:
            filled = fill.future.result()
            if filled.edit is not None:
                self._documents.commit(filled.edit)
            fill.then(filled)
        except EditConflict:
            # Painted meanwhile on the same tiles: computed once more on what is there now.
            self._fills.insert(0, fill)
            self._begin(fill)
        except UserError as error:
            self.failed.emit(error.line)
        finally:
            self._go_on()

    def _go_on(self) -> None:
        if self._fills and self._fills[0].future is None:
            self._begin(self._fills[0])
        while not self._fills and self._waiting:
            self._waiting.pop(0)()


def _would_change(fill: _Fill) -> bool:
    if fill.future is None or not wait((fill.future,), timeout=_MOMENT_S).done:
        return True
    edit = fill.future.result().edit if fill.future.exception() is None else None
    return edit is not None and not edit.empty
