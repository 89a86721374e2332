"""The question where to put a backup."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QWidget

from segstudio.text import _
from segstudio.ui.dialogs.files import dress_file_dialog

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject

__all__ = ["choose_backup_folder"]


def choose_backup_folder(parent: QWidget, project: "OpenedProject") -> None:
    """Ask for the folder, by default the one that contains the project; the backup begins from the event loop."""
    dialog = QFileDialog(parent, _("Folder to put the backup in"), str(project.path.parent))
    dialog.setObjectName("backupFolderDialog")
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.fileSelected.connect(lambda chosen: project.backups.ask(Path(chosen)))
    dress_file_dialog(dialog)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
