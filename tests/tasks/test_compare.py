"""Two projects of the same pictures compared, as files and as figures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.errors import DiskRefused, ExportMismatch, UserError
from segstudio.formats.png_file import write_palette
from segstudio.labels.agreement import Verdict
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from segstudio.tasks.labels.compare import COLORS, CompareReport, compare
from segstudio.tasks.labels.import_masks import import_masks
from segstudio.tasks.progress import finished
from tests.tasks.small_projects import CLASSES, SIZE

Mask = Callable[..., Path]
UNKNOWN, SOIL, LEAF, CELL, BLUR = 255, 0, 1, 2, 3


@pytest.fixture
def other(tmp_path: Path, pictures: Path) -> Path:
    """A second project of the same pictures, its classes in another order."""
    classes = ("leaf", "ground::background", *CLASSES[2:])
    return finished(new_project(tmp_path / "q.segstudio", [str(pictures)], classes)).path


def _labelled(project: Project, folder: Path) -> None:
    finished(import_masks(project, "png", folder, mapping={BLUR: "blur"}))


@pytest.fixture
def compared(project: Project, other: Path, tmp_path: Path, mask: Mask) -> Callable[..., CompareReport]:
    """Labels both projects by rectangles (value, x, y, w, h) on one picture, and compares them."""

    def run(in_a: list[tuple[int, ...]], in_b: list[tuple[int, ...]], out: Path | None = None) -> CompareReport:
        _labelled(project, mask("a.png", *in_a).parent)
        with Project.open(other) as b:
            mask("a.png", *in_b)
            finished(import_masks(b, "png", tmp_path / "masks", mapping={SOIL: "ground", LEAF: "leaf", BLUR: "blur"}))
            return finished(compare(project, b, out=out))

    return run


def test_figures_are_over_what_both_know(compared: Callable[..., CompareReport]) -> None:
    report = compared(
        [(SOIL, 0, 0, 40, 10), (LEAF, 0, 0, 10, 10), (SOIL, 0, 20, 5, 5)],
        [(SOIL, 0, 0, 40, 10), (LEAF, 5, 0, 10, 10), (LEAF, 20, 20, 2, 2)],
    )
    figures = report.overall
    assert (figures.pixels, figures.only_a, figures.only_b) == (400, 25, 4)
    assert figures.nobody == SIZE[0] * SIZE[1] - 429
    assert figures.pixel_agreement == pytest.approx(0.75)
    assert figures.classes["leaf"].iou == pytest.approx(50 / 150)
    assert figures.classes["leaf"].dice == pytest.approx(0.5)
    assert figures.classes["background"].iou == pytest.approx(250 / 350)
    chance = (100 * 100 + 300 * 300) / 400**2
    assert figures.kappa == pytest.approx((0.75 - chance) / (1 - chance))
    assert [image.path for image in report.images] == ["a.png"]
    assert report.left_out == 2


def test_ignored_pixels_count_nowhere(compared: Callable[..., CompareReport]) -> None:
    figures = compared([(LEAF, 0, 0, 10, 10), (BLUR, 0, 0, 5, 10)], [(SOIL, 0, 0, 10, 10), (BLUR, 5, 0, 1, 10)]).overall
    assert figures.pixels == 40
    assert figures.pixel_agreement == 0.0


def test_objects_of_an_instance_class_are_matched(compared: Callable[..., CompareReport]) -> None:
    report = compared(
        [(SOIL, 0, 0, 40, 30), (CELL, 2, 2, 6, 6), (CELL, 20, 2, 6, 6)],
        [(SOIL, 0, 0, 40, 30), (CELL, 3, 2, 6, 6), (CELL, 30, 20, 4, 4)],
    )
    objects = report.overall.classes["cell"].objects
    assert objects is not None
    assert (objects.matched, objects.only_a, objects.only_b) == (1, 1, 1)
    assert objects.sq == pytest.approx(30 / 42)
    assert objects.pq == pytest.approx(objects.sq * 0.5)
    assert report.overall.classes["leaf"].objects is None


def test_a_map_says_of_each_pixel_what_the_legend_names(compared: Callable[..., CompareReport], tmp_path: Path) -> None:
    report = compared(
        [(LEAF, 0, 0, 10, 10), (BLUR, 0, 0, 2, 2)], [(SOIL, 5, 0, 10, 10), (LEAF, 5, 0, 2, 10)], tmp_path / "out"
    )
    assert report.images[0].maps == ("agreement/a.png",)
    with Image.open(tmp_path / "out/agreement/a.png") as file:
        values = np.asarray(file)
        palette = np.array(file.getpalette()).reshape(-1, 3)
    expected = np.full(SIZE[::-1], Verdict.NOBODY, np.uint8)
    expected[0:10, 0:5], expected[0:10, 5:7], expected[0:10, 7:10] = Verdict.ONLY_A, Verdict.AGREE, Verdict.DIFFER
    expected[0:10, 10:15], expected[0:2, 0:2] = Verdict.ONLY_B, Verdict.IGNORED
    assert np.array_equal(values, expected)
    assert {verdict: tuple(palette[verdict].tolist()) for verdict in Verdict} == dict(COLORS)
    assert report.as_json()["legend"] == {
        "nobody": 0, "agree": 1, "differ": 2, "only-a": 3, "only-b": 4, "ignored": 5,
    }  # fmt: skip
    assert sorted(file.name for file in (tmp_path / "out").rglob("*") if file.is_file()) == ["a.png"]


def test_a_map_that_reads_back_otherwise_is_not_kept(
    compared: Callable[..., CompareReport], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "segstudio.tasks.labels.compare.write_palette",
        lambda file, indices, palette: write_palette(file, indices * 0, palette),
    )
    with pytest.raises(ExportMismatch, match=r"agreement/a\.png does not hold"):
        compared([(LEAF, 0, 0, 9, 9)], [(SOIL, 0, 0, 9, 9)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_disk_that_refuses_leaves_nothing(
    compared: Callable[..., CompareReport], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("segstudio.tasks.labels.compare.write_palette", full)
    with pytest.raises(DiskRefused, match="No space left"):
        compared([(LEAF, 0, 0, 9, 9)], [(SOIL, 0, 0, 9, 9)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_projects_without_a_labelled_image_in_common_have_nothing_to_compare(project: Project, other: Path) -> None:
    with Project.open(other, write=False) as b, pytest.raises(UserError, match="nothing to compare"):
        finished(compare(project, b))
