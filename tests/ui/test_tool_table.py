"""Another tool on the real canvas: a polygon of one file and one row, by real mouse and key events."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QFocusEvent, QImage, QRegion, QTransform
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from segstudio.app.editing.tools.overlay import Circle, Handles, Overlay, Patch, Polyline
from segstudio.app.editing.tools.table import TOOLS
from segstudio.geometry import Rect
from segstudio.ui.canvas import Canvas
from segstudio.ui.canvas.layers.tool import ToolLayer
from tests.polygon_tool import POLYGON, polygon_spans
from tests.ui.canvas_values import SPECS, spans_mask
from tests.ui.desk import Desk

SIZE = (400, 300)
GREY = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
CORNERS = [QPoint(150, 100), QPoint(350, 130), QPoint(220, 300)]


@pytest.fixture
def desk(own_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A session of the test's own, for which the polygon is a tool."""
    monkeypatch.setitem(TOOLS._own, "sketch", POLYGON)
    monkeypatch.setattr(TOOLS, "_all", None)
    return own_desk


@pytest.fixture
def frame(qtbot: QtBot, desk: Desk) -> Iterator[QWidget]:
    """A window with the canvas, a line to type into, and 'Done' on Enter, with a grey image and the polygon chosen."""
    frame = QWidget()
    qtbot.addWidget(frame)
    canvas = Canvas(desk.session, frame)
    canvas.setFixedSize(500, 400)
    column = QVBoxLayout(frame)
    column.addWidget(canvas)
    column.addWidget(QLineEdit())
    done = QAction("Done", frame)
    done.setShortcuts([Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Backspace])
    frame.addAction(done)
    desk.show({"a.png": GREY}, SPECS)
    with qtbot.waitExposed(frame):
        frame.show()
    frame.activateWindow()
    canvas.setFocus()
    use(desk, "sketch", 10.0)
    yield frame
    canvas._behind.stop()
    canvas._badge.withdraw()


def use(desk: Desk, tool: str, radius: float) -> None:
    """Choose a tool."""
    desk.session.tools.choose(tool)
    desk.session.tools.set_radius(radius)


@pytest.fixture
def canvas(frame: QWidget) -> Canvas:
    found = frame.findChild(Canvas)
    assert found is not None
    return found


def click(canvas: Canvas, *points: QPoint) -> None:
    for point in points:
        QTest.mouseClick(canvas, LEFT, pos=point)


def painted(desk: Desk) -> np.ndarray:
    return desk.class_ids() == 2


def filled(canvas: Canvas, points: list[QPoint]) -> np.ndarray:
    whole = Rect(0, 0, *SIZE)
    mask = np.zeros((SIZE[1], SIZE[0]), np.bool_)
    for spans in polygon_spans([canvas.to_image(QPointF(p)) for p in points], whole):
        mask |= spans_mask(spans, whole)
    return mask


def picture(canvas: Canvas) -> QImage:
    return canvas.grab().toImage()


@pytest.mark.parametrize("zoom", [0.6, 1.0, 4.0])
def test_clicks_and_enter_paint_one_edit_and_the_window_hears_no_enter(
    canvas: Canvas, desk: Desk, frame: QWidget, zoom: float
) -> None:
    pressed: list[bool] = []
    frame.actions()[0].triggered.connect(lambda: pressed.append(True))
    canvas.set_zoom(zoom)
    click(canvas, *CORNERS)
    assert desk.documents.gesture_active
    assert not painted(desk).any()
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert desk.edits == 1
    assert np.array_equal(painted(desk), filled(canvas, CORNERS))
    assert pressed == []
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert pressed == [True]


def test_a_double_click_closes(canvas: Canvas, desk: Desk) -> None:
    click(canvas, *CORNERS)
    QTest.mouseDClick(canvas, LEFT, pos=CORNERS[-1])
    assert desk.edits == 1
    assert not desk.documents.gesture_active


def test_backspace_takes_the_last_corner_and_escape_all(canvas: Canvas, desk: Desk) -> None:
    click(canvas, *CORNERS, QPoint(10, 390))
    QTest.keyClick(canvas, Qt.Key.Key_Backspace)
    QTest.keyClick(canvas, Qt.Key.Key_Enter)
    assert np.array_equal(painted(desk), filled(canvas, CORNERS))
    before = painted(desk)
    click(canvas, QPoint(10, 10), QPoint(60, 10), QPoint(10, 60))
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert not desk.documents.gesture_active
    assert desk.session.tools.overlay == ()
    assert np.array_equal(painted(desk), before)
    assert desk.edits == 1


