"""Selected objects are outlined on the canvas, and each object has its own tint on demand."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segstudio.geometry import TILE, Rect, ViewTransform
from segstudio.labels.colors import OBJECT_TINTS, object_tint
from segstudio.labels.document import Document
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassId, ImageId, Origin
from segstudio.labels.paint.region import Region
from segstudio.labels.tiles.raster import Raster
from segstudio.ui.canvas.compose import edges, grid_of
from segstudio.ui.canvas.layers.selection import SelectionLayer
from segstudio.ui.canvas.palette import tint_places
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

SIZE = (700, 600)
DEVICE = (640, 480)
WHITE, DARK = 0xFFFFFFFF, 0xFF101418


def scattered(seed: int) -> tuple[Document, np.ndarray]:
    """A document of 60 rectangles over nine tiles, and its ids."""
    rng = np.random.default_rng(seed)
    document = Document(ImageId(1), Raster((SIZE,)), {}, 1)
    gesture = Gesture(document, Cause.PAINT)
    for _ in range(60):
        x, y, w, h = (int(v) for v in rng.integers((0, 0, 4, 4), (680, 580, 120, 90)))
        gesture.paint_region(0, Region.of_rect(Rect(x, y, w, h)), gesture.new_object(ClassId(2)), Origin.PAINTED)
    gesture.commit()
    return document, document.raster.read(0, Rect(0, 0, *SIZE))[0]


def expected(ids: np.ndarray, selected: set[int], view: ViewTransform) -> np.ndarray:
    """What a layer without a buffer would draw at a scale of 1 or more."""
    out = np.zeros((DEVICE[1], DEVICE[0]), np.uint32)
    wide = grid_of(view, SIZE, Rect(0, 0, *DEVICE).grown(4))
    assert wide is not None
    columns, rows = np.floor(wide.xs).astype(int), np.floor(wide.ys).astype(int)
    marks = np.isin(ids, list(selected))[np.ix_(rows, columns)].astype(np.uint8)
    colors = np.where(edges(marks, 2) & (marks > 0), WHITE, 0)
    colors = np.where(edges(marks, 1) & (marks == 0), DARK, colors)
    part = wide.rect.intersected(Rect(0, 0, *DEVICE))
    x, y = part.x - wide.rect.x, part.y - wide.rect.y
    out[part.y : part.bottom, part.x : part.right] = colors[y : y + part.h, x : x + part.w]
    return out


@pytest.mark.parametrize("scale", [1.0, 1.7, 5.0])
def test_outlines_are_those_of_the_selected_objects_wherever_the_view_goes(scale: float) -> None:
    document, ids = scattered(1)
    layer, rng = SelectionLayer(), np.random.default_rng(2)
    for _ in range(12):
        selected = set(rng.integers(1, 60, 5).tolist())
        layer.show(document, 0, selected)
        for _ in range(3):
            x, y = rng.uniform(-200, 50), rng.uniform(-200, 50)
            view = ViewTransform(scale, float(round(x)), float(round(y)))
            assert layer.catch_up(view, DEVICE, 1.0)
            assert np.array_equal(layer._pixels, expected(ids, selected, view))


def test_what_is_painted_or_erased_moves_the_outline_and_the_rest_stays() -> None:
    document, _ids = scattered(3)
    layer, view, rng = SelectionLayer(), ViewTransform(1.0, -30.0, -40.0), np.random.default_rng(4)
    layer.show(document, 0, {5, 20, 41})
    layer.catch_up(view, DEVICE, 1.0)
    for object_id in (5, 0, 20, 41, 7, 0):
        rect = Rect(int(rng.integers(20, 500)), int(rng.integers(20, 400)), 90, 70)
        gesture = Gesture(document, Cause.PAINT)
        gesture.paint_region(0, Region.of_rect(rect), object_id, Origin.PAINTED)
        layer.touched(rect, rect.moved(-30, -40).grown(3))  # while it is being painted
        layer.catch_up(view, DEVICE, 1.0)
        now = document.raster.read(0, Rect(0, 0, *SIZE))[0]
        assert np.array_equal(layer._pixels, expected(now, {5, 20, 41}, view))
        gesture.commit()


def test_an_object_painted_while_nothing_was_selected_is_outlined() -> None:
    document, _ids = scattered(3)
    layer, view = SelectionLayer(), ViewTransform(1.0, 0.0, 0.0)
    layer.show(document, 0, {5})
    layer.catch_up(view, DEVICE, 1.0)
    layer.show(document, 0, ())
    gesture = Gesture(document, Cause.PAINT)
    new = gesture.new_object(ClassId(2))
    rect = Rect(200, 200, 90, 70)
    gesture.paint_region(0, Region.of_rect(rect), new, Origin.PAINTED)
    layer.touched(rect, rect)
    gesture.commit()
    layer.show(document, 0, {new})
    layer.catch_up(view, DEVICE, 1.0)
    now = document.raster.read(0, Rect(0, 0, *SIZE))[0]
    assert np.array_equal(layer._pixels, expected(now, {new}, view))


def test_what_there_is_no_time_for_is_drawn_in_the_next_frames() -> None:
    document, ids = scattered(5)
    layer, view = SelectionLayer(), ViewTransform(1.0, 0.0, 0.0)
    layer.show(document, 0, {1, 2, 3, 30, 31, 32})
    frames = 0
    while not layer.catch_up(view, DEVICE, 1.0, deadline=0.0):
        frames += 1
        assert frames < 100
    assert frames
    assert np.array_equal(layer._pixels, expected(ids, {1, 2, 3, 30, 31, 32}, view))


def test_zoomed_out_every_selected_object_is_seen_and_nothing_else() -> None:
    document, ids = scattered(6)
    layer, view = SelectionLayer(), ViewTransform(0.25, 0.0, 0.0)
    selected = {9, 33}
    layer.show(document, 0, selected)
    assert layer.catch_up(view, DEVICE, 1.0)
    white = np.kron(layer._pixels[:150, :175] == WHITE, np.ones((4, 4), bool))
    for id_ in selected & set(np.unique(ids).tolist()):
        assert (white & (ids == id_)).any()
    near = np.isin(ids, list(selected))
    for _ in range(8):
        near[1:] |= near[:-1]
        near[:-1] |= near[1:]
        near[:, 1:] |= near[:, :-1]
        near[:, :-1] |= near[:, 1:]
    assert not (white & ~near).any()


def test_a_tile_that_cannot_be_read_costs_its_outline_alone() -> None:
    document, _ids = scattered(7)

    def load(key):
        if key == (0, 0, 0):
            raise OSError("gone")
        return document.raster.tile(key)

    broken = Document(ImageId(1), Raster((SIZE,), load), {}, 61)
    layer = SelectionLayer()
    layer.show(broken, 0, set(range(1, 61)))
    assert layer.catch_up(ViewTransform(1.0, 0.0, 0.0), DEVICE, 1.0)
    assert not (layer._pixels[: TILE - 2, : TILE - 2] == WHITE).any()
    assert (layer._pixels[TILE:, TILE:] == WHITE).any()


def whites(window: MainWindow) -> int:
    """White pixels of the canvas as it is seen."""
    window.canvas.repaint()
    image = window.canvas.grab().toImage()
    found = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1)[:, : image.width()]
    return int(np.count_nonzero((found & 0xFFFFFF) == 0xFFFFFF))


def test_the_canvas_outlines_what_is_selected_until_another_image_is_shown(window: MainWindow, desk: Desk) -> None:
    desk.paint(Rect(200, 150, 120, 90), 2)
    id_ = desk.document.next_object - 1
    before = whites(window)
    desk.documents.select([id_])
    outlined = whites(window)
    assert outlined > before + 300
    window.canvas.set_zoom(2.0)
    assert whites(window) > before + 300
    desk.shows(1)
    assert whites(window) <= before


def colors_at(window: MainWindow, *points: tuple[int, int]) -> list[str]:
    window.canvas.repaint()
    image = window.canvas.grab().toImage()
    return [image.pixelColor(window.canvas.to_widget(x + 0.5, y + 0.5).toPoint()).name() for x, y in points]


def test_each_instance_has_its_own_tint_on_demand_and_semantic_classes_keep_their_colour(
    window: MainWindow, desk: Desk
) -> None:
    desk.load(labelled=False)
    desk.opened.classes.change("nucleus", kind="instance")
    desk.wait(lambda: desk.documents.classes.named("nucleus").kind == "instance")
    for x in (100, 200, 300):
        desk.paint(Rect(x, 100, 60, 60), 2)
    desk.paint(Rect(400, 100, 60, 60), 3)
    places = ((130, 130), (230, 130), (330, 130), (430, 130))
    window.canvas.set_opacity(1.0, 1.0)
    plain = colors_at(window, *places)
    assert len(set(plain)) == 2
    QTest.keyClick(window.canvas, Qt.Key.Key_O, Qt.KeyboardModifier.ShiftModifier)
    assert colors_at(window, *places) == [*(object_tint(n) for n in (1, 2, 3)), plain[3]]
    assert window.arrangement.objects.model.tinted
    desk.paint(Rect(100, 300, 60, 60), 2)
    assert colors_at(window, (130, 330)) == [object_tint(5)]
    desk.opened.classes.change("nucleus", visible=False)
    desk.wait(lambda: not desk.documents.classes.named("nucleus").visible)
    assert not set(colors_at(window, *places[:3])) & {object_tint(n) for n in (1, 2, 3)}
    QTest.keyClick(window.canvas, Qt.Key.Key_O, Qt.KeyboardModifier.ShiftModifier)
    desk.opened.classes.change("nucleus", visible=True)
    desk.wait(lambda: desk.documents.classes.named("nucleus").visible)
    assert colors_at(window, *places) == plain


def test_neighbouring_ids_never_share_a_tint_and_one_object_has_one_everywhere() -> None:
    ids = np.arange(1, 100_000)
    places = tint_places(ids, len(OBJECT_TINTS))
    assert (places[1:] != places[:-1]).all()
    assert [OBJECT_TINTS[place] for place in places[:200]] == [object_tint(id_) for id_ in range(1, 201)]
    assert np.bincount(places).min() > 0.9 * len(ids) / len(OBJECT_TINTS)
