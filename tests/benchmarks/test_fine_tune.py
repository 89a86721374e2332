import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from segstudio.runs import Plan
from tests.benchmarks.conftest import Load

Words = list[str]


@pytest.fixture
def fine_tune(benchmark: Load) -> ModuleType:
    """benchmarks/fine_tune.py."""
    return benchmark("fine_tune")


def _row(name: str, method: str, seed: int, iou: float, images: int = 5, budget: float = 60.0) -> dict[str, object]:
    return {"set": name, "images": images, "budget_s": budget, "seed": seed, "method": method, "iou": iou}


def _main(fine_tune: ModuleType, monkeypatch: pytest.MonkeyPatch, words: Words) -> int:
    monkeypatch.setattr(sys, "argv", ["fine_tune", *words])
    return fine_tune.main()


def test_rows_that_are_there_are_skipped_and_one_row_is_a_command(
    fine_tune: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked = []

    def measure(_of: object, case: tuple[object, ...], _rates: object) -> dict[str, object]:
        asked.append(tuple(case))
        return {"iou": 0.5}

    monkeypatch.setattr(fine_tune, "measure", measure)
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
    out = tmp_path / "rows.jsonl"
    out.write_text(json.dumps(_row("a", "forest", 0, 0.5, budget=0.0)) + '\n{"set": "a", "ima')
    words = [str(tmp_path / "data"), "--seeds", "0", "1", "--methods", "forest", "instant", "--out", str(out)]
    assert [_main(fine_tune, monkeypatch, [*words, "--one"]) for _ in range(3)] == [0, 0, 0]
    assert _main(fine_tune, monkeypatch, words) == 0
    assert _main(fine_tune, monkeypatch, [*words, "--one"]) == 3
    wanted = {(name, 5, 0.0, seed, m) for name in ("a", "b") for seed in (0, 1) for m in ("forest", "instant")}
    assert set(asked) == wanted - {("a", 5, 0.0, 0, "forest")}
    assert len(asked) == 7
    assert len(out.read_text().splitlines()) == 9


def test_without_a_measured_rate_no_budget_is_spent(
    fine_tune: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "data" / "a").mkdir(parents=True)
    words = [str(tmp_path / "data"), "--methods", "plain", "--out", str(tmp_path / "rows.jsonl")]
    with pytest.raises(SystemExit) as ended:
        _main(fine_tune, monkeypatch, words)
    assert ended.value.code == 2
    assert "--measure-rate" in capsys.readouterr().err


def test_the_table_has_means_spreads_and_our_lead_over_the_best_other(
    fine_tune: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    rows = [
        *(_row("leaves", "deep", seed, iou) for seed, iou in enumerate((0.70, 0.72, 0.74))),
        *(_row("leaves", "plain", seed, 0.6) for seed in range(3)),
        *(_row("leaves", "forest", seed, iou, budget=0.0) for seed, iou in enumerate((0.65, 0.65, 0.68))),
        *(_row("cracks", "deep", seed, 0.5) for seed in range(3)),
        *(_row("cracks", "plain", seed, 0.55) for seed in range(2)),
        *(_row("cracks", "forest", seed, 0.4, budget=0.0) for seed in range(3)),
        _row("tissue", "deep", 0, 0.9),
        _row("leaves", "deep", 0, 0.8, budget=240.0),
        _row("leaves", "deep", 0, 0.3, images=1),
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)) + '\n{"set": "leaves", "ima')
    assert _main(fine_tune, monkeypatch, ["--table", str(file)]) == 0
    assert capsys.readouterr().out == (
        "**1 labelled image, 60 s**\n\n"
        "| set | deep | deep - best other | instant - forest |\n| --- | --- | --- | --- |\n"
        "| leaves | 30.0 | - | - |\n\n"
        "**5 labelled images, 60 s**\n\n"
        "| set | deep | forest | plain | deep - best other | instant - forest |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| cracks | 50.0 ± 0.0 | 40.0 ± 0.0 | 55.0 ± 0.0 (2) | -5.0 | - |\n"
        "| leaves | 72.0 ± 2.0 | 66.0 ± 1.7 | 60.0 ± 0.0 | +6.0 | - |\n"
        "| tissue | 90.0 (1) | - | - | - | - |\n"
        "| mean of 2 | 61.0 | 53.0 | 57.5 | +3.5 | - |\n\n"
        "**5 labelled images, 240 s**\n\n"
        "| set | deep | forest | deep - best other | instant - forest |\n| --- | --- | --- | --- | --- |\n"
        "| cracks | - | 40.0 ± 0.0 | - | - |\n"
        "| leaves | 80.0 (1) | 66.0 ± 1.7 | +15.0 | - |\n"
    )


