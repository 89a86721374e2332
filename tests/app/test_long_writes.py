"""Changes of many images, and such as are too large for memory, over a real project without a window."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from segstudio.app.editing import background_writes
from segstudio.app.editing.background_writes import filling
from segstudio.app.editing.documents import Documents, OpenDocument
from segstudio.app.editing.stored_state import read_state
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.values import Changed, JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import ReadOnly, UserError
from segstudio.geometry import Rect
from segstudio.labels.edit import Batch, Edit, RowChange, Table, TileChange
from segstudio.labels.model import Cause, ImageId, Origin, Status
from segstudio.labels.tiles.raster import TileBudget
from segstudio.labels.tiles.tile import EMPTY, frozen
from segstudio.store.label_fill import Filling
from segstudio.store.project import Project
from tests.app.grounds import ground_of
from tests.app.test_documents import FIRST, Bench

IMAGES = tuple(ImageId(i) for i in (1, 2, 3))


@pytest.fixture
def bench(opened: Callable[[], Project]) -> Iterator[Bench]:
    bench = Bench(opened())
    yield bench
    bench.documents.close()


def edits(images: tuple[ImageId, ...] = IMAGES) -> Iterator[Edit]:
    """The whole first tile of each image becomes a new object."""
    for image in images:
        row = RowChange(Table.OBJECTS, 1, None, {"class_id": 2})
        tile = np.zeros((256, 256), np.uint32)
        tile[:70, :90] = 1
        yield Edit(
            image, Cause.IMPORT, {(0, 0, 0): TileChange(EMPTY, frozen(tile, (tile > 0).astype(np.uint8)))}, (row,)
        )


def bring_in(bench: Bench) -> None:
    assert bench.project.writer is not None
    bench.project.writer.write_all(edits(), Batch(Cause.IMPORT)).result(30)
    bench.documents._follow(None, read_state(bench.project, bench.documents._open.images, None))


class Held:
    """A long write that waits for `go`, over some images."""

    def __init__(self, bench: Bench, images: tuple[ImageId, ...]) -> None:
        self.go = threading.Event()
        writer = bench.project.writer
        assert writer is not None

        def slowly(ticker: Any) -> Iterator[Edit]:
            assert self.go.wait(30)
            for edit in edits(images):
                ticker.step()
                yield edit

        bench.documents.write_long(
            JobKind.RESTORE,
            "Restoring",
            lambda ticker: writer.write_all(lambda _: slowly(ticker), Batch(Cause.RESTORE)),
            frozenset(images),
        )


def idle(qtbot: Any, bench: Bench) -> None:
    qtbot.waitUntil(lambda: not bench.documents.busy and bench.documents.save_state().saved, timeout=10_000)


def test_undo_takes_a_batch_back_in_every_image_and_open_documents_follow(qtbot: Any, bench: Bench) -> None:
    bring_in(bench)
    for image in IMAGES:
        bench.show(image)
    assert bench.ids().all()
    jobs = bench.heard.states
    seen: list[Changed] = []
    rewritten: list[frozenset[ImageId]] = []
    bench.documents.changed.connect(seen.append)
    bench.documents.rewritten.connect(rewritten.append)
    bench.documents.undo()
    idle(qtbot, bench)
    assert not bench.ids().any()
    for image in IMAGES:
        held = bench.documents.held(image)
        assert held is not None
        assert not held.document.raster.read(0, Rect(0, 0, 90, 70))[0].any()
        assert not held.document.objects
        assert held.document.next_object == 2
        assert not held.history.undoable
        assert held.history.next_redo() is not None
    assert rewritten == [frozenset(IMAGES)]
    assert {change.image for change in seen} == set(IMAGES)
    assert jobs[0] is not None
    assert (jobs[0].kind, jobs[0].text, jobs[-1]) == (JobKind.UNDO, "Undo in 3 images", None)
    bench.show(FIRST)
    bench.documents.redo()
    idle(qtbot, bench)
    assert bench.ids().all()
    assert not bench.documents.can_redo
    assert bench.seqs == list(range(1, 10))


def test_a_batch_is_taken_back_after_a_restart_and_refused_where_another_image_has_changed(
    qtbot: Any, opened: Callable[[], Project]
) -> None:
    bench = Bench(opened())
    bring_in(bench)
    bench.close()
    bench = Bench(opened())
    bench.show(IMAGES[1])
    bench.documents.tools.choose("eraser")
    bench.stroke(20, 20)
    bench.show(FIRST)
    failures = bench.heard.failures
    bench.documents.undo()
    qtbot.waitUntil(lambda: len(failures) == 1)
    assert "'1.png' has changed since" in failures[0].sentence
    assert "Nothing was undone" in failures[0].sentence
    assert bench.ids().all()
    assert bench.documents.can_undo
    bench.show(IMAGES[1])
    bench.documents.undo()
    bench.show(FIRST)
    bench.documents.undo()
    idle(qtbot, bench)
    assert not bench.ids().any()
    bench.close()


def test_a_stroke_that_ends_while_a_batch_is_written_waits_and_is_saved_after_it(qtbot: Any, bench: Bench) -> None:
    held = Held(bench, IMAGES[1:])
    bench.stroke(20, 20)
    painted = bench.ids()
    assert painted.any()
    assert not bench.documents.save_state().saved
    assert not bench.documents.can_undo
    with pytest.raises(ReadOnly, match="Restoring: nothing else"):
        bench.documents.undo()
    bench.stroke(60, 40)
    two = bench.ids()
    held.go.set()
    idle(qtbot, bench)
    assert bench.seqs == [1, 2, 3, 4]
    assert np.array_equal(bench.ids(), two)
    bench.documents.undo()
    assert np.array_equal(bench.ids(), painted)
    bench.documents.undo()
    assert not bench.ids().any()
    idle(qtbot, bench)
    assert bench.project.image(FIRST).labelled_pixels == 0


def test_no_stroke_begins_on_an_image_that_is_being_changed_and_a_sentence_says_why(qtbot: Any, bench: Bench) -> None:
    said = bench.heard.words
    held = Held(bench, (FIRST,))
    bench.stroke(20, 20)
    assert not bench.ids().any()
    assert said == ["Restoring: nothing else can be changed here until it is done."]
    held.go.set()
    idle(qtbot, bench)
    assert bench.ids().all()
    bench.stroke(20, 20)
    idle(qtbot, bench)
    assert bench.seqs == [1, 2] or bench.seqs == [1]


def test_a_stroke_waits_for_whoever_writes_many_edits_without_telling(qtbot: Any, bench: Bench) -> None:
    go = threading.Event()
    writer = bench.project.writer
    assert writer is not None

    def slowly() -> Iterator[Edit]:
        assert go.wait(30)
        yield from edits(IMAGES[1:])

    bench.documents.pointer(Pointer(Phase.PRESS, 20, 20, Button.LEFT))
    writer.write_all(slowly())
    bench.documents.commit_gesture()
    assert bench.ids().any()
    go.set()
    idle(qtbot, bench)
    assert bench.seqs == [1, 2, 3]
    assert bench.project.image(FIRST).labelled_pixels == np.count_nonzero(bench.ids())


def test_cancelling_a_long_write_leaves_nothing_and_what_waited_is_saved(qtbot: Any, bench: Bench) -> None:
    held = Held(bench, IMAGES[1:])
    said = bench.heard.words
    bench.stroke(20, 20)
    (restoring,) = bench.ground.jobs.of(JobKind.RESTORE)
    bench.ground.jobs.cancel(restoring.id)
    held.go.set()
    idle(qtbot, bench)
    assert said == ["The change was cancelled. Nothing was changed."]
    assert [row.labelled_pixels > 0 for row in bench.project.images()] == [True, False, False]
    assert bench.seqs == [1]


def test_a_stroke_that_waits_goes_on_waiting_where_somebody_else_begins_to_write(
    qtbot: Any, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(bench, IMAGES[1:])
    for x in (20, 50, 70):
        bench.stroke(x, 20)
    painted = bench.ids().copy()
    writer = bench.project.writer
    assert writer is not None
    real, tries = writer.submit, []

    def taken(edit: Edit) -> Any:
        tries.append(edit)
        if len(tries) == 2:  # between the look whether something large is written and the hand-over
            raise ReadOnly("A large change is being written; nothing else can be written until it is done.")
        return real(edit)

    monkeypatch.setattr(writer, "submit", taken)
    held.go.set()
    idle(qtbot, bench)
    assert len(tries) == 4
    assert np.array_equal(bench.ids(), painted)
    assert bench.documents.held_edits == []
    assert bench.project.image(FIRST).labelled_pixels == np.count_nonzero(painted)


def test_strokes_that_the_writer_does_not_take_stay_on_screen_and_held_until_it_does(
    qtbot: Any, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(bench, IMAGES[1:])
    for x in (20, 50):
        bench.stroke(x, 20)
    painted = bench.ids().copy()

    def refuse(_edit: Edit) -> Any:
        raise ReadOnly("The project is closed.")

    with monkeypatch.context() as patch:
        patch.setattr(bench.project.writer, "submit", refuse)
        held.go.set()
        qtbot.waitUntil(lambda: not bench.documents.long.running)
        qtbot.wait(120)
        assert len(bench.documents.held_edits) == 2
        assert np.array_equal(bench.ids(), painted)
    idle(qtbot, bench)
    assert bench.documents.held_edits == []
    assert bench.project.image(FIRST).labelled_pixels == np.count_nonzero(painted)


def test_closing_waits_for_a_long_write_and_the_stroke_that_waits_for_it(bench: Bench) -> None:
    held = Held(bench, IMAGES[1:])
    bench.stroke(20, 20)
    held.go.set()
    bench.documents.settle()
    bench.close()
    with Project.open(bench.project.path, write=False) as project:
        assert all(row.labelled_pixels for row in project.images())
        assert project.last_seq() == 3


def test_closing_cancels_a_long_write_that_takes_too_long(bench: Bench) -> None:
    held = Held(bench, IMAGES[1:])
    bench.stroke(20, 20)
    threading.Timer(0.3, held.go.set).start()
    bench.documents.settle(0.05)
    bench.close()
    with Project.open(bench.project.path, write=False) as project:
        assert [row.labelled_pixels > 0 for row in project.images()] == [True, False, False]


def test_a_second_long_write_is_refused_while_one_is_under_way(qtbot: Any, bench: Bench) -> None:
    held = Held(bench, IMAGES[1:])
    with pytest.raises(UserError, match="Restoring: nothing else"):
        Held(bench, IMAGES[1:])
    held.go.set()
    idle(qtbot, bench)


def test_an_image_that_was_being_read_while_a_batch_was_written_is_read_anew_when_shown(
    qtbot: Any, bench: Bench
) -> None:
    stale = OpenDocument(bench.project.document(IMAGES[1]), bench.project.history(IMAGES[1]))
    bring_in(bench)
    bench.documents.show(stale, 0)
    assert bench.ids().all()
    assert bench.documents.can_undo


def test_the_list_of_images_follows_a_batch(qtbot: Any, bench: Bench) -> None:
    navigation = Navigation(bench.ground, bench.documents)
    try:
        Held(bench, IMAGES[1:]).go.set()
        idle(qtbot, bench)
        qtbot.waitUntil(lambda: [item.labelled_pixels > 0 for item in navigation.items] == [False, True, True])
    finally:
        navigation.close()


def test_an_edit_above_the_limit_is_filled_undone_and_redone_as_a_job(
    qtbot: Any, opened: Callable[[], Project]
) -> None:
    bench = Bench(opened())
    bench.documents.largest_edit_bytes = 0
    bench.stroke(20, 20)
    painted = bench.ids()
    classes = bench.documents.classes
    then: list[int] = []

    def halves(rect: Rect) -> np.ndarray:
        wanted = np.full((rect.h, rect.w), 2, np.int32)
        wanted[:, rect.w // 2 :] = 3
        return wanted

    work = Filling({0: halves}, classes, Origin.ACCEPTED, only_unknown=True, status=Status.DONE)
    write = filling(bench.project, Edit(FIRST, Cause.ACCEPT, tool="accept", author="a"), work)
    bench.documents.write_long(JobKind.ACCEPT, "Accepting", write, frozenset({FIRST}), then.append)
    idle(qtbot, bench)
    assert then == [1]
    filled = bench.ids()
    assert filled.all()
    assert np.array_equal(filled[painted > 0], painted[painted > 0])
    assert bench.project.image(FIRST).status is Status.DONE
    bench.documents.undo()
    idle(qtbot, bench)
    assert np.array_equal(bench.ids(), painted)
    assert bench.project.image(FIRST).status is Status.IN_PROGRESS
    bench.documents.redo()
    idle(qtbot, bench)
    assert np.array_equal(bench.ids(), filled)
    assert bench.seqs == [1, 2, 3, 4]
    bench.close()
    with Project.open(bench.project.path, write=False) as project:
        document = project.document(FIRST)
        assert np.array_equal(document.raster.read(0, document.raster.bounds(0))[0], filled)


def test_painting_goes_on_over_tiles_that_left_memory(qtbot: Any, opened: Callable[[], Project]) -> None:
    project = opened()
    bench = Bench(project)
    bench.documents.close()
    bench.documents = Documents(ground_of(project), budget=TileBudget(0))
    bench.documents.editCommitted.connect(bench.seqs.append)
    bench.show(FIRST)
    bench.stroke(20, 20)
    current = bench.documents.current
    assert current is not None
    assert (0, 0, 0) in current.document.raster.in_memory()
    qtbot.waitUntil(lambda: bench.seqs == [1])
    assert (0, 0, 0) not in current.document.raster.in_memory()
    first = bench.ids()
    bench.stroke(60, 40)
    qtbot.waitUntil(lambda: bench.seqs == [1, 2])
    bench.documents.undo()
    assert np.array_equal(bench.ids(), first)
    bench.documents.undo()
    assert not bench.ids().any()
    qtbot.waitUntil(lambda: bench.seqs == [1, 2, 3, 4])


def test_of_a_write_that_a_hanging_disk_holds_at_the_close_nothing_is_claimed(
    qtbot: Any, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_writes, "_CANCEL_S", 0.05)
    held = Held(bench, IMAGES)
    failures = bench.heard.failures
    bench.documents.long.finish(0.05)
    words = "Restoring: the disk does not respond. It is done completely or not at all; you will see which when you"
    assert [(told.job, told.sentence) for told in failures] == [(JobKind.RESTORE, f"{words} next open the project.")]
    assert bench.documents.long.running
    held.go.set()
    idle(qtbot, bench)
    assert not bench.ids().any()
