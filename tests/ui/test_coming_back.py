"""Coming back, to an image or to a project: the class chosen, and how each image was looked at."""

import pytest

from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk


def _view(window: MainWindow) -> tuple[float, float, float]:
    canvas = window.canvas
    return (canvas.scale, *canvas.to_image(canvas.rect().center()))


def _close_to(view: tuple[float, float, float]) -> object:
    return pytest.approx(view, abs=1.0)


def test_each_image_is_shown_again_as_it_was_looked_at(window: MainWindow, desk: Desk) -> None:
    fitted = _view(window)
    window.canvas.set_zoom(4.0)
    window.canvas.pan_by(120, -80)
    near = _view(window)
    desk.shows(1)
    assert _view(window) == _close_to(fitted)
    window.canvas.set_zoom(2.0)
    desk.shows(0)
    assert _view(window) == _close_to(near)
    window.canvas.zoom_to_fit()
    desk.shows(1)
    assert window.canvas.scale == 2.0
    desk.shows(0)
    assert _view(window) == _close_to(fitted)


def test_class_and_views_are_there_when_the_project_is_opened_again(window: MainWindow, desk: Desk) -> None:
    path = desk.opened.path
    desk.session.set_class("debris")
    window.canvas.set_zoom(3.0)
    desk.shows(2)
    window.canvas.set_zoom(5.0)
    desk.open(path)
    assert desk.documents.current_class.name == "debris"
    assert window.canvas.scale == 3.0
    desk.shows(2)
    assert window.canvas.scale == 5.0


def test_a_class_that_is_gone_is_not_chosen(window: MainWindow, desk: Desk) -> None:
    path = desk.opened.path
    desk.session.set_class("debris")
    desk.shows(1)
    desk.opened.classes.remove("debris")
    desk.settle()
    desk.open(path)
    assert desk.documents.current_class.name == "nucleus"


def test_where_nothing_is_to_be_remembered_nothing_is_taken_up(window: MainWindow, desk: Desk) -> None:
    path = desk.opened.path
    desk.session.set_class("debris")
    window.canvas.set_zoom(3.0)
    desk.session.kept_preferences.remembers = False
    try:
        desk.open(path)
        assert desk.documents.current_class.name == "nucleus"
        assert window.canvas.scale != 3.0
        window.canvas.set_zoom(6.0)
        desk.shows(1)
        desk.shows(0)
        assert window.canvas.scale == 6.0
    finally:
        desk.session.kept_preferences.remembers = True
