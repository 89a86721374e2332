"""Small pictures of files: what they show, and that a large file is not read whole for one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.app.viewing.thumbnails import reduced_file
from segstudio.imaging.readers.frames import FrameSource
from segstudio.imaging.source import Stored


def _halves(height: int, width: int) -> np.ndarray:
    """Dark on the left, bright on the right."""
    pixels = np.full((height, width, 3), 40, np.uint8)
    pixels[:, width // 2 :] = 220
    return pixels


def _shows_the_halves(picture: np.ndarray | None) -> bool:
    assert picture is not None
    middle = picture.shape[1] // 2
    return abs(int(picture[:, : middle - 2].mean()) - 40) < 4 and abs(int(picture[:, middle + 2 :].mean()) - 220) < 4


@pytest.fixture
def no_whole_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the file was decoded whole")

    monkeypatch.setattr(FrameSource, "read", refuse)


def test_a_picture_fills_the_room_and_keeps_its_proportions(tmp_path: Path) -> None:
    for name in ("a.png", "a.tif", "a.jpg"):
        Image.fromarray(_halves(300, 600)).save(tmp_path / name)
        picture = reduced_file(Stored((tmp_path / name,)), 112, 72)
        assert picture is not None
        assert picture.shape == (72, 144, 3), name
        assert _shows_the_halves(picture), name


def test_a_large_jpeg_is_decoded_at_a_reduced_size(tmp_path: Path, no_whole_reading: None) -> None:
    Image.fromarray(_halves(1600, 3200)).save(tmp_path / "large.jpg", quality=90)
    assert _shows_the_halves(reduced_file(Stored((tmp_path / "large.jpg",)), 112, 72))


def test_a_turned_jpeg_is_shown_upright(tmp_path: Path, no_whole_reading: None) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(np.rot90(_halves(1600, 3200)).copy()).save(tmp_path / "turned.jpg", exif=exif)
    picture = reduced_file(Stored((tmp_path / "turned.jpg",)), 112, 72)
    assert picture is not None
    assert picture.shape[1] > picture.shape[0]
    assert _shows_the_halves(picture)


def test_of_a_tiff_with_levels_a_small_one_is_read(tmp_path: Path, no_whole_reading: None) -> None:
    import tifffile

    pixels = _halves(1600, 3200)
    with tifffile.TiffWriter(tmp_path / "levels.tif") as tiff:
        tiff.write(pixels, subifds=2, photometric="rgb", tile=(256, 256))
        for step in (2, 4):
            tiff.write(np.ascontiguousarray(pixels[::step, ::step]), subfiletype=1, photometric="rgb", tile=(256, 256))
    assert _shows_the_halves(reduced_file(Stored((tmp_path / "levels.tif",)), 112, 72))


def test_beyond_the_bound_there_is_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(_halves(300, 600)).save(tmp_path / "a.png")
    monkeypatch.setattr("segstudio.app.viewing.thumbnails.LARGEST_BYTES", 100_000)
    assert reduced_file(Stored((tmp_path / "a.png",)), 112, 72) is None
