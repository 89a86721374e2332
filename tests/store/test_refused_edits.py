"""Edits that the journal refuses: they are set aside and said, and whatever comes after them is saved."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segstudio.errors import DiskRefused, EditConflict
from segstudio.geometry import Rect
from segstudio.labels.class_rows import class_columns
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, RowChange, Table, decode_edit
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, LabelClass, Seq
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import expanded
from segstudio.store.project import Project
from segstudio.store.writing import fitting
from segstudio.store.writing import writer as writer_module
from segstudio.store.writing.waiting_edits import read_waiting, set_aside_files_of, waiting_file, waiting_files_of
from segstudio.store.writing.write_connection import WriteConnection
from segstudio.store.writing.writer import SetAside, Writer
from segstudio.tasks.keeping.merge import merge
from segstudio.tasks.keeping.repair import repair
from segstudio.tasks.progress import finished
from tests.store.plain_labels import Labels, labels_of
from tests.store.refusing_disk import RefusingConnection, refusing
from tests.store.store_painting import CELL, CLASSES, FIRST, flushed, new_images, paint, painted, undo, whole

SECOND = ImageId(2)


def _writer(project: Project) -> Writer:
    assert project.writer is not None
    return project.writer


@pytest.fixture
def told(project: Project) -> list[Any]:
    """What the writer tells, in order: numbers that are saved, and what was set aside."""
    heard: list[Any] = []
    _writer(project).on_saved = heard.append
    _writer(project).on_set_aside = heard.append
    return heard


def _without_row(project: Project) -> Edit:
    """Pixels of an object that has no row, as an exception in a gesture left them."""
    return painted(project.document(FIRST), Rect(300, 0, 50, 50), 77)


def _aside(project: Project) -> list[Edit]:
    return [decode_edit(blob) for file in set_aside_files_of(project.path) for _, blob in read_waiting(file)]


def test_an_edit_that_the_journal_refuses_is_set_aside_and_what_follows_is_saved(
    project: Project, told: list[Any]
) -> None:
    document, writer = project.document(FIRST), _writer(project)
    paint(project, document, Rect(0, 0, 50, 50), CELL)
    flushed(project)
    faulty = _without_row(project)
    seq = writer.submit(faulty)
    flushed(project)
    paint(project, document, Rect(100, 0, 50, 50), CELL)
    assert writer.flush(30)
    first, aside, third = told
    assert (first, third) == (1, 3)
    assert aside.edits == ((seq, faulty),)
    assert aside.sentence == (
        "1 edit of 'field/0.png' could not be saved because of a fault in SegStudio and was undone. It is kept in "
        f"{aside.kept}; everything else is saved."
    )
    assert "object 77 has pixels and no row" in aside.details
    assert [edit.id for edit in _aside(project)] == [faulty.id]
    assert writer.state.saved
    assert writer.state.refused == ""
    assert project.image(FIRST).labelled_pixels == 5000
    assert np.array_equal(whole(project.document(FIRST))[0], whole(document)[0])


def test_numbers_go_on_and_undo_and_redo_do_not_notice(project: Project, told: list[Any]) -> None:
    document, writer = project.document(FIRST), _writer(project)
    first = paint(project, document, Rect(0, 0, 50, 50), CELL)
    undone = undo(project, document, first)
    flushed(project)
    faulty = writer.submit(_without_row(project))
    assert writer.flush(30)
    assert project.last_seq() == faulty == 3
    assert project.history(FIRST).redoable == (undone,)
    assert project.history(FIRST).undoable == ()
    assert project.history(SECOND).undoable == ()
    inverse = _without_row(project).inverted(faulty, Cause.UNDO)
    writer.submit(inverse)
    assert writer.flush(30)
    assert [edit.id for edit in _aside(project)][1:] == [inverse.id]
    project.close()
    with Project.open(project.path) as again:
        assert again.notice == ""
        assert paint(again, again.document(FIRST), Rect(0, 0, 9, 9), CELL) == 5


def test_what_rests_on_a_refused_edit_is_set_aside_with_it_in_one_file(project: Project, told: list[Any]) -> None:
    document, writer = project.document(FIRST), _writer(project)
    gate = threading.Event()
    writer.call(lambda _: gate.wait(30))
    edit = painted(document, Rect(0, 0, 50, 50), 1, new_class=CELL)
    document.apply(edit)
    writer.submit(replace(edit, rows=()))  # the row went missing on the way
    paint(project, document, Rect(20, 20, 50, 50), CELL)  # over its pixels
    paint(project, document, Rect(300, 0, 50, 50), CELL)  # beside them
    gate.set()
    assert writer.flush(30)
    aside, saved = told
    assert [seq for seq, _ in aside.edits] == [1, 2]
    assert aside.sentence.startswith("2 edits of 'field/0.png' could not be saved")
    assert saved == 3
    assert len(set_aside_files_of(project.path)) == 1
    assert project.image(FIRST).labelled_pixels == 2500


def test_a_document_leaves_out_what_waits_and_rests_on_a_refused_edit(project: Project) -> None:
    document, writer = project.document(FIRST), _writer(project)
    gate, told = threading.Event(), threading.Event()
    writer.on_set_aside = lambda _: (told.set(), gate.wait(30))
    edit = painted(document, Rect(0, 0, 50, 50), 1, new_class=CELL)
    document.apply(edit)
    writer.submit(replace(edit, rows=()))
    assert told.wait(30)
    paint(project, document, Rect(20, 20, 50, 50), CELL)
    paint(project, document, Rect(300, 0, 50, 50), CELL)
    read = project.document(FIRST)
    gate.set()
    assert np.count_nonzero(whole(read)[0]) == 2500
    assert writer.flush(30)
    assert np.array_equal(whole(project.document(FIRST))[0], whole(read)[0])


@pytest.mark.parametrize("error", [ValueError("odd"), AssertionError(), sqlite3.InterfaceError("type"), KeyError(3)])
def test_whatever_is_raised_while_an_edit_is_written_costs_that_edit_alone(
    project: Project, told: list[Any], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    write = fitting.write_edit

    def failing(db: sqlite3.Connection, seq: Seq, edit: Edit) -> bool:
        written = write(db, seq, edit)
        if edit.tool == "faulty":
            raise error
        return written

    monkeypatch.setattr(fitting, "write_edit", failing)
    document, writer = project.document(FIRST), _writer(project)
    writer.submit(replace(painted(document, Rect(0, 0, 9, 9), 1, new_class=CELL), tool="faulty"))
    paint(project, document, Rect(0, 0, 50, 50), CELL)
    assert writer.flush(30)
    assert project.image(FIRST).labelled_pixels == 2500
    assert [seq for seq, _ in told[0].edits] == [1]


def test_an_edit_with_values_that_cannot_be_stored_is_kept_as_well(project: Project, told: list[Any]) -> None:
    row = RowChange(Table.OBJECTS, np.int64(1), None, {"class_id": np.int64(CELL)})  # type: ignore[arg-type]
    _writer(project).submit(Edit(FIRST, Cause.CLASSES, rows=(row,)))
    assert _writer(project).flush(30)
    (kept,) = _aside(project)
    assert kept.rows == (RowChange(Table.OBJECTS, 1, None, {"class_id": CELL}),)


def test_a_class_that_is_refused_costs_the_objects_of_it_alone(project: Project, told: list[Any]) -> None:
    writer = _writer(project)
    made = LabelClass(ClassId(4), "cell", "#56B4E9", Kind.INSTANCE, 3, 3)  # the name is taken
    writer.submit(Edit(None, Cause.CLASSES, rows=(RowChange(Table.CLASSES, 4, None, class_columns(made)),)))
    paint(project, project.document(SECOND), Rect(0, 0, 50, 50), 4)
    flushed(project)
    paint(project, project.document(FIRST), Rect(0, 0, 50, 50), CELL)
    flushed(project)
    assert [[seq for seq, _ in t.edits] if isinstance(t, SetAside) else t for t in told] in ([[1, 2], 3], [[1], [2], 3])
    assert project.classes().named("cell").id == CELL  # type: ignore[union-attr]


def test_where_it_cannot_be_set_aside_it_stays_in_memory_and_is_kept_at_the_close(
    project: Project, told: list[Any], user_folders: Path
) -> None:
    folder = waiting_file(project.uuid, project.path).parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    writer, document = _writer(project), project.document(FIRST)
    faulty = _without_row(project)
    writer.submit(faulty)
    paint(project, document, Rect(0, 0, 50, 50), CELL)
    assert writer.flush(30)
    aside = next(t for t in told if isinstance(t, SetAside))
    assert aside.kept is None
    assert "kept in memory until the project is closed" in aside.sentence
    assert "not kept" in aside.details
    assert not writer.state.saved
    assert project.image(FIRST).labelled_pixels == 2500
    folder.unlink()
    project.close()
    with Project.open(project.path) as again:
        assert "no longer fits this project" in again.notice
        assert [edit.id for edit in _aside(again)] == [faulty.id]


def test_a_disk_that_refuses_meanwhile_sets_nothing_aside(make_project: Callable[..., Project]) -> None:
    made = make_project()
    made.close()
    kind: type[RefusingConnection] = refusing()
    with Project.open(made.path, connection_type=kind) as project:
        kind.refuse = "full"
        writer = _writer(project)
        writer.submit(_without_row(project))
        assert not writer.flush(30)
        assert set_aside_files_of(project.path) == []
        assert writer.pending == 1
        kind.refuse = None
        assert writer.flush(30)
        assert len(set_aside_files_of(project.path)) == 1


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What reaches `threading.excepthook`."""
    found: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: found.append(args.exc_value))
    return found


