"""The canvas driven by real mouse, wheel and key events, with the real tools on a real document."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QFocusEvent, QImage, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from segstudio.app.editing.tools.overlay import Polyline
from segstudio.app.editing.tools.pointer import Button
from segstudio.app.editing.tools.table import TOOLS
from segstudio.app.values import JobKind, Notice
from segstudio.geometry import Rect
from segstudio.imaging.display import ShownChannel, View
from segstudio.imaging.levels import Levels
from segstudio.labels.paint.stroke import capsule_spans
from segstudio.ui.canvas import Canvas
from segstudio.ui.canvas.brush_cursor import Ring, RingPen
from segstudio.ui.canvas.events import meant_button
from tests.polygon_tool import POLYGON
from tests.store.store_painting import painted
from tests.ui.canvas_values import SPECS, proposal_of, spans_mask
from tests.ui.desk import Desk

SIZE = (400, 300)
GREY = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton


@pytest.fixture
def desk(own_desk: Desk) -> Desk:
    """A session of the test's own: the canvas is the only widget over it."""
    return own_desk


@pytest.fixture
def canvas(qtbot: QtBot, desk: Desk) -> Iterator[Canvas]:
    """A canvas of 500 x 400 that shows the first of two grey images; nothing is labelled."""
    widget = Canvas(desk.session)
    qtbot.addWidget(widget)
    widget.resize(500, 400)
    desk.show({"a.png": GREY, "b.png": GREY[:200, :200]}, SPECS)
    with qtbot.waitExposed(widget):
        widget.show()
    yield widget
    widget._behind.stop()
    widget._badge.withdraw()


def use(desk: Desk, tool: str, radius: float) -> None:
    """Choose a tool."""
    desk.session.tools.choose(tool)
    desk.session.tools.set_radius(radius)


