"""The window over a real session and small real projects, for tests of what a person sees and does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from segstudio.app.session import Session
from segstudio.ui.window.main_window import MainWindow
from tests.failing_disk import Disk
from tests.ui.desk import Desk, own_home
from tests.ui.room import Room
from tests.ui.small_projects import SmallProjects


@pytest.fixture(scope="session")
def small_projects(tmp_path_factory: pytest.TempPathFactory) -> SmallProjects:
    """Projects that are made once and copied by every test."""
    return SmallProjects(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def room(qapp: object, small_projects: SmallProjects, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """The window of a module of tests, over a session of its own settings; no engine process is started."""
    home = tmp_path_factory.mktemp("room")
    with pytest.MonkeyPatch.context() as patch:
        own_home(patch, home)
        made = Room(Desk(Session(), small_projects, home / "desk"))
        yield made
        made.close()


@pytest.fixture
def desk(room: Room) -> Iterator[Desk]:
    """The session of the window, without a project."""
    room.enter()
    yield room.desk
    room.leave()


@pytest.fixture
def empty_window(room: Room, desk: Desk) -> MainWindow:
    """The window without a project."""
    return room.window


@pytest.fixture
def window(empty_window: MainWindow, desk: Desk) -> MainWindow:
    """The window with six images, of which three are labelled, and three classes besides background."""
    desk.load()
    empty_window.canvas.setFocus()
    return empty_window


@pytest.fixture
def own_desk(
    qapp: object, small_projects: SmallProjects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """A session of the test's own, without a window and a project; no engine process is started."""
    own_home(monkeypatch, tmp_path / "home")
    made = Desk(Session(), small_projects, tmp_path / "desk")
    yield made
    made.close()


@pytest.fixture
def own_empty_window(qtbot: QtBot, own_desk: Desk) -> MainWindow:
    """A window of the test's own, without a project."""
    made = MainWindow(own_desk.session)
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    return made


@pytest.fixture
def own_window(own_empty_window: MainWindow, own_desk: Desk) -> MainWindow:
    """A window of the test's own, which it may close, with the same project as `window`."""
    own_desk.load()
    return own_empty_window


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """The disk under every writer: a test mends it before its window closes."""
    made = Disk(monkeypatch)
    yield made
    made.mend()
