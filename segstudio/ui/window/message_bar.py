"""The strips above the image: an error in one sentence with details to unfold, and why a window is read-only.

They are never modal boxes: the image stays within reach.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout

from segstudio.app.values import EngineKind, JobKind, NoticeKind, TroubleKind
from segstudio.text import _
from segstudio.ui.panels.two_lines import TwoLines
from segstudio.ui.text import beside_icon
from segstudio.ui.window.icons import icon, pixmap
from segstudio.ui.window.notice_stack import PassingStrip, close_button

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.values import EngineState, JobId, Notice, SaveState

__all__ = ["MessageStrip", "ReadOnlyBanner"]

_OF_ONE_IMAGE = (JobKind.ACCEPT, JobKind.DONE, JobKind.PROPOSE, JobKind.WAIT)
"""What a person reads about these is about the image on screen."""

_AUTOMATIC = (JobKind.IMAGE, JobKind.PROPOSE)
"""These begin again by themselves, and only their success says that all is well."""

_NARROW_PX = 480

_MOMENT_S = 0.04
"""How long a click may block for a quick answer; too short to notice."""


def _picture(name: str) -> QLabel:
    label = QLabel()
    label.setPixmap(pixmap(name, "warning"))
    return label


def _sentence(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


class MessageStrip(PassingStrip):
    """`messageStrip`: the newest failure or other important message, until it is closed or no longer true.

    `said_elsewhere` answers whether another visible part of the window already shows a failure.
    """

    def __init__(self, session: "Session", said_elsewhere: Callable[["Notice"], bool] = lambda _: False) -> None:
        super().__init__()
        self._session, self._said_elsewhere = session, said_elsewhere
        self.setObjectName("messageStrip")
        self.setProperty("role", "alert")
        self.setAccessibleName(_("Message"))
        self._job: JobKind | None = None
        self._engine_died = False
        self._project: OpenedProject | None = None
        self._sign = _picture("warning")
        self._path: str | None = None
        self._under_way: frozenset[JobId] = frozenset()
        self.text = TwoLines()
        self.text.setObjectName("messageText")
        self.details_button = QPushButton(_("Details"))
        self.details_button.setObjectName("messageDetails")
        self.details_button.setCheckable(True)
        self.copy_button = QPushButton(icon("copy"), beside_icon(_("Copy")))
        self.copy_button.setObjectName("messageCopy")
        self.copy_button.setToolTip(_("Copy the sentence and its details"))
        self.close_button = close_button("messageClose")
        self.details = QPlainTextEdit()
        self.details.setObjectName("messageDetailsText")
        self.details.setReadOnly(True)
        self.details.setFixedHeight(120)
        self._arrange()
        self.details_button.toggled.connect(self.details.setVisible)
        self.copy_button.clicked.connect(self._copy)
        self.close_button.clicked.connect(self.dismiss)
        session.notices.told.connect(self._told)
        session.jobs.changed.connect(self._tried_again)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the failures of this project, and no longer those of the one before."""
        self._project = project
        self.dismiss()
        if project is not None:
            project.documents.saveStateChanged.connect(self._saved)
            project.engineStateChanged.connect(self._engine)
            project.proposals.proposalReady.connect(partial(self._succeeded, JobKind.PROPOSE))
            project.navigation.imageShown.connect(self._image_shown)
            project.training.finished.connect(partial(self._succeeded, JobKind.TRAIN))
            project.mistakes.finished.connect(partial(self._succeeded, JobKind.MISTAKES))
            project.exports.finished.connect(partial(self._succeeded, JobKind.EXPORT))

    def say(self, job: JobKind | None, sentence: str, details: str = "", *, alarms: bool = True) -> None:
        """Show a sentence; `job` is the job that failed, so that its next success removes the sentence.

        What does not alarm has no warning sign, and the colours of the other strips.
        """
        self._job, self._engine_died = job, False
        self._path = self._project.navigation.path if self._project is not None else None
        self._under_way = frozenset(state.id for state in self._session.jobs.states)
        self._dress(alarms)
        self.text.setText(sentence)
        self.details.setPlainText(details)
        self.details_button.setVisible(bool(details))
        self._name_copy()
        self.details_button.setChecked(False)
        self.details.setVisible(False)
        self.show()
        self.spoke.emit()

    def dismiss(self) -> None:
        """Remove the message."""
        self._job, self._engine_died = None, False
        self.hide()

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._sign)
        row.addWidget(self.text, 1)
        row.addWidget(self.details_button)
        row.addWidget(self.copy_button)
        row.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.details)

    def _dress(self, alarms: bool) -> None:
        role = "alert" if alarms else "strip"
        self._sign.setVisible(alarms)
        if self.property("role") != role:
            self.setProperty("role", role)
            self.style().polish(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the room to the sentence in a narrow window: the button keeps its icon."""
        super().resizeEvent(event)
        self._name_copy()

    def _name_copy(self) -> None:
        words = _("Copy details") if self.details.toPlainText() else _("Copy")
        self.copy_button.setAccessibleName(words)
        self.copy_button.setText("" if self.width() < _NARROW_PX else beside_icon(words))

    def _image_shown(self) -> None:
        """Say nothing more of the image before."""
        self._succeeded(JobKind.IMAGE)
        if self._job in _OF_ONE_IMAGE and self._project is not None and self._project.navigation.path != self._path:
            self.dismiss()

    def _tried_again(self) -> None:
        """Say nothing more of a job once it is tried again."""
        if self._job is None or self._job in _AUTOMATIC:
            return
        if any(state.id not in self._under_way for state in self._session.jobs.of(self._job)):
            self.dismiss()

    def _succeeded(self, job: JobKind | None, _: object = None) -> None:
        if job is not None and self._job is job:
            self.dismiss()

    def _told(self, notice: "Notice") -> None:
        if notice.kind is NoticeKind.WORD or notice.cancelled or notice.job is JobKind.NEW:
            return  # shown in the status bar; cancelled on purpose; shown on the page that asked
        if notice.kind is NoticeKind.FAILURE and self._said_elsewhere(notice):
            self._succeeded(notice.job)
            return
        if notice.job in (JobKind.IMAGE, JobKind.PROPOSE) and self._said_above(notice.sentence):
            return
        self.say(notice.job, notice.sentence, notice.details, alarms=notice.kind is not NoticeKind.NEWS)

    def _said_above(self, sentence: str) -> bool:
        """Whether the image banner already says it, with what to do."""
        if self._project is None:
            return False
        trouble = self._project.navigation.trouble
        first = trouble.sentence.partition(". ")[0]
        if self._project.navigation.failed:
            return bool(trouble.kind)
        return trouble.kind == TroubleKind.CHANGED and sentence.startswith(first)

    def _saved(self, state: "SaveState") -> None:
        if state.saved:
            self._succeeded(JobKind.SAVE)

    def _engine(self, state: "EngineState") -> None:
        if state.kind == EngineKind.DEAD:
            self.say(None, state.sentence)
            self._engine_died = True
        elif state.kind == EngineKind.READY and self._engine_died:
            # It stays until it is closed or replaced, so that nobody misses it.
            self.say(None, " ".join([self.text.text(), _("It was started again.")]))

    def _copy(self) -> None:
        parts = (self.text.text(), self.details.toPlainText())
        QGuiApplication.clipboard().setText("\n\n".join(part for part in parts if part))


class ReadOnlyBanner(QFrame):
    """`readOnlyBanner`: shown while this window may not write; names who may, and can try again."""

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
        self.again_button = QPushButton(_("Try again"))
        self.again_button.setObjectName("tryAgainButton")
        self.again_button.setToolTip(_("Open the project again, for writing if nobody else has it open any more"))
        self.again_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.again_button.clicked.connect(self._try_again)
        row.addWidget(self.again_button)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the state of this project."""
        why = project.why_read_only if project is not None else ""
        if why:
            todo = _("You can look at it; press Try again to label here once that is over.")
            self.text.setText(f"{why[:1].upper()}{why[1:].rstrip('.')}. {todo}")
        self.setVisible(bool(why))

    def _try_again(self) -> None:
        notices, projects, project = self._session.notices, self._session.projects, self._session.project
        if project is None:
            return

        def opened() -> None:
            still = projects.current is not None and not projects.current.may_write
            notices.say(_("Still read-only.") if still else _("This window can write now."))

        projects.open(project.path, max(project.navigation.index, 0), opened)
        projects.wait(_MOMENT_S)
