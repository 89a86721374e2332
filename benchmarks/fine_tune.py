"""Few-shot learning on the open sets: guess, instant learner and a fine-tuned version beside a random forest on
filters, a plain recipe and the same from scratch, all from the same labelled pixels and tested on the same images.

    python benchmarks/fine_tune.py DATA --out rows.jsonl --measure-rate [wall | processor]                once
    python benchmarks/fine_tune.py DATA --out rows.jsonl [--sets NAME...] [--images 5] [--seconds 60] [--seeds 0 1 2]
                                        [--methods guess instant deep forest plain scratch] [--one]
    python benchmarks/fine_tune.py --table rows.jsonl

DATA is the folder of the evaluation sets (each with images, masks and card.json). For every set, number of images and
seed some images are labelled from their masks, and mean IoU is measured on up to 16 others. Ours go through a scratch
project and the real engine process, which holds one image out; the others learn from all. The forest and the recipe
need scikit-learn (the extra 'dev').

A budget in seconds is that of a free machine: it becomes steps by rates that are measured once and lie beside the rows
(`rows.rates.json`, or `--rates`), so a busy machine changes nothing but how long it takes (few_shot/free_machine.py).
Where our recipe has become faster or slower, they are measured again; the plain recipe's stay, and so do its rows.

One JSON object a line, with the machine. With `--out` the rows are added to a file and those that stand in it already
are skipped, so it may be broken off at any time; `--one` ends after one row:

    while python benchmarks/fine_tune.py DATA --out rows.jsonl --one; do :; done

ends with code 3 when no row is missing. `--table` prints a file's rows as Markdown.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from common import machine
from few_shot import ours
from few_shot.free_machine import Rates, plain_steps
from few_shot.measuring import measured_rates
from few_shot.rows import Case, read_rows
from few_shot.sets import EvaluationSet
from few_shot.table import table
from resumable import added

from segstudio.runs import EMBEDDED, INSTANT

METHODS = ("guess", "instant", "deep", "forest", "plain", "scratch")
_BUDGETED = ("deep", "plain", "scratch")
_CLOCKS = {"processor": time.thread_time, "wall": time.perf_counter}
_NOTHING_LEFT = 3


def measure(of: EvaluationSet, case: Case, rates: Rates | None) -> dict[str, object]:
    """The figures of one method."""
    if case.method in ("guess", "instant", "deep"):
        with tempfile.TemporaryDirectory() as scratch, ours.labelled(of, Path(scratch), case.images, case.seed) as on:
            if case.method == "deep":
                assert rates is not None
                return ours.deep(on, rates, case.budget_s, case.seed)
            return ours.proposed(on, EMBEDDED if case.method == "guess" else INSTANT)
    shown, tested = of.split(case.seed, case.images)
    labelled = of.pairs(shown)
    if case.method == "forest":
        from few_shot import forest

        return {"iou": of.score(tested, forest.fitted(labelled, case.seed))}
    from few_shot import plain

    assert rates is not None
    steps = plain_steps(rates, case.budget_s)
    predict = plain.fitted(labelled, len(of.classes), steps, case.seed, imagenet=case.method == "plain")
    return {"iou": of.score(tested, predict), "steps": steps}


def missing(options: argparse.Namespace) -> Iterator[Case]:
    """What every row is of that is wanted and not there."""
    there = {case for case, _ in read_rows(options.out)} if options.out is not None else set()
    for name in _names(options):
        for images in options.images:
            for seed in options.seeds:
                for method in options.methods:
                    for seconds in options.seconds if method in _BUDGETED else [0.0]:
                        case = Case(name, images, seconds, seed, method)
                        if case not in there:
                            yield case


def _names(options: argparse.Namespace) -> list[str]:
    return options.sets or sorted(p.name for p in options.data.iterdir() if p.is_dir())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("data", type=Path, nargs="?", help="folder of the evaluation sets")
    parser.add_argument("--sets", nargs="*", help="names of sets (default: all)")
    parser.add_argument("--images", type=int, nargs="+", default=[5], help="labelled images (default: 5)")
    parser.add_argument("--seconds", type=float, nargs="+", default=[60.0], help="budgets of training (default: 60)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="default: 0 1 2")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS, help="default: all")
    parser.add_argument("--out", type=Path, help="add rows to this file; those in it are skipped")
    parser.add_argument("--one", action="store_true", help="make one row and end")
    parser.add_argument("--rates", type=Path, help="steps of a free machine (default: beside the rows)")
    parser.add_argument(
        "--measure-rate",
        nargs="?",
        const="processor",
        choices=_CLOCKS,
        help="measure them on the first set and end: by the clock on the wall, on a machine that is free, or by the "
        "processor time of the thread that makes the steps (default)",
    )
    parser.add_argument("--table", type=Path, help="print the rows of this file as Markdown and end")
    options = parser.parse_args()
    if options.table is None and options.data is None:
        parser.error("name the folder of the evaluation sets, or rows to print with --table")
    if options.rates is None and options.out is not None:
        options.rates = options.out.with_suffix(".rates.json")
    by_rates = options.measure_rate or (options.table is None and set(options.methods) & set(_BUDGETED))
    if by_rates and (options.rates is None or not (options.measure_rate or options.rates.exists())):
        parser.error("how fast a free machine is, is not known: name a file of --rates, made with --measure-rate")
    return options


def _measure_rates(options: argparse.Namespace) -> None:
    of, images = EvaluationSet(options.data / _names(options)[0]), options.images[0]
    pairs = of.pairs(of.split(0, images)[0])
    with tempfile.TemporaryDirectory() as scratch, ours.labelled(of, Path(scratch), images, 0) as on:
        known = Rates.read(options.rates).plain if options.rates.exists() else None
        rates = measured_rates(on.project, pairs, of.name, machine(), _CLOCKS[options.measure_rate], known)
    rates.write(options.rates)
    print(json.dumps({"steps_a_minute": rates.a_minute(), "threads": rates.threads, "precision": rates.precision}))


def main() -> int:
    """Measure, print and write; 3 where `--one` found nothing to do."""
    options = _options()
    if options.table is not None:
        print(table(read_rows(options.table)))
        return 0
    if options.measure_rate:
        _measure_rates(options)
        return 0
    rates = Rates.read(options.rates) if options.rates is not None and options.rates.exists() else None
    made = 0
    for case in missing(options):
        begun = time.monotonic()
        found = measure(EvaluationSet(options.data / case.set), case, rates)
        took = round(time.monotonic() - begun, 1)
        row = {"benchmark": "fine_tune", **case._asdict(), **found, "took_s": took, **machine()}
        print(json.dumps(row), flush=True)
        if options.out is not None:
            added(options.out, row)
        made += 1
        if options.one:
            break
    return _NOTHING_LEFT if options.one and not made else 0


if __name__ == "__main__":
    sys.exit(main())
