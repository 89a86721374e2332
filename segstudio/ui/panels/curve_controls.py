"""How the curves are drawn: against steps or time, in powers of ten, smoothed, and with the classes beside."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QWidget

from segstudio.text import _
from segstudio.ui.panels.controls import Choice, Tick, muted_label
from segstudio.ui.panels.plots import PlotLook

__all__ = ["CurveControls"]

_SLIDER_W = 72
_WORDS_W, _LEGEND_W, _LEAST_W = 680, 620, 520


class CurveControls(QWidget):
    """`curveAxis`, `curveLog`, `curveSmoothing`, `curveLegendButton`; `changed` carries the `PlotLook` wanted."""

    changed = Signal(object)
    legendAsked = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.axis, self.log, self.smoothing = Choice(), Tick(_("Log")), QSlider(Qt.Orientation.Horizontal)
        self.legend = QPushButton(_("Legend"))
        self._smooth: QLabel = muted_label(_("Smooth"))
        self._dress()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for part in (self.axis, self.log, self._smooth, self.smoothing, self.legend):
            row.addWidget(part)
        self.axis.currentIndexChanged.connect(lambda _at: self.changed.emit(self.look))
        self.log.toggled.connect(lambda _on: self.changed.emit(self.look))
        self.smoothing.valueChanged.connect(lambda _value: self.changed.emit(self.look))
        self.legend.toggled.connect(self.legendAsked)

    @property
    def look(self) -> PlotLook:
        """What is chosen."""
        return PlotLook(self.axis.currentIndex() == 1, self.log.isChecked(), self.smoothing.value() / 100)

    def fit(self, width: int, *, legend: bool) -> None:
        """Leave out what a panel of this width has no room for; a page has a `legend` to show or not."""
        self._smooth.setVisible(width >= _WORDS_W)
        self.legend.setVisible(legend and width >= _LEGEND_W)
        self.smoothing.setVisible(width >= _LEAST_W)

    def _dress(self) -> None:
        self.axis.setObjectName("curveAxis")
        self.axis.addItems([_("Steps"), _("Time")])
        self.axis.setAccessibleName(_("Horizontal axis of the curves"))
        self.axis.setToolTip(_("Draw the curves against steps, or against the time since the first step"))
        self.axis.setFixedHeight(24)
        self.log.setObjectName("curveLog")
        self.log.setAccessibleName(_("Logarithmic losses"))
        self.log.setToolTip(_("Draw the losses on a logarithmic scale"))
        self.smoothing.setObjectName("curveSmoothing")
        self.smoothing.setRange(0, 98)
        self.smoothing.setSingleStep(5)
        self.smoothing.setPageStep(10)
        self.smoothing.setFixedWidth(_SLIDER_W)
        self.smoothing.setAccessibleName(_("Smoothing of the curves"))
        self.smoothing.setToolTip(_("Smooth the curves; the unsmoothed ones stay behind them, faint"))
        self.legend.setObjectName("curveLegendButton")
        self.legend.setCheckable(True)
        self.legend.setProperty("role", "slim")
        self.legend.setAccessibleName(_("List the classes beside the curves"))
        self.legend.setToolTip(_("List the classes with their newest IoU, and choose whose curves are drawn"))
