"""The owner of fine-tuning with a run that is told what to do: events, stop, failures and a close in mid-run."""

import json
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segstudio.app.editing.documents import Documents
from segstudio.app.learning.training import Training
from segstudio.errors import NotEnoughLabels
from segstudio.runs import Choices, Event, Stepped, TrainResult, Warned
from segstudio.store.project import Project
from tests.app.grounds import Heard, ground_of


class Run:
    """Steps until it is stopped or its gate is open; keeps what it was asked for."""

    def __init__(self) -> None:
        self.choices: list[Choices] = []
        self.gate = threading.Event()
        self.closed = False
        self.error: Exception | None = None
        self.warnings: list[Warned] = []

    def train(
        self, project: object, engine: object, choices: Choices, *, stop: Callable[[], bool], **_: object
    ) -> Generator[Event, None, TrainResult]:
        self.choices.append(choices)
        step = 0
        try:
            yield from self.warnings
            while not stop() and not self.gate.wait(0.01):
                step += 1
                yield Stepped(step=step, seconds=0.1 * step, loss=1.0, patches_per_second=8.0, rate=1e-3, memory_mb=0.0)
            if self.error is not None:
                raise self.error
        except GeneratorExit:
            self.closed = True
            raise
        return TrainResult("v1", "embedded", True, "better", step, 1.0, {"parent": None, "child": None})


class Seen:
    """What the owner said."""

    def __init__(self, training: Training) -> None:
        self.events: list[Event] = []
        self.results: list[TrainResult] = []
        self.heard = Heard(training._ground)
        self.failures = self.heard.failures
        self.running: list[bool] = []
        training.happened.connect(self.events.append)
        training.finished.connect(self.results.append)
        training.runningChanged.connect(self.running.append)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    run = Run()
    monkeypatch.setattr("segstudio.app.learning.training.train", run.train)
    return run


@pytest.fixture
def training(qtbot: Any, opened: Callable[[], Project], run: Run) -> Training:
    ground = ground_of(opened())
    return Training(ground, Documents(ground), None)  # type: ignore[arg-type]


def test_stop_ends_a_run_with_its_result(qtbot: Any, training: Training, run: Run) -> None:
    seen = Seen(training)
    training.start(max_steps=5, seed=7)
    training.start()  # one at a time
    qtbot.waitUntil(lambda: len(seen.events) > 2)
    assert seen.events[0] == Stepped(step=1, seconds=0.1, loss=1.0, patches_per_second=8.0, rate=1e-3, memory_mb=0.0)
    training.stop()
    qtbot.waitUntil(lambda: bool(seen.results))
    assert seen.results[0].version == "v1"
    assert seen.running == [True, False]
    assert run.choices == [Choices(max_steps=5, seed=7)]


def test_an_option_that_train_has_not_is_an_error_at_the_call(training: Training) -> None:
    with pytest.raises(TypeError, match="epochs"):
        training.start(epochs=3)
    assert not training.running


def test_a_file_of_options_and_a_file_of_events_are_taken_as_by_the_command(
    qtbot: Any, training: Training, run: Run, tmp_path: Path
) -> None:
    seen = Seen(training)
    (tmp_path / "run.toml").write_text('max_steps = 9\nseed = 3\nbase = "imagenet"\n')
    events = tmp_path / "events.jsonl"
    training.start(config=tmp_path / "run.toml", events=str(events), seed=4, base=None)
    qtbot.waitUntil(lambda: len(seen.events) > 1)
    training.stop()
    qtbot.waitUntil(lambda: bool(seen.results))
    assert run.choices == [Choices(max_steps=9, seed=4, base="imagenet")]
    assert [json.loads(line) for line in events.read_text().splitlines()] == msgspec.to_builtins(seen.events)


@pytest.mark.parametrize("options", [{"seed": -1}, {"device": "tpu"}, {"max_steps": "many"}, {"config": "gone.toml"}])
def test_a_value_that_is_none_is_one_sentence_and_no_run(training: Training, options: dict[str, Any]) -> None:
    seen = Seen(training)
    training.start(**options)
    assert not training.running
    assert len(seen.failures) == 1


def test_a_run_that_fails_says_why_once_and_another_may_begin(qtbot: Any, training: Training, run: Run) -> None:
    seen = Seen(training)
    run.error = NotEnoughLabels("Two classes need known pixels.")
    run.gate.set()
    training.start()
    qtbot.waitUntil(lambda: bool(seen.failures))
    assert [(told.job, told.sentence) for told in seen.failures] == [("train", "Two classes need known pixels.")]
    assert seen.results == []
    run.error = None
    training.start()
    qtbot.waitUntil(lambda: bool(seen.results))


def test_what_a_run_warns_of_is_said_in_the_window(qtbot: Any, training: Training, run: Run) -> None:
    seen = Seen(training)
    run.warnings = [Warned(step=0, seconds=0.0, sentence=f"Image {i} cannot be read.") for i in (1, 2)]
    run.gate.set()
    training.start()
    qtbot.waitUntil(lambda: bool(seen.results))
    assert seen.heard.words == ["Image 1 cannot be read.", "Image 2 cannot be read."]
    assert not seen.failures


def test_closing_drops_the_run_and_what_it_would_still_say(qtbot: Any, training: Training, run: Run) -> None:
    seen = Seen(training)
    training.start()
    qtbot.waitUntil(lambda: bool(seen.events))
    ground = training._ground
    ground.jobs.cancel_all(ground.main)
    ground.jobs.wait_all(ground.main, lambda: 5)
    before = len(seen.events)
    qtbot.wait(30)
    assert run.closed
    assert len(seen.events) == before
    assert seen.results == []
