"""Of what is said above the image one strip is seen at a time; the one behind comes back."""

import os
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from segstudio.app.values import JobKind
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.small_projects import plates, soft_blobs


def _seen(window: MainWindow) -> list[str]:
    strips: list[QWidget] = [window.closing_strip, window.message_strip, window.read_only_banner, window.image_banner]
    return [strip.objectName() for strip in strips if strip.isVisible()]


def _lose(desk: Desk, image: int) -> Path:
    """A project of three images with the file of one missing; it shows the first. Returns the file's place."""
    pixels = {name: np.roll(soft_blobs(64, 48), n, 1) for n, name in enumerate(plates(3))}
    path = desk.projects.of_pixels(desk.place(), pixels, ["cell"])
    file = path.parent / "images" / f"plate_{image:04d}.png"
    file.rename(file.with_suffix(".gone"))
    desk.open(path)
    return file


def test_one_strip_is_seen_and_the_one_behind_comes_back(window: MainWindow, desk: Desk) -> None:
    _lose(desk, 1)
    assert _seen(window) == []
    desk.shows(1)
    assert _seen(window) == ["imageBanner"]
    desk.session.notices.fail(JobKind("export"), "The disk is full.")
    assert _seen(window) == ["messageStrip"]
    window.closing_strip.show()
    assert _seen(window) == ["closingStrip"]
    window.closing_strip.stay()
    assert _seen(window) == ["messageStrip"]
    QTest.mouseClick(window.message_strip.close_button, Qt.MouseButton.LeftButton)
    assert _seen(window) == ["imageBanner"]


def test_a_long_name_of_a_job_leaves_room_for_whether_all_is_saved(window: MainWindow, desk: Desk) -> None:
    window.resize(1280, 720)
    desk.job(JobKind.RESTORE, f"Restoring '{'a very long name ' * 9}'", 0.5)
    bar = window.status_bar
    QTest.qWait(20)
    assert bar.job_label.width() <= 320
    assert bar.save_label.width() >= bar.save_label.fontMetrics().horizontalAdvance(bar.save_label.text())


def test_without_a_project_nothing_is_said_to_be_saved(window: MainWindow, desk: Desk) -> None:
    assert window.status_bar.save_label.text() != ""
    desk.leave()
    assert window.status_bar.save_label.text() == ""


def test_the_sentence_that_guides_a_newcomer_fits_at_1280_by_720(window: MainWindow, desk: Desk) -> None:
    window.resize(1280, 720)
    QTest.qWait(20)
    label = window.arrangement.training.head.state
    assert label.text().startswith("Label a few images")
    assert label.toolTip() == ""


def test_nothing_of_the_image_before_stays_when_one_cannot_be_shown(window: MainWindow, desk: Desk) -> None:
    _lose(desk, 1)
    assert window.status_bar.zoom_label.text() != ""
    seen: list[list[str]] = []
    desk.navigation.imageFailed.connect(lambda _path, _why: seen.append(_seen(window)))
    desk.shows(1)
    assert window.status_bar.zoom_label.text() == ""
    assert seen == [["imageBanner"]]
    assert _seen(window) == ["imageBanner"]


def test_a_window_that_only_reads_says_so_before_it_speaks_of_the_image(window: MainWindow, desk: Desk) -> None:
    _lose(desk, 1)
    path = desk.opened.path
    desk.leave()
    desk.read_only(path)
    desk.shows(1)
    assert desk.navigation.trouble.kind == "missing"
    assert _seen(window) == ["readOnlyBanner"]
    text = window.read_only_banner.text.text()
    assert text.startswith("Read-only: ")
    assert str(os.getpid()) in text
    assert "You can look" in text
