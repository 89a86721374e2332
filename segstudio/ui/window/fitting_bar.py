"""The toolbar above the image: its buttons lose their words before any of them loses its place."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QToolBar, QToolButton, QWidget

from segstudio.text import _
from segstudio.ui.window.icons import icon

__all__ = ["FittingBar"]


class FittingBar(QToolBar):
    """A toolbar whose buttons are in stages: the words of the first stage go first where there is little room.

    What has no room without words either is behind Qt's own button (`qt_toolbar_ext_button`).
    """

    def __init__(self, title: str, parent: QWidget, stages: tuple[tuple[str, ...], ...]) -> None:
        """`stages` names buttons by their object names."""
        super().__init__(title, parent)
        self._stages = stages
        last = len(stages)
        shorter = [(n, separated, n < last) for n in range(1, last + 1) for separated in (True, False)]
        self._steps = [(0, True, True), *shorter[:-2], (last - 1, False, False), *shorter[-2:]] if stages else []
        """How many stages have lost their words, whether there are lines between the groups, and whether the spare
        button is there: it goes before the last stage loses its words."""
        self._spare: QAction | None = None
        self._fitting = False
        self.orientationChanged.connect(self._dress_more)
        self._dress_more(self.orientation())

    def spare(self, button: QToolButton) -> None:
        """Add a button that is left out where there is little room: there are other ways to what it does."""
        self._spare = self.addWidget(button)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give words to as many buttons as there is room for."""
        self._fit(event.size().width())
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Measure again with another font or style sheet."""
        super().changeEvent(event)
        kinds = (QEvent.Type.StyleChange, QEvent.Type.FontChange)
        if event.type() in kinds and self._steps and not self._fitting:
            self._fit(self.width())

    def _dress_more(self, orientation: Qt.Orientation) -> None:
        """Draw the button for what has no room in the colours of the theme: Qt's own arrows are black in both."""
        more = self.findChild(QToolButton, "qt_toolbar_ext_button")
        assert more is not None
        more.setIcon(icon("chevron-right" if orientation is Qt.Orientation.Horizontal else "chevron-down"))
        more.setToolTip(_("More"))
        more.setAccessibleName(_("More"))

    def _fit(self, width: int) -> None:
        self._fitting = True
        for shortened, separated, spared in self._steps:
            self._shorten(shortened)
            if self._spare is not None:
                self._spare.setVisible(spared)
            for action in self.actions():
                if action.isSeparator():
                    action.setVisible(separated)
            if self.sizeHint().width() <= width:
                break
        self._fitting = False

    def _shorten(self, stages: int) -> None:
        """Take the words from the buttons of this many stages, and give all others theirs."""
        for place, names in enumerate(self._stages):
            for name in names:
                button = self.findChild(QToolButton, name)
                if button is not None:
                    _show_words(button, place >= stages)


def _show_words(button: QToolButton, shown: bool) -> None:
    style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if shown else Qt.ToolButtonStyle.ToolButtonIconOnly
    if button.toolButtonStyle() == style:
        return
    button.setToolButtonStyle(style)
    button.setProperty("role", "" if shown else "bare")
    button.style().polish(button)
