"""The owner of learning that goes on while a person labels: one run after another, each as long as usual.

A run learns what is painted meanwhile, ends at the gate, and the next one goes on from the version that proposes then.
Between two runs the image on screen and the next ones get their proposals, and what has no turns during a run has some
seconds; without new labels in training images nothing begins.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from time import monotonic

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.app.learning.training import Training
from segstudio.app.values import JobKind, Notice, NoticeKind
from segstudio.app.viewing.proposals import Proposals
from segstudio.app.viewing.proposals_ahead import REACH, ProposalsAhead
from segstudio.store.project import Project
from segstudio.tasks.learning.unlearned import TrainingLabels, unlearned_labels
from segstudio.text import _

__all__ = ["KeepLearning"]

_ROUND_S = 60.0
_FAR = 8
_SOON_MS = 300
_TURN_S = 10.0
"""So long a round waits for what has its turns only while no run is under way: descriptions, and a search."""


@dataclass(frozen=True, slots=True)
class _Now:
    """The labels to learn, None where they are those that were learned, and how many classes have known pixels."""

    labels: TrainingLabels | None
    classes: int


class KeepLearning(QObject):
    """`changed`: it was turned on or off, or what it waits for is another thing."""

    changed = Signal()

    def __init__(
        self,
        ground: Ground,
        documents: Documents,
        training: Training,
        proposals: Proposals,
        ahead: ProposalsAhead,
        parent: QObject | None = None,
        *,
        others: Callable[[], bool] = lambda: False,
    ) -> None:
        """`others` says whether something waits that has no turns during a run."""
        super().__init__(parent)
        self._project, self._notices = ground.project, ground.notices
        self._documents, self._training = documents, training
        self._proposals, self._ahead = proposals, ahead
        self._worker = Worker("keep-learning", ground.main)
        self._seen = -1
        self._began_with: TrainingLabels | None = None
        self._asking = self._begun = False
        self._rounds = 0
        self._others, self._turn_until = others, 0.0
        self.on = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._go_on)
        training.runningChanged.connect(self._runs)
        documents.editCommitted.connect(lambda _seq: self._go_on())
        proposals.runningChanged.connect(lambda _running: self._go_on())
        ahead.settled.connect(self._go_on)
        ground.notices.told.connect(self._told)

    @property
    def waits(self) -> bool:
        """Whether it is on, and there is nothing to learn in what was painted so far."""
        return self.on and not self._training.running and not self._has_more

    @property
    def number(self) -> int:
        """Which round since it was turned on is under way, from 1; 0 between two, and in a run that others began."""
        return self._rounds if self._begun and self._training.running else 0

    def end(self) -> None:
        """Turn it off where it is on, and say so."""
        if self.on:
            self.turn(False)
            self._notices.say(_("Keep learning is off now."))

    def turn(self, on: bool) -> None:
        """Begin, or end: a run that this began stops then, and what it has learned is compared and kept."""
        if on == self.on:
            return
        if on and self._project.writer is None:
            self._notices.say(self._project.why_read_only)
            self.changed.emit()
            return
        self.on = on
        self._ahead.reach = _FAR if on else REACH
        if on:
            self._rounds = 0
            self._go_on()
        elif self._begun:
            self._training.stop()
        self.changed.emit()

    def close(self, wait_s: float | None = None) -> None:
        """Begin nothing any more; a run under way is left as any other."""
        self.on = False
        self._soon.stop()
        self._worker.close(wait_s)

    def _runs(self, running: bool) -> None:
        if not running:
            self._begun = False
            self._turn_until = monotonic() + _TURN_S
            self._seen = -1  # what it did not pick up is there to be learned
            self._ahead.refresh()  # it settles before the next run
        self.changed.emit()

    @property
    def _has_more(self) -> bool:
        """Whether there are edits that were not looked at yet."""
        return int(self._documents.saving.acknowledged) > self._seen

    def _go_on(self) -> None:
        """Begin the next run, if there is something to learn and nothing is awaited that the run would hold up."""
        if not self.on or self._training.running or self._asking:
            return
        if self._documents.gesture_active:
            self._soon.start()  # the hand goes first
            return
        if not self._has_more or self._ahead.busy or self._proposals.coming:
            self.changed.emit()
            return
        if self._others() and monotonic() < self._turn_until:
            self._soon.start()
            return
        self._asking = True
        seen = int(self._documents.saving.acknowledged)
        self._worker.submit(partial(_looked_at, self._project, self._began_with), partial(self._looked, seen))

    def _looked(self, seen: int, future: "Future[_Now]") -> None:
        self._asking = False
        if (error := refusal(future)) is not None:
            self.turn(False)
            self._notices.fail(JobKind.TRAIN, error)
            return
        now = future.result()
        self._seen = seen
        if self.on and now.classes >= 2 and now.labels is not None and not self._training.running:
            self._began_with = now.labels
            self._begun = True
            self._rounds += 1
            self._training.follow(_ROUND_S, lambda: self.on)
        elif self._has_more:
            self._soon.start()  # painted while it looked
        self.changed.emit()

    def _told(self, notice: Notice) -> None:
        """A run that fails ends it: the next one would fail as well."""
        if notice.job is JobKind.TRAIN and notice.kind is not NoticeKind.WORD:
            self.end()


def _looked_at(project: Project, began_with: TrainingLabels | None) -> _Now:
    return _Now(unlearned_labels(project, began_with), len(project.known_classes()))
