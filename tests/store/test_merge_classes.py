from collections.abc import Collection
from dataclasses import replace

import pytest

from segstudio.errors import UserError
from segstudio.labels.class_rows import apply_class_row
from segstudio.labels.model import ClassId, ClassTable, Kind, LabelClass
from segstudio.store.merge.classes import MergedClasses, SideClasses, merged_classes

BACKGROUND, CELL, VESSEL, NERVE = 1, 2, 3, 4


def _class(
    id_: int,
    name: str,
    kind: Kind = Kind.SEMANTIC,
    color: str = "",
    value: int | None = None,
    opacity: float = 1.0,
) -> LabelClass:
    value = id_ - 1 if value is None else value
    return LabelClass(ClassId(id_), name, color or f"#0000{id_:02d}", kind, value, id_, opacity=opacity)


BASE = ClassTable(
    [
        _class(BACKGROUND, "background", Kind.BACKGROUND),
        _class(CELL, "cell", Kind.INSTANCE),
        _class(VESSEL, "vessel"),
        _class(NERVE, "nerve"),
    ]
)


def _changed(table: ClassTable, id_: int, **columns: object) -> ClassTable:
    return table.with_class(replace(table[ClassId(id_)], **columns))  # type: ignore[arg-type]


def _merged(
    a: ClassTable,
    b: ClassTable,
    base: ClassTable | None = None,
    used_a: Collection[int] = (),
    used_b: Collection[int] = (),
) -> MergedClasses:
    sides = (
        SideClasses(name, table, frozenset(map(ClassId, used)))
        for name, table, used in (("anna", a, used_a), ("ben", b, used_b))
    )
    found = merged_classes(*sides, base, ClassId(10), 9)
    table = a
    for row in found.rows:
        table = apply_class_row(table, row)
    assert {c.id: c for c in table.all} == {c.id: c for c in found.table.all}
    return found


def _names(found: MergedClasses) -> list[str]:
    return [c.name for c in found.table]


def test_classes_of_one_name_are_one_class_whatever_its_case_and_composition() -> None:
    a = ClassTable([_class(1, "background", Kind.BACKGROUND), _class(2, "Zelle é")])
    b = ClassTable([_class(1, "Grund", Kind.BACKGROUND), _class(5, "ZELLE é")])
    found = _merged(a, b)
    assert found.rows == ()
    assert found.of_b == {1: 1, 5: 2}


def test_a_class_that_only_b_has_gets_the_next_value_and_a_colour_of_its_own() -> None:
    b = BASE.with_class(_class(7, "stone", color=BASE[ClassId(CELL)].color, value=3))
    found = _merged(BASE, b)
    made = found.table.named("stone")
    assert made is not None
    assert (made.id, made.value, made.kind) == (10, 9, Kind.SEMANTIC)
    assert made.color not in {c.color for c in BASE.all}
    assert found.of_b[ClassId(7)] == 10


def test_a_class_that_b_merged_or_removed_is_what_it_counts_as() -> None:
    b = _changed(_changed(BASE, VESSEL, merged_into=ClassId(NERVE)), CELL, removed=True)
    found = _merged(BASE, b)
    assert found.rows == ()
    counted = found.effective_b(ClassId(VESSEL))
    assert counted is not None
    assert counted.id == NERVE
    assert found.effective_b(ClassId(CELL)) is None


def test_a_removed_class_of_a_does_not_take_in_the_living_one_of_b() -> None:
    found = _merged(_changed(BASE, VESSEL, removed=True), BASE)
    assert found.of_b[ClassId(VESSEL)] == 10
    assert sorted(_names(found)) == ["background", "cell", "nerve", "vessel"]


def test_two_kinds_with_pixels_are_refused() -> None:
    with pytest.raises(UserError, match="'cell' has the kind instance in 'anna' and the kind semantic in 'ben'"):
        _merged(BASE, _changed(BASE, CELL, kind=Kind.SEMANTIC), None, {CELL}, {CELL})


