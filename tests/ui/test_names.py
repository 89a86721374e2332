"""Names of the window's parts: every interactive widget has one, and docs/ui-names.md lists it."""

import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QMenu,
    QMenuBar,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QToolBar,
    QWidget,
)

from segstudio.ui.window.main_window import MainWindow

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "ui-names.md"
INTERACTIVE = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QToolBar,
)
CONTRACT = set(
    """mainWindow canvas imageList classPanel toolBrush toolEraser brushSize fineTuneButton stopTrainingButton
    trainingPanel lossPlot iouPlot proposeButton acceptButton doneButton exportButton statusBar""".split()  # noqa: SIM905
)


@pytest.fixture
def window(empty_window: MainWindow) -> MainWindow:
    """The window without a project."""
    return empty_window


def _documented() -> set[str]:
    return set(re.findall(r"`([\w-]+)`", DOCUMENT.read_text(encoding="utf-8")))


def _inside_another(widget: QWidget) -> bool:
    """Parts that Qt makes itself: scroll bars, a spin box's line, the list of a combo box, a menu bar's overflow, the
    buttons of tabs for which there is no room, the button that clears a line, the numbers of a table's rows."""
    parent = widget.parent()
    while isinstance(parent, QWidget):
        if isinstance(parent, QComboBox | QAbstractSpinBox | QTabBar | QLineEdit):
            return True
        parent = parent.parent()
    if isinstance(widget, QHeaderView) and widget.orientation() is Qt.Orientation.Vertical:
        return True
    overflow = isinstance(widget, QMenu) and isinstance(widget.parent(), QMenuBar) and not widget.objectName()
    return overflow or isinstance(widget, QScrollBar) or widget.objectName().startswith("qt_")


def test_every_interactive_widget_has_a_name_that_is_documented(window: MainWindow) -> None:
    widgets = [w for w in window.findChildren(QWidget) if isinstance(w, INTERACTIVE) and not _inside_another(w)]
    named = [w.objectName() or f"a {type(w).__name__} in {w.parent().objectName()}" for w in widgets]
    assert len(named) > 40
    assert set(named) - _documented() == set()


def test_the_names_of_the_contract_are_there_from_the_beginning_and_documented(window: MainWindow) -> None:
    there = {window.objectName(), *(w.objectName() for w in window.findChildren(QWidget))}
    assert CONTRACT - there == set()
    assert CONTRACT - _documented() == set()


def test_no_name_is_used_twice(window: MainWindow) -> None:
    names = [
        w.objectName() for w in window.findChildren(QWidget) if isinstance(w, INTERACTIVE) and not _inside_another(w)
    ]
    assert sorted(names) == sorted(set(names))
