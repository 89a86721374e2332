"""Write the trained base model in half precision, with its card, to a folder (`resources/models`)."""

import json
import platform
from pathlib import Path
from typing import Any

import msgspec
import torch
from course import CLIP, WEIGHT_DECAY, Plan
from losses import EPISODE_WEIGHT, FOREGROUND_WEIGHT
from pack import TrainingSet
from torch import nn

from segstudio.assets import asset
from segstudio.learn.heads import FOREGROUND, Head
from segstudio.learn.networks import DEFAULT_NETWORK
from segstudio.learn.weights import Check, Normalisation, check_values, load_weights, save_weights

TOLERANCE = 0.01


def embedded_legs() -> list[dict[str, Any]]:
    """The legs by which the embedded base came to be, oldest first; each has `steps`."""
    training = json.loads(asset("models", "base.json").read_text(encoding="utf-8"))["training"]
    return training.get("legs") or [training]


def leg_of(plan: Plan, state: dict[str, Any], statistics: int) -> dict[str, Any]:
    """What the card says of a leg, from its checkpoint; `statistics`: batches by which norms were measured again."""
    late = torch.tensor(state["losses"][-200:]).mean(0).tolist()
    told = {k: v for k, v in msgspec.to_builtins(plan).items() if k not in ("before", "steps", "pairs", "digest")}
    return {
        **told,
        "steps": state["step"],
        "patches_a_step": 2 * plan.pairs,
        "device": state["device"],
        "hours": round(state["seconds"] / 3600, 2),
        "weight_decay": WEIGHT_DECAY,
        "clip": CLIP,
        "loss_weights": {"foreground": FOREGROUND_WEIGHT, "episodes": EPISODE_WEIGHT},
        "statistics_from_batches": statistics,
        "data_sha256": plan.digest,
        "final_losses": dict(zip(("heads", "foreground", "episodes"), (round(v, 4) for v in late), strict=True)),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def write_base(
    net: nn.Module,
    sets: tuple[TrainingSet, ...],
    slices: list[tuple[int, int]],
    normalisation: Normalisation,
    held_out: dict[str, dict[str, Any]],
    legs: list[dict[str, Any]],
    folder: Path,
) -> None:
    """Store `net` (the averaged weights) and its card; the check output is that of the file as it is read again."""
    weights = folder / "base.safetensors"
    digest = save_weights(weights, net, {"format": "pt"}, half=True)
    load_weights(weights, net, digest)
    heads = [
        Head(s.name, s.domain, s.classes, channels, s.grey, _ious(held_out[s.name]))
        for s, channels in zip(sets, slices, strict=False)
    ]
    heads.append(Head(FOREGROUND, "any", ("background", "object"), slices[-1], False))
    card = {
        "name": "base",
        "what": "Encoder, decoder, and a head with a slice of channels for each training set and one for any object",
        "network": DEFAULT_NETWORK,
        "arguments": {"channels": 3, "classes": slices[-1][1]},
        "normalisation": msgspec.to_builtins(normalisation),
        "heads": msgspec.to_builtins(heads),
        "foreground": {s.name: [s.classes[v] for v in s.recipe.objects] for s in sets},
        "data": [_data(s) for s in sets],
        "data_made": "lines, cells, closed shapes and mosaics of training pictures: thin.py, synthetic.py, patches.py",
        "start": "imagenet.safetensors",
        "training": {"steps": sum(leg["steps"] for leg in legs), "legs": legs},
        "held_out": held_out,
        "parameters": sum(p.numel() for p in net.parameters()),
        "licence": "Apache-2.0",
        "sha256": digest,
        "check": msgspec.to_builtins(Check(check_values(net, normalisation, encoder_only=False), TOLERANCE)),
    }
    (folder / "base.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def _data(s: TrainingSet) -> dict[str, Any]:
    return {
        "set": s.name,
        "licence": s.licence,
        "source": s.source,
        "weight": s.recipe.weight,
        "images": {"train": len(s.train), "held_out": len(s.held_out)},
        "held_out": [p.stem for p in s.held_out],
    }


def _ious(figures: dict[str, Any]) -> tuple[float, ...]:
    """IoU by class; 0 for a class that no held-out picture shows: nothing proves that it is found."""
    return tuple(0.0 if value is None else float(value) for value in figures["iou"].values())
