"""How labels look: a slider for their opacity, and whether they are filled, outlined, or both."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from segstudio.app.preferences import LABEL_STYLES, LEAST_OPACITY
from segstudio.text import _
from segstudio.ui.panels.controls import Choice, muted_label

if TYPE_CHECKING:
    from segstudio.app.session import Session

__all__ = ["LabelLook"]


class LabelLook(QWidget):
    """`labelOpacity` and `labelStyle`; both are a person's preferences, which the settings page shows too."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._kept = session.kept_preferences
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setObjectName("labelOpacity")
        self.opacity.setRange(round(100 * LEAST_OPACITY), 100)
        self.opacity.setSingleStep(5)
        self.opacity.setPageStep(10)
        self.opacity.setMinimumWidth(40)
        self.opacity.setToolTip(_("How much of the image labels cover. Hold Y to see it without them."))
        self.opacity.setAccessibleName(_("Opacity of labels"))
        self.style_choice = Choice()
        self.style_choice.setObjectName("labelStyle")
        self.style_choice.setToolTip(_("Whether labels are filled, outlined, or both (O)"))
        self.style_choice.setAccessibleName(_("How labels are drawn"))
        self.style_choice.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.style_choice.setMinimumContentsLength(4)
        for name, words in LABEL_STYLES:
            self.style_choice.addItem(_(words), name)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(8)
        row.addWidget(muted_label(_("Labels")))
        row.addWidget(self.opacity, 1)
        row.addWidget(self.style_choice)
        self.opacity.valueChanged.connect(lambda value: self._kept.prefer(overlay_opacity=value / 100))
        self.style_choice.activated.connect(
            lambda _place: self._kept.prefer(label_style=self.style_choice.currentData())
        )
        self._kept.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        kept = self._kept.current
        blocked = self.opacity.blockSignals(True)  # a value between two steps must not become one of them
        self.opacity.setValue(round(100 * kept.overlay_opacity))
        self.opacity.blockSignals(blocked)
        self.opacity.setEnabled(kept.label_style != "outline")
        self.style_choice.setCurrentIndex(max(0, self.style_choice.findData(kept.label_style)))
