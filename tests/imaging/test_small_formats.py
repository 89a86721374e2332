"""Animated PNG, AVIF, NumPy archives, JPEG without loss, and TIFFs compressed in old ways."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.readers.frames import upright
from segstudio.imaging.source import open_image, probe
from tests.imaging.microscope_files import noise


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_frames_of_an_animated_png_are_planes(tmp_path: Path, mode: str) -> None:
    frames = [noise(20, 30, len(mode), dtype=np.uint8, seed=seed) for seed in range(3)]
    if mode == "RGBA":
        for frame in frames:
            frame[..., 3] = 255
    first, *more = (Image.fromarray(frame[..., 0] if mode == "L" else frame, mode) for frame in frames)
    first.save(tmp_path / "a.png", save_all=True, append_images=more)
    source = open_image(tmp_path / "a.png")
    assert len(source.info.planes) == 3
    for plane in (2, 0, 1):
        assert np.array_equal(source.read(plane=plane), frames[plane][..., :3])
    source.close()


@pytest.mark.parametrize("orientation", [1, 6])
def test_an_avif_is_read_upright(tmp_path: Path, orientation: int) -> None:
    y, x = np.mgrid[:20, :30]
    pixels = np.stack([x * 8, y * 12, x + y], -1).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "a.avif", quality=100, subsampling="4:4:4", exif=exif)
    source = open_image(tmp_path / "a.avif")
    assert (source.info.channels, source.info.family) == (3, "avif")
    shown = upright(pixels, orientation).astype(int)
    assert (source.info.planes[0].width, source.info.planes[0].height) == (shown.shape[1], shown.shape[0])
    assert np.abs(source.read().astype(int) - shown).max() <= 4


def test_an_avif_cut_short_is_refused(tmp_path: Path) -> None:
    Image.fromarray(noise(40, 60, 3, dtype=np.uint8)).save(tmp_path / "a.avif")
    (tmp_path / "a.avif").write_bytes((tmp_path / "a.avif").read_bytes()[:-300])
    with pytest.raises(UnreadableImage, match=r"a\.avif"):
        open_image(tmp_path / "a.avif").read()


def test_a_still_png_has_one_plane(tmp_path: Path) -> None:
    Image.fromarray(noise(20, 30, 3, dtype=np.uint8)).save(tmp_path / "a.png")
    assert len(probe(tmp_path / "a.png").planes) == 1


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_of_one_array_is_read_like_the_array(tmp_path: Path, save) -> None:
    stack = noise(5, 20, 30)
    save(tmp_path / "a.npz", stack)
    source = open_image(tmp_path / "a.npz")
    assert (len(source.info.planes), source.info.dtype, source.info.family) == (5, "uint16", "npz")
    assert np.array_equal(source.read(Rect(2, 3, 4, 5), plane=4)[..., 0], stack[4, 3:8, 2:6])


def test_of_an_archive_of_several_arrays_the_sentence_names_them(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", picture=noise(4, 4), mask=noise(4, 4))
    with pytest.raises(UnreadableImage, match=r"a\.npz .* \(picture, mask\)"):
        probe(tmp_path / "a.npz")


def test_a_pickle_in_an_archive_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", np.array([{}, {}], object).reshape(1, 2))
    with pytest.raises(UnreadableImage):
        open_image(tmp_path / "a.npz").read()


def test_an_archive_cut_short_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", noise(40, 40))
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-200])
    with pytest.raises(UnreadableImage, match=r"a\.npz"):
        open_image(tmp_path / "a.npz").read()


@pytest.mark.parametrize("bits", [12, 16])
def test_a_jpeg_without_loss_keeps_all_its_bits(tmp_path: Path, bits: int) -> None:
    pixels = noise(20, 30) >> (16 - bits)
    (tmp_path / "a.jpg").write_bytes(imagecodecs.ljpeg_encode(pixels, bitspersample=bits))
    source = open_image(tmp_path / "a.jpg")
    assert (source.info.dtype, source.info.channels, source.info.family) == ("uint16", 1, "jpeg")
    assert np.array_equal(source.read()[..., 0], pixels)
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:40])
    with pytest.raises(UnreadableImage):
        open_image(tmp_path / "a.jpg").read()


def test_a_tiff_compressed_in_an_old_way_is_refused_with_the_way_out(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(20, 30, 3, dtype=np.uint8), photometric="rgb")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as file:
        file.pages.first.tags[259].overwrite(6)
    with pytest.raises(UnreadableImage, match="old-style JPEG") as refused:
        open_image(tmp_path / "a.tif").read()
    assert "LZW" in refused.value.line
