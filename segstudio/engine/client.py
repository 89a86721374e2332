"""The client of the engine: starts the process, talks to it from any thread, and says in one sentence how it ended.

No torch here. A process that died is started anew at the next call; three deaths in ten minutes are one too many. One
that ended because it was idle did not die: what was asked of it as it went is asked of the next.
"""

import os
import queue
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from segstudio import errors
from segstudio.engine.launch import engine_command, engine_environment
from segstudio.engine.protocol import (
    PROTOCOL,
    Bye,
    Cancel,
    Done,
    Failed,
    Hello,
    Look,
    Message,
    Reply,
    Request,
    Stop,
    Welcome,
    decode_reply,
    read_frame,
    write_frame,
)
from segstudio.errors import EngineDied, UserError
from segstudio.text import _

__all__ = ["Call", "EngineClient", "Outcome", "State", "engine_command", "engine_environment"]

IDLE_S = 300.0
_CRASHES, _CRASH_WINDOW_S = 3, 600.0
_START_S = 120.0
_END_S = 1.0
_LOG_BYTES = 4 << 20


class State(StrEnum):
    """What the engine process is doing; off: not started yet, ended when idle, or closed."""

    OFF = "off"
    STARTING = "starting"
    READY = "ready"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Outcome:
    """State of the engine, its device's name when ready, one sentence when dead."""

    state: State
    device: str = ""
    sentence: str = ""


class Call:
    """The replies to one request, as an iterator; it ends after the last one and raises what the engine failed with.

    `close` tells the engine that nobody waits any more; replies that come later are dropped.
    """

    def __init__(self, client: "EngineClient", id_: int, replies: "queue.SimpleQueue[Reply | UserError]") -> None:
        self.id = id_
        self._client = client
        self._replies = replies
        self._open = True

    def __iter__(self) -> Iterator[Reply]:
        return self

    def __next__(self) -> Reply:
        while True:
            found = self.wait(None)
            if found is not None:
                return found
            if not self._open:
                raise StopIteration

    def wait(self, timeout_s: float | None) -> Reply | None:
        """The next reply; None when the time is over or the call has ended (`ended`). Raises `UserError` on failure."""
        if not self._open:
            return None
        try:
            found = self._replies.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(found, UserError):
            self._end()
            raise found
        if isinstance(found, Failed):
            self._end()
            raise _error_of(found)
        if isinstance(found, Done):
            self._end()
            return None
        return found

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return not self._open

    def stop(self) -> None:
        """Ask a run to end after the step it is at and to keep what it has learned."""
        if self._open:
            self._client.post(Stop(self.id))

    def look(self, image: int, plane: int, visible: tuple[int, int, int, int]) -> None:
        """Tell a prediction what is on the screen now: that part (x, y, w, h) of this plane comes next."""
        if self._open:
            self._client.post(Look(self.id, image, plane, visible))

    def close(self) -> None:
        """Drop the call; without effect on one that has ended."""
        if self._open:
            self._end()
            self._client.post(Cancel(self.id))

    def _end(self) -> None:
        self._open = False
        self._client.forget(self.id)

    def __enter__(self) -> "Call":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Asked:
    """An open call: what was asked, and where its replies go."""

    request: Request
    replies: "queue.SimpleQueue[Reply | UserError]"


class _Link:
    """One process and the open calls that it answers; `calls` is None once its end has been told to all of them.

    `leaving`: it said that it ends because nothing was asked, so it has not begun with what it was asked since.
    """

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.calls: dict[int, _Asked] | None = {}
        self.welcomed = threading.Event()
        self.finished = threading.Event()
        self.refusal = ""
        self.leaving = False


