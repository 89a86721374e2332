"""Done on a stack waits for the proposal of the plane on screen, and for no other."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from segstudio.app.values import DoneState, Rest
from segstudio.geometry import Rect
from segstudio.labels.model import ImageId
from segstudio.tasks.images.new import new_project
from segstudio.tasks.progress import finished
from tests.app.proposal_desk import Desk

PLANES, STACK = 4, ImageId(1)


@pytest.fixture
def project_path(tmp_path: Path) -> Path:
    """A stack of four planes in the place of the usual images."""
    (tmp_path / "v").mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (PLANES, 70, 90), np.uint8)
    tifffile.imwrite(tmp_path / "v/v.tif", noise, metadata={"axes": "ZYX"}, photometric="minisblack")
    classes = ["background::background", "cell", "crack"]
    return finished(new_project(tmp_path / "small.segstudio", [str(tmp_path / "v")], classes)).path


def done(desk: Desk) -> list[int]:
    return sorted(desk.navigation.items[0].marks.done(PLANES))


def proposed(desk: Desk) -> set[int]:
    return {note.plane for note in desk.project.proposals.notes()}


def test_what_is_shown_is_proposed_and_no_other_plane(desk: Desk) -> None:
    desk.shows(0, 2)
    desk.asked(1)
    desk.network.open = True
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    assert proposed(desk) == {2}


def test_done_waits_for_the_plane_on_screen_and_goes_on_to_the_next(desk: Desk) -> None:
    desk.shows(0, 1)
    desk.asked(1)
    desk.finishing.mark_done_and_go_on()
    desk.qtbot.wait(60)
    assert desk.finishing.state is DoneState.WAITING
    assert not desk.seqs
    desk.network.gates[0].set()
    desk.qtbot.waitUntil(lambda: bool(desk.seqs))
    assert done(desk) == [1]
    desk.qtbot.waitUntil(lambda: desk.navigation.plane == 2 and desk.navigation.shown == STACK)
    document = desk.project.document(STACK)
    filled = [bool(document.class_ids(plane, Rect(0, 0, 90, 70)).all()) for plane in range(PLANES)]
    assert filled == [False, True, False, False]


def test_turning_the_plane_ends_the_wait_and_marks_nothing(desk: Desk) -> None:
    desk.shows(0, 1)
    desk.asked(1)
    desk.finishing.mark_done_and_go_on()
    desk.shows(0, 3)
    assert desk.finishing.state is DoneState.IDLE
    assert desk.said[-1] == "Done was cancelled; the plane was not marked done."
    desk.network.open = True
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    assert done(desk) == []


def test_a_plane_that_is_labelled_throughout_waits_for_no_proposal(desk: Desk) -> None:
    desk.finishing.set_rest(Rest.BACKGROUND)
    desk.shows(0, 0)
    desk.finishing.mark_done(lambda: None)
    desk.qtbot.waitUntil(lambda: bool(desk.seqs) and bool(desk.navigation.rows[0].labelled_pixels))
    desk.finishing.set_rest(Rest.PROPOSAL)
    desk.proposals.propose()
    assert desk.proposals.coming
    ended: list[bool] = []
    desk.finishing.mark_done(lambda: ended.append(True))
    desk.qtbot.waitUntil(lambda: bool(ended))
    assert desk.proposals.coming, "it was not waited for"
