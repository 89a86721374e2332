"""Engines for the tests, forked from one process that has loaded torch: a start of its own costs an engine some four
seconds of a processor, and the tests start dozens.

A forked engine is a process like any other, with its number, its pipes and its log; it can be killed. Tests whose point
is the start itself take the fixture `own_start`. Run as a program this is the nursery.
"""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from select import select
from typing import BinaryIO, NoReturn

from segstudio.engine import launch
from segstudio.engine.launch import start_engine

__all__ = ["CAN_FORK", "EngineNursery"]

CAN_FORK = sys.platform.startswith("linux") and hasattr(os, "pidfd_open") and hasattr(socket, "send_fds")
_COMMAND = launch.engine_command()
_PYTHON = [sys.executable, "-c"]
_CODE = "import sys; from segstudio.engine import server; sys.exit(server.main([]))"
_MESSAGE_BYTES = 1 << 18


class ForkedEngine:
    """What the client needs of a `subprocess.Popen`. `told` is a pipe that says once how it ended, and then ends."""

    def __init__(self, pid: int, stdin: BinaryIO, stdout: BinaryIO, told: int) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self.returncode: int | None = None
        self._told = told
        self._reading = threading.Lock()

    def __del__(self) -> None:
        os.close(self._told)

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it lives."""
        return self._after(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended."""
        code = self._after(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("engine", timeout or 0.0)
        return code

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ended a moment ago, and nobody has said so yet
                os.kill(self.pid, signal.SIGKILL)

    def _after(self, timeout: float | None) -> int | None:
        """Any number of threads may wait: the first reads the code, the others wake at the end of the pipe."""
        if self.returncode is None and select([self._told], [], [], timeout)[0]:
            with self._reading:
                if self.returncode is None:
                    said = os.read(self._told, 16)
                    self.returncode = int(said) if said else -signal.SIGKILL  # the nursery itself is gone
        return self.returncode


class EngineNursery:
    """Its process begins with the first engine and ends with `close`."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._starting = threading.Lock()
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, log: BinaryIO) -> "ForkedEngine | subprocess.Popen[bytes]":
        """In the place of `launch.start_engine`: the program's command or Python code of a test's own is run in a fork,
        any other command is started.
        """
        command = launch.engine_command()
        if command == _COMMAND:
            command = [*_PYTHON, _CODE]
        if command[:2] != _PYTHON:
            return start_engine(log)
        with self._starting:
            return self._forked(command[2], log)

    def _forked(self, code: str, log: BinaryIO) -> ForkedEngine:
        if self._line is None:
            self._line = self._open()
        (its_input, stdin), (stdout, its_output), (told, tells) = os.pipe(), os.pipe(), os.pipe()
        given = [its_input, its_output, log.fileno(), tells]
        socket.send_fds(self._line, [json.dumps([code, launch.engine_environment()]).encode()], given)
        pid = int(self._line.recv(16))
        for descriptor in (its_input, its_output, tells):
            os.close(descriptor)
        return ForkedEngine(pid, os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"), told)

    def close(self) -> None:
        """End the nursery; engines end with their input."""
        if self._line is not None and self._process is not None:
            self._line.close()
            self._process.wait(30)

    def _open(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, open(self._log, "wb") as log:
            command = [sys.executable, __file__, str(theirs.fileno())]
            environment = launch.engine_environment()
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, pass_fds=[theirs.fileno()]
            )
        return ours


def _serve(line: socket.socket) -> None:
    """Fork an engine for each message; tell its number, and its exit code when it has ended."""
    import segmentation_models_pytorch  # noqa: F401  (it builds the default network)
    import torch._dynamo  # noqa: F401  (every optimiser asks for it)

    from segstudio.engine import server  # noqa: F401
    from segstudio.imaging import source  # noqa: F401

    living: dict[int, tuple[int, int]] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not line:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    pid, tells = living.pop(key.fd)
                    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    with suppress(BrokenPipeError):  # nobody may want to know any more
                        os.write(tells, str(code).encode())
                    os.close(tells)
                    continue
                asked, given, *_ = socket.recv_fds(line, _MESSAGE_BYTES, 4)
                if not asked:
                    return
                if (pid := os.fork()) == 0:
                    _be_an_engine(*json.loads(asked), given)
                *streams, tells = given
                line.send(str(pid).encode())
                for descriptor in streams:
                    os.close(descriptor)
                watch = os.pidfd_open(pid)
                living[watch] = pid, tells
                selector.register(watch, selectors.EVENT_READ)


def _be_an_engine(code: str, environment: dict[str, str], given: list[int]) -> NoReturn:
    """Run the code as an interpreter of its own would, and end with its exit code."""
    ended: object = 0
    try:
        for descriptor, place in zip(given, (0, 1, 2), strict=False):
            os.dup2(descriptor, place)
        os.closerange(3, 1 << 16)
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:0] = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path not in sys.path]
        exec(code, {"__name__": "__main__"})
    except SystemExit as end:
        ended = end.code
    except Exception:  # noqa: BLE001  (into the log, as an interpreter would say it)
        traceback.print_exc()
        ended = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended if isinstance(ended, int) else 1)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
