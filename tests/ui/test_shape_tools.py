"""Polygon, lasso, rectangle and ellipse on the real canvas over a real session, by real mouse and key events."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from segstudio.app.editing.tools.overlay import Handles, Polyline
from segstudio.geometry import Rect
from segstudio.labels.model import Cause, Touch
from segstudio.labels.paint.polygon import ellipse_region, polygon_region
from segstudio.ui.canvas import Canvas
from tests.ui.desk import Desk
from tests.ui.shape_hands import (
    ALT,
    BACKGROUND,
    CELL,
    CTRL,
    HOLE,
    LEFT,
    LOOP,
    NO,
    RIGHT,
    SHIFT,
    SQUARE,
    TRIANGLE,
    WHOLE,
    box_of,
    click,
    drag,
    handles,
    image,
    inside,
    key,
    open_canvas,
    painted,
    tint,
    use,
)


@pytest.fixture
def desk(own_desk: Desk) -> Desk:
    return own_desk


@pytest.fixture
def canvas(qtbot: QtBot, desk: Desk) -> Iterator[Canvas]:
    with open_canvas(qtbot, desk) as made:
        yield made


# --- polygon ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zoom", [0.6, 1.0, 3.0])
def test_clicks_and_enter_paint_what_is_inside_as_one_edit(canvas: Canvas, desk: Desk, zoom: float) -> None:
    use(desk, "polygon")
    canvas.set_zoom(zoom)
    click(canvas, *TRIANGLE)
    assert not painted(desk).any()
    assert handles(desk) == image(canvas, TRIANGLE)
    assert tint(desk) == {"#e69f00"}
    key(canvas, Qt.Key.Key_Return)
    assert desk.edits == 1
    assert np.array_equal(painted(desk), inside(canvas, TRIANGLE))
    assert painted(desk).any()
    assert desk.session.tools.overlay == ()


def test_a_click_on_the_first_corner_closes(canvas: Canvas, desk: Desk) -> None:
    use(desk, "polygon")
    click(canvas, *TRIANGLE)
    click(canvas, TRIANGLE[0] + QPoint(3, -2))
    assert desk.edits == 1
    assert np.array_equal(painted(desk), inside(canvas, TRIANGLE))


def test_a_double_click_sets_the_last_corner_and_closes(canvas: Canvas, desk: Desk) -> None:
    use(desk, "polygon")
    click(canvas, *TRIANGLE[:2])
    click(canvas, TRIANGLE[2])
    QTest.mouseDClick(canvas, LEFT, NO, TRIANGLE[2])
    assert desk.edits == 1
    assert np.array_equal(painted(desk), inside(canvas, TRIANGLE))


def test_a_double_click_on_the_first_corner_closes_and_begins_nothing(canvas: Canvas, desk: Desk) -> None:
    use(desk, "polygon")
    click(canvas, *TRIANGLE, TRIANGLE[0])
    QTest.mouseDClick(canvas, LEFT, NO, TRIANGLE[0])
    assert desk.edits == 1
    assert not desk.documents.gesture_active
    assert desk.said == []


def test_corners_near_one_another_are_all_kept(canvas: Canvas, desk: Desk) -> None:
    use(desk, "polygon")
    near = [QPoint(200, 200), QPoint(204, 200), QPoint(204, 204), QPoint(200, 206), QPoint(190, 203)]
    click(canvas, *near)
    key(canvas, Qt.Key.Key_Return)
    assert np.array_equal(painted(desk), inside(canvas, near))


def test_backspace_takes_back_the_last_click_and_a_whole_freehand_part(canvas: Canvas, desk: Desk) -> None:
    use(desk, "polygon")
    click(canvas, *TRIANGLE, QPoint(20, 380))
    key(canvas, Qt.Key.Key_Backspace)
    assert handles(desk) == image(canvas, TRIANGLE)
    drag(canvas, QPoint(150, 250), QPoint(160, 240), QPoint(170, 250), QPoint(180, 300))
    assert len(handles(desk)) == 5
    key(canvas, Qt.Key.Key_Backspace)
    key(canvas, Qt.Key.Key_Backspace)
    key(canvas, Qt.Key.Key_Return)
    assert np.array_equal(painted(desk), inside(canvas, TRIANGLE))
    click(canvas, QPoint(60, 60))
    key(canvas, Qt.Key.Key_Backspace)
    assert not desk.documents.gesture_active
    assert desk.session.tools.overlay == ()


def test_a_drag_draws_a_part_freehand(canvas: Canvas, desk: Desk) -> None:
    use(desk, "polygon")
    click(canvas, TRIANGLE[0])
    part = [QPoint(350, 130), QPoint(360, 170), QPoint(330, 210), QPoint(340, 260), QPoint(300, 290)]
    drag(canvas, *part)
    assert handles(desk) == image(canvas, [TRIANGLE[0], part[0], part[-1]])
    click(canvas, TRIANGLE[2])
    key(canvas, Qt.Key.Key_Return)
    assert np.array_equal(painted(desk), inside(canvas, [TRIANGLE[0], *part, TRIANGLE[2]]))


def test_a_hand_that_trembles_clicks_and_draws_nothing(canvas: Canvas, desk: Desk) -> None:
    use(desk, "polygon")
    for corner in TRIANGLE:
        drag(canvas, corner, corner + QPoint(1, 1), corner + QPoint(2, 0))
    assert handles(desk) == image(canvas, TRIANGLE)


def test_a_corner_is_moved_before_the_shape_is_closed(canvas: Canvas, desk: Desk) -> None:
    use(desk, "polygon")
    click(canvas, *TRIANGLE)
    QTest.mouseMove(canvas, TRIANGLE[1] + QPoint(2, 2))
    (shown,) = [shown for shown in desk.session.tools.overlay if isinstance(shown, Handles)]
    assert shown.hot == 1
    drag(canvas, TRIANGLE[1], QPoint(380, 160), QPoint(400, 200))
    moved = [TRIANGLE[0], QPoint(400, 200), TRIANGLE[2]]
    assert handles(desk) == image(canvas, moved)
    key(canvas, Qt.Key.Key_Return)
    assert np.array_equal(painted(desk), inside(canvas, moved))


@pytest.mark.parametrize("held", [ALT, CTRL | SHIFT], ids=["Alt", "Ctrl+Shift"])
def test_a_ring_begun_with_a_modifier_is_a_hole(canvas: Canvas, desk: Desk, held: Qt.KeyboardModifier) -> None:
    use(desk, "polygon")
    click(canvas, *SQUARE)
    click(canvas, HOLE[0], held=held)
    click(canvas, *HOLE[1:])
    click(canvas, HOLE[0])
    assert desk.documents.gesture_active, "closing the hole does not close the shape"
    second = [point + QPoint(-60, 0) for point in (QPoint(200, 280), QPoint(230, 280), QPoint(230, 310))]
    click(canvas, *second)
    key(canvas, Qt.Key.Key_Return)
    assert desk.edits == 1
    assert np.array_equal(painted(desk), inside(canvas, SQUARE, HOLE, second))
    x, y = canvas.to_image(QPointF(250, 180))
    assert not painted(desk)[int(y), int(x)]


def test_a_click_on_the_first_corner_of_all_closes_the_shape_with_its_holes(canvas: Canvas, desk: Desk) -> None:
    use(desk, "polygon")
    click(canvas, *SQUARE)
    click(canvas, HOLE[0], held=ALT)
    click(canvas, *HOLE[1:])
    click(canvas, SQUARE[0])
    assert np.array_equal(painted(desk), inside(canvas, SQUARE, HOLE))


def test_backspace_goes_back_through_a_hole_to_the_ring_before(canvas: Canvas, desk: Desk) -> None:
    use(desk, "polygon")
    click(canvas, *SQUARE)
    click(canvas, HOLE[0], held=ALT)
    click(canvas, *HOLE[1:], HOLE[0])
    for _ in range(5):
        key(canvas, Qt.Key.Key_Backspace)
    assert handles(desk) == image(canvas, SQUARE[:3])


def test_the_right_button_draws_the_same_shape_as_background(canvas: Canvas, desk: Desk) -> None:
    use(desk, "polygon")
    click(canvas, *TRIANGLE, button=RIGHT)
    click(canvas, QPoint(30, 30))
    assert handles(desk) == image(canvas, TRIANGLE), "the other button does nothing"
    key(canvas, Qt.Key.Key_Return)
    assert np.array_equal(painted(desk, BACKGROUND), inside(canvas, TRIANGLE))
    assert not painted(desk).any()


# --- lasso, rectangle, ellipse ---------------------------------------------------------------------------------------


def test_a_lasso_closes_where_the_button_goes_up(canvas: Canvas, desk: Desk) -> None:
    use(desk, "lasso")
    drag(canvas, *LOOP, release=False)
    assert tint(desk) == {"#e69f00"}
    assert not painted(desk).any()
    QTest.mouseRelease(canvas, LEFT, NO, LOOP[-1])
    assert desk.edits == 1
    assert np.array_equal(painted(desk), inside(canvas, LOOP))
    drag(canvas, *[p + QPoint(5, 5) for p in LOOP], button=RIGHT)
    assert np.array_equal(painted(desk, BACKGROUND), inside(canvas, [p + QPoint(5, 5) for p in LOOP]))


BOXES = {
    "corner to corner": (NO, lambda a, b: (a, b)),
    "a square": (SHIFT, lambda a, b: (a, QPoint(a.x() - 130, a.y() - 130))),
    "from the middle": (ALT, lambda a, b: (2 * a - b, b)),
    "from the middle by the second way": (CTRL | SHIFT, lambda a, b: (2 * a - b, b)),
    "a square from the middle": (ALT | SHIFT, lambda a, b: (a + QPoint(130, 130), a - QPoint(130, 130))),
}


@pytest.mark.parametrize("tool", ["rectangle", "ellipse"])
@pytest.mark.parametrize(("held", "corners"), BOXES.values(), ids=BOXES)
def test_a_box_is_dragged(canvas: Canvas, desk: Desk, tool: str, held: Qt.KeyboardModifier, corners: object) -> None:
    use(desk, tool)
    a, b = QPoint(260, 240), QPoint(130, 150)
    drag(canvas, a, QPoint(200, 200), b, held=held)
    left, top, right, bottom = box_of(canvas, *corners(a, b))  # type: ignore[operator]
    if tool == "rectangle":
        expected = polygon_region([[(left, top), (right, top), (right, bottom), (left, bottom)]], WHOLE)
    else:
        expected = ellipse_region(left, top, right, bottom, WHOLE)
    assert desk.edits == 1
    assert np.array_equal(painted(desk), expected.mask(WHOLE))


def test_a_modifier_counts_from_the_moment_it_goes_down(canvas: Canvas, desk: Desk) -> None:
    use(desk, "rectangle")
    drag(canvas, QPoint(150, 150), QPoint(250, 200), release=False)
    (flat,) = desk.session.tools.overlay
    QTest.keyPress(canvas, Qt.Key.Key_Shift)
    (square,) = desk.session.tools.overlay
    assert isinstance(flat, Polyline)
    assert isinstance(square, Polyline)
    (x0, y0), (x1, y1) = square.points[0], square.points[2]
    assert x1 - x0 == pytest.approx(y1 - y0)
    QTest.keyRelease(canvas, Qt.Key.Key_Shift)
    assert desk.session.tools.overlay == (flat,)
    key(canvas, Qt.Key.Key_Escape)


# --- what is painted -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["lasso", "rectangle", "ellipse", "polygon"])
def test_what_covers_no_pixel_is_said_and_is_no_edit(canvas: Canvas, desk: Desk, tool: str) -> None:
    use(desk, tool)
    click(canvas, QPoint(200, 200))
    if tool == "polygon":
        click(canvas, QPoint(300, 200))
        key(canvas, Qt.Key.Key_Return)
    assert desk.said == ["Nothing is painted: the shape covers no pixel."]
    assert desk.edits == 0
    assert not desk.documents.can_undo
    assert not desk.documents.gesture_active
    assert desk.session.tools.overlay == ()


def test_a_shape_outside_the_image_is_said_to_cover_nothing(canvas: Canvas, desk: Desk) -> None:
    use(desk, "lasso")
    canvas.set_zoom(0.5)
    drag(canvas, QPoint(10, 10), QPoint(60, 10), QPoint(60, 60))
    assert desk.said == ["Nothing is painted: the shape covers no pixel."]


def test_the_option_makes_pixels_unknown_even_where_the_class_is_locked(canvas: Canvas, desk: Desk) -> None:
    desk.paint(WHOLE, CELL)
    use(desk, "rectangle")
    desk.session.tools.set_option("shape_paints", "unknown")
    desk.opened.classes.change("nucleus", locked=True)
    drag(canvas, QPoint(150, 150), QPoint(250, 250))
    assert desk.edits == 3
    left, top, right, bottom = box_of(canvas, QPoint(150, 150), QPoint(250, 250))
    box = polygon_region([[(left, top), (right, top), (right, bottom), (left, bottom)]], WHOLE).mask(WHOLE)
    assert np.array_equal(desk.class_ids() == 0, box)
    desk.settle()
    with desk.opened.store.reading() as db:
        assert db.execute("SELECT cause, tool FROM edits ORDER BY seq DESC").fetchone() == (
            Cause.ERASE.value,
            "rectangle",
        )
    drag(canvas, QPoint(180, 180), QPoint(220, 220), button=RIGHT)
    assert painted(desk, BACKGROUND).any()


def test_an_instance_class_goes_on_with_the_object_under_the_first_point(canvas: Canvas, desk: Desk) -> None:
    desk.session.set_class("cell")
    use(desk, "rectangle")
    drag(canvas, QPoint(100, 100), QPoint(200, 200))
    drag(canvas, QPoint(150, 150), QPoint(260, 180))
    drag(canvas, QPoint(300, 300), QPoint(360, 350))
    raster = desk.document.raster
    ids = raster.read(0, WHOLE)[0]
    first, other = ids[tuple(int(n) for n in reversed(canvas.to_image(QPointF(120, 120))))], ids[ids > 0].max()
    assert set(np.unique(ids)) == {0, first, other}
    assert first != other
    x, y = canvas.to_image(QPointF(250, 170))
    assert ids[int(y), int(x)] == first


def test_the_policy_holds_for_shapes(canvas: Canvas, desk: Desk) -> None:
    desk.paint(Rect(0, 0, 200, 300), CELL)
    desk.session.set_touch(Touch.UNLABELLED)
    use(desk, "ellipse")
    drag(canvas, QPoint(100, 100), QPoint(400, 300))
    assert painted(desk, CELL)[:, :200].all()
    assert painted(desk)[:, 200:].any()
