import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.readers.frames import upright
from segstudio.imaging.readers.table import FAMILIES, Content, content_of
from segstudio.imaging.source import ImageSource, open_image, probe


def rgb(h: int = 40, w: int = 60, dtype: type = np.uint8) -> NDArray:
    top = np.iinfo(dtype).max
    return np.random.default_rng(7).integers(0, top, (h, w, 3), dtype, endpoint=True)


def whole(source: ImageSource, plane: int = 0) -> NDArray:
    return source.read(plane=plane)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
def test_colours_come_back_exactly(tmp_path: Path, name: str) -> None:
    pixels = rgb()
    Image.fromarray(pixels).save(tmp_path / name)
    source = open_image(tmp_path / name)
    assert (source.info.channels, source.info.dtype) == (3, "uint8")
    assert np.array_equal(whole(source), pixels)


def test_lossless_webp_comes_back_exactly(tmp_path: Path) -> None:
    Image.fromarray(rgb()).save(tmp_path / "a.webp", lossless=True)
    assert np.array_equal(whole(open_image(tmp_path / "a.webp")), rgb())


def test_sixteen_bit_colour_png_keeps_all_sixteen_bits(tmp_path: Path) -> None:
    import cv2

    pixels = rgb(dtype=np.uint16)
    assert cv2.imwrite(str(tmp_path / "a.png"), pixels[..., ::-1])
    source = open_image(tmp_path / "a.png")
    assert source.info.dtype == "uint16"
    assert np.array_equal(whole(source), pixels)


def test_sixteen_bit_grey_png_keeps_all_sixteen_bits(tmp_path: Path) -> None:
    pixels = rgb(dtype=np.uint16)[..., 0]
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert np.array_equal(whole(open_image(tmp_path / "a.png"))[..., 0], pixels)


def test_a_palette_is_read_as_its_colours(tmp_path: Path) -> None:
    image = Image.fromarray(rgb()).quantize(16)
    image.save(tmp_path / "a.png")
    assert np.array_equal(whole(open_image(tmp_path / "a.png")), np.asarray(image.convert("RGB")))


def test_transparency_is_kept_apart_from_the_samples(tmp_path: Path) -> None:
    pixels = np.dstack([rgb(), rgb()[..., 0]])
    Image.fromarray(pixels, "RGBA").save(tmp_path / "a.png")
    source = open_image(tmp_path / "a.png")
    assert (source.info.channels, source.info.alpha) == (3, True)
    assert np.array_equal(whole(source), pixels[..., :3])
    alpha = source.alpha(0, Rect(0, 0, 60, 40))
    assert alpha is not None
    assert np.array_equal(alpha, pixels[..., 3])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
def test_size_and_samples_are_those_of_the_shown_orientation(tmp_path: Path, name: str, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if name.endswith("webp") else {}
    Image.fromarray(rgb()).save(tmp_path / name, exif=exif, **options)
    shown = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / name)).convert("RGB"))
    info = probe(tmp_path / name)
    assert (info.planes[0].height, info.planes[0].width) == shown.shape[:2]
    assert np.array_equal(whole(open_image(tmp_path / name)), shown)


def test_orientation_that_stands_behind_the_picture_of_a_png_is_found(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a.png"
    Image.fromarray(rgb()).save(path, exif=exif)
    data = path.read_bytes()
    at = data.index(b"eXIf") - 4
    length = int.from_bytes(data[at : at + 4], "big") + 12
    end = len(data) - 12
    path.write_bytes(data[:at] + data[at + length : end] + data[at : at + length] + data[end:])
    assert (probe(path).planes[0].width, probe(path).planes[0].height) == (40, 60)
    assert np.array_equal(whole(open_image(path)), upright(rgb(), 6))


def test_a_rectangle_is_cut_at_the_edges(tmp_path: Path) -> None:
    Image.fromarray(rgb()).save(tmp_path / "a.png")
    source = open_image(tmp_path / "a.png")
    assert np.array_equal(source.read(Rect(50, 30, 100, 100)), rgb()[30:, 50:])
    assert not source.read(Rect(0, 0, 5, 5)).flags.writeable


def test_frames_of_a_gif_are_planes_in_any_order(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((9, 11, 3), v, np.uint8)) for v in (10, 80, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    source = open_image(tmp_path / "a.gif")
    assert len(source.info.planes) == 3
    assert [int(whole(source, plane).mean()) for plane in (2, 0, 1)] == [200, 10, 80]
    source.close()
    assert int(whole(source, 1).mean()) == 80
    source.close()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("described", [False, True])
def test_tiff_pages_of_one_size_are_planes(tmp_path: Path, dtype: str, described: bool) -> None:
    stack = (np.random.default_rng(1).random((3, 20, 30)) * 200).astype(dtype)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page in stack:
            file.write(page, contiguous=False, **({} if described else {"metadata": None}))
    source = open_image(tmp_path / "a.tif")
    assert [p.key for p in source.info.planes] == (["S0", "S1", "S2"] if described else ["I0", "I1", "I2"])
    assert source.info.dtype == dtype
    for plane in (2, 0, 1):
        assert np.array_equal(whole(source, plane)[..., 0], stack[plane])


def test_tiff_channels_of_an_imagej_stack_become_the_last_axis(tmp_path: Path) -> None:
    stack = rgb(20, 30).transpose(2, 0, 1)[None].repeat(2, 0).astype(np.uint16)
    stack[1] += 1
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "ZCYX"})
    source = open_image(tmp_path / "a.tif")
    assert [p.key for p in source.info.planes] == ["Z0", "Z1"]
    assert np.array_equal(whole(source, 1), stack[1].transpose(1, 2, 0))


