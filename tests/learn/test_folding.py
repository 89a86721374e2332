"""Batch norm folded into the convolutions: the same answers from fewer steps."""

import copy

import pytest
import torch
from torch import nn

from segstudio.learn.folding import folded
from segstudio.learn.instant import fit_instant
from segstudio.learn.instant.network import InstantNetwork
from segstudio.learn.networks import NETWORKS, build
from segstudio.learn.predict import Model
from segstudio.learn.versions import embedded_model
from segstudio.learn.weights import load_base
from tests.learn.conftest import MemoryData, blob_data, blobs


def _used(net: nn.Module) -> nn.Module:
    """A network whose batch norms have seen something, each channel at another scale."""
    random = torch.Generator().manual_seed(3)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low in ((module.running_mean, -0.5), (module.running_var, 0.5), (module.weight, 0.5)):
                assert values is not None
                values.data = torch.rand(values.shape, generator=random) + low
            module.bias.data = torch.rand(module.bias.shape, generator=random) - 0.5
    return net.eval()


def _norms(net: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in net.modules())


def _apart(net: nn.Module, other: nn.Module, channels: int) -> float:
    picture = torch.randn((1, channels, 96, 160), generator=torch.Generator().manual_seed(1))
    picture = picture.to(next(net.parameters()).dtype)
    with torch.inference_mode():
        expected, found = net(picture), other(picture)
    return float((expected - found).abs().max() / max(1.0, float(expected.abs().max())))


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("name", list(NETWORKS))
def test_every_network_says_the_same_without_batch_norm(name: str, channels: int) -> None:
    net = _used(build(name, channels=channels, classes=3)).double()  # where rounding hides nothing
    found = folded(net, channels)
    assert _norms(net) > 0
    assert _norms(found) == 0
    assert _apart(net, found, channels) <= 1e-10


def test_the_base_says_the_same_without_batch_norm() -> None:
    found = folded(load_base(), 3)
    assert _norms(found) == 0
    assert _apart(load_base(), found, 3) <= 1e-5


def test_features_of_the_instant_learner_are_the_same_without_batch_norm() -> None:
    picture = torch.rand((1, 3, 96, 160), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        plain, found = (
            InstantNetwork(base, 3).eval().features(picture) for base in (load_base(), folded(load_base(), 3))
        )
    assert all(
        torch.allclose(a, b, atol=2e-3, rtol=2e-3) for a, b in zip(plain, found, strict=True)
    )  # they are float16


def test_the_instant_learner_has_no_batch_norm_left() -> None:
    for model in fit_instant(blob_data(2), blob_data(2).classes(), (), 0, torch.device("cpu"), bfloat16=False):
        if model is not None:
            assert _norms(model.net) == 0


def test_a_model_folds_a_copy_so_that_a_run_can_go_on_with_its_network() -> None:
    net = _used(build("tiny", classes=2))
    before = copy.deepcopy(net.state_dict())
    model = Model("v1", net, (1, 2), 3, (0.0,) * 3, (1.0,) * 3, 32, torch.device("cpu"))
    assert _norms(model.net) == 0
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_the_embedded_guess_has_no_batch_norm_left() -> None:
    picture, ids = blobs(0, 64)
    data = MemoryData({1: picture}, {1: ids}, {})
    assert _norms(embedded_model(data.classes(), False, torch.device("cpu"), bfloat16=False).net) == 0


class Crossed(nn.Module):
    """Lists a batch norm behind a convolution that it does not follow."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Conv2d(3, 3, 1)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.norm(x)))


def test_a_network_that_would_say_something_else_stays_as_it_is() -> None:
    net = _used(Crossed())
    assert folded(net, 3) is net


def test_a_network_without_batch_norm_is_not_copied() -> None:
    net = nn.Conv2d(3, 2, 1)
    assert folded(net, 3) is net
