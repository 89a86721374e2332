"""Serves tools that wait: runs what they ask for on a worker and brings the result back to the tool under way.

The newest question counts. One that is asked before the last is answered takes its place: the earlier one is told that
it is cancelled, and its result is dropped. So is one whose gesture has ended.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QTimer

from segstudio.app.editing.documents import Documents
from segstudio.app.editing.tool_state import Question
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal

__all__ = ["Computation", "ToolWork"]

_WARM_MS = 100
"""How long an image is on screen before tools are imported: it is painted first."""


@dataclass(frozen=True, slots=True, eq=False)
class Computation:
    """What a tool puts into `Answer.asks`: `work(cancelled)` runs on a worker, `ToolHandler.arrived` gets its result.

    It may raise `UserError`: the gesture is dropped then, with its sentence. It works on copies (`Raster.copy`), never
    on the document itself. Where `cancelled()` is true nobody waits for it any more, and it may return anything.
    """

    work: Callable[[Callable[[], bool]], object]


class ToolWork(QObject):
    """One worker for the tools of a project."""

    def __init__(self, ground: Ground, documents: Documents, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices, self._documents = ground.notices, documents
        self._worker = Worker("tool", ground.main)
        self._newest, self._is_warm = 0, False
        documents.tools.asked.connect(self._ask)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_WARM_MS)
        self._soon.timeout.connect(self._warm)

    def warm_up(self) -> None:
        """An image is on screen: soon, have the worker import what the first press of each tool needs."""
        if not self._is_warm:
            self._soon.start()

    def _warm(self) -> None:
        from segstudio.app.editing.tools.warming import warm_up

        self._is_warm = True
        self._worker.submit(warm_up)

    def close(self, wait_s: float | None = None) -> None:
        """Drop what is under way and end the worker."""
        self._soon.stop()
        self._newest += 1
        self._documents.tools.asked.disconnect(self._ask)
        self._worker.close(wait_s)

    def _ask(self, question: Question) -> None:
        if not isinstance(question.what, Computation):
            return
        self._newest += 1
        number, work, tool = self._newest, question.what.work, self._documents.active_tool

        def cancelled() -> bool:
            return number != self._newest or not tool.listens(question.ticket)

        def run() -> object:
            return None if cancelled() else work(cancelled)

        self._worker.submit(run, lambda future: self._arrived(number, question.ticket, future))

    def _arrived(self, number: int, ticket: int, future: "Future[Any]") -> None:
        refused = refusal(future)
        if number != self._newest:
            return
        if refused is None:
            self._documents.active_tool.arrived(ticket, future.result())
        elif self._documents.active_tool.waits_for(ticket):
            self._documents.cancel_gesture()
            self._notices.say(refused.line)
