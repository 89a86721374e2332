"""The owner of what past runs left behind: their rows, plans and results, their curves, and files made of these.

Everything is read and written on a worker; the window gets frozen values.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal

from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.app.learning.curves import RunCurves, curves_of
from segstudio.app.learning.run_csv import curves_csv
from segstudio.app.values import JobKind
from segstudio.durable import write_durably
from segstudio.errors import DiskRefused
from segstudio.runs import Event, Plan, TrainResult
from segstudio.store.project import Project
from segstudio.store.values import RunRow
from segstudio.text import _

__all__ = ["RunHistory", "RunItem", "events_of", "result_of"]


@dataclass(frozen=True, slots=True)
class RunItem:
    """A run as it ended, or is: `state` as in `store.values.RunRow`, `why` it made no version, and its plan.

    `started` is UTC in ISO 8601; `result` and `plan` are None where the run left none, or they cannot be read.
    """

    name: str
    started: str
    state: str
    version: str
    parent: str
    seed: int
    steps: int
    seconds: float
    result: TrainResult | None
    why: str
    plan: Plan | None

    @property
    def before(self) -> float | None:
        """Mean IoU of the parent on what was held out."""
        return self._mean("parent")

    @property
    def now(self) -> float | None:
        """Mean IoU of the version on what was held out."""
        return self._mean("child")

    def _mean(self, side: str) -> float | None:
        figures = self.result.held_out.get(side) if self.result is not None else None
        return None if figures is None else figures.mean_iou


class RunHistory(QObject):
    """`items`, the newest first, are there after `changed`; `read` carries the curves that were asked for, by name of
    the run; `saved` the path of a file that was written.
    """

    changed = Signal()
    read = Signal(dict)
    saved = Signal(str)

    def __init__(self, ground: Ground, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project, self._notices = ground.project, ground.notices
        self._worker = Worker("run history", ground.main)
        self._plans: dict[str, Plan] = {}
        self.items: tuple[RunItem, ...] = ()

    def refresh(self) -> None:
        """Read the runs; `changed` follows."""
        project, plans = self._project, self._plans
        self._worker.submit(lambda: _items(project, plans), self._read_items)

    def ask(self, names: Iterable[str]) -> None:
        """Read the curves of these runs; `read` follows."""
        folder, wanted = self._project.path / "runs", tuple(names)
        self._worker.submit(lambda: {name: curves_of(events_of(folder / name)) for name in wanted}, self._read_curves)

    def save_curves(self, name: str, file: Path) -> None:
        """Write every step and measurement of a run as CSV; without a name those of the newest."""
        project = self._project

        def data() -> bytes:
            newest = name or next((row.name for row in reversed(project.runs())), "")
            return curves_csv(events_of(project.path / "runs" / newest)).encode()

        self._save(file, data)

    def save(self, file: Path, data: bytes) -> None:
        """Write a file that the window made."""
        self._save(file, lambda: data)

    def close(self, wait_s: float | None = None) -> None:
        """End the worker."""
        self._worker.close(wait_s)

    def _save(self, file: Path, data: Callable[[], bytes]) -> None:
        def write() -> str:
            try:
                write_durably(file, data())
            except OSError as error:
                raise DiskRefused(
                    _("'{name}' could not be written: {why}.", name=file.name, why=error.strerror or error)
                ) from error
            return str(file)

        self._worker.submit(write, self._saved)

    def _saved(self, future: "Future[str]") -> None:
        if not self._refused(future, JobKind.EXPORT):
            self._notices.say(_("Saved: {path}", path=future.result()))
            self.saved.emit(future.result())

    def _read_items(self, future: "Future[tuple[RunItem, ...]]") -> None:
        if not self._refused(future):
            self.items = future.result()
            self.changed.emit()

    def _read_curves(self, future: "Future[dict[str, RunCurves]]") -> None:
        if not self._refused(future):
            self.read.emit(future.result())

    def _refused(self, future: "Future[Any]", kind: JobKind = JobKind.VERSIONS) -> bool:
        error = refusal(future)
        if error is not None:
            self._notices.fail(kind, error)
        return error is not None


def events_of(folder: Path) -> list[Event]:
    """The events of a run from its folder, none where there are none. A last line cut short by a crash, or a strange
    one, is left out. Raises `DiskRefused` where they cannot be read.
    """
    out: list[Event] = []
    try:
        lines = (folder / "events.jsonl").read_bytes().splitlines()
    except FileNotFoundError:
        return out
    except OSError as error:
        why = _("The curves of the last run could not be read: {why}.", why=error.strerror or error)
        raise DiskRefused(why) from error
    for line in lines:
        try:
            out.append(msgspec.json.decode(line, type=Event))
        except msgspec.MsgspecError:
            continue
    return out


def _items(project: Project, plans: dict[str, Plan]) -> tuple[RunItem, ...]:
    return tuple(_item(project, row, plans) for row in reversed(project.runs()))


def _item(project: Project, row: RunRow, plans: dict[str, Plan]) -> RunItem:
    """A run's row and plan; the plan of a run that has ended does not change, and is read once."""
    plan = plans.get(row.name) or _plan(project.path / "runs" / row.name / "plan.json")
    if plan is not None and row.state not in ("running", "interrupted"):
        plans[row.name] = plan
    return RunItem(
        name=row.name,
        started=row.started,
        state=row.state,
        version=row.version,
        parent=row.parent,
        seed=row.seed,
        steps=row.steps,
        seconds=row.seconds,
        result=result_of(row),
        why=str(row.summary.get("why", "")),
        plan=plan,
    )


def result_of(row: RunRow) -> TrainResult | None:
    """The result in a run's row; None for a run without one, and where a later version of SegStudio wrote it."""
    try:
        return msgspec.convert(dict(row.summary), TrainResult) if "version" in row.summary else None
    except msgspec.ValidationError:
        return None


def _plan(file: Path) -> Plan | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Plan)
    except (OSError, msgspec.MsgspecError):
        return None
