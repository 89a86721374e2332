"""The history of runs in the training panel, and the files that are made of what the panel shows."""

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QFileDialog

from segstudio.ui.panels.training_history import TrainingHistory
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.room import Room
from tests.ui.test_training_classes import CONFUSION, cells, judged, turn
from tests.ui.test_training_panel import evaluated, make_plots, started, stepped, trained

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module", autouse=True)
def plots(room: Room) -> None:
    """Plots and pages live as long as the window: they are there before the first test."""
    make_plots(room)
    room.enter()
    room.desk.load()
    page = made(room.window, room.desk, 1)
    for name, plot in enumerate((page.iou_plot, page.loss_plot)):
        page.figure.setCurrentIndex(name)
        room.desk.wait(lambda plot=plot: plot._widget is not None)
    page.figure.setCurrentIndex(0)
    turn(room.window, "Classes")
    turn(room.window, "Curves")
    room.leave()


def made(window: MainWindow, desk: Desk, runs: int = 3) -> TrainingHistory:
    """Some runs have ended, and the history is open."""
    window.resize(1600, 900)
    for n in range(1, runs + 1):
        desk.trains()
        desk.tells(started(), *(stepped(step, step / n) for step in range(1, 4)), evaluated(3, n / 10))
        desk.ends(trained(True, current=f"v{n}", figures=judged(CONFUSION)))
    page = turn(window, "History")
    desk.wait(lambda: page.list.topLevelItemCount() == runs)
    return page


def choose(page: TrainingHistory, *rows: int) -> None:
    """Click rows of the list, the first alone, the others with Ctrl."""
    for n, row in enumerate(rows):
        item: Any = page.list.topLevelItem(row)
        held = Qt.KeyboardModifier.ControlModifier if n else Qt.KeyboardModifier.NoModifier
        QTest.mouseClick(page.list.viewport(), LEFT, held, page.list.visualItemRect(item).center())


def test_a_project_without_a_run_says_so(window: MainWindow, desk: Desk) -> None:
    window.arrangement.training.head.fold.click()
    page = turn(window, "History")
    assert page.none.isVisible()
    assert page.none.text() == "No runs in this project yet"


def test_the_newest_run_is_first_and_chosen(window: MainWindow, desk: Desk) -> None:
    page = made(window, desk)
    assert [row[0] for row in cells(page.list)] == ["r3 → v3", "r2 → v2", "r1 → v1"]
    assert [row[2:] for row in cells(page.list)] == [["50", "0.700"]] * 3
    assert [item.name for item in page.chosen] == ["r3"]


def test_chosen_runs_are_drawn_over_each_other_and_compared(window: MainWindow, desk: Desk) -> None:
    page = made(window, desk)
    choose(page, 0, 2)
    desk.wait(lambda: set(page.iou_plot.series) == {"r3 → v3", "r1 → v1"})
    assert page.iou_plot.series["r1 → v1"] == ([3], [0.1])
    QTest.keyClick(page.figure, Qt.Key.Key_End)
    assert page.loss_plot.isVisible()
    assert page.loss_plot.series["r3 → v3"] == ([1, 2, 3], [1 / 3, 2 / 3, 1.0])
    header: Any = page.table.headerItem()
    assert [header.text(column) for column in range(3)] == ["", "r3", "r1"]
    assert ["IoU after", "0.700", "0.700"] in cells(page.table)


def test_a_run_that_ends_appears_while_the_history_is_open(window: MainWindow, desk: Desk) -> None:
    page = made(window, desk, 1)
    desk.trains()
    desk.ends(trained(False, current="v1"))
    desk.wait(lambda: page.list.topLevelItemCount() == 2)
    assert [item.name for item in page.chosen] == ["r2"]


def test_what_was_chosen_stays_chosen_when_there_is_more(window: MainWindow, desk: Desk) -> None:
    page = made(window, desk, 2)
    choose(page, 1)
    desk.trains()
    desk.ends(trained(False, current="v2"))
    desk.wait(lambda: page.list.topLevelItemCount() == 3)
    assert [item.name for item in page.chosen] == ["r1"]


def test_another_project_has_other_runs(window: MainWindow, desk: Desk) -> None:
    page = made(window, desk, 1)
    desk.load()
    assert page.list.topLevelItemCount() == 0
    assert page._stack.currentWidget() is page.none
    assert page.iou_plot.series == {}


def saves(window: MainWindow, desk: Desk, name: str, action: str, file: Path) -> None:
    """Choose an export of the menu, and the file in its dialog."""
    window.bars.action(action).trigger()
    dialog = window.findChild(QFileDialog, name)
    assert dialog is not None
    assert dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave
    dialog.selectFile(str(file))
    dialog.accept()
    assert dialog.result() == QDialog.DialogCode.Accepted
    desk.wait(file.is_file)


