"""The tables of schedules and optimisers. A rate depends on the plan and the step alone."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import nn

from segstudio.runs import Plan

__all__ = ["CLOCKED", "OPTIMISERS", "SCHEDULES", "parameter_groups", "rate_at"]


CLOCKED = "warmup_stable_decay"
"""The schedule whose decay is begun by the clock and written into the plan."""


def rate_at(plan: Plan, step: int) -> float:
    """Learning rate of a step as a share of the recipe's highest."""
    return SCHEDULES[plan.recipe.schedule](plan, step)


def _warmup_stable_decay(plan: Plan, step: int) -> float:
    """A straight rise over the warm-up, the highest rate, then what the plan has written down of its decay (Hägele et
    al., Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations, 2024).
    """
    rise = min((step + 1) / max(plan.recipe.warmup_steps, 1), 1.0)
    if plan.decay_at is None or step < plan.decay_at or not plan.decay:
        return rise
    return min(rise, plan.decay[min(step - plan.decay_at, len(plan.decay) - 1)])


def _warmup_cosine(plan: Plan, step: int) -> float:
    """A straight rise over the warm-up, then half a cosine down to 1 % (Loshchilov and Hutter 2017): plans of earlier
    releases.

    While the length is still unknown, only the rise is available.
    """
    steps, warmup = plan.steps, plan.recipe.warmup_steps
    if step < warmup:
        return (step + 1) / warmup
    if steps is None:
        raise ValueError("the length of the schedule is not settled")
    along = (step - warmup) / max(steps - warmup, 1)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(along, 1.0)))


def _constant(plan: Plan, step: int) -> float:
    return 1.0


SCHEDULES: Mapping[str, Callable[[Plan, int], float]] = MappingProxyType(
    {CLOCKED: _warmup_stable_decay, "warmup_cosine": _warmup_cosine, "constant": _constant}
)


def parameter_groups(net: nn.Module, plan: Plan) -> list[dict[str, object]]:
    """Parameters by how they learn: the encoder's slower, normalisation and biases without decay."""
    recipe = plan.recipe
    scales = {
        id(p)
        for m in net.modules()
        if isinstance(m, nn.BatchNorm2d | nn.GroupNorm)
        for p in m.parameters(recurse=False)
    }
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        scale = id(parameter) in scales
        factor = recipe.encoder_factor if name.startswith("encoder.") else 1.0
        decay = 0.0 if scale or parameter.ndim < 2 else recipe.weight_decay
        groups.setdefault((factor, decay), []).append(parameter)
    return [{"params": p, "factor": factor, "weight_decay": decay} for (factor, decay), p in groups.items()]


def _adamw(groups: list[dict[str, object]], rate: float) -> torch.optim.Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99))


OPTIMISERS: Mapping[str, Callable[[list[dict[str, object]], float], torch.optim.Optimizer]] = MappingProxyType(
    {"adamw": _adamw}
)
