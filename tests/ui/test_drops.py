"""What was dropped on the window is decided by names alone; a drop on an open project adds to it."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from segstudio.ui.window.drops import Images, Project, dropped
from segstudio.ui.window.main_window import MainWindow

A, B = Path("/pictures/a.png"), Path("/pictures/b")
LEAVES = Path("/projects/leaves.segstudio")


def drop(window: MainWindow, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, buttons, held = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(50, 50), action, data, buttons, held))


def test_files_and_folders_are_images_for_the_open_project_or_for_a_new_one() -> None:
    assert dropped([A, B], True) == Images((A, B), added=True)
    assert dropped([A, B], False) == Images((A, B), added=False)


def test_a_project_comes_before_all_else_and_is_opened_whether_one_is_open_or_not() -> None:
    assert dropped([LEAVES], True) == Project(LEAVES)
    assert dropped([A, LEAVES / "project.db"], False) == Project(LEAVES)


def test_a_drop_on_an_open_project_adds_and_a_dropped_project_is_opened(
    window: MainWindow, called: Callable[[str], list[tuple]]
) -> None:
    drop(window, A, B)
    assert called("add") == [("add", [str(A), str(B)], True)]
    drop(window, LEAVES)
    assert called("open_project") == [("open_project", LEAVES)]


def test_on_the_page_that_makes_projects_dropped_images_are_for_the_new_one(
    window: MainWindow, called: Callable[[str], list[tuple]]
) -> None:
    window.pages.show_new_project()
    drop(window, A)
    assert called("add") == []
    assert window.pages.shows_new_project
