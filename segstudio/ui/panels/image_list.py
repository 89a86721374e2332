"""The panel of the images: title, counts and filter, and the list, with thumbnails loaded when they become visible.

Nothing is stored per row, so a list of 100,000 costs only as much as its visible part.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from segstudio.labels.model import Status
from segstudio.text import _
from segstudio.ui.panels.controls import ElidedLabel, muted_label
from segstudio.ui.panels.image_cell import CELL_H, ImageCell
from segstudio.ui.panels.image_filters import ImageFilters
from segstudio.ui.panels.image_menu import ImageMenu
from segstudio.ui.panels.image_model import ImageListModel
from segstudio.ui.panels.image_view import ImageView
from segstudio.ui.panels.thumbnails import Thumbnails

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.viewing.thumbnails import Wish

__all__ = ["HEAD_H", "STRIP_H", "ImageListPanel"]

HEAD_H = 28
STRIP_H = HEAD_H + CELL_H
"""The panel with one row of images."""
_TITLED_W, _COUNTED_W = 640, 400
"""A panel below the image that is narrower than these has no room for its title, and then for the counts."""


class ImageListPanel(QFrame):
    """A title with counts, a filter, and the view `imageList`. A click shows an image; several can be selected for the
    menu. Below the image everything is one line above the rows; beside it the filter has a line of its own.
    """

    left = Signal()

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._session = session
        self._project: OpenedProject | None = None
        self._done: set[int] = set()
        self._followed = -1
        self._beside = False
        self.setObjectName("imagePanel")
        self.setProperty("role", "panel")
        self._title = QLabel(_("Images"))
        self._title.setProperty("role", "title")
        self._counts = ElidedLabel()
        self._counts.setObjectName("imageCounts")
        self._counts.setProperty("role", "muted")
        self.thumbnails = Thumbnails(self)
        self.model = ImageListModel(session)
        self.filters = ImageFilters(session)
        self.view = self._make_view()
        self.pages = QStackedWidget()
        self._arrange()
        self.thumbnails.ready.connect(self.view.viewport().update)
        self.filters.left.connect(self.left)
        self.filters.wentDown.connect(self._go_down)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the images of this project."""
        self._project, self._followed = project, -1
        self.thumbnails.clear()
        if project is not None:
            project.listing.changed.connect(self._listed)
            project.navigation.imagesChanged.connect(self._count)
            project.navigation.imagesChanged.connect(self._follow)
            project.navigation.imageLoading.connect(self._follow)
            project.navigation.imageShown.connect(self._follow)
            project.navigation.imageShown.connect(self._shown)
        self._count()
        self._listed()

    def add_to_head(self, part: QWidget) -> None:
        """Put another panel, folded to one line, beside the title."""
        self._head.addWidget(part, 10)

    def set_beside(self, beside: bool) -> None:
        """Arrange for a column beside the image, or for a row below it."""
        self._beside = beside
        if beside:
            self._second.addWidget(self.filters)
        else:
            self._head.insertWidget(2, self.filters)
        self.filters.set_wide(beside)
        self._second.setContentsMargins(12, 0, 4, 4 if beside else 0)
        self._empty.setDirection(QBoxLayout.Direction.TopToBottom if beside else QBoxLayout.Direction.LeftToRight)
        self._fit_head()

    def type_filter(self) -> None:
        """Let a person type into the filter."""
        self.filters.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filters.field.selectAll()

    def close_threads(self) -> None:
        """End the threads that the panel started."""
        self.thumbnails.close()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what there is no room for."""
        super().resizeEvent(event)
        self._fit_head()

    def _fit_head(self) -> None:
        self._title.setVisible(self._beside or self.width() >= _TITLED_W)
        self._counts.setVisible(self._beside or self.width() >= _COUNTED_W)

    # -- making --------------------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        head = self._head = QHBoxLayout()
        head.setContentsMargins(12, 1, 0, 1)
        head.setSpacing(8)
        head.addWidget(self._title)
        head.addWidget(self._counts)
        head.addWidget(self.filters)
        self._title.setFixedHeight(HEAD_H - 2)
        self._second = QHBoxLayout()
        self._second.setContentsMargins(12, 0, 4, 0)
        self.pages.addWidget(self.view)
        self.pages.addWidget(self._make_empty())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addLayout(self._second)
        column.addWidget(self.pages, 1)

    def _make_empty(self) -> QWidget:
        """What stands in place of the list where no image is left."""
        page = QWidget()
        button = QPushButton(_("Show all"))
        button.setObjectName("imageShowAll")
        button.clicked.connect(lambda: self._project is not None and self._project.listing.show_all())
        self._empty = QBoxLayout(QBoxLayout.Direction.LeftToRight, page)
        self._empty.setContentsMargins(12, 4, 12, 4)
        self._empty.setSpacing(12)
        self._empty.addWidget(muted_label(_("No image fits the filter")))
        self._empty.addWidget(button)
        self._empty.addStretch()
        return page

    def _make_view(self) -> ImageView:
        view = ImageView()
        view.setObjectName("imageList")
        view.setAccessibleName(_("Images of the project"))
        view.setModel(self.model)
        view.setItemDelegate(ImageCell(self.thumbnails, self._wish_of, self._place_on_screen, view))
        view.setFlow(QListView.Flow.LeftToRight)
        view.setWrapping(True)
        view.setResizeMode(QListView.ResizeMode.Adjust)
        view.setUniformItemSizes(True)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.verticalScrollBar().setSingleStep(CELL_H)  # a whole row
        view.picked.connect(self._picked)
        view.menuAsked.connect(self._show_menu)
        return view

    # -- images --------------------------------------------------------------------------------------------------------

    def _wish_of(self, place: int) -> "Wish | None":
        project = self._project
        if project is None or not 0 <= place < len(project.navigation.items):
            return None
        from segstudio.app.viewing.thumbnails import Wish

        navigation = project.navigation
        return Wish(int(navigation.items[place].id), navigation.content(place), navigation.rows[place].stored)

    def _shown(self) -> None:
        """Use the image on screen as its thumbnail: it costs nothing, and a very large image has no other."""
        assert self._project is not None
        navigation = self._project.navigation
        if navigation.display is None or navigation.plane != 0:
            return
        wish = self._wish_of(navigation.index)
        if wish is not None:
            self.thumbnails.offer(wish, navigation.display)

    def _place_on_screen(self) -> int:
        return self._project.navigation.index if self._project is not None else -1

    def _picked(self, row: int) -> None:
        place = self.model.place(row)
        if self._project is not None and place >= 0 and place != self._project.navigation.index:
            self._project.navigation.open(place)

    def _go_down(self) -> None:
        """Go on from the filter to the images, to the first where the one on screen is not listed."""
        if self.model.row_of(self._place_on_screen()) < 0:
            self._picked(0)
        self.view.setFocus()

    def _show_menu(self, rows: list[int], at: QPoint) -> None:
        places = [place for row in rows if (place := self.model.place(row)) >= 0]
        if self._project is not None and places:
            ImageMenu(self._session, self._project, places, self.view).popup(at)

    def _follow(self, _: object = None) -> None:
        """Select the image that is asked for now, unless it is the same as before: a selection stays then."""
        place = self._place_on_screen()
        if place == self._followed and place >= 0 and self.view.currentIndex().isValid():
            return  # another plane of it, perhaps: no cell looks different
        self.view.viewport().update()
        if place < 0:
            return
        self._followed = place
        row = self.model.row_of(place)
        if row < 0:
            self.view.clearSelection()
            return
        index = self.model.index(row, 0)
        self.view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.view.scrollTo(index)

    def _listed(self) -> None:
        """Show other rows, or that there are none."""
        hidden = self._project is not None and len(self.model.images) > 0 and not len(self.model.places)
        self.pages.setCurrentIndex(1 if hidden else 0)
        self._follow()
        self._say_counts()

    def _count(self, rows: tuple[int, ...] = ()) -> None:
        images = self.model.images
        if rows:
            self._done.difference_update(rows)
        else:
            self._done.clear()
        self._done.update(row for row in rows or range(len(images)) if images[row].status == Status.DONE)
        self._say_counts()

    def _say_counts(self) -> None:
        """How many images are done, or how many of all the filter leaves."""
        project, n = self._project, f"{len(self.model.images):,}"
        if project is None:
            words = ""
        elif project.listing.whole:
            words = _("{done} of {n} done", done=f"{len(self._done):,}", n=n)
        else:
            words = _("{listed} of {n} shown", listed=f"{len(self.model.places):,}", n=n)
        self._counts.setText(words)
