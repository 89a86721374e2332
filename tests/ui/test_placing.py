"""Where the window stands on a small screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect
from pytestqt.qtbot import QtBot

from segstudio.app.session import Session
from segstudio.ui.window.main_window import MainWindow
from segstudio.ui.window.placing import placed_within
from tests.ui.desk import Desk

SMALL = QRect(0, 28, 1280, 692)


@pytest.mark.parametrize(
    ("wanted", "placed"),
    [
        (QRect(100, 100, 800, 500), QRect(100, 100, 800, 500)),
        (QRect(0, 0, 1440, 900), QRect(0, 28, 1280, 692)),
        (QRect(900, 400, 800, 500), QRect(480, 220, 800, 500)),
        (QRect(-3000, 100, 800, 500), QRect(0, 100, 800, 500)),
    ],
)
def test_a_window_larger_than_the_screen_or_beside_it_is_brought_in(wanted: QRect, placed: QRect) -> None:
    assert placed_within(wanted, SMALL) == placed


@given(st.integers(-5000, 5000), st.integers(-5000, 5000), st.integers(1, 5000), st.integers(1, 5000))
def test_what_was_placed_is_inside_and_stays_there(x: int, y: int, w: int, h: int) -> None:
    placed = placed_within(QRect(x, y, w, h), SMALL)
    assert SMALL.contains(placed)
    assert placed_within(placed, SMALL) == placed


def test_the_first_window_is_no_larger_than_its_screen_unless_its_parts_need_more(qtbot: QtBot, own_desk: Desk) -> None:
    window = MainWindow(own_desk.session)
    qtbot.addWidget(window)
    room = window.screen().availableGeometry()
    assert room.height() < 900
    assert window.height() <= max(room.height(), window.minimumSizeHint().height())
    assert window.width() <= max(room.width(), window.minimumSizeHint().width())


def test_a_window_kept_from_a_larger_screen_is_made_to_fit(qtbot: QtBot, own_desk: Desk) -> None:
    before = MainWindow(own_desk.session)
    qtbot.addWidget(before)
    before.show()
    before.setGeometry(40, 60, 1900, 1400)
    before.close()
    after = MainWindow(Session())
    qtbot.addWidget(after)
    assert after.height() <= after.screen().availableGeometry().height()