def mouse(canvas: Canvas, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton, held: Qt.MouseButton) -> None:
    """One mouse event at a position that need not be whole."""
    event = QMouseEvent(kind, at, canvas.mapToGlobal(at), button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(canvas, event)


def stroke(canvas: Canvas, points: list[QPointF], button: Qt.MouseButton = LEFT) -> None:
    """Press, move through all points, release."""
    mouse(canvas, QEvent.Type.MouseButtonPress, points[0], button, button)
    for point in points[1:]:
        mouse(canvas, QEvent.Type.MouseMove, point, Qt.MouseButton.NoButton, button)
    mouse(canvas, QEvent.Type.MouseButtonRelease, points[-1], button, Qt.MouseButton.NoButton)


def wheel(canvas: Canvas, at: QPointF, angle: int = 0, pixels: int = 0) -> None:
    event = QWheelEvent(
        at,
        canvas.mapToGlobal(at),
        QPoint(0, pixels),
        QPoint(0, angle),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)


def expected(points: list[tuple[float, float]], radius: float) -> np.ndarray:
    """The pixels of the disc at the first point and of the capsules between successive ones."""
    whole = Rect(0, 0, *SIZE)
    covered = np.zeros((SIZE[1], SIZE[0]), np.bool_)
    for a, b in pairwise([points[0], *points]):
        covered |= spans_mask(capsule_spans(a, b, radius, whole), whole)
    return covered


def colour_at(canvas: Canvas, x: float, y: float) -> QColor:
    """What is on the screen at an image position, the pointer away."""
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    picture: QImage = canvas.grab().toImage()
    return picture.pixelColor((canvas.to_widget(x, y) * picture.devicePixelRatio()).toPoint())


# -- painting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zoom", [0.3, 1.0, 2.5, 7.0, 31.0])
@pytest.mark.parametrize("radius", [0.5, 3.3, 40.0])
def test_a_stroke_paints_exactly_the_capsules_between_the_pointer_positions(
    canvas: Canvas, desk: Desk, zoom: float, radius: float
) -> None:
    use(desk, "brush", radius)
    canvas.set_zoom(zoom)
    points = [QPointF(230.25, 180.5), QPointF(251.75, 199.0), QPointF(260.0, 188.125), QPointF(260.0, 230.0)]
    stroke(canvas, points)
    painted = [canvas.to_image(point) for point in points]
    assert np.array_equal(desk.class_ids() == 2, expected(painted, radius))
    assert desk.edits == 1


def test_a_click_paints_a_disc_and_a_double_click_two_strokes(canvas: Canvas, desk: Desk) -> None:
    use(desk, "brush", 5.0)
    canvas.set_zoom(2.0)
    QTest.mouseClick(canvas, LEFT, pos=QPoint(200, 150))
    centre = canvas.to_image(QPointF(200, 150))
    assert np.array_equal(desk.class_ids() == 2, expected([centre], 5.0))
    QTest.mouseDClick(canvas, LEFT, pos=QPoint(300, 150))
    assert desk.class_ids()[tuple(int(v) for v in canvas.to_image(QPointF(300, 150)))[::-1]] == 2


def test_the_right_button_paints_background_and_the_eraser_gives_unknown(canvas: Canvas, desk: Desk) -> None:
    use(desk, "brush", 30.0)
    stroke(canvas, [canvas.to_widget(100, 100)], RIGHT)
    assert desk.class_ids()[100, 100] == 1
    use(desk, "eraser", 10.0)
    stroke(canvas, [canvas.to_widget(100, 100)])
    assert desk.class_ids()[100, 100] == 0
    assert desk.class_ids()[100, 120] == 1


def test_on_a_mac_ctrl_and_the_left_button_are_the_right_one() -> None:
    ctrl = Qt.KeyboardModifier.MetaModifier
    assert meant_button(Button.LEFT, ctrl, "darwin") is Button.RIGHT
    assert meant_button(Button.LEFT, Qt.KeyboardModifier.ControlModifier, "darwin") is Button.LEFT
    assert meant_button(Button.LEFT, ctrl, "linux") is Button.LEFT


def test_what_is_painted_is_on_the_screen_at_once(canvas: Canvas, desk: Desk) -> None:
    use(desk, "brush", 10.0)
    before = colour_at(canvas, 100.5, 100.5)
    stroke(canvas, [canvas.to_widget(100, 100), canvas.to_widget(200, 100)])
    after = colour_at(canvas, 150.5, 100.5)
    assert before.getRgb()[:3] == (120, 120, 120)
    assert after.red() > 150
    assert after.blue() < 100
    assert colour_at(canvas, 150.5, 140.5) == before


@pytest.mark.parametrize("zoom", [0.21, 0.6, 1.0, 3.0])
def test_after_any_stroke_the_buffer_is_what_is_drawn_anew(canvas: Canvas, desk: Desk, zoom: float) -> None:
    desk.stores(proposal_of(np.kron(np.arange(4 * 30 * 40).reshape(30 * 2, 80) % 3, np.ones((5, 5), int))))
    assert desk.opened.proposals.seen is not None
    canvas.set_zoom(zoom)
    canvas.set_outlines(True)
    for tool, radius, where in [("brush", 9.0, 150), ("eraser", 4.0, 170), ("brush", 0.5, 90)]:
        use(desk, tool, radius)
        stroke(canvas, [canvas.to_widget(where, 120), canvas.to_widget(where + 45.3, 161.7)])
        canvas.grab()
    drawn = canvas._frame.overlay.copy()
    canvas._frame.spoil_all()
    canvas.grab()
    assert np.array_equal(drawn, canvas._frame.overlay)


def test_escape_takes_the_stroke_back_and_the_rest_of_the_drag_paints_nothing(canvas: Canvas, desk: Desk) -> None:
    use(desk, "brush", 10.0)
    ground = colour_at(canvas, 100.5, 100.5)
    QTest.mousePress(canvas, LEFT, pos=canvas.to_widget(100, 100).toPoint())
    QTest.mouseMove(canvas, canvas.to_widget(150, 100).toPoint())
    assert desk.class_ids().any()
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert not desk.documents.gesture_active
    QTest.mouseMove(canvas, canvas.to_widget(200, 150).toPoint())
    QTest.mouseRelease(canvas, LEFT, pos=canvas.to_widget(200, 150).toPoint())
    assert desk.edits == 0
    assert not desk.class_ids().any()
    assert colour_at(canvas, 100.5, 100.5) == ground


def test_lost_focus_keeps_the_stroke_and_ends_it(canvas: Canvas, desk: Desk) -> None:
    use(desk, "brush", 10.0)
    start = canvas.to_widget(100, 100).toPoint()
    QTest.mousePress(canvas, LEFT, pos=start)
    QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusOut, Qt.FocusReason.ActiveWindowFocusReason))
    QTest.mouseMove(canvas, canvas.to_widget(200, 150).toPoint())
    QTest.mouseRelease(canvas, LEFT, pos=canvas.to_widget(200, 150).toPoint())
    assert desk.edits == 1
    assert np.array_equal(desk.class_ids() == 2, expected([canvas.to_image(QPointF(start))], 10.0))


