"""The slider in the menu of a class: how opaque it is drawn, as a share of the opacity of all labels."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSlider, QWidget, QWidgetAction

from segstudio.text import _

__all__ = ["ClassOpacity", "opacity_action"]

_SLIDER_W = 120
_STEP = 5
_WORDS_X = 28
"""Where the words of the other entries begin, behind their icons."""


class ClassOpacity(QSlider):
    """`classOpacity`, in percent. `shows` gets each value on the way (0 to 1), None when none is being chosen any
    more; `keeps` gets what was chosen, when the button is let go or the menu closes. Escape takes it back.

    The up and down keys, Enter and Escape are left to the menu.
    """

    def __init__(
        self, opacity: float, shows: Callable[[float | None], object], keeps: Callable[[float], object]
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._kept, self._shows, self._keeps = round(100 * opacity), shows, keeps
        self.setObjectName("classOpacity")
        self.setAccessibleName(_("Opacity of the class"))
        self.setToolTip(
            _(
                "How much this class covers, as a share of the opacity of all labels; at 0 it has an outline only. "
                "'Colour by object' has one opacity for all classes."
            )
        )
        self.setRange(0, 100)
        self.setSingleStep(_STEP)
        self.setPageStep(2 * _STEP)
        self.setFixedWidth(_SLIDER_W)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setValue(self._kept)
        self.valueChanged.connect(lambda value: self._shows(value / 100))
        self.sliderReleased.connect(self.keep)

    def keep(self) -> None:
        """Keep what is chosen, where it is another value."""
        chosen, before = self.value(), self._kept
        self._kept = chosen
        if chosen != before:
            self._keeps(chosen / 100)
        self._shows(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right change it; Escape, before it closes the menu, takes that back."""
        if event.key() == Qt.Key.Key_Escape:
            self.setValue(self._kept)
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The menu goes to another entry, or closes."""
        super().focusOutEvent(event)
        self.keep()


def opacity_action(
    menu: QMenu, opacity: float, shows: Callable[[float | None], object], keeps: Callable[[float], object]
) -> QWidgetAction:
    """The entry of the menu: its words, the slider, and the percentage."""
    row, slider, percent = QWidget(menu), ClassOpacity(opacity, shows, keeps), QLabel()
    metrics = percent.fontMetrics()
    percent.setFixedWidth(max(metrics.horizontalAdvance(words) for words in ("100 %", _("outline"))))
    percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    line = QHBoxLayout(row)
    line.setContentsMargins(_WORDS_X, 4, 12, 4)
    line.setSpacing(8)
    line.addWidget(QLabel(_("Opacity")))
    line.addWidget(slider, 1)
    line.addWidget(percent)
    row.setFocusProxy(slider)
    row.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def say(value: int) -> None:
        percent.setText(_("{percent} %", percent=value) if value else _("outline"))

    say(slider.value())
    slider.valueChanged.connect(say)
    menu.aboutToHide.connect(slider.keep)
    action = QWidgetAction(menu)
    action.setObjectName("classOpacityAction")
    action.setDefaultWidget(row)
    return action
