"""A run that has ended, resumed: a new run from the version that it made, with what is left of its time."""

from dataclasses import dataclass
from pathlib import Path

from segstudio.errors import UserError
from segstudio.labels.model import ClassId, Kind
from segstudio.runs import Choices, Plan
from segstudio.store.project import Project
from segstudio.store.values import RunRow
from segstudio.tasks.learning.interrupted import traces_of
from segstudio.text import _

__all__ = ["Ended", "ended_run"]

_LEAST_S = 15.0
_LEAST_STEPS = 20
"""With less left than this, a resumed run is as long as a usual one."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that can be resumed: its name, the version it made, its plan, and the choices of the run that resumes it.

    The seed of that one is another, so that it draws other patches.
    """

    run: str
    version: str
    plan: Plan
    choices: Choices

    @property
    def sentence(self) -> str:
        """What is resumed, for people."""
        return _("Run {run} is resumed from its version {version}.", run=self.run, version=self.version)


def ended_run(project: Project, name: str = "") -> Ended:
    """The run of this name, or the newest that made a version, as it can be resumed.

    Raises `UserError` where it cannot: there is none, it made no version, its plan or its weights are gone, or fewer
    than two of its classes are left.
    """
    rows = project.runs()
    row = next((row for row in reversed(rows) if (row.name == name if name else row.version)), None)
    if row is None and rows and not name:
        raise _refused(_("No run has made a version yet, so there is nothing to resume."))
    if row is None:
        raise UserError(_("No run has been made in this project yet."))
    if not row.version:
        raise _refused(_("Run {run} made no version, so it cannot be resumed.", run=row.name))
    plan = traces_of(project.path / "runs" / row.name).plan
    if plan is None:
        raise _refused(_("The plan of run {run} cannot be read, so it cannot be resumed.", run=row.name))
    if not _weights(project, row.version).is_file():
        raise _refused(
            _(
                "The weights of {version} are no longer there, so run {run} cannot be resumed.",
                version=row.version,
                run=row.name,
            )
        )
    if len(_classes_left(project, plan)) < 2:
        raise _refused(
            _(
                "Of the classes that {version} has learned fewer than two are left, so run {run} cannot be resumed.",
                version=row.version,
                run=row.name,
            )
        )
    seconds, steps = _left(plan, row)
    choices = Choices(base=row.version, max_seconds=seconds, max_steps=steps, seed=plan.seed + 1, network=plan.network)
    return Ended(row.name, row.version, plan, choices)


def _weights(project: Project, version: str) -> Path:
    return project.path / "models" / f"{version}.safetensors"


def _classes_left(project: Project, plan: Plan) -> set[int]:
    """What the classes of a plan count as today."""
    table = project.classes()
    found = [table.effective(ClassId(known.id)) for known in plan.classes]
    return {int(each.id) for each in found if each is not None and each.kind is not Kind.IGNORE}


def _left(plan: Plan, row: RunRow) -> tuple[float | None, int | None]:
    """The seconds and steps that a run had left when it ended; None and None, as for a usual run, where that is too
    little to learn anything.
    """
    seconds = None if plan.max_seconds is None else plan.max_seconds - row.seconds
    steps = None if plan.max_steps is None else plan.max_steps - row.steps
    too_little = (seconds is not None and seconds < _LEAST_S) or (steps is not None and steps < _LEAST_STEPS)
    return (None, None) if too_little else (seconds, steps)


def _refused(sentence: str) -> UserError:
    return UserError(sentence, todo=_("Choose a run that made a version in the history, or begin a new run."))
