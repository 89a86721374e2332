"""The losses of the base's training: unknown pixels weigh nothing, and a closed-form head can be learned through."""

from collections.abc import Callable
from types import ModuleType

import pytest
import torch

Load = Callable[[str], ModuleType]


def test_unknown_pixels_weigh_exactly_nothing(training: Load) -> None:
    loss_of = training("losses").region_loss
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 8, 8, requires_grad=True)
    truth = torch.randint(0, 3, (2, 8, 8))
    truth[:, :4] = 255
    loss = loss_of(logits, truth)
    loss.backward()
    assert logits.grad is not None
    assert float(logits.grad[:, :, :4].abs().max()) == 0.0
    assert float(logits.grad[:, :, 4:].abs().min()) > 0.0
    changed = logits.detach().clone()
    changed[:, :, :4] = 50.0
    assert torch.equal(loss_of(changed, truth), loss.detach())


def test_a_patch_without_known_pixels_gives_no_loss_and_no_gradient(training: Load) -> None:
    logits = torch.randn(1, 2, 4, 4, requires_grad=True)
    loss = training("losses").region_loss(logits, torch.full((1, 4, 4), 255))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert logits.grad is not None
    assert float(logits.grad.abs().max()) == 0.0


def test_neighbourhoods_are_in_the_order_of_a_kernel(training: Load) -> None:
    torch.manual_seed(1)
    features, kernel = torch.randn(5, 9, 9), torch.randn(2, 5, 3, 3)
    at = torch.tensor([0, 8, 40, 80])
    found = training("losses").neighbourhoods(features, at) @ kernel.flatten(1).T
    wanted = torch.nn.functional.conv2d(features[None], kernel, padding=1)[0].flatten(1)[:, at].T
    assert torch.allclose(found, wanted, atol=1e-5)


def test_a_ridge_head_tells_apart_what_can_be_told_apart(training: Load) -> None:
    torch.manual_seed(2)
    values = torch.tensor([0] * 90 + [1] * 10)
    x = torch.randn(100, 4) + 3.0 * values[:, None]
    weight, bias = training("losses").ridge_head(x, values, 2)
    shares = x @ weight + bias
    assert (shares.argmax(1) == values).float().mean() > 0.95
    assert torch.allclose(shares.sum(1), torch.ones(100), atol=1e-4)


def test_an_episode_is_easy_where_both_patches_show_the_same_and_teaches_the_features(training: Load) -> None:
    losses = training("losses")
    torch.manual_seed(3)
    truth = torch.zeros(2, 16, 16, dtype=torch.uint8)
    truth[0, :, 8:], truth[1, 8:] = 1, 1
    support = torch.arange(0, 256, 2)
    good = torch.randn(2, 4, 16, 16) * 0.1
    good[:, 0] += truth
    bad = torch.randn(2, 4, 16, 16, requires_grad=True)
    easy, hard = losses.episode_loss(good, truth, support), losses.episode_loss(bad, truth, support)
    assert float(easy) < 0.5 < float(hard.detach())
    hard.backward()
    assert bad.grad is not None
    assert float(bad.grad[0].abs().sum()) > 0
    assert float(bad.grad[1].abs().sum()) > 0


@pytest.mark.parametrize("shown", [0, 255])
def test_a_support_of_one_class_or_none_is_no_episode(training: Load, shown: int) -> None:
    features = torch.randn(2, 4, 8, 8, requires_grad=True)
    truth = torch.full((2, 8, 8), shown, dtype=torch.uint8)
    support = torch.arange(64) if shown == 0 else torch.full((64,), -1)
    loss = training("losses").episode_loss(features, truth, support)
    assert float(loss.detach()) == 0.0


def test_a_class_that_the_support_does_not_show_is_unknown_in_the_query(training: Load) -> None:
    losses = training("losses")
    torch.manual_seed(4)
    features = torch.randn(2, 4, 8, 8)
    truth = torch.randint(0, 2, (2, 8, 8)).to(torch.uint8)
    truth[1, :4] = 2
    at, changed = torch.arange(64), features.clone()
    changed[1, :, :3] = 9.0  # rows 0 to 2: the 3 x 3 head sees them from row 3, which is unknown too
    assert torch.equal(losses.episode_loss(features, truth, at), losses.episode_loss(changed, truth, at))
    changed[1, :, 5] = 9.0
    assert not torch.equal(losses.episode_loss(features, truth, at), losses.episode_loss(changed, truth, at))
