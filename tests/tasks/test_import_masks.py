import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.errors import (
    DiskRefused,
    MaskMismatch,
    ReadOnly,
    UnknownClassValue,
    UnreadableImage,
    UsageError,
    UserError,
)
from segstudio.geometry import Rect
from segstudio.labels.model import Origin, Seq, Status
from segstudio.store.project import Project
from segstudio.store.writing import journal
from segstudio.store.writing.journal import write_edit
from segstudio.tasks.images.info import info
from segstudio.tasks.labels.import_masks import IMPORTED, Target, import_masks
from segstudio.tasks.labels.mask_map import parsed_map
from segstudio.tasks.progress import finished
from tests.tasks.small_projects import SIZE

WHOLE = Rect(0, 0, *SIZE)
Mask = Callable[..., Path]


def values_of(project: Project, path: str) -> np.ndarray:
    """Class values of an image's labels; -1 = unknown."""
    document = project.document(project.find_image(path).id)
    ids = document.class_ids(0, WHOLE)
    table = {c.id: c.value for c in project.classes()} | {0: -1}
    return np.vectorize(table.__getitem__)(ids)


def brought_in(project: Project, folder: Path, **options: object):
    return finished(import_masks(project, "png", folder, **options))


def test_known_pixels_replace_what_is_there_and_unknown_ones_leave_it(project: Project, mask: Mask) -> None:
    first = mask("a.png", (1, 0, 0, 20, 10), (0, 20, 0, 20, 10))
    brought_in(project, first)
    mask("a.png", (2, 10, 5, 20, 20))
    report = brought_in(project, first)
    expected = np.full((SIZE[1], SIZE[0]), -1)
    expected[0:10, 0:20] = 1
    expected[0:10, 20:40] = 0
    expected[5:25, 10:30] = 2
    assert np.array_equal(values_of(project, "a.png"), expected)
    assert (report.images, report.pixels) == (1, 400)


def test_imported_pixels_have_their_origin_and_the_image_its_status(project: Project, mask: Mask) -> None:
    brought_in(project, mask("a.png", (1, 0, 0, 5, 5)))
    row = project.find_image("a.png")
    assert row.status is Status.IN_PROGRESS
    _, origins = project.document(row.id).raster.read(0, WHOLE)
    assert (origins[:5, :5] == Origin.IMPORTED).all()
    brought_in(project, mask("a.png", (1, 0, 0, 5, 5)), status=Status.DONE)
    assert project.find_image("a.png").status is Status.DONE
    assert project.find_image("a.png").labelled_pixels == 25


def test_an_import_is_one_edit_an_image(project: Project, mask: Mask) -> None:
    mask("b.png", (1, 0, 0, 5, 5))
    before = project.last_seq()
    brought_in(project, mask("a.png", (1, 0, 0, 5, 5)).parent)
    assert project.last_seq() == before + 2


def test_each_8_connected_component_of_an_instance_class_is_an_object(project: Project, mask: Mask) -> None:
    # Two squares that touch at a corner are one, the third stands apart; leaf is one object though in two parts.
    brought_in(
        project, mask("a.png", (2, 0, 0, 4, 4), (2, 4, 4, 4, 4), (2, 20, 20, 4, 4), (1, 30, 0, 2, 2), (1, 30, 9, 2, 2))
    )
    assert info(project)["images"][0]["objects"] == 3


def test_an_import_is_taken_back_as_a_whole(project: Project, mask: Mask) -> None:
    mask("a.png", (2, 0, 0, 4, 4), (2, 20, 20, 4, 4), (1, 30, 0, 9, 9), (0, 30, 15, 5, 5))
    folder = mask("b.jpg.png", (1, 3, 3, 8, 8)).parent
    before = project.last_seq()
    brought_in(project, folder, status=Status.DONE)
    assert project.last_seq() == before + 2
    found = info(project)["images"]
    assert [(row["status"], row["objects"]) for row in found][:2] == [("done", 3), ("done", 1)]
    expected = np.full((SIZE[1], SIZE[0]), -1)
    for value, x, y, side in ((2, 0, 0, 4), (2, 20, 20, 4), (1, 30, 0, 9), (0, 30, 15, 5)):
        expected[y : y + side, x : x + side] = value
    assert np.array_equal(values_of(project, "a.png"), expected)
    assert project.take_back(Seq(before + 1), "a").result(30) == 2
    assert [row["labelled_pixels"] for row in info(project)["images"]] == [0] * len(found)


