"""The gate on real fine-tunes: how often it promotes what it should not, and what it should.

    python benchmarks/gate.py DATA --out rows.jsonl [--set crop_weed] [--tries 40] [--images 5] [--steps 20] [--one]
    python benchmarks/gate.py --out rows.jsonl --table

DATA is the folder of the evaluation sets. For every try some images are labelled from their masks, split as the store
splits, and a parent learns from them in a few steps from the embedded base, through the program's own plan, sampler,
trainer and measurement. Against it stand

- `same`: the same labels and the same base with another seed. It is no better but for luck: at most 10 % promoted.
- `shuffled`: its training images have each other's labels. At most 5 %.
- `double`: twice the images; as in the program the run continues from the parent. At least 80 %.

A row holds the counts of every block, and `--table` lets the gate judge them: another rule needs no new fine-tunes. A
row is one try; one that is there is not made again, and `--one` ends after one, with code 3 if none was missing:

    while python benchmarks/gate.py DATA --out rows.jsonl --one; do :; done
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import torch
from common import machine
from in_memory import InMemory, Picture, labelled, pictures_of
from numpy.typing import NDArray
from resumable import Row, add_row_options, added, keys_in, rows_in

from segstudio.labels.model import Origin
from segstudio.learn import precision
from segstudio.learn.data import Part
from segstudio.learn.facts import Facts, survey
from segstudio.learn.gate import Tally, decide, held_out, tally
from segstudio.learn.loop import train
from segstudio.learn.networks import DEFAULT_NETWORK
from segstudio.learn.plan import Machine, make_plan
from segstudio.learn.predict import Model
from segstudio.learn.sampling import Sampler
from segstudio.learn.trainer import Trainer
from segstudio.learn.versions import encode_weights, starting_network, trained_model, version_card
from segstudio.learn.weights import embedded_card, normalisation_of
from segstudio.metrics import metrics
from segstudio.runs import EMBEDDED, Choices, Figures, Plan

GOALS: Mapping[str, Callable[[float], bool]] = {
    "same": lambda share: share <= 0.10,
    "shuffled": lambda share: share <= 0.05,
    "double": lambda share: share >= 0.80,
}
_KEY = ("set", "images", "steps", "try")
_CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True, eq=False)
class _Learned:
    """What came of a run: its plan, the facts it rests on, and the model."""

    plan: Plan
    facts: Facts
    model: Model
    weights: bytes


def shuffled(data: InMemory) -> InMemory:
    """The data with the labels of each training image exchanged for those of the next one."""
    out = data.view()
    training = [e.image for e in data.planes() if e.part is Part.TRAIN and data.learnable(e.image)]
    for image, other in zip(training, training[1:] + training[:1], strict=True):
        shape, truth = data.pictures[image].truth.shape, data.pictures[other].truth
        rows, columns = (np.arange(n) % m for n, m in zip(shape, truth.shape, strict=True))
        values = np.maximum(truth[rows[:, None], columns], 0)
        out.label(image, np.ones(shape, np.bool_), values, Origin.IMPORTED)
    return out


def learned(data: InMemory, steps: int, seed: int, *, base: str, bfloat16: bool) -> _Learned:
    """A run of some steps, as the engine makes one."""
    facts = next(found for found in survey(data) if isinstance(found, Facts))
    mean, std = normalisation_of(embedded_card("base").normalisation)
    on = Machine("cpu", torch.get_num_threads(), bfloat16)
    choices = Choices(max_steps=steps, seed=seed)
    pitch = None if base == EMBEDDED else int(str(data.card(base)["pitch"]))
    plan = make_plan(facts, choices, on, base=base, mean=mean, std=std, pitch=pitch)
    trainer = Trainer(plan, starting_network(plan, data, data.classes(), grey=False), _CPU)
    for _event in train(trainer, Sampler(facts, plan, data).batch, lambda _net: iter(()), evaluation_px=0):
        pass
    card = version_card(trainer.plan)
    model = trained_model("", trainer.averaged, card, _CPU, bfloat16=card.precision == "bfloat16")
    return _Learned(trainer.plan, facts, model, encode_weights(trainer.averaged, {}))


def kept_as(version: str, run: _Learned, data: InMemory) -> InMemory:
    """The data with a version made of a run."""
    out = data.view()
    facts: dict[str, object] = {"train_groups": run.plan.groups("train"), "learned": [], "steps": run.plan.steps}
    out.versions[version] = (run.weights, msgspec.to_builtins(version_card(run.plan)) | facts)
    return out


def compared(data: InMemory, parent: _Learned, child: _Learned) -> Row:
    """The counts of parent and child on the held-out pixels of the child's plan."""
    target = held_out(child.facts, child.plan)
    return {
        side: packed(next((t for t in tally(run.model, data, target) if t is not None), None))
        for side, run in (("parent", parent), ("child", child))
    }


