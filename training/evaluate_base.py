"""Measure the base on every held-out picture, and export a checkpoint's average with its card.

    python training/evaluate_base.py --pack PACK                                   # the embedded base
    python training/evaluate_base.py --pack PACK --checkpoint OUT/checkpoint.pt    # the average of a leg
    python training/evaluate_base.py ... --export resources/models                 # write base.safetensors, base.json

IoU with counts pooled over a set's held-out pictures, whole pictures at scale 1; a mean is over the classes that the
held-out pictures show. Prints the rows of docs/model-card.md. A checkpoint is measured with the norms' statistics
taken anew over `--statistics` batches of training patches, and so exported.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: waiting threads must not spin on shared cores

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from course import Course, Plan, read_checkpoint  # noqa: E402
from export import embedded_legs, leg_of, write_base  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from pack import Pack, TrainingSet, open_pack  # noqa: E402
from patches import batch  # noqa: E402
from sets import FIRST, RECIPES, foreground_of  # noqa: E402
from torch import nn  # noqa: E402

from segstudio.learn.device import resolve  # noqa: E402
from segstudio.learn.heads import FOREGROUND  # noqa: E402
from segstudio.learn.networks import head_conv  # noqa: E402
from segstudio.learn.weights import embedded_card, load_base  # noqa: E402
from segstudio.metrics import confusion  # noqa: E402

STATISTICS_SEED = 1_000_003  # patches of their own, the same for every leg


def measure_statistics(course: Course, pack: Pack, batches: int) -> None:
    """Set the running statistics that do not stay to their mean over `batches` batches; 0 leaves them."""
    if not batches:
        return
    course.learning_mode()
    norms = [m for m in course.net.modules() if isinstance(m, nn.BatchNorm2d) and m.training]
    kept = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
    with torch.no_grad():
        for step in range(batches):
            course.features(batch(pack, STATISTICS_SEED, step, course.plan.pairs, course.plan.side).image)
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum


@torch.no_grad()
def measure(course: Course, pack: Pack, names: list[str]) -> dict[str, dict[str, Any]]:
    """Figures by set: pictures, IoU by class (None: no held-out pixel), their mean, IoU of the foreground's objects."""
    course.net.eval()
    figures = {}
    for s, channels in zip(pack.sets, course.slices, strict=False):
        if names and s.name not in names:
            continue
        counts = np.zeros((len(s.classes), len(s.classes) + 1), np.int64)
        general = np.zeros((2, 3), np.int64)
        for picture in s.held_out:
            mask = np.array(pack.mask(picture))
            found, objects = predicted(course, pack.image(picture), channels)
            counts += confusion(mask, found, len(s.classes))
            general += confusion(foreground_of(mask, s.recipe), objects, 2)
        classes = dict(zip(s.classes, iou_of(counts), strict=True))
        known = [value for value in classes.values() if value is not None]
        figures[s.name] = {
            "images": len(s.held_out),
            "iou": classes,
            "mean_iou": round(sum(known) / len(known), 4),
            "foreground_iou": iou_of(general)[1] if s.recipe.objects and s.recipe.ground else None,
        }
    return figures


