"""The rows of the image list: what the listing leaves of the project's images, in its order."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QStandardItemModel

from segstudio.labels.model import Status
from segstudio.text import N_, _, count
from segstudio.ui.text import wrapped

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.values import ImageItem

__all__ = ["ITEM_ROLE", "STATUS_NAMES", "ImageListModel", "described", "planes_words"]

ITEM_ROLE = Qt.ItemDataRole.UserRole + 1
STATUS_NAMES = {Status.NEW: N_("new"), Status.IN_PROGRESS: N_("in progress"), Status.DONE: N_("done")}
_Index = QModelIndex | QPersistentModelIndex


def described(item: "ImageItem") -> str:
    """A row in words, for the tooltip and for screen readers."""
    parts = [item.name, f"{item.width} × {item.height} px", _(STATUS_NAMES[item.status])]
    if item.planes > 1:
        parts.append(planes_words(item))
    if item.objects:
        parts.append(count(item.objects, "1 object", "{n} objects"))
    if item.split:
        parts.append(_("held out: never trained on") if item.split == "held-out" else _("used for training"))
    if item.problem:
        parts.append(item.problem)
    return "\n".join(parts)


def planes_words(item: "ImageItem") -> str:
    """How many planes of a stack are done."""
    return _("{done} of {n} planes done", done=item.planes_done, n=item.planes)


class ImageListModel(QStandardItemModel):
    """A row is an image that is listed; its place in the project is another number where there is a filter or a sort.

    It has no items: what it says of a row is read from the project. It is a `QStandardItemModel` for its count of rows
    alone, which a view asks for twice a row while it lays 100,000 out; in Python that takes 20 times as long.
    """

    def __init__(self, session: "Session") -> None:
        super().__init__(session)
        self._project: OpenedProject | None = None
        self._row_of: dict[int, int] | None = None
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """List the images of this project."""
        self._project = project
        if project is not None:
            project.listing.changed.connect(self._reset)
            project.navigation.imagesChanged.connect(self._changed)
        self._reset()

    @property
    def images(self) -> Sequence["ImageItem"]:
        """All images of the project, listed or not."""
        return self._project.navigation.items if self._project is not None else ()

    @property
    def places(self) -> Sequence[int]:
        """The places in the project of the rows."""
        return self._project.listing.places if self._project is not None else ()

    def place(self, row: int) -> int:
        """The place in the project of a row; -1 for none."""
        places = self.places
        return places[row] if 0 <= row < len(places) else -1

    def row_of(self, place: int) -> int:
        """The row of an image by its place in the project; -1 where it is not listed."""
        places = self.places
        if isinstance(places, range):
            return places.index(place) if place in places else -1
        if self._project is not None and self._project.listing.order.plain:
            row = bisect_left(places, place)
            return row if row < len(places) and places[row] == place else -1
        if self._row_of is None:
            self._row_of = {listed: row for row, listed in enumerate(places)}
        return self._row_of.get(place, -1)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name, description, or the item itself under `ITEM_ROLE`."""
        place = self.place(index.row())
        if not 0 <= place < len(self.images):
            return None
        item = self.images[place]
        if role == Qt.ItemDataRole.DisplayRole:
            return item.name
        if role == ITEM_ROLE:
            return item
        if role == Qt.ItemDataRole.ToolTipRole:
            return wrapped(described(item))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return described(item).replace("\n", ", ")
        return None

    def _changed(self, places: tuple[int, ...]) -> None:
        for place in places:
            row = self.row_of(place)
            if row >= 0:
                index = self.index(row, 0)
                self.dataChanged.emit(index, index)

    def _reset(self) -> None:
        self.beginResetModel()
        self._row_of = None
        blocked = self.blockSignals(True)
        self.setColumnCount(1)
        self.setRowCount(len(self.places))
        self.blockSignals(blocked)
        self.endResetModel()
