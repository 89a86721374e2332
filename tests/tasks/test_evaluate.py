from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.errors import MaskMismatch, UnknownClassValue, UserError
from segstudio.store.project import Project
from segstudio.tasks.labels.evaluate import EvaluateReport, evaluate
from segstudio.tasks.labels.export import export
from segstudio.tasks.labels.import_masks import Target, import_masks
from segstudio.tasks.labels.mask_map import parsed_map
from segstudio.tasks.progress import finished
from tests.tasks.small_projects import SIZE

Mask = Callable[..., Path]
TOTAL = SIZE[0] * SIZE[1]


def evaluated(project: Project, truth: Path, **options: object) -> EvaluateReport:
    return finished(evaluate(project, truth, **options))


def test_the_object_is_of_the_shape_that_scripts_lean_on(project: Project, mask: Mask) -> None:
    found = mask("f/a.png", (1, 0, 0, 10, 10), (2, 20, 0, 4, 4), (0, 0, 20, 10, 10))
    finished(import_masks(project, "png", found))
    truth = mask("t/a.png", (1, 0, 0, 10, 5), (2, 20, 0, 4, 4), (0, 0, 5, 10, 5), (3, 30, 0, 4, 4), (1, 0, 28, 5, 1))
    figures = evaluated(project, truth.parent, content="labels").as_json()
    assert list(figures) == ["pixel_accuracy", "mean", "classes", "confusion", "pixels", "empty_images"]
    assert figures["confusion"] == {
        "labels": ["background", "leaf", "cell", "unknown"],
        "counts": [[0, 50, 0, 0], [5, 50, 0, 0], [0, 0, 16, 0]],
    }
    assert figures["pixels"] == 121
    assert figures["pixel_accuracy"] == pytest.approx(66 / 121)
    leaf = figures["classes"]["leaf"]
    assert leaf == pytest.approx({"iou": 50 / 105, "dice": 100 / 155, "precision": 50 / 100, "recall": 50 / 55})
    assert figures["mean"]["iou"] == pytest.approx((0 + 50 / 105 + 1) / 3)


def test_where_nothing_was_found_is_a_miss(project: Project, mask: Mask) -> None:
    figures = evaluated(project, mask("a.png", (1, 0, 0, 10, 10))).as_json()
    assert figures["confusion"]["counts"][1] == [0, 0, 0, 100]
    assert figures["pixel_accuracy"] == 0


def test_proposals_are_compared_unless_labels_are_asked_for(project: Project, mask: Mask) -> None:
    path = mask("a.png", (1, 0, 0, 10, 10))
    finished(import_masks(project, "png", path, target=Target.PROPOSALS))
    assert evaluated(project, path).as_json()["pixel_accuracy"] == 1
    assert evaluated(project, path, content="labels").as_json()["pixel_accuracy"] == 0


def test_ignored_pixels_of_the_labels_count_as_not_found(project: Project, mask: Mask) -> None:
    finished(import_masks(project, "png", mask("f/a.png", (3, 0, 0, 10, 10))))
    figures = evaluated(project, mask("t/a.png", (1, 0, 0, 10, 10)), content="labels").as_json()
    assert figures["confusion"]["counts"][1][-1] == 100


def test_a_map_and_unknown_values_work_as_in_import(project: Project, mask: Mask) -> None:
    truth = mask("a.png", (7, 0, 0, 10, 10))
    with pytest.raises(UnknownClassValue, match=r"a\.png.*7"):
        evaluated(project, truth)
    assert evaluated(project, truth, mapping=parsed_map(["7=leaf"])).as_json()["pixels"] == 100
    with pytest.raises(MaskMismatch, match=r"b\.png"):
        evaluated(project, mask("b.png", size=(3, 3)))


def test_a_side_of_the_split_is_chosen(project: Project, mask: Mask) -> None:
    finished(import_masks(project, "png", mask("f/a.png", (1, 0, 0, 10, 10))))
    mask("t/b.png", (1, 0, 0, 3, 3))
    truth = mask("t/a.png", (1, 0, 0, 10, 10)).parent
    assert evaluated(project, truth, content="labels").images == 2
    assert evaluated(project, truth, content="labels", split="train").as_json()["pixels"] == 100
    with pytest.raises(UserError, match="held-out"):
        evaluated(project, truth, split="held-out")


