"""The table of augmentations, and what a plan's choice of them does to a patch.

Those that move pixels run on the CPU while a patch is drawn, on its labels too; those of light run on the device, on a
whole batch. Every number follows from (seed, step) and is drawn on the CPU, so that every device sees the same. A plan
names its augmentations with a strength each: 0 is none, 1 the most. Another package adds one through an entry point of
the group `segstudio.augmentations` that names an `Augmentation`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray

from segstudio.errors import UserError
from segstudio.registry import Registry, named
from segstudio.runs import Recipe
from segstudio.text import N_, _

__all__ = ["AUGMENTATIONS", "Augmentation", "Augmenter", "default_strengths"]

Pixels = NDArray[np.float32]
Labels = NDArray[np.integer]

Zoom = Callable[[np.random.Generator, float], float]
"""The factor by which a patch is enlarged; drawn before it is read."""

Move = Callable[[np.random.Generator, float, Pixels, Labels], tuple[Pixels, Labels]]
"""A square patch, pixels (p, p, c) in 0..1 and labels (p, p), moved alike; the arrays given are not written to."""

Light = Callable[[np.random.Generator, float, torch.Tensor], torch.Tensor]
"""Pixels (n, c, h, w), about 0..1, under other light, on their device; all are clipped to 0..1 after the last one."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """One way to vary what a step learns from: exactly one of `zoom`, `move` and `light`.

    `strength` is the default, 0 for none. `stream` selects the random numbers of a change of light; by default they
    follow from its name, so that adding one does not change the others' numbers. `title` is translated when shown.
    """

    name: str
    title: str
    strength: float
    zoom: Zoom | None = None
    move: Move | None = None
    light: Light | None = None
    stream: int = 0

    @property
    def moves(self) -> bool:
        """Whether it moves pixels, and their labels with them."""
        return self.light is None

    def numbers(self, seed: int, step: int) -> np.random.Generator:
        """The source of the random numbers of a change of light."""
        return np.random.default_rng((seed, step, self.stream or crc32(self.name.encode())))


class Augmenter:
    """A recipe's choice from the table. Raises `UserError` for an augmentation that is not installed."""

    def __init__(self, recipe: Recipe) -> None:
        strengths = default_strengths() if recipe.augment is None else recipe.augment
        missing = [name for name in strengths if name not in AUGMENTATIONS]
        if missing:
            raise UserError(
                _(
                    "The plan names the augmentation '{name}', which this installation does not have.",
                    name=missing[0],
                ),
                todo=_("Install the package that adds it, or start a new run."),
            )
        chosen = [(row, strengths.get(row.name, 0.0)) for row in AUGMENTATIONS.rows]
        self._chosen = [(row, strength) for row, strength in chosen if strength > 0]

    def zoom(self, rng: np.random.Generator) -> float:
        """The factor by which the next patch is enlarged."""
        factor = 1.0
        for row, strength in self._chosen:
            if row.zoom is not None:
                factor *= row.zoom(rng, strength)
        return factor

    def moved(self, rng: np.random.Generator, pixels: Pixels, labels: Labels) -> tuple[Pixels, Labels]:
        """Pixels (p, p, c) and labels (p, p) of a patch after all that moves them."""
        for row, strength in self._chosen:
            if row.move is not None:
                pixels, labels = row.move(rng, strength, pixels, labels)
        return pixels, labels

    def lit(self, pixels: torch.Tensor, seed: int, step: int) -> torch.Tensor:
        """Pixels (n, c, h, w) in 0..1 of a batch under other light, within 0..1."""
        for row, strength in self._chosen:
            if row.light is not None:
                pixels = row.light(row.numbers(seed, step), strength, pixels)
        return pixels.clamp(0, 1)


def default_strengths() -> dict[str, float]:
    """The choice of a plan by default: strengths by name, without those that are off."""
    return {row.name: row.strength for row in AUGMENTATIONS.rows if row.strength > 0}


_ZOOM = (0.7, 1.4)


def _scale(rng: np.random.Generator, strength: float) -> float:
    """Evenly in the logarithm."""
    low, high = (factor**strength for factor in _ZOOM)
    return float(np.exp(rng.uniform(*np.log((low, high)))))


