"""What a tool asks for is computed on a worker: the newest question counts, and every gesture ends well."""

import threading
from collections.abc import Callable, Iterator
from typing import ClassVar

import numpy as np
import pytest
from PySide6.QtTest import QTest
from pytestqt.exceptions import capture_exceptions

from segstudio import faults
from segstudio.app.editing.tool_work import Computation
from segstudio.app.editing.tools.base import Answer, Context, End, Tool, ToolHandler
from segstudio.app.editing.tools.painting import Painting
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.editing.tools.table import TOOLS
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.paint.region import Region
from tests.ui.desk import Desk

Work = Callable[[Callable[[], bool]], object]
BOX = Rect(10, 10, 20, 20)


class Asking(ToolHandler):
    """Under way from a press until a result arrives; each press and each move asks what `works` holds next."""

    works: ClassVar[list[Work]] = []
    arrivals: ClassVar[list[object]] = []

    def __init__(self) -> None:
        self._painting: Painting | None = None

    @property
    def active(self) -> bool:
        return self._painting is not None

    def press(self, event: Pointer, context: Context) -> Answer:
        self._painting = Painting(context, "asking", event.at, context.paint.label_class)
        self._painting.region(Region.of_rect(BOX))
        return Answer(BOX, asks=Computation(self.works.pop(0)))

    def move(self, event: Pointer, context: Context) -> Answer:
        return Answer(asks=Computation(self.works.pop(0)))

    def arrived(self, value: object, context: Context) -> Answer:
        self.arrivals.append(value)
        return Answer(ends=End.KEEP, says="It is there.", sets={"share": 7.0})

    def commit(self, context: Context) -> Edit | None:
        painting, self._painting = self._painting, None
        return None if painting is None else painting.commit()

    def abort(self) -> dict[int, Rect]:
        painting, self._painting = self._painting, None
        return {} if painting is None else painting.abort()


@pytest.fixture
def desk(own_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A session with the asking tool in hand, over two grey pictures."""
    from segstudio.app.editing.tools.options import Number

    share = Number("share", "Share", "A share", 5.0, 0.0, 10.0)
    row = Tool("asking", "Asking", "Asks", "fit", (), lambda _: Asking(), options=(share,))
    monkeypatch.setitem(TOOLS._own, "asking", row)
    monkeypatch.setattr(TOOLS, "_all", None)
    grey = np.full((60, 80, 3), 120, np.uint8)
    own_desk.show({"a.png": grey, "b.png": grey})
    own_desk.session.set_tool("asking")
    Asking.works, Asking.arrivals = [], []
    yield own_desk
    own_desk.bugs.clear()


def press(desk: Desk) -> None:
    desk.documents.pointer(Pointer(Phase.PRESS, 15, 15, Button.LEFT))


def move(desk: Desk) -> None:
    desk.documents.pointer(Pointer(Phase.MOVE, 16, 15, Button.LEFT))


def labelled(desk: Desk) -> bool:
    return bool(desk.class_ids().any())


class Held:
    """A computation that waits until it is let go, and what it was told then."""

    def __init__(self, value: object = "late") -> None:
        self.began, self.goes, self.ended = threading.Event(), threading.Event(), threading.Event()
        self.cancelled: bool | None = None
        self._value = value

    def __call__(self, cancelled: Callable[[], bool]) -> object:
        self.began.set()
        assert self.goes.wait(20)
        self.cancelled = cancelled()
        self.ended.set()
        return self._value


def refuse(_cancelled: Callable[[], bool]) -> object:
    raise UserError("There is no area here.")


def fail(_cancelled: Callable[[], bool]) -> object:
    raise ZeroDivisionError("a mistake of ours")


def test_a_result_arrives_ends_the_gesture_says_its_sentence_and_sets_the_option(desk: Desk) -> None:
    Asking.works = [lambda _: "found"]
    press(desk)
    assert desk.documents.gesture_active
    desk.wait(lambda: not desk.documents.gesture_active)
    assert Asking.arrivals == ["found"]
    assert labelled(desk)
    assert desk.edits == 1
    assert desk.said[-1] == "It is there."
    assert desk.session.tools.values() == {"share": 7.0}


def test_the_newest_question_counts_and_an_earlier_one_is_told_that_it_is_cancelled(desk: Desk) -> None:
    first, never_begun = Held(), Held()
    Asking.works = [first, never_begun, lambda _: "newest"]
    press(desk)
    desk.wait(first.began.is_set)
    move(desk)
    move(desk)
    first.goes.set()
    desk.wait(lambda: not desk.documents.gesture_active)
    assert Asking.arrivals == ["newest"]
    assert first.cancelled is True
    assert not never_begun.began.is_set()


def test_a_refusal_drops_the_gesture_with_its_sentence(desk: Desk) -> None:
    Asking.works = [refuse]
    press(desk)
    assert labelled(desk)
    desk.wait(lambda: not desk.documents.gesture_active)
    assert desk.said[-1] == "There is no area here."
    assert not labelled(desk)
    assert desk.edits == 0


def test_a_refusal_of_a_gesture_that_has_ended_says_nothing(desk: Desk) -> None:
    held = Held()
    Asking.works = [lambda cancelled: held(cancelled) and refuse(cancelled)]
    press(desk)
    desk.wait(held.began.is_set)
    desk.documents.cancel_gesture()
    held.goes.set()
    QTest.qWait(100)
    assert desk.said == []


def test_a_mistake_of_the_program_takes_the_gesture_back_and_is_reported(desk: Desk) -> None:
    Asking.works = [fail]
    with capture_exceptions() as met:
        faults.watch()  # pytest's hook stands in front of ours
        press(desk)
        desk.wait(lambda: desk.bugs and met)
    assert "a mistake of ours" in desk.bugs[-1]
    assert not desk.documents.gesture_active
    assert not labelled(desk)


@pytest.mark.parametrize("ends", ["escape", "image", "tool"])
def test_a_result_for_a_gesture_that_has_ended_meanwhile_is_dropped(desk: Desk, ends: str) -> None:
    held = Held()
    Asking.works = [held]
    press(desk)
    desk.wait(held.began.is_set)
    if ends == "escape":
        desk.session.project and desk.session.project.cancel()
    elif ends == "image":
        desk.shows(1)
    else:
        desk.session.set_tool("brush")
    held.goes.set()
    QTest.qWait(100)
    assert Asking.arrivals == []
    assert desk.edits == (0 if ends == "escape" else 1)


def test_a_project_that_closes_tells_the_computation_and_does_not_wait_for_its_result(desk: Desk) -> None:
    held = Held()
    Asking.works = [held]
    press(desk)
    desk.wait(held.began.is_set)
    threading.Timer(0.2, held.goes.set).start()
    desk.session.projects.close()
    desk.wait(held.ended.is_set)
    QTest.qWait(50)
    assert held.cancelled is True
    assert Asking.arrivals == []
    assert desk.bugs == []


def test_a_gesture_that_cannot_be_kept_is_dropped_with_its_sentence_and_another_image_comes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impossible(_self: Asking, _context: Context) -> Edit | None:
        raise UserError("The area is too scattered to be filled.")

    monkeypatch.setattr(Asking, "commit", impossible)
    held = Held()
    Asking.works = [held]
    press(desk)
    assert labelled(desk)
    desk.navigation.open(1)
    held.goes.set()
    desk.shown()
    assert desk.navigation.index == 1
    assert "The area is too scattered to be filled." in desk.said
    desk.shows(0)
    assert not labelled(desk)
    assert not desk.documents.gesture_active
