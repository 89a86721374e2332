"""The owner of probable mistakes in the labels: the search for them, which are still there, and which were kept."""

from collections.abc import Collection, Generator, Iterable
from concurrent.futures import Future

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal, say_refusal
from segstudio.app.values import Changed, JobId, JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.engine.client import EngineClient
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.lint.finding import Finding
from segstudio.labels.lint.mistaken import mistake, still_doubted
from segstudio.labels.model import ClassId, ClassTable, ImageId
from segstudio.store.project import Project
from segstudio.tasks.learning.mistakes import Doubted, MistakesProgress, find_mistakes
from segstudio.text import _, count

__all__ = ["Mistakes"]

KEPT = "kept_mistakes"
"""The setting of the project that has the mistakes which a person kept."""
_MOST_KEPT = 5000
_TOGETHER_MS = 100
"""Edits in quick succession are looked at together."""
_SAME = 0.5
"""Two boxes are the same place from this intersection over union on: another fit draws a region a little otherwise."""

_Kept = tuple[int, int, int, int, int, int, int, int]
"""Image, plane, box (x, y, w, h), the class labelled, and the one it looks like."""


class Mistakes(QObject):
    """`changed`: other findings, or the search is further. `finished`: it has come to its end. `findings` are
    those still there, the gravest first.

    What was edited away comes back where the edit is undone. What a person kept is not found again, in this window
    nor, where the project can be written, after it is closed.
    """

    changed = Signal()
    finished = Signal()

    def __init__(
        self,
        ground: Ground,
        engine: EngineClient,
        documents: Documents,
        navigation: Navigation,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._ground, self._engine = ground, engine
        self._documents, self._navigation = documents, navigation
        self._worker = Worker("mistakes", ground.main)
        self.findings: tuple[Finding, ...] = ()
        self.done = self.total = 0
        self._ranked: tuple[Finding, ...] = ()
        self._of: dict[ImageId, list[Finding]] = {}
        self._there: dict[ImageId, frozenset[Finding]] = {}
        self._kept: dict[_Kept, None] = {}
        self._dirty: set[ImageId] = set()
        self._checking = 0
        self._job: JobId | None = None
        self._on_end: str | None = None
        self._held = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_TOGETHER_MS)
        self._soon.timeout.connect(self._check)
        documents.changed.connect(self._labels_changed)
        documents.rewritten.connect(self._rewritten)
        documents.classesChanged.connect(lambda: self._outdate(self._there))
        documents.historyChanged.connect(self._begin_soon)
        navigation.imagesChanged.connect(self._list_changed)

    @property
    def searching(self) -> bool:
        """Whether the search is under way: `done` of `total` labelled planes, 0 while that is not known."""
        return self._job is not None

    @property
    def known(self) -> bool:
        """Whether `findings` are those of the labels as they are now."""
        return not self._dirty and not self._checking

    @property
    def waits(self) -> bool:
        """Whether the search stands still until the run under way has ended."""
        return self.searching and self._held

    def hold(self, held: bool) -> None:
        """A run is under way, before which nothing is searched, or no longer."""
        self._held = held
        if self._job is not None:
            self._ground.jobs.tell(self._job, self._words, self._fraction)
            self.changed.emit()

    # -- the search ----------------------------------------------------------------------------------------------------

    def search(self) -> None:
        """Look for mistakes in all labelled images, from the beginning; nothing happens while that is under way."""
        if self._job is not None:
            return
        self.done = self.total = 0
        so_far: list[Doubted] = []

        def told(id_: JobId, step: MistakesProgress) -> None:
            self._told(id_, step, so_far)

        self._job = self._ground.jobs.start(
            JobKind.MISTAKES,
            self._words,
            self._steps(),
            self._ground.main,
            on_value=told,
            on_done=lambda every: self._found(every, ended=True),
            on_failed=self._failed,
            on_end=self._ended,
            on_cancelled=lambda: self._found(so_far, ended=False),
        )
        self.changed.emit()

    def stop(self) -> None:
        """End the search; what was found so far is listed."""
        if self._job is not None:
            self._ground.jobs.cancel(self._job)

    def close(self, wait_s: float | None = None) -> None:
        """End the search and the worker."""
        if self._job is not None:
            self._ground.jobs.drop(self._job)
            self._job = None
        self._soon.stop()
        self._worker.close(wait_s)

    def _steps(self) -> Generator[MistakesProgress, None, list[Doubted]]:
        """On the job's thread: what was kept is read, then the engine is asked."""
        stored = [_kept_row(row) for row in self._ground.project.setting(KEPT, [])]
        self._ground.main.post(lambda: self._remember(stored))
        return (yield from find_mistakes(self._engine))

    def _remember(self, stored: Iterable[_Kept]) -> None:
        self._kept = dict.fromkeys((*stored, *self._kept))

    def _told(self, id_: JobId, step: MistakesProgress, so_far: list[Doubted]) -> None:
        if step.found is not None:
            so_far.append(step.found)
        elif (step.done, step.total) != (self.done, self.total):
            self.done, self.total = step.done, step.total
            self._ground.jobs.tell(id_, None, self._fraction)
            self.changed.emit()

    @property
    def _words(self) -> str:
        return _("Finding label mistakes after the run") if self._held else _("Finding label mistakes")

    @property
    def _fraction(self) -> float | None:
        return self.done / self.total if self.total else None

    def _ended(self) -> None:
        self._job = None
        self.changed.emit()

    def _failed(self, error: UserError) -> None:
        self._ground.notices.fail(JobKind.MISTAKES, error)

    def _found(self, doubted: Collection[Doubted], *, ended: bool) -> None:
        """List what was found; where a search that was stopped found nothing, what was listed before stays."""
        if not ended and not doubted:
            return
        ranked = sorted(doubted, key=lambda one: -one.score)
        self._ranked = tuple(
            mistake(one.image, one.plane, one.rect, one.mask, one.labelled, one.said) for one in ranked
        )
        self._on_end = self._looked_at if ended else None
        self._of = {}
        for found in self._ranked:
            if found.image is not None:
                self._of.setdefault(found.image, []).append(found)
        self._there = dict.fromkeys(self._of, frozenset[Finding]())
        self._dirty.clear()
        self._outdate(self._there)
        if ended:
            self.finished.emit()
        if not self._there:
            self._put_together()

    @property
    def _looked_at(self) -> str:
        """What was looked at, in words."""
        if any(len(row.planes) > 1 for row in self._navigation.rows):
            return count(self.total, "1 labelled plane was compared.", "{n} labelled planes were compared.")
        return count(self.total, "1 labelled image was compared.", "{n} labelled images were compared.")

    # -- which are still there -----------------------------------------------------------------------------------------

    def _labels_changed(self, change: Changed) -> None:
        if change.seq is not None and change.image is not None:
            self._outdate((change.image,))

    def _rewritten(self, images: frozenset[ImageId] | None) -> None:
        self._outdate(self._there if images is None else images)

    def _list_changed(self, rows: tuple[int, ...]) -> None:
        if not rows and self._ranked:
            self._put_together()

    def _outdate(self, images: Collection[ImageId]) -> None:
        self._dirty.update(image for image in images if image in self._there)
        self._begin_soon()

    def _begin_soon(self) -> None:
        if self._dirty and not self._soon.isActive():
            self._soon.start()

    def _check(self) -> None:
        """Look at the labels of images that were edited; not during a gesture, whose end says so."""
        if self._documents.gesture_active or not self._dirty:
            return
        images, self._dirty = self._dirty & {row.id for row in self._navigation.rows}, set()
        asked = {image: self._of[image] for image in images}
        ranked, project, classes = self._ranked, self._ground.project, self._documents.classes
        self._checking += 1
        self._worker.submit(
            lambda: {image: _still_doubted(project, image, classes, found) for image, found in asked.items()},
            lambda future: self._checked(ranked, future),
        )

    def _checked(self, ranked: tuple[Finding, ...], future: "Future[dict[ImageId, frozenset[Finding]]]") -> None:
        self._checking -= 1
        refused = refusal(future)
        if refused is not None:
            self._ground.notices.say(refused.line)
        elif ranked is self._ranked:  # else another search has ended meanwhile
            self._there.update(future.result())
        self._put_together()

    def _put_together(self) -> None:
        images = {row.id for row in self._navigation.rows}
        kept = _by_place(self._kept)
        here = [found for found in self._ranked if found.image and found in self._there[found.image]]
        self.findings = tuple(found for found in here if found.image in images and not _is_kept(found, kept))
        self.changed.emit()
        looked, self._on_end = self._on_end, None if self.known else self._on_end
        if looked is not None and self.known:
            self._say_end(looked, any_kept=bool(here))

    def _say_end(self, looked: str, *, any_kept: bool) -> None:
        number = len(self.findings)
        said = _("No probable mistakes were found.")
        if number:
            said = count(number, "1 probable mistake was found.", "{n} probable mistakes were found.")
        elif any_kept:
            said = _("No probable mistakes were found other than those whose label you kept.")
        self._ground.notices.say(" ".join((said, looked)))

    # -- keeping -------------------------------------------------------------------------------------------------------

    def keep(self, found: Finding) -> None:
        """The labels there are right: it is not listed any more, nor found again."""
        self._kept[_row_of(found)] = None
        self._kept = dict.fromkeys(list(self._kept)[-_MOST_KEPT:])
        self._put_together()
        if self._ground.project.writer is not None:
            notices, main = self._ground.notices, self._ground.main
            writing = self._ground.project.set_setting(KEPT, list(self._kept))
            writing.add_done_callback(lambda future: main.post(lambda: say_refusal(future, notices.say)))


