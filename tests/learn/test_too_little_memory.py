from collections.abc import Callable

import msgspec
import numpy as np
import pytest
import torch
from torch import nn

from segstudio.errors import UserError
from segstudio.learn.device import is_out_of_memory, too_little_memory
from segstudio.learn.loop import Trainer
from segstudio.learn.sampling import Sampler
from segstudio.runs import Plan, Started, Stepped, Warned
from tests.learn.conftest import MemoryData
from tests.learn.helpers import Clock, facts_of, run_to_end, tiny_plan, tiny_trainer

ERRORS: list[Callable[[], BaseException]] = [
    lambda: torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    lambda: RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried"),
    lambda: RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
    lambda: RuntimeError("MPS backend out of memory (MPS allocated: 9.1 GB)"),
    lambda: RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    lambda: MemoryError("Unable to allocate 3.00 GiB for an array"),
]


class _Room:
    """Room for so many patches, from a call on: a pass with more raises. Keeps how many went through."""

    def __init__(self, patches: int, error: Callable[[], BaseException] = ERRORS[0], after: int = 0) -> None:
        self.patches, self.error, self.after = patches, error, after
        self.calls = 0
        self.sizes: list[int] = []

    def __call__(self, _net: nn.Module, inputs: tuple[torch.Tensor], _found: torch.Tensor) -> None:
        self.calls += 1
        if len(inputs[0]) > self.patches and self.calls > self.after:
            raise self.error()
        self.sizes.append(len(inputs[0]))


def _crowded(plan: Plan, room: _Room) -> Trainer:
    trainer = tiny_trainer(plan)
    trainer.net.register_forward_hook(room)
    return trainer


@pytest.mark.parametrize("error", ERRORS)
def test_where_memory_runs_out_a_batch_goes_through_in_parts(discs: MemoryData, error: Callable[[], BaseException]):
    room = _Room(2, error)
    trainer = _crowded(tiny_plan(discs, max_steps=3), room)
    trainer.learn(Sampler(facts_of(discs), trainer.plan, discs).batch(0))
    assert room.sizes == [2, 2, 2, 2]
    assert trainer.step == 1
    assert trainer.plan.in_parts == ((0, 4),)


def test_another_error_is_not_taken_for_it(discs: MemoryData):
    trainer = _crowded(tiny_plan(discs, max_steps=3), _Room(2, lambda: RuntimeError("shapes differ")))
    with pytest.raises(RuntimeError, match="shapes differ"):
        trainer.learn(Sampler(facts_of(discs), trainer.plan, discs).batch(0))


def test_gradients_in_parts_are_nearly_those_of_the_whole_batch(discs: MemoryData):
    plan = tiny_plan(discs, max_steps=3)
    batch = Sampler(facts_of(discs), plan, discs).batch(0)
    batch.labels[:3, :200] = -1  # parts that know little weigh little
    found = []
    for parts in (1, 4):
        trainer = tiny_trainer(msgspec.structs.replace(plan, in_parts=((0, parts),)))
        for module in trainer.net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.0
                module.eval()
        trainer._set_mode = lambda: None  # type: ignore[method-assign]
        trainer.learn(batch)
        grads = [p.grad.flatten() for p in trainer.net.parameters() if p.grad is not None]
        found.append(torch.cat(grads).numpy())
    cosine = float(np.dot(*found) / np.prod([np.linalg.norm(g) for g in found]))
    assert cosine > 0.95


def test_it_is_said_once_and_a_repeated_plan_gives_the_same_bits(discs: MemoryData):
    plan = tiny_plan(discs, max_steps=5)
    trainer = _crowded(plan, _Room(4, after=2))
    events = run_to_end(trainer, discs)
    assert [e.step for e in events if isinstance(e, Stepped)] == [1, 2, 3, 4, 5]
    warned = [e for e in events if isinstance(e, Warned)]
    assert len(warned) == 1
    assert warned[0].sentence == "The computer has too little memory for 8 patches at once: they go through in 2 parts."
    assert trainer.plan.in_parts == ((2, 2),)
    again = tiny_trainer(msgspec.json.decode(msgspec.json.encode(trainer.plan), type=Plan))
    assert not [e for e in run_to_end(again, discs) if isinstance(e, Warned)]
    assert all(
        torch.equal(a, b) for a, b in zip(*(t.averaged.state_dict().values() for t in (trainer, again)), strict=True)
    )


def test_it_may_run_out_again_and_again(discs: MemoryData):
    plan = tiny_plan(discs, max_seconds=8.0)
    room = _Room(8)
    trainer = _crowded(plan, room)
    first = trainer.learn(Sampler(facts_of(discs), plan, discs).batch(0))
    room.patches = 1
    events = run_to_end(trainer, discs, Clock())
    assert np.isfinite(first)
    assert len([e for e in events if isinstance(e, Warned)]) == 1
    assert isinstance(next(e for e in events if not isinstance(e, Warned)), Started)
    assert trainer.plan.in_parts == ((1, 8),)


def test_below_one_patch_it_is_one_sentence(discs: MemoryData):
    trainer = _crowded(tiny_plan(discs, max_steps=3), _Room(0))
    with pytest.raises(UserError, match="The computer has too little memory to train, even on one patch") as caught:
        trainer.learn(Sampler(facts_of(discs), trainer.plan, discs).batch(0))
    assert "\n" not in caught.value.line
    assert "painted is safe" in caught.value.safe
    assert trainer.step == 0
    gpu = too_little_memory(torch.device("meta"))
    assert gpu.line.startswith("The GPU has too little memory to train.")
    assert "CPU" in gpu.todo


def test_what_is_no_lack_of_memory():
    assert all(is_out_of_memory(error()) for error in ERRORS)
    for other in (RuntimeError("CUDA error: device-side assert triggered"), ValueError("out of memory"), KeyError()):
        assert not is_out_of_memory(other)
