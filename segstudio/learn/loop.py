"""The training loop: a generator of events that knows no database. Closing it stops it; the averaged weights stay.

It yields None to let others have a turn. The same plan on the same data makes the same weights: all random numbers
follow from (seed, step), and a step's rate from the step alone.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as encode_safetensors
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from segstudio.errors import WeightsDamaged
from segstudio.learn.augment import Augmenter
from segstudio.learn.device import empty_cache, is_out_of_memory, memory_mb, too_little_memory
from segstudio.learn.losses import LOSSES
from segstudio.learn.sampling import UNKNOWN, Batch
from segstudio.learn.schedules import OPTIMISERS, parameter_groups, rate_at
from segstudio.runs import (
    Checkpointed,
    Evaluated,
    Event,
    Figures,
    Finished,
    Plan,
    Preparing,
    Started,
    Stepped,
    Warned,
)
from segstudio.text import _, count

__all__ = ["Measure", "Trainer", "ema_steps", "metadata", "train"]

Measure = Callable[[nn.Module], Iterator[Figures | None]]
"""Held-out figures of a network in evaluation mode: None between tiles, the figures last; none if nothing is held
out."""

_TIMED_STEPS = 3
_EVALUATIONS = 5
_EVALUATION_SHARE = 0.12
_CHECKPOINT_S = 20.0
_USED = 0.97
_EMA_SHARE = 10


@dataclass(slots=True)
class _Clock:
    """Seconds since the first step began, including those before a resume."""

    now: Callable[[], float]
    offset: float
    begun: float = 0.0

    def start(self) -> None:
        self.begun = self.now()

    @property
    def seconds(self) -> float:
        return self.offset + self.now() - self.begun


@dataclass(slots=True)
class _Pace:
    """How long the next piece of work may take, from those before it: running mean and mean deviation, as for round
    trips in a network (Jacobson, Congestion Avoidance and Control, 1988, appendix A), and never less than the last.
    """

    mean: float = 0.0
    deviation: float = 0.0
    last: float = 0.0
    known: bool = False

    def add(self, took: float) -> None:
        off = took - self.mean if self.known else 0.0
        self.mean = self.mean + off / 4 if self.known else took
        self.deviation += (abs(off) - self.deviation) / 4
        self.last, self.known = took, True

    @property
    def expected_s(self) -> float:
        return max(self.mean + 2 * self.deviation, self.last)


class Trainer:
    """Network, averaged network and optimiser of one run, at `step` steps done.

    `plan` is replaced by the final one when the schedule's length is settled, and when a run ends early.
    """

    def __init__(self, plan: Plan, net: nn.Module, device: torch.device) -> None:
        self.plan = plan
        self.device = device
        recipe = plan.recipe
        self._format = torch.channels_last if recipe.channels_last else torch.contiguous_format
        self.net = net.to(device=device, memory_format=self._format)  # type: ignore[call-overload]
        self._average = AveragedModel(self.net, use_buffers=True)
        self.averaged = self._average.module.eval().requires_grad_(False)
        self._optimiser = OPTIMISERS[recipe.optimiser](parameter_groups(self.net, plan), recipe.rate)
        self._loss = LOSSES[recipe.loss]
        self._augmenter = Augmenter(recipe)
        self._mean = torch.tensor(plan.mean, device=device).view(1, -1, 1, 1)
        self._std = torch.tensor(plan.std, device=device).view(1, -1, 1, 1)
        self.step = 0
        self.seconds = 0.0

    def learn(self, batch: Batch) -> float:
        """Make one step on a batch and return its loss. A step whose gradient is not finite changes nothing.

        If memory runs out, the batch goes through the network in twice as many parts, whose gradients are added up, and
        the plan records it. Raises `UserError` if even one patch is too much.
        """
        recipe = self.plan.recipe
        self._set_mode()
        share = rate_at(self.plan, self.step)
        for group in self._optimiser.param_groups:
            group["lr"] = recipe.rate * share * group["factor"]
        loss = self._backward(batch)
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), recipe.clip_norm)
        if bool(torch.isfinite(norm)):
            self._optimiser.step()
        self.step += 1
        self._follow()
        return loss

    def _backward(self, batch: Batch) -> float:
        """Fill the gradients of a batch, in as many parts as memory requires; returns the loss."""
        parts = self.parts
        statistics = [buffer.clone() for buffer in self.net.buffers()]
        while True:
            try:
                loss = self._gradients(batch, parts)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            else:
                if parts != self.parts:
                    self.plan = msgspec.structs.replace(self.plan, in_parts=(*self.plan.in_parts, (self.step, parts)))
                return loss
            # Outside the handler the error is gone, and with it the memory that the failed pass held.
            self._optimiser.zero_grad(set_to_none=True)
            empty_cache(self.device)
            if parts >= len(batch.pixels):
                raise too_little_memory(self.device, one_patch=True)
            parts = min(2 * parts, len(batch.pixels))
            # A run that begins with these parts, as a repeated plan does, has no failed pass behind it.
            for buffer, before in zip(self.net.buffers(), statistics, strict=True):
                buffer.copy_(before)

    def _gradients(self, batch: Batch, parts: int) -> float:
        """Each part weighs by its share of the known pixels, so that cross-entropy is that of the whole batch; Dice is
        the mean of the parts'.
        """
        recipe = self.plan.recipe
        pixels = torch.from_numpy(batch.pixels).to(self.device)
        labels = torch.from_numpy(batch.labels).to(self.device)
        pixels = self._augmenter.lit(pixels, self.plan.seed, self.step)
        inputs = ((pixels - self._mean) / self._std).contiguous(memory_format=self._format)
        self._optimiser.zero_grad(set_to_none=True)
        half = recipe.precision == "bfloat16"
        known = (labels != UNKNOWN).sum().clamp(min=1)
        total = 0.0
        for x, truth in zip(inputs.tensor_split(parts), labels.tensor_split(parts), strict=True):
            with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
                logits = self.net(x)
            loss = self._loss(logits.float(), truth)
            if parts > 1:
                loss = loss * ((truth != UNKNOWN).sum() / known)
            loss.backward()
            total += float(loss.detach())
        return total

    @property
    def parts(self) -> int:
        """The number of parts in which a batch goes through the network at this step."""
        return next((n for step, n in reversed(self.plan.in_parts) if step <= self.step), 1)

    def snapshot(self) -> bytes:
        """Everything a resumed run needs, as a safetensors file."""
        tensors = {f"net.{k}": v for k, v in self.net.state_dict().items()}
        tensors |= {f"averaged.{k}": v for k, v in self.averaged.state_dict().items()}
        names = self._parameter_names()
        for name, state in ((names[id(p)], s) for p, s in self._optimiser.state.items()):
            tensors |= {f"optimiser.{name}.{k}": torch.as_tensor(v) for k, v in state.items()}
        facts = {"plan": msgspec.json.encode(self.plan).decode(), "step": str(self.step), "seconds": repr(self.seconds)}
        return encode_safetensors({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, facts)

    def restore(self, data: bytes) -> None:
        """Go to a snapshot of the same network. Raises `WeightsDamaged` if it is not one."""
        facts = metadata(data)
        try:
            tensors = parse_safetensors(data)
            self.plan = msgspec.json.decode(facts["plan"], type=Plan)
            self.step, self.seconds = int(facts["step"]), float(facts["seconds"])
            self.net.load_state_dict(_below(tensors, "net."))
            self.averaged.load_state_dict(_below(tensors, "averaged."))
            self._average.n_averaged.fill_(self.step)
        except (KeyError, ValueError, RuntimeError, SafetensorError, msgspec.MsgspecError) as error:
            raise WeightsDamaged(_("The checkpoint of this run cannot be read."), todo=_("Start a new run.")) from error
        moments = _below(tensors, "optimiser.")
        for name, parameter in self.net.named_parameters():
            found = {k[len(name) + 1 :]: v for k, v in moments.items() if k.startswith(name + ".")}
            found = {k: v for k, v in found.items() if "." not in k}
            if found:
                self._optimiser.state[parameter] = {
                    k: v.to(parameter.device) if k != "step" else v for k, v in found.items()
                }

    def _set_mode(self) -> None:
        self.net.train()
        if self.plan.recipe.frozen_statistics:
            for module in self.net.get_submodule("encoder").modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

    @torch.no_grad()
    def _follow(self) -> None:
        """Exponential average of weights and statistics (Polyak and Juditsky 1992), over all while they are few."""
        self._average.multi_avg_fn = get_ema_multi_avg_fn(1 - 1 / min(self.step, self.plan.recipe.ema_steps))
        self._average.update_parameters(self.net)
        for mine, theirs in zip(self.averaged.buffers(), self.net.buffers(), strict=True):
            if not mine.is_floating_point():
                mine.copy_(theirs)  # counts of batches, which are not averaged

    def _parameter_names(self) -> dict[int, str]:
        return {id(p): name for name, p in self.net.named_parameters()}


def train(
    trainer: Trainer,
    batches: Callable[[int], Batch],
    measure: Measure,
    *,
    evaluation_px: int,
    elapsed_s: float = 0.0,
    now: Callable[[], float] = time.monotonic,
) -> Generator[Event | None, None, None]:
    """Run a plan from where the trainer is. `elapsed_s` had passed before; a measurement takes `evaluation_px`.

    The clock wins: no step and no measurement begins that, judged by those before it, would not end in time. The
    schedule keeps its length, and the plan records the step it stopped at.
    """
    clock = _Clock(now, max(elapsed_s, trainer.seconds))
    clock.start()
    timed: list[tuple[Stepped, float]] = []
    warned = False
    last_saved = clock.seconds
    if trainer.plan.steps is not None:
        trainer.plan = _with_evaluations(trainer.plan, _EVALUATIONS)
        yield _started(trainer, clock)
    else:
        yield _timing(trainer, 0)
    steps, looks = _Pace(), _Pace()
    reason = "done"
    while trainer.plan.steps is None or trainer.step < trainer.plan.steps:
        if _is_over(trainer, clock.seconds, steps.expected_s):
            reason = "time"
            break
        before, known = clock.now(), trainer.plan.in_parts
        loss = trainer.learn(batches(trainer.step))
        took = clock.now() - before
        steps.add(took)
        trainer.seconds = clock.seconds
        event = _stepped(trainer, loss, took)
        if trainer.plan.in_parts != known and not warned:
            warned = True
            yield _in_parts(trainer)
        if trainer.plan.steps is None:
            timed.append((event, took))
            yield _timing(trainer, len(timed))
            if len(timed) < _TIMED_STEPS:
                continue
            trainer.plan = _settled(trainer.plan, [t for _, t in timed], trainer.step, clock.seconds, evaluation_px)
            yield _started(trainer, clock)
            yield from (e for e, _ in timed)
        else:
            yield event
        if _evaluates(trainer.plan, trainer.step):
            yield from _evaluated(trainer, measure, clock, looks)
        if clock.seconds - last_saved > _CHECKPOINT_S and trainer.step < (trainer.plan.steps or 0):
            last_saved = trainer.seconds = clock.seconds
            yield Checkpointed(step=trainer.step, seconds=clock.seconds, path="")
    if trainer.plan.steps is None:  # not even the timed steps fitted in
        trainer.plan = msgspec.structs.replace(trainer.plan, steps=trainer.step, stopped_at=trainer.step)
        yield _started(trainer, clock)
        yield from (e for e, _ in timed)
    elif trainer.step < trainer.plan.steps:
        trainer.plan = msgspec.structs.replace(trainer.plan, stopped_at=trainer.step)
    trainer.seconds = clock.seconds
    yield Finished(step=trainer.step, seconds=clock.seconds, reason=reason)  # type: ignore[arg-type]


def metadata(data: bytes) -> dict[str, str]:
    """The metadata of a safetensors file. Raises `WeightsDamaged` if it is not one."""
    try:
        length = int.from_bytes(data[:8], "little")
        header = msgspec.json.decode(data[8 : 8 + length])
        return dict(header.get("__metadata__") or {})
    except (msgspec.DecodeError, AttributeError, ValueError) as error:
        raise WeightsDamaged(_("A file of weights is truncated or not a safetensors file.")) from error


def _is_over(trainer: Trainer, seconds: float, step_s: float) -> bool:
    plan = trainer.plan
    if plan.stopped_at is not None and trainer.step >= plan.stopped_at:
        return True
    return trainer.step > 0 and _too_late(plan, seconds + step_s)


def _too_late(plan: Plan, seconds: float) -> bool:
    return plan.max_seconds is not None and seconds > plan.max_seconds


def _settled(plan: Plan, took: list[float], step: int, seconds: float, evaluation_px: int) -> Plan:
    """The plan with the number of steps that fit into the remaining time, evaluations included."""
    step_s = sorted(took[1:])[len(took[1:]) // 2]
    left = max((plan.max_seconds or 0.0) * _USED - seconds, 0.0)
    per_px = step_s / (plan.recipe.batch * plan.recipe.patch_px**2) / 3  # a forward pass is a third of a step
    measure_s = evaluation_px * per_px
    evaluations = min(_EVALUATIONS, int(left * _EVALUATION_SHARE / measure_s)) if measure_s > 0 else 0
    steps = step + max(int((left - evaluations * measure_s) / step_s), 1)
    if plan.max_steps is not None:
        steps = min(steps, plan.max_steps)
    recipe = msgspec.structs.replace(plan.recipe, ema_steps=ema_steps(steps))
    return _with_evaluations(msgspec.structs.replace(plan, steps=steps, recipe=recipe), evaluations)


def ema_steps(steps: int) -> int:
    """How many steps back the average of a run of this length reaches; never fewer than are timed at its start."""
    return max(steps // _EMA_SHARE, _TIMED_STEPS)


def _with_evaluations(plan: Plan, evaluations: int) -> Plan:
    if plan.evaluate_every or plan.steps is None or evaluations < 1:
        return plan
    return msgspec.structs.replace(plan, evaluate_every=max(-(-plan.steps // (evaluations + 1)), 1))


def _evaluates(plan: Plan, step: int) -> bool:
    return plan.evaluate_every > 0 and step % plan.evaluate_every == 0 and step < (plan.steps or 0)


def _evaluated(trainer: Trainer, measure: Measure, clock: _Clock, pace: _Pace) -> Iterator[Event | None]:
    """Measure if there is time for it; given up between two windows if there turns out not to be."""
    begun = before = clock.seconds
    longest = 0.0
    if _too_late(trainer.plan, begun + pace.expected_s):
        return
    for figures in measure(trainer.averaged):
        longest, before = max(longest, clock.seconds - before), clock.seconds
        if figures is not None:
            pace.add(clock.seconds - begun)
            yield Evaluated(step=trainer.step, seconds=clock.seconds, held_out=figures)
            return
        yield None
        if _too_late(trainer.plan, clock.seconds + longest):
            return


def _started(trainer: Trainer, clock: _Clock) -> Started:
    plan = trainer.plan
    return Started(
        step=trainer.step,
        seconds=clock.seconds,
        steps=plan.steps or 0,
        max_seconds=plan.max_seconds,
        device=plan.device,
        threads=plan.threads,
        held_out_groups=plan.groups("held-out"),
        train_groups=plan.groups("train"),
        optimistic=plan.optimistic,
        parent=plan.base,
    )


def _timing(trainer: Trainer, done: int) -> Preparing:
    return Preparing(
        step=trainer.step, seconds=trainer.seconds, text=_("Timing the first steps"), done=done, total=_TIMED_STEPS
    )


def _in_parts(trainer: Trainer) -> Warned:
    on = {"patches": trainer.plan.recipe.batch}
    if trainer.device.type == "cpu":
        sentence = count(
            trainer.parts,
            "The computer has too little memory for {patches} patches at once: they go through in {n} part.",
            "The computer has too little memory for {patches} patches at once: they go through in {n} parts.",
            **on,
        )
    else:
        sentence = count(
            trainer.parts,
            "The GPU has too little memory for {patches} patches at once: they go through in {n} part.",
            "The GPU has too little memory for {patches} patches at once: they go through in {n} parts.",
            **on,
        )
    return Warned(step=trainer.step, seconds=trainer.seconds, sentence=sentence)


def _stepped(trainer: Trainer, loss: float, took: float) -> Stepped:
    recipe = trainer.plan.recipe
    return Stepped(
        step=trainer.step,
        seconds=trainer.seconds,
        loss=loss,
        patches_per_second=recipe.batch / took if took > 0 else 0.0,
        rate=recipe.rate * rate_at(trainer.plan, trainer.step - 1),
        memory_mb=memory_mb(trainer.device),
    )


def _below(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
