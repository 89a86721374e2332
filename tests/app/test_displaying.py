"""How images are shown: views that are chosen, and levels that are found once and kept."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segstudio.app.editing.documents import Documents
from segstudio.app.viewing import display as decoding
from segstudio.app.viewing import displaying
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.thumbnails import reduced_display, reduced_file
from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging import levels as finding
from segstudio.imaging import paged
from segstudio.imaging import pyramid as reducing
from segstudio.imaging.display import BLUE, WHITE, ShownChannel, View, automatic_view
from segstudio.imaging.hashing import quick_hash
from segstudio.imaging.levels import EIGHT_BIT, Levels, levels_of
from segstudio.imaging.paged import drop_pages
from segstudio.imaging.source import Stored, open_image, probe
from segstudio.store.kept_levels import read_levels
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, NewPlane
from tests.app.grounds import ground_of
from tests.shown_pixels import whole


def _write(file: Path, bright: int) -> None:
    import tifffile

    pages = np.random.default_rng(bright).integers(100, bright, (2, 70, 90), np.uint16)
    tifffile.imwrite(file, pages, photometric="minisblack")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of two stacks of 16 bits, two planes each, and a grey picture of 8."""
    from PIL import Image

    _write(tmp_path / "a.tif", 3000)
    _write(tmp_path / "b.tif", 9000)
    Image.fromarray(np.arange(6300, dtype=np.uint8).reshape(70, 90)).save(tmp_path / "c.png")
    rows = []
    for file in sorted(tmp_path.iterdir()):
        info, seen = probe(file), file.stat()
        planes = tuple(NewPlane(p.key, p.width, p.height) for p in info.planes)
        known = (seen.st_size, seen.st_mtime_ns, quick_hash(file))
        rows.append(NewImage(file.name, tmp_path, *known, planes, info.channels, info.dtype, info.family))
    Project.create(tmp_path / "p.segstudio", rows, [NewClass("cell")]).close()
    return tmp_path


class Desk:
    """One project open in a window that is not there."""

    def __init__(self, qtbot: Any, project: Project) -> None:
        ground = ground_of(project)
        self.qtbot, self.project, self.main = qtbot, project, ground.main
        self.navigation = Navigation(ground, Documents(ground))
        self.displaying = self.navigation.displaying
        self.changes: list[View] = []
        self.displaying.displayChanged.connect(lambda: self.changes.append(self.view()))

    def view(self) -> View:
        assert self.displaying.display is not None
        return self.displaying.display.view

    def shows(self, index: int, plane: int = 0) -> Any:
        self.navigation.open(index, plane)
        self.qtbot.waitUntil(lambda: not self.navigation.loading)
        return self.displaying.display

    def close(self) -> None:
        self.navigation.close()
        self.main.close()
        self.project.close()


@pytest.fixture
def opened(qtbot: Any, folder: Path) -> Iterator[Callable[[], Desk]]:
    desks: list[Desk] = []

    def open_() -> Desk:
        for desk in desks:
            desk.close()
        desks[:] = [Desk(qtbot, Project.open(folder / "p.segstudio"))]
        return desks[0]

    yield open_
    for desk in desks:
        desk.close()


