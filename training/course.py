"""A leg of the base's training between two files: what it was told to do, its state, one step, its checkpoint.

A leg begins from the embedded base (or ImageNet's encoder) with a fresh optimiser; within it a checkpoint holds
everything, so a leg that was cut and resumed gives the same bits as one that was not (on a CPU with one number of
threads).
"""

import dataclasses
import json
from pathlib import Path
from typing import Any, cast

import msgspec
import torch
from losses import Losses, batch_losses
from pack import Pack, TrainingSet
from patches import Batch
from torch import nn

from segstudio.assets import asset
from segstudio.learn.heads import FOREGROUND, Head
from segstudio.learn.networks import DEFAULT_NETWORK, build, head_conv
from segstudio.learn.weights import Normalisation, embedded_card, load_base, load_imagenet

WEIGHT_DECAY = 1e-2
CLIP = 5.0
KEPT_LOSSES = 2000


class Plan(msgspec.Struct, frozen=True):
    """Everything a leg decides; stored in its checkpoints and in the card.

    `steps`: the last step of the leg. `before`: steps of all earlier legs; patches are numbered through. `last`: the
    rate decays over this leg. `freeze`: stages of the encoder that do not learn, the stem with them; 0: all learn.
    `moving`: the statistics of the encoder's norms follow the batches. A batch has few kinds of pictures, so what it
    measures is neither what another batch measures nor what a prediction uses; by default they stay, and learn only
    their scales and shifts.
    """

    seed: int = 7
    leg: int = 1
    before: int = 0
    steps: int = 12_000
    last: bool = False
    start: str = "base"
    leave: tuple[str, ...] = ()
    pairs: int = 4
    side: int = 256
    freeze: int = 2
    moving: bool = False
    bfloat16: bool = False
    warmup: int = 200
    encoder_rate: float = 1e-4
    decoder_rate: float = 1e-3
    ema: float = 0.999
    digest: str = ""


def rate_at(plan: Plan, step: int) -> float:
    """Factor on the rates of a step: a straight rise over the warm-up, then constant; in the last leg half a cosine
    down to 1 %. Depends on the step alone.
    """
    if step < plan.warmup:
        return (step + 1) / plan.warmup
    if not plan.last:
        return 1.0
    along = min(1.0, (step - plan.warmup) / max(1, plan.steps - plan.warmup))
    return 0.01 + 0.99 * 0.5 * (1 + torch.cos(torch.tensor(torch.pi * along, dtype=torch.float64)).item())


def slices_of(sets: tuple[TrainingSet, ...]) -> list[tuple[int, int]]:
    """Channels [from, to) of each set; the foreground slice of two comes last."""
    ends, found = 0, []
    for count in [*(len(s.classes) for s in sets), 2]:
        found.append((ends, ends + count))
        ends += count
    return found


class Course:
    """The network of a leg, its running mean and its optimiser, on one device."""

    def __init__(self, plan: Plan, pack: Pack, device: torch.device) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.device, self.sets = plan, device, pack.sets
        self.slices = slices_of(pack.sets)
        net = build(DEFAULT_NETWORK, classes=self.slices[-1][1])
        self.normalisation = _begin(net, plan, pack, self.slices)
        self.net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for part in frozen_parts(self.net, plan.freeze):
            part.requires_grad_(False)
        self.optimiser = _optimiser(self.net, plan)
        self.ema = {key: value.detach().clone() for key, value in self.net.state_dict().items()}
        self.step_number = 0
        self.seconds = 0.0
        self.losses: list[list[float]] = []
        self._shift = torch.tensor(self.normalisation.mean, device=device).view(1, 3, 1, 1)
        self._spread = torch.tensor(self.normalisation.std, device=device).view(1, 3, 1, 1)

    def input_of(self, image: torch.Tensor) -> torch.Tensor:
        """Bytes (N, 3, H, W) to what the encoder was trained with."""
        x = (image.to(self.device).float() / self.normalisation.divide_by - self._shift) / self._spread
        return x.contiguous(memory_format=torch.channels_last)

    def features(self, image: torch.Tensor) -> torch.Tensor:
        """Decoder features (N, 16, H, W) of bytes, single precision."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.plan.bfloat16):
            levels = cast(nn.Module, self.net.encoder)(self.input_of(image))
            return cast(nn.Module, self.net.decoder)(levels).float()

    def step(self, batch: Batch) -> list[float]:
        """One optimiser step; the losses of heads, foreground and episodes. Raises FloatingPointError for one that is
        not finite: the last checkpoint is still good.
        """
        factor = rate_at(self.plan, self.step_number)
        for group in self.optimiser.param_groups:
            group["lr"] = group["rate"] * factor
        self.learning_mode()
        moved = dataclasses.replace(
            batch, **{k: getattr(batch, k).to(self.device) for k in ("image", "classes", "foreground", "support")}
        )
        found: Losses = batch_losses(self.features(moved.image), head_conv(self.net), moved, self.slices)
        values = torch.stack([found.heads, found.foreground, found.episodes]).detach().tolist()
        if not all(v == v and abs(v) < float("inf") for v in values):
            raise FloatingPointError(f"the loss of step {self.step_number} is not finite: {values}")
        self.optimiser.zero_grad(set_to_none=True)
        found.total.backward()
        nn.utils.clip_grad_norm_([p for p in self.net.parameters() if p.requires_grad], CLIP)
        self.optimiser.step()
        self._average(min(self.plan.ema, (1 + self.step_number) / (10 + self.step_number)))
        self.step_number += 1
        self.losses = [*self.losses[-KEPT_LOSSES:], values]
        return values

    def learning_mode(self) -> None:
        """Norms measure their batches, but those whose statistics stay."""
        self.net.train()
        still = frozen_parts(self.net, self.plan.freeze) if self.plan.moving else [cast(nn.Module, self.net.encoder)]
        for part in still:
            part.eval()

    @torch.no_grad()
    def _average(self, keep: float) -> None:
        for key, value in self.net.state_dict().items():
            if value.is_floating_point():
                self.ema[key].lerp_(value, 1 - keep)
            else:
                self.ema[key].copy_(value)

    def save(self, path: Path) -> None:
        """Write a checkpoint beside the old one, then put it in its place."""
        state = {
            "plan": msgspec.to_builtins(self.plan),
            "net": self.net.state_dict(),
            "ema": self.ema,
            "optimiser": self.optimiser.state_dict(),
            "random": torch.get_rng_state(),
            "step": self.step_number,
            "seconds": self.seconds,
            "losses": self.losses,
            "device": self.device.type,
        }
        draft = path.with_suffix(".new")
        torch.save(state, draft)
        draft.replace(path)

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `read_checkpoint` gave."""
        self.net.load_state_dict(state["net"])
        self.ema = {key: value.to(self.device) for key, value in state["ema"].items()}
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"])
        self.step_number, self.seconds, self.losses = state["step"], state["seconds"], state["losses"]


