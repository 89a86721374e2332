"""What past runs left behind: read from their folders, compared, and written as CSV."""

import csv
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segstudio.app.learning.class_figures import ClassFigures
from segstudio.app.learning.run_csv import classes_csv, curves_csv
from segstudio.app.learning.run_differences import differences
from segstudio.app.learning.run_history import RunHistory, RunItem
from segstudio.runs import INSTANT, Event, Figures, Plan, PlanClass, PlanPlane, Recipe, TrainResult
from segstudio.store.catalog.versions import begin_run, end_run
from segstudio.store.project import Project
from tests.app.grounds import ground_of
from tests.app.test_curves import evaluated, started, stepped

_BASE = Plan(
    classes=(PlanClass(1, "background"), PlanClass(2, "nucleus")),
    planes=(PlanPlane(1, 0, "a.png", "a", "train", 3), PlanPlane(2, 0, "b.png", "b", "held-out", 4)),
    mean=(0.5,),
    std=(0.2,),
    network="tiny",
    base=INSTANT,
    recipe=Recipe(),
    device="cpu",
    threads=1,
    seed=0,
    max_seconds=60.0,
    max_steps=None,
)


def plan(**changed: Any) -> Plan:
    return msgspec.structs.replace(_BASE, **changed)


def result(version: str = "v1", *, promoted: bool = True) -> TrainResult:
    figures = {"parent": Figures(0.5, 0.6, {}), "child": Figures(0.4, 0.7, {})}
    return TrainResult(version, INSTANT, promoted, "better", 50, 25.0, {**figures})


def item(name: str, made: Plan | None = None, **changed: Any) -> RunItem:
    values: dict[str, Any] = {
        "name": name,
        "started": "2026-11-20T10:00:00Z",
        "state": "done",
        "version": "v1",
        "parent": INSTANT,
        "seed": 0,
        "steps": 50,
        "seconds": 25.0,
        "result": result(),
        "why": "",
        "plan": made,
    }
    return RunItem(**{**values, **changed})


def write_run(project: Project, name: str, events: list[Event], ended: TrainResult | None = None) -> None:
    """A run as the task leaves it: row, events with a torn last line, and plan."""
    assert project.writer is not None
    call = project.writer.call
    run = call(lambda db: begin_run(db, name, parent=INSTANT, device="cpu", seed=7)).result(10)
    folder = project.path / "runs" / name
    folder.mkdir(parents=True)
    lines = b"".join(msgspec.json.encode(event) + b"\n" for event in events)
    (folder / "events.jsonl").write_bytes(lines + b'{"kind":"step')
    (folder / "plan.json").write_bytes(msgspec.json.encode(plan(kept_at=2)))
    summary = msgspec.to_builtins(ended) if ended is not None else {"why": "The memory is full."}
    state, version = ("done", ended.version) if ended is not None else ("failed", "")
    call(lambda db: end_run(db, run, state=state, version=version, steps=2, seconds=1.0, summary=summary)).result(10)


@pytest.fixture
def history(opened: Callable[[], Project]) -> Iterator[RunHistory]:
    ground = ground_of(opened())
    made = RunHistory(ground)
    yield made
    made.close()
    ground.main.close()


def test_runs_are_listed_newest_first_with_result_plan_and_reason(qtbot: Any, history: RunHistory) -> None:
    write_run(history._project, "r1", [started(), stepped(1)], result())
    write_run(history._project, "r2", [])
    with qtbot.waitSignal(history.changed):
        history.refresh()
    newest, first = history.items
    assert (newest.name, newest.state, newest.why, newest.result) == ("r2", "failed", "The memory is full.", None)
    assert (first.name, first.version, first.before, first.now) == ("r1", "v1", 0.6, 0.7)
    assert first.plan is not None
    assert first.plan.kept_at == 2


def test_a_plan_or_a_result_that_cannot_be_read_is_left_out(qtbot: Any, history: RunHistory) -> None:
    write_run(history._project, "r1", [])
    (history._project.path / "runs" / "r1" / "plan.json").write_bytes(b"{")
    with qtbot.waitSignal(history.changed):
        history.refresh()
    assert history.items[0].plan is None


