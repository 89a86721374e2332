import numpy as np
import pytest
import torch

from segstudio.learn.data import Part
from segstudio.learn.gate import advice, decide, held_out, measure, pixels_of
from segstudio.learn.predict import Model
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


@pytest.mark.parametrize(
    ("parent", "child", "promoted"),
    [(0.5, 0.51, True), (0.5, 0.5099, False), (0.5, 0.4, False), (None, 0.1, True), (0.5, None, False)],
)
def test_a_child_has_to_be_one_point_better(parent: float | None, child: float | None, promoted: bool):
    verdict = decide(None if parent is None else _at(parent), None if child is None else _at(child))
    assert verdict.promoted is promoted
    assert verdict.reason.endswith(".")


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
