"""The owner of fine-tuning: one run at a time on a thread, its events handed on as they come."""

from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal

from segstudio.app.jobs import Job, MainThread
from segstudio.engine.client import EngineClient
from segstudio.errors import UserError
from segstudio.runs import Choices, Event, TrainResult
from segstudio.store.project import Project
from segstudio.tasks.train import train

__all__ = ["Training"]


class Training(QObject):
    """`running` from the click to the verdict."""

    trainingEvent = Signal(object)
    trainingFinished = Signal(object)
    failed = Signal(object)
    runningChanged = Signal(bool)

    def __init__(self, project: Project, engine: EngineClient, main: MainThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project, self._engine, self._main = project, engine, main
        self._job: Job[Event, TrainResult] | None = None
        self._stop: Any = None
        self._dropped = False

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self._job is not None

    def start(self, **options: object) -> None:
        """Begin a run. Options are the fields of `runs.Choices`; another name raises TypeError."""
        if self._job is not None:
            return
        choices = Choices(**options)  # type: ignore[arg-type]
        steps = train(self._project, self._engine, choices, stop=(stop := _Stop()))
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
        """Drop the run; its checkpoint stays."""
        self._dropped = True
        if self._job is not None:
            self._job.cancel()

    def wait(self, timeout_s: float) -> None:
        """Wait for the run's thread."""
        if self._job is not None:
            self._job.wait(timeout_s)

    def _event(self, event: Event) -> None:
        if not self._dropped:
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
        self._job, self._stop = None, None
        self.runningChanged.emit(False)


class _Stop:
    """Asked for by the window, looked at by the task between two events."""

    asked = False

    def __call__(self) -> bool:
        return self.asked
