"""What ours is compared with learns from the labelled pixels, and from them alone."""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from segstudio.assets import asset
from tests.benchmarks.conftest import Load, picture

UNKNOWN = -1


def test_numbered_objects_become_objects_and_background(benchmark: Load, evaluation_data: Path, tmp_path: Path):
    folder = evaluation_data / "discs"
    classes = [{"value": 0, "name": "background"}, {"value": 1, "name": "object"}]
    (folder / "card.json").write_text(json.dumps({"kind": "instance", "classes": classes}))
    Image.fromarray(np.array([[0, 1, 255], [7, 300, 0]], np.uint16)).save(folder / "masks" / "0.png")
    of = benchmark("few_shot.sets").EvaluationSet(folder)
    assert of.classes == ("background", "object")
    assert of.mask(folder / "images" / "0.png").tolist() == [[0, 1, 1], [1, 1, 0]]
    of.write_mask(folder / "images" / "0.png", tmp_path)
    with Image.open(tmp_path / "0.png") as written:
        assert np.asarray(written).tolist() == [[0, 1, 1], [1, 1, 0]]


def test_255_is_unknown_and_not_counted(benchmark: Load, evaluation_data: Path):
    folder = evaluation_data / "discs"
    of = benchmark("few_shot.sets").EvaluationSet(folder)
    image = folder / "images" / "0.png"
    truth = of.mask(image)
    assert of.score([image], lambda _: truth) == 1.0
    half = truth.copy()
    half[:, :65] = 255
    Image.fromarray(half.astype(np.uint8)).save(folder / "masks" / "0.png")
    assert (of.mask(image)[:, :65] == UNKNOWN).all()
    wrong = np.where(half == 255, 1 - truth, truth)
    assert of.score([image], lambda _: wrong) == 1.0


def test_every_seed_labels_others_and_none_of_them_is_tested(benchmark: Load, evaluation_data: Path):
    of = benchmark("few_shot.sets").EvaluationSet(evaluation_data / "discs")
    shown, tested = of.split(0, 3)
    assert (len(shown), len(tested)) == (3, 5)
    assert not set(shown) & set(tested)
    assert shown != of.split(1, 3)[0]


def test_filters_of_a_parabola_are_its_derivatives(benchmark: Load):
    forest = benchmark("few_shot.forest")
    y, x = np.mgrid[:80, :90].astype(np.float32)
    found = forest.filters((x**2 + 3 * y)[:, :, None])[40, 45].reshape(len(forest.SIGMAS), 7)
    for sigma, (smooth, strength, laplacian, greater, lesser, along, across) in zip(forest.SIGMAS, found, strict=True):
        assert smooth == pytest.approx(45**2 + 3 * 40 + sigma**2, rel=0.01)
        assert strength == pytest.approx(np.hypot(90, 3), rel=0.01)
        assert (laplacian, greater, lesser) == pytest.approx((2, 2, 0), abs=0.05)
        assert along == pytest.approx(90**2 + 3**2 + sigma**2, rel=0.01)
        assert across == pytest.approx(0, abs=sigma**2)


def test_a_forest_learns_from_labelled_pixels_alone(benchmark: Load, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("sklearn", reason="scikit-learn is absent (the extra 'dev')")
    forest = benchmark("few_shot.forest")
    monkeypatch.setattr(forest, "PIXELS", 3000)
    labelled = []
    for seed in range(2):
        pixels, classes = picture(seed)
        classes[:20] = UNKNOWN
        pixels[:20] = 0.7  # looks like the disc: taught as background it would spoil it
        labelled.append((pixels, classes))
    pixels, truth = picture(5)
    found = forest.fitted(labelled, 0)(pixels)
    assert (found == truth).mean() > 0.95
    assert (found == forest.fitted(labelled, 0)(pixels)).all()


@pytest.fixture
def plain(benchmark: Load, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """benchmarks/few_shot/plain.py with small batches of small crops."""
    module = benchmark("few_shot.plain")
    monkeypatch.setattr(module, "CROP_PX", 64)
    monkeypatch.setattr(module, "BATCH", 4)
    return module


def test_the_plain_recipe_starts_from_the_shipped_weights_or_from_none(plain: ModuleType):
    shipped = {n: w.float() for n, w in load_file(asset("models", "imagenet.safetensors")).items()}
    net = plain.network(2, imagenet=True).encoder.state_dict()
    assert all(torch.equal(net[name], value) for name, value in shipped.items())
    stem = plain.network(2, imagenet=False).encoder.state_dict()["conv_stem.weight"]
    assert not torch.allclose(stem, shipped["conv_stem.weight"], atol=1e-3)


def test_the_plain_recipe_learns_and_predicts_images_of_any_size(plain: ModuleType):
    labelled = [picture(seed) for seed in range(3)]
    predict = plain.fitted(labelled, 2, 25, 0, imagenet=True)
    pixels, truth = picture(7, 70, 101)
    found = predict(pixels)
    assert found.shape == truth.shape
    assert (found == truth).mean() > 0.9


def test_unknown_pixels_and_what_a_small_image_lacks_teach_the_plain_recipe_nothing(plain: ModuleType):
    pixels, classes = picture(0, 40, 50)
    classes[10:20] = UNKNOWN
    x, truth = plain._batch([(pixels, classes)], np.random.default_rng(3))
    assert x.shape == (4, 3, 64, 64)
    assert [int((t != UNKNOWN).sum()) for t in truth] == [30 * 50] * 4
    logits = torch.randn((4, 2, 64, 64), generator=torch.Generator().manual_seed(0)).requires_grad_()
    plain._loss(logits, truth).backward()
    assert logits.grad is not None
    assert torch.equal(logits.grad.abs().amax(1) > 0, truth != UNKNOWN)
