"""Changes of light, on the device: brightness, contrast, gamma, and hue where there is colour. Turns and zoom belong
to the sampling.

Every number follows from (seed, step) and is drawn on the CPU, so that every device sees the same.
"""

import numpy as np
import torch

from segstudio.runs import Recipe

__all__ = ["photometric"]

_LUMA = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))
"""RGB to YIQ (NTSC): turning I and Q turns the hue and leaves grey as it is."""


def photometric(pixels: torch.Tensor, recipe: Recipe, seed: int, step: int) -> torch.Tensor:
    """Pixels (n, c, h, w) in 0..1 under other light, within 0..1."""
    n, channels = pixels.shape[:2]
    draws = np.random.default_rng((seed, step, 1)).uniform(-1, 1, (n, 4)).astype(np.float32)
    brightness, contrast, gamma, hue = (
        torch.from_numpy(draws[:, i].copy()).to(pixels.device).view(n, 1, 1, 1) for i in range(4)
    )
    out = pixels.clamp(1e-4, 1) ** torch.exp(recipe.gamma * gamma)
    mean = out.mean((1, 2, 3), keepdim=True)
    out = (out - mean) * torch.exp(recipe.contrast * contrast) + mean + recipe.brightness * 0.5 * brightness
    if channels == 3 and recipe.hue > 0:
        out = _turned(out, hue.view(n) * recipe.hue * (2 * np.pi))
    return out.clamp(0, 1)


def _turned(pixels: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """Pixels (n, 3, h, w) with the hue turned by an angle (n) in radians."""
    to_yiq = torch.tensor(_LUMA, device=pixels.device)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    turn = torch.zeros(len(angle), 3, 3, device=pixels.device)
    turn[:, 0, 0] = 1
    turn[:, 1, 1], turn[:, 1, 2], turn[:, 2, 1], turn[:, 2, 2] = cosine, -sine, sine, cosine
    matrix = torch.linalg.inv(to_yiq) @ turn @ to_yiq
    return torch.einsum("nij,njhw->nihw", matrix, pixels)
