"""A version and the instant learner beside it."""

import hashlib
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from segstudio.errors import WeightsDamaged
from segstudio.learn import ensemble
from segstudio.learn.ensemble import SHARE, joined_tiles, part_of, partner_of
from segstudio.learn.instant import fit_instant
from segstudio.learn.model import Model, Partner
from segstudio.learn.predict import predict_tiles
from segstudio.learn.versions import encode_weights, starting_network, trained_model, version_card, version_model
from tests.learn.conftest import BACKGROUND, BRIGHT, MemoryData, blob_data
from tests.learn.helpers import run_to_end, tiny_plan, tiny_trainer
from tests.learn.test_versions import WithVersion

CPU = torch.device("cpu")
Values = dict[tuple[int, int], NDArray[np.float32]]


def _instant(data: MemoryData) -> Model:
    return next(m for m in fit_instant(data, data.classes(), (), 0, CPU, bfloat16=False) if m is not None)


@pytest.fixture(scope="module")
def made() -> tuple[WithVersion, Model, Model]:
    """A data set with a version, that version without company, and the instant learner on the same labels."""
    plain = blob_data(4)
    data = WithVersion(plain.pictures, plain.ids, plain.origins, plain.parts)
    plan = tiny_plan(data, max_steps=3)
    trainer = tiny_trainer(plan)
    run_to_end(trainer, data)
    instant = _instant(data)
    data.blob = encode_weights(trainer.averaged, {"version": "v1"}, instant)
    card = msgspec.structs.replace(version_card(plan), instant=part_of(instant, SHARE))
    data.facts = {**msgspec.to_builtins(card), "sha256": hashlib.sha256(data.blob).hexdigest()}
    return data, trained_model("v1", trainer.averaged, card, CPU, bfloat16=False), instant


def _beside(instant: Model, outputs: tuple[int, ...], counts_as: dict[int, int]) -> Partner:
    return partner_of(lambda: instant, instant.outputs, outputs, counts_as, 0.5)


def _tiles(model: Model, data: MemoryData, made_by: Callable = predict_tiles) -> Values:
    return {(t.ty, t.tx): t.values for t in made_by(model, data, data.planes()[3]) if t is not None}


def test_both_answer_together_with_the_share_that_the_card_says(made: tuple[WithVersion, Model, Model]):
    data, alone, instant = made
    both = version_model("v1", data, CPU, bfloat16=False)
    assert both.partner is not None
    found, deep, quick = _tiles(both, data, joined_tiles), _tiles(alone, data), _tiles(instant, data)
    assert alone.outputs == instant.outputs == (BACKGROUND, BRIGHT)
    for key, values in found.items():
        assert np.allclose(values, (1 - SHARE) * deep[key] + SHARE * quick[key], atol=2e-3)
        assert not np.allclose(values, deep[key], atol=2e-3)


def test_the_instant_learner_is_made_when_it_is_first_asked_and_all_stand_on_the_same_encoder(
    made: tuple[WithVersion, Model, Model], monkeypatch: pytest.MonkeyPatch
):
    data, _, instant = made
    asked: list[int] = []
    plain = ensemble.instant_model
    monkeypatch.setattr(ensemble, "instant_model", lambda *given, **more: asked.append(1) or plain(*given, **more))
    versions = [version_model("v1", data, CPU, bfloat16=False) for _ in range(2)]
    _tiles(versions[0], data)
    assert asked == [], "what is on screen does without it"
    for _ in range(2):
        _tiles(versions[0], data, joined_tiles)
    assert len(asked) == 1
    encoders = {id(model.net.get_submodule("encoder.encoder")) for model in (instant, *(_partner(v) for v in versions))}
    assert len(encoders) == 1


def _partner(version: Model) -> Model:
    assert version.partner is not None
    return version.partner.model()


def test_a_version_without_company_answers_alone(made: tuple[WithVersion, Model, Model]):
    data, alone, _ = made
    found, expected = _tiles(alone, data, joined_tiles), _tiles(alone, data)
    assert all(np.array_equal(values, expected[key]) for key, values in found.items())


def test_an_instant_learner_on_the_features_of_other_embedded_weights_is_not_asked(
    made: tuple[WithVersion, Model, Model],
):
    data, _, _ = made
    facts = data.facts
    try:
        data.facts = facts | {"instant": {**facts["instant"], "base": "0" * 64}}  # type: ignore[dict-item]
        assert version_model("v1", data, CPU, bfloat16=False).partner is None
    finally:
        data.facts = facts


def test_its_outputs_count_as_their_classes_do_today(made: tuple[WithVersion, Model, Model]):
    data, _, instant = made
    merged = _beside(instant, (BRIGHT,), {BACKGROUND: BRIGHT, BRIGHT: BRIGHT})
    assert merged.places == (0, 0)
    assert _beside(instant, (BACKGROUND,), {BACKGROUND: BACKGROUND}).places == (0, -1)
    own = np.stack([np.full((2, 2), 0.3, np.float16), np.full((2, 2), 0.7, np.float16)])
    assert np.allclose(merged.mixed(np.ones((1, 2, 2), np.float32), own), 1.0, atol=1e-3)
    data.counting = {BACKGROUND: BACKGROUND}
    try:
        model = version_model("v1", data, CPU, bfloat16=False)
        assert model.outputs == (BACKGROUND,)
        assert model.partner is not None
        assert model.partner.places == (0, -1)
    finally:
        data.counting = None


def test_tensors_of_another_shape_are_said_to_be_damaged(made: tuple[WithVersion, Model, Model]):
    data, _, _ = made
    facts = data.facts
    try:
        data.facts = facts | {"instant": {**facts["instant"], "outputs": (1, 2, 3)}}  # type: ignore[dict-item]
        with pytest.raises(WeightsDamaged, match="do not fit"):
            version_model("v1", data, CPU, bfloat16=False)
    finally:
        data.facts = facts


def test_a_run_that_goes_on_from_a_version_takes_its_network_alone(made: tuple[WithVersion, Model, Model]):
    data, _, _ = made
    plan = msgspec.structs.replace(tiny_plan(data, max_steps=1), base="v1")
    assert not [name for name in starting_network(plan, data, data.classes(), False).state_dict() if "instant" in name]


def test_what_is_said_of_a_class_that_is_gone_is_left_out(made: tuple[WithVersion, Model, Model]):
    _, _, instant = made
    alone = _beside(instant, (BACKGROUND,), {BACKGROUND: BACKGROUND})
    own = np.stack([np.full((2, 2), 0.25, np.float16), np.full((2, 2), 0.75, np.float16)])
    assert np.allclose(alone.mixed(np.ones((1, 2, 2), np.float32), own), 1.0, atol=1e-3)
    nothing = _beside(instant, (BACKGROUND,), {})
    assert np.allclose(nothing.mixed(np.ones((1, 2, 2), np.float32), own), 1.0)