def _still_doubted(
    project: Project, image: ImageId, classes: ClassTable, findings: Iterable[Finding]
) -> frozenset[Finding]:
    """For the worker: those of an image that are still there; none where it was taken out."""
    document = project.document(image)
    return frozenset(found for found in findings if still_doubted(document, classes, found))


def _row_of(found: Finding) -> _Kept:
    rect = found.rect or Rect(0, 0, 0, 0)
    of = found.image or 0, found.plane or 0
    return (*of, rect.x, rect.y, rect.w, rect.h, found.class_id or 0, found.said or 0)


def _kept_row(stored: Iterable[int]) -> _Kept:
    image, plane, x, y, w, h, labelled, said = map(int, stored)
    return image, plane, x, y, w, h, labelled, said


def _by_place(kept: Iterable[_Kept]) -> dict[tuple[int, int, int, int], list[Rect]]:
    """The boxes that were kept, by image, plane, labelled class, and the class that they look like."""
    out: dict[tuple[int, int, int, int], list[Rect]] = {}
    for image, plane, x, y, w, h, labelled, said in kept:
        out.setdefault((image, plane, labelled, said), []).append(Rect(x, y, w, h))
    return out


def _is_kept(found: Finding, kept: dict[tuple[int, int, int, int], list[Rect]]) -> bool:
    rect = found.rect or Rect(0, 0, 0, 0)
    of = found.image or 0, found.plane or 0, int(found.class_id or ClassId(0)), int(found.said or ClassId(0))
    return any(_alike(rect, other) for other in kept.get(of, ()))


def _alike(rect: Rect, other: Rect) -> bool:
    common = rect.intersected(other).area
    return common >= _SAME * (rect.area + other.area - common)
