from itertools import pairwise

import msgspec
import pytest

from segstudio.learn.networks import build
from segstudio.learn.schedules import parameter_groups, rate_at
from segstudio.runs import Plan
from tests.learn.conftest import MemoryData
from tests.learn.helpers import tiny_plan, tiny_trainer


def _plan(discs: MemoryData, **recipe: object) -> Plan:
    plan = tiny_plan(discs, max_steps=100)
    return msgspec.structs.replace(plan, recipe=msgspec.structs.replace(plan.recipe, **recipe))


def test_the_rate_rises_stays_and_follows_the_decay_that_is_written_down(discs: MemoryData):
    plan = _plan(discs, warmup_steps=4)
    assert [rate_at(plan, step) for step in (0, 1, 3, 4, 99)] == [0.25, 0.5, 1.0, 1.0, 1.0]
    falling = msgspec.structs.replace(plan, decay_at=10, decay=(0.8, 0.4, 0.02))
    assert [rate_at(falling, step) for step in (9, 10, 11, 12, 13)] == [1.0, 0.8, 0.4, 0.02, 0.02]
    assert rate_at(msgspec.structs.replace(plan, decay_at=0, decay=(0.8,)), 0) == 0.25


def test_plans_of_earlier_releases_rise_straight_and_fall_along_half_a_cosine(discs: MemoryData):
    plan = _plan(discs, warmup_steps=10, schedule="warmup_cosine")
    rates = [rate_at(plan, step) for step in range(100)]
    assert rates[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert rates[10] == pytest.approx(1.0)
    assert all(a > b for a, b in pairwise(rates[10:]))
    assert rates[55] == pytest.approx(0.505, abs=0.01)
    assert rates[99] == pytest.approx(0.01, abs=0.01)
    with pytest.raises(ValueError, match="length"):
        rate_at(msgspec.structs.replace(plan, steps=None), 10)


def test_the_encoder_learns_slower_and_biases_do_not_decay(discs: MemoryData):
    net = build("tiny", channels=3, classes=2)
    groups = parameter_groups(net, _plan(discs, encoder_factor=0.1))
    place = {id(p): g for g in groups for p in g["params"]}
    assert place[id(net.encoder.conv_stem.weight)]["factor"] == 0.1
    assert place[id(net.encoder.bn1.weight)]["factor"] == 0.1
    assert place[id(net.encoder.bn1.weight)]["weight_decay"] == 0.0
    assert place[id(net.decoder.weight)]["factor"] == 1.0
    assert place[id(net.decoder.weight)]["weight_decay"] > 0
    assert place[id(net.decoder.bias)]["weight_decay"] == 0.0
    assert len(place) == len(list(net.parameters()))


def test_frozen_statistics_stay_while_the_scales_learn(discs: MemoryData):
    from segstudio.learn.sampling import Sampler
    from tests.learn.helpers import facts_of

    plan = _plan(discs, frozen_statistics=True, encoder_factor=0.1)
    trainer = tiny_trainer(plan)
    before = {k: v.clone() for k, v in trainer.net.state_dict().items()}
    trainer.learn(Sampler(facts_of(discs), plan, discs).batch(0))
    after = trainer.net.state_dict()
    assert (after["encoder.bn1.running_mean"] == before["encoder.bn1.running_mean"]).all()
    assert (after["encoder.bn1.weight"] != before["encoder.bn1.weight"]).any()
