"""A folded network made faster on a processor, exactly: what takes part in no sum is left out or done in passing.

An activation is applied by the convolution before it (oneDNN). A decoder that enlarges a map twofold, puts another
beside it and convolves both does four ninths of the work on the enlarged part if it convolves the small map in steps of
half a pixel: no enlarged map and no joined one is made. Weights lie ready in the precision of the network.
"""

import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import cast

import torch
from torch import nn

from segstudio.learn.folding import agree, folded

__all__ = ["Convolution", "Enlarging", "can_fuse", "fused"]

_ONE_DNN = getattr(torch.ops, "mkldnn", None)
_TAPS = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0))
"""Which of the three taps on an enlarged map fall upon each of the four taps in steps of half a pixel."""


def can_fuse(device: torch.device) -> bool:
    """Whether this build of torch has what is needed on a device: a processor with oneDNN."""
    return (
        device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and all(hasattr(_ONE_DNN, name) for name in ("_convolution_pointwise", "_convolution_pointwise_"))
    )


def fused(net: nn.Module, channels: int, device: torch.device, *, bfloat16: bool) -> nn.Module:
    """A copy of a network in evaluation mode, for pixels of so many channels, folded and fused, its convolutions in
    bfloat16 if that is wanted. Only folded where it cannot be fused, or would say something else.
    """
    plain = folded(net, channels)
    if not can_fuse(device) or not any(_plain(module) for module in plain.modules()):
        return plain
    found = _fused(plain.eval())
    if not agree(plain, found, channels):
        return plain
    if bfloat16:
        for module in found.modules():
            if isinstance(module, Convolution | Enlarging):
                module.to(torch.bfloat16)
    return found


def _fused(net: nn.Module) -> nn.Module:
    found = copy.deepcopy(net)
    for blocks, enlarged in list(_decoders(found)):
        for place, channels in enumerate(enlarged):
            blocks[place] = Enlarging(blocks[place], channels)
    for owner in list(found.modules()):
        if isinstance(owner, Convolution | Enlarging):
            continue
        parts = [(name, part) for name, part in owner.named_children() if type(part) is not nn.Identity]
        for (name, conv), (following, act) in pairwise([*parts, ("", nn.Identity())]):
            if _plain(conv):
                fits = isinstance(act, nn.ReLU | nn.ReLU6)
                setattr(owner, name, Convolution(cast(nn.Conv2d, conv), act if fits else None))
                if fits:
                    setattr(owner, following, nn.Identity())
    return found


def _plain(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d) and module.padding_mode == "zeros" and not isinstance(module.padding, str)


def _decoders(net: nn.Module) -> Iterator[tuple[nn.ModuleList, list[int]]]:
    """The blocks of every U-Net's decoder, and how many of the channels of each come from the map that is enlarged."""
    from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder, UnetDecoderBlock

    for owner in net.modules():
        decoder, encoder = (getattr(owner, name, None) for name in ("decoder", "encoder"))
        deepest = getattr(encoder, "out_channels", None)
        if not isinstance(decoder, UnetDecoder) or not deepest:
            continue
        blocks = cast(list[UnetDecoderBlock], list(decoder.blocks))
        if all(_enlarges(block) for block in blocks):
            yield decoder.blocks, [deepest[-1], *[_first(block.conv2).out_channels for block in blocks[:-1]]]


def _enlarges(block: nn.Module) -> bool:
    attention = [getattr(getattr(block, name, None), "attention", None) for name in ("attention1", "attention2")]
    return (
        getattr(block, "interpolation_mode", "") == "nearest"
        and all(isinstance(found, nn.Identity) for found in attention)
        and all(_is_three(_first(cast(nn.Module, getattr(block, name)))) for name in ("conv1", "conv2"))
    )


def _first(parts: nn.Module) -> nn.Conv2d:
    return cast(nn.Conv2d, cast(nn.Sequential, parts)[0])


def _is_three(conv: nn.Conv2d) -> bool:
    return _plain(conv) and (conv.kernel_size, conv.padding, conv.stride, conv.groups) == ((3, 3), (1, 1), (1, 1), 1)


class Convolution(nn.Module):
    """A convolution and the activation behind it: ReLU, ReLU6, or none. `rows`, `stride` and `padding` are those along
    the rows of an image from top to bottom.
    """

    def __init__(self, conv: nn.Conv2d, act: nn.Module | None) -> None:
        super().__init__()
        self.weight, self.bias = conv.weight, conv.bias
        self.rows, self.stride, self.padding = conv.kernel_size[0], conv.stride[0], cast(int, conv.padding[0])
        self._padding, self._stride = list(cast(tuple[int, int], conv.padding)), list(conv.stride)
        self._dilation, self._groups = list(conv.dilation), conv.groups
        self._act = "none" if act is None else "hardtanh" if isinstance(act, nn.ReLU6) else "relu"
        self._bounds = [0.0, 6.0] if self._act == "hardtanh" else []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._applied(x, self._padding)

    def within(self, x: torch.Tensor) -> torch.Tensor:
        """Of some rows of an image: as `forward`, but nothing is put above and below them."""
        return self._applied(x, [0, self._padding[1]])

    def inside(self, x: torch.Tensor) -> torch.Tensor:
        """Of a part of an image: as `forward`, but nothing is put around it."""
        return self._applied(x, [0, 0])

    def _applied(self, x: torch.Tensor, padding: list[int]) -> torch.Tensor:
        return torch.ops.mkldnn._convolution_pointwise(
            x.to(self.weight.dtype),
            self.weight,
            self.bias,
            padding,
            self._stride,
            self._dilation,
            self._groups,
            self._act,
            self._bounds,
            "",
        )


class Enlarging(nn.Module):
    """A block of the decoder: a map enlarged twofold and one beside it, convolved, then convolved again."""

    def __init__(self, block: nn.Module, channels: int) -> None:
        super().__init__()
        conv = _first(cast(nn.Module, block.conv1))
        taps = torch.tensor(_TAPS, dtype=conv.weight.dtype)
        enlarged = torch.einsum("ocab,ia,jb->coij", conv.weight[:, :channels], taps, taps)
        self.enlarged = nn.Parameter(enlarged.contiguous(), requires_grad=False)
        self.beside = nn.Parameter(conv.weight[:, channels:].contiguous(), requires_grad=False)
        self.bias = conv.bias
        self.second = Convolution(_first(cast(nn.Module, block.conv2)), nn.ReLU())

    def forward(
        self, x: torch.Tensor, _height: int, _width: int, skip_connection: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Twice the size of `x`, which is that of what lies beside it."""
        dtype = self.enlarged.dtype
        out = nn.functional.conv_transpose2d(x.to(dtype), self.enlarged, self.bias, stride=2, padding=1)
        if skip_connection is None:
            return self.second(out.relu_())
        torch.ops.mkldnn._convolution_pointwise_(
            out, skip_connection.to(dtype), self.beside, None, [1, 1], [1, 1], [1, 1], 1, "add", 1.0, "relu", [], ""
        )
        return self.second(out)