def predicted(
    course: Course, image: NDArray[np.uint8], channels: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Classes by the channels of a set and objects by the foreground's, each (H, W); mirrored at the rim to a multiple
    of 32.
    """
    import cv2

    height, width = image.shape[:2]
    whole = cv2.copyMakeBorder(np.array(image), 0, -height % 32, 0, -width % 32, cv2.BORDER_REFLECT_101)
    whole = np.broadcast_to(whole.reshape(*whole.shape[:2], -1), (*whole.shape[:2], 3))
    features = course.features(torch.from_numpy(whole.transpose(2, 0, 1)[None].copy()))
    logits = head_conv(course.net)(features)[0, :, :height, :width]
    parts = (logits[slice(*c)].argmax(0).cpu().numpy() for c in (channels, course.slices[-1]))
    found, objects = parts
    return found, objects


def iou_of(counts: NDArray[np.int64]) -> list[float | None]:
    """Intersection over union by class; None for a class that the truth does not have."""
    hits = np.diag(counts)
    truth = counts.sum(1)
    union = counts[:, : len(hits)].sum(0) + truth - hits
    return [round(float(h / u), 4) if t else None for h, u, t in zip(hits, union, truth, strict=True)]


def embedded(pack: Pack, device: torch.device) -> tuple[Course, Pack]:
    """The embedded base as something to measure, and the pack with the sets that it has a head for."""
    card = embedded_card("base")
    heads = {head.set: head.channels for head in card.heads}
    known = tuple(s for s in pack.sets if s.name in heads)
    left = tuple(s.name for s in pack.sets if s.name not in heads)
    smaller = Pack(pack.folder, pack.digest, known, left, pack.pixels)
    course = Course(Plan(freeze=0), smaller, device)
    course.net = load_base().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    course.slices = [heads[name] for name in (*(s.name for s in known), FOREGROUND)]
    return course, smaller


def averaged(checkpoint: Path, pack: Pack, device: torch.device) -> tuple[Course, dict[str, Any]]:
    """The leg in `checkpoint` with its average in the place of its weights, in single precision, and its state."""
    plan, state = read_checkpoint(checkpoint)
    course = Course(plan, pack, device)
    course.net.load_state_dict(state["ema"])
    course.plan = msgspec.structs.replace(plan, bfloat16=False)
    return course, state


def table(sets: tuple[TrainingSet, ...], figures: dict[str, dict[str, Any]]) -> str:
    """The rows of docs/model-card.md, and the means."""
    rows = []
    for s in sets:
        if s.name in figures:
            found = figures[s.name]
            by_class = ", ".join(f"{key} {_figure(value)}" for key, value in found["iou"].items())
            counts = f"{len(s.train)} + {len(s.held_out)}"
            general = _figure(found["foreground_iou"])
            name = f"{s.name} | {s.licence.partition(' (')[0]}"
            rows.append(f"| {name} | {counts} | {found['mean_iou']:.2f} | {by_class} | {general} |")
    first = [figures[r.folder]["mean_iou"] for r in RECIPES[:FIRST] if r.folder in figures]
    every = [found["mean_iou"] for found in figures.values()]
    rows.append(f"\nMean of {len(every)} sets {sum(every) / len(every):.3f}")
    if first:
        rows[-1] += f"; of the {len(first)} first {sum(first) / len(first):.3f}"
    return "\n".join(rows)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def main() -> None:
    """Measure, print, and export where asked."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--pack", type=Path, default=ROOT / ".training-out" / "pack")
    parser.add_argument("--checkpoint", type=Path, help="of a leg; without it the embedded base is measured")
    parser.add_argument("--set", action="append", default=[], metavar="SET", help="only this set")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--statistics", type=int, default=100, help="batches; 0 keeps the average's own")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="write base.safetensors and base.json")
    options = parser.parse_args()
    if options.export and (not options.checkpoint or options.set):
        parser.error("--export needs --checkpoint, and all sets")
    torch.set_num_threads(options.threads)
    device = resolve(options.device)
    state: dict[str, Any] = {}
    if options.checkpoint:
        plan, _ = read_checkpoint(options.checkpoint)
        pack = open_pack(options.pack, plan.leave)
        course, state = averaged(options.checkpoint, pack, device)
        measure_statistics(course, pack, options.statistics)
    else:
        course, pack = embedded(open_pack(options.pack), device)
    figures = measure(course, pack, options.set)
    print(table(pack.sets, figures), flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if options.export:
        plan, _ = read_checkpoint(options.checkpoint)
        earlier = embedded_legs()[: plan.leg - 1]  # a leg may be exported again when it has gone on
        legs = [*earlier, leg_of(plan, state, options.statistics)]
        options.export.mkdir(parents=True, exist_ok=True)
        net = course.net.to("cpu")
        write_base(net, pack.sets, course.slices, course.normalisation, figures, legs, options.export)
        print(f"exported to {options.export}")


if __name__ == "__main__":
    main()
