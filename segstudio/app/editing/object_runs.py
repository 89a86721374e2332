"""Runs an operation on objects as one edit of the image on screen: in memory, or as a job where that is too large."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from segstudio.app.editing.background_fill import Fills, TooLarge
from segstudio.app.editing.background_writes import changing
from segstudio.app.editing.documents import Documents, OpenDocument
from segstudio.app.ground import Ground
from segstudio.app.values import JobKind
from segstudio.errors import UserError
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ObjectId
from segstudio.labels.paint.objects.locking import must_be_unlocked
from segstudio.labels.paint.objects.parts import Report
from segstudio.labels.tiles.streamed import Part

__all__ = ["ObjectRuns", "Operation", "Step"]

Step = Callable[[int], None]
"""Is told how many tiles are done; raises `Cancelled`."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done to objects, and the words for it.

    `tool` goes into the edit, `name` is the command's, `progress` that of a job. `work` gives the parts of the edit and
    fills in the report; it may run several times, each time over another document. `said` is what it came to, `nothing`
    what is said where no pixel changed. `ids` are the objects that it changes: it is refused where one is locked by the
    time it is computed. `steps_of` is how many steps `work` counts, where it does so itself. With `selects` the objects
    of the report are selected afterwards.
    """

    tool: str
    name: str
    progress: str
    work: Callable[[Document, Report, Step], Iterable[Part]]
    said: Callable[[Report], str]
    nothing: str
    ids: Collection[ObjectId] = ()
    steps_of: Callable[[Document], int] = lambda _document: 0
    selects: bool = True


class ObjectRuns:
    """One at a time with accept and Done, in the order in which they were asked for."""

    def __init__(self, ground: Ground, documents: Documents, fills: Fills) -> None:
        self._project, self._notices = ground.project, ground.notices
        self._documents, self._fills = documents, fills

    def may_begin(self) -> OpenDocument | None:
        """The document on screen, its stroke kept; None, saying why, where nothing can be changed now."""
        why_not = self._project.why_read_only if self._project.writer is None else self._documents.busy
        if why_not:
            self._notices.say(why_not)
            return None
        self._documents.commit_gesture()
        return self._documents.current

    def run(self, operation: Operation) -> None:
        """Make the edit: a small one is there when this returns."""
        opened = self.may_begin()
        if opened is None:
            return
        header = Edit(opened.document.image, Cause.OBJECTS, tool=operation.tool, author=self._documents.author)
        reports, classes = [Report()], self._documents.classes

        def parts(document: Document, step: Step = lambda _steps: None) -> Iterable[Part]:
            must_be_unlocked(document, classes, operation.ids)
            reports.append(Report())
            counts = operation.steps_of(document) == 0
            return _stepping(operation.work(document, reports[-1], step), step, counts=counts)

        def made(changed: bool) -> None:
            if changed and operation.selects and self._documents.current is opened:
                self._documents.selection.select(reports[-1].selects)
            self._notices.say(operation.said(reports[-1]) if changed else operation.nothing)

        def refused(error: UserError) -> None:
            if isinstance(error, TooLarge):
                self._stream(header, operation, parts, made)
            else:
                self._notices.say(error.line)

        self._fills.change(operation.name, opened, header, parts, made, refused)

    def _stream(
        self,
        header: Edit,
        operation: Operation,
        parts: Callable[[Document, Step], Iterable[Part]],
        made: Callable[[bool], None],
    ) -> None:
        """Write what is too large for memory, once the edits that are being computed are there."""
        assert header.image is not None
        images = frozenset({header.image})
        write = changing(self._project, header, parts, operation.steps_of)

        def begin() -> None:
            self._notices.attempt(
                lambda: self._documents.write_long(
                    JobKind.OBJECTS, operation.progress, write, images, lambda edits: made(edits > 0)
                )
            )

        self._documents.after(begin)


def _stepping(parts: Iterable[Part], step: Step, *, counts: bool) -> Iterator[Part]:
    """The parts; with `counts` each tile is a step, at which the work can be cancelled."""
    for part in parts:
        if counts and isinstance(part, tuple):
            step(1)
        yield part
