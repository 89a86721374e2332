"""The dialog for snapshots: keep one under a name, or list them to restore, rename or delete.

It is not modal: painting goes on while it is open.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from segstudio.app.values import JobKind
from segstudio.text import N_, _, count, elided
from segstudio.ui.dialogs.snapshot_list import SnapshotList
from segstudio.ui.panels.controls import muted_label
from segstudio.ui.text import beside_icon
from segstudio.ui.window.icons import icon

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.values import Notice, Restored, SnapshotItem

__all__ = ["SnapshotsDialog"]

_COUNT_MS = 250
_ON_KEEPING = N_("A snapshot names all current labels. 'Snapshots…' in the menu Project lists and restores them.")
_ON_RESTORING = N_("Restoring can be undone: nothing painted since then is lost.")


class SnapshotsDialog(QDialog):
    """`snapshotsDialog`, made when it is first needed.

    `ask_name` shows only the parts for keeping a snapshot, and the dialog closes then; `present` shows the list.
    """

    def __init__(self, session: "Session", parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._project: OpenedProject | None = None
        self._running = self._restoring = False
        self._sure: int | None = None
        self._keeping = False
        self._large: QSize | None = None
        self._counting = QTimer(self)
        self._counting.setSingleShot(True)
        self._counting.setInterval(_COUNT_MS)
        self._counting.timeout.connect(self._count)
        self.setObjectName("snapshotsDialog")
        self.setWindowTitle(_("Snapshots"))
        self.name = QLineEdit()
        self.keep = QPushButton(icon("snapshot"), beside_icon(_("Keep")))
        self.list = SnapshotList()
        self.empty = self.list.empty
        self.restore = QPushButton(_("Restore project"))
        self.restore_image = QPushButton(_("Restore this image"))
        self.rename = QPushButton(_("Rename"))
        self.delete = QPushButton(_("Delete"))
        self.state = QLabel()
        self.hint = muted_label("")
        self.hint.setWordWrap(True)
        self.undo = QPushButton(icon("undo"), beside_icon(_("Undo")))
        self._dress()
        self._arrange()
        self._connect()
        self.resize(620, 380)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the snapshots of this project."""
        self._project = project
        self._say("")
        self.list.clear()  # a number chosen in one project means nothing in another
        if project is None:
            self.hide()
        else:
            project.snapshots.snapshotsChanged.connect(self._fill)
            project.snapshots.restored.connect(self._restored)
            project.documents.editCommitted.connect(self._count_soon)
            project.documents.historyChanged.connect(self._refresh)
            project.navigation.imageShown.connect(self._refresh)
            project.navigation.imageLoading.connect(self._refresh)
        self._fill()

    def ask_name(self) -> None:
        """Ask for the name of a new snapshot; Return keeps it."""
        self._show_parts(keeping=True)
        self.name.setFocus()
        self.name.selectAll()

    def present(self) -> None:
        """Show the list above the window."""
        self._show_parts(keeping=False)

    def _show_parts(self, *, keeping: bool) -> None:
        self.setWindowTitle(_("Keep a snapshot") if keeping else _("Snapshots"))
        self._keeping = keeping
        for widget in (self.name, self.keep):
            widget.setVisible(keeping)
        for widget in (self.list, self.restore, self.restore_image, self.rename, self.delete):
            widget.setVisible(not keeping)
        self.hint.setText(_(_ON_KEEPING if keeping else _ON_RESTORING))
        self._say("")
        self.show()
        self.activateWindow()
        if keeping:
            self._large = self.size() if self._large is None else self._large
            width = self._large.width()
            self._column.activate()
            self.resize(width, self._column.totalHeightForWidth(width))
        elif self._large is not None:
            self.resize(self._large)
            self._large = None
        self._fill()

    # -- building ------------------------------------------------------------------------------------------------------

    def _dress(self) -> None:
        for widget, name, words in (
            (self.name, "snapshotName", _("Name of the snapshot; without one, the date and time")),
            (self.keep, "snapshotKeep", _("Name the current labels; nothing is copied")),
            (self.list, "snapshotList", _("Snapshots, newest first")),
            (self.restore, "snapshotRestore", _("Take all images and classes back to that state; can be undone")),
            (
                self.restore_image,
                "snapshotRestoreImage",
                _("Take the image on screen back to that state; can be undone"),
            ),
            (self.rename, "snapshotRename", _("Rename the snapshot (F2)")),
            (self.delete, "snapshotDelete", _("Delete the snapshot; no label changes")),
            (self.undo, "snapshotUndo", _("Undo the restore")),
        ):
            widget.setObjectName(name)
            widget.setToolTip(words)
            widget.setAccessibleName(words)
        self.name.setPlaceholderText(_("Name (without one: the date and time)"))
        self.name.setMaxLength(200)
        self.keep.setProperty("role", "primary")
        self.keep.setDefault(True)
        for button in (self.restore, self.restore_image, self.rename, self.delete, self.undo):
            button.setAutoDefault(False)
        self.state.setObjectName("snapshotState")
        self.state.setWordWrap(True)
        self.state.setTextFormat(Qt.TextFormat.PlainText)

    def _arrange(self) -> None:
        above, below, last = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for row in (above, below, last):
            row.setSpacing(8)
        above.addWidget(self.name, 1)
        above.addWidget(self.keep)
        below.addWidget(self.restore)
        below.addWidget(self.restore_image)
        below.addStretch(1)
        below.addWidget(self.rename)
        below.addWidget(self.delete)
        last.addWidget(self.state, 1)
        last.addWidget(self.undo)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addLayout(above)
        column.addWidget(self.hint)
        column.addWidget(self.list, 1)
        column.addLayout(below)
        column.addLayout(last)

    def _connect(self) -> None:
        self.keep.clicked.connect(self._keep)
        self.restore.clicked.connect(lambda: self._restore(this_image=False))
        self.restore_image.clicked.connect(lambda: self._restore(this_image=True))
        self.rename.clicked.connect(self.list.edit_name)
        self.delete.clicked.connect(self._delete)
        self.undo.clicked.connect(self._undo)
        self.list.itemSelectionChanged.connect(self._refresh)
        self.list.itemSelectionChanged.connect(lambda: self._ask_to_delete(None))
        self.list.renamed.connect(self._renamed)
        self._session.notices.told.connect(self._told)
        self._session.jobs.changed.connect(self._jobs_changed)

    # -- showing -------------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Fill the list, which is not updated while the dialog is hidden."""
        super().showEvent(event)
        self._fill()

    def _fill(self) -> None:
        """Read the list again; the selected row stays selected."""
        if self.isHidden():
            return
        project = self._project
        if project is None:
            self._show([])
        elif not project.snapshots.read(self._show):
            self.list.tell_reading()
        self._refresh()

    def _show(self, items: "list[SnapshotItem]") -> None:
        self.list.fill(items, editable=self._project is not None and self._project.may_write)
        self._refresh()

    def _count_soon(self, _seq: int) -> None:
        """Count soon: restoring many images announces as many edits at once, which are counted together."""
        if not self.isHidden() and not self._counting.isActive():
            self._counting.start()

    def _count(self) -> None:
        """Update only the numbers of edits, so that a name being edited is left alone."""
        if not self.isHidden() and self._project is not None:
            self._project.snapshots.read(self._recount)

    def _recount(self, items: "list[SnapshotItem]") -> None:
        if not self.list.recount(items):
            self._show(items)  # the first edit of the day has kept one

    def _refresh(self, _: object = None) -> None:
        project = self._project
        writes = project is not None and project.may_write and not self._running
        chosen, kept = self.list.chosen is not None, self.list.restorable
        self.keep.setEnabled(writes)
        self.name.setEnabled(writes)
        self.restore.setEnabled(writes and kept)
        shown = project is not None and project.navigation.shown is not None
        self.restore_image.setEnabled(writes and kept and shown)
        self.rename.setEnabled(writes and chosen)
        self.delete.setEnabled(writes and chosen)
        self.undo.setEnabled(writes)

    # -- acting --------------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        self._say("")
        if self._project is not None:
            self._project.snapshots.keep(self.name.text())
        self.name.clear()
        self.hide()

    def _restore(self, *, this_image: bool) -> None:
        chosen = self.list.chosen
        if chosen is None or self._project is None:
            return
        self._say(_("Restoring …"))
        self._restoring = True
        if this_image:
            self._project.snapshots.restore_image(chosen)
        else:
            self._project.snapshots.restore_project(chosen)

    def _renamed(self, snapshot: int, name: str) -> None:
        if self._project is not None:
            self._project.snapshots.rename(snapshot, name)

    def _delete(self) -> None:
        """Delete at the second click: the first may be a slip, next to Rename."""
        chosen = self.list.chosen
        if chosen is None or self._project is None:
            return
        if self._sure != chosen:
            self._say(_("Click again to delete '{name}'; no label changes.", name=elided(self.list.chosen_name, 40)))
            self._ask_to_delete(chosen)
            return
        self._say("")
        self._ask_to_delete(None)
        self._project.snapshots.delete(chosen)

    def _ask_to_delete(self, chosen: int | None) -> None:
        if chosen is None and self._sure is not None:
            self._say("")
        self._sure = chosen
        self.delete.setText(_("Delete") if chosen is None else _("Delete it"))

    def _undo(self) -> None:
        self._say(_("Undoing the restore …"))
        if self._project is not None:
            self._project.snapshots.undo_restore()

    def _restored(self, report: "Restored") -> None:
        if report.taken_back:
            self._say(_("The restore of '{name}' was undone.", name=report.name))
            return
        if not report.images and not report.classes:
            self._say(_("Nothing was changed: everything is already as in '{name}'.", name=report.name))
            return
        images = count(len(report.images), "1 image", "{n} images")
        what = _("{images} and the classes", images=images) if report.classes else images
        words = [_("{what} restored to '{name}'.", what=what, name=report.name)]
        for unused in report.unused_classes:
            words.append(_("The class '{name}' is not in use: its pixels count as unlabelled.", name=unused))
        self._say(" ".join(words), undo=True)

    def _told(self, notice: "Notice") -> None:
        if notice.job in (JobKind.SNAPSHOT, JobKind.RESTORE):
            undo = self._project is not None and self._project.snapshots.can_undo_restore
            self._say(notice.sentence, undo=undo)
            self._fill()
        else:
            self._refresh()  # perhaps an image that cannot be shown

    def _jobs_changed(self) -> None:
        running = bool(self._session.jobs.of(JobKind.RESTORE))
        if running is not self._running:
            self._running = running
            if not running and self._restoring:
                self._say("")
            self._refresh()

    def _say(self, text: str, *, undo: bool = False) -> None:
        self.state.setText(text)
        self.state.setAccessibleName(text)
        self.undo.setVisible(undo)
