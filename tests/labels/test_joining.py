"""A proposed part that meets an object begun by hand joins it; with several it is shared (accept and Done)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect
from segstudio.labels.document import Document
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassId, ClassTable, Kind, ObjectId, Origin, Seq
from segstudio.labels.paint import fill
from segstudio.labels.paint.region import Region
from tests.labels.filled_planes import filled
from tests.labels.label_strategies import a_class, a_document, few, pixels, state, with_columns
from tests.labels.object_plates import painted_document, parts_of_mask, plates

CLASSES = ClassTable(
    [a_class(1, Kind.BACKGROUND), a_class(2, Kind.SEMANTIC), a_class(3, Kind.INSTANCE), a_class(4, Kind.INSTANCE)]
)
NUCLEUS = 3


def begun(document: Document, rect: Rect, class_id: int = NUCLEUS, origin: Origin = Origin.PAINTED) -> ObjectId:
    gesture = Gesture(document, Cause.PAINT)
    made = gesture.new_object(ClassId(class_id))
    gesture.paint_region(0, Region.of_rect(rect), made, origin)
    gesture.commit()
    return made


def accepted(document: Document, class_ids: NDArray[np.int32], classes: ClassTable = CLASSES) -> NDArray[np.uint32]:
    filled(document, 0, class_ids, classes, Origin.ACCEPTED, cause=Cause.ACCEPT, only_unknown=True)
    return pixels(document)[0]


def proposal(*rects: Rect, class_id: int = NUCLEUS, size: tuple[int, int] = (300, 270)) -> NDArray[np.int32]:
    out = np.zeros(size[::-1], np.int32)
    for rect in rects:
        out[rect.y : rect.bottom, rect.x : rect.right] = class_id
    return out


def test_the_ring_around_a_painted_core_is_one_object_with_it() -> None:
    document = a_document()
    core = begun(document, Rect(240, 240, 20, 20))
    ids = accepted(document, proposal(Rect(230, 230, 40, 40)))
    assert (ids[230:270, 230:270] == core).all()
    assert dict(document.objects) == {core: NUCLEUS}
    assert set(pixels(document)[1][230:270, 230:270].ravel().tolist()) == {Origin.PAINTED, Origin.ACCEPTED}


def test_a_part_that_touches_at_a_corner_joins_and_one_a_pixel_away_does_not() -> None:
    document = a_document()
    core = begun(document, Rect(10, 10, 5, 5))
    ids = accepted(document, proposal(Rect(15, 15, 4, 4), Rect(3, 3, 6, 6)))
    assert (ids[15:19, 15:19] == core).all()
    assert (ids[3:9, 3:9] == core + 1).all()


def test_a_part_between_two_cores_is_shared_along_the_line_of_equal_distance() -> None:
    document = a_document()
    left, right = begun(document, Rect(220, 100, 20, 20)), begun(document, Rect(270, 100, 20, 20))
    ids = accepted(document, proposal(Rect(220, 100, 70, 20)))
    assert (ids[100:120, 220:255] == left).all()
    assert (ids[100:120, 255:290] == right).all()
    assert len(document.objects) == 2


@pytest.mark.parametrize(
    ("class_id", "origin"), [(4, Origin.PAINTED), (NUCLEUS, Origin.ACCEPTED), (NUCLEUS, Origin.IMPORTED)]
)
def test_a_part_joins_neither_another_class_nor_what_no_hand_began(class_id: int, origin: Origin) -> None:
    document = a_document()
    other = begun(document, Rect(10, 10, 5, 5), class_id, origin)
    ids = accepted(document, proposal(Rect(8, 8, 9, 9)))
    assert (ids[8:10, 8:17] == other + 1).all()


def test_one_painted_pixel_makes_an_accepted_object_one_begun_by_hand() -> None:
    document = a_document()
    other = begun(document, Rect(10, 10, 5, 5), origin=Origin.ACCEPTED)
    gesture = Gesture(document, Cause.PAINT)
    gesture.paint_region(0, Region.of_rect(Rect(14, 14, 1, 1)), other, Origin.PAINTED)
    gesture.commit()
    assert (accepted(document, proposal(Rect(8, 8, 9, 9)))[8:17, 8:17] == other).all()


def test_a_locked_class_gets_no_pixel_of_a_proposal() -> None:
    document = a_document()
    begun(document, Rect(10, 10, 5, 5))
    before = state(document)
    accepted(document, proposal(Rect(8, 8, 9, 9)), with_columns(CLASSES, NUCLEUS, {"locked": True}))
    assert state(document) == before


def test_an_object_of_a_merged_class_is_met_as_what_it_counts_as() -> None:
    document = a_document()
    core = begun(document, Rect(10, 10, 5, 5), 4)
    classes = with_columns(CLASSES, 4, {"merged_into": NUCLEUS})
    assert (accepted(document, proposal(Rect(8, 8, 9, 9)), classes)[8:17, 8:17] == core).all()


def test_an_import_makes_objects_of_its_own() -> None:
    document = a_document()
    core = begun(document, Rect(10, 10, 5, 5))
    filled(document, 0, proposal(Rect(8, 8, 9, 9)), CLASSES, Origin.IMPORTED)
    assert not (pixels(document)[0] == core).any()


@few
@given(plates((300, 270)), st.integers(0, 2**16), st.sampled_from([3, 20]), st.booleans())
def test_joining_equals_the_plain_model_over_tile_borders(plate, seed, block, tile_by_tile) -> None:
    plate[20:230] = 0  # most is unlabelled, so that parts meet few objects
    plate = np.where(plate == 6, 0, plate)
    document = painted_document(plate)
    before, origins = pixels(document)
    rng = np.random.default_rng(seed)
    wanted = np.kron(rng.choice([0, 0, 1, 3], (270 // block + 1, 300 // block + 1)), np.ones((block, block), np.int32))
    wanted = wanted[:270, :300].astype(np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fill, "_BLOCK", TILE if tile_by_tile else fill._BLOCK)
        edit = filled(document, 0, wanted, CLASSES, Origin.ACCEPTED, cause=Cause.ACCEPT, only_unknown=True)
    ids = pixels(document)[0]
    np.testing.assert_array_equal(ids[before != 0], before[before != 0])
    np.testing.assert_array_equal(pixels(document)[1][before != 0], origins[before != 0])
    for part in parts_of_mask((wanted == NUCLEUS) & (before == 0)):
        _as_modelled(part, before, ids)
    if edit is not None:
        document.apply(edit.inverted(Seq(1), Cause.UNDO))
        np.testing.assert_array_equal(pixels(document)[0], before)


def _as_modelled(part: NDArray[np.bool_], before: NDArray[np.uint32], ids: NDArray[np.uint32]) -> None:
    around = np.zeros(part.shape, np.bool_)
    for y, x in np.argwhere(part):
        around[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = True
    met = {n: np.argwhere(around & (before == n)) for n in (3, 4, 5) if (around & (before == n)).any()}
    if not met:
        (new,) = np.unique(ids[part]).tolist()
        assert new > 6 or not (before == new).any(), "a part that meets nothing is an object of its own"
        return
    points = np.argwhere(part)
    squares = [((points[:, None] - places[None]) ** 2).sum(2).min(1) for places in met.values()]
    np.testing.assert_array_equal(ids[part], np.array(list(met))[np.argmin(squares, axis=0)])
