"""Masks beside their images in one folder are told by what they hold; a real image beside its preview stays."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from segstudio.formats.naming import StemPattern
from segstudio.store.project import Project
from segstudio.tasks.images.mask_folders import MaskFolder
from segstudio.tasks.images.new import NewReport, new_project
from segstudio.tasks.labels.import_masks import import_masks
from segstudio.tasks.progress import finished

SIZE = (96, 64)


def made(path: Path, *images: Path | str) -> NewReport:
    return finished(new_project(path, [str(image) for image in images], []))


def paths(report: NewReport) -> list[str]:
    with Project.open(report.path, write=False) as project:
        return [image.path for image in project.images()]


def scene(seed: int) -> NDArray[np.uint8]:
    """A picture of soft waves and noise, grey."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    rng = np.random.default_rng(seed)
    waves = 110 + 60 * np.sin(x / 9 + seed) * np.cos(y / 7)
    return np.clip(waves + rng.normal(0, 6, waves.shape), 0, 255).astype(np.uint8)


def areas(*values: int) -> NDArray[np.uint16]:
    """Discs of these values on 0."""
    out = np.zeros(SIZE[::-1], np.uint16)
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    for n, value in enumerate(values):
        out[(x - 14 - 22 * n) ** 2 + (y - 30) ** 2 < 81] = value
    return out


def save(file: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16], mode: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(file)
    return file


def palette(file: Path) -> Path:
    image = Image.fromarray(areas(1, 2, 3).astype(np.uint8)).convert("P")
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.save(file)
    return file


def color(file: Path) -> Path:
    pixels = np.zeros((*SIZE[::-1], 3), np.uint8)
    pixels[areas(1) > 0] = (255, 0, 0)
    pixels[20:40, 60:80] = (0, 128, 64)
    return save(file, pixels)


MASKS = {
    "of 0 and 1": lambda file: save(file, areas(1, 1).astype(np.uint8)),
    "of 0 and 255": lambda file: save(file, areas(255).astype(np.uint8)),
    "a palette": palette,
    "colours": color,
    "a number an object": lambda file: save(file, areas(1, 300, 5000, 7)),
}


@pytest.mark.parametrize("name", ["p{n}_mask", "p{n}-gt", "p{n}_ground_truth", "P{n}_Masks", "p{n}_cp_masks"])
def test_a_mask_named_as_one_beside_its_image_is_no_image(tmp_path: Path, name: str) -> None:
    for n in range(3):
        save(tmp_path / f"in/p{n}.jpg", scene(n), "RGB")
        save(tmp_path / f"in/{name.format(n=n)}.png", areas(1, 1).astype(np.uint8))
    report = made(tmp_path / "p", tmp_path / "in")
    assert paths(report) == ["p0.jpg", "p1.jpg", "p2.jpg"]
    pattern = name.replace("p{n}", "{stem}").replace("P{n}", "{stem}")
    assert report.mask_folders == (MaskFolder(tmp_path / "in", 3, among_images=True, pattern=pattern),)
    with Project.open(report.path) as project:
        found = finished(import_masks(project, "png", tmp_path / "in", pattern=StemPattern(pattern)))
    assert found.images == 3


@pytest.mark.parametrize("stem", ["Straße", "e\u0301", "É"])
def test_the_pattern_that_is_named_imports_masks_whose_names_are_not_plain(tmp_path: Path, stem: str) -> None:
    for n in range(2):
        save(tmp_path / f"in/{n}{stem}.jpg", scene(n), "RGB")
        save(tmp_path / f"in/{n}{stem}_Mask.png", areas(1, 1).astype(np.uint8))
    report = made(tmp_path / "p", tmp_path / "in")
    assert report.mask_folders == (MaskFolder(tmp_path / "in", 2, among_images=True, pattern="{stem}_Mask"),)
    with Project.open(report.path) as project:
        found = finished(import_masks(project, "png", tmp_path / "in", pattern=StemPattern("{stem}_Mask")))
    assert found.images == 2


def test_a_photograph_named_like_a_mask_stays_an_image(tmp_path: Path) -> None:
    for n in range(2):
        save(tmp_path / f"in/p{n}.jpg", scene(n), "RGB")
        save(tmp_path / f"in/p{n}_label.png", scene(n + 7))
    palette(tmp_path / "in/mask.png")  # named like a mask of nothing
    report = made(tmp_path / "p", tmp_path / "in")
    assert paths(report) == ["mask.png", "p0.jpg", "p0_label.png", "p1.jpg", "p1_label.png"]


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_beside_its_image_is_no_image_and_is_said(tmp_path: Path, kind: str) -> None:
    for n in range(3):
        save(tmp_path / f"in/p{n}.jpg", scene(n), "RGB")
        MASKS[kind](tmp_path / f"in/p{n}.png")
    report = made(tmp_path / "p", tmp_path / "in")
    assert paths(report) == ["p0.jpg", "p1.jpg", "p2.jpg"]
    assert report.mask_folders == (MaskFolder(tmp_path / "in", 3, among_images=True),)


