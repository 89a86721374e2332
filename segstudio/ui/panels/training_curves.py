"""The curves of a run: loss and held-out IoU as they come in; beside them the figures of the run, or its result."""

from typing import TYPE_CHECKING

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from segstudio.text import _
from segstudio.ui.panels.curve_controls import CurveControls
from segstudio.ui.panels.curve_legend import CurveLegend
from segstudio.ui.panels.plots import LivePlot, PlotLook, close_up
from segstudio.ui.panels.training_facts import TrainingFacts
from segstudio.ui.panels.training_result import TrainingResult
from segstudio.ui.text import version_words

if TYPE_CHECKING:
    from segstudio.app.learning.curves import RunCurves
    from segstudio.labels.model import ClassTable
    from segstudio.runs import Evaluated, Started, Stepped, TrainResult
    from segstudio.ui.window.loader import ModuleLoader

__all__ = ["TrainingCurves"]

_FACTS_W, _LEGEND_W = 280, 168
_PLOTS_LEAST_W, _BOTH_PLOTS_W = 380, 560


class TrainingCurves(QWidget):
    """`lossPlot` and `iouPlot`, and beside them the facts of a run until it has a result; `curveLegend` when asked for.

    `controls`, how they are drawn, have their place in the panel. Where there is no room for the facts and the legend,
    the legend that was asked for has it.
    """

    def __init__(self, library: "ModuleLoader") -> None:
        super().__init__()
        self._library = library
        self._classes: ClassTable | None = None
        self.loss_plot = LivePlot("lossPlot", _("Loss"), library)
        self.iou_plot = LivePlot("iouPlot", _("Held-out IoU"), library, span=close_up, best_of=_("mean"))
        self.legend, self.controls = CurveLegend(), CurveControls()
        self.facts = TrainingFacts()
        self.result = TrainingResult()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.facts)
        self.pages.addWidget(self.result)
        self.pages.setFixedWidth(_FACTS_W)
        self.legend.setFixedWidth(_LEGEND_W)
        self.legend.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.loss_plot, 1)
        row.addWidget(self.iou_plot, 1)
        row.addWidget(self.legend)
        row.addWidget(self.pages)
        self.controls.changed.connect(self._look)
        self.controls.legendAsked.connect(lambda _asked: self._share())
        self.legend.changed.connect(self._show_classes)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width anew."""
        super().resizeEvent(event)
        self._share()

    def clear(self) -> None:
        """Show that there is no run."""
        self.loss_plot.clear()
        self.iou_plot.clear()
        self.legend.forget()
        self.facts.clear()
        self.pages.setCurrentWidget(self.facts)

    def start(self, event: "Started", parent_iou: float | None = None) -> None:
        """A run begins, with `parent_iou` to beat, or goes on from a step: what lies after it is made again."""
        self._library.load()
        if event.step:
            self.loss_plot.go_back(event.step)
            self.iou_plot.go_back(event.step)
        else:
            self.loss_plot.clear()
            self.iou_plot.clear()
            self.legend.forget()
        self._add_losses()
        self.iou_plot.set_kept(None)
        version, value = version_words(event.parent), _figure(parent_iou)
        tip = _("The dashed line is {version}: {value}, measured before this run", version=version, value=value)
        self.iou_plot.set_level(parent_iou, version, tip)
        self.facts.start(event)
        self.pages.setCurrentWidget(self.facts)

    def step(self, event: "Stepped") -> None:
        """A step was made."""
        self._add_losses()
        self.loss_plot.append(_("training"), event.step, event.loss, event.seconds)

    def evaluate(self, event: "Evaluated", classes: "ClassTable | None") -> None:
        """The run was measured; classes have their colours from the project."""
        step, seconds, figures = event.step, event.seconds, event.held_out
        self._classes = classes
        self._add_losses()
        self.loss_plot.append(_("held out"), step, figures.loss, seconds)
        self._add_mean()
        self.iou_plot.append(_("mean"), step, figures.mean_iou, seconds)
        for name, value in figures.iou.items():
            self._add_class(name)
            self.iou_plot.append(_key(name), step, value, seconds)
        self.legend.show_figures(figures.iou, self._color)
        self._show_classes(self.legend.shown)
        self.facts.set_mean(figures.mean_iou)

    def put_before(self, earlier: "RunCurves", classes: "ClassTable") -> None:
        """Put what a run had before it was resumed in front of what it has made since."""
        self._classes = classes
        self._add_losses()
        self.loss_plot.put_before(_("training"), earlier.loss)
        self.loss_plot.put_before(_("held out"), earlier.held_out_loss)
        self._add_mean()
        self.iou_plot.put_before(_("mean"), earlier.mean_iou)
        for name, curve in earlier.classes.items():
            self._add_class(name)
            self.iou_plot.put_before(_key(name), curve)
        newest = {name: self.iou_plot.series[_key(name)][1] for name in earlier.classes}
        self.legend.show_figures({name: values[-1] for name, values in newest.items() if values}, self._color)

    def end(self, result: "TrainResult", classes: "ClassTable") -> None:
        """The run has a result."""
        parent = result.held_out.get("parent")
        iou = None if parent is None else parent.mean_iou
        version, value = version_words(result.parent), _figure(iou)
        tip = _("The dashed line is {version}: {value}, measured at the end of this run", version=version, value=value)
        self.iou_plot.set_level(iou, version, tip)
        self.result.show_result(result, classes)
        self.pages.setCurrentWidget(self.result)

    # -- one curve ---------------------------------------------------------------------------------------------------

    def _add_losses(self) -> None:
        self.loss_plot.add(_("training"), "muted")
        self.loss_plot.add(_("held out"), "accent", width=2, dots=True)

    def _add_mean(self) -> None:
        self.iou_plot.add(_("mean"), "text", width=2.5, dots=True)

    def _add_class(self, name: str) -> None:
        self.iou_plot.add(_key(name), self._color(name) or "faint", width=1.25, dots=True, named=False)

    def _color(self, name: str) -> str | None:
        found = self._classes.named(name) if self._classes is not None else None
        return found.color if found is not None else None

    # -- how they are drawn ------------------------------------------------------------------------------------------

    def _look(self, look: PlotLook) -> None:
        self.loss_plot.set_look(look)
        self.iou_plot.set_look(PlotLook(look.time, False, look.smoothing))

    def _show_classes(self, shown: "dict[str, bool]") -> None:
        self.iou_plot.show_curves({_key(name): on for name, on in shown.items()})

    def _share(self) -> None:
        listed = self.controls.legend.isChecked()
        both = self.width() >= _PLOTS_LEAST_W + _FACTS_W + (_LEGEND_W if listed else 0)
        self.legend.setVisible(listed)
        self.pages.setVisible(both or not listed)
        # A narrow panel has room for one plot beside the facts, or beside the legend.
        self.loss_plot.setVisible(self.width() >= _BOTH_PLOTS_W)


def _key(name: str) -> str:
    """The name of a class's curve: a class may be called as the mean is."""
    return _("the class {name}", name=name) if name == _("mean") else name


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
