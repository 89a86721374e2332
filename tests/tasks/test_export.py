import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from segstudio.errors import DiskRefused, ExportMismatch, UsageError, UserError
from segstudio.formats.coco import CocoWriter
from segstudio.labels.model import Status
from segstudio.store.project import Project
from segstudio.store.writing import label_rows
from segstudio.tasks.images.selection import selected_images
from segstudio.tasks.labels import export as export_module
from segstudio.tasks.labels.export import ExportReport, LeftOut, Why, export
from segstudio.tasks.labels.import_masks import Target, import_masks
from segstudio.tasks.progress import finished
from tests.tasks.small_projects import SIZE

Mask = Callable[..., Path]


@pytest.fixture
def labelled(project: Project, mask: Mask) -> Project:
    """Labels on a.png (done) and sub/c.tif, a proposal on b.jpg."""
    finished(
        import_masks(project, "png", mask("a.png", (1, 0, 0, 5, 5), (3, 6, 0, 2, 2), ground=0), status=Status.DONE)
    )
    finished(import_masks(project, "png", mask("sub/c.png", (2, 0, 0, 5, 5), (2, 9, 9, 3, 3)).parents[0]))
    finished(import_masks(project, "png", mask("b/b.png", (1, 1, 1, 3, 3)), target=Target.PROPOSALS))
    return project


def exported(project: Project, out: Path, format_: str = "png", **options: object) -> ExportReport:
    return finished(export(project, format_, out, **options))


def names(out: Path) -> list[str]:
    return sorted(f.relative_to(out).as_posix() for f in out.rglob("*") if f.is_file())


def test_every_image_with_a_known_pixel_is_exported_in_the_tree_of_the_images(
    labelled: Project, tmp_path: Path
) -> None:
    report = exported(labelled, tmp_path / "out")
    assert names(tmp_path / "out") == ["masks/a.png", "masks/sub/c.png"]
    assert (report.images, list(report.files)) == (2, [tmp_path / "out" / n for n in names(tmp_path / "out")])
    values = np.asarray(Image.open(tmp_path / "out/masks/a.png"))
    expected = np.zeros(SIZE[::-1], np.uint8)
    expected[:5, :5], expected[:2, 6:8] = 1, 255
    assert np.array_equal(values, expected)


