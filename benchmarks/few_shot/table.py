"""The Markdown table of rows: mean and spread over seeds, and by how much ours is better than the best other."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from few_shot.rows import Row

__all__ = ["table"]

_METHODS = ("guess", "instant", "deep", "forest", "plain", "scratch")
_OTHERS = ("forest", "plain", "scratch")
_HEADS = {"scratch": "from scratch"}

_Figures = Mapping[str, list[float]]
"""Scores over seeds by method."""


def table(rows: Iterable[Row]) -> str:
    """A table for every number of images and budget. A cell is the mean and the standard deviation over seeds in IoU
    points, with the number of seeds where it is not the most that a method has; a difference is one of means. The last
    line is the mean over the sets on which every method that occurs was measured.
    """
    scores: dict[tuple[int, float], dict[str, dict[str, dict[int, float]]]] = defaultdict(dict)
    rows = list(rows)
    budgets = sorted({(int(r["images"]), float(r["budget_s"])) for r in rows if r["budget_s"]})  # type: ignore[call-overload,arg-type]
    if not budgets:
        budgets = sorted({(int(r["images"]), 0.0) for r in rows})  # type: ignore[call-overload]
    for row in rows:
        for images, budget in budgets:
            if row["images"] == images and row["budget_s"] in (0, budget):
                of_set = scores[images, budget].setdefault(str(row["set"]), {})
                of_set.setdefault(str(row["method"]), {})[int(row["seed"])] = float(row["iou"])  # type: ignore[call-overload,arg-type]
    return "\n\n".join(
        "\n".join((_title(*case), "", *_lines({s: _listed(m) for s, m in sorted(scores[case].items())})))
        for case in budgets
    )


def _listed(by_method: Mapping[str, Mapping[int, float]]) -> dict[str, list[float]]:
    return {method: [by_seed[seed] for seed in sorted(by_seed)] for method, by_seed in by_method.items()}


def _title(images: int, budget: float) -> str:
    return f"**{images} labelled {'image' if images == 1 else 'images'}, {budget:g} s**"


def _lines(by_set: Mapping[str, _Figures]) -> list[str]:
    methods = [m for m in _METHODS if any(m in found for found in by_set.values())]
    seeds = max(len(values) for found in by_set.values() for values in found.values())
    heads = ["set", *(_HEADS.get(m, m) for m in methods), "deep - best other", "instant - forest"]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for name, found in by_set.items():
        cells = [_cell(found.get(m, []), seeds) for m in methods]
        means = {m: statistics.fmean(values) for m, values in found.items()}
        lines.append(_line([name, *cells, *_differences(means)]))
    whole = [found for found in by_set.values() if all(m in found for m in methods)]
    if len(whole) > 1:
        means = {m: statistics.fmean(statistics.fmean(found[m]) for found in whole) for m in methods}
        name = "mean" if len(whole) == len(by_set) else f"mean of {len(whole)}"
        lines.append(_line([name, *(f"{100 * means[m]:.1f}" for m in methods), *_differences(means)]))
    return lines


def _cell(values: Sequence[float], seeds: int) -> str:
    if not values:
        return "-"
    spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * statistics.fmean(values):.1f}{spread}" + ("" if len(values) == seeds else f" ({len(values)})")


def _differences(means: Mapping[str, float]) -> list[str]:
    others = [means[m] for m in _OTHERS if m in means]
    pairs = ((means.get("deep"), max(others, default=None)), (means.get("instant"), means.get("forest")))
    return ["-" if ours is None or other is None else f"{100 * (ours - other):+.1f}" for ours, other in pairs]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