def test_a_hidden_canvas_keeps_the_stroke(canvas: Canvas, desk: Desk) -> None:
    QTest.mousePress(canvas, LEFT, pos=canvas.to_widget(100, 100).toPoint())
    canvas.hide()
    assert desk.edits == 1


def test_nothing_is_painted_while_another_image_loads(canvas: Canvas, desk: Desk) -> None:
    with desk.slow_reading():
        desk.navigation.open(1)
        stroke(canvas, [canvas.to_widget(100, 100)])
        assert desk.edits == 0
    stroke(canvas, [canvas.to_widget(100, 100)])
    assert desk.edits == 1
    assert desk.class_ids().any()


# -- zoom and pan -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delta", [{"angle": 120}, {"angle": -240}, {"pixels": 60}])
def test_the_wheel_zooms_at_the_cursor(canvas: Canvas, qtbot: QtBot, delta: dict[str, int]) -> None:
    at = QPointF(140.0, 260.5)
    before, scale = canvas.to_image(at), canvas.scale
    with qtbot.waitSignal(canvas.zoomChanged) as told:
        wheel(canvas, at, **delta)
    assert canvas.to_image(at) == pytest.approx(before)
    assert told.args == [canvas.scale]
    assert (canvas.scale > scale) == (sum(delta.values()) > 0)


def test_to_widget_and_to_image_are_inverse(canvas: Canvas) -> None:
    canvas.set_zoom(3.7)
    assert canvas.to_image(canvas.to_widget(17.25, 250.5)) == pytest.approx((17.25, 250.5))
    assert canvas.to_image(QPointF(250, 200)) == pytest.approx((200, 150))


def test_a_middle_drag_brings_the_picture_along(canvas: Canvas, desk: Desk) -> None:
    canvas.set_zoom(4.0)
    start, end = QPoint(300, 200), QPoint(260, 237)
    grabbed = canvas.to_image(QPointF(start))
    QTest.mousePress(canvas, MIDDLE, pos=start)
    QTest.mouseMove(canvas, QPoint(280, 220))
    QTest.mouseMove(canvas, end)
    QTest.mouseRelease(canvas, MIDDLE, pos=end)
    assert canvas.to_image(QPointF(end)) == pytest.approx(grabbed)
    assert desk.edits == 0


@pytest.mark.parametrize("by", ["middle", "space"])
def test_a_stroke_goes_on_after_a_drag_in_its_middle(canvas: Canvas, desk: Desk, by: str) -> None:
    use(desk, "brush", 3.0)
    canvas.set_zoom(4.0)
    a, b = QPoint(200, 200), QPoint(230, 180)
    path = [canvas.to_image(QPointF(a))]
    QTest.mousePress(canvas, LEFT, pos=a)
    if by == "middle":
        QTest.mousePress(canvas, MIDDLE, pos=a)
    else:
        QTest.keyPress(canvas, Qt.Key.Key_Space)
    QTest.mouseMove(canvas, b)
    assert canvas.to_image(QPointF(b)) == pytest.approx(path[0])
    if by == "middle":
        QTest.mouseRelease(canvas, MIDDLE, pos=b)
    else:
        QTest.keyRelease(canvas, Qt.Key.Key_Space)
    wheel(canvas, QPointF(b), angle=120)
    end = QPoint(260, 230)
    path.append(canvas.to_image(QPointF(end)))
    QTest.mouseMove(canvas, end)
    QTest.mouseRelease(canvas, LEFT, pos=end)
    assert desk.edits == 1
    assert np.array_equal(desk.class_ids() == 2, expected(path, 3.0))


