import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from segstudio.learn.gate import decide, held_out, measure
from segstudio.learn.instant import fit_instant
from segstudio.learn.loop import Trainer
from segstudio.learn.networks import build
from segstudio.learn.plan import make_plan
from segstudio.learn.sampling import UNKNOWN, Sampler
from segstudio.learn.split import excluded, margin_within, rects_of
from segstudio.learn.versions import trained_model, version_card
from segstudio.runs import Block, Choices, Plan
from tests.learn.conftest import BACKGROUND, BRIGHT, MemoryData, blob_data
from tests.learn.helpers import CPU, MEAN_STD, facts_of

SIDES = st.integers(1, 600)


def _of(sizes: list[tuple[int, int]]) -> MemoryData:
    """Pictures of two classes, wholly painted."""
    ids = {}
    for i, (width, height) in enumerate(sizes, 1):
        ids[i] = np.full((height, width), BACKGROUND, np.int32)
        ids[i][:, : width // 2] = BRIGHT
    pictures = {i: np.repeat((a == BRIGHT)[..., None], 3, 2).astype(np.float32) for i, a in ids.items()}
    return MemoryData(pictures, ids, {i: np.ones(a.shape, np.uint8) for i, a in ids.items()})


def _plan(data: MemoryData) -> Plan:
    return make_plan(facts_of(data), Choices(max_steps=1), CPU, base="embedded", blocks=data.held_blocks, **MEAN_STD)


@settings(max_examples=60)
@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=3))
@example([(64, 64)])
@example([(100, 100)])
@example([(159, 159)])
@example([(600, 20), (40, 40)])
def test_at_least_half_of_every_image_trains(sizes: list[tuple[int, int]]):
    data = _of([size if size[0] > 1 else (2, size[1]) for size in sizes])
    plan = _plan(data)
    for entry in data.planes():
        hidden = excluded(rects_of(plan.blocks, entry), margin_within(entry, plan.margin_px), entry.bounds)
        assert hidden is None or hidden.mean() <= 0.5
    assert [c.id for c in plan.classes] == [BACKGROUND, BRIGHT]
    assert plan.optimistic == bool(plan.blocks)


@pytest.mark.parametrize("side", [1, 20, 64, 70])
def test_an_image_too_small_for_a_block_is_learned_from_whole_and_the_verdict_says_so(side: int):
    data = _of([(max(side, 2), side)])
    plan = _plan(data)
    assert not plan.blocks
    assert not plan.optimistic
    assert (Sampler(facts_of(data), plan, data).batch(0).labels != UNKNOWN).any()
    target = held_out(facts_of(data), plan)
    net = build("tiny", channels=3, classes=2)
    model = trained_model("v1", net, version_card(plan), torch.device("cpu"), bfloat16=False)
    assert not list(measure(model, data, target))
    assert "Nothing is held out" in decide(None, None).reason


@pytest.mark.parametrize("side", [96, 128, 160])
def test_an_image_with_room_for_a_block_has_held_out_figures(side: int):
    data = blob_data(1, side=side)
    plan = _plan(data)
    assert plan.optimistic
    inside = [excluded(rects_of(plan.blocks, e), 0, e.bounds) for e in data.planes()]
    assert 0.04 < inside[0].mean() < 0.3


@pytest.mark.parametrize("side", [48, 100, 128, 159])
def test_the_instant_learner_learns_from_small_images_whatever_was_held_out_before(side: int):
    data = blob_data(1, side=side)
    data.held_blocks = _plan(data).blocks or (Block(1, 0, 0, 0, 32, 32),)
    fitting = fit_instant(data, data.classes(), data.held_blocks, 64, torch.device("cpu"), bfloat16=False)
    models = [model for model in fitting if model is not None]
    assert len(models[0].outputs) == 2
    plan = _plan(data)
    assert plan.blocks[: len(data.held_blocks)] == data.held_blocks
    Trainer(plan, build("tiny", channels=3, classes=2), torch.device("cpu")).learn(
        Sampler(facts_of(data), plan, data).batch(0)
    )