def test_curves_are_read_when_they_are_asked_for(qtbot: Any, history: RunHistory) -> None:
    write_run(history._project, "r1", [started(), stepped(1, 0.9), evaluated(1, a=0.5)], result())
    with qtbot.waitSignal(history.read) as told:
        history.ask(["r1", "r9"])
    curves = told.args[0]
    assert curves["r1"].loss.values == [0.9]
    assert curves["r1"].mean_iou.values == [0.5]
    assert curves["r9"].loss.values == []


def test_the_curves_of_the_newest_run_are_written_as_csv(qtbot: Any, history: RunHistory, tmp_path: Path) -> None:
    write_run(history._project, "r1", [started(), stepped(1, 0.9), evaluated(1, nucleus=0.5)], result())
    file = tmp_path / "curves.csv"
    with qtbot.waitSignal(history.saved):
        history.save_curves("", file)
    rows = list(csv.DictReader(StringIO(file.read_text())))
    assert [(row["step"], row["training_loss"], row["mean_iou"], row["iou nucleus"]) for row in rows] == [
        ("1", "0.9", "0.5", "0.5")
    ]


def test_a_file_that_the_disk_refuses_is_a_failure_in_words(history: RunHistory, tmp_path: Path, qtbot: Any) -> None:
    told: list[Any] = []
    history._notices.told.connect(told.append)
    history.save(tmp_path / "none" / "curves.csv", b"x")
    qtbot.waitUntil(lambda: bool(told))
    assert told[0].sentence.startswith("'curves.csv' could not be written: ")


def test_a_run_that_was_resumed_has_each_step_once_in_its_csv() -> None:
    events: list[Event] = [started(), *(stepped(n, 1.0) for n in range(1, 5)), evaluated(4, a=0.1)]
    rows = list(csv.DictReader(StringIO(curves_csv([*events, started(2), stepped(3, 2.0), stepped(4, 3.0)]))))
    assert [(row["step"], row["training_loss"]) for row in rows] == [
        ("1", "1.0"),
        ("2", "1.0"),
        ("3", "2.0"),
        ("4", "3.0"),
    ]
    assert [row["mean_iou"] for row in rows] == ["", "", "", ""]


def test_figures_by_class_are_written_as_csv_with_any_name() -> None:
    rows = [ClassFigures('a, "b"', 0.5, 0.6, None, 0.0, 12)]
    assert list(csv.reader(StringIO(classes_csv(rows)))) == [
        ["class", "iou", "dice", "precision", "recall", "pixels"],
        ['a, "b"', "0.5", "0.6", "", "0.0", "12"],
    ]


def test_figures_are_always_compared_and_settings_only_where_they_differ() -> None:
    a, b = item("r1", plan()), item("r2", plan(seed=3, max_seconds=300.0, recipe=Recipe(rate=1e-3)), steps=90)
    rows = {row.what: row.values for row in differences([a, b])}
    assert rows["Verdict"] == ("promoted", "promoted")
    assert rows["Steps"] == ("50", "90")
    assert rows["Seed"] == ("0", "3")
    assert rows["Budget"] == ("1:00 min", "5:00 min")
    assert rows["Learning rate"] == ("0.003", "0.001")
    assert rows.keys() == {"Verdict", "IoU before", "IoU after", "Steps", "Time", "Budget", "Seed", "Learning rate"}


def test_other_data_are_told_from_the_same() -> None:
    more = (*_BASE.planes, PlanPlane(3, 0, "c.png", "c", "train", 9))
    changed = (msgspec.structs.replace(_BASE.planes[0], seq=8), *more[1:])
    rows = {row.what: row.values for row in differences([item("r1", plan()), item("r2", plan(planes=changed))])}
    assert rows["Labels"] == ("the reference", "1 new image, 1 with changed labels")
    assert rows["Training images"] == ("1", "2")
    assert "Labels" not in {row.what for row in differences([item("r1", plan()), item("r2", plan())])}


def test_of_a_run_without_plan_or_result_is_said_what_is_known() -> None:
    rows = {row.what: row.values for row in differences([item("r1", plan()), item("r2", result=None, state="failed")])}
    assert rows["Verdict"] == ("promoted", "failed")
    assert rows["IoU after"] == ("0.700", "–")
    assert rows["Seed"] == ("0", "–")