def test_a_listener_that_fails_ends_nothing_and_is_reported(project: Project, reported: list[Any]) -> None:
    writer, document = _writer(project), project.document(FIRST)

    def fail(*_: object) -> None:
        raise LookupError("a listener's")

    writer.on_saved = writer.on_set_aside = fail
    paint(project, document, Rect(0, 0, 50, 50), CELL)
    writer.submit(_without_row(project))
    paint(project, document, Rect(100, 0, 50, 50), CELL)
    assert writer.flush(30)
    assert project.image(FIRST).labelled_pixels == 5000
    assert [str(error) for error in reported] == ["a listener's"] * 3
    assert writer.state.saved


def test_a_writer_that_cannot_go_on_says_so_at_once_and_keeps_what_waits(
    project: Project, reported: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, document = _writer(project), project.document(FIRST)
    said: list[str] = []
    writer.on_refused = said.append
    paint(project, document, Rect(0, 0, 50, 50), CELL)
    flushed(project)

    def broken(*_: object) -> None:
        raise RuntimeError("the program's own")

    transact = WriteConnection.transact
    monkeypatch.setattr(WriteConnection, "transact", broken)
    paint(project, document, Rect(100, 0, 50, 50), CELL)
    assert not writer.flush(30)
    writer._thread.join(30)
    state = writer.state
    assert not state.saved
    assert said == [state.refused]
    assert state.refused.startswith("A fault in SegStudio stopped the saving.")
    assert "the program's own" in state.fault
    assert [str(error) for error in reported] == ["the program's own"]
    (kept,) = waiting_files_of(project.path)
    assert len(read_waiting(kept)) == 1  # at once: whatever becomes of the program
    paint(project, document, Rect(200, 0, 50, 50), CELL)
    with pytest.raises(DiskRefused, match="fault in SegStudio"):
        writer.call(lambda _: None).result(30)
    assert not writer.flush(30)
    expected = whole(document)[0]
    project.close()
    monkeypatch.setattr(WriteConnection, "transact", transact)
    with Project.open(project.path) as again:
        assert again.notice.startswith("2 edits")
        assert np.array_equal(whole(again.document(FIRST))[0], expected)
        assert again.history(FIRST).undoable == (1, 2, 3)


def test_a_commit_that_was_made_but_reported_as_refused_is_not_written_twice(
    project: Project, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_RETRY_S", 0.02)
    transact, refuse = WriteConnection.transact, [True]

    def reported(self: WriteConnection, job: Callable[[sqlite3.Connection], Any]) -> Any:
        result = transact(self, job)
        if refuse.pop() if refuse else False:
            raise OSError(5, "Input/output error")
        return result

    monkeypatch.setattr(WriteConnection, "transact", reported)
    paint(project, project.document(FIRST), Rect(0, 0, 50, 50), CELL)
    for _ in range(500):
        if told:
            break
        threading.Event().wait(0.02)
    assert told == [1]
    assert project.image(FIRST).labelled_pixels == 2500


def test_a_journal_with_a_refused_edit_is_whole_for_a_repair_and_a_merge(project: Project, tmp_path: Path) -> None:
    document = project.document(FIRST)
    paint(project, document, Rect(0, 0, 50, 50), CELL)
    _writer(project).submit(_without_row(project))
    flushed(project)
    copy = shutil.copytree(project.path, tmp_path / "copy.segstudio", ignore=lambda *_: ["project.lock"])
    paint(project, document, Rect(100, 0, 50, 50), CELL)
    project.close()
    with Project.open(copy) as other:
        _writer(other).submit(_without_row(other))
        paint(other, other.document(SECOND), Rect(0, 0, 50, 50), CELL)
    report = finished(repair(project.path))
    assert report.whole
    with Project.open(report.out) as repaired:
        assert repaired.history(FIRST).undoable == (1, 3)
    merged = finished(merge(report.out, copy, tmp_path / "both.segstudio"))
    assert not merged.conflicts
    with Project.open(tmp_path / "both.segstudio") as both:
        assert [row.labelled_pixels for row in both.images()] == [5000, 2500, 0]


# --- at random, beside a model


_RECTS = st.builds(
    Rect, st.sampled_from([0, 100, 250, 300]), st.sampled_from([0, 250]), st.integers(1, 300), st.integers(1, 90)
)
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["paint", "paint", "extend", "undo", "no row", "stale", "raises", "look"]),
        st.sampled_from([FIRST, SECOND]),
        _RECTS,
    ),
    max_size=25,
)


