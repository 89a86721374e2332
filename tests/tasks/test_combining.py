"""Files that are channels or slices of one image: by a pattern, or as known cameras and microscopes name them."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from segstudio.cli.main import entry
from segstudio.errors import UsageError
from segstudio.geometry import Rect
from segstudio.imaging.metadata import known
from segstudio.imaging.source import open_stored
from segstudio.store.project import Project
from segstudio.tasks.images.add import add_images
from segstudio.tasks.images.combining import UNEQUAL
from segstudio.tasks.images.new import new_project
from segstudio.tasks.progress import finished
from tests.imaging.microscope_files import noise


def written(folder: Path, *names: str, size: tuple[int, int] = (20, 30)) -> list[np.ndarray]:
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [noise(*size, seed=seed) for seed, _name in enumerate(names)]
    for name, pixels in zip(names, pictures, strict=True):
        tifffile.imwrite(folder / name, pixels)
    return pictures


def made(folder: Path, combine: str | None = None, *, copy_files: bool = False) -> Project:
    path = folder / "p.segstudio"
    finished(new_project(path, [str(folder / "data")], [], combine=combine, copy_files=copy_files))
    return Project.open(path)


def test_files_of_channels_are_one_image_by_a_pattern(tmp_path: Path) -> None:
    dapi, gfp, *_more = written(tmp_path / "data" / "day1", "a_dapi.tif", "a_gfp.tif", "b_dapi.tif", "b_gfp.tif")
    written(tmp_path / "data", "other.tif")
    with made(tmp_path, "{name}_{c}.tif") as project:
        assert [row.path for row in project.images()] == ["day1/a", "day1/b", "other.tif"]
        row = project.images()[0]
        assert [channel.name for channel in known(row.metadata).channels] == ["dapi", "gfp"]
        source = open_stored(row.stored)
        assert np.array_equal(source.read(), np.stack([dapi, gfp], -1))
        assert np.array_equal(source.read(Rect(3, 4, 5, 6), channels=[1]), gfp[4:10, 3:8, None])
        source.close()


def test_slices_and_channels_are_ordered_as_people_count(tmp_path: Path) -> None:
    names = [f"a_z{z}_{c}.tif" for z in (1, 2, 10) for c in ("red", "blue")]
    pictures = dict(zip(names, written(tmp_path / "data", *names), strict=True))
    with made(tmp_path, "{name}_z{z}_{c}.tif") as project:
        (row,) = project.images()
        assert (row.path, len(row.planes), row.channels) == ("a", 3, 2)
        source = open_stored(row.stored)
        for plane, z in enumerate((1, 2, 10)):
            stored = [pictures[f"a_z{z}_{c}.tif"] for c in ("blue", "red")]
            assert np.array_equal(source.read(plane=plane), np.stack(stored, -1))
        source.close()
        assert known(row.metadata).axes == "zyx"


def test_numbered_slices_are_a_stack_only_when_a_person_says_so(tmp_path: Path) -> None:
    written(tmp_path / "data", "s1.tif", "s2.tif", "s3.tif")
    with made(tmp_path) as project:
        assert len(project.images()) == 3
    written(tmp_path / "b" / "data", "s1.tif", "s2.tif", "s3.tif")
    with made(tmp_path / "b", "{name}{z}.tif") as project:
        assert [(row.path, len(row.planes)) for row in project.images()] == [("s", 3)]


@pytest.mark.parametrize(
    ("names", "image", "channels"),
    [
        (["w_w1.tif", "w_w2.tif"], "w", 2),
        (["w_w1DAPI_s3_t4.TIF", "w_w2GFP_s3_t4.TIF"], "w_s3_t4", 2),
        (["l_ch00.tif", "l_ch01.tif", "l_ch02.tif"], "l", 3),
        ([f"r01c02f03p01-ch{c}sk1fk1fl1.tiff" for c in (1, 2)], "r01c02f03sk1fk1fl1", 2),
        ([f"IMG_0007_{band}.tif" for band in range(1, 11)], "IMG_0007", 10),
        ([f"DJI_20230101_0001_MS_{band}.TIF" for band in ("G", "R", "RE", "NIR")], "DJI_20230101_0001", 4),
    ],
)
def test_known_instruments_need_no_pattern(tmp_path: Path, names: list[str], image: str, channels: int) -> None:
    pictures = written(tmp_path / "data", *names)
    with made(tmp_path) as project:
        (row,) = project.images()
        assert (row.path, row.channels) == (image, channels)
        source = open_stored(row.stored)
        labels = [channel.name for channel in known(row.metadata).channels]
        of_name = {name.rpartition("_MS_")[2].partition(".")[0]: at for at, name in enumerate(names)}
        order = [of_name.get(label, at) for at, label in enumerate(labels)]
        assert np.array_equal(source.read(), np.stack([pictures[at] for at in order], -1))
        source.close()


def test_two_pictures_with_numbers_are_no_bands(tmp_path: Path) -> None:
    written(tmp_path / "data", "IMG_0001_1.tif", "IMG_0001_2.tif")
    with made(tmp_path) as project:
        assert len(project.images()) == 2


def test_bands_of_unequal_size_are_said_and_not_mended(tmp_path: Path) -> None:
    written(tmp_path / "data", "a_dapi.tif")
    written(tmp_path / "data", "a_gfp.tif", size=(10, 15))
    report = finished(new_project(tmp_path / "p", [str(tmp_path / "data")], [], combine="{name}_{c}.tif"))
    assert report.images == 2
    assert report.apart == {UNEQUAL: ("a_dapi.tif", "a_gfp.tif")}


def test_a_file_that_is_missing_is_said(tmp_path: Path) -> None:
    written(tmp_path / "data", "a_z1_r.tif", "a_z1_g.tif", "a_z2_r.tif")
    report = finished(new_project(tmp_path / "p", [str(tmp_path / "data")], [], combine="{name}_z{z}_{c}.tif"))
    assert report.images == 3
    assert [len(paths) for paths in report.apart.values()] == [3]


@pytest.mark.parametrize("pattern", ["{name}.tif", "{name}_{band}.tif", "{c}_{c}.tif"])
def test_a_pattern_that_says_nothing_is_refused(tmp_path: Path, pattern: str) -> None:
    written(tmp_path / "data", "a_1.tif")
    with pytest.raises(UsageError, match="belong together"):
        made(tmp_path, pattern)


def test_joined_files_are_copied_and_added_like_others(tmp_path: Path) -> None:
    written(tmp_path / "data", "a_r.tif", "a_g.tif")
    with made(tmp_path, "{name}_{c}.tif", copy_files=True) as project:
        more = written(tmp_path / "later", "b_r.tif", "b_g.tif", size=(12, 13))
        finished(add_images(project, [str(tmp_path / "later")], combine="{name}_{c}.tif"))
        rows = project.images()
        assert [row.path for row in rows] == ["a", "b"]
        for file in (tmp_path / "later").iterdir():
            file.unlink()
        source = open_stored(rows[1].stored)
        assert np.array_equal(source.read(), np.stack([more[1], more[0]], -1))
        source.close()


def test_a_dry_run_shows_the_images_and_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path / "data", "a_r.tif", "a_g.tif")
    given = ["--images", str(tmp_path / "data"), "--combine", "{name}_{c}.tif"]
    command = ["new", str(tmp_path / "p"), *given, "--dry-run"]
    assert entry(command) == 0
    assert "a: 2 channels, 1 plane\n    a_g.tif\n    a_r.tif\n" in capsys.readouterr().out
    assert entry([*command, "--json"]) == 0
    (image,) = json.loads(capsys.readouterr().out)["images"]
    assert (image["path"], image["files"], image["planes"]) == ("a", ["a_g.tif", "a_r.tif"], 1)
    assert (image["channels"], image["channel_names"]) == (2, ["g", "r"])
    assert not (tmp_path / "p.segstudio").exists()
