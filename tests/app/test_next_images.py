"""The owner of what comes next, over a real project, with descriptions that are made up."""

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from segstudio.app.viewing import next_images
from segstudio.app.viewing.next_images import NextImages
from segstudio.errors import EngineDied
from segstudio.labels.model import ImageId
from segstudio.tasks.learning.next_images import DescribeProgress, Description, Order
from tests.app.proposal_desk import Desk


class Told:
    """What the model says, by place in the list: (unsure, disputed)."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk = desk
        self.says = {0: (0.1, 0.5), 1: (0.2, 0.1), 2: (0.9, 0.0)}
        self.asked: list[tuple[list[ImageId], str]] = []
        self.measures: list[str] = []
        self.error: Exception | None = None
        monkeypatch.setattr(next_images, "describe", self._describe)
        self.owner = NextImages(desk.ground, None, desk.navigation)  # type: ignore[arg-type]

    def _describe(
        self, engine: object, images: Sequence[ImageId], *, against: str, measure: str
    ) -> Generator[DescribeProgress, None, None]:
        self.asked.append((list(images), against))
        self.measures.append(measure)
        if self.error is not None:
            raise self.error
        rows = [row.id for row in self.desk.navigation.rows]
        for n, image in enumerate(images):
            unsure, disputed = self.says[rows.index(image)]
            features = np.eye(4, dtype=np.float32)[rows.index(image)]
            yield DescribeProgress(n + 1, len(images), image, Description("v1", unsure, disputed, features))

    def settled(self, qtbot: Any) -> None:
        qtbot.waitUntil(lambda: not self.desk.ground.jobs.states)


@pytest.fixture
def told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    found = Told(desk, monkeypatch)
    desk.proposed()
    yield found
    found.owner.close()


def test_the_least_sure_image_comes_next_and_the_list_again_when_it_is_chosen(
    qtbot: Any, desk: Desk, told: Told
) -> None:
    assert desk.navigation.next_unfinished() == 1
    told.owner.choose(Order.UNSURE)
    told.settled(qtbot)
    assert desk.navigation.next_unfinished() == 2
    assert list(desk.navigation.upcoming()) == [2, 1, 0]
    told.owner.choose(Order.LIST)
    assert list(desk.navigation.upcoming()) == [1, 2, 0]
    assert len(told.asked) == 1


def test_images_are_described_again_by_another_version_where_that_matters(qtbot: Any, desk: Desk, told: Told) -> None:
    told.owner.choose(Order.UNSURE)
    told.settled(qtbot)
    told.says[1] = (1.0, 0.0)
    told.owner.refresh()
    told.settled(qtbot)
    assert desk.navigation.next_unfinished() == 1
    told.owner.choose(Order.DIFFERENT)
    told.settled(qtbot)
    told.owner.refresh()
    told.settled(qtbot)
    assert len(told.asked) == 2, "what an image looks like is no version's matter"


def test_versions_are_compared_with_the_instant_learner_where_there_is_no_other(
    qtbot: Any, desk: Desk, told: Told
) -> None:
    told.owner.choose(Order.DISPUTED)
    told.settled(qtbot)
    assert told.asked[0][1] == "instant"


def test_what_goes_wrong_is_said_and_the_list_order_holds(qtbot: Any, desk: Desk, told: Told) -> None:
    told.error = EngineDied("The engine died.")
    told.owner.choose(Order.UNSURE)
    told.settled(qtbot)
    assert [notice.sentence for notice in desk.heard.failures] == ["The engine died."]
    assert desk.navigation.next_unfinished() == 1


def test_by_another_measure_images_are_described_again_where_that_matters(qtbot: Any, told: Told) -> None:
    told.owner.unsure_by("entropy")
    assert told.asked == []
    told.owner.choose(Order.UNSURE)
    told.settled(qtbot)
    told.owner.unsure_by("flips")
    told.owner.unsure_by("flips")
    told.settled(qtbot)
    assert told.measures == ["entropy", "flips"]
