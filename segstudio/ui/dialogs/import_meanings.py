"""What the values, colours or names in files mean: a row for each, with the class that a person chooses for it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QLabel, QScrollArea, QWidget

from segstudio.labels.model import ClassTable
from segstudio.text import _
from segstudio.ui.panels.controls import Choice, ElidedLabel
from segstudio.ui.window.icons import swatch

if TYPE_CHECKING:
    from segstudio.app.importing import Meaning

__all__ = ["ImportMeanings"]

_NAME_W = 72


class ImportMeanings(QScrollArea):
    """`importMeanings`, with a choice `importMeaning1` ... for each; `changed` says that a person chose another class.

    A class is chosen from the list, or a new one is typed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("importMeanings")
        self.setAccessibleName(_("What the values in the files mean"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._meanings: tuple[Meaning, ...] = ()
        self._choices: list[Choice] = []
        self.show_meanings((), ClassTable(()))

    @property
    def meanings(self) -> "tuple[Meaning, ...]":
        """What was found in the files."""
        return self._meanings

    @property
    def chosen(self) -> dict[object, str]:
        """The class of each key, '' = unknown; without those that nobody has given a class yet."""
        return {
            m.key: _name_in(c) for m, c in zip(self._meanings, self._choices, strict=True) if c.currentText().strip()
        }

    @property
    def open(self) -> list[str]:
        """The words of the keys that nobody has given a class yet."""
        return [m.words for m, c in zip(self._meanings, self._choices, strict=True) if not c.currentText().strip()]

    def show_meanings(self, meanings: "Sequence[Meaning]", classes: ClassTable) -> None:
        """Show a row for each key, with the class it stands for."""
        self._meanings, self._choices = tuple(meanings), []
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setContentsMargins(0, 0, 8, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        for place, meaning in enumerate(self._meanings):
            self._add_row(grid, place, meaning, classes)
        grid.setRowStretch(len(self._meanings), 1)
        grid.setColumnStretch(2, 1)
        self.setWidget(inside)

    def _add_row(self, grid: QGridLayout, place: int, meaning: "Meaning", classes: ClassTable) -> None:
        picture = QLabel()
        if meaning.color:
            picture.setPixmap(swatch(meaning.color).pixmap(12, 12))
        words = ElidedLabel(meaning.words)
        words.setMinimumWidth(_NAME_W)
        words.setMaximumWidth(2 * _NAME_W)
        choice = _choice_of(classes)
        choice.setObjectName(f"importMeaning{place + 1}")
        choice.setAccessibleName(_("Class for {key}", key=meaning.words))
        choice.setToolTip(_("Choose a class, or type the name of a new one"))
        if meaning.class_name is None:
            choice.setCurrentIndex(-1)
        elif meaning.class_name:
            choice.setCurrentText(meaning.class_name)
        choice.currentTextChanged.connect(lambda _text: self.changed.emit())
        self._choices.append(choice)
        grid.addWidget(picture, place, 0)
        grid.addWidget(words, place, 1)
        grid.addWidget(choice, place, 2)


def _choice_of(classes: ClassTable) -> Choice:
    choice = Choice()
    choice.setEditable(True)
    choice.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    choice.addItem(_("leave unknown"), "")
    for offered in classes:
        choice.addItem(swatch(offered.color), offered.name, offered.name)
    edit = choice.lineEdit()
    assert edit is not None
    edit.setPlaceholderText(_("Choose a class"))
    choice.setMinimumContentsLength(8)
    choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return choice


def _name_in(choice: QComboBox) -> str:
    """The class in a choice; '' where it says that the pixels stay unknown."""
    text = choice.currentText().strip()
    return "" if text == choice.itemText(0) else text
