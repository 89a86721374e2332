"""Several decoders on one encoder learn in turns and answer together."""

import hashlib

import msgspec
import pytest
import torch

from segstudio.learn.folding import folded
from segstudio.learn.fusing import fused
from segstudio.learn.members import every_of, with_members
from segstudio.learn.networks import build
from segstudio.learn.plan import make_plan
from segstudio.learn.predict import predict_tiles
from segstudio.learn.trainer import Trainer
from segstudio.learn.versions import encode_weights, starting_network, trained_model, version_card, version_model
from segstudio.runs import Choices, Plan, Stepped
from tests.learn.conftest import MemoryData, blob_data
from tests.learn.helpers import CPU as MACHINE
from tests.learn.helpers import MEAN_STD, events_of, facts_of, run_to_end
from tests.learn.test_versions import WithVersion

CPU = torch.device("cpu")


def _plan(data: MemoryData, members: int = 2, base: str = "embedded", **choices: object) -> Plan:
    plan = make_plan(facts_of(data), Choices(**{"max_steps": 4, **choices}), MACHINE, base=base, **MEAN_STD)
    options = {"patch_px": 64, "pool_patches": 12, "members": members}
    return msgspec.structs.replace(plan, recipe=msgspec.structs.replace(plan.recipe, **options))


def _trainer(plan: Plan, data: MemoryData) -> Trainer:
    return Trainer(plan, starting_network(plan, data, data.classes(), False), CPU)


def _apart(members: list[torch.nn.Module]) -> float:
    a, b = (
        torch.cat([p.detach().flatten() for p in member.get_submodule("decoder").parameters()]) for member in members
    )
    return float((a - b).abs().max())


def _state(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in net.state_dict().items()}


def _two() -> torch.nn.Module:
    """A network whose second decoder and head are other ones."""
    torch.manual_seed(1)
    net = with_members(build("unet_lite0", classes=3), 2)
    other = build("unet_lite0", classes=3)
    for part in ("decoder", "segmentation_head"):
        every_of(net)[1].get_submodule(part).load_state_dict(other.get_submodule(part).state_dict())
    return net.eval()


def test_the_answer_is_the_mean_of_what_all_say():
    net, x = _two(), torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        levels = net.encoder(x)
        said = [m.segmentation_head(m.decoder(levels)).softmax(1) for m in every_of(net)]
        assert (said[0] - said[1]).abs().max() > 0.01
        assert torch.allclose(net(x).softmax(1), (said[0] + said[1]) / 2, atol=1e-6)


def test_what_makes_prediction_fast_changes_nothing_of_it():
    net, x = _two(), torch.rand(1, 3, 64, 96).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected = net(x)
        for faster in (folded(net, 3), fused(net, 3, CPU, bfloat16=False)):
            assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in faster.modules())
            assert torch.allclose(faster(x), expected, atol=1e-4)


def test_members_learn_in_turns_and_grow_apart(discs: MemoryData):
    trainer = _trainer(_plan(discs), discs)
    assert _apart(every_of(trainer.net)) == 0
    before, seen = _state(trainer.net), {}
    for event in events_of(trainer, discs):
        if isinstance(event, Stepped):
            after = _state(trainer.net)
            seen[event.step] = {k.split(".")[0] for k, v in after.items() if not torch.equal(v, before[k])}
            before = after
    assert seen == {step: {"decoder", "segmentation_head"} if step % 2 else {"others"} for step in (1, 2, 3, 4)}
    assert _apart(every_of(trainer.averaged)) > 1e-4


def test_each_head_is_fitted_before_the_first_step_of_its_decoder(discs: MemoryData):
    losses = [e.loss for e in events_of(_trainer(_plan(discs), discs), discs) if isinstance(e, Stepped)]
    bare = _plan(discs)
    bare = msgspec.structs.replace(bare, recipe=msgspec.structs.replace(bare.recipe, fits_head=False))
    unfitted = [e.loss for e in events_of(_trainer(bare, discs), discs) if isinstance(e, Stepped)]
    assert losses[0] < unfitted[0]
    assert losses[1] < unfitted[1]


@pytest.fixture(scope="module")
def version() -> tuple[WithVersion, Plan, torch.nn.Module]:
    """A data set with a version of two members."""
    plain = blob_data(4)
    data = WithVersion(plain.pictures, plain.ids, plain.origins, plain.parts)
    plan = _plan(data)
    trainer = _trainer(plan, data)
    run_to_end(trainer, data)
    data.blob = encode_weights(trainer.averaged, {"version": "v1"})
    data.facts = {**msgspec.to_builtins(version_card(plan)), "sha256": hashlib.sha256(data.blob).hexdigest()}
    return data, plan, trainer.averaged


def test_a_version_of_several_members_is_read_again(version: tuple[WithVersion, Plan, torch.nn.Module]):
    data, plan, net = version
    models = (
        trained_model("v1", net, version_card(plan), CPU, bfloat16=False),
        version_model("v1", data, CPU, bfloat16=False),
    )
    a, b = ([t.values for t in predict_tiles(m, data, data.planes()[3]) if t is not None] for m in models)
    assert all(torch.equal(torch.from_numpy(x), torch.from_numpy(y)) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("members", [1, 2, 3])
def test_a_run_goes_on_from_a_version_with_fewer_or_more_members(
    version: tuple[WithVersion, Plan, torch.nn.Module], members: int
):
    data, _, old = version
    started = starting_network(_plan(data, members, base="v1"), data, data.classes(), False)
    assert len(every_of(started)) == members
    for place, member in enumerate(every_of(started)):
        source = every_of(old)[place % 2]
        assert _apart([member, source]) == 0
        assert torch.equal(member.segmentation_head[0].weight, source.segmentation_head[0].weight)
