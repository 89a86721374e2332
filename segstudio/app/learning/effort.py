"""The owner of the effort curve: what each finished image cost, and how many more a better mean IoU takes."""

from concurrent.futures import Future
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.app.values import JobKind
from segstudio.store.project import Project
from segstudio.tasks.learning.effort_curve import Cost, Point, costs, forecast, forecast_words, next_target, points

__all__ = ["Effort", "EffortValues"]


@dataclass(frozen=True, slots=True)
class EffortValues:
    """The finished images in their order, the versions that can be compared, and the forecast in words, '' where the
    versions carry none.
    """

    costs: tuple[Cost, ...] = ()
    points: tuple[Point, ...] = ()
    forecast: str = ""


class Effort(QObject):
    """`values` are there after `changed`, which follows `refresh`."""

    changed = Signal()

    def __init__(self, ground: Ground, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project, self._notices = ground.project, ground.notices
        self._worker = Worker("effort", ground.main)
        self.values = EffortValues()

    def refresh(self) -> None:
        """Read it as it is now, on a worker."""
        project = self._project
        self._worker.submit(lambda: _values(project), self._read)

    def close(self, wait_s: float | None = None) -> None:
        """End the worker."""
        self._worker.close(wait_s)

    def _read(self, future: "Future[EffortValues]") -> None:
        if (error := refusal(future)) is not None:
            self._notices.fail(JobKind.VERSIONS, error)
            return
        self.values = future.result()
        self.changed.emit()


def _values(project: Project) -> EffortValues:
    spent, known = costs(project), points(project)
    target = next_target(known)
    found = None if target is None else forecast(known, spent, target)
    return EffortValues(tuple(spent), tuple(known), "" if found is None else forecast_words(found))
