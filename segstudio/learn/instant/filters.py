"""Classical filters for the instant learner, at four scales: what a forest on filters sees (Sommer et al. 2011).

Each scale is a reduced copy of the picture, so a wide filter costs no more than a narrow one: at stride s a Gaussian
of sigma reaches as far as one of s * sigma at full size, for 1 / s^2 of the work.
"""

import math
from collections.abc import Sequence

import torch
from torch.nn import functional as F

__all__ = ["STRIDES", "filter_bank", "filters_at"]

STRIDES = (1, 2, 4, 8)
"""Of the reduced copies that filters are computed on."""

_SIGMAS = (0.7, 1.6)


def filters_at(channels: int, stride: int) -> int:
    """How many filters a picture with so many channels has at one stride."""
    return len(_SIGMAS) * (channels + 5) + (channels if stride == 1 else 0)


def filter_bank(x: torch.Tensor) -> list[torch.Tensor]:
    """Filters float32 (n, d, h / s, w / s) at each of `STRIDES` of pictures (n, c, h, w), h and w multiples of 8.

    For every sigma: all channels smoothed; of their mean the strength of the gradient, both eigenvalues of the Hessian
    (thin lines and spots; Lindeberg 1998), and the roots of both of the structure tensor (direction and texture;
    Bigun and Granlund 1987). At full size also the channels themselves.
    """
    # Depth-wise convolutions in bfloat16 fall back to a path a thousand times slower on CPUs (torch 2.15).
    with torch.autocast(x.device.type, enabled=False):
        x = x.float().contiguous()
        reduced = [x if stride == 1 else F.avg_pool2d(x, stride) for stride in STRIDES]
        return [torch.cat([*([copy] if i == 0 else []), *_at_one_scale(copy)], 1) for i, copy in enumerate(reduced)]


def _at_one_scale(x: torch.Tensor) -> list[torch.Tensor]:
    parts = []
    for sigma in _SIGMAS:
        smooth = _gaussian(x, sigma)
        level = smooth.mean(1, keepdim=True)
        dx, dy = _slopes(level)
        dxx, _ = _slopes(dx)
        dxy, dyy = _slopes(dy)
        tensor = _gaussian(torch.cat([dx * dx, dy * dy, dx * dy], 1), sigma)
        strength = (dx * dx + dy * dy).sqrt() * sigma
        hessian = _eigenvalues(dxx, dyy, dxy)
        texture = _eigenvalues(tensor[:, 0:1], tensor[:, 1:2], tensor[:, 2:3])
        parts += [smooth, strength, *(value * sigma**2 for value in hessian)]
        parts += [value.clamp(min=0).sqrt() * sigma for value in texture]
    return parts


def _slopes(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Central differences along x and along y; at the rim half of the one-sided ones."""
    wide, high = F.pad(x, (1, 1, 0, 0), mode="replicate"), F.pad(x, (0, 0, 1, 1), mode="replicate")
    return (wide[..., 2:] - wide[..., :-2]) / 2, (high[..., 2:, :] - high[..., :-2, :]) / 2


def _eigenvalues(a: torch.Tensor, d: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the symmetric matrices ((a, b), (b, d)): the greater and the lesser."""
    middle = (a + d) / 2
    spread = (((a - d) / 2) ** 2 + b**2).sqrt()
    return middle + spread, middle - spread


def _gaussian(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian smoothing (n, c, h, w); beyond the rim the outermost pixels go on."""
    reach = round(3 * sigma)
    at = [math.exp(-0.5 * (i / sigma) ** 2) for i in range(reach + 1)]
    total = at[0] + 2 * sum(at[1:])
    weights = [value / total for value in at]
    return _along(_along(x, weights, 2), weights, 3)


def _along(x: torch.Tensor, weights: Sequence[float], axis: int) -> torch.Tensor:
    """A symmetric kernel along one axis, as sums of shifted copies: a tenth of a convolution's time with few channels
    on a CPU (torch 2.15).
    """
    reach, length = len(weights) - 1, x.shape[axis]
    padding = (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0)
    wide = F.pad(x, padding, mode="replicate")
    out = x * weights[0]
    for i, weight in enumerate(weights[1:], 1):
        out.add_(wide.narrow(axis, reach - i, length), alpha=weight)
        out.add_(wide.narrow(axis, reach + i, length), alpha=weight)
    return out