def test_a_truth_without_background_sees_no_false_positive_and_that_is_said(project: Project, mask: Mask) -> None:
    truth = mask("t/a.png", (1, 0, 0, 10, 10)).parent
    finished(import_masks(project, "png", mask("all/a.png", (1, 0, 0, *SIZE)).parent, target=Target.PROPOSALS))
    blind = evaluated(project, truth)
    assert blind.as_json()["classes"]["leaf"]["precision"] == 1.0
    assert any("the truth has no background" in note for note in blind.notes)
    seeing = evaluated(project, mask("u/a.png", (0, 0, 0, *SIZE), (1, 0, 0, 10, 10)).parent)
    assert seeing.as_json()["classes"]["leaf"]["precision"] < 0.1
    assert seeing.notes == ()


def test_images_with_nothing_to_compare_are_counted_and_named(project: Project, mask: Mask) -> None:
    mask("t/b.png", (1, 0, 0, 3, 3))
    truth = mask("t/a.png", (1, 0, 0, 10, 10)).parent
    before = evaluated(project, truth)
    assert before.as_json()["empty_images"] == 2
    assert before.note == (
        "2 of 2 images have no proposal (the first is a.png): all their pixels count as missed."
        " 'segstudio predict --all' makes proposals."
    )
    finished(import_masks(project, "png", truth / "a.png", target=Target.PROPOSALS))
    assert evaluated(project, truth).empty == ("b.jpg",)
    note = evaluated(project, truth, content="labels").note
    assert note.startswith("2 of 2 images have no labels (the first is a.png")
    finished(import_masks(project, "png", truth))
    after = evaluated(project, truth, content="labels")
    assert (after.empty, after.note) == ((), "")


def test_masks_without_an_image_are_named(project: Project, mask: Mask) -> None:
    mask("t/nobody.png")
    report = evaluated(project, mask("t/a.png", (1, 0, 0, 10, 10)).parent)
    assert report.skipped == ("nobody.png",)
    assert report.counts.sum() == 100
    assert np.issubdtype(report.counts.dtype, np.integer)


def test_truth_of_nothing_but_0_and_255_is_refused_with_the_way_out(project: Project, mask: Mask) -> None:
    mask("t/b.png", ground=0)
    truth = mask("t/a.png", (255, 0, 0, 10, 10), ground=0).parent
    with pytest.raises(UserError, match="only 0 and 255") as told:
        evaluated(project, truth)
    assert "--map 255=CLASS" in told.value.line
    assert "--map 255= keeps it unknown" in told.value.line
    assert "\n" not in told.value.line
    assert evaluated(project, truth, mapping=parsed_map(["255=leaf"])).as_json()["pixels"] == 2 * TOTAL
    with pytest.raises(UserError, match="no pixel of any class but the background"):
        evaluated(project, truth, mapping=parsed_map(["255="]))
    mask("t/b.png", (1, 0, 0, 2, 2), ground=0)
    assert evaluated(project, truth).as_json()["pixels"] == 2 * TOTAL - 100


def test_sixteen_bits_of_0_and_65535_are_the_same(project: Project, tmp_path: Path) -> None:
    values = np.zeros(SIZE[::-1], np.uint16)
    values[:4] = 65535
    Image.fromarray(values).save(tmp_path / "a.png")
    with pytest.raises(UserError, match="65535 means unknown"):
        evaluated(project, tmp_path / "a.png")


def test_our_own_masks_are_read_as_they_stand(project: Project, mask: Mask, tmp_path: Path) -> None:
    finished(import_masks(project, "png", mask("f/a.png", (0, 0, 0, 10, 10), (1, 0, 0, 2, 2))))
    mask("f/c.png", (0, 0, 0, 10, 10))
    finished(import_masks(project, "png", mask("f/b.png", (0, 0, 0, 10, 10)).parent))
    finished(export(project, "png", tmp_path / "out"))
    assert evaluated(project, tmp_path / "out", content="labels").as_json()["pixels"] == 300
    (tmp_path / "out/masks/a.png").unlink()
    with pytest.raises(UserError, match="no pixel of any class but the background"):
        evaluated(project, tmp_path / "out", content="labels")


def test_a_class_without_truth_is_null(project: Project, mask: Mask) -> None:
    finished(import_masks(project, "png", mask("f/a.png", (1, 0, 0, 10, 10), (2, 20, 0, 4, 4))))
    figures = evaluated(project, mask("t/a.png", (1, 0, 0, 10, 10), (0, 20, 0, 4, 4)), content="labels").as_json()
    assert figures["classes"]["cell"] is None
    assert figures["classes"]["leaf"]["iou"] == 1
    assert figures["mean"]["iou"] == 0.5
