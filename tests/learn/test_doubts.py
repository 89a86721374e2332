"""Labels that are probably mistakes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from segstudio.engine import workshop
from segstudio.errors import NotEnoughLabels
from segstudio.geometry import Rect
from segstudio.learn.data import Part, PlaneEntry
from segstudio.learn.doubts import Doubt, Usual, doubts, found_in
from segstudio.learn.instant import FeatureKeeper, InstantNetwork
from tests.learn.conftest import BACKGROUND, BRIGHT, MemoryData, blob_data

CPU = torch.device("cpu")


def _all(data: MemoryData) -> list[Doubt]:
    return [found for found in doubts(data, CPU, bfloat16=False) if isinstance(found, Doubt)]


def _swapped(data: MemoryData, image: int, rect: Rect) -> MemoryData:
    """The classes of a rectangle the other way round."""
    ids = data.ids[image].copy()
    part = ids[rect.y : rect.bottom, rect.x : rect.right]
    part[:] = np.where(part == BACKGROUND, BRIGHT, BACKGROUND)
    return replace(data, ids={**data.ids, image: ids})


def test_a_region_that_was_given_the_wrong_class_comes_first():
    wrong = Rect(20, 30, 30, 30)
    data = _swapped(blob_data(4, side=160), 2, wrong)
    found = sorted(_all(data), key=lambda doubt: -doubt.score)
    assert found
    first = found[0]
    assert first.image == 2
    covered = first.rect.intersected(wrong).area / first.rect.area
    assert covered > 0.9
    assert {first.labelled, first.said} == {BACKGROUND, BRIGHT}
    inside = data.ids[2][first.rect.y : first.rect.bottom, first.rect.x : first.rect.right]
    assert (inside[first.mask] == first.labelled).all()


def test_right_labels_are_hardly_doubted():
    clean = blob_data(4, side=160)
    right = sum(doubt.score for doubt in _all(clean))
    wrong = sum(doubt.score for doubt in _all(_swapped(clean, 2, Rect(20, 30, 30, 30))))
    assert right < 0.2 * wrong


def test_no_image_is_judged_by_what_was_learned_from_it(monkeypatch: pytest.MonkeyPatch):
    from segstudio.learn import doubts as module

    trained: list[set[int]] = []
    plain = module.fit_instant

    def fitted(data: MemoryData, *args: Any, planes: Sequence[PlaneEntry], **options: Any) -> object:
        assert isinstance(data, MemoryData)
        trained.append({entry.image for entry in planes})
        return plain(data, *args, planes=planes, **options)

    judged: list[int] = []
    of_plane = module._of_plane
    monkeypatch.setattr(module, "fit_instant", fitted)
    monkeypatch.setattr(
        module,
        "_of_plane",
        lambda model, data, entry, usual: judged.append(entry.image) or of_plane(model, data, entry, usual),
    )
    order: list[tuple[int, set[int]]] = []
    for _step in doubts(blob_data(5, side=64), CPU, bfloat16=False):
        while len(order) < len(judged):
            order.append((judged[len(order)], trained[-1]))
    assert sorted(image for image, _ in order) == [1, 2, 3, 4, 5]
    assert all(learned and image not in learned for image, learned in order)


def test_images_that_are_held_out_judge_and_are_judged_too():
    wrong = Rect(20, 30, 30, 30)
    data = _swapped(blob_data(4, side=160), 2, wrong)
    data.parts = dict.fromkeys(data.ids, Part.HELD_OUT)
    found = max(_all(data), key=lambda doubt: doubt.score)
    assert found.image == 2
    assert found.rect.intersected(wrong).area > 0.9 * found.rect.area


def test_the_search_computes_the_features_of_a_picture_once_and_leaves_those_of_the_screen_alone(
    monkeypatch: pytest.MonkeyPatch,
):
    computed: list[int] = []
    plain = InstantNetwork.parts
    monkeypatch.setattr(InstantNetwork, "parts", lambda self, levels: computed.append(1) or plain(self, levels))
    one_picture = 64 * 64 * 110
    monkeypatch.setattr(workshop, "FeatureKeeper", lambda most=one_picture: FeatureKeeper(most))
    data = blob_data(5, side=64)
    shop, shown = workshop.Workshop(lambda: data), data.planes()[0]
    assert list(shop.look_ahead("cpu", data, shown, shown.bounds))
    assert len(computed) == 1
    assert [found for found in shop.doubts(CPU, data) if isinstance(found, tuple)][-1] == (5, 5)
    assert len(computed) == 1 + 5
    assert list(shop.look_ahead("cpu", data, shown, shown.bounds))
    assert len(computed) == 1 + 5


def test_progress_counts_the_planes():
    steps = [found for found in doubts(blob_data(3, side=64), CPU, bfloat16=False) if isinstance(found, tuple)]
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_one_image_is_too_little():
    with pytest.raises(NotEnoughLabels, match="at least two of different series"):
        _all(blob_data(1, side=64))


def test_thin_outlines_and_unlabelled_pixels_are_not_doubted():
    labels = np.full((60, 60), BACKGROUND, np.int32)
    labels[:, 30:] = 0
    values = np.zeros((2, 60, 60), np.float32)
    values[0] = 0.9
    values[1] = 0.1
    values[:, 10:12, 5:25] = np.array([0.05, 0.95])[:, None, None]  # two pixels wide
    values[:, 40:55, 35:55] = np.array([0.05, 0.95])[:, None, None]  # nothing is labelled there
    labels[30:36, 2:8] = BRIGHT
    values[:, 30:36, 2:8] = np.array([0.2, 0.8])[:, None, None]
    entry = blob_data(1, side=60).planes()[0]
    outputs = np.array([BACKGROUND, BRIGHT])
    assert found_in(values, labels, outputs, entry, entry.bounds, Usual()) == []
    values[:, 40:50, 5:15] = np.array([0.05, 0.95])[:, None, None]
    (found,) = found_in(values, labels, outputs, entry, entry.bounds, Usual())
    assert (found.rect, found.labelled, found.said) == (Rect(5, 40, 10, 10), BACKGROUND, BRIGHT)
    assert found.mask.all()
    assert found.score == pytest.approx(100 * 0.9, abs=1e-3)


def test_a_class_that_an_image_does_not_have_is_as_sure_as_in_the_others():
    entry = blob_data(1, side=40).planes()[0]
    outputs, usual = np.array([BACKGROUND, BRIGHT]), Usual()
    labels = np.full((40, 40), BACKGROUND, np.int32)
    values = np.zeros((2, 40, 40), np.float32)
    values[0], values[1] = 0.9, 0.1
    values[:, 10:20, 10:20] = np.array([0.3, 0.7])[:, None, None]
    assert found_in(values, labels, outputs, entry, entry.bounds, usual) == []
    usual.add(BRIGHT, np.full(100, 0.65, np.float32))
    assert len(found_in(values, labels, outputs, entry, entry.bounds, usual)) == 1
