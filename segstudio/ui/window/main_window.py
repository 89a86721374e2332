"""The main window: arranges bars, canvas and panels. It holds no state of the work and makes no decisions."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QByteArray, QEvent, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from segstudio.app.values import JobKind
from segstudio.errors import UserError
from segstudio.registry import unsaid
from segstudio.text import _, count
from segstudio.ui.canvas import Canvas
from segstudio.ui.canvas.first_step import FirstStep
from segstudio.ui.dialogs.export_panel import ExportPanel
from segstudio.ui.dialogs.open_dialog import OpenDialog, project_among
from segstudio.ui.dialogs.start_page import StartPage
from segstudio.ui.panels.class_panel import ClassPanel
from segstudio.ui.panels.image_list import ImageListPanel
from segstudio.ui.panels.table import PANELS, Panel, Place, Surroundings
from segstudio.ui.panels.training_panel import TrainingPanel
from segstudio.ui.theme import apply_theme, choose_theme, current_theme, theme_named
from segstudio.ui.window.bars import Bars
from segstudio.ui.window.closing import ClosingStrip
from segstudio.ui.window.done_strip import DoneStrip
from segstudio.ui.window.icons import app_icon
from segstudio.ui.window.image_banner import HeldOutBanner, ImageBanner
from segstudio.ui.window.loader import ModuleLoader
from segstudio.ui.window.message_bar import MessageStrip, ReadOnlyBanner
from segstudio.ui.window.notice_stack import Strips
from segstudio.ui.window.placing import fit_to_screen
from segstudio.ui.window.shortcut_guard import TypingGuard, leave_keys
from segstudio.ui.window.status_bar import StatusBar

if TYPE_CHECKING:
    from segstudio.app.backing_up import Backup
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.values import ImagesFound, Notice
    from segstudio.ui.dialogs.help_page import HelpPage
    from segstudio.ui.dialogs.new_project_page import NewProjectPage
    from segstudio.ui.dialogs.snapshots import SnapshotsDialog

__all__ = ["MainWindow"]

_SIDE_W = 264
_BOTTOM_H = 248
_FOLDED_H = 156
_BOTTOM_SHARES = (560, 760)
_LOW_PX, _NARROW_PX = 800, 900
"""A window lower or narrower than this keeps the curves folded until a person unfolds them: the image comes first."""

_RECENT = 12
_WARM_UP_MS = 250
_ADDING_MS = 300


class MainWindow(QMainWindow):
    """`mainWindow`; `session` does the work, `canvas` shows it. Closing it closes the session."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        bare = not application.styleSheet()
        theme = theme_named("system") if bare else current_theme()
        if bare:
            choose_theme(application, theme)
        self.session = session
        session.projects.opens_later = True
        self._project: OpenedProject | None = None
        self.setObjectName("mainWindow")
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self._new_project: NewProjectPage | None = None
        self._snapshots: SnapshotsDialog | None = None
        self._help: HelpPage | None = None
        self.covered = False
        self._cursor: tuple[int, int] | None = None
        self.canvas = Canvas(session)
        self.first_step = FirstStep(session, self.canvas)
        self.status_bar = StatusBar(session)
        self.export_panel = ExportPanel(session)
        self.message_strip = MessageStrip(session, self.export_panel.says)
        self.closing_strip = ClosingStrip(session)
        self.bars = Bars(self)
        self._surroundings = Surroundings(session, self.bars.action)
        self.panels = {row.name: row.make(self._surroundings) for row in PANELS.own}
        self.class_panel = cast(ClassPanel, self.panels["classes"])
        self.image_panel = cast(ImageListPanel, self.panels["images"])
        self.training_panel = cast(TrainingPanel, self.panels["training"])
        self._arrange()
        self._guard = TypingGuard(self, self.canvas)
        leave_keys(self.side, self.bottom, self.strips)
        self._connect()
        self.resize(1440, 900)
        self._restore()
        fit_to_screen(self)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)
        if bare:
            apply_theme(application, theme)
        # Looking for other packages takes longer than everything else, so the window is shown first.
        self._adding = QTimer(self)
        self._adding.setSingleShot(True)
        self._adding.timeout.connect(self.add_rows)
        self._adding.start(_ADDING_MS)
        self._warm_up = QTimer(self)
        self._warm_up.setSingleShot(True)
        self._project_loader = ModuleLoader("segstudio.app.open_project", self)
        self._warm_up.timeout.connect(self._project_loader.load)
        if session.project is None:
            self._warm_up.start(_WARM_UP_MS)

    # -- called from outside -------------------------------------------------------------------------------------------

    def open_path(self, path: Path) -> None:
        """Open a project; for a folder of images, the project beside it or else the page that makes one."""
        if path.suffix != ".segstudio" and path.is_dir():
            if not self.session.projects.beside(path).exists():
                self.show_new_project(str(path))
                return
            self.open_images([path])
            return
        self.session.notices.attempt(lambda: self.session.projects.open(path), JobKind.OPEN)

    def open_images(self, paths: list[Path]) -> None:
        """Open the project beside images or a folder of them; if there is none, make it while this window shows the
        progress. Images missing from the project are added or reported."""
        self.session.notices.attempt(lambda: self.session.projects.open_images(paths), JobKind.OPEN)

    def try_sample(self) -> None:
        """Open a fresh copy of the sample as a project."""
        from segstudio.app.sample_project import demo_project

        try:
            project = demo_project()
        except UserError as error:
            self.session.notices.fail(JobKind.OPEN, error)
        except OSError as error:
            self.session.notices.fail(JobKind.OPEN, _("The sample could not be copied: {why}", why=error))
        else:
            self.open_path(project)

    def open_paths(self, paths: list[Path]) -> None:
        """Open a project or a folder of images; for images, the page that makes a project from them."""
        project = project_among(paths)
        if project is not None:
            self.open_path(project)
        elif len(paths) == 1 and paths[0].is_dir():
            self.open_path(paths[0])
        elif paths:
            self.show_new_project(*(str(path) for path in paths))

    def choose_to_open(self) -> None:
        """Ask for a project, a folder of images, or images; the answer comes from the event loop."""
        dialog = OpenDialog(self, self.session.preferences.last_folder)
        dialog.chosen.connect(self.open_paths)
        dialog.open()

    def choose_backup_folder(self) -> None:
        """Ask for the folder for a backup, by default the one that contains the project."""
        from PySide6.QtWidgets import QFileDialog

        from segstudio.ui.dialogs.files import dress_file_dialog

        project = self._project
        if project is None:
            return
        dialog = QFileDialog(self, _("Folder to put the backup in"), str(project.path.parent))
        dialog.setObjectName("backupFolderDialog")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda chosen: project.backups.ask(Path(chosen)))
        dress_file_dialog(dialog)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def snapshots_dialog(self) -> "SnapshotsDialog":
        """The snapshots window, made when it is first needed."""
        from segstudio.ui.dialogs.snapshots import SnapshotsDialog

        if self._snapshots is None:
            self._snapshots = SnapshotsDialog(self.session, self)
        return self._snapshots

    def show_help(self, about: str) -> None:
        """Show a page of the Help menu: 'keys' or 'about'."""
        from segstudio.ui.dialogs.help_page import HelpPage

        if self._help is None:
            self._help = HelpPage(self._show_project)
            self.pages.addWidget(self._help)
        self._help.show_keys() if about == "keys" else self._help.show_about()
        self.pages.setCurrentWidget(self._help)
        self._help.setFocus()

    def show_new_project(self, *images: str) -> None:
        """Show the page that makes a project from these images."""
        page = self._new_page()
        self.pages.setCurrentWidget(page)
        page.begin([image for image in images if image])

    def show_proposals(self, shown: bool) -> None:
        """Show or hide the proposal."""
        self.canvas.set_proposal_shown(shown)
        self._prefer(show_proposals=shown)

    def _show_labels_again(self) -> None:
        """Show the labels: nobody can see what they paint while the labels are hidden."""
        self.bars.action("show-labels").setChecked(True)
        self.canvas.set_labels_shown(True)
        self.session.notices.say(_("The labels are shown again: you are painting"))

    def show_panels(self) -> None:
        """Show the panels that are switched on; without a project they have nothing to show."""
        there = self._project is not None and not self.covered
        had_focus = self.focusWidget()
        self.side.setVisible(there and self.bars.action("show-side").isChecked())
        self.bottom.setVisible(there and self.bars.action("show-bottom").isChecked())
        self.bars.tool_bar.setVisible(there)
        if had_focus is not None and not had_focus.isVisibleTo(self):
            # Qt would give the focus to the next widget, perhaps a button, which Space would then press.
            self._focus_page()

    def _page_changed(self) -> None:
        """Hide and disable everything that belongs to the project while a page covers the image."""
        self.covered = self.pages.currentWidget() not in (self.canvas, self.start_page)
        if self.covered:
            self.export_panel.hide()
        self.image_banner.cover(self.covered)
        self.held_out_banner.cover(self.covered)
        self.show_panels()
        self.bars.refresh()

    def close_topmost(self) -> None:
        """Close the page, the export panel or the message above the image, whichever comes first."""
        if self.covered:
            self._show_project()
        elif not self.export_panel.isHidden():
            self.export_panel.toggle()
        elif not self.message_strip.isHidden():
            self.message_strip.dismiss()
        else:
            self.done_strip.withdraw()
        self._focus_page()

    def _focus_page(self) -> None:
        (self.pages.currentWidget() or self).setFocus()

    # -- layout --------------------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        self.setStatusBar(self.status_bar)
        self.read_only_banner = ReadOnlyBanner(self.session)
        self.image_banner = ImageBanner(self.session)
        self.done_strip = DoneStrip(self.session)
        self.held_out_banner = HeldOutBanner(self.session)
        actions = self.bars.action
        self.start_page = StartPage(self.session, actions("open"), actions("new"), self.open_path)
        self.pages = QStackedWidget()
        self.pages.setObjectName("pages")
        self.pages.setMinimumSize(200, 120)  # the pages are wider, but no panel is beside them then
        self.pages.addWidget(self.canvas)
        self.pages.addWidget(self.start_page)
        column = QWidget()
        column.setObjectName("mainColumn")
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.strips = Strips(
            self.closing_strip,
            self.message_strip,
            self.read_only_banner,
            self.done_strip,
            self.image_banner,
            self.held_out_banner,
        )
        layout.addWidget(self.strips)
        layout.addWidget(self.export_panel)
        layout.addWidget(self.pages, 1)
        self.side = self._splitter("sideSplitter", Qt.Orientation.Vertical)
        self.upper = self._splitter("upperSplitter", Qt.Orientation.Horizontal, column, self.side)
        self.upper.setStretchFactor(0, 1)
        self.upper.setStretchFactor(1, 0)
        self.upper.setSizes([1000, _SIDE_W])
        self.bottom = self._splitter("bottomSplitter", Qt.Orientation.Horizontal)
        for row in PANELS.own:
            if row.name != "training":  # folded, it is in the title row of the images
                self._place(row)
        self._bottom_h = {True: _FOLDED_H, False: _BOTTOM_H}
        self._bottom_shares = list(_BOTTOM_SHARES)
        self.middle = self._splitter("middleSplitter", Qt.Orientation.Vertical, self.upper, self.bottom)
        self.middle.setStretchFactor(0, 1)
        self.middle.setStretchFactor(1, 0)
        self.middle.setSizes([700, _FOLDED_H])
        self.image_panel.add_to_head(self.training_panel)
        self.setCentralWidget(self.middle)
        self.side.setMinimumWidth(208)
        self.bottom.setMinimumHeight(144)
        self.bottom.setMinimumWidth(320)  # narrower than the curves, which fold first

    def _place(self, row: Panel) -> None:
        splitter = self.side if row.place is Place.SIDE else self.bottom
        splitter.addWidget(self.panels[row.name])
        splitter.setStretchFactor(splitter.count() - 1, int(row.grows))

    def add_rows(self) -> None:
        """Add the tools and panels of other packages after ours, once; report rows that are broken."""
        self.bars.add_tools()
        for row in PANELS.rows:
            if row.name not in self.panels:
                self.panels[row.name] = row.make(self._surroundings)
                self._place(row)
                leave_keys(self.panels[row.name])
        for broken in unsaid():
            self.session.notices.say(broken.sentence)

    def _place_training(self, folded: bool) -> None:
        """Put the training panel in the title row of the images if folded, otherwise beside the images."""
        was_high = self.middle.sizes()[1]
        if was_high:
            self._bottom_h[not folded] = was_high
        if folded:
            self._bottom_shares = self._shares()
            self.image_panel.add_to_head(self.training_panel)
        else:
            self.bottom.addWidget(self.training_panel)
            left, right = self._bottom_shares
            self.bottom.setSizes([left, *self.bottom.sizes()[1:-1], right])
        self.training_panel.show()
        self._set_bottom_height(self._bottom_h[folded])

    def _shares(self) -> list[int]:
        """Widths of the image and training panels, unfolded; panels of other packages may be between them."""
        sizes = self.bottom.sizes()
        return [sizes[0], sizes[-1]]

    def _set_bottom_height(self, height: int) -> None:
        whole = sum(self.middle.sizes()) or self.height()
        self.middle.setSizes([whole - height, height])

    def _splitter(self, name: str, orientation: Qt.Orientation, *parts: QWidget) -> QSplitter:
        splitter = QSplitter(orientation)
        splitter.setObjectName(name)
        splitter.setHandleWidth(1)
        splitter.setChildrenCollapsible(False)
        for part in parts:
            splitter.addWidget(part)
        return splitter

    def _new_page(self) -> "NewProjectPage":
        from segstudio.ui.dialogs.new_project_page import NewProjectPage

        if self._new_project is None:
            self._new_project = NewProjectPage(self.session, self._show_project)
            self.pages.addWidget(self._new_project)
        return self._new_project

    def _connect(self) -> None:
        session = self.session
        canvas = self.canvas
        canvas.zoomChanged.connect(self._zoomed)
        canvas.hovered.connect(self._hovered)
        canvas.left.connect(self._left)
        canvas.openRequested.connect(self.choose_to_open)
        canvas.dropped.connect(self.open_paths)
        canvas.paintedUnseen.connect(self._show_labels_again)
        self.class_panel.named.connect(lambda: self.class_panel.view.hasFocus() and self._focus_page())
        self.start_page.sampleAsked.connect(self.try_sample)
        self.export_panel.left.connect(self._focus_page)
        self.closing_strip.ready.connect(self.close)
        self.training_panel.foldChanged.connect(self._place_training)
        session.notices.told.connect(self._told)
        self.pages.currentChanged.connect(lambda _place: self._page_changed())
        for name in ("show-side", "show-bottom"):
            self.bars.action(name).setChecked(True)
        self.bars.action("show-proposals").setChecked(session.preferences.show_proposals)
        self.bars.action("show-labels").setChecked(True)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show this project, or the start page."""
        self._project = project
        if project is not None:
            project.backups.backedUp.connect(self._backed_up)
            project.growing.found.connect(self._found)
            project.documents.historyChanged.connect(self._show_cursor)
            project.documents.classesChanged.connect(self._show_cursor)
            project.navigation.imageShown.connect(self._title)
            project.navigation.imageLoading.connect(self._title)
            project.navigation.imageFailed.connect(lambda _path, _why: self.status_bar.show_zoom(0))
            project.navigation.imageShown.connect(lambda: self.status_bar.show_zoom(self.canvas.scale))
        self._show_project()

    def _show_project(self) -> None:
        there = self._project is not None
        if self._project is not None:
            self._remember(self._project.path)
        else:
            self.start_page.refresh()
            self.status_bar.show_zoom(0)
        page = self.canvas if there else self.start_page
        self.pages.setCurrentWidget(page)
        self.show_panels()
        page.setFocus()
        self._title()

    def _backed_up(self, made: "Backup") -> None:
        sentences = [_("Backed up and checked: {path}", path=made.path)]
        if made.unsaved:
            sentences.append(
                count(
                    made.unsaved,
                    "1 edit is not saved yet and not in the backup",
                    "{n} edits are not saved yet and not in the backup",
                )
            )
        self.session.notices.say(". ".join(sentences))

    def _found(self, found: "ImagesFound") -> None:
        self.message_strip.say(JobKind.ADD, found.sentence)

    def _told(self, notice: "Notice") -> None:
        """Show why no project was made in the strip, unless the page that makes projects is open and shows it."""
        if notice.job is JobKind.NEW and self.pages.currentWidget() is not self._new_project:
            self.message_strip.say(JobKind.NEW, notice.sentence)

    def _remember(self, path: Path) -> None:
        kept = self.session.preferences
        recent = [str(path), *(p for p in kept.recent_projects if p != str(path))][:_RECENT]
        self._prefer(recent_projects=recent, last_folder=str(path.parent))

    def _title(self, _: object = None) -> None:
        project = self._project
        parts = [part for part in (project.navigation.path, project.name) if part] if project is not None else []
        self.setWindowTitle(" – ".join([*parts, "SegStudio"]) if parts else "SegStudio")

    def _zoomed(self, scale: float) -> None:
        navigation = self._project.navigation if self._project is not None else None
        there = navigation is not None and navigation.index >= 0 and not navigation.failed
        self.status_bar.show_zoom(scale if there else 0)

    def _hovered(self, x: float, y: float) -> None:
        self._cursor = int(x // 1), int(y // 1)
        self._show_cursor()

    def _left(self) -> None:
        self._cursor = None
        self._show_cursor()

    def _show_cursor(self) -> None:
        if self._cursor is None or self._project is None:
            self.status_bar.show_cursor("")
            return
        x, y = self._cursor
        value, name = self._project.value_at(x, y)
        self.status_bar.show_cursor(f"{x}, {y} · {value} · {name}" if name else "")

    # -- events ------------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the curves folded in a small window: the image comes first."""
        super().resizeEvent(event)
        self.training_panel.set_cramped(self.height() < _LOW_PX or self.width() < _NARROW_PX)

    def event(self, event: QEvent) -> bool:
        """Report every failure in an event handler of this window; if closing failed, keep it open."""
        try:
            return super().event(event)
        except Exception as error:  # noqa: BLE001 - a border: the window reports it
            if event.type() is QEvent.Type.Close:
                event.ignore()
            self.session.notices.met(error)
            return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle an Escape that no widget has taken."""
        if event.key() == Qt.Key.Key_Escape:
            self.bars.action("cancel").trigger()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept files and folders anywhere."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        event.acceptProposedAction()
        self.open_paths([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close without asking once everything is durable and the lock is released.

        A window whose edits cannot be stored anywhere stays open. One that takes long to write says so, stays open
        until that is done, and then closes automatically.
        """
        self._keep()
        if not self.closing_strip.may_close():
            event.ignore()
            return
        wait_s = self.closing_strip.wait_s
        try:
            self.session.projects.secure(wait_s)
        except UserError as error:
            event.ignore()
            self.closing_strip.stay()
            self.session.notices.fail(JobKind.SAVE, error)
            return
        self._warm_up.stop()
        self._project_loader.close()
        self.image_panel.close_threads()
        self.training_panel.close_threads()
        self.session.close(wait_s)
        super().closeEvent(event)

    # -- window layout -------------------------------------------------------------------------------------------------

    def _prefer(self, **preferences: Any) -> None:
        self.session.preferences = replace(self.session.preferences, **preferences)

    def _splitters(self) -> tuple[QSplitter, ...]:
        return (self.middle, self.upper, self.side)

    def _keep(self) -> None:
        geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        states = [bytes(s.saveState().toBase64().data()).decode() for s in self._splitters()]
        self._prefer(
            window_geometry=geometry,
            panel_state=" ".join([*states, ",".join(map(str, self._bottom_state()))]),
            brush_radius=self.session.tools.radius,
        )

    def _restore(self) -> None:
        kept = self.session.preferences
        if kept.window_geometry:
            self.restoreGeometry(QByteArray.fromBase64(kept.window_geometry.encode()))
        states = kept.panel_state.split()
        if len(states) != len(self._splitters()) + 1:
            return
        for splitter, state in zip(self._splitters(), states, strict=False):
            splitter.restoreState(QByteArray.fromBase64(state.encode()))
        bottom = states[-1].split(",")
        if len(bottom) == 4 and all(part.isdecimal() for part in bottom):
            folded, unfolded, *self._bottom_shares = map(int, bottom)
            self._bottom_h = {True: folded, False: unfolded}
        self._set_bottom_height(self._bottom_h[self.training_panel.folded])

    def _bottom_state(self) -> tuple[int, int, int, int]:
        """Heights of the lower panels with the training panel folded and unfolded, and the widths of the two."""
        folded, high = self.training_panel.folded, self.middle.sizes()[1]
        heights = self._bottom_h | ({folded: high} if high else {})
        left, right = self._bottom_shares if folded else self._shares()
        return heights[True], heights[False], left, right
