"""While the encoder stays as it is, the decoder learns from levels that are kept; then its late stages learn."""

import msgspec
import numpy as np
import pytest
import torch

from segstudio.learn.networks import build
from segstudio.learn.pool import Encoded, Pool
from segstudio.learn.sampling import UNKNOWN, Batch, Sampler
from segstudio.learn.trainer import Trainer
from segstudio.runs import Choices, Plan, Stepped
from tests.learn.conftest import MemoryData
from tests.learn.helpers import CPU, MEAN_STD, events_of, facts_of, run_to_end


def _plan(data: MemoryData, max_steps: int = 8, **recipe: object) -> Plan:
    from segstudio.learn.plan import make_plan

    plan = make_plan(facts_of(data), Choices(max_steps=max_steps), CPU, base="embedded", **MEAN_STD)
    options = {"patch_px": 64, "pool_patches": 12, "encoder_opens": 0.75, "late_stages": True, **recipe}
    return msgspec.structs.replace(plan, recipe=msgspec.structs.replace(plan.recipe, **options))


def _trainer(plan: Plan) -> Trainer:
    torch.manual_seed(plan.seed)
    net = build(plan.network, channels=plan.channels, classes=len(plan.classes))
    return Trainer(plan, net, torch.device("cpu"))


def _state(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in net.state_dict().items()}


def _changed(before: dict[str, torch.Tensor], net: torch.nn.Module) -> set[str]:
    return {k for k, v in net.state_dict().items() if not torch.equal(before[k], v)}


def test_the_encoder_stays_weights_and_statistics_and_then_its_late_stages_learn(discs: MemoryData):
    trainer = _trainer(_plan(discs, 8))
    before = _state(trainer.net)
    seen: dict[int, set[str]] = {}
    for event in events_of(trainer, discs):
        if isinstance(event, Stepped):
            seen[event.step] = _changed(before, trainer.net)
    assert trainer.plan.opened_at == 6
    assert not [name for name in seen[6] if name.startswith("encoder.")]
    assert [name for name in seen[6] if name.startswith("decoder.")]
    late = {name.split(".")[2] for name in seen[8] if name.startswith("encoder.blocks.")}
    assert late == {"2", "3", "4", "5", "6"}
    encoder = {name for name in seen[8] if name.startswith("encoder.")}
    assert not [name for name in encoder if "running" in name or name.startswith(("encoder.conv_stem", "encoder.bn1"))]


def test_kept_levels_teach_what_the_network_itself_would(discs: MemoryData):
    """But for their half precision."""
    plan = _plan(discs)
    batch = Sampler(facts_of(discs), plan, discs).batch(0)
    found = []
    for pooled in (False, True):
        trainer = _trainer(plan)
        loss = trainer.learn(trainer.encoded(batch, 0) if pooled else batch)
        grads = [p.grad.flatten() for p in trainer.net.parameters() if p.grad is not None]
        found.append((loss, torch.cat(grads).numpy()))
    (plain, a), (kept, b) = found
    assert kept == pytest.approx(plain, rel=0.02)
    assert np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b)) > 0.98


def test_a_run_that_was_cut_ends_in_the_same_bits(discs: MemoryData):
    plan = _plan(discs, 20)
    whole, cut = _trainer(plan), _trainer(plan)
    run_to_end(whole, discs)
    events = events_of(cut, discs)
    for event in events:
        if isinstance(event, Stepped) and event.step == 9:
            break
    saved = cut.snapshot()
    events.close()
    resumed = _trainer(plan)
    resumed.restore(saved)
    run_to_end(resumed, discs)
    assert resumed.plan == whole.plan
    assert not _changed(_state(whole.net), resumed.net)
    assert not _changed(_state(whole.averaged), resumed.averaged)


def _numbered(step: int, count: int) -> Batch:
    numbers = np.array([step * 100 + i for i in range(count)])
    pixels = np.zeros((count, 1, 2, 2), np.float32) + numbers[:, None, None, None]
    return Batch(pixels, np.zeros((count, 2, 2), np.int64))


def _as_it_is(batch: Batch, _step: int) -> Encoded:
    return Encoded([torch.from_numpy(batch.pixels)], torch.from_numpy(batch.labels))


def _held(encoded: Encoded) -> list[int]:
    return [int(x) for x in encoded.levels[0][:, 0, 0, 0]]


def test_one_patch_a_step_comes_new_and_the_oldest_go():
    pool = Pool(10, 4, _numbered, _as_it_is)
    assert _held(pool.batch(0, 0)) == [0, 1, 2, 3]
    for step in range(1, 40):
        held = _held(pool.batch(step, 0))
        assert len(set(held)) == 4
        assert held[-1] == step * 100
        assert min(held) >= (step - 9) * 100
    drawn = [set(_held(pool.batch(step, 0))) for step in range(40, 60)]
    assert len(set.union(*drawn)) >= 20


def test_a_pool_that_is_filled_again_gives_the_same_batch():
    whole, again = Pool(10, 4, _numbered, _as_it_is), Pool(10, 4, _numbered, _as_it_is)
    for step in range(31):
        expected = _held(whole.batch(step, 3))
    list(again.filled(30))
    assert _held(again.batch(30, 3)) == expected


def test_a_patch_that_is_not_finite_teaches_nothing_and_spoils_no_other(discs: MemoryData):
    def broken(step: int, count: int) -> Batch:
        batch = _numbered(step, count)
        batch.pixels[0, 0, 0, 0] = np.nan
        return batch

    found = Pool(10, 4, broken, _as_it_is).batch(0, 0)
    assert torch.isfinite(found.levels[0]).all()
    assert (found.labels[0] == UNKNOWN).all()
    assert (found.labels[1:] == 0).all()


def test_a_head_fitted_in_closed_form_is_better_than_chance_before_the_first_step(discs: MemoryData):
    """On the features of a random decoder, which no other head fits."""
    plan = _plan(discs, patch_px=128)
    batch = Sampler(facts_of(discs), plan, discs).batch(0)
    losses = {}
    for fitted in (False, True):
        trainer = _trainer(plan)
        statistics = _state(trainer.net)
        if fitted:
            trainer.fit_head(batch)
            changed = _changed(statistics, trainer.net)
            assert changed == {"segmentation_head.0.weight", "segmentation_head.0.bias"}
            assert not _changed(_state(trainer.net), trainer.averaged)
        losses[fitted] = trainer.learn(batch)
    assert losses[True] < 0.8 * losses[False]
    assert losses[True] < 1.0
