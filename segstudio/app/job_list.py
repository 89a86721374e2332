"""The owner of jobs: work that takes a while and is shown in the window, each with its own id."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal

from segstudio.app.jobs import Job, MainThread
from segstudio.app.notices import Notices
from segstudio.app.values import JobId, JobKind, JobState
from segstudio.errors import UserError

__all__ = ["Jobs", "Steps"]

P = TypeVar("P")
T = TypeVar("T")


class Steps(Protocol):
    """Progress as tasks report it: `done` of `total`, which is 0 while it is not known."""

    @property
    def done(self) -> int: ...

    @property
    def total(self) -> int: ...


S = TypeVar("S", bound=Steps)


@dataclass(slots=True)
class _Running:
    """`main` is the thread that its owner is told on: it stands for the project, and None for the window."""

    state: JobState
    main: MainThread | None
    cancel: Callable[[], object] | None
    job: Job[Any, Any] | None = None


class Jobs(QObject):
    """`changed`: the list, or a job's progress. A job is reported before it runs, its end after it left the list."""

    changed = Signal()

    def __init__(self, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices = notices
        self._running: dict[JobId, _Running] = {}
        self._dropped: dict[JobId, _Running] = {}
        self._newest = 0

    @property
    def states(self) -> tuple[JobState, ...]:
        """What is under way, the newest last."""
        return tuple(running.state for running in self._running.values())

    def of(self, kind: JobKind) -> tuple[JobState, ...]:
        """What of a kind is under way, the newest last."""
        return tuple(state for state in self.states if state.kind is kind)

    # -- jobs that others run ----------------------------------------------------------------------------------------

    def show(
        self, kind: JobKind, text: str, main: MainThread | None = None, cancel: Callable[[], object] | None = None
    ) -> JobId:
        """List a job that its owner runs; without `cancel` it cannot be cancelled. To be followed by `end`."""
        self._newest += 1
        id_ = JobId(self._newest)
        self._running[id_] = _Running(JobState(id_, kind, text, cancellable=cancel is not None), main, cancel)
        self.changed.emit()
        return id_

    def tell(
        self,
        id_: JobId,
        text: str | None = None,
        fraction: float | None = None,
        seconds_left: float | None = None,
    ) -> None:
        """Say how far a job is; None for the text as it was, or for figures that are not known."""
        running = self._running.get(id_)
        if running is not None:
            text = running.state.text if text is None else text
            running.state = running.state._replace(text=text, fraction=fraction, seconds_left=seconds_left)
            self.changed.emit()

    def end(self, id_: JobId) -> None:
        """Take a job off the list."""
        if self._running.pop(id_, None) is not None:
            self.changed.emit()

    # -- jobs on threads ---------------------------------------------------------------------------------------------

    def start(
        self,
        kind: JobKind,
        text: str,
        steps: Generator[P, None, T],
        main: MainThread,
        *,
        on_value: Callable[[JobId, P], None] = lambda _id, _value: None,
        on_done: Callable[[T], object] = lambda _: None,
        on_failed: Callable[[UserError], None] | None = None,
        on_end: Callable[[], None] = lambda: None,
        on_bug: Callable[[], None] = lambda: None,
        on_cancelled: Callable[[], None] = lambda: None,
        cancel: Callable[[], object] | None = None,
    ) -> JobId:
        """Run a generator on a thread; its results arrive in the event loop of `main`.

        `on_end` comes first, whatever the end is; then `on_done` has the result, or `on_failed` the `UserError`, which
        is said as the failure of this kind of job where there is no `on_failed`; `on_bug` comes before any other error
        is reported as a bug; `on_cancelled` where it ended early, for it was cancelled. `cancel` is what a person's
        cancelling does, where that is not the end after the present step.
        """
        id_ = self.show(kind, text, main, lambda: None)
        job: Job[P, T] = Job(
            kind.value,
            steps,
            main,
            on_value=lambda value: on_value(id_, value) if id_ in self._running else None,
            on_done=lambda result: self._through(id_, on_end, lambda: on_done(result)),
            on_failed=lambda error: self._through(
                id_, on_end, lambda: self._failed(kind, error, on_failed, on_bug), error
            ),
            on_cancelled=lambda: self._through(id_, on_end, on_cancelled),
        )
        running = self._running[id_]
        running.job, running.cancel = job, cancel or job.cancel
        job.start()
        return id_

    def follow(
        self,
        kind: JobKind,
        text: str,
        steps: Generator[S, None, T],
        main: MainThread,
        *,
        words: Callable[[S], str] | None = None,
        on_done: Callable[[T], object] = lambda _: None,
        on_failed: Callable[[UserError], None] | None = None,
        on_end: Callable[[], None] = lambda: None,
        on_bug: Callable[[], None] = lambda: None,
        on_cancelled: Callable[[], None] = lambda: None,
    ) -> JobId:
        """`start` a task that yields `Steps`: they are how far it is; `words` say it."""

        def told(id_: JobId, value: S) -> None:
            fraction = value.done / value.total if value.total else None
            self.tell(id_, None if words is None else words(value), fraction)

        return self.start(
            kind,
            text,
            steps,
            main,
            on_value=told,
            on_done=on_done,
            on_failed=on_failed,
            on_end=on_end,
            on_bug=on_bug,
            on_cancelled=on_cancelled,
        )

    def cancel(self, id_: JobId) -> None:
        """Ask a job to end; nothing happens where it has ended."""
        running = self._running.get(id_)
        if running is not None and running.cancel is not None:
            running.cancel()

    def drop(self, id_: JobId) -> None:
        """Take a job off the list and ask it to end: nothing more is heard of it but a bug. Its thread is awaited."""
        running = self._running.get(id_)
        if running is not None and running.job is not None:
            running.job.cancel()
            self._dropped[id_] = running
        self.end(id_)

    def cancel_all(self, main: MainThread) -> None:
        """End the threads of a project after their present step: it is about to be closed."""
        for running in self._of_project(main):
            if running.job is not None:
                running.job.cancel()

    def wait_all(self, main: MainThread, left: Callable[[], float]) -> None:
        """Wait for the threads of a project, as long as `left` says in all, and take its jobs off the list."""
        for running in self._of_project(main):
            if running.job is not None:
                running.job.wait(left())
            self._dropped.pop(running.state.id, None)
            self.end(running.state.id)

    def waiter(self, kind: JobKind, main: MainThread) -> Callable[[float], None]:
        """A function for any thread: it waits for those of this kind of job that there are now, for each so long."""
        jobs = [running.job for running in self._of_project(main) if running.state.kind is kind]

        def wait(timeout_s: float) -> None:
            for job in jobs:
                if job is not None:
                    job.wait(timeout_s)

        return wait

    def _of_project(self, main: MainThread) -> list[_Running]:
        """Its jobs, those that were dropped and have not ended included."""
        return [running for running in (*self._dropped.values(), *self._running.values()) if running.main is main]

    def _through(
        self,
        id_: JobId,
        on_end: Callable[[], None],
        then: Callable[[], object],
        error: BaseException | None = None,
    ) -> None:
        self._dropped.pop(id_, None)
        if id_ not in self._running:  # it was dropped, or its project, or the window, was closed meanwhile
            if error is not None and not isinstance(error, UserError):
                raise error  # a bug is one, whoever still wants the result
            return
        self.end(id_)
        on_end()
        then()

    def _failed(
        self,
        kind: JobKind,
        error: BaseException,
        on_failed: Callable[[UserError], None] | None,
        on_bug: Callable[[], None],
    ) -> None:
        if not isinstance(error, UserError):
            on_bug()
            raise error
        if on_failed is None:
            self._notices.fail(kind, error)
        else:
            on_failed(error)