def test_masks_of_all_images_are_found_by_path_and_stem(project: Project, mask: Mask) -> None:
    mask("a.png", (1, 0, 0, 1, 1))
    mask("b.jpg.png", (1, 0, 0, 1, 1))
    mask("nobody.png", (1, 0, 0, 1, 1))
    report = brought_in(project, mask("sub/c.png", (1, 0, 0, 1, 1)).parents[1])
    assert report.images == 3
    assert report.skipped == ("nobody.png",)


def test_no_mask_that_belongs_to_an_image_is_an_error(project: Project, mask: Mask, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nobody\.png"):
        brought_in(project, mask("nobody.png").parent)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no mask"):
        brought_in(project, tmp_path / "empty")
    with pytest.raises(UserError, match="does not exist"):
        brought_in(project, tmp_path / "gone")


@pytest.mark.parametrize("wrong", ["size", "value", "cut", "colour", "text"])
def test_one_wrong_mask_leaves_the_project_as_it_was(project: Project, mask: Mask, wrong: str) -> None:
    folder = mask("a.png", (1, 0, 0, 5, 5)).parent
    path = folder / "b.png"
    if wrong == "size":
        mask("b.png", (1, 0, 0, 5, 5), size=(30, 40))
    elif wrong == "value":
        mask("b.png", (77, 0, 0, 5, 5))
    elif wrong == "colour":
        Image.new("RGB", SIZE).save(path)
    elif wrong == "text":
        path.write_text("no mask")
    else:
        Image.fromarray(np.random.default_rng(0).integers(0, 2, SIZE[::-1], np.uint8)).save(path)
        path.write_bytes(path.read_bytes()[:-90])
    before = info(project)
    kinds = {"size": MaskMismatch, "value": UnknownClassValue, "colour": MaskMismatch}
    with pytest.raises(kinds.get(wrong, UnreadableImage), match=r"b\.png") as caught:
        brought_in(project, folder)
    if wrong == "value":
        assert "77" in caught.value.line
    assert info(project) == before


def test_a_mask_that_asks_for_too_much_memory_is_refused_by_its_header(project: Project, mask: Mask) -> None:
    import zlib

    path = mask("a.png", (1, 0, 0, 5, 5))
    data = bytearray(path.read_bytes())
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(MaskMismatch, match="30000 x 30000"):
        brought_in(project, path)


def test_a_map_gives_values_a_meaning(project: Project, mask: Mask) -> None:
    path = mask("a.png", (7, 0, 0, 5, 5), (9, 10, 0, 5, 5), (0, 20, 0, 5, 5), ground=255)
    brought_in(project, path, mapping=parsed_map(["7=LEAF,9=", "255=blur"]))
    expected = np.full((SIZE[1], SIZE[0]), 3)
    expected[0:5, 0:5] = 1
    expected[0:5, 10:15] = -1
    expected[0:5, 20:25] = 0
    assert np.array_equal(values_of(project, "a.png"), expected)


def test_a_map_to_a_class_that_is_not_there_names_it(project: Project, mask: Mask) -> None:
    with pytest.raises(UserError, match=r"'crack'.*leaf"):
        brought_in(project, mask("a.png"), mapping=parsed_map(["7=crack"]))


@pytest.mark.parametrize(
    "wrong",
    ["7", "=leaf", "70000=leaf", "1=a,1=b", "0-9=a,5=b", "9-0=a", "#12=a", "#001122=a,#001122=b", "", "7=leaf,"],
)
def test_a_map_that_makes_no_sense_is_a_usage_error(wrong: str) -> None:
    with pytest.raises(UsageError):
        parsed_map([wrong])


def test_sixteen_bit_masks_are_read_by_the_same_values(project: Project, tmp_path: Path) -> None:
    values = np.full(SIZE[::-1], 65535, np.uint16)
    values[:4, :4], values[4:8, :4] = 1, 255
    (tmp_path / "masks").mkdir()
    Image.fromarray(values).save(tmp_path / "masks/a.png")
    brought_in(project, tmp_path / "masks")
    found = values_of(project, "a.png")
    assert (found == 1).sum() == 16
    assert (found == -1).sum() == found.size - 16


def test_masks_as_proposals_leave_labels_and_status_alone(project: Project, mask: Mask) -> None:
    before = info(project)
    brought_in(project, mask("a.png", (2, 0, 0, 4, 4), (2, 20, 20, 4, 4), (1, 10, 0, 4, 4)), target=Target.PROPOSALS)
    assert info(project) == before
    proposal = project.proposals.read(project.find_image("a.png").id, 0)
    assert proposal is not None
    assert proposal.version == IMPORTED
    assert len(proposal.rows) == 3
    ids = {c.value: c.id for c in project.classes()}
    found = proposal.class_ids(WHOLE)
    assert (found[0:4, 0:4] == ids[2]).all()
    assert (found[0:4, 10:14] == ids[1]).all()
    assert np.count_nonzero(found) == 48
    assert (proposal.confidence(Rect(0, 0, 4, 4)) == 255).all()


def test_a_project_open_for_reading_is_not_written(project: Project, mask: Mask) -> None:
    with Project.open(project.path, write=False) as other, pytest.raises(ReadOnly):
        brought_in(other, mask("a.png", (1, 0, 0, 5, 5)))


def test_an_unknown_format_is_a_usage_error(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="xyz"):
        finished(import_masks(project, "xyz", tmp_path))


def test_masks_of_planes_go_to_their_planes(tmp_path: Path, mask: Mask) -> None:
    import tifffile

    from segstudio.tasks.images.new import new_project

    (tmp_path / "v").mkdir()
    tifffile.imwrite(
        tmp_path / "v/v.tif",
        np.zeros((3, SIZE[1], SIZE[0]), np.uint16),
        metadata={"axes": "ZYX"},
        photometric="minisblack",
    )
    report = finished(new_project(tmp_path / "v.segstudio", [str(tmp_path / "v")], ["cell::instance"]))
    folder = mask("v_p0002.png", (1, 0, 0, 4, 4)).parent
    mask("v_p0000.png", (1, 9, 9, 4, 4), (0, 0, 0, 2, 2))
    with Project.open(report.path) as project:
        assert brought_in(project, folder).images == 1
        assert project.last_seq() == 1
        row = project.images()[0]
        assert (row.labelled_pixels, row.objects) == (36, 2)
        assert project.document(row.id).class_ids(2, Rect(0, 0, 4, 4)).all()


def test_a_disk_that_fills_up_half_way_leaves_the_project_as_it_was(
    project: Project, mask: Mask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.png", "b.jpg.png", "sub/c.png"):
        folder = mask(name, (1, 0, 0, 5, 5)).parent
    written = 0

    def full_at_the_third(*arguments: object) -> bool:
        nonlocal written
        written += 1
        if written == 3:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL  # type: ignore[misc]
            raise error
        return write_edit(*arguments)  # type: ignore[arg-type]

    before = info(project)
    monkeypatch.setattr(journal, "write_edit", full_at_the_third)
    with pytest.raises(DiskRefused, match="full") as told:
        brought_in(project, folder.parent)
    assert told.value.safe == "Nothing was imported."
    assert info(project) == before
    monkeypatch.undo()
    assert brought_in(project, folder.parent).images == 3
    assert project.last_seq() == 3


def test_an_import_that_is_dropped_leaves_the_project_as_it_was(project: Project, mask: Mask) -> None:
    mask("b.jpg.png", (1, 0, 0, 5, 5))
    task = import_masks(project, "png", mask("a.png", (1, 0, 0, 5, 5)).parent)
    next(task)
    next(task)
    before = info(project)
    task.close()
    assert info(project) == before
