"""What the status bar says of the pointer and the zoom: position, sample value and class, followed from the canvas."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from segstudio.ui.canvas import Canvas
from segstudio.ui.window.status_bar import StatusBar

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject

__all__ = ["CursorReadout"]

_EVERY_MS = 40
"""Nobody reads faster, and words that change lay out the whole status bar."""


class CursorReadout(QObject):
    """Follows one canvas into one status bar."""

    def __init__(self, canvas: Canvas, status_bar: StatusBar) -> None:
        super().__init__(canvas)
        self._canvas, self._status_bar = canvas, status_bar
        self._project: OpenedProject | None = None
        self._at: tuple[int, int] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_EVERY_MS)
        self._soon.timeout.connect(self._show)
        canvas.zoomChanged.connect(self._zoomed)
        canvas.hovered.connect(self._hovered)
        canvas.left.connect(self._left)

    @property
    def at(self) -> tuple[int, int] | None:
        """The pixel (x, y) under the pointer; None where it is not over the image."""
        return self._at

    def follow(self, project: "OpenedProject | None") -> None:
        """Read positions in this project's image from now on."""
        self._project = project
        if project is None:
            self._status_bar.show_zoom(0)
            return
        project.documents.historyChanged.connect(self._show_soon)
        project.documents.classesChanged.connect(self._show)
        project.navigation.imageLoading.connect(lambda _path: self._status_bar.show_zoom(0))
        project.navigation.imageFailed.connect(lambda _path, _why: self._status_bar.show_zoom(0))
        project.navigation.imageShown.connect(lambda: self._status_bar.show_zoom(self._canvas.scale))

    def _zoomed(self, scale: float) -> None:
        navigation = self._project.navigation if self._project is not None else None
        there = navigation is not None and navigation.shown is not None and not navigation.loading
        self._status_bar.show_zoom(scale if there else 0)

    def _hovered(self, x: float, y: float) -> None:
        self._at = int(x // 1), int(y // 1)
        self._show_soon()

    def _show_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _left(self) -> None:
        self._at = None
        self._soon.stop()
        self._show()

    def _show(self) -> None:
        if self._at is None or self._project is None:
            self._status_bar.show_cursor("")
            return
        x, y = self._at
        value, name = self._project.value_at(x, y)
        self._status_bar.show_cursor(f"{x}, {y} · {value} · {name}" if name else "")
