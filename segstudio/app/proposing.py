"""The owner of proposals: asks the engine for what is on screen, shows the answer, accepts and finishes.

Whole-image edits (accept, done) are computed on a worker over a frozen copy of the labels and applied where their
tiles are still the same, else computed once more.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.documents import Documents, OpenDocument
from segstudio.app.jobs import Job, MainThread, Worker
from segstudio.app.long_writes import filling
from segstudio.app.navigation import Navigation
from segstudio.engine.client import EngineClient
from segstudio.errors import EditConflict, UserError
from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.labels.compose import paint_class_ids
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassTable, ImageId, Origin, Status
from segstudio.labels.proposal import Proposal
from segstudio.labels.streamed import TILE_BYTES
from segstudio.labels.tile import Dense
from segstudio.store.filling import Filling
from segstudio.store.project import Project
from segstudio.tasks.predict import PredictProgress, PredictReport, predict

__all__ = ["Proposals"]

_PAUSE_OF_THE_HAND_MS = 1500
_GESTURE_POLL_MS = 50


@dataclass(frozen=True, slots=True)
class _Fill:
    """A whole-image edit that is being computed."""

    opened: OpenDocument
    compute: Callable[[Document], Edit | None]
    future: "Future[Edit | None]"
    then: Callable[[], None]


class Proposals(QObject):
    """`on_screen` is the proposal of the image and plane on screen, if there is one."""

    proposalReady = Signal()
    proposalChanged = Signal()
    failed = Signal(object)
    said = Signal(str)
    runningChanged = Signal(bool)

    def __init__(
        self,
        project: Project,
        engine: EngineClient,
        documents: Documents,
        navigation: Navigation,
        main: MainThread,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._project, self._engine = project, engine
        self._documents, self._navigation, self._main = documents, navigation, main
        self._worker = Worker("fill", main)
        self._jobs: list[Job[PredictProgress, PredictReport]] = []
        self._request = 0
        self._asked_for: tuple[ImageId, int] | None = None
        self._asked_at = 0
        self._owed = False
        self._fills: list[_Fill] = []
        self.on_screen: Proposal | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_OF_THE_HAND_MS)
        self._pause.timeout.connect(self._upgrade_guess)
        navigation.imageShown.connect(self._image_shown)
        navigation.imageFailed.connect(lambda _path, _sentence: self._image_failed())
        documents.editCommitted.connect(lambda _seq: self._pause.start())

    # -- proposing ---------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether a proposal for the image on screen is on its way."""
        return self._asked_for is not None

    @property
    def is_guess(self) -> bool:
        """Whether what is on screen comes from the embedded model, before anything was learnt here."""
        return self.on_screen is not None and self.on_screen.version == "embedded"

    def propose(self) -> None:
        """Ask for a proposal of the image on screen; exactly one `proposalReady` follows, or `failed`.

        One on its way that was begun before the last edit is asked for anew: the answer knows every edit so far.
        """
        image = self._navigation.shown
        if self._project.writer is None:
            self.said.emit(self._project.why_read_only)
            return
        if self._navigation.index < 0:
            self.said.emit(self.tr("No image is open."))
            return
        if image is None and not self._navigation.loading:
            self._fail(self.tr("The image cannot be shown, so nothing is proposed for it."))
            return
        self._owed = True
        if image is None:
            return  # asked for while the image is being decoded: it is proposed once it is shown
        where = (image, self._navigation.plane)
        if self._asked_for != where or self._asked_at != self._documents.submitted:
            self._ask(where)

    def refresh(self) -> None:
        """Ask anew after the model has changed: what is on its way knows only the one before."""
        self._drop()
        if self._navigation.shown is not None:
            self.propose()

    def _ask(self, where: tuple[ImageId, int]) -> None:
        """Start a request; one before it is told to end, and its answer is dropped."""
        self._drop()
        self._request += 1
        request = self._request
        image, plane = where
        w, h = self._project.image(image).planes[plane]
        steps = predict(self._project, self._engine, [image], visible=(image, plane, Rect(0, 0, w, h)))
        job = Job(
            "propose",
            steps,
            self._main,
            on_value=lambda _value: None,
            on_done=lambda report: self._ended(job, request, _error_of(report)),
            on_failed=lambda error: self._ended(job, request, error),
            on_cancelled=lambda: self._ended(job, request, None),
        )
        self._jobs.append(job)
        self._asked_for, self._asked_at = where, self._documents.submitted
        self.runningChanged.emit(True)
        job.start()

    def _drop(self) -> None:
        """What was asked for is of no use any more."""
        for job in self._jobs:
            job.cancel()
        if self._asked_for is not None:
            self._asked_for = None
            self.runningChanged.emit(False)

    def _ended(self, job: "Job[PredictProgress, PredictReport]", request: int, error: BaseException | None) -> None:
        self._jobs.remove(job)
        if not job.cancelled:
            self._arrived(request, error)

    def _arrived(self, request: int, error: BaseException | None) -> None:
        if self._asked_for is None or request != self._request:
            return
        if self._documents.gesture_active:
            # What lies under a hand that has begun does not change.
            QTimer.singleShot(_GESTURE_POLL_MS, self, lambda: self._arrived(request, error))
            return
        self._asked_for = None
        self._owed = False
        self.runningChanged.emit(False)
        if error is not None and not isinstance(error, UserError):
            raise error
        if isinstance(error, UserError):
            self._fail(error.line)
            return
        self._look()
        self.proposalReady.emit()

    def _image_failed(self) -> None:
        """The image asked for cannot be shown: whoever waits for its proposal is told."""
        self._drop()
        self.on_screen = None
        self.proposalChanged.emit()
        if self._owed:
            self._fail(self.tr("The image cannot be shown, so nothing is proposed for it."))

    def _fail(self, sentence: str) -> None:
        self._owed = False
        self.failed.emit({"job": "propose", "sentence": sentence, "details": ""})

    def _image_shown(self) -> None:
        self._drop()
        self._look()
        item = self._navigation.items[self._navigation.index]
        wanted = self._owed or (item.status != Status.DONE.value and self._stale())
        if self._project.writer is not None and wanted:
            QTimer.singleShot(0, self, self._propose_quietly)

    def _stale(self) -> bool:
        """Whether a better proposal may be had: none yet, a guess, an older version's, or a learner refitted since."""
        if self.on_screen is None or self.on_screen.version == "instant":
            return True
        current = self._project.current_version()
        if current is not None:
            return self.on_screen.version != current.name
        return self._two_classes_known()

    def _propose_quietly(self) -> None:
        if self._navigation.shown is not None:
            self.propose()

    def _upgrade_guess(self) -> None:
        """Once two classes have known pixels the instant learner takes the place of the embedded guess."""
        if self.is_guess and not self.running and not self._documents.gesture_active and self._two_classes_known():
            self.propose()

    def _two_classes_known(self) -> bool:
        return sum(pixels > 0 for pixels in self._project.class_pixels().values()) >= 2

    def _look(self) -> None:
        image = self._navigation.shown
        plane = self._navigation.plane
        self.on_screen = None if image is None else self._project.proposals.read(image, plane)
        if image is not None and self.on_screen is not None and self._project.writer is not None:
            number, proposals = self.on_screen.number, self._project.proposals
            self._worker.submit(lambda: proposals.mark_shown(image, plane, number), self._noted)
        self.proposalChanged.emit()

    def _noted(self, future: "Future[None]") -> None:
        """Tell of a note in the cache that the disk refused; it is of no weight for the labels."""
        error = future.exception()
        if isinstance(error, UserError):
            self.said.emit(error.line)
        elif error is not None:
            raise error

    # -- accepting ---------------------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Fill what is unlabelled with the proposal, as one edit."""
        proposal, opened = self.on_screen, self._documents.current
        if self._project.writer is None:
            self.said.emit(self._project.why_read_only)
            return
        if opened is None or proposal is None:
            self.said.emit(self.tr("There is no proposal to accept yet."))
            return
        if self._documents.busy:
            self.said.emit(self._documents.busy)
            return
        self._documents.commit_gesture()
        if _most_bytes(opened.document, {proposal.plane: proposal}) > self._documents.largest_edit_bytes:
            classes = self._documents.classes
            work = Filling({proposal.plane: proposal.reader(classes)}, classes, Origin.ACCEPTED, only_unknown=True)
            self._fill_long(opened, Cause.ACCEPT, "accept", self.tr("Accepting"), work, lambda: None)
            return
        self._fill(opened, _accepting(proposal, self._documents.classes, self._documents.author), lambda: None)

    def mark_done(self, then: Callable[[], None]) -> None:
        """Fill the rest by the project's policy and mark the image done, as one edit; `then` runs after it."""
        opened = self._documents.current
        if self._project.writer is None:
            self.said.emit(self._project.why_read_only)
            return
        if opened is None:
            return
        if self._documents.busy:
            self.said.emit(self._documents.busy)
            return
        self._documents.commit_gesture()
        planes = range(len(opened.document.raster.sizes))
        proposals = {p: self._project.proposals.read(opened.document.image, p) for p in planes}
        proposals[self._navigation.plane] = self.on_screen  # what was seen, not what may have been written since
        rest = str(self._project.setting("done_rest", "proposal"))
        if rest == "proposal" and any(found is None for found in proposals.values()):
            self.said.emit(self.tr("Nothing is proposed here yet: what is unlabelled stays unknown."))
        elif rest == "proposal":
            self.said.emit(self.tr("Done: what was unlabelled was filled in from the proposal; undo on that image."))
        compute = _finishing(proposals, rest, self._documents.classes, self._documents.author)

        before = _copy(opened.document)

        def finished() -> None:
            self._count_effort(before)
            then()

        if rest != "unknown" and _most_bytes(opened.document, proposals) > self._documents.largest_edit_bytes:
            work = _finishing_long(proposals, rest, self._documents.classes)
            self._fill_long(opened, Cause.DONE, "done", self.tr("Finishing the image"), work, finished)
            return
        self._fill(opened, compute, finished)

    def _fill_long(
        self, opened: OpenDocument, cause: Cause, tool: str, text: str, work: Filling, then: Callable[[], None]
    ) -> None:
        self.settle()
        image = opened.document.image
        write = filling(self._project, Edit(image, cause, tool=tool, author=self._documents.author), work)
        self._documents.write_long(cause.value, text, write, frozenset({image}), lambda _: then())

    def _count_effort(self, before: Document) -> None:
        """Keep how much of what was shown first was painted otherwise; from now on nothing counts as shown first."""
        project = self._project

        def count() -> None:
            planes = range(len(before.raster.sizes))
            firsts = [first for p in planes if (first := project.proposals.first(before.image, p)) is not None]
            figures = [_effort(before, first) for first in firsts]
            project.proposals.finish(before.image)
            if figures and project.writer is not None:
                project.set_effort(before.image, sum(f[0] for f in figures), sum(f[1] for f in figures)).result()

        self._worker.submit(count, self._noted)

    def settle(self) -> None:
        """Wait for whole-image edits that are being computed, and apply them; a stroke under way is kept first."""
        if self._fills:
            self._documents.settle()
        while self._fills:
            fill = self._fills[0]
            fill.future.exception()
            self._apply(fill)

    def cancel_fill(self) -> bool:
        """Drop whole-image edits that are not applied yet; whether one of them would have changed something."""
        fills, self._fills = self._fills, []
        edits = [fill.future.result() for fill in fills]
        return any(edit is not None and not edit.empty for edit in edits)

    def _fill(self, opened: OpenDocument, compute: Callable[[Document], Edit | None], then: Callable[[], None]) -> None:
        self.settle()
        copy = _copy(opened.document)
        future = self._worker.submit(lambda: compute(copy))
        fill = _Fill(opened, compute, future, then)
        self._fills.append(fill)
        future.add_done_callback(lambda _f: self._main.post(lambda: self._apply(fill)))

    def _apply(self, fill: _Fill) -> None:
        if fill not in self._fills:
            return
        if self._documents.gesture_active or self._documents.busy:
            QTimer.singleShot(_GESTURE_POLL_MS, self, lambda: self._apply(fill))
            return
        self._fills.remove(fill)
        edit = fill.future.result()
        try:
            self._commit(edit)
        except EditConflict:
            # Painted meanwhile on the same tiles: computed once more on what is there now.
            self._commit(fill.compute(_copy(fill.opened.document)))
        fill.then()

    def _commit(self, edit: Edit | None) -> None:
        if edit is not None:
            self._documents.commit(edit)

    def close(self) -> None:
        """Apply what is being computed, drop what was asked for, end the worker."""
        self._pause.stop()
        self.settle()
        self._drop()
        self._worker.close(drop=False)

    def wait(self, timeout_s: float) -> None:
        """Wait for the threads of requests that were dropped."""
        for job in list(self._jobs):
            job.wait(timeout_s)

    # -- the contract ------------------------------------------------------------------------------------------------

    def values(self, image: ImageId, plane: int, rect: Rect) -> tuple[NDArray[np.uint16], NDArray[np.float32]] | None:
        """Class values (255 or 65535 where nothing is proposed) and confidence 0..1, each (h, w), read-only."""
        proposal = self._project.proposals.read(image, plane)
        if proposal is None:
            return None
        classes = self._documents.classes
        highest = max(c.value for c in classes.all)
        proposed = max((row.class_id for row in proposal.rows.values()), default=0)
        ids = max(max(c.id for c in classes.all), proposed) + 1
        lookup = np.full(ids, 255 if highest <= 254 else 65535, np.uint16)
        for c in classes.all:
            effective = classes.effective(c.id)
            if effective is not None:
                lookup[c.id] = effective.value
        found = lookup[proposal.class_ids(rect)]
        confidence = proposal.confidence(rect).astype(np.float32) / np.float32(255)
        found.setflags(write=False)
        confidence.setflags(write=False)
        return found, confidence


