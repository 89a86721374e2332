"""When memory goes back to the system: while the hand rests, never under it."""

import ctypes
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segstudio.app import spare_memory
from segstudio.app.editing.documents import Documents
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.spare_memory import SpareMemory, give_back
from segstudio.app.viewing.navigation import Navigation
from segstudio.store.project import Project
from tests.app.grounds import ground_of


class Desk:
    """An image on screen, and how often memory went back."""

    def __init__(self, qtbot: Any, project: Project, rest_ms: int = 60) -> None:
        self.begun = time.monotonic()
        self.given_at = 0.0
        ground = ground_of(project)
        self.qtbot, self.main = qtbot, ground.main
        self.documents = Documents(ground)
        self.navigation = Navigation(ground, self.documents)
        self.given = 0
        self.spare = SpareMemory(ground, self.documents, self.navigation, give=self._give, rest_ms=rest_ms)
        self.navigation.open(0)
        qtbot.waitUntil(lambda: not self.navigation.loading)

    def _give(self) -> None:
        assert not self.documents.gesture_active
        self.given += 1
        self.given_at = time.monotonic()

    def pointer(self, phase: Phase, x: float) -> None:
        self.documents.pointer(Pointer(phase, x, 20, Button.LEFT))

    def paint(self, x: float) -> None:
        self.pointer(Phase.PRESS, x)
        self.pointer(Phase.RELEASE, x)
        self.qtbot.waitUntil(lambda: self.documents.save_state().saved)

    def close(self) -> None:
        self.spare.close()
        self.navigation.close()
        self.main.close()


@pytest.fixture
def desk(qtbot: Any, opened: Callable[[], Project]) -> Iterator[Desk]:
    desk = Desk(qtbot, opened())
    yield desk
    desk.close()


def test_memory_goes_back_once_after_the_hand_has_rested(qtbot: Any, desk: Desk) -> None:
    qtbot.waitUntil(lambda: desk.given == 1)
    desk.paint(20)
    desk.paint(40)
    assert desk.given == 1
    qtbot.waitUntil(lambda: desk.given == 2)
    qtbot.wait(200)
    assert desk.given == 2


def test_nothing_goes_back_in_the_middle_of_a_stroke(qtbot: Any, desk: Desk) -> None:
    qtbot.waitUntil(lambda: desk.given == 1)
    desk.pointer(Phase.PRESS, 20)
    desk.pointer(Phase.MOVE, 40)
    qtbot.wait(250)
    assert desk.given == 1
    desk.pointer(Phase.RELEASE, 40)
    qtbot.waitUntil(lambda: desk.given == 2)


def test_who_never_rests_has_memory_given_back_between_strokes(
    qtbot: Any, opened: Callable[[], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spare_memory, "_LONGEST_S", 0.3)
    desk = Desk(qtbot, opened(), rest_ms=60_000)
    for _ in range(500):
        desk.pointer(Phase.PRESS, 20)
        desk.pointer(Phase.RELEASE, 20)
        qtbot.waitUntil(lambda: desk.documents.save_state().saved)
        desk.documents.undo()
        qtbot.waitUntil(lambda: desk.documents.save_state().saved)
        if desk.given:
            break
    desk.close()
    assert desk.given == 1
    assert desk.given_at - desk.begun >= 0.3


def test_edits_that_are_told_of_while_the_project_closes_are_nothing_to_it(
    qtbot: Any, opened: Callable[[], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spare_memory, "_LONGEST_S", 0.0)
    desk = Desk(qtbot, opened(), rest_ms=1)
    qtbot.waitUntil(lambda: desk.given > 0)
    desk.pointer(Phase.PRESS, 20)
    desk.pointer(Phase.RELEASE, 20)
    desk.spare.close()
    given = desk.given
    qtbot.waitUntil(lambda: desk.documents.save_state().saved)
    qtbot.wait(50)
    assert desk.given == given
    desk.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="read from /proc")
def test_freed_memory_really_goes_back() -> None:
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("another C library")
    give_back()
    before = _private_bytes()
    kept = [np.ones(60_000, np.uint8) for _ in range(4000)]
    pins = kept[::100]  # so that the heap cannot shrink by itself
    assert _private_bytes() - before > 150 << 20
    kept.clear()
    give_back()
    assert _private_bytes() - before < 60 << 20
    assert len(pins) == 40


def _private_bytes() -> int:
    rows = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(row.split()[1]) * 1024 for row in rows if row.startswith("Private_Dirty"))
