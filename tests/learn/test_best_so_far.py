"""From ten held-out groups on, a run keeps the weights that were best on the half it watches."""

from collections.abc import Iterator

import msgspec
import pytest
import torch
from safetensors.torch import load as parse_safetensors

from segstudio.engine.protocol import Blob, RunEvent, RunPlanned, Train, Trained
from segstudio.engine.training import Stopping, train_job
from segstudio.engine.workshop import Workshop
from segstudio.errors import WeightsDamaged
from segstudio.learn.best import BestSoFar
from segstudio.learn.data import Part
from segstudio.learn.gate import held_out
from segstudio.learn.trainer import Trainer
from segstudio.learn.watched import watched_groups
from segstudio.runs import Choices, Evaluated, Figures, Plan, Stepped
from tests.learn.conftest import MemoryData, blob_data
from tests.learn.helpers import facts_of, tiny_plan, tiny_trainer


def _figures(iou: float) -> Figures:
    return Figures(loss=0.0, mean_iou=iou, iou={})


def _evaluated(step: int, iou: float) -> Evaluated:
    return Evaluated(step=step, seconds=0.0, held_out=_figures(iou))


def _stepped(step: int) -> Stepped:
    return Stepped(step=step, seconds=0.0, loss=0.0, patches_per_second=0.0, rate=0.0, memory_mb=0.0)


def _filled(trainer: Trainer, value: float) -> None:
    for parameter in trainer.averaged.parameters():
        parameter.data.fill_(value)


def _weight(trainer: Trainer) -> float:
    return float(next(trainer.averaged.parameters()).flatten()[0])


def _run(best: BestSoFar, trainer: Trainer, ious: list[float]) -> None:
    """A run whose average is all 1 when first measured, then all 2 ..."""
    for step, iou in enumerate(ious, 1):
        _filled(trainer, step)
        best.see(_evaluated(step, iou))


def _settle(best: BestSoFar, last: float) -> None:
    for _ in best.settled(lambda _net: iter([None, _figures(last)])):
        pass


@pytest.fixture
def trainer() -> Trainer:
    return tiny_trainer(tiny_plan(blob_data(), max_steps=9))


def test_the_best_average_is_kept_where_the_last_one_is_worse(trainer: Trainer):
    best = BestSoFar(trainer, watches=True, follows=False)
    _run(best, trainer, [0.3, 0.6, 0.5])
    _settle(best, 0.55)
    assert (_weight(trainer), trainer.plan.kept_at) == (2.0, 2)


def test_the_last_average_is_kept_where_none_was_better(trainer: Trainer):
    best = BestSoFar(trainer, watches=True, follows=False)
    _run(best, trainer, [0.3, 0.6, 0.5])
    _settle(best, 0.6)
    assert (_weight(trainer), trainer.plan.kept_at) == (3.0, None)


def test_below_ten_groups_it_is_the_last_one_whatever_was_measured(trainer: Trainer):
    best = BestSoFar(trainer, watches=False, follows=False)
    _run(best, trainer, [0.9, 0.1])
    _settle(best, 0.1)
    assert (_weight(trainer), trainer.plan.kept_at) == (2.0, None)


def test_a_repeated_plan_keeps_the_same_step_whatever_it_measures(trainer: Trainer):
    trainer.plan = msgspec.structs.replace(trainer.plan, kept_at=2)
    best = BestSoFar(trainer, watches=True, follows=True)
    for step in (1, 2, 3):
        _filled(trainer, step)
        best.see(_stepped(step))
        best.see(_evaluated(step, step / 10))
    _settle(best, 0.9)
    assert (_weight(trainer), trainer.plan.kept_at) == (2.0, 2)


def test_a_checkpoint_carries_the_best_so_far(trainer: Trainer):
    best = BestSoFar(trainer, watches=True, follows=False)
    _run(best, trainer, [0.3, 0.6, 0.5])
    saved = trainer.snapshot(best.tensors)
    resumed = tiny_trainer(trainer.plan)
    resumed.restore(saved)
    again = BestSoFar(resumed, watches=True, follows=False)
    again.restore(saved)
    assert (_weight(resumed), resumed.plan.kept_at) == (3.0, 2)
    again.see(_evaluated(4, 0.55))
    _settle(again, 0.5)
    assert (_weight(resumed), resumed.plan.kept_at) == (2.0, 2)


