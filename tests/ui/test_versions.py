"""Versions in the panel of training, and the curves of the last run after a restart."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from segstudio.app.values import LastRun, VersionItem
from segstudio.errors import UserError
from segstudio.ui.window.main_window import MainWindow
from tests.ui.fake_session import FakeSession, class_table, image_items
from tests.ui.test_training_panel import evaluated, result, started, stepped

Called = Callable[[str], list[tuple]]
LEFT = Qt.MouseButton.LeftButton

OLDER, NEWER = "2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z"
VERSIONS = (
    VersionItem(name="v2", parent="v1", made=NEWER, before=0.8, now=0.79, reason="not one point better"),
    VersionItem(name="v1", parent="instant", made=OLDER, before=0.7, now=0.8, promoted=True, current=True),
    VersionItem(name="instant", now=0.7),
)


def _shown(window: MainWindow, session: FakeSession) -> list[list[str]]:
    session.versions = VERSIONS
    session.versionsChanged.emit()
    QTest.mouseClick(window.arrangement.training.versions_button, LEFT)
    table = window.arrangement.training.versions.table
    assert table is not None
    return [[table.topLevelItem(n).text(c) for c in range(4)] for n in range(table.topLevelItemCount())]


def test_every_version_stands_in_the_list_with_its_figures_and_its_verdict(
    window: MainWindow, session: FakeSession
) -> None:
    rows = _shown(window, session)
    assert [row[:2] for row in rows] == [["v2", "0.800 → 0.790"], ["v1", "0.700 → 0.800"], ["instant learner", "0.700"]]
    assert rows[0][2] == "not promoted · not one point better"
    assert rows[1][2] == "promoted"
    assert rows[0][3].startswith("2026-11-21")
    assert window.arrangement.training.versions_button.text() == "Proposals: v1"
    assert window.bars.action("versions").isChecked()


def test_the_verdict_does_not_repeat_the_figures_and_the_whole_reason_stands_in_the_tip(
    window: MainWindow, session: FakeSession
) -> None:
    reason = "Mean IoU on held-out pixels rose from 0.235 to 0.653."
    session.versions = (
        VersionItem(name="v2", made=NEWER, before=0.235, now=0.653, promoted=True, reason=reason, current=True),
    )
    session.versionsChanged.emit()
    QTest.mouseClick(window.arrangement.training.versions_button, LEFT)
    table = window.arrangement.training.versions.table
    assert table is not None
    row = table.topLevelItem(0)
    assert row.text(2) == "promoted"
    assert row.toolTip(2) == reason
    room = table.visualItemRect(row).height(), table.header().sectionSize(2)
    assert table.fontMetrics().horizontalAdvance("not promoted · not one point better") < room[1]


def test_after_use_the_canvas_keeps_the_keyboard(window: MainWindow, session: FakeSession) -> None:
    window.canvas.setFocus()
    _shown(window, session)
    button = window.findChild(QPushButton, "useVersion-v2")
    assert button is not None
    QTest.mouseClick(button, LEFT)
    assert window.canvas.hasFocus()


def test_one_click_makes_another_version_current(window: MainWindow, session: FakeSession, called: Called) -> None:
    _shown(window, session)
    assert window.findChild(QPushButton, "useVersion-v1") is None
    button = window.findChild(QPushButton, "useVersion-v2")
    assert button is not None
    QTest.mouseClick(button, LEFT)
    assert called("use_version") == [("use_version", "v2")]
    assert window.arrangement.training.versions_button.text() == "Proposals: v2"
    assert window.findChild(QPushButton, "useVersion-v1") is not None


def test_a_version_that_is_gone_says_so_and_the_list_is_filled_anew(
    window: MainWindow, session: FakeSession, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    _shown(window, session)
    button = window.findChild(QPushButton, "useVersion-v2")
    assert button is not None

    def gone(name: str) -> None:
        raise UserError(f"The project has no version {name!r}.")

    monkeypatch.setattr(session, "use_version", gone)
    said: list[str] = []
    session.said.connect(said.append)
    session.versions = VERSIONS[1:]
    QTest.mouseClick(button, LEFT)
    assert said == ["The project has no version 'v2'."]
    table = window.arrangement.training.versions.table
    assert table is not None
    qtbot.waitUntil(lambda: table.topLevelItemCount() == 2)


def test_a_read_only_window_shows_versions_and_chooses_none(window: MainWindow, session: FakeSession) -> None:
    session.load(image_items(2), class_table(["a"]), why="read-only: Ada on lab-3 writes")
    _shown(window, session)
    button = window.findChild(QPushButton, "useVersion-v2")
    assert button is not None
    assert not button.isEnabled()


def test_the_curves_come_back_when_the_list_is_put_away(window: MainWindow, session: FakeSession) -> None:
    session.trainingEvent.emit(started())
    _shown(window, session)
    assert not window.arrangement.training.loss_plot.isVisible()
    QTest.mouseClick(window.arrangement.training.versions_button, LEFT)
    assert window.arrangement.training.loss_plot.isVisible()
    assert not window.bars.action("versions").isChecked()


def test_after_a_restart_the_last_run_stands_in_the_panel(window: MainWindow, session: FakeSession) -> None:
    panel = window.arrangement.training
    events = (started(), stepped(1), stepped(2), evaluated(2, 0.8))
    session.runRead.emit(LastRun("r1", events, result(True), ""))
    assert panel.loss_plot.series["training"] == ([1, 2], [0.5, 0.5])
    assert panel.iou_plot.series["mean"] == ([2], [0.8])
    assert panel.result.verdict.text() == "v3: promoted"
    assert not panel.progress.isVisible()


def test_a_last_run_without_a_result_says_why(window: MainWindow, session: FakeSession, qtbot: QtBot) -> None:
    session.runRead.emit(LastRun("r1", (started(), stepped(1)), None, "The engine died."))
    assert window.arrangement.training.state.text() == "The last run did not finish: The engine died."


def test_a_run_under_way_is_not_replaced_by_the_one_before(window: MainWindow, session: FakeSession) -> None:
    session.fine_tune()
    session.trainingEvent.emit(started())
    session.trainingEvent.emit(stepped(1))
    session.runRead.emit(LastRun("r1", (started(), stepped(1), stepped(2)), result(True), ""))
    assert window.arrangement.training.loss_plot.series["training"][0] == [1]


def test_an_optimistic_measure_is_explained_where_it_stands(window: MainWindow, session: FakeSession) -> None:
    note = window.findChild(QLabel, "optimisticNote")
    assert note is not None
    session.trainingEvent.emit(started())
    assert not note.isVisible()
    session.trainingEvent.emit(started(optimistic=True))
    assert note.isVisible()
    assert "lower figures on new images" in note.text()
    assert "fourth labelled image" in note.toolTip()
