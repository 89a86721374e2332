"""The line above the training panel: how the run is doing, its progress, and the buttons that end it or go on."""

from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QToolButton, QWidget

from segstudio.text import _
from segstudio.ui.panels.controls import ElidedLabel, role_label
from segstudio.ui.panels.training_words import FIRST
from segstudio.ui.text import beside_icon, version_words
from segstudio.ui.window.icons import icon

__all__ = ["TrainingHead"]

_PROGRESS_W = 96
_ROOMY_W, _NARROW_W = 900, 560


class TrainingHead(QWidget):
    """`trainingState`, `trainingProgress`, `versionsButton`, `resumeTrainingButton`, `stopTrainingButton`,
    `discardTrainingButton`, `trainingFold`.

    It shows what it is told and decides nothing.
    """

    def __init__(self, stop: QAction, discard: QAction, resume: QAction, versions: QAction) -> None:
        super().__init__()
        self._stop_action, self._discard_action, self._resume_action = stop, discard, resume
        self._no_resume = ""
        self.state = ElidedLabel(_(FIRST))
        self.progress = QProgressBar()
        self.stop = QPushButton(icon("stop"), beside_icon(_("Stop")))
        self.discard = QPushButton(_("Discard"))
        self.resume = QPushButton(_("Resume"))
        self.versions = QPushButton(_("Versions"))
        self.fold = QToolButton()
        self._unfolded = self._training = self._keeping = self._ran = False
        self._dress()
        self._lay_out()
        self.versions.clicked.connect(versions.trigger)
        self.discard.clicked.connect(discard.trigger)
        self.resume.clicked.connect(resume.trigger)
        self._follow_resume(resume)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say on the button what Stop does, where there is room."""
        super().resizeEvent(event)
        self._fit()

    def say(self, words: str) -> None:
        """Say how the run is doing."""
        if words != self.state.text():
            self.state.setText(words)

    def show_busy(self, done: int = 0, total: int = 0) -> None:
        """Show how far something is that comes before the first step; `total` is 0 where nobody knows."""
        self.progress.setRange(0, total)
        self.progress.setValue(min(done, total))
        self.progress.setVisible(True)

    def show_share(self, share: float) -> None:
        """Show how much of the run is over, from 0 to 1."""
        self.progress.setRange(0, 1000)
        self.progress.setValue(round(1000 * share))

    def name_proposer(self, name: str | None) -> None:
        """Show which version makes the proposals; None where nothing does."""
        self.versions.setEnabled(name is not None)
        words = _("Versions") if name is None else _("Proposals: {version}", version=version_words(name))
        self.versions.setText(words)

    def allow_stop(self, *, stopping: bool, discarding: bool) -> None:
        """A run that is stopping cannot be stopped again, but it can still be discarded."""
        self.stop.setEnabled(self._stop_action.isEnabled() and not stopping and not discarding)
        self.discard.setEnabled(self._discard_action.isEnabled() and not discarding)

    def allow_resume(self, why_not: str) -> None:
        """Let a run be resumed, or say on the button why there is none."""
        self._no_resume = why_not
        self.resume.setEnabled(self._resume_action.isEnabled() and not why_not)
        self.resume.setToolTip(why_not or self._resume_action.toolTip())

    def show_fold(self, *, unfolded: bool, training: bool, keeping: bool, ran: bool) -> None:
        """Show what one line has room for, or everything. `keeping`: learning goes on by itself, and can be stopped
        where it waits too. `ran`: there is a run that could be resumed.
        """
        self._unfolded, self._training, self._keeping, self._ran = unfolded, training, keeping, ran
        self._fit()
        words = _("Fold the training panel to one line") if unfolded else _("Show curves and figures")
        self.fold.setIcon(icon("chevron-down" if unfolded else "chevron-right"))
        self.fold.setToolTip(words)
        self.fold.setAccessibleName(words)

    def _fit(self) -> None:
        """Show what there is room for: one line, and a narrow panel, have none for versions beside a run."""
        training, unfolded = self._training, self._unfolded
        keeps = training and self.width() >= _ROOMY_W
        self.stop.setText(beside_icon(_("Stop and keep the best") if keeps else _("Stop")))
        resumes = unfolded and self._ran and not (training or self._keeping)
        self.stop.setVisible(training or self._keeping or (unfolded and not resumes))
        self.resume.setVisible(resumes)
        self.discard.setVisible(unfolded and training)
        self.versions.setVisible(not training or (unfolded and self.width() >= _NARROW_W))

    def _dress(self) -> None:
        self.state.setObjectName("trainingState")
        self.state.setProperty("role", "muted")
        self.stop.setObjectName("stopTrainingButton")
        self.stop.setToolTip(self._stop_action.toolTip())
        self.stop.setAccessibleName(_("Stop training"))
        self.stop.setEnabled(self._stop_action.isEnabled())
        self.discard.setObjectName("discardTrainingButton")
        self.discard.setToolTip(self._discard_action.toolTip())
        self.discard.setAccessibleName(_("Discard the run"))
        self.versions.setObjectName("versionsButton")
        self.versions.setCheckable(True)
        self.versions.setToolTip(
            _("The version that proposes. Click to see every version with its figures and to choose another")
        )
        self.versions.setAccessibleName(_("Versions"))
        self.versions.setEnabled(False)
        for button in (self.versions, self.resume, self.stop, self.discard):
            button.setProperty("role", "slim")
        self.fold.setObjectName("trainingFold")
        self.fold.setProperty("role", "icon")
        self.fold.setFixedSize(26, 26)
        self.progress.setObjectName("trainingProgress")
        self.progress.setAccessibleName(_("Progress of training"))
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1000)
        self.progress.setFixedWidth(_PROGRESS_W)
        self.progress.setToolTip(_("You can close the window: the run goes on when the project is opened again"))
        self.progress.setVisible(False)

    def _follow_resume(self, action: QAction) -> None:
        self.resume.setObjectName("resumeTrainingButton")
        self.resume.setAccessibleName(_("Resume the run"))
        self.allow_resume("")
        action.enabledChanged.connect(lambda _enabled: self.allow_resume(self._no_resume))

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(role_label(_("Training"), "title"))
        row.addWidget(self.state, 1)
        for part in (self.progress, self.versions, self.resume, self.stop, self.discard, self.fold):
            row.addWidget(part)