def test_space_and_the_pan_tool_drag_with_the_left_button(canvas: Canvas, desk: Desk) -> None:
    canvas.set_zoom(4.0)
    for tool, space in (("brush", True), ("pan", False)):
        use(desk, tool, 5.0)
        grabbed = canvas.to_image(QPointF(200, 200))
        if space:
            QTest.keyPress(canvas, Qt.Key.Key_Space)
        QTest.mousePress(canvas, LEFT, pos=QPoint(200, 200))
        QTest.mouseMove(canvas, QPoint(230, 210))
        QTest.mouseRelease(canvas, LEFT, pos=QPoint(230, 210))
        if space:
            QTest.keyRelease(canvas, Qt.Key.Key_Space)
        assert canvas.to_image(QPointF(230, 210)) == pytest.approx(grabbed)
    assert desk.edits == 0


def test_a_dragged_picture_is_the_one_drawn_anew(canvas: Canvas) -> None:
    canvas.set_zoom(5.0)
    stroke(canvas, [canvas.to_widget(180, 150), canvas.to_widget(220, 160)])
    canvas.grab()
    QTest.mousePress(canvas, MIDDLE, pos=QPoint(200, 200))
    for x, y in [(210, 205), (190, 230), (340, 120)]:
        QTest.mouseMove(canvas, QPoint(x, y))
        canvas.grab()
    QTest.mouseRelease(canvas, MIDDLE, pos=QPoint(340, 120))
    ground, overlay = canvas._frame.ground.copy(), canvas._frame.overlay.copy()
    canvas._frame.spoil_all()
    canvas.grab()
    assert np.array_equal(ground, canvas._frame.ground)
    assert np.array_equal(overlay, canvas._frame.overlay)


def test_another_image_is_fitted_and_the_same_one_keeps_its_view(canvas: Canvas, desk: Desk) -> None:
    canvas.set_zoom(4.0)
    desk.shows(0)
    assert canvas.scale == 4.0
    desk.shows(1)
    assert canvas.scale == pytest.approx((400 - 16) / 200)


# -- what is seen -----------------------------------------------------------------------------------------------------


def test_the_outline_has_the_brush_radius_and_goes_with_the_pointer(canvas: Canvas, desk: Desk) -> None:
    use(desk, "brush", 10.0)
    canvas.set_zoom(2.5)
    QTest.mouseMove(canvas, QPoint(250, 200))
    assert canvas._ring == Ring(250.0, 200.0, 25.0)
    picture = canvas.grab().toImage()
    assert picture.pixelColor(275, 200).lightness() > 160
    assert picture.pixelColor(278, 200).lightness() == 120
    assert picture.pixelColor(250, 200).lightness() == 120
    use(desk, "brush", 20.0)
    assert canvas._ring == Ring(250.0, 200.0, 50.0)
    use(desk, "pan", 20.0)
    assert canvas._ring is None
    use(desk, "eraser", 20.0)
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert canvas._ring is None


@pytest.mark.parametrize("radius", [0.4, 2.9, 3.1, 14.0, 300.0, 620.0])
def test_an_outline_paints_nothing_outside_its_region(radius: float) -> None:
    from PySide6.QtGui import QPainter

    image = QImage(700, 700, QImage.Format.Format_RGB32)
    image.fill(0)
    blank = image.copy()
    ring, pen = Ring(50.3, 349.8, radius), RingPen()
    painter = QPainter(image)
    painter.setClipRegion(ring.region())
    pen.paint(painter, ring, 1.0)
    painter.end()
    clipped = image.copy()
    image.fill(0)
    painter = QPainter(image)
    pen.paint(painter, ring, 1.0)
    painter.end()
    assert image == clipped
    assert image != blank


