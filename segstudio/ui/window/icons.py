"""The shipped SVG icons, tinted for the theme: normal, disabled, and checked in the accent.

Every file draws with `currentColor` on a 16 px grid. Its shape is rendered once, at the screen's own resolution so
that lines stay sharp, and then filled with the colour needed.
"""

from functools import lru_cache

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractButton, QLabel, QTabBar, QWidget

from segstudio.assets import asset
from segstudio.ui.theme import Theme, current_theme, tinted

__all__ = ["ICON_SIZE", "app_icon", "icon", "icon_names", "logo", "pixmap", "recolour", "swatch"]

ICON_SIZE = 16

_ICONS: dict[int, str] = {}
_PIXMAPS: dict[int, tuple[str, str, int]] = {}
"""What the icons and pictures made so far show, by Qt's key of their content: name; name, tint and size."""


def icon_names() -> frozenset[str]:
    """Names of all shipped icons."""
    return frozenset(path.stem for path in asset("icons").glob("*.svg"))


def icon(name: str) -> QIcon:
    """The icon of this name in the colours of the current theme."""
    return _icon(name, current_theme(), _ratio())


def pixmap(name: str, tint: str, size: int = ICON_SIZE) -> QPixmap:
    """An icon in one colour, or in the one that `tint` names in the theme; `size` device-independent pixels square."""
    return _pixmap(name, tint, tinted(tint, current_theme()), size, _ratio())


def recolour(root: QWidget, theme: Theme) -> None:
    """Draw the icons of actions, buttons, tabs and labels in and below a widget in the colours of a theme."""
    for action in root.findChildren(QAction):
        if name := _ICONS.get(action.icon().cacheKey()):
            action.setIcon(_icon(name, theme, _ratio()))
    for button in root.findChildren(QAbstractButton):
        if name := _ICONS.get(button.icon().cacheKey()):
            button.setIcon(_icon(name, theme, _ratio()))
    for tabs in root.findChildren(QTabBar):
        for place in range(tabs.count()):
            if name := _ICONS.get(tabs.tabIcon(place).cacheKey()):
                tabs.setTabIcon(place, _icon(name, theme, _ratio()))
    for label in root.findChildren(QLabel):
        if shown := _PIXMAPS.get(label.pixmap().cacheKey()):
            name, tint, size = shown
            label.setPixmap(_pixmap(name, tint, tinted(tint, theme), size, _ratio()))


def app_icon() -> QIcon:
    """The icon of the program."""
    found = QIcon()
    for size in (16, 32, 64, 128, 256):
        found.addFile(str(asset("icons", "png", f"segstudio-{size}.png")), QSize(size, size))
    return found


def logo(size: int) -> QPixmap:
    """The icon of the program as a pixmap, `size` device-independent pixels square."""
    return _shape("segstudio", size, _ratio())


def swatch(color: str, size: int = 12) -> QIcon:
    """The colour of a class as an icon: a filled square with round corners."""
    ratio = _ratio()
    drawn = _blank(size, ratio)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(color))
    painter.drawRoundedRect(0, 0, size, size, 3, 3)
    painter.end()
    return QIcon(drawn)


def _ratio() -> float:
    application = QGuiApplication.instance()
    return application.devicePixelRatio() if isinstance(application, QGuiApplication) else 1.0


def _blank(size: int, ratio: float) -> QPixmap:
    drawn = QPixmap(round(size * ratio), round(size * ratio))
    drawn.setDevicePixelRatio(ratio)
    drawn.fill(Qt.GlobalColor.transparent)
    return drawn


@lru_cache(maxsize=256)
def _icon(name: str, theme: Theme, ratio: float) -> QIcon:
    made = QIcon(_pixmap(name, "text", theme.text, ICON_SIZE, ratio))
    made.addPixmap(_pixmap(name, "faint", theme.faint, ICON_SIZE, ratio), QIcon.Mode.Disabled)
    made.addPixmap(_pixmap(name, "accent", theme.accent, ICON_SIZE, ratio), QIcon.Mode.Normal, QIcon.State.On)
    _ICONS[made.cacheKey()] = name
    return made


@lru_cache(maxsize=1024)
def _pixmap(name: str, tint: str, color: str, size: int, ratio: float) -> QPixmap:
    """The shape in one colour, at a fifth of the cost of rendering the file again."""
    drawn = QPixmap(_shape(name, size, ratio))
    painter = QPainter(drawn)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(0, 0, size, size, QColor(color))
    painter.end()
    _PIXMAPS[drawn.cacheKey()] = name, tint, size
    return drawn


@lru_cache(maxsize=256)
def _shape(name: str, size: int, ratio: float) -> QPixmap:
    from PySide6.QtSvg import QSvgRenderer

    drawn = _blank(size, ratio)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # A tool of another package brings its own file.
    file = name if name.endswith(".svg") else str(asset("icons", f"{name}.svg"))
    QSvgRenderer(file).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return drawn
