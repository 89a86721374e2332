"""The engine process, `python -m segstudio.engine.server`: one owner of the device that checks its inbox between steps.

Standard output belongs to the protocol: it is duplicated first and then pointed at standard error, so that anything a
library prints goes to the log. The process ends at the end of its input, or when it has been idle for long enough.
"""

import os
import queue
import signal
import sys
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec
import torch

from segstudio.engine.agenda import Agenda, Priority
from segstudio.engine.describing import describe_job
from segstudio.engine.doctor import report
from segstudio.engine.doubting import doubt_job
from segstudio.engine.frames import read_frame, write_frame
from segstudio.engine.launch import LANGUAGE_VARIABLE
from segstudio.engine.mistakes import mistakes_job
from segstudio.engine.predicting import Looking, Step, predict_job
from segstudio.engine.project_data import ProjectData
from segstudio.engine.protocol import (
    PROTOCOL,
    Bye,
    Cancel,
    Describe,
    Doubt,
    Failed,
    FindMistakes,
    Hello,
    LeftOut,
    Look,
    Message,
    Predict,
    Reply,
    Stop,
    Target,
    Train,
    Welcome,
    decode_message,
)
from segstudio.engine.sources import Sources
from segstudio.engine.training import Stopping, train_job
from segstudio.engine.workshop import Workshop
from segstudio.errors import UserError
from segstudio.learn.device import device_lost, device_name, is_device_lost, resolve
from segstudio.registry import unsaid
from segstudio.store.project import Project
from segstudio.text import _, set_language

__all__ = ["Server", "main"]

_GRACE_S = 10.0


@dataclass(slots=True)
class _Job:
    steps: Generator[Step, None, None]
    stopping: Stopping = field(default_factory=Stopping)
    looking: Looking = field(default_factory=Looking)