def _quarter_turn(rng: np.random.Generator, strength: float, pixels: Pixels, labels: Labels) -> tuple[Pixels, Labels]:
    turn = int(rng.integers(4))
    if strength < 1 and rng.random() >= strength:
        return pixels, labels
    return np.rot90(pixels, turn), np.rot90(labels, turn)


def _flip(rng: np.random.Generator, strength: float, pixels: Pixels, labels: Labels) -> tuple[Pixels, Labels]:
    flip = bool(rng.integers(2))
    if not flip or (strength < 1 and rng.random() >= strength):
        return pixels, labels
    return pixels[:, ::-1], labels[:, ::-1]


_LIGHT_STREAM = 1
_BRIGHTNESS, _CONTRAST, _GAMMA, _HUE = range(4)


def _draw(rng: np.random.Generator, place: int, pixels: torch.Tensor) -> torch.Tensor:
    """A number from -1 to 1 for each patch (n, 1, 1, 1). Four share a stream, each with a column of its own, so that
    switching one off leaves the others as they are."""
    draws = rng.uniform(-1, 1, (len(pixels), 4)).astype(np.float32)
    return torch.from_numpy(draws[:, place].copy()).to(pixels.device).view(-1, 1, 1, 1)


def _gamma(rng: np.random.Generator, strength: float, pixels: torch.Tensor) -> torch.Tensor:
    return pixels.clamp(1e-4, 1) ** torch.exp(strength * _draw(rng, _GAMMA, pixels))


def _contrast(rng: np.random.Generator, strength: float, pixels: torch.Tensor) -> torch.Tensor:
    mean = pixels.mean((1, 2, 3), keepdim=True)
    return (pixels - mean) * torch.exp(strength * _draw(rng, _CONTRAST, pixels)) + mean


def _brightness(rng: np.random.Generator, strength: float, pixels: torch.Tensor) -> torch.Tensor:
    return pixels + strength * 0.5 * _draw(rng, _BRIGHTNESS, pixels)


_LUMA = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))
"""RGB to YIQ (NTSC): turning I and Q turns the hue and leaves grey as it is."""


def _hue(rng: np.random.Generator, strength: float, pixels: torch.Tensor) -> torch.Tensor:
    """Turned by up to `strength` of the circle, where there is colour."""
    if pixels.shape[1] != 3:
        return pixels
    angle = _draw(rng, _HUE, pixels).view(-1) * strength * (2 * np.pi)
    to_yiq = torch.tensor(_LUMA, device=pixels.device)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    turn = torch.zeros(len(angle), 3, 3, device=pixels.device)
    turn[:, 0, 0] = 1
    turn[:, 1, 1], turn[:, 1, 2], turn[:, 2, 1], turn[:, 2, 2] = cosine, -sine, sine, cosine
    matrix = torch.linalg.inv(to_yiq) @ turn @ to_yiq
    return torch.einsum("nij,njhw->nihw", matrix, pixels)


_TABLE = (
    Augmentation("scale", N_("smaller and larger"), 1.0, zoom=_scale),
    Augmentation("quarter_turn", N_("quarter turns"), 1.0, move=_quarter_turn),
    Augmentation("flip", N_("mirrored"), 1.0, move=_flip),
    Augmentation("gamma", N_("gamma"), 0.2, light=_gamma, stream=_LIGHT_STREAM),
    Augmentation("contrast", N_("contrast"), 0.2, light=_contrast, stream=_LIGHT_STREAM),
    Augmentation("brightness", N_("brightness"), 0.2, light=_brightness, stream=_LIGHT_STREAM),
    Augmentation("hue", N_("hue, where there is colour"), 0.03, light=_hue, stream=_LIGHT_STREAM),
)


def _refusal(name: str, row: object) -> str:
    if reason := named(Augmentation)(name, row):
        return reason
    assert isinstance(row, Augmentation)
    if not 0 <= row.strength <= 1:
        return _("its strength {strength} is not between 0 and 1", strength=row.strength)
    ways = sum(way is not None for way in (row.zoom, row.move, row.light))
    return "" if ways == 1 else _("it must do exactly one of zoom, move and light")


AUGMENTATIONS: Registry[Augmentation] = Registry("augmentations", {row.name: row for row in _TABLE}, _refusal)