class _Life:
    """A person who paints and does not notice what is refused before 'look'; and what should be saved of it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.documents = {image: project.document(image) for image in (FIRST, SECOND)}
        self.saved = {image: Labels.blank(1, 600, 400) for image in self.documents}
        self.numbers: list[tuple[Seq, Edit]] = []
        self.refused: set[int] = set()
        self.made: dict[ImageId, set[int]] = {image: set() for image in self.documents}

    def submit(self, edit: Edit, *, faulty: bool = False) -> None:
        seq = _writer(self.project).submit(edit)
        self.numbers.append((seq, edit))
        if faulty or not self._fits(edit):
            self.refused.add(seq)
            return
        assert edit.image is not None
        labels = self.saved[edit.image]
        for (_, ty, tx), change in edit.tiles.items():
            part = np.s_[0, ty * 256 : ty * 256 + 256, tx * 256 : tx * 256 + 256]
            height, width = labels.ids[part].shape
            ids, origins = expanded(change.after)
            labels.ids[part], labels.origins[part] = ids[:height, :width], origins[:height, :width]
        for row in edit.rows:
            if row.after is None:
                labels.objects.pop(row.key)
            else:
                labels.objects[row.key] = int(row.after["class_id"])  # type: ignore[arg-type]
        self.made[edit.image] |= {row.key for row in edit.rows}

    def _fits(self, edit: Edit) -> bool:
        """By whole arrays: what was before is there, and every object that gets or keeps pixels has a row."""
        assert edit.image is not None
        labels = self.saved[edit.image]
        if edit.undoes in self.refused or any(edit.undoes == e.undoes for s, e in self._standing() if e.undoes):
            return False
        for (_, ty, tx), change in edit.tiles.items():
            part = np.s_[0, ty * 256 : ty * 256 + 256, tx * 256 : tx * 256 + 256]
            height, width = labels.ids[part].shape
            ids, origins = expanded(change.before)
            same = np.array_equal(ids[:height, :width], labels.ids[part])
            if not (same and np.array_equal(origins[:height, :width], labels.origins[part])):
                return False
        objects = dict(labels.objects)
        for row in edit.rows:
            if (row.before is None) != (row.key not in objects):
                return False
            if row.after is None:
                del objects[row.key]
            else:
                objects[row.key] = 0
        after = set(np.unique(labels.ids).tolist()) - {0}
        for change in edit.tiles.values():
            after |= set(np.unique(expanded(change.after)[0]).tolist())
        deleted = {row.key for row in edit.rows if row.after is None}
        if deleted:
            rest = labels.ids.copy()
            for (_, ty, tx), change in edit.tiles.items():
                part = np.s_[0, ty * 256 : ty * 256 + 256, tx * 256 : tx * 256 + 256]
                height, width = rest[part].shape
                rest[part] = expanded(change.after)[0][:height, :width]
            return not np.isin(rest, list(deleted)).any()
        return not (after - {0}) - objects.keys()

    def _standing(self) -> Iterator[tuple[Seq, Edit]]:
        return ((seq, edit) for seq, edit in self.numbers[:-1] if seq not in self.refused)

    def step(self, what: str, image: ImageId, rect: Rect) -> None:
        document = self.documents[image]
        if what == "look":
            flushed(self.project)
            self.documents[image] = self.project.document(image)
        elif what == "undo":
            mine = [(s, e) for s, e in self.numbers if e.image == image and e.undoes is None and e.tool == "brush"]
            taken = {e.undoes for _, e in self.numbers}
            seq, edit = next(((s, e) for s, e in reversed(mine) if s not in taken), (None, None))
            if edit is not None and seq is not None:
                inverse = edit.inverted(seq, Cause.UNDO)
                try:
                    document.apply(inverse)
                except EditConflict:
                    return
                self.submit(inverse)
        elif what in ("paint", "raises", "no row"):
            edit = painted(document, rect, document.next_object, new_class=CELL)
            document.apply(edit)
            if what == "no row":
                self.submit(replace(edit, rows=()))
            else:
                self.submit(replace(edit, tool=what if what == "raises" else "brush"), faulty=what == "raises")
        elif what == "extend" and document.objects:
            edit = painted(document, rect, min(document.objects))
            if edit.tiles:
                document.apply(edit)
                self.submit(edit)
        elif what == "stale":
            edit = painted(Document(image, Raster([(600, 400)]), {1: CELL}), rect, 1)
            self.submit(edit)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=_STEPS, hasty=st.booleans())
def test_of_random_edits_with_refused_ones_between_all_others_are_saved(
    steps: list[tuple[str, ImageId, Rect]], hasty: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("refused")
    write = fitting.write_edit

    def failing(db: sqlite3.Connection, seq: Seq, edit: Edit) -> bool:
        if edit.tool == "raises":
            raise ValueError("odd")
        return write(db, seq, edit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "write_edit", failing)
        with Project.create(folder / "f.segstudio", new_images(folder), CLASSES) as project:
            life, heard = _Life(project), list[Any]()
            _writer(project).on_saved = heard.append
            _writer(project).on_set_aside = heard.append
            for step in steps:
                life.step(*step)
                if not hasty:
                    flushed(project)
            flushed(project)
            saved = {int(told) for told in heard if not isinstance(told, SetAside)}
            aside = {int(seq) for told in heard if isinstance(told, SetAside) for seq, _ in told.edits}
            assert aside == life.refused
            assert (
                sorted(saved | aside) == [int(seq) for seq, _ in life.numbers] == list(range(1, len(saved | aside) + 1))
            )
            assert project.last_seq() == len(life.numbers)
            ids = {edit.id for seq, edit in life.numbers if seq in aside}
            assert {edit.id for edit in _aside(project)} == ids
            assert _writer(project).state.saved
            for image, labels in life.saved.items():
                found = labels_of(project.document(image))
                assert np.array_equal(found.ids, labels.ids)
                assert np.array_equal(found.origins, labels.origins)
                assert found.objects == labels.objects
            with project.reading() as db:
                assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
