"""Fill, wand, livewire, threshold and snap on the real canvas, by real mouse and key events."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.app.editing.tools import region_painting
from segstudio.app.editing.tools.overlay import Handles, Overlay, Patch, Polyline, Words
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.editing.tools.snap import SuperpixelBrush
from segstudio.app.editing.tools.table import TOOLS
from segstudio.geometry import Rect
from segstudio.labels.model import ClassId, Touch
from segstudio.labels.paint import flood
from segstudio.labels.paint.polygon import polygon_region
from segstudio.ui.canvas import Canvas
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
W, H = 600, 400
FILLS = ("fill", "wand", "livewire", "threshold", "snap")


def scene() -> np.ndarray:
    """A grey ramp from 60 to 100 with a bright disc of 200 and a dark square of 20."""
    picture = np.repeat(np.linspace(60, 100, W).astype(np.uint8)[None], H, 0)
    cv2.circle(picture, (300, 200), 80, 200, -1)
    picture[40:140, 440:560] = 20
    return picture


@pytest.fixture
def canvas(room: object, empty_window: MainWindow, desk: Desk) -> Canvas:
    """The window with the scene, one object of class 1 in its upper left corner, and class 2 chosen."""
    desk.show({"a.png": np.repeat(scene()[..., None], 3, 2), "b.png": np.repeat(scene()[..., None], 3, 2)})
    desk.paint(Rect(0, 0, 100, 100), 1)
    desk.settle()
    desk.session.set_class(name_of(desk, 2))
    empty_window.canvas.setFocus()
    return empty_window.canvas


def name_of(desk: Desk, class_id: int) -> str:
    found = desk.documents.classes.effective(ClassId(class_id))
    assert found is not None
    return found.name


def use(desk: Desk, tool: str, radius: float = 12.0, **options: float | str | bool) -> None:
    desk.session.set_tool(tool)
    desk.session.set_brush_radius(radius)
    for name, value in options.items():
        desk.session.tools.set_option(name, value)


def at(canvas: Canvas, x: float, y: float) -> QPoint:
    return canvas.to_widget(x, y).toPoint()


def click(canvas: Canvas, desk: Desk, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
    """Click, and wait until what it began has ended."""
    QTest.mouseClick(canvas, button, pos=at(canvas, x, y))
    desk.wait(lambda: not desk.documents.gesture_active)


def drag(canvas: Canvas, *points: tuple[float, float], button: Qt.MouseButton = LEFT, lift: bool = True) -> None:
    QTest.mousePress(canvas, button, pos=at(canvas, *points[0]))
    for point in points[1:]:
        QTest.mouseMove(canvas, at(canvas, *point))
    if lift:
        QTest.mouseRelease(canvas, button, pos=at(canvas, *points[-1]))


def painted(desk: Desk, class_id: int = 2) -> np.ndarray:
    return desk.class_ids() == class_id


def ended(desk: Desk) -> bool:
    return not desk.documents.gesture_active


def overlay_of(desk: Desk, kind: type) -> list:
    return [shape for shape in desk.session.tools.overlay if isinstance(shape, kind)]


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


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


# -- livewire --------------------------------------------------------------------------------------------------------


def trace(canvas: Canvas, desk: Desk, points: list[tuple[float, float]]) -> None:
    for point in points:
        QTest.mouseClick(canvas, LEFT, pos=at(canvas, *point))


AROUND = [(300, 120), (380, 200), (300, 280), (220, 200)]


def known(desk: Desk) -> bool:
    """Whether every line follows its path."""
    lines = overlay_of(desk, Polyline)
    return bool(lines) and all(len(line.points) > 2 for line in lines)


@pytest.mark.parametrize("ends", ["enter", "double click", "first"])
def test_livewire_follows_the_disc_between_four_clicks(canvas: Canvas, desk: Desk, ends: str) -> None:
    use(desk, "livewire")
    before = desk.edits
    trace(canvas, desk, AROUND)
    QTest.mouseMove(canvas, at(canvas, 100, 350))
    QTest.mouseMove(canvas, at(canvas, 250, 140))
    desk.wait(lambda: known(desk))
    if ends == "enter":
        QTest.keyClick(canvas, Qt.Key.Key_Return)
    elif ends == "double click":
        QTest.mouseDClick(canvas, LEFT, pos=at(canvas, *AROUND[-1]))
    else:
        QTest.mouseClick(canvas, LEFT, pos=at(canvas, *AROUND[0]))
    desk.wait(lambda: ended(desk))
    assert iou(painted(desk), scene() == 200) > 0.97, "a square through the four points has 0.64"
    assert desk.edits == before + 1


def test_livewire_closed_before_the_paths_are_known_waits_for_them(canvas: Canvas, desk: Desk) -> None:
    use(desk, "livewire")
    trace(canvas, desk, AROUND)
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    desk.wait(lambda: ended(desk))
    assert iou(painted(desk), scene() == 200) > 0.97


def test_backspace_takes_the_last_point_of_a_livewire_and_then_all(canvas: Canvas, desk: Desk) -> None:
    use(desk, "livewire")
    before = desk.edits
    trace(canvas, desk, [*AROUND, (590, 390)])
    QTest.keyClick(canvas, Qt.Key.Key_Backspace)
    assert len(overlay_of(desk, Handles)[0].points) == 4
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    desk.wait(lambda: ended(desk))
    assert iou(painted(desk), scene() == 200) > 0.97
    trace(canvas, desk, AROUND[:2])
    QTest.keyClick(canvas, Qt.Key.Key_Backspace)
    QTest.keyClick(canvas, Qt.Key.Key_Backspace)
    assert ended(desk)
    assert desk.edits == before + 1


def test_livewire_goes_straight_where_the_image_is_flat(canvas: Canvas, desk: Desk) -> None:
    use(desk, "livewire")
    trace(canvas, desk, [(20, 150), (120, 150), (120, 350), (20, 350)])
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    desk.wait(lambda: ended(desk))
    box = np.zeros((H, W), np.bool_)
    box[150:350, 20:120] = True
    assert iou(painted(desk), box) > 0.97


def test_a_livewire_of_one_point_says_that_it_covers_nothing(canvas: Canvas, desk: Desk) -> None:
    use(desk, "livewire")
    before = desk.edits
    trace(canvas, desk, AROUND[:1])
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert "covers no pixel" in desk.said[-1]
    assert ended(desk)
    assert desk.edits == before


def test_a_livewire_outlives_lost_focus_and_another_tool_closes_it(canvas: Canvas, desk: Desk) -> None:
    use(desk, "livewire")
    trace(canvas, desk, AROUND)
    QTest.mouseMove(canvas, at(canvas, 100, 350))
    QTest.mouseMove(canvas, at(canvas, 250, 140))
    desk.wait(lambda: known(desk))
    QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusOut))
    assert desk.documents.gesture_active
    QTest.keyClick(canvas, Qt.Key.Key_B)
    assert ended(desk)
    assert iou(painted(desk), scene() == 200) > 0.97


@pytest.mark.parametrize(
    "corners", [[(102.5, 55.5), (311.5, 369.5), (452.5, 195.5)], [(445.5, 233.5), (115.5, 173.5), (511.5, 240.5)]]
)
def test_a_livewire_closed_at_once_paints_what_a_polygon_of_its_points_does(
    canvas: Canvas, desk: Desk, corners: list[tuple[float, float]]
) -> None:
    use(desk, "livewire")
    for x, y in corners:
        desk.documents.active_tool.pointer(Pointer(Phase.PRESS, x, y, Button.LEFT))
    desk.documents.active_tool.commit()
    plane = Rect(0, 0, W, H)
    assert np.array_equal(painted(desk), polygon_region([corners], plane).mask(plane))


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


# -- large areas, and what is drawn -----------------------------------------------------------------------------------


def test_what_is_not_found_at_once_is_shown_in_view_first_and_painted_in_slices(
    canvas: Canvas, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region_painting, "_AT_ONCE_S", -1.0)
    monkeypatch.setattr(region_painting, "_SLICE_S", 1e-9)
    monkeypatch.setattr(region_painting, "_BATCH", 1)
    seen: list[Overlay] = []
    desk.session.tools.overlayChanged.connect(lambda: seen.append(desk.session.tools.overlay))
    for tool, words in (("fill", "Filling ..."), ("wand", "Tolerance 100 %")):
        use(desk, tool)
        desk.session.set_tolerance(1.0)
        before = desk.edits
        QTest.mouseClick(canvas, LEFT, pos=at(canvas, 300, 200))
        assert desk.documents.gesture_active
        desk.wait(lambda: ended(desk))
        assert painted(desk)[200, 300]
        assert desk.edits == before + 1
        assert any(isinstance(s, Patch) and s.mask.any() for shown in seen for s in shown)
        assert any(isinstance(s, Words) and s.text == words for shown in seen for s in shown)
        desk.session.undo()
        seen.clear()


@pytest.mark.parametrize("ends", ["undo", "image"])
def test_a_fill_that_is_being_computed_ends_well(
    canvas: Canvas, desk: Desk, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    monkeypatch.setattr(region_painting, "_AT_ONCE_S", -1.0)
    use(desk, "fill")
    before = desk.edits
    QTest.mouseClick(canvas, LEFT, pos=at(canvas, 300, 200))
    assert desk.documents.gesture_active
    if ends == "undo":
        desk.session.undo()
        assert not painted(desk).any()
        assert desk.edits == before
    else:
        desk.shows(1)
        desk.shows(0)
        assert painted(desk).sum() == W * H - 100 * 100
        assert desk.edits == before + 1


def test_an_area_too_large_is_refused_and_leaves_nothing(
    canvas: Canvas, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flood.flooded, "__kwdefaults__", {"largest_tiles": 0})
    monkeypatch.setattr(region_painting, "_AT_ONCE_S", -1.0)
    use(desk, "wand")
    before = desk.edits
    click(canvas, desk, 300, 200)
    assert "too large and too scattered" in desk.said[-1]
    assert not painted(desk).any()
    assert desk.edits == before


def test_words_and_coarse_patches_are_drawn_and_leave_nothing_behind(canvas: Canvas, desk: Desk) -> None:
    canvas.set_zoom(1.0)
    ground = canvas.grab().toImage()
    coarse = Patch(Rect(200, 100, 64, 64), np.eye(2, dtype=np.bool_), "#ff0000")
    desk.session.tools.show((coarse, Words(400, 300, "Tolerance 5 %")))
    drawn = canvas.grab().toImage()
    for x, y, inside in ((216, 116, True), (248, 148, True), (248, 116, False)):
        point = at(canvas, x, y)
        assert (drawn.pixelColor(point) != ground.pixelColor(point)) == inside
    plate = at(canvas, 400, 300) + QPoint(20, 20)
    assert drawn.pixelColor(plate).lightness() < 60
    corner = QPoint(canvas.width() - 5, canvas.height() - 5)
    x, y = canvas.to_image(QPointF(corner))
    desk.session.tools.show((Words(x, y, "Tolerance 5 %"),))
    turned = canvas.grab().toImage()
    assert turned != ground
    assert turned.pixelColor(corner - QPoint(20, 20)) != ground.pixelColor(corner - QPoint(20, 20))
    desk.session.tools.show(())
    assert canvas.grab().toImage() == ground


# -- how they end ----------------------------------------------------------------------------------------------------

START: dict[str, Callable[[Canvas], None]] = {
    "wand": lambda canvas: drag(canvas, (300, 200), lift=False),
    "livewire": lambda canvas: [QTest.mouseClick(canvas, LEFT, pos=at(canvas, *point)) for point in AROUND] and None,
    "threshold": lambda canvas: drag(canvas, (300, 200), lift=False),
    "snap": lambda canvas: drag(canvas, (300, 200), lift=False),
}


@pytest.mark.parametrize("tool", START)
@pytest.mark.parametrize("ends", ["undo", "image", "tool", "close"])
def test_a_gesture_under_way_ends_well(canvas: Canvas, desk: Desk, tool: str, ends: str) -> None:
    use(desk, tool)
    before = desk.edits
    START[tool](canvas)
    assert desk.documents.gesture_active
    if ends == "undo":
        desk.session.undo()
        assert ended(desk)
        assert desk.edits == before
        assert not painted(desk).any()
    elif ends == "image":
        desk.shows(1)
        assert desk.edits == before + 1
        desk.shows(0)
        assert painted(desk)[200, 300]
    elif ends == "tool":
        desk.session.set_tool("brush")
        assert desk.edits == before + 1
        assert painted(desk)[200, 300]
    else:
        path = desk.opened.path
        desk.session.projects.close()
        desk.open(path)
        assert painted(desk)[200, 300]


@pytest.mark.parametrize("tool", FILLS)
def test_a_locked_class_is_neither_painted_nor_changed(canvas: Canvas, desk: Desk, tool: str) -> None:
    use(desk, tool, 20.0)
    desk.opened.classes.change(name_of(desk, 1), locked=True)
    before = desk.class_ids()
    if tool == "livewire":
        trace(canvas, desk, [(10, 10), (90, 10), (90, 90)])
        QTest.keyClick(canvas, Qt.Key.Key_Return)
    else:
        drag(canvas, (50, 50), (60, 50))
    desk.wait(lambda: ended(desk))
    assert np.array_equal(desk.class_ids()[:100, :100], before[:100, :100])


def test_every_tool_has_its_key_its_button_and_a_hint(canvas: Canvas, desk: Desk) -> None:
    for key, name in zip("KWITQ", FILLS, strict=True):
        QTest.keyClick(canvas, getattr(Qt.Key, f"Key_{key}"))
        assert desk.session.tools.tool.name == name
        assert TOOLS[name].hint
