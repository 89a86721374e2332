"""What is said above the image: an error in one sentence, whose details fold out, and why a window is read-only.

Never a box that waits for an answer: the image stays in reach.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QToolButton, QVBoxLayout

from segstudio.ui.text import tr
from segstudio.ui.theme import current_theme
from segstudio.ui.window.icons import icon, pixmap

if TYPE_CHECKING:
    from segstudio.app.session import Session
    from segstudio.app.values import EngineState, SaveState

__all__ = ["MessageStrip", "ReadOnlyBanner"]

_MOMENT_S = 0.04
"""So long a click is waited for where it is quick; nobody sees that."""


def _picture(name: str) -> QLabel:
    label = QLabel()
    label.setPixmap(pixmap(name, current_theme().warning))
    return label


def _sentence(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


class MessageStrip(QFrame):
    """`messageStrip`: the newest failure, or what else must be known; it goes when it is closed, or no longer holds.

    `said_elsewhere` tells of a failure whether another part of the window, in sight, says it.
    """

    def __init__(self, session: "Session", said_elsewhere: Callable[[dict[str, Any]], bool] = lambda _: False) -> None:
        super().__init__()
        self._said_elsewhere = said_elsewhere
        self.setObjectName("messageStrip")
        self.setProperty("role", "alert")
        self.setAccessibleName(tr("Message"))
        self._job = ""
        self._session = session
        self.text = _sentence("messageText")
        self.details_button = QPushButton(tr("Details"))
        self.details_button.setObjectName("messageDetails")
        self.details_button.setCheckable(True)
        self.copy_button = QPushButton(icon("copy"), f" {tr('Copy')}")
        self.copy_button.setObjectName("messageCopy")
        self.copy_button.setToolTip(tr("Copy the sentence and its details"))
        self.close_button = QToolButton()
        self.close_button.setObjectName("messageClose")
        self.close_button.setProperty("role", "icon")
        self.close_button.setIcon(icon("close"))
        self.close_button.setToolTip(tr("Close (Esc)"))
        self.close_button.setAccessibleName(tr("Close the message"))
        self.details = QPlainTextEdit()
        self.details.setObjectName("messageDetailsText")
        self.details.setReadOnly(True)
        self.details.setFixedHeight(120)
        self._arrange()
        self.details_button.toggled.connect(self.details.setVisible)
        self.copy_button.clicked.connect(self._copy)
        self.close_button.clicked.connect(self.dismiss)
        session.failed.connect(self._failed)
        session.saveStateChanged.connect(self._saved)
        session.engineStateChanged.connect(self._engine)
        session.projectChanged.connect(self.dismiss)
        session.noticed.connect(partial(self.say, "train"))
        for job, signal in (
            ("propose", session.proposalReady),
            ("image", session.imageShown),
            ("train", session.trainingFinished),
            ("export", session.exportFinished),
        ):
            signal.connect(partial(self._succeeded, job))
        self.hide()

    def say(self, job: str, sentence: str, details: str = "") -> None:
        """Show a sentence; `job` names what failed, so that its success can take the sentence away."""
        self._job = job
        self.text.setText(sentence)
        self.text.setAccessibleName(sentence)
        self.details.setPlainText(details)
        self.details_button.setVisible(bool(details))
        self.copy_button.setText(f" {tr('Copy details') if details else tr('Copy')}")
        self.details_button.setChecked(False)
        self.details.setVisible(False)
        self.show()

    def dismiss(self) -> None:
        """Take the message away."""
        self._job = ""
        self.hide()

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(_picture("warning"))
        row.addWidget(self.text, 1)
        row.addWidget(self.details_button)
        row.addWidget(self.copy_button)
        row.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.details)

    def _succeeded(self, job: str, _: object = None) -> None:
        if self._job == job:
            self.dismiss()

    def _failed(self, failure: dict[str, Any]) -> None:
        if failure["job"] == "new" or failure.get("cancelled"):
            return  # said on the page that asked for it; wanted by a person
        if self._said_elsewhere(failure):
            self._succeeded(failure["job"])
            return
        if failure["job"] in ("image", "propose") and self._said_above(failure["sentence"]):
            return
        self.say(failure["job"], failure["sentence"], failure.get("details", ""))

    def _said_above(self, sentence: str) -> bool:
        """Whether the banner of the image says it, with what to do."""
        trouble = self._session.image_trouble
        first = trouble.sentence.partition(". ")[0]
        if self._session.image_failed:
            return bool(trouble.kind)
        return trouble.kind == "changed" and sentence.startswith(first)

    def _saved(self, state: "SaveState") -> None:
        if state.saved:
            self._succeeded("save")

    def _engine(self, state: "EngineState") -> None:
        if state.kind == "dead":
            self.say("engine", state.sentence)
        elif state.kind == "ready" and self._job == "engine":
            # It stays, for whoever looked elsewhere, until it is closed or something newer is said.
            self.say("", f"{self.text.text()} {tr('It was started again.')}")

    def _copy(self) -> None:
        parts = (self.text.text(), self.details.toPlainText())
        QGuiApplication.clipboard().setText("\n\n".join(part for part in parts if part))


class ReadOnlyBanner(QFrame):
    """`readOnlyBanner`: stands as long as this window may not write; says who may, and tries again when asked to."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._session = session
        self.setObjectName("readOnlyBanner")
        self.setProperty("role", "alert")
        self.text = _sentence("readOnlyText")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(8)
        row.addWidget(_picture("lock"))
        row.addWidget(self.text, 1)
        self.again_button = QPushButton(tr("Try again"))
        self.again_button.setObjectName("tryAgainButton")
        self.again_button.setToolTip(tr("Open the project again, for writing if nobody else has it open by now"))
        self.again_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.again_button.clicked.connect(self._try_again)
        row.addWidget(self.again_button)
        session.projectChanged.connect(self._show)
        self._show()

    def _show(self) -> None:
        why = self._session.read_only
        if why:
            todo = tr("You can look; once that is over, press Try again to label here.")
            self.text.setText(f"{why[:1].upper()}{why[1:].rstrip('.')}. {todo}")
        self.setVisible(bool(why))

    def _try_again(self) -> None:
        session = self._session
        path, index = session.project_path, session.current_index
        if path is None:
            return

        def opened() -> None:
            session.said.emit(tr("Still read-only.") if session.read_only else tr("This window can write now."))

        session.open_project(path, max(index, 0), opened)
        session.wait_for_opening(_MOMENT_S)
