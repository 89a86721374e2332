"""The result of a run: the new version beside its parent, measured on the same held-out pixels, and the verdict."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from segstudio.text import _, clock, count
from segstudio.ui.text import version_words, wrapped
from segstudio.ui.window.icons import swatch

if TYPE_CHECKING:
    from PySide6.QtWidgets import QTreeWidget

    from segstudio.labels.model import ClassTable
    from segstudio.runs import Figures, TrainResult

__all__ = ["TrainingResult"]

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class TrainingResult(QWidget):
    """`trainingVerdict`, `trainingReason`, `trainingAdvice` on what would help; `trainingResult`, made when needed."""

    def __init__(self) -> None:
        super().__init__()
        self.verdict = QLabel()
        self.verdict.setObjectName("trainingVerdict")
        self.verdict.setProperty("role", "accent")
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.reason.setObjectName("trainingReason")
        self.reason.setProperty("role", "muted")
        self.advice = QLabel()
        self.advice.setWordWrap(True)
        self.advice.setObjectName("trainingAdvice")
        self.advice.hide()
        self._table: QTreeWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(4, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addWidget(self.verdict)
        self._column.addWidget(self.reason)
        self._column.addWidget(self.advice)
        self._column.addStretch()

    @property
    def table(self) -> "QTreeWidget | None":
        """The table; None until a run has ended."""
        return self._table

    def show_result(self, result: "TrainResult", classes: "ClassTable") -> None:
        """Show the result of a run."""
        version = result.version
        self.verdict.setText(
            _("{version}: promoted", version=version)
            if result.promoted
            else _("{version}: not promoted", version=version)
        )
        self.verdict.setProperty("role", "accent" if result.promoted else "title")
        self.verdict.style().polish(self.verdict)
        steps = count(result.steps, "1 step", "{n} steps")
        spent = _("{steps} in {time}", steps=steps, time=clock(result.seconds))
        self.reason.setText(f"{result.reason.rstrip('.')} · {spent}" if result.reason else spent)
        self.advice.setText(result.advice)
        self.advice.setVisible(bool(result.advice))
        table = self._table or self._make_table()
        table.clear()
        table.headerItem().setTextAlignment(0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        parent = version_words(result.parent)
        # The column has room for the name of a version, and for no words.
        table.setHeaderLabels(
            [_("Held-out IoU"), parent if parent and parent == result.parent else _("before"), result.version, "±"]
        )
        table.headerItem().setToolTip(1, parent)
        self._rows(table, result.held_out.get("parent"), result.held_out.get("child"), classes)

    def _rows(
        self,
        table: "QTreeWidget",
        parent: "Figures | None",
        child: "Figures | None",
        classes: "ClassTable",
    ) -> None:
        from PySide6.QtWidgets import QTreeWidgetItem

        before = {} if parent is None else parent.iou
        now = {} if child is None else child.iou
        rows: list[tuple[str, float | None, float | None]] = [
            (_("mean"), None if parent is None else parent.mean_iou, None if child is None else child.mean_iou)
        ]
        if any(side is not None and side.accepted for side in (parent, child)):
            rows.append((_("without accepted"), _by_hand(parent), _by_hand(child)))
        rows += [(name, before.get(name), now.get(name)) for name in dict.fromkeys((*before, *now))]
        for place, (name, a, b) in enumerate(rows):
            row = QTreeWidgetItem(table, [name, _figure(a), _figure(b), _difference(a, b)])
            row.setToolTip(0, wrapped(name))
            for column in (1, 2, 3):
                row.setTextAlignment(column, _RIGHT)
            font = row.font(0)
            font.setBold(place == 0)
            for column in range(4):
                row.setFont(column, font)
            found = classes.named(name) if name in before or name in now else None
            if found is not None:
                row.setIcon(0, swatch(found.color))

    def _make_table(self) -> "QTreeWidget":
        from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget

        table = QTreeWidget()
        table.setObjectName("trainingResult")
        table.setAccessibleName(_("New version beside the previous one"))
        table.setRootIsDecorated(False)
        table.setColumnCount(4)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        table.setUniformRowHeights(True)
        table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        table.setTextElideMode(Qt.TextElideMode.ElideRight)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = table.header()
        header.setMinimumSectionSize(24)
        header.setStretchLastSection(False)
        header.setDefaultAlignment(_RIGHT)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, width in ((1, 56), (2, 52), (3, 56)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, width)
        self._column.takeAt(self._column.count() - 1)
        self._column.addWidget(table, 1)
        self._table = table
        return table


def _by_hand(figures: "Figures | None") -> float | None:
    return None if figures is None else figures.without_accepted


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _difference(before: float | None, now: float | None) -> str:
    return "" if before is None or now is None else f"{now - before:+.3f}"
