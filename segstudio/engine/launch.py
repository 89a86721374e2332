"""How the engine process is started: its command, its environment, its pipes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

from segstudio.text import language

__all__ = ["LANGUAGE_VARIABLE", "engine_command", "engine_environment", "start_engine"]

LANGUAGE_VARIABLE = "SEGSTUDIO_LANGUAGE"
"""Environment variable with the language of the program that starts the engine: it makes sentences of its own."""

_KEPT_BYTES = 1 << 30


def start_engine(log: BinaryIO) -> "subprocess.Popen[bytes]":
    """A new engine process with pipes for its input and output; what it says goes to `log`. Raises OSError."""
    return subprocess.Popen(
        engine_command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=engine_environment(),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def engine_command() -> list[str]:
    """The command that runs the engine: this Python, or the frozen program itself."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "--engine"]
    return [sys.executable, "-m", "segstudio.engine.server"]


def engine_environment() -> dict[str, str]:
    """The engine's environment. OpenMP's threads must not spin while waiting: with one core busy elsewhere, a training
    step took five times as long. The variable is read when torch is loaded, so it is set beforehand.

    glibc (Linux) takes large blocks from the system and gives them back at once, so a network gets each of its maps as
    fresh pages: a third of the processor time of a prediction. It is told to keep up to a gigabyte for the next one.
    Others do not read these variables; what a person set stays.
    """
    package = str(Path(__file__).resolve().parents[2])
    path = os.environ.get("PYTHONPATH")
    return {
        "MALLOC_MMAP_THRESHOLD_": str(_KEPT_BYTES),
        "MALLOC_TRIM_THRESHOLD_": str(_KEPT_BYTES),
        **os.environ,
        "OMP_WAIT_POLICY": "PASSIVE",
        "KMP_BLOCKTIME": "0",
        LANGUAGE_VARIABLE: language(),
        "PYTHONPATH": package if not path else os.pathsep.join((package, path)),
    }