def test_a_checkpoint_that_is_none_is_told(trainer: Trainer):
    with pytest.raises(WeightsDamaged, match="checkpoint of this run cannot be read"):
        BestSoFar(trainer, watches=True, follows=False).restore(b"nothing of the kind")


def test_a_run_that_began_again_without_its_best_keeps_the_last_average(trainer: Trainer):
    trainer.plan = msgspec.structs.replace(trainer.plan, kept_at=2)
    best = BestSoFar(trainer, watches=True, follows=False)
    _filled(trainer, 7)
    _settle(best, 0.1)
    assert (_weight(trainer), trainer.plan.kept_at) == (7.0, None)


def test_half_of_ten_groups_is_watched_and_a_new_group_moves_one_other_at_most():
    def watched(n: int) -> frozenset[str]:
        return frozenset(watched_groups(facts_of(_many_groups(n))))

    assert watched(9) == frozenset()
    assert [len(watched(n)) for n in (10, 11, 12)] == [5, 5, 6]
    for n in range(10, 16):
        new = f"{n + 4}.png"
        assert len((watched(n) ^ watched(n + 1)) - {new}) <= 1


def test_the_gate_judges_by_no_group_that_chose_the_step_also_where_another_is_labelled_meanwhile():
    for n in range(10, 16):
        plan, later = tiny_plan(_many_groups(n)), facts_of(_many_groups(n + 1))
        watching, judging = ({t.entry.group for t in held_out(later, plan, watched=w).tiles} for w in (True, False))
        assert watching == set(plan.watched)
        assert judging == {e.group for e in later.planes if e.part is Part.HELD_OUT} - watching


def _many_groups(n: int = 10) -> MemoryData:
    """Three groups that train and n that are held out."""
    data = blob_data(n + 3, side=64)
    data.parts = dict.fromkeys(range(4, n + 4), Part.HELD_OUT)
    return data


def _sent(data: MemoryData, plan: Plan | None = None) -> list[object]:
    chosen = Choices(network="tiny", base="scratch", device="cpu", max_steps=12)
    request = Train(id=1, run="r1", version="v1", choices=chosen, plan=plan)
    return list(train_job(Workshop(lambda: data), request, Stopping()))


def _weights(sent: list[object]) -> list[bytes]:
    """The tensors of the version, by name: the order of a file's facts is not the same twice."""
    file = b"".join(found.data for found in sent if isinstance(found, Blob) and found.kind == "weights")
    return [tensor.numpy().tobytes() for _name, tensor in sorted(parse_safetensors(file).items())]


def test_a_whole_run_keeps_its_best_and_its_plan_gives_the_same_weights_again(monkeypatch: pytest.MonkeyPatch):
    good = iter([0.2, 0.8, 0.4, 0.3, 0.1, 0.1])

    def measure(*_: object) -> Iterator[Figures | None]:
        yield None
        yield _figures(next(good))

    with monkeypatch.context() as patch:
        patch.setattr("segstudio.engine.training.measure", measure)
        first = _sent(_many_groups())
    plan = [found.plan for found in first if isinstance(found, RunPlanned)][-1]
    steps = [e.event.step for e in first if isinstance(e, RunEvent) and isinstance(e.event, Evaluated)]
    assert plan.kept_at == steps[1]
    assert any(isinstance(found, Trained) for found in first)
    again = _sent(_many_groups(), plan)  # measured for real this time: it keeps what the plan says
    assert _weights(again) == _weights(first)
    other = _sent(_many_groups(), msgspec.structs.replace(plan, kept_at=None))
    assert _weights(other) != _weights(first)


def test_what_is_kept_is_a_copy(trainer: Trainer):
    best = BestSoFar(trainer, watches=True, follows=False)
    _run(best, trainer, [0.5])
    with torch.no_grad():
        _filled(trainer, 9)
    _settle(best, 0.1)
    assert _weight(trainer) == 1.0
