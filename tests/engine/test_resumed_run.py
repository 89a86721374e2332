"""A run that has ended is resumed: from its version, as it learned before, for what was left of its time."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segstudio.engine.client import EngineClient
from segstudio.engine.project_data import ProjectData
from segstudio.engine.sources import Sources
from segstudio.errors import UserError
from segstudio.learn.clocked import is_low
from segstudio.learn.plan import continued
from segstudio.learn.schedules import CLOCKED
from segstudio.runs import Choices, Event, Plan, Started, Stepped, TrainResult, Warned
from segstudio.store.project import Project
from segstudio.tasks.learning.interrupted import traces_of
from segstudio.tasks.learning.resuming import Ended, ended_run
from segstudio.tasks.learning.train import train
from tests.engine.conftest import label, new_project
from tests.learn.conftest import blob_data
from tests.learn.helpers import tiny_plan

TINY = Choices(network="tiny", base="scratch", max_steps=4000)


def _run(steps: Any) -> tuple[list[Event], TrainResult]:
    events: list[Event] = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


def _stopped(project: Project, engine: EngineClient, at: int = 8) -> tuple[str, TrainResult]:
    """A run that a person stopped; its name and result."""
    stepped: list[int] = []

    def noted() -> Generator[Event, None, TrainResult]:
        steps = train(project, engine, TINY, stop=lambda: len(stepped) >= at)
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                return end.value
            if isinstance(event, Stepped):
                stepped.append(event.step)
            yield event

    _events, result = _run(noted())
    return project.runs()[-1].name, result


def _plan_of(project: Project, run: str) -> Plan:
    plan = traces_of(project.path / "runs" / run).plan
    assert plan is not None
    return plan


@pytest.mark.engine
def test_a_stopped_run_goes_on_from_its_version_with_the_steps_it_had_left(
    engine: EngineClient, discs_project: Project
) -> None:
    run, first = _stopped(discs_project, engine)
    assert 8 <= first.steps < 4000
    ended = ended_run(discs_project)
    assert (ended.run, ended.version) == (run, first.version)
    assert ended.choices.max_steps == 4000 - first.steps
    choices = msgspec.structs.replace(ended.choices, max_steps=30)
    events, second = _run(train(discs_project, engine, choices, after=ended))
    said = [event.sentence for event in events if isinstance(event, Warned)]
    assert said == [f"Run {run} is resumed from its version {first.version}."]
    assert next(event for event in events if isinstance(event, Started)).parent == first.version
    plan, earlier = _plan_of(discs_project, discs_project.runs()[-1].name), _plan_of(discs_project, run)
    assert (plan.base, plan.steps_before, plan.seed) == (first.version, first.steps, earlier.seed + 1)
    assert plan.recipe.encoder_factor == earlier.recipe.encoder_factor == 1.0  # a version's own would be a tenth
    rates = [event.rate / plan.recipe.rate for event in events if isinstance(event, Stepped)]
    assert rates[0] < max(rates) == 1.0
    assert is_low(plan, second.steps)
    card = msgspec.json.decode((discs_project.path / "models" / f"{second.version}.json").read_bytes())
    assert (card["base"], card["steps_before"]) == (first.version, first.steps)


def _ended_with(project: Project, engine: EngineClient) -> Ended:
    _stopped(project, engine, at=2)
    return ended_run(project)


@pytest.mark.engine
def test_what_cannot_be_resumed_is_said_in_a_sentence(engine: EngineClient, discs_project: Project) -> None:
    with pytest.raises(UserError, match="No run has been made"):
        ended_run(discs_project, "r9999")
    ended = _ended_with(discs_project, engine)
    (discs_project.path / "models" / f"{ended.version}.safetensors").unlink()
    with pytest.raises(UserError, match=f"weights of {ended.version} are no longer there"):
        ended_run(discs_project)
    (discs_project.path / "runs" / ended.run / "plan.json").write_bytes(b"{")
    with pytest.raises(UserError, match=f"plan of run {ended.run} cannot be read"):
        ended_run(discs_project)


@pytest.mark.engine
def test_a_run_with_nothing_left_is_resumed_for_as_long_as_usual(engine: EngineClient, discs_project: Project) -> None:
    _run(train(discs_project, engine, Choices(network="tiny", base="scratch", max_steps=4)))
    choices = ended_run(discs_project).choices
    assert (choices.max_seconds, choices.max_steps) == (None, None)


@pytest.mark.engine
def test_a_run_resumed_again_and_again_never_becomes_a_first_try(tmp_path: Path) -> None:
    project, truths = new_project(tmp_path, 4)
    before: list[int] = []
    with project, EngineClient(project.path) as engine:
        for row, truth in zip(project.images(), truths, strict=True):
            label(project, row.id, truth)
        for run in range(3):
            after = ended_run(project) if run else None
            choices = TINY if after is None else after.choices
            _run(train(project, engine, msgspec.structs.replace(choices, max_steps=4), after=after))
            plan = _plan_of(project, project.runs()[-1].name)
            assert plan.steps_before == 4 * run
            before.append(ProjectData(project, Sources()).tries(plan.planes, plan.steps_before + 8))
    assert before == [1, 1, 2]  # the next has 8, 12, 16 steps in all; those before it 4, 8, 12


def _long(**changed: Any) -> Plan:
    plan = tiny_plan(blob_data(4), max_seconds=1000.0)
    recipe = msgspec.structs.replace(plan.recipe, encoder_opens=0.25, pool_patches=8, fits_head=True)
    return msgspec.structs.replace(plan, recipe=recipe, steps=100, **changed)


def test_an_encoder_that_had_begun_to_learn_goes_on_and_another_opens_where_it_would_have() -> None:
    rest = tiny_plan(blob_data(4), max_seconds=900.0)
    opened = continued(rest, _long(opened_at=25, stopped_at=40))
    assert (opened.recipe.encoder_opens, opened.recipe.fits_head, opened.steps_before) == (0.0, False, 40)
    closed = continued(rest, _long(stopped_at=10))
    assert closed.recipe.encoder_opens * 900 == pytest.approx(150)  # 250 s of 1000, of which 100 are over
    again = continued(tiny_plan(blob_data(4), max_seconds=1000.0), _long(steps_before=7))
    assert (again.recipe.encoder_opens, again.steps_before) == (0.25, 107)
    assert rest.recipe.schedule == opened.recipe.schedule == CLOCKED