def test_planar_tiff_equals_contiguous(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", rgb().transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    assert np.array_equal(whole(open_image(tmp_path / "a.tif")), rgb())


@pytest.mark.parametrize(
    ("shape", "planes", "channels"), [((20, 30), 1, 1), ((20, 30, 3), 1, 3), ((5, 20, 30), 5, 1), ((5, 20, 9), 5, 1)]
)
def test_npy_arrays_become_planes_and_channels(
    tmp_path: Path, shape: tuple[int, ...], planes: int, channels: int
) -> None:
    array = np.random.default_rng(3).random(shape).astype(">f4")
    np.save(tmp_path / "a.npy", array)
    source = open_image(tmp_path / "a.npy")
    assert (len(source.info.planes), source.info.channels, source.info.dtype) == (planes, channels, "float32")
    assert np.array_equal(whole(source, planes - 1).reshape(-1), array.reshape(planes, -1)[-1])


def test_a_pickle_inside_an_npy_is_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UnreadableImage, match=r"a\.npy"):
        probe(tmp_path / "a.npy")


@pytest.mark.parametrize("extension", [extension for family in FAMILIES.rows for extension in family.extensions])
def test_a_text_file_by_any_image_name_is_refused_with_its_name(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"notes{extension}"
    path.write_text("to do: milk, bread\n" * 20)
    with pytest.raises(UnreadableImage, match=rf"^notes\{extension} is not an image") as caught:
        probe(path)
    assert "\n" not in caught.value.line
    assert content_of(path) is Content.OTHER


def test_missing_and_empty_files_and_folders_get_their_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UnreadableImage, match="no such file"):
        probe(tmp_path / "gone.png")
    with pytest.raises(UnreadableImage, match="is empty"):
        probe(tmp_path / "empty.png")
    with pytest.raises(UnreadableImage, match="folder"):
        probe(tmp_path / "folder.png")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.webp", "a.tif", "a.npy", "a.gif"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_cut_short_is_refused_and_never_shown_in_part(tmp_path: Path, name: str, share: float) -> None:
    path = tmp_path / name
    if name.endswith("npy"):
        np.save(path, rgb(200, 200))
    elif name.endswith("tif"):
        tifffile.imwrite(path, rgb(200, 200), compression="zlib", rowsperstrip=20)
    else:
        Image.fromarray(rgb(200, 200)).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UnreadableImage, match=rf"^{name} "):
        whole(open_image(path))


def test_a_jpeg_without_its_last_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(rgb(200, 200)).save(path)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(UnreadableImage, match="cut short"):
        whole(open_image(path))


def test_a_header_that_asks_for_terabytes_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(rgb()).save(path)
    data = bytearray(path.read_bytes())
    data[16:24] = (1_000_000).to_bytes(4, "big") * 2
    import zlib

    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(UnreadableImage, match="asks for more pixels"):
        probe(path)


def test_many_threads_read_one_source(tmp_path: Path) -> None:
    Image.fromarray(rgb()).save(tmp_path / "a.png")
    source = open_image(tmp_path / "a.png")
    results: list[bool] = []
    threads = [threading.Thread(target=lambda: results.append(np.array_equal(whole(source), rgb()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8


def test_a_jpeg_is_read_whole_once_and_looked_at_by_its_head_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(rgb(200, 300)).save(tmp_path / "a.jpg")
    opened: list[str] = []
    monkeypatch.setattr("io.open", _counting(io.open, opened))
    monkeypatch.setattr("builtins.open", _counting(open, opened))
    source = open_image(tmp_path / "a.jpg")
    assert source.read(Rect(0, 0, 300, 200)).shape == (200, 300, 3)
    assert len(opened) == 3


def _counting(real: Callable[..., Any], opened: list[str]) -> Callable[..., Any]:
    def open_(file: Any, *rest: Any, **options: Any) -> Any:
        if str(file).endswith("a.jpg"):
            opened.append(str(file))
        return real(file, *rest, **options)

    return open_