def measure(pictures: Sequence[Picture], names: Sequence[str], images: int, steps: int, number: int) -> Row:
    """One try: the parent, and each of those that want its place."""
    order = np.random.default_rng(number).permutation(len(pictures))[: 2 * images]
    chosen = [pictures[i] for i in order]
    run = partial(learned, steps=steps, bfloat16=precision.training(_CPU, DEFAULT_NETWORK, 256, pools=True).bfloat16)
    few, many = labelled(chosen, names, images), labelled(chosen, names, 2 * images)
    seed = 2 * number
    parent = run(few, seed=seed, base=EMBEDDED)
    same = run(few, seed=seed + 1, base=EMBEDDED)
    wrong = run(shuffled(few), seed=seed + 1, base=EMBEDDED)
    more = run(kept_as("v1", parent, many), seed=seed + 1, base="v1")
    return {
        "same": compared(few, parent, same) | {"tries": 1},
        "shuffled": compared(few, parent, wrong) | {"tries": 0},
        "double": compared(many, parent, more) | {"tries": 0},
    }


def packed(found: Tally | None) -> Row | None:
    """A tally as JSON holds it."""
    if found is None:
        return None
    groups = {name: counts.tolist() for name, counts in found.groups.items()}
    return {"groups": groups, "blocks": [[*key, counts.tolist()] for key, counts in found.blocks.items()]}


def unpacked(row: Mapping[str, object] | None) -> Tally | None:
    """A tally from a row, with as much of its figures as the gate asks for."""
    if row is None:
        return None
    groups: dict[str, NDArray[np.int64]] = {k: np.array(v) for k, v in row["groups"].items()}  # type: ignore[attr-defined]
    blocks = {tuple(key): np.array(counts) for *key, counts in row["blocks"]}  # type: ignore[attr-defined]
    total = np.sum(list(blocks.values()), 0)
    found = metrics(total, [str(i) for i in range(len(total))])
    return Tally(Figures(loss=0.0, mean_iou=found.mean.iou, iou={}), groups, blocks)


def table(path: Path) -> str:
    """How often each kind was promoted, by set: what the gate says today of the counts in the rows."""
    lines = ["| set | kind | tries | promoted | goal | met | points better, mean (spread) |", "|" + "---|" * 7]
    every = list(rows_in(path))
    for name in sorted({str(row["set"]) for row in every}):
        rows = [row for row in every if row["set"] == name]
        for kind, meets in GOALS.items():
            sides = [(unpacked(r[kind]["parent"]), unpacked(r[kind]["child"]), r[kind]["tries"]) for r in rows]  # type: ignore[index]
            promoted = sum(decide(parent, child, tries).promoted for parent, child, tries in sides)
            gains = [100 * (c.figures.mean_iou - p.figures.mean_iou) for p, c, _ in sides if p and c]
            share, goal = promoted / len(rows), {"same": "<= 10 %", "shuffled": "<= 5 %", "double": ">= 80 %"}[kind]
            met = "yes" if meets(share) else "no"
            better = f"{np.mean(gains):+.1f} ({np.std(gains):.1f})" if gains else "-"
            lines.append(f"| {name} | {kind} | {len(rows)} | {share:.0%} | {goal} | {met} | {better} |")
    return "\n".join(lines)


def main() -> int:
    """Measure and write, or print the table; 3 where `--one` found nothing to do."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path, nargs="?", help="folder of the evaluation sets")
    parser.add_argument("--set", default="crop_weed", help="default: crop_weed")
    parser.add_argument("--tries", type=int, default=40, help="default: 40")
    parser.add_argument("--images", type=int, default=5, help="labelled for the parent (default: 5)")
    parser.add_argument("--steps", type=int, default=20, help="of each run (default: 20)")
    add_row_options(parser, table="print what the gate says of the rows, and end")
    options = parser.parse_args()
    if options.table:
        print(table(options.out))
        return 0
    if options.data is None:
        parser.error("DATA is needed to measure")
    torch.set_num_threads(options.threads)
    pictures, names = pictures_of(options.data / options.set)
    made = 0
    for number in range(options.tries):
        key = (options.set, options.images, options.steps, number)
        if key in keys_in(options.out, _KEY):
            continue
        begun, cpu = time.monotonic(), time.process_time()
        found = measure(pictures, names, options.images, options.steps, number)
        took = {"wall_s": round(time.monotonic() - begun, 1), "cpu_s": round(time.process_time() - cpu, 1)}
        row: Row = {"benchmark": "gate", **dict(zip(_KEY, key, strict=True)), **found, **took, **machine()}
        added(options.out, row)
        ious = {kind: [_iou(row[kind], side) for side in ("parent", "child")] for kind in GOALS}
        print(json.dumps({"try": number, **ious, **took}), flush=True)
        made += 1
        if options.one:
            break
    return 3 if options.one and not made else 0


def _iou(sides: object, side: str) -> float | None:
    found = unpacked(sides[side])  # type: ignore[index]
    return None if found is None else round(found.figures.mean_iou, 4)


if __name__ == "__main__":
    sys.exit(main())
