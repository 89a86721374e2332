"""The status bar: saved or not and why, what was said last, running jobs, device, zoom, what is under the cursor."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QProgressBar, QSizePolicy, QStatusBar, QToolButton

from segstudio.ui.panels.controls import ElidedLabel
from segstudio.ui.panels.training_versions import version_words
from segstudio.ui.text import clock, tr, wrapped
from segstudio.ui.theme import current_theme
from segstudio.ui.window.icons import icon

if TYPE_CHECKING:
    from segstudio.app.session import Session
    from segstudio.app.values import EngineState, JobState, SaveState

__all__ = ["StatusBar", "zoom_text"]

_SAID_MS = 8000
_CURSOR_W = 232
_JOB_W = 320
_QUIET = ("train",)
_EMPTY_GUESS = "Nothing was found here yet: paint some of a class, and background with the right button"


def zoom_text(scale: float) -> str:
    """1:1, 4:1 and 1:4 for whole steps, else per cent."""
    for a, b in ((scale, 1), (1, 1 / scale if scale else 1)):
        if abs(a - round(a)) < 1e-6 and abs(b - round(b)) < 1e-6 and round(a) >= 1 and round(b) >= 1:
            return f"{round(a)}:{round(b)}"
    percent = 100 * scale
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %"


class StatusBar(QStatusBar):
    """`statusBar`. Every word stands in a label; `currentMessage` is all of them, beginning with saved or not saved."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._session = session
        self.setObjectName("statusBar")
        self.setSizeGripEnabled(False)
        self.setContentsMargins(8, 0, 8, 0)
        self.save_label = self._dressed(ElidedLabel(), "saveState", 0)
        self.save_label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.said_label = ElidedLabel()
        self.said_label.setObjectName("statusMessage")
        self.said_label.setProperty("role", "muted")
        self.addPermanentWidget(self.said_label, 1)
        self.job_label = self._dressed(ElidedLabel(), "jobText", 160)
        self.job_label.setMaximumWidth(_JOB_W)
        self.job_progress = QProgressBar()
        self.job_cancel = QToolButton()
        self._dress_job()
        self.proposal_label = self._label("proposalState", 0)
        self.device_label = self._label("deviceState", 0)
        self.zoom_label = self._label("zoomState", 64)
        self.cursor_label = self._label("cursorState", _CURSOR_W)
        self._job: JobState | None = None
        self._jobs: dict[tuple[str, int], JobState] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SAID_MS)
        self._timer.timeout.connect(lambda: self._say(""))
        session.saveStateChanged.connect(self._saved)
        session.engineStateChanged.connect(self._engine)
        session.jobChanged.connect(self._job_changed)
        session.projectChanged.connect(self._opened)
        session.said.connect(self._say)
        session.proposalChanged.connect(self._proposal)
        session.proposalAged.connect(self._proposal)
        session.imageLoading.connect(lambda _path: self._proposal())
        session.imageLoading.connect(
            lambda _path: self._say("") if self.said_label.text() == tr(_EMPTY_GUESS) else None
        )
        session.proposalReady.connect(self._help_on)
        self._saved(session.save_state)
        self._engine(session.engine_state)
        self._show_job()

    def reassure(self) -> None:
        """See to it that everything is saved, and say that it is and since when; or why it is not."""
        state = self._session.save()
        if state.saved:
            since = tr("saved {time}", time=state.time) if state.time else tr("saved")
            self._say(tr("Everything is {saved}; there is no need to ask", saved=since))
        else:
            self._say(tr("not saved: {why}", why=state.sentence) if state.sentence else tr("still being saved"))

    def show_cursor(self, text: str) -> None:
        """Place, value and class under the cursor; empty off the image."""
        self.cursor_label.setText(text)
        self._publish()

    def _proposal(self) -> None:
        """Who draws what is proposed: the embedded model's is no more than a guess."""
        proposal = self._session.proposal_on_screen
        if proposal is None:
            self.proposal_label.setText("")
        elif self._session.proposal_is_guess:
            empty = all(self._is_background(row.class_id) for row in proposal.rows.values())
            self.proposal_label.setText(tr("first guess: nothing found") if empty else tr("proposal: first guess"))
        else:
            age = tr(", older than your strokes") if self._session.proposal_stale else ""
            self.proposal_label.setText(tr("proposal: {v}", v=version_words(proposal.version)) + age)
        self._publish()

    def _help_on(self) -> None:
        """Where the guess is empty, nothing on the canvas tells a newcomer how proposals begin."""
        proposal = self._session.proposal_on_screen
        if proposal is None or not self._session.proposal_is_guess:
            return
        if all(self._is_background(row.class_id) for row in proposal.rows.values()):
            self._say(tr(_EMPTY_GUESS))

    def _is_background(self, class_id: int) -> bool:
        return any(c.id == class_id and str(c.kind) == "background" for c in self._session.classes)

    def show_zoom(self, scale: float) -> None:
        """Screen pixels an image pixel; 0 hides it."""
        self.zoom_label.setText(zoom_text(scale) if scale > 0 else "")
        self._publish()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The background alone: what is said stands in labels."""
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.window))
        painter.fillRect(0, 0, self.width(), 1, QColor(theme.line))
        painter.end()

    def _label(self, name: str, width: int) -> QLabel:
        return self._dressed(QLabel(), name, width)

    def _dressed(self, label: QLabel, name: str, width: int) -> QLabel:
        label.setObjectName(name)
        label.setProperty("role", "muted")
        label.setMinimumWidth(width)
        label.setContentsMargins(8, 0, 8, 0)
        self.addPermanentWidget(label)
        return label

    def _dress_job(self) -> None:
        self.job_progress.setObjectName("jobProgress")
        self.job_progress.setAccessibleName(tr("Progress"))
        self.job_progress.setTextVisible(False)
        self.job_progress.setFixedWidth(96)
        self.job_cancel.setObjectName("jobCancel")
        self.job_cancel.setProperty("role", "icon")
        self.job_cancel.setIcon(icon("close"))
        self.job_cancel.setToolTip(tr("Cancel"))
        self.job_cancel.setAccessibleName(tr("Cancel the job"))
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
        shown = [label.text() for label in (*labels, self.cursor_label) if label.text() and not label.isHidden()]
        self.showMessage(" · ".join(shown))

    def _saved(self, state: "SaveState") -> None:
        if self._session.project_path is None:
            text = ""
        elif state.saved:
            text = tr("saved {time}", time=state.time) if state.time else tr("saved")
        else:
            text = tr("not saved: {why}", why=state.sentence) if state.sentence else tr("not saved yet")
        self.save_label.setText(text)  # elided where there is no room: the window never grows for a sentence
        role = "muted" if state.saved or not state.sentence else "warning"
        if self.save_label.property("role") != role:
            self.save_label.setProperty("role", role)
            self.save_label.style().polish(self.save_label)
        self._publish()

    def _engine(self, state: "EngineState") -> None:
        words = {"starting": tr("engine starting …"), "dead": tr("engine stopped")}
        self.device_label.setText(words.get(state.kind, state.device))
        self.device_label.setToolTip(wrapped(state.sentence))
        self.device_label.setVisible(bool(self.device_label.text()))
        self._publish()

    def _say(self, text: str) -> None:
        self.said_label.setText(text)
        if text:
            self._timer.start()
        self._publish()

    def _job_changed(self, state: "JobState") -> None:
        if state.job in _QUIET:
            return
        if state.running:
            self._jobs[state.job, state.part] = state
        else:
            self._jobs.pop((state.job, state.part), None)
        self._show_job()

    def _show_job(self) -> None:
        job = next(reversed(self._jobs.values()), None)
        self._job = job
        for widget in (self.job_label, self.job_progress):
            widget.setVisible(job is not None)
        self.job_cancel.setVisible(job is not None and job.cancellable)
        if job is None:
            self.job_label.setText("")
        else:
            left = tr(" · {t} left", t=clock(job.seconds_left)) if job.seconds_left is not None else ""
            self.job_label.setText(f"{job.text}{left}")
            self.job_progress.setRange(0, 0 if job.fraction is None else 1000)
            self.job_progress.setValue(round(1000 * (job.fraction or 0.0)))
        self._publish()

    def _cancel(self) -> None:
        if self._job is not None:
            self._session.cancel_job(self._job.job, self._job.part or None)

    def _opened(self) -> None:
        self._jobs.clear()
        self._show_job()
        self._say("")
        self.show_cursor("")
        self._saved(self._session.save_state)
