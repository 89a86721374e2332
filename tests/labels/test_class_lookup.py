"""What classes count as, as arrays: against the rule itself, class by class."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segstudio.labels.class_lookup import class_lookup, object_lookup
from segstudio.labels.model import ClassId, ClassTable, Kind, LabelClass


@st.composite
def tables(draw: st.DrawFn) -> ClassTable:
    """Classes with gaps between their ids, some removed, some merged into a later one, in any order of the list."""
    ids = sorted(draw(st.sets(st.integers(1, 40), min_size=1, max_size=12)))
    made: list[LabelClass] = []
    for place, id_ in enumerate(ids):
        c = LabelClass(ClassId(id_), f"c{id_}", "#000000", Kind.SEMANTIC, id_ + 100, place)
        later = ids[place + 1 :]
        if later and draw(st.booleans()):
            c = replace(c, merged_into=ClassId(draw(st.sampled_from(later))))
        made.append(replace(c, removed=draw(st.booleans()), position=draw(st.integers(0, 99))))
    return ClassTable(made)


@given(tables(), st.integers(0, 60))
def test_an_entry_is_what_the_class_counts_as_today(table: ClassTable, size: int) -> None:
    by_id = class_lookup(table, size=size)
    by_value = class_lookup(table, lambda c: c.value, nothing=-1, dtype=np.int64)
    assert (by_id.dtype, by_value.dtype) == (np.int32, np.int64)
    assert len(by_id) == max(size, len(by_value))
    for id_ in range(len(by_value)):
        today = table.effective(ClassId(id_))
        assert by_id[id_] == (0 if today is None else today.id)
        assert by_value[id_] == (-1 if today is None else today.value)
    assert not by_id[len(by_value) :].any()


@given(tables(), st.data())
def test_objects_have_the_entry_of_their_class_and_ids_beyond_none(table: ClassTable, data: st.DataObject) -> None:
    ids = [int(c.id) for c in table.all]
    class_of = data.draw(st.dictionaries(st.integers(1, 30), st.sampled_from(ids), max_size=8))
    found = object_lookup(class_of, class_lookup(table, nothing=-1), nothing=-2)
    pixels = np.arange(50, dtype=np.uint32)
    for id_, said in zip(pixels.tolist(), found.take(pixels, mode="clip").tolist(), strict=True):
        today = table.effective(ClassId(class_of[id_])) if id_ in class_of else None
        assert said == (today.id if today is not None else -1 if id_ in class_of else -2)


def test_a_project_without_classes_has_one_entry() -> None:
    assert class_lookup(ClassTable(())).tolist() == [0]
    assert object_lookup({}, class_lookup(ClassTable(()))).tolist() == [0, 0]


def test_an_object_of_a_class_that_was_never_made_is_nothing() -> None:
    assert object_lookup({3: 7}, np.array([0, 5], np.int32), nothing=-1).tolist() == [-1, -1, -1, -1, -1]
