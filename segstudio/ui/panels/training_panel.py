"""The training panel: live curves, key figures, the held-out groups, Stop, and the result."""

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from segstudio.app.learning.curves import curves_of
from segstudio.app.learning.run_progress import seconds_left, share_done
from segstudio.app.values import JobKind, NoticeKind
from segstudio.text import _
from segstudio.ui.panels.after_gesture import AfterGesture
from segstudio.ui.panels.training_curves import TrainingCurves
from segstudio.ui.panels.training_head import TrainingHead
from segstudio.ui.panels.training_pages import TrainingPages
from segstudio.ui.panels.training_versions import TrainingVersions
from segstudio.ui.panels.training_words import (
    FIRST,
    keeping_words,
    short_verdict,
    step_words,
    unmade_words,
    verdict_words,
)
from segstudio.ui.text import version_words
from segstudio.ui.window.loader import ModuleLoader

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QAction

    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.values import LastRun, Notice
    from segstudio.runs import Event, HeldOutPicture, Preparing, Started, Stepped, TrainResult

__all__ = ["TrainingPanel"]

T = TypeVar("T")

_WINDOW = 24
_SHOW_MS = 150
_EXPORTS = ("export-curves", "export-class-figures", "export-plots")


class TrainingPanel(QFrame):
    """`trainingPanel` with `lossPlot`, `iouPlot`, `stopTrainingButton`, `versionsButton`, `trainingFold`.

    It shows the events of runs, and asks for Stop or for another version. It is `folded` to one line until there is a
    run, or in a small window until a person unfolds it.
    """

    foldChanged = Signal(bool)

    def __init__(self, session: "Session", action: "Callable[[str], QAction]") -> None:
        super().__init__()
        stop, versions = action("stop-training"), action("versions")
        self._project: OpenedProject | None = None
        self.setObjectName("trainingPanel")
        self.setProperty("role", "panel")
        self.setAccessibleName(_("Training"))
        self.library = ModuleLoader("pyqtgraph", self)
        self.curves = TrainingCurves(self.library)
        self.head = TrainingHead(stop, action("discard-training"), action("resume-training"), versions)
        self.versions = TrainingVersions(session)
        self.folded = False
        self._ran = False
        self._cramped = False
        self._unfolded: bool | None = None
        self.pages = TrainingPages(self.curves, self.versions, self.library, [action(name) for name in _EXPORTS])
        self._versions_action = versions
        self._arrange()
        self._stopping = self._discarding = self._has_versions = False
        self._said, self._verdict = _(FIRST), ""
        self._shown_version = ""
        self._begun_at: int | None = None
        self._steps = 0
        self._max_seconds: float | None = None
        self._recent: deque[Stepped] = deque(maxlen=_WINDOW)
        self._patience = AfterGesture(self._is_painting, self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SHOW_MS)
        self._timer.timeout.connect(self._show_numbers)
        self.head.stop.clicked.connect(session.stop_training)
        self.head.stop.clicked.connect(self._stop_asked)
        stop.triggered.connect(self._stop_asked)
        for ending in (stop, action("discard-training")):
            ending.enabledChanged.connect(self._refresh_stop)
        session.notices.told.connect(self._told)
        self.head.fold.clicked.connect(self._fold_clicked)
        self.pages.left.connect(versions.trigger)
        self.pages.shownChanged.connect(self._allow_resume)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the runs of this project, initially none."""
        self._project = project
        if project is not None:
            training = project.training
            training.happened.connect(partial(self._later, self._event))
            training.finished.connect(partial(self._later, self._finished))
            training.discarded.connect(partial(self._later, self._discarded))
            training.pictured.connect(partial(self._later, self._pictured))
            training.runningChanged.connect(partial(self._later, self._running))
            project.versions.changed.connect(self._name_proposer)
            project.versions.runRead.connect(self._show_last_run)
            project.runs.changed.connect(self._mark_kept)
            project.keep_learning.changed.connect(self._keeps)
        self._patience.forget()
        self._ran, self._unfolded, self._begun_at = False, None, None
        self._end()
        self._versions_action.setChecked(False)
        self.show_versions(False)
        self._name_proposer()
        self.pages.follow(*(None, None) if project is None else (project.runs, project.effort))
        self._recent.clear()
        self._verdict = ""
        self._say(_(FIRST))

    @property
    def _is_ending(self) -> bool:
        return self._stopping or self._discarding

    @property
    def _is_training(self) -> bool:
        return self._project is not None and self._project.training.running

    def _is_painting(self) -> bool:
        return self._project is not None and self._project.documents.gesture_active

    def _later(self, show: "Callable[[T], None]", what: T) -> None:
        """Show what a run tells, in its order, when the hand has finished."""
        self._patience.do(partial(show, what))

    def close_threads(self) -> None:
        """End the threads that the panel started."""
        self.library.close()

    def _arrange(self) -> None:
        column = self._column = QVBoxLayout(self)
        column.setSpacing(4)
        column.addWidget(self.head)
        column.addWidget(self.pages, 1)

    # -- folding -----------------------------------------------------------------------------------------------------

    def set_cramped(self, cramped: bool) -> None:
        """Set whether the window is too small for curves that nobody asked for."""
        self._cramped = cramped
        self._fold()

    def _fold_clicked(self) -> None:
        self._unfolded = self.folded
        if self.folded is False and self.head.versions.isChecked():
            self._versions_action.trigger()
        self._fold()

    def _fold(self) -> None:
        """Fold to one line before the first run or in a small window, unless a person has chosen otherwise."""
        automatic = self._ran and not self._cramped
        unfolded = self.head.versions.isChecked() or (automatic if self._unfolded is None else self._unfolded)
        keeping = self._project is not None and self._project.keep_learning.on
        self.head.show_fold(unfolded=unfolded, training=self._is_training, keeping=keeping, ran=self._ran)
        self.pages.setVisible(unfolded)
        self._column.setContentsMargins(12, 4 if unfolded else 0, 12 if unfolded else 4, 12 if unfolded else 0)
        if self.folded is unfolded:
            self.folded = not unfolded
            self.foldChanged.emit(self.folded)

    def fold_as_usual(self) -> None:
        """Forget what a person has folded or unfolded."""
        self._unfolded = None
        self._fold()

    def _has_run(self) -> None:
        self._ran = True
        self._fold()

    # -- the line ----------------------------------------------------------------------------------------------------

    def _say(self, words: str) -> None:
        """Say how the run is doing, or what became of it; and that learning goes on by itself, where it does."""
        self._said = words
        keeping = self._project.keep_learning if self._project is not None else None
        if keeping is not None and keeping.on and not self._is_ending and (keeping.number or not self._is_training):
            words = keeping_words(keeping, words, self._verdict, ran=self._ran)
        self.head.say(words)

    def _keeps(self) -> None:
        """Learning goes on by itself, or no longer, or it waits for something else."""
        self._say(self._said)
        self._fold()

    # -- versions ----------------------------------------------------------------------------------------------------

    def show_versions(self, shown: bool) -> None:
        """Show the versions instead of the curves, or the curves again."""
        self.head.versions.setChecked(shown)
        self.pages.show_versions(shown)
        self._fold()
        self.versions.refresh()

    def _name_proposer(self) -> None:
        items = self._project.versions.items() if self._project is not None else ()
        current = next((item for item in items if item.current), None)
        self.head.name_proposer(current.name if current is not None else None)
        self._has_versions = len(items) > 1
        self._allow_resume()

    def _figure_of(self, version: str) -> float | None:
        """Mean IoU of a version when it was measured last, on what was held out then."""
        items = self._project.versions.items() if self._project is not None else ()
        return next((item.now for item in items if item.name == version), None)

    def _show_last_run(self, run: "LastRun") -> None:
        """Show the curves of the newest run after the project was opened again."""
        if self._is_training:
            self._show_before(run)
        if self._is_training or self._recent:
            return
        for event in run.events:
            self._event(event)
        self.pages.start(_("Pictures are not kept; they appear during the next run"))
        self._show_numbers()
        self._end()
        if run.result is not None:
            self._finished(run.result)
        if run.unmade:
            self._has_run()
            self._say(unmade_words(run))

    def _show_before(self, run: "LastRun") -> None:
        """Put the curves of the run that was resumed before what it makes now."""
        if run.result is None and self._project is not None:
            earlier = curves_of(run.events)
            if self._begun_at is not None:
                earlier.go_back(self._begun_at)
            self.curves.put_before(earlier, self._project.documents.classes)

    # -- stop --------------------------------------------------------------------------------------------------------

    def _stop_asked(self) -> None:
        """Show that the run is stopping: it still finishes its step and measures the best result."""
        if self._is_training:
            self._stopping = True
            self._refresh_stop()
            self._say(_("Stopping …"))

    def discard(self) -> None:
        """Discard the run, and show that at once."""
        if self._is_training and self._project is not None:
            self._project.keep_learning.end()
            self._project.training.discard()
            self._discarding = True
            self._refresh_stop()
            self._say(_("Discarding …"))

    def _discarded(self, sentence: str) -> None:
        self._end()
        self._say(sentence)
        if self._project is not None:
            self._project.runs.refresh()

    def _allow_resume(self) -> None:
        none = "" if self._has_versions else _("No run has made a version yet, so there is nothing to resume")
        self.head.allow_resume(none or self.pages.cannot_resume)

    def _refresh_stop(self) -> None:
        self.head.allow_stop(stopping=self._stopping, discarding=self._discarding)

    # -- events ------------------------------------------------------------------------------------------------------

    def _event(self, event: "Event") -> None:
        # Imported here because they need msgspec, which takes a tenth of the time until the first window is idle.
        from segstudio.runs import Evaluated, Finished, Preparing, Started, Stepped

        self._has_run()
        if isinstance(event, Preparing):
            self._prepares(event)
        elif isinstance(event, Started):
            self._started(event)
        elif isinstance(event, Stepped):
            self.curves.step(event)
            self._recent.append(event)
            if not self._timer.isActive():
                self._timer.start()
        elif isinstance(event, Evaluated):
            classes = self._project.documents.classes if self._project is not None else None
            self.curves.evaluate(event, classes)
        elif isinstance(event, Finished) and not self._discarding:
            self._timer.stop()  # or the last step would be shown in its place
            self._show_numbers()
            self._say(
                _("Stopping · comparing with the previous version on the same held-out pixels …")
                if self._stopping
                else _("Comparing with the previous version on the same held-out pixels …")
            )

    def _pictured(self, picture: "HeldOutPicture") -> None:
        if self._project is not None:
            self.pages.show_picture(picture, self._project.documents.classes)

    def _prepares(self, event: "Preparing") -> None:
        """Show what is done between the click and the first step, and the progress."""
        self.head.show_busy(event.done, event.total)
        if not self._is_ending:
            self._say(event.text)

    def _started(self, event: "Started") -> None:
        self._shown_version, self._begun_at = "", event.step
        held_out = event.held_out_groups or event.optimistic
        if not event.step:
            self.pages.start("" if held_out else _("Nothing is held out, so there is no picture to show"))
        self.curves.start(event, self._figure_of(event.parent))
        self._recent.clear()
        self._steps, self._max_seconds = event.steps, event.max_seconds
        self.head.show_share(0.0)
        self.head.progress.setVisible(True)
        if not self._is_ending:
            self._say(
                _("Learning, starting from {version} …", version=version_words(event.parent))
                if event.parent
                else _("Learning …")
            )

    def _show_numbers(self) -> None:
        if not self._recent:
            return
        first, last = self._recent[0], self._recent[-1]
        span = last.seconds - first.seconds
        rate = (last.step - first.step) / span if span > 0 else 0.0
        left = seconds_left(last, self._steps, self._max_seconds, rate)
        self.curves.facts.show_step(last, rate or None, left)
        self.head.show_share(share_done(last, self._steps, self._max_seconds))
        if self._is_ending:
            return
        in_round = self._project is not None and self._project.keep_learning.number > 0
        self._say(step_words(last.step, self._steps, left, inside=in_round))

    # -- the end -----------------------------------------------------------------------------------------------------

    def _finished(self, result: "TrainResult") -> None:
        if self._project is None:
            return
        self._has_run()
        self._end()
        self.pages.end(result, self._project.documents.classes)
        self._shown_version = result.version
        self._project.runs.refresh()
        self._verdict = short_verdict(result)
        self._say(verdict_words(result))

    def _mark_kept(self) -> None:
        """Mark the step of the curves whose weights were kept, once the plan of their run has been read."""
        items = self._project.runs.items if self._project is not None else ()
        plan = next((item.plan for item in items if item.version and item.version == self._shown_version), None)
        self.curves.iou_plot.set_kept(None if plan is None else plan.kept_at)

    def _told(self, notice: "Notice") -> None:
        if notice.job is JobKind.TRAIN and notice.kind is NoticeKind.FAILURE:
            self._end()
            self._say(_("The run did not begin") if self._begun_at is None else _("The run did not finish"))

    def _running(self, running: bool) -> None:
        if not running:
            was_stopping = self._stopping
            self._end()
            if was_stopping:
                self._say(_("Stopped"))
            return
        self.library.load()
        if not self.head.progress.isVisibleTo(self):
            self.head.show_busy()
        self._has_run()
        self._recent.clear()
        self._begun_at = None
        self._say(_("Fine-tuning"))

    def _end(self) -> None:
        self._stopping = self._discarding = False
        self._refresh_stop()
        self._timer.stop()
        if self._recent:
            self.curves.facts.show_step(self._recent[-1], None, None)
        self.head.progress.setVisible(False)
        self._fold()
