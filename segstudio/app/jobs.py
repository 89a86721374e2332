"""Work away from the GUI thread: a generator of progress values run on a thread, its values handed over in order.

A job ends in exactly one of: a result, a `UserError`, a bug. Its starter ends it: `cancel` and `wait`.
"""

import threading
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from segstudio.errors import UserError
from segstudio.faults import report

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["Job", "MainThread", "Worker", "refusal", "say_refusal"]

T = TypeVar("T")
P = TypeVar("P")


class MainThread(QObject):
    """Runs callables on the thread that made it, in the order in which they were posted."""

    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._closed = False
        # A signal must not be sent by one thread while another deletes its sender, which follows `close`.
        self._sending = threading.Lock()
        self._posted.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Callable[[], object]) -> None:
        """Run `call` from the event loop; from any thread. After `close` nothing is run."""
        with self._sending:
            if not self._closed:
                self._posted.emit(call)

    def close(self) -> None:
        """Drop what is still posted."""
        with self._sending:
            self._closed = True

    @Slot(object)
    def _run(self, call: Callable[[], object]) -> None:
        if self._closed:
            return
        try:
            call()
        except Exception as error:  # noqa: BLE001 - a border: reported to the listener
            report(error)


class Job(Generic[P, T]):
    """A generator on a thread of its own; values, then exactly one end, all on the main thread."""

    def __init__(
        self,
        name: str,
        steps: Generator[P, None, T],
        main: MainThread,
        *,
        on_value: Callable[[P], None],
        on_done: Callable[[T], None],
        on_failed: Callable[[BaseException], None],
        on_cancelled: Callable[[], None],
    ) -> None:
        self.name = name
        self._steps = steps
        self._main = main
        self._on_value, self._on_done = on_value, on_done
        self._on_failed, self._on_cancelled = on_failed, on_cancelled
        self._cancel = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"job-{name}", daemon=True)
        self.ended = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask it to end after its present step; the generator is closed there."""
        self._cancel.set()

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to end."""
        return self._cancel.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the thread's end; whether it came."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._cancel.is_set():
                try:
                    value = next(self._steps)
                except StopIteration as end:
                    self._finish(partial(self._on_done, end.value))
                    return
                self._main.post(partial(self._on_value, value))
            self._steps.close()
            self._finish(self._on_cancelled)
        except Exception as error:  # noqa: BLE001  (handed to the main thread, which tells the two kinds apart)
            self._finish(partial(self._on_failed, error))

    def _finish(self, call: Callable[[], None]) -> None:
        def end() -> None:
            self.ended = True
            call()

        self._main.post(end)


def refusal(future: "Future[Any]") -> UserError | None:
    """The `UserError` that a finished computation ended in; None where it has a result. A bug is raised."""
    error = future.exception()
    if error is not None and not isinstance(error, UserError):
        raise error
    return error


def say_refusal(future: "Future[None]", say: Callable[[str], None]) -> None:
    """Report a note beside the labels that the disk refused; the labels do not depend on it. A bug is raised."""
    if (error := refusal(future)) is not None:
        say(error.line)


class Worker:
    """One thread for short computations over frozen values; answers come on the main thread."""

    def __init__(self, name: str, main: MainThread) -> None:
        from concurrent.futures import ThreadPoolExecutor  # nothing needs it before a project is open

        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._main = main
        self._open: set[Future[Any]] = set()
        self._ended = threading.Condition()

    def submit(self, work: Callable[[], T], then: "Callable[[Future[T]], None] | None" = None) -> "Future[T]":
        """Compute; `then` gets the finished future on the main thread, unless it was cancelled before it began.

        Without `then` the future may be ignored: a bug in it is still reported.
        """
        future = self._pool.submit(work)
        self._open.add(future)
        after = refusal if then is None else then
        future.add_done_callback(lambda f: None if f.cancelled() else self._main.post(lambda: after(f)))
        future.add_done_callback(self._end)  # after it: what is waited for has been posted
        return future

    def close(self, wait_s: float | None = None, *, drop: bool = True) -> None:
        """Drop what has not begun, unless told not to, and wait for the rest: no longer than `wait_s`, for a disk that
        hangs may hold it. It ends on its thread then, and nobody hears of it.
        """
        self._pool.shutdown(wait=wait_s is None, cancel_futures=drop)
        if wait_s is not None:
            with self._ended:
                self._ended.wait_for(lambda: not self._open, timeout=wait_s)

    def _end(self, future: "Future[Any]") -> None:
        with self._ended:
            self._open.discard(future)
            self._ended.notify_all()
