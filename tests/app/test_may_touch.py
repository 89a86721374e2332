"""What a stroke may touch, through the tools: every policy against plain arrays, and what a refused press says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from segstudio.app.editing.refusals import refusal_of
from segstudio.app.editing.tool_state import ToolState
from segstudio.app.editing.tools.base import Context, End, Paint, Seen
from segstudio.app.editing.tools.painting import Painting
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.editing.tools.value_picker import pick_values
from segstudio.app.viewing.display import DisplayImage
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.imaging.levels import Levels
from segstudio.labels.document import Document
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassId, ClassTable, ImageId, Kind, LabelClass, Origin, Touch
from segstudio.labels.paint.limits import Limits, ValueRange
from segstudio.labels.paint.region import Region
from segstudio.labels.tiles.raster import Raster
from tests.labels.regions import region_of

SIZE = W, H = 300, 270
"""Four tiles, three of them cut by the image's edge."""
WHOLE = Rect(0, 0, W, H)
CLASSES = ClassTable(
    (
        LabelClass(ClassId(1), "background", "#000000", Kind.BACKGROUND, 0, 0),
        LabelClass(ClassId(2), "vessel", "#ff0000", Kind.SEMANTIC, 1, 1),
        LabelClass(ClassId(3), "cell", "#00ff00", Kind.INSTANCE, 2, 2),
        LabelClass(ClassId(4), "scar", "#0000ff", Kind.INSTANCE, 3, 3, locked=True),
        LabelClass(ClassId(5), "clot", "#0000ff", Kind.INSTANCE, 4, 4, merged_into=ClassId(3)),
        LabelClass(ClassId(6), "dust", "#0000ff", Kind.INSTANCE, 5, 5, removed=True),
    )
)
OBJECTS = {1: 1, 2: 2, 3: 3, 4: 3, 5: 4, 6: 5, 7: 6}
TODAY = np.array([0, 1, 2, 3, 3, 4, 3, 0])
"""By object id: the class it counts as; 0 for unlabelled, and for one of a class that was removed."""