class Server:
    """Reads requests, runs their generators by priority, writes replies. Everything except reading is on one thread."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source = source
        self._sink = sink
        self._inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._agenda = Agenda()
        self._jobs: dict[int, _Job] = {}
        self._ended = False

    def run(self) -> int:
        """Serve until the input ends or no request came in the idle time; returns the exit code."""
        first = read_frame(self._source)
        if first is None:
            return 0
        hello = decode_message(first)
        if not isinstance(hello, Hello) or hello.protocol != PROTOCOL:
            sentence = _("The engine and the program have different versions.")
            self._send(Failed(id=0, error="EngineDied", sentence=sentence))
            return 2
        try:
            project = Project.open(Path(hello.project), write=False)
        except UserError as error:
            self._send(_failed(0, error))
            return 2
        with project:
            sources = Sources()
            shop = Workshop(lambda: ProjectData(project, sources))
            torch.set_num_threads(shop.threads)
            device = device_name(resolve("auto"))
            self._send(Welcome(PROTOCOL, os.getpid(), device, str(torch.__version__), shop.threads))
            threading.Thread(target=self._listen, name="inbox", daemon=True).start()
            self._serve(shop, hello.idle_s)
            sources.close()
        return 0

    def _serve(self, shop: Workshop, idle_s: float) -> None:
        """Take in all messages, then let one job make one step. Waits only if there is no job."""
        while not self._ended:
            try:
                message = self._inbox.get_nowait() if self._jobs else self._inbox.get(timeout=idle_s)
            except queue.Empty:
                if not self._jobs:
                    self._send(Bye())  # so that a request sent at this moment is passed on instead of failing
                    return
                self._step()
                continue
            if message is None:
                return
            self._take(shop, message)

    def _listen(self) -> None:
        """Put every message into the inbox. Runs in its own thread; at the end of the input the process ends, even if a
        step hangs: then after a grace period.
        """
        try:
            while (frame := read_frame(self._source)) is not None:
                self._inbox.put(decode_message(frame))
        except (OSError, ValueError, msgspec.DecodeError) as error:
            print(f"The client sent something that is not a message: {error}", file=sys.stderr)  # noqa: T201  (the log)
        self._inbox.put(None)
        timer = threading.Timer(_GRACE_S, os._exit, (0,))
        timer.daemon = True
        timer.start()

    def _take(self, shop: Workshop, message: Message) -> None:
        if isinstance(message, Predict):
            looking = Looking(next((target for target in message.targets if target.visible is not None), None))
            job = _Job(predict_job(shop, message, looking), looking=looking)
            self._add(message.id, job, Priority.REST if looking.at is None else Priority.VISIBLE)
        elif isinstance(message, Describe):
            self._add(message.id, _Job(describe_job(shop, message)), Priority.IDLE)
        elif isinstance(message, Doubt):
            self._add(message.id, _Job(doubt_job(shop, message)), Priority.VISIBLE)
        elif isinstance(message, FindMistakes):
            self._add(message.id, _Job(mistakes_job(shop, message)), Priority.IDLE)
        elif isinstance(message, Train):
            stopping = Stopping()
            self._add(message.id, _Job(train_job(shop, message, stopping), stopping), Priority.TRAIN)
        elif isinstance(message, Stop) and message.id in self._jobs:
            self._jobs[message.id].stopping.asked = True
        elif isinstance(message, Look) and message.id in self._jobs:
            self._look(message)
        elif isinstance(message, Cancel) and message.id in self._jobs:
            self._jobs[message.id].steps.close()
            self._drop(message.id)

    def _look(self, message: Look) -> None:
        """A change on screen jumps the queue: the request gets a turn at once and sees what is missing."""
        self._jobs[message.id].looking.turn(Target(message.image, message.plane, message.visible))
        self._agenda.move(message.id, Priority.VISIBLE)

    def _add(self, id_: int, job: _Job, priority: Priority) -> None:
        self._jobs[id_] = job
        self._agenda.add(id_, priority)

    def _drop(self, id_: int) -> None:
        del self._jobs[id_]
        self._agenda.close(id_)

    def _step(self) -> None:
        """Let the next job make one step. A `UserError` is sent to the client; a bug ends the process."""
        id_ = self._agenda.take()
        assert id_ is not None
        try:
            made = next(self._jobs[id_].steps)
        except StopIteration:
            self._drop(id_)
        except UserError as error:
            self._drop(id_)
            self._send(_failed(id_, error))
        except RuntimeError as error:
            if is_device_lost(error):  # only a new process can go on; the sentence says why this one ends
                self._send(_failed(0, device_lost(error)))
            raise
        else:
            if isinstance(made, Priority):
                self._agenda.move(id_, made)
            elif made is not None:
                self._send(made)
        for row in unsaid():
            self._send(LeftOut(row.table, row.name, row.package, row.reason))

    def _send(self, reply: Reply) -> None:
        try:
            write_frame(self._sink, reply)
        except (OSError, ValueError):
            self._ended = True


def main(arguments: list[str]) -> int:
    """Run the engine, or with `--doctor` print its findings as one JSON object."""
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if "--doctor" in arguments:
        sink.write(msgspec.json.encode(report()) + b"\n")
        sink.flush()
        return 0
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is for the program that started it
    _be_nice()
    set_language(os.environ.get(LANGUAGE_VARIABLE, "en"))
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Without a buffer, because a thread waiting inside one would keep the process from ending.
    return Server(open(0, "rb", buffering=0, closefd=False), sink).run()


def _failed(id_: int, error: UserError) -> Failed:
    return Failed(id=id_, error=type(error).__name__, sentence=error.sentence, safe=error.safe, todo=error.todo)


def _be_nice() -> None:
    """Lower our priority: painting goes before learning."""
    if hasattr(os, "nice"):
        os.nice(10)
        return
    import ctypes

    below_normal = 0x4000
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    kernel.SetPriorityClass(kernel.GetCurrentProcess(), below_normal)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
