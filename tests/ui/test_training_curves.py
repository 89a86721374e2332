"""The curves of the training panel: how they are drawn, which, and what is marked; with events as the engine sends."""

import time
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTreeWidget
from pytestqt.qtbot import QtBot

from segstudio.app.learning.curves import smoothed
from segstudio.ui.panels.plots import LivePlot
from segstudio.ui.panels.training_curves import TrainingCurves
from segstudio.ui.theme import LIGHT, current_theme, tinted
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.room import Room
from tests.ui.test_training_panel import evaluated, make_plots, started, stepped, trained

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module", autouse=True)
def plots(room: Room) -> None:
    """The plots live as long as the window: they are there before the first test."""
    make_plots(room)


@pytest.fixture
def curves(window: MainWindow, desk: Desk) -> TrainingCurves:
    """The curves of a run of eight steps, measured twice, in a window that is large enough."""
    window.resize(1600, 900)
    desk.trains()
    desk.tells(started(), *(stepped(n, 1 / n) for n in range(1, 5)), evaluated(4, 0.6))
    desk.tells(*(stepped(n, 1 / n) for n in range(5, 9)), evaluated(8, 0.5))
    found = window.arrangement.training.curves
    controls = found.controls
    controls.axis.setCurrentIndex(0)
    controls.log.setChecked(False)
    controls.smoothing.setValue(0)
    controls.legend.setChecked(False)
    return found


def drawn(plot: LivePlot, name: str, part: int = -1) -> tuple[list[float], list[float]]:
    """What is drawn of a curve: its last line, or the faint one before it."""
    plot._redraw()
    lines = plot._series[name].items.lines
    points = [lines[part].polygon.at(n) for n in range(lines[part].polygon.size())]
    return [point.x() for point in points], [point.y() for point in points]


def test_curves_are_drawn_against_steps_or_against_time(curves: TrainingCurves, qtbot: QtBot) -> None:
    assert drawn(curves.loss_plot, "training")[0] == list(range(1, 9))
    QTest.keyClick(curves.controls.axis, Qt.Key.Key_Down)
    assert drawn(curves.loss_plot, "training")[0] == [n / 2 for n in range(1, 9)]
    assert drawn(curves.iou_plot, "mean")[0] == [2.0, 4.0]
    axis = curves.loss_plot._widget.getAxis("bottom")
    assert axis.tickStrings([0.0, 45.0, 90.0, 4800.0], 1.0, 30.0) == ["0 s", "45 s", "1:30", "1:20:00"]


def test_losses_are_drawn_in_powers_of_ten_and_figures_are_not(curves: TrainingCurves) -> None:
    QTest.mouseClick(curves.controls.log, LEFT)
    curves.loss_plot._redraw()
    assert curves.loss_plot._widget.getAxis("left").logMode
    assert not curves.iou_plot._widget.getAxis("left").logMode
    assert curves.loss_plot._widget.getAxis("left").tickStrings([-1.0, 0.0, 0.3010299957], 1.0, 1.0) == [
        "0.1",
        "1",
        "2",
    ]


def test_a_smoothed_curve_has_the_one_as_it_is_behind_it(curves: TrainingCurves) -> None:
    curves.loss_plot._redraw()
    assert len(curves.loss_plot._series["training"].items.lines) == 1
    curves.controls.smoothing.setFocus()
    for _ in range(18):
        QTest.keyClick(curves.controls.smoothing, Qt.Key.Key_Right)
    smooth, raw = drawn(curves.loss_plot, "training")[1], drawn(curves.loss_plot, "training", 0)[1]
    assert raw == [pytest.approx(1 / n) for n in range(1, 9)]
    assert smooth[0] == pytest.approx(1.0)
    assert smooth[-1] > 0.25
    curves.controls.smoothing.setValue(0)
    curves.loss_plot._redraw()
    assert len(curves.loss_plot._series["training"].items.lines) == 1


def test_the_best_measurement_is_marked_and_the_step_that_was_kept(curves: TrainingCurves) -> None:
    plot = curves.iou_plot
    plot._redraw()
    ring = plot._marks[-1]
    assert [tuple(point.pos()) for point in ring.points()] == [(4.0, 0.6)]
    assert plot._title.toolTip() == "The ring marks the best: 0.600 at step 4"
    plot.set_kept(8)
    plot._redraw()
    assert plot._marks[-1].value() == 8.0
    plot.set_kept(7)  # nothing was measured there
    plot._redraw()
    assert len(plot._marks) == 1


def test_the_parent_is_a_line_that_the_end_measures_anew(curves: TrainingCurves, desk: Desk) -> None:
    plot = curves.iou_plot
    assert plot._level is None, "v2 has no figures of its own here"
    desk.ends(trained(True))
    assert plot._level is not None
    plot._redraw()
    assert plot._marks[0].value() == 0.741
    assert plot._level[1] == "instant learner"
    assert "measured at the end of this run" in plot._title.toolTip()
    _, (low, high) = plot._widget.getViewBox().viewRange()
    assert low < 0.5
    assert high > 0.741, "the line is inside"


