"""The owner of fine-tuning: one run at a time on a thread, its events handed on as they come."""

from collections.abc import Callable, Generator
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.values import JobId, JobKind
from segstudio.engine.client import EngineClient
from segstudio.errors import Cancelled, UserError
from segstudio.runs import Choices, Event, HeldOutPicture, Started, TrainResult, Warned
from segstudio.tasks.learning.interrupted import Interrupted
from segstudio.tasks.learning.resuming import Ended, ended_run
from segstudio.tasks.learning.train import train
from segstudio.tasks.learning.train_options import choices_of, recorded
from segstudio.text import _

__all__ = ["Training"]

_FILES = ("config", "events")
_NAMES = frozenset({*Choices.__struct_fields__, *_FILES})


class Training(QObject):
    """`running` from the click to the verdict; `started` says that the plan is final and the first step begins.

    `happened` carries a `runs.Event`, `finished` a `TrainResult`, `discarded` a sentence in its place, `pictured` a
    `runs.HeldOutPicture` after each measurement. A run under way when its project is closed goes on when it is opened
    again.
    """

    happened = Signal(object)
    finished = Signal(object)
    discarded = Signal(str)
    pictured = Signal(object)
    runningChanged = Signal(bool)
    started = Signal()

    def __init__(
        self, ground: Ground, documents: Documents, engine: EngineClient, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._ground, self._project, self._engine = ground, ground.project, engine
        self._documents = documents
        self._job: JobId | None = None
        self._stop: _Stop | None = None

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self._job is not None

    def ask(self, **options: object) -> None:
        """Begin a run once every edit so far is in the project, a stroke under way included."""
        if self.running:
            self._ground.notices.say(_("A run is already under way."))
            return
        self._documents.commit_gesture()
        self._documents.after(lambda: self._start(options, picks_up=False))

    def follow(self, max_seconds: float, wanted: Callable[[], bool]) -> None:
        """Begin a run that also learns what is painted while it is under way, unless it is no longer `wanted` once
        every edit so far is in the project. A gesture under way is left alone: what it paints is picked up.
        """

        def start() -> None:
            if wanted():
                self._start({"max_seconds": max_seconds}, picks_up=True)

        self._documents.after(start)

    def start(self, **options: object) -> None:
        """Begin a run. Options are those of `segstudio train`: the fields of `runs.Choices`, `config` (a TOML file) and
        `events` (a file to write). Another name raises TypeError; a notice reports a wrong value.
        """
        self._start(options, picks_up=False)

    def _start(self, options: dict[str, object], *, picks_up: bool) -> None:
        if self._job is not None:
            return
        if unknown := sorted(options.keys() - _NAMES):
            raise TypeError(f"'{unknown[0]}' is not an option of fine_tune(); choose from {', '.join(sorted(_NAMES))}.")
        config, events = (None if path is None else Path(str(path)) for path in map(options.pop, _FILES, (None, None)))
        try:
            choices = choices_of(options, config)
        except UserError as error:
            self._ground.notices.fail(JobKind.TRAIN, error)
            return
        stop = _Stop()
        self._begin(recorded(self._steps(choices, stop, picks_up=picks_up), events), stop)

    def go_on(self, run: str = "") -> None:
        """Resume a run that has ended, by default the newest that made a version, once every edit so far is in the
        project: a new run from that version, with what is left of its time. A notice says why where it cannot be
        resumed.
        """
        if self.running:
            self._ground.notices.say(_("A run is already under way."))
            return
        self._documents.commit_gesture()
        self._documents.after(lambda: self._go_on(run))

    def _go_on(self, run: str) -> None:
        if self._job is None:
            stop = _Stop()
            self._begin(self._from_end(run, stop), stop)

    def _from_end(self, run: str, stop: "_Stop") -> Generator[Event, None, TrainResult]:
        """On the thread of the run."""
        after = ended_run(self._project, run)
        return (yield from self._steps(after.choices, stop, after=after))

    def resume(self, found: Interrupted | None) -> None:
        """Resume the interrupted run, if there is one."""
        if found is None or self._job is not None:
            return
        stop = _Stop()
        self._begin(self._steps(found.choices, stop, found), stop)

    def _steps(
        self,
        choices: Choices,
        stop: "_Stop",
        resume: Interrupted | None = None,
        *,
        picks_up: bool = False,
        after: Ended | None = None,
    ) -> Generator[Event, None, TrainResult]:
        return train(
            self._project,
            self._engine,
            choices,
            stop=stop,
            discard=lambda: stop.discarded,
            on_picture=self._pictured,
            resume=resume,
            resumable=True,
            picks_up=picks_up,
            after=after,
        )

    def _begin(self, steps: Generator[Event, None, TrainResult], stop: "_Stop") -> None:
        self._stop = stop
        self._job = self._ground.jobs.start(
            JobKind.TRAIN,
            _("Fine-tuning"),
            steps,
            self._ground.main,
            on_value=lambda _id, event: self._told(event),
            on_done=self.finished.emit,
            on_failed=self._failed,
            on_end=self._end,
            cancel=self.stop,
        )
        self.runningChanged.emit(True)

    def stop(self) -> None:
        """End the run early, keeping the best so far; the verdict still follows."""
        if self._stop is not None:
            self._stop.asked = True

    def discard(self) -> None:
        """End the run at once; nothing is kept but its record. `discarded` follows."""
        if self._stop is not None:
            self._stop.discarded = True

    def _pictured(self, picture: HeldOutPicture) -> None:
        """On the thread of the run."""
        self._ground.main.post(lambda: self.pictured.emit(picture))

    def _failed(self, error: UserError) -> None:
        if isinstance(error, Cancelled):
            self.discarded.emit(error.sentence)
        else:
            self._ground.notices.fail(JobKind.TRAIN, error)

    def _told(self, event: Event) -> None:
        if isinstance(event, Started):
            self.started.emit()
        if isinstance(event, Warned):
            self._ground.notices.say(event.sentence)
        self.happened.emit(event)

    def _end(self) -> None:
        self._job, self._stop = None, None
        self.runningChanged.emit(False)


class _Stop:
    """Asked for by the window, looked at by the task between two events."""

    asked = False
    discarded = False

    def __call__(self) -> bool:
        return self.asked
