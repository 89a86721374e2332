"""The strip below an image of several planes: a slider for each axis, the planes before and after, and where one is."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSlider, QToolButton

from segstudio.app.values import LEAST_RATE, MOST_RATE
from segstudio.text import N_, _
from segstudio.ui.panels.controls import PixelSpin, muted_label
from segstudio.ui.window.icons import icon

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.viewing.planes import PlaneAxis

__all__ = ["PlaneStrip"]

_AXES = {"z": N_("z"), "t": N_("Time")}
_SLIDER_NAMES = {"": N_("Plane"), "z": N_("Plane along z"), "t": N_("Plane in time")}
_PAGE = 10


class PlaneStrip(QFrame):
    """`planeStrip`, with `planeSlider` for the axis that counts fastest, `planeSliderT` and the like for the others,
    `previousPlaneButton`, `nextPlaneButton`, `playPlanesButton`, `planeRate` and `planeText`; there for images of
    several planes alone.

    Sliders count from 0, as scripts do; what is read counts from 1.
    """

    def __init__(self, session: "Session", action: "Callable[[str], QAction]") -> None:
        super().__init__()
        self._project: OpenedProject | None = None
        self._covered = False
        self._names: tuple[str, ...] = ()
        self._sliders: list[QSlider] = []
        self.setObjectName("planeStrip")
        self.setProperty("role", "strip")
        self.setAccessibleName(_("Planes"))
        self.previous = _button("previousPlaneButton", action("previous-plane"), "previous")
        self.next = _button("nextPlaneButton", action("next-plane"), "next")
        self.text = QLabel()
        self.text.setObjectName("planeText")
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self._play_action = action("play-planes")
        self.play = _button("playPlanesButton", self._play_action, "play")
        self.play.setAutoRepeat(False)
        self.rate = PixelSpin()
        self.rate.setObjectName("planeRate")
        self.rate.setDecimals(0)
        self.rate.setRange(LEAST_RATE, MOST_RATE)
        self.rate.setSingleStep(1)
        self.rate.setSuffix(_(" / s"))
        self.rate.setFixedSize(64, 24)
        self.rate.setToolTip(_("How many planes are played in a second"))
        self.rate.setAccessibleName(_("Planes played in a second"))
        self._axes = QHBoxLayout()
        self._axes.setSpacing(8)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 12, 3)
        row.setSpacing(4)
        row.addWidget(self.previous)
        row.addLayout(self._axes, 1)
        row.addWidget(self.next)
        row.addSpacing(8)
        row.addWidget(self.play)
        row.addWidget(self.rate)
        row.addSpacing(8)
        row.addWidget(self.text)
        self._lay_out(("",))
        self.rate.valueChanged.connect(self._rated)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the planes of this project's images."""
        self._project = project
        if project is not None:
            project.planes.changed.connect(self._show)
            project.cine.changed.connect(self._show_play)
            self._show_play()
        self._show()

    def cover(self, covered: bool) -> None:
        """Stand back while a page covers the image."""
        self._covered = covered
        self._show()

    def _show(self) -> None:
        planes = None if self._project is None else self._project.planes
        if planes is None or self._covered or planes.number < 2:
            self.hide()
            return
        axes = planes.axes
        names = tuple(axis.name for axis in axes)
        if names != self._names:
            self._lay_out(names)
        for slider, axis in zip(self._sliders, axes, strict=True):
            slider.blockSignals(True)  # it follows: only a person moves it elsewhere
            slider.setRange(0, axis.size - 1)
            slider.setValue(axis.at)
            slider.blockSignals(False)
        self._room_for_text(axes, planes.number)
        self.text.setText(self._words(axes, planes.asked, planes.number, planes.position))
        self.show()

    def _show_play(self) -> None:
        if self._project is not None:
            self._play_action.setChecked(self._project.cine.playing)
            blocked = self.rate.blockSignals(True)
            self.rate.setValue(self._project.cine.rate)
            self.rate.blockSignals(blocked)

    def _rated(self, rate: float) -> None:
        if self._project is not None:
            self._project.cine.set_rate(round(rate))

    def _words(self, axes: "tuple[PlaneAxis, ...]", plane: int, number: int, position: str) -> str:
        parts = [_("Plane {plane} of {n}", plane=plane + 1, n=number)]
        if len(axes) > 1:
            parts += [
                _("{axis} {place} of {n}", axis=_(_AXES.get(axis.name, axis.name)), place=axis.at + 1, n=axis.size)
                for axis in axes
            ]
        if position:
            parts.append(position if len(axes) > 1 else _("z {position}", position=position))
        return " · ".join(parts)

    def _room_for_text(self, axes: "tuple[PlaneAxis, ...]", number: int) -> None:
        """Room for the longest of these texts: sliders must not change their width while they are dragged."""
        last = tuple(axis._replace(at=axis.size - 1) for axis in axes)
        position = "\N{MINUS SIGN}0000.0 mm" if self._project is not None and self._project.planes.position else ""
        words = self._words(last, number - 1, number, position)
        self.text.setMinimumWidth(self.text.fontMetrics().horizontalAdvance(words))

    def _lay_out(self, names: tuple[str, ...]) -> None:
        """Make a slider for each of these axes in the place of those before."""
        while (item := self._axes.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        self._names, self._sliders = names, []
        for place, name in enumerate(names):
            slider = QSlider(Qt.Orientation.Horizontal)
            slider.setObjectName("planeSlider" if place == len(names) - 1 else f"planeSlider{name.upper()}")
            slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            slider.setPageStep(_PAGE)
            slider.setMinimumWidth(80)
            slider.setAccessibleName(_(_SLIDER_NAMES.get(name, _SLIDER_NAMES[""])))
            slider.setToolTip(_("Drag to another plane; or turn the wheel over the image with Ctrl held"))
            slider.valueChanged.connect(partial(self._moved, place))
            if len(names) > 1:
                self._axes.addWidget(muted_label(_(_AXES.get(name, name))))
            self._axes.addWidget(slider, 1)
            self._sliders.append(slider)

    def _moved(self, place: int, to: int) -> None:
        if self._project is not None:
            self._project.planes.go_along(place, to)


def _button(name: str, action: QAction, shown: str) -> QToolButton:
    action.setIcon(icon(shown))
    button = QToolButton()
    button.setDefaultAction(action)
    button.setObjectName(name)
    button.setAccessibleName(action.text())
    button.setProperty("role", "bare")
    button.setAutoRepeat(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
