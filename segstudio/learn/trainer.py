"""What a run has learned so far: a network, its average and its optimiser, one step on, saved and restored."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as encode_safetensors
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from segstudio.errors import WeightsDamaged
from segstudio.learn.augment import Augmenter
from segstudio.learn.device import empty_cache, is_out_of_memory, too_little_memory
from segstudio.learn.head_fit import fit_head
from segstudio.learn.losses import LOSSES
from segstudio.learn.networks import draw, encode, head_conv, network_named
from segstudio.learn.pool import Encoded
from segstudio.learn.sampling import UNKNOWN, Batch
from segstudio.learn.schedules import OPTIMISERS, parameter_groups, rate_at
from segstudio.runs import Plan
from segstudio.text import _

__all__ = ["Trainer", "metadata"]


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

    @property
    def encoder_learns(self) -> bool:
        """Whether the encoder learns at this step."""
        plan = self.plan
        return plan.recipe.encoder_opens <= 0 or (plan.opened_at is not None and self.step >= plan.opened_at)

    @property
    def pools(self) -> bool:
        """Whether this step learns from levels that were computed before."""
        return self.plan.recipe.pool_patches > 0 and not self.encoder_learns

    @torch.no_grad()
    def encoded(self, batch: Batch, step: int) -> Encoded:
        """The encoder's levels of patches that are drawn at a step, one patch at a time: in half precision, as the
        encoder that stays as it is gives them.
        """
        self._set_mode()
        inputs = self._inputs(batch, step)
        every: list[list[torch.Tensor]] = []
        for x in inputs.split(1):
            with self._autocast():
                levels = encode(self.net, x)
            every.append([level.to(torch.bfloat16) for level in levels])
        return Encoded([torch.cat(level) for level in zip(*every, strict=True)], torch.from_numpy(batch.labels))

    def fit_head(self, batch: Batch | Encoded) -> None:
        """Fit the head in closed form to what the decoder makes of a batch, as it will in the first step."""
        self._set_mode()
        statistics = [buffer.clone() for buffer in self.net.buffers()]
        inputs = self._given(batch)
        fit_head(head_conv(self.net), lambda: self._logits(inputs), torch.as_tensor(batch.labels, device=self.device))
        self._put_back(statistics)
        self.averaged.load_state_dict(self.net.state_dict())

    def learn(self, batch: Batch | Encoded) -> float:
        """Make one step on a batch and return its loss. A step whose loss or gradient is not finite changes nothing:
        neither weights nor statistics, nor their average.

        If memory runs out, the batch goes through the network in twice as many parts, whose gradients are added up, and
        the plan records it. Raises `UserError` if even one patch is too much.
        """
        recipe = self.plan.recipe
        self._set_mode()
        share = rate_at(self.plan, self.step)
        for group in self._optimiser.param_groups:
            group["lr"] = recipe.rate * share * group["factor"]
        statistics = [buffer.clone() for buffer in self.net.buffers()]
        loss = self._backward(batch, statistics)
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), recipe.clip_norm)
        self.step += 1
        if math.isfinite(loss) and bool(torch.isfinite(norm)):
            self._optimiser.step()
            self._follow()
        else:
            self._put_back(statistics)
        return loss

    def _backward(self, batch: Batch | Encoded, statistics: Sequence[torch.Tensor]) -> float:
        """Fill the gradients of a batch, in as many parts as memory requires; returns the loss. `statistics` are the
        network's before.
        """
        parts = self.parts
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
            if parts >= len(batch.labels):
                raise too_little_memory(self.device, one_patch=True)
            parts = min(2 * parts, len(batch.labels))
            # A run that begins with these parts, as a repeated plan does, has no failed pass behind it.
            self._put_back(statistics)

    def _put_back(self, statistics: Sequence[torch.Tensor]) -> None:
        """What a forward pass has written into running statistics is undone."""
        for buffer, before in zip(self.net.buffers(), statistics, strict=True):
            buffer.copy_(before)

    def _gradients(self, batch: Batch | Encoded, parts: int) -> float:
        """Each part weighs by its share of the known pixels, so that cross-entropy is that of the whole batch; Dice is
        the mean of the parts'.
        """
        inputs = self._given(batch)
        labels = torch.as_tensor(batch.labels, device=self.device)
        self._optimiser.zero_grad(set_to_none=True)
        known = (labels != UNKNOWN).sum().clamp(min=1)
        total = 0.0
        split = [x.tensor_split(parts) for x in inputs]
        for part, truth in zip(zip(*split, strict=True), labels.tensor_split(parts), strict=True):
            loss = self._loss(self._logits(part).float(), truth)
            if parts > 1:
                loss = loss * ((truth != UNKNOWN).sum() / known)
            loss.backward()
            total += float(loss.detach())
        return total

    def _given(self, batch: Batch | Encoded) -> list[torch.Tensor]:
        """What goes into the network: the images alone, or the levels of the encoder."""
        if isinstance(batch, Encoded):
            return batch.levels
        return [self._inputs(batch, self.step)]

    def _inputs(self, batch: Batch, step: int) -> torch.Tensor:
        pixels = self._augmenter.lit(torch.from_numpy(batch.pixels).to(self.device), self.plan.seed, step)
        return ((pixels - self._mean) / self._std).contiguous(memory_format=self._format)

    def _logits(self, given: Sequence[torch.Tensor]) -> torch.Tensor:
        with self._autocast():
            if len(given) == 1:
                return self.net(given[0])
            half = self.plan.recipe.precision == "bfloat16"
            return draw(self.net, [level if half else level.float() for level in given])

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.plan.recipe.precision == "bfloat16")

    @property
    def parts(self) -> int:
        """The number of parts in which a batch goes through the network at this step."""
        return next((n for step, n in reversed(self.plan.in_parts) if step <= self.step), 1)

    def snapshot(self, beside: Mapping[str, torch.Tensor] = MappingProxyType({})) -> bytes:
        """Everything a resumed run needs, as a safetensors file, and what others keep `beside` it under their names."""
        tensors = {f"net.{k}": v for k, v in self.net.state_dict().items()}
        tensors |= {f"averaged.{k}": v for k, v in self.averaged.state_dict().items()}
        names = self._parameter_names()
        for name, state in ((names[id(p)], s) for p, s in self._optimiser.state.items()):
            tensors |= {f"optimiser.{name}.{k}": torch.as_tensor(v) for k, v in state.items()}
        tensors |= beside
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
        """What learns at this step, and which statistics follow."""
        recipe = self.plan.recipe
        self.net.train()
        encoder = self.net.get_submodule("encoder")
        early = network_named(self.plan.network).early if recipe.late_stages else ()
        for name, parameter in encoder.named_parameters():
            parameter.requires_grad_(self.encoder_learns and not any(name.startswith(part + ".") for part in early))
        if not self.encoder_learns:
            encoder.eval()
        elif recipe.frozen_statistics:
            for module in encoder.modules():
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


def metadata(data: bytes) -> dict[str, str]:
    """The metadata of a safetensors file. Raises `WeightsDamaged` if it is not one."""
    try:
        length = int.from_bytes(data[:8], "little")
        header = msgspec.json.decode(data[8 : 8 + length])
        return dict(header.get("__metadata__") or {})
    except (msgspec.DecodeError, AttributeError, ValueError) as error:
        raise WeightsDamaged(_("A file of weights is truncated or not a safetensors file.")) from error


def _below(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
