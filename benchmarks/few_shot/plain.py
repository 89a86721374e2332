"""The recipe that a person writes in forty lines with segmentation-models-pytorch: U-Net, Adam, random crops, flips.

All weights learn from the first step, at one rate, in single precision. `imagenet` starts the encoder from the weights
that the program ships, with the epsilon and the normalisation that belong to them; otherwise all weights are random.
"""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import segmentation_models_pytorch as smp
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import nn

from few_shot.sets import UNKNOWN, Pair, Predictor
from segstudio.assets import asset
from segstudio.learn.weights import embedded_card

__all__ = ["BATCH", "fitted", "network", "step_seconds"]

BATCH = 8
CROP_PX = 256
_RATE = 1e-3
_STRIDE = 32
_EPSILON = 1e-3
_UNUSED = ("encoder.conv_head.", "encoder.bn2.")
_COUNT = ".num_batches_tracked"


def fitted(labelled: Sequence[Pair], classes: int, steps: int, seed: int, *, imagenet: bool) -> Predictor:
    """A network that has made so many steps on the labelled images."""
    torch.manual_seed(seed)
    net = network(classes, imagenet=imagenet)
    rng = np.random.default_rng(seed)
    optimiser = torch.optim.Adam(net.parameters(), lr=_RATE)
    net.train()
    for _ in range(steps):
        _step(net, optimiser, *_batch(labelled, rng))
    net.eval()
    return lambda pixels: _predicted(net, pixels)


def step_seconds(labelled: Sequence[Pair], classes: int, steps: int, clock: Callable[[], float]) -> list[float]:
    """How long steps take here, after a first one that does not count."""
    net = network(classes, imagenet=True)
    rng = np.random.default_rng(0)
    optimiser = torch.optim.Adam(net.parameters(), lr=_RATE)
    net.train()
    took = []
    for _ in range(steps + 1):
        begun = clock()
        _step(net, optimiser, *_batch(labelled, rng))
        took.append(clock() - begun)
    return took[1:]


def network(classes: int, *, imagenet: bool) -> nn.Module:
    """smp's U-Net with its usual decoder."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`timm-` encoders are deprecated", DeprecationWarning)
        net = smp.Unet("timm-tf_efficientnet_lite0", encoder_weights=None, classes=classes)
    if imagenet:
        for module in net.encoder.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = _EPSILON
        weights = load_file(asset("models", "imagenet.safetensors"))
        missing, unexpected = net.load_state_dict({f"encoder.{k}": v for k, v in weights.items()}, strict=False)
        lost = [k for k in missing if k.startswith("encoder.") and not k.startswith(_UNUSED) and not k.endswith(_COUNT)]
        if lost or unexpected:
            raise ValueError(f"the ImageNet weights do not fit smp's encoder: {[*lost, *unexpected][:3]}")
    return net


def _step(net: nn.Module, optimiser: torch.optim.Optimizer, x: torch.Tensor, truth: torch.Tensor) -> None:
    optimiser.zero_grad()
    _loss(net(x), truth).backward()
    optimiser.step()


def _loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Cross-entropy and Dice over known pixels."""
    dice = smp.losses.DiceLoss("multiclass", ignore_index=UNKNOWN)
    return nn.functional.cross_entropy(logits, truth, ignore_index=UNKNOWN) + dice(logits, truth)


def _batch(labelled: Sequence[Pair], rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Random crops (n, 3, p, p) of random images, each flipped or not along both axes, and their classes (n, p, p)."""
    crops = [_crop(labelled[int(rng.integers(len(labelled)))], rng) for _ in range(BATCH)]
    pixels, classes = (np.stack(parts) for parts in zip(*crops, strict=True))
    return _normalised(pixels), torch.from_numpy(classes)


def _crop(pair: Pair, rng: np.random.Generator) -> Pair:
    """A square; what a small image lacks is black and unknown."""
    pixels, classes = pair
    lack = [(0, max(CROP_PX - side, 0)) for side in classes.shape]
    pixels = np.pad(pixels, [*lack, (0, 0)])
    classes = np.pad(classes, lack, constant_values=UNKNOWN)
    y, x = (int(rng.integers(side - CROP_PX + 1)) for side in classes.shape)
    square = np.s_[y : y + CROP_PX, x : x + CROP_PX]
    turn = np.s_[:: 1 if rng.random() < 0.5 else -1, :: 1 if rng.random() < 0.5 else -1]
    return pixels[square][turn].copy(), classes[square][turn].copy()


@torch.inference_mode()
def _predicted(net: nn.Module, pixels: NDArray[np.float32]) -> NDArray[np.int64]:
    """The whole image at once, mirrored beyond its rim up to whole strides."""
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, [(0, -height % _STRIDE), (0, -width % _STRIDE), (0, 0)], "reflect")
    return net(_normalised(padded[None]))[0, :, :height, :width].argmax(0).numpy()


def _normalised(pixels: NDArray[np.float32]) -> torch.Tensor:
    """From (n, h, w, 3) in 0..1 to what the encoder expects (n, 3, h, w)."""
    norm = embedded_card("imagenet").normalisation
    mean, std = np.asarray(norm.mean, np.float32), np.asarray(norm.std, np.float32)
    scaled = (pixels * np.float32(255 / norm.divide_by) - mean) / std
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(0, 3, 1, 2), np.float32))