def _error_of(report: PredictReport) -> UserError | None:
    """Why the image got no proposal: a file that cannot be read is listed, not raised."""
    return UserError(report.failed[0].sentence) if report.failed else None


def _copy(document: Document) -> Document:
    """A document over the same immutable tiles, to compute on."""
    return Document(document.image, document.raster.copy(), document.objects, document.next_object, document.status)


def _effort(document: Document, first: Proposal) -> tuple[int, int]:
    """Of the pixels that a proposal gave a class: how many a person has painted otherwise, and how many they were."""
    bounds = document.raster.bounds(first.plane)
    corrected = in_all = 0
    for ty, tx in first.tiles:
        part = tile_rect(ty, tx).intersected(bounds)
        proposed = first.class_ids(part)
        given = proposed != 0
        painted = document.raster.read(first.plane, part)[1] == Origin.PAINTED
        changed = given & painted & (document.class_ids(first.plane, part) != proposed)
        corrected, in_all = corrected + int(changed.sum()), in_all + int(given.sum())
    return corrected, in_all


def _most_bytes(document: Document, proposals: Mapping[int, Proposal | None]) -> int:
    """What an edit that fills these planes may hold at most: the tiles that are labelled, dense ones and cut ones."""
    touched = {key for key in (*document.raster.stored, *document.raster.in_memory()) if key[0] in proposals}
    for plane, proposal in proposals.items():
        w, h = document.raster.sizes[plane]
        touched.update((plane, h // TILE, tx) for tx in range(w // TILE + 1))
        touched.update((plane, ty, w // TILE) for ty in range(h // TILE + 1))
        dense = {} if proposal is None else proposal.tiles
        touched.update((plane, ty, tx) for (ty, tx), tile in dense.items() if isinstance(tile.labels, Dense))
    return 2 * TILE_BYTES * len(touched)


def _finishing_long(proposals: Mapping[int, Proposal | None], rest: str, classes: ClassTable) -> Filling:
    background = classes.background.id
    if rest == "background":
        planes = {p: (lambda rect: np.full((rect.h, rect.w), background, np.int32)) for p in proposals}
    else:
        planes = {p: found.reader(classes) for p, found in proposals.items() if found is not None}
    return Filling(planes, classes, Origin.FILLED, only_unknown=True, status=Status.DONE)


def _accepting(proposal: Proposal, classes: ClassTable, author: str) -> Callable[[Document], Edit | None]:
    def compute(document: Document) -> Edit | None:
        gesture = Gesture(document, Cause.ACCEPT, tool="accept", author=author)
        found = proposal.reader(classes)(document.raster.bounds(proposal.plane))
        paint_class_ids(gesture, document, proposal.plane, found, classes, Origin.ACCEPTED, only_unknown=True)
        return gesture.commit()

    return compute


def _finishing(
    proposals: dict[int, Proposal | None], rest: str, classes: ClassTable, author: str
) -> Callable[[Document], Edit | None]:
    def compute(document: Document) -> Edit | None:
        gesture = Gesture(document, Cause.DONE, tool="done", author=author)
        for plane, proposal in proposals.items():
            bounds = document.raster.bounds(plane)
            if rest == "background":
                found = np.full((bounds.h, bounds.w), classes.background.id, np.int32)
            elif rest == "proposal" and proposal is not None:
                found = proposal.reader(classes)(bounds)
            else:
                continue
            paint_class_ids(gesture, document, plane, found, classes, Origin.FILLED, only_unknown=True)
        gesture.set_status(Status.DONE)
        return gesture.commit()

    return compute