def test_the_overlay_is_drawn_follows_the_pointer_and_the_view_and_leaves_nothing_behind(
    canvas: Canvas, desk: Desk
) -> None:
    empty = picture(canvas)
    click(canvas, *CORNERS[:2])
    QTest.mouseMove(canvas, CORNERS[2])
    seen = picture(canvas)
    assert seen.pixelColor(CORNERS[0]).lightness() > 200
    assert seen.pixelColor(250, 115).lightness() > 160
    assert seen.pixelColor(450, 350) == empty.pixelColor(450, 350)
    click(canvas, CORNERS[2])
    assert picture(canvas).pixelColor(240, 180) != empty.pixelColor(240, 180), "the inside is tinted"
    image_position = canvas.to_image(QPointF(CORNERS[0]))
    canvas.set_zoom(2.0)
    assert picture(canvas).pixelColor(canvas.to_widget(*image_position).toPoint()).lightness() > 200
    canvas.zoom_to_fit()
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert picture(canvas) == empty


def test_what_is_repainted_holds_all_that_changes_and_not_the_whole_view(
    canvas: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    regions: list[QRegion] = []
    show = ToolLayer.show

    def noted(self: ToolLayer, overlay: Overlay, view: QTransform) -> QRegion:
        regions.append(show(self, overlay, view))
        return regions[-1]

    monkeypatch.setattr(ToolLayer, "show", noted)
    click(canvas, *CORNERS[:2])
    screen = picture(canvas)
    for point in (QPoint(300, 90), QPoint(310, 250), QPoint(100, 350), QPoint(240, 200)):
        regions.clear()
        QTest.mouseMove(canvas, point)
        now = picture(canvas)
        changed = [QPoint(x, y) for x in range(500) for y in range(400) if now.pixel(x, y) != screen.pixel(x, y)]
        (region,) = regions
        assert changed
        assert all(region.contains(at) for at in changed)
        assert not region.contains(QPoint(490, 390))
        screen = now


def test_the_view_moves_in_the_middle_of_a_polygon(canvas: Canvas, desk: Desk) -> None:
    canvas.set_zoom(2.0)
    click(canvas, *CORNERS[:2])
    corners = [canvas.to_image(QPointF(p)) for p in CORNERS[:2]]
    QTest.mousePress(canvas, MIDDLE, pos=QPoint(200, 200))
    QTest.mouseMove(canvas, QPoint(240, 170))
    QTest.mouseRelease(canvas, MIDDLE, pos=QPoint(240, 170))
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    QTest.mousePress(canvas, LEFT, pos=QPoint(200, 200))
    QTest.mouseMove(canvas, QPoint(190, 210))
    QTest.mouseRelease(canvas, LEFT, pos=QPoint(190, 210))
    QTest.keyRelease(canvas, Qt.Key.Key_Space)
    assert [shape.points for shape in desk.session.tools.overlay if isinstance(shape, Handles)] == [tuple(corners)]
    click(canvas, CORNERS[2])
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert desk.edits == 1


def test_a_polygon_outlives_lost_focus_and_a_hidden_canvas(canvas: Canvas, desk: Desk) -> None:
    click(canvas, *CORNERS)
    QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusOut))
    canvas.hide()
    canvas.show()
    assert desk.documents.gesture_active
    assert desk.edits == 0


def test_somebody_who_types_keeps_enter_and_backspace(canvas: Canvas, desk: Desk, frame: QWidget) -> None:
    click(canvas, *CORNERS)
    line = frame.findChild(QLineEdit)
    assert line is not None
    line.setFocus()
    QTest.keyClicks(line, "ab")
    QTest.keyClick(line, Qt.Key.Key_Backspace)
    assert line.text() == "a"
    assert desk.documents.gesture_active


def test_the_cursor_is_that_of_the_row(canvas: Canvas, desk: Desk) -> None:
    QTest.mouseMove(canvas, QPoint(200, 200))
    assert canvas.cursor().shape() is Qt.CursorShape.CrossCursor
    assert canvas._ring is None
    use(desk, "pan", 5.0)
    assert canvas.cursor().shape() is Qt.CursorShape.OpenHandCursor
    use(desk, "brush", 5.0)
    assert canvas._ring is not None


