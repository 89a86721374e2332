"""What each part of the usual recipe brings: runs with and without it, on the same labels and in about the same time.

    python benchmarks/ablations.py DATA --out rows.jsonl [--sets NAME...] [--images 5] [--seeds 0 1 2] [--steps 174]
                                   [--recipes NAME...] [--one]
    python benchmarks/ablations.py --out rows.jsonl --table

DATA is the folder of the evaluation sets. For every set, seed and recipe some images are labelled from their masks
and split as the store splits; a run goes through the program's own plan, sampler, loop and trainer, in this process.
The steps are those of a minute of the decoder; a recipe whose steps cost more makes fewer. Mean IoU is measured on 8
images that no run has seen: as the version says it, averaged with the mirror image, the instant learner alone,
mirrored with 0.3 and with half of the instant learner, and with half or none as the held-out image decides. A row
that is there is not made again; `--one` ends after one, with code 3 if none was missing. `--table` prints means over
seeds, and the difference from the usual recipe on the same seeds.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import torch
from common import machine
from in_memory import InMemory, Picture, labelled, pictures_of
from numpy.typing import NDArray
from resumable import Row, add_row_options, added, keys_in, rows_in

from segstudio.learn import precision
from segstudio.learn.data import PlaneEntry
from segstudio.learn.ensemble import SHARE, joined_tiles, partner_of
from segstudio.learn.facts import Facts, survey
from segstudio.learn.gate import HeldOut, held_out, tally
from segstudio.learn.instant import fit_instant
from segstudio.learn.loop import train
from segstudio.learn.model import Model
from segstudio.learn.networks import DEFAULT_NETWORK
from segstudio.learn.plan import Machine, make_plan, patch_px_of
from segstudio.learn.predict import predict_tiles
from segstudio.learn.sampling import Sampler
from segstudio.learn.split import MARGIN_PX
from segstudio.learn.trainer import Trainer
from segstudio.learn.versions import starting_network, trained_model, version_card
from segstudio.learn.weights import embedded_card, normalisation_of
from segstudio.metrics import confusion, metrics
from segstudio.runs import EMBEDDED, Choices

USUAL = "usual"
_KEY = ("set", "images", "steps", "seed", "recipe")
_SHARES = {"with_30": 0.3, "with_50": 0.5}
_FIGURES = ("iou", "mirrored", "instant", *_SHARES)
_CHOSEN = "chosen"
_COLUMNS = (
    *("set", "recipe", "seeds", "seconds", "mean IoU", "mirrored", "points from usual"),
    *("instant", "with 0.3 of it", "with 0.5", "as decided"),
)
_TEST_IMAGES = 8
_CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Changed:
    """What a recipe has instead of the usual, and the share of the steps that it makes in the same time."""

    fields: Mapping[str, object] = field(default_factory=dict)
    steps: float = 1.0


RECIPES: Mapping[str, Changed] = {
    USUAL: Changed(),
    "late stages in the last quarter": Changed({"encoder_opens": 0.75, "late_stages": True}, 0.82),
    "whole network": Changed(
        {"encoder_opens": 0.0, "encoder_factor": 1.0, "frozen_statistics": False, "pool_patches": 0}, 0.39
    ),
    "encoder stays": Changed({"encoder_opens": 1.0}),
    "whole network after the decoder": Changed({"encoder_opens": 0.45}, 0.53),
    "every step draws its own patches": Changed({"pool_patches": 0}, 0.6),
    "heads not fitted": Changed({"fits_head": False}),
    "rate 1e-3": Changed({"rate": 1e-3}),
}


def version(data: InMemory, steps: int, seed: int, changed: Changed, *, half: bool) -> tuple[Model, HeldOut]:
    """What a run makes of the labels, and the pixels that it is measured on."""
    facts = next(found for found in survey(data) if isinstance(found, Facts))
    mean, std = normalisation_of(embedded_card("base").normalisation)
    choices = Choices(max_steps=max(round(steps * changed.steps), 1), seed=seed)
    on = Machine("cpu", torch.get_num_threads(), half)
    plan = make_plan(facts, choices, on, base=EMBEDDED, mean=mean, std=std)
    recipe = msgspec.structs.replace(plan.recipe, **changed.fields)
    plan = msgspec.structs.replace(plan, recipe=recipe)
    trainer = Trainer(plan, starting_network(plan, data, data.classes(), grey=False), _CPU)
    for _event in train(trainer, Sampler(facts, plan, data).batch, lambda _net: iter(()), evaluation_px=0):
        pass
    half = precision.predicting(_CPU, DEFAULT_NETWORK).bfloat16
    model = trained_model("", trainer.averaged, version_card(trainer.plan), _CPU, bfloat16=half)
    return model, held_out(facts, plan)


def instant(data: InMemory) -> Model:
    """The instant learner on the same labels."""
    half = precision.predicting(_CPU, DEFAULT_NETWORK).bfloat16
    return [m for m in fit_instant(data, data.classes(), (), MARGIN_PX, _CPU, bfloat16=half) if m is not None][-1]


def better_together(deep: Model, quick: Model, data: InMemory, target: HeldOut) -> bool:
    """Whether a version is no worse with the instant learner, on the held-out pixels: the program's own rule."""
    deep.partner = partner_of(lambda: quick, quick.outputs, deep.outputs, data.counts_as(), SHARE)
    alone, both = (list(tally(deep, data, target, made))[-1] for made in (predict_tiles, joined_tiles))
    return alone is not None and both is not None and both.figures.mean_iou >= alone.figures.mean_iou


