"""The kind of each class of a new project: one row per class, beside the names as they are typed."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from segstudio.labels.model import Kind
from segstudio.text import _
from segstudio.ui.panels.controls import Choice, ElidedLabel
from segstudio.ui.panels.kinds import KIND_TIPS, KINDS

__all__ = ["ClassKinds"]

_ROW_H = 26


class _Row(QWidget):
    """A class name and, as `newClassKindN`, the choice of its kind."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.spec = self.name = ""
        self._label = ElidedLabel()
        self.choice = Choice()
        self.choice.setObjectName(f"newClassKind{number}")
        for offered, text in KINDS:
            self.choice.addItem(_(text), offered)
            self.choice.setItemData(self.choice.count() - 1, _(KIND_TIPS[offered]), Qt.ItemDataRole.ToolTipRole)
        self.setFixedHeight(_ROW_H)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._label, 1)
        row.addWidget(self.choice)

    def take(self, spec: str, kind: Kind) -> None:
        """Show a class; one written as NAME:#RRGGBB:KIND already states its kind."""
        self.spec, self.name = spec, _name(spec)
        self._label.setText(self.name)
        self.choice.setAccessibleName(_("Kind of {name}", name=self.name))
        written = spec.split(":")[2].strip() if spec.count(":") == 2 else ""
        places = [offered.value for offered, _text in KINDS]
        self.choice.setCurrentIndex(places.index(written if written in places else kind.value))
        self.choice.setEnabled(":" not in spec)

    @property
    def kind(self) -> Kind:
        return Kind(self.choice.currentData())  # Qt returns a StrEnum as a plain string


class ClassKinds(QScrollArea):
    """`newClassKinds`. Names that stay keep their kind, and so does a name that is being edited."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("newClassKinds")
        self.setAccessibleName(_("Kind of each class"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._rows: list[_Row] = []
        # While a name is typed in front of another on the same line, the other is gone for a moment.
        self._were: dict[str, Kind] = {}
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addStretch()
        self.setWidget(inside)

    @property
    def specs(self) -> list[str]:
        """The classes as `segstudio new --class` takes them."""
        return [
            row.spec if ":" in row.spec or row.kind is Kind.SEMANTIC else f"{row.name}::{row.kind.value}"
            for row in self._rows
        ]

    def show_classes(self, specs: list[str]) -> None:
        """Show a row for each of these classes."""
        if specs == [row.spec for row in self._rows]:
            return
        by_name = {row.name: row.kind for row in self._rows}
        by_place = [row.kind for row in self._rows] if len(specs) == len(self._rows) else []
        kinds = [
            by_name.get(name) or (by_place[n] if by_place else self._were.get(name, Kind.SEMANTIC))
            for n, name in enumerate(map(_name, specs))
        ]
        self._were |= by_name
        while len(self._rows) > len(specs):
            row = self._rows.pop()
            row.setParent(None)
            row.deleteLater()
        while len(self._rows) < len(specs):
            self._rows.append(_Row(len(self._rows) + 1))
            self._column.insertWidget(len(self._rows) - 1, self._rows[-1])
        for row, spec, kind in zip(self._rows, specs, kinds, strict=True):
            row.take(spec, kind)


def _name(spec: str) -> str:
    return spec.partition(":")[0].strip()
