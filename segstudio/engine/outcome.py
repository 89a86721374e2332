"""How the engine process is: plain values."""

from enum import StrEnum
from typing import NamedTuple

from segstudio.text import _

__all__ = ["Outcome", "State", "sentence_of"]


class State(StrEnum):
    """What the engine process is doing; off: not started yet, ended when idle, or closed."""

    OFF = "off"
    STARTING = "starting"
    READY = "ready"
    DEAD = "dead"


class Outcome(NamedTuple):
    """State of the engine, its device's name when ready, one sentence when dead."""

    state: State
    device: str = ""
    sentence: str = ""


def sentence_of(code: int) -> str:
    """How a process ended, by its exit code: negative for a signal."""
    if code < 0:
        return _("The engine process was ended by signal {number}.", number=-code)
    return _("The engine process ended unexpectedly with code {code}.", code=code)
