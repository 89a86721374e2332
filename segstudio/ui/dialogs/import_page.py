"""The page that imports masks and annotations: which files, what they mean, what would change, and then the import."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from segstudio.app.values import JobKind, NoticeKind
from segstudio.text import N_, _
from segstudio.ui.dialogs.import_meanings import ImportMeanings
from segstudio.ui.dialogs.import_rows import DryRunModel, dry_run_table
from segstudio.ui.dialogs.import_words import are_masks, button_words, missing_words, notes_of, summary_of
from segstudio.ui.panels.controls import Choice, ElidedLabel, muted_label, page_column, role_label
from segstudio.ui.text import beside_icon, typed_path, wrapped
from segstudio.ui.window.icons import icon
from segstudio.ui.window.shortcut_guard import make_form

if TYPE_CHECKING:
    from segstudio.app.importing import ImportFormat, ImportPreview, ImportReport, ImportSurvey, WantedImport
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.values import Notice

__all__ = ["ImportPage"]

_LOOK_MS = 300
_WIDTH = 1040
_MEANINGS_W = 272
_TARGETS = (("labels", N_("As labels")), ("proposals", N_("As proposals")))
_KINDS = (JobKind.IMPORT, JobKind.IMPORT_CHECK)


class ImportPage(QWidget):
    """`importPage`; closing it calls `leave`. Looks at the files by itself, and imports when Import is pressed."""

    def __init__(self, session: "Session", leave: Callable[[], None]) -> None:
        super().__init__()
        self._session = session
        self._project: OpenedProject | None = None
        self._formats: tuple[ImportFormat, ...] = ()
        self._found_format = self._given_format = ""
        self._cancelled = self._unfinished = self._done = False
        self._checked: WantedImport | None = None
        self._sent: WantedImport | None = None
        self.setObjectName("importPage")
        self.setAccessibleName(_("Import"))
        self.path = QLineEdit()
        self.folder_button = QPushButton(icon("open"), beside_icon(_("Folder…")))
        self.file_button = QPushButton(icon("image"), beside_icon(_("File…")))
        self.format, self.target = Choice(), Choice()
        self.pattern_label, self.pattern = muted_label(_("File names")), QLineEdit()
        self.meanings_title = role_label(_("What the values mean"), "muted")
        self.meanings = ImportMeanings()
        self.rows = DryRunModel()
        self.table = dry_run_table(self.rows)
        self.notes, self.problem, self.state = QLabel(), QLabel(), ElidedLabel()
        self.progress = QProgressBar()
        self.cancel = QPushButton(_("Cancel"))
        self.back = QPushButton(_("Back"))
        self.start = QPushButton(_("Import"))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LOOK_MS)
        self._next = self._survey
        self._dress()
        self._arrange()
        self._connect(leave)
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Import into this project."""
        self._project = project
        if project is not None:
            project.importing.surveyed.connect(self._surveyed)
            project.importing.previewed.connect(self._previewed)
            project.importing.refused.connect(self._refused)
            project.importing.imported.connect(self._imported)
            project.importing.ended.connect(self._ended)
        for field in (self.path, self.pattern):
            field.clear()  # it belongs to the project before
        self._timer.stop()
        self._clear()

    def begin(self, path: str = "", format_: str = "") -> None:
        """Start with this file or folder, else with what was chosen before."""
        if self._project is not None and not self._formats:
            self._formats = self._project.importing.formats
            for form in self._formats:
                self.format.addItem(_(form.title), form.name)
        if path:
            self.format.setCurrentIndex(max(0, self.format.findData(format_)))
            self.pattern.clear()
            self.path.setText(path)
            self._given_format = format_
        elif self._unfinished or self._done:  # done, the images have these labels now
            self._look_soon(self._preview if self.meanings.meanings else self._survey)
        (self.start if self.start.isEnabled() else self.path).setFocus()

    def says(self, notice: "Notice") -> bool:
        """Whether this page visibly shows a failure."""
        return notice.job is JobKind.IMPORT and self.isVisible()

    # -- making --------------------------------------------------------------------------------------------------------

    def _dress(self) -> None:
        for widget, name, words in (
            (self.path, "importPath", _("A folder of masks, one mask, or a file of annotations")),
            (self.folder_button, "importFolder", _("Choose a folder of masks")),
            (self.file_button, "importFile", _("Choose a mask or a file of annotations")),
            (self.format, "importFormat", _("Format")),
            (self.target, "importTarget", _("What the masks become")),
            (self.pattern, "importPattern", _("How masks are named: {stem} stands for the name of the image")),
            (self.table, "importTable", _("What would be imported")),
            (self.start, "importStart", ""),
            (self.cancel, "importCancel", ""),
            (self.back, "importBack", _("Back to the image (Esc)")),
        ):
            widget.setObjectName(name)
            widget.setToolTip(words)
            widget.setAccessibleName(words)
        self.pattern.setPlaceholderText(_("same as the images, or for example {stem}_mask"))
        self.format.addItem(_("Detect automatically"), "")
        for value, text in _TARGETS:
            self.target.addItem(_(text), value)
        for label, name, role in (
            (self.notes, "importNotes", "muted"),
            (self.problem, "importProblem", "warning"),
        ):
            label.setObjectName(name)
            label.setProperty("role", role)
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.state.setObjectName("importState")
        self.progress.setObjectName("importProgress")
        self.progress.setAccessibleName(_("Progress"))
        self.progress.setTextVisible(False)
        self.start.setProperty("role", "primary")
        make_form(self, self.start)

    def _arrange(self) -> None:
        column = page_column(self, _WIDTH)
        column.addWidget(role_label(_("Import"), "title"))
        column.addLayout(self._form())
        column.addLayout(self._middle(), 1)
        column.addWidget(self.notes)
        column.addWidget(self.problem)
        column.addLayout(self._end())

    def _form(self) -> QGridLayout:
        form = QGridLayout()
        form.setHorizontalSpacing(12)
        form.setVerticalSpacing(8)
        form.addWidget(muted_label(_("Files")), 0, 0)
        form.addWidget(self.path, 0, 1, 1, 3)
        form.addWidget(self.folder_button, 0, 4)
        form.addWidget(self.file_button, 0, 5)
        form.addWidget(muted_label(_("Format")), 1, 0)
        form.addWidget(self.format, 1, 1)
        form.addWidget(self.pattern_label, 1, 2)
        form.addWidget(self.pattern, 1, 3)
        form.addWidget(self.target, 1, 4, 1, 2)
        form.setColumnStretch(3, 1)
        return form

    def _middle(self) -> QHBoxLayout:
        self._left = QWidget()
        self._left.setFixedWidth(_MEANINGS_W)
        left = QVBoxLayout(self._left)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(8)
        left.addWidget(self.meanings_title)
        left.addWidget(self.meanings, 1)
        middle = QHBoxLayout()
        middle.setSpacing(16)
        middle.addWidget(self._left)
        middle.addWidget(self.table, 1)
        return middle

    def _end(self) -> QHBoxLayout:
        end = QHBoxLayout()
        end.setSpacing(8)
        self.progress.setFixedWidth(160)
        end.addWidget(self.state, 1)
        end.addWidget(self.progress)
        end.addWidget(self.cancel)
        end.addWidget(self.back)
        end.addWidget(self.start)
        return end

    def _connect(self, leave: Callable[[], None]) -> None:
        session = self._session
        self.path.textChanged.connect(self._path_changed)
        self.pattern.textChanged.connect(lambda _text: self._look_soon(self._survey))
        self.format.currentIndexChanged.connect(lambda _place: self._look_soon(self._survey))
        self.target.currentIndexChanged.connect(lambda _place: self._look_soon(self._preview))
        self.meanings.changed.connect(lambda: self._look_soon(self._preview))
        self._timer.timeout.connect(lambda: self._next())
        self.folder_button.clicked.connect(lambda: self._choose(folder=True))
        self.file_button.clicked.connect(lambda: self._choose(folder=False))
        self.start.clicked.connect(self._start)
        self.cancel.clicked.connect(self._cancel)
        self.back.clicked.connect(leave)
        session.jobs.changed.connect(self._jobs_changed)
        session.notices.told.connect(self._told)
        session.projectChanged.connect(lambda: self.follow(session.project))

    def _choose(self, *, folder: bool) -> None:
        from segstudio.ui.dialogs.files import ask_for_path

        start = self.path.text().strip() or self._session.preferences.last_folder
        title = _("Folder of masks") if folder else _("Mask or file of annotations")
        ask_for_path(self, "importDialog", title, start, self.path.setText, folder=folder)

    # -- looking -------------------------------------------------------------------------------------------------------

    def _path_changed(self, _text: str) -> None:
        """Look at other files; a format that came with the files before was not chosen for these."""
        given, self._given_format = self._given_format, ""
        if given and self.format.currentData() == given:
            self.format.setCurrentIndex(0)
        self._look_soon(self._survey)

    def _look_soon(self, look: Callable[[], None]) -> None:
        """Look again in a moment; what was found before is no longer true."""
        self._checked = self._sent = None
        self._cancelled = self._unfinished = self._done = False
        if self._project is not None:
            self._project.importing.drop_look()
        if not (look == self._preview and self._timer.isActive()):
            self._next = look
        self.notes.clear()
        self._complain("")
        self.state.setText("")
        self._timer.start()
        self._refresh()

    def _survey(self) -> None:
        self._clear()
        if self._project is not None and self.path.text().strip():
            wanted = self._wanted()
            self.state.setText(_("Looking at the files …"))
            self._project.importing.survey(wanted.format, wanted.path, wanted.pattern)
        self._refresh()

    def _preview(self) -> None:
        if self._project is not None and self.meanings.meanings:
            self.state.setText(_("Looking at the files …"))
            self._project.importing.preview(self._wanted())
        self._refresh()

    def _wanted(self) -> "WantedImport":
        from segstudio.app.importing import Target, WantedImport

        return WantedImport(
            format=self.format.currentData() or self._found_format,
            path=typed_path(self.path.text()),
            pattern=self.pattern.text() if self._are_masks else "",
            target=Target(self.target.currentData()),
            meanings=self.meanings.meanings,
            chosen=self.meanings.chosen,
        )

    @property
    def _are_masks(self) -> bool:
        """Whether the files are masks, as far as their names say it."""
        name = self.format.currentData() or self._found_format
        return are_masks(self._formats, name, self.path.text().strip())

    def _surveyed(self, survey: "ImportSurvey") -> None:
        assert self._project is not None
        self._found_format = survey.format
        self.meanings.show_meanings(survey.meanings, self._project.documents.classes)
        self._preview()

    def _previewed(self, preview: "ImportPreview") -> None:
        wanted = self._wanted()
        labels = wanted.target == "labels"
        self.rows.show(preview, labels)
        self.table.setColumnHidden(4, not labels)
        self.notes.setText("\n".join(notes_of(preview, labels)))
        self.state.setText(summary_of(preview))
        missing = self.meanings.open
        if missing:
            self._complain(missing_words(missing))
        else:
            self._checked = wanted
        self._refresh()

    def _refused(self, sentence: str) -> None:
        self.rows.show(None)
        self.state.setText("")
        self._complain(sentence)
        self._refresh()

    # -- importing -----------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        wanted = self._checked
        if wanted is None or self._project is None or not self.start.isEnabled():
            return
        self.setFocus()  # the button is disabled now, and Qt must not give its focus to another button
        self._complain("")
        self._sent, self._checked, self._cancelled = wanted, None, False
        self.state.setText(_("Importing …"))
        self._project.importing.start(wanted)
        self._refresh()

    def _cancel(self) -> None:
        if self._project is not None:
            self._timer.stop()
            self._cancelled = True
            self.state.setText(_("Cancelling …"))
            self._project.importing.cancel()

    def _ended(self, sentence: str) -> None:
        """What was under way was cancelled, here or in the status bar, or met a bug."""
        if self._sent is not None:
            self._checked, self._sent = self._sent, None  # the files and their meaning are as they were
        self._unfinished = self._checked is None
        self.state.setText(sentence)
        self._refresh()

    def _imported(self, report: "ImportReport") -> None:
        from segstudio.app.importing import imported_words

        self._sent, self._done = None, True
        self.state.setText(imported_words(report))
        self._refresh()
        if self.isVisible():
            self.back.setFocus()

    def _told(self, notice: "Notice") -> None:
        if notice.job is JobKind.IMPORT and notice.kind is NoticeKind.FAILURE:
            self._checked = self._sent
            self.state.setText("")
            self._complain(notice.sentence)
            self._refresh()

    def _jobs_changed(self) -> None:
        running = [job for kind in _KINDS for job in self._session.jobs.of(kind)]
        if running and self._session.jobs.of(JobKind.IMPORT) and not self._cancelled:
            self.state.setText(running[0].text)
        if running:
            fraction = running[0].fraction
            self.progress.setRange(0, 0 if fraction is None else 1000)
            self.progress.setValue(round(1000 * (fraction or 0.0)))
        self._refresh()

    # -- showing -------------------------------------------------------------------------------------------------------

    def _clear(self) -> None:
        self._checked = self._sent = None
        self._unfinished = False
        self._found_format = ""
        if self._project is not None:
            self._project.importing.drop_look()
            self.meanings.show_meanings((), self._project.documents.classes)
        self.rows.show(None)
        self.notes.clear()
        self.state.setText(_("Choose files. You will see what changes before anything is imported."))
        self._complain("")
        self._refresh()

    def _tell_what_becomes(self) -> None:
        start, cancel = button_words(self.target.currentData() == "labels")
        for button, words in ((self.start, start), (self.cancel, cancel)):
            button.setToolTip(words)
            button.setAccessibleName(words)

    def _complain(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))

    def _refresh(self) -> None:
        importing = self._project is not None and self._project.importing.running
        busy = importing or bool(self._session.jobs.of(JobKind.IMPORT_CHECK))
        self.progress.setVisible(busy)
        self.cancel.setVisible(busy)
        self.start.setEnabled(self._checked is not None and not busy)
        for widget in (self.path, self.folder_button, self.file_button, self.format, self.target, self.pattern):
            widget.setEnabled(not importing)
        self.meanings.setEnabled(not importing)
        self._tell_what_becomes()
        self.pattern.setVisible(self._are_masks)
        self.pattern_label.setVisible(self._are_masks)
        self._left.setVisible(bool(self.meanings.meanings))
        self.notes.setVisible(bool(self.notes.text()))
        self.path.setToolTip(wrapped(self.path.text() or self.path.accessibleName()))
