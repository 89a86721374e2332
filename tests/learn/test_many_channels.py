import numpy as np
import pytest
import torch

from segstudio.learn.loop import Trainer
from segstudio.learn.plan import make_plan
from segstudio.learn.predict import predict_tiles
from segstudio.learn.versions import starting_network, trained_model, version_card
from segstudio.runs import Choices, Stepped
from tests.learn.conftest import MemoryData, blob_data
from tests.learn.helpers import CPU, MEAN_STD, facts_of, run_to_end


def _with_bands(bands: dict[int, int]) -> MemoryData:
    data = blob_data(4, side=96)
    for image, n in bands.items():
        data.pictures[image] = np.ascontiguousarray(np.resize(data.pictures[image][:, :, :1], (96, 96, n)))
    return data


FIVE, SEVEN = dict.fromkeys(range(1, 5), 5), dict.fromkeys(range(1, 5), 7)


@pytest.mark.parametrize(
    ("bands", "network"),
    [
        *((bands, "tiny") for bands in (FIVE, SEVEN, {2: 5}, {1: 1, 3: 7}, {1: 2, 2: 4})),
        (FIVE, None),
        ({1: 7}, None),
    ],
)
def test_images_of_any_number_of_bands_are_learned_from_and_predicted(bands: dict[int, int], network: str | None):
    data = _with_bands(bands)
    choices = Choices(network=network, max_steps=2)
    base = "scratch" if network else "embedded"
    plan = make_plan(facts_of(data), choices, CPU, base=base, **MEAN_STD)
    assert plan.channels == max(max(bands.values()), 3)
    net = starting_network(plan, data, data.classes(), False)
    trainer = Trainer(plan, net, torch.device("cpu"))
    losses = [e.loss for e in run_to_end(trainer, data) if isinstance(e, Stepped)]
    assert np.isfinite(losses).all()
    model = trained_model("v1", trainer.averaged, version_card(plan), torch.device("cpu"), bfloat16=False)
    for entry in data.planes():
        (tile,) = [found for found in predict_tiles(model, data, entry) if found is not None]
        assert tile.values.shape == (2, 96, 96)