def random_board(seed: int, *, channels: int = 3) -> tuple[Context, NDArray[np.uint32], NDArray[np.uint16]]:
    """A document of random blocks of objects, and an image of random values; their arrays."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, len(OBJECTS) + 1, (-(-H // 10), -(-W // 10)))
    ids = np.kron(blocks, np.ones((10, 10), np.int64))[:H, :W].astype(np.uint32)
    document = Document(ImageId(1), Raster((SIZE,)), {}, 1)
    gesture = Gesture(document, Cause.PAINT)
    for id_, class_id in OBJECTS.items():
        assert gesture.new_object(ClassId(class_id)) == id_
        gesture.paint_region(0, region_of(WHOLE, ids == id_), id_, Origin.IMPORTED)
    gesture.commit()
    values = rng.integers(0, 1000, (H, W, channels)).astype(np.uint16)
    display = DisplayImage.of(values, Levels(0.0, 1000.0))
    paint = Paint(CLASSES, CLASSES[ClassId(3)], 12.0, Touch.ALL, 0, "me")
    return Context(document, paint, Seen(display)), ids, values


def with_policy(context: Context, touch: Touch, limits: Limits, selected: frozenset[int] = frozenset()) -> Context:
    """The same labels under another policy."""
    now = context.paint
    paint = Paint(now.classes, now.label_class, now.radius, touch, 0, "me", limits=limits)
    return Context(context.document, paint, Seen(context.seen.image, None, selected))  # type: ignore[arg-type]


limits = st.builds(
    Limits,
    st.sampled_from([None, ClassId(2), ClassId(3), ClassId(5), ClassId(6)]),
    st.lists(
        st.builds(ValueRange, st.integers(0, 700), st.integers(300, 1000), st.sampled_from([None, 0, 1, 7])), max_size=2
    ).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    touch=st.sampled_from(Touch),
    chosen=limits,
    selected=st.frozensets(st.integers(1, 7), max_size=2),
    at=st.tuples(st.integers(0, W - 1), st.integers(0, H - 1)),
    erases=st.booleans(),
)
def test_a_region_changes_exactly_the_pixels_that_the_policy_allows(seed, touch, chosen, selected, at, erases) -> None:
    context, ids, values = random_board(seed)
    context = with_policy(context, touch, chosen, selected)
    mask = np.random.default_rng(seed).random((H, W)) < 0.7
    painting = Painting(context, "lasso", at, None if erases else context.paint.label_class)
    painting.region(region_of(WHOLE, mask))
    edit = painting.commit()

    under, owner = int(ids[at[1], at[0]]), TODAY[ids]
    meant = CLASSES.effective(chosen.class_id) if chosen.class_id else None
    in_range = np.ones((H, W), np.bool_)
    for one in chosen.ranges:
        if one.channel == 7:
            in_range[:] = False
            continue
        grey = values.mean(axis=2) if one.channel is None else values[..., one.channel]
        in_range &= (grey >= one.low) & (grey <= one.high)
    allowed = (
        mask
        & (owner != 4)
        & {
            Touch.ALL: np.ones((H, W), np.bool_),
            Touch.UNLABELLED: owner == 0,
            Touch.LABELLED: owner != 0,
            Touch.CLASS: owner == (TODAY[under] if meant is None else meant.id),
            Touch.OBJECT: np.isin(ids, list(selected or {under} - {0})),
            Touch.RANGE: in_range,
        }[touch]
    )
    target = 0 if erases else under if TODAY[under] == 3 else 8
    after, origins = context.document.raster.read(0, WHOLE)
    assert np.array_equal(after, np.where(allowed, target, ids))
    assert (origins[allowed] == (Origin.NONE if erases else Origin.PAINTED)).all()
    if edit is not None:
        context.document.apply(edit.inverted(1, Cause.UNDO))  # type: ignore[arg-type]
        assert np.array_equal(context.document.raster.read(0, WHOLE)[0], ids)


def test_values_cannot_be_looked_at_where_no_image_is_on_screen_so_nothing_changes() -> None:
    context, ids, _values = random_board(3)
    paint = with_policy(context, Touch.RANGE, Limits(None, (ValueRange(0, 2000),))).paint
    painting = Painting(Context(context.document, paint), "lasso", (5, 5), None)
    painting.region(Region.of_rect(WHOLE))
    assert painting.commit() is None
    assert np.array_equal(context.document.raster.read(0, WHOLE)[0], ids)


def test_a_stroke_limited_to_an_object_says_that_it_needs_one() -> None:
    context, ids, _values = random_board(4)
    y, x = (int(v[0]) for v in np.nonzero(ids == 0))
    press = Pointer(Phase.PRESS, x + 0.5, y + 0.5, Button.LEFT)
    inside = with_policy(context, Touch.OBJECT, Limits())
    refused = refusal_of(inside, press, erasing=False)
    assert refused is not None
    assert refused.whole
    assert "no object is selected" in refused.sentence
    chosen = with_policy(context, Touch.OBJECT, Limits(), frozenset({3}))
    assert refusal_of(chosen, press, erasing=False) is None


@pytest.mark.parametrize("grey", [False, True])
def test_picked_values_are_the_lowest_and_highest_in_the_rectangle_and_the_tool_is_given_back(grey: bool) -> None:
    context, _ids, values = random_board(5)
    tools = ToolState()
    pick_values(tools, grey=grey)
    assert tools.borrowed
    assert tools.tool.name == "pick-values"
    picker = tools.tool.make(tools.tool)
    picker.press(Pointer(Phase.PRESS, 40, 50, Button.LEFT), context)
    picker.move(Pointer(Phase.MOVE, 30, 20, Button.LEFT), context)
    assert picker.release(Pointer(Phase.RELEASE, 20, 10, Button.LEFT), context).ends is End.KEEP
    part = values[10:50, 20:40].astype(np.float64)
    part = part.mean(axis=2, keepdims=True) if grey else part
    assert [(r.low, r.high, r.channel) for r in tools.limits.ranges] == [
        (part[..., c].min(), part[..., c].max(), None if grey else c) for c in range(part.shape[2])
    ]
    assert not tools.borrowed
    assert tools.tool.name == "brush"


def test_values_picked_outside_the_image_change_nothing_and_another_tool_ends_the_picking() -> None:
    context, _ids, _values = random_board(6)
    tools = ToolState()
    tools.limit_values((ValueRange(1, 2, 0),))
    pick_values(tools, grey=False)
    picker = tools.tool.make(tools.tool)
    picker.press(Pointer(Phase.PRESS, W + 50, 5, Button.LEFT), context)
    picker.release(Pointer(Phase.RELEASE, W + 50, 5, Button.LEFT), context)
    assert tools.limits.ranges == (ValueRange(1, 2, 0),)
    pick_values(tools, grey=False)
    tools.choose("eraser")
    tools.give_back()
    assert tools.tool.name == "eraser"


def test_a_policy_that_is_not_there_is_refused_by_name() -> None:
    tools = ToolState()
    tools.set_touch("class")
    assert tools.touch is Touch.CLASS
    with pytest.raises(UserError, match="'colour'"):
        tools.set_touch("colour")
