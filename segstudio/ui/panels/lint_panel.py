"""The panel of the check of labels: what was found, by kind; click to go there, mend one or all of a kind."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QHideEvent, QIcon, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from segstudio.labels.lint.finding import LintKind
from segstudio.labels.model import ClassTable
from segstudio.text import _
from segstudio.ui.panels.controls import Choice, ElidedLabel, role_label
from segstudio.ui.panels.lint_model import KIND_WORDS, LintModel
from segstudio.ui.panels.lint_view import LintView
from segstudio.ui.text import wrapped
from segstudio.ui.window.icons import icon

if TYPE_CHECKING:
    from segstudio.app.editing.lint import Lint
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.labels.lint.finding import Finding

__all__ = ["LintPanel"]

_LOWEST_PX = 20
_LEAST_H, _KIND_FROM_H, _TWO_ROWS_FROM_H = 66, 120, 240
"""In a low window the list has the room of what is above it: the button is an icon beside the filter, then both go."""


class LintPanel(QFrame):
    """`lintPanel`: the filter `lintKind`, `findMistakesButton`, `lintList`, `lintProgress`, and the buttons `lintMend`
    and `lintMendAll`, or, of a probable mistake, `lintKeep`.
    """

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._project: OpenedProject | None = None
        self._shown: tuple[Finding, ...] | None = None
        self.setObjectName("lintPanel")
        self.setProperty("role", "panel")
        self.setAccessibleName(_("Check of labels"))
        self.model = LintModel()
        self.view = LintView(self.model)
        self.kind = Choice()
        self.progress = ElidedLabel()
        self.nothing = role_label("", "muted")
        self.find_button = QPushButton()
        self.mend_button = QPushButton(_("Mend"))
        self.mend_all_button = QPushButton(_("Mend all"))
        self.keep_button = QPushButton(_("Keep"))
        self._dress()
        self._lay_out()
        self.kind.activated.connect(lambda _place: self._filter())
        self.view.chosen.connect(self._go_to)
        self.mend_button.clicked.connect(lambda: self._project and self._project.lint.mend_chosen())
        self.mend_all_button.clicked.connect(self._mend_all)
        self.keep_button.clicked.connect(lambda: self._project and self._project.lint.keep_chosen())
        self.find_button.clicked.connect(self._find_or_stop)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Check the labels of this project."""
        self._project, self._shown = project, None
        if project is not None:
            project.lint.changed.connect(self._show)
            project.lint.watch(self.isVisible())
        self.kind.setCurrentIndex(0)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        """Labels are checked while the list is seen."""
        super().showEvent(event)
        if self._project is not None:
            self._project.lint.watch(True)
        self._show()

    def minimumSizeHint(self) -> QSize:
        """As low as the buttons and a part of a row: the image needs the room."""
        return QSize(super().minimumSizeHint().width(), _LEAST_H)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the list the room of what is above it where there is little; the filter of one kind alone stays."""
        super().resizeEvent(event)
        self.kind.setVisible(self.height() >= _KIND_FROM_H or self.kind.currentIndex() > 0)
        self.find_button.setVisible(self.height() >= _KIND_FROM_H)
        direction = QBoxLayout.Direction
        self._top.setDirection(direction.TopToBottom if self._two_rows else direction.RightToLeft)
        self._enable_search()

    @property
    def _two_rows(self) -> bool:
        return self.height() >= _TWO_ROWS_FROM_H

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing is checked for a list that nobody sees."""
        super().hideEvent(event)
        if self._project is not None:
            self._project.lint.watch(False)

    # -- made once ---------------------------------------------------------------------------------------------------

    def _dress(self) -> None:
        self.kind.setObjectName("lintKind")
        self.kind.setAccessibleName(_("Kind of the findings shown"))
        self.kind.setToolTip(_("Show the findings of one kind only"))
        self.kind.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.kind.setMinimumContentsLength(6)
        self.progress.setObjectName("lintProgress")
        self.progress.setProperty("role", "muted")
        self.nothing.setObjectName("lintNothing")
        self.nothing.setWordWrap(True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.nothing.setContentsMargins(16, 24, 16, 16)
        self.mend_button.setObjectName("lintMend")
        self.mend_all_button.setObjectName("lintMendAll")
        self.keep_button.setObjectName("lintKeep")
        self.keep_button.hide()
        self.keep_button.setToolTip(_("The label is right: take this off the list, and show the next probable mistake"))
        self.find_button.setObjectName("findMistakesButton")
        for button in (self.mend_button, self.mend_all_button, self.keep_button, self.find_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._enable_search()

    def _lay_out(self) -> None:
        self._top = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._top.setContentsMargins(8, 6, 8, 4)
        self._top.setSpacing(6)
        self._top.addWidget(self.find_button)
        self._top.addWidget(self.kind, 1)
        body = QWidget()
        body.setMinimumHeight(_LOWEST_PX)  # in a low window the image needs the room
        self._body = QStackedLayout(body)
        self._body.addWidget(self.view)
        self._body.addWidget(self.nothing)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(8, 4, 8, 8)
        buttons.setSpacing(8)
        buttons.addWidget(self.mend_button, 1)
        buttons.addWidget(self.mend_all_button, 1)
        buttons.addWidget(self.keep_button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._top)
        column.addWidget(body, 1)
        column.addWidget(self.progress)
        column.addLayout(buttons)
        self.progress.setContentsMargins(8, 2, 8, 2)

    # -- what is shown -----------------------------------------------------------------------------------------------

    def _show(self) -> None:
        if not self.isVisible():
            return
        lint = self._lint
        findings = lint.findings if lint is not None else ()
        if findings is not self._shown:
            self._shown = findings
            at = self.view.verticalScrollBar().value()
            project = self._project
            if project is not None:
                counts, classes = project.lint.counts, project.documents.classes
                self.model.show(findings, counts, classes, project.navigation.name_of)
            else:
                self.model.show((), {}, ClassTable(()), str)
            self._list_kinds()
            self.view.verticalScrollBar().setValue(at)
        self._mark_chosen()
        self._say()
        self._enable()

    @property
    def _lint(self) -> "Lint | None":
        return None if self._project is None else self._project.lint

    def _list_kinds(self) -> None:
        """The kinds that there are findings of, with how many; the chosen one stays while it has any."""
        chosen, counts = self.kind.currentData(), self._lint.counts if self._lint is not None else {}
        self.kind.clear()
        every = f"{sum(counts.values()):,}"
        self.kind.addItem(_("All kinds ({n})", n=every) if counts else _("All kinds"), None)
        for kind, number in counts.items():
            self.kind.addItem(_("{kind} ({n})", kind=_(KIND_WORDS[kind]), n=f"{number:,}"), kind)
        place = max(self.kind.findData(chosen) if chosen is not None else 0, 0)
        self.kind.setCurrentIndex(place)
        self.model.choose(self.kind.currentData())

    def _filter(self) -> None:
        self.model.choose(self.kind.currentData())
        self._mark_chosen()
        self._enable()

    def _mark_chosen(self) -> None:
        """The finding that is looked at is selected, and in view where it is another one than before."""
        lint = self._lint
        row = self.model.row_of(lint.place) if lint is not None and lint.chosen is not None else -1
        index = self.model.index(row, 0)
        if row < 0:
            self.view.clearSelection()
        elif index != self.view.currentIndex() or not self.view.selectionModel().isSelected(index):
            self.view.setCurrentIndex(index)
            self.view.scrollTo(index)

    def _say(self) -> None:
        lint = self._lint
        number = len(lint.findings) if lint is not None else 0
        self._body.setCurrentWidget(self.view if number else self.nothing)
        looks = lint.looks if lint is not None else None
        under_way = looks is not None and not looks.complete
        if looks is None or not looks.total:
            self.nothing.setText(_("There are no images to check."))
        elif under_way:
            self.nothing.setText(_("Checking the labels …"))
        else:
            self.nothing.setText(_("No faults were found in the labels."))
        progress = self._progress
        self.progress.setText(progress)
        self.progress.setVisible(bool(progress))

    @property
    def _progress(self) -> str:
        """How far the search for mistakes is, else the check."""
        lint = self._lint
        if lint is None:
            return ""
        mistakes, looks = lint.mistakes, lint.looks
        if mistakes.waits:
            return _("Waiting for the run to end …")
        if mistakes.searching:
            done, total = f"{mistakes.done:,}", f"{mistakes.total:,}"
            return _("Compared {done} of {total} …", done=done, total=total) if mistakes.total else _("Comparing …")
        if looks.complete or not looks.total:
            return ""
        return _("Checked {known} of {total} images …", known=f"{looks.known:,}", total=f"{looks.total:,}")

    # -- what is done ------------------------------------------------------------------------------------------------

    def _go_to(self, row: int) -> None:
        found = self.model.finding(row)
        if found is not None and self._lint is not None:
            self._lint.choose(found)

    @property
    def _kind_meant(self) -> LintKind | None:
        """What 'all' means: the kind shown alone, else that of the chosen finding."""
        only = self.kind.currentData()
        if only is not None or self._lint is None or self._lint.chosen is None:
            return None if only is None else LintKind(only)
        return self._lint.chosen.kind

    def _mend_all(self) -> None:
        if self._lint is not None and self._kind_meant is not None:
            self._lint.mend_all(self._kind_meant)

    def _find_or_stop(self) -> None:
        mistakes = self._lint.mistakes if self._lint is not None else None
        if mistakes is not None and mistakes.searching:
            mistakes.stop()
        elif mistakes is not None:
            mistakes.search()

    def _enable_search(self) -> None:
        searching = self._lint is not None and self._lint.mistakes.searching
        self.find_button.setEnabled(self._lint is not None)
        words = _("Stop the search") if searching else _("Find label mistakes")
        self.find_button.setAccessibleName(words)
        self.find_button.setText(words if self._two_rows else "")
        self.find_button.setIcon(QIcon() if self._two_rows else icon("stop" if searching else "search"))
        tip = (
            _("Stop the search for label mistakes; what was found so far is listed")
            if searching
            else _("Find label mistakes: where a model that learned from the other images is sure of another class")
        )
        self.find_button.setToolTip(wrapped(tip))

    def _enable(self) -> None:
        self._enable_search()
        lint, kind = self._lint, self._kind_meant
        chosen = lint.chosen if lint is not None else None
        removes, doubts = kind is LintKind.UNUSED_CLASS, kind is LintKind.MISTAKE
        self.mend_all_button.setVisible(not doubts)
        self.keep_button.setVisible(doubts)
        self.keep_button.setEnabled(chosen is not None and chosen.kind is LintKind.MISTAKE)
        self.mend_button.setText(_("Remove") if removes else _("Accept") if doubts else _("Mend"))
        self.mend_all_button.setText(_("Remove all") if removes else _("Mend all"))
        one = lint is not None and chosen is not None and lint.can_mend(chosen.kind)
        self.mend_button.setEnabled(one)
        does = (
            _("Give it the class that it looks like; undo takes it back")
            if doubts
            else _("Mend the chosen finding; undo takes it back")
        )
        self.mend_button.setToolTip(does if one else self._why_not(chosen.kind if chosen else None))
        every = lint is not None and kind is not None and lint.can_mend(kind)
        self.mend_all_button.setEnabled(every)
        tip = self._why_not(kind)
        if lint is not None and kind is not None and every:
            number, words = f"{lint.counts.get(kind, 0):,}", _(KIND_WORDS[kind])
            tip = _(
                "Mend all findings of the kind '{kind}': {n}; undo takes them back in one step", kind=words, n=number
            )
        self.mend_all_button.setToolTip(wrapped(tip))

    def _why_not(self, kind: LintKind | None) -> str:
        """Why nothing can be mended."""
        lint = self._lint
        if lint is None or kind is None:
            return _("Choose a finding first.")
        return wrapped(lint.why_not(kind))
