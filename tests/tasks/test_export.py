import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_projects import SIZE

from segstudio.errors import DiskRefused, ExportMismatch, UsageError, UserError
from segstudio.labels.model import Status
from segstudio.store.project import Project
from segstudio.tasks import export as export_module
from segstudio.tasks.export import ExportReport, export
from segstudio.tasks.import_masks import Target, import_masks
from segstudio.tasks.progress import finished
from segstudio.tasks.selection import selected_images

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
    from small_projects import CLASSES

    from segstudio.tasks.new import new_project

    exported(labelled, tmp_path / "out")
    report = finished(new_project(tmp_path / "q.segstudio", [str(pictures)], CLASSES))
    with Project.open(report.path) as other:
        assert finished(import_masks(other, "png", tmp_path / "out")).images == 2
        exported(other, tmp_path / "again")
    for name in names(tmp_path / "out"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


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

    monkeypatch.setattr(png, "write_palette", lambda file, indices, _: Image.fromarray(indices * 0).save(file))
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
    from segstudio.tasks.new import new_project

    for name in ("x.png", "x.jpg"):
        (tmp_path / "two").mkdir(exist_ok=True)
        Image.new("RGB", SIZE).save(tmp_path / "two" / name)
    report = finished(new_project(tmp_path / "t.segstudio", [str(tmp_path / "two")], []))
    with Project.open(report.path) as project:
        finished(import_masks(project, "png", mask("x.jpg.png", (1, 0, 0, 5, 5))))
        exported(project, tmp_path / "out")
    assert names(tmp_path / "out") == ["masks/x.jpg.png"]