def test_a_mask_of_a_dark_image_is_one_too(tmp_path: Path) -> None:
    save(tmp_path / "in/a.tif", (scene(1) // 40).astype(np.uint8))
    save(tmp_path / "in/a.png", areas(1).astype(np.uint8))
    assert paths(made(tmp_path / "p", tmp_path / "in")) == ["a.tif"]


def test_a_grey_image_beside_its_jpeg_stays(tmp_path: Path) -> None:
    save(tmp_path / "in/a.png", scene(1))
    save(tmp_path / "in/a.jpg", scene(1), "RGB")
    assert paths(made(tmp_path / "p", tmp_path / "in")) == ["a.jpg", "a.png"]


def test_a_dark_grey_image_of_few_values_stays(tmp_path: Path) -> None:
    dark = (scene(2) // 24).astype(np.uint8)
    assert len(np.unique(dark)) < 16
    save(tmp_path / "in/a.png", dark)
    save(tmp_path / "in/a.jpg", scene(3), "RGB")
    assert made(tmp_path / "p", tmp_path / "in").images == 2


def test_a_small_object_on_black_stays(tmp_path: Path) -> None:
    pixels = np.where(areas(1) > 0, scene(4) // 5, 0).astype(np.uint8)
    save(tmp_path / "in/a.png", pixels)
    save(tmp_path / "in/a.jpg", scene(5), "RGB")
    assert made(tmp_path / "p", tmp_path / "in").images == 2


def test_a_drawing_stored_twice_stays(tmp_path: Path) -> None:
    drawing = Image.new("RGB", SIZE, (250, 250, 250))
    draw = ImageDraw.Draw(drawing)
    draw.rectangle((10, 10, 60, 40), fill=(30, 60, 200))
    draw.ellipse((50, 20, 90, 60), fill=(200, 60, 30))
    (tmp_path / "in").mkdir()
    drawing.save(tmp_path / "in/a.png")
    drawing.save(tmp_path / "in/a.jpg", quality=80)
    assert made(tmp_path / "p", tmp_path / "in").images == 2


def test_a_photograph_in_a_palette_stays(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    noise = np.random.default_rng(7).integers(0, 255, (*SIZE[::-1], 3), np.uint8)
    Image.fromarray(noise).quantize(32).save(tmp_path / "in/a.png")
    Image.fromarray(noise).save(tmp_path / "in/a.jpg")
    assert made(tmp_path / "p", tmp_path / "in").images == 2


def test_two_masks_of_one_name_stay(tmp_path: Path) -> None:
    save(tmp_path / "in/a.png", areas(1, 2).astype(np.uint8))
    save(tmp_path / "in/a.bmp", areas(3).astype(np.uint8))
    assert made(tmp_path / "p", tmp_path / "in").images == 2


def test_of_both_sorts_each_pair_is_judged(tmp_path: Path) -> None:
    for n in range(40):
        save(tmp_path / f"in/{n}.jpg", scene(n), "RGB")
        save(tmp_path / f"in/{n}.png", scene(n) if n % 2 else areas(1).astype(np.uint8))
    report = made(tmp_path / "p", tmp_path / "in")
    assert report.images == 60
    assert report.mask_folders[0].files == 20


def test_a_mask_that_is_named_is_taken(tmp_path: Path) -> None:
    image = save(tmp_path / "in/a.jpg", scene(1), "RGB")
    mask = save(tmp_path / "in/a.png", areas(1).astype(np.uint8))
    assert made(tmp_path / "1", tmp_path / "in", mask).images == 2
    assert made(tmp_path / "2", image, mask).images == 2
    assert made(tmp_path / "3", f"{tmp_path}/in/*").images == 1


def test_masks_of_each_split_are_left_out_where_names_are_equal(tmp_path: Path) -> None:
    for split in ("train", "val"):
        save(tmp_path / "ds" / split / "images/1.png", scene(1 if split == "train" else 2))
        save(tmp_path / "ds" / split / "masks/1.png", areas(1).astype(np.uint8))
    report = made(tmp_path / "p", tmp_path / "ds")
    assert paths(report) == ["train/images/1.png", "val/images/1.png"]
    assert [m.folder.relative_to(tmp_path).as_posix() for m in report.mask_folders] == [
        "ds/train/masks",
        "ds/val/masks",
    ]
