"""How the window looks, by the person's preferences: the theme of all windows, how labels and proposals are drawn."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from segstudio.ui.canvas import Canvas
from segstudio.ui.panels.plots import LivePlot
from segstudio.ui.theme import apply_theme, current_theme, theme_named
from segstudio.ui.window.icons import recolour

if TYPE_CHECKING:
    from segstudio.app.session import Session

__all__ = ["Appearance"]


class Appearance(QObject):
    """Follows the preferences, and the desktop where a person left the theme to it. The canvas begins with its own."""

    def __init__(self, session: "Session", canvas: Canvas, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._canvas = session, canvas
        self._look = self._wanted_look
        session.kept_preferences.changed.connect(self._follow)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_theme)

    @property
    def _wanted_look(self) -> tuple[float, float, bool]:
        return self._session.preferences.label_look

    def _follow(self) -> None:
        if self._look != self._wanted_look:
            self._look = self._wanted_look
            labels, proposals, outlined = self._look
            self._canvas.set_opacity(labels, proposals)
            self._canvas.set_outlines(outlined)
        self._canvas.set_pixel_grid(self._session.preferences.pixel_grid)
        self._follow_theme()

    def _follow_theme(self) -> None:
        application, before = QApplication.instance(), current_theme()
        after = theme_named(self._session.preferences.theme)
        if not isinstance(application, QApplication) or after.name == before.name:
            return
        apply_theme(application, after)
        for window in application.topLevelWidgets():
            recolour(window, after)
            for plot in window.findChildren(LivePlot):
                plot.follow_theme(after)
