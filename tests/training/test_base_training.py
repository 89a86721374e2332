"""The training of the embedded base: its loss, its split and its made pictures."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

FOLDER = Path(__file__).resolve().parents[2] / "training"


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The training script as a module; its siblings are found through it."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("train_base")


def test_unknown_pixels_weigh_exactly_nothing(training: ModuleType) -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 8, 8, requires_grad=True)
    truth = torch.randint(0, 3, (2, 8, 8))
    truth[:, :4] = 255
    loss = training.region_loss(logits, truth)
    loss.backward()
    assert logits.grad is not None
    assert float(logits.grad[:, :, :4].abs().max()) == 0.0
    assert float(logits.grad[:, :, 4:].abs().min()) > 0.0
    changed = logits.detach().clone()
    changed[:, :, :4] = 50.0
    assert torch.equal(training.region_loss(changed, truth), loss.detach())


def test_a_patch_without_known_pixels_gives_no_loss_and_no_gradient(training: ModuleType) -> None:
    logits = torch.randn(1, 2, 4, 4, requires_grad=True)
    loss = training.region_loss(logits, torch.full((1, 4, 4), 255))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert logits.grad is not None
    assert float(logits.grad.abs().max()) == 0.0


def test_the_rate_rises_then_falls_to_almost_nothing(training: ModuleType) -> None:
    rates = [training.rate_at(p) for p in np.linspace(0, 1, 101)]
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert rates.index(max(rates)) <= 4
    assert rates[-1] == pytest.approx(0.01)


def test_whole_groups_are_held_out(training: ModuleType) -> None:
    sets = importlib.import_module("sets")
    stems = [f"{i:03d}" for i in range(60)]
    groups = {stem: f"group {int(stem) % 9}" for stem in stems}
    held = sets._held_out(stems, groups, sets.RECIPES[0], seed=3)
    assert 6 <= len(held) <= 16
    assert not {groups[s] for s in held} & {groups[s] for s in stems if s not in held}


def test_no_set_kept_for_evaluation_is_named(training: ModuleType) -> None:
    sets = importlib.import_module("sets")
    kept = {"aerial_dubai_heldout", "crop_weed", "em_neural_tissue", "retina_vessels", "road_cracks", "street_facades"}
    assert not kept & {recipe.folder for recipe in sets.RECIPES}
    assert "evaluate" not in (FOLDER / "sets.py").read_text(encoding="utf-8")


def test_a_made_picture_depends_on_its_seed_alone(training: ModuleType) -> None:
    synthetic = importlib.import_module("synthetic")
    first, second, other = (synthetic.picture(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])
    assert not np.array_equal(first[0], other[0])
    assert set(np.unique(first[1])) <= {0, 1}
