"""The strip above an image in which specks were looked for: how many there are, below which size, and whether to erase
them."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton

from segstudio.app.editing.tools.options import SMALLER_THAN
from segstudio.text import _, count
from segstudio.ui.panels.controls import PixelSpin
from segstudio.ui.window.notice_stack import PassingStrip, close_button
from segstudio.ui.window.shortcut_guard import make_form

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session

__all__ = ["SpeckStrip"]


class SpeckStrip(PassingStrip):
    """`speckStrip`, with `speckSize`, `speckErase` and `speckClose`; shown until they are erased or left."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._project: OpenedProject | None = None
        self.setObjectName("speckStrip")
        self.setProperty("role", "strip")
        self.setAccessibleName(_("Specks"))
        self.size_spin = PixelSpin()
        self.text = QLabel()
        self.erase_button = QPushButton(_("Erase"))
        self.close_button = close_button("speckClose")
        self._dress()
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(8)
        row.addWidget(QLabel(_("Specks below")))
        row.addWidget(self.size_spin)
        row.addWidget(self.text, 1)
        row.addWidget(self.erase_button)
        row.addWidget(self.close_button)
        self.size_spin.valueChanged.connect(self._sized)
        self.erase_button.clicked.connect(self._erase)
        self.close_button.clicked.connect(self.dismiss)
        make_form(self, self.erase_button)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def _dress(self) -> None:
        self.size_spin.setObjectName("speckSize")
        self.size_spin.setDecimals(0)
        self.size_spin.setRange(SMALLER_THAN.low, SMALLER_THAN.high)
        self.size_spin.setSingleStep(SMALLER_THAN.step)
        self.size_spin.setSuffix(_(" px"))
        self.size_spin.setFixedSize(80, 26)
        self.size_spin.setToolTip(_(SMALLER_THAN.tip))
        self.size_spin.setAccessibleName(_("Specks are parts below this size"))
        self.text.setObjectName("speckText")
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.erase_button.setObjectName("speckErase")
        self.erase_button.setToolTip(_("Make the pixels of these parts unknown, in the whole image"))
        self.erase_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show what is found in this project."""
        self._project = project
        if project is not None:
            project.specks.changed.connect(self._show)
        self._show()

    def dismiss(self) -> None:
        """Leave the specks alone."""
        if self._project is not None:
            self._project.specks.close()

    def _erase(self) -> None:
        if self._project is not None:
            self._project.specks.erase()

    def _sized(self, pixels: float) -> None:
        if self._project is not None:
            self._project.specks.set_below(pixels)

    def _show(self) -> None:
        specks = self._project.specks if self._project is not None else None
        shown = specks is not None and specks.shown
        if specks is not None and shown:
            blocked = self.size_spin.blockSignals(True)
            self.size_spin.setValue(specks.below)
            self.size_spin.blockSignals(blocked)
            self.text.setText(self._words())
            self.erase_button.setEnabled(specks.found is not None and specks.found.number > 0)
        self.setVisible(shown)
        if shown:
            self.spoke.emit()

    def _words(self) -> str:
        specks = self._project.specks if self._project is not None else None
        if specks is None or specks.found is None:
            return _("Looking for them …")
        found = specks.found
        if found.number == 0:
            return _("There are none in this image.")
        sentence = count(found.number, "1 part in this image", "{n} parts in this image")
        pixels = count(found.pixels, "1 pixel", "{n} pixels")
        if len(found.boxes) == found.number:
            return _("{parts}, {pixels} in all", parts=sentence, pixels=pixels)
        marked = f"{specks.marked:,}"
        return _("{parts}, {pixels} in all; {marked} of them are marked", parts=sentence, pixels=pixels, marked=marked)
