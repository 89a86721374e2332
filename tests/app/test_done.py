"""Done waits for the proposal, and never marks an image that has nothing labelled."""

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from segstudio.app.editing import background_fill
from segstudio.app.editing.tools.pointer import Button, Phase
from segstudio.app.values import DoneState, JobKind, Rest
from segstudio.errors import EngineDied
from segstudio.geometry import TILE
from segstudio.labels.class_rows import changed_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ImageId, Status
from segstudio.labels.proposal import ProposalRow, ProposalTile
from segstudio.labels.tiles.tile import Constant
from segstudio.runs import FROM_PEOPLE
from segstudio.store.proposals import encoded
from tests.app.proposal_desk import CELL, Desk

FIRST = ImageId(1)
BACKGROUND = 1


class Marked:
    """Presses Done and keeps what followed, in order."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.events: list[str] = []
        self.jobs = desk.heard.states
        desk.proposals.proposalReady.connect(lambda: self.events.append("ready"))
        desk.documents.editCommitted.connect(lambda _seq: self.events.append("edit"))

    @property
    def failed(self) -> list[str]:
        return [told.sentence for told in self.desk.heard.failures if told.job is JobKind.DONE]

    def press(self, *, empty: bool = False) -> None:
        self.desk.finishing.mark_done(lambda: self.events.append("done"), empty=empty)

    def until(self, *events: str) -> None:
        self.desk.qtbot.waitUntil(lambda: all(event in self.events for event in events))

    @property
    def state(self) -> DoneState:
        return self.desk.finishing.state

    @property
    def status(self) -> Status:
        return self.desk.project.image(FIRST).status


@pytest.fixture
def done(desk: Desk) -> Marked:
    return Marked(desk)


def without_proposal(desk: Desk) -> None:
    """The first image on screen, its proposal failed: nothing is coming."""
    desk.network.error = EngineDied("The engine ended.")
    desk.network.open = True
    desk.shows(0)
    desk.qtbot.waitUntil(lambda: bool(desk.failures))


def change_class(desk: Desk, name: str, **columns: Any) -> None:
    found = desk.documents.classes.named(name)
    assert found is not None
    desk.documents.commit_classes(Edit(None, Cause.CLASSES, rows=(changed_class_row(found, **columns),)))


def classes_of(desk: Desk) -> set[int]:
    assert desk.documents.current is not None
    document = desk.documents.current.document
    return set(np.unique(document.class_ids(0, document.raster.bounds(0))).tolist())


def test_done_waits_for_a_proposal_under_way_and_says_so(desk: Desk, done: Marked) -> None:
    desk.shows(0)
    desk.asked(1)
    done.press()
    done.press()  # a second Enter is the same wait
    desk.qtbot.wait(60)
    assert done.events == []
    assert done.state is DoneState.WAITING
    assert done.jobs[-1] is not None
    assert done.jobs[-1].text == "Waiting for the proposal; Esc stops waiting"
    desk.network.open = True
    done.until("done", "edit")
    assert done.events == ["ready", "done", "edit"]
    assert (desk.read()[0] > 0).all()
    assert done.status is Status.DONE  # durable: the edit was told of
    assert done.jobs[-1] is None
    assert done.state is DoneState.IDLE


def test_done_waits_for_a_proposal_that_is_not_asked_for_yet(desk: Desk, done: Marked) -> None:
    # Enter in the moment in which the image appears: what is stored is being read, and nothing is under way.
    asked: list[int] = []
    states: list[DoneState] = []

    def press() -> None:
        asked.append(len(desk.network.gates))
        done.press()
        states.append(done.state)

    desk.navigation.imageShown.connect(press)
    desk.shows(0)
    assert (asked, states) == ([0], [DoneState.WAITING])
    desk.asked(1)
    desk.qtbot.wait(30)
    assert done.events == []
    desk.network.open = True
    done.until("done", "edit")
    assert done.events == ["ready", "done", "edit"]


def test_the_waiting_is_seen_though_the_proposal_begins_after_it(desk: Desk, done: Marked) -> None:
    order: list[str] = []
    jobs = desk.ground.jobs
    jobs.changed.connect(lambda: order.append(jobs.states[-1].kind if jobs.states else "-"))
    desk.navigation.imageShown.connect(done.press)
    desk.shows(0)
    desk.asked(1)
    desk.qtbot.wait(30)
    assert order[-1] == JobKind.WAIT
    assert JobKind.PROPOSE in order
    desk.finishing.cancel_fill()


def test_a_stored_proposal_that_is_still_being_read_is_what_done_fills_in(
    desk: Desk, done: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    tile = encoded(ProposalTile(Constant(1, 0), np.full((TILE // 4, TILE // 4), 9, np.uint8)))
    version = min(FROM_PEOPLE)  # nothing takes its place, so nothing is asked for
    desk.project.proposals.write(FIRST, 0, version, {1: ProposalRow(CELL, 0.9)}, {(0, 0): tile})
    opened, read = threading.Event(), desk.project.proposals.read

    def slow(*args: Any) -> Any:
        assert opened.wait(20)
        return read(*args)

    monkeypatch.setattr(desk.project.proposals, "read", slow)
    desk.shows(0)
    done.press()
    desk.qtbot.wait(60)
    assert done.events == []
    opened.set()
    done.until("done", "edit")
    assert classes_of(desk) == {CELL}
    assert desk.network.gates == []


def test_a_proposal_that_fails_marks_nothing_and_the_sentence_says_so(desk: Desk, done: Marked) -> None:
    desk.shows(0)
    desk.asked(1)
    desk.stroke(20, 20)
    done.press()
    desk.network.error = EngineDied("The engine ended.")
    desk.network.open = True
    desk.qtbot.waitUntil(lambda: bool(done.failed))
    assert done.failed == ["This image was not marked done: The engine ended."]
    desk.qtbot.wait(60)
    assert "done" not in done.events
    desk.qtbot.waitUntil(lambda: done.status is Status.IN_PROGRESS)  # the row follows the stroke
    assert done.state is DoneState.IDLE


def test_a_proposal_that_is_dropped_ends_the_wait_and_marks_nothing(desk: Desk, done: Marked) -> None:
    desk.shows(0)
    desk.asked(1)
    done.press()
    desk.proposals._requests.drop()
    desk.qtbot.waitUntil(lambda: bool(done.failed))
    assert "done" not in done.events
    assert done.status is Status.NEW


@pytest.mark.parametrize("end", ["escape", "another image"])
def test_a_wait_that_is_ended_marks_nothing_also_when_the_proposal_comes(desk: Desk, done: Marked, end: str) -> None:
    desk.shows(0)
    desk.asked(1)
    done.press()
    if end == "escape":
        assert desk.finishing.cancel_fill()
        assert not desk.finishing.cancel_fill()
    else:
        desk.shows(1)
    desk.network.open = True
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    desk.qtbot.wait(60)
    assert [event for event in done.events if event != "ready"] == []
    assert done.status is Status.NEW
    assert "not marked done" in desk.said[0]


def test_closing_ends_the_wait(desk: Desk, done: Marked) -> None:
    desk.shows(0)
    desk.asked(1)
    done.press()
    desk.close()
    assert done.events == []
    assert done.status is Status.NEW


def test_a_fully_labelled_image_waits_for_no_proposal(desk: Desk, done: Marked) -> None:
    desk.proposed()
    desk.finishing.accept()
    done.until("edit")
    desk.qtbot.waitUntil(lambda: desk.navigation.rows[0].labelled_pixels == 90 * 70)
    desk.network.open = False
    desk.proposals.propose()
    desk.asked(2)
    done.press()
    done.until("done")
    desk.qtbot.waitUntil(lambda: done.status is Status.DONE)


@pytest.mark.parametrize("rest", [Rest.BACKGROUND, Rest.UNKNOWN])
def test_done_that_needs_no_proposal_waits_for_none(desk: Desk, done: Marked, rest: Rest) -> None:
    desk.shows(0)
    desk.asked(1)
    desk.stroke(20, 20)
    desk.finishing.set_rest(rest)
    done.press()
    done.until("done")
    desk.qtbot.waitUntil(lambda: done.status is Status.DONE)
    assert classes_of(desk) == ({BACKGROUND, CELL} if rest is Rest.BACKGROUND else {0, CELL})


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("rest", [Rest.PROPOSAL, Rest.UNKNOWN])
def test_done_on_nothing_does_nothing_and_asks(desk: Desk, done: Marked, rest: Rest, streamed: bool) -> None:
    desk.documents.largest_edit_bytes = 0 if streamed else desk.documents.largest_edit_bytes
    without_proposal(desk)
    desk.finishing.set_rest(rest)
    done.press()
    desk.qtbot.waitUntil(lambda: done.state is DoneState.NOTHING_LABELLED)
    assert "Nothing would be labelled" in desk.said[-1]
    assert done.events == []
    done.press()
    desk.qtbot.wait(100)
    assert done.state is DoneState.NOTHING_LABELLED
    assert done.status is Status.NEW
    assert desk.project.last_seq() == 0
    assert done.failed == []


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("rest", list(Rest))
def test_a_person_confirms_that_the_image_is_empty_and_it_is_all_background(
    desk: Desk, done: Marked, rest: Rest, streamed: bool
) -> None:
    desk.documents.largest_edit_bytes = 0 if streamed else desk.documents.largest_edit_bytes
    without_proposal(desk)
    change_class(desk, "background", locked=True)  # what was said is about every pixel
    desk.finishing.set_rest(rest)
    done.press()
    desk.qtbot.waitUntil(lambda: done.state is DoneState.NOTHING_LABELLED)
    done.press(empty=True)
    done.until("done")
    desk.qtbot.waitUntil(lambda: done.status is Status.DONE)
    assert classes_of(desk) == {BACKGROUND}
    assert set(np.unique(desk.read()[1])) == {4}
    assert done.state is DoneState.IDLE
    desk.qtbot.waitUntil(lambda: len(desk.seqs) == 2)
    desk.documents.undo()
    desk.qtbot.waitUntil(lambda: len(desk.seqs) == 3)
    assert done.status is Status.NEW
    assert classes_of(desk) == {0}


def test_confirming_keeps_what_is_labelled_and_waits_for_nothing(desk: Desk, done: Marked) -> None:
    desk.shows(0)
    desk.asked(1)
    desk.stroke(20, 20)
    painted = desk.read()[0] > 0
    done.press()
    done.press(empty=True)
    done.until("done")
    assert np.array_equal(desk.read()[1], np.where(painted, 1, 4))
    assert classes_of(desk) == {BACKGROUND, CELL}


@pytest.mark.parametrize("what", ["stroke", "proposal", "image", "esc"])
def test_the_question_is_withdrawn_by_whatever_makes_it_void(desk: Desk, done: Marked, what: str) -> None:
    without_proposal(desk)
    done.press()
    desk.qtbot.waitUntil(lambda: done.state is DoneState.NOTHING_LABELLED)
    desk.network.error = None
    if what == "stroke":
        desk.stroke(20, 20)
    elif what == "proposal":
        desk.proposals.propose()
        desk.qtbot.waitUntil(lambda: bool(desk.ready))
    elif what == "image":
        desk.shows(1)
    else:
        assert desk.finishing.withdraw()
    assert done.state is DoneState.IDLE


def test_pixels_of_a_removed_class_are_nothing_labelled(desk: Desk, done: Marked) -> None:
    without_proposal(desk)
    desk.stroke(20, 20)
    change_class(desk, "cell", removed=True)
    done.press()
    desk.qtbot.waitUntil(lambda: done.state is DoneState.NOTHING_LABELLED)
    desk.qtbot.waitUntil(lambda: done.status is Status.IN_PROGRESS)
    assert "done" not in done.events


def test_background_that_is_locked_is_not_filled_in_and_that_is_said(desk: Desk, done: Marked) -> None:
    without_proposal(desk)
    desk.stroke(20, 20)
    change_class(desk, "background", locked=True)
    desk.finishing.set_rest(Rest.BACKGROUND)
    done.press()
    done.until("done")
    assert classes_of(desk) == {0, CELL}
    assert "locked" in desk.said[-1]


@pytest.mark.parametrize("rest", [Rest.PROPOSAL, Rest.BACKGROUND])
def test_what_was_filled_in_is_told_with_the_image_and_the_way_back(desk: Desk, done: Marked, rest: Rest) -> None:
    desk.proposed()
    desk.finishing.set_rest(rest)
    desk.finishing.mark_done_and_go_on()
    desk.qtbot.waitUntil(lambda: desk.navigation.index == 1)
    took = "took the proposal" if rest is Rest.PROPOSAL else "became background"
    assert desk.said[-1] == f"0.png is done: the rest {took}. To reverse this, open it and undo."
    desk.shows(0)  # it is true
    desk.documents.undo()
    desk.qtbot.waitUntil(lambda: done.status is Status.NEW)
    assert classes_of(desk) == {0}


def test_an_effort_that_the_disk_does_not_take_holds_up_no_later_accept(
    desk: Desk, done: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging: Future[None] = Future()
    kept: list[int] = []

    def set_effort(image: int, *_figures: int) -> "Future[None]":
        kept.append(image)
        return hanging

    monkeypatch.setattr(desk.project, "set_effort", set_effort)
    desk.proposed()
    done.press()
    done.until("done")
    try:
        desk.qtbot.waitUntil(lambda: kept == [FIRST])
        desk.shows(1)
        desk.qtbot.waitUntil(lambda: desk.proposals.on_screen is not None and not desk.proposals.running)
        desk.finishing.accept()
        desk.qtbot.waitUntil(lambda: classes_of(desk) == {CELL})
        assert not hanging.done()
    finally:
        hanging.set_result(None)


class Gated:
    """Holds the computing of a fill until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()
        parts_of: Callable[..., Any] = background_fill.parts_of

        def slow(*args: Any, **options: Any) -> Generator[Any, None, None]:
            found = list(_or_error(parts_of(*args, **options)))
            self.begun.set()
            assert self.go.wait(20)
            for part in found:
                if isinstance(part, Exception):
                    raise part
                yield part

        monkeypatch.setattr(background_fill, "parts_of", slow)


