"""The client of the engine: starts the process, talks to it from any thread, and reports in one sentence how it ended.

No torch here. A process that died is started again at the next call, until three deaths within ten minutes. One that
ended because it was idle did not die: requests that it no longer took are passed on to the next.
"""

import os
import queue
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from segstudio.engine.call import Call
from segstudio.engine.frames import read_frame, write_frame
from segstudio.engine.launch import engine_command, engine_environment, start_engine
from segstudio.engine.outcome import Outcome, State, sentence_of
from segstudio.engine.protocol import (
    PROTOCOL,
    Bye,
    Failed,
    Hello,
    LeftOut,
    Message,
    Reply,
    Request,
    Welcome,
    decode_reply,
)
from segstudio.errors import EngineDied, UserError
from segstudio.registry import BrokenRow, note_broken
from segstudio.text import _

__all__ = ["Call", "EngineClient", "Outcome", "State", "engine_command", "engine_environment"]

IDLE_S = 300.0
_CRASHES, _CRASH_WINDOW_S = 3, 600.0
_START_S = 120.0
_END_S = 1.0
_LOG_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class _OpenCall:
    """An open call: the request, and where its replies go."""

    request: Request
    replies: "queue.SimpleQueue[Reply | UserError]"


class _Link:
    """One process and the open calls that it answers; `calls` is None once all of them know of its end.

    `leaving`: it said that it ends because it was idle, so it has not begun with any request since.
    """

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.calls: dict[int, _OpenCall] | None = {}
        self.welcomed = threading.Event()
        self.finished = threading.Event()
        self.refusal = ""
        self.leaving = False


