"""Masks in the layouts, formats and values that people have: what is imported, and what is said of the rest."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.errors import UnknownClassValue, UsageError, UserError
from segstudio.formats.naming import StemPattern
from segstudio.labels.model import Seq
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from segstudio.tasks.labels.evaluate import evaluate
from segstudio.tasks.labels.import_masks import ImportReport, Target, import_masks
from segstudio.tasks.labels.mask_map import parsed_map
from segstudio.tasks.progress import finished
from tests.tasks.small_projects import CLASSES, SIZE

Mask = Callable[..., Path]
Open = Callable[..., Project]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Makes a project of files and folders, and opens it."""
    with ExitStack() as stack:

        def make(*images: Path) -> Project:
            path = finished(new_project(tmp_path / "made.segstudio", [str(i) for i in images], CLASSES)).path
            return stack.enter_context(Project.open(path))

        yield make


def picture(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)).save(file)
    return file


def plain(file: Path, value: int, pixels: int) -> Path:
    """A grey mask with so many pixels of a value in its first row, all else unknown."""
    values = np.full((SIZE[1], SIZE[0]), 255, np.uint8)
    values[0, :pixels] = value
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(file)
    return file


def brought_in(project: Project, path: Path, **options: object) -> ImportReport:
    return finished(import_masks(project, "png", path, **options))


def labelled(project: Project) -> dict[str, int]:
    return {image.path: image.labelled_pixels for image in project.images()}


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    """ds/{train,val}/{images,masks} with equal names in both; 3 pixels in train, 5 in val."""
    for split, pixels in (("train", 3), ("val", 5)):
        picture(tmp_path / "ds" / split / "images" / "a.jpg")
        picture(tmp_path / "ds" / split / "images" / "b.png")
        plain(tmp_path / "ds" / split / "masks" / "a.png", 1, pixels)
        plain(tmp_path / "ds" / split / "masks" / "b.png", 1, pixels + 1)
    return tmp_path / "ds"


def test_parallel_folders_of_masks_go_to_their_images_though_names_are_equal(splits: Path, opened: Open) -> None:
    project = opened(splits)
    report = brought_in(project, splits)
    assert (report.images, report.skipped) == (4, ())
    assert labelled(project) == {
        "train/images/a.jpg": 3, "train/images/b.png": 4, "val/images/a.jpg": 5, "val/images/b.png": 6,
    }  # fmt: skip


@pytest.mark.parametrize("part", ["val/masks", "val/masks/a.png", "val"])
def test_a_part_of_them_goes_to_the_images_beside_it(splits: Path, opened: Open, part: str) -> None:
    project = opened(splits)
    brought_in(project, splits / part)
    found = labelled(project)
    assert found["val/images/a.jpg"] == 5
    assert found["train/images/a.jpg"] == found["train/images/b.png"] == 0


def test_images_given_as_several_roots_find_their_masks_too(splits: Path, opened: Open) -> None:
    project = opened(splits / "train" / "images", splits / "val" / "images")
    brought_in(project, splits / "train" / "masks")
    brought_in(project, splits / "val" / "masks")
    assert sorted(labelled(project).values()) == [3, 4, 5, 6]


def test_a_copy_elsewhere_is_matched_by_its_folders(splits: Path, opened: Open, tmp_path: Path) -> None:
    project = opened(splits)
    for split in ("train", "val"):
        plain(tmp_path / "copy" / split / "labels" / "a.png", 1, 9 if split == "val" else 8)
    brought_in(project, tmp_path / "copy")
    assert labelled(project)["train/images/a.jpg"] == 8
    assert labelled(project)["val/images/a.jpg"] == 9


def test_a_mask_beside_the_photograph_of_its_name_is_its_mask(tmp_path: Path, opened: Open) -> None:
    picture(tmp_path / "one" / "p1.jpg")
    plain(tmp_path / "one" / "p1.png", 1, 7)
    project = opened(tmp_path / "one" / "p1.jpg")
    assert brought_in(project, tmp_path / "one").images == 1
    assert labelled(project) == {"p1.jpg": 7}


