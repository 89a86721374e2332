"""A leg of the base's training: its rate, its start, and that a cut one is as good as an uncut one."""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from segstudio.assets import asset
from segstudio.learn import weights as weights_module
from segstudio.learn.networks import head_conv
from segstudio.learn.weights import check_model, load_base
from tests.training.conftest import FOLDER

Load = Callable[[str], ModuleType]
RUNS_ON = SimpleNamespace(asked=False)


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def whole_split(training: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny sets hold out other pictures than those of the shipped card."""
    monkeypatch.setattr(training("course"), "check_split", lambda *_: None)


def plan_of(training: Load, packed: Path, **told: Any) -> Any:
    course, pack = training("course"), training("pack")
    opened = pack.open_pack(packed)
    small = {"steps": 20, "pairs": 1, "side": 64, "before": 1466, "digest": opened.digest}
    return course.Plan(**{**small, **told}), opened


def shipped_training() -> dict[str, Any]:
    """What the card of the embedded base says of its training."""
    return json.loads(asset("models", "base.json").read_text(encoding="utf-8"))["training"]


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(value, b[key]) for key, value in a.items())


@pytest.mark.usefixtures("one_thread", "whole_split")
@pytest.mark.parametrize("bfloat16", [False, True])
def test_a_leg_that_was_cut_and_resumed_gives_the_same_bits(
    training: Load, packed: Path, tmp_path: Path, bfloat16: bool
) -> None:
    course, command = training("course"), training("train_base")
    plan, pack = plan_of(training, packed, bfloat16=bfloat16)
    uncut = course.Course(plan, pack, torch.device("cpu"))
    command.train(uncut, pack, tmp_path / "uncut.pt", RUNS_ON)

    first = course.Course(plan, pack, torch.device("cpu"))
    for step in range(7):
        first.step(training("patches").batch(pack, plan.seed, plan.before + step, plan.pairs, plan.side))
    first.save(tmp_path / "cut.pt")
    again, state = course.read_checkpoint(tmp_path / "cut.pt")
    second = course.Course(again, pack, torch.device("cpu"))
    second.restore(state)
    command.train(second, pack, tmp_path / "cut.pt", RUNS_ON)

    assert second.step_number == uncut.step_number == 20
    assert second.losses == uncut.losses
    assert same(second.net.state_dict(), uncut.net.state_dict())
    assert same(second.ema, uncut.ema)
    assert not same(uncut.ema, uncut.net.state_dict())


@pytest.mark.usefixtures("one_thread", "whole_split")
def test_a_leg_asked_to_stop_ends_after_its_step_with_a_checkpoint(
    training: Load, packed: Path, tmp_path: Path
) -> None:
    course, command = training("course"), training("train_base")
    plan, pack = plan_of(training, packed)
    leg = course.Course(plan, pack, torch.device("cpu"))
    command.train(leg, pack, tmp_path / "leg.pt", SimpleNamespace(asked=True))
    assert course.read_checkpoint(tmp_path / "leg.pt")[1]["step"] == 1


def test_a_signal_asks_to_stop(training: Load) -> None:
    before = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        stop = training("train_base").Stop()
        assert not stop.asked
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.asked
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def test_the_rate_rises_over_the_warm_up_and_stays_but_in_the_last_leg(training: Load) -> None:
    course = training("course")
    leg, last = course.Plan(steps=1000), course.Plan(steps=1000, last=True)
    assert course.rate_at(leg, 0) == pytest.approx(1 / 200)
    assert course.rate_at(leg, 99) == pytest.approx(0.5)
    assert {course.rate_at(leg, step) for step in range(200, 1000)} == {1.0}
    assert course.rate_at(leg, 5000) == 1.0
    falling = [course.rate_at(last, step) for step in range(199, 1000)]
    assert falling[0] == falling[1] == 1.0
    assert all(a >= b for a, b in itertools.pairwise(falling))
    assert falling[-1] == pytest.approx(0.01, abs=1e-4)


@pytest.mark.usefixtures("whole_split")
def test_a_leg_begins_from_the_embedded_base_with_its_heads_in_their_new_places(training: Load, packed: Path) -> None:
    plan, pack = plan_of(training, packed)
    leg, base = training("course").Course(plan, pack, torch.device("cpu")), load_base()
    theirs = base.state_dict()
    body = {k: v for k, v in leg.net.state_dict().items() if not k.startswith("segmentation_head.")}
    assert all(torch.equal(value, theirs[key]) for key, value in body.items() if value.is_floating_point())
    places = {head["set"]: head["channels"] for head in json.loads(asset("models", "base.json").read_text())["heads"]}
    for name, (start, stop) in zip([*(s.name for s in pack.sets), "foreground"], leg.slices, strict=True):
        if name in places:
            assert torch.equal(head_conv(leg.net).weight[start:stop], head_conv(base).weight[slice(*places[name])])
    assert "coco_ccby" in {s.name for s in pack.sets}


@pytest.mark.usefixtures("whole_split")
def test_a_leg_counts_the_legs_and_steps_before_it_and_one_from_imagenet_none(training: Load, packed: Path) -> None:
    command, pack = training("train_base"), training("pack").open_pack(packed)
    leg = command.begin(command.options_of(["--leg", "--last", "--seed", "3"]), pack, torch.device("cpu"))
    told = shipped_training()
    assert leg.plan.before == told["steps"] >= 1466
    assert leg.plan.leg == len(told.get("legs", [told])) + 1
    assert (leg.plan.last, leg.plan.seed) == (True, 3)
    fresh = command.begin(command.options_of(["--leg", "--start", "imagenet"]), pack, torch.device("cpu"))
    assert (fresh.plan.before, fresh.plan.leg, fresh.plan.last) == (0, 1, False)
    assert not same(fresh.net.state_dict(), leg.net.state_dict())


def test_pictures_that_the_weights_have_seen_are_not_held_out(training: Load, packed: Path) -> None:
    pack = training("pack").open_pack(packed)
    stems = [p.stem for p in pack.sets[0].held_out]
    card = {"data": [{"set": pack.sets[0].name, "held_out": stems}]}
    training("course").check_split(pack.sets, card)
    with pytest.raises(ValueError, match="have seen it"):
        training("course").check_split(pack.sets, {"data": [{"set": pack.sets[0].name, "held_out": stems[1:]}]})


@pytest.mark.usefixtures("one_thread", "whole_split")
def test_what_is_frozen_stays_and_the_rest_learns(training: Load, packed: Path) -> None:
    plan, pack = plan_of(training, packed, warmup=1)
    leg = training("course").Course(plan, pack, torch.device("cpu"))
    before = {key: value.clone() for key, value in leg.net.state_dict().items()}
    leg.step(training("patches").batch(pack, 7, 2, 1, 64))
    after = leg.net.state_dict()
    moved = {key for key, value in after.items() if not torch.equal(value, before[key])}
    still = ("encoder.conv_stem", "encoder.bn1", "encoder.blocks.0.", "encoder.blocks.1.")
    assert not [key for key in moved if key.startswith(still)]
    assert any(key.startswith("encoder.blocks.5.") for key in moved)
    assert not [key for key in moved if key.startswith("encoder.") and "running" in key]
    assert any(key.startswith("decoder.") and "running_mean" in key for key in moved)


@pytest.mark.usefixtures("one_thread", "whole_split")
def test_the_loss_falls(training: Load, packed: Path) -> None:
    plan, pack = plan_of(training, packed, warmup=1, freeze=5)
    leg = training("course").Course(plan, pack, torch.device("cpu"))
    batch = training("patches").batch(pack, 7, 4, 2, 64)
    totals = [sum(leg.step(batch)) for _ in range(12)]
    assert sum(totals[-3:]) < 0.8 * sum(totals[:3])


@pytest.mark.usefixtures("one_thread", "whole_split")
def test_an_exported_leg_is_a_model_that_the_doctor_accepts(
    training: Load, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, evaluate, export = training("course"), training("evaluate_base"), training("export")
    plan, pack = plan_of(training, packed, steps=2)
    leg = course.Course(plan, pack, torch.device("cpu"))
    training("train_base").train(leg, pack, tmp_path / "leg.pt", RUNS_ON)
    model, state = evaluate.averaged(tmp_path / "leg.pt", pack, torch.device("cpu"))
    evaluate.measure_statistics(model, pack, 2)
    figures = evaluate.measure(model, pack, [])
    legs = [*export.embedded_legs(), export.leg_of(plan, state, 2)]
    (tmp_path / "models").mkdir()
    export.write_base(model.net, pack.sets, model.slices, model.normalisation, figures, legs, tmp_path / "models")
    monkeypatch.setattr(weights_module, "asset", lambda *parts: tmp_path.joinpath(*parts))
    found = check_model("base")
    assert found.ok, found.message
    card = json.loads((tmp_path / "models" / "base.json").read_text(encoding="utf-8"))
    assert card["training"]["steps"] == shipped_training()["steps"] + 2
    assert [leg["steps"] for leg in card["training"]["legs"]][-1] == 2
    assert card["training"]["legs"][:-1] == export.embedded_legs()
    assert card["training"]["legs"][-1]["patches_a_step"] == 2
    assert card["parameters"] <= 5_000_000
    assert set(card["held_out"]) == {s.name for s in pack.sets}
    assert "coffee_leaves | CC0-1.0 | 4 + 2 |" in evaluate.table(pack.sets, figures)


def test_the_commands_say_what_they_want() -> None:
    for name in ("pack", "train_base", "evaluate_base"):
        done = subprocess.run(
            [sys.executable, str(FOLDER / f"{name}.py"), "--help"], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert "--pack" in done.stdout or name == "pack"
