"""The effort curve: forecasts from points of a known law, and what a project has to say."""

import json
from dataclasses import replace

import numpy as np
import pytest

from segstudio.labels.edit import Edit, TileChange
from segstudio.labels.model import Cause, ImageId, Seq
from segstudio.labels.tiles.tile import EMPTY
from segstudio.store.learning import add_trained
from segstudio.store.project import Project
from segstudio.store.values import VersionRow
from segstudio.tasks.labels.accept import accept
from segstudio.tasks.learning.effort_curve import (
    Cost,
    Forecast,
    Point,
    costs,
    forecast,
    forecast_words,
    next_target,
    points,
)
from segstudio.tasks.progress import finished
from tests.tasks.test_accept import CELL, propose


def _law(numbers: list[int], start: float = 0.5, power: float = 0.5, noise: float = 0.0, seed: int = 0) -> list[Point]:
    """Versions whose error is start * n ** -power, times a factor of chance."""
    rng = np.random.default_rng(seed)
    factors = np.exp(noise * rng.standard_normal(len(numbers)))
    return [Point(f"v{n}", n, 1 - start * n**-power * f) for n, f in zip(numbers, factors.tolist(), strict=True)]


def _spent(*seconds: float) -> list[Cost]:
    return [Cost(ImageId(i), f"{i}.png", 0.1, each) for i, each in enumerate(seconds)]


@pytest.mark.parametrize("power", [0.3, 0.5, 1.0])
def test_points_of_a_power_law_are_continued(power: float):
    known = _law([2, 4, 8, 16], power=power)
    target = 1 - 0.5 * 29.5**-power
    found = forecast(known, _spent(60.0, 120.0, 180.0), target)
    assert found is not None
    assert (found.images, found.least, found.most) == (14, 14, 14)
    assert found.seconds == 120.0


def test_the_interval_holds_the_truth_in_most_projects_and_widens_with_chance():
    target = 1 - 0.5 * 24**-0.5
    held, widths = 0, []
    for noise in (0.03, 0.12):
        found = [forecast(_law([2, 4, 6, 9, 12], noise=noise, seed=seed), [], target) for seed in range(40)]
        told = [each for each in found if each is not None and each.most is not None]
        held += sum(each.least <= 12 <= (each.most or 0) for each in told)
        widths.append(np.mean([(each.most or 0) - each.least for each in told]))
        assert len(told) >= 20
    assert held >= 45
    assert widths[0] < widths[1]


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (_law([2, 4, 8]), "three numbers of images"),
        (_law([10, 11, 12, 13]), "too narrow"),
        (_law([2, 4, 8, 16], power=-0.1, start=0.2), "it gets worse"),
        (_law([2, 4, 8, 16], power=0.02), "out of sight"),
        (_law([1, 2, 3, 4, 5, 6], noise=1.5, seed=3), "chance alone"),
        ([], "nothing"),
    ],
)
def test_where_the_versions_do_not_carry_it_nothing_is_said(known: list[Point], why: str):
    assert forecast(known, _spent(60.0), 0.95) is None, why


def test_the_best_version_of_each_number_counts():
    known = _law([2, 4, 8, 16])
    found = forecast([*known, Point("worse", 8, 0.1)], [], 1 - 0.5 * 29.5**-0.5)
    assert found == forecast(known, [], 1 - 0.5 * 29.5**-0.5)


def test_the_next_target_is_above_the_best():
    assert next_target([]) == 0.80
    assert next_target(_law([1])) == 0.80
    assert next_target([Point("v1", 3, 0.85)]) == 0.90
    assert next_target([Point("v1", 3, 0.96)]) is None


def test_the_words_say_how_sure_they_are():
    assert forecast_words(Forecast(0.9, 11, 8, 15, 185.0)) == (
        "About 11 more images (8 to 15), 34 minutes, to a mean IoU of 0.90"
    )
    assert forecast_words(Forecast(0.8, 1, 1, None, 0.0)) == "About 1 more image (1 or more) to a mean IoU of 0.80"


