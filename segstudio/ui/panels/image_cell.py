"""One cell of the image list: the thumbnail, and beside it the name, in two lines where it is long, and the status.

Status is shown by shape as well as by colour. A strip of one row and a column beside the image have the same cell.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem

from segstudio.labels.model import Status
from segstudio.text import _
from segstudio.ui.panels.image_model import ITEM_ROLE, STATUS_NAMES
from segstudio.ui.panels.thumbnails import THUMBNAIL_H, THUMBNAIL_W, Thumbnails
from segstudio.ui.theme import Theme, current_theme
from segstudio.ui.window.icons import pixmap

if TYPE_CHECKING:
    from collections.abc import Callable

    from segstudio.app.values import ImageItem
    from segstudio.app.viewing.thumbnails import Wish

__all__ = ["CELL_H", "CELL_W", "ImageCell", "draw_status", "name_lines", "selected_hovered"]

CELL_W = THUMBNAIL_W + 104
"""The least width of a cell: those of a row share what is left of it."""
CELL_H = THUMBNAIL_H + 8
_LINE_H = 15
_STATUS_PX = 12


class ImageCell(QStyledItemDelegate):
    """Draws an `ImageItem`: filled where it is selected, framed where it is the one on screen."""

    def __init__(
        self,
        thumbnails: Thumbnails,
        wish_of: "Callable[[int], Wish | None]",
        on_screen: "Callable[[], int]",
        view: QListView,
    ) -> None:
        super().__init__(view)
        self._view = view
        self._thumbnails, self._wish_of, self._on_screen = thumbnails, wish_of, on_screen

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """The same for all cells: what the grid gives them."""
        return self._view.gridSize()

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw the cell from its item."""
        item: ImageItem | None = index.data(ITEM_ROLE)
        if item is None:
            return
        theme = current_theme()
        rect: QRect = option.rect  # type: ignore[attr-defined]
        cell = rect.adjusted(1, 0, -1, 0)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        picture = QRect(cell.x() + 4, cell.y() + 4, THUMBNAIL_W, THUMBNAIL_H)
        self._back(painter, theme, cell, option, on_screen=item.index == self._on_screen())
        self._picture(painter, theme, picture, item)
        left = picture.right() + 9
        self._words(painter, theme, QRect(left, picture.y() - 1, cell.right() - 4 - left, THUMBNAIL_H + 2), item)
        painter.restore()

    def _words(self, painter: QPainter, theme: Theme, area: QRect, item: "ImageItem") -> None:
        painter.setPen(QColor(theme.text if item.status != Status.DONE else theme.muted))
        lines = name_lines(item.name.rpartition("/")[2], painter.fontMetrics(), area.width())
        for n, line in enumerate(lines):
            at = QRect(area.x(), area.y() + n * _LINE_H, area.width(), _LINE_H)
            painter.drawText(at, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, line)
        at = QRect(area.x(), area.y() + len(lines) * _LINE_H + 1, area.width(), _LINE_H)
        box = QRectF(at.x(), at.y() + (at.height() - _STATUS_PX) / 2, _STATUS_PX, _STATUS_PX)
        draw_status(painter, theme, box, item.status, bool(item.problem))
        painter.setPen(QColor(theme.muted))
        words = _(STATUS_NAMES[item.status])
        if item.planes > 1:
            words = _("{done} of {n} planes", done=item.planes_done, n=item.planes)
            if painter.fontMetrics().horizontalAdvance(words) > at.width() - 16:
                words = _("{done} of {n}", done=item.planes_done, n=item.planes)
        if item.problem or item.split == "held-out":
            words = _("problem") if item.problem else _("held out")
        words = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, at.width() - 16)
        painter.drawText(at.adjusted(16, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)

    def _back(
        self, painter: QPainter, theme: Theme, cell: QRect, option: QStyleOptionViewItem, *, on_screen: bool
    ) -> None:
        selected, hovered = selected_hovered(option)
        if not (selected or hovered or on_screen):
            return
        painter.setPen(QPen(QColor(theme.accent), 1) if on_screen else Qt.PenStyle.NoPen)
        filled = theme.accent_soft if selected else theme.hover if hovered else None
        painter.setBrush(Qt.BrushStyle.NoBrush if filled is None else QColor(filled))
        painter.drawRoundedRect(QRectF(cell).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def _picture(self, painter: QPainter, theme: Theme, target: QRect, item: "ImageItem") -> None:
        painter.fillRect(target, QColor(theme.field))
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        wish = self._wish_of(item.index)
        found = None if wish is None else self._thumbnails.get(wish, ratio)
        if found is None:
            if wish is not None and not self._thumbnails.pending(wish):
                _no_picture(painter, theme, target)
            return
        scale = max(target.width() / found.width(), target.height() / found.height())
        w, h = target.width() / scale, target.height() / scale
        source = QRectF((found.width() - w) / 2, (found.height() - h) / 2, w, h)
        painter.drawPixmap(QRectF(target), found, source)


def _no_picture(painter: QPainter, theme: Theme, target: QRect) -> None:
    """Draw the mark of an image without a thumbnail: the file cannot be read, or is too large to read for one."""
    mark = pixmap("image", theme.faint, 24)
    size = mark.deviceIndependentSize().toSize()
    painter.drawPixmap(target.center() - QRect(QPoint(0, 0), size).center(), mark)


def selected_hovered(option: QStyleOptionViewItem) -> tuple[bool, bool]:
    """Whether a cell is selected, and whether the pointer is over it."""
    # Imported here because the enumerations of QStyle take 15 ms to make.
    from PySide6.QtWidgets import QStyle

    state: QStyle.StateFlag = option.state  # type: ignore[attr-defined]
    return bool(state & QStyle.StateFlag.State_Selected), bool(state & QStyle.StateFlag.State_MouseOver)


def draw_status(painter: QPainter, theme: Theme, box: QRectF, status: Status, problem: bool) -> None:
    """Draw a ring for new, a half-filled ring for in progress, a tick in a disc for done, a triangle for a problem."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inner = box.adjusted(1, 1, -1, -1)
    if problem:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.warning))
        painter.drawPolygon(QPolygonF([QPointF(box.center().x(), box.top()), box.bottomRight(), box.bottomLeft()]))
    elif status == Status.DONE:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.accent))
        painter.drawEllipse(inner)
        painter.setPen(QPen(QColor(theme.panel), 1.5))
        c = box.center()
        painter.drawPolyline([c + QPointF(-2.4, 0.2), c + QPointF(-0.6, 2.0), c + QPointF(2.6, -1.8)])
    else:
        painter.setPen(QPen(QColor(theme.accent if status == Status.IN_PROGRESS else theme.faint), 1.5))
        painter.drawEllipse(inner)
        if status == Status.IN_PROGRESS:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent))
            painter.drawPie(inner, 270 * 16, 180 * 16)


def name_lines(name: str, metrics: QFontMetrics, width: int) -> tuple[str, ...]:
    """A name in one line, or in two of which the second loses its middle; `width` in pixels."""
    advance = metrics.horizontalAdvance(name)
    if advance <= width:
        return (name,)
    cut = max(1, len(name) * width // advance)
    while cut > 1 and metrics.horizontalAdvance(name[:cut]) > width:
        cut -= 1
    return name[:cut], metrics.elidedText(name[cut:], Qt.TextElideMode.ElideMiddle, width)