def test_a_click_leaves_the_curve_of_a_class_out_and_all_come_back(curves: TrainingCurves, window: MainWindow) -> None:
    QTest.mouseClick(curves.controls.legend, LEFT)
    legend = window.findChild(QTreeWidget, "curveLegend")
    assert legend is not None
    assert legend.isVisible()
    items: list[Any] = [legend.topLevelItem(n) for n in range(legend.topLevelItemCount())]
    rows = {item.text(0): item for item in items}
    assert list(rows) == ["All classes", "background", "nucleus"]
    assert rows["nucleus"].text(1) == "0.500"
    click(legend, rows["nucleus"])
    assert curves.iou_plot.shown == ("mean", "background")
    curves.iou_plot._redraw()
    assert curves.iou_plot._series["nucleus"].items.lines == []
    assert rows["All classes"].checkState(0) is Qt.CheckState.PartiallyChecked
    assert ticked(legend, rows["nucleus"]) != ticked(legend, rows["background"]), "a box that is ticked has a mark"
    click(legend, rows["All classes"])
    assert curves.iou_plot.shown == ("mean", "background", "nucleus")
    click(legend, rows["All classes"])
    assert curves.iou_plot.shown == ("mean",)


def ticked(legend: QTreeWidget, row: Any) -> bool:
    """Whether the box of a row has the colour of the accent, and in it a mark in that of what stands on it."""
    box = legend.visualItemRect(row)
    picture = legend.viewport().grab(QRect(box.x(), box.y(), 16, box.height())).toImage()
    colors = [picture.pixelColor(x, y) for x in range(4, 11) for y in range(4, 12)]

    def near(name: str) -> int:
        other = QColor(name)
        apart = [
            abs(c.red() - other.red()) + abs(c.green() - other.green()) + abs(c.blue() - other.blue()) for c in colors
        ]
        return sum(distance < 90 for distance in apart)

    return near(current_theme().accent) >= 3 and near(current_theme().on_accent) >= 3


def click(legend: QTreeWidget, row: Any) -> None:
    """Click the tick of a row."""
    box = legend.visualItemRect(row)
    QTest.mouseClick(legend.viewport(), LEFT, pos=QPoint(box.left() + 9, box.center().y()))


def test_a_class_that_is_left_out_stays_out_when_more_is_measured(curves: TrainingCurves, desk: Desk) -> None:
    curves.legend._rows["nucleus"].setCheckState(0, Qt.CheckState.Unchecked)
    desk.tells(stepped(9), evaluated(9, 0.7))
    assert curves.iou_plot.shown == ("mean", "background")
    assert curves.legend._rows["nucleus"].text(1) == "0.700"


def test_a_class_that_is_called_mean_does_not_take_the_means_place(curves: TrainingCurves, desk: Desk) -> None:
    figures = {"loss": 0.4, "mean_iou": 0.2, "iou": {"mean": 0.9}}
    desk.tells({"kind": "evaluated", "step": 9, "seconds": 4.5, "held_out": figures})
    assert curves.iou_plot.series["mean"][1] == [0.6, 0.5, 0.2]
    assert curves.iou_plot.series["the class mean"] == ([9], [0.9])


def test_a_run_that_goes_on_from_its_checkpoint_keeps_what_came_before(curves: TrainingCurves, desk: Desk) -> None:
    desk.tells(started(step=6), stepped(7, 0.25))
    assert curves.loss_plot.series["training"] == (list(range(1, 8)), [*(1 / n for n in range(1, 7)), 0.25])
    assert curves.iou_plot.series["mean"] == ([4], [0.6])


def test_a_run_whose_window_was_closed_goes_on_behind_the_curves_it_had(window: MainWindow, desk: Desk) -> None:
    panel = window.arrangement.training
    desk.trains()
    desk.tells(started(), stepped(1, 0.9), stepped(2, 0.8), evaluated(2, 0.6), stepped(3, 0.7))
    assert "the run goes on" in panel.head.progress.toolTip()
    path = desk.opened.path
    desk.leave()
    desk.open(path)
    desk.wait(lambda: desk.engine.trains)
    assert desk.engine.trains[0].resume
    desk.tells(started(step=2), stepped(3, 0.5), evaluated(3, 0.7))
    desk.wait(lambda: panel.curves.loss_plot.series["training"][0][0] == 1)
    assert panel.curves.loss_plot.series["training"] == ([1, 2, 3], [0.9, 0.8, 0.5])
    assert panel.curves.iou_plot.series["mean"] == ([2, 3], [0.6, 0.7])
    assert panel.curves.legend._rows["nucleus"].text(1) == "0.700"
    assert any("The run " in words for words in desk.said), "and it is said"


