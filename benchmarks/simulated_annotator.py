"""How soon the proposals are good, for a simulated person who corrects them while the program learns.

    python benchmarks/simulated_annotator.py DATA [--train TRAIN] --out rows.jsonl [--sets NAME...] [--seeds 0]
        [--contenders product background masked] [--minutes 30] [--rates FILE] [--one]
    python benchmarks/simulated_annotator.py --out rows.jsonl --table

The person opens one picture after another, corrects the proposal (the largest wrong region first, with a brush whose
width fits it), accepts the rest and marks the picture done. Painting 400 px/s, going to the next place 800 px/s,
finding it 0.2 s, opening a picture 1 s. Meanwhile the machine learns, on the same clock (`annotator/clock.py`): its
speed is that of a free machine, in a file or below, so that no time of this machine is in a result. Measured are the
minutes until the proposals on 16 pictures that the person never sees reach a mean IoU of 0.80 and of 0.90, over the
confusion of all of them; 30 where they do not.

- `product`: guess, instant learner, runs of a minute and the gate, through the engine's own jobs.
- `background`: RootPainter's way: the same network from random weights, its loss, trained all the time on finished
  pictures, in which everything unpainted is background.
- `masked`: the same, but what nobody painted teaches nothing. The stronger of the two is what the program has to beat.

Sets: those of DATA named, and `nuclei_tissue`: the groups of TRAIN/nuclei_tissue that the base was not trained on,
whose eight pictures are cut into quarters, so that four of them make the sixteen. A row is a set, contender and seed.
One that is there is not made again, and one that was broken off goes on from the last finished picture (a file beside
the rows, which only this program should be given to read). `--one` ends after one row, with code 3 if none was missing.
"""

import argparse
import json
import pickle
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import torch
from annotator.clock import Find, Paint, Timeline, Travel, Wait
from annotator.hand import Region, strokes_of, wrong_regions
from annotator.learners import Contender, Product, Rates, RootPainter
from common import machine
from in_memory import InMemory, Picture, pictures_of, split_by_group
from numpy.typing import NDArray
from resumable import Row, add_row_options, added, keys_in, rows_in

from segstudio.labels.model import Origin
from segstudio.learn import precision
from segstudio.learn.networks import DEFAULT_NETWORK
from segstudio.metrics import confusion, metrics

SETS = ("retina_vessels", "pitting_steel", "nuclei_tissue")
CONTENDERS = ("product", "background", "masked")
GOALS = (0.80, 0.90)
FIXED = 16
RATES = Rates(
    run_steps_s=100 / 60,
    whole_steps_s=45 / 60,
    instant_s=1.5,
    proposal_s=0.5,
    around_run_s=6.0,
    measured="from steps of two threads: the decoder 0.27-0.35 s, late stages four times that, the whole network 1.3 s",
)
_OPEN_S = 1.0
_SMALLEST_PX = 16
_MEASURE_EVERY_S = 15.0
_KEY = ("set", "contender", "seed", "minutes")


