from collections.abc import Callable

import numpy as np
import pytest

from segstudio.errors import EditConflict
from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, RowChange, Table, equal
from segstudio.labels.model import Cause, ImageId, ObjectId, Seq, Status
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import EMPTY, Constant
from segstudio.store.project import Project
from tests.store.store_painting import (
    CELL,
    FIRST,
    SIZE,
    VESSEL,
    commit,
    flushed,
    paint,
    painted,
    redo,
    status_row,
    undo,
    whole,
)


def test_numbers_rise_by_one_and_every_edit_is_acknowledged_in_order(project: Project) -> None:
    document = project.document(FIRST)
    saved: list[Seq] = []
    assert project.writer is not None
    project.writer.on_saved = saved.append
    numbers = [paint(project, document, Rect(10 * i, 5, 30, 30), CELL) for i in range(8)]
    flushed(project)
    project.close()
    assert numbers == saved == list(range(1, 9))


def test_undo_after_restart_restores_the_raster_exactly(make_project: Callable[..., Project]) -> None:
    project = make_project()
    document = project.document(FIRST)
    paint(project, document, Rect(200, 200, 150, 100), CELL)
    before = whole(document)
    paint(project, document, Rect(220, 150, 200, 200), VESSEL)
    project.close()
    with Project.open(project.path) as again:
        document = again.document(FIRST)
        assert document.next_object == 3
        target = again.history(FIRST).next_undo()
        assert target == 2
        undo(again, document, target)
    with Project.open(project.path) as again:
        ids, origins = whole(again.document(FIRST))
        assert np.array_equal(ids, before[0])
        assert np.array_equal(origins, before[1])
        history = again.history(FIRST)
        assert (history.undoable, history.redoable) == ((1,), (3,))


def test_redo_after_restart_brings_the_same_object_back(make_project: Callable[..., Project]) -> None:
    project = make_project()
    document = project.document(FIRST)
    paint(project, document, Rect(0, 0, 40, 40), CELL)
    painted_ids, _ = whole(document)
    undo(project, document, Seq(1))
    project.close()
    with Project.open(project.path) as again:
        document = again.document(FIRST)
        redo(again, document, Seq(2))
        assert dict(document.objects) == {1: CELL}
        assert np.array_equal(whole(document)[0], painted_ids)
        flushed(again)
        assert again.history(FIRST).undoable == (1,)


def test_an_object_id_is_never_given_twice_also_after_undo_and_restart(project: Project) -> None:
    document = project.document(FIRST)
    undo(project, document, paint(project, document, Rect(0, 0, 9, 9), CELL))
    flushed(project)
    assert project.document(FIRST).next_object == 2
    assert project.frozen(FIRST).next_object == 2


def test_blank_and_undone_have_the_same_digest_and_no_tile_is_left(project: Project) -> None:
    blank = project.labels_sha256(FIRST)
    document = project.document(FIRST)
    seq = paint(project, document, Rect(250, 250, 50, 50), CELL)
    flushed(project)
    painted_digest = project.labels_sha256(FIRST)
    undo(project, document, seq)
    flushed(project)
    assert painted_digest != blank == project.labels_sha256(FIRST) == project.labels_sha256(ImageId(2))
    assert project.tiles(FIRST, 0) == {}


def test_the_digest_tells_classes_apart_where_pixels_are_the_same(project: Project) -> None:
    rect = Rect(0, 0, 20, 20)
    paint(project, project.document(ImageId(1)), rect, CELL)
    paint(project, project.document(ImageId(2)), rect, VESSEL)
    paint(project, project.document(ImageId(3)), rect, CELL)
    flushed(project)
    one, two, three = (project.labels_sha256(ImageId(i)) for i in (1, 2, 3))
    assert one == three != two


def test_a_loaded_edit_is_the_one_that_was_submitted(project: Project) -> None:
    document = project.document(FIRST)
    paint(project, document, Rect(100, 100, 300, 200), VESSEL)
    edit = painted(
        document, Rect(200, 200, 150, 60), 2, new_class=CELL, extra_rows=[status_row(document, Status.IN_PROGRESS)]
    )
    seq = commit(project, document, edit)
    flushed(project)
    assert equal(project.load_edit(seq, document.raster.tile), edit)
    undone = project.load_edit(seq, document.raster.tile).inverted(seq, Cause.UNDO)
    number = commit(project, document, undone)
    flushed(project)
    assert equal(project.load_edit(number, document.raster.tile), undone)
    # Its target can still be read, from the other side.
    assert equal(project.load_edit(seq, document.raster.tile), edit)


