"""Patches: labels that survive resizing, made pictures, and batches that depend on seed and step alone."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.conftest import FOLDER

Load = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def windows() -> ModuleType:
    import importlib

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        return importlib.import_module("windows")


def lined(side: int, seed: int) -> np.ndarray:
    """Ground with lines one to three pixels wide, dots, an area, and an unknown corner."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((side, side), np.uint8)
    mask[: side // 3, : side // 3] = 3
    for value in (1, 2):
        a, b = rng.integers(0, side, (2, 2)).tolist()
        cv2.line(mask, a, b, value, int(rng.integers(1, 4)))
    mask[rng.integers(0, side), rng.integers(0, side)] = 4
    mask[-side // 4 :, -side // 4 :] = 255
    return mask


@settings(deadline=None, max_examples=60)
@given(side=st.integers(65, 170), seed=st.integers(0, 10**6))
def test_no_class_is_lost_to_shrinking(windows: ModuleType, side: int, seed: int) -> None:
    mask = lined(side, seed)
    small = windows.resized_labels(mask, 64)
    assert small.shape == (64, 64)
    assert set(np.unique(small)) == set(np.unique(mask))


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_shrunk_line_is_not_broken(windows: ModuleType, width: int) -> None:
    mask = np.zeros((160, 160), np.uint8)
    cv2.line(mask, (10, 20), (150, 140), 1, width)
    small = windows.resized_labels(mask, 64)
    parts, _ = cv2.connectedComponents((small == 1).astype(np.uint8), connectivity=8)
    assert parts == 2
    assert (small == 1).any(axis=0).sum() in (57, 58)  # 141 columns of 160, at 0.4
    grown = (small == 1).sum() / ((mask == 1).sum() * 0.4**2)
    assert grown < (2.0 if width > 1 else 4.5)  # a line of one pixel cannot be less than one wide


def test_a_mask_is_enlarged_without_new_values(windows: ModuleType) -> None:
    mask = np.array([[0, 3], [255, 7]], np.uint8).repeat(20, 0).repeat(20, 1)
    large = windows.resized_labels(mask, 100)
    assert set(np.unique(large)) == {0, 3, 7, 255}


def test_a_window_shows_the_class_asked_for_and_is_unknown_beyond_the_picture(windows: ModuleType) -> None:
    image = np.arange(60 * 80, dtype=np.uint32).astype(np.uint8).reshape(60, 80, 1)
    mask = np.zeros((60, 80), np.uint8)
    mask[50, 70] = 1
    for seed in range(20):
        cut, labels = windows.cut(np.random.default_rng(seed), image, mask, windows.Place(32, 1), 32)
        assert cut.shape == (32, 32, 1)
        assert (labels == 1).sum() == 1
    _, labels = windows.cut(np.random.default_rng(0), image, mask, windows.Place(160, None), 64)
    assert (labels == 255).mean() > 0.5
    assert (labels == 1).sum() >= 1


def test_pixels_and_labels_move_together(windows: ModuleType) -> None:
    rng = np.random.default_rng(3)
    mask = (rng.random((90, 70)) < 0.3).astype(np.uint8)
    image = (mask * 255)[..., None]
    for seed in range(30):
        rng = np.random.default_rng(seed)
        cut, labels = windows.cut(rng, image, mask, windows.Place(48, None), 48)
        cut, labels = windows.turned(rng, cut, labels, upright=bool(seed % 2))
        assert np.array_equal(cut[..., 0] > 127, labels == 1)


def test_upright_pictures_are_rarely_turned(windows: ModuleType) -> None:
    image = np.zeros((8, 8, 1), np.uint8)
    image[0] = 1
    turned = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        turned += not windows.turned(rng, image, image[..., 0], upright=True)[0][0].all()
    assert 5 <= turned <= 40


def test_partial_labels_keep_some_and_change_none(windows: ModuleType) -> None:
    mask = lined(128, 1)
    for seed in range(20):
        some = windows.partly(np.random.default_rng(seed), mask)
        known = some != 255
        assert known.any()
        assert known.mean() < 0.9
        assert np.array_equal(some[known], mask[known])


@pytest.mark.parametrize("channels", [1, 3])
def test_other_light_gives_three_channels_of_bytes_and_never_a_white_sheet(training: Load, channels: int) -> None:
    lighting = training("lighting")
    y, x = np.mgrid[0:64, 0:64]
    image = np.stack([(x * 4 + 20 * c * (y > 32)).clip(0, 255) for c in range(channels)], 2).astype(np.uint8)
    for seed in range(100):
        lit = lighting.relit(np.random.default_rng(seed), np.random.default_rng(seed + 1), image, invert=0.1)
        assert lit.shape == (64, 64, 3)
        assert lit.dtype == np.uint8
        assert lit.std() > 3


def test_a_negative_turns_dark_to_bright(training: Load) -> None:
    image = np.repeat(np.linspace(20, 230, 64).astype(np.uint8)[None, :, None], 64, axis=0)
    negative = training("lighting").relit(np.random.default_rng(5), np.random.default_rng(6), image, invert=1.0)
    assert negative[:, :20].mean() > negative[:, -20:].mean() + 20


@pytest.mark.parametrize("what", ["picture", "cells"])
def test_made_lines_depend_on_their_seed_alone_and_are_thin(training: Load, what: str) -> None:
    make = getattr(training("thin"), what)
    seen = []
    for seed in range(12):
        image, mask = make(np.random.default_rng(seed))
        again, _ = make(np.random.default_rng(seed))
        assert np.array_equal(image, again)
        assert image.shape == (256, 512, 3)
        assert set(np.unique(mask)) <= {0, 1}
        seen.append(mask.mean())
        depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
        assert np.percentile(depth[mask > 0], 90) < 8 if mask.any() else True
    assert 0.005 < np.mean(seen) < 0.5


def test_a_made_picture_of_shapes_depends_on_its_seed_alone(training: Load) -> None:
    picture = training("synthetic").picture
    first, second, other = (picture(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])
    assert not np.array_equal(first[0], other[0])


def test_a_batch_depends_on_seed_and_step_alone(training: Load, packed: Path) -> None:
    patches, pack = training("patches"), training("pack")
    first = patches.batch(pack.open_pack(packed), 7, 11, 2, 64)
    patches.batch(pack.open_pack(packed), 7, 12, 2, 64)
    again = patches.Batches(pack.open_pack(packed), 7, 2, 64)[11]
    for part in ("image", "classes", "foreground", "support"):
        assert np.array_equal(getattr(first, part).numpy(), getattr(again, part).numpy())
    assert (first.sets, first.weights) == (again.sets, again.weights)
    other = patches.batch(pack.open_pack(packed), 8, 11, 2, 64)
    assert not np.array_equal(first.image.numpy(), other.image.numpy())


def test_batches_made_in_another_process_are_the_same(training: Load, packed: Path) -> None:
    import torch

    patches, pack = training("patches"), training("pack")
    batches = patches.Batches(pack.open_pack(packed), 7, 1, 64)
    loader = torch.utils.data.DataLoader(
        batches, batch_size=None, sampler=range(3, 6), num_workers=1, multiprocessing_context="spawn"
    )
    for step, found in zip(range(3, 6), loader, strict=True):
        assert torch.equal(found.image, batches[step].image)
        assert torch.equal(found.support, batches[step].support)


def test_every_set_comes_as_often_as_its_recipe_says_and_only_its_training_side(training: Load, packed: Path) -> None:
    patches, opened = training("patches"), training("pack").open_pack(packed)
    turns = [s.recipe.turns for s in opened.sets]
    round_of = sum(turns) + sum(patches.MADE_TURNS.values())
    numbers = [n for step in range(round_of) for n in patches.batch(opened, 7, step, 1, 32).sets]
    assert [numbers.count(n) for n in range(len(turns))] == turns
    assert numbers.count(patches.MADE) == sum(patches.MADE_TURNS.values())


def test_support_pixels_are_known_and_even_over_the_classes(training: Load, packed: Path) -> None:
    patches, opened = training("patches"), training("pack").open_pack(packed)
    for step in range(12):
        found = patches.batch(opened, 7, step, 2, 64)
        for i, support in enumerate(found.support):
            values = found.classes[2 * i].flatten()[support[support >= 0]]
            assert (values != 255).all()
            assert len(support.unique()) == (support >= 0).sum() + int((support < 0).any())