def read_checkpoint(path: Path) -> tuple[Plan, dict[str, Any]]:
    """The plan and the state in a checkpoint. Raises OSError where there is none."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    return msgspec.convert(state["plan"], Plan), state


def frozen_parts(net: nn.Module, stages: int) -> list[nn.Module]:
    """The stem and the first `stages` stages of the encoder; none for 0."""
    if not stages:
        return []
    encoder = cast(nn.Module, net.encoder)
    blocks = cast(nn.Sequential, encoder.blocks)
    return [cast(nn.Module, encoder.conv_stem), cast(nn.Module, encoder.bn1), *list(blocks)[:stages]]


def _optimiser(net: nn.Module, plan: Plan) -> torch.optim.AdamW:
    """AdamW with a lower rate for the encoder and no decay on norms and biases."""
    groups = []
    for encoder, rate in ((True, plan.encoder_rate), (False, plan.decoder_rate)):
        for decays in (True, False):
            chosen = [
                p
                for name, p in net.named_parameters()
                if p.requires_grad and name.startswith("encoder.") == encoder and (p.ndim > 1) == decays
            ]
            decay = WEIGHT_DECAY if decays else 0.0
            groups.append({"params": chosen, "lr": rate, "weight_decay": decay, "rate": rate})
    return torch.optim.AdamW(groups)


def _begin(net: nn.Module, plan: Plan, pack: Pack, slices: list[tuple[int, int]]) -> Normalisation:
    """Fill `net` with what the leg begins from. Heads are taken over by the names of sets; new ones stay random."""
    if plan.start == "imagenet":
        return load_imagenet(net)
    card = embedded_card("base")
    check_split(pack.sets, json.loads(asset("models", "base.json").read_text(encoding="utf-8")))
    old = load_base()
    body = {k: v for k, v in old.state_dict().items() if not k.startswith("segmentation_head.")}
    net.load_state_dict(body, strict=False)
    names = [*(s.name for s in pack.sets), FOREGROUND]
    classes = [*(s.classes for s in pack.sets), ("background", "object")]
    heads: dict[str, Head] = {head.set: head for head in card.heads}
    mine, theirs = head_conv(net), head_conv(old)
    with torch.no_grad():
        for name, own, (start, stop) in zip(names, classes, slices, strict=True):
            if name in heads and tuple(heads[name].classes) == tuple(own):
                taken = slice(*heads[name].channels)
                for a, b in ((mine.weight, theirs.weight), (mine.bias, theirs.bias)):
                    assert a is not None
                    assert b is not None
                    a[start:stop] = b[taken]
    return card.normalisation


def check_split(sets: tuple[TrainingSet, ...], card: dict[str, Any]) -> None:
    """Raises ValueError where the weights that `card` describes have trained on a picture that is now held out: every
    figure measured on it would be too good.
    """
    before = {entry["set"]: set(entry["held_out"]) for entry in card["data"]}
    for s in sets:
        now = {p.stem for p in s.held_out}
        if s.name in before and not now <= before[s.name]:
            raise ValueError(f"{s.name}: {min(now - before[s.name])} is held out now, but the weights have seen it")
