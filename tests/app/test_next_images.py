"""The owner of what comes next, over a real project, with descriptions that are made up."""

import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.app.viewing import next_images
from segstudio.app.viewing.next_images import NextImages
from segstudio.errors import EngineDied
from segstudio.labels.model import ImageId, Seq, Status
from segstudio.store.catalog.versions import add_version
from segstudio.store.learning import make_current
from segstudio.store.project import Project
from segstudio.store.values import VersionRow
from segstudio.tasks.images.add import add_images
from segstudio.tasks.learning.next_images import DescribeProgress, Description, Order
from segstudio.tasks.progress import finished
from tests.app.proposal_desk import Desk


class Told:
    """What the model says, by place in the list: (unsure, disputed). Before the image at `stop_before`, counted within
    a request, it waits for `gate`.
    """

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk = desk
        self.says: dict[int, tuple[float, float | None]] = {0: (0.1, 0.5), 1: (0.2, 0.1), 2: (0.9, 0.0)}
        self.asked: list[tuple[list[int], str, str]] = []
        self.measures: list[str] = []
        self.unreadable: set[int] = set()
        self.error: Exception | None = None
        self.stop_before: int | None = None
        self.gate = threading.Event()
        self.changes = 0
        monkeypatch.setattr(next_images, "describe", self._describe)
        monkeypatch.setattr(next_images, "_SOON_MS", 0)
        self.owner = NextImages(desk.ground, None, desk.navigation)  # type: ignore[arg-type]
        self.owner.changed.connect(self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def _describe(
        self, engine: object, images: Sequence[ImageId], *, version: str, against: str, measure: str
    ) -> Generator[DescribeProgress, None, None]:
        places = {row.id: place for place, row in enumerate(self.desk.navigation.rows)}
        self.asked.append(([places[image] for image in images], version, against))
        self.measures.append(measure)
        if self.error is not None:
            raise self.error
        says = dict(self.says)
        for n, image in enumerate(images):
            while n == self.stop_before and not self.gate.wait(0.01):
                yield DescribeProgress(n, len(images))
            place = places[image]
            if place in self.unreadable:
                continue
            unsure, disputed = says[place]
            found = Description(version, unsure, disputed if against else None, np.eye(4, dtype=np.float32)[place])
            yield DescribeProgress(n + 1, len(images), image, found)

    @property
    def upcoming(self) -> list[int]:
        return list(self.desk.navigation.upcoming())

    def settled(self, times: int) -> None:
        """Wait until the engine was asked so often, and has answered."""
        self.desk.qtbot.waitUntil(lambda: len(self.asked) >= times and not self.desk.ground.jobs.states)
        self.desk.qtbot.wait(60)
        assert len(self.asked) == times
        assert not self.desk.ground.jobs.states

    def chosen(self, order: Order, times: int = 1) -> None:
        self.owner.choose(order)
        self.settled(times)


@pytest.fixture
def told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    found = Told(desk, monkeypatch)
    desk.proposed()
    yield found
    found.gate.set()
    found.owner.close()


def test_an_order_that_is_ready_says_where_done_goes_once(told: Told) -> None:
    told.chosen(Order.UNSURE)
    name = told.desk.navigation.items[2].name
    assert told.desk.said.count(f"Done goes on to {name}.") == 1
    told.desk.shows(1)
    told.desk.qtbot.wait(60)
    assert told.desk.said.count(f"Done goes on to {name}.") == 1


def _add_version(project: Project, name: str, parent: str) -> None:
    row = VersionRow(name, int(name[1:]), "deep", parent, "", Seq(0), promoted=True, current=True)
    assert project.writer is not None
    project.writer.call(lambda db: add_version(db, row)).result(10)


def _in_force(told: Told, name: str, parent: str = "instant") -> None:
    _add_version(told.desk.project, name, parent)
    told.owner.look()


def test_the_least_sure_image_comes_next_and_the_list_again_when_it_is_chosen(desk: Desk, told: Told) -> None:
    assert desk.navigation.next_unfinished() == 1
    told.chosen(Order.UNSURE)
    assert desk.navigation.next_unfinished() == 2
    assert told.upcoming == [2, 1, 0]
    told.owner.choose(Order.LIST)
    assert told.upcoming == [1, 2, 0]
    assert len(told.asked) == 1


def test_images_are_described_again_by_another_version_where_that_matters(told: Told) -> None:
    told.chosen(Order.UNSURE)
    told.says[1] = (1.0, None)
    _in_force(told, "v1")
    told.settled(2)
    assert told.upcoming[0] == 1
    assert [version for _places, version, _against in told.asked] == ["current", "v1"]
    told.chosen(Order.DIFFERENT, 2)
    _in_force(told, "v2")
    told.settled(2)
    assert len(told.asked) == 2, "what an image looks like is no version's matter"


def test_after_a_run_that_changes_no_version_nothing_is_described_again(told: Told) -> None:
    told.chosen(Order.UNSURE)
    told.owner.look()
    told.settled(1)
    told.stop_before = 1
    _in_force(told, "v1")
    told.desk.qtbot.waitUntil(lambda: len(told.asked) == 2)
    told.owner.look()
    told.desk.qtbot.wait(60)
    told.gate.set()
    told.settled(2)
    assert told.asked[1][0] == told.asked[0][0], "it goes on where it was"


def test_an_order_goes_by_one_version_the_one_before_until_all_are_described(told: Told) -> None:
    told.chosen(Order.UNSURE)
    told.says = {0: (0.0, None), 1: (0.8, None), 2: (0.3, None)}
    told.stop_before = 1
    changes = told.changes
    _in_force(told, "v1")
    told.desk.qtbot.waitUntil(lambda: len(told.asked) == 2)
    told.desk.qtbot.wait(60)
    assert told.upcoming == [2, 1, 0], "v1 has said of image 1 alone so far"
    assert told.changes == changes
    told.gate.set()
    told.settled(2)
    assert told.upcoming == [1, 2, 0]


def test_a_version_that_is_in_force_again_is_asked_for_nothing_twice(told: Told) -> None:
    _in_force(told, "v1")
    told.chosen(Order.UNSURE)
    told.stop_before = 1
    _in_force(told, "v2")
    told.desk.qtbot.waitUntil(lambda: len(told.asked) == 2)
    make_current(told.desk.project, "v1").result()
    told.owner.look()
    told.settled(2)
    assert told.upcoming == [2, 1, 0]


def test_the_instant_learner_is_asked_again_when_it_has_learned_from_twice_as_many_images(
    desk: Desk, told: Told
) -> None:
    for name, at in (("cell", 20.0), ("crack", 50.0)):
        desk.documents.choose_class(name)
        desk.stroke(at, 30)
    desk.qtbot.waitUntil(lambda: len(desk.project.known_classes()) == 2)
    told.stop_before = 1
    told.owner.choose(Order.UNSURE)
    desk.qtbot.waitUntil(lambda: len(told.asked) == 1)
    desk.finishing.mark_done(lambda: None)
    desk.qtbot.waitUntil(lambda: desk.navigation.items[0].status is Status.DONE)
    desk.qtbot.wait(60)
    assert len(told.asked) == 1, "what was begun is brought to its end"
    told.gate.set()
    told.settled(2)
    assert told.asked[1][0] == [1, 2]


def test_a_version_is_compared_with_the_one_before_it_not_with_the_newest(told: Told) -> None:
    for name, parent in (("v1", "instant"), ("v2", "v1"), ("v3", "v2")):
        _add_version(told.desk.project, name, parent)
    make_current(told.desk.project, "v2").result()
    told.chosen(Order.DISPUTED)
    assert told.asked[0][1:] == ("v2", "v1")
    assert told.upcoming == [1, 2, 0]


def test_the_first_version_is_compared_with_the_learner_before_it(told: Told) -> None:
    _in_force(told, "v1", "instant")
    told.chosen(Order.DISPUTED)
    assert told.asked[0][1:] == ("v1", "instant")


@pytest.mark.parametrize("parent", [None, "", "v0"])
def test_without_another_version_the_list_order_stays_and_one_sentence_says_why(
    desk: Desk, told: Told, parent: str | None
) -> None:
    if parent is not None:
        _add_version(desk.project, "v1", parent)
    told.owner.choose(Order.DISPUTED)
    desk.qtbot.waitUntil(lambda: told.owner.order is Order.LIST)
    assert desk.heard.words == ["There is no other version to compare with."]
    told.settled(0)
    assert told.upcoming == [1, 2, 0]


def test_what_is_described_already_is_described_again_only_where_versions_are_to_be_compared(told: Told) -> None:
    _in_force(told, "v1")
    told.chosen(Order.UNSURE)
    told.chosen(Order.DISPUTED, 2)
    assert told.upcoming == [1, 2, 0]
    told.chosen(Order.UNSURE, 2)
    assert told.upcoming == [2, 1, 0]


def test_an_image_with_another_content_is_described_again(desk: Desk, told: Told) -> None:
    told.chosen(Order.UNSURE)
    told.says[2] = (0.0, None)
    desk.navigation.contentReplaced.emit(desk.navigation.rows[2].id)
    assert told.upcoming == [1, 2, 0]
    told.settled(2)
    assert told.asked[1][0] == [2]


def test_images_that_are_added_are_described(desk: Desk, told: Told, tmp_path: Path) -> None:
    told.says[3] = (1.0, None)
    told.chosen(Order.UNSURE)
    Image.fromarray(np.zeros((70, 90), np.uint8)).save(tmp_path / "another.png")
    finished(add_images(desk.project, [str(tmp_path / "another.png")]))
    desk.navigation.reload_later(lambda: None)
    told.settled(2)
    assert told.asked[1][0] == [3]
    assert told.upcoming[0] == 3


def test_images_that_come_near_are_described(desk: Desk, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(next_images, "_MOST", 1)
    told.chosen(Order.UNSURE)
    assert told.asked[0][0] == [1]
    desk.shows(1)
    told.settled(2)
    assert told.asked[1][0] == [2]


def test_what_cannot_be_read_is_asked_for_once(desk: Desk, told: Told) -> None:
    told.unreadable = {2}
    told.chosen(Order.UNSURE)
    desk.shows(2)
    desk.shows(0)
    told.settled(2)
    assert told.asked[1][0] == [0], "which was on screen before"


def test_what_goes_wrong_is_said_once_and_the_list_order_holds(desk: Desk, told: Told) -> None:
    told.error = EngineDied("The engine died.")
    told.chosen(Order.UNSURE)
    desk.navigation.imagesChanged.emit(())
    told.settled(1)
    assert [notice.sentence for notice in desk.heard.failures] == ["The engine died."]
    assert desk.navigation.next_unfinished() == 1


def test_a_person_who_cancels_is_not_overruled_until_the_order_is_chosen_again(desk: Desk, told: Told) -> None:
    told.stop_before = 0
    told.owner.choose(Order.UNSURE)
    desk.qtbot.waitUntil(lambda: len(told.asked) == 1)
    desk.ground.jobs.cancel(desk.ground.jobs.states[0].id)
    told.settled(1)
    desk.navigation.imagesChanged.emit(())
    told.settled(1)
    told.gate.set()
    told.chosen(Order.UNSURE, 2)


def test_while_a_run_is_under_way_the_job_says_that_it_waits(desk: Desk, told: Told) -> None:
    told.stop_before = 1
    told.owner.choose(Order.UNSURE)
    desk.qtbot.waitUntil(lambda: len(told.asked) == 1)
    told.owner.hold(True)
    assert desk.ground.jobs.states[0].text == "Looking at the images after the run"
    told.owner.hold(False)
    assert desk.ground.jobs.states[0].text == "Looking at the images"


def test_by_another_measure_images_are_described_again_where_that_matters(told: Told) -> None:
    told.owner.unsure_by("entropy")
    told.settled(0)
    told.chosen(Order.UNSURE)
    told.owner.unsure_by("flips")
    told.owner.unsure_by("flips")
    told.settled(2)
    assert told.measures == ["entropy", "flips"]
