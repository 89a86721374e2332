"""The curves of a run: loss and held-out IoU as they come in; beside them the figures of the run, or its result."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from segstudio.text import _
from segstudio.ui.panels.plots import LivePlot, close_up
from segstudio.ui.panels.training_facts import TrainingFacts
from segstudio.ui.panels.training_result import TrainingResult

if TYPE_CHECKING:
    from segstudio.labels.model import ClassTable
    from segstudio.runs import Figures, Started, Stepped, TrainResult
    from segstudio.ui.window.loader import ModuleLoader

__all__ = ["TrainingCurves"]

_FACTS_W = 280


class TrainingCurves(QWidget):
    """`lossPlot` and `iouPlot`, and beside them the facts of a run until it has a result."""

    def __init__(self, library: "ModuleLoader") -> None:
        super().__init__()
        self._library = library
        self.loss_plot = LivePlot("lossPlot", _("Loss"), library)
        self.iou_plot = LivePlot("iouPlot", _("Held-out IoU"), library, span=close_up)
        self.facts = TrainingFacts()
        self.result = TrainingResult()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.facts)
        self.pages.addWidget(self.result)
        self.pages.setFixedWidth(_FACTS_W)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.loss_plot, 1)
        row.addWidget(self.iou_plot, 1)
        row.addWidget(self.pages)

    def clear(self) -> None:
        """Show that there is no run."""
        self.loss_plot.clear()
        self.iou_plot.clear()
        self.facts.clear()
        self.pages.setCurrentWidget(self.facts)

    def start(self, event: "Started") -> None:
        """A run begins: empty curves, and its facts."""
        self._library.load()
        self.loss_plot.clear()
        self.iou_plot.clear()
        self.loss_plot.add(_("training"), "muted")
        self.loss_plot.add(_("held out"), "accent", width=2, dots=True)
        self.facts.start(event)
        self.pages.setCurrentWidget(self.facts)

    def step(self, event: "Stepped") -> None:
        """A step was made."""
        self.loss_plot.add(_("training"), "muted")
        self.loss_plot.append(_("training"), event.step, event.loss)

    def evaluate(self, step: int, figures: "Figures", classes: "ClassTable | None") -> None:
        """The run was measured; classes have their colours from the project."""
        self.loss_plot.add(_("held out"), "accent", width=2, dots=True)
        self.loss_plot.append(_("held out"), step, figures.loss)
        self.iou_plot.add(_("mean"), "text", width=2.5, dots=True)
        self.iou_plot.append(_("mean"), step, figures.mean_iou)
        for name, value in figures.iou.items():
            found = classes.named(name) if classes is not None else None
            self.iou_plot.add(name, found.color if found is not None else "faint", width=1.25, dots=True, named=False)
            self.iou_plot.append(name, step, value)
        self.facts.set_mean(figures.mean_iou)

    def end(self, result: "TrainResult", classes: "ClassTable") -> None:
        """The run has a result."""
        self.result.show_result(result, classes)
        self.pages.setCurrentWidget(self.result)
