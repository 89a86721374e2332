"""What is painted while a run is under way, on a data set in memory whose labels move on."""

from collections.abc import Generator
from dataclasses import replace

import numpy as np
import pytest

from segstudio.engine import corrections
from segstudio.engine.corrections import Corrections
from segstudio.engine.protocol import RunEvent, Train, Trained
from segstudio.engine.training import Stopping, train_job
from segstudio.engine.workshop import Workshop
from segstudio.learn.data import ClassEntry
from segstudio.learn.facts import Facts, survey
from segstudio.learn.trainer import Trainer
from segstudio.runs import Choices, Stepped, Warned
from tests.learn.conftest import BACKGROUND, MemoryData, blob_data
from tests.learn.helpers import facts_of, tiny_plan, tiny_trainer


class Moving(MemoryData):
    """Labels of an edit; `now` is the newest one."""

    edit = 1
    now = 1

    def last_edit(self) -> int:
        return self.edit

    def newest_edit(self) -> int:
        return type(self).now


class Hand:
    """Paints while a run is under way; `seen` counts the views that were taken."""

    def __init__(self) -> None:
        plain = blob_data(4)
        Moving.now = 1
        self.data = Moving(plain.pictures, plain.ids, plain.origins, plain.parts)
        self.time = self.survey_s = 0.0
        self.seen = 0
        self.shop = Workshop(self._view)

    def _view(self) -> Moving:
        self.seen += 1
        return self.view()

    def view(self) -> Moving:
        view = replace(self.data, ids=dict(self.data.ids), seqs=dict(self.data.seqs))
        view.edit = Moving.now
        return view

    def paint(self, image: int, class_id: int) -> None:
        Moving.now += 1
        self.data.ids[image] = np.full_like(self.data.ids[image], class_id)
        self.data.seqs[image] = Moving.now

    def corrections(self, trainer: Trainer, *, picks_up: bool = True) -> Corrections:
        data = self.view()
        return Corrections(
            self.shop,
            facts_of(data),
            data,
            trainer,
            self._surveyed,
            picks_up=picks_up,
            now=lambda: self.time,
        )

    def _surveyed(self, data: MemoryData) -> Generator[None, None, Facts]:
        yield None
        self.time += self.survey_s
        yield None
        return next(found for found in survey(data) if isinstance(found, Facts))


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def trainer(hand: Hand) -> Trainer:
    return tiny_trainer(tiny_plan(hand.data, max_steps=9))


def _look(source: Corrections) -> None:
    for _ in source.look():
        pass


def test_what_was_painted_since_is_learned_from_and_stands_in_the_plan(hand: Hand, trainer: Trainer):
    source = hand.corrections(trainer)
    assert (source.batch(3).labels == 1).any()
    for image in (1, 2, 3):
        hand.paint(image, BACKGROUND)
    trainer.step = 5
    hand.time = 6.0
    _look(source)
    assert trainer.plan.picked_up == ((5, 4),)
    assert [p.seq for p in trainer.plan.planes] == [2, 3, 4, 4]
    assert set(np.unique(source.batch(3).labels)) <= {-1, 0}
    assert source.facts.last_edit == source.data.last_edit() == 4


def test_it_looks_only_now_and_then_and_takes_nothing_where_nothing_was_painted(hand: Hand, trainer: Trainer):
    source = hand.corrections(trainer)
    hand.paint(1, BACKGROUND)
    hand.time = 4.0
    _look(source)
    assert hand.seen == 0
    hand.time = 5.0
    _look(source)
    assert hand.seen == 1
    hand.time = 20.0
    _look(source)
    assert (hand.seen, len(trainer.plan.picked_up)) == (1, 1)


def test_the_pause_counts_its_own_time_and_not_that_of_others_between_its_steps(hand: Hand, trainer: Trainer):
    source = hand.corrections(trainer)
    hand.paint(1, BACKGROUND)
    hand.time, hand.survey_s = 5.0, 0.5
    for _ in source.look():
        hand.time += 30.0  # a proposal for the image on screen
    assert hand.time == 65.5  # two steps of others, one of its own
    hand.survey_s = 0.0
    for later, seen in ((9.0, 1), (11.0, 2)):  # a pause of twenty times half a second
        hand.paint(1, BACKGROUND)
        hand.time = 65.5 + later
        _look(source)
        assert hand.seen == seen


def test_a_run_that_was_not_asked_to_does_not_look(hand: Hand, trainer: Trainer):
    source = hand.corrections(trainer, picks_up=False)
    hand.paint(1, BACKGROUND)
    hand.time = 99.0
    _look(source)
    assert (hand.seen, trainer.plan.picked_up) == (0, ())


