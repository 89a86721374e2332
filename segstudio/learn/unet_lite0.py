"""U-Net (Ronneberger et al. 2015) on EfficientNet-Lite0 (Tan and Le 2019; Liu 2020), 3.8 M parameters.

Written out, because it stands between the engine's start and the first proposal: a library of architectures loads
hundreds of them to build this one. Names and shapes of the tensors are those of segmentation-models-pytorch's `Unet`
with the encoder `timm-tf_efficientnet_lite0`, which the embedded models were trained with; a test compares the two to
the bit.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["UnetLite0"]

_EPS = 1e-3  # the source was trained with TensorFlow's epsilon; channels with a variance near 0 depend on it
_STEM = 32
# By stage of the encoder: width of the kernel, stride of the first block, blocks, channels.
_STAGES = (
    (3, 1, 1, 16),
    (3, 2, 2, 24),
    (5, 2, 2, 40),
    (3, 2, 3, 80),
    (5, 1, 3, 112),
    (5, 2, 4, 192),
    (3, 1, 1, 320),
)
_HANDED_OUT = (1, 2, 4, 6)  # stages whose features the decoder sees; before them the image and the stem
_EXPANSION = 6
_DECODER = (128, 64, 32, 16, 16)


class UnetLite0(nn.Module):
    """float input (N, channels, H, W), H and W multiples of 32, gives logits (N, classes, H, W)."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.encoder = _Encoder(channels)
        self.decoder = _Decoder()
        self.segmentation_head = nn.Sequential(nn.Conv2d(_DECODER[-1], classes, 3, padding=1))
        self._draw_weights()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits of `image`."""
        return self.segmentation_head(self.decoder(self.encoder(image)))

    @torch.no_grad()
    def _draw_weights(self) -> None:
        """Random weights: by what goes out in the encoder (its authors' way), by what comes in elsewhere (He et al.
        2015; in the head Glorot and Bengio 2010). Normalisations begin as the identity.
        """
        for module in self.encoder.modules():
            if isinstance(module, nn.Conv2d):
                outgoing = module.out_channels * math.prod(module.kernel_size) // module.groups
                nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 / outgoing))
        for module in self.decoder.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
        head = self.segmentation_head[0]
        assert isinstance(head, nn.Conv2d)
        assert head.bias is not None
        nn.init.xavier_uniform_(head.weight)
        nn.init.zeros_(head.bias)


class _Encoder(nn.Module):
    """The levels of an image: the image itself, then 32, 24, 40, 112 and 320 channels at strides 2, 4, 8, 16, 32."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_stem = _conv(channels, _STEM, 3, stride=2)
        self.bn1 = _norm(_STEM)
        stages, incoming = [], _STEM
        for kernel, stride, count, outgoing in _STAGES:
            blocks = []
            for i in range(count):
                make = _Inverted if stages else _Separable
                blocks.append(make(incoming, outgoing, kernel, 1 if i else stride))
                incoming = outgoing
            stages.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*stages)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """All levels, the finest first."""
        x = F.relu6(self.bn1(self.conv_stem(image)), inplace=True)
        levels = [image, x]
        for i, stage in enumerate(self.blocks):
            x = stage(x)
            if i in _HANDED_OUT:
                levels.append(x)
        return levels


class _Separable(nn.Module):
    """A convolution in two: each channel by itself, then all channels of a pixel."""

    def __init__(self, incoming: int, outgoing: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = _conv(incoming, incoming, kernel, stride=stride, groups=incoming)
        self.bn1 = _norm(incoming)
        self.conv_pw = _conv(incoming, outgoing, 1)
        self.bn2 = _norm(outgoing)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, incoming, H, W) to (N, outgoing, H / stride, W / stride)."""
        x = F.relu6(self.bn1(self.conv_dw(x)), inplace=True)
        return self.bn2(self.conv_pw(x))


class _Inverted(nn.Module):
    """An inverted residual (Sandler et al. 2018): more channels, each by itself, then few again, without a bend."""

    def __init__(self, incoming: int, outgoing: int, kernel: int, stride: int) -> None:
        super().__init__()
        inside = _EXPANSION * incoming
        self.conv_pw = _conv(incoming, inside, 1)
        self.bn1 = _norm(inside)
        self.conv_dw = _conv(inside, inside, kernel, stride=stride, groups=inside)
        self.bn2 = _norm(inside)
        self.conv_pwl = _conv(inside, outgoing, 1)
        self.bn3 = _norm(outgoing)
        self._skips = stride == 1 and incoming == outgoing

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, incoming, H, W) to (N, outgoing, H / stride, W / stride)."""
        made = F.relu6(self.bn1(self.conv_pw(x)), inplace=True)
        made = F.relu6(self.bn2(self.conv_dw(made)), inplace=True)
        made = self.bn3(self.conv_pwl(made))
        return made + x if self._skips else made


class _Decoder(nn.Module):
    """From the coarsest level to full size, each finer level joined on the way; the image itself is not."""

    def __init__(self) -> None:
        super().__init__()
        coarse_to_fine = [_STAGES[stage][-1] for stage in reversed(_HANDED_OUT)] + [_STEM, 0]
        incoming, blocks = coarse_to_fine[0], []
        for joined, outgoing in zip(coarse_to_fine[1:], _DECODER, strict=True):
            blocks.append(_Joining(incoming + joined, outgoing))
            incoming = outgoing
        self.blocks = nn.ModuleList(blocks)

    def forward(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """(N, 16, H, W) from the levels of an image (N, C, H, W), the image first."""
        image, *joined, x = levels
        sizes = [level.shape[2:] for level in (image, *joined)]
        for block in self.blocks:
            x = F.interpolate(x, size=sizes.pop(), mode="nearest")
            if joined:
                x = torch.cat([x, joined.pop()], dim=1)
            x = block(x)
        return x


class _Joining(nn.Module):
    """Two convolutions over what was joined."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        super().__init__()
        self.conv1 = _conv_norm_relu(incoming, outgoing)
        self.conv2 = _conv_norm_relu(outgoing, outgoing)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, incoming, H, W) to (N, outgoing, H, W)."""
        return self.conv2(self.conv1(x))


def _conv_norm_relu(incoming: int, outgoing: int) -> nn.Sequential:
    return nn.Sequential(_conv(incoming, outgoing, 3), nn.BatchNorm2d(outgoing), nn.ReLU(inplace=True))


def _conv(incoming: int, outgoing: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Padded by as much on every side; TensorFlow's own padding would cost a copy of the map at each stride."""
    return nn.Conv2d(incoming, outgoing, kernel, stride, padding=kernel // 2, groups=groups, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPS)