@dataclass(slots=True)
class World:
    """A person at work on the pictures before `fixed` of a set."""

    data: InMemory
    clock: Timeline
    rates: Rates
    who: Contender
    fixed: int
    until_s: float
    at: int = 0
    place: tuple[float, float] = (0.0, 0.0)
    curve: list[tuple[float, float]] = field(default_factory=list)
    painted_px: float = 0.0
    looked_s: float = -_MEASURE_EVERY_S

    @property
    def is_over(self) -> bool:
        """Whether the time is up, or the last goal reached."""
        return self.clock.now >= self.until_s or any(iou >= max(GOALS) for _at, iou in self.curve)

    def pictures(self) -> Iterator[int]:
        """Work until the time is over; yields after every picture, and then while the person only waits."""
        while not self.is_over and self.at < self.fixed:
            self._correct(self.at)
            self.at += 1
            yield self.at
        while not self.is_over:
            self.clock.does(Wait(min(_MEASURE_EVERY_S, self.until_s - self.clock.now)))
            if self.who.advance():
                self._measure()
            yield self.at

    def _correct(self, image: int) -> None:
        truth = self.data.pictures[image].truth
        shown = self._opened(image)
        self._measure_if_due()
        wrong = self._wrong(image, shown, truth)
        while wrong:
            self._paint(image, wrong.pop())
            if self.is_over:
                return
            if self.who.advance():
                self._measure()
                shown = self.who.proposal(image)
                wrong = self._wrong(image, shown, truth)
        self.clock.does(Find())  # the key that accepts the rest
        self.who.finished(image, shown)
        self.who.advance()

    def _opened(self, image: int) -> NDArray[np.int64]:
        """Look at the next picture, and wait for its proposal."""
        self.clock.does(Wait(_OPEN_S + self.rates.proposal_s))
        if isinstance(self.who, Product) and self.who.instant:
            self.clock.does(Wait(self.rates.instant_s))
        self.who.advance()
        return self.who.proposal(image)

    def _wrong(self, image: int, shown: NDArray[np.int64], truth: NDArray[np.int64]) -> list[Region]:
        """What is wrong of a proposal and not painted over, the largest last."""
        labels, origins = self.data.labels(image, 0, self.data.planes()[image].bounds)
        seen = np.where(origins == Origin.PAINTED, labels.astype(np.int64) - 1, shown)
        return wrong_regions(seen, truth, _SMALLEST_PX)[::-1]

    def _paint(self, image: int, region: Region) -> None:
        self.clock.does(Find())
        for stroke in strokes_of(region):
            self.clock.does(Travel(float(np.hypot(*np.subtract(stroke.start, self.place)))))
            self.clock.does(Paint(stroke.px))
            self.place = stroke.end
            self.painted_px += stroke.px
        where = np.zeros(self.data.pictures[image].truth.shape, np.bool_)
        height, width = region.inside.shape
        where[region.y : region.y + height, region.x : region.x + width] = region.inside
        self.data.label(image, where, np.full(where.shape, region.truth), Origin.PAINTED)

    def _measure_if_due(self) -> None:
        if self.clock.now - self.looked_s >= _MEASURE_EVERY_S:
            self._measure()

    def _measure(self) -> None:
        """The mean IoU of what is proposed now for the fixed pictures."""
        if self.clock.now - self.looked_s < _MEASURE_EVERY_S and not isinstance(self.who, Product):
            return  # other weights after every step: not each of them is looked at
        names = list(self.data.names)
        total = np.zeros((len(names), len(names) + 1), np.int64)
        for image in range(self.fixed, len(self.data.pictures)):
            total += confusion(self.data.pictures[image].truth, self.who.proposal(image), len(names))
        self.looked_s = self.clock.now
        self.curve.append((round(self.clock.now, 1), round(metrics(total, names).mean.iou, 4)))


def minutes_to(curve: Sequence[tuple[float, float]], goal: float, most: float) -> float:
    """Virtual minutes until a goal is reached, `most` where it is not."""
    return round(next((at / 60 for at, iou in curve if iou >= goal), most), 2)


def pictures_for(options: argparse.Namespace, name: str, seed: int) -> tuple[list[Picture], int, list[str]]:
    """The pictures that the person works on, in order, then the fixed ones; how many the former are; the classes."""
    if name == "nuclei_tissue":
        pictures, names = pictures_of(options.train / name, untrained(options.train, name))
        pictures = [quarter for picture in pictures for quarter in picture.quarters()]
    else:
        pictures, names = pictures_of(options.data / name)
    rng = np.random.default_rng(seed)
    fixed, others = split_by_group(pictures, FIXED, rng)
    order = rng.permutation(len(others))
    return [*(others[i] for i in order), *fixed], len(others), names