def test_a_colour_changed_or_a_class_hidden_is_seen(canvas: Canvas, desk: Desk) -> None:
    ground = colour_at(canvas, 100.5, 100.5)
    stroke(canvas, [canvas.to_widget(100, 100)])
    painted = colour_at(canvas, 100.5, 100.5)
    desk.opened.classes.change("nucleus", color="#0000ff")
    assert colour_at(canvas, 100.5, 100.5).blue() > painted.blue()
    desk.opened.classes.change("nucleus", visible=False)
    assert colour_at(canvas, 100.5, 100.5) == ground


def test_two_objects_of_an_instance_class_that_touch_are_told_apart(canvas: Canvas, desk: Desk) -> None:
    use(desk, "brush", 10.0)
    canvas.set_zoom(4.0)
    for label_class, y in (("cell", 130), ("nucleus", 170)):
        desk.documents.choose_class(label_class)
        for x in (190, 205):
            stroke(canvas, [canvas.to_widget(x, y)])
    fill = [colour_at(canvas, 190, y) for y in (130, 170)]
    meeting = [{colour_at(canvas, x + 0.1, y).rgb() for x in range(190, 206)} for y in (130, 170)]
    assert len(meeting[0]) > 1
    assert meeting[1] == {fill[1].rgb()}
    canvas.set_outlines(True)
    assert colour_at(canvas, 190, 130) == fill[0]


def test_opacity_and_hidden_labels(canvas: Canvas) -> None:
    stroke(canvas, [canvas.to_widget(100, 100)])
    canvas.set_opacity(1.0, 1.0)
    assert colour_at(canvas, 100.5, 100.5) == QColor("#e69f00")
    canvas.set_labels_shown(False)
    assert colour_at(canvas, 100.5, 100.5).getRgb()[:3] == (120, 120, 120)


def test_a_change_from_elsewhere_is_drawn_and_one_of_another_image_is_not(canvas: Canvas, desk: Desk) -> None:
    desk.shows(1)
    other = desk.document
    desk.shows(0)
    ground = colour_at(canvas, 100.5, 100.5)
    desk.documents.commit(painted(other, Rect(0, 0, 256, 256), other.next_object, new_class=1))
    assert colour_at(canvas, 100.5, 100.5) == ground
    desk.paint(Rect(0, 0, 256, 256), 1)
    assert colour_at(canvas, 100.5, 100.5) != ground


def test_the_position_under_the_pointer_is_told(canvas: Canvas, qtbot: QtBot) -> None:
    with qtbot.waitSignal(canvas.hovered) as told:
        QTest.mouseMove(canvas, QPoint(111, 122))
    assert tuple(told.args or ()) == pytest.approx(canvas.to_image(QPointF(111, 122)))
    with qtbot.waitSignal(canvas.left):
        QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))


def test_the_place_under_a_still_pointer_is_told_again_when_the_view_or_the_image_changes(
    canvas: Canvas, desk: Desk, qtbot: QtBot
) -> None:
    mouse(canvas, QEvent.Type.MouseMove, QPointF(100, 100), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton)
    with qtbot.waitSignal(canvas.hovered) as told:
        canvas.set_zoom(8.0)
    assert tuple(told.args or ()) == canvas.to_image(QPointF(100, 100))
    with qtbot.waitSignal(canvas.hovered) as told:
        desk.shows(1)
    assert tuple(told.args or ()) == canvas.to_image(QPointF(100, 100))


