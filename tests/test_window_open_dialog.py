"""The file dialog of a real window: whole columns, and icons in the style of the window."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QApplication, QFileDialog, QTreeView

from segstudio.ui import open_window
from segstudio.ui.dialogs.open_dialog import OpenDialog
from segstudio.ui.theme import DARK, LIGHT, Theme, apply_theme, current_theme

Opened = tuple[OpenDialog, QTreeView]
NAMES = {"cells.segstudio", "plates", "a photograph with a rather long name of its own.png", "b.tif"}


@pytest.fixture(params=[DARK, LIGHT], ids=lambda theme: theme.name)
def opened(qapp: QApplication, qtbot: object, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    """The dialog over a project, a folder of images and two images, in both themes."""
    for name in NAMES:
        if "." in name and not name.endswith(".segstudio"):
            (tmp_path / name).write_bytes(bytes(1_234_567))
        else:
            (tmp_path / name).mkdir()
    window, before = open_window(None), current_theme()
    apply_theme(qapp, request.param)
    dialog = OpenDialog(window, str(tmp_path))
    dialog.setViewMode(QFileDialog.ViewMode.Detail)
    dialog.open()
    tree = dialog.findChild(QTreeView, "treeView")
    assert tree is not None
    qtbot.waitUntil(lambda: set(_rows(tree)) == NAMES)  # type: ignore[attr-defined]
    yield dialog, tree
    dialog.done(0)
    apply_theme(qapp, before)
    window.close()
    window.deleteLater()


def _rows(tree: QTreeView) -> dict[str, QIcon]:
    model, root = tree.model(), tree.rootIndex()
    rows = [model.index(n, 0, root) for n in range(model.rowCount(root))]
    return {row.data(): row.data(Qt.ItemDataRole.DecorationRole) for row in rows}


def test_size_type_and_date_are_never_cut_and_the_name_takes_the_rest(opened: Opened, qtbot: object) -> None:
    dialog, tree = opened
    header = tree.header()
    for width in (760, 1000, 620):
        dialog.resize(width, 480)
        qtbot.waitUntil(lambda: header.length() == tree.viewport().width())  # type: ignore[attr-defined]
        for column in range(1, header.count()):
            needed = max(tree.sizeHintForColumn(column), header.sectionSizeHint(column))
            assert header.sectionSize(column) >= needed, (width, column)


def test_files_and_folders_have_the_icons_of_the_window(opened: Opened) -> None:
    theme: Theme = current_theme()
    drawn: dict[str, set[str]] = {}
    for name, icon in _rows(opened[1]).items():
        picture = icon.pixmap(16, 16).toImage()
        points = [picture.pixelColor(x, y) for x in range(16) for y in range(16)]
        drawn[name] = {point.name() for point in points if point.alpha() > 200}
    for name in NAMES:
        assert drawn[name], name
        assert max(_distance(color, theme.text) for color in drawn[name]) <= 3, (name, drawn[name])


def _distance(one: str, other: str) -> int:
    """How far two colours are apart: an edge of a drawing is a shade off by rounding."""
    a, b = QColor(one).getRgb(), QColor(other).getRgb()
    return max(abs(x - y) for x, y in zip(a, b, strict=True))  # type: ignore[arg-type]