class EngineClient:
    """One engine process for one project.

    `on_state` is told (kind, device, sentence): kind 'off', 'starting', 'ready' with the device's name, or 'dead' with
    one sentence. It is called on whichever thread the news arrives, and must not call the client back.
    """

    def __init__(
        self,
        project: Path,
        *,
        log: Path | None = None,
        on_state: Callable[[str, str, str], None] | None = None,
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
        """Number of the running process; None where none runs."""
        link = self._link
        return None if link is None or link.process.poll() is not None else link.process.pid

    @property
    def closed(self) -> bool:
        """Whether `close` was called: nothing can be asked any more."""
        return self._closed

    def start(self) -> None:
        """Start the process where none runs, without waiting for it. Raises `EngineDied` where it cannot be."""
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
            raise EngineDied(self.outcome.sentence or f"The engine did not answer within {timeout_s:.0f} seconds.")
        return self.outcome.device

    def call(self, request: Request) -> Call:
        """Send a request; its id is set here. Raises `EngineDied` where no engine can be started."""
        while True:
            self.start()
            with self._lock:
                link = self._link
                if link is None or link.calls is None:
                    continue
                id_ = self._next_id
                self._next_id += 1
                asked = _Asked(msgspec.structs.replace(request, id=id_), queue.SimpleQueue())
                link.calls[id_] = asked
                self.post(asked.request)
                return Call(self, id_, asked.replies)

    def post(self, message: Message) -> None:
        """Send a message that has no reply of its own. A process that is gone is noticed by the reader."""
        with self._lock:
            if self._link is None or self._link.process.stdin is None:
                return
            try:
                write_frame(cast(BinaryIO, self._link.process.stdin), message)
            except (OSError, ValueError):
                return

    def forget(self, id_: int) -> None:
        """Drop whatever comes for this request from now on."""
        with self._lock:
            if self._link is not None and self._link.calls is not None:
                self._link.calls.pop(id_, None)

    def close(self, wait_s: float = _END_S) -> None:
        """End the process: at the end of its input it stops; one in the midst of a step is killed, it owns no file.

        The client is of no use after.
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
                    "The engine died {crashes} times within ten minutes and is not started again by itself.",
                    crashes=_CRASHES,
                ),
                safe=_("Everything painted is safe."),
                todo=_("Run 'segstudio doctor', or read {log_path}.", log_path=self._log_path()),
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
        except OSError:  # a home folder that cannot be written: the engine must run all the same
            return open(os.devnull, "wb")

    def _spawn(self) -> _Link:
        self._say(Outcome(State.STARTING))
        with self._open_log() as log:
            try:
                process = subprocess.Popen(
                    engine_command(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=engine_environment(),
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
            except OSError as error:
                self._say(Outcome(State.DEAD, sentence=f"The engine could not be started: {error}."))
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
            link.refusal = f"The engine sent what is no message ({error})."
            link.process.kill()
        self._tell_end(link, link.process.wait())

    def _dispatch(self, link: _Link, reply: Reply) -> None:
        if isinstance(reply, Welcome):
            self._say(Outcome(State.READY, reply.device))
            link.welcomed.set()
        elif isinstance(reply, Bye):
            link.leaving = True
        elif reply.id == 0 and isinstance(reply, Failed):
            link.refusal = reply.sentence
        else:
            with self._lock:
                asked = None if link.calls is None else link.calls.get(reply.id)
            if asked is not None:
                asked.replies.put(reply)

    def _tell_end(self, link: _Link, code: int) -> None:
        """Every open call learns of the end; then a new process may be started. One that was idle hands them on."""
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
        sentence = link.refusal or _sentence_of(code)
        if not self._closed and self._link is link:
            self._say(Outcome(State.OFF) if calm else Outcome(State.DEAD, sentence=sentence))
        for asked in calls.values():
            asked.replies.put(EngineDied(sentence, safe=_("Everything painted is safe.")))
        link.welcomed.set()
        link.finished.set()

    def _asked_again(self, calls: dict[int, _Asked]) -> dict[int, _Asked]:
        """Ask a new process what the idle one was asked as it went; returns what none can be asked. With the lock."""
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
            self.on_state(outcome.state.value, outcome.device, outcome.sentence)


def _sentence_of(code: int) -> str:
    if code < 0:
        return f"The engine process was ended by signal {-code}."
    return f"The engine process ended unexpectedly with code {code}."


def _error_of(failed: Failed) -> UserError:
    """The error that a failed request stands for; a bug of the engine is an `EngineDied` that names it."""
    kind = getattr(errors, failed.error, None) if failed.error else None
    if isinstance(kind, type) and issubclass(kind, UserError):
        return kind(failed.sentence, safe=failed.safe, todo=failed.todo)
    return EngineDied(failed.sentence, safe=failed.safe, todo=failed.todo)


def _close_quietly(stream: object) -> None:
    """Close a pipe whose other end may be gone: what cannot be flushed into it is of no use to anybody."""
    try:
        cast(BinaryIO, stream).close()
    except OSError:
        return
