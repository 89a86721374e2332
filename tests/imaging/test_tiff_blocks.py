"""Large TIFF files are read by rectangle and level: the same pixels as of the whole, from the parts they lie in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging import levels
from segstudio.imaging.levels import levels_of
from segstudio.imaging.readers import tiff, tiff_blocks
from segstudio.imaging.readers.frames import FrameSource
from segstudio.imaging.readers.tiff_blocks import BlockSource
from segstudio.imaging.source import ImageSource, open_image, probe

Opened = Callable[[Path], ImageSource]
PART = Rect(130, 90, 200, 170)
SIDE = (420, 510)


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff_blocks, "_LARGE_BYTES", 1)


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens files that are closed at the end."""
    with ExitStack() as stack:
        yield lambda path: stack.enter_context(closing(open_image(path)))


def samples(*shape: int, dtype: str = "uint8") -> NDArray[Any]:
    return np.random.default_rng(1).integers(0, 255, shape).astype(dtype)


KINDS: dict[str, tuple[NDArray[Any], dict[str, Any]]] = {
    "tiles": (samples(*SIDE, 3), {"tile": (128, 96), "photometric": "rgb"}),
    "uncompressed": (samples(*SIDE, 3), {"photometric": "rgb"}),
    "uncompressed big-endian strips": (samples(*SIDE, dtype="uint16"), {"rowsperstrip": 64, "byteorder": ">"}),
    "deflate, predictor": (samples(*SIDE, 3), {"tile": (64, 64), "compression": "zlib", "predictor": True}),
    "lzw strips of 16 bits": (samples(*SIDE, dtype="uint16"), {"rowsperstrip": 37, "compression": "lzw"}),
    "big-endian floats": (samples(*SIDE, dtype="float32"), {"tile": (128, 128), "byteorder": ">"}),
    "separate bands": (
        np.moveaxis(samples(*SIDE, 5, dtype="uint16"), 2, 0),
        {"planarconfig": "separate", "rowsperstrip": 50, "photometric": "minisblack"},
    ),
    "opacity": (samples(*SIDE, 4), {"tile": (128, 128), "photometric": "rgb", "extrasamples": ["unassalpha"]}),
    "palette": (
        samples(*SIDE),
        {"tile": (128, 128), "photometric": "palette", "colormap": samples(3, 256, dtype="uint16") * 256},
    ),
    "white is 0": (samples(*SIDE), {"tile": (128, 128), "photometric": "miniswhite"}),
    "pages": (samples(3, *SIDE), {"tile": (128, 128), "photometric": "minisblack"}),
    "single bits": (samples(*SIDE) > 100, {"tile": (128, 128), "photometric": "minisblack"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_is_that_of_the_whole(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    import tifffile

    data, options = KINDS[kind]
    tifffile.imwrite(tmp_path / "a.tif", data, **options)
    source = opened(tmp_path / "a.tif")
    assert isinstance(source, BlockSource)
    with monkeypatch.context() as small:
        small.setattr(tiff_blocks, "_LARGE_BYTES", 1 << 40)
        whole = tiff.open_image(tmp_path / "a.tif")
    assert isinstance(whole, FrameSource)
    assert source.info == replace(whole.info, by_block=True)
    for plane in range(len(source.info.planes)):
        for rect in (PART, Rect(500, 400, 90, 90), None):
            part = source.read(rect, plane=plane)
            assert part.dtype == np.dtype(source.info.dtype)
            assert np.array_equal(part, whole.read(rect, plane=plane)), rect
        assert np.array_equal(source.read(PART, plane=plane, channels=(0,)), whole.read(PART, plane=plane)[..., :1])
    if source.info.alpha:
        assert np.array_equal(source.alpha(0, PART), whole.alpha(0, PART))  # type: ignore[arg-type]


def pyramid_file(path: Path, subifds: bool) -> list[NDArray[Any]]:
    import tifffile

    levels = [samples(900, 700, 3)]
    levels += [levels[0][:: 2**n, :: 2**n] for n in (1, 2)]
    with tifffile.TiffWriter(path) as file:
        file.write(levels[0], tile=(128, 128), photometric="rgb", subifds=2 if subifds else 0)
        for level in levels[1:]:
            file.write(level, tile=(128, 128), photometric="rgb", subfiletype=1)
    return levels


@pytest.mark.parametrize("subifds", [True, False])
def test_the_levels_of_a_file_are_read_as_they_are(opened: Opened, tmp_path: Path, subifds: bool) -> None:
    levels = pyramid_file(tmp_path / "a.tif", subifds)
    assert probe(tmp_path / "a.tif").levels == ((350, 450), (175, 225))
    source = opened(tmp_path / "a.tif")
    for n, level in enumerate(levels):
        assert np.array_equal(source.read(Rect(20, 30, 60, 70), n), level[30:100, 20:80])
    with pytest.raises(IndexError):
        source.read(PART, 3)


def test_only_the_tiles_that_a_rectangle_touches_are_read(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", samples(2048, 2048), tile=(256, 256), compression="zlib")
    source = opened(tmp_path / "a.tif")
    read: list[int] = []
    inner = BlockSource._bytes

    def noted(self: BlockSource, page: Any, index: int) -> bytes | None:
        read.append(index)
        return inner(self, page, index)

    monkeypatch.setattr(BlockSource, "_bytes", noted)
    source.read(Rect(300, 600, 100, 300))
    assert read == [2 * 8 + 1, 3 * 8 + 1]


def test_a_file_cut_short_is_refused_where_it_ends(opened: Opened, tmp_path: Path) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", samples(2048, 2048), tile=(256, 256))
    whole = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(whole[: len(whole) // 2])
    source = opened(tmp_path / "a.tif")
    assert source.read(Rect(0, 0, 100, 100)).shape == (100, 100, 1)
    with pytest.raises(UnreadableImage, match=r"a\.tif"):
        source.read(Rect(1900, 1900, 100, 100))


def test_small_files_are_still_decoded_whole(opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tifffile

    monkeypatch.setattr(tiff_blocks, "_LARGE_BYTES", 1 << 26)
    tifffile.imwrite(tmp_path / "a.tif", samples(*SIDE), tile=(128, 128))
    assert isinstance(opened(tmp_path / "a.tif"), FrameSource)


def test_the_levels_of_a_large_plane_come_from_a_smaller_copy_in_the_file(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tifffile

    whole = np.random.default_rng(3).normal(2000, 300, (2048, 2048)).astype(np.uint16)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(whole, tile=(256, 256))
        file.write(whole[::2, ::2], tile=(256, 256), subfiletype=1)
    source = opened(tmp_path / "a.tif")
    expected = levels_of(source, 0)
    monkeypatch.setattr(levels, "_WHOLE_PX", 1000)
    read: list[Any] = []
    inner = BlockSource.read
    monkeypatch.setattr(BlockSource, "read", lambda self, *given: read.append(given) or inner(self, *given))
    found = levels_of(source, 0)
    assert read == [(None, 1, 0)]
    assert found.low == pytest.approx(expected.low, abs=60)
    assert found.high == pytest.approx(expected.high, abs=60)
