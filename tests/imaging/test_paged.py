"""Samples of large images in a file: the same values, and no memory where nobody looks."""

import errno
import gc
import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
import pytest

from segstudio.imaging import paged as module
from segstudio.imaging.paged import Pages, drop_pages, paged
from segstudio.imaging.pyramid import pyramid

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="samples stay in memory there")


@pytest.fixture
def small_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every image counts as large."""
    monkeypatch.setattr(module, "LARGE_BYTES", 1)


def _levels(side: int = 1500, dtype: str = "uint8") -> tuple[Any, ...]:
    samples = (np.random.default_rng(0).random((side, side + 7, 3)) * 200).astype(dtype)
    return pyramid(samples)


def _in_memory_bytes() -> int:
    """Bytes of unnamed files of this test that this process has in memory."""
    found, ours = 0, False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        if "-" in line.split(" ", 1)[0] and not line.startswith("VmFlags"):
            ours = "samples" in line and "(deleted)" in line
        elif ours and line.startswith("Rss:"):
            found += int(line.split()[1]) * 1024
    return found


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "int64"])
@pytest.mark.usefixtures("small_counts")
def test_samples_are_the_same_in_the_file_and_cannot_be_written(tmp_path: Path, dtype: str) -> None:
    levels = _levels(dtype=dtype)
    held, pages = paged(levels, tmp_path / "made" / "samples")
    assert pages is not None
    for before, after in zip(levels, held, strict=True):
        assert after.dtype == before.dtype
        assert np.array_equal(after, before)
        assert not after.flags.writeable
    drop_pages()
    assert all(np.array_equal(after, before) for before, after in zip(levels, held, strict=True))


@pytest.mark.usefixtures("small_counts")
def test_the_folder_stays_empty_and_the_last_array_frees_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    held, pages = paged(_levels(), folder)
    assert list(folder.iterdir()) == []
    last = held[0][5:9]
    expected = last.copy()
    del held, pages
    gc.collect()
    drop_pages()
    assert np.array_equal(last, expected), "what somebody still holds is there"
    if sys.platform.startswith("linux"):
        assert "(deleted)" in Path("/proc/self/maps").read_text(encoding="utf-8")
        del last
        gc.collect()
        assert os.fspath(folder) not in Path("/proc/self/maps").read_text(encoding="utf-8")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
@pytest.mark.usefixtures("small_counts")
def test_looking_at_all_of_an_image_keeps_a_part_of_it_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_BLOCKS", 4)
    held, pages = paged(_levels(4000), tmp_path / "samples")
    assert pages is not None
    most = 0
    for level, samples in enumerate(held):
        for y in range(0, len(samples), 100):
            rows = slice(y, min(y + 100, len(samples)))
            pages.note(level, rows)
            samples[rows].sum()
            most = max(most, _in_memory_bytes())
    assert 0 < most <= 7 << 20, "four blocks, the rows looked at now, and what the system reads around them"
    drop_pages()
    assert _in_memory_bytes() == 0


def test_a_small_image_stays_in_memory(tmp_path: Path) -> None:
    levels = _levels()
    assert paged(levels, tmp_path / "samples") == (levels, None)
    assert not (tmp_path / "samples").exists()


@pytest.mark.usefixtures("small_counts")
@pytest.mark.parametrize("trouble", ["no folder", "no room", "full", "refused"])
def test_where_the_disk_has_no_room_everything_stays_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder: Path | None = tmp_path / "samples"
    if trouble == "no folder":
        folder = None
    elif trouble == "no room":
        monkeypatch.setattr(module, "_SPARE_BYTES", 1 << 62)
    elif trouble == "full":
        monkeypatch.setattr(module, "_write", full)
    else:
        (tmp_path / "samples").write_text("a file where the folder should be")
    levels = _levels()
    held, pages = paged(levels, folder)
    assert pages is None
    assert all(after is before for before, after in zip(levels, held, strict=True))


@pytest.mark.usefixtures("small_counts")
def test_a_file_of_an_odd_length_is_written_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        """Takes 1000 bytes at a time, as a disk may."""

        def __init__(self, file: Any) -> None:
            self._file = file

        def seek(self, at: int) -> None:
            self._file.seek(at)

        def write(self, data: memoryview) -> int:
            return self._file.write(data[:1000])

    write = module._write
    monkeypatch.setattr(module, "_write", lambda file, samples, begin: write(Slow(file), samples, begin))
    levels = _levels(300)
    held, pages = paged(levels, tmp_path)
    assert isinstance(pages, Pages)
    assert all(np.array_equal(after, before) for before, after in zip(levels, held, strict=True))


@pytest.mark.usefixtures("small_counts")
def test_an_image_that_is_decoded_while_pages_are_dropped_disturbs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walking = threading.Event()

    class Slow(WeakSet[Pages]):
        def __iter__(self) -> Iterator[Pages]:
            for each in super().__iter__():
                walking.set()
                time.sleep(0.2)
                yield each

    monkeypatch.setattr(module, "_living", Slow())
    kept = [paged(_levels(64), tmp_path)]
    with ThreadPoolExecutor(1) as other:
        dropped = other.submit(drop_pages)
        assert walking.wait(10)
        kept.append(paged(_levels(64), tmp_path))
        dropped.result(10)
    assert all(pages is not None for _held, pages in kept)
