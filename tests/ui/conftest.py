"""The window over a fake session, for tests of what a person sees and does."""

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from segstudio.ui.window.main_window import MainWindow
from tests.ui.fake_session import FakeSession, class_table, image_items


@pytest.fixture
def session() -> FakeSession:
    """A session without a project."""
    return FakeSession()


@pytest.fixture
def window(qtbot: QtBot, session: FakeSession) -> MainWindow:
    """The window, shown and active, with six images and three classes besides background."""
    made = MainWindow(session)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    session.load(image_items(6), class_table(["nucleus", "membrane", "debris"]))
    session.calls.clear()
    return made


@pytest.fixture
def empty_window(qtbot: QtBot, session: FakeSession) -> MainWindow:
    """The window without a project."""
    made = MainWindow(session)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    return made


@pytest.fixture
def called(session: FakeSession) -> Callable[[str], list[tuple]]:
    """The calls of one method of the session, in their order."""
    return lambda name: [call for call in session.calls if call[0] == name]
