import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from segstudio.assets import asset
from segstudio.errors import UserError
from segstudio.geometry import Rect, tiles_of
from segstudio.learn import predict
from segstudio.learn.data import ClassEntry
from segstudio.learn.grid import Grid
from segstudio.learn.instant import fit_instant
from segstudio.learn.predict import Model, Seconds, predict_tiles
from segstudio.learn.versions import embedded_model
from tests.learn.conftest import MemoryData, blobs
from tests.learn.helpers import classes_of


def _model(net: nn.Module, **options: object) -> Model:
    found = {"name": "v1", "outputs": (1, 2), "channels": 3, "mean": (0.5,) * 3, "std": (0.5,) * 3, "pitch": 32}
    return Model(net=net, device=torch.device("cpu"), **{**found, **options})  # type: ignore[arg-type]


def _data(width: int, height: int, seed: int = 0) -> MemoryData:
    picture, ids = blobs(seed, max(width, height))
    picture, ids = picture[:height, :width], ids[:height, :width]
    return MemoryData({1: picture}, {1: ids}, {1: np.ones(ids.shape, np.uint8)})


class Bright(nn.Module):
    """Logits that are the brightness of the pixel itself."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        level = x.mean(1, keepdim=True)
        return torch.cat([-8 * level, 8 * level], 1)


@pytest.mark.parametrize("size", [(1, 1), (40, 300), (256, 256), (700, 350)])
def test_every_pixel_comes_once_and_where_it_belongs(size: tuple[int, int]):
    data = _data(*size)
    found = classes_of(_model(Bright(), window_px=256), data)
    assert np.array_equal(found, data.pictures[1].mean(2) > 0.5)


@pytest.mark.parametrize("pitch", [16, 24, 64])
def test_at_other_scales_objects_stay_in_place(pitch: int):
    data = _data(500, 400)
    found = classes_of(_model(Bright(), window_px=256, pitch=pitch), data)
    truth = data.ids[1] == 2
    assert (found == truth).mean() > 0.97
    y, x = np.nonzero(found == 1)
    ty, tx = np.nonzero(truth)
    assert abs(y.mean() - ty.mean()) < 1
    assert abs(x.mean() - tx.mean()) < 1


def test_probabilities_are_blended_to_one():
    data = _data(600, 300)
    for found in predict_tiles(_model(Bright(), window_px=192), data, data.planes()[0]):
        if found is not None:
            assert np.abs(found.values.sum(0) - 1).max() < 2e-3


def test_what_is_on_the_screen_comes_first_and_costs_nothing_more():
    data = _data(1200, 800)
    entry = data.planes()[0]
    visible = Rect(900, 600, 200, 100)
    counted, plain = Seconds(), Seconds()
    model = _model(Bright(), window_px=320, overlap_px=64)
    order = [(t.ty, t.tx) for t in predict_tiles(model, data, entry, first=visible, seconds=counted) if t is not None]
    assert set(order[: len(list(tiles_of(visible)))]) == set(tiles_of(visible))
    list(predict_tiles(model, data, entry, seconds=plain))
    assert counted.network_pixels == plain.network_pixels


def _seams(model: Model, data: MemoryData) -> list[float]:
    """Shares of pixels in bands of 32 px along the seams that get the class that they get in the whole picture."""
    entry = data.planes()[0]
    whole = classes_of(replace(model, window_px=4096), data)
    tiled = classes_of(model, data)
    assert 0.005 < (whole > 0).mean() < 0.995
    grid = Grid.covering(entry.width, entry.height, 32, model.window_px, model.overlap_px, model.context.px)
    assert len(grid.x.starts) >= 3
    seams = [(left + grid.x.side + right) * 16 for left, right in itertools.pairwise(grid.x.starts)]
    return [float((whole == tiled)[:, seam - 16 : seam + 16].mean()) for seam in seams]


def test_seams_of_the_instant_learner_agree_with_the_whole_picture():
    data = _data(960, 320)
    fitted = fit_instant(data, data.classes(), (), 0, torch.device("cpu"), bfloat16=False)
    model = next(m for m in fitted if m is not None)
    assert min(_seams(replace(model, window_px=320), data)) >= 0.995


@pytest.mark.parametrize(
    ("name", "class_"),
    [("retina/images/retina_1.jpg", "object"), ("play/tissue.jpg", "nucleus"), ("play/cell.png", "object")],
)
def test_seams_of_the_shipped_base_agree_with_the_whole_picture(
    name: str, class_: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(predict, "can_stream", lambda _net: False)
    with Image.open(asset("sample", name)) as image:
        picture = np.asarray(image.convert("RGB"), np.float32) / 255
    picture = np.pad(picture, ((0, 0), (0, max(960 - picture.shape[1], 0)), (0, 0)), "symmetric")[:256, :960]
    ids = np.ones(picture.shape[:2], np.int32)
    data = MemoryData({1: picture}, {1: ids}, {1: ids.astype(np.uint8)})
    classes = [data.classes()[0], ClassEntry(2, class_, False, False)]
    model = embedded_model(classes, False, torch.device("cpu"), bfloat16=False)
    assert np.mean(_seams(replace(model, window_px=256), data)) >= 0.995


def test_a_mirrored_picture_gets_the_mirrored_answer_where_both_are_averaged():
    data = _data(256, 192)
    model = embedded_model(data.classes(), False, torch.device("cpu"), bfloat16=False)
    turned = MemoryData({1: np.ascontiguousarray(data.pictures[1][:, ::-1])}, data.ids, data.origins)
    differ = []
    for mirrored in (False, True):
        found, other = (classes_of(model, each, mirrored=mirrored) for each in (data, turned))
        differ.append(np.mean(found != other[:, ::-1]))
    assert differ[0] > 0.005
    assert differ[1] <= 1e-4


def test_windows_are_mirrored_with_what_lies_around_them():
    data = _data(1600, 200)
    model = embedded_model(data.classes(), False, torch.device("cpu"), bfloat16=False)
    whole = classes_of(replace(model, window_px=2048), data, mirrored=True)
    seconds = Seconds()
    found = classes_of(replace(model, window_px=320), data, mirrored=True, seconds=seconds)
    assert np.mean(found == whole) >= 0.99
    assert seconds.network_pixels > 2 * 1600 * 200


def test_what_only_the_encoder_sees_counts_as_its_share_of_the_work(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(predict, "can_stream", lambda _net: False)
    data = _data(1600, 200)
    model = embedded_model(data.classes(), False, torch.device("cpu"), bfloat16=False)
    seconds = Seconds()
    classes_of(replace(model, window_px=320), data, seconds=seconds)
    work = 7 * 320 * 224 + 7 * 384 * 224 * model.context.encoder_share
    assert seconds.network_pixels == pytest.approx(work, abs=7)


def test_tiles_that_were_asked_for_are_all_that_is_predicted():
    data = _data(1600, 300)
    seconds = Seconds()
    found = classes_of(_model(Bright(), window_px=320, overlap_px=64), data, tiles=[(0, 5)], seconds=seconds)
    assert (found[:256, 1280:1536] >= 0).all()
    assert (found >= 0).sum() == 256 * 256
    assert seconds.network_pixels < 0.5 * 1600 * 300


class Greedy(nn.Module):
    """Refuses more than so many pixels at once."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[0] * x.shape[2] * x.shape[3] > self.most:
            raise torch.OutOfMemoryError("no room")
        return Bright()(x)