def test_another_view_decodes_nothing_and_reduces_nothing(
    opened: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = opened()
    before = desk.shows(0)
    assert before.dtype == np.uint16

    def refuse(*_: object) -> None:
        raise AssertionError("done again")

    for module, name in ((decoding, "load_display_image"), (reducing, "pyramid"), (reducing, "halved")):
        monkeypatch.setattr(module, name, refuse)
    view = before.view.between(Levels(0, 500))
    desk.displaying.choose(view)
    assert desk.changes == [view]
    assert desk.displaying.display is not None
    assert desk.displaying.display.stored is before.stored
    assert before.view != view, "what somebody holds stays as it was"
    desk.displaying.choose(view)
    assert desk.changes == [view]


def test_a_chosen_view_is_that_of_all_planes_of_its_image_and_of_no_other(opened: Callable[[], Desk]) -> None:
    desk = opened()
    first = desk.shows(0).view
    chosen = View((ShownChannel(0, Levels(5, 6), BLUE),))
    desk.displaying.choose(chosen)
    assert desk.shows(1).view != chosen
    assert desk.shows(0, plane=1).view == chosen
    assert desk.shows(0).view == chosen
    desk.displaying.choose_first()
    assert desk.view() == first
    assert desk.shows(0, plane=1).view != first, "each plane has levels of its own"


def test_a_channel_that_is_not_there_is_refused(opened: Callable[[], Desk]) -> None:
    desk = opened()
    shown = desk.shows(0)
    with pytest.raises(ValueError, match="1 channels"):
        desk.displaying.choose(View((ShownChannel(1, EIGHT_BIT),)))
    assert desk.displaying.display is shown


def test_levels_are_found_once_and_kept_with_the_project(
    opened: Callable[[], Desk], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = opened()
    found = [desk.shows(0).found, desk.shows(0, plane=1).found, desk.shows(1).found]
    # Planes that are decoded ahead are waited for: they would be found anew otherwise.
    desk.qtbot.waitUntil(lambda: len(read_levels(folder / "p.segstudio")) == 4)
    kept = read_levels(folder / "p.segstudio")
    seen = [kept[place] for place in ((1, 0), (1, 1), (2, 0))]
    assert [(k.low, k.high) for k in seen] == [(levels.low, levels.high) for levels in found]
    asked: list[int] = []
    monkeypatch.setattr(finding, "levels_of", lambda source, plane: asked.append(plane))
    desk = opened()
    assert [desk.shows(0).found, desk.shows(0, plane=1).found, desk.shows(1).found] == found
    assert asked == []


def test_those_of_eight_bits_are_always_the_same_and_not_kept(opened: Callable[[], Desk], folder: Path) -> None:
    assert opened().shows(2).view == automatic_view(1, EIGHT_BIT)
    assert not read_levels(folder / "p.segstudio")


def test_another_content_has_other_levels_at_once(opened: Callable[[], Desk], folder: Path) -> None:
    desk = opened()
    before = desk.shows(0).found
    _write(folder / "a.tif", 200)
    os.utime(folder / "a.tif", ns=(1, 1))
    after = desk.shows(0).found
    assert after.high < 210 < before.high
    assert read_levels(folder / "p.segstudio")[1, 0].high == after.high
    assert opened().shows(0).found == after


def test_a_disk_that_keeps_no_levels_shows_the_image_all_the_same(opened: Callable[[], Desk], folder: Path) -> None:
    desk = opened()
    (folder / "p.segstudio" / "cache").mkdir(exist_ok=True)
    (folder / "p.segstudio" / "cache" / "levels").mkdir()
    assert desk.shows(0).found.high > 2000
    assert desk.shows(0).found.high > 2000


def test_screen_and_thumbnail_have_the_levels_that_the_network_finds(opened: Callable[[], Desk], folder: Path) -> None:
    shown = opened().shows(1)
    source = open_image(folder / "b.tif")
    assert shown.found == levels_of(source, 0)
    source.close()
    from_file = reduced_file(Stored((folder / "b.tif",)), 45, 35)
    assert from_file is not None
    assert np.array_equal(from_file, reduced_display(shown, 45, 35))
    other = shown.seen(View((ShownChannel(0, Levels(0, 1), WHITE),)))
    assert np.array_equal(from_file, reduced_display(other, 45, 35)), "however the image is shown"


@pytest.mark.skipif(sys.platform == "win32", reason="samples stay in memory there")
def test_a_large_image_lies_in_a_file_and_is_shown_as_before(
    opened: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = whole(opened().shows(0)).copy()
    monkeypatch.setattr(paged, "LARGE_BYTES", 1)
    desk = opened()
    shown = desk.shows(0)
    assert not shown.stored.in_memory
    drop_pages()
    assert np.array_equal(shown.samples(0, Rect(0, 0, 90, 70)), expected)
    assert shown.seen(View((ShownChannel(0, Levels(0, 9), WHITE),))).stored is shown.stored
    desk.shows(1)
    assert desk.shows(0).stored is shown.stored, "it is kept like any other"


def test_samples_stay_in_memory_where_the_cache_folder_is_on_the_network(
    opened: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paged, "LARGE_BYTES", 1)
    monkeypatch.setattr(displaying, "file_system", lambda _path: "nfs4")
    assert opened().shows(0).stored.in_memory


@pytest.mark.skipif(sys.platform == "win32", reason="samples stay in memory there")
def test_no_more_is_loaded_ahead_than_memory_takes_where_the_disk_has_no_room(
    opened: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paged, "LARGE_BYTES", 1)
    monkeypatch.setattr(displaying, "_KEPT_BYTES", 100)
    desk = opened()
    row = desk.navigation.rows[0]
    desk.shows(0)
    assert desk.displaying.has_room(row, 0)
    with monkeypatch.context() as full:
        full.setattr(paged, "_SPARE_BYTES", 1 << 62)
        desk.shows(1)
    assert not desk.displaying.has_room(row, 0)
    desk.shows(2)
    assert desk.displaying.has_room(row, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="samples stay in memory there")
def test_images_in_files_take_no_room_from_those_in_memory(
    opened: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = opened()
    two = sum(desk.shows(index).stored.nbytes for index in (1, 2))
    desk = opened()
    monkeypatch.setattr(displaying, "_KEPT_BYTES", two)
    monkeypatch.setattr(displaying, "_KEPT_ON_DISK_BYTES", two)
    small = [desk.shows(index) for index in (1, 2)]
    monkeypatch.setattr(paged, "LARGE_BYTES", 1)
    large = [desk.shows(0, plane) for plane in (0, 1)]
    assert [desk.shows(index).stored is before.stored for index, before in zip((1, 2), small, strict=True)] == [
        True
    ] * 2
    assert [desk.shows(0, plane).stored is large[plane].stored for plane in (0, 1)] == [False, False], (
        "only one of them fits, and it is the one that was shown last"
    )


def test_a_large_file_that_turns_out_to_be_damaged_leaves_the_screen_with_its_sentence(
    opened: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    from segstudio.imaging.readers import tiff, tiff_windows

    def damaged(*_given: object, **_named: object) -> None:
        raise UnreadableImage("b.tif cannot be read: it is damaged.")

    monkeypatch.setattr(tiff, "_LARGE_BYTES", 1)
    monkeypatch.setattr(finding, "levels_of", lambda *_given: Levels(0, 10000))
    monkeypatch.setattr(finding, "sample_of", lambda *_given: np.arange(100, dtype=np.uint16)[:, None])
    monkeypatch.setattr(tiff_windows.WindowSource, "read", damaged)
    desk = opened()
    shown: list[bool] = []
    failed: list[str] = []
    desk.navigation.imageShown.connect(lambda: shown.append(True))
    desk.navigation.imageFailed.connect(lambda _path, sentence: failed.append(sentence))
    desk.navigation.open(1)
    desk.qtbot.waitUntil(lambda: bool(failed))
    assert shown, "it was on screen before anybody knew"
    assert failed == ["b.tif cannot be read: it is damaged."]
    assert desk.navigation.failed
    assert desk.displaying.display is None
