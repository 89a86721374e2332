"""The owner of proposals over a real project, with a network that answers when it is told to."""

import numpy as np
import pytest
from pytestqt.exceptions import capture_exceptions

from segstudio import faults
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.viewing.proposal_values import proposal_values
from segstudio.errors import DiskRefused, EngineDied
from segstudio.geometry import TILE, Rect
from segstudio.labels.class_rows import new_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, LabelClass
from segstudio.labels.proposal import ProposalRow, ProposalTile
from segstudio.labels.tiles.tile import Constant
from segstudio.store.proposals import encoded
from tests.app.proposal_desk import Desk


def test_asking_twice_is_one_request_and_one_answer(desk: Desk) -> None:
    desk.shows(0)
    desk.asked(1)
    desk.proposals.propose()
    desk.proposals.propose()
    desk.network.open = True
    desk.qtbot.waitUntil(lambda: not desk.proposals.running)
    desk.qtbot.wait(60)
    assert desk.ready == ["embedded-1"]
    assert len(desk.network.gates) == 1


def test_asking_after_an_edit_drops_the_request_that_does_not_know_it(desk: Desk) -> None:
    desk.shows(0)
    desk.asked(1)
    desk.stroke(20, 20)
    desk.proposals.propose()
    desk.asked(2)
    desk.network.open = True
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    desk.qtbot.wait(60)
    assert desk.ready == ["embedded-2"]


def test_an_answer_for_an_image_that_was_left_is_dropped_and_the_one_on_screen_gets_its_own(desk: Desk) -> None:
    desk.shows(0)
    desk.asked(1)
    desk.proposals.propose()
    desk.navigation.open(1)
    desk.network.open = True
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    desk.qtbot.wait(60)
    assert desk.ready == ["embedded-2"]
    assert desk.navigation.index == 1


def test_an_answer_waits_for_the_hand_and_is_dropped_for_a_newer_request(desk: Desk) -> None:
    desk.shows(0)
    desk.asked(1)
    desk.pointer(Phase.PRESS, 20, 20)
    desk.network.gates[0].set()
    desk.qtbot.wait(150)
    assert desk.ready == []
    desk.documents.commit_gesture()
    desk.proposals.propose()
    desk.qtbot.wait(120)  # the held answer's own time comes: it is no answer to what was asked last
    assert desk.ready == []
    desk.network.open = True
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    assert desk.ready == ["embedded-2"]


def test_a_new_model_under_a_stroke_leaves_the_stroke_whole(desk: Desk) -> None:
    desk.proposed()
    desk.pointer(Phase.PRESS, 20, 20)
    desk.proposals.refresh()
    assert desk.documents.gesture_active
    desk.pointer(Phase.MOVE, 50, 20)
    desk.pointer(Phase.RELEASE, 50, 20)
    desk.qtbot.waitUntil(lambda: bool(desk.seqs) and bool(desk.ready))
    assert desk.seqs == [1]
    assert desk.read()[0][20, 40] > 0


def test_what_the_disk_refuses_is_no_other_fault_when_a_proposal_meets_it(desk: Desk) -> None:
    desk.network.error = DiskRefused("The disk is full.")
    desk.network.open = True
    desk.shows(0)
    desk.qtbot.waitUntil(lambda: bool(desk.failures))
    assert [(told.job, told.sentence) for told in desk.failures] == [("save", "The disk is full.")]


def test_a_failed_request_is_said_and_owes_nothing_more(desk: Desk) -> None:
    desk.network.error = EngineDied("The engine ended.")
    desk.network.open = True
    desk.shows(0)
    desk.qtbot.waitUntil(lambda: bool(desk.failures))
    assert [(told.job, told.sentence) for told in desk.failures] == [("propose", "The engine ended.")]
    assert desk.ready == []
    assert not desk.proposals.running


def test_a_request_that_ends_in_a_bug_is_owed_no_longer(desk: Desk) -> None:
    desk.network.error = ZeroDivisionError()
    desk.shows(0)
    desk.asked(1)
    with capture_exceptions() as found:
        faults.watch()  # pytest's hook stands in front of ours
        desk.proposals.propose()
        desk.network.open = True
        desk.qtbot.waitUntil(lambda: bool(found))
    assert [kind for kind, _error, _trace in found] == [ZeroDivisionError]
    assert (desk.proposals.running, desk.proposals.owed, desk.ready) == (False, False, [])


def test_a_broken_image_owes_no_proposal(desk: Desk) -> None:
    desk.navigation.rows[1].file.write_bytes(b"no image")
    desk.navigation.open(1)
    desk.proposals.propose()
    desk.qtbot.waitUntil(lambda: bool(desk.failures))
    assert [failure.job for failure in desk.failures] == ["propose"]
    desk.proposals.propose()
    assert len(desk.failures) == 2
    assert desk.network.gates == []


@pytest.mark.parametrize("streamed", [False, True])
def test_accept_fills_what_is_unlabelled_as_one_edit(desk: Desk, streamed: bool) -> None:
    desk.documents.largest_edit_bytes = 0 if streamed else desk.documents.largest_edit_bytes
    desk.proposed()
    desk.stroke(20, 20, Button.RIGHT)
    by_hand = desk.read()[0]
    desk.finishing.accept()
    desk.finishing.accept()
    desk.qtbot.waitUntil(lambda: len(desk.seqs) == 2 and not desk.documents.busy)
    ids, origins = desk.read()
    assert np.array_equal(ids[by_hand > 0], by_hand[by_hand > 0])
    assert np.array_equal(origins, np.where(by_hand > 0, 1, 2))
    desk.qtbot.wait(30)
    assert desk.seqs == [1, 2]


