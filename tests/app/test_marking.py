"""Marks on many images are written with what holds when they are written, however long the look at the files took."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segstudio.app.editing import marking
from segstudio.app.open_project import OpenedProject
from segstudio.app.session import Session
from segstudio.geometry import Rect
from segstudio.labels.model import ImageId, Rest, Status
from segstudio.tasks.labels.accept import REST_SETTING
from tests.app.conftest import SIZE


class Desk:
    """A session over three images whose unlabelled pixels Done makes background."""

    def __init__(self, qtbot: Any, path: Path) -> None:
        self.qtbot, self.session = qtbot, Session()
        self.said: list[str] = []
        self.session.notices.told.connect(lambda notice: self.said.append(notice.sentence))
        self.session.kept_preferences.prefer(automatic_proposals=False)
        self.session.projects.open(path)
        self.wait(lambda: self.opened.navigation.shown is not None)
        self.set_rest(Rest.BACKGROUND)

    @property
    def opened(self) -> OpenedProject:
        assert self.session.project is not None
        return self.session.project

    def wait(self, holds: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=20_000)

    def set_rest(self, rest: Rest) -> None:
        """Change the setting, and wait until it is on disk."""
        self.opened.finishing.set_rest(rest)
        self.wait(lambda: self.opened.store.setting(REST_SETTING) == rest.value)

    def mark_all(self) -> None:
        """Mark every image done, and wait for what is said of it."""
        self.opened.marking.mark([row.id for row in self.opened.navigation.rows], done=True)
        self.wait(lambda: any("marked done" in sentence for sentence in self.said))

    def statuses(self) -> list[Status]:
        return [row.status for row in self.opened.store.images(removed=True)]

    def known_pixels(self) -> int:
        store = self.opened.store
        pixels = [store.document(row.id).class_ids(0, Rect(0, 0, *SIZE)) for row in store.images(removed=True)]
        return int(np.count_nonzero(pixels))


@pytest.fixture
def desk(qtbot: Any, project_path: Path) -> Iterator[Desk]:
    made = Desk(qtbot, project_path)
    yield made
    made.session.close()


@pytest.fixture
def meanwhile(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Do something in the window once, after the first look at the files and before it is written: the look's thread
    goes on once `done` holds."""

    def do(what: Callable[[], object], done: Callable[[], object] = lambda: True) -> None:
        real, still = marking.acceptance, [what]

        def slow(*args: Any, **options: Any) -> Any:
            plan = yield from real(*args, **options)
            if still:
                desk.opened.ground.main.post(still.pop())
                end = time.monotonic() + 10
                while not done() and time.monotonic() < end:
                    time.sleep(0.01)
            return plan

        monkeypatch.setattr(marking, "acceptance", slow)

    return do


def test_all_that_is_unlabelled_becomes_background_where_nothing_is_in_the_way(desk: Desk) -> None:
    desk.mark_all()
    assert desk.statuses() == [Status.DONE] * 3
    assert desk.known_pixels() == 3 * SIZE[0] * SIZE[1]


def test_a_class_that_was_locked_meanwhile_gets_no_pixel(desk: Desk, meanwhile: Callable[..., None]) -> None:
    meanwhile(lambda: desk.opened.classes.change("background", locked=True))
    desk.mark_all()
    assert desk.opened.documents.classes.background.locked
    assert desk.known_pixels() == 0
    assert Status.DONE not in desk.statuses()


def test_an_image_that_was_removed_meanwhile_is_left_as_it_is(desk: Desk, meanwhile: Callable[..., None]) -> None:
    growing, store = desk.opened.growing, desk.opened.store
    meanwhile(lambda: growing.remove_images([ImageId(3)]), lambda: ImageId(3) in store.taken_out())
    desk.mark_all()
    assert "2 images marked done." in desk.said
    assert [status is Status.DONE for status in desk.statuses()] == [True, True, False]
    assert desk.known_pixels() == 2 * SIZE[0] * SIZE[1]


def test_a_setting_that_was_changed_meanwhile_counts(desk: Desk, meanwhile: Callable[..., None]) -> None:
    desk.set_rest(Rest.UNKNOWN)
    meanwhile(lambda: desk.opened.finishing.set_rest(Rest.BACKGROUND))
    desk.mark_all()
    assert desk.statuses() == [Status.DONE] * 3
    assert desk.known_pixels() == 3 * SIZE[0] * SIZE[1]
