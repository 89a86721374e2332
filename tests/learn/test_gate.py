from collections.abc import Sequence

import numpy as np
import pytest
import torch

from segstudio.learn.data import LearnedPlane, Part
from segstudio.learn.gate import (
    GATE_POINTS,
    Tally,
    advice,
    decide,
    finished_before,
    held_out,
    measure,
    pixels_of,
    points_needed,
)
from segstudio.learn.predict import Model
from segstudio.metrics import metrics
from segstudio.runs import Figures
from tests.learn.conftest import MemoryData, blob_data
from tests.learn.helpers import facts_of, tiny_plan
from tests.learn.test_predict import Bright


def _model(outputs: tuple[int, ...] = (1, 2)) -> Model:
    return Model(
        name="v1",
        net=Bright(),
        outputs=outputs,
        channels=3,
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
        pitch=32,
        device=torch.device("cpu"),
    )


def _figures(data: MemoryData, outputs: tuple[int, ...] = (1, 2)) -> Figures | None:
    facts = facts_of(data)
    target = held_out(facts, tiny_plan(data, max_steps=1))
    return next((f for f in measure(_model(outputs), data, target) if f is not None), None)


def _at(iou: float) -> Figures:
    return Figures(loss=0.0, mean_iou=iou, iou={})


def test_figures_are_those_of_the_held_out_image_alone():
    data = blob_data(4)
    for image in (1, 2, 3):
        data.pictures[image][...] = 0.5
    found = _figures(data)
    bright, truth = data.pictures[4].mean(2) > 0.5, data.ids[4] == 2
    iou = (bright & truth).sum() / (bright | truth).sum()
    assert found.iou["blob"] == pytest.approx(iou, abs=1e-9)
    assert found.mean_iou == pytest.approx(np.mean(list(found.iou.values())))


def test_unknown_and_accepted_pixels_are_not_measured():
    data = blob_data(4, origin=2)
    assert _figures(data) is None
    data.origins[4][:64] = 1
    data.ids[4][64:] = 3 - data.ids[4][64:]
    assert _figures(data).mean_iou > 0.95


def test_with_few_images_only_the_blocks_are_measured():
    data = blob_data(1, side=256)
    plan = tiny_plan(data, max_steps=1)
    target = held_out(facts_of(data), plan)
    b = plan.blocks[0]
    inside = np.zeros((256, 256), np.bool_)
    for b in plan.blocks:
        inside[b.y : b.y + b.h, b.x : b.x + b.w] = True
    data.ids[1][~inside] = 3 - data.ids[1][~inside]
    found = next(f for f in measure(_model(), data, target) if f is not None)
    assert found.mean_iou > 0.9


def test_a_class_that_the_model_lacks_is_a_miss():
    found = _figures(blob_data(4), outputs=(1, 0))
    assert found.iou["blob"] == 0.0
    assert 0.5 < found.iou["background"] <= 1
    assert found.loss > _figures(blob_data(4)).loss


def test_at_most_so_many_pixels_are_measured_and_always_the_same():
    data = blob_data(4, side=600)
    facts, plan = facts_of(data), tiny_plan(data, max_steps=1)
    few = held_out(facts, plan, 2 * 256 * 256)
    assert len(few.tiles) == 2
    assert few == held_out(facts, plan, 2 * 256 * 256)
    assert set(few.tiles) < set(held_out(facts, plan).tiles)
    assert pixels_of(few) <= 2 * 256 * 256


def _tallies(gains: Sequence[float], *, groups: int = 1, own: float = 0.6) -> tuple[Tally, Tally]:
    """Parent and child on as many blocks as there are gains in IoU, in so many groups, of two classes alike."""

    def tally(ious: Sequence[float]) -> Tally:
        blocks = {}
        for i, iou in enumerate(ious):
            hits = round(2000 * iou / (1 + iou))  # of 1000 pixels of a class: IoU = h / (2000 - h)
            blocks[1 + i % groups, 0, 0, i] = np.array([[hits, 1000 - hits, 0], [1000 - hits, hits, 0]])
        by_group = {f"{g}.png": sum(b for key, b in blocks.items() if key[0] == g) for g in range(1, groups + 1)}
        mean = metrics(sum(blocks.values()), ["a", "b"]).mean.iou
        return Tally(Figures(loss=0.0, mean_iou=mean, iou={}), by_group, blocks)

    return tally([own] * len(gains)), tally([own + gain for gain in gains])


def test_an_even_gain_of_a_point_is_promoted_and_less_is_not():
    assert decide(*_tallies([0.02] * 16)).promoted
    assert decide(*_tallies([0.02] * 16)).reason.startswith("Mean IoU on held-out pixels rose from 0.600 to")
    little = decide(*_tallies([0.006] * 16))
    assert not little.promoted
    assert "less than the one point" in little.reason
    fell = decide(*_tallies([-0.02] * 16))
    assert not fell.promoted
    assert "fell from" in fell.reason
    same = decide(*_tallies([0.0] * 16))
    assert not same.promoted
    assert "stayed at 0.600" in same.reason


