from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import cv2
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segstudio.errors import NotEnoughLabels
from segstudio.learn.data import ClassEntry, Dataset, Part
from segstudio.learn.instant import FeatureKeeper, InstantNetwork, fit_instant, learner
from segstudio.learn.instant.examples import views
from segstudio.learn.instant.fitting import fitted_head
from segstudio.learn.instant.network import values_at
from segstudio.learn.predict import Model, predict_tiles
from segstudio.runs import Block
from tests.learn.conftest import MemoryData, blob_data, blobs

CPU = torch.device("cpu")


def _fitted(data: Dataset, blocks: tuple[Block, ...] = (), **options: object) -> Model:
    found = [m for m in fit_instant(data, data.classes(), blocks, 0, CPU, bfloat16=False, **options) if m is not None]
    assert len(found) == 1
    return found[0]


def _tiles(model: Model, data: MemoryData, image: int) -> list[object]:
    entry = next(e for e in data.planes() if e.image == image)
    return [tile for tile in predict_tiles(model, data, entry) if tile is not None]


def _iou(model: Model, data: MemoryData, image: int, class_id: int = 2) -> float:
    entry = next(e for e in data.planes() if e.image == image)
    (tile,) = [t for t in predict_tiles(model, data, entry) if t is not None]
    found = np.array(model.outputs)[tile.values.argmax(0)] == class_id
    truth = data.ids[image] == class_id
    return float((found & truth).sum() / (found | truth).sum())


def test_a_few_strokes_are_enough_for_what_is_plainly_bright():
    data = blob_data(4)
    for image in (1, 2, 3):
        data.ids[image][...] = 0
    painted = blob_data(4).ids[1]
    data.ids[1][30:60, :] = painted[30:60, :]
    model = _fitted(data)
    assert (model.name, model.pitch) == ("instant", 32)
    assert _iou(model, data, 4) > 0.85


def test_it_sees_neither_held_out_images_nor_blocks():
    data = blob_data(4)
    honest = _iou(_fitted(data), data, 1)
    data.ids[4] = 3 - data.ids[4]
    assert _iou(_fitted(data), data, 1) == honest
    data = blob_data(4)
    data.ids[2][...] = 0
    data.ids[3][...] = 0
    data.ids[1][:, 50:] = 3 - data.ids[1][:, 50:]
    lies = Block(1, 0, 50, 0, 78, 128)
    assert _iou(_fitted(data, (lies,)), data, 4) > 0.8
    assert _iou(_fitted(data), data, 4) < 0.5


def test_the_same_labels_give_the_same_head(discs: MemoryData):
    a, b = (_fitted(discs).net.state_dict() for _ in range(2))
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_what_is_learned_does_not_depend_on_where_the_zero_of_a_feature_lies():
    """The answer without what lies around a pixel takes it to be as usual, not to be zero."""
    rng = torch.Generator().manual_seed(3)
    y = torch.randint(2, (600,), generator=rng)
    x = torch.randn(600, 12, generator=rng)
    x[:, :2] += 1.5 * y[:, None]
    moved = x + torch.linspace(-8, 8, 12)
    answers = [fitted_head(values, y, [0.5, 0.5], (slice(6, 12),), 0)(values).softmax(1) for values in (x, moved)]
    assert torch.allclose(*answers, atol=1e-3)


def test_where_a_level_that_told_the_classes_apart_shows_nothing_the_filters_still_tell():
    """In one labelled picture the encoder may tell the classes by their surroundings, which are others in the next."""
    rng = torch.Generator().manual_seed(0)
    y = torch.randint(2, (4000,), generator=rng)
    x = torch.randn(4000, 24, generator=rng)
    x[:, :8] += 0.8 * y[:, None]
    x[:, 8:16] += 4.0 * y[:, None]
    head = fitted_head(x[:2000], y[:2000], [0.5, 0.5], (slice(8, 16), slice(16, 24)), 0)
    x[:, 8:16] = 2.0 + torch.randn(4000, 8, generator=rng)
    assert (head(x[2000:]).argmax(1) == y[2000:]).float().mean() > 0.83


def test_the_encoders_levels_are_told_from_the_filters_behind_them(discs: MemoryData):
    net = cast(InstantNetwork, _fitted(discs).net)
    x = torch.from_numpy(discs.pictures[4]).permute(2, 0, 1)[None]
    corner = torch.tensor([0, 64])
    with torch.inference_mode():
        levels = net.encoder(x)
        for level, alone in zip(levels[1:], net.encoder.encoder(x)[1:], strict=True):
            level[:] = 0
            level[:, : alone.shape[1]] = 1
        parts = net.parts(levels)
        values = values_at(parts, corner, corner)
    marked = torch.zeros(values.shape[1])
    for place in net.encoded(parts):
        marked[place] = 1
    finest = parts[0].shape[1]
    assert torch.allclose(values[:, finest:], marked[finest:].expand(2, -1))
    assert not marked[:finest].any()


