"""Folders of masks beside the images are left out of a new project and named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.store.project import Project
from segstudio.tasks.images.new import NewReport, new_project
from segstudio.tasks.progress import finished


def made(path: Path, *images: Path | str) -> NewReport:
    return finished(new_project(path, [str(image) for image in images], []))


def paths(report: NewReport) -> list[str]:
    with Project.open(report.path, write=False) as project:
        return [image.path for image in project.images()]


def picture(path: Path, mode: str = "RGB", size: tuple[int, int] = (8, 6)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(str(path)))
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    image = Image.fromarray(rng.integers(0, 3, shape, np.uint8))
    if mode == "P":
        image = image.convert("P")
    image.save(path)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name in ("a", "b"):
        picture(folder / "images" / f"{name}.jpg")
    return folder


@pytest.mark.parametrize("name", ["masks", "Labels", "ground_truth", "train-annotations", "GroundTruth", "gt"])
def test_a_folder_called_like_masks_whose_stems_match_is_left_out_and_named(
    tmp_path: Path, data: Path, name: str
) -> None:
    for stem in ("a", "b"):
        picture(data / name / f"{stem}.png", "L")
    report = made(tmp_path / "p", data)
    assert paths(report) == ["images/a.jpg", "images/b.jpg"]
    assert [(m.folder, m.files) for m in report.mask_folders] == [(data / name, 2)]
    assert report.images == 2


def test_folders_below_one_called_masks_count_as_masks(tmp_path: Path) -> None:
    for day in ("monday", "tuesday"):
        picture(tmp_path / "data" / "images" / day / f"{day}.jpg")
        picture(tmp_path / "data" / "masks" / day / f"{day}.png", "L")
    assert paths(made(tmp_path / "p", tmp_path / "data")) == ["images/monday/monday.jpg", "images/tuesday/tuesday.jpg"]


def test_a_folder_of_palette_pictures_with_the_images_stems_is_left_out_whatever_its_name(
    tmp_path: Path, data: Path
) -> None:
    picture(data / "drawn" / "a.png", "P")
    report = made(tmp_path / "p", data)
    assert paths(report) == ["images/a.jpg", "images/b.jpg"]


def test_the_masks_of_each_split_are_left_out(tmp_path: Path) -> None:
    for split in ("train", "test"):
        picture(tmp_path / "data" / split / "images" / "a.jpg")
        picture(tmp_path / "data" / split / "masks" / "a.png", "L")
    report = made(tmp_path / "p", tmp_path / "data")
    assert paths(report) == ["test/images/a.jpg", "train/images/a.jpg"]
    assert len(report.mask_folders) == 2


def test_masks_below_the_images_are_left_out(tmp_path: Path) -> None:
    picture(tmp_path / "data" / "a.jpg")
    picture(tmp_path / "data" / "masks" / "a.png", "L")
    assert paths(made(tmp_path / "p", tmp_path / "data")) == ["a.jpg"]


def test_a_folder_that_is_named_is_taken(tmp_path: Path, data: Path) -> None:
    picture(data / "masks" / "a.png", "L")
    assert made(tmp_path / "1", data / "images", data / "masks").images == 3
    assert made(tmp_path / "2", data, data / "masks").images == 3
    assert made(tmp_path / "3", data, data / "masks" / "a.png").images == 3
    assert made(tmp_path / "4", f"{data}/images/*", f"{data}/masks/*").images == 3
    assert made(tmp_path / "5", f"{data}/*/*").images == 2


def test_two_stains_of_equal_stems_stay_images(tmp_path: Path) -> None:
    for stain in ("dapi", "gfp"):
        picture(tmp_path / "data" / stain / "a.png", "L")
    assert made(tmp_path / "p", tmp_path / "data").images == 2


def test_what_is_called_masks_but_matches_no_image_stays(tmp_path: Path, data: Path) -> None:
    picture(data / "masks" / "a.png", "L", (5, 5))
    picture(data / "labels" / "other.png", "L")
    report = made(tmp_path / "p", data)
    assert (report.images, report.mask_folders) == (4, ())


def test_folders_of_masks_alone_are_images(tmp_path: Path) -> None:
    picture(tmp_path / "data" / "masks" / "a.png", "L")
    picture(tmp_path / "data" / "labels" / "a.png", "L")
    picture(tmp_path / "drawn" / "one" / "a.png", "P")
    picture(tmp_path / "drawn" / "two" / "a.png", "P")
    assert made(tmp_path / "1", tmp_path / "data").images == 2
    assert made(tmp_path / "2", tmp_path / "drawn").images == 2
