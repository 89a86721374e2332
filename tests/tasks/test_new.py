import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.errors import UnreadableImage, UsageError, UserError
from segstudio.labels.model import Kind
from segstudio.store.project import Project
from segstudio.tasks.images.new import NewReport, new_project, parsed_classes, project_beside
from segstudio.tasks.progress import finished


def made(path: Path, *images: Path | str, classes: tuple[str, ...] = (), copy_files: bool = False) -> NewReport:
    return finished(new_project(path, [str(i) for i in images], classes, copy_files=copy_files))


def paths(report: NewReport) -> list[str]:
    with Project.open(report.path, write=False) as project:
        return [image.path for image in project.images()]


def picture(path: Path, size: tuple[int, int] = (8, 6)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)
    return path


def test_a_folder_is_the_root_and_is_taken_with_all_below(tmp_path: Path, pictures: Path) -> None:
    report = made(tmp_path / "p.segstudio", pictures)
    assert paths(report) == ["a.png", "b.jpg", "sub/c.tif"]
    with Project.open(report.path, write=False) as project:
        assert [image.planes for image in project.images()] == [((40, 30),)] * 3
        assert [(c.name, c.kind, c.value) for c in project.classes()] == [
            ("background", Kind.BACKGROUND, 0),
            ("object", Kind.SEMANTIC, 1),
        ]


def test_files_and_globs_are_named_from_their_deepest_common_folder(tmp_path: Path, pictures: Path) -> None:
    assert paths(made(tmp_path / "1.segstudio", pictures / "a.png")) == ["a.png"]
    assert paths(made(tmp_path / "2.segstudio", pictures / "sub/c.tif", pictures / "a.png")) == ["sub/c.tif", "a.png"]
    assert paths(made(tmp_path / "3.segstudio", f"{pictures}/*.*")) == ["a.png", "b.jpg"]
    assert paths(made(tmp_path / "4.segstudio", f"{pictures}/**/*.*")) == ["a.png", "b.jpg", "sub/c.tif"]


def test_a_folder_skips_what_is_no_image_and_says_how_many(tmp_path: Path, pictures: Path) -> None:
    (pictures / "notes.txt").write_text("hello")
    (pictures / "text.png").write_text("hello")
    (pictures / "empty.jpg").touch()
    (pictures / "cut.png").write_bytes((pictures / "a.png").read_bytes()[:20])
    report = made(tmp_path / "p.segstudio", pictures)
    assert (report.images, report.skipped) == (3, 4)


def test_projects_and_hidden_folders_below_a_folder_are_passed_over(tmp_path: Path, pictures: Path) -> None:
    picture(pictures / "old.segstudio/images/x.png")
    picture(pictures / ".thumbs/x.png")
    report = made(pictures / "p.segstudio", pictures)
    assert (report.images, report.skipped) == (3, 0)
    with pytest.raises(UserError, match="is a project"):
        made(tmp_path / "q.segstudio", pictures / "old.segstudio")


def test_a_folder_that_holds_itself_by_a_link_ends(tmp_path: Path, pictures: Path) -> None:
    (pictures / "again").symlink_to(pictures, target_is_directory=True)
    assert made(tmp_path / "p.segstudio", pictures).images == 3


