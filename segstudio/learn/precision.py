"""Which precision is faster here, for a step of training and for a window of a prediction: measured on the real thing.

A convolution alone does not tell: in half precision one may be six times as fast and the step around it no faster.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from segstudio.errors import UserError
from segstudio.learn.device import empty_cache, half_may_pay, is_out_of_memory
from segstudio.learn.networks import build, network_named
from segstudio.learn.predict import Model
from segstudio.learn.sampling import Batch
from segstudio.learn.trainer import Trainer
from segstudio.runs import Plan, PlanClass, Recipe

__all__ = ["Measured", "predicting", "training"]

_WORTH = 1.1
"""Half precision is taken if it is so many times as fast: it costs digits."""
_EMULATED = 4.0
"""Half precision that takes so many times as long the first time is not tried again."""
_SHORT_S = 0.2
"""What takes no longer is tried twice."""
_WINDOW_PX = 256
_GREY = (0.5, 0.5, 0.5)

Action = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Measured:
    """Whether half precision is worth it, and the seconds of a step or window in the precision chosen; 0 where memory
    did not allow to measure.
    """

    bfloat16: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class _Took:
    """Seconds by the clock, and those by which precisions are compared: of the processor where it is what works, so
    that a busy machine does not choose.
    """

    seconds: float
    cost: float


def training(device: torch.device, network: str, patch_px: int, *, pools: bool) -> Measured:
    """A step of a network with random weights: of the decoder on kept levels, and one patch more for these, if it
    `pools`, else of the whole. On a CPU a quarter of a run's patches are tried, or an eighth, and their time is
    multiplied: some 1.2 s of one thread. Raises `NoSuchNetwork`.
    """
    batch = Recipe().batch
    patches = batch if device.type != "cpu" else batch // 4 if pools else 1
    drawn = _patches(patches, patch_px)
    net = _fresh(network)
    trainers: dict[bool, Trainer] = {}

    def step(half: bool) -> Action:
        trainers[half] = trainer = Trainer(_plan(network, drawn, pools=pools, half=half), net, device)
        given = trainer.encoded(drawn, 0) if pools else drawn
        return lambda: trainer.learn(given)

    found = _faster(device, step)
    if not found.seconds:
        return found
    seconds = found.seconds * batch / patches
    if pools:
        one = Batch(drawn.pixels[:1], drawn.labels[:1])
        seconds += _took(device, lambda: trainers[found.bfloat16].encoded(one, 0)).seconds
    return Measured(found.bfloat16, seconds)


def predicting(device: torch.device, network: str) -> Measured:
    """A window of 256 px of a network with random weights, made ready to predict: some 0.3 s of one thread. Raises
    `NoSuchNetwork`.
    """
    net = _fresh(network)
    channels_last = network_named(network).channels_last
    pixels = _patches(1, _WINDOW_PX).pixels.transpose(0, 2, 3, 1)

    def window(half: bool) -> Action:
        model = Model("", net, (1, 2), 3, _GREY, _GREY, 32, device=device, bfloat16=half, channels_last=channels_last)
        return lambda: model.probabilities(pixels)

    return _faster(device, window)


def _faster(device: torch.device, make: Callable[[bool], Action]) -> Measured:
    """The precision that costs enough less: the least of some times, by turns, after a first one."""
    try:
        actions = {half: make(half) for half in ((False, True) if half_may_pay(device) else (False,))}
        first = {half: _took(device, action) for half, action in actions.items()}
        if len(actions) > 1 and first[True].cost > _EMULATED * first[False].cost:
            del actions[True]
        tries = [{half: _took(device, action) for half, action in actions.items()}]
        if sum(took.cost for took in tries[0].values()) < _SHORT_S:
            tries.append({half: _took(device, action) for half, action in actions.items()})
    except (RuntimeError, MemoryError, UserError) as error:
        if not isinstance(error, UserError) and not is_out_of_memory(error):
            raise
    else:
        cost = {half: min(tried[half].cost for tried in tries) for half in actions}
        half = True in cost and _WORTH * cost[True] <= cost[False]
        return Measured(half, min(tried[half].seconds for tried in tries))
    empty_cache(device)
    return Measured(False, 0.0)


def _took(device: torch.device, action: Action) -> _Took:
    begun, worked = time.perf_counter(), time.process_time()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    seconds = time.perf_counter() - begun
    return _Took(seconds, time.process_time() - worked if device.type == "cpu" else seconds)


def _fresh(network: str) -> nn.Module:
    """A network with random weights; the random numbers of others are left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build(network, classes=2)


def _patches(n: int, side: int) -> Batch:
    rng = np.random.default_rng(0)
    return Batch(rng.random((n, 3, side, side), dtype=np.float32), rng.integers(2, size=(n, side, side)))


def _plan(network: str, batch: Batch, *, pools: bool, half: bool) -> Plan:
    recipe = Recipe(
        patch_px=batch.labels.shape[-1],
        batch=len(batch.labels),
        schedule="constant",
        encoder_opens=1.0 if pools else 0.0,
        frozen_statistics=pools,
        pool_patches=len(batch.labels) if pools else 0,
        precision="bfloat16" if half else "float32",
        channels_last=network_named(network).channels_last,
    )
    return Plan(
        classes=(PlanClass(1, ""), PlanClass(2, "")),
        planes=(),
        mean=_GREY,
        std=_GREY,
        network=network,
        base="scratch",
        recipe=recipe,
        device="",
        threads=1,
        seed=0,
        max_seconds=None,
        max_steps=None,
    )
