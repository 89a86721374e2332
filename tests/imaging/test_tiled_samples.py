"""Samples of a large plane that are decoded by block: what is drawn meanwhile, what is kept, and what is said."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging import tiled_samples
from segstudio.imaging.pyramid import halved
from segstudio.imaging.source import ImageInfo, PlaneInfo
from segstudio.imaging.tiled_samples import TiledSamples, level_sizes, may_be_tiled
from tests.imaging.heard import Heard


class Slide:
    """A source with levels of its own, that says what it was asked for, and waits where it is told to."""

    def __init__(self, levels: Sequence[NDArray[Any]]) -> None:
        self.levels = list(levels)
        h, w, c = self.levels[0].shape
        sizes = tuple((level.shape[1], level.shape[0]) for level in self.levels[1:])
        self.info = ImageInfo(
            (PlaneInfo("0", w, h),), c, self.levels[0].dtype.name, "tiff", levels=sizes, by_block=True
        )
        self.asked: list[tuple[int, Rect]] = []
        self.goes = threading.Event()
        self.goes.set()
        self.damaged: Callable[[int, Rect], bool] = lambda _level, _rect: False
        self.closed = False

    def read(
        self, rect: Rect | None = None, level: int = 0, plane: int = 0, channels: Sequence[int] | None = None
    ) -> NDArray[Any]:
        assert rect is not None
        self.asked.append((level, rect))
        assert self.goes.wait(10)
        if self.damaged(level, rect):
            raise UnreadableImage("a block is damaged")
        return self.levels[level][rect.y : rect.bottom, rect.x : rect.right]

    def rescale(self, plane: int) -> tuple[float, float]:
        return 1.0, 0.0

    def alpha(self, plane: int, rect: Rect) -> None:
        return None

    def drop(self, plane: int) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def slide(width: int = 2300, height: int = 1700, steps: Sequence[int] = (1, 2, 3), dtype: str = "uint8") -> Slide:
    """One whose levels are reduced by 2 ** step."""
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 250, (height, width, 3)).astype(dtype)
    levels = [whole]
    for _ in range(max(steps)):
        levels.append(halved(levels[-1]))
    return Slide([levels[0], *(levels[step] for step in steps)])


def everything(samples: TiledSamples, level: int) -> Rect:
    return Rect(0, 0, *samples.sizes[level])


def test_what_is_read_is_what_the_file_has_at_every_level() -> None:
    source = slide()
    samples = TiledSamples(source, 0)
    assert samples.sizes == level_sizes(2300, 1700)
    for level in range(len(samples.sizes) - 1):
        assert np.array_equal(samples.read(level, everything(samples, level)), source.levels[level])
    part = Rect(500, 900, 700, 300)
    assert np.array_equal(samples.read(0, part), source.levels[0][900:1200, 500:1200])
    assert samples.read(0, Rect(2290, 1690, 50, 50)).shape == (10, 10, 3), "a rectangle is cut at the edges"


def test_levels_that_the_file_lacks_are_made_from_the_next_larger_one() -> None:
    source = slide(steps=(2,))
    samples = TiledSamples(source, 0)
    made = samples.read(1, everything(samples, 1))
    expected = halved(source.levels[0])
    assert made.dtype == np.uint8
    assert np.abs(made.astype(int)[:-1, :-1] - expected.astype(int)[:-1, :-1]).max() <= 1


def test_a_view_is_drawn_at_once_from_the_overview_and_again_when_its_blocks_are_decoded() -> None:
    source = slide()
    samples = TiledSamples(source, 0)
    source.goes.clear()
    heard = Heard()
    samples.watch(heard)
    part = Rect(600, 600, 300, 300)
    assert not samples.has(0, part)
    blurred = samples.at_once(0, part)
    assert blurred.shape == (300, 300, 3)
    near = samples.overview[600 >> 3 : 900 >> 3, 600 >> 3 : 900 >> 3].astype(float)
    assert np.abs(blurred.mean(axis=(0, 1)) - near.mean(axis=(0, 1))).max() < 5
    source.goes.set()
    assert heard.news.acquire(timeout=10)
    assert heard.parts == [Rect(512, 512, 512, 512)]
    assert samples.has(0, part)
    assert np.array_equal(samples.at_once(0, part), source.levels[0][600:900, 600:900])


def test_what_was_asked_for_last_is_decoded_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiled_samples, "_WANTED", 3)
    source = slide(4096, 4096)
    samples = TiledSamples(source, 0)
    samples.at_once(0, Rect(0, 0, 1, 1))  # both threads are busy from now on
    samples.at_once(0, Rect(512, 0, 1, 1))
    source.goes.clear()
    heard = Heard()
    samples.watch(heard)
    for column in range(2, 8):
        samples.at_once(0, Rect(512 * column, 0, 1, 1))
    source.goes.set()
    while Rect(7 * 512, 0, 512, 512) not in heard.parts:
        assert heard.news.acquire(timeout=10)
    asked = [rect.x // 512 for level, rect in source.asked if level == 0]
    assert asked.index(7) <= 5, "those at the front waited"


def test_memory_stays_bounded_and_blocks_in_view_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiled_samples, "_KEPT_BYTES", 4 * 512 * 512 * 3)
    monkeypatch.setattr(tiled_samples, "_IN_VIEW", 2)
    source = slide(4096, 4096)
    samples = TiledSamples(source, 0)
    samples.read(0, everything(samples, 0))
    assert samples.nbytes <= 4 * 512 * 512 * 3 + samples.overview.nbytes
    assert samples.has(0, Rect(4000, 4000, 10, 10))
    assert not samples.has(0, Rect(0, 0, 10, 10))


def test_a_damaged_block_is_shown_blurred_and_refused_to_whoever_reads_it() -> None:
    source = slide()
    source.damaged = lambda level, rect: level == 0 and rect.x == 0
    samples = TiledSamples(source, 0)
    tried = threading.Event()
    inner = source.read

    def noted(*args: Any, **kwargs: Any) -> NDArray[Any]:
        try:
            return inner(*args, **kwargs)
        finally:
            tried.set()

    source.read = noted  # type: ignore[method-assign]
    samples.at_once(0, Rect(0, 0, 10, 10))
    assert tried.wait(10)
    with pytest.raises(UnreadableImage):
        samples.read(0, Rect(0, 0, 10, 10))
    assert np.array_equal(samples.read(0, Rect(600, 0, 10, 10)), source.levels[0][:10, 600:610])


def test_the_file_is_closed_with_the_samples() -> None:
    source = slide()
    samples = TiledSamples(source, 0)
    assert not source.closed
    del samples
    assert source.closed


@pytest.mark.parametrize(
    ("size", "levels", "tiled"),
    [
        ((4000, 4000), [], False),
        ((30000, 30000), [], False),
        ((30000, 30000), [(15000, 15000), (7500, 7500), (3750, 3750), (1875, 1875), (938, 938), (469, 469)], True),
        ((30000, 30000), [(7500, 7500), (1875, 1875), (468, 468)], True),
        ((30000, 30000), [(7500, 7500)], False),
        ((100000, 20000), [(25000, 5000), (6250, 1250), (1562, 312)], True),
    ],
)
def test_a_plane_is_decoded_by_block_if_it_is_large_and_has_levels_close_enough(
    size: tuple[int, int], levels: list[tuple[int, int]], tiled: bool
) -> None:
    info = replace(slide().info, planes=(PlaneInfo("0", *size),), levels=tuple(levels))
    assert may_be_tiled(info, 0) is tiled
