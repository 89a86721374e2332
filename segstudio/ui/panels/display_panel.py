"""The panel of how the image is shown: window and channels, histogram, brightness, contrast, gamma, inverted or not."""

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from segstudio.text import N_, _
from segstudio.ui.panels.channel_list import ChannelList, LevelsChoice
from segstudio.ui.panels.controls import ElidedLabel, PixelSpin, Tick, muted_label
from segstudio.ui.panels.histogram_plot import HistogramPlot
from segstudio.ui.panels.shown_as import BandChoice, ColourMapChoice, WindowChoice
from segstudio.ui.window.icons import icon

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.viewing.adjusting import Adjusted

__all__ = ["DisplayPanel"]

_GAMMA_STEPS = 100
_MOST_GAMMA = 5.0
_VALUE_W = 36
_FARTHEST = 1e12
_BAR_W = 12
"""What the bar takes where the panel scrolls."""
_LEAST_H = 276
"""Pixels that are always in sight: all that there is for a picture of one channel."""
_MOST = 16777215
"""Pixels to Qt, which has no other word for as many as there are."""
_SLIDERS = (
    ("brightness", N_("Brightness"), N_("Move the window over the values: to the right, everything is lighter")),
    ("contrast", N_("Contrast"), N_("Make the window narrower: to the right, small differences show more")),
    ("gamma", N_("Gamma"), N_("Above 1 dark parts become lighter, and black and white stay")),
)


