"""The benchmark of the gate: its data, its rows, and what the gate says of them."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from segstudio.learn.data import Part
from segstudio.learn.gate import Tally, decide
from segstudio.metrics import metrics
from segstudio.runs import Figures
from tests.learn.conftest import blobs


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))


def _data(n: int):
    import gate
    from in_memory import Picture

    drawn = [blobs(i, 64) for i in range(n)]
    pictures = [Picture(f"{i}", f"{i}", pixels, ids.astype(np.int64) - 1) for i, (pixels, ids) in enumerate(drawn)]
    return gate.labelled(pictures, ["ground", "disc"], n)


def _tally(ious: list[float]) -> Tally:
    blocks = {}
    for i, iou in enumerate(ious):
        hits = round(2000 * iou / (1 + iou))
        blocks[0, 0, 0, i] = np.array([[hits, 1000 - hits, 0], [1000 - hits, hits, 0]])
    total = np.sum(list(blocks.values()), 0)
    return Tally(Figures(loss=0.0, mean_iou=metrics(total, ["a", "b"]).mean.iou, iou={}), {"g": total}, blocks)


def test_the_fourth_picture_is_held_out_as_the_store_does():
    data = _data(5)
    parts = [entry.part for entry in data.planes()]
    assert parts[:4] == [Part.TRAIN, Part.TRAIN, Part.TRAIN, Part.HELD_OUT]


def test_shuffled_labels_are_those_of_other_training_pictures_and_the_held_out_ones_stay():
    import gate

    data = _data(5)
    other = gate.shuffled(data)
    bounds = data.planes()[0].bounds
    for image, entry in enumerate(data.planes()):
        same = (data.labels(image, 0, bounds)[0] == other.labels(image, 0, bounds)[0]).all()
        assert same == (entry.part is Part.HELD_OUT)
    first, second = data.labels(1, 0, bounds)[0], other.labels(0, 0, bounds)[0]
    assert (first == second).all()


def test_labels_given_later_do_not_change_an_earlier_view():
    data = _data(4)
    before = data.view()
    data.label(0, np.ones((64, 64), np.bool_), np.zeros((64, 64), np.int64), 3)
    bounds = data.planes()[0].bounds
    assert set(np.unique(before.labels(0, 0, bounds)[0])) == {1, 2}
    assert set(np.unique(data.labels(0, 0, bounds)[0])) == {1}
    assert data.planes()[0].seq > before.planes()[0].seq


def test_the_gate_says_the_same_of_counts_that_were_written_down():
    import gate

    parent, child = _tally([0.6] * 16), _tally([0.63] * 16)
    again = [gate.unpacked(json.loads(json.dumps(gate.packed(found)))) for found in (parent, child)]
    for tries in (0, 1, 5):
        assert decide(*again, tries) == decide(parent, child, tries)
    assert gate.unpacked(gate.packed(None)) is None


def test_the_table_holds_the_shares_against_the_goals(tmp_path: Path):
    import gate

    rows = tmp_path / "rows.jsonl"
    for i in range(4):
        better = {"parent": gate.packed(_tally([0.6] * 16)), "child": gate.packed(_tally([0.7] * 16)), "tries": 0}
        alike = better | {"child": gate.packed(_tally([0.6] * 16)), "tries": 1}
        worse = better | {"child": gate.packed(_tally([0.3] * 16))}
        row = {"set": "discs", "try": i, "same": better if i == 0 else alike, "shuffled": worse, "double": better}
        with rows.open("a") as file:
            file.write(json.dumps(row) + "\n")
    text = gate.table(rows)
    assert "| discs | same | 4 | 25% | <= 10 % | no |" in text
    assert "| discs | shuffled | 4 | 0% | <= 5 % | yes |" in text
    assert "| discs | double | 4 | 100% | >= 80 % | yes |" in text


def test_rows_that_are_there_are_skipped_and_one_row_is_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import gate

    side = {"parent": None, "child": None, "tries": 0}
    monkeypatch.setattr(gate, "measure", lambda *_: dict.fromkeys(gate.GOALS, side))
    monkeypatch.setattr(gate, "pictures_of", lambda _folder: ([], []))
    out = tmp_path / "rows.jsonl"
    there = {"set": "crop_weed", "images": 5, "steps": 20, "try": 0}
    out.write_text(json.dumps(there) + '\n{"set": "crop_w')
    words = ["gate", str(tmp_path), "--tries", "3", "--threads", "1", "--out", str(out), "--one"]
    monkeypatch.setattr(sys, "argv", words)
    assert [gate.main() for _ in range(3)] == [0, 0, 3]
    assert len(out.read_text().splitlines()) == 4
