"""The pages of the training panel under their tabs, with the versions as one more; a page is made when it is seen."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from segstudio.text import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable

    from segstudio.labels.model import ClassTable
    from segstudio.runs import TrainResult
    from segstudio.ui.panels.training_classes import TrainingClasses
    from segstudio.ui.panels.training_curves import TrainingCurves

__all__ = ["TrainingPages"]

_TABS = (("curves", N_("Curves")), ("classes", N_("Classes")))


class TrainingPages(QWidget):
    """`trainingTabs` and the page of the chosen one; the controls of the curves stand beside the tabs of that page.

    `left` says that a person went from the versions back to a page.
    """

    left = Signal()

    def __init__(self, curves: "TrainingCurves", versions: QWidget) -> None:
        super().__init__()
        self.curves, self._versions = curves, versions
        self._project_classes: Callable[[], ClassTable] | None = None
        self._result: TrainResult | None = None
        self.classes: TrainingClasses | None = None
        self.tabs = QTabBar()
        self.stack = QStackedWidget()
        self._dress()
        self._lay_out()
        self.stack.addWidget(curves)
        self.stack.addWidget(versions)
        self.tabs.currentChanged.connect(lambda _at: self._turn())
        self.tabs.tabBarClicked.connect(self._clicked)

    @property
    def page(self) -> str:
        """The name of the chosen tab."""
        return _TABS[max(self.tabs.currentIndex(), 0)][0]

    @property
    def shows_versions(self) -> bool:
        """Whether the versions are shown in the place of a page."""
        return self.stack.currentWidget() is self._versions

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

    def clear(self) -> None:
        """Show that there is no run."""
        self._result = None
        self.curves.clear()
        if self.classes is not None:
            self.classes.clear()

    def end(self, result: "TrainResult", classes: "ClassTable") -> None:
        """A run has a result."""
        self._result, self._project_classes = result, lambda: classes
        self.curves.end(result, classes)
        if self.classes is not None:
            self.classes.show_result(result, classes)

    def _dress(self) -> None:
        self.tabs.setObjectName("trainingTabs")
        self.tabs.setAccessibleName(_("Pages of the training"))
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideRight)
        for _name, words in _TABS:
            self.tabs.addTab(_(words))

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(0, 0, 0, 0)
        bar.addWidget(self.tabs)
        bar.addStretch(1)
        bar.addWidget(self.curves.controls)
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
        self.curves.controls.setVisible(page is self.curves)

    def _made(self, name: str) -> QWidget:
        if name == "classes":
            return self._made_classes()
        return self.curves

    def _made_classes(self) -> QWidget:
        if self.classes is None:
            from segstudio.ui.panels.training_classes import TrainingClasses

            self.classes = TrainingClasses()
            self.stack.addWidget(self.classes)
            if self._result is not None and self._project_classes is not None:
                self.classes.show_result(self._result, self._project_classes())
        return self.classes
