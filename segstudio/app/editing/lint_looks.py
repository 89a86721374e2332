"""The owner of what the check of labels sees in each image: looked at on a worker while somebody wants to know.

An image that was changed is looked at again, and no other one is.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from itertools import chain
from time import sleep

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.app.values import Changed
from segstudio.app.viewing.navigation import Navigation
from segstudio.labels.lint.finding import MIN_AREA_PX, Finding, LintKind
from segstudio.labels.lint.image_look import ImageLook, class_findings, findings_of
from segstudio.labels.model import ClassTable, ImageId
from segstudio.store.project import Project
from segstudio.tasks.labels.lint import look_at_image

__all__ = ["LintLooks"]

_ByKind = Mapping[LintKind, Sequence[Finding]]

_TOGETHER_MS = 200
"""Edits in quick succession are looked at together, and rows are put together no more often."""
_IMAGES_A_MS = 50
"""Of a project of very many images, rows are put together less often."""


class LintLooks(QObject):
    """`findings` are those of the images looked at, by kind, then in the order of the list, and `counts` how many there
    are of each kind that there are any of; those of classes once all images are known. `changed`: they are others, or
    more images are known. A project may have 100,000: what is done for each of them is done as an image is looked at.
    """

    changed = Signal()

    def __init__(
        self, ground: Ground, documents: Documents, navigation: Navigation, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._project, self._notices = ground.project, ground.notices
        self._documents, self._navigation = documents, navigation
        self._worker = Worker("lint", ground.main)
        self.findings: tuple[Finding, ...] = ()
        self.counts: dict[LintKind, int] = {}
        self._below = MIN_AREA_PX
        self._wanted: set[str] = set()
        self._order: list[ImageId] | None = None
        self._there: set[ImageId] = set()
        self._looks: dict[ImageId, ImageLook] = {}
        self._unread: set[ImageId] = set()
        self._found: dict[ImageId, _ByKind] = {}
        self._dirty: set[ImageId] = set()
        self._at: ImageId | None = None
        self._begin = 0
        self._number = 0
        self._counting_as = _counting_as(documents.classes)
        self._soon, self._together = _timer(self, self._go_on), _timer(self, self._put_together)
        documents.changed.connect(self._labels_changed)
        documents.rewritten.connect(self._rewritten)
        documents.historyChanged.connect(self._begin_soon)
        documents.classesChanged.connect(self._classes_changed)
        navigation.imagesChanged.connect(self._list_changed)

    @property
    def total(self) -> int:
        """How many images there are to look at."""
        return len(self._order or ())

    @property
    def known(self) -> int:
        """How many of them are known as they are now."""
        return self.total - len(self._dirty) - (self._at is not None and self._at not in self._dirty)

    @property
    def complete(self) -> bool:
        """Whether all images are known as they are now, and the findings are theirs."""
        return self._order is not None and self._at is None and not self._dirty and not self._together.isActive()

    def want(self, who: str, wanted: bool = True) -> None:
        """Look for somebody from now on, or no longer: nothing is looked at that nobody wants to know."""
        if wanted:
            self._wanted.add(who)
            if self._order is None:
                self._take_list()
            self._go_on()
        else:
            self._wanted.discard(who)

    @property
    def below(self) -> int:
        """Parts and holes of fewer pixels are found."""
        return self._below

    def set_below(self, pixels: int) -> None:
        """Look for smaller or larger ones, in all images."""
        if pixels != self._below:
            self._below = pixels
            self._forget_all()

    def close(self, wait_s: float | None = None) -> None:
        """End the worker."""
        self._wanted.clear()
        self._soon.stop()
        self._together.stop()
        self._number += 1
        self._worker.close(wait_s)

    # -- what is out of date -----------------------------------------------------------------------------------------

    def _labels_changed(self, change: Changed) -> None:
        if change.seq is not None and change.image is not None:
            self._outdate((change.image,))

    def _rewritten(self, images: frozenset[ImageId] | None) -> None:
        if images is None:
            self._forget_all()
        else:
            self._outdate(images)

    def _classes_changed(self) -> None:
        """Another name or colour changes no finding; another kind, a merge, or a class that comes or goes does."""
        counting = _counting_as(self._documents.classes)
        if counting != self._counting_as:
            self._counting_as = counting
            self._forget_all()

    def _list_changed(self, rows: tuple[int, ...]) -> None:
        if not rows and self._order is not None:
            self._take_list()
            self._begin_soon()

    def _take_list(self) -> None:
        self._order = [row.id for row in self._navigation.rows]
        self._there, self._begin = set(self._order), 0
        there = self._there
        self._looks = {image: look for image, look in self._looks.items() if image in there}
        self._found = {image: found for image, found in self._found.items() if image in there}
        self._dirty = (self._dirty & there) | (there - self._looks.keys() - {self._at})
        self._put_together_soon()

    def _forget_all(self) -> None:
        self._outdate(self._order or ())

    def _outdate(self, images: Collection[ImageId]) -> None:
        if self._order is None:
            return
        self._begin = 0
        there = (image for image in images if image in self._there)  # what is looked at may have been taken out
        self._dirty.update(image for image in there if image in self._looks or image == self._at)
        if self._at in images:
            self._number += 1  # what is being looked at is no more
        self._begin_soon()

    def _begin_soon(self) -> None:
        if self._wanted and self._dirty and not self._soon.isActive():
            self._soon.start()

    # -- looking -----------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Look at the next image, the one on screen first; not during a gesture, whose end says so."""
        if not self._wanted or self._at is not None or not self._dirty or self._documents.gesture_active:
            return
        shown = self._navigation.shown
        image = shown if shown is not None and shown in self._dirty else self._first_dirty()
        self._dirty.discard(image)
        self._at = image
        self._number += 1
        number, project, classes, below = self._number, self._project, self._documents.classes, self._below

        def work() -> ImageLook | None:
            return _looked(project, image, classes, below, lambda: number != self._number)

        self._worker.submit(work, lambda future: self._arrived(image, future))

    def _first_dirty(self) -> ImageId:
        """The first image of the list that is out of date; those before `_begin` are not."""
        order = self._order or []
        while order[self._begin] not in self._dirty:
            self._begin += 1
        return order[self._begin]

    def _arrived(self, image: ImageId, future: "Future[ImageLook | None]") -> None:
        self._at = None
        refused = refusal(future)
        if refused is not None:
            self._notices.say(refused.line)
        look = ImageLook(image, ()) if refused is not None else future.result()
        (self._unread.add if refused is not None else self._unread.discard)(image)
        if image not in self._there:
            pass  # it was taken out meanwhile
        elif look is None:
            self._begin = 0
            self._dirty.add(image)
        else:
            self._looks[image] = look
            self._found[image] = _by_kind(findings_of(look))
        self._put_together_soon()
        self._go_on()

    def _put_together_soon(self) -> None:
        if not self._together.isActive():
            self._together.start(max(_TOGETHER_MS, self.total // _IMAGES_A_MS))

    def _put_together(self) -> None:
        order = self._order or ()
        looked_at = [self._found[image] for image in order if self._found.get(image)]
        if len(self._looks) == len(order) and not self._unread.intersection(order):
            looks = (self._looks[image] for image in order)
            looked_at.append(_by_kind(class_findings(looks, self._documents.classes)))
        together = {kind: [each[kind] for each in looked_at if kind in each] for kind in LintKind}
        self.findings = tuple(chain.from_iterable(chain.from_iterable(together.values())))
        self.counts = {kind: sum(map(len, parts)) for kind, parts in together.items() if parts}
        self.changed.emit()


def _by_kind(findings: Iterable[Finding]) -> _ByKind:
    """Findings by kind, each in their order."""
    found: dict[LintKind, list[Finding]] = {}
    for one in findings:
        found.setdefault(one.kind, []).append(one)
    return found


def _looked(
    project: Project, image: ImageId, classes: ClassTable, below: int, late: Callable[[], bool]
) -> ImageLook | None:
    """For the worker: look at an image; None where nobody waits for it any more."""
    steps = look_at_image(project, image, classes, below)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
        if late():
            return None
        sleep(0)  # the hand goes first


def _counting_as(classes: ClassTable) -> dict[int, tuple[int, str]]:
    """What each class counts as, and of what kind that is: all of a table that a finding depends on."""
    today = ((c.id, classes.effective(c.id)) for c in classes.all)
    return {id_: (found.id, found.kind) for id_, found in today if found is not None}


def _timer(parent: QObject, call: Callable[[], object]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(_TOGETHER_MS)
    timer.timeout.connect(call)
    return timer
