"""Large planes streamed through the network from top to bottom: what the whole plane gives, encoded once."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from segstudio.assets import asset
from segstudio.errors import UserError
from segstudio.geometry import Rect, tiles_of
from segstudio.learn import predict, streaming, strips
from segstudio.learn.data import ClassEntry
from segstudio.learn.fusing import can_fuse, fused
from segstudio.learn.instant import fit_instant
from segstudio.learn.model import Model, Seconds
from segstudio.learn.predict import predict_tiles
from segstudio.learn.row_encoder import LEVELS, RowEncoder
from segstudio.learn.streaming import can_stream
from segstudio.learn.versions import embedded_model
from segstudio.learn.weights import load_base
from tests.learn.conftest import MemoryData, blob_data
from tests.learn.helpers import classes_of

CPU = torch.device("cpu")
pytestmark = pytest.mark.skipif(not can_fuse(CPU), reason="this build of torch has no oneDNN")


def _data(name: str, width: int, height: int) -> MemoryData:
    with Image.open(asset("sample", name)) as image:
        picture = np.asarray(image.convert("RGB"), np.float32) / 255
    rows, columns = max(height - picture.shape[0], 0), max(width - picture.shape[1], 0)
    picture = np.pad(picture, ((0, rows), (0, columns), (0, 0)), "symmetric")[:height, :width]
    ids = np.ones(picture.shape[:2], np.int32)
    return MemoryData({1: picture}, {1: ids}, {1: ids.astype(np.uint8)})


def _model(data: MemoryData, class_: str = "object", **options: object) -> Model:
    classes = [data.classes()[0], ClassEntry(2, class_, False, False)]
    return replace(embedded_model(classes, False, CPU, bfloat16=False), **options)  # type: ignore[arg-type]


def _whole(model: Model, data: MemoryData) -> np.ndarray:
    return classes_of(replace(model, window_px=8192), data)


@pytest.mark.parametrize("fed", [32, 64, 160, 480])
@pytest.mark.parametrize("bfloat16", [False, True])
def test_rows_fed_one_after_the_other_give_the_levels_of_the_whole_picture(fed: int, bfloat16: bool):
    net = fused(load_base(), 3, CPU, bfloat16=bfloat16)
    noise = torch.randn((1, 3, 480, 96), generator=torch.Generator().manual_seed(1))
    picture = noise.contiguous(memory_format=torch.channels_last)
    rows, found = RowEncoder(net.encoder), {stride: [] for stride in LEVELS}  # type: ignore[arg-type]
    with torch.inference_mode():
        expected = net.encoder(picture)[2:]  # type: ignore[operator]
        for y in range(0, 480, fed):
            fresh = rows.feed(picture[:, :, y : y + fed], last=y + fed >= 480)
            for level, part in zip(found.values(), fresh, strict=True):
                if part is not None:
                    level.append(part)
    for level, parts in zip(expected, found.values(), strict=True):
        assert torch.allclose(level, torch.cat(parts, 2), atol=1e-4 if not bfloat16 else 0.5)


def test_of_a_picture_as_low_as_one_row_of_the_deepest_level_all_comes_at_the_end():
    net = fused(load_base(), 3, CPU, bfloat16=False)
    with torch.inference_mode():
        found = RowEncoder(net.encoder).feed(torch.zeros(1, 3, 32, 64), last=True)  # type: ignore[arg-type]
    assert [None if level is None else level.shape[2] for level in found] == [8, 4, 2, 1]


@pytest.mark.parametrize(("pitch", "least"), [(32, 1.0), (24, 0.999), (48, 0.999)])
def test_a_streamed_plane_is_what_the_whole_plane_gives(pitch: int, least: float):
    data = _data("play/tissue.jpg", 1000, 700)
    model = _model(data, "nucleus", pitch=pitch, window_px=256)
    assert can_stream(model.net)
    whole, found = _whole(model, data), classes_of(model, data)
    assert 0.005 < (whole > 0).mean() < 0.995
    assert (whole == found).mean() >= least


@pytest.mark.parametrize(
    ("name", "class_"),
    [("retina/images/retina_1.jpg", "object"), ("play/tissue.jpg", "nucleus"), ("play/cell.png", "object")],
)
def test_seams_between_strips_agree_with_the_whole_picture(name: str, class_: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(strips, "_STRIP_WINDOWS", 1)
    data = _data(name, 1024, 256)
    model = _model(data, class_, window_px=256)
    same = _whole(model, data) == classes_of(model, data)
    seams = [right for _, right in pairwise(range(0, 1024, 256))]
    assert np.mean([same[:, seam - 16 : seam + 16].mean() for seam in seams]) >= 0.995


def test_nothing_is_encoded_twice_where_a_plane_is_one_strip():
    data = _data("play/cell.png", 1600, 320)
    seconds = Seconds()
    classes_of(_model(data, window_px=512), data, seconds=seconds)
    assert seconds.network_pixels == pytest.approx(1600 * 320, abs=20)
    assert seconds.network > 0
    assert seconds.decode > 0


def test_what_is_on_the_screen_comes_first_and_the_rest_is_streamed():
    data = _data("play/cell.png", 1600, 700)
    visible = Rect(1300, 400, 250, 200)
    found = predict_tiles(_model(data, window_px=256), data, data.planes()[0], first=visible)
    order = [(tile.ty, tile.tx) for tile in found if tile is not None]
    assert set(order[: len(list(tiles_of(visible)))]) == set(tiles_of(visible))
    assert sorted(order) == sorted(tiles_of(data.planes()[0].bounds))


def test_where_nearly_all_is_on_the_screen_it_is_streamed():
    data = _data("play/cell.png", 1600, 320)
    seconds = Seconds()
    classes_of(_model(data, window_px=512), data, first=Rect(0, 0, 1600, 320), seconds=seconds)
    assert seconds.network_pixels == pytest.approx(1600 * 320, abs=20)


def test_a_few_tiles_are_made_in_windows(monkeypatch: pytest.MonkeyPatch):
    data = _data("play/cell.png", 1600, 320)
    monkeypatch.setattr(predict, "streamed_tiles", None)
    found = classes_of(_model(data, window_px=256), data, tiles=[(1, 3)])
    assert (found >= 0).sum() == 64 * 256


def test_rows_that_are_left_are_streamed_alone(monkeypatch: pytest.MonkeyPatch):
    data = _data("play/cell.png", 800, 2560)
    read: list[Rect] = []
    plain = data.pixels
    monkeypatch.setattr(data, "pixels", lambda *at: read.append(at[2]) or plain(*at))
    left = [key for key in tiles_of(data.planes()[0].bounds) if key[0] >= 5]
    found = classes_of(_model(data, window_px=256), data, tiles=left)
    assert (found[: 5 * 256] == -1).all()
    assert (found[5 * 256 :] >= 0).all()
    assert min(rect.y for rect in read) >= 5 * 256 - 320


def test_only_what_is_still_needed_is_kept(monkeypatch: pytest.MonkeyPatch):
    kept: list[int] = []
    plain: Callable[..., None] = streaming._Strip.forget

    def forget(strip: streaming._Strip, y: int) -> None:
        plain(strip, y)
        kept.append(strip._image.bottom - strip._image.top)

    monkeypatch.setattr(streaming._Strip, "forget", forget)
    classes_of(_model(blob_data(1), window_px=256), _data("play/cell.png", 320, 4096))
    assert len(kept) == 16
    assert max(kept) <= 1024


def test_others_get_their_turn_while_a_plane_is_streamed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(strips, "_TURN_PX", 100_000)
    data = _data("play/cell.png", 1000, 1000)
    turns = [found is None for found in predict_tiles(_model(data, window_px=256), data, data.planes()[0])]
    assert sum(turns) >= 7


def test_where_memory_runs_out_what_is_streamed_gets_narrower(monkeypatch: pytest.MonkeyPatch):
    drawn: list[int] = []
    plain = streaming._Strip.drawn

    def scarce(strip: streaming._Strip, part: Rect) -> torch.Tensor:
        drawn.append(part.w)
        if part.w > 256:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return plain(strip, part)

    data = _data("play/cell.png", 1000, 600)
    model = _model(data, window_px=512)
    whole = _whole(model, data)
    monkeypatch.setattr(streaming._Strip, "drawn", scarce)
    assert (classes_of(model, data) == whole).mean() >= 0.999
    assert max(drawn) > 256
    assert model.window_px == 256


def test_where_nothing_fits_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch):
    def none(*_: object) -> torch.Tensor:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    data = _data("play/cell.png", 1000, 600)
    monkeypatch.setattr(streaming._Strip, "drawn", none)
    with pytest.raises(UserError, match="memory"):
        classes_of(_model(data, window_px=512), data)


def test_versions_with_merged_classes_are_streamed_and_the_instant_learner_is_not():
    data = blob_data(2)
    assert can_stream(_model(data).net)
    fitted = next(m for m in fit_instant(data, data.classes(), (), 0, CPU, bfloat16=False) if m is not None)
    assert not can_stream(fitted.net)
