"""The panel of training, driven by events as the engine sends them."""

import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QListWidget, QWidget
from pytestqt.qtbot import QtBot

from segstudio.app.viewing.proposals import Proposals
from segstudio.app.viewing.proposals_ahead import ProposalsAhead
from segstudio.engine.protocol import Cancel, RunPlanned, Trained
from segstudio.geometry import Rect
from segstudio.runs import Figures
from segstudio.ui.panels.plots import LivePlot, close_up
from segstudio.ui.window.loader import ModuleLoader
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import PLAN, Desk
from tests.ui.room import Room
from tests.ui.small_projects import plates


def started(**changed: Any) -> dict[str, Any]:
    event = {
        "kind": "started",
        "step": 0,
        "seconds": 0.0,
        "steps": 50,
        "max_seconds": 60.0,
        "device": "cpu",
        "threads": 2,
        "held_out_groups": ["plate_0001.png"],
        "train_groups": ["plate_0000.png"],
        "optimistic": False,
        "parent": "v2",
    }
    return {**event, **changed}


def stepped(step: int, loss: float = 0.5) -> dict[str, Any]:
    rates = {"patches_per_second": 6.5, "rate": 1e-3, "memory_mb": 1834.0}
    return {"kind": "stepped", "step": step, "seconds": step * 0.5, "loss": loss, **rates}


def evaluated(step: int, mean: float) -> dict[str, Any]:
    figures = {"loss": 0.4, "mean_iou": mean, "iou": {"background": 0.9, "nucleus": mean}}
    return {"kind": "evaluated", "step": step, "seconds": step * 0.5, "held_out": figures}


def trained(promoted: bool, **changed: Any) -> Trained:
    """The end of a run as the engine tells it."""
    figures = {
        "parent": Figures(0.5, 0.741, {"background": 0.93, "nucleus": 0.70}),
        "child": Figures(0.4, 0.812, {"background": 0.95, "nucleus": 0.79}),
    }
    values: dict[str, Any] = {
        "parent": "instant",
        "promoted": promoted,
        "current": "v1" if promoted else "instant",
        "reason": "better by one point",
        "steps": 50,
        "seconds": 25.0,
        "figures": figures,
        "card": {},
    }
    return Trained(id=0, **{**values, **changed})


def make_plots(room: Room) -> None:
    """Let a run begin and end: the plots are made with the first one, and live as long as the window."""
    room.desk.load()
    room.desk.trains()
    room.desk.tells(started(), stepped(1), evaluated(1, 0.5))
    panel = room.window.arrangement.training
    for name in ("lossPlotView", "iouPlotView"):
        room.desk.wait(lambda name=name: panel.findChild(QWidget, name))
    room.leave()


@pytest.fixture(scope="module", autouse=True)
def plots(room: Room) -> None:
    """They are there before the first test."""
    make_plots(room)


def test_before_the_first_run_the_plots_are_empty_frames_and_pyqtgraph_is_not_loaded(own_window: MainWindow) -> None:
    for name in ("lossPlot", "iouPlot"):
        plot = own_window.findChild(QWidget, name)
        assert isinstance(plot, LivePlot)
        assert plot.series == {}
    assert own_window.arrangement.training.library.module is None


