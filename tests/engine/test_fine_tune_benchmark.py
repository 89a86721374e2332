import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """benchmarks/fine_tune.py, measuring nothing."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    sys.modules.pop("fine_tune", None)
    import fine_tune

    def measure(folder: Path, _scratch: Path, images: int, seconds: float, seed: int) -> dict[str, object]:
        return {"set": folder.name, "images": images, "budget_s": seconds, "seed": seed}

    monkeypatch.setattr(fine_tune, "measure", measure)
    return fine_tune


def test_rows_that_are_there_are_skipped_and_one_row_is_a_command(
    benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
    out = tmp_path / "rows.jsonl"
    out.write_text(json.dumps({"set": "a", "images": 5, "budget_s": 60.0, "seed": 0}) + '\n{"set": "a", "ima')
    words = ["fine_tune", str(tmp_path / "data"), "--seeds", "0", "1", "--out", str(out), "--one"]
    monkeypatch.setattr(sys, "argv", words)
    assert [benchmark.main() for _ in range(4)] == [0, 0, 0, 3]
    rows = benchmark.rows_in(out)
    assert rows == {(name, 5, 60.0, seed) for name in ("a", "b") for seed in (0, 1)}
    assert len(out.read_text().splitlines()) == 5
