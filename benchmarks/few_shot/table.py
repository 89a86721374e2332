"""The Markdown table of rows: mean and spread over seeds, and by how much ours is better than the best other."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

from few_shot.rows import Case

__all__ = ["table"]

_METHODS = ("guess", "instant", "deep", "forest", "plain", "scratch")
_OTHERS = ("forest", "plain", "scratch")
_HEADS = {"scratch": "from scratch"}

_Figures = Mapping[str, Mapping[int, float]]
"""Scores by method and seed."""


def table(rows: Iterable[tuple[Case, float]]) -> str:
    """A table for every number of images and budget. A cell is the mean and the standard deviation over seeds in IoU
    points, with the number of seeds where it is not the most that a method has. A difference is one of means over the
    seeds that both have. The last line is the mean over the sets on which every method that occurs was measured.
    """
    rows = sorted(rows)
    cases = sorted({(case.images, case.budget_s) for case, _ in rows if case.budget_s})
    cases = cases or sorted({(case.images, 0.0) for case, _ in rows})
    parts = []
    for images, budget in cases:
        by_set: dict[str, dict[str, dict[int, float]]] = {}
        for case, iou in rows:
            if case.images == images and case.budget_s in (0, budget):
                by_set.setdefault(case.set, {}).setdefault(case.method, {})[case.seed] = iou
        parts.append("\n".join((_title(images, budget), "", *_lines(by_set))))
    return "\n\n".join(parts)


def _title(images: int, budget: float) -> str:
    return f"**{images} labelled {'image' if images == 1 else 'images'}, {budget:g} s**"


def _lines(by_set: Mapping[str, _Figures]) -> list[str]:
    methods = [m for m in _METHODS if any(m in found for found in by_set.values())]
    seeds = max(len(by_seed) for found in by_set.values() for by_seed in found.values())
    heads = ["set", *(_HEADS.get(m, m) for m in methods), "deep - best other", "instant - forest"]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for name, found in by_set.items():
        cells = [_cell(list(found.get(m, {}).values()), seeds) for m in methods]
        lines.append(_line([name, *cells, *_differences(found)]))
    whole = [found for found in by_set.values() if all(m in found for m in methods)]
    if len(whole) > 1:
        means = {m: statistics.fmean(statistics.fmean(found[m].values()) for found in whole) for m in methods}
        name = "mean" if len(whole) == len(by_set) else f"mean of {len(whole)}"
        differences = _differences({m: {0: mean} for m, mean in means.items()})
        lines.append(_line([name, *(f"{100 * means[m]:.1f}" for m in methods), *differences]))
    return lines


def _cell(values: Sequence[float], seeds: int) -> str:
    if not values:
        return "-"
    spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * statistics.fmean(values):.1f}{spread}" + ("" if len(values) == seeds else f" ({len(values)})")


def _differences(found: _Figures) -> list[str]:
    """By how much the deep learner leads the one that it leads least, and the instant learner the forest."""
    return [_lead(found, "deep", _OTHERS), _lead(found, "instant", ("forest",))]


def _lead(found: _Figures, ours: str, others: Sequence[str]) -> str:
    leads = []
    for other in others:
        both = sorted(found.get(ours, {}).keys() & found.get(other, {}).keys())
        if both:
            leads.append(statistics.fmean(found[ours][seed] - found[other][seed] for seed in both))
    return f"{100 * min(leads):+.1f}" if leads else "-"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
