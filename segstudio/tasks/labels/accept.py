"""Accept and Done: proposals become labels, and images done, alike for window, command line and Python.

Accept fills unlabelled pixels with the proposal. Done fills it by the project's setting and marks the image done. What
is labelled stays, a locked class or object gets no pixel, and an image without labels is never marked done.
"""

import sqlite3
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import NothingLabelled
from segstudio.geometry import Rect, tiles_of
from segstudio.imaging.outside import has_outside, outside_in
from segstudio.imaging.source import Stored
from segstudio.labels.document import Document
from segstudio.labels.edit import Batch, Edit
from segstudio.labels.model import Cause, ClassTable, ImageId, Origin, Rest, Status
from segstudio.labels.paint.fill import ClassIdsOf, Filling, Outcome, OutsideOf
from segstudio.labels.proposal import Proposal
from segstudio.labels.tiles.streamed import Part, StreamedEdit
from segstudio.labels.user import user_name
from segstudio.store.file_check import Content, look_at, note
from segstudio.store.label_fill import filled
from segstudio.store.progress_token import Ticker
from segstudio.store.project import ImageRow, Project
from segstudio.tasks.labels.effort import count_effort
from segstudio.tasks.labels.together import Edits, counted, written_together
from segstudio.tasks.progress import Progress
from segstudio.text import _

__all__ = [
    "REST_SETTING",
    "AcceptReport",
    "Acceptance",
    "accept",
    "acceptance",
    "accepting",
    "count_efforts",
    "emptying",
    "finishing",
    "is_whole",
    "outside_of",
    "rest_of",
    "write_accepted",
]

REST_SETTING = "done_rest"
"""The project's setting of what Done makes of unlabelled pixels."""

_EVERY = 100
"""After how many files cancelling is possible."""