def test_classes_without_a_known_pixel_are_no_outputs():
    data = blob_data(4)
    data.entries = (*data.entries, ClassEntry(7, "never", False, False))
    assert _fitted(data).outputs == (1, 2)


def test_one_class_alone_is_too_little():
    data = blob_data(4)
    for image in (1, 2, 3):
        data.ids[image][data.ids[image] == 2] = 0
    with pytest.raises(NotEnoughLabels):
        _fitted(data)
    with pytest.raises(NotEnoughLabels):
        _fitted(MemoryData({}, {}, {}))


def test_grey_and_many_channels_work_too():
    for channels in (1, 4):
        data = blob_data(4)
        data.pictures = {i: np.repeat(p[:, :, :1], channels, 2) for i, p in data.pictures.items()}
        assert _iou(_fitted(data), data, 4) > 0.85


def test_the_first_layer_at_each_scale_is_the_same_as_on_enlarged_features(discs: MemoryData):
    net = cast(InstantNetwork, _fitted(discs).net)
    x = torch.from_numpy(np.tile(discs.pictures[4], (2, 1, 1))[:160, :96]).permute(2, 0, 1)[None]
    with torch.inference_mode():
        parts = net.features(x)
        fine = [f.float() for f in parts]
        while (first := min(f.shape[2] for f in fine)) < 160:
            fine = [F.interpolate(f, scale_factor=2.0, mode="bilinear") if f.shape[2] == first else f for f in fine]
        expected = net.head(torch.cat(fine, 1)[0].flatten(1).T).T.reshape(1, 2, 160, 96)
        assert torch.allclose(net(x), expected, atol=1e-2)


def test_what_is_learned_from_a_pixel_is_what_prediction_sees_of_it(discs: MemoryData):
    net = cast(InstantNetwork, _fitted(discs).net)
    x = torch.from_numpy(discs.pictures[4]).permute(2, 0, 1)[None]
    y, column = torch.tensor([0, 7, 64, 127]), torch.tensor([0, 90, 31, 127])
    with torch.inference_mode():
        there = net.head(values_at(net.features(x), y, column))
        assert torch.allclose(net(x)[0][:, y, column].T, there, atol=1e-2)


def _alone(values: Mapping[int, np.ndarray], ids: Mapping[int, np.ndarray]) -> MemoryData:
    return MemoryData(dict(values), dict(ids), {i: np.full(v.shape, 3, np.uint8) for i, v in ids.items()})


