"""The table of networks: a name, its facts, and how to build it with fresh random weights.

Every network keeps one contract: float input (N, channels, H, W) with H and W multiples of its stride gives logits
(N, classes, H, W), and it has the parts `encoder`, `decoder` and `segmentation_head`, the first layer of the last being
the convolution that maps features to classes. `segstudio.learn.weights` handles the weights.
"""

import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast, runtime_checkable

import torch
from torch import nn

from segstudio.errors import NoSuchNetwork
from segstudio.geometry import Rect
from segstudio.registry import Registry, named
from segstudio.text import _

__all__ = [
    "DEFAULT_NETWORK",
    "NETWORKS",
    "Context",
    "Network",
    "Wrapping",
    "adapt_stem",
    "build",
    "cropped",
    "draw",
    "encode",
    "head_conv",
    "logits_of",
    "network_named",
    "stem_conv",
]

DEFAULT_NETWORK = "unet_lite0"

_LITE0_NAME = "timm-tf_efficientnet_lite0"
_LITE0_EPS = 1e-3  # the source was trained with TensorFlow's epsilon; channels with a variance near 0 depend on it


@dataclass(frozen=True, slots=True)
class Context:
    """How many pixels around a window only the encoder should see, so that seams hardly differ from the whole image,
    and the encoder's share of a pixel's multiply-adds.
    """

    px: int
    encoder_share: float


@dataclass(frozen=True, slots=True)
class Network:
    """Facts of one network, by which tiles are cut, padded and read.

    `stride`: height and width of an input are multiples of it. `receptive_field_px`: width of the square of input
    pixels that one output pixel can depend on. `halo_px`: with this much around it a tile is classified as in the whole
    image, except some 1 % of its pixels (unet_lite0 on five open sets: 64 px 0-3.6 %, 96 px 0-1.8 %, 128 px 0-0.8 %).
    `context`: what the encoder should see around a window, if anything. `channels_last`: this memory format was tested
    forward and backward and is not slower. `early`: names of the encoder's parts before stride 8.
    """

    name: str
    stride: int
    receptive_field_px: int
    halo_px: int
    context: Context
    channels_last: bool
    make: Callable[[int, int], nn.Module]
    early: tuple[str, ...] = ()