@dataclass(frozen=True, slots=True)
class AcceptReport:
    """`images` with a proposal were accepted (or done), `edits` of them changed by that; the others were passed over.

    `without` have no proposal; `empty` would have been marked done with nothing labelled; the file of `changed` ones
    has changed since it was labelled. Of images that were marked done `planes_left` planes were not.
    """

    images: int
    edits: int
    without: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    planes_left: int = 0

    @property
    def passed_over(self) -> int:
        """How many were left unchanged."""
        return len(self.without) + len(self.empty) + len(self.changed)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What accepting these images will do: `ready` are those it is done for, the others are named as in the report."""

    job: "_Job"
    ready: tuple[ImageRow, ...]
    without: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def report(self, edits: int) -> AcceptReport:
        """What came of it, once that many edits are written."""
        empty = tuple(row.path for row in self.ready if row.id in self.job.empty)
        left = sum(self.job.left.values())
        return AcceptReport(len(self.ready) - len(empty), edits, self.without, empty, self.changed, left)


def accept(
    project: Project, images: Sequence[ImageRow], *, done: bool = False
) -> Generator[Progress, None, AcceptReport]:
    """Accept the proposals of these images on all their planes; with `done` mark these done by the project's setting.

    One edit an image, all in one batch, written in one transaction: an error changes nothing, and they are undone
    together. Raises `ReadOnly`, `DiskRefused`.
    """
    writer = project.writing()
    plan = yield from acceptance(project, images, done=done)
    job, ready = plan.job, plan.ready
    writing = written_together(writer, job.edits_of(ready), len(ready), job.batch(), job.safe)
    edits = 0
    if ready:
        edits = yield from _shown(writing, ready, done=done)
    if done:
        for _step in count_efforts(project, plan):
            pass  # too short beside the writing to be shown
    return plan.report(edits)


def acceptance(
    project: Project,
    images: Sequence[ImageRow],
    *,
    done: bool = False,
    unproposed: bool = False,
    classes: ClassTable | None = None,
    rest: Rest | None = None,
) -> Generator[Progress, None, Acceptance]:
    """Find out for which of these images proposals can be accepted; looks at their files, and changes no labels.

    With `unproposed` planes without a proposal are finished too where Done needs none: its setting is another one, or
    every pixel is labelled. A person has named the images then. `classes` and `rest`, the setting, are given by an
    owner to which they may be known before they are on disk.
    """
    proposed, planes = _proposed_planes(project), dict[ImageId, Sequence[int]]()
    classes = project.classes() if classes is None else classes
    rest = rest_of(project.setting(REST_SETTING)) if rest is None else rest

    for row in images:
        found = proposed.get(row.id, [])
        if unproposed and rest is not Rest.PROPOSAL:
            found = range(len(row.planes))
        elif unproposed and len(found) < len(row.planes):
            found = sorted({*found, *_full_planes(project, row)})
        if found:
            planes[row.id] = found
    without = tuple(row.path for row in images if row.id not in planes)
    ready, changed = yield from _as_labelled(project, [row for row in images if row.id in planes])
    cause = Cause.DONE if done else Cause.ACCEPT
    return Acceptance(_Job(project, planes, classes, cause, rest), tuple(ready), without, changed)


def write_accepted(project: Project, plan: Acceptance, ticker: Ticker) -> "Future[int]":
    """Hand all of it to the writer: one transaction, one batch. The future says how many edits it took.

    Raises `ReadOnly`; the future raises `Cancelled`, `DiskRefused`.
    """
    ticker.total = len(plan.ready)
    return project.writing().write_all(counted(plan.job.edits_of(plan.ready), ticker), plan.job.batch())


def count_efforts(project: Project, plan: Acceptance) -> Generator[Progress, None, None]:
    """Keep what a person has changed of the proposals of these images, once they are done; on disk when it ends."""
    for done, row in enumerate(plan.ready):
        if row.id not in plan.job.empty:
            yield Progress(done, len(plan.ready), _("counting what was changed"))
            writing = count_effort(project, project.document(row.id), plan.job.classes, plan.job.planes[row.id])
            if writing is not None:
                writing.result()


def _full_planes(project: Project, row: ImageRow) -> Collection[int]:
    """The planes of an image on which every pixel is labelled."""
    if row.labelled_pixels >= sum(w * h for w, h in row.planes):
        return range(len(row.planes))
    if len(row.planes) == 1 or not row.labelled_pixels:
        return ()
    pixels = project.pixels_by_plane(row.id)
    return [plane for plane, (w, h) in enumerate(row.planes) if pixels.get(plane, 0) >= w * h]


def _shown(
    writing: Generator[int, None, int], rows: Sequence[ImageRow], *, done: bool
) -> Generator[Progress, None, int]:
    """The progress of the writing."""
    total = len(rows)
    try:
        while True:
            try:
                written = next(writing)
            except StopIteration as end:
                return end.value
            path = rows[min(written, total - 1)].path
            doing = _("marking {path} done", path=path) if done else _("accepting {path}", path=path)
            yield Progress(written, total, doing)
    finally:
        writing.close()


def _proposed_planes(project: Project) -> dict[ImageId, list[int]]:
    """The planes that have a proposal, by image."""
    found: dict[ImageId, list[int]] = {}
    for proposal in project.proposals.notes():
        found.setdefault(proposal.image, []).append(proposal.plane)
    return found


def _as_labelled(
    project: Project, rows: Sequence[ImageRow]
) -> Generator[Progress, None, tuple[list[ImageRow], tuple[str, ...]]]:
    """The images whose file is what was labelled, or is not there to be asked; and the paths of the others."""
    ready: list[ImageRow] = []
    changed: list[str] = []
    for done, row in enumerate(rows):
        if done % _EVERY == 0:
            yield Progress(0, len(rows), _("checking the files"))
        look = look_at(row)
        note(project, row, look)  # from here on its content counts: see what it is
        if look.content is Content.CHANGED:
            changed.append(row.path)
        else:
            ready.append(row)
    return ready, tuple(changed)


class _Job:
    """The values common to all images, and their planes; the images left because nothing would have been labelled, and
    how many planes of others were `left` not done."""

    def __init__(
        self, project: Project, planes: dict[ImageId, Sequence[int]], classes: ClassTable, cause: Cause, rest: Rest
    ) -> None:
        self._project, self.planes = project, planes
        self.classes, self._cause, self._rest = classes, cause, rest
        self.empty: set[ImageId] = set()
        self.left: dict[ImageId, int] = {}
        self.safe = _("No image was marked done.") if cause is Cause.DONE else _("Nothing was accepted.")

    def batch(self) -> Batch:
        """What the edits have in common."""
        return Batch(self._cause, user_name())

    def edits_of(self, rows: Sequence[ImageRow]) -> Edits:
        """One edit an image, streamed from what is stored."""
        return partial(self._edits, rows=rows)

    def _edits(self, db: sqlite3.Connection, ticker: Ticker, rows: Sequence[ImageRow]) -> Iterator[StreamedEdit]:
        for row in rows:
            header = Edit(row.id, self._cause, tool=self._cause.value, author=user_name())
            outcome = Outcome()
            edit = filled(db, header, self._work(row), outcome=outcome)
            yield StreamedEdit(header, self._parts(row, edit, ticker, outcome))

    def _work(self, row: ImageRow) -> Filling:
        def proposal_of(plane: int) -> Proposal | None:
            return self._project.proposals.read(row.id, plane)

        if self._cause is Cause.DONE:
            return finishing(proposal_of, self.planes[row.id], self._rest, self.classes, outside_of(row.stored))
        return accepting(proposal_of, self.planes[row.id], self.classes, outside_of(row.stored))

    def _parts(self, row: ImageRow, edit: StreamedEdit, ticker: Ticker, outcome: Outcome) -> Iterator[Part]:
        try:
            for part in edit.parts:
                ticker.step(0)  # an image may be large: it can be cancelled within
                yield part
        except NothingLabelled:  # before the first part: nothing is written of it
            self.empty.add(row.id)
            return
        if self._cause is Cause.DONE:
            done = {*row.marks.done(len(row.planes)), *self.planes[row.id]} - outcome.empty
            self.left[row.id] = len(row.planes) - len(done)
            self.planes[row.id] = [plane for plane in self.planes[row.id] if plane not in outcome.empty]


def outside_of(stored: Stored) -> OutsideOf | None:
    """What lies outside the picture, looked up in its file when it is asked for; None where nothing does."""
    return partial(outside_in, stored) if has_outside(stored.metadata) else None


def accepting(
    proposal_of: Callable[[int], Proposal | None],
    planes: Iterable[int],
    classes: ClassTable,
    outside: OutsideOf | None = None,
) -> Filling:
    """Fills what is unlabelled on these planes with their proposals, each read at its plane's turn."""
    by_plane = {p: _reader(p, proposal_of, classes) for p in planes}
    return Filling(by_plane, classes, Origin.ACCEPTED, only_unknown=True, outside=outside)


