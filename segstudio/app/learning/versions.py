"""The owner of versions: those of the project, the current one, and the curves of the last run."""

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from PySide6.QtCore import QObject, Signal

from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.app.learning.run_history import events_of, result_of
from segstudio.app.values import JobKind, LastRun, VersionItem
from segstudio.errors import UserError
from segstudio.runs import EMBEDDED, INSTANT
from segstudio.store.learning import make_current, weights_not_kept
from segstudio.store.project import Project
from segstudio.store.values import VersionRow
from segstudio.text import _

__all__ = ["Versions", "versions_of"]


class Versions(QObject):
    """`changed`: `items` changed; `currentChanged`: another version proposes.

    `runRead` carries a `LastRun`.
    """

    changed = Signal()
    currentChanged = Signal()
    runRead = Signal(object)

    def __init__(self, ground: Ground, parent: QObject | None = None, listed: tuple[VersionItem, ...] = ()) -> None:
        """`listed` are the items where they were read before."""
        super().__init__(parent)
        self._project, self._main, self._notices = ground.project, ground.main, ground.notices
        self._worker = Worker("runs", ground.main)
        self._listed = listed
        self._learner = listed[-1].name if listed else learner_now(ground.project)

    def items(self) -> tuple[VersionItem, ...]:
        """All that may propose, newest first; last the one that needs no version: the instant learner, or the guess."""
        return self._listed or versions_of(self._project)

    def read_again(self) -> None:
        """There may be another version, or another one may be current: values read before are out of date."""
        self._listed = ()
        self.changed.emit()

    def use(self, name: str) -> None:
        """Let a version, or the instant learner, propose from now on; `currentChanged` follows when it is on disk, or a
        notice where it has gone since it was read.

        Raises `UserError` for a name that the project does not have, or whose weights were not kept, `ReadOnly` where
        it may not be written.
        """
        item = next((item for item in self.items() if item.name == name), None)
        if item is None:
            raise UserError(_("The project has no version '{name}'.", name=name))
        if not item.has_weights:
            raise weights_not_kept(name)
        make_current(self._project, name).add_done_callback(lambda future: self._main.post(lambda: self._used(future)))

    def follow_learner(self) -> None:
        """Look whether something else proposes where no version does: two classes have known pixels, or no longer."""
        project = self._project
        self._worker.submit(lambda: learner_now(project), self._looked)

    def _looked(self, future: "Future[str]") -> None:
        if self._refused(future):
            return
        before, self._learner = self._learner, future.result()
        if self._learner != before:
            self.read_again()

    def read_last_run(self) -> None:
        """Read the newest run's events from its folder; `runRead` follows where there is one."""
        project = self._project
        self._worker.submit(lambda: _last_run(project), self._read)

    def close(self, wait_s: float | None = None) -> None:
        """End the worker."""
        self._worker.close(wait_s)

    def _used(self, future: "Future[None]") -> None:
        refused = self._refused(future)
        self.read_again()
        if not refused:
            self.currentChanged.emit()

    def _read(self, future: "Future[LastRun | None]") -> None:
        if not self._refused(future) and (found := future.result()) is not None:
            self.runRead.emit(found)

    def _refused(self, future: "Future[Any]") -> bool:
        """Whether the disk refused; says so."""
        error = refusal(future)
        if error is not None:
            self._notices.fail(JobKind.VERSIONS, error)
        return error is not None


def versions_of(project: Project) -> tuple[VersionItem, ...]:
    """All that may propose, newest first; last the one that needs no version; for any thread."""
    rows, learner = project.versions(), learner_now(project)
    measured = next((_mean(row, "parent") for row in reversed(rows) if row.parent == learner), None)
    without = VersionItem(name=learner, now=measured, current=not any(row.current for row in rows))
    return (*(_item(row) for row in reversed(rows)), without)


def learner_now(project: Project) -> str:
    """The proposer where there is no version."""
    return INSTANT if len(project.known_classes()) >= 2 else EMBEDDED


def _item(row: VersionRow) -> VersionItem:
    return VersionItem(
        name=row.name,
        parent=row.parent,
        made=row.made,
        before=_mean(row, "parent"),
        now=_mean(row, "child"),
        promoted=row.promoted,
        reason=row.reason,
        current=row.current,
        has_weights=row.has_weights,
    )


def _mean(row: VersionRow, of: str) -> float | None:
    """None where nothing was measured, and where a later version of SegStudio wrote other figures."""
    figures = row.figures.get(of)
    found = figures.get("mean_iou") if isinstance(figures, Mapping) else None
    return float(found) if isinstance(found, int | float) else None


def _last_run(project: Project) -> LastRun | None:
    """What the panel shows first. Raises `DiskRefused` where it cannot be read."""
    rows = [row for row in reversed(project.runs()) if (project.path / "runs" / row.name / "events.jsonl").is_file()]
    if not rows:
        return None
    newest = rows[0]
    goes_on = newest.state in ("running", "interrupted")
    shown = newest if goes_on else next((row for row in rows if result_of(row) is not None), newest)
    return LastRun(
        shown.name,
        tuple(events_of(project.path / "runs" / shown.name)),
        result_of(shown),
        str(newest.summary.get("why", "")),
        newest.state == "discarded",
        unmade=result_of(newest) is None,
    )
