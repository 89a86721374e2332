"""The engine's jobs on a data set that is no project: all they see of one is `learn.data.Dataset`."""

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from segstudio.engine.agenda import Priority
from segstudio.engine.predicting import Looking, predict_job
from segstudio.engine.protocol import (
    Blob,
    Done,
    Measured,
    Predict,
    PredictedImage,
    PredictedTile,
    RunEvent,
    RunPlanned,
    Target,
    Train,
    Trained,
)
from segstudio.engine.training import Stopping, train_job
from segstudio.engine.workshop import Workshop
from segstudio.errors import NoSuchNetwork, UserError, WeightsDamaged
from segstudio.labels.tiles.codec import decode_tile
from segstudio.labels.tiles.tile import expanded
from segstudio.learn import precision
from segstudio.learn.data import Dataset
from segstudio.learn.instant.network import InstantNetwork
from segstudio.learn.predict import Model
from segstudio.learn.sampling import Sampler
from segstudio.runs import Choices, Warned
from tests.learn.conftest import BRIGHT, MemoryData, blob_data
from tests.learn.helpers import facts_of, tiny_plan, tiny_trainer

TINY = Choices(network="tiny", base="scratch", device="cpu", max_steps=2)


@pytest.fixture
def data() -> MemoryData:
    return blob_data()


def _sent(job: Iterator[object]) -> list[object]:
    return [step for step in job if isinstance(step, msgspec.Struct)]


def _shop(data: Dataset) -> Workshop:
    return Workshop(lambda: data)


def test_a_run_learns_from_a_data_set_in_memory(data: MemoryData):
    sent = _sent(train_job(_shop(data), Train(id=7, run="r1", version="v1", choices=TINY), Stopping()))
    measured = [found.stamp.image for found in sent if isinstance(found, Measured)]
    trained = next(found for found in sent if isinstance(found, Trained))
    weights = b"".join(found.data for found in sent if isinstance(found, Blob) and found.kind == "weights")
    assert sorted(measured) == [1, 2, 3, 4]
    assert (trained.steps, trained.promoted in (True, False)) == (2, True)
    assert len(weights) > 1000
    assert sent[-1] == Done(7)


def test_the_instant_learner_goes_with_a_version_that_it_makes_no_worse(data: MemoryData):
    for given, beside in ((data, True), (blob_data(1, side=32), False)):
        sent = _sent(train_job(_shop(given), Train(id=7, run="r1", version="v1", choices=TINY), Stopping()))
        trained = next(found for found in sent if isinstance(found, Trained))
        weights = b"".join(found.data for found in sent if isinstance(found, Blob) and found.kind == "weights")
        assert (trained.card["instant"] is not None) is (b"instant.near.weight" in weights) is beside


def test_a_run_has_the_precision_and_the_length_that_a_step_of_it_was_measured_to_have(
    data: MemoryData, monkeypatch: pytest.MonkeyPatch
):
    asked: list[tuple[str, str, int, bool]] = []

    def measured(device: object, network: str, patch_px: int, *, pools: bool) -> precision.Measured:
        asked.append((str(device), network, patch_px, pools))
        return precision.Measured(True, 0.1)

    monkeypatch.setattr(precision, "training", measured)
    shop = _shop(data)
    short = Choices(network="tiny", base="scratch", device="cpu", max_seconds=1.2)
    for run, choices in (("r1", short), ("r2", TINY)):
        sent = _sent(train_job(shop, Train(id=7, run=run, version="v1", choices=choices), Stopping()))
        recipe = next(found.plan.recipe for found in sent if isinstance(found, RunPlanned))
        assert recipe.precision == "bfloat16"
        assert recipe.warmup_steps == (2 if choices is short else 1)  # a fifth of the twelve steps that it expects
    assert asked == [("cpu", "tiny", 64, False)]


