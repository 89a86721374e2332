"""The list of images: a model over the rows of the session, thumbnails loaded when they become visible, and the panel.

Nothing is stored per row, so a list of 100,000 costs only as much as its visible part.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QSize,
    Qt,
)
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHBoxLayout, QLabel, QListView, QVBoxLayout, QWidget

from segstudio.labels.model import Status
from segstudio.text import N_, _, count
from segstudio.ui.panels.image_cell import CELL_H, CELL_W, ImageCell
from segstudio.ui.panels.image_menu import ImageMenu
from segstudio.ui.panels.image_view import ImageView
from segstudio.ui.panels.thumbnails import Thumbnails
from segstudio.ui.text import wrapped

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.values import ImageItem
    from segstudio.app.viewing.thumbnails import Wish

__all__ = ["ITEM_ROLE", "ImageListModel", "ImageListPanel"]

ITEM_ROLE = Qt.ItemDataRole.UserRole + 1
_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_HEAD_H = 28
_STATUS = {Status.NEW: N_("new"), Status.IN_PROGRESS: N_("in progress"), Status.DONE: N_("done")}


def described(item: "ImageItem") -> str:
    """A row in words, for the tooltip and for screen readers."""
    parts = [item.name, f"{item.width} × {item.height} px", _(_STATUS[item.status])]
    if item.objects:
        parts.append(count(item.objects, "1 object", "{n} objects"))
    if item.split:
        parts.append(_("held out: never trained on") if item.split == "held-out" else _("used for training"))
    if item.problem:
        parts.append(item.problem)
    return "\n".join(parts)


class ImageListModel(QAbstractListModel):
    """Rows are the images of the session in their order."""

    def __init__(self, session: "Session") -> None:
        super().__init__(session)
        self._project: OpenedProject | None = None
        self._rows = 0
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """List the images of this project."""
        self._project = project
        if project is not None:
            project.navigation.imagesChanged.connect(self._changed)
        self._reset()

    @property
    def images(self) -> Sequence["ImageItem"]:
        """The rows."""
        return self._project.navigation.items if self._project is not None else ()

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """How many images there are. It is stored because the view asks twice per row during layout."""
        return 0 if parent.isValid() else self._rows

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name, description, or the item itself under `ITEM_ROLE`."""
        if not 0 <= index.row() < len(self.images):
            return None
        item = self.images[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return item.name
        if role == ITEM_ROLE:
            return item
        if role == Qt.ItemDataRole.ToolTipRole:
            return wrapped(described(item))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return described(item).replace("\n", ", ")
        return None

    def _changed(self, rows: tuple[int, ...]) -> None:
        if not rows:
            self._reset()
        for row in rows:
            index = self.index(row)
            self.dataChanged.emit(index, index)

    def _reset(self) -> None:
        self.beginResetModel()
        self._rows = len(self.images)
        self.endResetModel()


class ImageListPanel(QFrame):
    """A title with counts, and the view `imageList`. A click shows an image; several can be selected for the menu."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._session = session
        self._project: OpenedProject | None = None
        self._done: set[int] = set()
        self._followed = -1
        self.setObjectName("imagePanel")
        self.setProperty("role", "panel")
        self._title = QLabel(_("Images"))
        self._title.setProperty("role", "title")
        self._counts = QLabel()
        self._counts.setObjectName("imageCounts")
        self._counts.setProperty("role", "muted")
        self.thumbnails = Thumbnails(self)
        self.model = ImageListModel(session)
        self.view = self._make_view()
        head = self._head = QHBoxLayout()
        head.setContentsMargins(12, 4, 0, 0)
        head.setSpacing(8)
        head.addWidget(self._title)
        head.addWidget(self._counts)
        head.addSpacing(8)
        head.addStretch()
        self._title.setMinimumHeight(_HEAD_H)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.view)
        self.thumbnails.ready.connect(self.view.viewport().update)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the images of this project."""
        self._project, self._followed = project, -1
        self.thumbnails.clear()
        if project is not None:
            project.navigation.imagesChanged.connect(self._count)
            project.navigation.imagesChanged.connect(self._follow)
            project.navigation.imageLoading.connect(self._follow)
            project.navigation.imageShown.connect(self._follow)
            project.navigation.imageShown.connect(self._shown)
        self._count()
        self._follow()

    def add_to_head(self, part: QWidget) -> None:
        """Put another panel, folded to one line, beside the title."""
        self._head.addWidget(part, 10)

    def close_threads(self) -> None:
        """End the threads that the panel started."""
        self.thumbnails.close()

    def _make_view(self) -> ImageView:
        view = ImageView()
        view.setObjectName("imageList")
        view.setAccessibleName(_("Images of the project"))
        view.setModel(self.model)
        view.setItemDelegate(ImageCell(self.thumbnails, self._wish_of, self._row_on_screen, view))
        view.setFlow(QListView.Flow.LeftToRight)
        view.setWrapping(True)
        view.setResizeMode(QListView.ResizeMode.Adjust)
        view.setUniformItemSizes(True)
        view.setGridSize(QSize(CELL_W, CELL_H))
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.verticalScrollBar().setSingleStep(CELL_H)  # a whole row
        view.picked.connect(self._picked)
        view.menuAsked.connect(self._show_menu)
        return view

    def _wish_of(self, row: int) -> "Wish | None":
        project = self._project
        if project is None or not 0 <= row < len(project.navigation.items):
            return None
        from segstudio.app.viewing.thumbnails import Wish

        navigation = project.navigation
        return Wish(int(navigation.items[row].id), navigation.content(row), navigation.rows[row].file)

    def _shown(self) -> None:
        """Use the image on screen as its thumbnail: it costs nothing, and a very large image has no other."""
        assert self._project is not None
        navigation = self._project.navigation
        wish = self._wish_of(navigation.index)
        if wish is not None and navigation.display is not None and navigation.plane == 0:
            self.thumbnails.offer(wish, navigation.display)

    def _row_on_screen(self) -> int:
        return self._project.navigation.index if self._project is not None else -1

    def _picked(self, row: int) -> None:
        if self._project is not None and row != self._project.navigation.index:
            self._project.navigation.open(row)

    def _show_menu(self, rows: list[int], at: QPoint) -> None:
        if self._project is not None:
            ImageMenu(self._session, self._project, rows, self.view).popup(at)

    def _follow(self, _: object = None) -> None:
        """Select the image that is asked for now, unless it is the same as before: a selection stays then."""
        row = self._row_on_screen()
        self.view.viewport().update()
        if row < 0 or (row == self._followed and self.view.currentIndex().isValid()):
            return
        self._followed = row
        index = self.model.index(row)
        self.view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.view.scrollTo(index)

    def _count(self, rows: tuple[int, ...] = ()) -> None:
        images = self.model.images
        if self._project is None:
            self._done.clear()
            self._counts.setText("")
            return
        if rows:
            self._done.difference_update(rows)
        else:
            self._done.clear()
        self._done.update(row for row in rows or range(len(images)) if images[row].status == Status.DONE)
        self._counts.setText(_("{done} of {n} done", done=f"{len(self._done):,}", n=f"{len(images):,}"))