def _or_error(parts: Any) -> Generator[Any, None, None]:
    try:
        yield from parts
    except Exception as error:  # noqa: BLE001  (raised again when it is let go)
        yield error


def test_a_stroke_made_while_done_found_nothing_counts(
    desk: Desk, done: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_proposal(desk)
    gate = Gated(monkeypatch)
    done.press()
    assert gate.begun.wait(10)
    desk.stroke(20, 20)
    gate.go.set()
    done.until("done")
    assert classes_of(desk) == {0, CELL}


def test_an_image_erased_while_done_was_computed_is_not_marked(
    desk: Desk, done: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_proposal(desk)
    desk.stroke(20, 20)
    gate = Gated(monkeypatch)
    done.press()
    assert gate.begun.wait(10)
    desk.documents.tools.choose("eraser")
    desk.documents.tools.set_radius(30)
    desk.pointer(Phase.PRESS, 20, 20, Button.LEFT)
    desk.pointer(Phase.RELEASE, 20, 20, Button.LEFT)
    assert classes_of(desk) == {0}
    gate.go.set()
    desk.qtbot.waitUntil(lambda: done.state is DoneState.NOTHING_LABELLED)
    assert "done" not in done.events


def test_an_accept_that_changes_nothing_says_so(desk: Desk) -> None:
    desk.proposed()
    change_class(desk, "cell", locked=True)
    desk.finishing.accept()
    desk.qtbot.waitUntil(lambda: any("Nothing to accept" in said for said in desk.said))
    assert classes_of(desk) == {0}
