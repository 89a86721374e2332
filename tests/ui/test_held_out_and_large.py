"""The real window: an image that is held out says so, a large one is proposed part by part, and strokes age it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QProgressBar, QPushButton, QToolButton

from segstudio.store.values import Split
from segstudio.tasks.images.new import new_project
from tests.window_bench import RIGHT, Bench

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """Not looked for here: the engine's threads end with the process."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Path:
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    return tmp_path


def _project(home: Path, *sizes: int) -> Path:
    images = home / "images"
    images.mkdir()
    random = np.random.default_rng(0)
    for number, side in enumerate(sizes):
        Image.fromarray(random.integers(0, 255, (side, side), dtype=np.uint8)).save(images / f"{number}.png")
    path = home / "p.segstudio"
    for _ in new_project(path, [str(images)], ["background::background", "coin"]):
        pass
    return path


@pytest.fixture
def four(home: Path) -> Iterator[Bench]:
    """A window on four small images, each with a stroke; the fourth was painted on last and is on screen."""
    me = Bench(_project(home, 96, 96, 96, 96))
    me.wait(lambda: me.shown)
    for image in range(4):
        me.shows(image)
        me.canvas.setFocus()
        me.session.set_class("coin")
        me.drag((30, 30), (50, 40))
        me.settle()
    yield me
    me.close()


def _held_out(me: Bench) -> list[int]:
    return [item.index for item in me.opened.navigation.items if item.split == Split.HELD_OUT]


def test_the_image_under_the_hand_is_learned_from_and_a_held_out_one_says_what_it_is(four: Bench) -> None:
    me = four
    me.wait(lambda: len(_held_out(me)) == 1)
    (held,) = _held_out(me)
    assert held != 3
    banner = me.window.held_out_banner
    assert not banner.isVisible()
    me.shows(held)
    assert banner.isVisible()
    assert banner.text.text() == "Held out: used to measure the model, never to train it."
    button = banner.findChild(QPushButton, "learnInsteadButton")
    assert button is not None
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    me.wait(lambda: held not in _held_out(me))
    assert len(_held_out(me)) == 1
    assert not banner.isVisible()
    me.shows(_held_out(me)[0])
    assert banner.isVisible()


def test_what_stands_against_another_role_is_said(four: Bench) -> None:
    me = four
    me.wait(lambda: len(_held_out(me)) == 1)
    (held,) = _held_out(me)
    assert me.session.project is not None
    project = me.opened.store
    groups = {row.group_id: row.split for row in project.images()}

    def learned(db: object) -> None:
        db.execute(  # type: ignore[attr-defined]
            "INSERT INTO versions (name, number, learner, parent, made, seq, promoted) "
            "VALUES ('v1', 1, 'deep', '', '', 0, 1)"
        )
        rows = [("v1", group, split.value) for group, split in groups.items() if split is not None]
        db.executemany("INSERT INTO version_groups VALUES (?, ?, ?)", rows)  # type: ignore[attr-defined]

    assert project.writer is not None
    project.writer.call(learned).result()
    me.session.hold_out(held, False)
    me.wait(lambda: me.failures)
    assert "stays held out" in me.failures[0]["sentence"]
    assert _held_out(me) == [held]


def test_a_large_image_is_proposed_part_by_part_with_a_percentage_and_can_be_cancelled(home: Path) -> None:
    me = Bench(_project(home, 4000))
    me.wait(lambda: me.shown, 60)
    me.canvas.set_zoom(1.0)
    progress = me.window.findChild(QProgressBar, "jobProgress")
    words = me.window.findChild(QLabel, "jobText")
    cancel = me.window.findChild(QToolButton, "jobCancel")
    assert progress is not None
    assert words is not None
    assert cancel is not None
    me.wait(lambda: me.opened.proposals.seen is not None, 120)  # a part
    part = me.opened.proposals.seen
    assert part is not None
    assert 0 < len(part.tiles) < 256
    assert me.opened.proposals.running
    assert progress.maximum() == 1000
    assert words.text().startswith("Proposing ")
    assert words.text().endswith(" %")
    assert cancel.isVisible()
    # The learner does not wait for the guess: as soon as two classes are known, the guess is dropped.
    before = me.opened.proposals.seen
    me.canvas.setFocus()
    me.session.set_class("coin")
    x, y = me.canvas.to_image(QPointF(me.canvas.rect().center()))
    me.drag((x, y), (x + 20, y))
    me.drag((x, y + 60), (x + 20, y + 60), button=RIGHT)
    me.settle()
    me.wait(lambda: me.opened.proposals.seen is not before and me.opened.proposals.seen is not None
            and me.opened.proposals.seen.version == "instant", 120)  # fmt: skip
    if me.opened.proposals.running:
        QTest.mouseClick(cancel, Qt.MouseButton.LeftButton)
    me.wait(lambda: not me.opened.proposals.running)
    assert not cancel.isVisible()
    assert not me.window.message_strip.isVisible()  # a person wanted it
    me.key(Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    assert me.opened.proposals.seen is None
    me.close()