def test_so_it_is_where_both_were_taken_for_images(tmp_path: Path, opened: Open) -> None:
    jpg, png = picture(tmp_path / "one" / "p1.jpg"), plain(tmp_path / "one" / "p1.png", 1, 7)
    project = opened(jpg, png)
    assert brought_in(project, tmp_path / "one").images == 1
    assert labelled(project) == {"p1.jpg": 7, "p1.png": 0}


def test_a_pattern_names_masks(tmp_path: Path, opened: Open) -> None:
    picture(tmp_path / "one" / "p1.jpg")
    plain(tmp_path / "one" / "p1_mask.png", 1, 7)
    project = opened(tmp_path / "one" / "p1.jpg")
    with pytest.raises(UserError, match=r"p1_mask\.png") as told:
        brought_in(project, tmp_path / "one")
    assert "--pattern '{stem}_mask'" in told.value.line
    assert brought_in(project, tmp_path / "one", pattern=StemPattern("{stem}_mask")).images == 1
    truth = tmp_path / "one"
    report = finished(evaluate(project, truth, content="labels", pattern=StemPattern("{stem}_mask")))
    assert report.figures.pixel_accuracy == 1


def test_a_mask_in_a_format_that_is_not_read_is_not_of_no_image(project: Project, mask: Mask) -> None:
    folder = mask("a.png", (1, 0, 0, 5, 5)).parent
    Image.new("L", SIZE).save(folder / "b.tif")
    (folder / "c.txt").write_text("notes")
    (folder / "nobody.bmp").write_text("x")
    report = brought_in(project, folder)
    assert (report.skipped, report.unread) == ((), ("b.tif",))
    (folder / "a.png").unlink()
    for place in (folder, folder / "b.tif"):
        with pytest.raises(UserError, match=r"b\.tif is in another format"):
            brought_in(project, place)


@pytest.mark.parametrize("as_proposals", [False, True])
def test_classes_of_the_map_that_lack_are_listed_or_made(project: Project, mask: Mask, as_proposals: bool) -> None:
    path = mask("a.png", (7, 0, 0, 5, 5), (8, 10, 0, 5, 5), (200, 20, 0, 5, 5))
    mapping = parsed_map(["7=crack,8=Root,100-254=crack", "#010203=moss"])
    with pytest.raises(UserError, match="'crack', 'Root', 'moss'") as told:
        brought_in(project, path, mapping=mapping)
    assert "--new-classes" in told.value.line
    assert project.last_seq() == 0
    del mapping[next(key for key, name in mapping.items() if name == "moss")]
    target = Target.PROPOSALS if as_proposals else Target.LABELS
    report = brought_in(project, path, mapping=mapping, new_classes=True, target=target)
    assert (report.new_classes, report.pixels) == (("crack", "Root"), 75)
    assert [(c.name, c.value) for c in project.classes()][-2:] == [("crack", 4), ("Root", 5)]
    assert project.last_seq() == (1 if as_proposals else 2)


def test_an_import_is_taken_back_together_with_the_classes_that_it_made(project: Project, mask: Mask) -> None:
    brought_in(project, mask("a.png", (7, 0, 0, 5, 5)), mapping=parsed_map(["7=crack"]), new_classes=True)
    assert project.take_back(Seq(2), "a").result(30) == 2
    assert project.classes().named("crack") is None
    assert labelled(project)["a.png"] == 0


def test_an_import_that_fails_makes_no_class(project: Project, mask: Mask) -> None:
    mask("b.png", (99, 0, 0, 5, 5))
    folder = mask("a.png", (7, 0, 0, 5, 5)).parent
    with pytest.raises(UnknownClassValue, match=r"b\.png.*99"):
        brought_in(project, folder, mapping=parsed_map(["7=crack"]), new_classes=True)
    assert project.classes().named("crack") is None


