"""The simulated annotator on pictures of discs, with the tiny network."""

import json
from pathlib import Path

import numpy as np
import pytest

from segstudio.labels.model import Origin
from segstudio.runs import Choices
from tests.learn.conftest import blobs


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))


RATES = {"run_steps_s": 1.0, "whole_steps_s": 1.0, "instant_s": 1.0, "proposal_s": 0.5, "around_run_s": 2.0}


def _pictures(n: int, side: int = 96) -> list:
    from in_memory import Picture

    drawn = [blobs(i, side) for i in range(n)]
    return [Picture(f"{i}", f"{i}", pixels, ids.astype(np.int64) - 1) for i, (pixels, ids) in enumerate(drawn)]


def _world(who: str, *, others: int = 3, fixed: int = 2, seconds: float = 60.0):
    from annotator.clock import Timeline
    from annotator.learners import Product, Rates, RootPainter
    from in_memory import InMemory
    from simulated_annotator import World

    data, clock, rates = InMemory(_pictures(others + fixed), ["ground", "disc"]), Timeline(), Rates(**RATES)
    if who == "product":
        tiny = Choices(network="tiny", base="scratch", device="cpu")
        learner = Product(data, clock, rates, 0, seconds=10, choices=tiny)
    else:
        learner = RootPainter(data, clock, rates, 0, unpainted=who == "background", network="tiny")
    return World(data, clock, rates, learner, others, seconds)


def test_the_person_corrects_all_that_is_wrong_and_never_sees_the_fixed_pictures():
    world = _world("masked", seconds=30.0)
    next(world.pictures())
    ids, origins = world.data.labels(0, 0, world.data.planes()[0].bounds)
    truth = world.data.pictures[0].truth
    painted = origins == Origin.PAINTED
    assert painted.mean() > 0.9  # nothing was proposed yet, and specks are left
    assert (ids[painted] - 1 == truth[painted]).all()
    for _ in world.pictures():
        pass
    assert set(world.data.given) <= {0, 1, 2}


def test_what_nobody_painted_is_background_or_teaches_nothing():
    for who, known in (("background", 1.0), ("masked", 0.5)):
        world = _world(who)
        world.data.label(0, np.arange(96)[:, None] * np.ones(96) < 48, world.data.pictures[0].truth, Origin.PAINTED)
        world.who.finished(0, world.who.proposal(0))
        ids, _ = world.data.labels(0, 0, world.data.planes()[0].bounds)
        assert (ids > 0).mean() == pytest.approx(known)
        assert set(np.unique(ids[48:])) == ({1} if who == "background" else {0})


def test_rootpainter_learns_as_many_steps_as_its_time_has():
    world = _world("masked", seconds=40.0)
    for _ in world.pictures():
        pass
    first = world.clock.now - world.who.step  # a step a second from the first finished picture on
    assert world.who.step > 10
    assert first > 1.5
    assert [at for at, _iou in world.curve] == sorted(at for at, _iou in world.curve)


def test_a_run_of_the_program_counts_when_the_clock_says_so():
    world = _world("product", seconds=1e9)
    for image in (0, 1, 2):
        truth = world.data.pictures[image].truth
        world.data.label(image, truth >= 0, truth, Origin.PAINTED)
        world.data.finish(image)
    who = world.who
    assert not who.advance()
    assert who.run is not None
    assert who.run.ends == pytest.approx(12.0)
    assert "v1" not in world.data.versions
    world.clock.now = 12.5
    who.advance()
    assert "v1" in world.data.versions
    assert who.verdicts[0][:2] == (12.0, "v1")
    assert who.run.ends == pytest.approx(12.5 + 20 + 2)  # nothing new was labelled: twice as long


def test_what_was_right_of_a_proposal_is_accepted():
    world = _world("product")
    shown = np.ones((96, 96), np.int64)
    world.data.label(0, np.eye(96, dtype=np.bool_), np.zeros((96, 96), np.int64), Origin.PAINTED)
    world.who.finished(0, shown)
    ids, origins = world.data.labels(0, 0, world.data.planes()[0].bounds)
    assert (np.diag(ids) == 1).all()
    assert (ids[~np.eye(96, dtype=np.bool_)] == 2).all()
    assert set(np.unique(origins)) == {Origin.PAINTED, Origin.ACCEPTED}
    assert world.data.planes()[0].finished


def test_a_row_that_was_broken_off_ends_as_one_that_was_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import simulated_annotator
    from simulated_annotator import go_on, kept, simulated

    monkeypatch.setattr(simulated_annotator, "GOALS", (0.8, 2.0))  # discs are easy: the time is not cut short
    whole = simulated(_world("masked", seconds=25.0), None)
    cut = _world("masked", seconds=25.0)
    steps = cut.pictures()
    next(steps)
    next(steps)
    resumed = _world("masked", seconds=25.0)
    go_on(resumed, kept(cut))
    assert simulated(resumed, tmp_path / "row.begun") == whole
    assert (tmp_path / "row.begun").exists()