def _textured(seed: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Dark thin lines on a ground whose brightness wanders further than the lines are dark."""
    rng = np.random.default_rng(seed)
    wander = cv2.GaussianBlur(rng.normal(0, 1, (side, side)), (0, 0), 4)
    grey = 0.5 + 0.15 * wander / wander.std() + rng.normal(0, 0.03, (side, side))
    ids = np.ones((side, side), np.int32)
    for start in range(10, side, 32):
        for along in range(side):
            across = start + round(6 * np.sin(along / 15 + seed))
            if across < side:
                ids[along, across] = 2
    grey[ids == 2] -= 0.12
    return np.repeat(np.clip(grey, 0, 1)[..., None], 3, 2).astype(np.float32), ids


def test_it_sees_thin_lines_that_no_brightness_tells_from_the_ground():
    drawn = {i: _textured(i, 192) for i in (1, 2)}
    data = _alone({i: p for i, (p, _) in drawn.items()}, {i: ids for i, (_, ids) in drawn.items()})
    data.parts = {2: Part.HELD_OUT}
    assert _iou(_fitted(data), data, 2) > 0.4


def test_a_rare_class_is_not_proposed_more_often_than_it_occurs():
    """Of classes that no feature tells apart, one of 3 % must not take half of the picture."""
    rng = np.random.default_rng(0)
    grey = rng.normal(0.5, 0.1, (2, 192, 192, 1)).astype(np.float32)
    ids = np.where(rng.random((2, 192, 192)) < 0.03, 2, 1).astype(np.int32)
    data = _alone({i + 1: np.repeat(grey[i], 3, 2) for i in range(2)}, {i + 1: ids[i] for i in range(2)})
    data.parts = {2: Part.HELD_OUT}
    model = _fitted(data)
    (tile,) = [t for t in predict_tiles(model, data, data.planes()[1]) if t is not None]
    assert (tile.values.argmax(0) == 1).mean() < 0.06
    assert 0.01 < tile.values[1].mean() < 0.2


def test_the_fourth_channel_teaches_too():
    rng = np.random.default_rng(1)
    pictures, ids = {}, {}
    for image in (1, 2):
        _, ids[image] = blobs(image)
        pictures[image] = rng.normal(0.5, 0.1, (128, 128, 4)).astype(np.float32)
        pictures[image][..., 3] += np.where(ids[image] == 2, 0.3, 0)
    data = _alone(pictures, ids)
    data.parts = {2: Part.HELD_OUT}
    assert _iou(_fitted(data), data, 2) > 0.8


def test_images_of_one_and_of_five_channels_are_learned_from_together():
    data = blob_data(4)
    data.pictures[1] = np.ascontiguousarray(data.pictures[1][..., :1])
    data.pictures[2] = np.ascontiguousarray(np.resize(data.pictures[2][..., :1].repeat(5, 2), (128, 128, 5)))
    model = _fitted(data)
    assert (model.channels, len(model.mean), len(model.std)) == (5, 5, 5)
    assert _iou(model, data, 4) > 0.8


class _Counting(nn.Module):
    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.seen = encoder, 0

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        self.seen += x.shape[-1] * x.shape[-2]
        return self.encoder(x)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> _Counting:
    """Every instant learner of the test shares this encoder, which counts the pixels it sees."""
    base = learner.fused(learner.load_base(), 3, CPU, bfloat16=False)
    base.encoder = _Counting(base.get_submodule("encoder"))
    monkeypatch.setattr(learner, "_base", lambda *_: base)
    return base.encoder


def test_after_another_stroke_no_picture_goes_through_the_encoder_again(discs: MemoryData, counted: _Counting):
    keeper = FeatureKeeper()
    whole = discs.ids[1].copy()
    discs.ids[1][:64] = 0
    _fitted(discs, keeper=keeper)
    assert counted.seen == 3 * 128 * 128
    discs.ids[1] = whole
    again = _fitted(discs, keeper=keeper)
    assert counted.seen == 3 * 128 * 128
    fresh = _fitted(discs)
    assert all(torch.equal(a, b) for a, b in zip(again.net.parameters(), fresh.net.parameters(), strict=True))


def test_a_picture_that_was_learned_from_is_proposed_without_the_encoder(discs: MemoryData, counted: _Counting):
    keeper = FeatureKeeper()
    model = _fitted(discs, keeper=keeper)
    before = counted.seen
    assert _iou(model, discs, 1) > 0.8
    assert counted.seen == before
    assert _iou(model, discs, 4) > 0.8
    assert counted.seen == before + 128 * 128
    assert _iou(model, discs, 4) > 0.8
    assert counted.seen == before + 128 * 128


def test_other_pixels_are_other_features(discs: MemoryData, counted: _Counting):
    keeper = FeatureKeeper()
    _fitted(discs, keeper=keeper)
    discs.pictures[1] = 1 - discs.pictures[1]
    _fitted(discs, keeper=keeper)
    assert counted.seen == 4 * 128 * 128


def test_features_are_kept_within_their_budget_those_learned_from_longest(discs: MemoryData, counted: _Counting):
    keeper = FeatureKeeper(budget_bytes=4 * 128 * 128 * 103)
    model = _fitted(discs, keeper=keeper)
    for level in (0.1, 0.2, 0.3):
        discs.pictures[4] = discs.pictures[4] * 0 + np.float32(level)
        _tiles(model, discs, 4)
        assert keeper.used_bytes <= 4 * 128 * 128 * 103
    seen = counted.seen
    _fitted(discs, keeper=keeper)
    assert counted.seen == seen


def test_predicting_a_large_plane_keeps_nothing(discs: MemoryData):
    keeper = FeatureKeeper()
    model = replace(_fitted(discs, keeper=keeper), window_px=128)
    kept = keeper.used_bytes
    discs.pictures[4], discs.ids[4] = np.tile(discs.pictures[4], (1, 6, 1)), np.tile(discs.ids[4], (1, 6))
    _tiles(model, discs, 4)
    assert keeper.used_bytes == kept


def test_a_large_plane_is_learned_from_in_windows_with_the_context_of_prediction(counted: _Counting):
    drawn, ids = blobs(5, 1500)
    data = _alone({1: drawn}, {1: np.zeros_like(ids)})
    data.ids[1][700:760, 100:1400] = ids[700:760, 100:1400]
    model = _fitted(data)
    assert counted.seen <= 4_300_000
    assert set(model.outputs) == {1, 2}
    for view in views(data, data.planes(), model.context, np.random.default_rng(0)):
        window = view.window
        assert window.seen.area <= 1.1e6
        left, top = window.net.x - window.seen.x, window.net.y - window.seen.y
        right, below = window.seen.right - window.net.right, window.seen.bottom - window.net.bottom
        assert left >= 192 or window.seen.x == 0
        assert top >= 192 or window.seen.y == 0
        assert right >= 192 or window.seen.right == 1504
        assert below >= 192 or window.seen.bottom == 1504
