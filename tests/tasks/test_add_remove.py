"""A project grows and shrinks: images are added behind the others, taken out, and brought back with their labels."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.errors import ProjectLocked, UnreadableImage, UserError
from segstudio.labels.model import Cause, ImageId
from segstudio.store.project import Project
from segstudio.tasks.images.add import Additions, add_images, additions
from segstudio.tasks.images.new import new_project
from segstudio.tasks.images.remove import remove_images
from segstudio.tasks.progress import finished
from tests.tasks.pictures import label, picture, project_of


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """The images a.png, sub/b.png and sub/c.png of tmp_path/images, open for writing."""
    with Project.open(project_of(tmp_path)) as opened:
        yield opened


def added(project: Project, *given: Path | str) -> Additions:
    return finished(add_images(project, [str(path) for path in given]))


def paths(project: Project) -> list[str]:
    return [row.path for row in project.images()]


def test_new_images_stand_behind_the_old_ones_in_natural_order(project: Project, tmp_path: Path) -> None:
    for n, name in enumerate(("A_10.png", "A_2.png", "A_1.png")):
        picture(tmp_path / "more" / name, 10 + n)
    report = added(project, tmp_path / "more")
    assert report.added == ("A_1.png", "A_2.png", "A_10.png")
    assert paths(project) == ["a.png", "sub/b.png", "sub/c.png", "A_1.png", "A_2.png", "A_10.png"]
    assert all(row.file.is_file() for row in project.images())


def test_what_is_there_by_path_or_by_content_is_passed_over_and_counted(project: Project, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(tmp_path / "images/a.png", tmp_path / "elsewhere/other.png")
    picture(tmp_path / "images/d.png", 20)
    report = added(project, tmp_path / "images", tmp_path / "elsewhere")
    assert report.added == ("d.png",)
    assert [row.path for row in report.there] == ["a.png", "sub/b.png", "sub/c.png"]
    again = added(project, tmp_path / "images")
    assert again.empty
    assert len(again.there) == 4


def test_large_files_that_differ_in_their_middle_alone_are_two_images(project: Project, tmp_path: Path) -> None:
    pixels = np.zeros((600, 600), np.uint8)
    (tmp_path / "more").mkdir()
    for value in (1, 2):
        pixels[300, 300] = value
        np.save(tmp_path / "more" / f"{value}.npy", pixels)
    assert added(project, tmp_path / "more/1.npy").added == ("1.npy",)
    assert added(project, tmp_path / "more/2.npy").added == ("2.npy",)
    shutil.copyfile(tmp_path / "more/2.npy", tmp_path / "more/3.npy")
    assert added(project, tmp_path / "more/3.npy").empty


def test_a_path_that_a_second_root_repeats_gets_its_folders_name_in_front(project: Project, tmp_path: Path) -> None:
    picture(tmp_path / "june/a.png", 30)
    picture(tmp_path / "x/june/a.png", 31)
    assert added(project, tmp_path / "june").added == ("june/a.png",)
    assert added(project, tmp_path / "x/june").added == ("june-2/a.png",)
    assert [row.inner_path for row in project.images()][3:] == ["a.png", "a.png"]
    assert all(row.file.is_file() for row in project.images())


def test_a_named_file_that_cannot_be_read_is_refused_and_nothing_is_added(project: Project, tmp_path: Path) -> None:
    picture(tmp_path / "more/good.png", 40)
    (tmp_path / "more/bad.png").write_text("hello")
    with pytest.raises(UnreadableImage, match=r"bad\.png"):
        added(project, tmp_path / "more/good.png", tmp_path / "more/bad.png")
    assert len(paths(project)) == 3
    assert added(project, tmp_path / "more").added == ("good.png",)


def test_without_an_image_adding_says_what_can_be_read(project: Project, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="No image was found") as caught:
        added(project, tmp_path / "empty")
    assert "SegStudio reads PNG, JPEG, TIFF" in caught.value.line


def test_masks_of_images_that_are_there_are_no_new_images(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for folder, low in (("images", 255), ("masks", 2)):
        (tmp_path / "ds" / folder).mkdir(parents=True)
        for name in "pq":
            Image.fromarray(rng.integers(0, low, (20, 30), np.uint8)).save(tmp_path / "ds" / folder / f"{name}.png")
    path = finished(new_project(tmp_path / "p", [str(tmp_path / "ds")], [])).path
    with Project.open(path) as project:
        report = added(project, tmp_path / "ds")
        assert report.empty
        assert [(m.folder.name, m.files) for m in report.mask_folders] == [("masks", 2)]


def test_images_equal_to_each_other_are_in_one_group_with_those_that_are_there(
    project: Project, tmp_path: Path
) -> None:
    picture(tmp_path / "more/x.png", 50)
    shutil.copy(tmp_path / "more/x.png", tmp_path / "more/y.png")
    added(project, tmp_path / "more")
    groups = [row.group_id for row in project.images()]
    assert groups[3] == groups[4]
    assert len(set(groups)) == 4


def test_a_removed_image_leaves_the_list_and_keeps_its_labels_and_file(project: Project, tmp_path: Path) -> None:
    b = project.find_image("sub/b.png")
    label(project, b.id)
    before = project.labels_sha256(b.id)
    assert [row.path for row in remove_images(project, ["sub/b.png"])] == ["sub/b.png"]
    assert paths(project) == ["a.png", "sub/c.png"]
    assert project.labels_sha256(b.id) == before
    assert b.file.is_file()
    assert project.class_pixels() == {}
    with pytest.raises(UserError, match=r"no image 'sub/b\.png'"):
        project.find_image("sub/b.png")


def test_several_are_removed_by_one_edit_that_any_image_can_take_back(project: Project) -> None:
    remove_images(project, ["sub/*"])
    assert paths(project) == ["a.png"]
    assert project.last_seq() == 1
    history = project.history(ImageId(1))
    assert project.load_edit(history.undoable[-1], lambda _: pytest.fail("no tile")).cause is Cause.IMAGES
    assert project.take_back(history.undoable[-1], "ann").result() == 1
    assert paths(project) == ["a.png", "sub/b.png", "sub/c.png"]
    assert project.take_back(project.history(ImageId(2)).redoable[-1], "ann").result() == 1
    assert paths(project) == ["a.png"]


def test_where_one_path_means_no_image_nothing_is_removed(project: Project) -> None:
    with pytest.raises(UserError, match=r"nowhere\.png"):
        remove_images(project, ["a.png", "nowhere.png"])
    assert len(paths(project)) == 3
    assert project.last_seq() == 0


def test_an_image_may_be_named_by_its_file(project: Project, tmp_path: Path) -> None:
    remove_images(project, [str(tmp_path / "images/sub/c.png")])
    assert paths(project) == ["a.png", "sub/b.png"]


def test_a_removed_image_that_is_added_again_comes_back_in_its_place_with_its_labels(
    project: Project, tmp_path: Path
) -> None:
    b = project.find_image("sub/b.png")
    label(project, b.id)
    before = project.labels_sha256(b.id)
    remove_images(project, ["sub/b.png", "a.png"])
    picture(tmp_path / "images/d.png", 60)
    (tmp_path / "elsewhere").mkdir()
    shutil.copyfile(tmp_path / "images/a.png", tmp_path / "elsewhere/again.png")
    report = added(project, tmp_path / "images/sub/b.png", tmp_path / "images/d.png", tmp_path / "elsewhere")
    assert report.added == ("d.png",)
    assert [row.path for row in report.back] == ["sub/b.png", "a.png"]
    assert paths(project) == ["a.png", "sub/b.png", "sub/c.png", "d.png"]
    assert project.labels_sha256(b.id) == before


def test_a_project_that_holds_its_images_takes_new_ones_in(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.png", 1)
    path = finished(new_project(tmp_path / "p", [str(tmp_path / "images")], [], copy_files=True)).path
    picture(tmp_path / "more/a.png", 2)
    picture(tmp_path / "more/b.png", 3)
    with Project.open(path) as project:
        assert added(project, tmp_path / "images").empty
        assert added(project, tmp_path / "more").added == ("more/a.png", "b.png")
        shutil.rmtree(tmp_path / "more")
        assert all(row.file.is_file() and path in row.file.parents for row in project.images())


def test_closing_the_task_before_its_end_adds_nothing_and_leaves_no_copy(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.png", 1)
    path = finished(new_project(tmp_path / "p", [str(tmp_path / "images")], [], copy_files=True)).path
    for n in range(5):
        picture(tmp_path / f"more/{n}.png", 10 + n)
    with Project.open(path) as project:
        for stop in range(12):
            task = add_images(project, [str(tmp_path / "more")])
            for _, _ in zip(range(stop), task, strict=False):
                pass
            task.close()
            copies = sorted(file.name for file in (path / "images").iterdir())
            assert len(copies) == len(project.images()), stop


def test_beside_a_writer_it_is_refused_with_who_has_it(project: Project) -> None:
    with pytest.raises(ProjectLocked, match=str(os.getpid())), Project.open(project.path):
        pass


def test_the_kind_of_a_class_waits_for_removed_images_too(project: Project) -> None:
    label(project, ImageId(1))
    remove_images(project, ["a.png"])
    assert project.class_pixels() == {}
    assert sum(project.class_pixels(removed=True).values()) == 400


def test_removed_images_hold_nothing_out(tmp_path: Path) -> None:
    names = [f"{n}.png" for n in range(6)]
    with Project.open(project_of(tmp_path, names)) as project:
        for n in range(1, 5):
            label(project, ImageId(n))
        held = [row.path for row in project.images() if row.split == "held-out"]
        assert len(held) == 1
        remove_images(project, held)
        label(project, ImageId(5))
        label(project, ImageId(6))
        again = [row.path for row in project.images() if row.split == "held-out"]
        assert len(again) == 1
        assert again != held


def test_a_restored_snapshot_brings_back_what_was_removed_since(project: Project) -> None:
    from segstudio.store.snapshots import keep
    from segstudio.tasks.keeping.snapshots import restore

    label(project, ImageId(1))
    kept = keep(project, "before").result()
    remove_images(project, ["a.png", "sub/c.png"])
    report = finished(restore(project, kept.seq))
    assert set(report.paths) == {"a.png", "sub/c.png"}
    assert paths(project) == ["a.png", "sub/b.png", "sub/c.png"]


def test_a_named_file_that_cannot_be_read_is_skipped_where_that_is_lenient(project: Project, tmp_path: Path) -> None:
    good = picture(tmp_path / "more/x.png", 30)
    scan, text = tmp_path / "more/scan.psd", tmp_path / "more/text.png"
    scan.write_bytes(b"8BPS" + bytes(128) + bytes(64))
    text.write_text("hello", encoding="utf-8")
    given = [str(file) for file in (scan, text, good)]
    with pytest.raises(UnreadableImage):
        finished(additions(project, given))
    plan = finished(additions(project, given, lenient=True))
    assert plan.added == ("x.png",)
    assert [file.reason.word for file in plan.skipped_files] == ["Photoshop: not supported yet", "no image"]
