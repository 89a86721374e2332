"""Versions in the panel of training, and the curves of the last run after a restart."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from segstudio.errors import WeightsDamaged
from segstudio.labels.model import Seq
from segstudio.runs import EMBEDDED
from segstudio.store.learning import add_trained, drop_weights
from segstudio.store.project import Project
from segstudio.store.values import VersionRow
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.room import Room
from tests.ui.test_training_panel import evaluated, make_plots, started, stepped, trained

LEFT = Qt.MouseButton.LeftButton

OLDER, NEWER = "2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z"


def version(name: str, parent: str, before: float, now: float, reason: str, *, promoted: bool) -> VersionRow:
    """A version with its figures on the same held-out pixels."""
    figures = {"parent": {"mean_iou": before}, "child": {"mean_iou": now}}
    made = OLDER if name == "v1" else NEWER
    return VersionRow(name, int(name[1:]), "deep", parent, made, Seq(1), promoted, reason, figures=figures)


def two_versions(project: Project) -> None:
    """The first is in use, the second was not promoted."""
    for row in (
        version("v1", EMBEDDED, 0.7, 0.8, "", promoted=True),
        version("v2", "v1", 0.8, 0.79, "not one point better", promoted=False),
    ):
        add_trained(project, row, run=None, groups={}, current="v1", state="done", summary={}).result()


def _shown(window: MainWindow, desk: Desk) -> list[list[str]]:
    desk.open(desk.projects.grown(desk.place(), two_versions))
    return _listed(window)


def _listed(window: MainWindow) -> list[list[str]]:
    QTest.mouseClick(window.arrangement.training.head.versions, LEFT)
    table = window.arrangement.training.versions.table
    assert table is not None
    return [[table.topLevelItem(n).text(c) for c in range(4)] for n in range(table.topLevelItemCount())]


@pytest.fixture(scope="module", autouse=True)
def plots(room: Room) -> None:
    """The plots live as long as the window: they are there before the first test."""
    make_plots(room)


def test_every_version_stands_in_the_list_with_its_figures_and_its_verdict(window: MainWindow, desk: Desk) -> None:
    rows = _shown(window, desk)
    assert [row[:2] for row in rows] == [["v2", "0.800 → 0.790"], ["v1", "0.700 → 0.800"], ["first guess", "0.700"]]
    assert rows[0][2] == "not promoted · not one point better"
    assert rows[1][2] == "promoted"
    assert rows[0][3].startswith("2026-11-21")
    assert window.arrangement.training.head.versions.text() == "Proposals: v1"
    assert window.bars.action("versions").isChecked()


def test_the_verdict_does_not_repeat_the_figures_and_the_whole_reason_stands_in_the_tip(
    window: MainWindow, desk: Desk
) -> None:
    reason = "Mean IoU on held-out pixels rose from 0.235 to 0.653."
    row = version("v2", EMBEDDED, 0.235, 0.653, reason, promoted=True)
    add_trained(desk.opened.store, row, run=None, groups={}, current="v2", state="done", summary={}).result()
    desk.opened.versions.read_again()
    _listed(window)
    table = window.arrangement.training.versions.table
    assert table is not None
    shown = table.topLevelItem(0)
    assert shown.text(2) == "promoted"
    assert shown.toolTip(2) == reason
    room = table.visualItemRect(shown).height(), table.header().sectionSize(2)
    assert table.fontMetrics().horizontalAdvance("not promoted · not one point better") < room[1]


def test_after_use_the_canvas_keeps_the_keyboard(window: MainWindow, desk: Desk) -> None:
    _shown(window, desk)
    window.canvas.setFocus()
    button = window.findChild(QPushButton, "useVersion-v2")
    assert button is not None
    QTest.mouseClick(button, LEFT)
    assert window.canvas.hasFocus()
    desk.wait(lambda: window.arrangement.training.head.versions.text() == "Proposals: v2")
    assert window.canvas.hasFocus()


def test_one_click_makes_another_version_current(window: MainWindow, desk: Desk) -> None:
    _shown(window, desk)
    desk.wait(lambda: window.findChild(QPushButton, "useVersion-v1") is None)
    button = window.findChild(QPushButton, "useVersion-v2")
    assert button is not None
    QTest.mouseClick(button, LEFT)
    desk.wait(lambda: window.arrangement.training.head.versions.text() == "Proposals: v2")
    assert [row.name for row in desk.opened.store.versions() if row.current] == ["v2"]
    assert window.findChild(QPushButton, "useVersion-v1") is not None


def test_a_version_that_is_gone_says_so_and_the_list_is_filled_anew(window: MainWindow, desk: Desk) -> None:
    _shown(window, desk)
    button = window.findChild(QPushButton, "useVersion-v2")
    assert button is not None
    writer = desk.opened.store.writer
    assert writer is not None
    writer.call(lambda db: db.execute("DELETE FROM versions WHERE name = 'v2'")).result()
    QTest.mouseClick(button, LEFT)
    desk.wait(window.message_strip.isVisible)
    assert window.message_strip.text.text() == "The project has no version 'v2'."
    table = window.arrangement.training.versions.table
    assert table is not None
    desk.wait(lambda: table.topLevelItemCount() == 2)
    assert window.arrangement.training.head.versions.text() == "Proposals: v1"


def test_a_round_whose_weights_were_not_kept_has_its_figures_and_can_neither_propose_nor_be_compared(
    window: MainWindow, desk: Desk
) -> None:
    def rounds(project: Project) -> None:
        two_versions(project)
        row = version("v3", "v1", 0.8, 0.78, "not one point better", promoted=False)
        add_trained(project, row, run=None, groups={}, current="v1", state="done", summary={}).result()
        drop_weights(project, {"v2", "v3"}, ()).result()

    desk.open(desk.projects.grown(desk.place(), rounds))
    rows = _listed(window)
    assert [row[:2] for row in rows[:2]] == [["v3", "0.800 → 0.780"], ["v2", "0.800 → 0.790"]]
    assert window.findChild(QPushButton, "useVersion-v3") is not None
    assert window.findChild(QPushButton, "useVersion-v2") is None
    assert window.findChild(QPushButton, "compareVersion-v2") is None
    assert "weights not kept" in [label.text() for label in window.arrangement.training.versions.findChildren(QLabel)]
    assert "v2" not in desk.opened.views.choices
    with pytest.raises(WeightsDamaged, match="The weights of version v2 were not kept"):
        desk.opened.versions.use("v2")
    assert window.arrangement.training.head.versions.text() == "Proposals: v1"


def test_a_read_only_window_shows_versions_and_chooses_none(window: MainWindow, desk: Desk) -> None:
    desk.read_only(desk.projects.grown(desk.place(), two_versions))
    assert len(_listed(window)) == 3
    button = window.findChild(QPushButton, "useVersion-v2")
    assert button is not None
    assert not button.isEnabled()


def test_the_curves_come_back_when_the_list_is_put_away(window: MainWindow, desk: Desk) -> None:
    desk.trains()
    desk.tells(started())
    _listed(window)
    assert not window.arrangement.training.curves.loss_plot.isVisible()
    QTest.mouseClick(window.arrangement.training.head.versions, LEFT)
    assert window.arrangement.training.curves.loss_plot.isVisible()
    assert not window.bars.action("versions").isChecked()


def test_after_a_restart_the_last_run_stands_in_the_panel(window: MainWindow, desk: Desk) -> None:
    panel = window.arrangement.training
    desk.trains()
    desk.tells(started(), stepped(1), stepped(2), evaluated(2, 0.8))
    desk.ends(trained(True))
    path = desk.opened.path
    desk.leave()
    assert panel.curves.loss_plot.series == {}
    desk.open(path)
    desk.wait(lambda: panel.curves.loss_plot.series.get("training"))
    assert panel.curves.loss_plot.series["training"] == ([1, 2], [0.5, 0.5])
    assert panel.curves.iou_plot.series["mean"] == ([2], [0.8])
    assert panel.curves.result.verdict.text() == "v1: promoted"
    assert not panel.head.progress.isVisible()


def test_a_last_run_without_a_result_says_why(window: MainWindow, desk: Desk) -> None:
    desk.trains()
    desk.tells(started(), stepped(1))
    desk.engine.refuse("The memory is full.", "NotEnoughLabels")
    desk.wait(lambda: not desk.opened.training.running)
    path = desk.opened.path
    desk.leave()
    desk.open(path)
    state = "The last run did not finish: The memory is full."
    desk.wait(lambda: window.arrangement.training.head.state.text() == state)


def test_a_last_run_that_was_discarded_is_not_said_to_have_failed(window: MainWindow, desk: Desk) -> None:
    desk.trains()
    desk.tells(started(), stepped(1))
    window.arrangement.training.discard()
    desk.wait(lambda: not desk.opened.training.running)
    path = desk.opened.path
    desk.leave()
    desk.open(path)
    desk.wait(lambda: window.arrangement.training.head.state.text() == "The last run was discarded")
    assert window.arrangement.training.curves.loss_plot.series["training"][0] == [1]


def test_after_a_restart_the_newest_run_that_made_a_version_stands_in_the_panel(window: MainWindow, desk: Desk) -> None:
    panel = window.arrangement.training
    desk.trains()
    desk.tells(started(), stepped(1), stepped(2), evaluated(2, 0.8))
    desk.ends(trained(True))
    desk.trains()
    desk.tells(started(), stepped(1, 0.9))
    panel.discard()
    desk.wait(lambda: not desk.opened.training.running)
    path = desk.opened.path
    desk.leave()
    desk.open(path)
    desk.wait(lambda: panel.head.state.text() == "The last run was discarded")
    assert panel.curves.loss_plot.series["training"] == ([1, 2], [0.5, 0.5])
    assert panel.curves.result.verdict.text() == "v1: promoted"
    panel.pages.turn_to("picture")
    assert panel.pages.picture is not None
    assert panel.pages.picture.none.text() == "Pictures are not kept; they appear during the next run"
    panel.pages.turn_to("curves")


def test_a_run_under_way_is_not_replaced_by_the_one_before(window: MainWindow, desk: Desk) -> None:
    desk.trains()
    desk.tells(started(), stepped(1), stepped(2))
    desk.ends(trained(True))
    path = desk.opened.path
    desk.leave()
    desk.open(path)
    read: list[object] = []
    desk.opened.versions.runRead.connect(read.append)
    desk.trains()
    desk.tells(started(), stepped(1))
    read.clear()
    desk.opened.versions.read_last_run()
    desk.wait(lambda: read)
    assert window.arrangement.training.curves.loss_plot.series["training"][0] == [1]


def test_an_optimistic_measure_is_explained_where_it_stands(window: MainWindow, desk: Desk) -> None:
    note = window.findChild(QLabel, "optimisticNote")
    assert note is not None
    desk.trains()
    desk.tells(started())
    assert not note.isVisible()
    desk.tells(started(optimistic=True))
    assert note.isVisible()
    assert "lower figures on new images" in note.text()
    assert "fourth labelled image" in note.toolTip()
