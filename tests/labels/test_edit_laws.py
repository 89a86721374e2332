from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.errors import EditConflict, ProjectDamaged
from segstudio.labels.document import Document
from segstudio.labels.edit import (
    Edit,
    RowChange,
    Table,
    TileChange,
    decode_edit,
    encode_edit,
    equal,
    joined_rows,
    new_edit_id,
    squash,
)
from segstudio.labels.model import Cause, ImageId, Seq, Status
from segstudio.labels.tiles.tile import EMPTY, Constant, Dense, expanded, frozen, same, writable_copy
from tests.labels.label_strategies import TOP_ID, a_document, few, some, state, tiles

KEYS = [(0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 0, 0)]


def the_document() -> Document:
    return a_document((300, 270), (40, 30))


_classes = st.integers(1, 3)
_columns = st.one_of(
    st.builds(lambda c: {"class_id": c}, _classes),
    st.builds(lambda c, locked: {"class_id": c, "locked": locked}, _classes, st.booleans()),
)


@st.composite
def edits(draw, document: Document) -> Edit:
    """An edit that follows from what the document holds; tiles and rows of every kind."""
    changes = {}
    for key in draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=3)):
        before = document.raster.tile(key)
        after = draw(st.one_of(st.just(EMPTY), tiles()))
        if not same(before, after):
            changes[key] = TileChange(before, after)
    rows = []
    for object_id in draw(st.lists(st.integers(1, 4), unique=True, max_size=3)):
        now = document.objects.get(object_id)
        before = None if now is None else {"class_id": now, "locked": object_id in document.locked}
        after = draw(st.one_of(st.none(), _columns))
        if before is not None and after is not None:
            before = {column: before[column] for column in after}
        if before is not None and after is None and not before["locked"]:
            del before["locked"]  # as an edit says it that knows of no locks
        if before != after:
            rows.append(RowChange(Table.OBJECTS, object_id, before, after))
    status = draw(st.sampled_from(Status))
    if status is not document.status:
        before = {"status": document.status.value}
        rows.append(RowChange(Table.IMAGES, document.image, before, {"status": status.value}))
    return Edit(
        document.image,
        draw(st.sampled_from(Cause)),
        changes,
        tuple(rows),
        tool=draw(st.text(max_size=5)),
        author=draw(st.text(max_size=5)),
        undoes=draw(st.one_of(st.none(), st.integers(1, 2**40).map(Seq))),
        batch=draw(st.one_of(st.none(), st.integers(0, 2**63 - 1))),
    )


@st.composite
def chains(draw, length: int):
    """A document that has had an edit, and edits that follow one after the other."""
    document, chain = the_document(), []
    first = draw(edits(document))
    document.apply(first)
    for _ in range(length):
        chain.append(draw(edits(document)))
        document.apply(chain[-1])
    fresh = the_document()
    fresh.apply(first)
    return fresh, chain


@some
@given(chains(1))
def test_applying_an_edit_and_then_its_inverse_is_nothing(case):
    document, (edit,) = case
    before = state(document)
    document.apply(edit)
    after = state(document)
    inverse = edit.inverted(Seq(7), Cause.UNDO)
    assert (inverse.undoes, inverse.cause, inverse.batch) == (7, Cause.UNDO, None)
    assert inverse.id != edit.id
    document.apply(inverse)
    assert state(document)[:2] + state(document)[3:] == before[:2] + before[3:]
    document.apply(inverse.inverted(Seq(8), Cause.REDO))
    assert state(document) == after


