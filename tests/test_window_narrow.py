"""A real window in little room: nothing that is said widens it, and what matters stays readable."""

from collections.abc import Iterator

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolBar, QToolButton

from tests.window_bench import Bench, open_bench

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def bench(qapp: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_bench(tmp_path_factory.mktemp("narrow")) as bench:
        kept = QApplication.allWidgets()
        yield bench
        kept.clear()


@pytest.fixture
def narrow(bench: Bench) -> Iterator[Bench]:
    bench.fresh()
    bench.window.resize(700, 520)
    yield bench
    bench.window.resize(1280, 720)
    bench.rest()


def hover(bench: Bench, x: float, y: float) -> None:
    """Move the mouse over an image position, as the system does: what it left hears of that."""
    QTest.mouseMove(bench.window.windowHandle(), bench.canvas.mapTo(bench.window, bench.at(x, y)))


def leave(bench: Bench) -> None:
    """Move the mouse from the image onto the status bar."""
    bar = bench.window.status_bar
    QTest.mouseMove(bench.window.windowHandle(), bar.mapTo(bench.window, bar.rect().center()))


def test_nothing_in_the_status_bar_widens_the_window(narrow: Bench) -> None:
    window, bar = narrow.window, narrow.window.status_bar
    hover(narrow, 10.5, 10.5)
    narrow.wait(lambda: bar.cursor_label.text().startswith("10, 10"))
    narrow.session.notices.say("A sentence that is longer than any window of 700 pixels could ever show. " * 3)
    narrow.wait(lambda: bar.said_label.text().startswith("A sentence"))
    assert window.width() == 700
    assert bar.zoom_label.geometry().right() <= bar.width()
    assert not bar.device_label.isVisible()
    assert narrow.session.project is not None
    device = narrow.session.project.engine_state.device
    assert device in bar.currentMessage()  # said, though there is no room to show it


def test_a_wide_window_shows_the_device_and_keeps_the_labels_in_their_places(narrow: Bench) -> None:
    window, bar = narrow.window, narrow.window.status_bar
    window.resize(1280, 720)
    narrow.wait(bar.device_label.isVisible)
    hover(narrow, 20.5, 20.5)
    leave(narrow)
    narrow.wait(lambda: not bar.cursor_label.text())
    before = bar.zoom_label.pos()
    hover(narrow, 10.5, 10.5)
    narrow.wait(bar.cursor_label.text)
    assert bar.zoom_label.pos() == before


def test_the_steps_of_the_loop_have_their_names_on_their_buttons(narrow: Bench) -> None:
    bar = narrow.window.findChild(QToolBar, "mainBar")
    assert bar is not None
    for name in ("proposeButton", "acceptButton", "rejectButton", "doneButton", "fineTuneButton"):
        button = bar.findChild(QToolButton, name)
        assert button is not None
        assert button.isVisible()
        assert button.width() >= button.fontMetrics().horizontalAdvance(button.text()) + button.iconSize().width()
