"""The benchmark of the recipe's parts: its rows and its table."""

import json
import sys
from pathlib import Path

import pytest

from tests.benchmarks.conftest import Load


def _row(recipe: str, seed: int, iou: float) -> dict[str, object]:
    figures = dict.fromkeys(("iou", "with_30", "with_50"), iou)
    figures |= {"mirrored": iou + 0.01, "instant": 0.5, "cpu_s": 60.0}
    return {"set": "discs", "images": 5, "steps": 9, "seed": seed, "recipe": recipe, **figures}


def test_the_table_compares_recipes_on_the_seeds_that_both_have(benchmark: Load, tmp_path: Path):
    ablations = benchmark("ablations")
    rows = [_row("usual", 0, 0.70), _row("usual", 1, 0.80), _row("rate 1e-3", 1, 0.75), _row("rate 1e-3", 2, 0.99)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    lines = ablations.table(path).splitlines()
    assert len(lines) == 4
    assert "| discs | usual | 2 | 60 | 0.750 (0.050) | 0.760 (0.050) | - |" in lines[2]
    assert "| rate 1e-3 | 2 | 60 | 0.870 (0.120) | 0.880 (0.120) | -5.0 |" in lines[3]


def test_every_recipe_names_fields_that_recipes_have(benchmark: Load):
    from segstudio.runs import Recipe

    ablations = benchmark("ablations")
    known = set(Recipe.__struct_fields__)
    assert all(set(changed.fields) <= known and 0 < changed.steps <= 1 for changed in ablations.RECIPES.values())


def test_one_row_is_a_command_and_is_not_made_again(
    benchmark: Load, evaluation_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ablations = benchmark("ablations")
    out = tmp_path / "rows.jsonl"
    short = ["--images", "2", "--seeds", "0", "--steps", "2", "--recipes", "usual", "--out", str(out), "--one"]
    monkeypatch.setattr(sys, "argv", ["ablations.py", str(evaluation_data), *short])
    assert [ablations.main(), ablations.main()] == [0, 3]
    (row,) = [json.loads(line) for line in out.read_text().splitlines()]
    assert (row["set"], row["recipe"]) == ("discs", "usual")
    assert all(0 <= row[name] <= 1 for name in ("iou", "mirrored", "instant", "with_50", "chosen"))
