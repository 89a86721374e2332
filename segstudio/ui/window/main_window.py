"""The main window: arranges bars, canvas and panels. It holds no state of the work and makes no decisions."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QEvent, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget

from segstudio.app.values import JobKind
from segstudio.errors import UserError
from segstudio.registry import unsaid
from segstudio.text import _
from segstudio.ui.canvas import Canvas
from segstudio.ui.canvas.first_step import FirstStep
from segstudio.ui.canvas.keyboard_hand import KeyboardHand
from segstudio.ui.canvas.minimap import Minimap
from segstudio.ui.canvas.scale_bar import ScaleBarView
from segstudio.ui.dialogs.backup_folder import say_backed_up
from segstudio.ui.dialogs.export_panel import ExportPanel
from segstudio.ui.dialogs.start_page import StartPage
from segstudio.ui.theme import apply_theme, choose_theme, current_theme, theme_named
from segstudio.ui.window.appearance import Appearance
from segstudio.ui.window.arrangement import Arrangement
from segstudio.ui.window.bars import Bars
from segstudio.ui.window.canvas_menu import show_canvas_menu
from segstudio.ui.window.closing import ClosingStrip
from segstudio.ui.window.cursor_readout import CursorReadout
from segstudio.ui.window.done_strip import DoneStrip
from segstudio.ui.window.dropped_masks import DroppedMasks
from segstudio.ui.window.focus_ring import FocusRing
from segstudio.ui.window.growth_strip import GrowthStrip
from segstudio.ui.window.held import Flip, Peek
from segstudio.ui.window.icons import app_icon
from segstudio.ui.window.image_banner import HeldOutBanner, ImageBanner
from segstudio.ui.window.lint_strip import LintStrip
from segstudio.ui.window.loader import ModuleLoader
from segstudio.ui.window.made_later import MadeLater
from segstudio.ui.window.message_bar import MessageStrip, ReadOnlyBanner
from segstudio.ui.window.notice_stack import Strips
from segstudio.ui.window.opening import Opening
from segstudio.ui.window.pages import Pages
from segstudio.ui.window.placing import fit_to_screen
from segstudio.ui.window.plane_strip import PlaneStrip
from segstudio.ui.window.shortcut_guard import TypingGuard, leave_keys
from segstudio.ui.window.speck_strip import SpeckStrip
from segstudio.ui.window.status_bar import StatusBar

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.values import Notice

__all__ = ["MainWindow"]

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
        theme = theme_named(session.preferences.theme) if bare else current_theme()
        if bare:
            choose_theme(application, theme)
        self.session = session
        session.projects.opens_later = True
        self._project: OpenedProject | None = None
        self.later = MadeLater(self)
        self.setObjectName("mainWindow")
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self._make_parts()
        self._arrange()
        self.focus_ring = FocusRing(self)
        self._guard = TypingGuard(self, self.canvas)
        leave_keys(self.strips)
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
        # Drawing the first image would import this on the GUI thread.
        scene = "segstudio.ui.canvas.scene"
        self._project_loader = ModuleLoader("segstudio.app.open_project", self, others=(scene,))
        self._warm_up.timeout.connect(self._project_loader.load)
        if session.project is None:
            self._warm_up.start(_WARM_UP_MS)

    # -- called from outside -------------------------------------------------------------------------------------------

    def follow(self, project: "OpenedProject | None") -> None:
        """Show this project, or the start page."""
        self._project = project
        if project is not None:
            project.backups.backedUp.connect(partial(say_backed_up, self.session.notices))
            project.navigation.imageShown.connect(self._title)
            project.navigation.imageLoading.connect(self._title)
            self._remember(project.path)
        self.readout.follow(project)
        self._show_project()

    def choose_backup_folder(self) -> None:
        """Ask for the folder for a backup of the project; without a project nothing is asked."""
        from segstudio.ui.dialogs.backup_folder import choose_backup_folder

        if self._project is not None:
            choose_backup_folder(self, self._project)

    def show_proposals(self, shown: bool) -> None:
        """Show or hide the proposal."""
        self.canvas.set_proposal_shown(shown)
        self._prefer(show_proposals=shown)

    def add_new_images(self, without_asking: bool) -> None:
        """Add new images in the folders of a project without asking, those that were just found too, or ask."""
        self._prefer(add_new_images=without_asking)

    def show_panels(self) -> None:
        """Show the panels that are switched on; without a project they have nothing to show."""
        there = self._project is not None and not self.pages.covered
        had_focus = self.focusWidget()
        self.arrangement.show(there)
        self.bars.tool_bar.setVisible(there)
        if had_focus is not None and not had_focus.isVisibleTo(self):
            # Qt would give the focus to the next widget, perhaps a button, which Space would then press.
            self.pages.focus()

    def add_rows(self) -> None:
        """Add the tools and panels of other packages after ours, once; report rows that are broken."""
        self.bars.add_tools()
        self.arrangement.add_rows()
        for broken in unsaid():
            self.session.notices.say(broken.sentence)

    def close_topmost(self) -> None:
        """Close the page, the export panel or the message above the image, whichever comes first."""
        if self.pages.covered:
            self._show_project()
        elif not self.export_panel.isHidden():
            self.export_panel.toggle()
        else:
            self.strips.dismiss_first()
        self.pages.focus()

    # -- made once -----------------------------------------------------------------------------------------------------

    def _make_parts(self) -> None:
        session = self.session
        self.canvas = Canvas(session)
        self.first_step = FirstStep(session, self.canvas)
        self.keyboard_hand = KeyboardHand(session, self.canvas)
        self.minimap = Minimap(session, self.canvas)
        self.scale_bar = ScaleBarView(session, self.canvas)
        self.status_bar = StatusBar(session)
        self.readout = CursorReadout(self.canvas, self.status_bar)
        self.export_panel = ExportPanel(session)
        self.message_strip = MessageStrip(session, self._said_elsewhere)
        self.closing_strip = ClosingStrip(session)
        self.read_only_banner = ReadOnlyBanner(session)
        self.image_banner = ImageBanner(session)
        self.done_strip = DoneStrip(session)
        self.speck_strip = SpeckStrip(session)
        self.lint_strip = LintStrip(session, lambda: self.bars.action("check-labels").trigger())
        self.growth_strip = GrowthStrip(session, self)
        self.held_out_banner = HeldOutBanner(session)
        self.strips = Strips(
            self.closing_strip,
            self.message_strip,
            self.read_only_banner,
            self.done_strip,
            self.speck_strip,
            self.lint_strip,
            self.growth_strip,
            self.image_banner,
            self.held_out_banner,
        )
        self.opening = Opening(session, self)
        self.dropped_masks = DroppedMasks(session, self)
        self.bars = Bars(self)
        actions = self.bars.action
        self.plane_strip = PlaneStrip(session, actions)
        self.start_page = StartPage(session, actions("open"), actions("new"), self.opening.open_path)
        self.pages = Pages(session, self.canvas, self.start_page, self.bars.keymap)
        self.appearance = Appearance(session, self.canvas, self)
        self.peek, self.flip = Peek(self), Flip(self)

    def _arrange(self) -> None:
        self.setStatusBar(self.status_bar)
        column = QWidget()
        column.setObjectName("mainColumn")
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part in (self.strips, self.export_panel, self.pages, self.plane_strip):
            layout.addWidget(part, int(part is self.pages))
        self.arrangement = Arrangement(self.session, self.bars.action, column)
        self.setCentralWidget(self.arrangement.middle)

    def _connect(self) -> None:
        session, class_panel = self.session, self.arrangement.classes
        self.bars.follow_focus(self.focus_ring.show_around)
        self.canvas.openRequested.connect(self.opening.choose)
        self.canvas.dropped.connect(self._dropped)
        self.dropped_masks.labelsDropped.connect(self.pages.show_import)
        self.canvas.paintedUnseen.connect(self._show_labels_again)
        self.canvas.menuAsked.connect(partial(show_canvas_menu, self))
        self.opening.newProjectAsked.connect(lambda paths: self.pages.show_new_project(*paths))
        self.arrangement.tool.left.connect(self.pages.focus)
        class_panel.named.connect(lambda: class_panel.view.hasFocus() and self.pages.focus())
        self.start_page.sampleAsked.connect(self.opening.try_sample)
        self.export_panel.left.connect(self.pages.focus)
        self.arrangement.images.left.connect(self.pages.focus)
        self.closing_strip.ready.connect(self.close)
        self.growth_strip.alwaysAsked.connect(lambda: self.add_new_images(True))
        session.notices.told.connect(self._told)
        session.projects.leftOut.connect(lambda sentence: self.message_strip.say(None, sentence))
        self.pages.left.connect(self._show_project)
        self.pages.coverChanged.connect(self._cover_changed)
        self.keyboard_hand.activeChanged.connect(self.bars.action("keyboard-cursor").setChecked)
        for name in ("show-side", "show-bottom"):
            self.bars.action(name).setChecked(True)
        self.bars.action("show-proposals").setChecked(session.preferences.show_proposals)
        self.bars.action("show-labels").setChecked(True)
        self._adds_new_images = session.preferences.add_new_images
        self.bars.check_preferences()
        session.kept_preferences.changed.connect(self._preferences_changed)

    # -- what happens --------------------------------------------------------------------------------------------------

    def _show_project(self) -> None:
        self.pages.show_project(self._project is not None)
        self.show_panels()
        self.pages.focus()
        self._title()

    def _cover_changed(self) -> None:
        """Hide and disable everything that belongs to the project while a page covers the image."""
        covered = self.pages.covered
        if covered:
            self.export_panel.hide()
        self.show_panels()
        held_out = self.held_out_banner
        for part in (self.growth_strip, self.image_banner, held_out, self.plane_strip, self.bars, self.status_bar):
            part.cover(covered)

    def _preferences_changed(self) -> None:
        """Follow what the settings, or another part of the window, say about new images."""
        adds, before = self.session.preferences.add_new_images, self._adds_new_images
        self._adds_new_images = adds
        self.bars.check_preferences()
        if adds and not before and self._project is not None and self._project.may_write:
            self.growth_strip.add_found(asked=False)

    def _show_labels_again(self) -> None:
        """Show the labels: nobody can see what they paint while the labels are hidden."""
        self.bars.action("show-labels").setChecked(True)
        self.canvas.set_labels_shown(True)
        self.session.notices.say(_("The labels are shown again: you are painting"))

    def _told(self, notice: "Notice") -> None:
        """Show why no project was made in the strip, unless the page that makes projects is open and shows it."""
        if notice.job is JobKind.NEW and not self.pages.shows_new_project:
            self.message_strip.say(JobKind.NEW, notice.sentence)

    def _said_elsewhere(self, notice: "Notice") -> bool:
        """Whether the part that asked for a job shows why it failed."""
        return self.export_panel.says(notice) or self.pages.says(notice)

    def _title(self, _: object = None) -> None:
        project = self._project
        parts = [part for part in (project.navigation.path, project.name) if part] if project is not None else []
        self.setWindowTitle(" – ".join([*parts, "SegStudio"]) if parts else "SegStudio")

    # -- events --------------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the curves folded in a small window: the image comes first."""
        super().resizeEvent(event)
        self.arrangement.training.set_cramped(self.height() < _LOW_PX or self.width() < _NARROW_PX)

    def event(self, event: QEvent) -> bool:
        """Report every failure in an event handler of this window; if closing failed, keep it open."""
        try:
            return super().event(event)
        except Exception as error:  # noqa: BLE001 - a border: the window reports it
            if event.type() is QEvent.Type.Close:
                event.ignore()
            self.session.notices.met(error)
            return True

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Show where Tab has moved the focus."""
        self.bars.choose_stops()
        moved = super().focusNextPrevChild(forward)
        self.focus_ring.show_around(self.focusWidget() if moved else None)
        return moved

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
            self.start_page.invite(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """What was dragged over the window is gone."""
        self.start_page.invite(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        self.start_page.invite(False)
        event.acceptProposedAction()
        self._dropped([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    def _dropped(self, paths: list[Path]) -> None:
        """Import labels of the open project; add images to it, or open anything else. On the page that makes projects,
        images are for the new one."""
        there = self._project is not None and not self.pages.shows_new_project
        if there:
            self.dropped_masks.take(paths, lambda rest: self.opening.take_drop(rest, True))
        else:
            self.opening.take_drop(paths, False)

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
        self.peek.end()
        self.flip.end()
        self._project_loader.close()
        self.arrangement.close_threads()
        self.session.close(wait_s)
        super().closeEvent(event)

    # -- what is kept between two windows ------------------------------------------------------------------------------

    def _prefer(self, **preferences: Any) -> None:
        self.session.kept_preferences.prefer(**preferences)

    def _remember(self, path: Path) -> None:
        kept = self.session.preferences
        recent = [str(path), *(p for p in kept.recent_projects if p != str(path))][:_RECENT]
        self._prefer(recent_projects=recent, last_folder=str(path.parent))

    def _keep(self) -> None:
        self._prefer(
            window_geometry=bytes(self.saveGeometry().toBase64().data()).decode(),
            panel_state=self.arrangement.state(),
            brush_radius=self.session.tools.radius,
            tool_options=dict(self.session.tools.options),
        )

    def _restore(self) -> None:
        kept = self.session.preferences
        if kept.window_geometry:
            self.restoreGeometry(QByteArray.fromBase64(kept.window_geometry.encode()))
        self.arrangement.restore(kept.panel_state)
