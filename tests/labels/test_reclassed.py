"""Objects become another class, against plain arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassTable, Kind, Origin, Seq
from segstudio.labels.paint.objects.parts import Report
from segstudio.labels.paint.objects.recolor import reclassed
from segstudio.labels.tiles.streamed import collected
from tests.labels.label_strategies import a_class, a_document, state, with_columns
from tests.labels.regions import region_of

SIZES = [(560, 300), (40, 30)]
CLASSES = ClassTable(
    [
        a_class(1, Kind.BACKGROUND),
        a_class(2, Kind.SEMANTIC),
        a_class(3, Kind.INSTANCE),
        a_class(4, Kind.INSTANCE),
        a_class(5, Kind.SEMANTIC),
    ]
)
OBJECTS = {1: 2, 2: 3, 3: 3, 4: 4, 5: 1}


def painted(seed: int):
    """A document of random blocks on two planes, with a constant tile, and its ids and origins by plane."""
    rng = np.random.default_rng(seed)
    document = a_document(*SIZES)
    gesture = Gesture(document, Cause.PAINT)
    for id_, class_id in OBJECTS.items():
        assert gesture.new_object(class_id) == id_
    for plane, (w, h) in enumerate(SIZES):
        blocks = rng.integers(0, len(OBJECTS) + 1, (-(-h // 20), -(-w // 20)))
        ids = np.kron(blocks, np.ones((20, 20), np.int64))[:h, :w]
        if plane == 0:
            ids[:256, 256:512] = 3
        for id_ in OBJECTS:
            region = region_of(Rect(0, 0, w, h), ids == id_)
            gesture.paint_region(plane, region, id_, Origin(1 + id_ % 4))
    gesture.commit()
    return document, arrays(document)


def arrays(document):
    found = [document.raster.read(plane, document.raster.bounds(plane)) for plane in range(len(SIZES))]
    return [ids for ids, _ in found], [origins for _, origins in found]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.frozensets(st.integers(1, 7), max_size=4), st.integers(1, 5))
def test_exactly_the_objects_asked_for_change_in_one_edit_that_undo_takes_back(seed, ids, class_id) -> None:
    document, (before_ids, before_origins) = painted(seed)
    start = state(document)
    report = Report()
    edit = collected(Edit(document.image, Cause.OBJECTS), reclassed(document, CLASSES, ids, class_id, report))
    assert state(document) == start, "the document was written"
    if edit is not None:
        document.apply(edit)
    known = ids & OBJECTS.keys()
    after_ids, after_origins = arrays(document)
    owner = {1: 5, 2: 1, 5: min(known, default=0)}
    for plane in range(len(SIZES)):
        mine = np.isin(before_ids[plane], list(known))
        instance = class_id in (3, 4)
        wanted = before_ids[plane] if instance else np.where(mine, owner[class_id], before_ids[plane])
        assert np.array_equal(after_ids[plane], wanted)
        assert np.array_equal(after_origins[plane], before_origins[plane])
        classes = document.class_lookup()[after_ids[plane]]
        assert (classes[mine] == class_id).all()
        assert np.array_equal(classes[~mine], np.array([0, *OBJECTS.values()])[before_ids[plane]][~mine])
    assert (edit is None) == (report.number == 0)
    if edit is not None:
        document.apply(edit.inverted(Seq(1), Cause.UNDO))
    assert state(document) == start


def test_an_instance_class_touches_no_pixel() -> None:
    document, _ = painted(1)
    report = Report()
    parts = list(reclassed(document, CLASSES, {2, 3}, 4, report))
    assert [part.key for part in parts] == [2, 3]
    assert (report.number, report.selects) == (2, {2, 3})
    assert list(reclassed(document, CLASSES, {4}, 4, Report())) == []


@pytest.mark.parametrize(("locked", "class_id"), [(3, 4), (4, 4)])
def test_a_locked_class_neither_gives_nor_takes(locked, class_id) -> None:
    document, _ = painted(1)
    with pytest.raises(UserError, match="locked"):
        list(reclassed(document, with_columns(CLASSES, locked, {"locked": True}), {2}, class_id, Report()))
