"""How long the curves of a run hold the window up: a redraw after a measurement, when every curve has a new point.

    python benchmarks/training_plots.py [CLASSES] [STEPS]

Prints for the plots of loss and IoU, of CLASSES (43) and STEPS (5,000, measured 125 times), plain and smoothed, the
least and the median milliseconds of the GUI thread's own time for the redraw and the painting together. Without a
screen: set QT_QPA_PLATFORM=offscreen.
"""

import sys
from statistics import median
from time import thread_time

from PySide6.QtWidgets import QApplication

from segstudio.text import _
from segstudio.ui.panels.plots import LivePlot, PlotLook, close_up
from segstudio.ui.window.loader import ModuleLoader

_MEASURED, _TIMES = 125, 30


def main(classes: int, steps: int) -> None:
    """Time it."""
    application = QApplication([])
    library = ModuleLoader("pyqtgraph")
    library.load()
    while library.module is None:
        application.processEvents()
    loss, iou = LivePlot("loss", "Loss", library), LivePlot("iou", "IoU", library, span=close_up, best_of=_("mean"))
    loss.add("training", "muted")
    for n in range(1, steps):
        loss.append("training", n, 1 / n + 0.02 * (n % 9), n / 2)
    iou.add(_("mean"), "text", width=2.5, dots=True)
    for k in range(classes):
        iou.add(f"class {k}", f"#{40 + 5 * k:02x}80a0", width=1.25, dots=True, named=False)
    for n in range(_MEASURED):
        measure(iou, n, steps)
    for plot in (loss, iou):
        plot.resize(620, 230)
        plot.show()
        for times, smoothing in enumerate((0.0, 0.9)):
            plot.set_look(PlotLook(False, plot is loss, smoothing))
            application.processEvents()
            took = []
            for n in range(times * _TIMES, (times + 1) * _TIMES):
                if plot is iou:
                    measure(iou, _MEASURED + n, steps)
                else:
                    loss.append("training", steps + 2 * n, 1 / (n + 1), n)
                    loss.append("training", steps + 2 * n + 1, 1 / (n + 1), n)  # of a long series every second is kept
                begun = thread_time()
                plot._redraw()
                plot._widget.viewport().repaint()
                took.append(1000 * (thread_time() - begun))
            print(
                f"{plot.objectName()}, smoothed by {smoothing}: least {min(took):.1f} ms, median {median(took):.1f} ms"
            )


def measure(iou: LivePlot, n: int, steps: int) -> None:
    """A measurement: a point of every curve."""
    for k, name in enumerate(iou.series):
        iou.append(name, steps // _MEASURED * n, (k + n % 7) / 60, 20.0 * n)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 43, int(sys.argv[2]) if len(sys.argv) > 2 else 5000)
