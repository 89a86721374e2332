"""Two real windows on one project: the second reads, says so and who writes, and changes nothing."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from segstudio.tasks.images.new import new_project
from segstudio.ui import open_window


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two small images and the default classes."""
    folder = tmp_path / "images"
    folder.mkdir()
    for n in range(2):
        Image.fromarray(np.full((60, 80), 90 + n, np.uint8)).save(folder / f"{n}.png")
    path = tmp_path / "pair.segstudio"
    for _ in new_project(path, [str(folder)], []):
        pass
    return path


@pytest.mark.engine
def test_the_second_window_is_read_only_and_every_refusal_says_so(qtbot: QtBot, project: Path) -> None:
    first, second = open_window(project), open_window(project)
    for window in (first, second):
        qtbot.addWidget(window)
        qtbot.waitUntil(lambda window=window: window.session.project.documents.current is not None, timeout=15_000)
    assert first.session.project.why_read_only == ""
    banner = second.findChild(QLabel, "readOnlyText")
    assert banner is not None
    assert banner.isVisible()
    assert banner.text().startswith("Read-only: ")
    assert "Try again" in banner.text()
    said: list[str] = []
    second.session.notices.told.connect(lambda notice: said.append(notice.sentence))
    middle: QPoint = second.canvas.to_widget(40, 30).toPoint()
    QTest.mouseClick(second.canvas, Qt.MouseButton.LeftButton, pos=middle)
    second.session.mark_done()
    second.session.propose()
    second.session.fine_tune()
    assert len(said) == 4
    assert all(sentence.startswith("read-only: ") for sentence in said)
    assert all(str(os.getpid()) in sentence for sentence in said)
    assert not second.session.labels().any()


@pytest.mark.engine
def test_the_second_window_writes_once_the_first_is_closed_and_it_tries_again(qtbot: QtBot, project: Path) -> None:
    first, second = open_window(project), open_window(project)
    for window in (first, second):
        qtbot.addWidget(window)
        qtbot.waitUntil(lambda window=window: window.session.project.documents.current is not None, timeout=15_000)
    second.session.open_image(1)
    again = second.findChild(QPushButton, "tryAgainButton")
    assert again is not None
    said: list[str] = []
    second.session.notices.told.connect(lambda notice: said.append(notice.sentence))
    QTest.mouseClick(again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: said == ["Still read-only."])
    assert second.read_only_banner.isVisible()
    first.close()
    QTest.mouseClick(again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: said[-1] == "This window can write now.")
    assert not second.read_only_banner.isVisible()
    qtbot.waitUntil(lambda: not second.session.project.navigation.loading)
    assert second.session.project.navigation.index == 1
    second.close()
