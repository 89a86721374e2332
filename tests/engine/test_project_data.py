from pathlib import Path

import numpy as np
import pytest

from segstudio.engine.project_data import ProjectData
from segstudio.engine.sources import Sources
from segstudio.errors import UnreadableImage, WeightsDamaged
from segstudio.geometry import Rect
from segstudio.imaging.levels import Levels, auto_levels, to_float
from segstudio.imaging.source import ImageInfo, Pixels, PlaneInfo, Stored
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, Status
from segstudio.learn.data import Part
from segstudio.store.kept_levels import KeptLevels
from segstudio.store.project import Project
from segstudio.store.values import NewClass
from tests.engine.conftest import SIDE, label, new_image, new_project

WHOLE = Rect(0, 0, SIDE, SIDE)


def _view(project: Project) -> ProjectData:
    return ProjectData(project, Sources())


def test_pixels_and_labels_are_those_of_the_project(tmp_path: Path):
    project, truths = new_project(tmp_path, 2)
    with project:
        row = project.images()[0]
        label(project, row.id, truths[0], part=Rect(10, 20, 50, 60))
        data = _view(project)
        ids, origins = data.labels(row.id, 0, WHOLE)
        by_place = np.array([0, *(c.id for c in project.classes())])
        expected = np.zeros_like(ids)
        expected[20:80, 10:60] = by_place[truths[0]][20:80, 10:60]
        assert np.array_equal(ids, expected)
        assert np.array_equal(origins, (expected > 0).astype(np.uint8))
        part = Rect(15, 25, 20, 7)
        assert np.array_equal(data.labels(row.id, 0, part)[0], ids[25:32, 15:35])
        pixels = data.pixels(row.id, 0, part)
        assert pixels.shape == (7, 20, 3)
        assert pixels.dtype == np.float32
        assert 0 <= pixels.min() <= pixels.max() <= 1
        assert list(data.labelled(row.id, 0)) == [Rect(0, 0, SIDE, SIDE)]
        assert list(data.labelled(project.images()[1].id, 0)) == []


def test_a_view_stays_as_it_was_while_painting_goes_on(tmp_path: Path):
    project, truths = new_project(tmp_path, 1)
    with project:
        row = project.images()[0]
        label(project, row.id, truths[0], part=Rect(0, 0, 50, 50))
        data = _view(project)
        before = data.labels(row.id, 0, WHOLE)[0].copy()
        objects = project.document(row.id).objects
        tile = project.tile(row.id, (0, 0, 0))
        from segstudio.labels.edit import TileChange
        from segstudio.labels.tiles.tile import Constant

        change = TileChange(tile, Constant(min(objects), 1))
        project.writer.submit(Edit(row.id, Cause.PAINT, {(0, 0, 0): change}))
        project.writer.flush()
        assert np.array_equal(data.labels(row.id, 0, WHOLE)[0], before)
        later = _view(project)
        assert (later.labels(row.id, 0, WHOLE)[0] == before.max() - 1).all() or later.last_edit() > data.last_edit()


def test_what_a_person_calls_ignore_and_what_was_removed_says_nothing(tmp_path: Path):
    project, truths = new_project(tmp_path, 1)
    with project:
        row = project.images()[0]
        label(project, row.id, truths[0])
        blob = project.classes().named("blob")
        change = RowChange(Table.CLASSES, blob.id, {"removed": False}, {"removed": True})
        project.writer.submit(Edit(None, Cause.CLASSES, {}, (change,)))
        project.writer.flush()
        data = _view(project)
        assert [c.name for c in data.classes()] == ["background"]
        ids, _ = data.labels(row.id, 0, WHOLE)
        assert np.array_equal(ids == 0, truths[0] == 2)


def test_groups_stand_on_the_side_that_the_store_decided(discs_project: Project):
    data = _view(discs_project)
    parts = {entry.path: entry.part for entry in data.planes()}
    for row in discs_project.images():
        assert (parts[row.path] is Part.HELD_OUT) == (row.split == "held-out")
    assert list(parts.values()).count(Part.HELD_OUT) == 1


def test_levels_that_are_kept_are_taken_and_those_of_another_content_are_not(tmp_path: Path):
    import os

    from PIL import Image

    samples = np.random.default_rng(0).integers(0, 5000, (SIDE, SIDE), np.uint16)
    Image.fromarray(samples).save(tmp_path / "deep.png")
    image = new_image(tmp_path / "deep.png")
    with Project.create(tmp_path / "deep.segstudio", [image], [NewClass("blob")]) as project:
        row = project.images()[0]
        found = _view(project).pixels(row.id, 0, WHOLE)
        assert np.array_equal(found, to_float(samples[..., None], auto_levels(samples[..., None])))
        stamp = image.size, image.mtime_ns
        kept = KeptLevels(project.path, writes=True)
        kept.keep(row.id, 0, stamp, auto_levels(samples[..., None]))
        assert np.array_equal(_view(project).pixels(row.id, 0, WHOLE), found)
        kept.keep(row.id, 0, stamp, Levels(0, 50000))
        assert _view(project).pixels(row.id, 0, WHOLE).max() < 0.11
        os.utime(tmp_path / "deep.png", ns=(1, 1))
        assert np.array_equal(_view(project).pixels(row.id, 0, WHOLE), found)


def test_the_budget_keeps_the_last_used_pictures_open(tmp_path: Path):
    project, _ = new_project(tmp_path, 3)
    opened: list[str] = []
    from segstudio.imaging.source import ImageSource, open_stored

    def counting(stored: Stored) -> ImageSource:
        opened.append(stored.first.name)
        return open_stored(stored)

    with project:
        files = [row.stored for row in project.images()]
        sources = Sources(budget_bytes=2 * SIDE * SIDE * 3, open_=counting)
        for i in (0, 1, 0, 1, 2, 1, 0):
            sources.pixels(files[i], 0, Rect(0, 0, 4, 4), (SIDE, SIDE))
        assert opened == ["0.png", "1.png", "2.png", "0.png"]
        sources.close()


