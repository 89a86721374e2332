"""Fill, wand, livewire, threshold and snap on the real canvas, by real mouse and key events."""

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from segstudio.app.editing.tools.overlay import Patch, Words
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.editing.tools.snap import SuperpixelBrush
from segstudio.app.editing.tools.table import TOOLS
from segstudio.labels.model import Touch
from segstudio.ui.canvas import Canvas
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.fill_hands import (
    LEFT,
    RIGHT,
    H,
    W,
    at,
    click,
    drag,
    ended,
    open_scene,
    overlay_of,
    painted,
    scene,
    use,
)


@pytest.fixture
def canvas(room: object, empty_window: MainWindow, desk: Desk) -> Canvas:
    return open_scene(empty_window, desk)


# -- fill ------------------------------------------------------------------------------------------------------------


def test_fill_paints_the_area_of_equal_label_as_one_edit_and_undo_takes_it_back(canvas: Canvas, desk: Desk) -> None:
    use(desk, "fill")
    before = desk.edits
    click(canvas, desk, 300, 200)
    ids = desk.class_ids()
    assert (ids[:100, :100] == 1).all()
    ids[:100, :100] = 2
    assert (ids == 2).all()
    assert desk.edits == before + 1
    desk.session.undo()
    assert not painted(desk).any()


def test_fill_of_an_object_changes_its_class_and_the_right_button_fills_with_background(
    canvas: Canvas, desk: Desk
) -> None:
    use(desk, "fill")
    click(canvas, desk, 50, 50)
    assert np.array_equal(np.argwhere(painted(desk))[[0, -1]], [[0, 0], [99, 99]])
    background = desk.documents.classes.background.id
    click(canvas, desk, 50, 50, RIGHT)
    assert (desk.class_ids()[:100, :100] == background).all()


def test_fill_obeys_what_may_be_painted_over(canvas: Canvas, desk: Desk) -> None:
    desk.session.set_touch(Touch.UNLABELLED)
    use(desk, "fill")
    click(canvas, desk, 50, 50)
    assert not painted(desk).any()
    desk.session.set_touch(Touch.ALL)


def test_a_click_beside_the_image_fills_nothing(canvas: Canvas, desk: Desk) -> None:
    canvas.set_zoom(0.5)
    use(desk, "fill")
    before = desk.edits
    click(canvas, desk, -20, 10)
    assert desk.edits == before


# -- wand ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zoom", [0.4, 1.0, 3.0])
def test_a_click_of_the_wand_takes_what_hangs_together_within_five_percent(
    canvas: Canvas, desk: Desk, zoom: float
) -> None:
    canvas.set_zoom(zoom)
    use(desk, "wand")
    before = desk.edits
    point = canvas.to_image(QPointF(at(canvas, 310, 150)))
    click(canvas, desk, 310, 150)
    picture = scene().astype(float)
    like = np.abs(picture - picture[int(point[1]), int(point[0])]) <= 0.05 * 255
    _, labels = cv2.connectedComponents(like.astype(np.uint8), connectivity=4)
    assert np.array_equal(painted(desk), labels == labels[int(point[1]), int(point[0])])
    assert desk.edits == before + 1


def test_the_tolerance_is_a_share_of_the_window_as_it_is_shown(canvas: Canvas, desk: Desk) -> None:
    use(desk, "wand")
    desk.session.set_tolerance(0.02)
    assert desk.session.tools.values()["tolerance"] == 2.0
    click(canvas, desk, 200, 350)
    picture = scene().astype(float)
    like = np.abs(picture - picture[350, 200]) <= 0.02 * 255
    _, labels = cv2.connectedComponents(like.astype(np.uint8), connectivity=4)
    assert np.array_equal(painted(desk), labels == labels[350, 200])


def test_dragging_right_takes_more_and_shows_it_before_the_release(canvas: Canvas, desk: Desk) -> None:
    use(desk, "wand")
    drag(canvas, (120, 350), lift=False)
    desk.wait(lambda: overlay_of(desk, Patch))
    first = overlay_of(desk, Patch)[0].mask.sum()
    (words,) = overlay_of(desk, Words)
    assert words.text == "Tolerance 5 %"
    start = at(canvas, 120, 350)
    QTest.mouseMove(canvas, start + QPoint(50, 0))
    desk.wait(lambda: overlay_of(desk, Patch)[0].mask.sum() > first)
    assert overlay_of(desk, Words)[0].text == "Tolerance 15 %"
    assert not painted(desk).any()
    QTest.mouseRelease(canvas, LEFT, pos=start + QPoint(50, 0))
    desk.wait(lambda: ended(desk))
    picture = scene().astype(float)
    assert np.array_equal(painted(desk), np.abs(picture - picture[350, 120]) <= 0.15 * 255)
    assert desk.session.tools.value_of(TOOLS["wand"].options[0]) == 15.0
    assert desk.session.tools.overlay == ()


def test_a_hand_that_shakes_does_not_change_the_tolerance(canvas: Canvas, desk: Desk) -> None:
    use(desk, "wand")
    start = at(canvas, 300, 200)
    QTest.mousePress(canvas, LEFT, pos=start)
    QTest.mouseMove(canvas, start + QPoint(2, 1))
    QTest.mouseRelease(canvas, LEFT, pos=start + QPoint(2, 1))
    desk.wait(lambda: ended(desk))
    assert desk.session.tools.value_of(TOOLS["wand"].options[0]) == 5.0
    assert painted(desk)[200, 300]


def test_without_contiguous_the_wand_takes_every_like_pixel_of_the_image(canvas: Canvas, desk: Desk) -> None:
    use(desk, "wand", contiguous=False, tolerance=1.0)
    click(canvas, desk, 500, 390)
    picture = scene().astype(float)
    assert np.array_equal(painted(desk), np.abs(picture - picture[390, 500]) <= 0.01 * 255)


