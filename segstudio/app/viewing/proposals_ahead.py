"""The owner of proposals that nobody sees yet: those of the planes and images that come next are made meanwhile, so
that stepping through the list waits for no network.
"""

from collections.abc import Callable, Generator, Iterable
from itertools import chain, islice

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.values import JobId, JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.proposals import Proposals
from segstudio.engine.client import EngineClient
from segstudio.errors import UserError
from segstudio.runs import EMBEDDED, FROM_PEOPLE, INSTANT
from segstudio.store.project import Project
from segstudio.store.values import ImageRow
from segstudio.tasks.learning.predict import Plane, PredictProgress, PredictReport, predict
from segstudio.text import _

__all__ = ["ProposalsAhead"]

REACH = 3
"""So many planes or images ahead."""

_SOON_MS = 400
_MOST_PX = 64 << 20
_REFITTED = (INSTANT, EMBEDDED)
"""They may propose something else from one moment to the next; what they proposed is made again once somebody looks."""


class ProposalsAhead(QObject):
    """`settled`: nothing is left to be made. While the image on screen is waited for, or `held` says that something
    more urgent is under way, nothing begins until `look` is called after it. Another image on screen ends what was
    begun for the one before.
    """

    settled = Signal()

    def __init__(
        self,
        ground: Ground,
        engine: EngineClient,
        documents: Documents,
        navigation: Navigation,
        proposals: Proposals,
        parent: QObject | None = None,
        *,
        held: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(parent)
        self._ground, self._project, self._engine = ground, ground.project, engine
        self._documents, self._navigation, self._proposals = documents, navigation, proposals
        self._held = held
        self._job: JobId | None = None
        self.reach = REACH
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._begin)
        navigation.imageLoading.connect(lambda _path: self._leave())
        navigation.imageShown.connect(self.look)
        proposals.proposalReady.connect(self.look)
        proposals.runningChanged.connect(lambda _running: self.look())

    @property
    def busy(self) -> bool:
        """Whether some are being made, or are about to be."""
        return self._job is not None or self._soon.isActive()

    def look(self) -> None:
        """See in a moment whether there is something to be made."""
        if self._project.writer is not None and self._job is None:
            self._soon.start()

    def refresh(self) -> None:
        """Begin again: another version proposes."""
        self._leave()
        self.look()

    def close(self) -> None:
        """Drop what was begun."""
        self._soon.stop()
        self._leave()

    def _leave(self) -> None:
        if self._job is not None:
            self._ground.jobs.drop(self._job)
            self._job = None

    def _begin(self) -> None:
        if self._proposals.coming or self._held():
            return  # the end of that asks again
        if self._documents.gesture_active:
            self._soon.start()
            return
        shown = self._navigation.shown is not None and self._proposals.automatic
        wanted = list(self._next()) if shown else []
        if not wanted:
            self.settled.emit()
            return
        self._job = self._ground.jobs.start(
            JobKind.AHEAD,
            _("Proposing the next images"),
            _steps(self._project, self._engine, wanted),
            self._ground.main,
            on_failed=self._failed,
            on_end=self._ended,
            on_done=lambda _report: self.settled.emit(),
            on_cancelled=self.settled.emit,
        )

    def _ended(self) -> None:
        self._job = None

    def _failed(self, _error: UserError) -> None:
        """What is wrong is said when somebody looks at such an image, or by the run or the writer that it concerns."""
        self.settled.emit()

    def _next(self) -> Iterable[Plane]:
        """What comes next: planes of a stack that follow the one on screen and are not done, then other images."""
        navigation = self._navigation
        here, items, left = navigation.index, navigation.items, _MOST_PX
        row = navigation.rows[here]
        places = (place for place in navigation.upcoming() if place != here)
        open_planes = ((navigation.rows[place], items[place].open_plane()) for place in places)
        images = ((other, plane) for other, plane in open_planes if plane is not None)
        done = items[here].marks.done(len(row.planes))
        stack = ((row, plane) for plane in range(navigation.plane + 1, len(row.planes)) if plane not in done)
        for found, plane in islice(chain(stack, images), self.reach):
            width, height = found.planes[plane]
            left -= width * height
            if left < 0:
                return
            if _is_usable(found):
                yield found.id, plane


def _is_usable(row: ImageRow) -> bool:
    return not row.problem and not row.changed


def _steps(
    project: Project, engine: EngineClient, wanted: list[Plane]
) -> Generator[PredictProgress, None, PredictReport | None]:
    """Propose what has no proposal of the version in force."""
    current = project.current_version()
    version = "" if current is None or current.name in _REFITTED else current.name
    there = {(note.image, note.plane): note.version for note in project.proposals.notes()}
    missing = [place for place in wanted if not _is_there(there.get(place), version)]
    missing = [place for place in missing if not project.proposals.is_rejected(*place)]
    if not missing:
        return None
    return (yield from predict(project, engine, list(dict.fromkeys(image for image, _ in missing)), planes=missing))


def _is_there(found: str | None, version: str) -> bool:
    """Whether a proposal is as good as one that would be made now; those of learners that are refitted always are."""
    return found is not None and (found == version or not version or found in FROM_PEOPLE)
