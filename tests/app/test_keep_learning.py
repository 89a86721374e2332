"""The owner of learning that goes on, over a real project, with runs that end when they are told to."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from segstudio.app.editing.classes import Classes
from segstudio.app.editing.documents import Documents
from segstudio.app.editing.tools.pointer import Button, Phase
from segstudio.app.learning import keep_learning
from segstudio.app.learning.keep_learning import KeepLearning
from segstudio.app.learning.training import Training
from segstudio.app.viewing import proposals_ahead
from segstudio.app.viewing.proposals_ahead import REACH, ProposalsAhead
from segstudio.errors import EngineDied
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, Seq, Status
from segstudio.labels.paint.objects.locking import locks_changed
from segstudio.runs import Choices, Event, Stepped, TrainResult
from segstudio.store.learning import add_trained, hold_out
from segstudio.store.project import Project
from segstudio.store.values import VersionRow
from segstudio.tasks.learning.predict import PredictProgress, PredictReport, PredictSeconds
from tests.app.proposal_desk import Desk


class Runs:
    """Each run ends when its gate opens or it is stopped, and leaves a version that learned from every edit so far, or
    from those until `picked_up`.
    """

    def __init__(self) -> None:
        self.choices: list[Choices] = []
        self.picks_up: list[bool] = []
        self.gates: list[threading.Event] = []
        self.error: Exception | None = None
        self.picks_up_all = True

    def train(
        self,
        project: Project,
        engine: object,
        choices: Choices,
        *,
        stop: Callable[[], bool],
        picks_up: bool = False,
        **_: object,
    ) -> Generator[Event, None, TrainResult]:
        gate = threading.Event()
        begun, learned = int(project.last_seq()), _card(project)
        self.choices.append(choices)
        self.picks_up.append(picks_up)
        self.gates.append(gate)
        while not stop() and not gate.wait(0.01):
            yield Stepped(step=1, seconds=0.1, loss=1.0, patches_per_second=8.0, rate=1e-3, memory_mb=0.0)
        if self.error is not None:
            raise self.error
        number = len(self.gates)
        seq = int(project.last_seq()) if self.picks_up_all else begun
        row = VersionRow(f"v{number}", number, "deep", "embedded", "", Seq(seq), promoted=True)
        (project.path / "models" / f"{row.name}.json").write_bytes(learned if not self.picks_up_all else _card(project))
        add_trained(project, row, run=None, groups={}, current=row.name, state="done", summary={}).result()
        return TrainResult(row.name, "embedded", True, "better", 1, 1.0, {"parent": None, "child": None})


def _card(project: Project) -> bytes:
    """What a card says of the labels that were learned."""
    digests = project.labels_digests()
    images = [
        {"path": row.path, "plane": 0, "part": row.split, "edit": int(row.last_edit), "labels_sha256": digests[row.id]}
        for row in project.images()
        if row.labelled_pixels
    ]
    return msgspec.json.encode(
        {"data": {"images": images}, "classes": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]}
    )


class Keeping:
    """The owner with those that it stands on."""

    def __init__(self, desk: Desk, runs: Runs) -> None:
        self.desk, self.runs, self.qtbot = desk, runs, desk.qtbot
        documents: Documents = desk.documents
        self.training = Training(desk.ground, documents, None)  # type: ignore[arg-type]
        stands_on = (desk.ground, None, documents, desk.navigation, desk.proposals)
        self.ahead = ProposalsAhead(*stands_on, held=lambda: self.training.running)  # type: ignore[arg-type]
        self.others_wait = False
        self.owner = KeepLearning(
            desk.ground, documents, self.training, desk.proposals, self.ahead, others=lambda: self.others_wait
        )

    def label(self) -> None:
        """Strokes of two classes, on disk."""
        before = len(self.desk.seqs)
        x, y = 10 + 8 * (before % 9), before // 9 * 6
        self.desk.stroke(x, 15 + y)
        self.desk.stroke(x, 50 + y, Button.RIGHT)
        self.qtbot.waitUntil(lambda: len(self.desk.seqs) >= before + 2)

    @contextmanager
    def commits(self, edits: int) -> Iterator[None]:
        """So many edits are made within it, and are on disk after it."""
        before = len(self.desk.seqs)
        yield
        self.qtbot.waitUntil(lambda: len(self.desk.seqs) >= before + edits)

    def begun(self, runs: int) -> None:
        self.qtbot.waitUntil(lambda: len(self.runs.gates) == runs and self.training.running)

    def end(self) -> None:
        self.runs.gates[-1].set()
        self.qtbot.waitUntil(lambda: not self.training.running)

    def rests(self) -> None:
        """Nothing begins for a while."""
        runs = len(self.runs.gates)
        self.qtbot.wait(900)
        assert (len(self.runs.gates), self.training.running) == (runs, False)


@pytest.fixture
def keeping(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keeping]:
    runs = Runs()
    monkeypatch.setattr("segstudio.app.learning.training.train", runs.train)
    monkeypatch.setattr(proposals_ahead, "predict", _predict)
    desk.network.open = True
    found = Keeping(desk, runs)
    desk.proposed()
    yield found
    found.owner.close()
    for gate in runs.gates:
        gate.set()
    found.ahead.close()


def _predict(*_: Any, **__: Any) -> Generator[PredictProgress, None, PredictReport]:
    yield PredictProgress(0, 1)
    return PredictReport(1, 1, 1.0, PredictSeconds(0, 0, 0), "v1")


def test_runs_follow_one_another_while_there_is_something_new(keeping: Keeping) -> None:
    keeping.owner.turn(True)
    keeping.rests()  # nothing is labelled yet
    keeping.label()
    keeping.begun(1)
    assert keeping.runs.choices[0].max_seconds == 60.0
    assert keeping.runs.picks_up == [True]
    keeping.end()
    keeping.rests()  # all of it was learned
    assert keeping.owner.waits
    keeping.label()
    keeping.begun(2)
    assert not keeping.owner.waits


def test_what_has_no_turns_during_a_run_has_some_before_the_next(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.owner.turn(True)
    keeping.label()
    keeping.begun(1)
    keeping.others_wait = True
    keeping.end()
    keeping.label()
    keeping.rests()
    keeping.others_wait = False
    keeping.begun(2)
    monkeypatch.setattr(keep_learning, "_TURN_S", 0.5)
    keeping.others_wait = True  # and never ends
    keeping.end()
    keeping.label()
    keeping.begun(3)


def test_what_a_run_did_not_pick_up_is_learned_by_the_next(keeping: Keeping) -> None:
    keeping.runs.picks_up_all = False
    keeping.owner.turn(True)
    keeping.label()
    keeping.begun(1)
    keeping.label()
    keeping.end()
    keeping.begun(2)


def test_what_was_picked_up_is_not_learned_again(keeping: Keeping) -> None:
    keeping.owner.turn(True)
    keeping.label()
    keeping.begun(1)
    keeping.label()
    keeping.end()
    keeping.rests()


def test_turning_it_off_ends_the_run_and_its_result_is_kept(keeping: Keeping) -> None:
    results: list[TrainResult] = []
    keeping.training.finished.connect(results.append)
    keeping.owner.turn(True)
    assert keeping.ahead.reach > REACH
    keeping.label()
    keeping.begun(1)
    keeping.owner.turn(False)
    keeping.qtbot.waitUntil(lambda: len(results) == 1)
    assert keeping.ahead.reach == REACH
    keeping.label()
    keeping.rests()


def test_a_run_that_fails_turns_it_off(keeping: Keeping) -> None:
    keeping.runs.error = EngineDied("The engine died twice.")
    keeping.owner.turn(True)
    keeping.label()
    keeping.begun(1)
    keeping.end()
    keeping.qtbot.waitUntil(lambda: not keeping.owner.on)
    assert [notice.sentence for notice in keeping.desk.heard.failures] == ["The engine died twice."]
    assert "Keep learning is off now." in keeping.desk.said
    keeping.label()
    keeping.rests()


def test_what_was_labelled_and_learned_before_begins_nothing(keeping: Keeping) -> None:
    keeping.label()
    keeping.training.ask(max_seconds=1.0)
    keeping.begun(1)
    keeping.end()
    keeping.owner.turn(True)
    keeping.rests()
    assert keeping.owner.waits


def test_an_edit_that_changes_no_training_label_begins_nothing(keeping: Keeping) -> None:
    desk = keeping.desk
    held_out = desk.project.images()[1].id
    desk.shows(1)
    keeping.label()
    hold_out(desk.project, [held_out], held=True).result(10)
    desk.shows(0)
    keeping.label()
    keeping.owner.turn(True)
    keeping.begun(1)
    keeping.end()
    keeping.rests()
    classes = Classes(desk.ground, desk.documents)
    opened = desk.documents.current
    assert opened is not None
    with keeping.commits(5):
        classes.rename("cell", "nucleus")
        classes.change("nucleus", color="#FF0000")
        for locked in (True, False):
            rows = locks_changed(opened.document, opened.document.objects, locked=locked)
            desk.documents.commit(Edit(opened.document.image, Cause.OBJECTS, rows=rows))
        done = RowChange(Table.IMAGES, held_out, {"status": Status.IN_PROGRESS}, {"status": Status.DONE})
        desk.documents.commit(Edit(held_out, Cause.DONE, rows=(done,)))
    keeping.rests()
    desk.shows(1)
    keeping.label()  # of a held-out image
    keeping.rests()
    assert keeping.owner.waits
    desk.shows(0)
    keeping.label()
    keeping.begun(2)


def test_an_image_that_trains_from_now_on_and_a_class_that_is_removed_are_something_to_learn(keeping: Keeping) -> None:
    desk = keeping.desk
    keeping.label()
    desk.shows(1)
    keeping.label()
    hold_out(desk.project, [desk.project.images()[1].id], held=True).result(10)
    keeping.owner.turn(True)
    keeping.begun(1)
    keeping.end()
    keeping.rests()
    classes = Classes(desk.ground, desk.documents)
    with keeping.commits(1):
        classes.add("crack two")
    keeping.rests()  # it has no label yet
    with keeping.commits(1):
        classes.merge("cell", "crack")
    keeping.begun(2)
    keeping.end()
    keeping.rests()
    hold_out(desk.project, [desk.project.images()[1].id], held=False).result(10)
    with keeping.commits(1):
        classes.rename("crack", "slit")
    keeping.begun(3)


def test_the_next_images_are_proposed_between_two_runs(keeping: Keeping) -> None:
    keeping.runs.picks_up_all = False
    order: list[str] = []
    keeping.ahead.settled.connect(lambda: order.append("settled"))
    keeping.training.runningChanged.connect(lambda on: order.append("run" if on else "ended"))
    keeping.owner.turn(True)
    keeping.label()
    keeping.begun(1)
    keeping.label()
    keeping.end()
    keeping.begun(2)
    assert order[order.index("ended") :] == ["ended", "settled", "run"]


def test_a_gesture_under_way_is_not_ended_by_a_run_that_begins(keeping: Keeping) -> None:
    keeping.label()
    desk = keeping.desk
    before = len(desk.seqs)
    desk.pointer(Phase.PRESS, 15, 40)
    keeping.owner.turn(True)
    keeping.qtbot.wait(900)
    assert keeping.runs.gates == []
    desk.pointer(Phase.MOVE, 60, 40)
    desk.pointer(Phase.RELEASE, 60, 40)
    keeping.begun(1)
    assert len(desk.seqs) == before + 1
    ids, _origins = desk.read()
    assert (ids[40, 15:60] != 0).all()


def test_turning_it_off_leaves_a_run_alone_that_a_person_began(keeping: Keeping) -> None:
    keeping.label()
    keeping.training.ask(max_seconds=1200.0)
    keeping.begun(1)
    keeping.owner.turn(True)
    keeping.owner.turn(False)
    keeping.qtbot.wait(300)
    assert keeping.training.running
