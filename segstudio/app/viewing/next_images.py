"""The owner of what makes an image the next one: its place in the list, or what a model says of it."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import cast

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.app.learning.versions import learner_now
from segstudio.app.values import JobId, JobKind
from segstudio.app.viewing.descriptions import Descriptions
from segstudio.app.viewing.navigation import Navigation
from segstudio.engine.client import EngineClient
from segstudio.errors import UserError
from segstudio.labels.model import ImageId, Status
from segstudio.runs import EMBEDDED, INSTANT, Measure
from segstudio.store.project import Project
from segstudio.tasks.learning.next_images import DescribeProgress, Order, describe, ordered
from segstudio.text import _

__all__ = ["NextImages", "Order"]

_MOST = 400
"""Images that are described: those that come next in the list."""
_MOST_DONE = 100
"""Finished images that others are compared with, the last in the list."""
_SOON_MS = 400
"""Changes in quick succession are looked at together."""


@dataclass(frozen=True, slots=True)
class _InForce:
    """The version that proposes, and the one before it, '' if there is none. Without a version `name` is the instant
    learner or the guess.
    """

    name: str
    before: str = ""


class NextImages(QObject):
    """`changed`: another order holds, or more is known of the images.

    Once an order needs it, the images that come next are described in the background: those of which the version in
    force has said nothing yet. An order goes by what one version said: by the one before until all are described.
    """

    changed = Signal()

    def __init__(
        self, ground: Ground, engine: EngineClient, navigation: Navigation, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._ground, self._engine, self._navigation = ground, engine, navigation
        self._worker = Worker("next-images", ground.main)
        self._known = Descriptions()
        self._job: JobId | None = None
        self._held, self._asked = False, ""
        self._tells = self._looking = False
        self.order = Order.LIST
        self._measure: Measure = "confidence"
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._look)
        navigation.imageShown.connect(self.look)
        navigation.imagesChanged.connect(lambda _rows: self.look())
        navigation.contentReplaced.connect(self._replaced)

    @property
    def busy(self) -> bool:
        """Whether images are being described, or may be in a moment."""
        return self._job is not None or self._looking or self._soon.isActive()

    def choose(self, order: Order) -> None:
        """Go by this order from now on."""
        self.order = order
        self._navigation.ranked = None if order is Order.LIST else self._ranked
        self._leave()
        self._known.try_again()
        self._tells = order is not Order.LIST  # which image comes next, once that is known
        self._look()
        self.changed.emit()

    def look(self) -> None:
        """See in a moment whether another version proposes, or images came near that are not described."""
        if self.order is not Order.LIST:
            self._soon.start()

    def unsure_by(self, measure: str) -> None:
        """Go by another of `preferences.UNCERTAINTIES` where an order is by uncertainty."""
        if measure != self._measure:
            self._measure = cast(Measure, measure)
            self._leave()
            self.look()

    def hold(self, held: bool) -> None:
        """A run is under way, before which nothing is described, or no longer."""
        self._held = held
        if self._job is not None:
            self._ground.jobs.tell(self._job, self._words)

    def close(self, wait_s: float | None = None) -> None:
        """Drop what is under way."""
        self._soon.stop()
        self._leave()
        self._worker.close(wait_s)

    @property
    def _words(self) -> str:
        return _("Looking at the images after the run") if self._held else _("Looking at the images")

    def _leave(self) -> None:
        if self._job is not None:
            self._ground.jobs.drop(self._job)
            self._job = None

    def _replaced(self, image: int) -> None:
        self._known.forget(ImageId(image))
        self._leave()  # it may be describing what the image held
        self.look()

    # -- describing ----------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        if self.order is not Order.LIST:
            self._looking = True
            self._worker.submit(partial(_in_force, self._ground.project), self._looked)

    def _looked(self, future: "Future[_InForce]") -> None:
        self._looking = False
        if (error := refusal(future)) is not None:
            self._failed(error)
            return
        found = future.result()
        if self.order is Order.DISPUTED and not found.before:
            self.choose(Order.LIST)
            self._ground.notices.say(_("There is no other version to compare with."))
        elif self.order is not Order.LIST and (self._job is None or found.name != self._asked):
            self._leave()
            self._known.follow(f"{_name_of(found, len(self._done()))} {self._measure}")
            self._asked = found.name
            self._describe(found)

    def _describe(self, by: _InForce) -> None:
        images = self._candidates(self._navigation.listed_next())[:_MOST]
        if self.order is Order.DIFFERENT:
            images = [*self._done()[-_MOST_DONE:], *images]
        images = self._known.lacking(self.order, images)
        if not images:
            self._tell_next()
            return
        against = by.before if self.order is Order.DISPUTED else ""
        version = "current" if by.name in (INSTANT, EMBEDDED) else by.name
        self._job = self._ground.jobs.start(
            JobKind.LOOK,
            self._words,
            describe(self._engine, images, version=version, against=against, measure=self._measure),
            self._ground.main,
            on_value=self._told,
            on_done=lambda _result: self._described(images),
            on_failed=lambda error: self._given_up(images, error),
            on_end=self._ended,
            on_cancelled=lambda: self._known.pass_over(images),
        )

    def _told(self, id_: JobId, step: DescribeProgress) -> None:
        self._ground.jobs.tell(id_, None, step.done / step.total if step.total else None)
        if step.image is None or step.description is None:
            return
        if self._known.note(self.order, step.image, step.description):
            self.changed.emit()

    def _described(self, images: Sequence[ImageId]) -> None:
        self._known.asked(self.order, images)
        self.changed.emit()
        self.look()  # others may have come near meanwhile

    def _tell_next(self) -> None:
        """An order that was chosen is ready: say what it leads to, once."""
        place = self._navigation.next_unfinished()
        if self._tells and place is not None:
            self._ground.notices.say(_("Done goes on to {name}.", name=self._navigation.items[place].name))
        self._tells = False

    def _ended(self) -> None:
        self._job = None

    def _given_up(self, images: Sequence[ImageId], error: UserError) -> None:
        self._known.pass_over(images)
        self._failed(error)

    def _failed(self, error: UserError) -> None:
        self._ground.notices.fail(JobKind.LOOK, error)

    # -- the order -----------------------------------------------------------------------------------------------------

    def _ranked(self, places: Sequence[int]) -> list[int]:
        """Places of the list, the one to label next first; done ones stay behind, in their order."""
        items = self._navigation.items
        place_of = {items[place].id: place for place in places}
        done, known = self._done()[-_MOST_DONE:], self._known.known(self.order)
        first = [place_of[image] for image in ordered(self.order, self._candidates(places), known, done)]
        return [*first, *(place for place in places if items[place].status is Status.DONE)]

    def _candidates(self, places: Sequence[int]) -> list[ImageId]:
        items = self._navigation.items
        return [items[place].id for place in places if items[place].status is not Status.DONE]

    def _done(self) -> list[ImageId]:
        return [item.id for item in self._navigation.items if item.status is Status.DONE]


def _in_force(project: Project) -> _InForce:
    current = project.current_version()
    if current is None or current.name in (INSTANT, EMBEDDED):
        return _InForce(learner_now(project))
    there = {INSTANT, EMBEDDED, *(version.name for version in project.versions() if version.has_weights)}
    return _InForce(current.name, current.parent if current.parent in there else "")


def _name_of(found: _InForce, done: int) -> str:
    """The instant learner counts as another one whenever twice as many images are done: it learned from them."""
    return f"{found.name} {done.bit_length()}" if found.name == INSTANT else found.name
