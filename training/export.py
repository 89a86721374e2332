"""Write the trained base model in half precision, with its card, to `resources/models`."""

import json
import platform
from pathlib import Path
from typing import Any

import msgspec
import torch
from sets import TrainingSet
from torch import nn

from segstudio.learn.heads import FOREGROUND, Head
from segstudio.learn.networks import DEFAULT_NETWORK
from segstudio.learn.weights import Check, Normalisation, check_values, load_weights, save_weights

TOLERANCE = 0.01


def write_base(
    net: nn.Module,
    sets: list[TrainingSet],
    slices: list[tuple[int, int]],
    normalisation: Normalisation,
    held_out: dict[str, dict[str, Any]],
    training: dict[str, Any],
    folder: Path,
) -> None:
    """Store `net` (the averaged weights) and its card; the check output is that of the file as it is read again."""
    weights = folder / "base.safetensors"
    digest = save_weights(weights, net, {"format": "pt"}, half=True)
    load_weights(weights, net, digest)
    heads = [
        Head(s.name, s.domain, s.classes, (start, stop), round(s.object_px, 1), s.grey, _ious(held_out[s.name]))
        for s, (start, stop) in zip(sets, slices, strict=False)
    ]
    heads.append(Head(FOREGROUND, "any", ("background", "object"), slices[-1], 32.0, False))
    check = Check(check_values(net, normalisation, encoder_only=False), TOLERANCE)
    card = {
        "name": "base",
        "what": "Encoder, decoder, and a head with a slice of channels for each training set and one for any object",
        "network": DEFAULT_NETWORK,
        "arguments": {"channels": 3, "classes": slices[-1][1]},
        "normalisation": msgspec.to_builtins(normalisation),
        "heads": msgspec.to_builtins(heads),
        "foreground": {s.name: [s.classes[v] for v in s.recipe.foreground] for s in sets},
        "data": [
            {
                "set": s.name,
                "licence": s.licence,
                "source": s.source,
                "images": {"train": len(s.train), "held_out": len(s.held_out)},
                "held_out": [p.stem for p in s.held_out],
            }
            for s in sets
        ],
        "data_made": "closed shapes on textured grounds, made by training/synthetic.py, for the foreground slice alone",
        "start": "imagenet.safetensors",
        "training": {**training, "torch": torch.__version__, "python": platform.python_version()},
        "held_out": held_out,
        "parameters": sum(p.numel() for p in net.parameters()),
        "licence": "Apache-2.0",
        "sha256": digest,
        "check": msgspec.to_builtins(check),
    }
    (folder / "base.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def _ious(figures: dict[str, Any]) -> tuple[float, ...]:
    """IoU by class; 0 for a class that no held-out picture shows."""
    return tuple(0.0 if value is None else float(value) for value in figures["iou"].values())
