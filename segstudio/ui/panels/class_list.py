"""The list of classes: the model, the look of a row, and the meaning of a click on it."""

from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from segstudio.text import _, count
from segstudio.ui.panels.image_cell import selected_hovered
from segstudio.ui.panels.kinds import KIND_NAMES
from segstudio.ui.text import wrapped
from segstudio.ui.theme import current_theme
from segstudio.ui.window.icons import pixmap

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.labels.model import LabelClass

__all__ = [
    "CLASS_ROLE",
    "COUNT_ROLE",
    "ROW_H",
    "SHOWN_ROLE",
    "ClassListModel",
    "ClassRow",
    "Spot",
    "spot_at",
    "spot_rect",
    "spot_words",
]

CLASS_ROLE = Qt.ItemDataRole.UserRole + 1
COUNT_ROLE = Qt.ItemDataRole.UserRole + 2
SHOWN_ROLE = Qt.ItemDataRole.UserRole + 3
ROW_H = 28
_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class Spot(Enum):
    """The parts of a row."""

    NUMBER = auto()
    SWATCH = auto()
    NAME = auto()
    LOCK = auto()
    EYE = auto()


def spot_rect(row: QRect, spot: Spot) -> QRect:
    """The rectangle of a part of the row."""
    x, y, w = row.x(), row.y() + (row.height() - 16) // 2, row.width()
    if spot is Spot.NUMBER:
        return QRect(x + 12, y, 16, 16)
    if spot is Spot.SWATCH:
        return QRect(x + 36, y, 16, 16)
    if spot is Spot.EYE:
        return QRect(x + w - 28, y, 16, 16)
    if spot is Spot.LOCK:
        return QRect(x + w - 52, y, 16, 16)
    return QRect(x + 60, row.y(), w - 60 - 60, row.height())


def spot_at(row: QRect, point: QPoint) -> Spot | None:
    """The part of the row that a click there acts on; None if it picks the row."""
    for spot in (Spot.LOCK, Spot.EYE, Spot.SWATCH):
        if spot_rect(row, spot).adjusted(-4, -6, 4, 6).contains(point):
            return spot
    return None


def spot_words(found: "LabelClass", spot: Spot) -> str:
    """What a click on this part of the class's row does."""
    if spot is Spot.LOCK:
        return (
            _("Locked: click so that strokes can change it again")
            if found.locked
            else _("Lock it, so that no stroke changes it")
        )
    if spot is Spot.EYE:
        return _("Hide it in the image; its labels are kept") if found.visible else _("Hidden: click to show it again")
    return _("Choose another colour")


