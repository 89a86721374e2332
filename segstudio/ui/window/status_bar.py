"""The status bar: whether all is saved, the last message, running jobs, device, zoom, the pixel under the cursor."""

from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QProgressBar, QSizePolicy, QStatusBar, QToolButton

from segstudio.app.values import EngineKind, EngineState, JobKind, JobState, NoticeKind, SaveState
from segstudio.text import N_, _, clock
from segstudio.ui.panels.controls import ElidedLabel
from segstudio.ui.text import version_words, wrapped
from segstudio.ui.theme import current_theme
from segstudio.ui.window.icons import icon

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.values import Notice

__all__ = ["StatusBar", "zoom_text"]

_Label = TypeVar("_Label", bound=QLabel)

_HEIGHT = 28
"""Room for a line and for the button that cancels a job; Qt would add margins to both."""
_SAID_MS = 8000
_CURSOR_W = 232
_NARROW_PX = 900
"""In a bar narrower than this the labels get the room they need and no more, and the device is not named."""
_JOB_W, _JOB_LEAST_W = 320, 160
_QUIET = (JobKind.TRAIN, JobKind.AHEAD)
_EMPTY_GUESS = N_("Nothing was found here yet: paint some of a class, and background with the right button")


def zoom_text(scale: float) -> str:
    """1:1, 4:1 or 1:4 for whole steps, otherwise a percentage."""
    for a, b in ((scale, 1), (1, 1 / scale if scale else 1)):
        if abs(a - round(a)) < 1e-6 and abs(b - round(b)) < 1e-6 and round(a) >= 1 and round(b) >= 1:
            return f"{round(a)}:{round(b)}"
    percent = 100 * scale
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %"


