"""Dialogs for files and folders, in the colours and icons of the window, and the file manager of the desktop."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QFileInfo, QUrl
from PySide6.QtGui import QAbstractFileIconProvider, QDesktopServices, QIcon
from PySide6.QtWidgets import QFileDialog, QHeaderView, QToolButton, QTreeView, QWidget

from segstudio.text import _
from segstudio.ui.window.icons import icon

if TYPE_CHECKING:
    from segstudio.app.notices import Notices

__all__ = ["ask_for_path", "ask_where_to_save", "dress_file_dialog", "show_folder"]

_BUTTONS = {
    "backButton": "back",
    "forwardButton": "chevron-right",
    "toParentButton": "up",
    "newFolderButton": "add",
    "listModeButton": "list",
    "detailModeButton": "details",
}
_SIZE, _TYPE, _WHEN = 1, 2, 3


class _Icons(QAbstractFileIconProvider):
    """A folder or a sheet in the style of the window instead of the colourful icons of the desktop."""

    def icon(self, of: QAbstractFileIconProvider.IconType | QFileInfo) -> QIcon:
        if isinstance(of, QFileInfo):
            return icon("open" if of.isDir() else "image")
        folders = (QAbstractFileIconProvider.IconType.File,)
        return icon("image" if of in folders else "open")


def dress_file_dialog(dialog: QFileDialog) -> None:
    """Give a dialog icons that are visible in both themes and columns wide enough; a native dialog has its own.

    The dialog keeps a reference to the icons for as long as it lives.
    """
    icons = _Icons()
    dialog.setIconProvider(icons)
    dialog._icons = icons  # type: ignore[attr-defined]  (Qt does not own it)
    for name, drawing in _BUTTONS.items():
        button = dialog.findChild(QToolButton, name)
        if button is not None:
            button.setIcon(icon(drawing))
    tree = dialog.findChild(QTreeView, "treeView")
    if tree is not None:
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (_SIZE, _TYPE, _WHEN):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)


def ask_for_path(
    parent: QWidget, name: str, title: str, start: str, take: Callable[[str], object], *, folder: bool = True
) -> None:
    """Let a person choose a folder, or a file, from `start` on; `take` gets its path, nothing where none is chosen."""
    dialog = QFileDialog(parent, title, start)
    dialog.setObjectName(name)
    dialog.setFileMode(QFileDialog.FileMode.Directory if folder else QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(take)
    dress_file_dialog(dialog)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def ask_where_to_save(
    parent: QWidget, name: str, title: str, start: str, kind: tuple[str, str], take: Callable[[str], object]
) -> None:
    """Let a person choose where a file is written, at first `start`; `take` gets its path, nothing where none is
    chosen. `kind` is what the files are called and how their names end, without a dot.
    """
    dialog = QFileDialog(parent, title, start, f"{kind[0]} (*.{kind[1]})")
    dialog.setObjectName(name)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(kind[1])
    dialog.fileSelected.connect(take)
    dress_file_dialog(dialog)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def show_folder(folder: Path, notices: "Notices") -> bool:
    """Open a folder in the file manager; where that does not open, a message says so, and the answer is False."""
    opened = QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
    if not opened:
        notices.say(_("The folder could not be opened: {folder}", folder=folder))
    return opened
