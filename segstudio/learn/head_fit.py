"""The head fitted in closed form before the first step: ridge regression on the decoder's features.

A head that fits its decoder leaves the decoder what it has learned; a random one first pulls it away (Kumar et al.,
Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution, 2022).
"""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

from segstudio.learn.sampling import UNKNOWN

__all__ = ["fit_head"]

_PIXELS = 8192
_PENALTY = 0.3
_FLOOR = 0.3
_SHARPNESS = 5.0


@torch.no_grad()
def fit_head(conv: nn.Conv2d, forward: Callable[[], torch.Tensor], labels: torch.Tensor) -> None:
    """Fit the head of a network to labels int64 (n, h, w), `UNKNOWN` where nothing is known; `forward` is a pass.

    Classes weigh by the root of their pixels. One that the labels do not hold keeps its weights.
    """
    found: list[torch.Tensor] = []
    hook = conv.register_forward_pre_hook(lambda _module, given: found.append(given[0].float()))
    try:
        forward()
    finally:
        hook.remove()
    places = (labels != UNKNOWN).flatten().nonzero().flatten()
    if not len(places) or not bool(torch.isfinite(found[0]).all()):
        return
    places = places[:: max(len(places) // _PIXELS, 1)]
    around, truth = _around(found[0], conv, places), labels.flatten()[places]
    count = torch.bincount(truth, minlength=conv.out_channels).double()
    weight = count.clamp(min=1).rsqrt()[truth]
    share = weight / weight.sum()
    mean = share @ around
    spread = (share @ (around - mean).square()).clamp(min=0)
    spread = (spread + _FLOOR * spread.mean()).sqrt().clamp(min=1e-6)
    x = (around - mean) / spread
    y = F.one_hot(truth, conv.out_channels).double()
    base = share @ y
    matrix = x.T @ (x * share[:, None]) + _PENALTY / len(x) ** 0.5 * torch.eye(
        x.shape[1], dtype=x.dtype, device=x.device
    )
    solution = torch.linalg.solve(matrix, x.T @ ((y - base) * share[:, None])) / spread[:, None]
    bias = base - mean @ solution
    for place in (count > 0).nonzero().flatten().tolist():
        conv.weight[place] = (_SHARPNESS * solution[:, place]).view_as(conv.weight[place])
        if conv.bias is not None:
            conv.bias[place] = _SHARPNESS * bias[place]


def _around(features: torch.Tensor, conv: nn.Conv2d, places: torch.Tensor) -> torch.Tensor:
    """What the convolution sees at some pixels of features (n, c, h, w): float64 (places, c * kernel area)."""
    _, channels, height, width = features.shape
    (ky, kx), (py, px) = conv.kernel_size, conv.padding  # type: ignore[misc]
    padded = F.pad(features, (int(px), int(px), int(py), int(py)))
    image, y, x = places // (height * width), places // width % height, places % width
    taps = [padded[image, :, y + dy, x + dx] for dy in range(ky) for dx in range(kx)]
    return torch.stack(taps, 2).reshape(len(places), channels * ky * kx).double()