class StatusBar(QStatusBar):
    """`statusBar`. Every text is a label; `currentMessage` joins them all, starting with saved or not saved."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._session = session
        self.setObjectName("statusBar")
        self.setSizeGripEnabled(False)
        self.setContentsMargins(8, 0, 8, 0)
        self.setFixedHeight(_HEIGHT)
        self.save_label = self._elided("saveState", 0)
        self.said_label = ElidedLabel()
        self.said_label.setObjectName("statusMessage")
        self.said_label.setProperty("role", "muted")
        self.addPermanentWidget(self.said_label, 1)
        self.job_label = self._dressed(ElidedLabel(), "jobText", _JOB_LEAST_W)
        self.job_label.setMaximumWidth(_JOB_W)
        self.job_progress = QProgressBar()
        self.job_cancel = QToolButton()
        self._dress_job()
        self.proposal_label = self._elided("proposalState", 0)
        self.device_label = self._dressed(QLabel(), "deviceState", 0)
        self.zoom_label = self._dressed(QLabel(), "zoomState", 64)
        self.cursor_label = self._elided("cursorState", _CURSOR_W)
        self._project: OpenedProject | None = None
        self._job: JobState | None = None
        self._helping = self._covered = False
        self._said = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SAID_MS)
        self._timer.timeout.connect(lambda: self._say(""))
        session.jobs.changed.connect(self._show_job)
        session.notices.told.connect(self._told)
        session.tools.changed.connect(self._show_said)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the state of this project."""
        self._project = project
        if project is not None:
            project.documents.saveStateChanged.connect(self._saved)
            project.engineStateChanged.connect(self._engine)
            project.proposals.proposalChanged.connect(self._proposal)
            project.proposals.ageChanged.connect(self._proposal)
            project.proposals.proposalReady.connect(self._help_on)
            project.navigation.imageLoading.connect(self._loading)
        self._show_job()
        self._say("")
        self.show_cursor("")
        self._saved(project.documents.save_state() if project is not None else SaveState(True, "", ""))
        self._engine(project.engine_state if project is not None else EngineState(EngineKind.OFF, "", ""))
        self._proposal()

    def cover(self, covered: bool) -> None:
        """Do not say how the tool is used while a page covers the image."""
        self._covered = covered
        self._show_said()

    def reassure(self) -> None:
        """Save everything, and say that it is saved and since when, or why not."""
        state = self._session.projects.save()
        if state.saved:
            saved = (
                _("Everything is saved automatically, last at {time}", time=state.time)
                if state.time
                else _("Everything is saved automatically")
            )
            self._say(saved)
        else:
            self._say(_("not saved: {why}", why=state.sentence) if state.sentence else _("still being saved"))

    def show_cursor(self, text: str) -> None:
        """Show position, value and class under the cursor; empty off the image."""
        self.cursor_label.setText(text)
        self._publish()

    def _proposal(self) -> None:
        """Say which model proposes; the embedded model's proposal is only a first guess."""
        proposals = self._project.proposals if self._project is not None else None
        proposal = proposals.seen if proposals is not None else None
        if proposals is None or proposal is None:
            self.proposal_label.setText("")
        elif proposals.is_guess:
            empty = self._guess_is_empty()
            self.proposal_label.setText(_("first guess: nothing found") if empty else _("proposal: first guess"))
        elif proposals.stale:
            version = version_words(proposal.version)
            self.proposal_label.setText(_("proposal: {version}, older than your strokes", version=version))
        else:
            self.proposal_label.setText(_("proposal: {version}", version=version_words(proposal.version)))
        self._publish()

    def _help_on(self) -> None:
        """Explain how to get proposals if the guess is empty: nothing on the canvas would tell a newcomer."""
        if self._guess_is_empty():
            self._say(_(_EMPTY_GUESS))
            self._helping = True
        elif self._helping:  # a learner has found something since
            self._say("")

    def _guess_is_empty(self) -> bool:
        """Whether the guess of the embedded model is on screen and is all background."""
        if self._project is None:
            return False
        proposals, background = self._project.proposals, self._project.documents.classes.background.id
        rows = proposals.seen.rows.values() if proposals.seen is not None else ()
        return proposals.seen is not None and proposals.is_guess and all(row.class_id == background for row in rows)

    def _loading(self, _path: str) -> None:
        self._proposal()
        if self._helping:
            self._say("")

    def show_zoom(self, scale: float) -> None:
        """Show the zoom in screen pixels per image pixel; 0 hides it."""
        self.zoom_label.setText(zoom_text(scale) if scale > 0 else "")
        self._publish()

    def minimumSizeHint(self) -> QSize:
        """Any width: what is said here must never widen the window."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the labels in their places in a wide bar; in a narrow one give the room to what matters most."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_PX
        self.cursor_label.setMinimumWidth(0 if narrow else _CURSOR_W)
        self.job_label.setMinimumWidth(0 if narrow else _JOB_LEAST_W)
        self._show_device()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint only the background: the text is in labels."""
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.window))
        painter.fillRect(0, 0, self.width(), 1, QColor(theme.line))
        painter.end()

    def _elided(self, name: str, width: int) -> ElidedLabel:
        label = self._dressed(ElidedLabel(), name, width)
        label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        return label

    def _dressed(self, label: _Label, name: str, width: int) -> _Label:
        label.setObjectName(name)
        label.setProperty("role", "muted")
        label.setMinimumWidth(width)
        label.setContentsMargins(8, 0, 8, 0)
        self.addPermanentWidget(label)
        return label

    def _dress_job(self) -> None:
        self.job_progress.setObjectName("jobProgress")
        self.job_progress.setAccessibleName(_("Progress"))
        self.job_progress.setTextVisible(False)
        self.job_progress.setFixedWidth(96)
        self.job_cancel.setObjectName("jobCancel")
        self.job_cancel.setProperty("role", "icon")
        self.job_cancel.setIcon(icon("close"))
        self.job_cancel.setToolTip(_("Cancel"))
        self.job_cancel.setAccessibleName(_("Cancel the job"))
        self.job_cancel.clicked.connect(self._cancel)
        self.addPermanentWidget(self.job_progress)
        self.addPermanentWidget(self.job_cancel)

    def _publish(self) -> None:
        labels = (
            self.save_label,
            self.said_label,
            self.job_label,
            self.proposal_label,
            self.device_label,
            self.zoom_label,
        )
        shown = [label.text() for label in (*labels, self.cursor_label) if label.text()]
        self.showMessage(" · ".join(shown))

    def _saved(self, state: "SaveState") -> None:
        if self._project is None:
            text = ""
        elif state.saved:
            text = _("saved {time}", time=state.time) if state.time else _("saved")
        else:
            text = _("not saved: {why}", why=state.sentence) if state.sentence else _("not saved yet")
        self.save_label.setText(text)  # elided if there is no room: a sentence must never widen the window
        role = "muted" if state.saved or not state.sentence else "warning"
        if self.save_label.property("role") != role:
            self.save_label.setProperty("role", role)
            self.save_label.style().polish(self.save_label)
        self._publish()

    def _engine(self, state: "EngineState") -> None:
        words = {EngineKind.STARTING: _("engine starting …"), EngineKind.DEAD: _("engine stopped")}
        self.device_label.setText(words.get(state.kind, state.device))
        self.device_label.setToolTip(wrapped(state.sentence))
        self._show_device()
        self._publish()

    def _show_device(self) -> None:
        self.device_label.setVisible(bool(self.device_label.text()) and self.width() >= _NARROW_PX)

    def _told(self, notice: "Notice") -> None:
        if notice.kind is NoticeKind.WORD:
            self._say(notice.sentence)

    def _say(self, text: str) -> None:
        self._helping = False
        self._said = text
        if text:
            self._timer.start()
        self._show_said()

    def _show_said(self) -> None:
        """Show what was said, else how the chosen tool is used."""
        hint = self._session.tools.tool.hint if self._project is not None and not self._covered else ""
        text = self._said or (_(hint) if hint else "")
        if text != self.said_label.text():
            self.said_label.setText(text)
            self._publish()

    def _show_job(self) -> None:
        job = next((state for state in reversed(self._session.jobs.states) if state.kind not in _QUIET), None)
        self._job = job
        for widget in (self.job_label, self.job_progress):
            widget.setVisible(job is not None)
        self.job_cancel.setVisible(job is not None and job.cancellable)
        if job is None:
            self.job_label.setText("")
        else:
            left = job.seconds_left
            text = job.text if left is None else _("{job} · {time} left", job=job.text, time=clock(left))
            self.job_label.setText(text)
            self.job_progress.setRange(0, 0 if job.fraction is None else 1000)
            self.job_progress.setValue(round(1000 * (job.fraction or 0.0)))
        self._publish()

    def _cancel(self) -> None:
        if self._job is not None:
            self._session.jobs.cancel(self._job.id)