def test_each_tile_is_decoded_once_and_an_image_is_written_before_the_next_is_read(
    labelled: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def noted(word: str, call: Callable[..., object]) -> Callable[..., object]:
        return lambda *given: (steps.append(word), call(*given))[1]

    monkeypatch.setattr(label_rows, "decode_tile", noted("tile", label_rows.decode_tile))
    monkeypatch.setattr(CocoWriter, "add", noted("written", CocoWriter.add))
    exported(labelled, tmp_path / "out", "coco")
    assert steps == ["tile", "written"] * 2


def test_finished_and_proposals_and_a_glob_choose_images(labelled: Project, tmp_path: Path) -> None:
    exported(labelled, tmp_path / "1", content="finished")
    assert names(tmp_path / "1") == ["masks/a.png"]
    exported(labelled, tmp_path / "2", content="proposals")
    assert names(tmp_path / "2") == ["masks/b.png"]
    assert (np.asarray(Image.open(tmp_path / "2/masks/b.png")) == 1).sum() == 9
    exported(labelled, tmp_path / "3", images="sub/*")
    assert names(tmp_path / "3") == ["masks/sub/c.png"]


def test_a_glob_is_of_relative_paths(labelled: Project) -> None:
    images = labelled.images()
    assert [i.path for i in selected_images(images, "**/*.tif")] == ["sub/c.tif"]
    assert [i.path for i in selected_images(images, "**/a.png")] == ["a.png"]
    assert [i.path for i in selected_images(images, "*")] == ["a.png", "b.jpg", "sub/c.tif"]
    with pytest.raises(UserError, match=r"'x\*'"):
        selected_images(images, "x*")


def test_nothing_to_export_is_said(project: Project, tmp_path: Path) -> None:
    for content in ("labels", "finished", "proposals"):
        with pytest.raises(UserError, match="nothing to export"):
            exported(project, tmp_path / "deep/out", content=content)
    assert not (tmp_path / "deep").exists()


def test_coco_holds_every_object(labelled: Project, tmp_path: Path) -> None:
    exported(labelled, tmp_path / "out", "coco")
    content = json.loads((tmp_path / "out/coco.json").read_text())
    assert [i["file_name"] for i in content["images"]] == ["a.png", "sub/c.tif"]
    assert sorted((a["image_id"], a["category_id"], a["area"]) for a in content["annotations"]) == [
        (1, 1, 25), (2, 2, 9), (2, 2, 25),
    ]  # fmt: skip
    exported(labelled, tmp_path / "out", "coco", background=True)
    content = json.loads((tmp_path / "out/coco.json").read_text())
    assert [c["id"] for c in content["categories"]] == [0, 1, 2]


def test_an_export_is_imported_as_it_was(labelled: Project, tmp_path: Path, pictures: Path) -> None:
    from segstudio.tasks.images.new import new_project
    from tests.tasks.small_projects import CLASSES

    exported(labelled, tmp_path / "out")
    report = finished(new_project(tmp_path / "q.segstudio", [str(pictures)], CLASSES))
    with Project.open(report.path) as other:
        assert finished(import_masks(other, "png", tmp_path / "out")).images == 2
        exported(other, tmp_path / "again")
    for name in names(tmp_path / "out"):
        with Image.open(tmp_path / "out" / name) as first, Image.open(tmp_path / "again" / name) as second:
            assert np.array_equal(np.asarray(first), np.asarray(second))
            assert first.getpalette() == second.getpalette()


def test_exports_work_beside_a_writer_and_never_change_the_project(labelled: Project, tmp_path: Path) -> None:
    before = labelled.last_seq()
    with Project.open(labelled.path, write=False) as reader:
        exported(reader, tmp_path / "out")
    assert labelled.last_seq() == before


def test_other_files_in_the_folder_stay(labelled: Project, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "masks").mkdir(parents=True)
    (out / "masks/mine.txt").write_text("keep")
    exported(labelled, out)
    (out / "masks/a.png").write_bytes((out / "masks/sub/c.png").read_bytes())  # of an earlier export
    exported(labelled, out)
    assert names(out) == ["masks/a.png", "masks/mine.txt", "masks/sub/c.png"]
    assert (out / "masks/a.png").read_bytes() != (out / "masks/sub/c.png").read_bytes()


@pytest.mark.parametrize("form", ["png", "coco"])
@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_leaves_the_target_as_it_was(
    labelled: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, there: bool
) -> None:
    out = tmp_path / "deep" / "out"
    if there:
        (out / "masks").mkdir(parents=True)
        (out / "masks/a.png").write_text("old")
    synced = []

    def full(handle: int) -> None:
        synced.append(handle)
        if len(synced) == (2 if form == "png" else 1):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskRefused, match="No space left"):
        exported(labelled, out, form)
    assert (names(out) if there else (tmp_path / "deep").exists()) == (["masks/a.png"] if there else False)
    assert [p.name for p in out.parent.iterdir()] == ["out"] if there else True


