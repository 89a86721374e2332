"""Strokes that wait for a large change: one that cannot be handed on costs none of the others."""

from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.exceptions import capture_exceptions

from segstudio.app.editing.waiting import Waiting


class Long(QObject):
    """A large change under way."""

    ended = Signal()
    text = ""
    writing = True


def test_a_stroke_that_raises_leaves_those_behind_it_held_and_they_have_their_turn(qtbot: Any) -> None:
    long, sent = Long(), []

    def send(edit: Any, _opened: Any) -> None:
        if edit == 1:
            raise RuntimeError("a bug")
        sent.append(edit)

    waiting: Any = Waiting(long, lambda: True, send)
    for edit in (1, 2, 3):
        waiting.hold(edit, "a document")
    called: list[bool] = []
    waiting.call(lambda: called.append(True))
    long.writing = False
    with pytest.raises(RuntimeError, match="a bug"):
        waiting.release()
    assert (sent, waiting.edits, called) == ([], [2, 3], [])
    with capture_exceptions() as errors:
        qtbot.waitUntil(lambda: sent == [2, 3])
    assert errors == []
    assert (waiting.edits, called) == ([], [True])