def test_a_class_that_was_removed_ends_the_run_without_a_survey(hand: Hand, trainer: Trainer):
    source = hand.corrections(trainer)
    hand.data.entries = (ClassEntry(BACKGROUND, "background", True, False),)
    hand.paint(1, BACKGROUND)
    for hand.time in (6.0, 40.0, 80.0):
        assert list(source.look()) == []
    assert hand.seen == 1
    assert source.gone == ("blob",)
    assert trainer.plan.picked_up == ()
    assert (source.batch(3).labels == 1).any()  # until it ends


def test_labels_that_are_all_gone_leave_the_run_with_what_it_has(hand: Hand, trainer: Trainer):
    source = hand.corrections(trainer)
    for image in (1, 2, 3):
        hand.paint(image, 0)
    hand.time = 6.0
    _look(source)
    assert trainer.plan.picked_up == ()
    assert (source.batch(3).labels >= 0).any()


def test_a_group_that_is_new_neither_trains_nor_is_held_out_before_the_next_run(hand: Hand, trainer: Trainer):
    source = hand.corrections(trainer)
    hand.data.pictures[5] = hand.data.pictures[1]
    hand.data.origins[5] = hand.data.origins[1]
    hand.data.ids[5] = hand.data.ids[1]
    hand.paint(5, BACKGROUND)
    hand.paint(1, BACKGROUND)
    hand.time = 6.0
    _look(source)
    assert len(trainer.plan.picked_up) == 1
    assert [p.image for p in trainer.plan.planes] == [1, 2, 3, 4]
    assert [entry.image for entry in source.facts.planes] == [1, 2, 3, 4]
    assert len(source.facts.cells) == len(source.facts.known) == 4


def test_a_run_that_goes_on_from_a_checkpoint_says_that_it_learns_newer_labels(hand: Hand, trainer: Trainer):
    hand.paint(1, BACKGROUND)
    trainer.step = 4
    hand.corrections(trainer)
    assert trainer.plan.picked_up == ((4, 2),)
    assert [p.seq for p in trainer.plan.planes] == [2, 2, 3, 4]


def test_labels_that_were_refused_are_not_looked_at_again(hand: Hand, trainer: Trainer):
    source = hand.corrections(trainer)
    for image in (1, 2, 3):
        hand.paint(image, 0)
    for hand.time in (6.0, 40.0, 80.0):
        _look(source)
    assert hand.seen == 1


def test_a_run_one_of_whose_classes_is_removed_says_so_once_and_its_result_is_kept(at_once: None):
    hand = Hand()
    chosen = Choices(network="tiny", base="scratch", device="cpu", max_steps=200)
    request = Train(id=1, run="r1", version="v1", choices=chosen, picks_up=True)
    said: list[str] = []
    trained: Trained | None = None
    for sent in train_job(hand.shop, request, Stopping()):
        event = sent.event if isinstance(sent, RunEvent) else None
        if isinstance(event, Stepped) and event.step == 3:
            hand.data.entries = (ClassEntry(BACKGROUND, "background", True, False),)
            hand.paint(1, BACKGROUND)
        if isinstance(event, Warned):
            said.append(event.sentence)
        trained = sent if isinstance(sent, Trained) else trained
    assert said == [
        "blob is no longer among the classes, so this run ends. The next one learns the labels as they are now."
    ]
    assert trained is not None
    assert trained.steps < 30


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Newer labels are looked for after every step."""
    monkeypatch.setattr(corrections, "_EVERY_S", 0.0)
    monkeypatch.setattr(corrections, "_LEAST_PAUSES", 0.0)


def test_a_held_out_file_that_goes_bad_after_newer_labels_came_in_is_told(at_once: None):
    """What is watched is read as it was when the run began, also where another view is learned from."""
    hand = Hand()
    views: list[Moving] = []

    def view() -> Moving:
        views.append(hand.view())
        return views[-1]

    chosen = Choices(network="tiny", base="scratch", device="cpu", max_steps=24)
    request = Train(id=1, run="r1", version="v1", choices=chosen, picks_up=True)
    said: list[str] = []
    for sent in train_job(Workshop(view), request, Stopping()):
        event = sent.event if isinstance(sent, RunEvent) else None
        if isinstance(event, Stepped) and event.step == 1:
            hand.paint(1, BACKGROUND)
        if isinstance(event, Stepped) and event.step == 4:
            views[0].damaged = frozenset({4})
        if isinstance(event, Warned):
            said.append(event.sentence)
    assert len(views) > 1
    assert said == ["4.png cannot be read. The run goes on without them."]