def test_predictions_have_their_own_precision_measured_once_for_each_network(
    data: MemoryData, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []

    def measured(device: object, network: str) -> precision.Measured:
        asked.append(network)
        return precision.Measured(network == "tiny", 0.1)

    monkeypatch.setattr(precision, "predicting", measured)
    shop = _shop(data)
    for _ in range(2):
        _sent(train_job(shop, Train(id=7, run="r1", version="v1", choices=TINY), Stopping()))
    assert sorted(asked) == ["tiny", "unet_lite0"]  # the version, and the instant learner that it is compared with
    model = list(_model(shop, "embedded", data))[-1]
    assert not model.bfloat16
    assert sorted(asked) == ["tiny", "unet_lite0"]


def test_a_run_goes_on_where_the_device_that_it_began_on_is_gone(data: MemoryData, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(precision, "training", lambda *_, **__: precision.Measured(False, 0.1))
    begun = tiny_plan(data, max_steps=4)
    recipe = msgspec.structs.replace(begun.recipe, precision="bfloat16")
    trainer = tiny_trainer(msgspec.structs.replace(begun, device="cuda:3", threads=64, recipe=recipe))
    trainer.learn(Sampler(facts_of(data), trainer.plan, data).batch(0))
    checkpoint = trainer.snapshot()
    monkeypatch.setattr(data, "checkpoint", lambda run: checkpoint)
    shop = _shop(data)
    sent = _sent(train_job(shop, Train(id=7, run="r1", version="v1", choices=TINY, resume=True), Stopping()))
    plans = [found.plan for found in sent if isinstance(found, RunPlanned)]
    assert {(plan.device, plan.threads, plan.recipe.precision) for plan in plans} == {("cpu", shop.threads, "float32")}
    assert next(found.steps for found in sent if isinstance(found, Trained)) == 4


@pytest.mark.parametrize("resume", [True, False])
def test_a_run_whose_class_was_removed_since_says_that_it_cannot_go_on(
    data: MemoryData, monkeypatch: pytest.MonkeyPatch, resume: bool
):
    trainer = tiny_trainer(tiny_plan(data, max_steps=4))
    checkpoint = trainer.snapshot()
    monkeypatch.setattr(data, "checkpoint", lambda run: checkpoint)
    data.entries = tuple(entry for entry in data.entries if entry.id != BRIGHT)
    request = Train(id=7, run="r1", version="v1", choices=TINY, resume=resume, plan=None if resume else trainer.plan)
    with pytest.raises(UserError, match="cannot go on: blob is no longer among the classes"):
        _sent(train_job(_shop(data), request, Stopping()))


@pytest.mark.parametrize("error", [WeightsDamaged, NoSuchNetwork])
def test_a_version_that_cannot_be_read_costs_no_run_its_result(
    data: MemoryData, monkeypatch: pytest.MonkeyPatch, error: type[UserError]
):
    def refuse(name: str) -> dict[str, object]:
        raise error(f"Version {name} cannot be used.")

    monkeypatch.setattr(data, "promoted_version", lambda: "v9")
    monkeypatch.setattr(data, "card", refuse)
    sent = _sent(train_job(_shop(data), Train(id=7, run="r1", version="v10", choices=TINY), Stopping()))
    said = [found.event.sentence for found in sent if isinstance(found, RunEvent) and isinstance(found.event, Warned)]
    assert said == ["Version v9 cannot be used. The run is not compared with it."]
    trained = next(found for found in sent if isinstance(found, Trained))
    assert trained.parent == "instant"
    assert sent[-1] == Done(7)


def _model(shop: Workshop, name: str, data: MemoryData) -> Iterator[Model]:
    yield (yield from shop.model(name, "cpu", data))  # type: ignore[misc]


def test_an_unreadable_image_is_told_and_the_run_goes_on(data: MemoryData):
    broken = msgspec.structs.replace(TINY, max_steps=1)
    data.damaged = {2}
    sent = _sent(train_job(_shop(data), Train(id=1, run="r1", version="v1", choices=broken), Stopping()))
    assert any("2.png cannot be read" in str(found) for found in sent)
    assert sent[-1] == Done(1)


def test_the_instant_learner_predicts_a_plane_of_a_data_set_in_memory(data: MemoryData):
    request = Predict(id=3, targets=[Target(4, 0), Target(99, 0)], version="instant", device="cpu")
    sent = _sent(predict_job(_shop(data), request, Looking()))
    tiles = [found for found in sent if isinstance(found, PredictedTile)]
    planes = {found.image: found for found in sent if isinstance(found, PredictedImage)}
    drawn = expanded(decode_tile(tiles[0].labels))[0][:128, :128]
    truth = data.ids[4]
    assert (drawn[truth == BRIGHT] == BRIGHT).mean() > 0.8
    assert np.unique(drawn).tolist() == [1, BRIGHT]
    assert "no longer in the project" in planes[99].problem
    assert sent[-1] == Done(3)


def test_the_score_on_the_older_finished_images_goes_with_the_result(data: MemoryData, monkeypatch: pytest.MonkeyPatch):
    first = _sent(train_job(_shop(data), Train(id=1, run="r1", version="v1", choices=TINY), Stopping()))
    assert next(found for found in first if isinstance(found, Trained)).older == {}
    weights = b"".join(found.data for found in first if isinstance(found, Blob) and found.kind == "weights")
    trained = next(found for found in first if isinstance(found, Trained))
    learned = [{"path": f"{i}.png", "plane": 0, "part": "train", "edit": i} for i in (1, 2, 3)]
    monkeypatch.setattr(data, "promoted_version", lambda: "v1")
    monkeypatch.setattr(data, "weights", lambda _name: weights)
    monkeypatch.setattr(data, "card", lambda _name: trained.card | {"data": {"images": learned}})
    data.finished = {2}
    second = _sent(train_job(_shop(data), Train(id=2, run="r2", version="v2", choices=TINY), Stopping()))
    older = next(found for found in second if isinstance(found, Trained)).older
    assert set(older) == {"parent", "child"}
    assert all(0 <= figures.mean_iou <= 1 for figures in older.values())
    data.finished = set()
    third = _sent(train_job(_shop(data), Train(id=3, run="r3", version="v3", choices=TINY), Stopping()))
    assert next(found for found in third if isinstance(found, Trained)).older == {}


def test_after_a_guess_the_features_of_what_is_on_the_screen_wait_for_the_first_strokes(
    data: MemoryData, monkeypatch: pytest.MonkeyPatch
):
    computed: list[int] = []
    plain = InstantNetwork.parts
    monkeypatch.setattr(InstantNetwork, "parts", lambda self, levels: computed.append(1) or plain(self, levels))
    painted = {image: ids.copy() for image, ids in data.ids.items()}
    for ids in data.ids.values():
        ids[...] = 0
    shop, shown = _shop(data), Target(1, 0, (0, 0, 128, 128))
    unseen = Predict(id=1, version="embedded", targets=[Target(1, 0)], device="cpu")
    assert _sent(predict_job(shop, unseen, Looking()))[-1] == Done(1)
    assert computed == []
    seen = Predict(id=2, version="embedded", targets=[shown], device="cpu")
    sent = list(predict_job(shop, seen, Looking(shown)))
    assert len(computed) == 1
    assert [step for step in sent if isinstance(step, Done)] == [Done(2)]
    assert Priority.REST in sent[sent.index(Done(2)) :]
    data.ids[1][...] = painted[1]
    _sent(predict_job(shop, Predict(id=3, version="instant", targets=[shown], device="cpu"), Looking(shown)))
    assert len(computed) == 1
