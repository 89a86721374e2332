"""When a proposal is old, when it is renewed, and what a person's word about it is worth."""

from collections.abc import Callable

import numpy as np
import pytest

from segstudio.app.editing.tools.pointer import Button, Phase
from segstudio.app.values import JobKind
from segstudio.geometry import TILE
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, ImageId
from segstudio.labels.proposal import ProposalRow, ProposalTile
from segstudio.labels.tiles.tile import Constant
from segstudio.store.proposals import encoded
from tests.app.proposal_desk import CELL, Desk

FIRST = ImageId(1)


@pytest.fixture(autouse=True)
def short_pause(desk: Desk) -> None:
    desk.proposals._pause.setInterval(30)


def _people_propose(desk: Desk, version: str = "merged") -> None:
    tile = encoded(ProposalTile(Constant(1, 0), np.full((TILE // 4, TILE // 4), 9, np.uint8)))
    desk.project.proposals.write(FIRST, 0, version, {1: ProposalRow(CELL, 1.0)}, {(0, 0): tile})


def _instant(desk: Desk, took_s: float = 0.1) -> None:
    """Two classes are known, and the instant learner's proposal is on screen."""
    desk.network.open = desk.network.exact = True
    desk.network.version, desk.network.took_s = "instant", took_s
    desk.shows(0)
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    desk.stroke(20, 20)
    desk.stroke(60, 40, Button.RIGHT)
    desk.proposals.propose()
    desk.qtbot.waitUntil(lambda: len(desk.ready) >= 2 and not desk.proposals.running and len(desk.seqs) == 2)
    desk.qtbot.wait(120)


# --- what a person proposed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["merged", "imported"])
def test_a_new_model_leaves_what_a_person_proposed(desk: Desk, version: str) -> None:
    _people_propose(desk, version)
    desk.network.open = True
    desk.shows(0)
    desk.qtbot.waitUntil(lambda: desk.proposals.on_screen is not None)
    desk.proposals.refresh()  # a run has ended, or another version was chosen
    desk.stroke(20, 20)
    desk.stroke(60, 40, Button.RIGHT)
    desk.qtbot.waitUntil(lambda: len(desk.seqs) == 2)
    desk.qtbot.wait(120)
    assert desk.network.gates == []
    assert desk.version() == version
    desk.proposals.propose()  # only a person's word replaces it
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    assert desk.ready == ["embedded-1"]


def test_a_model_chosen_while_what_is_stored_is_read_leaves_what_a_person_proposed(desk: Desk) -> None:
    _people_propose(desk)
    desk.network.open = True
    desk.navigation.open(0)
    desk.navigation.imageShown.connect(desk.proposals.refresh)
    desk.qtbot.waitUntil(lambda: desk.proposals.on_screen is not None)
    desk.qtbot.wait(80)
    assert (desk.version(), desk.network.gates) == ("merged", [])


def test_an_answer_under_way_when_a_person_imports_one_comes_too_late(desk: Desk) -> None:
    desk.shows(0)
    desk.asked(1)
    _people_propose(desk, "imported")
    desk.network.open = True
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    assert (desk.ready, desk.network.kept) == (["imported"], [True])


# --- rejected --------------------------------------------------------------------------------------------------------


def test_a_rejected_proposal_stays_away_until_it_is_asked_for(desk: Desk) -> None:
    desk.proposed()
    desk.proposals.reject()
    assert desk.proposals.on_screen is None
    desk.qtbot.waitUntil(lambda: desk.project.proposals.is_rejected(FIRST, 0))
    desk.proposals.refresh()
    desk.shows(1)
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    asked = len(desk.network.gates)
    desk.shows(0)
    desk.qtbot.wait(120)
    assert (desk.proposals.on_screen, len(desk.network.gates)) == (None, asked)
    assert desk.project.proposals.read(FIRST, 0) is None
    desk.proposals.propose()
    desk.qtbot.waitUntil(lambda: desk.proposals.on_screen is not None)
    assert not desk.project.proposals.is_rejected(FIRST, 0)


def test_what_is_rejected_while_it_is_under_way_does_not_come(desk: Desk) -> None:
    desk.shows(0)
    desk.asked(1)
    desk.proposals.propose()
    desk.proposals.reject()
    desk.network.open = True
    desk.qtbot.waitUntil(lambda: desk.project.proposals.is_rejected(FIRST, 0))
    desk.qtbot.wait(80)
    assert (desk.ready, desk.proposals.on_screen) == ([], None)
    assert [failure.cancelled for failure in desk.failures] == [True]  # whoever waited is told


def test_a_rejection_outlives_the_project_s_closing(desk: Desk) -> None:
    desk.proposed()
    desk.proposals.reject()
    desk.qtbot.waitUntil(lambda: desk.project.proposals.is_rejected(FIRST, 0))
    desk.project.proposals.close()  # it is read from the disk again
    desk.shows(0)
    desk.qtbot.waitUntil(lambda: desk.proposals.rejected)
    desk.qtbot.wait(120)
    assert len(desk.network.gates) == 1


def test_with_nothing_to_reject_it_is_said(desk: Desk) -> None:
    desk.network.open = True
    desk.network.error = None
    desk.shows(0)
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    desk.proposals.reject()
    desk.proposals.reject()
    assert desk.said[-1] == "There is no proposal to reject."


# --- cancelled -------------------------------------------------------------------------------------------------------


def test_a_request_can_be_cancelled_where_it_shows_and_its_end_is_told_once(desk: Desk) -> None:
    states = desk.heard.states
    desk.shows(0)
    desk.asked(1)
    desk.proposals.propose()
    assert desk.proposals.owed
    assert states[-1] is not None
    assert (states[-1].kind, states[-1].cancellable) == (JobKind.PROPOSE, True)
    desk.proposals.cancel()
    assert states[-1] is None
    desk.network.open = True
    desk.qtbot.wait(80)
    assert [failure.cancelled for failure in desk.failures] == [True]
    assert (desk.ready, desk.proposals.running, desk.proposals.owed) == ([], False, False)


# --- old -------------------------------------------------------------------------------------------------------------


def test_the_guess_is_dropped_for_the_instant_learner_as_soon_as_two_classes_are_known(desk: Desk) -> None:
    desk.shows(0)
    desk.asked(1)  # the guess is still on its way
    desk.stroke(20, 20)
    desk.qtbot.waitUntil(lambda: len(desk.seqs) == 1)
    desk.qtbot.wait(60)
    assert len(desk.network.gates) == 1
    desk.stroke(60, 40, Button.RIGHT)
    desk.asked(2)
    desk.network.open = True
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    assert desk.ready == ["embedded-2"]


def test_the_instant_learner_is_fitted_again_in_the_pause_of_the_hand_where_it_is_quick(desk: Desk) -> None:
    _instant(desk)
    assert not desk.proposals.stale
    asked = len(desk.network.gates)
    desk.stroke(30, 50)
    desk.qtbot.waitUntil(lambda: len(desk.network.gates) > asked)
    desk.qtbot.waitUntil(lambda: not desk.proposals.running and not desk.proposals.stale)
    desk.qtbot.wait(120)
    assert len(desk.network.gates) == asked + 1  # and not again, while nothing is painted


@pytest.mark.parametrize("took_s", [3.5, 0.1])
def test_where_it_is_slow_or_the_person_is_at_it_the_proposal_is_marked_as_old(desk: Desk, took_s: float) -> None:
    _instant(desk, took_s)
    changes: list[bool] = []
    desk.proposals.ageChanged.connect(lambda: changes.append(desk.proposals.stale))
    asked, before = len(desk.network.gates), desk.proposals.on_screen
    desk.stroke(30, 50)
    desk.pointer(Phase.PRESS, 40, 20)  # the hand has begun again before the pause was over
    desk.qtbot.waitUntil(lambda: changes == [True])
    desk.qtbot.wait(120)
    assert len(desk.network.gates) == asked
    assert desk.proposals.on_screen is before
    desk.pointer(Phase.RELEASE, 40, 20)
    desk.qtbot.wait(150)
    desk.qtbot.waitUntil(lambda: not desk.proposals.running and desk.proposals.stale == (took_s > 3))
    assert (len(desk.network.gates) == asked) == (took_s > 3)


def test_strokes_on_a_held_out_image_make_nothing_old(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _instant(desk, 3.5)
    navigation = desk.navigation
    item: Callable[..., object] = navigation._list._item
    monkeypatch.setattr(navigation._list, "_item", lambda i, row: item(i, row)._replace(split="held-out"))  # type: ignore[attr-defined]
    desk.stroke(30, 50)
    desk.qtbot.waitUntil(lambda: len(desk.seqs) == 3 and navigation.items[0].split == "held-out")
    desk.qtbot.wait(50)
    assert not desk.proposals.stale


def test_the_look_of_a_class_makes_no_proposal_older_and_a_stroke_does(desk: Desk) -> None:
    _instant(desk, took_s=9.0)
    assert not desk.proposals.stale
    edits, color = desk.documents.submitted, desk.documents.classes[CELL].color
    for before, after in (({"color": color}, {"color": "#123456"}), ({"opacity": 1.0}, {"opacity": 0.4})):
        desk.documents.commit(Edit(None, Cause.CLASSES, rows=(RowChange(Table.CLASSES, CELL, before, after),)))
    assert desk.documents.submitted == edits + 2
    desk.qtbot.wait(60)
    assert not desk.proposals.stale
    desk.stroke(30, 30)
    desk.qtbot.waitUntil(lambda: desk.proposals.stale)
