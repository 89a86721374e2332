"""Several decoders on one encoder, which learn in turns and answer together.

Two runs on the same few labels differ by some points of IoU, and the mean of their answers is better than either. Where
the encoder stays as it is, they can share it: in the time that one decoder takes to learn, two learn half as long each
(ensembles of networks: Lakshminarayanan et al., Simple and Scalable Predictive Uncertainty Estimation using Deep
Ensembles, 2017).
"""

import copy
from typing import cast

import torch
from torch import nn

from segstudio.learn.networks import encode

__all__ = ["Members", "every_of", "take_turn", "together", "with_members"]


class _Member(nn.Module):
    """A decoder with its head. Logits (N, classes, H, W) come from the levels of an encoder."""

    def __init__(self, decoder: nn.Module, segmentation_head: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder
        self.segmentation_head = segmentation_head


class Members(nn.Module):
    """A network with further decoders, each with its head. The first is the network's own, under its usual names.

    While it learns, the answer is that of the member whose `turn` it is; else the mean of what all say, as logits.
    """

    def __init__(self, net: nn.Module, members: int) -> None:
        super().__init__()
        self.encoder = net.get_submodule("encoder")
        self.decoder = net.get_submodule("decoder")
        self.segmentation_head = net.get_submodule("segmentation_head")
        self.others = nn.ModuleList(
            _Member(copy.deepcopy(self.decoder), copy.deepcopy(self.segmentation_head)) for _ in range(members - 1)
        )
        self.turn = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes, H, W) of images."""
        return self.draw(encode(self, x))

    def draw(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """Logits from the levels of the encoder."""
        every = every_of(self)
        if self.training:
            return _drawn(every[self.turn], levels)
        return together([_drawn(member, levels) for member in every])


def with_members(net: nn.Module, members: int) -> nn.Module:
    """The network with so many members, all alike; with one, the network itself."""
    return net if members == 1 else Members(net, members)


def every_of(net: nn.Module) -> list[nn.Module]:
    """The members of a network, each with a `decoder` and a `segmentation_head`; the network itself is the first."""
    return [net, *net.others] if isinstance(net, Members) else [net]


def together(said: list[torch.Tensor]) -> torch.Tensor:
    """What members answer together: the mean of the probabilities for which their logits (N, classes, H, W) stand, as
    logits. A single one's stay as they are.
    """
    if len(said) == 1:
        return said[0]
    return torch.stack([logits.float().log_softmax(1) for logits in said]).logsumexp(0)


def take_turn(net: nn.Module, step: int) -> None:
    """Let the member learn whose turn it is at a step."""
    if isinstance(net, Members):
        net.turn = step % len(every_of(net))


def _drawn(member: nn.Module, levels: list[torch.Tensor]) -> torch.Tensor:
    return cast(nn.Module, member.segmentation_head)(cast(nn.Module, member.decoder)(levels))