def test_numbers_of_objects_are_told_from_classes(project: Project, tmp_path: Path) -> None:
    numbered = np.zeros((SIZE[1], SIZE[0]), np.uint16)
    numbered[0, :12] = np.arange(1, 13)
    (tmp_path / "numbered").mkdir()
    Image.fromarray(numbered).save(tmp_path / "numbered" / "a.png")
    with pytest.raises(UnknownClassValue) as refused:
        brought_in(project, tmp_path / "numbered")
    assert refused.value.todo.startswith("If each object has a number of its own, add --map 1-65535=CLASS;")
    few = plain(tmp_path / "few" / "a.png", 99, 5).parent
    with pytest.raises(UnknownClassValue) as refused:
        brought_in(project, few)
    assert refused.value.todo.startswith("Add --map 99=CLASS")


def test_ranges_take_soft_masks_apart(project: Project, tmp_path: Path) -> None:
    values = np.tile(np.arange(SIZE[0], dtype=np.uint8) * 6, (SIZE[1], 1))
    (tmp_path / "masks").mkdir()
    Image.fromarray(values).save(tmp_path / "masks/a.png")
    report = brought_in(project, tmp_path / "masks", mapping=parsed_map(["0-127=background,128-255=leaf"]))
    assert report.pixels == values.size
    project.classes()
    counts = {c.name: project.class_pixels().get(c.id, 0) for c in project.classes()}
    assert (counts["background"], counts["leaf"]) == (int((values < 128).sum()), int((values > 127).sum()))


def test_colours_are_keys_for_palettes_greys_and_pictures(project: Project, tmp_path: Path) -> None:
    red, black = (255, 0, 0), (0, 0, 0)
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    pixels[:5, :5] = red
    (tmp_path / "masks/sub").mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "masks/a.png")
    palette = Image.fromarray((pixels[..., 0] > 0).astype(np.uint8) + 6, "P")
    palette.putpalette([0] * 18 + [*black, *red])
    palette.save(tmp_path / "masks/b.png")
    Image.fromarray(pixels[..., 0]).save(tmp_path / "masks/sub/c.png")
    folder = tmp_path / "masks"
    mapping = parsed_map(["#ff0000=leaf,#000000=background,#FFFFFF=leaf"])
    assert brought_in(project, folder, mapping=mapping).pixels == 3 * SIZE[0] * SIZE[1]
    assert all(labelled(project).values())
    with pytest.raises(UnknownClassValue, match=r"a\.png holds the colour #FF0000"):
        brought_in(project, folder / "a.png", mapping=parsed_map(["#000000=background"]))
    made = brought_in(project, folder / "a.png", mapping=parsed_map(["#FF0000=rust,#000000="]), new_classes=True)
    assert made.pixels == 25
    assert next(c.color for c in project.classes() if c.name == "rust") == "#FF0000"


def test_a_name_is_no_key_for_a_format_without_names(project: Project, mask: Mask) -> None:
    with pytest.raises(UsageError, match="'crack' is not a key"):
        brought_in(project, mask("a.png", (1, 0, 0, 5, 5)), mapping=parsed_map(["crack=leaf"]))


@pytest.mark.parametrize("work", [import_masks, evaluate])
def test_a_path_that_the_system_refuses_is_one_sentence(project: Project, tmp_path: Path, work: Callable) -> None:
    arguments = (project, "png") if work is import_masks else (project,)
    for path in (tmp_path / ("x" * 300), tmp_path / "a" / ("y/" * 3000), tmp_path / "nul\0"):
        with pytest.raises(UserError) as told:
            finished(work(*arguments, path))
        assert told.value.line.count("\n") == 0
        assert len(told.value.line) < 400


@pytest.mark.parametrize("work", [import_masks, evaluate])
def test_a_folder_that_may_not_be_entered_is_one_sentence(
    project: Project, mask: Mask, tmp_path: Path, work: Callable
) -> None:
    folder = mask("deep/a.png", (1, 0, 0, 5, 5)).parent
    arguments = (project, "png") if work is import_masks else (project,)
    folder.chmod(0)
    if os.access(folder, os.X_OK):
        pytest.skip("who runs this may enter every folder")
    try:
        for path in (folder, folder / "a.png", folder.parent):
            with pytest.raises(UserError, match="deep"):
                finished(work(*arguments, path))
    finally:
        folder.chmod(0o700)
