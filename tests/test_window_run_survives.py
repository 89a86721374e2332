"""A run that is under way when its window is closed, or another project is opened, goes on at the next opening."""

import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from segstudio.engine import launch
from segstudio.store.project import Project
from segstudio.tasks.learning.interrupted import interrupted_run
from tests.window_bench import RIGHT, Bench, make_project

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]

STEPS = 1_000_000
OFTEN = (
    "import sys; from segstudio.learn import loop; loop._CHECKPOINT_S = 0.5;"
    "from segstudio.engine import server; sys.exit(server.main([]))"
)
"""An engine that keeps a checkpoint twice a second."""


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """Not looked for here: the engine's threads end with the process."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Path:
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.setattr(launch, "engine_command", lambda: [sys.executable, "-c", OFTEN])
    return tmp_path


def _training(project: Path) -> tuple[Bench, list[dict[str, Any]]]:
    """A window in which a run is under way."""
    me = Bench(project)
    events: list[dict[str, Any]] = []
    me.session.trainingEvent.connect(events.append)
    me.wait(lambda: me.shown, 60)
    me.canvas.setFocus()
    me.session.set_class("coin")
    me.drag((40, 40), (60, 50))
    me.drag((20, 90), (70, 95), button=RIGHT)
    me.settle()
    me.session.fine_tune(max_steps=STEPS, network="tiny", base="scratch")
    return me, events


def _reached(me: Bench, events: list[dict[str, Any]], kind: str) -> int:
    def found() -> bool:
        return any(event["kind"] == kind for event in events)

    me.wait(found, 120)
    return max(event["step"] for event in events if event["kind"] == kind)


class Hears:
    """What a window says of the run that went on."""

    def __init__(self, me: Bench) -> None:
        self.me = me
        self.events: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = []
        me.session.trainingEvent.connect(self.events.append)
        me.session.trainingFinished.connect(self.results.append)

    def words(self) -> str:
        return self.me.labels_say("The run continued from") or self.me.labels_say("The run started again")


def test_it_goes_on_from_its_last_checkpoint_and_says_so(home: Path) -> None:
    project, other = make_project(home / "one", fields=2), make_project(home / "two", fields=1)
    me, events = _training(project)
    step = _reached(me, events, "checkpointed")
    me.session.projects.open(other)
    me.session.projects.open(project)
    heard = Hears(me)
    me.wait(heard.words, 60)
    assert heard.words() == f"The run continued from step {step}."
    begun = time.monotonic()
    me.close()
    assert time.monotonic() - begun < 30
    with Project.open(project, write=False) as closed:
        assert interrupted_run(closed) is not None
        assert [run.state for run in closed.runs()] == ["interrupted"]
    me = Bench(project)
    heard = Hears(me)
    me.wait(heard.words, 60)
    me.wait(lambda: any(event["kind"] == "stepped" and event["step"] > step for event in heard.events), 60)
    me.session.stop_training()
    me.wait(lambda: heard.results, 120)
    assert heard.results[0]["version"] == "v1"
    assert heard.results[0]["steps"] > step
    me.close()
    with Project.open(project, write=False) as after:
        assert [run.state for run in after.runs()] == ["stopped"]
        assert interrupted_run(after) is None


def test_a_run_that_was_only_just_asked_for_begins_again(home: Path) -> None:
    project = make_project(home / "one", fields=2)
    me, events = _training(project)
    me.wait(lambda: me.opened.training.running)
    me.close()
    assert not any(event["kind"] == "checkpointed" for event in events)
    me = Bench(project)
    heard = Hears(me)
    me.wait(heard.words, 60)
    assert heard.words() == "The run started again from its beginning."
    me.wait(lambda: any(event["kind"] == "stepped" for event in heard.events), 60)
    me.session.stop_training()
    me.wait(lambda: heard.results, 120)
    me.close()


def test_a_run_in_which_the_program_ends_twice_at_one_step_is_given_up(home: Path) -> None:
    project = make_project(home / "one", fields=1)
    with Project.open(project) as opened:
        opened.set_setting("learning", {"run": "r1", "choices": {}, "resumed_from": 0}).result()
    me = Bench(project)
    me.wait(lambda: me.failures, 60)
    assert "The run was abandoned" in me.failures[0]["sentence"]
    me.close()
    with Project.open(project, write=False) as after:
        assert interrupted_run(after) is None
