"""The real window opened on a folder or on images: the project is made, or grows, while the window is there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from segstudio.tasks.progress import finished
from segstudio.ui import open_window
from segstudio.ui.window.main_window import MainWindow
from tests.window_bench import without_proposals

pytestmark = pytest.mark.timeout(120)


def picture(file: Path, seed: int) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (60, 80), np.uint8)).save(file)
    return file


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    without_proposals(monkeypatch)
    window = open_window(None)
    qtbot.addWidget(window)
    yield window
    window.close()


@pytest.fixture
def pics(tmp_path: Path) -> Path:
    for n, name in enumerate(("a.png", "b.png", "c.png")):
        picture(tmp_path / "pics" / name, n)
    return tmp_path / "pics"


def shown(qtbot: QtBot, window: MainWindow, name: str) -> None:
    qtbot.waitUntil(lambda: window.session.current_image == name, timeout=15_000)
    qtbot.waitUntil(lambda: not window.session.project.navigation.loading, timeout=15_000)


def message(window: MainWindow) -> str:
    strip = window.message_strip
    return strip.text.text() if not strip.isHidden() else ""


def test_a_project_of_a_folder_is_made_after_the_window_is_up(qtbot: QtBot, window: MainWindow, pics: Path) -> None:
    states: list[Any] = []
    window.session.jobs.changed.connect(lambda: states.extend(window.session.jobs.states))
    window.opening.open_images([pics])
    assert window.isVisible()
    assert window.session.project is None
    assert [state.kind for state in states] == ["new"]
    shown(qtbot, window, "a.png")
    assert window.session.project.path == pics.with_suffix(".segstudio")


def test_why_no_project_was_made_is_said_above(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    window.opening.open_images([tmp_path / "none"])
    qtbot.waitUntil(lambda: "No image was found" in message(window))
    assert "SegStudio reads PNG" in message(window)


def test_an_image_that_the_project_beside_it_lacks_is_added_and_shown(
    qtbot: QtBot, window: MainWindow, pics: Path
) -> None:
    finished(new_project(pics.with_suffix(".segstudio"), [str(pics / "a.png")], []))
    said: list[str] = []
    window.session.notices.told.connect(lambda notice: said.append(notice.sentence))
    window.opening.open_images([pics / "b.png"])
    shown(qtbot, window, "b.png")
    qtbot.waitUntil(lambda: "'b.png' was added to the project" in said)
    assert [item.name for item in window.session.project.navigation.items] == ["a.png", "b.png"]
    window.opening.open_images([pics / "a.png"])
    shown(qtbot, window, "a.png")
    assert len(window.session.project.navigation.items) == 2


def test_of_a_folder_it_is_said_how_many_images_the_project_lacks(qtbot: QtBot, window: MainWindow, pics: Path) -> None:
    finished(new_project(pics.with_suffix(".segstudio"), [str(pics / "a.png")], []))
    window.opening.open_images([pics])
    shown(qtbot, window, "a.png")
    strip = window.growth_strip
    qtbot.waitUntil(lambda: strip.text.text() == "2 new images in the folder.", timeout=15_000)
    assert strip.isVisible()
    assert len(window.session.project.navigation.items) == 1
    QTest.mouseClick(strip.add_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(window.session.project.navigation.items) == 3, timeout=15_000)
    assert strip.isHidden()


def test_a_window_that_may_not_write_says_what_the_project_lacks(qtbot: QtBot, window: MainWindow, pics: Path) -> None:
    path = finished(new_project(pics.with_suffix(".segstudio"), [str(pics / "a.png")], [])).path
    with Project.open(path):
        window.opening.open_images([pics / "b.png"])
        qtbot.waitUntil(lambda: "'b.png' is not in the project" in message(window), timeout=15_000)
    assert "read-only" in message(window)


def test_ctrl_z_brings_back_what_was_taken_out(qtbot: QtBot, window: MainWindow, pics: Path) -> None:
    finished(new_project(pics.with_suffix(".segstudio"), [str(pics)], []))
    window.opening.open_images([pics])
    shown(qtbot, window, "a.png")
    window.session.remove_images(["a.png"])
    shown(qtbot, window, "b.png")
    counts = window.findChild(QLabel, "imageCounts")
    assert counts is not None
    assert counts.text() == "0 of 2 done"
    QTest.keyClick(window.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(window.session.project.navigation.items) == 3)
    assert window.session.current_image == "b.png"
    window.session.add_images([picture(pics.parent / "d.png", 9)])
    qtbot.waitUntil(lambda: len(window.session.project.navigation.items) == 4)
    assert window.session.current_image == "b.png"


def test_open_on_an_image_opens_the_project_beside_it_and_adds_the_image(
    qtbot: QtBot, window: MainWindow, pics: Path
) -> None:
    finished(new_project(pics.parent / "pics", [str(pics / "a.png")], []))
    window.opening.open_paths([pics / "b.png"])
    shown(qtbot, window, "b.png")
    assert not window.pages.covered
    assert [item.name for item in window.session.project.navigation.items] == ["a.png", "b.png"]


def test_a_new_project_says_what_it_left_out(qtbot: QtBot, window: MainWindow, pics: Path) -> None:
    (pics / "scan.psd").write_bytes(b"8BPS" + bytes(128))
    (pics / "notes.txt").write_text("no image")
    window.opening.open_images([pics])
    shown(qtbot, window, "a.png")
    qtbot.waitUntil(lambda: "Left out" in message(window))
    assert "1 Photoshop file: not supported yet" in message(window)
    assert "1 file is not an image" in message(window)


def test_a_new_project_says_which_files_it_took_for_masks(qtbot: QtBot, window: MainWindow, pics: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        (pics / "masks").mkdir(exist_ok=True)
        Image.fromarray(np.ones((60, 80), np.uint8)).save(pics / "masks" / name)
    window.opening.open_images([pics])
    shown(qtbot, window, "a.png")
    qtbot.waitUntil(lambda: "3 files look like masks" in message(window))
    assert "File > Import" in message(window)


def test_a_new_project_of_images_alone_says_nothing(qtbot: QtBot, window: MainWindow, pics: Path) -> None:
    window.opening.open_images([pics])
    shown(qtbot, window, "a.png")
    assert message(window) == ""
