import hashlib

import msgspec
import numpy as np
import pytest
import torch

from segstudio.errors import WeightsDamaged
from segstudio.learn.data import ClassEntry
from segstudio.learn.plan import Machine, make_plan
from segstudio.learn.predict import predict_tiles
from segstudio.learn.versions import (
    embedded_model,
    encode_weights,
    starting_network,
    trained_model,
    version_card,
    version_model,
)
from segstudio.learn.weights import Normalisation, normalisation_of
from segstudio.runs import Choices, Plan
from tests.learn.conftest import MemoryData, blob_data
from tests.learn.helpers import facts_of, run_to_end, tiny_plan, tiny_trainer

CPU = torch.device("cpu")


class WithVersion(MemoryData):
    """A data set with one trained version, 'v1'."""

    blob: bytes = b""
    facts: dict[str, object] = {}  # noqa: RUF012

    def weights(self, version: str) -> bytes:
        return self.blob

    def card(self, version: str) -> dict[str, object]:
        return self.facts


def _with_version(**choices: object) -> tuple[WithVersion, Plan, torch.nn.Module]:
    plain = blob_data(4)
    data = WithVersion(plain.pictures, plain.ids, plain.origins, plain.parts)
    plan = tiny_plan(data, max_steps=3, **choices)
    trainer = tiny_trainer(plan)
    run_to_end(trainer, data)
    data.blob = encode_weights(trainer.averaged, {"version": "v1"})
    data.facts = {**msgspec.to_builtins(version_card(plan)), "sha256": hashlib.sha256(data.blob).hexdigest()}
    return data, plan, trainer.averaged


def test_a_version_read_again_predicts_the_same():
    data, plan, net = _with_version()
    entry = data.planes()[3]
    a = trained_model("v1", net, version_card(plan), CPU, bfloat16=False)
    b = version_model("v1", data, CPU, bfloat16=False)
    found = [[t.values for t in predict_tiles(m, data, entry) if t is not None][0] for m in (a, b)]  # noqa: RUF015
    assert np.array_equal(*found)


def test_damaged_weights_and_cards_are_said_so():
    data, _, _ = _with_version()
    whole = data.blob
    for broken in (whole[:-200], b"", b"\x80pickle"):
        data.blob = broken
        with pytest.raises(WeightsDamaged, match="v1"):
            version_model("v1", data, CPU, bfloat16=False)
    data.blob = whole
    data.facts = {"network": "tiny"}
    with pytest.raises(WeightsDamaged, match="card of version v1"):
        version_model("v1", data, CPU, bfloat16=False)


def test_outputs_are_carried_over_by_class_and_new_ones_begin_at_the_mean():
    data, _, net = _with_version()
    data.entries = (ClassEntry(5, "new", False, False), *data.entries)
    data.ids[1][:20] = 5
    later = msgspec.structs.replace(tiny_plan(data, max_steps=1), base="v1")
    assert [c.name for c in later.classes] == ["new", "background", "blob"]
    started = starting_network(later, data, data.classes(), False)
    old, new = net.segmentation_head[0].weight, started.segmentation_head[0].weight
    assert torch.equal(new[1:], old)
    assert torch.allclose(new[0], old.mean(0))
    assert torch.equal(started.decoder.weight, net.decoder.weight)


def _predicted(data: WithVersion) -> tuple[tuple[int, ...], np.ndarray]:
    model = version_model("v1", data, CPU, bfloat16=False)
    found = next(t.values for t in predict_tiles(model, data, data.planes()[3]) if t is not None)
    return model.outputs, found


def test_the_next_best_class_takes_the_pixels_of_one_that_was_removed():
    data, _, _ = _with_version()
    data.entries = (*data.entries, ClassEntry(3, "third", False, False))
    data.ids[1][:40] = 3
    plan = tiny_plan(data, max_steps=3)
    trainer = tiny_trainer(plan)
    run_to_end(trainer, data)
    data.blob = encode_weights(trainer.averaged, {})
    data.facts = msgspec.to_builtins(version_card(plan))
    outputs, whole = _predicted(data)
    assert outputs == (1, 2, 3)
    data.counting = {1: 1, 2: 0, 3: 3}
    outputs, masked = _predicted(data)
    assert outputs == (1, 3)
    rest = whole[[0, 2]]
    assert np.allclose(masked, rest / rest.sum(0), atol=5e-3)
    data.counting = {1: 1, 2: 3, 3: 3}
    outputs, merged = _predicted(data)
    assert outputs == (1, 3)
    assert np.allclose(merged, [whole[0], whole[1] + whole[2]], atol=5e-3)
    data.counting = {1: 0, 2: 0, 3: 0}
    outputs, nothing = _predicted(data)
    assert outputs == (0,)
    assert (nothing == 1).all()


def test_a_run_goes_on_from_the_mean_of_what_was_merged():
    data, _, net = _with_version()
    data.entries = (ClassEntry(9, "both", False, False), ClassEntry(5, "new", True, False))
    for ids in data.ids.values():
        ids[...] = np.where(ids == 2, 9, 5)
    data.counting = {1: 9, 2: 9, 5: 5, 9: 9}
    plan = msgspec.structs.replace(tiny_plan(data, max_steps=1), base="v1")
    started = starting_network(plan, data, data.classes(), False)
    old, new = net.segmentation_head[0].weight, started.segmentation_head[0].weight
    assert torch.allclose(new, torch.stack([old.mean(0), old.mean(0)]))


def test_a_version_of_another_kind_of_network_is_refused():
    data, plan, _ = _with_version()
    other = msgspec.structs.replace(plan, base="v1", network="unet_lite0")
    with pytest.raises(WeightsDamaged, match="different network"):
        starting_network(other, data, data.classes(), False)


def test_the_guess_gives_each_class_one_output():
    classes = [
        ClassEntry(4, "background", True, False),
        ClassEntry(9, "nuclei", False, True),
        ClassEntry(2, "something else", False, False),
    ]
    model = embedded_model(classes, False, CPU, bfloat16=False)
    assert model.name == "embedded"
    assert set(model.outputs) <= {0, 4, 9}
    assert 9 in model.outputs
    pixels = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    assert model.probabilities(pixels).shape == (1, len(model.outputs), 64, 64)


def test_normalisation_is_for_pixels_between_nought_and_one():
    found = Normalisation(divide_by=1.0, mean=(127.0, 127.0, 127.0), std=(128.0, 128.0, 128.0))
    mean, std = normalisation_of(found)
    assert mean == pytest.approx((127 / 255,) * 3)
    assert std == pytest.approx((128 / 255,) * 3)


def test_bases_differ_and_a_seed_decides():
    data = blob_data(4)
    facts = facts_of(data)

    def start(base: str, seed: int = 0) -> dict[str, torch.Tensor]:
        plan = make_plan(
            facts, Choices(base=base, seed=seed), Machine("cpu", 1, False), base=base, mean=(0.5,), std=(0.5,)
        )
        return starting_network(plan, data, data.classes(), False).state_dict()

    key = "encoder.conv_stem.weight"
    embedded, imagenet, scratch = start("embedded"), start("imagenet"), start("scratch")
    assert not torch.equal(embedded[key], imagenet[key])
    assert not torch.equal(imagenet[key], scratch[key])
    assert torch.equal(start("scratch")[key], scratch[key])
    assert not torch.equal(start("scratch", 1)[key], scratch[key])
