import pytest
import torch
from torch.nn import functional as F

from segstudio.learn.losses import ce_dice
from segstudio.learn.sampling import UNKNOWN


def _random(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 3, 8, 8, generator=generator)
    labels = torch.randint(-1, 3, (2, 8, 8), generator=generator)
    return logits, labels


def test_the_gradient_at_unknown_pixels_is_exactly_zero():
    logits, labels = _random()
    logits.requires_grad_()
    ce_dice(logits, labels).backward()
    unknown = (labels == UNKNOWN)[:, None].expand_as(logits)
    assert unknown.any()
    assert torch.equal(logits.grad[unknown], torch.zeros_like(logits.grad[unknown]))
    assert (logits.grad[~unknown] != 0).all()


def test_the_loss_does_not_depend_on_what_is_predicted_at_unknown_pixels():
    logits, labels = _random()
    other = torch.where((labels == UNKNOWN)[:, None], torch.full_like(logits, 30.0).cumsum(1), logits)
    assert torch.equal(ce_dice(logits, labels), ce_dice(other, labels))


def test_more_unknown_pixels_around_change_nothing():
    logits, labels = _random()
    wider = ce_dice(F.pad(logits, (0, 8)), F.pad(labels, (0, 8), value=UNKNOWN))
    assert float(wider) == pytest.approx(float(ce_dice(logits, labels)), rel=1e-6)


def test_a_batch_that_knows_nothing_gives_zero_and_no_gradient():
    logits, labels = _random()
    logits.requires_grad_()
    loss = ce_dice(logits, torch.full_like(labels, UNKNOWN))
    loss.backward()
    assert float(loss.detach()) == 0
    assert not logits.grad.any()


def test_cross_entropy_is_the_mean_over_known_pixels_and_dice_is_of_the_classes_in_the_truth():
    logits, labels = _random()
    labels[labels == 2] = 0
    known = labels != UNKNOWN
    entropy = F.cross_entropy(logits.movedim(1, -1)[known], labels[known])
    p = logits.softmax(1).movedim(1, -1)[known]
    truth = F.one_hot(labels[known], 3)
    dice = [(2 * (p[:, c] * truth[:, c]).sum() + 1) / (p[:, c].sum() + truth[:, c].sum() + 1) for c in (0, 1)]
    assert float(ce_dice(logits, labels)) == pytest.approx(float(entropy + 1 - sum(dice) / 2), rel=1e-5)


def test_a_right_answer_costs_nearly_nothing():
    _, labels = _random()
    labels = labels.clamp(min=0)
    logits = 50.0 * F.one_hot(labels, 3).movedim(-1, 1).float()
    assert float(ce_dice(logits, labels)) < 1e-3
