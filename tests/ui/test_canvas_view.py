"""The canvas's arithmetic without a window: viewport, hand, composition, buffer."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from segstudio.app.editing.tools.pointer import Button
from segstudio.app.viewing.display import DisplayImage
from segstudio.geometry import TILE, Rect, ViewTransform
from segstudio.imaging.levels import EIGHT_BIT
from segstudio.imaging.pyramid import halved
from segstudio.labels.document import Document
from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind, LabelClass, ObjectId
from segstudio.labels.tiles.overview import reduced
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import Constant, Dense
from segstudio.ui.canvas.back_buffer import Frame
from segstudio.ui.canvas.compose import Grid, grid_of, marks_in_view
from segstudio.ui.canvas.layers.image import NEUTRAL
from segstudio.ui.canvas.layers.labels import LabelLayer
from segstudio.ui.canvas.palette import Ink, Palette, premultiplied
from segstudio.ui.canvas.pointer_state import Act, Hand
from segstudio.ui.canvas.scene import Scene
from segstudio.ui.canvas.viewport import LARGEST_SCALE, Viewport
from tests.ui.canvas_values import CLASSES, proposal_of, with_columns

SIZE = (300, 270)
RNG = np.random.default_rng(5)
RGB = RNG.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
TRANSFORMS = [
    ViewTransform(1.0, 0.0, 0.0),
    ViewTransform(1.0, -20.0, 13.0),
    ViewTransform(3.3, -250.4, -117.8),
    ViewTransform(17.0, -2600.25, -1990.0),
    ViewTransform(0.97, -20.0, 3.0),
    ViewTransform(0.61, 30.3, 20.1),
    ViewTransform(0.24, 90.0, 71.5),
    ViewTransform(0.031, 100.2, 90.0),
]


def scene_with_labels() -> Scene:
    """Both kinds of labels, a proposal, outlines: everything that can be drawn."""
    scene = Scene()
    raster = Raster([SIZE])
    document = Document(ImageId(1), raster, {ObjectId(1): ClassId(2), ObjectId(2): ClassId(1), ObjectId(3): ClassId(3)})
    ids = np.kron(RNG.integers(0, 4, (64, 64)), np.ones((8, 8), int)).astype(np.uint32)
    ids[:, 260:] = 0
    for _, ty, tx in list(raster.keys(0)):
        part = ids[ty * 256 : ty * 256 + 256, tx * 256 : tx * 256 + 256].copy()
        raster.put((0, ty, tx), Dense(part, (part > 0).astype(np.uint8)))
    scene.labels.set_classes(CLASSES)
    scene.show(DisplayImage.of(RGB, EIGHT_BIT), document, 0)
    scene.labels.set_proposal(proposal_of(np.kron(RNG.integers(0, 4, (54, 60)), np.ones((5, 5), int))))
    scene.labels.outlines = True
    return scene


# -- viewport -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_zoom_keeps_the_image_position_under_the_cursor_exactly(ratio: float) -> None:
    view = Viewport()
    view.resize(640, 480, ratio)
    view.show((1000, 800))
    for factor in (1.26, 1.26, 3.0, 0.4, 1.9):
        before = view.to_image(211.5, 97.25)
        assert view.zoom(factor, 211.5, 97.25)
        assert view.to_image(211.5, 97.25) == pytest.approx(before, abs=1e-6)


def test_positions_go_to_the_view_and_back() -> None:
    view = Viewport()
    view.resize(640, 480, 1.5)
    view.show((1000, 800))
    view.zoom(5.3, 100, 100)
    assert view.to_image(*view.to_view(12.5, 700.25)) == pytest.approx((12.5, 700.25))


def test_fit_shows_the_whole_image_in_the_middle() -> None:
    view = Viewport()
    view.resize(640, 480, 2.0)
    view.show((1000, 100))
    assert view.to_view(500, 50) == pytest.approx((320, 240))
    assert view.to_view(0, 0)[0] >= 0
    assert view.to_view(1000, 100)[0] <= 640


def test_set_scale_keeps_the_middle_and_stays_within_limits() -> None:
    view = Viewport()
    view.resize(640, 480, 2.0)
    view.show((1000, 800))
    view.set_scale(4.0)
    assert view.scale == pytest.approx(4.0)
    assert view.to_image(320, 240) == pytest.approx((500, 400))
    view.set_scale(1e9)
    assert view.scale == LARGEST_SCALE
    view.set_scale(0.0)
    assert view.scale == pytest.approx(view.limits()[0])
    assert not view.zoom(0.5, 0, 0)


def test_a_tile_that_is_as_when_it_was_last_touched_is_drawn_again_after_the_view_moved() -> None:
    layer = LabelLayer()
    layer.show(Document(ImageId(1), Raster(((TILE, TILE),))), 0, (TILE, TILE))
    whole = Rect(0, 0, TILE, TILE)
    assert layer.touched(whole) == [whole]
    assert layer.touched(whole) == [], "the inside of a large brush"
    layer.seen_anew()  # it may have been drawn meanwhile as a fill that was dropped had painted it
    assert layer.touched(whole) == [whole]


def test_a_resize_fits_an_untouched_view_and_keeps_the_middle_of_another() -> None:
    view = Viewport()
    view.resize(640, 480, 1.0)
    view.show((1000, 800))
    view.resize(320, 240, 1.0)
    assert view.to_view(500, 400) == pytest.approx((160, 120))
    view.set_scale(2.0)
    middle = view.to_image(160, 120)
    view.resize(500, 300, 2.0)
    assert view.scale == pytest.approx(2.0)
    assert view.to_image(250, 150) == pytest.approx(middle)


def test_a_drag_moves_by_whole_device_pixels_without_drifting() -> None:
    view = Viewport()
    view.resize(640, 480, 1.25)
    view.show((1000, 800))
    view.set_scale(1.3)
    anchor = view.to_image(300, 200)
    for x in np.linspace(300, 360, 41):
        step = view.drag(*anchor, float(x), 200.0)
        assert all(isinstance(part, int) for part in step)
    u, v = view.to_view(*anchor)
    assert abs(u - 360) <= 0.5 / 1.25
    assert abs(v - 200) <= 0.5 / 1.25


def test_the_image_cannot_be_dragged_out_of_sight() -> None:
    view = Viewport()
    view.resize(640, 480, 1.0)
    view.show((1000, 800))
    view.drag(0, 0, 1e6, -1e6)
    left, _ = view.to_view(0, 0)
    _, bottom = view.to_view(1000, 800)
    assert left < 640
    assert bottom > 0


# -- the hand -------------------------------------------------------------------------------------------------------


def pressed(hand: Hand, button: Button, drags: bool = False) -> Act:
    return hand.press(button, button, drags, True)


def test_a_stroke_is_a_press_moves_and_the_release_of_the_same_button() -> None:
    hand = Hand()
    assert hand.move(frozenset()) is Act.HOVER
    assert pressed(hand, Button.LEFT) is Act.PRESS
    assert hand.move(frozenset({Button.LEFT})) is Act.MOVE
    assert pressed(hand, Button.RIGHT) is Act.NOTHING
    assert hand.release(Button.RIGHT) is Act.NOTHING
    assert hand.release(Button.LEFT) is Act.RELEASE
    assert hand.move(frozenset()) is Act.HOVER


def test_a_middle_drag_in_mid_stroke_gives_the_stroke_back() -> None:
    hand = Hand()
    pressed(hand, Button.LEFT)
    assert pressed(hand, Button.MIDDLE) is Act.GRAB
    assert hand.move(frozenset({Button.MIDDLE})) is Act.DRAG
    assert hand.release(Button.MIDDLE) is Act.DROP
    assert hand.move(frozenset({Button.LEFT})) is Act.MOVE
    assert hand.move(frozenset()) is Act.MOVE
    assert hand.release(Button.LEFT) is Act.RELEASE


def test_space_drags_with_the_left_button_and_in_mid_stroke_without_another() -> None:
    hand = Hand()
    assert hand.hold_space(True) is Act.NOTHING
    assert pressed(hand, Button.LEFT) is Act.GRAB
    assert hand.move(frozenset({Button.LEFT})) is Act.DRAG
    assert hand.release(Button.LEFT) is Act.DROP
    hand.hold_space(False)
    pressed(hand, Button.LEFT)
    assert hand.hold_space(True) is Act.GRAB
    assert hand.move(frozenset({Button.LEFT})) is Act.DRAG
    assert hand.hold_space(False) is Act.DROP
    assert hand.move(frozenset({Button.LEFT})) is Act.MOVE


def test_the_pan_tool_drags_and_never_paints() -> None:
    hand = Hand()
    assert pressed(hand, Button.LEFT, drags=True) is Act.GRAB
    assert hand.release(Button.LEFT) is Act.DROP
    assert pressed(hand, Button.RIGHT, drags=True) is Act.NOTHING


def test_a_lost_release_ends_the_stroke_once() -> None:
    hand = Hand()
    pressed(hand, Button.LEFT)
    assert hand.move(frozenset()) is Act.LOST
    assert hand.move(frozenset()) is Act.HOVER


# -- composition ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_patches_meet_without_a_seam(transform: ViewTransform) -> None:
    scene, whole = scene_with_labels(), np.zeros((220, 260), np.uint32)
    scene.labels.draw(transform, Rect(0, 0, 260, 220), whole)
    patched = np.full_like(whole, 7)
    for x, y in [(0, 0), (97, 0), (0, 51), (97, 51)]:
        scene.labels.draw(transform, Rect(x, y, 97 if x == 0 else 163, 51 if y == 0 else 169), patched)
    assert np.array_equal(patched, whole)
    assert whole.any()


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_ground_patches_meet_without_a_seam(transform: ViewTransform) -> None:
    scene, whole = scene_with_labels(), np.zeros((220, 260), np.uint32)
    scene.image.draw(transform, Rect(0, 0, 260, 220), whole)
    patched = np.full_like(whole, 7)
    for x, y in [(0, 0), (97, 0), (0, 51), (97, 51)]:
        scene.image.draw(transform, Rect(x, y, 97 if x == 0 else 163, 51 if y == 0 else 169), patched)
    a, b = (layer.view(np.uint8).astype(int) for layer in (whole, patched))
    # Bilinear weights are rounded to 1/32 of a pixel, from wherever a patch begins.
    assert abs(a - b).max() <= (0 if transform.scale >= 1 else 20)


@pytest.mark.parametrize("transform", [t for t in TRANSFORMS if t.scale >= 1])
def test_enlarged_pixels_are_crisp_and_in_their_place(transform: ViewTransform) -> None:
    scene, out = scene_with_labels(), np.zeros((220, 260), np.uint32)
    scene.image.draw(transform, Rect(0, 0, 260, 220), out)
    for v, u in [(0, 0), (219, 259), (100, 77), (13, 205)]:
        x, y = transform.to_image(u + 0.5, v + 0.5)
        if 0 <= x < SIZE[0] and 0 <= y < SIZE[1]:
            r, g, b = (int(part) for part in RGB[int(y), int(x)])
            assert out[v, u] == 0xFF000000 | r << 16 | g << 8 | b
        else:
            assert out[v, u] == NEUTRAL


@settings(max_examples=40, deadline=None)
@given(st.floats(0.003, 0.999), st.integers(0, 1999), st.integers(0, 1499), st.floats(-40, 40))
def test_no_labelled_pixel_vanishes_however_far_away(scale: float, x: int, y: int, offset: float) -> None:
    image = (2000, 1500)
    assume(1 / scale < x < 2000 - 1 / scale and 1 / scale < y < 1500 - 1 / scale)
    marks = np.zeros((2048, 2048), np.uint8)
    marks[y, x] = 3
    transform = ViewTransform(scale, offset, -offset)
    grid = grid_of(transform, image, Rect(-60, -60, 2200, 1700))
    assert isinstance(grid, Grid)

    def read(level: int, rect: Rect) -> np.ndarray:
        whole = reduced(marks, 2**level)
        return whole[rect.y : rect.bottom, rect.x : rect.right]

    shown = marks_in_view(read, grid, image)
    assert shown.any()
    v, u = np.argwhere(shown)[0]
    reach = 2 * max(1 / scale, 1)
    assert abs(grid.xs[u] - (x + 0.5)) <= reach + 4
    assert abs(grid.ys[v] - (y + 0.5)) <= reach + 4


def test_a_proposal_shows_only_where_nothing_is_labelled() -> None:
    scene, out = scene_with_labels(), np.zeros((SIZE[1], SIZE[0]), np.uint32)
    scene.labels.outlines = False
    assert scene.labels.document is not None
    ids, _ = scene.labels.document.raster.read(0, Rect(0, 0, *SIZE))
    one = ViewTransform(1.0, 0.0, 0.0)
    scene.labels.draw(one, Rect(0, 0, *SIZE), out)
    with_proposal = out.copy()
    scene.labels.show_proposal = False
    scene.labels.draw(one, Rect(0, 0, *SIZE), out)
    assert np.array_equal(with_proposal[ids > 0], out[ids > 0])
    assert not out[ids == 0].any()
    assert with_proposal[ids == 0].any()


def test_colours_are_premultiplied_and_a_hidden_class_has_none() -> None:
    assert premultiplied("#ff8000", 0.5) == 0x80804000 | 0
    hidden = with_columns(CLASSES, ClassId(2), {"visible": False})
    palette = Palette.of(hidden, 0.5)
    mark = int(palette.mark_of[2])
    assert mark > int(palette.mark_of[1]) > 0
    assert all(palette.colors[ink * palette.count + mark] == 0 for ink in Ink)
    assert palette.marks_by_class(np.array([99], np.int32))[0] == 0


def test_a_merged_class_looks_like_its_heir_and_a_removed_one_like_nothing() -> None:
    merged = with_columns(CLASSES, ClassId(2), {"merged_into": ClassId(3)})
    palette = Palette.of(merged, 0.5)
    assert palette.mark_of[2] == palette.mark_of[3] > 0
    assert Palette.of(with_columns(CLASSES, ClassId(2), {"removed": True}), 0.5).mark_of[2] == 0


def test_labelled_background_has_a_line_where_it_meets_what_is_not_labelled_and_only_there() -> None:
    scene, out = Scene(), np.zeros((SIZE[1], SIZE[0]), np.uint32)
    document = Document(ImageId(1), Raster([SIZE]), {ObjectId(1): ClassId(1), ObjectId(2): ClassId(2)})
    ids = np.zeros((256, 256), np.uint32)
    ids[50:100, 50:150] = 1
    ids[50:100, 100:150] = 2
    document.raster.put((0, 0, 0), Dense(ids, (ids > 0).astype(np.uint8)))
    scene.labels.set_classes(CLASSES)
    scene.show(DisplayImage.of(RGB, EIGHT_BIT), document, 0)
    scene.labels.draw(ViewTransform(1.0, 0.0, 0.0), Rect(0, 0, *SIZE), out)
    line, tint = out[50, 70], out[75, 75]
    assert line != tint
    assert line >> 24 > tint >> 24
    assert np.all(out[50, 50:100] == line)
    assert np.all(out[51:99, 50] == line)
    assert np.all(out[51:99, 51:100] == tint)
    hidden = with_columns(CLASSES, ClassId(1), {"visible": False})
    scene.labels.set_classes(hidden)
    scene.labels.draw(ViewTransform(1.0, 0.0, 0.0), Rect(0, 0, *SIZE), out)
    assert not out[50:100, 50:100].any()


# -- the buffer -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [(5, 0), (0, -7), (-31, 12), (400, 3), (0, 0), (-199, -149)])
def test_a_scrolled_buffer_is_the_one_drawn_anew(step: tuple[int, int]) -> None:
    scene, view, frame = scene_with_labels(), Viewport(), Frame()
    view.resize(200, 150, 1.0)
    view.show(SIZE)
    view.set_scale(2.3)
    frame.resize(200, 150, 1.0)
    assert frame.catch_up(scene, view)
    view.transform = view.transform.panned(*step)
    frame.scroll(*step)
    frame.catch_up(scene, view)
    anew = Frame()
    anew.resize(200, 150, 1.0)
    anew.catch_up(scene, view)
    assert np.array_equal(frame.ground, anew.ground)
    assert np.array_equal(frame.overlay, anew.overlay)
    assert np.array_equal(frame.picture, anew.picture)


def test_a_buffer_dragged_far_one_way_and_back_is_the_one_drawn_anew() -> None:
    scene, view, frame = scene_with_labels(), Viewport(), Frame()
    view.resize(200, 150, 1.0)
    view.show(SIZE)
    view.set_scale(2.3)
    frame.resize(200, 150, 1.0)
    assert frame.catch_up(scene, view)
    for dx, dy in ((3, 61), (-2, 61), (5, 61), (0, 149), (-7, -149), (0, -140), (9, -120), (-8, -61)) * 2:
        view.transform = view.transform.panned(dx, dy)
        frame.scroll(dx, dy)
        assert frame.catch_up(scene, view)
        anew = Frame()
        anew.resize(200, 150, 1.0)
        anew.catch_up(scene, view)
        assert np.array_equal(frame.picture, anew.picture)
    assert (frame.overlay > 0).any()


def test_the_picture_is_the_labels_blended_over_the_image() -> None:
    scene, view, frame = scene_with_labels(), Viewport(), Frame()
    view.resize(200, 150, 1.0)
    view.show(SIZE)
    frame.resize(200, 150, 1.0)
    frame.catch_up(scene, view)
    alpha = (frame.overlay >> 24).astype(float) / 255
    assert 0 < alpha.mean() < 1
    for shift in (16, 8, 0):
        below, above, shown = (one >> shift & 255 for one in (frame.ground, frame.overlay, frame.picture))
        assert np.abs(above + below * (1 - alpha) - shown).max() <= 1.01


@pytest.mark.parametrize("scale", [0.11, 0.4, 0.77, 1.0, 1.3, 4.7])
@pytest.mark.parametrize("line", [1, 2])
def test_labels_are_the_same_whether_or_not_the_rest_is_left_out(
    monkeypatch: pytest.MonkeyPatch, scale: float, line: int
) -> None:
    scene = scene_with_labels()
    scene.labels.line_px = line
    drawn: list[np.ndarray] = []
    for small in (0, 1 << 30):
        monkeypatch.setattr("segstudio.ui.canvas.compose._SMALL_PX", small)
        out = np.full((150, 200), 7, np.uint32)
        scene.labels.draw(ViewTransform(scale, 13.3, -5.6), Rect(0, 0, 200, 150), out)
        drawn.append(out)
    assert np.array_equal(*drawn)
    assert drawn[0].any()


def test_what_was_spoiled_before_a_scroll_is_drawn_after_it() -> None:
    scene, view, frame = scene_with_labels(), Viewport(), Frame()
    view.resize(200, 150, 1.0)
    view.show(SIZE)
    view.set_scale(1.0)
    frame.resize(200, 150, 1.0)
    frame.catch_up(scene, view)
    assert scene.labels.document is not None
    scene.labels.document.raster.tile((0, 0, 0)).ids[100:140, 100:140] = 1
    scene.labels.touched(Rect(100, 100, 40, 40))
    frame.spoil_overlay([view.covering(Rect(100, 100, 40, 40), 3)])
    view.transform = view.transform.panned(9, -4)
    frame.scroll(9, -4)
    frame.catch_up(scene, view)
    anew = Frame()
    anew.resize(200, 150, 1.0)
    anew.catch_up(scene, view)
    assert np.array_equal(frame.overlay, anew.overlay)


def test_labels_left_for_want_of_time_are_drawn_in_the_next_rounds() -> None:
    scene, view, frame = scene_with_labels(), Viewport(), Frame()
    view.resize(200, 150, 1.0)
    view.show(SIZE)
    frame.resize(200, 150, 1.0)
    rounds = 1
    while not frame.catch_up(scene, view, deadline=0.0):
        rounds += 1
        assert rounds < 20
    assert rounds > 1
    anew = Frame()
    anew.resize(200, 150, 1.0)
    anew.catch_up(scene_with_labels_like(scene), view)
    assert np.array_equal(frame.overlay, anew.overlay)


def scene_with_labels_like(scene: Scene) -> Scene:
    """Another scene of the same things, nothing kept."""
    other = Scene()
    other.labels.set_classes(CLASSES)
    other.show(scene.image.pixels, scene.labels.document, 0)
    other.labels.set_proposal(scene.labels._proposal)
    other.labels.outlines = scene.labels.outlines
    return other


@pytest.mark.parametrize("scale", [0.9, 0.52, 0.37, 0.2, 0.11])
def test_labels_lie_on_what_they_label_at_every_reduction_of_an_odd_sized_image(scale: float) -> None:
    rgb = np.zeros((1301, 2237, 3), np.uint8)
    bright = Rect(2000, 1100, 120, 90)
    rgb[bright.y : bright.bottom, bright.x : bright.right] = 255
    scene = Scene()
    document = Document(ImageId(1), Raster([(2237, 1301)]), {ObjectId(1): ClassId(2)})
    ids = np.zeros((6 * 256, 9 * 256), np.uint32)
    ids[bright.y : bright.bottom, bright.x : bright.right] = 1
    for _, ty, tx in list(document.raster.keys(0)):
        part = ids[ty * 256 : ty * 256 + 256, tx * 256 : tx * 256 + 256].copy()
        document.raster.put((0, ty, tx), Dense(part, (part > 0).astype(np.uint8)))
    scene.labels.set_classes(CLASSES)
    scene.show(DisplayImage.of(rgb, EIGHT_BIT), document, 0)
    transform = ViewTransform(scale, 300 - 2060 * scale, 200 - 1145 * scale)
    ground, overlay = np.zeros((400, 600), np.uint32), np.zeros((400, 600), np.uint32)
    scene.image.draw(transform, Rect(0, 0, 600, 400), ground)
    scene.labels.draw(transform, Rect(0, 0, 600, 400), overlay)
    light = (ground & 255).astype(float) * (ground != NEUTRAL)
    for axis, middle in ((0, 300), (1, 200)):
        seen = light.sum(axis) / light.sum()
        covered = (overlay > 0).sum(axis) / (overlay > 0).sum()
        along = np.arange(len(seen)) + 0.5
        assert (seen * along).sum() == pytest.approx(middle, abs=0.35)
        # Cells count whole: on either side up to one device pixel more is covered.
        assert (covered * along).sum() == pytest.approx(middle, abs=0.6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [0.11, 0.37, 0.9, 1.0, 2.5])
def test_pictures_of_eight_bits_go_to_the_buffer_as_they_are(channels: int, scale: float) -> None:
    import cv2

    pixels = RNG.integers(0, 256, (901, 1337, channels), dtype=np.uint8)
    scene = Scene()
    scene.show(DisplayImage.of(pixels, EIGHT_BIT), None, 0)
    transform, rect = ViewTransform(scale, -20.25, 7.5), Rect(0, 0, 400, 300)
    out = np.zeros((300, 400), np.uint32)
    scene.image.draw(transform, rect, out)
    grid = grid_of(transform, (1337, 901), rect)
    assert grid is not None
    reduced_, level = np.repeat(pixels, 3, axis=2) if channels == 1 else pixels, 0
    while scale < 0.5 ** (level + 1) and max(reduced_.shape) > 512:
        reduced_, level = halved(reduced_), level + 1
    if scale >= 1:
        at = np.floor(grid.ys).astype(int), np.floor(grid.xs).astype(int)
        seen = cv2.cvtColor(reduced_[at[0]][:, at[1]], cv2.COLOR_RGB2BGRA)
    else:
        f = 0.5**level
        matrix = np.array([[f / scale, 0, grid.xs[0] * f - 0.5], [0, f / scale, grid.ys[0] * f - 0.5]])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        bgra = cv2.cvtColor(reduced_, cv2.COLOR_RGB2BGRA)
        seen = cv2.warpAffine(bgra, matrix, (grid.rect.w, grid.rect.h), flags=how, borderMode=cv2.BORDER_REPLICATE)
    part = out[grid.rect.y : grid.rect.bottom, grid.rect.x : grid.rect.right]
    difference = np.abs(part.copy().view(np.uint8).astype(int) - np.asarray(seen).reshape(*part.shape[:1], -1))
    # Where a region begins changes the last bit of OpenCV's positions.
    assert difference.max() <= (0 if scale >= 1 else 2)


@pytest.mark.parametrize("number", [60, 300])
@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
def test_many_classes_keep_their_colours(number: int, scale: float) -> None:
    classes = ClassTable(
        [LabelClass(ClassId(1), "background", "#000000", Kind.BACKGROUND, 0, 0)]
        + [LabelClass(ClassId(i), f"c{i}", f"#{i:06x}", Kind.SEMANTIC, i, i) for i in range(2, number)]
    )
    last = number - 1
    scene = Scene()
    document = Document(ImageId(1), Raster([SIZE]), {ObjectId(last): ClassId(last)})
    document.raster.put((0, 0, 0), Constant(last, 1))
    scene.labels.set_classes(classes)
    scene.labels.set_opacity(1.0, 1.0)
    scene.show(DisplayImage.of(RGB, EIGHT_BIT), document, 0)
    scene.labels.set_proposal(proposal_of(np.full((SIZE[1], SIZE[0]), last - 1)))
    out = np.zeros((90, 110), np.uint32)
    scene.labels.draw(ViewTransform(scale, -200 * scale, 0.0), Rect(0, 0, 110, 90), out)
    assert out[20, 10] == premultiplied(f"#{last:06x}", 1.0)
    shown = {int(color) for color in np.unique(out)}
    stripes = {premultiplied(f"#{last - 1:06x}", alpha) for alpha in (0.85, 0.25, 0.9)}
    assert shown <= {0, premultiplied(f"#{last:06x}", 1.0)} | stripes
    assert scale > 1 or stripes <= shown


@pytest.mark.parametrize("scale", [0.0019, 0.0015, 0.0008, 0.0003])
def test_a_lone_label_is_seen_from_so_far_that_a_pixel_shows_many_tiles(scale: float) -> None:
    side = 100_000
    cells = -(-side // TILE)
    corners = [(0, 0), (cells - 1, 0), (0, cells - 1), (cells - 1, cells - 1)]
    for x, y in [*corners, *((x, 7 * x % cells) for x in range(0, cells, 5))]:

        def read(level: int, rect: Rect, x: int = x, y: int = y) -> np.ndarray:
            assert level == 8
            assert rect == rect.intersected(Rect(0, 0, cells, cells))
            out = np.zeros((rect.h, rect.w), np.uint8)
            if rect.x <= x < rect.right and rect.y <= y < rect.bottom:
                out[y - rect.y, x - rect.x] = 3
            return out

        grid = grid_of(ViewTransform(scale, 7.0, 5.0), (side, side), Rect(0, 0, 400, 400))
        assert grid is not None
        seen = np.argwhere(marks_in_view(read, grid, (side, side)) == 3)
        assert len(seen)
        at = (seen.mean(0) + 0.5 - (5.0 - grid.rect.y, 7.0 - grid.rect.x)) / scale
        assert np.abs(at - ((y + 0.5) * TILE, (x + 0.5) * TILE)).max() < 2 / scale