@some
@given(chains(2))
def test_squashing_two_edits_equals_one_after_the_other(case):
    document, (a, b) = case
    other, squashed = the_document(), squash(a, b)
    for key, tile in document.raster.in_memory().items():
        other.raster.put(key, tile)
    for object_id, class_id in document.objects.items():
        columns = {"class_id": class_id, "locked": object_id in document.locked}
        other.apply_row(RowChange(Table.OBJECTS, object_id, None, columns))
    other.marks = document.marks
    other.apply(squashed)
    document.apply(a)
    document.apply(b)
    assert state(other)[0] == state(document)[0]
    assert (other.objects, other.status) == (document.objects, document.status)
    assert other.locked == document.locked
    assert squashed.id == b.id
    assert all(not same(change.before, change.after) for change in squashed.tiles.values())
    assert len({(row.table, row.key) for row in squashed.rows}) == len(squashed.rows)


def _told(row: RowChange) -> str:
    """A change of a row; an object that says nothing of a lock has none."""
    sides = [None if side is None else {"locked": False, **side} for side in (row.before, row.after)]
    return repr((row.table, row.key, *sides)) if row.table is Table.OBJECTS else repr(row)


@few
@given(chains(3))
def test_squashing_does_not_care_which_two_come_first(case):
    document, (a, b, c) = case
    left, right = squash(squash(a, b), c), squash(a, squash(b, c))
    assert left.tiles.keys() == right.tiles.keys()
    assert all(same(left.tiles[key].after, right.tiles[key].after) for key in left.tiles)
    assert sorted(map(_told, left.rows)) == sorted(map(_told, right.rows))
    document.apply(left)


@some
@given(chains(1))
def test_an_edit_squashed_with_its_inverse_changes_nothing(case):
    _, (edit,) = case
    assert squash(edit, edit.inverted(Seq(1), Cause.UNDO)).empty


@some
@given(chains(1))
def test_decoding_an_encoded_edit_gives_the_edit(case):
    _, (edit,) = case
    assert equal(decode_edit(encode_edit(edit)), edit)


def test_an_edit_of_every_extreme_survives_encoding():
    ids, origins = writable_copy(EMPTY)
    ids[3, 4], origins[3, 4] = TOP_ID, 5
    edit = Edit(
        None,
        Cause.CLASSES,
        {(2**20, 2**20, 2**20): TileChange(Constant(TOP_ID, 5), frozen(ids, origins))},
        (
            RowChange(Table.CLASSES, 2**62, None, {"name": "Zellkern ä 核", "locked": True, "merged_into": None}),
            RowChange(Table.IMAGES, 1, {"score": 0.1, "n": -5}, {"score": -1e300, "n": 2**63 - 1}),
            RowChange(Table.OBJECTS, 1, {}, None),
        ),
        id=2**63 - 1,  # pyright: ignore[reportArgumentType]
    )
    assert equal(decode_edit(encode_edit(edit)), edit)


@pytest.mark.parametrize("place", ["cause", "table"])
def test_a_word_that_no_version_knows_is_refused_when_an_edit_is_decoded(place):
    # Found: an unknown word came out as ValueError, which nobody who reads a file catches.
    data = encode_edit(Edit(ImageId(1), Cause.PAINT, rows=(RowChange(Table.OBJECTS, 1, None, {"class_id": 1}),)))
    word = b"paint" if place == "cause" else b"objects"
    with pytest.raises(msgspec.DecodeError):
        decode_edit(data.replace(word, b"x" * len(word)))


def test_an_edit_with_a_damaged_tile_is_refused_when_it_is_decoded():
    edit = Edit(ImageId(1), Cause.PAINT, {(0, 0, 0): TileChange(EMPTY, Constant(1, 1))})
    wire = msgspec.msgpack.decode(encode_edit(edit))
    wire[2][0][3] = b"\x01gone"
    with pytest.raises(ProjectDamaged):
        decode_edit(msgspec.msgpack.encode(wire))
    with pytest.raises(msgspec.DecodeError):
        decode_edit(encode_edit(edit)[:-1])


