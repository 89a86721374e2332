"""Small controls with our own drawing: a combo box with a chevron, a size in pixels, a label that elides, a card."""

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from segstudio.ui.text import wrapped
from segstudio.ui.theme import current_theme
from segstudio.ui.window.icons import pixmap

__all__ = ["Choice", "ElidedLabel", "PixelSpin", "Tick", "muted_label", "page_column", "role_label"]


_NARROW_W = 80
_TEXT_X, _CHEVRON_W = 9, 24
"""Where the words of a choice begin, and what the chevron takes at their end."""


class Choice(QComboBox):
    """A combo box with a chevron of the icon family.

    With `AdjustToMinimumContentsLengthWithIcon` it may be narrower than its words, which are elided: in a column.
    """

    def minimumSizeHint(self) -> QSize:
        """As narrow as a short word, where it may be."""
        hint = super().minimumSizeHint()
        narrow = self.sizeAdjustPolicy() is QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        return QSize(min(hint.width(), _NARROW_W), hint.height()) if narrow else hint

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box and the text of the style, elided where it does not fit, then the chevron."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        theme, left = current_theme(), _TEXT_X
        # The style keeps free what a wider arrow would need, and cuts words off there without saying so.
        if not option.currentIcon.isNull():
            side = option.iconSize.width()
            option.currentIcon.paint(painter, left, (self.height() - side) // 2, side, side)
            left += side + 4
        room = QRect(left, 0, self.width() - left - _CHEVRON_W, self.height())
        painter.setPen(QColor(theme.text if self.isEnabled() else theme.faint))
        shown = option.fontMetrics.elidedText(option.currentText, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), shown)
        color = theme.muted if self.isEnabled() else theme.faint
        painter.drawPixmap(self.width() - 20, (self.height() - 12) // 2, pixmap("chevron-down", color, 12))
        painter.end()


class Tick(QCheckBox):
    """A check box whose mark is drawn: the style sheet has only pictures of one colour for it."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box and text of the style, then the mark."""
        super().paintEvent(event)
        if not self.isChecked():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = QRectF(self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self))
        painter = QPainter(self)
        draw_tick(painter, box, enabled=self.isEnabled())
        painter.end()


def draw_tick(painter: QPainter, box: QRectF, *, enabled: bool = True) -> None:
    """Draw the mark of a box that is ticked, in the colours of the theme."""
    theme = current_theme()
    pen = QPen(QColor(theme.on_accent if enabled else theme.muted), 1.8)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    corners = ((0.24, 0.52), (0.43, 0.71), (0.77, 0.31))
    painter.drawPolyline([QPointF(box.x() + x * box.width(), box.y() + y * box.height()) for x, y in corners])
    painter.restore()


class PixelSpin(QDoubleSpinBox):
    """A length in image pixels, in steps of a half; whole numbers have no decimal point."""

    def __init__(self) -> None:
        super().__init__()
        self.setFrame(False)
        self.setDecimals(1)
        self.setSingleStep(0.5)
        self.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.setKeyboardTracking(False)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)

    def showEvent(self, event: QShowEvent) -> None:
        """Make the line transparent now: the style sheet of the window would override it earlier."""
        super().showEvent(event)
        if not self.lineEdit().styleSheet():
            self.lineEdit().setStyleSheet("background: transparent; border: 0")

    def textFromValue(self, value: float) -> str:
        """12 rather than 12.0."""
        return f"{value:g}"

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box of a line edit: the style sheet cannot draw it for a spin box without buttons."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(theme.accent if self.hasFocus() else theme.edge))
        painter.setBrush(QColor(theme.field if self.isEnabled() else theme.panel))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.end()


class ElidedLabel(QLabel):
    """A label that can shrink: its text is elided to the available width, and the tooltip then has the whole text.

    `text()` is always the whole text.
    """

    def __init__(self, text: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self._mode = mode
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Set the whole text."""
        super().setText(text)
        self.setAccessibleName(text)
        self._tip()
        self.update()

    def minimumSizeHint(self) -> QSize:
        """As narrow as necessary."""
        return QSize(24, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        """As wide as the text. QLabel's own hint keeps a minimum width that is no longer set."""
        margins = self.contentsMargins()
        text = self.fontMetrics().horizontalAdvance(self.text()) + margins.left() + margins.right() + 2 * self.margin()
        return QSize(text + 1, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Update the tooltip, which is needed only if the text does not fit."""
        super().resizeEvent(event)
        self._tip()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the text, elided to fit."""
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), self._mode, self.contentsRect().width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), int(self.alignment()), text)
        painter.end()

    def _tip(self) -> None:
        wide = self.fontMetrics().horizontalAdvance(self.text()) > self.contentsRect().width()
        self.setToolTip(wrapped(self.text()) if wide else "")


def role_label(text: str, role: str, parent: QWidget | None = None) -> QLabel:
    """A label in one of the roles of the style sheet: title, muted, accent, warning."""
    label = QLabel(text, parent) if parent is not None else QLabel(text)
    label.setProperty("role", role)
    return label


def muted_label(text: str) -> QLabel:
    """A label in the muted colour."""
    return role_label(text, "muted")


def page_column(page: QWidget, width: int) -> QVBoxLayout:
    """The column of a card in the middle of a page, at most `width` pixels wide."""
    card = QFrame()
    card.setProperty("role", "card")
    card.setMaximumWidth(width)
    column = QVBoxLayout(card)
    column.setContentsMargins(24, 20, 24, 20)
    column.setSpacing(12)
    row = QHBoxLayout(page)
    row.setContentsMargins(16, 16, 16, 16)
    row.addStretch(1)
    row.addWidget(card, 100)
    row.addStretch(1)
    return column
