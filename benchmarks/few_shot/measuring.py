"""The plan that the program makes, and how long its steps take here: the engine's own job, in this process."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import msgspec

from few_shot import plain
from few_shot.free_machine import Rates, Took
from few_shot.sets import Pair
from segstudio.engine.project_data import ProjectData
from segstudio.engine.protocol import RunEvent, RunPlanned, Train
from segstudio.engine.sources import Sources
from segstudio.engine.training import Stopping, train_job
from segstudio.engine.workshop import Workshop
from segstudio.runs import Choices, Evaluated, Finished, Plan, Stepped
from segstudio.store.project import Project

__all__ = ["held_out_px", "measured_rates", "plan_for"]

_WATCHED_PX = 1 << 20
"""Held-out pixels that a run measures at most."""
_DECODER_STEPS, _LATE_STEPS, _WHOLE_STEPS, _PLAIN_STEPS = 16, 6, 6, 6
_MEASURED_AFTER = 8


def plan_for(project: Project, choices: Choices) -> Plan:
    """The plan that the program makes for these choices."""
    with _shop(project) as shop:
        job = train_job(shop, Train(run="", version="", choices=choices), Stopping())
        plan = next(message.plan for message in job if isinstance(message, RunPlanned))
        job.close()
    return plan


def held_out_px(project: Project, plan: Plan) -> int:
    """How many pixels a measurement looks at, as if all were labelled."""
    size = {int(row.id): row.planes for row in project.images()}
    planes = [size[p.image][p.plane] for p in plan.planes if p.part == "held-out"]
    return min(sum(w * h for w, h in planes or [(b.w, b.h) for b in plan.blocks]), _WATCHED_PX)


def measured_rates(
    project: Project,
    pairs: list[Pair],
    name: str,
    machine: dict[str, object],
    clock: Callable[[], float],
    known: Took | None = None,
) -> Rates:
    """How long steps take here, on the labelled images of a project, which are `pairs` of the set `name`; the plain
    recipe's are `known` if they were measured before.

    `clock` is `time.perf_counter` where nothing else runs. Elsewhere it is `time.thread_time`, the processor time of
    the thread that makes the steps: what it does alone, and its share of what all threads do together.
    """
    plan = plan_for(project, Choices(max_seconds=60.0))
    steps, measuring = _timed(project, plan, _DECODER_STEPS, _LATE_STEPS, clock)
    recipe = msgspec.structs.replace(plan.recipe, late_stages=False)
    whole, _ = _timed(project, msgspec.structs.replace(plan, recipe=recipe), 2, _WHOLE_STEPS, clock)
    return Rates(
        first=Took.of(steps[:1]),
        decoder=Took.of(steps[1:_DECODER_STEPS]),
        late=Took.of(steps[_DECODER_STEPS:]),
        whole=Took.of(whole[2:]),
        plain=known or Took.of(plain.step_seconds(pairs, len(plan.classes), _PLAIN_STEPS, clock)),
        measure_s=round(measuring / held_out_px(project, plan) * 1e6, 3),
        precision=plan.recipe.precision,
        threads=plan.threads,
        clock="wall" if clock is time.perf_counter else "processor",
        date=date.today().isoformat(),
        measured_on=name,
        machine=machine,
    )


def _timed(
    project: Project, plan: Plan, decoder: int, late: int, clock: Callable[[], float]
) -> tuple[list[float], float]:
    """Seconds of each step of a run that opens the encoder after so many steps, and of one measurement."""
    steps = decoder + late
    plan = msgspec.structs.replace(
        plan,
        steps=steps,
        opened_at=decoder,
        decay_at=steps - 1,
        decay=(0.05,),
        stopped_at=steps,
        max_seconds=None,
        evaluate_every=_MEASURED_AFTER,
    )
    took, measuring = [], 0.0
    with _shop(project) as shop:
        begun = clock()
        for message in train_job(shop, Train(run="", version="", choices=Choices(), plan=plan), Stopping()):
            event = message.event if isinstance(message, RunEvent) else None
            if isinstance(event, Finished):
                break
            if isinstance(event, Stepped):
                took.append(clock() - begun)
            elif isinstance(event, Evaluated):
                measuring = measuring or clock() - begun
            if event is not None:
                begun = clock()
    return took, measuring


@contextmanager
def _shop(project: Project) -> Iterator[Workshop]:
    sources = Sources()
    try:
        yield Workshop(lambda: ProjectData(project, sources))
    finally:
        sources.close()
