"""What is said of planes for choosing the next one: models in memory, and the real engine."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segstudio.engine.client import EngineClient
from segstudio.engine.protocol import Describe, Described, FindMistakes, Predict, PredictedImage, Target
from segstudio.learn import describing
from segstudio.learn.describing import Description, described
from segstudio.learn.model import Model
from segstudio.learn.versions import embedded_model
from segstudio.runs import Choices
from segstudio.tasks.learning.next_images import describe
from segstudio.tasks.learning.train import train
from segstudio.tasks.progress import finished
from tests.engine.conftest import label, new_project
from tests.learn.conftest import MemoryData, blob_data

CPU = torch.device("cpu")


class Bright(nn.Module):
    """Two classes by brightness, as sharp as it is told to be."""

    def __init__(self, sharpness: float, sign: float = 1.0) -> None:
        super().__init__()
        self.sharpness, self.sign = sharpness, sign

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        level = self.sign * self.sharpness * x.mean(1, keepdim=True)
        return torch.cat([-level, level], 1)


def _model(sharpness: float, sign: float = 1.0, pitch: int = 32) -> Model:
    half = (0.5, 0.5, 0.5)
    return Model("v1", Bright(sharpness, sign), (1, 2), 3, half, half, pitch, CPU)


def _described(data: MemoryData, model: Model, other: Model | None = None) -> Description:
    base = embedded_model(data.classes(), False, CPU, bfloat16=False)
    found = [each for each in described(model, other, base, data, data.planes()[0]) if each is not None]
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def data() -> MemoryData:
    return blob_data(1, side=500)


def test_a_model_that_wavers_is_less_sure(data: MemoryData):
    wavering, sure = (_described(data, _model(sharpness)) for sharpness in (0.01, 20.0))
    assert wavering.uncertainty > 0.9
    assert sure.uncertainty < 0.3
    assert wavering.disagreement is None


def test_disagreement_is_the_share_of_pixels_of_other_classes_at_any_scale(data: MemoryData):
    model = _model(5.0)
    assert _described(data, model, _model(1.0)).disagreement == 0.0
    assert _described(data, model, _model(5.0, sign=-1.0)).disagreement > 0.99
    assert _described(data, model, _model(5.0, pitch=48)).disagreement < 0.1


def test_features_tell_pictures_apart_and_are_of_length_one(data: MemoryData):
    rng = np.random.default_rng(0)
    noise = MemoryData({1: rng.random((500, 500, 3), np.float32)}, {1: data.ids[1]}, {1: data.origins[1]})
    darker = MemoryData({1: data.pictures[1] * 0.9}, {1: data.ids[1]}, {1: data.origins[1]})
    here, like, unlike = (_described(each, _model(1.0)).features for each in (data, darker, noise))
    assert np.linalg.norm(here) == pytest.approx(1.0, abs=1e-3)
    assert here @ like > here @ unlike


def test_what_is_mirrored_beyond_a_small_plane_counts_for_nothing(data: MemoryData, monkeypatch: pytest.MonkeyPatch):
    """An encoder that gives the mean of each cell of 32 px: a plane of 48 x 80 px fills one and a half, and two and a
    half of them.
    """
    monkeypatch.setattr(describing, "encode", lambda _net, x: [F.avg_pool2d(x, 32)])
    picture = data.pictures[1][:48, :80].copy()
    picture[16:48, :, 0] = 0.9  # the last half cell, and what is mirrored at it
    small = MemoryData({1: picture}, {1: data.ids[1][:48, :80]}, {1: data.origins[1][:48, :80]})
    base = embedded_model(data.classes(), False, CPU, bfloat16=False)
    cells = [picture[:32].mean((0, 1)), picture[32:].mean((0, 1))]
    expected = (cells[0] * 32 + cells[1] * 16) / 48
    expected = (expected - np.array(base.mean)) / np.array(base.std)
    assert np.allclose(_described(small, _model(1.0)).features, expected / np.linalg.norm(expected), atol=0.02)


def test_a_large_plane_takes_no_longer_than_a_small_one():
    large = blob_data(1, side=2000)
    large.asked.clear()
    seen: list[int] = []
    plain = large.pixels

    def counted(image: int, plane: int, rect: object, levels: object = ()) -> np.ndarray:
        found = plain(image, plane, rect, levels)  # type: ignore[arg-type]
        seen.append(found.shape[0] * found.shape[1])
        return found

    large.pixels = counted  # type: ignore[method-assign]
    _described(large, _model(1.0))
    assert sum(seen) <= 8 * 330 * 330


@pytest.mark.engine
def test_the_engine_describes_the_images_of_a_project(tmp_path: Path):
    project, truths = new_project(tmp_path, 3)
    ids = [row.id for row in project.images()]
    label(project, ids[0], truths[0])
    with project, EngineClient(project.path, log=tmp_path / "log") as client:
        version = finished(train(project, client, Choices(network="tiny", base="scratch", max_steps=3))).version
        for wanted, against in (("instant", version), ("instant", "")):
            found = [step for step in describe(client, ids[1:], against=against) if step.image is not None]
            assert [step.image for step in found] == ids[1:]
            for step in found:
                assert step.description is not None
                assert step.description.version in (wanted, version)
                assert 0 <= step.description.unsure <= 1
                assert (step.description.disputed is None) is (against in ("", step.description.version))
                assert step.description.features.shape == (320,)


@pytest.mark.engine
def test_a_proposal_that_is_asked_for_meanwhile_comes_before_all_others_are_described(tmp_path: Path):
    project, truths = new_project(tmp_path, 2)
    ids = [row.id for row in project.images()]
    for image, truth in zip(ids, truths, strict=True):
        label(project, image, truth)
    many = [Target(ids[0], 0)] * 400
    with project, EngineClient(project.path, log=tmp_path / "log") as client:
        client.ready()
        describing = client.call(Describe(targets=many, version="embedded", device="cpu"))
        assert isinstance(next(describing), Described)
        searching = client.call(FindMistakes(device="cpu"))
        replies = list(client.call(Predict(targets=[Target(ids[1], 0)], version="embedded", device="cpu")))
        assert any(isinstance(reply, PredictedImage) and not reply.part for reply in replies)
        assert list(searching), "the second of two that take long makes headway too"
        described = 1
        while describing.wait(0) is not None:
            described += 1
        assert described < len(many)
        assert not describing.ended
        describing.close()
