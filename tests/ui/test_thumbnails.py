"""The pictures in the list of images: each file is decoded at most once, and what the screen has is not decoded."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from segstudio.app.viewing import thumbnails as pictures
from segstudio.app.viewing.thumbnails import Wish
from segstudio.imaging.source import Stored
from segstudio.ui.panels.thumbnails import Thumbnails
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.small_projects import write_image


class Decoder:
    """Which files were decoded, by name; `goes` holds the thread that decodes until a test lets it go on."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.files: list[str] = []
        self.goes = threading.Event()
        self.goes.set()
        self._reduced, self._large = pictures.reduced_file, pictures.is_large
        self.large: set[str] = set()
        self.looked_at: list[str] = []
        patch.setattr(pictures, "reduced_file", self._decode)
        patch.setattr(pictures, "is_large", self._is_large)

    def _decode(self, stored: Stored, width: int, height: int) -> np.ndarray | None:
        self.files.append(stored.first.name)
        assert self.goes.wait(60)
        return self._reduced(stored, width, height)

    def _is_large(self, stored: Stored) -> bool:
        self.looked_at.append(stored.first.name)
        if stored.first.name not in self.large:
            return self._large(stored)
        assert self.goes.wait(60)
        return True


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Decoder]:
    made = Decoder(monkeypatch)
    yield made
    made.goes.set()


@pytest.fixture
def own(qapp: object, decoder: Decoder) -> Iterator[Thumbnails]:
    """Thumbnails that no list asks for."""
    made = Thumbnails()
    yield made
    decoder.goes.set()
    made.close()


def _wish(window: MainWindow, row: int) -> Wish:
    found = window.arrangement.images._wish_of(row)
    assert found is not None
    return found


def _grey(value: int) -> np.ndarray:
    return np.full((40, 60, 3), value, np.uint8)


def _red(window: MainWindow, row: int) -> int | None:
    picture = window.arrangement.images.thumbnails.get(_wish(window, row), 1.0)
    return None if picture is None else picture.toImage().pixelColor(5, 5).red()


def test_thumbnails_come_for_what_is_looked_at_and_a_broken_file_is_tried_once(
    qtbot: QtBot, window: MainWindow, desk: Desk, decoder: Decoder
) -> None:
    thumbnails = window.arrangement.images.thumbnails
    path = desk.projects.of_pixels(desk.place(), {f"{n}.png": _grey(80 * n) for n in range(4)}, ["a"])
    (path.parent / "images" / "3.png").write_bytes(b"no image at all")
    desk.open(path)
    window.arrangement.images.view.viewport().repaint()
    qtbot.waitUntil(lambda: not any(thumbnails.pending(_wish(window, row)) for row in range(4)))
    assert _red(window, 1) == 80
    assert _red(window, 3) is None
    window.arrangement.images.view.viewport().repaint()
    qtbot.wait(50)
    assert [decoder.files.count(f"{n}.png") for n in (1, 2, 3)] == [1, 1, 1]
    assert decoder.files.count("0.png") <= 1, "it is on screen: decoded only if the list asked for it before"


def test_thumbnails_of_another_project_are_forgotten(qtbot: QtBot, window: MainWindow, desk: Desk) -> None:
    for value in (10, 200):
        desk.show({"0.png": _grey(0), "1.png": _grey(value)})
        window.arrangement.images.view.viewport().repaint()
        qtbot.waitUntil(lambda value=value: _red(window, 1) == value)


def test_thumbnails_follow_their_images_when_rows_move(qtbot: QtBot, window: MainWindow, desk: Desk) -> None:
    desk.show({f"{n}.png": _grey(50 * n) for n in range(4)})
    window.arrangement.images.view.viewport().repaint()
    qtbot.waitUntil(lambda: [_red(window, row) for row in (1, 2, 3)] == [50, 100, 150])
    desk.session.remove_images(["1.png"])
    desk.wait(lambda: len(desk.navigation.items) == 3)
    assert [_red(window, row) for row in (1, 2)] == [100, 150]


def test_a_thumbnail_is_made_again_when_the_content_of_its_image_is_another(
    qtbot: QtBot, window: MainWindow, desk: Desk
) -> None:
    desk.open(desk.projects.of_pixels(desk.place(), {"0.png": _grey(0), "1.png": _grey(10)}, ["a"]))
    qtbot.waitUntil(lambda: _red(window, 1) == 10)
    file = desk.navigation.rows[1].file
    write_image(file, _grey(200))
    os.utime(file, ns=(10**18, 10**18))
    desk.shows(1)
    qtbot.waitUntil(lambda: _red(window, 1) == 200)


def test_the_image_on_screen_lends_its_picture_where_its_file_is_too_large_for_one(
    qtbot: QtBot, window: MainWindow, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segstudio.app.viewing.thumbnails.LARGEST_BYTES", 1000)
    desk.show({f"{n}.png": _grey(50) for n in range(2)})
    thumbnails = window.arrangement.images.thumbnails
    assert _red(window, 0) is not None  # it is on screen
    window.arrangement.images.view.viewport().repaint()
    qtbot.waitUntil(lambda: not thumbnails.pending(_wish(window, 1)))
    assert _red(window, 1) is None
    desk.shows(1)
    assert _red(window, 1) is not None


def _counted(thumbnails: Thumbnails) -> list[None]:
    """One for each time that a thumbnail is announced from now on."""
    came: list[None] = []
    thumbnails.ready.connect(lambda: came.append(None))
    return came


def _wishes(desk: Desk, tmp_path: Path) -> tuple[Wish, Wish]:
    """The image on screen and another, in files that the window's own list does not know."""
    desk.show({"0.png": _grey(50)})
    for name in ("screen.png", "other.png"):
        write_image(tmp_path / name, _grey(200))
    return Wish(1, "", Stored((tmp_path / "screen.png",))), Wish(2, "", Stored((tmp_path / "other.png",)))


def test_an_image_that_comes_on_screen_while_its_file_is_decoded_is_announced_once(
    qtbot: QtBot, desk: Desk, own: Thumbnails, decoder: Decoder, tmp_path: Path
) -> None:
    shown, other = _wishes(desk, tmp_path)
    assert desk.navigation.display is not None
    decoder.goes.clear()
    came = _counted(own)
    assert own.get(shown, 1.0) is None
    qtbot.waitUntil(lambda: "screen.png" in decoder.files)
    own.offer(shown, desk.navigation.display)
    kept = own.get(shown, 1.0)
    assert kept is not None
    assert own.get(other, 1.0) is None
    decoder.goes.set()
    qtbot.waitUntil(lambda: own.get(other, 1.0) is not None)  # it was decoded after the one on screen
    assert own.get(shown, 1.0) is kept
    assert len(came) == 2


def test_a_large_image_that_comes_on_screen_before_its_turn_is_not_decoded(
    qtbot: QtBot, desk: Desk, own: Thumbnails, decoder: Decoder, tmp_path: Path
) -> None:
    shown, other = _wishes(desk, tmp_path)
    assert desk.navigation.display is not None
    decoder.large.add("screen.png")
    decoder.goes.clear()
    assert own.get(shown, 1.0) is None
    qtbot.waitUntil(lambda: "screen.png" in decoder.looked_at)
    own.offer(shown, desk.navigation.display)
    assert own.get(other, 1.0) is None
    decoder.goes.set()
    qtbot.waitUntil(lambda: own.get(other, 1.0) is not None)
    own.close()
    assert "other.png" in decoder.files
    assert "screen.png" not in decoder.files
