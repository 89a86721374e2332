"""The rows of the palette: a list that draws what answered what was typed, and says all of it to a screen reader."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from segstudio.text import _
from segstudio.ui.palette.matching import Pattern, pattern_of
from segstudio.ui.palette.sources import Entry
from segstudio.ui.theme import current_theme

__all__ = ["ENTRY_ROLE", "ROW_H", "EntryList", "EntryModel"]

_Index = QModelIndex | QPersistentModelIndex

ENTRY_ROLE = Qt.ItemDataRole.UserRole
ROW_H = 28
_PAD, _ICON, _GAP = 8, 16, 12
_KIND_SHARE = 0.32


class EntryModel(QAbstractListModel):
    """The rows shown now, the best first; `pattern` is what they answer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pattern: Pattern = pattern_of("")
        self.rows: Sequence[Entry] = ()

    def show(self, rows: Sequence[Entry], pattern: Pattern) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.rows, self.pattern = rows, pattern
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """How many there are."""
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The title; the whole row under `ENTRY_ROLE`, and in words for a screen reader."""
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == ENTRY_ROLE:
            return row
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return said(row)
        return None


def said(row: Entry) -> str:
    """A row in words."""
    why = _("not available: {why}", why=row.why) if row.why else row.detail
    return ", ".join(part for part in (row.title.rstrip("…"), row.kind, row.keys, why) if part)


class _Drawing(QStyledItemDelegate):
    """One line: picture, name with the letters that answer, what it does or why not; kind and keys at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(120, ROW_H)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme = current_theme()
        row: Entry = index.data(ENTRY_ROLE)
        model = index.model()
        assert isinstance(model, EntryModel)
        rect = QRect(option.rect)  # pyright: ignore[reportAttributeAccessIssue]  (missing in its stub)
        state = option.state  # pyright: ignore[reportAttributeAccessIssue]
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(theme.accent_soft))
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), QColor(theme.accent))
        inside = rect.adjusted(_PAD, 0, -_PAD, 0)
        if row.picture is not None:
            top = inside.top() + (inside.height() - _ICON) // 2
            picture = row.picture()
            picture.paint(painter, QRect(inside.left(), top, _ICON, _ICON), mode=_mode(picture, row))
        inside.setLeft(inside.left() + _ICON + _PAD)
        inside.setRight(self._at_the_right(painter, inside, row, option.font))  # pyright: ignore[reportAttributeAccessIssue]
        end = self._name(painter, inside, row, model.pattern, option.font)  # pyright: ignore[reportAttributeAccessIssue]
        inside.setLeft(end + _GAP)
        self._text(painter, inside, row.why or row.detail, theme.muted if not row.why else theme.warning)
        painter.restore()

    def _at_the_right(self, painter: QPainter, inside: QRect, row: Entry, font: QFont) -> int:
        """Draw keys and kind; where what is left of the line ends."""
        theme, metrics = current_theme(), QFontMetrics(font)
        right = inside.right()
        for text, color in ((row.keys, theme.accent), (row.kind, theme.muted)):
            if text:
                shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(inside.width() * _KIND_SHARE))
                width = metrics.horizontalAdvance(shown)
                self._text(painter, QRect(right - width, inside.top(), width + 1, inside.height()), shown, color)
                right -= width + _GAP
        return right

    def _name(self, painter: QPainter, inside: QRect, row: Entry, pattern: Pattern, font: QFont) -> int:
        """Draw the name, the letters that answer in bold accent; where it ends."""
        theme, strong = current_theme(), QFont(font)
        strong.setBold(True)
        plain_metrics = QFontMetrics(font)
        title = plain_metrics.elidedText(row.title, Qt.TextElideMode.ElideMiddle, max(inside.width(), 0))
        places = pattern.places(row.title) if title == row.title else frozenset[int]()
        x = inside.left()
        for begin, end, answers in _pieces(len(title), places):
            painter.setFont(strong if answers else font)
            width = painter.fontMetrics().horizontalAdvance(title[begin:end])
            color = theme.faint if row.why else theme.accent if answers else theme.text
            self._text(painter, QRect(x, inside.top(), width + 1, inside.height()), title[begin:end], color)
            x += width
        painter.setFont(font)
        return x

    def _text(self, painter: QPainter, rect: QRect, text: str, color: str) -> None:
        if rect.width() <= 0:
            return
        painter.setPen(QColor(color))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), shown)


def _mode(picture: Any, row: Entry) -> Any:
    return picture.Mode.Disabled if row.why else picture.Mode.Normal


def _pieces(length: int, places: frozenset[int]) -> list[tuple[int, int, bool]]:
    """Stretches of letters that answer, and of those that do not."""
    out: list[tuple[int, int, bool]] = []
    for i in range(length):
        if out and out[-1][2] is (i in places):
            out[-1] = (out[-1][0], i + 1, out[-1][2])
        else:
            out.append((i, i + 1, i in places))
    return out


class EntryList(QListView):
    """`paletteList`: the field above it keeps the focus and moves the selection."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("paletteList")
        self.setAccessibleName(_("What was found"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setItemDelegate(_Drawing(self))
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.found = EntryModel(self)
        self.setModel(self.found)

    @property
    def current(self) -> Entry | None:
        """The selected row."""
        index = self.currentIndex()
        return self.found.rows[index.row()] if index.isValid() else None

    def select(self, place: int) -> None:
        """Select a row; the nearest where there are fewer."""
        last = self.found.rowCount() - 1
        if last >= 0:
            self.setCurrentIndex(self.found.index(min(max(place, 0), last)))