def test_when_the_canvas_moves_under_a_still_pointer_the_outline_stays_on_the_pointer(qtbot: QtBot, desk: Desk) -> None:
    frame = QWidget()
    qtbot.addWidget(frame)
    frame.resize(500, 500)
    canvas = Canvas(desk.session, frame)
    canvas.setGeometry(0, 0, 500, 500)
    desk.show({"a.png": GREY, "b.png": GREY[:200, :200]}, SPECS)
    with qtbot.waitExposed(frame):
        frame.show()
    mouse(canvas, QEvent.Type.MouseMove, QPointF(250, 200), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton)
    with qtbot.waitSignal(canvas._settled.timeout):
        canvas.setGeometry(0, 60, 500, 440)
    assert canvas._ring is not None
    assert (canvas._ring.x, canvas._ring.y) == (250, 140)
    with qtbot.waitSignal(canvas.left):
        canvas.setGeometry(0, 300, 500, 200)
    assert canvas._ring is None
    canvas._behind.stop()
    desk.leave()  # before the canvas goes


def test_the_session_hears_of_hovering(canvas: Canvas, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOOLS._own, "polygon", POLYGON)
    monkeypatch.setattr(TOOLS, "_all", None)
    desk.session.tools.choose("polygon")
    QTest.mouseClick(canvas, LEFT, pos=QPoint(60, 50))
    mouse(canvas, QEvent.Type.MouseMove, QPointF(90.5, 80.25), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton)
    lines = [shape for shape in desk.session.tools.overlay if isinstance(shape, Polyline) and shape.dashed]
    assert [line.points[-1] for line in lines] == [canvas.to_image(QPointF(90.5, 80.25))]
    desk.documents.cancel_gesture()
    desk.session.tools.choose("brush")


# -- words ------------------------------------------------------------------------------------------------------------


def test_without_a_project_a_hint_says_where_to_begin(qtbot: QtBot, desk: Desk) -> None:
    canvas = Canvas(desk.session)
    qtbot.addWidget(canvas)
    with qtbot.waitExposed(canvas):
        canvas.show()
    button = canvas.findChild(QPushButton, "canvasOpenButton")
    title = canvas.findChild(QLabel, "canvasHintTitle")
    assert isinstance(button, QPushButton)
    assert isinstance(title, QLabel)
    assert title.text() == "Open a folder of images, or drop one here"
    with qtbot.waitSignal(canvas.openRequested):
        QTest.mouseClick(button, LEFT)
    assert canvas.objectName() == "canvas"
    assert canvas.accessibleName()
    told: list[object] = []
    canvas.hovered.connect(lambda *at: told.append(at))
    desk.session.notices.told.connect(told.append)
    QTest.mouseMove(canvas, QPoint(5, 5))
    stroke(canvas, [QPointF(5, 5)])
    assert told == []


def test_an_image_that_cannot_be_shown_gets_its_sentence_and_no_stroke(
    canvas: Canvas, desk: Desk, tmp_path: Path
) -> None:
    desk.session.notices.fail(JobKind("train"), "other")
    line = canvas.findChild(QLabel, "canvasHintLine")
    assert isinstance(line, QLabel)
    assert not line.isVisible()
    path = desk.projects.of_pixels(tmp_path / "torn", {"a.png": GREY, "b.png": GREY}, SPECS)
    file = tmp_path / "torn" / "images" / "b.png"
    file.write_bytes(file.read_bytes()[:-200])
    desk.open(path)
    told: list[Notice] = []
    desk.session.notices.told.connect(told.append)
    desk.shows(1)
    assert line.isVisible()
    assert [notice.sentence for notice in told if notice.job is JobKind.IMAGE] == [line.text()]
    assert "b.png" in line.text()
    stroke(canvas, [QPointF(100, 100)])
    assert desk.edits == 0
    desk.shows(0)
    assert not line.isVisible()


