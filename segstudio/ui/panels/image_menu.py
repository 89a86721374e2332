"""The menu of the image list: for one image, or for all that are selected."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from segstudio.text import _, count
from segstudio.ui.window.icons import icon

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.labels.model import ImageId

__all__ = ["ImageMenu"]

_MOST_FOLDERS = 10
"""More windows of a file manager than these help nobody."""


class ImageMenu(QMenu):
    """`imageMenu`; deletes itself when it is closed. What makes no sense for these images is disabled."""

    def __init__(self, session: "Session", project: "OpenedProject", rows: Sequence[int], parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._project = session, project
        self._rows = list(rows)
        self._items = [project.navigation.items[row] for row in rows]
        self.setObjectName("imageMenu")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setToolTipsVisible(True)
        self._fill(len(rows))

    def _fill(self, n: int) -> None:
        project, ids = self._project, frozenset(item.id for item in self._items)
        may, done = project.may_write, sum(item.status == "done" for item in self._items)
        begun = any(item.planes_done for item in self._items)
        held = sum(item.split == "held-out" for item in self._items)
        trains = sum(item.split == "train" for item in self._items)
        self._add("imageShowFolder", "open", _("Show in folder"), self._show_folders)
        self.addSeparator()
        mark = project.marking.mark
        ready = self._add("imageMarkDone", "done", _("Mark as done"), lambda: mark(ids, done=True), may and done < n)
        if str(project.finishing.rest) == "proposal":
            tip = _("An image without a proposal stays as it is: show it and press Enter, or label it first")
            ready.setToolTip(tip)
        self._add("imageMarkNotDone", "", _("Mark as not done"), lambda: mark(ids, done=False), may and begun)
        self.addSeparator()
        learn = count(n, "Learn from this image", "Learn from these {n} images")
        hold = count(n, "Hold this image out", "Hold these {n} images out")
        self._add("imageLearn", "train", learn, partial(self._hold_out, ids, False), may and trains < n)
        out = self._add("imageHoldOut", "", hold, partial(self._hold_out, ids, True), may and held < n)
        out.setToolTip(_("Measure the model on what it has never learned from"))
        self.addSeparator()
        remove = count(n, "Remove from the project", "Remove these {n} images from the project")
        gone = self._add("imageRemove", "close", remove, lambda: project.growing.remove_images(ids), may)
        gone.setToolTip(_("The files stay where they are; undo brings the images back"))

    def _add(self, name: str, sign: str, text: str, call: Callable[[], object], enabled: bool = True) -> QAction:
        action = QAction(text, self)
        action.setObjectName(name)
        if sign:
            action.setIcon(icon(sign))
        action.setEnabled(enabled)
        action.triggered.connect(lambda _checked=False: call())
        self.addAction(action)
        return action

    def _hold_out(self, images: "frozenset[ImageId]", held: bool) -> None:
        roles = self._project.roles
        self._session.notices.attempt(lambda: roles.hold_out(images, held=held))

    def _show_folders(self) -> None:
        """Open the folders of the images in the file manager."""
        from segstudio.ui.dialogs.files import show_folder

        rows = self._project.navigation.rows
        folders = sorted({rows[row].file.parent for row in self._rows})
        for folder in folders[:_MOST_FOLDERS]:
            if not show_folder(folder, self._session.notices):
                return
        if len(folders) > _MOST_FOLDERS:
            said = _("The first {n} of {all} folders were opened.", n=_MOST_FOLDERS, all=len(folders))
            self._session.notices.say(said)