@runtime_checkable
class Drawing(Protocol):
    """A network whose second half is no plain decoder and head."""

    def draw(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """Logits (N, classes, H, W) from the levels of the encoder."""
        ...


@runtime_checkable
class Wrapping(Protocol):
    """A network around one of the table, whose logits it changes pixel by pixel."""

    net: nn.Module

    def changed(self, logits: torch.Tensor) -> torch.Tensor:
        """Its own logits for those of the network inside."""
        ...


@runtime_checkable
class Windowed(Protocol):
    """A network that knows better than anybody what to compute anew for a window of a large plane."""

    def window(self, x: torch.Tensor, inner: Sequence[Rect]) -> torch.Tensor:
        """Logits of a rectangle of each image, all of one size."""
        ...


def build(name: str, *, channels: int = 3, classes: int) -> nn.Module:
    """Build the network `name` with random weights for `channels` input channels and `classes` output channels.

    Never uses the machine's network connection. Raises `NoSuchNetwork`, ValueError for fewer than one channel or class.
    """
    if channels < 1 or classes < 1:
        raise ValueError(f"a network needs at least one channel and one class, not {channels} and {classes}")
    return network_named(name).make(channels, classes)


def network_named(name: str) -> Network:
    """The network of this name. Raises `NoSuchNetwork`: a version may have come from a package that is gone."""
    found = NETWORKS.get(name)
    if found is None:
        raise NoSuchNetwork(
            _(
                "There is no network '{name}'; the package that provides it is missing or could not be loaded.",
                name=name,
            ),
            todo=_("Install the package again, or choose another version."),
        )
    return found


def head_conv(net: nn.Module) -> nn.Conv2d:
    """The convolution that maps decoder features to one channel per class."""
    return cast(nn.Conv2d, cast(nn.Sequential, net.segmentation_head)[0])


def stem_conv(net: nn.Module) -> nn.Conv2d:
    """The first convolution, the only part whose shape depends on the number of input channels."""
    return cast(nn.Conv2d, cast(nn.Module, net.encoder).conv_stem)


def encode(net: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """The encoder's levels for images, in a network with a context: the images, then features at ever fewer pixels."""
    return cast(nn.Module, net.encoder)(x)


def cropped(levels: list[torch.Tensor], inner: Sequence[Rect]) -> list[torch.Tensor]:
    """The part of each level that belongs to a rectangle of each image; all are of one size, in whole strides."""
    out = []
    for level in levels:
        stride = levels[0].shape[-1] // level.shape[-1]
        parts = [
            level[i : i + 1, :, r.y // stride : r.bottom // stride, r.x // stride : r.right // stride]
            for i, r in enumerate(inner)
        ]
        out.append(parts[0] if len(parts) == 1 else torch.cat(parts))
    return out


def draw(net: nn.Module, levels: list[torch.Tensor]) -> torch.Tensor:
    """Logits (N, classes, H, W) from the encoder's levels: the second half of a network's forward pass.

    Between the halves the levels may be cropped: the encoder sees far, the decoder near.
    """
    if isinstance(net, Drawing):
        return net.draw(levels)
    return cast(nn.Module, net.segmentation_head)(cast(nn.Module, net.decoder)(levels))


def logits_of(net: nn.Module, x: torch.Tensor, inner: Sequence[Rect] | None) -> torch.Tensor:
    """Logits of images, or of a rectangle of each, around which only the encoder sees."""
    if inner is None:
        return net(x)
    return net.window(x, inner) if isinstance(net, Windowed) else draw(net, cropped(encode(net, x), inner))


def adapt_stem(weight: torch.Tensor, channels: int) -> torch.Tensor:
    """Turn a stem made for red, green, blue, (out, 3, k, k), into one for `channels` channels, (out, channels, k, k).

    One channel gets the sum over the three: exactly what the grey image repeated three times would give. Other numbers
    repeat red, green, blue in turn and scale by 3 / channels, which keeps the size of the responses.
    """
    if weight.shape[1] != 3:
        raise ValueError(f"a stem for 3 channels is wanted, this one has {weight.shape[1]}")
    if channels == 3:
        return weight.clone()
    if channels == 1:
        return weight.sum(dim=1, keepdim=True)
    turn = [i % 3 for i in range(channels)]
    return weight[:, turn] * (3.0 / channels)


def _unet_lite0(channels: int, classes: int) -> nn.Module:
    """U-Net (Ronneberger et al. 2015) on EfficientNet-Lite0 (Tan and Le 2019; Liu 2020), 3.8 M parameters."""
    import segmentation_models_pytorch as smp

    with warnings.catch_warnings():
        # smp 0.6 advises `tu-` names, whose lite0 pads as TensorFlow does: a copy of the map at each strided layer.
        warnings.filterwarnings("ignore", "`timm-` encoders are deprecated", DeprecationWarning)
        net = smp.Unet(
            encoder_name=_LITE0_NAME,
            encoder_weights=None,  # weights come from segstudio's own files; smp would download them
            decoder_channels=(128, 64, 32, 16, 16),
            in_channels=channels,
            classes=classes,
        )
    # The classifier's last layers are never run by the decoder: 0.4 M parameters that only cost memory and disk.
    net.encoder.conv_head = nn.Identity()
    net.encoder.bn2 = nn.Identity()
    for module in net.encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = _LITE0_EPS
        if type(module).__name__ == "DropPath":
            vars(module)["drop_prob"] = 0.0  # dropped blocks are noise that a minute of training cannot average out
    return net


class _Tiny(nn.Module):
    """Two scales and 8 features: learns a bright class from a dark one in a few milliseconds a step."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        stem = nn.Conv2d(channels, 8, 3, stride=2, padding=1, bias=False)
        self.encoder = nn.Sequential(OrderedDict(conv_stem=stem, bn1=nn.BatchNorm2d(8), act=nn.ReLU()))
        self.decoder = nn.Conv2d(8 + channels, 8, 3, padding=1)
        self.segmentation_head = nn.Sequential(nn.Conv2d(8, classes, 3, padding=1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes, H, W) of `image` (N, channels, H, W), H and W even."""
        fine = nn.functional.interpolate(self.encoder(image), scale_factor=2.0, mode="nearest")
        return self.segmentation_head(torch.relu(self.decoder(torch.cat([fine, image], dim=1))))


_TABLE = (
    Network(
        DEFAULT_NETWORK,
        stride=32,
        receptive_field_px=977,
        halo_px=96,
        context=Context(192, 0.29),
        channels_last=True,
        make=_unet_lite0,
        early=("conv_stem", "bn1", "blocks.0", "blocks.1"),
    ),
    Network(
        "tiny", stride=2, receptive_field_px=8, halo_px=4, context=Context(0, 1.0), channels_last=False, make=_Tiny
    ),
)
NETWORKS: Registry[Network] = Registry("networks", {network.name: network for network in _TABLE}, named(Network))
