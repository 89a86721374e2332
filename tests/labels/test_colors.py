"""The colours of new classes: how far apart they are for usual and for colour-blind eyes."""

import numpy as np
import pytest
from numpy.typing import NDArray

from segstudio.labels.colors import BACKGROUND_COLOR, default_color, next_color
from segstudio.labels.model import Kind

Floats = NDArray[np.float64]

USUAL = np.eye(3)
# Machado, Oliveira and Fernandes, IEEE Trans. Vis. Comput. Graph. 15 (2009), severity 1.0, for linear RGB.
PROTANOPIA = np.array(
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
)
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def _lab(colors: list[str], seen: Floats) -> Floats:
    srgb = np.array([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in colors]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ seen.T, 0, 1) @ XYZ.T / WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def _least_distance(colors: list[str]) -> float:
    """CIE76, over all pairs and the three ways of seeing."""
    pairs = np.triu_indices(len(colors), 1)
    distances = []
    for seen in (USUAL, PROTANOPIA, DEUTERANOPIA):
        lab = _lab(colors, seen)
        distances.append(np.linalg.norm(lab[:, None] - lab[None], axis=2)[pairs].min())
    return float(min(distances))


def _given(number: int) -> list[str]:
    colors: list[str] = []
    for _ in range(number):
        colors.append(next_color(colors))
    return colors


@pytest.mark.parametrize(("number", "least"), [(7, 17.0), (14, 17.0), (30, 13.5), (40, 12.0), (60, 9.5)])
def test_classes_are_apart_for_usual_and_for_colour_blind_eyes(number: int, least: float) -> None:
    assert _least_distance(_given(number)) >= least


def test_no_class_looks_like_background_or_like_ignored_pixels() -> None:
    colors, ignored = _given(60), default_color(Kind.IGNORE, [])
    assert min(_least_distance([color, BACKGROUND_COLOR]) for color in colors) >= 10
    assert min(_least_distance([color, ignored]) for color in colors[7:]) >= 10
    assert min(_least_distance([color, ignored]) for color in colors[:7]) >= 7  # Okabe & Ito's pink, simulated


def test_no_colour_of_sixty_is_nearly_black_or_nearly_white() -> None:
    lightness = _lab(_given(60), USUAL)[:, 0]
    assert lightness.min() > 15
    assert lightness.max() < 96


def test_beyond_the_palette_colours_still_differ() -> None:
    colors = _given(400)
    assert len(set(colors)) == 400


def test_a_colour_that_went_out_of_use_is_given_again() -> None:
    first, *others = _given(20)
    assert next_color(others) == first
