"""The owner of fine-tuning: one run at a time on a thread, its events handed on as they come."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal

from segstudio.app.jobs import Job, MainThread
from segstudio.engine.client import EngineClient
from segstudio.errors import UserError
from segstudio.runs import Choices, Event, Started, TrainResult, Warned
from segstudio.store.project import Project
from segstudio.tasks.learning.interrupted import Interrupted
from segstudio.tasks.learning.train import train
from segstudio.tasks.learning.train_options import choices_of, recorded

__all__ = ["Training"]

_FILES = ("config", "events")
_NAMES = frozenset({*Choices.__struct_fields__, *_FILES})


class Training(QObject):
    """`running` from the click to the verdict; `started` says that the plan is final and the first step begins.

    A run that is under way when its project is closed goes on when it is opened again: `resumed` says from where.
    """

    trainingEvent = Signal(object)
    trainingFinished = Signal(object)
    failed = Signal(object)
    runningChanged = Signal(bool)
    started = Signal()
    resumed = Signal(str)

    def __init__(self, project: Project, engine: EngineClient, main: MainThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project, self._engine, self._main = project, engine, main
        self._job: Job[Event, TrainResult] | None = None
        self._stop: Any = None
        self._dropped = self._resuming = False

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self._job is not None

    def start(self, **options: object) -> None:
        """Begin a run. Options are those of `segstudio train`: the fields of `runs.Choices`, `config` (a TOML file) and
        `events` (a file to write). Another name raises TypeError; a value that is none is told by `failed`.
        """
        if self._job is not None:
            return
        if unknown := sorted(options.keys() - _NAMES):
            raise TypeError(f"'{unknown[0]}' is no option of fine_tune(); there are {', '.join(sorted(_NAMES))}.")
        config, events = (None if path is None else Path(str(path)) for path in map(options.pop, _FILES, (None, None)))
        try:
            choices = choices_of(options, config)
        except UserError as error:
            self.failed.emit({"job": "train", "sentence": error.line, "details": ""})
            return
        stop = _Stop()
        steps = train(self._project, self._engine, choices, stop=stop, resumable=True)
        self._begin(recorded(steps, events), stop)

    def resume(self, found: Interrupted | None) -> None:
        """Go on with the run that was interrupted, where there is one."""
        if found is None or self._job is not None:
            return
        self._resuming, stop = True, _Stop()
        self._begin(
            train(self._project, self._engine, found.choices, stop=stop, resume=found, resumable=True),
            stop,
        )

    def _begin(self, steps: Generator[Event, None, TrainResult], stop: "_Stop") -> None:
        self._stop = stop
        self._job = Job(
            "train",
            steps,
            self._main,
            on_value=self._event,
            on_done=self._done,
            on_failed=self._failed,
            on_cancelled=lambda: self._end(),
        )
        self.runningChanged.emit(True)
        self._job.start()

    def stop(self) -> None:
        """End the run early, keeping the best so far; the verdict still follows."""
        if self._stop is not None:
            self._stop.asked = True

    def close(self) -> None:
        """Leave the run as it is; it is resumed at the next opening."""
        self._dropped = True
        if self._job is not None:
            self._job.cancel()

    def wait(self, timeout_s: float) -> None:
        """Wait for the run's thread."""
        if self._job is not None:
            self._job.wait(timeout_s)

    def _event(self, event: Event) -> None:
        if not self._dropped:
            if isinstance(event, Started):
                self.started.emit()
            if isinstance(event, Warned) and self._resuming:
                self._resuming = False
                self.resumed.emit(event.sentence)
            self.trainingEvent.emit(msgspec.to_builtins(event))

    def _done(self, result: TrainResult) -> None:
        self._end()
        self.trainingFinished.emit(msgspec.to_builtins(result))

    def _failed(self, error: BaseException) -> None:
        self._end()
        if not isinstance(error, UserError):
            raise error
        self.failed.emit({"job": "train", "sentence": error.line, "details": ""})

    def _end(self) -> None:
        self._job, self._stop, self._resuming = None, None, False
        self.runningChanged.emit(False)


class _Stop:
    """Asked for by the window, looked at by the task between two events."""

    asked = False

    def __call__(self) -> bool:
        return self.asked