def test_every_shape_is_drawn_where_it_lies(canvas: Canvas, desk: Desk) -> None:
    canvas.set_zoom(4.0)
    ground = picture(canvas)
    mask = np.zeros((4, 6), np.bool_)
    mask[1:3, 2:5] = True
    desk.session.tools.show((Patch(Rect(180, 140, 6, 4), mask, "#ff0000"),))
    patched = picture(canvas)
    for y in range(4):
        for x in range(6):
            at = canvas.to_widget(180.5 + x, 140.5 + y).toPoint()
            assert (patched.pixelColor(at) != ground.pixelColor(at)) == mask[y, x]
    assert patched.pixelColor(canvas.to_widget(183.5, 141.5).toPoint()).red() > 150
    line = Polyline(((180, 140), (180, 160)), dashed=True)
    desk.session.tools.show((Circle(200, 150, 10), line, Handles(((220, 150),), hot=0)))
    drawn = picture(canvas)
    assert drawn.pixelColor(canvas.to_widget(210, 150).toPoint()).lightness() > 160
    assert drawn.pixelColor(canvas.to_widget(200, 150).toPoint()) == ground.pixelColor(QPoint(5, 200))
    along = {drawn.pixelColor(canvas.to_widget(180, 140 + n / 4).toPoint()).lightness() > 160 for n in range(80)}
    assert along == {True, False}, "a dashed line has gaps"
    assert drawn.pixelColor(canvas.to_widget(220, 150).toPoint()).blue() < 60
    desk.session.tools.show(())
    assert picture(canvas) == ground


_CHILD = """
import sys
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QTextEdit, QToolButton
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
app = QApplication([])
from segstudio.app.editing.tools.table import TOOLS
from segstudio.ui import open_window
window = open_window(None)
said = []
window.session.notices.told.connect(lambda notice: said.append(notice.sentence))
assert window.findChild(QToolButton, "toolSketch") is None
QTest.qWait(500)
button = window.findChild(QToolButton, "toolSketch")
assert button is not None and not button.icon().isNull() and "(F2)" in button.toolTip(), button
action = window.findChild(QAction, "actionSketch")
action.setEnabled(True)
action.trigger()
assert window.session.tools.tool.name == "sketch" and action.isChecked()
crossed = window.findChild(QAction, "actionSaw")
assert crossed.shortcuts() == [], "P and B are ours, F2 is taken"
menu = [action.objectName() for action in window.findChild(QMenu, "menuTools").actions()]
ours = ["action" + tool.name.capitalize() for tool in TOOLS.own]
assert menu[: len(ours) + 2] == [*ours, "actionSketch", "actionSaw"], menu
window.pages.show_help("keys")
window.findChild(QLineEdit, "helpSearch").setText("polygon")
assert "Click corners" in window.findChild(QTextEdit).toHtml() or "Click corners" in str(
    [w.toPlainText() for w in window.findChildren(QTextEdit)])
assert len(said) == 1 and "'torn' of the package polygons was left out of SegStudio's tools" in said[0], said
window.close()
print("seen")
"""


def test_a_window_has_the_button_and_the_key_of_another_packages_tool(tmp_path: Path) -> None:
    info = tmp_path / "polygons-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: polygons\nVersion: 1.0\n")
    points = "[segstudio.tools]\nsketch = tests.polygon_tool:POLYGON\nsaw = saw_rows:SAW\ntorn = saw_rows:TORN\n"
    (info / "entry_points.txt").write_text(points)
    rows = "from dataclasses import replace\nfrom tests.polygon_tool import POLYGON\n"
    rows += "SAW = replace(POLYGON, name='saw', keys=('P', 'B', 'F2'))\n"
    (tmp_path / "saw_rows.py").write_text(rows)
    root = Path(__file__).resolve().parents[2]
    home = {name: str(tmp_path / name) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
    environment = {**os.environ, **home, "PYTHONPATH": f"{root}{os.pathsep}{tmp_path}", "QT_QPA_PLATFORM": "offscreen"}
    ran = subprocess.run(
        [sys.executable, "-c", _CHILD], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert ran.stdout.strip() == "seen", ran.stderr