def finishing(
    proposal_of: Callable[[int], Proposal | None],
    planes: Collection[int],
    rest: Rest,
    classes: ClassTable,
    outside: OutsideOf | None = None,
) -> Filling:
    """Fills the rest of these planes by the project's setting and marks them done, unless they would stay empty."""
    by_plane: dict[int, ClassIdsOf] = {}
    if rest is Rest.PROPOSAL:
        by_plane = {p: _reader(p, proposal_of, classes) for p in planes}
    elif rest is Rest.BACKGROUND:
        by_plane = dict.fromkeys(planes, _everywhere(classes.background.id))
    return Filling(
        by_plane,
        classes,
        Origin.FILLED,
        only_unknown=True,
        status=Status.DONE,
        marked=planes,
        never_empty=True,
        outside=outside,
    )


def emptying(planes: Collection[int], classes: ClassTable, outside: OutsideOf | None = None) -> Filling:
    """Makes all that is unlabelled on these planes background and marks them done: a person has said that nothing is
    there.

    The lock of the background does not count here: the person's statement covers every pixel.
    """
    by_plane = dict.fromkeys(planes, _everywhere(classes.background.id))
    return Filling(
        by_plane,
        classes,
        Origin.FILLED,
        only_unknown=True,
        status=Status.DONE,
        marked=planes,
        locks=False,
        outside=outside,
    )


def is_whole(proposal: Proposal, document: Document) -> bool:
    """Whether every tile of the plane is proposed, and not only the part that was on screen."""
    return len(proposal.tiles) >= sum(1 for _ in tiles_of(document.raster.bounds(proposal.plane)))


def rest_of(setting: object) -> Rest:
    """The policy; the proposal's class where none was chosen, or one that only a later version knows."""
    return Rest(setting) if isinstance(setting, str) and setting in list(Rest) else Rest.PROPOSAL


def _everywhere(class_id: int) -> ClassIdsOf:
    return lambda rect: np.full((rect.h, rect.w), class_id, np.int32)


def _reader(plane: int, proposal_of: Callable[[int], Proposal | None], classes: ClassTable) -> ClassIdsOf:
    """Class ids of a proposal that is read when it is asked for first; 0 throughout where there is none."""
    found: list[ClassIdsOf] = []

    def read(rect: Rect) -> NDArray[np.int32]:
        if not found:
            proposal = proposal_of(plane)
            found.append(_everywhere(0) if proposal is None else proposal.reader(classes))
        return found[0](rect)

    return read
