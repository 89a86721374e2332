"""The dialog of Open: choose a project, a folder of images, or image files.

Native dialogs choose either files or a folder; this is the dialog of Qt, which takes whatever is selected.
"""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from segstudio.app.image_files import image_patterns
from segstudio.text import _
from segstudio.ui.dialogs.files import dress_file_dialog

__all__ = ["OpenDialog", "project_among"]

_SUFFIX = ".segstudio"


def project_among(paths: list[Path]) -> Path | None:
    """The first project that one of these paths is or lies in; None if they are images or a folder of them."""
    for path in paths:
        found = next((p for p in (path, *path.parents) if p.suffix == _SUFFIX), None)
        if found is not None:
            return found
    return None


class OpenDialog(QFileDialog):
    """`openDialog`; `chosen` carries a list of `Path`: files, or one folder. A double click enters a folder."""

    chosen = Signal(list)

    def __init__(self, parent: QWidget, folder: str) -> None:
        super().__init__(parent, _("Open a project, a folder of images, or images"), folder)
        self.setObjectName("openDialog")
        self.setOption(QFileDialog.Option.DontUseNativeDialog)
        self.setFileMode(QFileDialog.FileMode.ExistingFiles)
        self.setLabelText(QFileDialog.DialogLabel.FileName, _("Project, folder or images:"))
        self.setNameFilters([_("Images ({endings})", endings=" ".join(image_patterns())), _("All files (*)")])
        self.setOption(QFileDialog.Option.HideNameFilterDetails)
        self.resize(760, 480)
        dress_file_dialog(self)
        self.currentChanged.connect(self._pointed_at)
        self.directoryEntered.connect(self._entered)
        self.finished.connect(self.deleteLater)

    def accept(self) -> None:
        """Take the selection, folders included; without one, take the folder that is shown."""
        paths = [Path(name) for name in self.selectedFiles()] or [Path(self.directory().absolutePath())]
        if all(path.exists() for path in paths):
            self._choose(paths)
        else:
            super().accept()  # which reports the missing file

    def _pointed_at(self, path: str) -> None:
        """Choose a clicked folder like a file: Qt would leave it out."""
        line = self.findChild(QLineEdit, "fileNameEdit")
        if line is not None and Path(path).is_dir():
            line.setText(Path(path).name)

    def _entered(self, folder: str) -> None:
        """Open a project instead of entering its folder."""
        if Path(folder).suffix == _SUFFIX:
            self._choose([Path(folder)])

    def _choose(self, paths: list[Path]) -> None:
        self.done(QFileDialog.DialogCode.Accepted.value)
        self.chosen.emit(paths)