def untrained(train: Path, name: str) -> frozenset[str]:
    """Stems of a training set that the embedded base has not seen, by the split of `training/sets.py`."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "training"))
    from sets import RECIPES, facts_of  # type: ignore[import-not-found]

    recipe = next(recipe for recipe in RECIPES if recipe.folder == name)
    return facts_of(train / name, recipe).held_out


def contender(name: str, data: InMemory, clock: Timeline, rates: Rates, seed: int) -> Contender:
    """One of `CONTENDERS`."""
    if name == "product":
        return Product(data, clock, rates, seed)
    half = precision.training(torch.device("cpu"), DEFAULT_NETWORK, 256, pools=False).bfloat16
    return RootPainter(data, clock, rates, seed, unpainted=name == "background", bfloat16=half)


def world(options: argparse.Namespace, name: str, who: str, seed: int, rates: Rates) -> World:
    """A person before the first picture."""
    pictures, fixed, names = pictures_for(options, name, seed)
    data, clock = InMemory(pictures, names), Timeline()
    return World(data, clock, rates, contender(who, data, clock, rates, seed), fixed, 60 * options.minutes)


_OF_DATA = ("given", "parts", "facts", "versions", "held_blocks", "current", "promoted", "seq")
_OF_WORLD = ("at", "place", "curve", "painted_px", "looked_s")


def kept(there: World) -> bytes:
    """What is needed to go on after a picture."""
    parts = [
        {name: getattr(there.data, name) for name in _OF_DATA},
        {name: getattr(there, name) for name in _OF_WORLD},
        (there.clock.now, there.clock.free_at),
        there.who.state(),
    ]
    return pickle.dumps(parts)


def go_on(there: World, saved: bytes) -> None:
    """Bring a new world to where another one was."""
    data, own, times, who = pickle.loads(saved)
    for target, values in ((there.data, data), (there, own)):
        for name, value in values.items():
            setattr(target, name, value)
    there.who.restore(who)
    there.clock.now, there.clock.free_at = times


def simulated(there: World, file: Path | None) -> Row:
    """A whole row; what is done is written to a file after every picture, and taken from there."""
    if file is not None and file.exists():
        go_on(there, file.read_bytes())
    for _at in there.pictures():
        if file is not None:
            new = file.with_suffix(".new")
            new.write_bytes(kept(there))
            new.replace(file)
    minutes = there.until_s / 60
    row: Row = {f"minutes_to_{goal:.2f}": minutes_to(there.curve, goal, minutes) for goal in GOALS}
    finished = sum(labels.finished for labels in there.data.given.values())
    row |= {"finished": finished, "painted_px": round(there.painted_px), "curve": there.curve}
    row |= {"fixed": len(there.data.pictures) - there.fixed, "others": there.fixed}
    if isinstance(there.who, Product):
        row["runs"] = there.who.verdicts
    if isinstance(there.who, RootPainter):
        row["steps"] = there.who.step
    return row


def table(path: Path) -> str:
    """Minutes by set and contender, the mean over seeds, and the program's share of the better of the others."""
    rows = [row for row in rows_in(path) if row.get("benchmark") == "simulated_annotator"]
    there = [who for who in CONTENDERS if any(row["contender"] == who for row in rows)]
    lines = [f"| set | IoU | seeds | {' | '.join(there)} | product / best other |", "|" + "---|" * (len(there) + 4)]
    for name in sorted({str(row["set"]) for row in rows}):
        for goal in GOALS:
            of = {who: [r for r in rows if (r["set"], r["contender"]) == (name, who)] for who in there}
            means = {who: _mean(found, goal) for who, found in of.items() if found}
            others = [mean for who, mean in means.items() if who != "product"]
            share = f"{means['product'] / min(others):.2f}" if others and "product" in means else "-"
            cells = " | ".join(f"{means[who]:.1f}" if who in means else "-" for who in there)
            seeds = max(len(found) for found in of.values())
            lines.append(f"| {name} | {goal:.2f} | {seeds} | {cells} | {share} |")
    return "\n".join(lines)


def _mean(rows: Sequence[Row], goal: float) -> float:
    return float(np.mean([row[f"minutes_to_{goal:.2f}"] for row in rows]))  # type: ignore[arg-type]


def main() -> int:
    """Simulate and write, or print the table; 3 where `--one` found nothing to do."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path, nargs="?", help="folder of the evaluation sets")
    parser.add_argument("--train", type=Path, help="folder of the training sets (default: beside DATA)")
    parser.add_argument("--sets", nargs="*", default=list(SETS), help=f"default: {' '.join(SETS)}")
    parser.add_argument("--contenders", nargs="*", default=list(CONTENDERS), choices=CONTENDERS)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0], help="default: 0")
    parser.add_argument("--minutes", type=float, default=30.0, help="of the virtual clock (default: 30)")
    parser.add_argument("--rates", type=Path, help="how fast a free machine is, JSON with the fields of Rates")
    add_row_options(parser, table="print the table of the rows, and end")
    options = parser.parse_args()
    if options.table:
        print(table(options.out))
        return 0
    if options.data is None:
        parser.error("DATA is needed to simulate")
    options.train = options.train or options.data.parent / "train"
    rates = RATES if options.rates is None else msgspec.json.decode(options.rates.read_bytes(), type=Rates)
    torch.set_num_threads(options.threads)
    made = 0
    every = [(n, w, s, options.minutes) for s in options.seeds for n in options.sets for w in options.contenders]
    for key in every:
        if key in keys_in(options.out, _KEY):
            continue
        name, who, seed, _minutes = key
        file = options.out.with_name(f"{options.out.stem}-{name}-{who}-{seed}.begun")
        cpu = time.process_time()
        found = simulated(world(options, name, who, seed, rates), file)
        row: Row = {"benchmark": "simulated_annotator", **dict(zip(_KEY, key, strict=True)), **found}
        row |= {"rates": msgspec.to_builtins(rates), "cpu_s": round(time.process_time() - cpu), **machine()}
        added(options.out, row)
        file.unlink(missing_ok=True)
        print(json.dumps({k: row[k] for k in (*_KEY, *(f"minutes_to_{goal:.2f}" for goal in GOALS))}), flush=True)
        made += 1
        if options.one:
            break
    return 3 if options.one and not made else 0


if __name__ == "__main__":
    sys.exit(main())
