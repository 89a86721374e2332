"""An image whose file holds another content, another size or nothing: what is kept, said, and proposed."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs
from PIL import Image

from segstudio.app.viewing import displaying
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import DiskRefused
from segstudio.imaging.source import Stored
from segstudio.labels.model import ImageId
from segstudio.store.file_check import ContentChanged, Look, adopt, look_at
from segstudio.tasks.learning.predict import PredictProgress
from tests.app.proposal_desk import Desk
from tests.shown_pixels import whole


def _change(file: Path, size: tuple[int, int] = (90, 70), at: int = 10**18) -> None:
    Image.fromarray(np.random.default_rng(at).integers(0, 255, size[::-1], dtype=np.uint8)).save(file)
    os.utime(file, ns=(at, at))


def _labelled_then_changed(desk: Desk, **how: Any) -> Path:
    """Image 0 is labelled and proposed; while another is on screen its file gets another content."""
    desk.proposed(0)
    desk.stroke(20, 20)
    desk.qtbot.waitUntil(lambda: bool(desk.seqs))
    desk.shows(1)
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    file = desk.navigation.rows[0].file
    _change(file, **how)
    desk.ready.clear()
    return file


def test_the_proposal_of_the_old_content_is_not_shown_over_the_new_one(desk: Desk) -> None:
    _labelled_then_changed(desk)
    desk.shows(0)
    desk.qtbot.wait(50)
    assert desk.navigation.trouble.kind == "changed"
    assert desk.navigation.trouble.usable
    assert desk.proposals.on_screen is None
    assert not desk.proposals.running
    desk.proposals.propose()
    assert "has changed since" in desk.failures[-1].sentence
    desk.navigation.keep_content()
    assert "has changed since" in desk.navigation.flagged


def test_the_new_content_is_proposed_anew_once_it_is_used(desk: Desk) -> None:
    _labelled_then_changed(desk)
    asked = len(desk.network.gates)
    desk.shows(0)
    desk.navigation.use_new_content()
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    assert desk.navigation.flagged == ""
    assert len(desk.network.gates) == asked + 1
    assert desk.version() == f"embedded-{asked + 1}"
    assert desk.project.image(ImageId(1)).changed == ""


def test_an_image_never_edited_is_proposed_anew_where_its_content_is_another(desk: Desk) -> None:
    desk.proposed(0)
    desk.shows(1)
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    desk.ready.clear()
    asked = len(desk.network.gates)
    _change(desk.navigation.rows[0].file)
    seen: list[str] = []
    desk.proposals.proposalChanged.connect(lambda: seen.append(desk.version()))
    desk.shows(0)
    assert desk.navigation.trouble.kind == ""
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    assert set(seen) == {"", f"embedded-{asked + 1}"}


def test_only_what_was_shown_is_taken_for_the_new_content(desk: Desk) -> None:
    file = _labelled_then_changed(desk)
    desk.shows(0)
    shown = whole(desk.navigation.display)
    _change(file, at=2 * 10**18)
    desk.navigation.use_new_content()
    desk.qtbot.waitUntil(lambda: bool(desk.heard.failures))
    assert "changed again" in desk.heard.failures[0].sentence
    desk.qtbot.waitUntil(lambda: not desk.navigation.loading)
    assert desk.navigation.trouble.usable
    assert not np.array_equal(shown, whole(desk.navigation.display))
    assert desk.project.image(ImageId(1)).mtime_ns != 2 * 10**18
    row = desk.project.image(ImageId(1))
    seen = look_at(row)
    with pytest.raises(ContentChanged):
        adopt(desk.project, row, Look(seen.content, (structs.replace(seen.files[0], quick_hash="another"),)))


def test_an_image_of_another_size_is_flagged_and_cannot_be_used(desk: Desk) -> None:
    _labelled_then_changed(desk, size=(50, 40))
    desk.shows(0)
    assert desk.navigation.failed
    trouble = desk.navigation.trouble
    assert (trouble.kind, trouble.usable) == ("changed", False)
    assert "now has 50 x 40 pixels" in trouble.sentence
    assert desk.navigation.items[0].problem
    desk.qtbot.waitUntil(lambda: bool(desk.project.image(ImageId(1)).changed))


def test_an_image_that_is_missing_is_flagged_in_the_list_until_it_is_there_again(desk: Desk) -> None:
    file = desk.navigation.rows[0].file
    file.rename(file.with_suffix(".gone"))
    desk.shows(0)
    assert desk.navigation.trouble.kind == "missing"
    assert "is not at" in desk.navigation.items[0].problem
    desk.navigation.reload()
    assert "is not at" in desk.navigation.items[0].problem
    file.with_suffix(".gone").rename(file)
    desk.shows(0)
    assert desk.navigation.items[0].problem == ""


def test_a_status_committed_while_the_pixels_are_decoded_stays(desk: Desk) -> None:
    desk.shows(0)
    desk.stroke(20, 20)
    desk.qtbot.waitUntil(lambda: desk.navigation.items[0].status == "in-progress")
    desk.qtbot.wait(150)  # a row that is still being read would take the place of the one put there below
    before = desk.navigation.rows[0]
    _change(before.file)
    desk.navigation.open(0)
    desk.navigation.rows[0] = structs.replace(desk.project.image(ImageId(1)), objects=77)
    desk.qtbot.waitUntil(lambda: not desk.navigation.loading)
    assert desk.navigation.rows[0].changed
    assert desk.navigation.rows[0].objects == 77


def test_the_image_on_screen_stays_the_one_asked_for_when_images_come_back_before_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = desk.project.images()
    monkeypatch.setattr(desk.project, "images", lambda: every[1:])
    desk.navigation.reload()
    desk.shows(0)
    assert desk.navigation.shown == every[1].id
    monkeypatch.setattr(desk.project, "images", lambda: every)
    desk.navigation.reload()
    assert desk.navigation.index == 1
    monkeypatch.setattr(desk.project, "images", lambda: every[:1])
    desk.navigation.reload()
    desk.qtbot.waitUntil(lambda: desk.navigation.shown == every[0].id)


def test_images_that_were_only_passed_are_not_decoded(qtbot: Any, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []
    whole = displaying.load_display_image

    def counted(stored: Stored, *rest: Any) -> Any:
        decoded.append(stored.first.name)
        return whole(stored, *rest)

    monkeypatch.setattr(displaying, "load_display_image", counted)
    steps = _holding(desk.navigation, lambda: [desk.navigation.open(i) for i in (0, 1, 2, 1, 0, 1, 2)])
    qtbot.waitUntil(lambda: not desk.navigation.loading)
    assert steps == 7
    assert decoded == ["2.png"]


def _holding(navigation: Navigation, call: Callable[[], list[None]]) -> int:
    """Call while the worker that decodes is busy with something else; how many calls there were."""
    go = threading.Event()
    navigation._worker.submit(lambda: go.wait(10))
    try:
        return len(call())
    finally:
        go.set()


def test_what_fails_in_reading_the_visible_part_ends_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.shows(0)
    desk.asked(1)
    read = desk.project.proposals.read
    failing = [True]

    def refusing(image: ImageId, plane: int, known: object = None) -> Any:
        if failing.pop() if failing else False:
            raise DiskRefused("The disk refused.")
        return read(image, plane)

    monkeypatch.setattr(desk.project.proposals, "read", refusing)
    requests = desk.proposals._requests
    assert requests.asked is not None
    requests._progressed(requests.asked, PredictProgress(0, 1, ImageId(1), 0, part=True))
    desk.qtbot.waitUntil(lambda: not failing)
    desk.qtbot.wait(30)
    assert desk.failures == []
    desk.network.open = True
    desk.qtbot.waitUntil(lambda: bool(desk.ready))
    assert desk.failures == []