def test_equal_sees_a_single_pixel_and_every_field():
    ids, origins = writable_copy(Constant(1, 1))
    ids[200, 200] = 2
    a = Edit(ImageId(1), Cause.PAINT, {(0, 0, 0): TileChange(EMPTY, Constant(1, 1))})
    assert not equal(a, replace(a, tiles={(0, 0, 0): TileChange(EMPTY, frozen(ids, origins))}))
    assert not equal(a, replace(a, tiles={}))
    assert not equal(a, replace(a, tool="brush"))
    assert not equal(a, replace(a, id=new_edit_id()))
    assert equal(a, replace(a))


def test_edits_that_do_not_follow_one_another_are_not_squashed():
    one, two = Constant(1, 1), Constant(2, 1)
    a = Edit(ImageId(1), Cause.PAINT, {(0, 0, 0): TileChange(EMPTY, one)})
    with pytest.raises(EditConflict):
        squash(a, Edit(ImageId(1), Cause.PAINT, {(0, 0, 0): TileChange(two, EMPTY)}))
    with pytest.raises(EditConflict):
        squash(a, Edit(ImageId(2), Cause.PAINT))
    made = RowChange(Table.OBJECTS, 1, None, {"class_id": 1})
    for second in (made, RowChange(Table.OBJECTS, 1, {"class_id": 2}, None)):
        with pytest.raises(EditConflict):
            squash(replace(a, rows=(made,)), replace(a, tiles={}, rows=(second,)))


def test_several_changes_of_one_row_within_an_edit_survive_squashing():
    # Found: squash kept only the last of two changes of one row in its first edit.
    first = RowChange(Table.IMAGES, 1, {"status": "new"}, {"status": "in-progress"})
    second = RowChange(Table.IMAGES, 1, {"status": "in-progress"}, {"status": "done"})
    squashed = squash(Edit(ImageId(1), Cause.DONE, rows=(first, second)), Edit(ImageId(1), Cause.PAINT))
    assert squashed.rows == (RowChange(Table.IMAGES, 1, {"status": "new"}, {"status": "done"}),)


names = st.sampled_from(["a", "b", "c"])
columns = st.dictionaries(names, st.integers(0, 2), min_size=1, max_size=3)


@some
@given(st.data())
def test_joined_rows_do_to_a_table_what_the_changes_do_one_by_one(data):
    """Against a table as a dict: rows made, deleted, made again with fewer columns, columns changed."""
    start = {key: data.draw(columns) for key in data.draw(st.sets(st.integers(1, 2)))}
    table, changes = {key: dict(row) for key, row in start.items()}, []
    for key in data.draw(st.lists(st.integers(1, 2), max_size=6)):
        now = table.get(key)
        after = data.draw(columns) if now is None else data.draw(st.one_of(st.none(), columns))
        before = None if now is None else {c: now.get(c) for c in (now if after is None else after)}
        changes.append(RowChange(Table.CLASSES, key, before, after))
        _apply(table, changes[-1])
    joined = joined_rows(changes)
    found = {key: dict(row) for key, row in start.items()}
    for change in joined:
        _apply(found, change)
    assert _filled(found) == _filled(table)
    for change in reversed(joined):
        _apply(found, change.inverted())
    assert _filled(found) == _filled(start)
    assert all(change.before != change.after for change in joined)


def _apply(table, change):
    if change.after is None:
        del table[change.key]
    else:
        table.setdefault(change.key, {}).update(change.after)


def _filled(table):
    """Rows without their empty columns: NULL and absent are the same in a table."""
    return {key: {c: v for c, v in row.items() if v is not None} for key, row in table.items()}


def test_the_arrays_in_an_applied_edit_cannot_be_written_through_the_raster():
    document = the_document()
    ids, origins = writable_copy(EMPTY)
    ids[0, 0], origins[0, 0] = 1, 1
    document.apply(Edit(document.image, Cause.PAINT, {(0, 0, 0): TileChange(EMPTY, frozen(ids, origins))}))
    tile = document.raster.tile((0, 0, 0))
    assert isinstance(tile, Dense)
    assert not any(array.flags.writeable for array in expanded(tile))
