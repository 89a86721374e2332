"""What is in files to import, before anybody has said what it means: values, colours and names, each with its class."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.errors import MaskMismatch, UserError
from segstudio.store.project import Project
from segstudio.tasks.labels.export import export
from segstudio.tasks.labels.import_masks import import_masks
from segstudio.tasks.labels.import_preview import preview_import
from segstudio.tasks.labels.import_survey import survey_import
from segstudio.tasks.labels.mask_map import Color
from segstudio.tasks.labels.meanings import Meaning, map_of
from segstudio.tasks.labels.recognise import recognised_format
from segstudio.tasks.progress import finished
from tests.tasks.coco_files import area, coco_file
from tests.tasks.small_projects import SIZE

Mask = Callable[..., Path]


def found(project: Project, path: Path, format_: str = "") -> dict[str, str | None]:
    """The class by the words of what is in the files."""
    return {m.words: m.class_name for m in finished(survey_import(project, format_, path)).meanings}


def painted(path: Path, *parts: tuple[tuple[int, int, int], int]) -> Path:
    """A colour picture whose columns from each place on have a colour."""
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for color, start in parts:
        pixels[:, start:] = color
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def test_values_of_classes_stand_for_them_and_others_for_nothing_yet(project: Project, mask: Mask) -> None:
    mask("a.png", (1, 0, 0, 5, 5), (7, 9, 9, 5, 5))
    folder = mask("b.png", (2, 0, 0, 5, 5), (0, 9, 9, 5, 5)).parent
    assert found(project, folder) == {"0": "background", "1": "leaf", "2": "cell", "7": None, "255": ""}


def test_colours_stand_for_the_classes_that_have_them(project: Project, tmp_path: Path) -> None:
    orange, other = (0xE6, 0x9F, 0x00), (1, 2, 3)
    file = painted(tmp_path / "masks" / "a.png", ((0, 0, 0), 0), (orange, 10), (other, 20))
    assert found(project, file) == {"#000000": "background", "#010203": None, "#E69F00": "leaf"}


def test_the_colours_of_a_palette_name_classes_where_values_do_not(project: Project, tmp_path: Path) -> None:
    picture = Image.fromarray(np.full((SIZE[1], SIZE[0]), 9, np.uint8))
    picture.putpalette([0] * 27 + [0x56, 0xB4, 0xE9])
    (tmp_path / "masks").mkdir()
    picture.save(tmp_path / "masks" / "a.png")
    assert found(project, tmp_path / "masks") == {"9": "cell"}


def test_many_values_without_a_class_are_spans(project: Project, tmp_path: Path) -> None:
    values = (np.arange(SIZE[0] * SIZE[1]) % 60).reshape(SIZE[::-1]).astype(np.uint8)
    (tmp_path / "masks").mkdir()
    Image.fromarray(values).save(tmp_path / "masks" / "a.png")
    meanings = finished(survey_import(project, "", tmp_path / "masks")).meanings
    assert [m.words for m in meanings] == ["4–59", "0", "1", "2", "3"]
    assert meanings[0].key == range(4, 60)
    mapping = map_of(meanings, {range(4, 60): "cell"})
    finished(import_masks(project, "", tmp_path / "masks", mapping=mapping))
    assert project.find_image("a.png").labelled_pixels == SIZE[0] * SIZE[1]


def test_names_of_a_file_stand_for_classes_and_new_ones_for_themselves(project: Project, tmp_path: Path) -> None:
    box = np.zeros(SIZE[::-1], np.bool_)
    box[:5, :5] = True
    categories = [{"id": 1, "name": "Leaf"}, {"id": 4, "name": "bird"}, {"id": 5, "name": "unused"}]
    file = coco_file(tmp_path / "them.json", [area(box, 1, 1), area(box, 1, 4)], None, categories)
    assert found(project, file) == {"Leaf": "leaf", "bird": "bird"}


def test_a_folder_without_masks_may_hold_annotations(project: Project, tmp_path: Path, mask: Mask) -> None:
    finished(import_masks(project, "", mask("a.png", (1, 0, 0, 20, 20))))
    finished(export(project, "coco", tmp_path / "out"))
    survey = finished(survey_import(project, "", tmp_path / "out"))
    assert survey.format == "coco"
    assert [m.words for m in survey.meanings] == ["leaf"]
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UserError, match="holds no mask"):
        finished(survey_import(project, "", tmp_path / "nothing"))


def test_a_map_holds_only_what_the_files_do_not_say() -> None:
    own = Meaning(1, "1", "leaf", own=True)
    open_ = Meaning(7, "7", None, own=False)
    assert map_of([own, open_], {1: "leaf", 7: "cell"}) == {7: "cell"}
    assert map_of([own, open_], {1: "cell", 7: ""}) == {1: "cell", 7: ""}
    red = Meaning(Color(255, 0, 0), "#FF0000", None, own=False)
    assert map_of([own, red], {1: "leaf", red.key: "cell"}) == {1: "leaf", red.key: "cell"}


def test_colours_and_values_side_by_side_come_in_as_chosen(project: Project, tmp_path: Path, mask: Mask) -> None:
    folder = mask("a.png", (1, 0, 0, 10, 10)).parent
    painted(folder / "b.png", ((0xE6, 0x9F, 0x00), 0))
    meanings = finished(survey_import(project, "", folder)).meanings
    finished(import_masks(project, "", folder, mapping=map_of(meanings, {})))
    assert project.find_image("a.png").labelled_pixels == 100
    assert project.find_image("b.jpg").labelled_pixels == SIZE[0] * SIZE[1]


def test_a_mask_of_another_size_is_refused_before_it_is_read(project: Project, mask: Mask) -> None:
    file = mask("a.png", size=(5, 5))
    with pytest.raises(MaskMismatch, match="5 x 5 pixels"):
        finished(survey_import(project, "", file))


def test_pictures_of_too_many_colours_are_refused(project: Project, tmp_path: Path) -> None:
    file = painted(tmp_path / "masks" / "a.png", *(((n, 2 * n, 99), n % 40) for n in range(40)))
    painted(tmp_path / "masks" / "b.png", *(((n, 2 * n, 77), n % 40) for n in range(40)))
    with pytest.raises(UserError, match="more than 64 colours"):
        finished(survey_import(project, "", file.parent))


def test_a_preview_says_which_images_would_no_longer_be_done(project: Project, mask: Mask) -> None:
    from segstudio.labels.model import Status

    file = mask("a.png", (1, 0, 0, 5, 5))
    finished(import_masks(project, "", file, status=Status.DONE))
    assert finished(preview_import(project, "", file)).reopens == ("a.png",)


# -- what a path is ----------------------------------------------------------------------------------------------------


def recognised(project: Project, path: Path) -> str:
    return finished(recognised_format(project, path))


def test_masks_and_annotations_are_recognised(project: Project, tmp_path: Path, mask: Mask) -> None:
    folder = mask("a.png", (1, 0, 0, 20, 20)).parent
    assert recognised(project, folder) == "png"
    assert recognised(project, folder / "a.png") == "png"
    assert recognised(project, coco_file(tmp_path / "them.json", [])) == "coco"
    finished(import_masks(project, "", folder))
    for format_ in ("png", "coco"):
        finished(export(project, format_, tmp_path / format_))
        assert recognised(project, tmp_path / format_) == format_


def test_images_are_no_masks(project: Project, pictures: Path, tmp_path: Path) -> None:
    assert recognised(project, pictures) == ""
    assert recognised(project, pictures / "a.png") == ""
    again = tmp_path / "second stain"
    again.mkdir()
    noise = np.random.default_rng(1).integers(0, 255, SIZE[::-1], np.uint8)
    Image.fromarray(noise).save(again / "a.png")
    assert recognised(project, again) == ""
    assert recognised(project, tmp_path / "not there") == ""


def test_masks_beside_the_images_are_left_to_whoever_adds_images(project: Project, pictures: Path) -> None:
    Image.fromarray(np.repeat(np.uint8([[0, 1]]), 20, 1).repeat(SIZE[1], 0)).save(pictures / "b.png")
    assert recognised(project, pictures) == ""
