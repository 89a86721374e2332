"""The page of effort in the training panel, over a project with finished images."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from segstudio.app.learning.effort import EffortValues
from segstudio.labels.model import ImageId
from segstudio.tasks.learning.effort_curve import Cost, Point
from segstudio.ui.panels.training_effort import TrainingEffort
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.room import Room
from tests.ui.test_training_classes import turn
from tests.ui.test_training_panel import make_plots


@pytest.fixture(scope="module", autouse=True)
def plots(room: Room) -> None:
    """Plots and the page live as long as the window: they are there before the first test."""
    make_plots(room)
    room.enter()
    room.desk.load()
    page = _turned(room.window)
    _shows(room.desk, EffortValues((_cost(1, 0.5, 60.0), _cost(2, 0.5, 60.0))))
    for plot in (page.changed_plot, page.minutes_plot):
        room.desk.wait(lambda plot=plot: plot._widget is not None)
    room.leave()


@pytest.fixture
def page(window: MainWindow, desk: Desk) -> TrainingEffort:
    """The page; what the project says is put in by the test."""
    return _turned(window)


def _turned(window: MainWindow) -> TrainingEffort:
    """The page, reached by a click on its tab."""
    window.resize(1600, 900)
    training = window.arrangement.training
    if training.folded:
        QTest.mouseClick(training.head.fold, Qt.MouseButton.LeftButton)
    page = turn(window, "Effort")
    assert isinstance(page, TrainingEffort)
    return page


def _says(page: TrainingEffort, name: str) -> str:
    label = page.findChild(QLabel, name)
    assert label is not None
    return label.text()


def _shows(desk: Desk, values: EffortValues) -> None:
    effort = desk.opened.effort
    effort._worker.submit(lambda: None).result(30)  # what the page asked for itself comes first
    QTest.qWait(30)
    effort.values = values
    effort.changed.emit()


def _cost(place: int, changed: float | None, seconds: float) -> Cost:
    return Cost(ImageId(place), f"{place}.png", changed, seconds)


def test_of_one_image_its_time_is_said_once(page: TrainingEffort, desk: Desk) -> None:
    _shows(desk, EffortValues((_cost(1, 0.5, 120.0),)))
    assert _says(page, "effortSummary") == "1 image done in 2.0 minutes"


def test_a_project_without_a_finished_image_says_so(page: TrainingEffort, desk: Desk) -> None:
    _shows(desk, EffortValues())
    none = page.findChild(QLabel, "effortNone")
    assert none is not None
    assert none.isVisible()
    assert none.text() == "No image is done yet"


def test_images_that_nobody_worked_on_are_not_shown_as_empty_frames(page: TrainingEffort, desk: Desk) -> None:
    _shows(desk, EffortValues((_cost(1, None, 0.0), _cost(2, None, 0.0))))
    none = page.findChild(QLabel, "effortNone")
    assert none is not None
    assert none.isVisible()
    assert none.text() == "2 images are done, but none of them by hand: there is no effort to show"


def test_minutes_are_said_of_the_images_that_were_worked_on(page: TrainingEffort, desk: Desk) -> None:
    _shows(desk, EffortValues((_cost(1, None, 0.0), _cost(2, 0.5, 48.0))))
    assert _says(page, "effortSummary") == "2 images done, 0.8 minutes of work on 1 of them"


def test_each_finished_image_is_a_point_of_both_plots(page: TrainingEffort, desk: Desk) -> None:
    costs = (_cost(1, 0.5, 240.0), _cost(2, None, 0.0), _cost(3, 0.1, 90.0))
    _shows(desk, EffortValues(costs))
    assert page.changed_plot.series == {"changed": ([1, 3], [50.0, 10.0])}
    assert page.minutes_plot.series == {"minutes": ([1, 3], [4.0, 1.5])}
    assert not page.minutes_plot._legend.isVisible(), "the title says what its one curve is"
    assert (
        _says(page, "effortSummary")
        == "3 images done, 5.5 minutes of work on 2 of them; the last ones took about 2.8 minutes each"
    )
    assert "at least four versions" in _says(page, "effortForecast")


def test_the_forecast_is_said_where_there_is_one_and_else_why_there_is_none(page: TrainingEffort, desk: Desk) -> None:
    points = tuple(Point(f"v{n}", n, 0.5) for n in (1, 2, 3, 4))
    _shows(desk, EffortValues((_cost(1, 0.5, 60.0),), points))
    assert "do not rise steadily enough" in _says(page, "effortForecast")
    _shows(desk, EffortValues((_cost(1, 0.5, 60.0),), points, "About 3 more images (2 to 5) to a mean IoU of 0.80"))
    assert _says(page, "effortForecast") == "About 3 more images (2 to 5) to a mean IoU of 0.80"