class _Stack:
    """Many planes in one file; knows which of them are decoded."""

    def __init__(self, planes: int) -> None:
        self.info = ImageInfo(tuple(PlaneInfo(str(i), 100, 100) for i in range(planes)), 1, "uint8", "stack")
        self.decoded: set[int] = set()
        self.times = 0

    def read(self, rect: Rect, level: int = 0, plane: int = 0) -> Pixels:
        self.times += plane not in self.decoded
        self.decoded.add(plane)
        return np.zeros((rect.h, rect.w, 1), np.uint8)

    def rescale(self, plane: int) -> tuple[float, float]:
        return 1.0, 0.0

    def alpha(self, plane: int, rect: Rect) -> None: ...

    def drop(self, plane: int) -> None:
        self.decoded.remove(plane)

    def close(self) -> None:
        self.decoded.clear()


def test_a_long_stack_takes_the_room_of_its_decoded_planes_only():
    opened: dict[str, _Stack] = {}

    def stack(stored: Stored) -> _Stack:
        name = stored.first.name
        return opened.setdefault(name, _Stack(1000 if name == "long" else 1))

    sources = Sources(budget_bytes=5 * 100 * 100, open_=stack)

    def read(name: str, plane: int = 0) -> None:
        sources.pixels(Stored((Path(name),)), plane, Rect(0, 0, 4, 4), (100, 100))

    for plane in (0, 1):
        for name in ("a", "b", "long"):
            read(name, plane if name == "long" else 0)
    assert [opened[name].times for name in ("a", "b", "long")] == [1, 1, 2]
    for plane in range(2, 40):
        read("long", plane)
        read("a")
    assert len(opened["long"].decoded) == 4
    assert opened["a"].times == 1
    assert not opened["b"].decoded


def test_labels_are_the_same_within_a_budget_that_holds_one_tile(tmp_path: Path):
    project, truths = new_project(tmp_path, 4, side=400)
    tile_bytes = 256 * 256 * 5
    with project:
        rows = project.images()
        for row, truth in zip(rows, truths, strict=True):
            label(project, row.id, truth)
        small, large = ProjectData(project, Sources(), known_bytes=tile_bytes), _view(project)
        rng = np.random.default_rng(0)
        for _ in range(60):
            row = rows[rng.integers(4)]
            x, y = (int(v) for v in rng.integers(0, 300, 2))
            rect = Rect(x, y, *(int(v) for v in rng.integers(1, 100, 2)))
            for a, b in zip(small.labels(row.id, 0, rect), large.labels(row.id, 0, rect), strict=True):
                assert np.array_equal(a, b)
            assert small.labelled(row.id, 0) == large.labelled(row.id, 0)
            assert small.known.unpacked_bytes <= tile_bytes
        assert large.known.unpacked_bytes > 4 * tile_bytes
        assert small.known.packed_bytes < large.known.unpacked_bytes / 20


def test_a_broken_file_says_so_when_its_pixels_are_read(tmp_path: Path):
    project, _ = new_project(tmp_path, 1, broken=[0])
    with project, pytest.raises(UnreadableImage, match=r"0\.png"):
        _view(project).pixels(project.images()[0].id, 0, WHOLE)


def test_weights_are_compared_with_their_card(tmp_path: Path):
    project, _ = new_project(tmp_path, 1)
    with project:
        folder = project.path / "models"
        folder.mkdir(exist_ok=True)
        data = _view(project)
        with pytest.raises(WeightsDamaged, match="cannot be read"):
            data.weights("v1")
        (folder / "v1.safetensors").write_bytes(b"weights")
        (folder / "v1.json").write_text('{"sha256": "0000"}')
        with pytest.raises(WeightsDamaged, match="not those that were written"):
            data.weights("v1")
        (folder / "v1.json").write_text("{broken")
        with pytest.raises(WeightsDamaged, match="card of version v1"):
            data.weights("v1")
        assert data.checkpoint("r1") is None


def test_a_file_that_has_another_size_by_now_is_said_to_be_changed(tmp_path: Path):
    from PIL import Image

    project, _ = new_project(tmp_path, 1)
    with project:
        row = project.images()[0]
        Image.new("RGB", (20, 10)).save(row.file)
        with pytest.raises(UnreadableImage, match="was changed"):
            _view(project).pixels(row.id, 0, WHOLE)


def test_objects_are_those_of_the_labels_that_the_view_gives_and_none_once_they_are_gone(tmp_path: Path):
    project, truths = new_project(tmp_path, 1, side=300)
    with project:
        row = project.images()[0]
        label(project, row.id, truths[0])
        data = _view(project)
        rect = Rect(200, 100, 80, 60)
        classes, _ = data.labels(int(row.id), 0, rect)
        ids = data.objects(int(row.id), 0, rect)
        assert np.array_equal(ids, truths[0][100:160, 200:280])
        assert np.array_equal(ids > 0, classes > 0)
        status = RowChange(Table.IMAGES, row.id, {"status": Status.IN_PROGRESS.value}, {"status": Status.DONE.value})
        assert project.writer is not None
        project.writer.submit(Edit(row.id, Cause.PAINT, {}, (status,)))
        project.writer.flush()
        assert not data.objects(int(row.id), 0, rect).any()
        assert np.array_equal(data.labels(int(row.id), 0, rect)[0], classes)
