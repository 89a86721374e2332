"""The effort curve: how much of each proposal was changed, how long each image took, and a forecast."""

from statistics import median
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from segstudio.text import _, count
from segstudio.ui.panels.controls import role_label
from segstudio.ui.panels.plots import LivePlot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from segstudio.app.learning.effort import Effort, EffortValues
    from segstudio.ui.window.loader import ModuleLoader

__all__ = ["TrainingEffort"]

_WORDS_W = 280
_RECENT = 5
_CHANGED, _MINUTES = "changed", "minutes"


class TrainingEffort(QWidget):
    """`changedPlot`, `minutesPlot`, `effortForecast` and `effortSummary`; `effortNone` while no image is done."""

    def __init__(self, library: "ModuleLoader") -> None:
        super().__init__()
        self._effort: Effort | None = None
        changed = _("Proposal changed (%), in the order done")
        minutes = _("Minutes per image or plane, in the order done")
        self.changed_plot = LivePlot("changedPlot", changed, library, span=_from_zero, legend=False)
        self.minutes_plot = LivePlot("minutesPlot", minutes, library, span=_from_zero, legend=False)
        self.forecast, self.summary = QLabel(), role_label("", "muted")
        self.forecast.setObjectName("effortForecast")
        self.summary.setObjectName("effortSummary")
        self.none = role_label(_("No image is done yet"), "muted")
        self.none.setObjectName("effortNone")
        self.none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        words = QVBoxLayout()
        words.setContentsMargins(4, 0, 0, 0)
        words.setSpacing(8)
        for label in (self.forecast, self.summary):
            label.setWordWrap(True)
            label.setFixedWidth(_WORDS_W)
            words.addWidget(label)
        words.addStretch(1)
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.changed_plot, 1)
        row.addWidget(self.minutes_plot, 1)
        row.addLayout(words)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.none)
        self._stack.addWidget(body)

    def follow(self, effort: "Effort | None") -> None:
        """Show the effort of a project, initially none."""
        self._effort = effort
        self._stack.setCurrentIndex(0)
        if effort is not None:
            effort.changed.connect(self._show)
            if self.isVisible():
                effort.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Read it as it is now."""
        super().showEvent(event)
        if self._effort is not None:
            self._effort.refresh()

    def _show(self) -> None:
        values = self._effort.values if self._effort is not None else None
        if values is None or not values.costs:
            self.none.setText(_("No image is done yet"))
            self._stack.setCurrentIndex(0)
            return
        if not any(cost.seconds > 0 or cost.changed is not None for cost in values.costs):
            self.none.setText(
                count(
                    len(values.costs),
                    "{n} image is done, but not by hand: there is no effort to show",
                    "{n} images are done, but none of them by hand: there is no effort to show",
                )
            )
            self._stack.setCurrentIndex(0)
            return
        self._stack.setCurrentIndex(1)
        for plot, name in ((self.changed_plot, _CHANGED), (self.minutes_plot, _MINUTES)):
            plot.clear()
            plot.add(name, "accent", width=2, dots=True)
        for place, cost in enumerate(values.costs, 1):
            if cost.changed is not None:
                self.changed_plot.append(_CHANGED, place, 100 * cost.changed)
            if cost.seconds > 0:
                self.minutes_plot.append(_MINUTES, place, cost.seconds_each / 60)
        self.forecast.setText(values.forecast or _no_forecast(values))
        self.summary.setText(_summary(values))


def _from_zero(values: "Iterable[float]") -> tuple[float, float]:
    """Bottom and top of an axis that begins at 0: a fall from 12 to 10 is not one from 12 to nothing."""
    return 0.0, 1.08 * max(values, default=1.0) or 1.0


def _no_forecast(values: "EffortValues") -> str:
    """Why there is no forecast."""
    numbers = len({point.images for point in values.points})
    if numbers < 4:
        return _("A forecast needs at least four versions, each from a different number of labelled images.")
    return _("No forecast yet: the figures of the versions so far do not rise steadily enough.")


def _summary(values: "EffortValues") -> str:
    """What was done so far, and what the last images took."""
    costs = values.costs
    n = sum(cost.planes for cost in costs)
    of_planes = n > len(costs)
    seconds = [cost.seconds_each for cost in costs if cost.seconds > 0]
    if not seconds:
        return _("{n} planes done", n=n) if of_planes else count(n, "{n} image done", "{n} images done")
    minutes = f"{sum(cost.seconds for cost in costs) / 60:,.1f}"
    if of_planes:
        done = _("{n} planes done in {minutes} minutes", n=n, minutes=minutes)
    elif len(seconds) < len(costs):
        done = count(
            n,
            "{n} image done, {minutes} minutes of work on {worked} of them",
            "{n} images done, {minutes} minutes of work on {worked} of them",
            minutes=minutes,
            worked=f"{len(seconds):,}",
        )
    else:
        done = count(n, "{n} image done in {minutes} minutes", "{n} images done in {minutes} minutes", minutes=minutes)
    if len(seconds) < 2:
        return done
    recent = f"{median(seconds[-_RECENT:]) / 60:.1f}"
    return _("{done}; the last ones took about {recent} minutes each", done=done, recent=recent)
