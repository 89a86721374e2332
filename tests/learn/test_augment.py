"""The table of augmentations, and that today's set is what it was before there was a table."""

import msgspec
import numpy as np
import pytest
import torch

from segstudio.errors import UserError
from segstudio.learn.augment import _LUMA, AUGMENTATIONS, Augmenter, default_strengths
from segstudio.runs import Recipe
from tests.added_package import install, run
from tests.learn.conftest import MemoryData
from tests.learn.helpers import tiny_plan

ALL = Augmenter(Recipe())


def patch(seed: int = 0, channels: int = 3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random((4, channels, 8, 8), np.float32))


def light_as_it_was(pixels: torch.Tensor, seed: int, step: int) -> torch.Tensor:
    """The arithmetic of the releases before the table."""
    n, channels = pixels.shape[:2]
    draws = np.random.default_rng((seed, step, 1)).uniform(-1, 1, (n, 4)).astype(np.float32)
    brightness, contrast, gamma, hue = (torch.from_numpy(draws[:, i].copy()).view(n, 1, 1, 1) for i in range(4))
    out = pixels.clamp(1e-4, 1) ** torch.exp(0.2 * gamma)
    mean = out.mean((1, 2, 3), keepdim=True)
    out = (out - mean) * torch.exp(0.2 * contrast) + mean + 0.2 * 0.5 * brightness
    if channels == 3:
        angle = hue.view(n) * 0.03 * (2 * np.pi)
        to_yiq, cosine, sine = torch.tensor(_LUMA), torch.cos(angle), torch.sin(angle)
        turn = torch.zeros(n, 3, 3)
        turn[:, 0, 0] = 1
        turn[:, 1, 1], turn[:, 1, 2], turn[:, 2, 1], turn[:, 2, 2] = cosine, -sine, sine, cosine
        out = torch.einsum("nij,njhw->nihw", torch.linalg.inv(to_yiq) @ turn @ to_yiq, out)
    return out.clamp(0, 1)


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_light_is_to_the_bit_what_it_was_before_the_table(channels: int) -> None:
    for step in range(3):
        pixels = patch(step, channels)
        assert torch.equal(ALL.lit(pixels, 7, step), light_as_it_was(pixels, 7, step))


def test_zoom_and_turns_draw_the_numbers_they_drew_before_the_table() -> None:
    for seed in range(20):
        rng, then = np.random.default_rng(seed), np.random.default_rng(seed)
        assert ALL.zoom(rng) == float(np.exp(then.uniform(*np.log((0.7, 1.4)))))
        pixels, labels = np.random.default_rng(1).random((6, 6, 3), np.float32), np.arange(36).reshape(6, 6)
        turn, flip = int(then.integers(4)), bool(then.integers(2))
        expected = np.rot90(labels, turn)
        assert np.array_equal(ALL.moved(rng, pixels, labels)[1], expected[:, ::-1] if flip else expected)


def test_what_moves_pixels_moves_their_labels_with_them() -> None:
    labels = np.arange(36).reshape(6, 6)
    pixels = np.repeat(labels[..., None], 3, 2).astype(np.float32)
    for row in AUGMENTATIONS.rows:
        if row.move is not None:
            assert row.moves
            for seed in range(8):
                moved, theirs = row.move(np.random.default_rng(seed), 1.0, pixels, labels)
                assert np.array_equal(moved[..., 0], theirs)
                assert sorted(theirs.ravel()) == list(range(36))


def test_one_that_is_off_leaves_the_others_as_they_are() -> None:
    without = Augmenter(Recipe(augment={"gamma": 0.2, "contrast": 0.2, "brightness": 0.2}))
    grey = patch(channels=1)
    assert torch.equal(without.lit(grey, 3, 4), ALL.lit(grey, 3, 4))


def test_without_any_a_patch_stays_as_it_is() -> None:
    nothing, pixels = Augmenter(Recipe(augment={})), patch()
    labels = np.arange(4).reshape(2, 2)
    assert torch.equal(nothing.lit(pixels, 1, 1), pixels)
    assert nothing.zoom(np.random.default_rng(1)) == 1.0
    assert nothing.moved(np.random.default_rng(1), np.zeros((2, 2, 1), np.float32), labels)[1] is labels


def test_a_plan_names_what_it_uses(discs: MemoryData) -> None:
    names = ["scale", "quarter_turn", "flip", "gamma", "contrast", "brightness", "hue"]
    assert list(default_strengths()) == names
    assert tiny_plan(discs).recipe.augment == default_strengths()


def test_a_plan_of_an_earlier_release_goes_on_with_what_it_had() -> None:
    old = b'{"zoom": [0.7, 1.4], "turns": true, "brightness": 0.2, "contrast": 0.2, "gamma": 0.2, "hue": 0.03}'
    recipe = msgspec.json.decode(old, type=Recipe)
    assert torch.equal(Augmenter(recipe).lit(patch(), 1, 2), light_as_it_was(patch(), 1, 2))


def test_a_plan_with_one_that_is_missing_here_is_an_error_that_names_it() -> None:
    with pytest.raises(UserError, match="'fog', which this installation does not have"):
        Augmenter(Recipe(augment={"fog": 0.5}))


ADDED = """
from segstudio.learn.augment import Augmentation

def darker(rng, strength, pixels):
    return pixels * (1 - strength)

night = Augmentation("night", "by night", {strength}, light=darker)
"""


def test_another_package_adds_one_that_a_plan_may_name(tmp_path) -> None:
    install(tmp_path, ADDED.format(strength=0.0), "augmentations", "night")
    program = """
        import torch
        from segstudio.learn.augment import Augmenter, default_strengths
        from segstudio.runs import Recipe
        lit = Augmenter(Recipe(augment={"night": 0.5})).lit(torch.ones(1, 1, 1, 1), 1, 1)
        print(lit.item(), len(default_strengths()))
    """
    assert run(tmp_path, program) == "0.5 7"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (ADDED.format(strength=2.0), "its strength 2.0 is not between 0 and 1"),
        (ADDED.replace(", light=darker", "").format(strength=0.1), "exactly one of zoom, move and light"),
        ("night = print", "it is not of the type Augmentation"),
        ("raise OSError('half installed')", "OSError: half installed"),
    ],
)
def test_one_that_is_broken_is_left_out_and_said_once(tmp_path, source: str, reason: str) -> None:
    install(tmp_path, source, "augmentations", "night")
    program = """
        from segstudio.learn.augment import AUGMENTATIONS
        from segstudio.registry import unsaid
        print(len(AUGMENTATIONS), *(row.sentence for row in unsaid()), *unsaid())
    """
    said = run(tmp_path, program)
    assert said.startswith("7 'night' of the package extra-rows was left out of SegStudio's augmentations: ")
    assert reason in said