def test_curves_and_figures_follow_the_events(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    panel = window.arrangement.training
    desk.trains()
    desk.tells(started(), *(stepped(step, 1 / step) for step in range(1, 21)), evaluated(20, 0.8))
    assert panel.curves.loss_plot.series["training"] == (list(range(1, 21)), [1 / n for n in range(1, 21)])
    assert panel.curves.loss_plot.series["held out"] == ([20], [0.4])
    assert panel.curves.iou_plot.series["mean"] == ([20], [0.8])
    assert panel.curves.iou_plot.series["nucleus"] == ([20], [0.8])
    qtbot.waitUntil(lambda: panel.curves.facts.text("speed") == "2.00 steps/s · 6.50 patches/s")
    assert panel.curves.facts.text("left") == "15 s"
    assert panel.curves.facts.text("device") == "cpu"
    assert panel.curves.facts.text("memory") == "1,834 MB"
    assert panel.curves.facts.text("mean") == "0.800"
    assert panel.head.state.text() == "Step 20 of 50 · 15 s left"
    assert panel.head.progress.value() == 400
    qtbot.waitUntil(lambda: panel.curves.loss_plot.findChild(QWidget, "lossPlotView") is not None)
    assert "pyqtgraph" in sys.modules


def test_held_out_groups_are_listed_and_an_optimistic_measure_is_called_so(window: MainWindow, desk: Desk) -> None:
    groups = window.findChild(QListWidget, "heldOutList")
    assert groups is not None
    desk.trains()
    desk.tells(started(held_out_groups=["a.png", "b.png"]))
    assert [groups.item(n).text() for n in range(groups.count())] == ["a.png", "b.png"]
    title = window.findChild(QWidget, "heldOutTitle")
    assert title.text() == "2 groups held out, never trained on"  # type: ignore[union-attr]
    desk.tells(started(held_out_groups=["a.png"], optimistic=True))
    assert title.text() == "Held out: parts of the images trained on"  # type: ignore[union-attr]
    assert "better than on new images" in title.toolTip()  # type: ignore[union-attr]
    assert groups.count() == 1


def test_stop_asks_the_session(window: MainWindow, desk: Desk) -> None:
    stop = window.findChild(QWidget, "stopTrainingButton")
    assert stop is not None
    assert not stop.isEnabled()
    desk.trains()
    QTest.mouseClick(stop, Qt.MouseButton.LeftButton)
    desk.wait(lambda: desk.engine.stops)
    assert desk.engine.stops == 1


@pytest.mark.parametrize("by_key", [False, True])
def test_a_run_that_was_told_to_stop_says_so_until_it_has_ended(
    window: MainWindow, desk: Desk, qtbot: QtBot, by_key: bool
) -> None:
    panel = window.arrangement.training
    desk.trains()
    desk.tells(started())
    if by_key:
        window.bars.action("stop-training").trigger()
    else:
        QTest.mouseClick(panel.head.stop, Qt.MouseButton.LeftButton)
    assert panel.head.state.text() == "Stopping …"
    assert not panel.head.stop.isEnabled()
    desk.tells(stepped(1), stepped(2))
    qtbot.waitUntil(lambda: panel.curves.facts.text("memory") != "–")
    assert panel.head.state.text() == "Stopping …"
    assert not panel.head.stop.isEnabled()
    at_the_end: list[str] = []
    desk.opened.training.runningChanged.connect(lambda _running: at_the_end.append(panel.head.state.text()))
    desk.ends(trained(True))
    assert at_the_end == ["Stopped"]
    assert panel.head.state.text().startswith("v1 promoted")
    desk.trains()
    assert panel.head.stop.isEnabled()


def test_after_the_last_step_the_panel_says_that_it_compares(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    panel = window.arrangement.training
    desk.trains()
    desk.tells(started(), stepped(1), stepped(50))
    desk.tells({"kind": "finished", "step": 50, "seconds": 25.0, "reason": "done"})
    qtbot.wait(250)
    assert panel.head.state.text() == "Comparing with the previous version on the same held-out pixels …"
    assert panel.head.progress.value() == 1000


@pytest.mark.parametrize("by_menu", [False, True])
def test_a_discarded_run_ends_at_once_and_leaves_only_its_record(window: MainWindow, desk: Desk, by_menu: bool) -> None:
    panel = window.arrangement.training
    desk.trains()
    desk.tells(started(), stepped(1))
    if by_menu:
        window.bars.action("discard-training").trigger()
    else:
        QTest.mouseClick(panel.head.discard, Qt.MouseButton.LeftButton)
    assert panel.head.state.text() == "Discarding …"
    assert not panel.head.discard.isEnabled()
    assert not panel.head.stop.isEnabled()
    desk.wait(lambda: not desk.opened.training.running)  # the engine, in a step, has said nothing
    assert any(isinstance(message, Cancel) for message in desk.engine.sent)
    assert panel.head.state.text() == "The run was discarded; only its record was kept."
    assert not panel.head.progress.isVisible()
    assert not panel.head.discard.isVisible()
    assert desk.opened.store.versions() == []
    (row,) = desk.opened.store.runs()
    assert (row.state, row.steps, row.version) == ("discarded", 1, "")
    assert (desk.opened.path / "runs" / row.name / "events.jsonl").is_file()
    assert panel.curves.loss_plot.series["training"] == ([1], [0.5])
    assert not window.message_strip.isVisible()
    desk.trains()
    assert panel.head.discard.isEnabled()


def test_a_run_that_is_stopping_can_still_be_discarded(window: MainWindow, desk: Desk) -> None:
    panel = window.arrangement.training
    desk.trains()
    desk.tells(started())
    QTest.mouseClick(panel.head.stop, Qt.MouseButton.LeftButton)
    QTest.mouseClick(panel.head.discard, Qt.MouseButton.LeftButton)
    assert panel.head.state.text() == "Discarding …"
    desk.wait(lambda: not desk.opened.training.running)
    assert panel.head.state.text().startswith("The run was discarded")


@pytest.mark.parametrize(
    ("promoted", "verdict", "state"),
    [
        (True, "v1: promoted", "v1 promoted · mean IoU 0.741 → 0.812 on held-out pixels"),
        (False, "v1: not promoted", "v1 not promoted · mean IoU 0.741 → 0.812: a rise of 7.1 points may be luck"),
    ],
)
def test_the_end_compares_child_and_parent_on_the_same_pixels(
    window: MainWindow, desk: Desk, promoted: bool, verdict: str, state: str
) -> None:
    panel = window.arrangement.training
    desk.trains()
    desk.tells(started())
    desk.ends(trained(promoted))
    table = panel.curves.result.table
    assert table is not None
    rows = [[table.topLevelItem(n).text(c) for c in range(4)] for n in range(table.topLevelItemCount())]
    assert rows == [
        ["mean", "0.741", "0.812", "+0.071"],
        ["background", "0.930", "0.950", "+0.020"],
        ["nucleus", "0.700", "0.790", "+0.090"],
    ]
    assert panel.curves.result.verdict.text() == verdict
    assert panel.curves.result.isVisible()
    assert panel.head.state.text() == state
    assert not panel.head.progress.isVisible()
    assert [version.name for version in desk.opened.store.versions()] == ["v1"]


def test_the_figures_without_accepted_pixels_stand_below_the_mean(window: MainWindow, desk: Desk) -> None:
    desk.trains()
    desk.tells(started())
    figures = {
        "parent": Figures(0.5, 0.741, {"nucleus": 0.70}, accepted=0.4, without_accepted=0.5),
        "child": Figures(0.4, 0.812, {"nucleus": 0.79}, accepted=0.4, without_accepted=0.8),
    }
    desk.ends(msgspec.structs.replace(trained(True), figures=figures))
    table = window.arrangement.training.curves.result.table
    assert table is not None
    rows = [[table.topLevelItem(n).text(c) for c in range(4)] for n in range(table.topLevelItemCount())]
    assert rows[:2] == [["mean", "0.741", "0.812", "+0.071"], ["without accepted", "0.500", "0.800", "+0.300"]]


def test_a_learner_that_is_no_version_is_named_in_words(window: MainWindow, desk: Desk) -> None:
    desk.trains()
    desk.tells(started(parent="instant"))
    assert window.arrangement.training.head.state.text() == "Learning, starting from instant learner …"
    desk.ends(trained(True))
    table = window.arrangement.training.curves.result.table
    assert table is not None
    head = table.headerItem()
    assert [head.text(column) for column in (1, 2)] == ["before", "v1"]
    assert head.toolTip(1) == "instant learner"
    desk.trains()
    desk.ends(trained(False, parent="v1", current="v1"))
    assert [head.text(column) for column in (1, 2)] == ["v1", "v2"]


def test_without_held_out_figures_the_reason_stands_alone(window: MainWindow, desk: Desk) -> None:
    desk.trains()
    desk.ends(trained(False, figures={"parent": None, "child": None}, reason="nothing is held out yet"))
    assert window.arrangement.training.head.state.text() == "v1 not promoted · nothing is held out yet"


def test_a_second_run_begins_with_empty_curves(window: MainWindow, desk: Desk) -> None:
    panel = window.arrangement.training
    desk.trains()
    desk.tells(started(), *(stepped(step) for step in range(1, 4)))
    desk.ends(trained(False))
    desk.trains()
    desk.tells(started(), stepped(1), stepped(2))
    assert panel.curves.loss_plot.series["training"][0] == [1, 2]
    assert panel.curves.iou_plot.series == {}
    assert panel.curves.facts.isVisible()


def test_a_run_that_failed_leaves_its_curves_and_says_so(window: MainWindow, desk: Desk) -> None:
    desk.trains()
    desk.tells(started(), stepped(1))
    desk.engine.refuse("The memory is full.", "NotEnoughLabels")
    desk.wait(window.message_strip.isVisible)
    assert window.arrangement.training.head.state.text() == "The run did not finish"
    assert window.arrangement.training.curves.loss_plot.series["training"] == ([1], [0.5])
    assert window.message_strip.text.text() == "The memory is full."


def test_another_project_has_no_curves(window: MainWindow, desk: Desk) -> None:
    desk.trains()
    desk.tells(started(), stepped(1))
    desk.load(plates(2), ["a"])
    assert window.arrangement.training.curves.loss_plot.series == {}
    assert window.arrangement.training.curves.facts.text("device") == "–"


def test_a_long_run_is_thinned_not_forgotten(qtbot: QtBot) -> None:
    library = ModuleLoader("json")
    plot = LivePlot("plot", "Loss", library)
    qtbot.addWidget(plot)
    plot.add("training", "#ffffff")
    for step in range(100_000):
        plot._series["training"].append(step, 0.0)
    xs, _ = plot.series["training"]
    assert 1000 < len(xs) <= 4001
    assert xs[0] < 100
    assert xs[-1] > 99_900


@pytest.mark.parametrize("last", [1, 3, 7, 40, 2500])
def test_steps_are_counted_in_whole_numbers(window: MainWindow, desk: Desk, qtbot: QtBot, last: int) -> None:
    desk.trains()
    desk.tells(started(), stepped(1), stepped(last))
    plot = window.arrangement.training.curves.loss_plot
    qtbot.waitUntil(lambda: plot._widget is not None)
    plot._redraw()
    axis = plot._widget.getAxis("bottom")
    ticks = axis.tickValues(0.0, float(last), 240.0)
    assert ticks
    assert all(float(value).is_integer() for _, values in ticks for value in values)
    assert all("." not in text for spacing, values in ticks for text in axis.tickStrings(values, 1.0, spacing))


def test_the_iou_axis_comes_close_to_good_figures(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    desk.trains()
    desk.tells(started())
    for step, mean in ((10, 0.97), (20, 0.99)):
        figures = {"loss": 0.4, "mean_iou": mean, "iou": {"nucleus": mean}}
        desk.tells({"kind": "evaluated", "step": step, "seconds": 1.0, "held_out": figures})
    plot = window.arrangement.training.curves.iou_plot
    qtbot.waitUntil(lambda: plot._widget is not None)
    plot._redraw()
    _, (low, high) = plot._widget.getViewBox().viewRange()
    assert 0.9 <= low < 0.97
    assert high == pytest.approx(1.0)


@given(st.lists(st.floats(0, 1), max_size=6))
def test_a_close_up_holds_every_figure_and_nothing_outside_0_to_1(values: list[float]) -> None:
    low, high = close_up(values)
    assert 0 <= low <= min(values, default=low)
    assert max(values, default=high) <= high <= 1
    assert high - low >= 0.049
    assert high - low <= max(0.06, 1.21 * (max(values, default=1) - min(values, default=0)))


def test_a_legend_without_room_for_its_names_keeps_its_colours_and_names_them_in_the_tip(qtbot: QtBot) -> None:
    plot = LivePlot("plot", "Loss", ModuleLoader("json"))
    qtbot.addWidget(plot)
    plot.resize(400, 120)
    plot.show()
    plot.add("training", "#CC2233")
    plot.add("held out", "#445566")
    assert "training" in plot.legend
    plot.setMinimumSize(0, 0)
    plot.resize(110, 120)
    assert "training" not in plot.legend
    assert "#CC2233" in plot.legend
    assert "#445566" in plot.legend
    assert plot._legend.toolTip() == "training\nheld out"


# --- one line until there is a run -----------------------------------------------------------------------------------


def _heights(window: MainWindow) -> tuple[int, int]:
    return window.canvas.height(), window.arrangement.bottom.height()


def test_until_there_is_a_run_the_panel_is_one_line_beside_the_title_of_the_images(window: MainWindow) -> None:
    panel = window.arrangement.training
    assert panel.folded
    assert window.arrangement.images.isAncestorOf(panel)
    assert panel.head.state.isVisible()
    assert panel.head.versions.isVisible()
    assert not panel.curves.loss_plot.isVisible()
    assert panel.height() <= 48
    assert window.arrangement.images.view.width() > 0.9 * window.width()


def test_a_run_unfolds_the_panel_and_another_project_folds_it_again(
    window: MainWindow, desk: Desk, qtbot: QtBot
) -> None:
    folded = _heights(window)
    desk.trains()
    qtbot.waitUntil(lambda: window.arrangement.training.curves.loss_plot.isVisible())
    assert not window.arrangement.images.isAncestorOf(window.arrangement.training)
    assert window.arrangement.training.head.stop.isVisible()
    assert _heights(window)[1] > folded[1]
    desk.ends(trained(True))
    assert not window.arrangement.training.folded
    desk.load(plates(3), ["a"])
    qtbot.waitUntil(lambda: _heights(window) == folded)
    assert window.arrangement.training.folded


def test_what_a_person_folds_stays_folded_and_what_one_unfolds_stays_unfolded(
    window: MainWindow, desk: Desk, qtbot: QtBot
) -> None:
    panel = window.arrangement.training
    desk.trains()
    desk.tells(started())
    QTest.mouseClick(panel.head.fold, Qt.MouseButton.LeftButton)
    assert panel.folded
    desk.tells(stepped(1))
    assert panel.folded
    assert panel.head.stop.isVisible(), "a run can always be stopped"
    QTest.mouseClick(panel.head.fold, Qt.MouseButton.LeftButton)
    window.resize(1280, 640)
    qtbot.wait(10)
    assert not panel.folded


def test_in_a_low_window_the_image_comes_before_the_curves(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    desk.trains()
    assert not window.arrangement.training.folded
    window.resize(1280, 720)
    qtbot.waitUntil(lambda: window.arrangement.training.folded)
    qtbot.waitUntil(lambda: window.canvas.height() >= 0.6 * 720)
    assert window.arrangement.training.head.stop.isVisible()
    window.resize(1280, 900)
    qtbot.waitUntil(lambda: not window.arrangement.training.folded)


# --- before the first step, and after a run that did not help --------------------------------------------------------


def preparing(text: str, done: int = 0, total: int = 0) -> dict[str, Any]:
    return {"kind": "preparing", "step": 0, "seconds": 0.1, "text": text, "done": done, "total": total}


def test_from_the_click_to_the_first_step_the_panel_says_what_is_being_done(window: MainWindow, desk: Desk) -> None:
    panel = window.arrangement.training
    desk.session.fine_tune()
    assert panel.head.progress.isVisible()
    assert panel.head.progress.maximum() == 0  # busy: nobody knows for how long
    desk.wait(lambda: panel.head.state.text() == "Waiting for the engine")
    desk.wait(lambda: desk.engine.trains)
    desk.tells(preparing("Reading 12 of 300 images", 12, 300))
    assert panel.head.state.text() == "Reading 12 of 300 images"
    assert (panel.head.progress.value(), panel.head.progress.maximum()) == (12, 300)
    desk.tells(started(), stepped(10))
    panel._show_numbers()
    assert (panel.head.progress.value(), panel.head.progress.maximum()) == (200, 1000)


def test_a_run_that_did_not_help_says_what_would(window: MainWindow, desk: Desk) -> None:
    advice = window.arrangement.training.curves.result.advice
    desk.trains()
    desk.ends(trained(False, advice="Train longer: only 7 steps fitted in 60 s."))
    assert advice.isVisible()
    assert advice.text() == "Train longer: only 7 steps fitted in 60 s."
    desk.trains()
    desk.ends(trained(True, current="v2"))
    assert not advice.isVisible()


def test_the_reason_for_a_verdict_goes_on_with_the_steps_as_one_line(window: MainWindow, desk: Desk) -> None:
    desk.trains()
    desk.ends(trained(False, reason="Mean IoU on held-out pixels fell from 0.7 to 0.6."))
    reason = window.arrangement.training.curves.result.reason
    assert reason.text() == "Mean IoU on held-out pixels fell from 0.7 to 0.6 · 50 steps in 25 s"


def test_before_the_first_run_the_panel_says_that_keep_learning_is_on(window: MainWindow, desk: Desk) -> None:
    desk.load(names=("plate_0000.png",), classes=("nucleus",), labelled=False)
    state = window.arrangement.training.head.state
    QTest.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert state.text() == "Keep learning is on; it begins once two classes have new labels"
    QTest.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert state.text().startswith("Label a few images")


def test_the_line_says_in_which_round_keep_learning_is_and_that_it_waits(
    window: MainWindow, desk: Desk, qtbot: QtBot
) -> None:
    panel, keeping = window.arrangement.training, desk.opened.keep_learning
    state, stop = panel.head.state, window.bars.action("stop-training")
    for place, class_ in enumerate(desk.documents.classes):
        desk.paint(Rect(4, 4 + 20 * place, 12, 12), class_.id)
    desk.settle()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Proposals, "coming", False)  # the engine of these tests answers nothing else
        patch.setattr(ProposalsAhead, "busy", False)
        QTest.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
        desk.wait(lambda: keeping.number == 1 and desk.engine.trains)
        desk.engine.answer(RunPlanned(0, PLAN))
        desk.tells(started(max_seconds=None, steps=109), stepped(2), stepped(3))
        qtbot.waitUntil(lambda: state.text() == "Keep learning, round 1: step 3 of 109 · 53 s left")
        desk.ends(trained(True))
        desk.wait(lambda: keeping.waits)
        assert state.text().startswith("Keep learning: waiting for new labels · v1 promoted · mean IoU 0.741")
    assert panel.head.stop.isVisible()
    assert panel.head.stop.isEnabled()
    stop.trigger()
    assert not keeping.on
    assert state.text().startswith("v1 promoted · ")
    assert "Keep learning is off now." in desk.said
    assert not stop.isEnabled()


def test_with_nothing_held_out_the_panel_says_that_there_is_nothing_to_compare(window: MainWindow, desk: Desk) -> None:
    title = window.findChild(QWidget, "heldOutTitle")
    assert title.text() == "", "there is no run yet"  # type: ignore[union-attr]
    desk.trains()
    desk.tells(started(held_out_groups=[]))
    assert title.text().startswith("Nothing is held out")  # type: ignore[union-attr]


def test_another_project_has_no_axes_either(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    desk.trains()
    desk.tells(started(), stepped(1), stepped(2))
    plot = window.arrangement.training.curves.loss_plot
    qtbot.waitUntil(lambda: plot.findChild(QWidget, "lossPlotView") is not None)
    desk.load(plates(3), ["a"])
    window.arrangement.training.head.fold.click()
    view = plot.findChild(QWidget, "lossPlotView")
    assert view is not None
    assert plot.isVisible()
    assert not view.isVisible()
    desk.trains()
    desk.tells(started(), stepped(1))
    qtbot.waitUntil(view.isVisible)
