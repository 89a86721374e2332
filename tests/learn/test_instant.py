import numpy as np
import pytest
import torch

from segstudio.errors import NotEnoughLabels
from segstudio.learn.data import ClassEntry, Dataset
from segstudio.learn.instant import fit_instant
from segstudio.learn.predict import Model, predict_tiles
from segstudio.runs import Block
from tests.learn.conftest import MemoryData, blob_data

CPU = torch.device("cpu")


def _fitted(data: Dataset, blocks: tuple[Block, ...] = (), **options: object) -> Model:
    found = [m for m in fit_instant(data, data.classes(), blocks, 0, CPU, bfloat16=False, **options) if m is not None]
    assert len(found) == 1
    return found[0]


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


def test_a_head_at_each_scale_is_the_same_as_one_head_on_enlarged_features(discs: MemoryData):
    from torch.nn import functional as F

    net = _fitted(discs).net
    x = torch.from_numpy(discs.pictures[4][:64, :96]).permute(2, 0, 1)[None]
    with torch.inference_mode():
        fine = [F.interpolate(f, x.shape[-2:], mode="bilinear", align_corners=False) for f in net.features(x)]
        weight = torch.cat(list(net.heads), 1)
        expected = F.conv2d(torch.cat(fine, 1), weight[:, :, None, None]) + net.bias.view(1, -1, 1, 1)
        assert torch.allclose(net(x), expected, atol=1e-2)
