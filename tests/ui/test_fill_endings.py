"""How fill, wand, livewire, threshold and snap end, and what is seen of large areas until then."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from segstudio.app.editing.tools import region_painting
from segstudio.app.editing.tools.overlay import Overlay, Patch, Words
from segstudio.app.editing.tools.table import TOOLS
from segstudio.geometry import Rect
from segstudio.labels.paint import flood
from segstudio.ui.canvas import Canvas
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.fill_hands import (
    FILLS,
    LEFT,
    START,
    H,
    W,
    at,
    click,
    drag,
    ended,
    name_of,
    open_scene,
    painted,
    trace,
    use,
)


@pytest.fixture
def canvas(room: object, empty_window: MainWindow, desk: Desk) -> Canvas:
    return open_scene(empty_window, desk)


def test_what_is_not_found_at_once_is_shown_in_view_first_and_painted_in_slices(
    canvas: Canvas, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region_painting, "_AT_ONCE_S", -1.0)
    monkeypatch.setattr(region_painting, "SLICE_S", 1e-9)
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
        desk.wait(lambda: desk.edits == before + 1)
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
        desk.wait(lambda: desk.edits == before + 1)
        desk.shows(0)
        assert painted(desk)[200, 300]
    elif ends == "tool":
        desk.session.set_tool("brush")
        desk.wait(lambda: desk.edits == before + 1)
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