def test_loading_is_said_in_the_middle_or_in_the_corner_of_another_image(
    canvas: Canvas, desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    title = canvas.findChild(QLabel, "canvasHintTitle")
    assert isinstance(title, QLabel)
    badge = canvas.findChild(QLabel, "canvasBadge")
    assert isinstance(badge, QLabel)
    with desk.slow_reading():
        desk.navigation.open(1)
        assert not title.isVisible()
        qtbot.waitUntil(badge.isVisible)
        assert "b.png" in badge.text()
    assert not badge.isVisible()
    path = desk.projects.pictures(tmp_path, {"a.png": GREY, "c.png": GREY}, SPECS)
    with desk.slow_reading():
        desk.session.projects.open(path, 1)
        assert title.isVisible()
        assert "c.png" in title.text()
    assert not title.isVisible()


def test_dropped_files_are_handed_on(canvas: Canvas, qtbot: QtBot, tmp_path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path)), QUrl("https://example.org/a.png")])
    kinds = Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(50, 50), *kinds)
    QApplication.sendEvent(canvas, enter)
    assert enter.isAccepted()
    with qtbot.waitSignal(canvas.dropped) as told:
        canvas.dropEvent(QDropEvent(QPointF(50, 50), *kinds))
    assert told.args == [[tmp_path]]


# -- views ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zoom", [0.4, 1.0, 3.0])
def test_another_view_is_looked_up_from_the_same_samples(canvas: Canvas, desk: Desk, zoom: float) -> None:
    samples = np.full((900, 1200, 1), 1000, np.uint16)
    samples[:, 600:] = 3000
    desk.show({"a.tif": samples}, SPECS)
    canvas.set_zoom(zoom)
    display = desk.navigation.display
    assert display is not None
    desk.navigation.displaying.choose(display.view.between(Levels(0, 4000)))
    assert colour_at(canvas, 590.5, 450.5).getRgb()[:3] == (64, 64, 64)
    assert colour_at(canvas, 610.5, 450.5).getRgb()[:3] == (191, 191, 191)
    before, transform = display.stored, canvas._viewport.transform
    desk.navigation.displaying.choose(View((ShownChannel(0, Levels(2000, 3000), (255, 128, 0)),)))
    assert colour_at(canvas, 590.5, 450.5).getRgb()[:3] == (0, 0, 0)
    assert colour_at(canvas, 610.5, 450.5).getRgb()[:3] == (255, 128, 0)
    assert desk.navigation.display is not None
    assert desk.navigation.display.stored is before
    assert canvas._viewport.transform == transform


def test_another_view_leaves_labels_and_a_stroke_under_way_alone(canvas: Canvas, desk: Desk) -> None:
    desk.show({"a.tif": np.full((300, 400, 1), 1000, np.uint16)}, SPECS)
    canvas.set_opacity(1.0, 1.0)
    at = canvas.to_widget(200, 150)
    mouse(canvas, QEvent.Type.MouseButtonPress, at, LEFT, LEFT)
    painted = colour_at(canvas, 200.5, 150.5)
    assert desk.navigation.display is not None
    desk.navigation.displaying.choose(desk.navigation.display.view.between(Levels(0, 1000)))
    assert desk.documents.gesture_active
    assert colour_at(canvas, 200.5, 150.5) == painted
    assert colour_at(canvas, 100.5, 50.5).getRgb()[:3] == (255, 255, 255)
    mouse(canvas, QEvent.Type.MouseButtonRelease, at, LEFT, Qt.MouseButton.NoButton)
    assert desk.edits == 1


def test_any_channels_of_many_are_shown(canvas: Canvas, desk: Desk) -> None:
    samples = np.zeros((600, 800, 6), np.float32)
    samples[..., 5], samples[..., 3] = 0.5, np.nan
    desk.show({"a.tif": samples}, SPECS)
    for zoom in (0.4, 2.0):
        canvas.set_zoom(zoom)
        channels = [ShownChannel(i, Levels(0, 1), colour) for i, colour in ((5, (0, 255, 0)), (3, (255, 0, 0)))]
        desk.navigation.displaying.choose(View(tuple(channels)))
        assert colour_at(canvas, 400.5, 300.5).getRgb()[:3] == (0, 128, 0)
        desk.navigation.displaying.choose(View(tuple(ShownChannel(i, Levels(0, 2), (255, 255, 255)) for i in range(6))))
        assert colour_at(canvas, 400.5, 300.5).getRgb()[:3] == (64, 64, 64)
