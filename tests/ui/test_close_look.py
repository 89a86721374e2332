"""Close up and far away: the pixel grid, values of pixels, the map in the corner, and zooming to what is selected."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest

from segstudio.geometry import Rect
from segstudio.ui.canvas.layers.pixel_grid import LINES_FROM, VALUES_FROM, value_words
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

LEFT = Qt.MouseButton.LeftButton


def _picture(window: MainWindow) -> QImage:
    return window.canvas.grab().toImage()


def _colours_within(window: MainWindow, x: int, y: int) -> set[int]:
    """The colours inside one image pixel, its edges left out."""
    shown, canvas = _picture(window), window.canvas
    corner, far = canvas.to_widget(x, y).toPoint(), canvas.to_widget(x + 1, y + 1).toPoint()
    columns, rows = range(corner.x() + 2, far.x() - 2), range(corner.y() + 2, far.y() - 2)
    return {shown.pixel(column, row) for row in rows for column in columns}


def _bare(window: MainWindow, scale: float) -> tuple[int, int]:
    """Without labels at a scale; the image pixel in the middle."""
    window.canvas.set_labels_shown(False)
    window.canvas.set_zoom(scale)
    x, y = window.canvas.to_image(window.canvas.rect().center())
    return int(x), int(y)


@pytest.mark.parametrize(("scale", "lines"), [(LINES_FROM - 0.5, False), (LINES_FROM, True), (20.0, True)])
def test_lines_lie_between_pixels_from_eight_on(window: MainWindow, scale: float, lines: bool) -> None:
    x, y = _bare(window, scale)
    edge = window.canvas.to_widget(x, y + 0.5).toPoint()
    around = [QPoint(edge.x() + n, edge.y()) for n in (-1, 0, 1)]
    shown = _picture(window)
    window.bars.action("pixel-grid").trigger()
    assert not window.session.preferences.pixel_grid
    without = _picture(window)
    assert any(shown.pixel(at) != without.pixel(at) for at in around) is lines
    window.bars.action("pixel-grid").trigger()
    assert _picture(window) == shown


@pytest.mark.parametrize(("scale", "values"), [(VALUES_FROM - 4, False), (VALUES_FROM, True), (64.0, True)])
def test_values_are_written_into_pixels_from_forty_eight_on(window: MainWindow, scale: float, values: bool) -> None:
    x, y = _bare(window, scale)
    assert (len(_colours_within(window, x, y)) > 1) is values
    window.canvas.set_pixel_grid(False)
    assert len(_colours_within(window, x, y)) == 1


def test_a_pixel_of_more_than_three_channels_has_no_words(empty_window: MainWindow, desk: Desk) -> None:
    samples = np.random.default_rng(1).integers(0, 255, (40, 40, 5)).astype(np.uint8)
    desk.show({"five.tif": samples})
    x, y = _bare(empty_window, 64.0)
    assert len(_colours_within(empty_window, x, y)) == 1


def test_values_are_short() -> None:
    assert value_words(np.array([12, 255, 0], np.uint8)) == "12\n255\n0"
    assert value_words(np.array([-0.123456], np.float32)) == "-0.1235"
    assert value_words(np.array([np.nan], np.float32)) == "nan"


# -- the map ---------------------------------------------------------------------------------------------------------


def test_the_map_is_there_while_a_part_of_the_image_is_in_view(window: MainWindow) -> None:
    assert window.minimap.isHidden()
    window.canvas.set_zoom(4.0)
    assert window.minimap.isVisible()
    assert window.canvas.rect().contains(window.minimap.geometry())
    window.canvas.zoom_to_fit()
    assert window.minimap.isHidden()


def test_a_click_in_the_map_brings_that_place_to_the_middle_and_a_drag_goes_on(window: MainWindow, desk: Desk) -> None:
    window.canvas.set_zoom(6.0)
    width, height = desk.document.raster.sizes[0]
    edits = desk.edits
    for share in (0.3, 0.6):
        at = QPoint(round(window.minimap.width() * share), round(window.minimap.height() * share))
        QTest.mouseClick(window.minimap, LEFT, pos=at)
        middle = window.canvas.to_image(window.canvas.rect().center())
        assert middle == pytest.approx((width * share, height * share), abs=4)
    QTest.mousePress(window.minimap, LEFT, pos=at)
    QTest.mouseMove(window.minimap, QPoint(window.minimap.width() // 2, window.minimap.height() // 2))
    QTest.mouseRelease(window.minimap, LEFT, pos=window.minimap.rect().center())
    middle = window.canvas.to_image(window.canvas.rect().center())
    assert middle == pytest.approx((width / 2, height / 2), abs=4)
    assert desk.edits == edits


def test_the_map_shows_the_image_as_it_is_shown(window: MainWindow, desk: Desk) -> None:
    window.canvas.set_zoom(6.0)
    before = window.minimap.grab().toImage()
    desk.opened.adjusting.set_invert(True)
    assert window.minimap.grab().toImage() != before


def test_the_map_can_be_switched_off_and_goes_with_the_project(window: MainWindow, desk: Desk) -> None:
    window.canvas.set_zoom(6.0)
    QTest.keyClick(window, Qt.Key.Key_F5)
    assert window.minimap.isHidden()
    assert not window.session.preferences.minimap
    QTest.keyClick(window, Qt.Key.Key_F5)
    assert window.minimap.isVisible()
    desk.leave()
    assert window.minimap.isHidden()


# -- what is selected ------------------------------------------------------------------------------------------------


def test_the_selection_is_zoomed_to_wherever_it_is(window: MainWindow, desk: Desk) -> None:
    desk.paint(Rect(250, 250, 20, 14), 2)
    desk.paint(Rect(500, 400, 60, 40), 3)
    newest = desk.document.next_object - 1
    desk.documents.selection.select([newest - 1])
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    desk.wait(lambda: window.canvas.scale > 8)
    assert window.canvas.to_image(window.canvas.rect().center()) == pytest.approx((260, 257), abs=1)
    desk.documents.selection.select([newest - 1, newest])
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    desk.wait(lambda: window.canvas.scale < 8)
    seen = window.canvas.visible_part
    assert seen.intersected(Rect(250, 250, 310, 190)) == Rect(250, 250, 310, 190)


def test_where_nothing_is_selected_or_it_has_no_pixel_that_is_said(window: MainWindow, desk: Desk) -> None:
    before = window.canvas.scale
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert desk.said[-1] == "Nothing is selected"
    desk.documents.selection.select([987_654])
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    desk.wait(lambda: desk.said[-1] == "What is selected has no pixel on this image")
    assert window.canvas.scale == before


def test_a_line_one_pixel_wide_is_seen_far_away(window: MainWindow, desk: Desk) -> None:
    desk.erase(Rect(0, 0, 640, 480))
    window.canvas.set_opacity(1.0, 1.0)
    nucleus = desk.documents.classes.named("nucleus")
    assert nucleus is not None
    window.canvas.set_zoom(0.2)
    desk.paint(Rect(0, 201, 640, 1), nucleus.id)
    shown, canvas = _picture(window), window.canvas
    for x in (50, 320, 600):
        at = canvas.to_widget(x, 201.5).toPoint()
        assert QColor(nucleus.color) in [shown.pixelColor(at + QPoint(0, down)) for down in (-1, 0, 1)]