def test_where_memory_runs_out_the_batch_is_halved_then_the_window():
    data = _data(900, 500)
    model = _model(Greedy(256 * 256), window_px=704, batch=4)
    assert np.array_equal(classes_of(model, data), data.pictures[1].mean(2) > 0.5)
    assert model.batch == 1
    assert model.window_px < 704


def test_where_nothing_fits_one_sentence_says_so():
    data = _data(300, 300)
    with pytest.raises(UserError, match="memory"):
        classes_of(_model(Greedy(100)), data)


def test_windows_are_dropped_when_no_tile_needs_them_any_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(predict, "_KEPT_WINDOWS", 4)
    monkeypatch.setattr(predict, "_BAND_TILES", 2)
    data = _data(2000, 1200)
    found = classes_of(_model(Bright(), window_px=256), data, first=Rect(1000, 600, 300, 300))
    assert np.array_equal(found, data.pictures[1].mean(2) > 0.5)


def test_others_get_their_turn_after_every_window():
    data = _data(1000, 600)
    kinds = [found is None for found in predict_tiles(_model(Bright(), window_px=256), data, data.planes()[0])]
    assert sum(kinds) == 4 * 3 or sum(kinds) >= 8
    assert max(len(list(group)) for is_tile, group in itertools.groupby(not k for k in kinds) if is_tile) <= 6
