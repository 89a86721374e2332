"""An interrupted run: what is kept while it learns, and where it resumes."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from segstudio.runs import Checkpointed, Choices, Event, Plan
from segstudio.store.learning import LEARNING
from segstudio.store.project import Project

__all__ = ["CHECKPOINT", "Interrupted", "Traces", "interrupted_run", "traces_of"]

CHECKPOINT = "checkpoint.safetensors"


class Interrupted(msgspec.Struct, frozen=True, kw_only=True):
    """What the project keeps of a run while it learns.

    `resumed_from` is the step from which it was last resumed, -1 for never; a window that is closed takes it back.
    `picks_up`: it is a round of learning that goes on.
    """

    run: str
    choices: Choices
    resumed_from: int = -1
    picks_up: bool = False


@dataclass(frozen=True, slots=True)
class Traces:
    """What a run has left in its folder: the step of its last checkpoint (0: none), how far it was, and its plan."""

    checkpoint_step: int
    step: int
    seconds: float
    plan: Plan | None


def interrupted_run(project: Project) -> Interrupted | None:
    """The run to be resumed; None where there is none. Only for the process that holds the project."""
    found = project.setting(LEARNING)
    try:
        return None if found is None else msgspec.convert(found, Interrupted)
    except msgspec.ValidationError:  # of a later version
        return None


def traces_of(folder: Path) -> Traces:
    """Read a run's folder; a line cut short by a crash is left out."""
    checkpoint_step, step, seconds = 0, 0, 0.0
    events = folder / "events.jsonl"
    for line in events.read_bytes().splitlines() if events.is_file() else ():
        try:
            event = msgspec.json.decode(line, type=Event)
        except msgspec.MsgspecError:
            continue
        step, seconds = event.step, max(seconds, event.seconds)
        if isinstance(event, Checkpointed):
            checkpoint_step = event.step
    there = (folder / CHECKPOINT).is_file()
    return Traces(checkpoint_step if there else 0, step, seconds, _plan(folder / "plan.json"))


def _plan(file: Path) -> Plan | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Plan)
    except (OSError, msgspec.MsgspecError):
        return None