def probabilities(model: Model, data: InMemory, entry: PlaneEntry, *, mirrored: bool) -> NDArray[np.float32]:
    """Of every class (n, h, w) at the pixels of a picture."""
    out = np.zeros((len(data.names), entry.height, entry.width), np.float32)
    for tile in predict_tiles(model, data, entry, mirrored=mirrored):
        if tile is not None:
            r = tile.rect
            for class_, values in zip(model.outputs, tile.values, strict=True):
                if class_:
                    out[class_ - 1, r.y : r.bottom, r.x : r.right] = values
    return out


def measure(pictures: Sequence[Picture], names: Sequence[str], images: int, steps: int, seed: int, recipe: str) -> Row:
    """One row's figures."""
    order = np.random.default_rng(seed).permutation(len(pictures))[: images + _TEST_IMAGES]
    data = labelled([pictures[i] for i in order], names, images)
    half = precision.training(_CPU, DEFAULT_NETWORK, patch_px_of(DEFAULT_NETWORK), pools=True).bfloat16
    begun = time.process_time()
    deep, target = version(data, steps, seed, RECIPES[recipe], half=half)
    took = time.process_time() - begun
    quick = instant(data)
    total = {name: np.zeros((len(names), len(names) + 1), np.int64) for name in _FIGURES}
    for entry in data.planes()[images:]:
        twice, one = (probabilities(deep, data, entry, mirrored=m) for m in (True, False))
        other = probabilities(quick, data, entry, mirrored=False)
        mixed = [(1 - share) * twice + share * other for share in _SHARES.values()]
        for name, values in zip(_FIGURES, (one, twice, other, *mixed), strict=True):
            total[name] += confusion(data.pictures[entry.image].truth, values.argmax(0), len(names))
    found: Row = {name: round(metrics(counts, list(names)).mean.iou, 4) for name, counts in total.items()}
    found[_CHOSEN] = found["with_50" if better_together(deep, quick, data, target) else "mirrored"]
    return found | {"cpu_s": round(took, 1)}


def table(path: Path) -> str:
    """Means over seeds by set and recipe, spread in brackets, and the mean difference from the usual one in points."""
    rows = list(rows_in(path))
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + "---|" * len(_COLUMNS)]
    for name in sorted({str(row["set"]) for row in rows}):
        usual = {row["seed"]: row for row in rows if row["set"] == name and row["recipe"] == USUAL}
        for recipe in RECIPES:
            here = [row for row in rows if row["set"] == name and row["recipe"] == recipe]
            if not here:
                continue
            pairs = [(row, usual[row["seed"]]) for row in here if row["seed"] in usual]
            better = [100 * (float(str(a["mirrored"])) - float(str(b["mirrored"]))) for a, b in pairs]
            points = f"{np.mean(better):+.1f}" if better and recipe != USUAL else "-"
            figures = {key: np.array([float(str(row.get(key, "nan"))) for row in here]) for key in (*_FIGURES, "cpu_s")}
            said = {key: f"{values.mean():.3f} ({values.std():.3f})" for key, values in figures.items()}
            cells = [name, recipe, str(len(here)), f"{figures['cpu_s'].mean():.0f}", said["iou"], said["mirrored"]]
            chosen = np.mean([float(str(row.get(_CHOSEN, "nan"))) for row in here])
            more = (points, said["instant"], said["with_30"], said["with_50"], f"{chosen:.3f}")
            lines.append("| " + " | ".join((*cells, *more)) + " |")
    return "\n".join(lines)


def missing(options: argparse.Namespace) -> Iterator[tuple[object, ...]]:
    """The keys of rows that are wanted and not there, seed by seed."""
    there = keys_in(options.out, _KEY)
    sets = options.sets or sorted(p.name for p in options.data.iterdir() if p.is_dir())
    for seed in options.seeds:
        for name in sets:
            for recipe in options.recipes:
                key = (name, options.images, options.steps, seed, recipe)
                if key not in there:
                    yield key


def main() -> int:
    """Measure and write, or print the table; 3 where `--one` found nothing to do."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path, nargs="?", help="folder of the evaluation sets")
    parser.add_argument("--sets", nargs="*", help="default: all")
    parser.add_argument("--images", type=int, default=5, help="labelled (default: 5)")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2], help="default: 0 1 2")
    parser.add_argument("--steps", type=int, default=174, help="of the usual recipe (default: 174)")
    parser.add_argument("--recipes", nargs="*", default=list(RECIPES), choices=list(RECIPES), help="default: all")
    add_row_options(parser, table="print the table of the rows, and end")
    options = parser.parse_args()
    if options.table:
        print(table(options.out))
        return 0
    if options.data is None:
        parser.error("DATA is needed to measure")
    torch.set_num_threads(options.threads)
    made = 0
    for key in missing(options):
        name, images, steps, seed, recipe = key
        pictures, names = pictures_of(options.data / str(name))
        found = measure(pictures, names, int(str(images)), int(str(steps)), int(str(seed)), str(recipe))
        row: Row = {"benchmark": "ablations", **dict(zip(_KEY, key, strict=True)), **found, **machine()}
        added(options.out, row)
        print(json.dumps(row), flush=True)
        made += 1
        if options.one:
            break
    return 3 if options.one and not made else 0


if __name__ == "__main__":
    sys.exit(main())