class EngineClient:
    """One engine process for one project.

    `on_state` receives the parts of an `Outcome`, on the thread where the news arrives; it must not call the client
    back.
    """

    def __init__(
        self,
        project: Path,
        *,
        log: Path | None = None,
        on_state: Callable[[State, str, str], None] | None = None,
        idle_s: float = IDLE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.project = project
        self.outcome = Outcome(State.OFF)
        self._log = log
        self.on_state = on_state
        self._idle_s = idle_s
        self._clock = clock
        self._lock = threading.RLock()
        self._link: _Link | None = None
        self._closed = False
        self._next_id = 1
        self._deaths: deque[float] = deque(maxlen=_CRASHES)

    @property
    def pid(self) -> int | None:
        """Id of the running process; None if none is running."""
        link = self._link
        return None if link is None or link.process.poll() is not None else link.process.pid

    @property
    def closed(self) -> bool:
        """Whether `close` was called: no more requests are possible."""
        return self._closed

    def start(self) -> None:
        """Start the process if none is running, without waiting for it. Raises `EngineDied` if it cannot be started."""
        while True:
            with self._lock:
                link = self._link
                if link is not None and link.process.poll() is None:
                    return
                if link is None or link.finished.is_set():
                    self._refuse_start()
                    self._link = self._spawn()
                    return
            link.finished.wait()

    def ready(self, timeout_s: float = _START_S) -> str:
        """Start the process, wait until it is ready, and return the device's name. Raises `EngineDied`."""
        self.start()
        link = self._link
        if link is None or not link.welcomed.wait(timeout_s) or self.outcome.state is not State.READY:
            late = _("The engine did not answer within {seconds:.0f} seconds.", seconds=timeout_s)
            raise EngineDied(self.outcome.sentence or late)
        return self.outcome.device

    def call(self, request: Request) -> Call:
        """Send a request; its id is set here. Raises `EngineDied` if no engine can be started."""
        while True:
            self.start()
            with self._lock:
                link = self._link
                if link is None or link.calls is None:
                    continue
                id_ = self._next_id
                self._next_id += 1
                asked = _OpenCall(msgspec.structs.replace(request, id=id_), queue.SimpleQueue())
                link.calls[id_] = asked
                self.post(asked.request)
                return Call(self, id_, asked.replies)

    def post(self, message: Message) -> None:
        """Send a message that has no reply of its own. The reader notices when the process is gone."""
        with self._lock:
            if self._link is None or self._link.process.stdin is None:
                return
            try:
                write_frame(cast(BinaryIO, self._link.process.stdin), message)
            except (OSError, ValueError):
                return

    def forget(self, id_: int) -> None:
        """Drop any further replies to this request."""
        with self._lock:
            if self._link is not None and self._link.calls is not None:
                self._link.calls.pop(id_, None)

    def close(self, wait_s: float = _END_S) -> None:
        """End the process: it stops at the end of its input; in the middle of a step it is killed, as it owns no file.

        The client cannot be used afterwards.
        """
        with self._lock:
            self._closed = True
            link = self._link
            if link is not None and link.process.stdin is not None:
                _close_quietly(link.process.stdin)
        if link is not None:
            try:
                link.process.wait(wait_s)
            except subprocess.TimeoutExpired:
                link.process.kill()
            link.finished.wait()
        self._say(Outcome(State.OFF))

    def __enter__(self) -> "EngineClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _refuse_start(self) -> None:
        if self._closed:
            raise EngineDied(_("The engine was closed together with its project."))
        if len(self._deaths) == _CRASHES and self._clock() - self._deaths[0] < _CRASH_WINDOW_S:
            self._deaths.clear()
            raise EngineDied(
                _(
                    "The engine died {times} times within ten minutes and is not started again automatically.",
                    times=_CRASHES,
                ),
                safe=_("Everything painted is safe."),
                todo=_("Run 'segstudio doctor', or read {path}.", path=self._log_path()),
            )

    def _log_path(self) -> Path:
        if self._log is None:
            import platformdirs

            self._log = platformdirs.user_log_path("segstudio", appauthor=False) / "engine.log"
        return self._log

    def _open_log(self) -> BinaryIO:
        path = self._log_path()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            full = path.exists() and path.stat().st_size > _LOG_BYTES
            return path.open("wb" if full else "ab")
        except OSError:  # a home folder that cannot be written: the engine must still run
            return open(os.devnull, "wb")

    def _spawn(self) -> _Link:
        self._say(Outcome(State.STARTING))
        with self._open_log() as log:
            try:
                process = start_engine(log)
            except OSError as error:
                sentence = _("The engine could not be started: {error}.", error=error)
                self._say(Outcome(State.DEAD, sentence=sentence))
                raise EngineDied(self.outcome.sentence) from error
        link = _Link(process)
        hello = Hello(PROTOCOL, str(self.project.resolve()), self._idle_s)
        try:
            write_frame(cast(BinaryIO, process.stdin), hello)
        finally:
            threading.Thread(target=self._read, args=(link,), name="engine-reader", daemon=True).start()
        return link

    def _read(self, link: _Link) -> None:
        """Hand each reply to its call until the process ends. Runs in its own thread."""
        stream = cast(BinaryIO, link.process.stdout)
        try:
            while (frame := read_frame(stream)) is not None:
                self._dispatch(link, decode_reply(frame))
        except (OSError, ValueError, msgspec.DecodeError) as error:
            link.refusal = _("The engine sent something that is not a message ({error}).", error=error)
            link.process.kill()
        self._tell_end(link, link.process.wait())

    def _dispatch(self, link: _Link, reply: Reply) -> None:
        if isinstance(reply, Welcome):
            self._say(Outcome(State.READY, reply.device))
            link.welcomed.set()
        elif isinstance(reply, Bye):
            link.leaving = True
        elif isinstance(reply, LeftOut):
            note_broken(BrokenRow(reply.table, reply.name, reply.package, reply.reason))
            self._say(self.outcome)  # whoever follows the engine's state reports it
        elif reply.id == 0 and isinstance(reply, Failed):
            link.refusal = reply.sentence
        else:
            with self._lock:
                asked = None if link.calls is None else link.calls.get(reply.id)
            if asked is not None:
                asked.replies.put(reply)

    def _tell_end(self, link: _Link, code: int) -> None:
        """Tell every open call of the end; then a new process may be started. An idle one passes its calls on."""
        with self._lock:
            calls, link.calls = link.calls or {}, None
            for stream in (link.process.stdin, link.process.stdout):
                if stream is not None:
                    _close_quietly(stream)
            calm = code == 0 and (link.leaving or not calls) and not link.refusal
            if not calm and not self._closed:
                self._deaths.append(self._clock())
            if calm and calls and not self._closed:
                calls = self._asked_again(calls)
                calm = not calls
        sentence = link.refusal or sentence_of(code)
        if not self._closed and self._link is link:
            self._say(Outcome(State.OFF) if calm else Outcome(State.DEAD, sentence=sentence))
        for asked in calls.values():
            asked.replies.put(EngineDied(sentence, safe=_("Everything painted is safe.")))
        link.welcomed.set()
        link.finished.set()

    def _asked_again(self, calls: dict[int, _OpenCall]) -> dict[int, _OpenCall]:
        """Pass requests to a new process that came as the idle one ended; returns those that failed. With the lock."""
        try:
            self._link = self._spawn()
        except EngineDied:
            return calls
        assert self._link.calls is not None
        self._link.calls.update(calls)
        for asked in calls.values():
            self.post(asked.request)
        return {}

    def _say(self, outcome: Outcome) -> None:
        self.outcome = outcome
        if self.on_state is not None:
            self.on_state(outcome.state, outcome.device, outcome.sentence)


def _close_quietly(stream: object) -> None:
    """Close a pipe whose other end may be gone: data that cannot be flushed is of no use any more."""
    try:
        cast(BinaryIO, stream).close()
    except OSError:
        return