def test_a_gain_that_few_blocks_make_up_may_be_chance():
    uneven = decide(*_tallies([0.39, -0.04, -0.04, -0.04, 0.05, -0.04, -0.03, -0.03]))
    assert not uneven.promoted
    assert "too unevenly to rule out chance" in uneven.reason


def test_with_five_groups_it_is_groups_that_must_agree():
    assert decide(*_tallies([0.006] * 20, groups=5)).promoted
    one_of_five = [0.25, -0.01, -0.01, -0.01, -0.01] * 40
    assert decide(*_tallies(one_of_five)).promoted
    assert not decide(*_tallies(one_of_five, groups=5)).promoted


def test_trying_again_on_the_same_labels_needs_more_each_time():
    assert points_needed(0) == GATE_POINTS
    needed = [points_needed(tries) for tries in range(1, 41)]
    assert needed[0] == pytest.approx(0.05)
    assert needed == sorted(needed)
    assert needed[-1] < 0.15
    gain = _tallies([0.06] * 16)
    assert decide(*gain, tries=1).promoted
    again = decide(*gain, tries=5)
    assert not again.promoted
    assert "5 versions have learned from nearly the same labels, so 10.3 points are needed" in again.reason
    assert "1 version has learned" in decide(*_tallies([0.02] * 16), tries=1).reason


def test_without_anything_to_compare_there_is_no_promotion_but_of_the_first():
    parent, child = _tallies([0.1] * 4)
    assert decide(None, child).promoted
    assert not decide(parent, None).promoted
    apart = Tally(child.figures, child.groups, {(9, 0, 0, 0): child.blocks[1, 0, 0, 0]})
    assert "Nothing is held out" in decide(parent, apart).reason


def test_from_ten_groups_on_the_gate_judges_by_others_than_the_run_watched():
    def halves(n: int):
        data = blob_data(n + 3, side=64)
        data.parts = dict.fromkeys(range(4, n + 4), Part.HELD_OUT)
        facts, plan = facts_of(data), tiny_plan(data, max_steps=1)
        return [{t.entry.group for t in held_out(facts, plan, watched=watched).tiles} for watched in (True, False)]

    watched, judged = halves(12)
    assert watched
    assert judged
    assert not watched & judged
    assert len(watched | judged) == 12
    assert halves(9)[0] == halves(9)[1]


def test_the_figures_are_also_given_without_accepted_pixels():
    data = blob_data(4)
    assert (_figures(data).accepted, _figures(data).without_accepted) == (0.0, _figures(data).mean_iou)
    data.finished.add(4)
    data.origins[4][:64] = 2
    data.ids[4][64:] = 3 - data.ids[4][64:]
    found = _figures(data)
    assert found.accepted == 0.5
    assert found.without_accepted < 0.1 < found.mean_iou
    data.origins[4][...] = 2
    assert _figures(data).without_accepted is None


def test_a_damaged_held_out_picture_is_not_measured_and_the_others_are():
    data = blob_data(5)
    data.parts[4] = Part.HELD_OUT
    data.parts[5] = Part.HELD_OUT
    data.damaged = {5}
    whole = _figures(data)
    del data.parts[5]
    assert whole == _figures(data)
    data.damaged = {4, 5}
    assert _figures(data) is None


def test_a_child_that_lost_is_told_what_would_help():
    data = blob_data(4)
    plan = tiny_plan(data, max_seconds=60.0)
    few = advice(plan, _at(0.2), 7, stopped=False)
    assert few == "Train longer: only 7 steps fitted in 60 s. Label more images: it learned from 3 images."
    assert "it was stopped after 1 step." in advice(plan, _at(0.2), 1, stopped=True)
    assert "it made only 7 steps" in advice(tiny_plan(data, max_steps=7), _at(0.2), 7, stopped=False)
    assert advice(plan, None, 100, stopped=False).startswith("Label more images: from the fourth on,")
    many = tiny_plan(blob_data(12, side=64), max_seconds=60.0)
    assert advice(many, _at(0.2), 100, stopped=False) == "Correct the proposals where they are worst, and train again."


def test_what_may_be_forgotten_are_finished_training_images_that_were_learned_from():
    data = blob_data(6, side=300)
    data.finished = {1, 2, 4, 5}
    learned = [LearnedPlane(f"{i}.png", 0, "train", i) for i in (1, 3, 4)]
    facts = facts_of(data)
    target = finished_before(facts, learned)
    assert {t.entry.image for t in target.tiles} == {1, 4}
    assert len(target.tiles) == 8
    assert finished_before(facts, ()).tiles == ()
    assert len(finished_before(facts, learned, 3 * 256 * 256).tiles) == 3


def test_a_held_out_image_is_not_among_what_may_be_forgotten():
    data = blob_data(4)
    data.finished = {4}
    assert finished_before(facts_of(data), [LearnedPlane("4.png", 0, "train", 4)]).tiles == ()
