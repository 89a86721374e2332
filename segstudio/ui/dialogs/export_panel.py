"""The export panel above the image: choose format and folder, export while painting goes on, and see the result."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QToolButton, QVBoxLayout

from segstudio.app.values import JobKind, NoticeKind
from segstudio.text import N_, _, count
from segstudio.ui.panels.controls import Choice, muted_label, role_label
from segstudio.ui.panels.two_lines import TwoLines
from segstudio.ui.text import beside_icon, typed_path, wrapped
from segstudio.ui.window.icons import icon
from segstudio.ui.window.shortcut_guard import make_form

if TYPE_CHECKING:
    from segstudio.app.exporting import ExportReport
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.values import Notice

__all__ = ["ExportPanel"]

_LEAST_W = 72

_CONTENTS = (
    ("labels", N_("All labelled images")),
    ("finished", N_("Finished images")),
    ("proposals", N_("Proposals")),
)


class ExportPanel(QFrame):
    """`exportPanel`: hidden until asked for; `left` announces that a person closed it."""

    left = Signal()

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._session = session
        self.setObjectName("exportPanel")
        self.setProperty("role", "strip")
        self.setAccessibleName(_("Export"))
        self.format = Choice()
        self.content = Choice()
        self.folder = QLineEdit()
        self.browse = QPushButton(icon("open"), beside_icon(_("Choose…")))
        self.start = QPushButton(_("Export"))
        self.show_folder = QPushButton(_("Show folder"))
        self.close_button = QToolButton()
        self.state = TwoLines()
        self.problem = QLabel()
        self._written: Path | None = None
        self._project: OpenedProject | None = None
        self._asked = self._ran = False
        self._dress()
        self._arrange()
        self.browse.clicked.connect(self._choose)
        self.start.clicked.connect(self._start)
        self.folder.textChanged.connect(self._refresh)
        self.show_folder.clicked.connect(self._reveal)
        self.close_button.clicked.connect(self.toggle)
        session.notices.told.connect(self._told)
        session.jobs.changed.connect(self._jobs_changed)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Export this project."""
        self._project = project
        self._asked, self._written = False, None
        self.folder.setText("" if project is None else str(project.path.with_name(f"{project.name} export")))
        self.state.setText(_("Every file is read back and compared before the export counts as done"))
        self._complain("")
        self.show_folder.hide()
        self.hide()
        if project is not None:
            project.exports.finished.connect(self._finished)
        self._refresh()

    def toggle(self) -> None:
        """Show the panel with the focus on its Export button, or hide it."""
        shown = self.isHidden()
        self._list_formats()
        self.setVisible(shown)
        if not shown:
            self.left.emit()
        elif self.start.isEnabled():
            self.start.setFocus()
        else:
            (self if self._busy else self.folder).setFocus()

    def _list_formats(self) -> None:
        """Fill the list once, when the panel is first shown: that looks up packages that add formats."""
        if self._project is not None and not self.format.count():
            for name, title in self._project.exports.formats:
                self.format.addItem(_(title), name)

    @property
    def _busy(self) -> bool:
        return self._asked or bool(self._session.jobs.of(JobKind.EXPORT))

    def says(self, notice: "Notice") -> bool:
        """Whether this panel visibly shows a failure, so that no other part has to."""
        return notice.job is JobKind.EXPORT and not self.isHidden()

    def _dress(self) -> None:
        for widget, name, words in (
            (self.format, "exportFormat", _("Format")),
            (self.content, "exportContent", _("What to export")),
            (self.folder, "exportFolder", _("Folder to write to")),
            (self.browse, "exportBrowse", _("Choose the folder")),
            (self.start, "exportStart", _("Write the files, read them back, compare")),
            (self.show_folder, "exportShowFolder", _("Open the folder in the file manager")),
            (self.close_button, "exportClose", _("Close (Esc)")),
        ):
            widget.setObjectName(name)
            widget.setToolTip(words)
            widget.setAccessibleName(words)
        for choice in (self.format, self.content):
            choice.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToContents)
            choice.setMinimumWidth(_LEAST_W)  # they give way only where the window has no room at all
        self.state.setObjectName("exportState")
        self.state.setProperty("role", "muted")
        self.problem.setObjectName("exportProblem")
        self.problem.setProperty("role", "warning")
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem.hide()
        self.start.setProperty("role", "primary")
        make_form(self, self.start)
        self.close_button.setProperty("role", "icon")
        self.close_button.setIcon(icon("close"))
        for value, text in _CONTENTS:
            self.content.addItem(_(text), value)

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(role_label(_("Export"), "title"))
        row.addWidget(self.format)
        row.addWidget(self.content)
        row.addStretch(1)
        row.addWidget(self.close_button)
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(muted_label(_("to")))
        below.addWidget(self.folder, 1)
        below.addWidget(self.browse)
        below.addWidget(self.start)
        said = QHBoxLayout()
        said.setSpacing(8)
        said.addWidget(self.state, 1)
        said.addWidget(self.show_folder)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.setSpacing(4)
        column.addLayout(row)
        column.addLayout(below)
        column.addLayout(said)
        column.addWidget(self.problem)

    def _choose(self) -> None:
        from segstudio.ui.dialogs.files import ask_for_path

        start = str(Path(self.folder.text()).parent)
        ask_for_path(self, "exportFolderDialog", _("Folder to export to"), start, self.folder.setText)

    def _start(self) -> None:
        if not self.start.isEnabled():
            return
        out = typed_path(self.folder.text())
        self._asked = True
        self.setFocus()  # the button is disabled now, and Qt must not give its focus to another button
        self._complain("")
        self.state.setText(_("Exporting …"))
        self.show_folder.hide()
        self._refresh()
        self._session.export(self.format.currentData(), out, self.content.currentData())

    def _jobs_changed(self) -> None:
        running = self._session.jobs.of(JobKind.EXPORT)
        if running:
            self._asked = False
            self.state.setText(running[-1].text)
        elif self._ran:
            self.state.setText("")
        if running or self._ran:
            self._ran = bool(running)
            self._refresh()

    def _finished(self, report: "ExportReport") -> None:
        self._written = report.out
        images = report.images
        files = count(len(report.files), "1 file", "{n} files")
        pictures = count(images, "1 image", "{n} images")
        words = _("Done: {files} of {pictures}, read back and equal", files=files, pictures=pictures)
        if report.left_out:
            words += ". " + _left_out_words(images, [str(image.why) for image in report.left_out])
        if report.changed:
            words += ". " + count(
                len(report.changed),
                "1 image file has changed since it was labelled",
                "{n} image files have changed since they were labelled",
            )
        self.state.setText(words)
        self.show_folder.show()
        self._refresh()

    def _told(self, notice: "Notice") -> None:
        if notice.job is JobKind.EXPORT and notice.kind is NoticeKind.FAILURE:
            self._asked = False
            self.state.setText("")
            self._complain(notice.sentence)
            self._refresh()

    def _complain(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.setAccessibleName(sentence)
        self.problem.setVisible(bool(sentence))

    def _reveal(self) -> None:
        from segstudio.ui.dialogs.files import show_folder

        if self._written is not None:
            show_folder(self._written, self._session.notices)

    def _refresh(self) -> None:
        words = self.folder.accessibleName()
        self.folder.setToolTip(wrapped(f"{words}\n{self.folder.text()}" if self.folder.text() else words))
        ready = bool(self.folder.text().strip()) and self._project is not None
        self.start.setEnabled(ready and not self._busy)


def _left_out_words(exported: int, reasons: list[str]) -> str:
    """Which of the requested images were exported: '4 of 5 images; left out: 1 (no known pixel)'."""
    asked = count(exported + len(reasons), "1 image", "{n} images")
    said = [(f"{number:,}", _(why)) for why, number in sorted(Counter(reasons).items())]
    counted = ", ".join(f"{number} ({why})" for number, why in said)
    return _("{n} of {asked}; left out: {counted}", n=f"{exported:,}", asked=asked, counted=counted)