def test_an_edit_that_waits_is_loaded_from_the_queue(project: Project) -> None:
    document = project.document(FIRST)
    for i in range(30):
        edit = painted(document, Rect(i, i, 50, 50), 1, new_class=None if i else CELL)
        seq = commit(project, document, edit)
        assert equal(project.load_edit(seq, document.raster.tile), edit)


def test_an_undo_stores_no_pixels_and_no_rows_again(project: Project) -> None:
    document = project.document(FIRST)
    undo(project, document, paint(project, document, Rect(0, 0, 300, 300), CELL))
    assert project.writer is not None
    deltas, rows = project.writer.call(
        lambda db: (
            db.execute("SELECT count(*), max(seq) FROM deltas").fetchone(),
            db.execute("SELECT rows IS NULL FROM edits ORDER BY seq").fetchall(),
        )
    ).result(30)
    assert deltas == (4, 1)
    assert rows == [(0,), (1,)]


def test_replaying_the_journal_from_nothing_gives_the_raster(project: Project) -> None:
    document = project.document(FIRST)
    for i in range(6):
        paint(project, document, Rect(40 * i, 30 * i, 200, 90), CELL if i % 2 else VESSEL)
    undo(project, document, Seq(6))
    flushed(project)
    replayed = replay(project, FIRST)
    assert all(np.array_equal(a, b) for a, b in zip(whole(replayed), whole(document), strict=True))


def replay(project: Project, image: ImageId) -> Document:
    """The document that the journal alone gives: deltas applied one after another to an empty raster."""
    document = Document(image, Raster([SIZE]))
    with project.reading() as db:
        last = db.execute("SELECT max(seq) FROM edits").fetchone()[0]
    for seq in range(1, last + 1):
        with project.reading() as db:
            owner = db.execute("SELECT image FROM edits WHERE seq = ?", (seq,)).fetchone()[0]
        if owner == image:
            document.apply(project.load_edit(Seq(seq), document.raster.tile))
    return document


def test_an_edit_whose_tiles_have_changed_since_is_not_loaded(project: Project) -> None:
    document = project.document(FIRST)
    edit = painted(document, Rect(0, 0, 10, 10), 1, new_class=CELL)
    paint(project, document, Rect(0, 0, 90, 90), VESSEL)
    with pytest.raises(EditConflict):
        document.apply(edit)
    flushed(project)
    with pytest.raises(EditConflict):
        project.load_edit(Seq(1), lambda _: Constant(7, 1))


def test_a_status_change_is_an_edit_of_its_own_and_is_taken_back(project: Project) -> None:
    document = project.document(FIRST)
    seq = commit(project, document, Edit(FIRST, Cause.STATUS, rows=(status_row(document, Status.DONE),)))
    flushed(project)
    assert project.image(FIRST).status is Status.DONE
    undo(project, document, seq)
    flushed(project)
    assert project.image(FIRST).status is Status.NEW


def test_a_removed_image_leaves_the_list_and_undo_brings_it_back(project: Project) -> None:
    row = RowChange(Table.IMAGES, 2, {"removed": 0}, {"removed": 1})
    assert project.writer is not None
    seq = project.writer.submit(Edit(ImageId(2), Cause.STATUS, rows=(row,)))
    flushed(project)
    assert [image.id for image in project.images()] == [1, 3]
    assert project.find_image(1).id == 3
    assert [image.id for image in project.images(removed=True)] == [1, 2, 3]
    project.writer.submit(project.load_edit(seq, lambda _: EMPTY).inverted(seq, Cause.UNDO))
    flushed(project)
    assert project.find_image(1).id == 2


def test_the_document_holds_edits_that_are_not_durable_yet(project: Project) -> None:
    document = project.document(FIRST)
    for i in range(20):
        paint(project, document, Rect(13 * i, 7 * i, 60, 60), CELL)
        fresh = project.document(FIRST)
        assert np.array_equal(whole(fresh)[0], whole(document)[0])
        assert dict(fresh.objects) == dict(document.objects)


def test_planes_share_object_ids(make_project: Callable[..., Project]) -> None:
    project = make_project(planes=3)
    document = project.document(FIRST)
    paint(project, document, Rect(10, 10, 20, 20), CELL)
    commit(project, document, painted(document, Rect(50, 60, 20, 30), 1, plane=2))
    flushed(project)
    found = project.objects(FIRST)[0]
    assert (found.id, found.area, found.box) == (ObjectId(1), 400 + 600, (10, 10, 70, 90))
    assert set(project.tiles(FIRST, 2)) == {(0, 0)}
