"""A card on the first image of a project without labels: what to do first.

It ignores the pointer, keeps out of its way, and disappears with the first stroke.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtWidgets import QLabel

from segstudio.app.values import ModelView
from segstudio.text import _, elided

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.values import Changed
    from segstudio.ui.canvas import Canvas

__all__ = ["FirstStep"]

# The canvas is dark in every theme.
_STYLE = """background: rgba(24, 24, 24, 225); color: #dedede; border: 1px solid #4a4a4a; border-radius: 6px;
    padding: 8px 14px;"""
_GAP_PX = 16
_NEAR_PX = 40
_NARROWEST_PX, _WIDEST_PX = 160, 560


class FirstStep(QLabel):
    """`firstStep`, a child of the canvas."""

    def __init__(self, session: "Session", canvas: "Canvas") -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._project: OpenedProject | None = None
        self._wanted = False
        self.setObjectName("firstStep")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)
        self.setStyleSheet(_STYLE)
        self.hide()
        session.tools.changed.connect(self._refresh)
        session.projectChanged.connect(lambda: self.follow(session.project))
        canvas.hovered.connect(self._make_way)
        canvas.left.connect(self._place)
        canvas.installEventFilter(self)

    def follow(self, project: "OpenedProject | None") -> None:
        """Guide the first step in this project."""
        self._project = project
        self._end()
        if project is not None:
            project.navigation.imageShown.connect(self._begin)
            project.navigation.imageLoading.connect(lambda _path: self._end())
            project.navigation.imageFailed.connect(lambda _path, _why: self._end())
            project.documents.changed.connect(self._changed)
            project.documents.classesChanged.connect(self._refresh)
            project.documents.classChosen.connect(self._refresh)
            project.views.changed.connect(self._refresh)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move when the size of the canvas changes."""
        if event.type() is QEvent.Type.Resize and self._wanted:
            self._place()
        return False

    def _begin(self) -> None:
        """Show the card only while no image has labels: after one stroke a person knows how to paint."""
        project = self._project
        labelled = project is None or any(item.labelled_pixels for item in project.navigation.items)
        self._wanted = project is not None and project.may_write and not labelled
        self._refresh()

    def _end(self) -> None:
        self._wanted = False
        self.hide()

    def _changed(self, change: "Changed") -> None:
        if not change.rect.empty:
            self._end()

    def _refresh(self) -> None:
        if self._wanted and self._project is not None:
            self.setText(self._words(self._project))
            self.setAccessibleName(self.text())
            self._place()

    def _words(self, project: "OpenedProject") -> str:
        if _proposes_something(project) and project.views.view is ModelView.CLASSES:
            return _(
                "The hatched areas are proposed. Paint where they are wrong; "
                "Enter accepts them and shows the next image."
            )
        now = project.documents.current_class
        if now.id == project.documents.classes.background.id:
            return _("Choose a class on the right and paint some of it with the left button.")
        return _(
            "Paint some of '{name}' with the left button, and some background with the right one. "
            "The rest is then proposed.",
            name=elided(now.name, 32),
        )

    def _place(self) -> None:
        if not self._wanted:
            return
        room = self._canvas.size()
        # Size and place at once: the width it has now may be that of another window.
        width = min(_WIDEST_PX, room.width() - 2 * _GAP_PX)
        height = self.heightForWidth(width)
        self.setGeometry((room.width() - width) // 2, room.height() - height - _GAP_PX, width, height)
        self.setVisible(width >= _NARROWEST_PX and height + 4 * _GAP_PX < room.height())

    def _make_way(self, x: float, y: float) -> None:
        """Hide while the pointer is near; its position is in image coordinates."""
        if self._wanted:
            at: QPoint = self._canvas.to_widget(x, y).toPoint()
            if self.geometry().adjusted(-_NEAR_PX, -_NEAR_PX, _NEAR_PX, _NEAR_PX).contains(at):
                self.hide()
            elif self.isHidden():
                self._place()


def _proposes_something(project: "OpenedProject") -> bool:
    proposal, background = project.proposals.seen, project.documents.classes.background.id
    return proposal is not None and any(row.class_id != background for row in proposal.rows.values())
