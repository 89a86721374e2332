"""One cell of the image list: thumbnail, name, status, and the mark of a held-out image.

Status is shown by shape as well as by colour.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from segstudio.text import _
from segstudio.ui.panels.thumbnails import THUMBNAIL_H, THUMBNAIL_W, Thumbnails
from segstudio.ui.theme import Theme, current_theme
from segstudio.ui.window.icons import pixmap

if TYPE_CHECKING:
    from collections.abc import Callable

    from segstudio.app.values import ImageItem
    from segstudio.app.viewing.thumbnails import Wish

__all__ = ["CELL_H", "CELL_W", "ImageCell", "draw_status", "selected_hovered"]

CELL_W = THUMBNAIL_W + 16
CELL_H = THUMBNAIL_H + 36
_ITEM_ROLE = Qt.ItemDataRole.UserRole + 1


class ImageCell(QStyledItemDelegate):
    """Draws an `ImageItem`: filled where it is selected, framed where it is the one on screen."""

    def __init__(
        self,
        thumbnails: Thumbnails,
        wish_of: "Callable[[int], Wish | None]",
        on_screen: "Callable[[], int]",
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._thumbnails, self._wish_of, self._on_screen = thumbnails, wish_of, on_screen

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """The same for all cells."""
        return QSize(CELL_W, CELL_H)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw the cell from its item."""
        item: ImageItem | None = index.data(_ITEM_ROLE)
        if item is None:
            return
        theme = current_theme()
        rect: QRect = option.rect  # type: ignore[attr-defined]
        cell = rect.adjusted(4, 2, -4, -2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        picture = QRect(cell.x() + 4, cell.y() + 4, THUMBNAIL_W, THUMBNAIL_H)
        self._back(painter, theme, cell, option, on_screen=index.row() == self._on_screen())
        self._picture(painter, theme, picture, item)
        if item.split == "held-out":
            _badge(painter, theme, picture, _("held out"))
        line = QRect(picture.x(), picture.bottom() + 4, picture.width(), 20)
        draw_status(painter, theme, QRectF(line.x(), line.y() + 4, 12, 12), item.status, bool(item.problem))
        painter.setPen(QColor(theme.text if item.status != "done" else theme.muted))
        metrics = painter.fontMetrics()
        name = metrics.elidedText(item.name.rpartition("/")[2], Qt.TextElideMode.ElideMiddle, line.width() - 16)
        painter.drawText(line.adjusted(16, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
        painter.restore()

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


def draw_status(painter: QPainter, theme: Theme, box: QRectF, status: str, problem: bool) -> None:
    """Draw a ring for new, a half-filled ring for in progress, a tick in a disc for done, a triangle for a problem."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inner = box.adjusted(1, 1, -1, -1)
    if problem:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.warning))
        painter.drawPolygon(QPolygonF([QPointF(box.center().x(), box.top()), box.bottomRight(), box.bottomLeft()]))
    elif status == "done":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.accent))
        painter.drawEllipse(inner)
        painter.setPen(QPen(QColor(theme.panel), 1.5))
        c = box.center()
        painter.drawPolyline([c + QPointF(-2.4, 0.2), c + QPointF(-0.6, 2.0), c + QPointF(2.6, -1.8)])
    else:
        painter.setPen(QPen(QColor(theme.accent if status == "in-progress" else theme.faint), 1.5))
        painter.drawEllipse(inner)
        if status == "in-progress":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent))
            painter.drawPie(inner, 270 * 16, 180 * 16)


def _badge(painter: QPainter, theme: Theme, picture: QRect, text: str) -> None:
    painter.save()
    font = painter.font()
    font.setPointSizeF(max(6.5, font.pointSizeF() * 0.8))
    painter.setFont(font)
    width = painter.fontMetrics().horizontalAdvance(text) + 8
    box = QRectF(picture.x() + 4, picture.y() + 4, width, 16)
    painter.setPen(Qt.PenStyle.NoPen)
    back = QColor(theme.window)
    back.setAlpha(225)
    painter.setBrush(back)
    painter.drawRoundedRect(box, 3, 3)
    painter.setPen(QColor(theme.text))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
