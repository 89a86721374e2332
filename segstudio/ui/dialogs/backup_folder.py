"""The question where to put a backup, and the words when it is there."""

from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.text import _, count

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from segstudio.app.backing_up import Backup
    from segstudio.app.notices import Notices
    from segstudio.app.open_project import OpenedProject

__all__ = ["choose_backup_folder", "say_backed_up"]


def choose_backup_folder(parent: "QWidget", project: "OpenedProject") -> None:
    """Ask for the folder, by default the one that contains the project; the backup begins from the event loop."""
    from PySide6.QtWidgets import QFileDialog

    from segstudio.ui.dialogs.files import dress_file_dialog

    dialog = QFileDialog(parent, _("Folder to put the backup in"), str(project.path.parent))
    dialog.setObjectName("backupFolderDialog")
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.fileSelected.connect(lambda chosen: project.backups.ask(Path(chosen)))
    dress_file_dialog(dialog)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def say_backed_up(notices: "Notices", made: "Backup") -> None:
    """Say where a backup is, and what is not in it yet."""
    sentences = [_("Backed up and checked: {path}", path=made.path)]
    if made.unsaved:
        sentences.append(
            count(
                made.unsaved,
                "1 edit is not saved yet and not in the backup",
                "{n} edits are not saved yet and not in the backup",
            )
        )
    notices.say(". ".join(sentences))
