"""The table of networks: shapes, facts and the adaptation to other numbers of channels."""

import pytest
import torch
from torch import nn

from segstudio.learn.networks import DEFAULT_NETWORK, NETWORKS, adapt_stem, build, head_conv, stem_conv


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_every_network_gives_one_logit_a_class_and_pixel(name: str, channels: int) -> None:
    net = build(name, channels=channels, classes=4).eval()
    side = 2 * NETWORKS[name].stride
    with torch.no_grad():
        logits = net(torch.zeros(2, channels, side, 2 * side))
    assert logits.shape == (2, 4, side, 2 * side)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_has_the_parts_that_learning_needs(name: str) -> None:
    net = build(name, channels=2, classes=3)
    parts = {key.split(".")[0] for key, _ in net.named_parameters()}
    assert parts == {"encoder", "decoder", "segmentation_head"}
    assert head_conv(net).out_channels == 3
    assert stem_conv(net).in_channels == 2


def test_no_output_of_the_tiny_network_depends_on_pixels_beyond_its_receptive_field() -> None:
    net = build("tiny", classes=1).eval()
    image = torch.zeros(1, 3, 32, 32, requires_grad=True)
    net(image)[0, 0, 16, 16].backward()
    assert image.grad is not None
    rows = image.grad.abs().sum((0, 1, 3)).nonzero()
    assert int(rows.max() - rows.min()) + 1 <= NETWORKS["tiny"].receptive_field_px


def test_the_default_networks_receptive_field_is_the_sum_over_its_convolutions() -> None:
    net = build(DEFAULT_NETWORK, classes=1)
    width, jump = 1, 1
    for name, module in net.get_submodule("encoder").named_modules():
        if isinstance(module, nn.Conv2d):
            width += (module.kernel_size[0] - 1) * jump
            jump *= module.stride[0]
            deepest = name
    assert jump == NETWORKS[DEFAULT_NETWORK].stride, deepest
    width += sum(2 * 2 * scale for scale in (16, 8, 4, 2, 1)) + 2
    assert width == NETWORKS[DEFAULT_NETWORK].receptive_field_px


def test_a_grey_stem_answers_as_the_grey_image_repeated_three_times_would() -> None:
    weight, grey = torch.randn(4, 3, 3, 3), torch.rand(1, 1, 8, 8)
    repeated = nn.functional.conv2d(grey.expand(-1, 3, -1, -1), weight)
    assert torch.allclose(nn.functional.conv2d(grey, adapt_stem(weight, 1)), repeated, atol=1e-5)


@pytest.mark.parametrize("channels", [2, 4, 6])
def test_a_stem_for_more_channels_keeps_the_size_of_its_answers(channels: int) -> None:
    weight = torch.ones(4, 3, 3, 3)
    assert torch.allclose(adapt_stem(weight, channels).sum(), weight.sum())


def test_a_stem_not_made_for_colour_is_refused() -> None:
    with pytest.raises(ValueError, match="3 channels"):
        adapt_stem(torch.ones(4, 2, 3, 3), 5)


@pytest.mark.parametrize(("channels", "classes"), [(0, 2), (3, 0)])
def test_a_network_without_inputs_or_outputs_is_refused(channels: int, classes: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        build("tiny", channels=channels, classes=classes)


def test_the_tiny_network_learns_bright_from_dark_in_a_few_steps() -> None:
    torch.manual_seed(0)
    net = build("tiny", channels=1, classes=2)
    image = torch.rand(4, 1, 32, 32)
    truth = (image[:, 0] > 0.5).long()
    optimiser = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(60):
        loss = nn.functional.cross_entropy(net(image), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.2


def test_building_never_asks_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    build(DEFAULT_NETWORK, classes=2)
