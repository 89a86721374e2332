"""Undo and redo of a batch, and of edits of any size, streamed from the journal."""

import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from segstudio.errors import Cancelled, DiskRefused, UserError
from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.labels.edit import Batch, Edit, RowChange, Table, TileChange
from segstudio.labels.model import Cause, ImageId, Seq
from segstudio.labels.tiles.streamed import TILE_BYTES, Part, StreamedEdit, edit_bytes
from segstudio.labels.tiles.tile import EMPTY, Constant, expanded, frozen
from segstudio.store.database.connect import Access, connect
from segstudio.store.progress_token import Ticker
from segstudio.store.project import Project
from segstudio.store.values import NewImage, NewPlane
from tests.store.store_painting import CELL, CLASSES, SIZE, commit, flushed, paint, painted, redo, undo, whole

IMAGES = tuple(ImageId(i) for i in (1, 2, 3))
AREA = Rect(10, 10, 300, 200)


def import_all(project: Project) -> Batch:
    """One object in each image, as one batch: edits 1, 2 and 3."""
    batch = Batch(Cause.IMPORT, "ann")
    documents = [project.document(image) for image in IMAGES]
    edits = [painted(d, AREA, d.next_object, 3, new_class=CELL) for d in documents]
    assert project.writer is not None
    assert project.writer.write_all(edits, batch).result(30) == 3
    return batch


def labelled(project: Project) -> list[int]:
    return [row.labelled_pixels for row in project.images()]


def state(project: Project) -> list[tuple[object, ...]]:
    return [(project.labels_sha256(i), project.objects(i), project.counts(i), project.image(i)) for i in IMAGES]


def test_a_batch_is_taken_back_and_done_again_from_any_of_its_images_also_after_a_restart(project: Project) -> None:
    import_all(project)
    before = [project.labels_sha256(image) for image in IMAGES]
    counted = labelled(project)
    assert project.reach(Seq(2)).images == (3, 2, 1)
    assert project.take_back(Seq(2), "bob").result(30) == 3
    assert labelled(project) == [0, 0, 0]
    assert not any(project.document(image).objects for image in IMAGES)
    project.close()
    with Project.open(project.path) as again:
        following = [again.history(image).next_redo() for image in IMAGES]
        assert sorted(n for n in following if n is not None) == [4, 5, 6]
        last = following[2]
        assert last is not None
        assert again.take_back(last, "bob").result(30) == 3
        assert labelled(again) == counted
        assert [again.labels_sha256(image) for image in IMAGES] == before
        assert [again.history(image).next_undo() for image in IMAGES] == [1, 2, 3]
        assert {again.document(image).next_object for image in IMAGES} == {2}
        with closing(connect(again.path / "project.db", Access.READ)) as db:
            assert db.execute("SELECT cause, author FROM batches ORDER BY time").fetchall() == [
                ("import", "ann"),
                ("undo", "bob"),
                ("redo", "bob"),
            ]
            assert db.execute("SELECT count(DISTINCT batch), count(batch) FROM edits").fetchone() == (3, 9)
        assert again.take_back(Seq(1), "bob").result(30) == 3
        assert labelled(again) == [0, 0, 0]


def test_ids_of_a_batch_that_was_taken_back_are_never_given_again(project: Project) -> None:
    import_all(project)
    project.take_back(Seq(1), "bob").result(30)
    project.close()
    with Project.open(project.path) as again:
        document = again.document(IMAGES[0])
        assert document.next_object == 2
        number = paint(again, document, AREA, CELL)
        undo(again, document, number)
        flushed(again)
        assert again.document(IMAGES[0]).next_object == 3
        following = again.history(IMAGES[0]).next_redo()
        assert following is not None
        assert again.take_back(following, "bob").result(30) == 1
        assert list(again.document(IMAGES[0]).objects) == [2]


def test_where_an_image_of_a_batch_has_changed_since_nothing_is_taken_back_and_the_sentence_names_it(
    project: Project,
) -> None:
    import_all(project)
    document = project.document(IMAGES[1])
    number = paint(project, document, Rect(500, 300, 5, 5), CELL)
    flushed(project)
    before = state(project)
    with pytest.raises(UserError, match=r"The import cannot be undone: 'field/1\.png' has changed since") as told:
        project.take_back(Seq(1), "bob").result(30)
    assert "Nothing was undone." in told.value.line
    assert "First undo" in told.value.line
    assert state(project) == before
    assert project.last_seq() == 4
    undo(project, document, number)
    flushed(project)
    assert project.take_back(Seq(1), "bob").result(30) == 3
    assert labelled(project) == [0, 0, 0]


def test_a_batch_taken_back_is_not_done_again_over_what_was_painted_since(project: Project) -> None:
    import_all(project)
    project.take_back(Seq(1), "bob").result(30)
    paint(project, project.document(IMAGES[0]), Rect(500, 300, 5, 5), CELL)
    flushed(project)
    following = project.history(IMAGES[2]).next_redo()
    assert following is not None
    with pytest.raises(UserError, match=r"cannot be redone: 'field/0\.png' has changed since"):
        project.take_back(following, "bob").result(30)
    assert project.last_seq() == 7


def test_an_edit_that_waits_in_another_image_prevents_as_one_on_disk_does(project: Project) -> None:
    import_all(project)
    paint(project, project.document(IMAGES[2]), Rect(500, 300, 5, 5), CELL)
    with pytest.raises(UserError, match="changed since"):
        project.take_back(Seq(1), "bob").result(30)


