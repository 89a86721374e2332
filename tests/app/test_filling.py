"""Whole-image edits and stored proposals, read and computed while the hand goes on."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from segstudio.app.editing import background_fill
from segstudio.app.editing.tools.pointer import Button
from segstudio.app.values import Rest
from segstudio.labels.class_rows import changed_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ImageId, Kind, LabelClass
from segstudio.tasks.labels.accept import rest_of
from segstudio.tasks.labels.effort import corrected
from tests.app.proposal_desk import CELL, Desk


class Gate:
    """Lets a patched function through when it is opened; keeps the threads that came."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.threads: list[str] = []

    def before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def through(*args: Any, **options: Any) -> Any:
            self.threads.append(threading.current_thread().name)
            assert self.opened.wait(20)
            return call(*args, **options)

        return through


def test_an_image_is_shown_while_its_stored_proposal_is_still_being_decoded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.proposed(0)
    desk.shows(1)
    gate = Gate()
    monkeypatch.setattr(desk.project.proposals, "read", gate.before(desk.project.proposals.read))
    desk.shows(0)
    assert desk.proposals.on_screen is None
    desk.stroke(20, 20)
    gate.opened.set()
    desk.qtbot.waitUntil(lambda: desk.proposals.on_screen is not None)
    assert all(name.startswith("proposal") for name in gate.threads)


def test_a_stored_proposal_that_comes_after_its_image_was_left_is_dropped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.proposed(0)
    desk.shows(1)
    desk.qtbot.waitUntil(lambda: not desk.proposals.running)
    gate = Gate()
    monkeypatch.setattr(desk.project.proposals, "read", gate.before(desk.project.proposals.read))
    desk.navigation.open(0)
    desk.shows(1)
    gate.opened.set()
    desk.qtbot.waitUntil(lambda: desk.proposals.on_screen is not None)
    desk.qtbot.wait(60)
    assert desk.proposals.on_screen is not None
    assert desk.proposals.on_screen.image == ImageId(2)


def test_a_large_accept_is_computed_while_the_hand_paints_and_never_on_the_gui_thread(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.proposed()
    gate = Gate()
    monkeypatch.setattr(background_fill, "parts_of", gate.before(background_fill.parts_of))
    desk.finishing.accept()
    desk.stroke(60, 40, Button.RIGHT)
    painted = desk.read()[0] > 0
    gate.opened.set()
    desk.qtbot.waitUntil(lambda: len(desk.seqs) == 2)
    assert np.array_equal(desk.read()[1], np.where(painted, 1, 2))
    assert len(gate.threads) == 2  # once more on what was there by then
    assert all(name.startswith("fill") for name in gate.threads)


def test_another_image_is_shown_at_once_and_the_done_of_the_one_before_is_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.proposed()
    gate = Gate()
    monkeypatch.setattr(background_fill, "parts_of", gate.before(background_fill.parts_of))
    done: list[bool] = []
    desk.finishing.mark_done(lambda: done.append(True))
    desk.shows(1)
    assert not done
    assert not desk.finishing.cancel_fill()  # undo and Escape are about the image on screen
    gate.opened.set()
    desk.qtbot.waitUntil(lambda: bool(done) and bool(desk.seqs))
    assert desk.project.image(ImageId(1)).status == "done"
    assert desk.project.image(ImageId(1)).labelled_pixels == 90 * 70


def test_what_has_to_wait_for_a_fill_runs_after_it(desk: Desk) -> None:
    desk.proposed()
    order: list[str] = []
    desk.finishing.mark_done(lambda: order.append("done"))
    desk.documents.after(lambda: order.append("export"))
    assert order == []
    desk.qtbot.waitUntil(lambda: len(order) == 2)
    assert order == ["done", "export"]
    desk.documents.after(lambda: order.append("at once"))
    assert order[-1] == "at once"


@pytest.mark.parametrize(
    ("rest", "labelled", "word"),
    [
        (Rest.PROPOSAL, True, "took the proposal"),
        (Rest.BACKGROUND, True, "background"),
        (Rest.UNKNOWN, False, "unknown"),
    ],
)
def test_done_makes_of_the_rest_what_the_project_says(desk: Desk, rest: Rest, labelled: bool, word: str) -> None:
    desk.proposed()
    desk.stroke(20, 20)
    painted = desk.read()[0] > 0
    desk.finishing.set_rest(rest)
    desk.qtbot.waitUntil(lambda: desk.project.setting("done_rest") == rest.value)
    done: list[bool] = []
    desk.finishing.mark_done(lambda: done.append(True))
    desk.qtbot.waitUntil(lambda: bool(done))
    ids, origins = desk.read()
    assert (ids > 0).all() == labelled
    assert np.array_equal(origins, np.where(painted, 1, 4 if labelled else 0))
    assert desk.documents.current is not None
    document = desk.documents.current.document
    wanted = desk.documents.classes.background.id if rest is Rest.BACKGROUND else CELL
    assert not labelled or (document.class_ids(0, document.raster.bounds(0))[~painted] == wanted).all()
    assert word in desk.said[-1]


def test_a_setting_of_a_later_version_counts_as_the_default(desk: Desk) -> None:
    assert rest_of("by-weather") is Rest.PROPOSAL
    assert rest_of({"policy": 1}) is Rest.PROPOSAL
    assert rest_of("unknown") is Rest.UNKNOWN
    assert desk.finishing.rest is Rest.PROPOSAL


def test_effort_counts_a_merged_class_as_what_it_was_merged_into(desk: Desk) -> None:
    desk.proposed()
    first = desk.proposals.on_screen
    assert first is not None
    desk.documents.class_id = next(c.id for c in desk.documents.classes if c.name == "crack")
    desk.stroke(30, 30)
    assert desk.documents.current is not None
    document = desk.documents.current.document
    painted = int((desk.read()[0] > 0).sum())
    assert corrected(document, first, desk.documents.classes) == (painted, 90 * 70)
    crack = desk.documents.classes.named("crack")
    assert isinstance(crack, LabelClass)
    assert crack.kind is Kind.SEMANTIC
    row = changed_class_row(crack, merged_into=CELL)
    desk.documents.commit_classes(Edit(None, Cause.CLASSES, rows=(row,)))
    assert corrected(document, first, desk.documents.classes) == (0, 90 * 70)
