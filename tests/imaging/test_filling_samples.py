"""Samples of a large plane that is shown while it is decoded: from a smaller copy, then band by band."""

import gc
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging import early_copy as early
from segstudio.imaging import filling_samples, paged
from segstudio.imaging.early_copy import early_copy
from segstudio.imaging.filling_samples import FillingSamples
from segstudio.imaging.paged import room_for
from segstudio.imaging.pyramid import pyramid
from segstudio.imaging.source import ImageInfo, PlaneInfo, open_image, probe
from tests.imaging.heard import Heard

HEIGHT, WIDTH = 1100, 1301


class Bands:
    """A source that gives a band when it is let."""

    def __init__(self, pixels: NDArray[Any]) -> None:
        h, w, c = pixels.shape
        self.pixels, self.info = pixels, ImageInfo((PlaneInfo("0", w, h),), c, pixels.dtype.name, "tiff", by_block=True)
        self.may = threading.Semaphore(0)
        self.damaged_from = h
        self.closed = threading.Event()

    def read(
        self, rect: Rect | None = None, level: int = 0, plane: int = 0, channels: Sequence[int] | None = None
    ) -> NDArray[Any]:
        assert rect is not None
        assert self.may.acquire(timeout=20)
        if rect.bottom > self.damaged_from:
            raise UnreadableImage("a band is damaged")
        return self.pixels[rect.y : rect.bottom, rect.x : rect.right]

    def rescale(self, plane: int) -> tuple[float, float]:
        return 1.0, 0.0

    def alpha(self, plane: int, rect: Rect) -> None:
        return None

    def drop(self, plane: int) -> None:
        pass

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def source() -> Iterator[Bands]:
    made = Bands(np.random.default_rng(2).integers(0, 250, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    yield made
    made.may.release(100)
    assert made.closed.wait(20), "the file is closed whatever became of it"


@pytest.fixture(params=["memory", "file"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path | None:
    monkeypatch.setattr(paged, "LARGE_BYTES", 1)
    return None if request.param == "memory" else tmp_path / "samples"


def filling(source: Bands, folder: Path | None, smaller: NDArray[Any] | None = None) -> FillingSamples:
    return FillingSamples(source, 0, partial(room_for, folder=folder), smaller)


def whole(samples: FillingSamples, level: int = 0) -> Rect:
    return Rect(0, 0, *samples.sizes[level])


def test_what_it_holds_in_the_end_is_the_plane_and_its_pyramid(source: Bands, folder: Path | None) -> None:
    samples = filling(source, folder)
    source.may.release(100)
    levels = pyramid(source.pixels)
    for n, level in enumerate(levels):
        assert np.array_equal(samples.read(n, whole(samples, n)), level), n
    assert samples.settled
    assert samples.has(0, whole(samples))
    assert samples.nbytes == sum(level.nbytes for level in levels)
    assert not samples.at_once(0, Rect(5, 5, 9, 9)).flags.writeable


def test_bands_are_there_one_after_the_other(source: Bands, folder: Path | None) -> None:
    samples, heard = filling(source, folder), Heard()
    samples.watch(heard)
    assert not samples.at_once(0, whole(samples)).any()
    source.may.release()
    assert heard.news.acquire(timeout=20)
    assert heard.parts == [Rect(0, 0, WIDTH, 256)]
    assert samples.has(0, Rect(0, 200, 10, 56))
    assert not samples.has(0, Rect(0, 200, 10, 57))
    assert np.array_equal(samples.at_once(0, Rect(0, 0, WIDTH, 300))[:256], source.pixels[:256])
    assert not samples.settled


def test_until_then_a_smaller_copy_stands_for_it(source: Bands, folder: Path | None) -> None:
    smaller = pyramid(source.pixels)[2]
    small = np.ascontiguousarray(smaller[: -(-HEIGHT // 4), : -(-WIDTH // 4)])
    samples, heard = filling(source, folder, small), Heard()
    samples.watch(heard)
    assert np.array_equal(samples.at_once(2, whole(samples, 2)), small)
    shown = samples.at_once(0, Rect(400, 800, 200, 100))
    assert shown.shape == (100, 200, 3)
    assert abs(float(shown.mean()) - float(source.pixels[800:900, 400:600].mean())) < 4
    source.may.release()
    assert heard.news.acquire(timeout=20)
    both = samples.at_once(0, Rect(0, 200, WIDTH, 100))
    assert np.array_equal(both[:56], source.pixels[200:256])
    assert both[56:].any()


def test_whoever_reads_waits_for_the_rows_it_needs_alone(source: Bands, folder: Path | None) -> None:
    samples = filling(source, folder)
    source.may.release()
    assert np.array_equal(samples.read(0, Rect(0, 0, 20, 256)), source.pixels[:256, :20])
    threading.Timer(0.2, lambda: source.may.release(100)).start()
    assert np.array_equal(samples.read(0, Rect(0, 900, 20, 30)), source.pixels[900:930, :20])


def test_a_damaged_file_is_told_to_who_shows_it_and_who_reads_it(source: Bands, folder: Path | None) -> None:
    source.damaged_from = 600
    samples, heard = filling(source, folder), Heard()
    samples.watch(heard)
    source.may.release(100)
    with pytest.raises(UnreadableImage, match="damaged"):
        samples.read(0, whole(samples))
    while not heard.errors:
        assert heard.news.acquire(timeout=20)
    assert len(heard.errors) == 1
    assert np.array_equal(samples.read(0, Rect(0, 0, 50, 512)), source.pixels[:512, :50])
    late = Heard()
    samples.watch(late)
    assert late.errors == heard.errors, "also to who comes later"


def test_where_nobody_shows_it_any_more_decoding_ends(source: Bands, folder: Path | None) -> None:
    samples = filling(source, folder)
    del samples
    gc.collect()
    source.may.release()
    assert source.closed.wait(20)


def test_a_disk_that_refuses_is_a_sentence(source: Bands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paged, "LARGE_BYTES", 1)

    def refused(*_given: object) -> None:
        raise OSError(5, "the disk gave up")

    monkeypatch.setattr(filling_samples.Room, "fill", refused)
    samples = filling(source, tmp_path / "samples")
    source.may.release(100)
    with pytest.raises(UnreadableImage, match="the disk gave up"):
        samples.read(0, whole(samples))


# -- smaller copies ---------------------------------------------------------------------------------------------------


def picture(height: int, width: int, channels: int) -> NDArray[np.uint8]:
    ys, xs = np.mgrid[0:height, 0:width]
    parts = [(np.sin(xs / 90 + n) * np.cos(ys / 70 - n) * 100 + 120) for n in range(channels)]
    return np.stack(parts, axis=2).astype(np.uint8)


@pytest.mark.parametrize("orientation", [1, 6, 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_jpeg_gives_an_upright_eighth_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orientation: int, channels: int
) -> None:
    from PIL import Image

    monkeypatch.setattr(early, "_WORTH_PX", 1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = picture(601, 450, channels)
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(tmp_path / "a.jpg", exif=exif, quality=95)
    info = probe(tmp_path / "a.jpg")
    found = early_copy(tmp_path / "a.jpg", info, 0)
    expected = pyramid_level(open_image(tmp_path / "a.jpg").read(), 3)
    assert found is not None
    assert found.shape == expected.shape
    # Turned, a last block that is not whole comes first: the copy is off by less than one of its pixels.
    assert np.abs(found.astype(int) - expected.astype(int)).mean() < 6


def pyramid_level(pixels: NDArray[Any], level: int) -> NDArray[Any]:
    from segstudio.imaging.pyramid import halved

    for _ in range(level):
        pixels = halved(pixels)
    return pixels


def test_a_progressive_jpeg_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    monkeypatch.setattr(early, "_WORTH_PX", 1)
    Image.fromarray(picture(300, 300, 3)).save(tmp_path / "a.jpg", progressive=True)
    assert early_copy(tmp_path / "a.jpg", probe(tmp_path / "a.jpg"), 0) is None


def test_an_uncompressed_tiff_gives_every_eighth_pixel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tifffile

    from segstudio.imaging.readers import tiff

    monkeypatch.setattr(early, "_WORTH_PX", 1)
    monkeypatch.setattr(tiff, "_LARGE_BYTES", 1)
    pixels = np.random.default_rng(0).integers(0, 60000, (500, 611), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, rowsperstrip=50)
    tifffile.imwrite(tmp_path / "b.tif", pixels, rowsperstrip=50, compression="zlib")
    found = early_copy(tmp_path / "a.tif", probe(tmp_path / "a.tif"), 0)
    assert found is not None
    assert np.array_equal(found[..., 0], pixels[::8, ::8])
    assert early_copy(tmp_path / "b.tif", probe(tmp_path / "b.tif"), 0) is None


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_large_jpeg_is_what_pillow_makes_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    from PIL import Image

    from segstudio.imaging.readers import raster

    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture(301, 450, 3)).convert(mode).save(tmp_path / "a.jpg", exif=exif)
    expected = open_image(tmp_path / "a.jpg").read()
    monkeypatch.setattr(raster, "_LARGE_BYTES", 1)
    monkeypatch.setattr(raster, "_frame", None)
    assert np.array_equal(open_image(tmp_path / "a.jpg").read(), expected)


def test_a_large_damaged_jpeg_is_refused_as_a_small_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    from segstudio.imaging.readers import raster

    monkeypatch.setattr(raster, "_LARGE_BYTES", 1)
    Image.fromarray(picture(301, 450, 3)).save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableImage, match="cut short"):
        open_image(tmp_path / "a.jpg").read()


def test_a_bug_of_a_decoder_lets_nobody_wait(
    source: Bands, folder: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", told.append)

    def broken(*_given: object) -> NDArray[Any]:
        raise MemoryError

    source.read = broken  # type: ignore[method-assign, assignment]
    samples, heard = filling(source, folder), Heard()
    samples.watch(heard)
    with pytest.raises(UnreadableImage, match="MemoryError"):
        samples.read(0, whole(samples))
    assert source.closed.wait(20)
    assert [args.exc_type for args in told] == [MemoryError]


def test_rows_that_come_while_a_part_is_drawn_do_not_spoil_it(
    source: Bands, folder: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = np.ascontiguousarray(pyramid(source.pixels)[1])
    samples, heard = filling(source, folder, small), Heard()
    samples.watch(heard)
    inner = filling_samples.FillingSamples._blurred

    def slow(self: FillingSamples, *given: Any) -> NDArray[Any]:
        source.may.release(2)
        for _ in range(2):
            assert heard.news.acquire(timeout=20)
        return inner(self, *given)

    monkeypatch.setattr(filling_samples.FillingSamples, "_blurred", slow)
    assert samples.at_once(0, Rect(0, 100, 50, 100)).shape == (100, 50, 3)


def test_a_smaller_copy_of_other_pixels_is_not_taken(source: Bands, folder: Path | None) -> None:
    for other in (np.zeros((138, 163, 1), np.uint8), np.zeros((138, 163, 3), np.uint16), np.ones((9, 9, 3), np.uint8)):
        samples = filling(source, folder, other)
        assert samples.at_once(0, Rect(0, 0, 20, 20)).shape == (20, 20, 3)


def test_a_plane_of_several_pages_has_no_early_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tifffile

    from segstudio.imaging.readers import tiff

    monkeypatch.setattr(early, "_WORTH_PX", 1)
    monkeypatch.setattr(tiff, "_LARGE_BYTES", 1)
    pixels = np.arange(6, dtype=np.uint16)[:, None, None] * 100 + np.zeros((6, 300, 300), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels.reshape(3, 2, 300, 300), imagej=True, metadata={"axes": "ZCYX"})
    info = probe(tmp_path / "a.tif")
    assert (info.channels, len(info.planes)) == (2, 3)
    assert early_copy(tmp_path / "a.tif", info, 1) is None