@pytest.mark.engine
def test_our_run_is_made_by_the_engine_in_the_steps_of_a_free_machine(
    benchmark: Load, fine_tune: ModuleType, evaluation_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    free = benchmark("few_shot.free_machine")
    out = tmp_path / "rows.jsonl"
    free.Rates(
        first=free.Took(1.0, 1.0, 1.0, 1),
        decoder=free.Took(1.0, 1.0, 1.0, 9),
        late=free.Took(2.0, 2.0, 2.0, 9),
        whole=free.Took(2.0, 2.0, 2.0, 9),
        plain=free.Took(3.0, 3.0, 3.0, 9),
        measure_s=1.0,
        precision="float32",
        threads=1,
        clock="wall",
        date="2026-01-01",
        measured_on="discs",
        machine={},
    ).write(out.with_suffix(".rates.json"))
    plans = []
    clocked = free.clocked
    monkeypatch.setattr(benchmark("few_shot.ours"), "clocked", lambda *a: plans.append(clocked(*a)) or plans[-1])
    words = [str(evaluation_data), "--images", "4", "--seconds", "4", "--seeds", "1", "--methods", "deep"]
    assert _main(fine_tune, monkeypatch, [*words, "--out", str(out)]) == 0
    row = json.loads(out.read_text())
    plan: Plan = plans[0]
    assert (row["set"], row["images"], row["budget_s"], row["seed"], row["method"]) == ("discs", 4, 4.0, 1, "deep")
    assert (row["steps"], row["opened_at"], row["decay_at"]) == (plan.steps, plan.opened_at, plan.decay_at)
    assert plan.recipe.precision == "float32"
    assert row["iou"] > 0.5


def test_the_rate_is_measured_again_but_the_plain_recipes_stays(
    benchmark: Load, fine_tune: ModuleType, evaluation_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    measuring, plain = benchmark("few_shot.measuring"), benchmark("few_shot.plain")
    for name, steps in (("DECODER", 2), ("LATE", 1), ("WHOLE", 1), ("PLAIN", 2)):
        monkeypatch.setattr(measuring, f"_{name}_STEPS", steps)
    monkeypatch.setattr(measuring, "_MEASURED_AFTER", 1)
    monkeypatch.setattr(plain, "CROP_PX", 64)
    words = [str(evaluation_data), "--images", "4", "--out", str(tmp_path / "rows.jsonl"), "--measure-rate"]
    assert _main(fine_tune, monkeypatch, words) == 0
    read = benchmark("few_shot.free_machine").Rates.read
    first = read(tmp_path / "rows.rates.json")
    kinds = (first.first, first.decoder, first.late, first.whole, first.plain)
    assert [took.steps for took in kinds] == [1, 1, 1, 1, 2]
    assert all(took.median_s > 0.01 for took in kinds)
    assert first.measure_s > 0
    assert (first.measured_on, first.clock) == ("discs", "processor")
    monkeypatch.setattr(measuring, "_timed", lambda *_: ([2.0, 1.0, 3.0], 0.5))
    assert _main(fine_tune, monkeypatch, words) == 0
    again = read(tmp_path / "rows.rates.json")
    assert (again.first.median_s, again.decoder.median_s, again.late.median_s) == (2.0, 1.0, 3.0)
    assert again.plain == first.plain