def test_curves_figures_and_plots_are_written_where_a_person_says(
    window: MainWindow, desk: Desk, tmp_path: Path
) -> None:
    made(window, desk, 2)
    turn(window, "Curves")
    saves(window, desk, "curvesDialog", "export-curves", tmp_path / "curves.csv")
    assert (tmp_path / "curves.csv").read_text().splitlines()[1].startswith("1,0.5,0.5,")
    saves(window, desk, "classesDialog", "export-class-figures", tmp_path / "classes.csv")
    assert (tmp_path / "classes.csv").read_text().splitlines()[1].startswith("background,0.75,")
    saves(window, desk, "plotsDialog", "export-plots", tmp_path / "plots.png")
    picture = QImage(str(tmp_path / "plots.png"))
    curves = window.arrangement.training.curves
    assert picture.width() == 2 * (curves.loss_plot.width() + curves.iou_plot.width() + 8)
    desk.wait(lambda: desk.said and desk.said[-1] == f"Saved: {tmp_path / 'plots.png'}")


def test_in_the_history_the_chosen_run_is_exported(window: MainWindow, desk: Desk, tmp_path: Path) -> None:
    page = made(window, desk, 2)
    choose(page, 1)
    saves(window, desk, "curvesDialog", "export-curves", tmp_path / "curves.csv")
    assert (tmp_path / "curves.csv").read_text().splitlines()[1].startswith("1,0.5,1.0,")


def test_what_is_not_there_is_not_exported_and_that_is_said(window: MainWindow, desk: Desk) -> None:
    window.bars.action("export-class-figures").trigger()
    assert desk.said[-1] == "Figures by class appear after the first run that holds something out"
    window.bars.action("export-plots").trigger()
    assert desk.said[-1] == "This page has no plot to export"
    assert window.findChild(QFileDialog) is None


def test_the_step_whose_weights_were_kept_is_marked(window: MainWindow, desk: Desk) -> None:
    made(window, desk, 1)
    plot = window.arrangement.training.curves.iou_plot
    assert plot._kept is None, "the plan of this run keeps the last"


def test_resume_goes_on_with_the_newest_run_or_with_the_one_chosen_in_the_history(
    window: MainWindow, desk: Desk
) -> None:
    page = made(window, desk)
    resume = window.arrangement.training.head.resume
    asked = len(desk.engine.trains)
    choose(page, 1)
    QTest.mouseClick(resume, LEFT)
    desk.wait(lambda: len(desk.engine.trains) > asked)
    request = desk.engine.trains[-1]
    assert (request.choices.base, request.choices.seed) == ("v2", 1)
    assert request.after is not None
    desk.wait(lambda: "Run r2 is resumed from its version v2." in desk.said)
    assert not resume.isVisible()
    assert window.arrangement.training.head.stop.isVisible()


def test_after_a_discarded_run_the_newest_version_is_trained_on_and_the_discarded_run_says_why_not(
    window: MainWindow, desk: Desk
) -> None:
    page = made(window, desk, runs=1)
    resume = window.arrangement.training.head.resume
    assert resume.isEnabled()
    desk.trains()
    desk.tells(started())
    window.bars.action("discard-training").trigger()
    desk.wait(lambda: not desk.opened.training.running and page.list.topLevelItemCount() == 2)
    assert not resume.isEnabled()  # the history has chosen the discarded run
    assert resume.toolTip() == "Run r2 made no version, so there is nothing to resume"
    turn(window, "Curves")
    assert resume.isEnabled()
    asked = len(desk.engine.trains)
    QTest.mouseClick(resume, LEFT)
    desk.wait(lambda: len(desk.engine.trains) > asked)
    desk.wait(lambda: "Run r1 is resumed from its version v1." in desk.said)


def test_where_no_run_has_made_a_version_nothing_can_be_resumed(window: MainWindow, desk: Desk) -> None:
    resume = window.arrangement.training.head.resume
    desk.trains()
    desk.tells(started(), stepped(1))
    window.bars.action("discard-training").trigger()
    desk.wait(lambda: not desk.opened.training.running)
    assert resume.isVisible()
    assert not resume.isEnabled()
    assert resume.toolTip() == "No run has made a version yet, so there is nothing to resume"
    window.bars.action("resume-training").trigger()
    desk.wait(lambda: not desk.opened.training.running)
    state = window.arrangement.training.head.state
    desk.wait(lambda: state.text() == "The run did not begin")