def test_a_run_that_is_under_way_goes_on_after_a_break():
    from annotator.learners import _Run
    from simulated_annotator import go_on, kept

    cut = _world("product")
    cut.data.label(0, np.ones((96, 96), np.bool_), cut.data.pictures[0].truth, Origin.PAINTED)
    cut.data.versions["v1"] = (b"weights", {"train_groups": ["0"], "learned": [], "steps": 10})
    cut.data.current = cut.data.promoted = "v1"
    cut.who.run = _Run(30.0, "v2", "v2", True, b"more", {"train_groups": ["0"], "learned": [], "steps": 20})
    cut.who.number, cut.who.verdicts, cut.at = 2, [(12.0, "v1", True)], 1
    cut.clock.now, cut.clock.free_at = 20.0, 30.0
    again = _world("product")
    go_on(again, kept(cut))
    assert again.who.run == cut.who.run
    assert (again.who.number, again.who.verdicts, again.at) == (2, [(12.0, "v1", True)], 1)
    assert (again.clock.now, again.clock.free_at) == (20.0, 30.0)
    assert (again.data.current, again.data.versions, again.data.seq) == ("v1", cut.data.versions, cut.data.seq)
    bounds = again.data.planes()[0].bounds
    assert (again.data.labels(0, 0, bounds)[0] == cut.data.labels(0, 0, bounds)[0]).all()


def test_minutes_are_those_of_the_first_time_and_the_most_where_it_never_comes():
    from simulated_annotator import minutes_to

    curve = [(30.0, 0.5), (90.0, 0.82), (120.0, 0.79), (600.0, 0.9)]
    assert [minutes_to(curve, goal, 30) for goal in (0.8, 0.9, 0.95)] == [1.5, 10.0, 30]


def test_the_table_compares_with_the_better_of_the_others(tmp_path: Path):
    from simulated_annotator import table

    rows = tmp_path / "rows.jsonl"
    minutes = {"product": (2.0, 5.0), "background": (10.0, 30.0), "masked": (8.0, 20.0)}
    with rows.open("w") as file:
        for who, (low, high) in minutes.items():
            row = {"benchmark": "simulated_annotator", "set": "a", "contender": who, "seed": 0}
            file.write(json.dumps(row | {"minutes_to_0.80": low, "minutes_to_0.90": high}) + "\n")
    text = table(rows)
    assert "| a | 0.80 | 1 | 2.0 | 10.0 | 8.0 | 0.25 |" in text
    assert "| a | 0.90 | 1 | 5.0 | 30.0 | 20.0 | 0.25 |" in text


def test_quarters_of_few_pictures_stay_on_one_side():
    from in_memory import split_by_group

    quarters = [q for picture in _pictures(8) for q in picture.quarters()]
    fixed, others = split_by_group(quarters, 16, np.random.default_rng(0))
    assert (len(fixed), len(others)) == (16, 16)
    assert not {p.group for p in fixed} & {p.group for p in others}
    assert {p.truth.shape for p in quarters} == {(48, 48)}


def test_the_loss_wants_the_truth_and_knows_no_unpainted_pixel():
    import torch
    from annotator.learners import rootpainter_loss

    labels = torch.tensor([[[0, 1, -1]]])
    right = torch.tensor([[[[9.0, -9.0, 5.0]], [[-9.0, 9.0, -5.0]]]])
    other = right.clone()
    other[..., 2] = -other[..., 2]
    assert rootpainter_loss(right, labels) < 0.01
    assert rootpainter_loss(-right, labels) > 1
    assert float(rootpainter_loss(right, labels)) == pytest.approx(float(rootpainter_loss(other, labels)))


def test_the_base_has_not_seen_what_it_is_measured_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import simulated_annotator

    folder = tmp_path / "nuclei_tissue"
    (folder / "images").mkdir(parents=True)
    for i in range(56):
        (folder / "images" / f"{i:02}.png").touch()
    card = {
        "domain": "d",
        "kind": "instance",
        "classes": [{"value": 0, "name": "background"}, {"value": 1, "name": "nucleus"}],
        "licence": {"name": "CC0-1.0"},
        "source": {"repository": "r"},
        "channels": 3,
    }
    (folder / "card.json").write_text(json.dumps(card))
    found = simulated_annotator.untrained(tmp_path, "nuclei_tissue")
    assert len(found) == 8
    assert found == simulated_annotator.untrained(tmp_path, "nuclei_tissue")
