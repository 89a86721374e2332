"""Windows of images on screen: the file's own first, others by name, what is kept for the modality; dark pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segstudio.app.viewing.thumbnails import reduced_display
from segstudio.imaging.display import automatic_view
from segstudio.imaging.levels import EIGHT_BIT, Levels
from tests.app.seeing_desk import SeeingDesk
from tests.imaging.dicom_files import write_dicom

RAMP = np.arange(-1024, 3072, dtype=np.int16).reshape(64, 64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    own = {"SeriesInstanceUID": None, "RescaleSlope": 1, "RescaleIntercept": 0}
    write_dicom(tmp_path / "ct1.dcm", RAMP, **own, WindowCenter=40, WindowWidth=400)
    write_dicom(tmp_path / "ct2.dcm", RAMP + 5, **own)
    write_dicom(tmp_path / "ct3.dcm", RAMP, **own, PhotometricInterpretation="MONOCHROME1")
    write_dicom(tmp_path / "mr.dcm", RAMP, **own | {"Modality": "MR"})
    Image.fromarray(rng.integers(0, 31, (64, 64), np.uint8)).save(tmp_path / "dark.png")
    Image.fromarray(rng.integers(0, 200, (64, 64, 3), np.uint8)).save(tmp_path / "photo.png")
    Image.fromarray(np.full((64, 64), 9, np.uint8)).save(tmp_path / "flat.png")
    return tmp_path


@pytest.fixture
def desk(qtbot: Any, folder: Path) -> Iterator[SeeingDesk]:
    desk = SeeingDesk(qtbot, folder)
    yield desk
    desk.close()


def test_the_files_own_window_comes_first_and_others_are_chosen_by_name(desk: SeeingDesk) -> None:
    desk.shows("ct1.dcm")
    assert (desk.now.level, desk.now.width, desk.now.window, desk.now.untouched) == (40, 400, 0, True)
    assert desk.view.channels[0].levels == Levels(-160, 239), "LINEAR: from the first to the last of 400 values"
    names = [window.name for window in desk.adjusting.windows]
    assert names == ["", "Lung", "Bone", "Brain", "Soft tissue", "Abdomen"]
    desk.adjusting.choose_window(1)
    assert (desk.now.level, desk.now.width, desk.now.window) == (-600, 1500, 1)
    desk.adjusting.choose_window(-1)
    assert desk.now.automatic
    assert desk.view == desk.display.automatic
    desk.adjusting.reset()
    assert desk.now.window == 0


def test_a_window_that_was_chosen_is_that_of_its_modality_until_it_is_reset(desk: SeeingDesk) -> None:
    first = desk.shows("ct2.dcm").view
    desk.adjusting.window(-500, 1400)
    assert desk.shows("mr.dcm").view == desk.display.first
    assert desk.shows("ct1.dcm").view.channels[0].levels == Levels(-1200, 200)
    assert not desk.view.invert
    assert desk.shows("ct3.dcm").view.channels[0].levels == Levels(-1200, 200)
    assert desk.view.invert, "what the file wants inverted stays so"
    desk.adjusting.window(0, 10)
    assert desk.shows("ct2.dcm").view.channels[0].levels == Levels(-1200, 200), "an image keeps what was chosen for it"
    desk.adjusting.reset()
    assert desk.view == first
    assert desk.shows("ct1.dcm").view == desk.display.first


def test_a_dark_picture_of_8_bits_is_shown_between_its_own_levels_and_a_photograph_as_stored(desk: SeeingDesk) -> None:
    dark = desk.shows("dark.png")
    assert dark.lightened
    assert dark.found == Levels(0, 30)
    assert dark.found_stored == EIGHT_BIT, "what the network sees"
    assert reduced_display(dark, 64, 64).max() == 255
    for plain in ("photo.png", "flat.png"):
        shown = desk.shows(plain)
        assert not shown.lightened
        assert shown.view == automatic_view(shown.channels, EIGHT_BIT)


def test_automatic_of_a_photograph_leaves_out_its_extremes(desk: SeeingDesk) -> None:
    desk.shows("photo.png")
    desk.histograms.wanted = True
    desk.qtbot.waitUntil(lambda: desk.histograms.current is not None)
    desk.adjusting.automatic()
    assert (desk.now.low, desk.now.high) == (0, 199)


def test_the_sigmoid_of_a_file_stays_one_while_it_is_dragged_and_numbers_make_it_straight(
    qtbot: Any, tmp_path: Path
) -> None:
    write_dicom(tmp_path / "a.dcm", RAMP, WindowCenter=40, WindowWidth=400, VOILUTFunction="SIGMOID")
    desk = SeeingDesk(qtbot, tmp_path)
    desk.shows(0)
    assert (desk.view.sigmoid, desk.now.window) == (True, 0)
    desk.adjusting.adjust(10, 0)
    assert desk.view.sigmoid
    desk.adjusting.window(40, 400)
    assert not desk.view.sigmoid
    desk.close()