def _version(project: Project, images: int, mean_iou: float, held_out: str = "9.png") -> None:
    number = len(project.versions()) + 1
    row = VersionRow(f"v{number}", number, "deep", "embedded", "", Seq(0), promoted=True)
    row = replace(row, figures={"child": {"loss": 0.1, "mean_iou": mean_iou, "iou": {}}})
    add_trained(project, row, run=None, groups={}, current=row.name, state="done", summary={}).result()
    planes = [{"path": f"{i}.png", "plane": p, "part": "train"} for i in range(images) for p in range(2)]
    card = {"data": {"images": [*planes, {"path": held_out, "part": "held-out"}], "held_out_groups": [held_out]}}
    folder = project.path / "models"
    folder.mkdir(exist_ok=True)
    (folder / f"{row.name}.json").write_text(json.dumps(card))


def test_versions_of_a_release_that_wrote_other_figures_are_left_out(project: Project):
    _version(project, 2, 0.5)
    _version(project, 3, 0.6)
    card = project.path / "models" / "v2.json"
    card.write_text(card.read_text().replace('{"path": "0.png", "plane": 0, "part": "train"}', '"0.png"'))
    later = VersionRow("v3", 3, "deep", "embedded", "", Seq(0), promoted=True, figures={"child": {"dice": 0.9}})
    add_trained(project, later, run=None, groups={}, current="v3", state="done", summary={}).result()
    (project.path / "models" / "v3.json").write_text((project.path / "models" / "v1.json").read_text())
    assert points(project) == [Point("v1", 5, 0.5, of_planes=True)]


def test_a_project_gives_its_points_and_costs(project: Project):
    _version(project, 2, 0.99, held_out="other.png")
    for images, mean_iou in ((2, 0.5), (4, 0.6)):
        _version(project, images, mean_iou)
    (project.path / "models" / "v2.json").write_text("{")
    assert points(project) == [Point("v3", 9, 0.6, of_planes=True)], "another measure, and a damaged card, are left out"
    rows = project.images()
    project.add_time(rows[0].id, 90.0).result()
    project.set_effort(rows[0].id, 25, 100).result()
    assert costs(project) == []
    propose(project, int(rows[0].id), ground=CELL)
    finished(accept(project, rows[:1], done=True))
    assert costs(project) == [Cost(rows[0].id, rows[0].path, 0.25, 90.0)]


def test_of_a_stack_the_planes_that_are_done_are_counted():
    spent = [replace(each, seconds=each.seconds * 10, planes=10) for each in _spent(60.0, 120.0, 180.0)]
    known = [replace(point, of_planes=True) for point in _law([2, 4, 8, 16])]
    found = forecast(known, spent, 1 - 0.5 * 29.5**-0.5)
    assert found is not None
    assert (found.images, found.seconds, found.of_planes) == (14, 120.0, True)
    assert forecast_words(found).startswith("About 14 more planes (14 to 14), 28 minutes, to a mean IoU of")


def _correct(project: Project, image: ImageId) -> None:
    """Erase the first tile of an image."""
    before = project.document(image).raster.glance((0, 0, 0))
    edit = Edit(image, Cause.ERASE, tiles={(0, 0, 0): TileChange(before, EMPTY)})
    assert project.writer is not None
    project.writer.submit(edit)
    assert project.writer.flush(30)


def test_an_image_that_is_corrected_after_it_was_finished_keeps_its_place(project: Project):
    rows = project.images()[:2]
    for row in rows:
        propose(project, int(row.id), ground=CELL)
        finished(accept(project, [row], done=True))
    assert [cost.image for cost in costs(project)] == [row.id for row in rows]
    _correct(project, rows[0].id)
    assert project.images()[0].last_edit > project.images()[1].last_edit
    assert [cost.image for cost in costs(project)] == [row.id for row in rows]
