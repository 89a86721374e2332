"""Letters at the edges of the canvas that say which way a picture lies in the patient, where its file says so."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QLabel, QWidget

from segstudio.imaging.orientation import Edges, edge_letters
from segstudio.text import N_, _

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session

__all__ = ["OrientationLetters"]

_MARGIN_PX = 10
_PLACES = ("Left", "Top", "Right", "Bottom")
_WORDS = {
    "R": N_("right"),
    "L": N_("left"),
    "A": N_("front"),
    "P": N_("back"),
    "S": N_("head"),
    "I": N_("feet"),
}
_STYLE = "background: rgba(24, 24, 24, 170); color: rgb(240, 240, 240); border-radius: 3px; padding: 2px 6px"


class OrientationLetters(QObject):
    """`orientationLeft`, `orientationTop`, `orientationRight` and `orientationBottom`, children of the canvas; the
    pointer goes through them.
    """

    def __init__(self, session: "Session", canvas: QWidget) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._project: OpenedProject | None = None
        self.labels = [QLabel(canvas) for _place in _PLACES]
        for label, place in zip(self.labels, _PLACES, strict=True):
            label.setObjectName(f"orientation{place}")
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            label.setStyleSheet(_STYLE)
            label.hide()
        canvas.installEventFilter(self)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show how the images of this project lie."""
        self._project = project
        if project is not None:
            project.navigation.imageShown.connect(self._show)
            project.navigation.imageFailed.connect(self._show)
        self._show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay at the edges of the canvas."""
        if event.type() is QEvent.Type.Resize:
            self._place()
        return False

    def _show(self, *_told: object) -> None:
        display = None if self._project is None else self._project.navigation.display
        affine = None if display is None else display.metadata.affine
        letters: Edges = ("", "", "", "") if affine is None else edge_letters(affine)
        for label, text in zip(self.labels, letters, strict=True):
            label.setText(text)
            label.setAccessibleName(", ".join(_(_WORDS[letter]) for letter in text))
            label.setVisible(bool(text))
            label.adjustSize()
        self._place()

    def _place(self) -> None:
        width, height = self._canvas.width(), self._canvas.height()
        left, top, right, bottom = self.labels
        for label in (left, right):
            x = _MARGIN_PX if label is left else width - label.width() - _MARGIN_PX
            label.move(x, (height - label.height()) // 2)
        for label in (top, bottom):
            y = _MARGIN_PX if label is top else height - label.height() - _MARGIN_PX
            label.move((width - label.width()) // 2, y)