class ClassListModel(QAbstractListModel):
    """Rows are the classes in use, in their order; `renamed` announces a new name typed in a row."""

    renamed = Signal(str, str)

    def __init__(self, session: "Session") -> None:
        super().__init__(session)
        self._project: OpenedProject | None = None
        self._rows: list[LabelClass] = []
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """List the classes of this project."""
        self._project = project
        if project is not None:
            project.documents.classesChanged.connect(self._reset)
            project.object_counts.counted.connect(self._counted)
            project.solo.changed.connect(self._counted)
        self._reset()

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """How many classes are in use."""
        return 0 if parent.isValid() else len(self._rows)

    def label_class(self, row: int) -> "LabelClass | None":
        """The class of a row; None if there is none."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def row_of(self, name: str) -> int:
        """The row of the class with this name; -1 if there is none."""
        return next((i for i, c in enumerate(self._rows) if c.name == name), -1)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name and description; the class under `CLASS_ROLE`; under `COUNT_ROLE` the number of its objects in the image
        on screen, None unless it is an instance class; under `SHOWN_ROLE` whether it is shown."""
        found = self.label_class(index.row())
        if found is None:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return found.name
        if role == CLASS_ROLE:
            return found
        if role == SHOWN_ROLE:
            return self._is_shown(found)
        number = self._project.object_counts.by_class.get(found.id) if self._project is not None else None
        if role == COUNT_ROLE:
            return number
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            words = [found.name, _(KIND_NAMES[found.kind])]
            if index.row() < 9:
                words.append(_("number {n}", n=index.row() + 1))
            if number is not None:
                words.append(count(number, "1 object in this image", "{n} objects in this image"))
            if not found.opacity:
                words.append(_("outline only"))
            elif found.opacity < 1:
                words.append(_("opacity {percent} %", percent=round(100 * found.opacity)))
            words += [_("locked")] * found.locked + [_("hidden")] * (not self._is_shown(found))
            return ", ".join(words) if role == Qt.ItemDataRole.AccessibleTextRole else wrapped("\n".join(words))
        return None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Rename the class of a row."""
        found = self.label_class(index.row())
        name = str(value).strip()
        if found is None or role != Qt.ItemDataRole.EditRole or not name or name == found.name:
            return False
        self.renamed.emit(found.name, name)
        return True

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Rows can be picked and renamed."""
        flag = Qt.ItemFlag
        return flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsEditable | flag.ItemNeverHasChildren

    def _is_shown(self, found: "LabelClass") -> bool:
        solo = self._project.solo if self._project is not None else None
        return solo.classes[found.id].visible if solo is not None and solo.on else found.visible

    def _counted(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def _reset(self) -> None:
        rows = list(self._project.documents.classes) if self._project is not None else []
        if len(rows) == len(self._rows) and rows:
            self._rows = rows
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()


class ClassRow(QStyledItemDelegate):
    """Draws a class; `clicked` carries the row and the part that was clicked."""

    clicked = Signal(int, object)

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """The same for all rows."""
        return QSize(160, ROW_H)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw key, colour, name, number of objects, lock and eye; the last two only if on, selected or hovered."""
        found: LabelClass | None = index.data(CLASS_ROLE)
        if found is None:
            return
        theme = current_theme()
        row: QRect = option.rect  # type: ignore[attr-defined]
        selected, hovered = selected_hovered(option)
        seen = bool(index.data(SHOWN_ROLE))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if selected or hovered:
            painter.fillRect(row, QColor(theme.accent_soft if selected else theme.hover))
        if selected:
            painter.fillRect(QRect(row.x(), row.y(), 3, row.height()), QColor(theme.accent))
        self._key(painter, row, index.row())
        color = QColor(found.color)
        painter.setPen(QPen(QColor(theme.edge), 1) if found.opacity or not seen else QPen(color, 1.5))
        color.setAlphaF(found.opacity)
        painter.setBrush(color if seen else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(spot_rect(row, Spot.SWATCH)).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        place = self._count(painter, spot_rect(row, Spot.NAME), index.data(COUNT_ROLE))
        painter.setPen(QColor(theme.text if seen else theme.muted))
        name = painter.fontMetrics().elidedText(found.name, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
        strong, weak = theme.text, theme.faint
        if found.locked or hovered or selected:
            shown = pixmap("lock" if found.locked else "unlock", strong if found.locked else weak)
            painter.drawPixmap(spot_rect(row, Spot.LOCK).topLeft(), shown)
        if not seen or hovered or selected:
            shown = pixmap("eye" if seen else "eye-off", weak if seen else strong)
            painter.drawPixmap(spot_rect(row, Spot.EYE).topLeft(), shown)
        painter.restore()

    def _count(self, painter: QPainter, place: QRect, number: int | None) -> QRect:
        """Draw the number of objects at the end of the name's rectangle; return what is left for the name."""
        if number is None:
            return place
        text = f"{number:,}"
        width = painter.fontMetrics().horizontalAdvance(text)
        painter.setPen(QColor(current_theme().muted))
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
        return place.adjusted(0, 0, -width - 8, 0)

    def _key(self, painter: QPainter, row: QRect, number: int) -> None:
        if number >= 9:
            return
        theme = current_theme()
        box = spot_rect(row, Spot.NUMBER)
        painter.setPen(QPen(QColor(theme.edge), 1))
        painter.setBrush(QColor(theme.control))
        painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        painter.setPen(QColor(theme.muted))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(number + 1))

    def editorEvent(
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: _Index
    ) -> bool:
        """Act at once on a left click on the lock, the eye or the colour; elsewhere a click picks the row."""
        if event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            point: QPoint = event.position().toPoint()
            if event.button() is Qt.MouseButton.LeftButton:
                row: QRect = option.rect  # type: ignore[attr-defined]
                spot = spot_at(row, point)
                if spot is not None:
                    self.clicked.emit(index.row(), spot)
                    return True
        return super().editorEvent(event, model, option, index)

    def helpEvent(
        self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: _Index
    ) -> bool:
        """Over the lock, the eye and the colour, say what a click does; elsewhere, describe the class."""
        row: QRect = option.rect  # type: ignore[attr-defined]
        found: LabelClass | None = index.data(CLASS_ROLE)
        spot = spot_at(row, event.pos())
        if event.type() is not QEvent.Type.ToolTip or found is None or spot is None:
            return super().helpEvent(event, view, option, index)
        QToolTip.showText(event.globalPos(), spot_words(found, spot), view.viewport(), spot_rect(row, spot))
        return True

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:
        """A line edit for the new name."""
        editor = QLineEdit(parent)
        editor.setObjectName("classNameEdit")
        editor.setAccessibleName(_("Name of the class"))
        editor.setMaxLength(200)
        return editor

    def setEditorData(self, editor: QWidget, index: _Index) -> None:
        """Show the name until somebody types: the row changes meanwhile, for instance when objects are counted."""
        if not (isinstance(editor, QLineEdit) and editor.isModified()):
            super().setEditorData(editor, index)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: _Index) -> None:
        """Place the editor over the name only, so that key and colour stay visible."""
        row: QRect = option.rect  # type: ignore[attr-defined]
        editor.setGeometry(spot_rect(row, Spot.NAME).adjusted(-5, 1, 48, -1))
