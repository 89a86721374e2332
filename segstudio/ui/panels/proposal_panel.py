"""How a proposal looks: its classes, how sure the model is, or what it would change; and the next spot to look at."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from segstudio.app.values import LABELS, ModelView
from segstudio.text import N_, _
from segstudio.ui.panels.controls import Choice, muted_label
from segstudio.ui.text import version_words
from segstudio.ui.window.icons import icon

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session

__all__ = ["VIEW_WORDS", "ProposalPanel"]

VIEW_WORDS = (
    (ModelView.CLASSES, N_("Proposal"), N_("What the model proposes, in the colours of the classes")),
    (ModelView.CONFIDENCE, N_("Confidence"), N_("Where the model is unsure of what it proposes")),
    (
        ModelView.DIFFERENCE,
        N_("Differences"),
        N_("What the proposal would change: filled where it adds to a class, striped where it takes away"),
    ),
)
"""Each view, its name and what it shows."""

_LEGEND_H = 8


class ProposalPanel(QFrame):
    """`proposalPanel`: `proposalView`, with `nextErrorButton` beside it; `comparedWith` while differences are shown."""

    def __init__(self, session: "Session", next_spot: "QAction") -> None:
        super().__init__()
        self._project: OpenedProject | None = None
        self.setObjectName("proposalPanel")
        self.setProperty("role", "panel")
        self.setAccessibleName(_("Model"))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.view_choice, self.against_choice = Choice(), Choice()
        self._against, self._legend = QWidget(), _Legend()
        self._changes = muted_label(_("Filled: added to a class.\nStriped: taken away."))
        self._changes.setObjectName("differenceLegend")
        self._dress()
        first = QHBoxLayout()
        first.setSpacing(4)
        first.addWidget(muted_label(_("Model")))
        first.addWidget(self.view_choice, 1)
        first.addWidget(self._make_next(next_spot))
        second = QHBoxLayout(self._against)
        second.setContentsMargins(0, 0, 8, 0)
        second.setSpacing(8)
        second.addWidget(muted_label(_("Beside")))
        second.addWidget(self.against_choice, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 4, 8)
        column.setSpacing(6)
        column.addLayout(first)
        column.addWidget(self._against)
        column.addWidget(self._legend)
        column.addWidget(self._changes)
        self.view_choice.activated.connect(self._choose_view)
        self.against_choice.activated.connect(self._choose_other)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show how the proposals of this project are looked at."""
        self._project = project
        if project is not None:
            project.views.changed.connect(self._show)
            project.versions.changed.connect(self._show)
        self._show()

    def _dress(self) -> None:
        self.view_choice.setObjectName("proposalView")
        self.view_choice.setAccessibleName(_("What is drawn of the proposal"))
        for view, words, tip in VIEW_WORDS:
            self.view_choice.addItem(_(words), view)
            self.view_choice.setItemData(self.view_choice.count() - 1, _(tip), Qt.ItemDataRole.ToolTipRole)
        self.against_choice.setObjectName("comparedWith")
        self.against_choice.setAccessibleName(_("What the proposal is compared with"))
        self.against_choice.setToolTip(
            _("What the proposal is compared with; 'Compare while held' shows it in the proposal's place")
        )
        for choice in (self.view_choice, self.against_choice):
            choice.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            choice.setMinimumContentsLength(6)

    def _make_next(self, action: "QAction") -> QToolButton:
        action.setIcon(icon("next-error"))
        button = QToolButton()
        button.setDefaultAction(action)
        button.setObjectName("nextErrorButton")
        button.setProperty("role", "icon")
        button.setAccessibleName(action.text())
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        return button

    def _choose_view(self, place: int) -> None:
        if self._project is not None:
            self._project.views.show(ModelView(self.view_choice.itemData(place)))

    def _choose_other(self, place: int) -> None:
        if self._project is not None:
            self._project.views.compare_with(self.against_choice.itemData(place))

    def _show(self) -> None:
        views = self._project.views if self._project is not None else None
        view = ModelView.CLASSES if views is None else views.view
        self.view_choice.setCurrentIndex(self.view_choice.findData(view))
        self.view_choice.setToolTip(self.view_choice.currentData(Qt.ItemDataRole.ToolTipRole))
        compares = views is not None and view is ModelView.DIFFERENCE
        self._against.setVisible(compares)
        self._legend.setVisible(view is ModelView.CONFIDENCE)
        self._changes.setVisible(compares)
        if views is not None and compares:
            names = views.choices
            if names != tuple(self.against_choice.itemData(n) for n in range(self.against_choice.count())):
                self.against_choice.clear()
                for name in names:
                    self.against_choice.addItem(_("Labels") if name == LABELS else version_words(name), name)
            self.against_choice.setCurrentIndex(self.against_choice.findData(views.against))


class _Legend(QWidget):
    """The colours of confidence between their two words."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("confidenceLegend")
        self.setAccessibleName(_("Colours of confidence, from unsure to sure"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 8, 0)
        row.setSpacing(8)
        row.addWidget(muted_label(_("unsure")))
        row.addWidget(_Ramp(), 1)
        row.addWidget(muted_label(_("sure")))


class _Ramp(QWidget):
    """The colours themselves."""

    def sizeHint(self) -> QSize:
        """As high as its bar."""
        return QSize(40, _LEGEND_H)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bar over the colour of the panel, as it is drawn over the image."""
        from segstudio.ui.canvas.layers.model import confidence_colors

        colors = confidence_colors()[:0:-1]  # the least sure first
        ramp = QLinearGradient(0, 0, self.width(), 0)
        for place, value in enumerate(int(color) for color in colors):
            alpha = value >> 24
            red, green, blue = (round((value >> shift & 255) * 255 / alpha) if alpha else 0 for shift in (16, 8, 0))
            ramp.setColorAt(place / (len(colors) - 1), QColor(red, green, blue, alpha))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ramp)
        top = (self.height() - _LEGEND_H) / 2
        painter.drawRoundedRect(QRectF(0, top, self.width(), _LEGEND_H), 2, 2)
        painter.end()
