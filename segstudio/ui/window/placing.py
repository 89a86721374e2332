"""Where a window may be placed: within the free area of its screen."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QStyle, QWidget

__all__ = ["fit_to_screen", "placed_within"]


def placed_within(wanted: QRect, available: QRect) -> QRect:
    """`wanted`, no larger than `available` and moved into it as little as possible."""
    width, height = min(wanted.width(), available.width()), min(wanted.height(), available.height())
    x = min(max(wanted.x(), available.x()), available.x() + available.width() - width)
    y = min(max(wanted.y(), available.y()), available.y() + available.height() - height)
    return QRect(x, y, width, height)


def fit_to_screen(window: QWidget) -> None:
    """Place a window that is not shown yet, with its title bar, within the free area of its screen."""
    if window.isMaximized() or window.isFullScreen():
        return
    title = window.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
    room = window.screen().availableGeometry().adjusted(0, title, 0, 0)
    placed = placed_within(window.geometry(), room)
    if placed.size() != window.size():
        window.resize(placed.size())
    if placed.topLeft() != window.geometry().topLeft() and window.testAttribute(Qt.WidgetAttribute.WA_Moved):
        window.move(placed.x(), placed.y() - title)
