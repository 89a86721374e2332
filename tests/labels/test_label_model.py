import pytest

from segstudio.labels.model import ClassId, ClassTable, Kind, folded_name
from tests.labels.label_strategies import a_class, with_columns

TABLE = ClassTable([a_class(3, Kind.INSTANCE), a_class(1, Kind.BACKGROUND), a_class(2, Kind.SEMANTIC)])


def test_a_table_is_in_the_order_of_the_list_and_knows_its_classes():
    assert [c.id for c in TABLE] == [1, 2, 3]
    assert len(TABLE) == 3
    assert 2 in TABLE
    assert 9 not in TABLE
    assert TABLE.background.id == 1
    assert [c.id for c in TABLE.foreground] == [2, 3]


def test_a_removed_class_is_out_of_use_but_still_known():
    table = with_columns(TABLE, ClassId(2), {"removed": True})
    assert [c.id for c in table] == [1, 3]
    assert [c.id for c in table.all] == [1, 2, 3]
    assert table[ClassId(2)].removed
    assert table.effective(ClassId(2)) is None
    assert table.named("class 2") is None
    assert [c.id for c in TABLE] == [1, 2, 3], "the table itself never changes"


def test_merges_are_followed_to_the_end_and_a_ring_does_not_hang():
    table = with_columns(with_columns(TABLE, ClassId(3), {"merged_into": 2}), ClassId(2), {"merged_into": 1})
    found = table.effective(ClassId(3))
    assert found is not None
    assert found.id == 1
    assert table.effective(ClassId(99)) is None
    with_columns(table, ClassId(1), {"merged_into": 3}).effective(ClassId(1))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Nucleus", "nUCLEUS"),
        ("é", "E\u0301"),
        ("straße", "STRASSE"),
        (" cell ", "Cell"),
        ("\u0390", "\u03aa\u0301"),  # found: case folding takes a letter apart that NFC had put together
        ("Å", "\u212b"),
    ],
)
def test_names_are_the_same_without_regard_to_case_and_composition(a, b):
    assert folded_name(a) == folded_name(b)
    table = ClassTable([a_class(1, Kind.BACKGROUND, a)])
    assert table.named(b) is table[ClassId(1)]


def test_names_that_differ_stay_different():
    assert len({folded_name(name) for name in ("a", "b", "á", "a b", "ab", "")}) == 6


@pytest.mark.parametrize(("kind", "one"), [(Kind.INSTANCE, False), (Kind.SEMANTIC, True), (Kind.IGNORE, True)])
def test_only_instance_classes_have_many_objects(kind, one):
    assert a_class(1, kind).one_object is one