def test_escape_in_the_middle_of_a_wand_takes_all_back(canvas: Canvas, desk: Desk) -> None:
    use(desk, "wand")
    before = desk.edits
    drag(canvas, (300, 200), (310, 200), lift=False)
    desk.wait(lambda: overlay_of(desk, Patch))
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert ended(desk)
    assert desk.session.tools.overlay == ()
    QTest.mouseRelease(canvas, LEFT, pos=at(canvas, 310, 200))
    QTest.qWait(50)
    assert desk.edits == before


def test_the_wand_on_the_proposal_says_that_there_is_none_and_takes_its_class(canvas: Canvas, desk: Desk) -> None:
    use(desk, "wand", wand_source="proposal")
    click(canvas, desk, 300, 200)
    assert "There is no proposal" in desk.said[-1]
    assert not painted(desk).any()
    desk.proposed(3)
    click(canvas, desk, 300, 200)
    assert painted(desk).all()


# -- threshold -------------------------------------------------------------------------------------------------------


def test_threshold_paints_only_where_the_value_is_like_the_first_one(canvas: Canvas, desk: Desk) -> None:
    canvas.set_zoom(1.0)
    use(desk, "threshold", 30.0)
    before = desk.edits
    drag(canvas, (230, 200), (300, 110), (390, 200), lift=False)
    assert overlay_of(desk, Words)[0].text == "200 200 200 ± 5 %"
    QTest.mouseRelease(canvas, LEFT, pos=at(canvas, 390, 200))
    disc = scene() == 200
    assert painted(desk).any()
    assert not painted(desk)[~disc].any()
    assert painted(desk)[disc & (np.hypot(*np.meshgrid(np.arange(W) - 230, np.arange(H) - 200)) < 28)].all()
    assert desk.edits == before + 1


def test_a_fixed_range_paints_what_lies_in_it(canvas: Canvas, desk: Desk) -> None:
    use(desk, "threshold", 1000.0, range_by="fixed", range_low=30.0, range_high=100.0)
    click(canvas, desk, 300, 200)
    assert np.array_equal(painted(desk), scene() >= 0.3 * 255)
    use(desk, "threshold", 10.0, range_by="fixed", range_low=60.0, range_high=40.0)
    click(canvas, desk, 300, 200)
    assert "lowest value is above its highest" in desk.said[-1]


def test_hovering_with_threshold_shows_what_a_press_would_paint(canvas: Canvas, desk: Desk) -> None:
    canvas.set_zoom(1.0)
    use(desk, "threshold", 30.0)
    QTest.mouseMove(canvas, at(canvas, 375, 200))
    (patch,) = overlay_of(desk, Patch)
    click(canvas, desk, 375, 200)
    now = np.zeros((H, W), np.bool_)
    now[patch.rect.y : patch.rect.bottom, patch.rect.x : patch.rect.right] = patch.mask
    assert np.array_equal(painted(desk), now)


# -- snap ------------------------------------------------------------------------------------------------------------


def test_snap_paints_whole_patches_that_stop_at_the_edge(canvas: Canvas, desk: Desk) -> None:
    canvas.set_zoom(1.0)
    use(desk, "snap", 3.0)
    before = desk.edits
    drag(canvas, *[(300 + 74 * np.cos(a), 200 + 74 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 60)])
    desk.wait(lambda: ended(desk))
    disc = scene() == 200
    assert painted(desk)[disc].mean() > 0.3
    assert painted(desk)[~disc].sum() < 0.03 * painted(desk).sum()
    beside = disc & ~(cv2.erode(disc.astype(np.uint8), np.ones((3, 3))) > 0)
    assert painted(desk)[beside].mean() > 0.8
    assert desk.edits == before + 1


def test_hovering_shows_the_patch_and_a_click_paints_just_that(canvas: Canvas, desk: Desk) -> None:
    canvas.set_zoom(1.0)
    use(desk, "snap", 1.0)
    QTest.mouseMove(canvas, at(canvas, 260, 240))
    desk.wait(lambda: overlay_of(desk, Patch))
    (patch,) = overlay_of(desk, Patch)
    click(canvas, desk, 260, 240)
    shown = np.zeros((H, W), np.bool_)
    shown[patch.rect.y : patch.rect.bottom, patch.rect.x : patch.rect.right] = patch.mask
    assert np.array_equal(painted(desk), shown)
    assert 100 < shown.sum() < 900


def test_a_stroke_asks_again_for_what_was_asked_before_the_last_one_ended(canvas: Canvas, desk: Desk) -> None:
    use(desk, "snap", 2.0)
    brush, context = SuperpixelBrush("snap"), desk.documents.context()
    assert context is not None
    over = Pointer(Phase.HOVER, 300.0, 200.0)
    assert brush.hover(over, context).asks is not None
    assert brush.hover(over, context).asks is None, "the worker is at it"
    brush.abort()
    assert brush.press(Pointer(Phase.PRESS, 300.0, 200.0, Button.LEFT), context).asks is not None
    brush.abort()


def test_snap_to_the_proposal_stays_in_the_class_under_the_press(canvas: Canvas, desk: Desk) -> None:
    use(desk, "snap", 40.0, snap_to="proposal")
    drag(canvas, (200, 200), (300, 200))
    assert "There is no proposal" in desk.said[-1]
    desk.proposed(3)
    drag(canvas, (200, 200), (300, 200))
    desk.wait(lambda: ended(desk))
    assert painted(desk)[180:220, 200:300].all()