def test_a_read_only_folder_is_refused_in_a_sentence(
    labelled: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(DiskRefused, match="Permission denied"):
        exported(labelled, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_reads_back_differently_is_not_moved(
    labelled: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segstudio.formats import png

    monkeypatch.setattr(png, "write_palette", lambda file, indices, *_, **__: Image.fromarray(indices * 0).save(file))
    with pytest.raises(ExportMismatch):
        exported(labelled, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_cancelled_export_leaves_nothing(labelled: Project, tmp_path: Path) -> None:
    task = export(labelled, "png", tmp_path / "out")
    next(task)
    next(task)
    task.close()
    assert not (tmp_path / "out").exists()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_file_in_the_way_and_unknown_words_are_refused(labelled: Project, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(UserError, match="is a file"):
        exported(labelled, tmp_path / "out")
    with pytest.raises(UsageError, match="xyz"):
        exported(labelled, tmp_path / "out", "xyz")


def test_where_only_the_target_can_be_written_the_temporary_folder_lies_in_it(
    labelled: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) == out)
    assert export_module._beside(out) == out
    exported(labelled, out)
    assert names(out) == ["masks/a.png", "masks/sub/c.png"]


def test_masks_of_images_with_one_stem_keep_their_extension(tmp_path: Path, mask: Mask) -> None:
    from segstudio.tasks.images.new import new_project

    for name in ("x.png", "x.jpg"):
        (tmp_path / "two").mkdir(exist_ok=True)
        Image.new("RGB", SIZE).save(tmp_path / "two" / name)
    report = finished(new_project(tmp_path / "t.segstudio", [str(tmp_path / "two")], []))
    with Project.open(report.path) as project:
        finished(import_masks(project, "png", mask("x.jpg.png", (1, 0, 0, 5, 5))))
        exported(project, tmp_path / "out")
    assert names(tmp_path / "out") == ["masks/x.jpg.png"]


def test_what_is_left_out_is_said_with_the_reason(labelled: Project, tmp_path: Path) -> None:
    report = exported(labelled, tmp_path / "1")
    assert (report.images, report.planes, report.planes_left_out) == (2, 2, 0)
    assert report.left_out == (LeftOut("b.jpg", Why.NO_KNOWN_PIXEL),)
    assert exported(labelled, tmp_path / "2", content="finished").left_out == (
        LeftOut("b.jpg", Why.NOT_DONE), LeftOut("sub/c.tif", Why.NOT_DONE),
    )  # fmt: skip
    assert [left.why for left in exported(labelled, tmp_path / "3", content="proposals").left_out] == [
        Why.NO_PROPOSAL
    ] * 2
    assert exported(labelled, tmp_path / "4", images="sub/*").left_out == ()


def test_an_image_done_without_a_pixel_is_left_out_and_said(labelled: Project, mask: Mask, tmp_path: Path) -> None:
    finished(import_masks(labelled, "png", mask("empty/b.png"), status=Status.DONE))
    report = exported(labelled, tmp_path / "out", content="finished")
    assert report.images == 1
    assert report.left_out[0] == LeftOut("sub/c.tif", Why.NOT_DONE)
    assert report.left_out[1] == LeftOut("b.jpg", Why.NO_KNOWN_PIXEL)


def test_pixels_of_a_removed_class_are_not_known_and_ignored_ones_are(
    labelled: Project, mask: Mask, tmp_path: Path
) -> None:
    from segstudio.tasks.labels.classes import RemoveClass, change_classes

    finished(import_masks(labelled, "png", mask("ignored/b.png", (3, 0, 0, 5, 5))))
    change_classes(labelled, [RemoveClass("cell")])
    report = exported(labelled, tmp_path / "out")
    assert names(tmp_path / "out") == ["masks/a.png", "masks/b.png"]
    assert report.left_out == (LeftOut("sub/c.tif", Why.NO_KNOWN_PIXEL),)


@pytest.fixture
def stack(tmp_path: Path, mask: Mask) -> Iterator[Project]:
    """A stack of four planes, of which the second and the fourth have labels."""
    from segstudio.tasks.images.new import new_project

    (tmp_path / "v").mkdir()
    planes = np.zeros((4, SIZE[1], SIZE[0]), np.uint16)
    tifffile.imwrite(tmp_path / "v/v.tif", planes, metadata={"axes": "ZYX"}, photometric="minisblack")
    report = finished(new_project(tmp_path / "v.segstudio", [str(tmp_path / "v")], ["cell::instance"]))
    mask("v/v_p0001.png", (1, 0, 0, 4, 4))
    with Project.open(report.path) as project:
        finished(import_masks(project, "png", mask("v/v_p0003.png", (0, 0, 0, 4, 4)).parent))
        yield project


@pytest.mark.parametrize("form", ["png", "coco"])
def test_planes_without_a_known_pixel_are_left_out_and_counted(stack: Project, tmp_path: Path, form: str) -> None:
    report = exported(stack, tmp_path / "out", form)
    assert (report.images, report.planes, report.planes_left_out) == (1, 2, 2)
    if form == "png":
        assert names(tmp_path / "out") == ["masks/v_p0001.png", "masks/v_p0003.png"]
    else:
        content = json.loads((tmp_path / "out/coco.json").read_text())
        assert [i["plane"] for i in content["images"]] == [1, 3]


def test_what_this_project_exported_before_and_belongs_no_more_is_cleared_away(
    labelled: Project, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    exported(labelled, out)
    (out / "masks/sub/mine.txt").write_text("keep")
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(out / "masks/mine.png")
    report = exported(labelled, out, content="finished")
    assert names(out) == ["masks/a.png", "masks/mine.png", "masks/sub/mine.txt"]
    assert (report.cleared, report.stale) == ((out / "masks/sub/c.png",), ())
    exported(labelled, out)
    (out / "masks/sub/mine.txt").unlink()
    exported(labelled, out, content="finished")
    assert not (out / "masks/sub").exists()


def test_exports_by_several_globs_add_up(labelled: Project, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported(labelled, out, images="a.png")
    report = exported(labelled, out, images="sub/*")
    assert names(out) == ["masks/a.png", "masks/sub/c.png"]
    assert (report.cleared, report.stale) == ((), ())
    assert exported(labelled, out, images="*", content="proposals").cleared != ()
    assert names(out) == ["masks/b.png"]


def test_masks_of_another_project_are_named_and_stay(labelled: Project, tmp_path: Path, pictures: Path) -> None:
    from segstudio.tasks.images.new import new_project
    from tests.tasks.small_projects import CLASSES

    out = tmp_path / "out"
    exported(labelled, out)
    report = finished(new_project(tmp_path / "q.segstudio", [str(pictures)], CLASSES))
    with Project.open(report.path) as other:
        finished(import_masks(other, "png", out / "masks/a.png"))
        again = exported(other, out)
    assert (again.cleared, again.stale) == ((), (out / "masks/sub/c.png",))
    assert names(out) == ["masks/a.png", "masks/sub/c.png"]


def test_a_failed_export_clears_nothing_away(
    labelled: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segstudio.formats import png

    out = tmp_path / "out"
    exported(labelled, out)
    monkeypatch.setattr(png, "write_palette", lambda file, indices, *_, **__: Image.fromarray(indices * 0).save(file))
    with pytest.raises(ExportMismatch):
        exported(labelled, out, content="finished")
    assert names(out) == ["masks/a.png", "masks/sub/c.png"]


def test_grey_masks_hold_the_same_values_and_are_ours(labelled: Project, tmp_path: Path) -> None:
    exported(labelled, tmp_path / "colour")
    exported(labelled, tmp_path / "grey", grey=True)
    for name in names(tmp_path / "grey"):
        with Image.open(tmp_path / "grey" / name) as grey, Image.open(tmp_path / "colour" / name) as colour:
            assert (grey.mode, colour.mode) == ("L", "P")
            assert np.array_equal(np.asarray(grey), np.asarray(colour))
    assert finished(import_masks(labelled, "png", tmp_path / "grey")).binary == ()
    with pytest.raises(UsageError, match="coco"):
        exported(labelled, tmp_path / "coco", "coco", grey=True)


@pytest.mark.parametrize("form", ["png", "coco"])
def test_a_place_that_the_system_refuses_is_one_sentence(labelled: Project, tmp_path: Path, form: str) -> None:
    for out in (tmp_path / ("x" * 300), tmp_path / "a" / ("y/" * 3000), tmp_path / "nul\0"):
        with pytest.raises(UserError) as told:
            exported(labelled, out, form)
        assert "\n" not in told.value.line
        assert len(told.value.line) < 400
    exported(labelled, tmp_path / ("z" * 250), form)
    assert not (tmp_path / "a").exists()
