"""The page shown instead of the canvas while no project is open: open one, make one, or go on with a recent one."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from segstudio.text import _
from segstudio.ui.panels.controls import ElidedLabel, muted_label
from segstudio.ui.text import wrapped
from segstudio.ui.window.icons import icon, logo
from segstudio.ui.window.shortcut_guard import make_form

if TYPE_CHECKING:
    from collections.abc import Callable

    from segstudio.app.session import Session

__all__ = ["StartPage"]

_RECENT = 6
_WIDTH = 544


class StartPage(QWidget):
    """`startPage`: `startOpen`, `startNew`, `trySampleButton`, and `recentProject1` ... for the recent projects."""

    sampleAsked = Signal()

    def __init__(self, session: "Session", open_: QAction, new: QAction, open_path: "Callable[[Path], None]") -> None:
        super().__init__()
        self.setObjectName("startPage")
        self.setAccessibleName(_("Start"))
        self._session = session
        self._open_path = open_path
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        self._card = card = QFrame()
        card.setObjectName("startCard")
        card.setFixedWidth(_WIDTH)
        column = QVBoxLayout(card)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(16)
        column.addLayout(self._head())
        column.addLayout(self._buttons(open_, new))
        column.addLayout(self._recent)
        self._hint = muted_label("")
        self._hint.setObjectName("startHint")
        self._hint.setWordWrap(True)
        column.addWidget(self._hint)
        grid = QGridLayout(self)
        grid.addWidget(card, 0, 0, Qt.AlignmentFlag.AlignCenter)
        self.invite(False)
        self.refresh()

    def invite(self, over: bool) -> None:
        """Show that what is dragged `over` the window can be dropped."""
        words = _("You can also drop a folder, images or a project on this window.")
        self._hint.setText(_("Drop it here to open it.") if over else words)
        if bool(self._card.property("invites")) != over:
            self._card.setProperty("invites", over)
            self._card.style().polish(self._card)

    def refresh(self) -> None:
        """List the recent projects that still exist."""
        while (item := self._recent.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        paths = [Path(p) for p in self._session.preferences.recent_projects]
        there = [p for p in paths if p.is_dir()][:_RECENT]
        if there:
            self._recent.addWidget(muted_label(_("Recent projects")))
            self._recent.addSpacing(4)
        for n, path in enumerate(there, 1):
            self._recent.addWidget(self._recent_row(n, path))

    def _head(self) -> QHBoxLayout:
        picture = QLabel()
        picture.setPixmap(logo(64))
        name = QLabel("SegStudio")
        font = name.font()
        font.setPointSizeF(font.pointSizeF() * 1.8)
        font.setBold(True)
        name.setFont(font)
        words = muted_label(_("A model draws, your hand corrects, the model learns."))
        text = QVBoxLayout()
        text.setSpacing(4)
        text.addStretch()
        text.addWidget(name)
        text.addWidget(words)
        text.addStretch()
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(picture)
        row.addLayout(text, 1)
        return row

    def _buttons(self, open_: QAction, new: QAction) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        for action, name, text, role in (
            (open_, "startOpen", _("Open images or a project…"), "primary"),
            (new, "startNew", _("New project…"), ""),
        ):
            button = QPushButton(text)
            button.setObjectName(name)
            button.setProperty("role", role)
            button.setToolTip(action.toolTip())
            button.setMinimumHeight(32)
            button.clicked.connect(action.trigger)
            if role:
                self.setFocusProxy(button)
                make_form(self, button)
            row.addWidget(button, 1 if role else 0)
        row.addWidget(self._sample_button())
        return row

    def _sample_button(self) -> QPushButton:
        button = QPushButton(_("Try the sample"))
        button.setObjectName("trySampleButton")
        button.setToolTip(_("Open a fresh copy of the sample that comes with SegStudio"))
        button.setMinimumHeight(32)
        button.clicked.connect(self.sampleAsked)
        return button

    def _recent_row(self, n: int, path: Path) -> QPushButton:
        button = QPushButton()
        button.setObjectName(f"recentProject{n}")
        button.setProperty("role", "row")
        button.setAccessibleName(_("Open {path}", path=path))
        button.setToolTip(wrapped(str(path)))
        button.setMinimumHeight(32)
        name = ElidedLabel(path.name.removesuffix(".segstudio"))
        where = ElidedLabel(str(path.parent), Qt.TextElideMode.ElideMiddle)
        where.setProperty("role", "muted")
        picture = QLabel()
        picture.setPixmap(icon("open").pixmap(QSize(16, 16)))
        row = QHBoxLayout(button)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(8)
        row.addWidget(picture)
        row.addWidget(name, 2)
        row.addWidget(where, 3)
        for label in (picture, name, where):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        button.clicked.connect(lambda: self._open_path(path))
        return button
