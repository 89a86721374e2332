"""How things end in the real window: training, exports, a killed engine or program, a window closed in mid-work."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.store.project import Project
from tests.window_bench import RIGHT, Bench, disc_path, make_project, open_bench

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
TINY = {"network": "tiny", "base": "scratch"}
"""A run of which nothing but its end is looked at."""


@pytest.fixture(scope="module")
def shared(qapp: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_bench(tmp_path_factory.mktemp("endings")) as bench:
        yield bench


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """Not looked for here: the shared window makes its plots, with menus of their own, at the first run."""


@pytest.fixture
def me(shared: Bench) -> Iterator[Bench]:
    for image in (1, 0):
        shared.fresh(image)
    yield shared
    shared.rest()


def label_two(me: Bench) -> None:
    """Both classes on two images, so that there is something to learn and something to hold out."""
    for image in (1, 0):
        me.shows(image)
        me.drag((40, 40), (60, 50))
        me.drag((20, 90), (70, 95), button=RIGHT)
    me.settle()


class Run:
    """A run of the window: its events and its result."""

    def __init__(self, me: Bench, **options: object) -> None:
        self.events: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = []
        me.session.trainingEvent.connect(self.events.append)
        me.session.trainingFinished.connect(self.results.append)
        me.session.fine_tune(**options)

    def kinds(self) -> list[str]:
        return [event["kind"] for event in self.events]


def engine_pid(me: Bench) -> int:
    assert me.session.project is not None  # the only way to a process that nobody is meant to touch
    pid = me.opened.engine.pid
    assert pid is not None
    return pid


def test_painting_proposing_and_exporting_go_on_during_training(me: Bench, tmp_path: Path) -> None:
    label_two(me)
    done: list[dict[str, Any]] = []
    me.session.exportFinished.connect(done.append)
    run = Run(me, max_steps=3, seed=3)
    me.wait(lambda: "stepped" in run.kinds(), 300)
    me.ready.clear()
    me.seqs.clear()
    me.session.propose()
    me.session.export("coco", tmp_path / "coco")
    times = []
    QTest.mousePress(me.canvas, Qt.MouseButton.LeftButton, pos=me.at(30, 60))
    for step in range(60):
        begun = time.perf_counter()
        QTest.mouseMove(me.canvas, me.at(30 + step, 60))
        QApplication.processEvents()
        times.append(time.perf_counter() - begun)
    me.lift(90, 60)
    assert np.quantile(times, 0.9) < 0.1
    me.wait(lambda: done and run.results and me.ready, 300)
    me.idle()
    me.settle()
    assert len(me.seqs) == 1
    assert me.failures == []
    assert {"format", "out", "images", "files"} <= set(done[0])
    assert all(Path(file).is_file() for file in done[0]["files"])
    result = run.results[0]
    keys = {"version", "parent", "promoted", "reason", "steps", "seconds", "held_out", "older", "advice"}
    assert set(result) == keys
    assert set(result["held_out"]) == {"parent", "child"}
    assert result["steps"] == 3
    assert {"started", "stepped", "evaluated", "finished"} <= set(run.kinds())
    assert all({"kind", "step", "seconds"} <= set(event) for event in run.events)
    assert all({"loss", "patches_per_second"} <= set(e) for e in run.events if e["kind"] == "stepped")
    assert all({"loss", "mean_iou", "iou"} <= set(e["held_out"]) for e in run.events if e["kind"] == "evaluated")
    assert me.project is not None
    written = [json.loads(line) for f in me.project.glob("runs/*/events.jsonl") for line in f.read_text().splitlines()]
    assert [event["kind"] for event in written] == run.kinds()


def test_the_curves_of_a_second_run_are_its_own(me: Bench) -> None:
    label_two(me)
    curves = me.window.arrangement.training.curves
    for seed in (1, 2):
        run = Run(me, max_seconds=4.0, seed=seed, **TINY)
        me.wait(lambda run=run: run.results, 300)
        me.idle()
        told = [event for event in run.events if event["kind"] == "stepped"]
        measured = [event["step"] for event in run.events if event["kind"] == "evaluated"]
        assert curves.loss_plot.series["training"] == ([e["step"] for e in told], [e["loss"] for e in told])
        assert curves.iou_plot.series.get("mean", ([], []))[0] == measured


def test_an_engine_killed_during_a_proposal_is_said_and_the_proposal_comes(me: Bench) -> None:
    me.session.propose()
    me.wait(lambda: me.opened.proposals.running)
    os.kill(engine_pid(me), signal.SIGKILL)
    path = me.drag((30, 30), (50, 30))
    me.wait(lambda: me.labels_say("engine process was ended"))
    me.wait(lambda: me.ready, 300)
    me.idle()
    assert me.ready == [me.session.current_image]
    assert "started again" in me.labels_say("engine process")
    assert np.array_equal(me.session.labels() > 0, disc_path(path, 6, me.session.labels().shape))
    me.settle()
    assert len(me.seqs) == 1


def test_an_engine_killed_during_training_is_said_and_the_run_resumes(me: Bench) -> None:
    label_two(me)
    run = Run(me, max_steps=40, **TINY)
    me.wait(lambda: "stepped" in run.kinds(), 300)
    os.kill(engine_pid(me), signal.SIGKILL)
    me.wait(lambda: me.labels_say("engine process was ended"))
    me.drag((100, 60))
    me.wait(lambda: run.results or me.failures, 300)
    assert me.failures == []
    assert run.results[0]["steps"] == 40
    assert "warned" in run.kinds()
    assert "started again" in me.labels_say("engine process")
    me.idle()


def test_a_run_without_labels_ends_in_one_sentence(me: Bench) -> None:
    run = Run(me, max_steps=2, **TINY)
    me.wait(lambda: me.failures, 60)
    assert [failure["job"] for failure in me.failures] == ["train"]
    assert me.labels_say(me.failures[0]["sentence"])
    assert run.results == []


# -- closing ----------------------------------------------------------------------------------------------------------


def test_a_window_closed_in_mid_work_keeps_everything_and_opens_again_at_once(
    qtbot: object, me: Bench, tmp_path: Path
) -> None:
    me.rest()
    project = make_project(tmp_path / "closing", 3)
    count = 0
    reported: list[int] = []
    for work in ("stroke", "proposal", "export", "accept", "training"):
        bench = Bench(project)
        try:
            bench.wait(lambda bench=bench: bench.shown)
            assert bench.opened.why_read_only == "", work
            if count:
                assert int((bench.session.labels() > 0).sum()) == count, work
                assert bench.opened.documents.can_undo
            if work in ("accept", "training"):
                bench.wait(lambda bench=bench: bench.ready, 300)
            bench.canvas.setFocus()
            bench.session.set_brush_radius(5)
            bench.drag((20, 20 + 12 * len(work)), (60, 22 + 12 * len(work)), release=work != "stroke")
            bench.drag((20, 100), (70, 105), button=RIGHT)
            count = int((bench.session.labels() > 0).sum())
            if work == "proposal":
                bench.session.propose()
            elif work == "export":
                bench.session.export("png", tmp_path / "out")
            elif work == "accept":
                bench.session.accept_proposal()
                count = bench.session.labels().size
            elif work == "training":
                run = Run(bench, max_steps=1_000_000, **TINY)
                bench.wait(lambda run=run: "started" in run.kinds(), 300)
            begun = time.perf_counter()
            bench.session.close()
            took = time.perf_counter() - begun
            assert took < 10, (work, took)
            with Project.open(project) as free:
                assert free.writer is not None
                assert free.images()[0].labelled_pixels == count, work
                reported += bench.seqs
                assert reported == list(range(1, free.last_seq() + 1)), work
        finally:
            bench.rest()
            bench.close()


KILLED = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from PySide6.QtWidgets import QApplication
application = QApplication([])
from tests.window_bench import Bench
bench = Bench(Path({project!r}))
bench.wait(lambda: bench.shown)
bench.session.set_brush_radius(6)
bench.drag((30, 30), (50, 40))
bench.wait(lambda: bench.seqs)
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_stroke_that_was_reported_is_there_after_the_program_was_killed(me: Bench, tmp_path: Path) -> None:
    project = make_project(tmp_path / "killed", 1)
    here = Path(__file__).parent
    script = KILLED.format(path=[str(here), str(here.parent)], project=str(project))
    ended = subprocess.run([sys.executable, "-c", script], timeout=120, check=False, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    bench = Bench(project)
    try:
        bench.wait(lambda: bench.shown)
        assert bench.opened.why_read_only == ""
        assert bench.session.labels().any()
        assert bench.opened.documents.can_undo
        bench.session.undo()
        bench.settle()
        assert not bench.session.labels().any()
        bench.session.redo()
        assert bench.session.labels().any()
    finally:
        bench.rest()
        bench.close()
