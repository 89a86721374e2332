"""Images are added and taken out beside the event loop: the list follows, the image on screen stays or gives way."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segstudio.app.editing.documents import Documents
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.values import ImagesAdded, ImagesFound, JobKind
from segstudio.app.viewing import growing
from segstudio.app.viewing.growing import Growing
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import DiskRefused
from segstudio.geometry import Rect
from segstudio.labels.model import ImageId
from segstudio.store.project import Project
from segstudio.tasks.progress import Progress
from tests.app.grounds import Heard, ground_of


class Desk:
    """The owners over a real project, and what they said."""

    def __init__(self, qtbot: Any, project: Project) -> None:
        self.qtbot, self.project, self.ground = qtbot, project, ground_of(project)
        self.heard, self.main = Heard(self.ground), self.ground.main
        self.documents = Documents(self.ground)
        self.navigation = Navigation(self.ground, self.documents)
        self.growing = Growing(self.ground, self.documents, self.navigation)
        self.failures = self.heard.failures
        self.added: list[ImagesAdded] = []
        self.found: list[ImagesFound] = []
        self.lists: list[object] = []
        self.growing.added.connect(self.added.append)
        self.growing.found.connect(self.found.append)
        self.navigation.imagesChanged.connect(self.lists.append)

    @property
    def names(self) -> list[str]:
        return [item.name for item in self.navigation.items]

    def show(self, index: int) -> None:
        self.navigation.open(index)
        self.qtbot.waitUntil(lambda: not self.navigation.loading)

    def stroke(self, phase: Phase, x: float) -> None:
        self.documents.pointer(Pointer(phase, x, 20.0, Button.LEFT))

    def close(self) -> None:
        self.ground.jobs.cancel_all(self.main)
        self.ground.jobs.wait_all(self.main, lambda: 10)
        self.growing.close(10)
        self.documents.settle()
        self.navigation.close()
        self.main.close()
        self.documents.close()


@pytest.fixture
def desk(qtbot: Any, opened: Callable[[], Project]) -> Iterator[Desk]:
    desk = Desk(qtbot, opened())
    yield desk
    desk.close()


def more(folder: Path, *names: str) -> Path:
    (folder / "more").mkdir(exist_ok=True)
    for n, name in enumerate(names):
        rng = np.random.default_rng(100 + n)
        Image.fromarray(rng.integers(0, 255, (30, 40), np.uint8)).save(folder / "more" / name)
    return folder / "more"


def test_added_images_appear_behind_the_others_and_the_one_on_screen_stays(desk: Desk, tmp_path: Path) -> None:
    desk.show(1)
    desk.growing.add([str(more(tmp_path, "x_10.png", "x_9.png"))])
    assert desk.names == ["0.png", "1.png", "2.png"], "nothing happens in the call"
    desk.qtbot.waitUntil(lambda: bool(desk.added))
    assert desk.names == ["0.png", "1.png", "2.png", "x_9.png", "x_10.png"]
    assert desk.added[0].added == ("x_9.png", "x_10.png")
    assert desk.lists == [()]
    assert (desk.navigation.index, desk.navigation.shown) == (1, ImageId(2))
    assert len(desk.project.images()) == 5


def test_a_stroke_under_way_is_kept_before_images_come_or_go(desk: Desk, tmp_path: Path) -> None:
    desk.show(0)
    desk.stroke(Phase.PRESS, 20.0)
    desk.stroke(Phase.MOVE, 40.0)
    desk.growing.add([str(more(tmp_path, "x.png"))])
    assert not desk.documents.gesture_active
    desk.qtbot.waitUntil(lambda: bool(desk.added))
    desk.stroke(Phase.PRESS, 50.0)
    desk.growing.remove(["2.png"])
    assert not desk.documents.gesture_active
    desk.qtbot.waitUntil(lambda: desk.names == ["0.png", "1.png", "x.png"])
    assert desk.project.last_seq() == 3


def test_of_a_removed_image_on_screen_the_next_one_is_shown(desk: Desk) -> None:
    desk.show(1)
    desk.growing.remove(["0.png", "1.png"])
    desk.qtbot.waitUntil(lambda: desk.names == ["2.png"])
    desk.qtbot.waitUntil(lambda: desk.navigation.shown == ImageId(3))
    assert desk.navigation.index == 0


def test_undo_and_redo_of_a_removal_bring_the_list_along(desk: Desk) -> None:
    desk.show(2)
    desk.growing.remove(["0.png", "1.png"])
    desk.qtbot.waitUntil(lambda: desk.names == ["2.png"])
    desk.documents.undo()
    desk.qtbot.waitUntil(lambda: desk.names == ["0.png", "1.png", "2.png"])
    assert (desk.navigation.index, desk.navigation.shown) == (2, ImageId(3))
    desk.show(0)
    desk.documents.redo()
    desk.qtbot.waitUntil(lambda: desk.names == ["2.png"])
    desk.qtbot.waitUntil(lambda: desk.navigation.shown == ImageId(3))


def test_an_image_that_comes_back_can_be_sent_away_by_undo(desk: Desk) -> None:
    desk.show(2)
    file = desk.navigation.rows[0].file
    desk.growing.remove(["0.png"])
    desk.qtbot.waitUntil(lambda: len(desk.names) == 2)
    desk.growing.add([str(file)])
    desk.qtbot.waitUntil(lambda: len(desk.names) == 3)
    assert desk.added[0].back == ("0.png",)
    desk.documents.undo()
    desk.qtbot.waitUntil(lambda: len(desk.names) == 2)
    desk.documents.undo()
    desk.qtbot.waitUntil(lambda: len(desk.names) == 3)


def test_the_same_image_taken_out_twice_at_once_is_taken_out_once(desk: Desk) -> None:
    desk.show(2)
    desk.growing.remove(["0.png"])
    desk.qtbot.waitUntil(lambda: desk.documents.submitted == 1)
    desk.growing.remove(["0.png"])
    desk.qtbot.waitUntil(lambda: desk.names == ["1.png", "2.png"])
    desk.qtbot.wait(50)
    assert desk.project.last_seq() == 1
    assert desk.project.writer is not None
    assert not desk.project.writer.state.refused


def test_what_cannot_be_is_said_and_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.show(0)
    (tmp_path / "text.png").write_text("hello")
    desk.growing.add([str(tmp_path / "text.png"), str(more(tmp_path, "x.png"))])
    desk.qtbot.waitUntil(lambda: bool(desk.failures))
    desk.growing.remove(["nowhere.png"])
    desk.qtbot.waitUntil(lambda: len(desk.failures) == 2)
    desk.growing.remove(["*"])
    desk.qtbot.waitUntil(lambda: len(desk.failures) == 3)
    assert [failure.job for failure in desk.failures] == ["add", "remove", "remove"]
    assert "text.png" in desk.failures[0].sentence
    assert "last image" in desk.failures[2].sentence
    assert len(desk.project.images()) == 3


def test_a_folder_is_looked_through_and_what_the_project_lacks_is_counted(desk: Desk, tmp_path: Path) -> None:
    folder = more(tmp_path, "x.png", "y.png")
    desk.growing.look([str(tmp_path / "images")])
    desk.qtbot.waitUntil(lambda: desk.growing._job is None)
    assert desk.found == []
    desk.growing.look([str(folder)])
    desk.qtbot.waitUntil(lambda: bool(desk.found))
    assert desk.found[0].images == 2
    assert desk.found[0].sentence == "2 new images in the folder."
    assert len(desk.project.images()) == 3


def test_painting_goes_on_while_images_are_written(desk: Desk, tmp_path: Path) -> None:
    desk.show(0)
    desk.growing.add([str(more(tmp_path, *(f"{n}x.png" for n in range(200))))])
    for x in range(20, 60, 10):
        desk.stroke(Phase.PRESS, float(x))
        desk.stroke(Phase.RELEASE, float(x))
        desk.qtbot.wait(15)
    desk.qtbot.waitUntil(lambda: bool(desk.added), timeout=20_000)
    desk.documents.settle()
    assert desk.project.writing().flush(20)
    assert desk.project.last_seq() == 4
    assert len(desk.names) == 203
    current = desk.documents.current
    assert current is not None
    assert (
        current.document.class_ids(0, Rect(55, 20, 1, 1)).any()
        or current.document.class_ids(0, Rect(50, 20, 1, 1)).any()
    )


def finds_new_images(desk: Desk, tmp_path: Path, *names: str) -> None:
    """Images appear beside those of the project, and the look around tells of them."""
    for n, name in enumerate(names):
        rng = np.random.default_rng(200 + n)
        Image.fromarray(rng.integers(0, 255, (30, 40), np.uint8)).save(tmp_path / "images" / name)
    before = len(desk.found)
    desk.growing._look_around()
    desk.qtbot.waitUntil(lambda: len(desk.found) > before)


def test_found_images_that_the_disk_refuses_are_told_of_again_and_can_be_added(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds_new_images(desk, tmp_path, "x.png", "y.png")

    def refuse(*_: object) -> None:
        raise DiskRefused("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(growing, "write_additions", refuse)
        desk.growing.add_found()
        desk.qtbot.waitUntil(lambda: len(desk.found) == 3)
    assert [(found.images, found.refused) for found in desk.found] == [(2, False), (0, False), (2, True)]
    assert desk.found[2].sentence == "2 new images in the folder."
    assert [failure.sentence for failure in desk.failures] == ["The disk is full."]
    desk.growing.add_found()
    desk.qtbot.waitUntil(lambda: desk.names[3:] == ["x.png", "y.png"])
    assert desk.found[-1].images == 0


@pytest.mark.parametrize("refused", [True, False])
def test_found_images_whose_adding_is_refused_or_cancelled_on_the_way_are_told_of_again(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    finds_new_images(desk, tmp_path, "x.png")
    go_on = threading.Event()

    def look(*_: object, **_options: object) -> Iterator[Progress]:
        while not go_on.wait(0.01):
            yield Progress(0, 0)
        raise DiskRefused("The folder cannot be read.")

    with monkeypatch.context() as patch:
        patch.setattr(growing, "additions_of", look)
        desk.growing.add_found()
        assert desk.found[-1].images == 0
        if refused:
            go_on.set()
        else:
            desk.ground.jobs.cancel(desk.ground.jobs.of(JobKind.ADD)[0].id)
        desk.qtbot.waitUntil(lambda: bool(desk.found[-1].images))
    assert [failure.sentence for failure in desk.failures] == ["The folder cannot be read."] * refused
    desk.growing.add_found()
    desk.qtbot.waitUntil(lambda: desk.names[3:] == ["x.png"])


def test_found_images_that_nobody_asked_for_now_wait_for_what_is_being_added_without_a_word(
    desk: Desk, tmp_path: Path
) -> None:
    finds_new_images(desk, tmp_path, "found.png")
    desk.growing.found.connect(lambda found: found.images and desk.growing.add_found(asked=False))  # as the window does
    desk.growing.add([str(more(tmp_path, "x.png"))])
    desk.growing.add_found(asked=False)
    desk.qtbot.waitUntil(lambda: len(desk.names) == 5, timeout=20_000)
    assert desk.names[3:] == ["x.png", "found.png"]
    assert desk.failures == []


def test_found_images_wait_for_a_removal_too(desk: Desk, tmp_path: Path) -> None:
    desk.show(0)
    finds_new_images(desk, tmp_path, "found.png")
    desk.growing.remove(["2.png"])
    desk.growing.add_found(asked=False)
    desk.qtbot.waitUntil(lambda: desk.names == ["0.png", "1.png", "found.png"], timeout=20_000)
    assert desk.failures == []


def test_a_person_who_asks_while_images_are_being_added_is_told(desk: Desk, tmp_path: Path) -> None:
    finds_new_images(desk, tmp_path, "found.png")
    desk.growing.add([str(more(tmp_path, "x.png"))])
    desk.growing.add_found()
    assert [failure.sentence for failure in desk.failures] == ["Images are already being added or removed."]