def test_cancelling_leaves_nothing_and_the_batch_can_be_taken_back_later(project: Project) -> None:
    import_all(project)
    before = state(project)

    class Stop(Ticker):
        def step(self, steps: int = 1) -> None:
            super().step(steps)
            if self.done == 3:
                self.cancel()

    ticker = Stop()
    with pytest.raises(Cancelled):
        project.take_back(Seq(1), "bob", ticker).result(30)
    assert ticker.total == 6
    assert 0 < ticker.done < 6
    assert state(project) == before
    with closing(connect(project.path / "project.db", Access.READ)) as db:
        assert db.execute("SELECT count(*) FROM batches").fetchone() == (1,)
    assert project.take_back(Seq(1), "bob").result(30) == 3


def test_two_edits_of_one_image_in_a_batch_are_taken_back_newest_first(project: Project) -> None:
    document = project.document(IMAGES[0])
    first = painted(document, AREA, 1, 3, new_class=CELL)
    document.apply(first)
    second = painted(document, Rect(100, 100, 300, 200), 2, 3, new_class=CELL)
    assert project.writer is not None
    assert project.writer.write_all([first, second], Batch(Cause.MERGE)).result(30) == 2
    both = project.labels_sha256(IMAGES[0])
    assert project.take_back(Seq(2), "a").result(30) == 2
    assert labelled(project)[0] == 0
    following = project.history(IMAGES[0]).next_redo()
    assert following is not None
    assert project.take_back(following, "a").result(30) == 2
    assert project.labels_sha256(IMAGES[0]) == both


def test_what_is_not_in_force_is_not_taken_back_twice(project: Project) -> None:
    import_all(project)
    project.take_back(Seq(1), "bob").result(30)
    with pytest.raises(Exception, match="cannot be taken back"):
        project.take_back(Seq(1), "bob").result(30)
    assert project.last_seq() == 6


def test_undo_streamed_from_the_journal_is_the_undo_made_in_memory(project: Project) -> None:
    document = project.document(IMAGES[0])
    paint(project, document, Rect(0, 0, 600, 400), CELL)
    number = paint(project, document, AREA, CELL)
    flushed(project)
    assert project.take_back(number, "a").result(30) == 1
    streamed = state(project)
    redone = project.history(IMAGES[0]).next_redo()
    assert redone is not None
    assert project.take_back(redone, "a").result(30) == 1
    document = project.document(IMAGES[0])
    following = undo(project, document, number)
    flushed(project)
    assert [s[:3] for s in state(project)] == [s[:3] for s in streamed]
    redo(project, document, following)
    flushed(project)
    np.testing.assert_array_equal(whole(document)[0], whole(project.document(IMAGES[0]))[0])


def noise_parts(object_id: int, tiles_across: int) -> Iterator[Part]:
    """Dense tiles, made one by one."""
    rng = np.random.default_rng(1)
    for ty in range(tiles_across):
        for tx in range(tiles_across):
            ids = np.where(rng.random((TILE, TILE)) < 0.5, np.uint32(object_id), np.uint32(0)).astype(np.uint32)
            yield (0, ty, tx), TileChange(EMPTY, frozen(ids, (ids > 0).astype(np.uint8)))


def large_project(folder: Path, tiles_across: int) -> Project:
    plane = NewPlane("0", tiles_across * TILE, tiles_across * TILE)
    image = NewImage("large.png", folder, 1, 1, "0" * 16, (plane,), 1, "uint8", "png")
    return Project.create(folder / "large.segstudio", [image], CLASSES)


def test_a_streamed_edit_and_its_undo_hold_few_tiles_in_memory(tmp_path: Path) -> None:
    across = 8
    with large_project(tmp_path, across) as project:
        assert project.writer is not None
        row = RowChange(Table.OBJECTS, 1, None, {"class_id": CELL})

        def parts() -> Iterator[Part]:
            yield row
            yield from noise_parts(1, across)

        header = Edit(ImageId(1), Cause.ACCEPT, tool="accept", author="a")
        tracemalloc.start()
        try:
            project.writer.write_all([StreamedEdit(header, parts())]).result(60)
            project.take_back(Seq(1), "a").result(60)
            project.take_back(Seq(2), "a").result(60)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert project.reach(Seq(1)).bytes == 2 * TILE_BYTES * across**2
        assert peak < 2 * TILE_BYTES * across**2 / 4
        document = project.document(ImageId(1))
        for part in noise_parts(1, across):
            assert isinstance(part, tuple)
            key, change = part
            ids, _ = document.raster.read(0, tile_rect(*key[1:]))
            assert np.array_equal(ids, expanded(change.after)[0])
        assert edit_bytes(project.load_edit(Seq(1), document.raster.tile)) == TILE_BYTES * across**2
        assert project.objects(ImageId(1))[0].area == project.image(ImageId(1)).labelled_pixels


def test_a_streamed_edit_that_changes_nothing_is_none(project: Project) -> None:
    assert project.writer is not None
    header = Edit(IMAGES[0], Cause.ACCEPT)
    assert project.writer.write_all([StreamedEdit(header, iter(()))]).result(30) == 0
    assert project.last_seq() == 0


def test_a_streamed_edit_whose_parts_raise_leaves_nothing(project: Project) -> None:
    assert project.writer is not None

    def parts() -> Iterator[Part]:
        yield (0, 0, 0), TileChange(EMPTY, Constant(1, 1))
        raise DiskRefused("gone")

    with pytest.raises(DiskRefused):
        project.writer.write_all([StreamedEdit(Edit(IMAGES[0], Cause.ACCEPT), parts())]).result(30)
    assert project.last_seq() == 0
    assert project.document(IMAGES[0]).raster.tile((0, 0, 0)) == EMPTY
    commit(project, d := project.document(IMAGES[0]), painted(d, Rect(0, 0, *SIZE), 1, new_class=CELL))
    flushed(project)
    assert project.last_seq() == 1
