"""Train the embedded base model: one encoder and decoder for all open sets, a slice of the head for each.

    python training/train_base.py --data DATA [--minutes 55] [--out .training-out] [--resume]

A patch is judged on the slice of its own set and on the slice `foreground` (ground against object), which also learns
from pictures made by formula. The rate falls as a cosine over the time allowed, so the run always ends well; weights
are averaged (EMA); at the end every held-out picture is measured and `resources/models/base.safetensors` with its
card is written.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: waiting threads must not spin on shared cores

import argparse
import json
import math
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import patches  # noqa: E402
import torch  # noqa: E402
from export import write_base  # noqa: E402
from sets import UNKNOWN, TrainingSet, load_all  # noqa: E402
from torch import nn  # noqa: E402

from segstudio.learn.networks import DEFAULT_NETWORK, build  # noqa: E402
from segstudio.learn.weights import load_imagenet  # noqa: E402
from segstudio.metrics import confusion  # noqa: E402

BATCH = 8
RATE = {"encoder": 3e-4, "decoder": 1e-3}
WEIGHT_DECAY = 1e-2
WARM_UP = 0.03  # share of the time
EMA = 0.995
CLIP = 5.0
FOREGROUND_WEIGHT = 0.7  # beside a set's own loss; made pictures have this one alone
CHECKPOINT_S = 180.0


@dataclass(slots=True)
class Progress:
    """What a checkpoint holds beside weights: the next step, the seconds used, the losses of late."""

    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)


def slices_of(sets: list[TrainingSet]) -> list[tuple[int, int]]:
    """Channels [from, to) of each set; the foreground slice of two comes last."""
    ends = np.cumsum([len(s.classes) for s in sets] + [2]).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


def rate_at(progress: float) -> float:
    """Factor on the rates after `progress` (0-1) of the time: linear warm-up, then a cosine to 1 %."""
    if progress < WARM_UP:
        return max(progress, 1e-3) / WARM_UP
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - WARM_UP) / (1 - WARM_UP))))


def region_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Cross-entropy plus soft Dice over the known pixels of (n, C, H, W) logits; unknown ones have weight exactly zero.

    Both sums run over known pixels only, and Dice (Milletari et al. 2016) is the mean over the classes the truth has.
    """
    known = truth != UNKNOWN
    count = known.sum()
    if not count:
        return logits.sum() * 0.0
    flat = logits.float().permute(0, 2, 3, 1)[known]
    wanted = truth[known]
    entropy = nn.functional.cross_entropy(flat, wanted)
    shares, ones = flat.softmax(1), nn.functional.one_hot(wanted, flat.shape[1]).float()
    sizes = ones.sum(0)
    dice = (2 * (shares * ones).sum(0) + 1.0) / (shares.sum(0) + sizes + 1.0)
    return entropy + 1.0 - dice[sizes > 0].mean()


def batch_loss(logits: torch.Tensor, batch: patches.Batch, slices: list[tuple[int, int]]) -> torch.Tensor:
    """Mean over the patches of their sets' losses, plus the foreground loss of those that know it."""
    total = logits.new_zeros(())
    for number in sorted(set(batch.sets) - {patches.SYNTHETIC}):
        mine = [i for i, s in enumerate(batch.sets) if s == number]
        start, stop = slices[number]
        total = total + len(mine) * region_loss(logits[mine, start:stop], batch.classes[mine])
    start, stop = slices[-1]
    return total / len(batch.sets) + FOREGROUND_WEIGHT * region_loss(logits[:, start:stop], batch.foreground)


def optimiser_of(net: nn.Module) -> torch.optim.AdamW:
    """AdamW with a lower rate for the encoder and no decay on norms and biases."""
    groups = []
    for part in ("encoder", "decoder"):
        for decays in (True, False):
            chosen = [
                p
                for name, p in net.named_parameters()
                if name.startswith("encoder.") == (part == "encoder") and (p.ndim > 1) == decays
            ]
            groups.append(
                {
                    "params": chosen,
                    "lr": RATE[part],
                    "weight_decay": WEIGHT_DECAY if decays else 0.0,
                    "rate": RATE[part],
                }
            )
    return torch.optim.AdamW(groups)