class DisplayPanel(QFrame):
    """`windowLevelPanel`: folded to its title until a person wants it, which the preferences keep. What it changes is
    how the image is shown, until the project is closed: the network sees the data.
    """

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._session = session
        self._project: OpenedProject | None = None
        self.setObjectName("windowLevelPanel")
        self.setAccessibleName(_("Brightness and contrast"))
        self.setProperty("role", "panel")
        self.fold_button = QToolButton()
        self.automatic, self.reset = QPushButton(_("Auto")), QPushButton(_("Reset"))
        self.plot = HistogramPlot()
        self.level, self.width_spin = PixelSpin(), PixelSpin()
        self.sliders = {name: QSlider(Qt.Orientation.Horizontal) for name, _title, _tip in _SLIDERS}
        self.values = {name: muted_label("") for name, _title, _tip in _SLIDERS}
        self.invert = Tick(_("Invert"))
        self.note = ElidedLabel(_("Dark: shown between its own values"))
        self.note.setProperty("role", "muted")
        self.note.setObjectName("displayNote")
        self.windows, self.bands, self.colours = WindowChoice(), BandChoice(), ColourMapChoice()
        self.channels, self.levels_of = ChannelList(), LevelsChoice()
        self._parts = (self.windows, self.bands, self.channels, self.levels_of, self.colours)
        self.body = QWidget()
        self._whole = 0
        self._scrolled = QScrollArea()
        self._dress()
        self._arrange()
        self._connect()
        self.follow(session.project)
        self._fold()

    def follow(self, project: "OpenedProject | None") -> None:
        """Show how the image of this project is shown."""
        self._project = project
        for part in self._parts:
            part.follow(project)
        if project is not None:
            project.channel_views.changed.connect(self._counted)
            project.histograms.counted.connect(self._counted)
            project.navigation.imageShown.connect(self._show)
            project.navigation.displaying.displayChanged.connect(self._recoloured)
            project.histograms.wanted = not self.body.isHidden()
        self._counted()

    # -- making --------------------------------------------------------------------------------------------------------

    def _dress(self) -> None:
        self.fold_button.setObjectName("displayFold")
        self.fold_button.setProperty("role", "icon")
        for button, name, words in (
            (self.automatic, "displayAuto", _("Show all but the darkest and the lightest thousandth of the pixels")),
            (self.reset, "displayReset", _("Show the image as at first")),
        ):
            button.setObjectName(name)
            button.setProperty("role", "small")
            button.setToolTip(words)
            button.setAccessibleName(words)
        for spin, name, words in (
            (self.level, "windowLevel", _("Level: the value in the middle between black and white")),
            (self.width_spin, "windowWidth", _("Width: from the value shown as black to the one shown as white")),
        ):
            spin.setObjectName(name)
            spin.setRange(-_FARTHEST, _FARTHEST)
            spin.setDecimals(6)
            spin.setSingleStep(1)
            spin.setFixedHeight(26)
            spin.setMinimumWidth(56)
            spin.setToolTip(words)
            spin.setAccessibleName(words)
        for name, title, tip in _SLIDERS:
            slider = self.sliders[name]
            slider.setObjectName(f"display{name.capitalize()}")
            slider.setRange(-100, 100)
            slider.setMinimumWidth(32)
            slider.setToolTip(_(tip))
            slider.setAccessibleName(_(title))
            self.values[name].setMinimumWidth(_VALUE_W)
            self.values[name].setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.invert.setObjectName("displayInvert")
        self.invert.setToolTip(_("Show dark as light, and light as dark"))
        self.invert.setAccessibleName(_("Invert the image"))

        self._scrolled.setObjectName("displayFields")
        self._scrolled.setFrameShape(QFrame.Shape.NoFrame)
        self._scrolled.setWidgetResizable(True)
        self._scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scrolled.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.fold_button)
        title = ElidedLabel(_("Display"))
        title.setProperty("role", "title")
        head.addWidget(title, 1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        exact = QHBoxLayout()
        exact.setSpacing(8)
        exact.addWidget(muted_label(_("Level")))
        exact.addWidget(self.level, 1)
        exact.addWidget(muted_label(_("Width")))
        exact.addWidget(self.width_spin, 1)
        for row, (name, title, _tip) in enumerate(_SLIDERS):
            grid.addWidget(muted_label(_(title)), row, 0)
            grid.addWidget(self.sliders[name], row, 1)
            grid.addWidget(self.values[name], row, 2)
        end = QHBoxLayout()
        end.addWidget(self.invert, 1)
        end.addWidget(self.automatic)
        end.addWidget(self.reset)
        inside = QVBoxLayout(self.body)
        inside.setContentsMargins(4, 0, 4, 8)
        inside.setSpacing(8)
        for part in (self.windows, self.bands, self.channels, self.levels_of, self.plot, self.note):
            inside.addWidget(part)
        inside.addLayout(exact)
        inside.addWidget(self.colours)
        for layout in (grid, end):
            inside.addLayout(layout)
        self._scrolled.setWidget(self.body)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 2, 8, 2)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._scrolled, 1)

    def _connect(self) -> None:
        self.fold_button.clicked.connect(self.toggle)
        self._session.kept_preferences.changed.connect(self._fold)
        self._session.projectChanged.connect(lambda: self.follow(self._session.project))
        self.plot.dragged.connect(self._drag)
        self.level.valueChanged.connect(self._exact)
        self.width_spin.valueChanged.connect(self._exact)
        self.sliders["brightness"].valueChanged.connect(self._slid)
        self.sliders["contrast"].valueChanged.connect(self._slid)
        self.sliders["gamma"].valueChanged.connect(self._gamma)
        self.invert.clicked.connect(lambda on: self._project and self._project.adjusting.set_invert(on))
        self.automatic.clicked.connect(lambda: self._project and self._project.adjusting.automatic())
        self.reset.clicked.connect(lambda: self._project and self._project.adjusting.reset())

    # -- folding -------------------------------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Unfold the panel, or fold it to its title."""
        self._session.kept_preferences.prefer(display_panel=self.body.isHidden())

    def _fold(self) -> None:
        unfolded = self._session.preferences.display_panel
        words = _("Fold brightness and contrast") if unfolded else _("Show the histogram, brightness and contrast")
        self.fold_button.setIcon(icon("chevron-down" if unfolded else "chevron-right"))
        self.fold_button.setToolTip(words)
        self.fold_button.setAccessibleName(words)
        self._scrolled.setVisible(unfolded)
        self.body.setVisible(unfolded)
        if self._project is not None:
            self._project.histograms.wanted = unfolded
        self._fit()

    def _fit(self) -> None:
        """Be as high as what is shown; in a low window it scrolls."""
        layout, inside = self.layout(), self.body.layout()
        assert layout is not None
        assert inside is not None
        inside.activate()
        self._scrolled.setMinimumWidth(inside.minimumSize().width() + _BAR_W)
        self._scrolled.setFixedHeight(0)
        layout.activate()
        folded = layout.sizeHint().height()
        self._scrolled.setMinimumHeight(0)
        self._scrolled.setMaximumHeight(_MOST)
        whole = folded if self.body.isHidden() else folded + self.body.sizeHint().height()
        self.setMinimumHeight(min(whole, folded + _LEAST_H))
        self.setMaximumHeight(whole)
        self._whole = whole
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """As high as what is shown."""
        return QSize(super().sizeHint().width(), self._whole)

    # -- showing -------------------------------------------------------------------------------------------------------

    def _counted(self) -> None:
        project = self._project
        found = None if project is None else project.histograms.current
        self.plot.show_histogram(found, () if project is None else _colours(project))
        self.automatic.setEnabled(found is not None)
        self._show()

    def _recoloured(self) -> None:
        """Other levels, or other channels in other colours."""
        if self._project is not None:
            self.plot.show_colours(_colours(self._project))
        self._show()

    def _show(self) -> None:
        now = None if self._project is None else self._project.adjusting.now
        display = None if self._project is None else self._project.navigation.display
        for part in self._parts:
            part.show_now()
        self.note.setVisible(display is not None and display.lightened and display.view == display.first)
        self._fit()
        parts = (self.plot, self.level, self.width_spin, self.invert, *self.sliders.values())
        for part in parts:
            part.setEnabled(now is not None)
        self.reset.setEnabled(now is not None and not now.untouched)
        if now is None:
            return
        self.plot.show_levels(now.low, now.high)
        for part, value in (
            (self.level, now.level),
            (self.width_spin, now.width),
            (self.sliders["brightness"], round(now.brightness)),
            (self.sliders["contrast"], round(now.contrast)),
            (self.sliders["gamma"], _gamma_place(now.gamma)),
        ):
            blocked = part.blockSignals(True)
            part.setValue(value)  # type: ignore[arg-type]
            part.blockSignals(blocked)
        self.invert.setChecked(now.invert)
        self._say(now)

    def _say(self, now: "Adjusted") -> None:
        self.values["brightness"].setText(f"{round(now.brightness):d}")
        self.values["contrast"].setText(f"{round(now.contrast):d}")
        self.values["gamma"].setText(f"{now.gamma:.2f}")

    # -- what a person does --------------------------------------------------------------------------------------------

    def _drag(self, low: float, high: float) -> None:
        if self._project is not None:
            self._project.adjusting.levels(low, high)

    def _exact(self) -> None:
        project = self._project
        if project is None:
            return
        level, width = self.level.value(), self.width_spin.value()
        if width > 0:
            project.adjusting.levels(level - width / 2, level + width / 2)
        else:
            self._show()

    def _slid(self) -> None:
        if self._project is not None:
            place = self.sliders["brightness"].value(), self.sliders["contrast"].value()
            self._project.adjusting.adjust(*place)

    def _gamma(self, place: int) -> None:
        if self._project is not None:
            self._project.adjusting.set_gamma(_MOST_GAMMA ** (place / _GAMMA_STEPS))


def _gamma_place(gamma: float) -> int:
    return round(math.log(gamma) / math.log(_MOST_GAMMA) * _GAMMA_STEPS)


def _colours(project: "OpenedProject") -> tuple[str | None, ...]:
    """A colour for each channel of the image, '' for grey; None for one that is not shown."""
    display = project.navigation.display
    if display is None:
        return ()
    by_index = {
        channel.index: "" if channel.colour == (255, 255, 255) else "#{:02x}{:02x}{:02x}".format(*channel.colour)
        for channel in display.view.channels
    }
    return tuple(by_index.get(index) for index in range(display.channels))
