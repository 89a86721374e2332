"""What the menus lead to: what Done fills the rest with, Help, and the one dialog behind Open; by mouse and keys."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QTextBrowser,
    QToolButton,
    QTreeView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from segstudio import __version__
from segstudio.app.values import Rest
from segstudio.tasks.labels.accept import REST_SETTING
from segstudio.ui.dialogs.open_dialog import OpenDialog, project_among
from segstudio.ui.theme import DARK, LIGHT, Theme, apply_theme, current_theme
from segstudio.ui.window.actions import ACTIONS, Needs
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.small_projects import plates

LEFT = Qt.MouseButton.LeftButton

# Said by the offscreen platform of every menu that pops up.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)


def _press(qtbot: QtBot, window: MainWindow, menu_name: str, action_name: str) -> None:
    menu = window.findChild(QMenu, menu_name)
    assert menu is not None
    menu.popup(window.mapToGlobal(window.rect().center()))
    qtbot.waitUntil(menu.isVisible)
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(window.bars.action(action_name)).center())
    menu.close()


@pytest.mark.parametrize("rest", ["background", "unknown", "proposal"])
def test_the_menu_decides_what_done_fills_the_rest_with(
    qtbot: QtBot, window: MainWindow, desk: Desk, rest: str
) -> None:
    desk.opened.finishing.set_rest(Rest.UNKNOWN if rest == "background" else Rest.BACKGROUND)
    _press(qtbot, window, "menuRest", f"rest-{rest}")
    assert desk.opened.finishing.rest == rest
    writer = desk.opened.store.writer
    assert writer is not None
    assert writer.flush()
    assert desk.opened.store.setting(REST_SETTING) == rest
    checked = [row.name for row in ACTIONS if row.group == "rest" and window.bars.action(row.name).isChecked()]
    assert checked == [f"rest-{rest}"]
    assert "images that are done stay as they are" in desk.said[-1]


def test_a_choice_that_was_refused_is_not_checked(qtbot: QtBot, window: MainWindow, desk: Desk) -> None:
    desk.load(plates(2), ["a"], read_only=True)
    _press(qtbot, window, "menuRest", "rest-background")
    assert window.bars.action("rest-proposal").isChecked()
    assert not window.bars.action("rest-background").isChecked()
    assert desk.said[-1].startswith("read-only: ")


def test_help_lists_every_key_of_the_table(qtbot: QtBot, window: MainWindow) -> None:
    QTest.keyClick(window.canvas, Qt.Key.Key_F1)
    page = window.pages.currentWidget()
    assert page is not None
    assert page.objectName() == "helpPage"
    text = window.findChild(QTextBrowser, "helpText")
    assert text is not None
    words = text.toPlainText()
    listed = [row for row in ACTIONS if row.keys and not row.name.startswith("class-")]
    assert [row.name for row in listed if row.shown_text.rstrip("…") not in words] == []
    assert "Class 1 to 9 of the list" in words
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert window.pages.currentWidget() is window.canvas


def test_about_names_version_licence_and_log(qtbot: QtBot, window: MainWindow) -> None:
    _press(qtbot, window, "menuHelp", "about")
    text = window.findChild(QTextBrowser, "helpText")
    assert text is not None
    words = text.toPlainText()
    assert __version__ in words
    assert "Apache License 2.0" in words
    assert "engine.log" in words


def test_while_a_page_stands_over_the_image_nothing_of_the_project_behind_it_is_alive(window: MainWindow) -> None:
    window.pages.show_new_project("")
    alive = {row.name for row in ACTIONS if window.bars.action(row.name).isEnabled()}
    assert alive == {row.name for row in ACTIONS if row.needs is Needs.NOTHING}
    assert not window.arrangement.side.isVisible()
    assert not window.arrangement.bottom.isVisible()
    window.close_topmost()
    assert window.bars.action("done").isEnabled()
    assert window.arrangement.side.isVisible()


@pytest.fixture
def dialog(qtbot: QtBot, empty_window: MainWindow, tmp_path: Path) -> OpenDialog:
    """The dialog over a folder with a project, a folder of images and two images."""
    (tmp_path / "cells.segstudio").mkdir()
    (tmp_path / "plates").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / name).touch()
    made = OpenDialog(empty_window, str(tmp_path))
    made.open()
    qtbot.waitExposed(made)
    return made


@pytest.mark.parametrize("names", [["cells.segstudio"], ["plates"], ["a.png", "b.png"]])
def test_open_takes_a_project_a_folder_of_images_or_images(
    qtbot: QtBot, dialog: OpenDialog, tmp_path: Path, names: list[str]
) -> None:
    line = dialog.findChild(QLineEdit, "fileNameEdit")
    box = dialog.findChild(QDialogButtonBox, "buttonBox")
    assert line is not None
    assert box is not None
    with qtbot.waitSignal(dialog.chosen) as chosen:
        line.setText(" ".join(f'"{name}"' for name in names) if len(names) > 1 else names[0])
        QTest.mouseClick(box.button(QDialogButtonBox.StandardButton.Open), LEFT)
    assert chosen.args == [[tmp_path / name for name in names]]
    assert not dialog.isVisible()


@pytest.mark.parametrize("name", ["cells.segstudio", "plates", "a.png"])
def test_what_is_clicked_in_the_list_is_what_open_takes(
    qtbot: QtBot, dialog: OpenDialog, tmp_path: Path, name: str
) -> None:
    tree = dialog.findChild(QTreeView, "treeView")
    box = dialog.findChild(QDialogButtonBox, "buttonBox")
    assert tree is not None
    assert box is not None
    dialog.setViewMode(QFileDialog.ViewMode.Detail)
    model = tree.model()
    qtbot.waitUntil(lambda: model.rowCount(tree.rootIndex()) == 4)
    rows = [model.index(n, 0, tree.rootIndex()) for n in range(4)]
    row = next(index for index in rows if index.data() == name)
    QTest.mouseClick(tree.viewport(), LEFT, pos=tree.visualRect(row).center())
    with qtbot.waitSignal(dialog.chosen) as chosen:
        QTest.mouseClick(box.button(QDialogButtonBox.StandardButton.Open), LEFT)
    assert chosen.args == [[tmp_path / name]]


def test_a_project_is_opened_when_it_is_entered_and_so_is_one_a_file_of_which_was_chosen(
    qtbot: QtBot, dialog: OpenDialog, tmp_path: Path
) -> None:
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.directoryEntered.emit(str(tmp_path / "cells.segstudio"))
    assert chosen.args == [[tmp_path / "cells.segstudio"]]
    assert project_among([tmp_path / "cells.segstudio" / "project.db"]) == tmp_path / "cells.segstudio"
    assert project_among([tmp_path / "a.png"]) is None


def test_open_shows_that_dialog(qtbot: QtBot, empty_window: MainWindow) -> None:
    QTest.keyClick(empty_window, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    found = empty_window.findChild(QWidget, "openDialog")
    assert isinstance(found, QFileDialog)
    found.reject()


def test_the_open_dialog_shows_folders_and_images_of_every_kind_that_is_read(
    qtbot: QtBot, dialog: OpenDialog, tmp_path: Path
) -> None:
    for name in ("notes.txt", "c.TIF", "d.webp"):
        (tmp_path / name).touch()
    assert dialog.selectedNameFilter().startswith("Images (")
    assert dialog.nameFilters()[1] == "All files (*)"
    tree = dialog.findChild(QTreeView, "treeView")
    assert tree is not None

    def listed() -> set[str]:
        root = tree.rootIndex()
        return {tree.model().index(n, 0, root).data() for n in range(tree.model().rowCount(root))}

    qtbot.waitUntil(lambda: {"cells.segstudio", "plates", "a.png", "b.png", "c.TIF", "d.webp"} <= listed())
    assert "notes.txt" not in listed()
    dialog.done(0)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_the_arrows_of_the_open_dialog_can_be_seen_in_both_themes(
    qtbot: QtBot, qapp: QApplication, empty_window: MainWindow, tmp_path: Path, theme: Theme
) -> None:
    before = current_theme()
    apply_theme(qapp, theme)
    dialog = OpenDialog(empty_window, str(tmp_path))
    for name in ("backButton", "toParentButton", "newFolderButton", "listModeButton", "detailModeButton"):
        button = dialog.findChild(QToolButton, name)
        assert button is not None
        picture = button.icon().pixmap(16, 16).toImage()
        drawn = [picture.pixelColor(x, y) for x in range(16) for y in range(16)]
        assert any(color.alpha() > 200 and color.name() == theme.text.lower() for color in drawn), name
    dialog.done(0)
    apply_theme(qapp, before)