class Run:
    """The network, its running mean, the optimiser, and where they are stored between steps."""

    def __init__(self, sets: list[TrainingSet], options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        self.sets, self.options, self.slices = sets, options, slices_of(sets)
        self.net = build(DEFAULT_NETWORK, classes=self.slices[-1][1])
        self.normalisation = load_imagenet(self.net)
        self.net = self.net.to(memory_format=torch.channels_last)
        self.optimiser = optimiser_of(self.net)
        self.ema = {key: value.detach().clone() for key, value in self.net.state_dict().items()}
        self.progress = Progress()
        self.mean = torch.tensor(self.normalisation.mean).view(1, 3, 1, 1)
        self.std = torch.tensor(self.normalisation.std).view(1, 3, 1, 1)

    def input_of(self, image: torch.Tensor) -> torch.Tensor:
        """Bytes (N, 3, H, W) to what the encoder was trained with."""
        return ((image.float() / self.normalisation.divide_by - self.mean) / self.std).contiguous(
            memory_format=torch.channels_last
        )

    def step(self) -> float:
        """One optimiser step; the loss."""
        place = self.progress
        factor = rate_at(place.seconds / (60.0 * self.options.minutes))
        for group in self.optimiser.param_groups:
            group["lr"] = group["rate"] * factor
        batch = patches.batch(self.sets, self.options.seed, place.step, BATCH)
        self.net.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.options.bfloat16):
            logits = self.net(self.input_of(batch.image))
        loss = batch_loss(logits, batch, self.slices)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
        self.optimiser.step()
        self._average(min(EMA, (1 + place.step) / (10 + place.step)))
        place.step += 1
        return float(loss.detach())

    def _average(self, keep: float) -> None:
        with torch.no_grad():
            for key, value in self.net.state_dict().items():
                if value.is_floating_point():
                    self.ema[key].lerp_(value, 1 - keep)
                else:
                    self.ema[key].copy_(value)

    def save(self, path: Path) -> None:
        """Write a checkpoint beside the old one, then put it in its place."""
        state = {"net": self.net.state_dict(), "ema": self.ema, "optimiser": self.optimiser.state_dict()}
        place = {"step": self.progress.step, "seconds": self.progress.seconds, "losses": self.progress.losses[-500:]}
        draft = path.with_suffix(".new")
        torch.save({**state, "progress": place}, draft)
        draft.replace(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint of this script."""
        state = torch.load(path, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.ema = state["ema"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.progress = Progress(**state["progress"])


def averaged(run: Run) -> nn.Module:
    """The network with the averaged weights, ready to predict."""
    net = build(DEFAULT_NETWORK, classes=run.slices[-1][1])
    net.load_state_dict(run.ema)
    return net.eval().to(memory_format=torch.channels_last)


def measure(run: Run, net: nn.Module) -> dict[str, dict[str, Any]]:
    """IoU of `net` on every held-out picture, counts pooled over a set's pictures."""
    figures = {}
    for origin, (start, stop) in zip(run.sets, run.slices, strict=False):
        counts, general = np.zeros((stop - start, stop - start + 1), np.int64), np.zeros((2, 3), np.int64)
        for picture in origin.held_out:
            logits = predict(run, net, picture.image)
            counts += confusion(picture.mask, logits[start:stop].argmax(0), stop - start)
            truth = patches.foreground_of(picture.mask, origin.recipe.foreground)
            general += confusion(truth, logits[run.slices[-1][0] :].argmax(0), 2)
        classes = dict(zip(origin.classes, iou_of(counts), strict=True))
        known = [value for value in classes.values() if value is not None]
        figures[origin.name] = {
            "images": len(origin.held_out),
            "iou": classes,
            "mean_iou": round(sum(known) / len(known), 4),
            "foreground_iou": iou_of(general)[1] if origin.recipe.foreground else None,
        }
    return figures


@torch.no_grad()
def predict(run: Run, net: nn.Module, image: np.ndarray) -> np.ndarray:
    """Logits (channels, H, W) of a whole picture, mirrored at the rim to a multiple of 32."""
    import cv2

    height, width = image.shape[:2]
    padded = cv2.copyMakeBorder(image, 0, -height % 32, 0, -width % 32, cv2.BORDER_REFLECT_101)
    logits = net(run.input_of(torch.from_numpy(padded.transpose(2, 0, 1)[None].copy())))
    return logits[0, :, :height, :width].numpy()


def iou_of(counts: np.ndarray) -> list[float | None]:
    """Intersection over union by class; None for a class that neither truth nor prediction has."""
    hits = np.diag(counts)
    union = counts[:, : len(hits)].sum(0) + counts.sum(1) - hits
    return [round(float(h / u), 4) if u else None for h, u in zip(hits, union, strict=True)]


def main() -> None:
    """Train for the time allowed, measure, export."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("SEGSTUDIO_DATA", ROOT.parent / "shared" / "data"))
    )
    parser.add_argument("--minutes", type=float, default=55.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / ".training-out")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--export-only", action="store_true", help="measure and export the last checkpoint")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    run = Run(load_all(options.data, options.seed), options)
    checkpoint = options.out / "checkpoint.pt"
    if options.resume or options.export_only:
        run.load(checkpoint)
    if not options.export_only:
        train(run, checkpoint)
    net = averaged(run)
    figures = measure(run, net)
    training = {
        "seed": options.seed,
        "steps": run.progress.step,
        "seconds": round(run.progress.seconds),
        "patches_a_step": BATCH,
        "patch": patches.SIDE,
        "rates": RATE,
        "weight_decay": WEIGHT_DECAY,
        "ema": EMA,
        "bfloat16": options.bfloat16,
        "threads": options.threads,
        "final_loss": round(sum(run.progress.losses[-200:]) / len(run.progress.losses[-200:]), 4),
    }
    write_base(net, run.sets, run.slices, run.normalisation, figures, training, ROOT / "resources" / "models")
    print(json.dumps(figures, indent=1))


def train(run: Run, checkpoint: Path) -> None:
    """Steps until the time is used up, with a line a minute and a checkpoint every few minutes."""
    place, budget = run.progress, 60.0 * run.options.minutes
    before = place.seconds
    start = saved = said = time.monotonic()
    while place.seconds < budget:
        place.losses.append(run.step())
        now = time.monotonic()
        place.seconds = before + now - start
        if now - said > 60 or place.step in (1, 5, 20):
            said = now
            late = place.losses[-50:]
            print(f"step {place.step} {place.seconds:.0f} s loss {sum(late) / len(late):.4f}", flush=True)
        if now - saved > CHECKPOINT_S:
            run.save(checkpoint)
            saved = time.monotonic()
    run.save(checkpoint)


if __name__ == "__main__":
    main()
