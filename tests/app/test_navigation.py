"""The owner of what is on screen, over a real project: rows of the list follow what is on disk."""

from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

import numpy as np
import pytest

from segstudio.app.editing.documents import Documents
from segstudio.app.values import Changed
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.model import ImageId, Seq
from segstudio.store.project import Project
from tests.app.grounds import ground_of


def test_a_row_waits_for_its_own_edit_not_for_an_older_one(qtbot: object, opened: Callable[[], Project]) -> None:
    ground = ground_of(opened())
    documents = Documents(ground)
    navigation = Navigation(ground, documents)
    rows: list[tuple[int, ...]] = []
    navigation.imagesChanged.connect(rows.append)
    documents.changed.emit(Changed(Seq(2), ImageId(3), 0, Rect(0, 0, 1, 1)))
    documents.editCommitted.emit(1)
    assert rows == []
    documents.editCommitted.emit(2)
    assert rows == [(2,)]
    documents.editCommitted.emit(3)
    assert rows == [(2,)]
    navigation.close()
    ground.main.close()


@pytest.fixture
def desk(qtbot: object, opened: Callable[[], Project]) -> Iterator[Navigation]:
    ground = ground_of(opened())
    navigation = Navigation(ground, Documents(ground))
    yield navigation
    navigation.close()
    ground.main.close()


def test_of_images_asked_for_in_a_row_only_the_last_is_shown(qtbot: Any, desk: Navigation) -> None:
    shown: list[int] = []
    desk.imageShown.connect(lambda: shown.append(desk.index))
    for i in (0, 1, 2, 1):
        desk.open(i)
    assert desk.loading
    assert desk.shown is None
    qtbot.waitUntil(lambda: not desk.loading)
    qtbot.wait(60)
    assert shown == [1]
    assert desk.shown == ImageId(2)


def test_an_image_is_found_by_place_and_by_path(desk: Navigation) -> None:
    assert [desk.find(which) for which in (1, np.int64(1), "1.png", PurePath("1.png"))] == [1, 1, 1, 1]
    for wrong in (-1, 3, "nowhere.png"):
        with pytest.raises(UserError):
            desk.find(wrong)
    with pytest.raises(UserError, match="plane"):
        desk.open(0, 1)
    assert desk.index == -1


def test_a_broken_image_is_said_and_the_next_one_comes(qtbot: Any, desk: Navigation) -> None:
    failed: list[str] = []
    desk.imageFailed.connect(lambda path, _sentence: failed.append(path))
    desk.rows[0].file.write_bytes(b"")
    desk.open(0)
    qtbot.waitUntil(lambda: bool(failed))
    assert desk.shown is None
    assert not desk.loading
    desk.open(1)
    qtbot.waitUntil(lambda: desk.shown == ImageId(2))


def test_the_next_unfinished_goes_round_the_end(qtbot: Any, desk: Navigation) -> None:
    desk.open(2)
    assert desk.next_unfinished() == 0
    desk.mark_done(ImageId(3), [0])
    desk.mark_done(ImageId(1), [0])
    assert desk.next_unfinished() == 1
    desk.mark_done(ImageId(2), [0])
    assert desk.next_unfinished() is None
    qtbot.waitUntil(lambda: not desk.loading)
