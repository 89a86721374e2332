"""Which precision a device gets, from the time that real steps and windows take."""

from types import SimpleNamespace

import pytest
import torch

from segstudio.errors import UserError
from segstudio.learn import precision
from segstudio.learn.predict import Model
from segstudio.learn.trainer import Trainer

CPU = torch.device("cpu")


class Machine:
    """A clock that stands still but for steps, windows and patches encoded, each as long as said for its precision."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: tuple[float, float], window: tuple[float, float]) -> None:
        self.time = 0.0
        self.busy = 1.0
        self.halves: list[bool] = []

        def work(seconds: tuple[float, float], half: bool) -> None:
            self.halves.append(half)
            self.time += seconds[half]

        def learn(trainer: Trainer, batch: object) -> float:
            work(step, trainer.plan.recipe.precision == "bfloat16")
            return 0.0

        def encoded(trainer: Trainer, batch: object, at: int) -> object:
            self.time += 0.01
            return batch

        monkeypatch.setattr(Trainer, "learn", learn)
        monkeypatch.setattr(Trainer, "encoded", encoded)
        monkeypatch.setattr(Model, "probabilities", lambda model, pixels: work(window, model.bfloat16))
        clocks = SimpleNamespace(perf_counter=lambda: self.time * self.busy, process_time=lambda: self.time)
        monkeypatch.setattr(precision, "time", clocks)
        monkeypatch.setattr(precision, "half_may_pay", lambda device: True)


def _trained(*, pools: bool = False) -> precision.Measured:
    return precision.training(CPU, "unet_lite0" if pools else "tiny", 64, pools=pools)


@pytest.mark.parametrize(("half_s", "pays"), [(0.8, True), (0.9, True), (0.95, False), (1.2, False), (30.0, False)])
def test_half_precision_is_taken_for_steps_that_are_a_tenth_faster(
    monkeypatch: pytest.MonkeyPatch, half_s: float, pays: bool
) -> None:
    Machine(monkeypatch, (1.0, half_s), (1.0, 1.0))
    assert _trained().bfloat16 is pays


@pytest.mark.parametrize(("step", "window"), [((1.0, 0.5), (1.0, 1.0)), ((1.0, 1.0), (1.0, 0.5))])
def test_training_and_predicting_are_judged_apart(
    monkeypatch: pytest.MonkeyPatch, step: tuple[float, float], window: tuple[float, float]
) -> None:
    Machine(monkeypatch, step, window)
    assert _trained().bfloat16 is (step[1] < 1)
    assert precision.predicting(CPU, "tiny").bfloat16 is (window[1] < 1)


def test_the_seconds_are_those_of_a_whole_step_in_the_precision_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, (0.3, 0.2), (1.0, 1.0))
    assert _trained().seconds == pytest.approx(8 * 0.2)  # one patch of eight was tried
    assert _trained(pools=True).seconds == pytest.approx(4 * 0.2 + 0.01)  # two of eight, and a new one is encoded
    machine.busy = 3.0
    assert _trained().seconds == pytest.approx(3 * 8 * 0.2)


def test_half_precision_that_is_emulated_is_given_up_after_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, (0.1, 0.5), (1.0, 1.0))
    assert not _trained().bfloat16
    assert machine.halves.count(True) == 1
    monkeypatch.setattr(precision, "half_may_pay", lambda device: False)
    machine.halves.clear()
    assert not _trained().bfloat16
    assert True not in machine.halves


@pytest.mark.parametrize(
    "error", [MemoryError(), UserError("The GPU has too little memory."), torch.OutOfMemoryError()]
)
def test_too_little_memory_to_measure_means_full_precision(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    Machine(monkeypatch, (1.0, 0.5), (1.0, 0.5))

    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(Trainer, "learn", refuse)
    assert _trained() == precision.Measured(False, 0.0)


def test_other_errors_are_not_taken_for_too_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, (1.0, 0.5), (1.0, 0.5))

    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Trainer, "learn", fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        _trained()


def test_measuring_leaves_the_random_numbers_of_others_alone() -> None:
    torch.manual_seed(4)
    before = torch.get_rng_state()
    assert _trained().seconds > 0
    assert precision.predicting(CPU, "tiny").seconds > 0
    assert torch.equal(torch.get_rng_state(), before)
