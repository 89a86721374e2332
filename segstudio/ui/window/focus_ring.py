"""A ring around whatever Tab has reached, the same for every part of the window and in both themes.

Who works with a mouse never sees it: a click, or another way to the focus, takes it away.
"""

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtWidgets import QApplication, QFrame, QMainWindow, QWidget
from shiboken6 import isValid

__all__ = ["FocusRing"]

_WIDE_PX = 2
_GONE = (QEvent.Type.MouseButtonPress, QEvent.Type.Hide)
_MOVED = (QEvent.Type.Resize, QEvent.Type.Move)


class FocusRing(QObject):
    """Four thin bars of `window`, `focusRing`: a ring in one piece would be drawn whenever the canvas is."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._around: QWidget | None = None
        self.bars = [_bar(window) for _side in range(4)]
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._focus_moved)

    def show_around(self, widget: QWidget | None) -> None:
        """Show it around a part of the window; None takes it away."""
        if self._around is not None and isValid(self._around):
            self._around.removeEventFilter(self)
        self._around = widget
        if widget is not None:
            widget.installEventFilter(self)
            self._place(widget)
        for bar in self.bars:
            bar.setVisible(widget is not None)
            bar.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the part that it is around, until that is clicked or hidden."""
        if event.type() in _GONE:
            self.show_around(None)
        elif event.type() in _MOVED and self._around is not None:
            self._place(self._around)
        return False

    def _focus_moved(self, _old: QWidget | None, now: QWidget | None) -> None:
        """Go with the focus; while another program has it, it stays."""
        if self._around is not None and now is not None and now is not self._around:
            self.show_around(None)

    def _place(self, widget: QWidget) -> None:
        inside = QRect(widget.mapTo(self._window, widget.rect().topLeft()), widget.size())
        out = inside.adjusted(-_WIDE_PX, -_WIDE_PX, _WIDE_PX, _WIDE_PX).intersected(self._window.rect())
        top, bottom, left, right = self.bars
        top.setGeometry(out.left(), out.top(), out.width(), _WIDE_PX)
        bottom.setGeometry(out.left(), out.bottom() - _WIDE_PX + 1, out.width(), _WIDE_PX)
        left.setGeometry(out.left(), out.top(), _WIDE_PX, out.height())
        right.setGeometry(out.right() - _WIDE_PX + 1, out.top(), _WIDE_PX, out.height())


def _bar(window: QWidget) -> QFrame:
    bar = QFrame(window)
    bar.setObjectName("focusRing")
    bar.setProperty("role", "focus")
    bar.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    bar.hide()
    return bar
