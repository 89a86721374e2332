"""Neighbours of the image on screen are loaded ahead: stepping through a folder waits for no decoder."""

import numpy as np
import pytest

from segstudio.app.viewing import displaying
from segstudio.app.viewing.display import DisplayImage, load_display_image
from segstudio.imaging.source import Stored
from tests.shown_pixels import whole
from tests.ui.desk import Desk

SIDE = 120


def _pictures(number: int) -> dict[str, np.ndarray]:
    return {f"{n}.png": np.full((SIDE, SIDE, 3), 10 * n, np.uint8) for n in range(number)}


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files in the order in which they are decoded."""
    names: list[str] = []

    def noted(stored: Stored, *rest: object) -> DisplayImage:
        names.append(stored.first.stem)
        return load_display_image(stored, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(displaying, "load_display_image", noted)
    return names


@pytest.fixture
def desk(own_desk: Desk) -> Desk:
    return own_desk


def test_the_next_and_the_one_before_are_there_when_they_are_asked_for(desk: Desk, decoded: list[str]) -> None:
    opened = desk.show(_pictures(5))
    desk.shows(2)
    desk.wait(lambda: {"1", "2", "3"} <= set(decoded))
    before = list(decoded)
    opened.navigation.step(+1)
    desk.shown()
    assert opened.navigation.display is not None
    assert whole(opened.navigation.display)[0, 0, 0] == 30
    opened.navigation.step(-1)
    desk.shown()
    assert [name for name in decoded[len(before) :] if name in before] == [], "nothing is decoded twice"


def test_what_done_goes_to_is_loaded_first(desk: Desk, decoded: list[str]) -> None:
    opened = desk.show(_pictures(4))
    desk.wait(lambda: opened.navigation.index == 0 and len(decoded) >= 2)
    assert decoded[1] == "1"


def test_a_neighbour_that_cannot_be_read_is_said_only_when_it_is_opened(desk: Desk, decoded: list[str]) -> None:
    opened = desk.show(_pictures(3))
    opened.navigation.rows[1].file.write_bytes(b"no image at all")
    desk.shows(2)
    desk.wait(lambda: decoded.count("1") >= 1)
    assert desk.said == []
    assert desk.bugs == []


def test_a_file_that_was_changed_since_is_decoded_again(desk: Desk, decoded: list[str]) -> None:
    opened = desk.show(_pictures(3))
    desk.wait(lambda: "1" in decoded)
    from PIL import Image

    Image.fromarray(np.full((SIDE, SIDE, 3), 200, np.uint8)).save(opened.navigation.rows[1].file, compress_level=0)
    desk.shows(1)
    assert opened.navigation.display is not None
    assert whole(opened.navigation.display)[0, 0, 0] == 200


def test_a_large_neighbour_is_left_alone(desk: Desk, decoded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(displaying, "_KEPT_BYTES", 4 * SIDE * SIDE)
    desk.show(_pictures(3))
    desk.wait(lambda: "0" in decoded)
    from PySide6.QtTest import QTest

    QTest.qWait(400)
    assert decoded == ["0"]
