"""The pages of the training panel under their tabs, with the versions as one more; a page is made when it is seen."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QTabBar, QToolButton, QVBoxLayout, QWidget

from segstudio.text import N_, _
from segstudio.ui.window.icons import icon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QAction

    from segstudio.app.learning.effort import Effort
    from segstudio.app.learning.run_history import RunHistory, RunItem
    from segstudio.labels.model import ClassTable
    from segstudio.runs import HeldOutPicture, TrainResult
    from segstudio.ui.panels.training_classes import TrainingClasses
    from segstudio.ui.panels.training_curves import TrainingCurves
    from segstudio.ui.panels.training_effort import TrainingEffort
    from segstudio.ui.panels.training_history import TrainingHistory
    from segstudio.ui.panels.training_picture import TrainingPicture
    from segstudio.ui.window.loader import ModuleLoader

__all__ = ["TrainingPages"]

_TABS = (
    ("curves", N_("Curves")),
    ("picture", N_("Picture")),
    ("classes", N_("Classes")),
    ("history", N_("History")),
    ("effort", N_("Effort")),
)


class TrainingPages(QWidget):
    """`trainingTabs` and the page of the chosen one; the controls of the curves stand beside the tabs of that page.

    `left` says that a person went from the versions back to a page, `shownChanged` that another page or run is shown.
    """

    left = Signal()
    shownChanged = Signal()

    def __init__(
        self, curves: "TrainingCurves", versions: QWidget, library: "ModuleLoader", exports: "Sequence[QAction]"
    ) -> None:
        super().__init__()
        self._exports = exports
        self.curves, self._versions, self._library = curves, versions, library
        self._runs: RunHistory | None = None
        self._project_classes: ClassTable | None = None
        self._result: TrainResult | None = None
        self._no_picture = ""
        self.classes: TrainingClasses | None = None
        self.history: TrainingHistory | None = None
        self.picture: TrainingPicture | None = None
        self.effort: TrainingEffort | None = None
        self._efforts: Effort | None = None
        self.tabs, self.export = QTabBar(), QToolButton()
        self.stack = QStackedWidget()
        self._dress()
        self._lay_out()
        self.stack.addWidget(curves)
        self.stack.addWidget(versions)
        self.tabs.currentChanged.connect(lambda _at: self._turn())
        self.tabs.tabBarClicked.connect(self._clicked)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out controls of the curves that there is no room for."""
        super().resizeEvent(event)
        self.curves.controls.fit(self.width(), legend=self.page == "curves")

    @property
    def page(self) -> str:
        """The name of the chosen tab."""
        return _TABS[max(self.tabs.currentIndex(), 0)][0]

    @property
    def shows_versions(self) -> bool:
        """Whether the versions are shown in the place of a page."""
        return self.stack.currentWidget() is self._versions

    @property
    def shown_run(self) -> str:
        """The name of the run that Resume and exports are about: the first chosen in the history; '' for the newest."""
        return self._shown.name if self._shown is not None else ""

    @property
    def cannot_resume(self) -> str:
        """Why the run that is shown cannot be resumed, as far as that is plain to see; '' where it can."""
        run = self._shown
        if run is None or run.version:
            return ""
        return _("Run {run} made no version, so there is nothing to resume", run=run.name)

    @property
    def _shown(self) -> "RunItem | None":
        chosen = self.history.chosen if self.history is not None and self.page == "history" else ()
        return chosen[0] if chosen else None

    @property
    def plots(self) -> "tuple[QWidget, ...]":
        """The plots of the page that is shown, from left to right; none where nothing is drawn yet."""
        if self.shows_versions:
            return ()
        if self.page == "classes" and self.classes is not None:
            return (self.classes.matrix,) if self.classes.rows else ()
        if self.page == "picture":
            return (self.picture.view,) if self.picture is not None and self.picture.pictures else ()
        if self.page == "history" and self.history is not None:
            return (self.history.plot,) if self.history.chosen else ()
        if self.page == "effort" and self.effort is not None:
            return (self.effort.changed_plot, self.effort.minutes_plot) if self.effort.changed_plot.series else ()
        return (self.curves.loss_plot, self.curves.iou_plot) if self.curves.loss_plot.series else ()

    def turn_to(self, name: str) -> None:
        """Show a page."""
        self.tabs.setCurrentIndex([each for each, _words in _TABS].index(name))
        self._turn()

    def show_versions(self, shown: bool) -> None:
        """Show the versions, or the chosen page again."""
        if shown:
            self.stack.setCurrentWidget(self._versions)
            self.curves.controls.hide()
        else:
            self._turn()

    def follow(self, runs: "RunHistory | None", effort: "Effort | None") -> None:
        """Show the runs and the effort of a project, initially none."""
        self._runs, self._efforts = runs, effort
        self.clear()
        if self.history is not None:
            self.history.follow(runs)
        if self.effort is not None:
            self.effort.follow(effort)

    def clear(self) -> None:
        """Show that there is no run."""
        self._result = None
        self.curves.clear()
        self.start("")
        if self.classes is not None:
            self.classes.clear()

    def start(self, no_picture: str) -> None:
        """A run begins that has no picture yet, or will have none, and why."""
        self._no_picture = no_picture
        if self.picture is not None:
            self.picture.clear(no_picture)

    def show_picture(self, picture: "HeldOutPicture", classes: "ClassTable") -> None:
        """Show how the run sees a held-out image now."""
        self._made_picture().show_picture(picture, classes)

    def end(self, result: "TrainResult", classes: "ClassTable") -> None:
        """A run has a result."""
        self._result, self._project_classes = result, classes
        self.curves.end(result, classes)
        if self.classes is not None:
            self.classes.show_result(result, classes)

    def _dress(self) -> None:
        self.tabs.setObjectName("trainingTabs")
        self.tabs.setAccessibleName(_("Pages of the training panel"))
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(False)
        buttons = self.tabs.findChildren(QToolButton)  # they are never shown, and their words are Qt's
        for button, words in zip(buttons, (_("Pages before"), _("Pages after")), strict=True):
            button.setAccessibleName(words)
        self.tabs.setElideMode(Qt.TextElideMode.ElideRight)
        for _name, words in _TABS:
            self.tabs.addTab(_(words))
        self.export.setObjectName("trainingExport")
        self.export.setProperty("role", "icon")
        self.export.setIcon(icon("export"))
        self.export.setToolTip(_("Export curves and figures as CSV, or plots as PNG"))
        self.export.setAccessibleName(_("Export curves, figures or plots"))
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.export)
        menu.setObjectName("trainingExportMenu")
        menu.addActions(self._exports)
        self.export.setMenu(menu)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(0, 0, 0, 0)
        bar.addWidget(self.tabs)
        bar.addStretch(1)
        bar.addWidget(self.curves.controls)
        bar.addWidget(self.export)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(bar)
        column.addWidget(self.stack, 1)

    def _clicked(self, _at: int) -> None:
        """A click on the chosen tab, too, leaves the versions."""
        if self.shows_versions:
            self.left.emit()

    def _turn(self) -> None:
        page = self._made(self.page)
        self.stack.setCurrentWidget(page)
        self.curves.controls.setVisible(page in (self.curves, self.history))
        self.curves.controls.fit(self.width(), legend=page is self.curves)
        self.shownChanged.emit()

    def _made(self, name: str) -> QWidget:
        if name == "classes":
            return self.classes_page()
        if name == "picture":
            return self._made_picture()
        if name == "effort":
            return self._made_effort()
        return self._made_history() if name == "history" else self.curves

    def classes_page(self) -> "TrainingClasses":
        """The page of classes, made if nobody has seen it yet."""
        if self.classes is None:
            from segstudio.ui.panels.training_classes import TrainingClasses

            self.classes = TrainingClasses()
            self.stack.addWidget(self.classes)
            if self._result is not None and self._project_classes is not None:
                self.classes.show_result(self._result, self._project_classes)
        return self.classes

    def _made_history(self) -> QWidget:
        if self.history is None:
            from segstudio.ui.panels.training_history import TrainingHistory

            self.history = TrainingHistory(self._library)
            self.stack.addWidget(self.history)
            self.history.set_look(self.curves.controls.look)
            self.curves.controls.changed.connect(self.history.set_look)
            self.history.chosenChanged.connect(self.shownChanged)
            self.history.follow(self._runs)
        self._library.load()
        return self.history

    def _made_effort(self) -> QWidget:
        if self.effort is None:
            from segstudio.ui.panels.training_effort import TrainingEffort

            self.effort = TrainingEffort(self._library)
            self.stack.addWidget(self.effort)
            self.effort.follow(self._efforts)
        self._library.load()
        return self.effort

    def _made_picture(self) -> "TrainingPicture":
        if self.picture is None:
            from segstudio.ui.panels.training_picture import TrainingPicture

            self.picture = TrainingPicture()
            self.stack.addWidget(self.picture)
            self.picture.clear(self._no_picture)
        return self.picture