def test_the_legend_of_thirty_classes_has_a_row_for_each(curves: TrainingCurves, desk: Desk) -> None:
    iou = {f"class {n:02d} " + "x" * 200: n / 40 for n in range(30)}
    figures = {"loss": 0.4, "mean_iou": 0.2, "iou": iou}
    desk.tells({"kind": "evaluated", "step": 9, "seconds": 4.5, "held_out": figures})
    curves.controls.legend.setChecked(True)
    assert curves.legend.topLevelItemCount() == 33  # with all, background and nucleus
    assert curves.legend.width() <= 180
    row: Any = curves.legend.topLevelItem(32)
    assert row.text(1) == "0.725"
    assert max(map(len, row.toolTip(0).splitlines())) <= 80


def test_the_first_step_is_a_dot_and_has_no_speed_yet(window: MainWindow, desk: Desk) -> None:
    window.resize(1600, 900)
    desk.trains()
    desk.tells(started(), stepped(1))
    panel = window.arrangement.training
    panel.curves.loss_plot._redraw()
    panel._show_numbers()
    assert panel.curves.loss_plot._series["training"].items._dots.isVisible()
    assert panel.curves.facts.text("speed") == "–"
    desk.tells(stepped(2))
    panel.curves.loss_plot._redraw()
    assert not panel.curves.loss_plot._series["training"].items._dots.isVisible()


def test_nothing_is_drawn_while_nobody_sees_it(curves: TrainingCurves, window: MainWindow, desk: Desk) -> None:
    plot = curves.loss_plot
    plot._redraw()
    window.arrangement.training.head.fold.click()
    before = plot._series["training"].items.lines[-1].polygon.size()
    desk.tells(stepped(9))
    plot._redraw()
    assert plot._series["training"].items.lines[-1].polygon.size() == before
    window.arrangement.training.head.fold.click()
    desk.wait(lambda: plot._series["training"].items.lines[-1].polygon.size() == before + 1)


def test_drawing_five_thousand_steps_and_forty_classes_is_no_burden(curves: TrainingCurves, desk: Desk) -> None:
    for n in range(9, 5000):
        curves.loss_plot.append("training", n, 1 / n, n / 2)
    for k in range(40):
        curves.iou_plot.add(f"class {k}", "#112233", named=False, dots=True)
        for n in range(125):
            curves.iou_plot.append(f"class {k}", 40 * n, (k + n % 7) / 60, 20.0 * n)
    for plot in (curves.loss_plot, curves.iou_plot):
        plot._redraw()
        took = []
        for _ in range(5):
            begun = time.thread_time()
            for series in plot._series.values():
                series.items._drawn = None
            plot._redraw()
            plot._widget.viewport().repaint()
            took.append(time.thread_time() - begun)
        assert min(took) < 0.015, f"{plot.objectName()}: {min(took) * 1000:.1f} ms"


def test_of_very_many_smoothed_curves_only_the_mean_has_the_one_as_it_is_behind_it(curves: TrainingCurves) -> None:
    plot = curves.iou_plot
    for k in range(40):
        plot.add(f"class {k}", "#112233", named=False, dots=True)
        for n in (4, 8):
            plot.append(f"class {k}", n, (k + n) / 60)
    curves.controls.smoothing.setValue(9)
    plot._redraw()
    assert len(plot._series["mean"].items.lines) == 2
    assert len(plot._series["class 3"].items.lines) == 1


def test_a_smoothed_curve_is_the_same_whether_its_points_come_at_once_or_one_by_one(curves: TrainingCurves) -> None:
    plot = curves.loss_plot
    curves.controls.smoothing.setValue(9)
    for n in range(9, 13):
        plot.append("training", n, 1 / n)
        plot._redraw()
    plot.go_back(10)
    plot.append("training", 11, 0.5)
    values = plot.series["training"][1]
    assert values == [*(1 / n for n in range(1, 11)), 0.5]
    assert drawn(plot, "training")[1] == pytest.approx(smoothed(values, plot.look.smoothing))


def test_a_mark_is_made_anew_only_where_another_value_is_the_best(curves: TrainingCurves, desk: Desk) -> None:
    plot = curves.iou_plot
    plot._redraw()
    ring = plot._marks[-1]
    desk.tells(stepped(9), evaluated(9, 0.55))
    plot._redraw()
    assert plot._marks[-1] is ring
    desk.tells(stepped(10), evaluated(10, 0.65))
    plot._redraw()
    assert [tuple(point.pos()) for point in plot._marks[-1].points()] == [(10.0, 0.65)]


def test_the_colours_of_curves_follow_the_theme_and_those_of_classes_stay(curves: TrainingCurves, desk: Desk) -> None:
    before = curves.iou_plot._series["mean"].color, curves.iou_plot._series["nucleus"].color
    desk.session.kept_preferences.prefer(theme="light")
    after = curves.iou_plot._series["mean"].color, curves.iou_plot._series["nucleus"].color
    assert after == (tinted("text", LIGHT), before[1])
    assert before[0] != after[0]
