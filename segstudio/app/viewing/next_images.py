"""The owner of what makes an image the next one: its place in the list, or what a model says of it."""

from collections.abc import Generator, Sequence

from PySide6.QtCore import QObject, Signal

from segstudio.app.ground import Ground
from segstudio.app.values import JobId, JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.engine.client import EngineClient
from segstudio.errors import UserError
from segstudio.labels.model import ImageId, Status
from segstudio.runs import INSTANT
from segstudio.store.project import Project
from segstudio.tasks.learning.next_images import DescribeProgress, Description, Order, describe, ordered
from segstudio.text import _

__all__ = ["NextImages", "Order"]

_MOST = 400
"""Images that are described: those that come next in the list."""
_MOST_DONE = 100
"""Finished images that others are compared with, the last in the list."""


class NextImages(QObject):
    """`changed`: another order holds, or more is known of the images.

    Images are described in the background once an order needs it, and again where another version proposes.
    """

    changed = Signal()

    def __init__(
        self, ground: Ground, engine: EngineClient, navigation: Navigation, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._ground, self._engine, self._navigation = ground, engine, navigation
        self._known: dict[ImageId, Description] = {}
        self._job: JobId | None = None
        self.order = Order.LIST

    @property
    def described(self) -> int:
        """Of how many images something is known."""
        return len(self._known)

    def choose(self, order: Order) -> None:
        """Go by this order from now on."""
        self.order = order
        self._navigation.ranked = None if order is Order.LIST else self._ranked
        self._leave()
        if order is not Order.LIST:
            self._describe()
        self.changed.emit()

    def refresh(self) -> None:
        """Another version proposes: what the one before said is said again."""
        if self.order in (Order.UNSURE, Order.DISPUTED):
            self._leave()
            self._describe()

    def close(self) -> None:
        """Drop what is under way."""
        self._leave()

    def _leave(self) -> None:
        if self._job is not None:
            self._ground.jobs.drop(self._job)
            self._job = None

    def _describe(self) -> None:
        navigation = self._navigation
        images = self._candidates(navigation.listed_next())[:_MOST]
        if self.order is Order.DIFFERENT:
            images = [*self._done(), *images]
            images = [image for image in images if image not in self._known]
        if not images:
            return
        self._job = self._ground.jobs.follow(
            JobKind.LOOK,
            _("Looking at the images"),
            self._noted(_steps(self._ground.project, self._engine, images, disputed=self.order is Order.DISPUTED)),
            self._ground.main,
            on_failed=self._failed,
            on_end=self._ended,
        )

    def _noted(self, steps: Generator[DescribeProgress, None, None]) -> Generator[DescribeProgress, None, None]:
        """On the job's thread; what is found goes to the main thread, in its order."""
        for step in steps:
            if step.image is not None and step.description is not None:
                image, description = step.image, step.description
                self._ground.main.post(lambda image=image, description=description: self._note(image, description))
            yield step

    def _note(self, image: ImageId, description: Description) -> None:
        self._known[image] = description
        self.changed.emit()

    def _ended(self) -> None:
        self._job = None

    def _failed(self, error: UserError) -> None:
        self._ground.notices.fail(JobKind.LOOK, error)

    def _ranked(self, places: Sequence[int]) -> list[int]:
        """Places of the list, the one to label next first; done ones stay behind, in their order."""
        items = self._navigation.items
        place_of = {items[place].id: place for place in places}
        candidates = self._candidates(places)
        first = [place_of[image] for image in ordered(self.order, candidates, self._known, self._done())]
        return [*first, *(place for place in places if items[place].status is Status.DONE)]

    def _candidates(self, places: Sequence[int]) -> list[ImageId]:
        items = self._navigation.items
        return [items[place].id for place in places if items[place].status is not Status.DONE]

    def _done(self) -> list[ImageId]:
        done = [item.id for item in self._navigation.items if item.status is Status.DONE]
        return done[-_MOST_DONE:]


def _steps(
    project: Project, engine: EngineClient, images: Sequence[ImageId], *, disputed: bool
) -> Generator[DescribeProgress, None, None]:
    yield from describe(engine, images, against=_another(project) if disputed else "")


def _another(project: Project) -> str:
    """The version before the one in force; the instant learner where there is none."""
    current = project.current_version()
    names = [version.name for version in project.versions() if version.learner == "deep"]
    others = [name for name in names if current is None or name != current.name]
    return others[-1] if others else INSTANT
