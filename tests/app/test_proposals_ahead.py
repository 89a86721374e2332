"""The owner of proposals for what comes next, over a real project, with networks that answer at once."""

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from segstudio.app.viewing import proposals_ahead
from segstudio.app.viewing.proposals_ahead import ProposalsAhead
from segstudio.geometry import TILE
from segstudio.labels.model import ImageId, Seq
from segstudio.labels.proposal import ProposalRow, ProposalTile
from segstudio.labels.tiles.tile import Constant
from segstudio.store.learning import add_trained, make_current
from segstudio.store.project import Project
from segstudio.store.proposals import encoded
from segstudio.store.values import VersionRow
from segstudio.tasks.learning.predict import Plane, PredictProgress, PredictReport, PredictSeconds
from tests.app.proposal_desk import CELL, Desk


class Ahead:
    """The owner, and what it asked for; every answer bears the name `version`."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk = desk
        self.version = "embedded"
        self.asked: list[list[Plane]] = []
        self.held = False
        self.waits = False
        self.ended = 0
        monkeypatch.setattr(proposals_ahead, "predict", self._predict)
        self.owner = ProposalsAhead(
            desk.ground,
            None,  # type: ignore[arg-type]
            desk.documents,
            desk.navigation,
            desk.proposals,
            held=lambda: self.held,
        )

    def _predict(
        self, project: Project, engine: object, images: Sequence[ImageId], *, planes: Sequence[Plane]
    ) -> Generator[PredictProgress, None, PredictReport]:
        self.asked.append(list(planes))
        assert {image for image, _ in planes} == set(images)
        try:
            while self.waits:
                yield PredictProgress(0, 1)
            tile = encoded(ProposalTile(Constant(1, 0), np.full((TILE // 4, TILE // 4), 9, np.uint8)))
            for place in planes:
                project.proposals.write(*place, self.version, {1: ProposalRow(CELL, 0.9)}, {(0, 0): tile})
        finally:
            self.ended += 1
        return PredictReport(len(images), 1, 1.0, PredictSeconds(0, 0, 0), self.version)

    def settled(self, qtbot: Any) -> None:
        qtbot.waitUntil(lambda: not self.owner.busy and not self.desk.proposals.coming)

    def rows(self) -> list[ImageId]:
        return [row.id for row in self.desk.navigation.rows]


@pytest.fixture
def ahead(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ahead]:
    desk.network.open = True
    found = Ahead(desk, monkeypatch)
    yield found
    found.waits = False
    found.owner.close()


def test_the_images_that_come_next_are_proposed_once_the_one_on_screen_is(qtbot: Any, desk: Desk, ahead: Ahead) -> None:
    desk.proposed()
    ahead.settled(qtbot)
    _, second, third = ahead.rows()
    assert ahead.asked == [[(second, 0), (third, 0)]]
    assert {note.image for note in desk.project.proposals.notes()} == set(ahead.rows())
    desk.shows(1)
    qtbot.waitUntil(lambda: desk.proposals.on_screen is not None)
    ahead.settled(qtbot)
    assert (len(desk.network.gates), len(ahead.asked)) == (1, 1), "what is there is not made again"


def test_nothing_is_asked_for_while_the_one_on_screen_is_waited_for(qtbot: Any, desk: Desk, ahead: Ahead) -> None:
    desk.network.open = False
    desk.shows(0)
    desk.asked(1)
    qtbot.wait(600)
    assert ahead.asked == []
    desk.network.open = True
    qtbot.waitUntil(lambda: bool(desk.ready))
    ahead.settled(qtbot)
    assert len(ahead.asked) == 1


def test_something_more_urgent_holds_it(qtbot: Any, desk: Desk, ahead: Ahead) -> None:
    ahead.held = True
    desk.proposed()
    qtbot.wait(600)
    assert ahead.asked == []
    ahead.held = False
    ahead.owner.refresh()
    ahead.settled(qtbot)
    assert len(ahead.asked) == 1


def test_another_version_proposes_again_what_an_older_one_had(qtbot: Any, desk: Desk, ahead: Ahead) -> None:
    desk.proposed()
    ahead.settled(qtbot)
    make_current(desk.project, "instant").result()
    ahead.owner.refresh()
    ahead.settled(qtbot)
    assert len(ahead.asked) == 1, "learners that are refitted propose again once an image is looked at"
    ahead.version = "v1"
    row = VersionRow("v1", 1, "deep", "embedded", "", Seq(0), promoted=True)
    add_trained(desk.project, row, run=None, groups={}, current="v1", state="done", summary={}).result()
    ahead.owner.refresh()
    ahead.settled(qtbot)
    assert ahead.asked[1:] == [[(image, 0) for image in ahead.rows()[1:]]]


def test_what_a_person_rejected_or_proposed_is_left_alone(qtbot: Any, desk: Desk, ahead: Ahead) -> None:
    _, second, third = ahead.rows()
    desk.project.proposals.reject(second, 0)
    tile = encoded(ProposalTile(Constant(1, 0), np.full((TILE // 4, TILE // 4), 9, np.uint8)))
    desk.project.proposals.write(third, 0, "imported", {1: ProposalRow(CELL, 0.9)}, {(0, 0): tile}, replace_people=True)
    desk.proposed()
    ahead.settled(qtbot)
    assert ahead.asked == []


def test_another_image_on_screen_ends_what_was_begun_for_the_one_before(qtbot: Any, desk: Desk, ahead: Ahead) -> None:
    ahead.waits = True
    desk.proposed()
    qtbot.waitUntil(lambda: len(ahead.asked) == 1)
    desk.navigation.open(2)
    qtbot.waitUntil(lambda: ahead.ended == 1)
    qtbot.waitUntil(lambda: len(ahead.asked) == 2)
    first, second, _ = ahead.rows()
    assert ahead.asked[1] == [(second, 0)], "the first has one, the third is on screen"
    assert first != second


def test_the_hand_goes_first(qtbot: Any, desk: Desk, ahead: Ahead) -> None:
    from segstudio.app.editing.tools.pointer import Phase

    desk.proposed()
    desk.pointer(Phase.PRESS, 20, 20)
    qtbot.wait(900)
    assert ahead.asked == []
    desk.documents.commit_gesture()
    ahead.settled(qtbot)
    assert len(ahead.asked) == 1
