"""The figures of a training run, and the groups held out of it."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QGridLayout, QLabel, QListWidget, QVBoxLayout, QWidget

from segstudio.text import N_, _, amount, clock, count
from segstudio.ui.panels.controls import ElidedLabel, muted_label, role_label
from segstudio.ui.text import wrapped

if TYPE_CHECKING:
    from segstudio.runs import Started, Stepped

__all__ = ["TrainingFacts"]

_ROWS = (
    ("speed", N_("Speed")),
    ("left", N_("Time left")),
    ("device", N_("Device")),
    ("memory", N_("Memory")),
    ("mean", N_("Mean IoU")),
)

_LIST_H = 20
_OPTIMISTIC = N_(
    "The model is measured on parts of the same images that it is trained on; it never learns from these parts.\n"
    "They look like what it learns from, so the figures are better than on new images.\n"
    "From the fourth labelled image on, whole images are held out."
)


class TrainingFacts(QWidget):
    """Speed, time left, device, memory and mean IoU, with the held-out groups below."""

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, QLabel] = {}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        for row, (name, text) in enumerate(_ROWS):
            value = ElidedLabel("–")
            value.setObjectName(f"training{name.capitalize()}")
            self._values[name] = value
            grid.addWidget(muted_label(_(text)), row, 0)
            grid.addWidget(value, row, 1)
        self._held_out_title = role_label("", "muted")
        self._held_out_title.setObjectName("heldOutTitle")
        self._held_out_title.setWordWrap(True)
        self.optimistic = muted_label(_("Expect lower figures on new images"))
        self.optimistic.setObjectName("optimisticNote")
        self.optimistic.setToolTip(_(_OPTIMISTIC))
        self.optimistic.hide()
        self.held_out = QListWidget()
        self.held_out.setObjectName("heldOutList")
        self.held_out.setAccessibleName(_("Held-out groups"))
        self.held_out.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.held_out.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.held_out.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.held_out.setMinimumHeight(_LIST_H)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(grid)
        column.addWidget(self._held_out_title)
        column.addWidget(self.optimistic)
        column.addWidget(self.held_out, 1)

    def text(self, name: str) -> str:
        """The text beside a name: speed, left, device, memory or mean."""
        return self._values[name].text()

    def clear(self) -> None:
        """Go back to the state before the first run."""
        for label in self._values.values():
            label.setText("–")
        self.held_out.clear()
        self._held_out_title.setText("")
        self._held_out_title.setToolTip("")
        self.optimistic.hide()

    def start(self, event: "Started") -> None:
        """Show the device of a new run and the groups that it is measured on."""
        self.clear()
        self._values["device"].setText(event.device)
        groups = event.held_out_groups
        for group in groups:
            self.held_out.addItem(group)
            self.held_out.item(self.held_out.count() - 1).setToolTip(wrapped(group))
        if event.optimistic:
            words = _("Held out: parts of the images trained on")
        else:
            words = count(len(groups), "1 group held out, never trained on", "{n} groups held out, never trained on")
        if not groups and not event.optimistic:
            words = _("Nothing is held out: there are no figures to compare")
        self._held_out_title.setText(words)
        self._held_out_title.setToolTip(_(_OPTIMISTIC) if event.optimistic else "")
        self.optimistic.setVisible(event.optimistic)

    def set_mean(self, mean_iou: float) -> None:
        """Show the newest mean IoU on held-out pixels."""
        self._values["mean"].setText(amount(mean_iou))

    def show_step(self, event: "Stepped", steps_per_second: float | None, seconds_left: float | None) -> None:
        """Show the newest step; None for figures that are unknown or no longer apply."""
        if steps_per_second is not None:
            steps, patches = amount(steps_per_second), amount(event.patches_per_second)
            speed = _("{steps} steps/s · {patches} patches/s", steps=steps, patches=patches)
            self._values["speed"].setText(speed)
        self._values["left"].setText(clock(seconds_left) if seconds_left is not None else "–")
        self._values["memory"].setText(_("{n} MB", n=f"{event.memory_mb:,.0f}"))