def test_the_kind_is_that_of_the_side_with_pixels() -> None:
    b = _changed(BASE, CELL, kind=Kind.SEMANTIC)
    assert _merged(BASE, b, None, {CELL}).table[ClassId(CELL)].kind is Kind.INSTANCE
    assert _merged(BASE, b, None, set(), {CELL}).table[ClassId(CELL)].kind is Kind.SEMANTIC
    assert _merged(BASE, b).table[ClassId(CELL)].kind is Kind.INSTANCE
    assert _merged(BASE, b, BASE).table[ClassId(CELL)].kind is Kind.SEMANTIC  # B alone changed it


def test_a_class_of_b_with_pixels_is_not_taken_for_the_background_of_a() -> None:
    b = ClassTable([_class(1, "ground", Kind.BACKGROUND), _class(2, "background")])
    with pytest.raises(UserError, match="'background' has the kind background"):
        _merged(BASE, b, None, set(), {2})


def test_a_name_or_colour_that_one_side_changed_wins_and_what_both_changed_stays_as_in_a() -> None:
    a = _changed(_changed(BASE, CELL, name="nucleus"), NERVE, name="axon")
    b = _changed(_changed(_changed(BASE, VESSEL, name="vein"), NERVE, name="fibre"), CELL, color="#123456")
    found = _merged(a, b, BASE)
    assert _names(found) == ["background", "nucleus", "vein", "axon"]
    assert found.table[ClassId(CELL)].color == "#123456"
    assert found.notes == ("The name of the class 'axon' was changed in both projects: that of 'anna' stays.",)


def test_an_opacity_that_one_side_changed_wins_and_one_of_a_class_of_b_goes_along() -> None:
    a = _changed(BASE, NERVE, opacity=0.4)
    b = _changed(_changed(BASE, CELL, opacity=0.3), NERVE, opacity=0.8).with_class(_class(7, "stone", opacity=0.6))
    found = _merged(a, b, BASE).table
    assert [found[ClassId(id_)].opacity for id_ in (CELL, NERVE)] == [0.3, 0.4]
    stone = found.named("stone")
    assert stone is not None
    assert stone.opacity == 0.6


def test_names_that_change_places_do_not_meet() -> None:
    b = _changed(_changed(BASE, VESSEL, name="nerve"), NERVE, name="vessel")
    found = _merged(BASE, b, BASE)
    assert _names(found) == ["background", "cell", "vessel", "nerve"]
    assert len(found.notes) == 2
    chain = _changed(_changed(BASE, VESSEL, name="nerve"), NERVE, name="axon")
    assert _names(_merged(BASE, chain, BASE)) == ["background", "cell", "nerve", "axon"]


def test_a_class_that_b_removed_frees_its_name_for_the_one_that_b_made_anew() -> None:
    b = _changed(BASE, VESSEL, removed=True).with_class(_class(5, "vessel", Kind.INSTANCE))
    found = _merged(BASE, b, BASE, {VESSEL}, {VESSEL, 5})
    assert found.table[ClassId(VESSEL)].removed
    assert found.table[found.of_b[ClassId(5)]].kind is Kind.INSTANCE


def test_a_class_merged_into_one_that_only_b_has_goes_there() -> None:
    b = _changed(BASE, VESSEL, merged_into=ClassId(5)).with_class(_class(5, "vessel"))
    found = _merged(BASE, b, BASE)
    counted = found.table.effective(ClassId(VESSEL))
    assert counted is not None
    assert counted.id == found.of_b[ClassId(5)] == 10


def test_merges_in_a_circle_stay_as_in_a() -> None:
    a, b = _changed(BASE, VESSEL, merged_into=ClassId(NERVE)), _changed(BASE, NERVE, merged_into=ClassId(VESSEL))
    found = _merged(a, b, BASE)
    counted = found.table.effective(ClassId(VESSEL))
    assert counted is not None
    assert counted.id == NERVE
    assert found.notes == ("The use of the class 'nerve' was changed in both projects: that of 'anna' stays.",)


def test_a_class_whose_making_was_taken_back_in_a_is_one_of_b_alone() -> None:
    a = ClassTable(c for c in BASE.all if c.id != NERVE)
    found = _merged(a, BASE, BASE)
    assert found.of_b[ClassId(NERVE)] == 10