def test_an_accept_whose_tiles_were_painted_meanwhile_is_computed_once_more(desk: Desk) -> None:
    desk.proposed()
    desk.finishing.accept()  # computed over a frozen copy, not applied before the event loop runs
    desk.stroke(60, 40, Button.RIGHT)
    painted = desk.read()[0] > 0
    assert 0 < painted.sum() < painted.size
    desk.qtbot.waitUntil(lambda: len(desk.seqs) == 2)
    assert np.array_equal(desk.read()[1], np.where(painted, 1, 2))
    desk.documents.undo()
    assert np.array_equal(desk.read()[0] > 0, painted)


def test_what_waits_for_a_fill_keeps_the_stroke_under_way(desk: Desk) -> None:
    desk.proposed()
    desk.finishing.accept()
    desk.pointer(Phase.PRESS, 60, 40, Button.RIGHT)
    desk.finishing.settle()
    assert not desk.documents.gesture_active
    origins = desk.read()[1]
    assert set(np.unique(origins)) == {1, 2}


def test_a_fill_that_was_cancelled_changes_nothing(desk: Desk) -> None:
    desk.proposed()
    desk.finishing.accept()
    assert desk.finishing.cancel_fill()
    desk.qtbot.wait(60)
    assert not desk.read()[0].any()
    assert desk.seqs == []
    desk.finishing.accept()
    desk.finishing.settle()
    desk.finishing.accept()
    assert not desk.finishing.cancel_fill()  # it would have changed nothing: there was nothing to cancel


@pytest.mark.parametrize("streamed", [False, True])
def test_done_fills_the_rest_and_the_status_as_one_edit(desk: Desk, streamed: bool) -> None:
    desk.documents.largest_edit_bytes = 0 if streamed else desk.documents.largest_edit_bytes
    desk.proposed()
    desk.stroke(20, 20)
    done: list[bool] = []
    desk.finishing.mark_done(lambda: done.append(True))
    desk.qtbot.waitUntil(lambda: bool(done) and len(desk.seqs) == 2)
    assert set(np.unique(desk.read()[1])) == {1, 4}
    assert desk.project.image(ImageId(1)).status == "done"
    desk.documents.undo()
    desk.qtbot.waitUntil(lambda: len(desk.seqs) == 3)
    assert desk.project.image(ImageId(1)).status == "in-progress"


def test_done_keeps_how_much_of_the_proposal_shown_first_had_to_be_changed(desk: Desk) -> None:
    desk.network.open = True
    desk.proposed()
    first = desk.project.proposals.first(ImageId(1), 0)
    assert first is not None
    desk.proposals.propose()
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    again = desk.project.proposals.first(ImageId(1), 0)
    assert again is not None
    assert again.number == first.number
    desk.documents.pointer(Pointer(Phase.PRESS, 30, 30, Button.RIGHT))
    desk.documents.pointer(Pointer(Phase.RELEASE, 30, 30, Button.RIGHT))
    assert desk.documents.current is not None
    document = desk.documents.current.document
    changed = int((document.raster.read(0, document.raster.bounds(0))[0] > 0).sum())
    assert desk.project.effort(ImageId(1)) is None
    desk.finishing.mark_done(lambda: None)
    desk.qtbot.waitUntil(lambda: desk.project.effort(ImageId(1)) is not None)
    assert desk.project.effort(ImageId(1)) == (changed, 90 * 70)
    assert desk.project.proposals.first(ImageId(1), 0) is None


def test_done_without_a_proposal_leaves_unknown_and_says_so(desk: Desk) -> None:
    desk.network.error = EngineDied("The engine ended.")
    desk.network.open = True
    desk.shows(0)
    desk.qtbot.waitUntil(lambda: bool(desk.failures))
    desk.stroke(20, 20)
    before = desk.read()[0]
    done: list[bool] = []
    desk.finishing.mark_done(lambda: done.append(True))
    desk.qtbot.waitUntil(lambda: bool(done))
    assert np.array_equal(desk.read()[0], before)
    assert ["stays unknown" in sentence for sentence in desk.said] == [True]
    desk.qtbot.waitUntil(lambda: desk.project.image(ImageId(1)).status == "done")


def test_accept_without_a_proposal_says_so(desk: Desk) -> None:
    desk.shows(0)
    desk.finishing.accept()
    assert desk.said == ["There is no proposal to accept yet."]


def test_a_proposed_class_whose_making_was_undone_is_left_alone_by_accept(desk: Desk) -> None:
    row = new_class_row(LabelClass(ClassId(9), "late", "#123456", Kind.SEMANTIC, 9, 9))
    desk.documents.commit_classes(Edit(None, Cause.CLASSES, rows=(row,)))
    desk.proposed()
    desk.documents.undo()
    tile = encoded(ProposalTile(Constant(1, 0), np.full((TILE // 4, TILE // 4), 9, np.uint8)))
    desk.project.proposals.write(ImageId(1), 0, "late", {1: ProposalRow(ClassId(9), 0.9)}, {(0, 0): tile})
    late = desk.project.proposals.read(ImageId(1), 0)
    assert late is not None
    desk.proposals._shown.proposal = late
    desk.finishing.accept()
    desk.finishing.settle()
    assert not desk.read()[0].any()
    values = proposal_values(desk.project, desk.documents.classes, ImageId(1), 0, Rect(0, 0, 90, 70))
    assert values is not None
    assert set(np.unique(values[0])) == {255}


def test_an_edit_that_is_durable_only_after_the_close_asks_for_nothing(desk: Desk) -> None:
    desk.network.exact = True
    desk.proposed()
    assert desk.proposals.is_guess
    desk.proposals.close()
    desk.documents.editCommitted.emit(1)
    assert not desk.proposals._pause.isActive()
    assert len(desk.network.gates) == 1