def test_a_named_file_that_is_no_image_is_refused_by_name_and_leaves_no_folder(tmp_path: Path, pictures: Path) -> None:
    (pictures / "text.png").write_text("hello")
    for name in ("text.png", "missing.png"):
        with pytest.raises(UnreadableImage, match=name):
            made(tmp_path / "p.segstudio", pictures / "a.png", pictures / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pictures"]


def test_without_any_image_no_project_is_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/notes.txt").touch()
    with pytest.raises(UserError, match="No image"):
        made(tmp_path / "p.segstudio", tmp_path / "empty")
    with pytest.raises(UserError, match="matches no file"):
        made(tmp_path / "p.segstudio", f"{tmp_path}/*.tif")
    assert not (tmp_path / "p.segstudio").exists()


def test_what_stands_at_the_path_is_never_touched(tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "p.segstudio").mkdir()
    with pytest.raises(UserError, match="already something"):
        made(tmp_path / "p.segstudio", pictures)
    assert list((tmp_path / "p.segstudio").iterdir()) == []


def test_a_file_given_twice_is_one_image(tmp_path: Path, pictures: Path) -> None:
    assert made(tmp_path / "p.segstudio", pictures, pictures / "a.png", f"{pictures}/*.png").images == 3


def test_several_folders_are_roots_of_their_own(tmp_path: Path) -> None:
    picture(tmp_path / "one/a.png")
    picture(tmp_path / "two/b.png")
    assert paths(made(tmp_path / "p.segstudio", tmp_path / "one", tmp_path / "two")) == ["a.png", "b.png"]


def test_folders_with_equal_names_are_named_from_the_folder_above(tmp_path: Path) -> None:
    picture(tmp_path / "one/a.png")
    picture(tmp_path / "two/A.png", (9, 9))
    report = made(tmp_path / "p.segstudio", tmp_path / "one", tmp_path / "two")
    assert paths(report) == ["one/a.png", "two/A.png"]


def test_the_ending_of_a_project_may_be_left_out(tmp_path: Path, pictures: Path) -> None:
    assert made(tmp_path / "p", pictures).path == tmp_path / "p.segstudio"


def test_copied_files_are_read_from_the_project(tmp_path: Path, pictures: Path) -> None:
    report = made(tmp_path / "p.segstudio", pictures, copy_files=True)
    for file in pictures.rglob("*.*"):
        os.remove(file)
    with Project.open(report.path, write=False) as project:
        assert all(image.file.is_file() and report.path in image.file.parents for image in project.images())


def test_our_own_masks_are_not_taken_for_images(tmp_path: Path, pictures: Path) -> None:
    from segstudio.formats.png_file import write_palette

    write_palette(pictures / "m.png", np.zeros((3, 3), np.uint8), np.zeros((256, 3), np.uint8))
    report = made(tmp_path / "p.segstudio", pictures)
    assert (report.images, report.skipped, report.own_masks) == (3, 0, 1)


def test_classes_stand_in_the_order_given_and_empty_fields_are_defaults() -> None:
    found = parsed_classes(["leaf::instance", "soil:#112233:background", "blur::ignore", "vein:#445566"])
    assert [(c.name, c.color, c.kind) for c in found] == [
        ("leaf", "", Kind.INSTANCE),
        ("soil", "#112233", Kind.BACKGROUND),
        ("blur", "", Kind.IGNORE),
        ("vein", "#445566", Kind.SEMANTIC),
    ]


def test_a_class_called_background_is_the_background_unless_another_is() -> None:
    assert [c.kind for c in parsed_classes(["Background", "leaf"])] == [Kind.BACKGROUND, Kind.SEMANTIC]
    assert parsed_classes(["soil::background", "background"])[1].kind is Kind.SEMANTIC


@pytest.mark.parametrize(
    "wrong", ["", ":", "a:#12345", "a:red", "a::thing", "a:::", "a,b", "a=b", "a:#112233:semantic:x", " :#112233"]
)
def test_a_class_that_cannot_be_is_a_usage_error(tmp_path: Path, pictures: Path, wrong: str) -> None:
    with pytest.raises(UsageError):
        made(tmp_path / "p.segstudio", pictures, classes=(wrong,))
    assert not (tmp_path / "p.segstudio").exists()


@pytest.mark.parametrize("wrong", [("a", "A"), ("a::background", "b::background")])
def test_classes_that_cannot_stand_together_are_a_usage_error(
    tmp_path: Path, pictures: Path, wrong: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError):
        made(tmp_path / "p.segstudio", pictures, classes=wrong)


def test_the_project_of_a_folder_lies_beside_it_or_in_the_users_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))
    folder = tmp_path / "pictures"
    assert project_beside(folder) == tmp_path / "pictures.segstudio"
    monkeypatch.setattr(os, "access", lambda *_: False)
    elsewhere = project_beside(folder)
    assert elsewhere.parent != tmp_path
    assert elsewhere.name.startswith("pictures-")
    assert project_beside(tmp_path / "x" / "pictures") != elsewhere
    (tmp_path / "pictures.segstudio").mkdir()
    assert project_beside(folder) == tmp_path / "pictures.segstudio"
