"""Batch norm folded into the convolutions before it: in evaluation it only scales and shifts what they give."""

import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import cast

import torch
from torch import nn

__all__ = ["agree", "folded"]

_PROBE_PX = 64
_TOLERANCE = 1e-4
_Pair = tuple[nn.Module, str, str]


def folded(net: nn.Module, channels: int) -> nn.Module:
    """A copy of a network in evaluation mode, for pixels of so many channels, without the batch norms that follow a
    convolution; the network itself where it has none.

    Which batch norm belongs to which convolution is read from the order in which a module lists its parts. So one
    picture goes through both: a network of another package that says something else folded stays as it is.
    """
    if not any(True for _ in _pairs(net)):
        return net
    found = copy.deepcopy(net).eval().requires_grad_(False)
    for owner, conv, norm in list(_pairs(found)):
        _fold(owner, conv, norm)
    return found if agree(net.eval(), found, channels) else net


def _pairs(net: nn.Module) -> Iterator[_Pair]:
    """Every module with a convolution and the batch norm that its parts list next, by their names."""
    for owner in net.modules():
        for (name, conv), (following, norm) in pairwise(owner.named_children()):
            if (
                isinstance(conv, nn.Conv2d)
                and isinstance(norm, nn.BatchNorm2d)
                and norm.running_mean is not None
                and conv.out_channels == norm.num_features
            ):
                yield owner, name, following


@torch.no_grad()
def _fold(owner: nn.Module, conv_name: str, norm_name: str) -> None:
    """Put a convolution in place that does the work of the batch norm too. What else that does, its activation, stays.

    Reckoned in double precision: a variance near 0 makes factors that single precision would round visibly.
    """
    conv = cast(nn.Conv2d, owner.get_submodule(conv_name))
    norm = cast(nn.BatchNorm2d, owner.get_submodule(norm_name))
    mean, variance = cast(torch.Tensor, norm.running_mean), cast(torch.Tensor, norm.running_var)
    scale = (variance.double() + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight.double()
    shift = (-mean.double() if conv.bias is None else conv.bias.double() - mean.double()) * scale
    if norm.bias is not None:
        shift = shift + norm.bias.double()
    conv.weight.copy_(conv.weight.double() * scale.view(-1, 1, 1, 1))
    conv.bias = nn.Parameter(shift.to(conv.weight.dtype), requires_grad=False)
    # timm's batch norms bring their activation along.
    setattr(owner, norm_name, getattr(norm, "act", None) or nn.Identity())


@torch.inference_mode()
def agree(net: nn.Module, other: nn.Module, channels: int) -> bool:
    """Whether two networks say the same of one picture with so many channels, but for rounding."""
    weight = next(net.parameters())
    noise = torch.randn((1, channels, _PROBE_PX, _PROBE_PX), generator=torch.Generator().manual_seed(0))
    picture = noise.to(device=weight.device, dtype=weight.dtype)
    expected, found = net(picture), other(picture)
    return bool((expected - found).abs().max() <= _TOLERANCE * max(1.0, float(expected.abs().max())))
