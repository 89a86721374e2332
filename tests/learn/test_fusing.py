"""Convolutions fused with what is around them: the same answers from less work."""

import copy

import pytest
import torch
from torch import nn

from segstudio.geometry import Rect
from segstudio.learn import fusing
from segstudio.learn.folding import folded
from segstudio.learn.fusing import can_fuse, fused
from segstudio.learn.instant import fit_instant
from segstudio.learn.instant.network import InstantNetwork
from segstudio.learn.networks import logits_of
from segstudio.learn.versions import embedded_model
from segstudio.learn.weights import load_base
from tests.learn.conftest import MemoryData, blob_data, blobs

CPU = torch.device("cpu")
needs_one_dnn = pytest.mark.skipif(not can_fuse(CPU), reason="this build of torch has no oneDNN")


def _picture(height: int = 96, width: int = 160) -> torch.Tensor:
    noise = torch.randn((1, 3, height, width), generator=torch.Generator().manual_seed(1))
    return noise.contiguous(memory_format=torch.channels_last)


def _convolutions(net: nn.Module) -> int:
    return sum(isinstance(module, nn.Conv2d) for module in net.modules())


def _apart(net: nn.Module, other: nn.Module, inner: list[Rect] | None = None) -> float:
    with torch.inference_mode():
        expected, found = (logits_of(each, _picture(), inner) for each in (net, other))
    return float((expected - found).abs().max() / max(1.0, float(expected.abs().max())))


@needs_one_dnn
@pytest.mark.parametrize("inner", [None, [Rect(32, 32, 96, 32)]])
def test_the_base_says_the_same_when_fused(inner: list[Rect] | None) -> None:
    found = fused(load_base(), 3, CPU, bfloat16=False)
    assert _convolutions(found) == 0
    assert _apart(load_base(), found, inner) <= 1e-5


@needs_one_dnn
def test_in_bfloat16_it_is_as_near_to_the_truth_as_the_network_itself() -> None:
    picture, plain = _picture(256, 256), folded(load_base(), 3)
    found = fused(load_base(), 3, CPU, bfloat16=True)
    with torch.inference_mode():
        truth = plain(picture)
        with torch.autocast("cpu", torch.bfloat16):
            errors = [(net(picture).float() - truth).abs().mean().item() for net in (plain, found)]
    assert 0 < errors[1] <= 1.1 * errors[0]


@needs_one_dnn
def test_features_of_the_instant_learner_are_the_same_when_fused() -> None:
    with torch.inference_mode():
        plain, found = (
            InstantNetwork(base, 3).eval().features(_picture())
            for base in (load_base(), fused(load_base(), 3, CPU, bfloat16=False))
        )
    # They are float16.
    assert all(torch.allclose(a, b, atol=2e-3, rtol=2e-3) for a, b in zip(plain, found, strict=True))


@needs_one_dnn
def test_every_model_of_the_program_is_fused() -> None:
    picture, ids = blobs(0, 64)
    classes = MemoryData({1: picture}, {1: ids}, {}).classes()
    assert _convolutions(embedded_model(classes, False, CPU, bfloat16=True).net) == 0
    data = blob_data(2)
    fitted = next(m for m in fit_instant(data, data.classes(), (), 0, CPU, bfloat16=False) if m is not None)
    assert _convolutions(fitted.net) == 0


@needs_one_dnn
def test_the_given_network_stays_as_it_is() -> None:
    net = load_base()
    before = copy.deepcopy(net.state_dict())
    fused(net, 3, CPU, bfloat16=True)
    after = net.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(value, before[key]) for key, value in after.items())


class Misleading(nn.Module):
    """Lists an activation behind a convolution that it does not follow."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(self.act(x))


def test_a_network_that_would_say_something_else_stays_as_it_is() -> None:
    net = Misleading()
    assert fused(net, 3, CPU, bfloat16=False) is net


class Odd(nn.Module):
    """Convolutions that are not the usual ones."""

    def __init__(self) -> None:
        super().__init__()
        self.mirrored = nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect")
        self.act = nn.ReLU()
        self.named = nn.Conv2d(4, 4, 3, padding="same")
        self.wide = nn.Conv2d(4, 6, 3, padding=2, dilation=2, groups=2, bias=False)
        self.last = nn.ReLU6()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.wide(self.named(self.act(self.mirrored(x)))))


@needs_one_dnn
def test_unusual_convolutions_are_done_right_or_left_alone() -> None:
    net = Odd().eval()
    found = fused(net, 3, CPU, bfloat16=False)
    assert _convolutions(found) == 2
    assert _apart(net, found) <= 1e-6


def test_where_nothing_can_be_fused_the_network_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusing, "can_fuse", lambda _device: False)
    found = fused(load_base(), 3, CPU, bfloat16=False)
    assert _convolutions(found) > 0
    assert _apart(load_base(), found) <= 1e-5


def test_another_device_than_a_processor_is_not_asked_for_one_dnn() -> None:
    assert not can_fuse(torch.device("meta"))
