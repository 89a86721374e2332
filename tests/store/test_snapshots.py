"""Names for numbers of edits: kept by hand, made by the day, thinned; and what they lead back to."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest

from segstudio.errors import ProjectDamaged, ReadOnly, UserError
from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row, new_class_row
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, LabelClass, Origin, Seq, Status
from segstudio.labels.tiles.tile import Constant
from segstudio.store.database.connect import Access, connect
from segstudio.store.history import daily
from segstudio.store.history.daily import DAILY_KEPT
from segstudio.store.history.restore import image_edit
from segstudio.store.history.snapshots import SnapshotKind, keep_snapshot
from segstudio.store.progress_token import Ticker
from segstudio.store.project import Project
from segstudio.store.snapshots import RestoreReport, delete, keep, listed, named, rename
from segstudio.tasks.keeping.snapshots import restore
from tests.store.store_painting import CELL, FIRST, VESSEL, commit, flushed, paint, painted, status_row

SECOND = ImageId(2)


def restored(project: Project, seq: Seq, images: tuple[ImageId, ...] | None = None) -> RestoreReport:
    task = restore(project, seq, images)
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value


def change_class(project: Project, *rows: RowChange) -> None:
    assert project.writer is not None
    project.writer.submit(Edit(None, Cause.CLASSES, rows=rows))
    flushed(project)


# --- names


def test_a_snapshot_names_the_number_of_the_last_edit_and_who_made_it(project: Project) -> None:
    document = project.document(FIRST)
    paint(project, document, Rect(0, 0, 30, 30), CELL)
    made = keep(project, " first light ").result(30)
    paint(project, document, Rect(40, 0, 30, 30), CELL)
    flushed(project)
    (found,) = listed(project)
    assert (found.name, found.seq, found.edits, found.kind) == ("first light", 1, 1, SnapshotKind.NAMED)
    assert found.author
    assert named(project, "FIRST light").id == made.id


def test_without_a_name_the_time_is_one_and_is_never_given_twice(project: Project) -> None:
    names = {keep(project).result(30).name for _ in range(3)}
    assert len(names) == 3


def test_a_name_that_is_taken_or_empty_is_refused(project: Project) -> None:
    first, second = keep(project, "a").result(30), keep(project, "b").result(30)
    for call in (lambda: keep(project, "A").result(30), lambda: rename(project, second.id, "a").result(30)):
        with pytest.raises(UserError, match="already"):
            call()
    with pytest.raises(UserError, match="name"):
        rename(project, first.id, "  ").result(30)
    assert rename(project, first.id, "A").result(30).name == "A"


def test_a_deleted_snapshot_is_gone_and_no_label_with_it(project: Project) -> None:
    paint(project, project.document(FIRST), Rect(0, 0, 30, 30), CELL)
    made = keep(project, "a").result(30)
    before = project.labels_sha256(FIRST)
    delete(project, made.id).result(30)
    assert listed(project) == []
    assert project.labels_sha256(FIRST) == before
    with pytest.raises(UserError, match="no longer"):
        delete(project, made.id).result(30)
    with pytest.raises(UserError, match="no snapshot"):
        named(project, "a")
    assert keep(project, "a").result(30).edits == 0


def test_a_reader_may_list_and_not_keep(project: Project) -> None:
    keep(project, "a").result(30)
    with Project.open(project.path, write=False) as reader:
        assert [s.name for s in listed(reader)] == ["a"]
        with pytest.raises(ReadOnly):
            keep(reader, "b")
        with pytest.raises(ReadOnly):
            next(restore(reader, Seq(0)))


# --- by the day


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[date], None]]:
    """Sets the local day."""

    def set_(day: date) -> None:
        monkeypatch.setattr(daily, "_today", lambda: day)

    return set_


def day_of_work(project: Project, strokes: int = 1) -> None:
    document = project.document(FIRST)
    for _ in range(strokes):
        paint(project, document, Rect(0, 0, 8, 8), CELL)
    flushed(project)


def test_the_first_edit_of_a_day_names_the_state_before_it(project: Project, clock: Callable[[date], None]) -> None:
    clock(date(2026, 3, 1))
    day_of_work(project, 2)
    assert listed(project) == []
    clock(date(2026, 3, 4))
    day_of_work(project, 3)
    day_of_work(project)
    (found,) = listed(project)
    assert (found.name, found.seq, found.kind) == ("before 2026-03-04", 2, SnapshotKind.DAILY)


def test_a_clock_that_goes_backwards_makes_no_second_snapshot_of_a_day(
    project: Project, clock: Callable[[date], None]
) -> None:
    for day in (3, 4, 3, 4, 2, 4, 5):
        clock(date(2026, 3, day))
        day_of_work(project)
    assert {s.name: s.seq for s in listed(project)} == {
        "before 2026-03-04": 1,
        "before 2026-03-03": 2,
        "before 2026-03-02": 4,
        "before 2026-03-05": 6,
    }


def test_of_old_daily_snapshots_one_a_week_stays_and_of_named_ones_all(
    project: Project, clock: Callable[[date], None]
) -> None:
    first = date(2026, 3, 2)  # a Monday
    for n in range(43):
        clock(first + timedelta(days=n))
        day_of_work(project)
        if n == 3:
            keep(project, "by hand").result(30)
    found = [s for s in reversed(listed(project)) if s.kind is SnapshotKind.DAILY]
    newest = [f"before {first + timedelta(days=n)}" for n in range(43 - DAILY_KEPT, 43)]
    assert [s.name for s in found[-DAILY_KEPT:]] == newest
    # The first edit of all has no state before it, so the first week begins with its Tuesday.
    older = [f"before {first + timedelta(days=n)}" for n in (1, 7, 14, 21, 28)]
    assert [s.name for s in found[:-DAILY_KEPT]] == older
    assert named(project, "by hand").seq == 4


def test_a_renamed_daily_snapshot_is_a_persons_and_stays(project: Project, clock: Callable[[date], None]) -> None:
    for n in range(2):
        clock(date(2026, 3, 2 + n))
        day_of_work(project)
    kept = rename(project, listed(project)[0].id, "the good one").result(30)
    assert kept.kind is SnapshotKind.NAMED
    for n in range(2, 40):
        clock(date(2026, 3, 2) + timedelta(days=n))
        day_of_work(project)
    assert named(project, "the good one").seq == kept.seq


# --- back to them


def test_restoring_is_one_batch_of_one_edit_an_image_that_differs(make_project: Callable[..., Project]) -> None:
    project = make_project(count=4)
    for image in (1, 2):
        paint(project, project.document(ImageId(image)), Rect(0, 0, 300, 300), CELL)
    made = keep(project, "a").result(30)
    document = project.document(SECOND)
    commit(project, document, painted(document, Rect(200, 0, 90, 90), 0))
    third = project.document(ImageId(3))
    paint(project, third, Rect(0, 0, 300, 300), VESSEL)
    commit(project, third, Edit(ImageId(3), Cause.STATUS, rows=(status_row(third, Status.DONE),)))
    flushed(project)
    report = restored(project, made.seq)
    assert report.images == (2, 3)
    assert not report.classes
    with project.reading() as db:
        rows = db.execute("SELECT image, cause, batch FROM edits WHERE seq > 5 ORDER BY seq").fetchall()
        assert db.execute("SELECT id, cause FROM batches").fetchall() == [(report.batch, "restore")]
    assert rows == [(2, "restore", report.batch), (3, "restore", report.batch)]
    assert project.image(ImageId(3)).status is Status.NEW
    assert project.image(ImageId(3)).labelled_pixels == 0
    assert project.document(ImageId(3)).next_object == 2


def test_where_nothing_differs_no_edit_is_made(project: Project) -> None:
    document = project.document(FIRST)
    first = paint(project, document, Rect(0, 0, 30, 30), CELL)
    made = keep(project, "a").result(30)
    undo = project.load_edit(first, document.raster.tile).inverted(first, Cause.UNDO)
    undone = commit(project, document, undo)
    commit(project, document, project.load_edit(undone, document.raster.tile).inverted(undone, Cause.REDO))
    report = restored(project, made.seq)
    assert (report.images, report.classes, report.batch) == ((), False, None)
    assert project.last_seq() == 3


def test_a_class_made_since_goes_out_of_use_and_its_name_is_free(project: Project) -> None:
    made = keep(project, "a").result(30)
    id_, value = project.next_class()
    table = project.classes()
    change_class(project, changed_class_row(table[ClassId(CELL)], name="old cell"))
    change_class(project, new_class_row(LabelClass(id_, "cell", "#123456", Kind.SEMANTIC, value, 9)))
    paint(project, project.document(FIRST), Rect(0, 0, 30, 30), int(id_))
    report = restored(project, made.seq)
    assert report.classes
    assert [c.name for c in project.classes()] == ["background", "cell", "vessel"]
    assert project.classes()[id_].removed
    assert project.objects(FIRST) == []
    assert project.next_class() == (id_ + 1, value + 1)


def test_names_that_two_classes_have_swapped_come_back(project: Project) -> None:
    made = keep(project, "a").result(30)
    table = project.classes()
    for class_id, name in ((CELL, "between"), (VESSEL, "cell"), (CELL, "vessel")):
        change_class(project, changed_class_row(project.classes()[ClassId(class_id)], name=name))
    restored(project, made.seq)
    assert list(project.classes()) == list(table)


def test_a_class_that_was_undone_since_is_made_again_with_its_objects(project: Project) -> None:
    id_, value = project.next_class()
    change_class(project, new_class_row(LabelClass(id_, "nerve", "#123456", Kind.INSTANCE, value, 9)))
    document = project.document(FIRST)
    second = paint(project, document, Rect(0, 0, 30, 30), int(id_))
    made = keep(project, "a").result(30)
    before = project.labels_sha256(FIRST)
    commit(project, document, project.load_edit(second, document.raster.tile).inverted(second, Cause.UNDO))
    assert project.writer is not None
    project.writer.submit(project.load_edit(Seq(1), document.raster.tile).inverted(Seq(1), Cause.UNDO))
    flushed(project)
    assert id_ not in project.classes()
    restored(project, made.seq)
    assert project.classes()[id_].name == "nerve"
    assert project.labels_sha256(FIRST) == before


def test_a_restore_of_a_class_that_changed_its_kind_or_was_undone_is_taken_back(project: Project) -> None:
    id_, value = project.next_class()
    change_class(project, new_class_row(LabelClass(id_, "nerve", "#123456", Kind.INSTANCE, value, 9)))
    document = project.document(FIRST)
    commit(project, document, painted(document, Rect(0, 0, 30, 30), 1, new_class=VESSEL))
    third = commit(project, document, painted(document, Rect(40, 0, 30, 30), 2, new_class=int(id_)))
    made = keep(project, "a").result(30)
    commit(project, document, project.load_edit(third, document.raster.tile).inverted(third, Cause.UNDO))
    commit(project, document, painted(document, Rect(0, 0, 30, 30), 0))
    flushed(project)
    assert project.writer is not None
    project.writer.submit(project.load_edit(Seq(1), document.raster.tile).inverted(Seq(1), Cause.UNDO))
    change_class(project, changed_class_row(project.classes()[ClassId(VESSEL)], kind="instance"))
    commit(project, document, painted(document, Rect(0, 0, 9, 9), 3, new_class=VESSEL))
    flushed(project)
    before, classes = project.labels_sha256(FIRST), list(project.classes())
    report = restored(project, made.seq)
    assert project.classes()[ClassId(VESSEL)].kind is Kind.SEMANTIC
    assert report.last is not None
    assert project.undo_refusal(Seq(report.last - 1)) == ""
    assert project.take_back(report.last, "ann").result(30) == 2
    assert (project.labels_sha256(FIRST), list(project.classes())) == (before, classes)


def test_one_image_restored_leaves_classes_and_names_those_out_of_use(project: Project) -> None:
    document = project.document(FIRST)
    paint(project, document, Rect(0, 0, 30, 30), VESSEL)
    made = keep(project, "a").result(30)
    commit(project, document, painted(document, Rect(0, 0, 30, 30), 0))
    gone = RowChange(Table.OBJECTS, 1, {"class_id": VESSEL}, None)
    commit(project, document, Edit(FIRST, Cause.ERASE, rows=(gone,)))
    change_class(project, changed_class_row(project.classes()[ClassId(VESSEL)], removed=True))
    report = restored(project, made.seq, (FIRST,))
    assert report.unused == ("vessel",)
    assert not report.classes
    assert project.classes()[ClassId(VESSEL)].removed
    assert project.image(FIRST).labelled_pixels == 900


def test_tiles_are_read_one_by_one_and_only_those_that_differ(project: Project) -> None:
    document = project.document(FIRST)
    paint(project, document, Rect(0, 0, 600, 400), CELL)
    made = keep(project, "a").result(30)
    paint(project, document, Rect(0, 0, 20, 20), CELL)
    flushed(project)
    with project.reading() as db:
        edit = image_edit(db, FIRST, made.seq, "", Ticker())
        assert edit is not None
        row, (key, change) = edit.parts
    assert isinstance(row, RowChange)
    assert key == (0, 0, 0)
    assert change.after == Constant(1, Origin.PAINTED)


def test_a_damaged_delta_is_said_and_nothing_is_restored(project: Project) -> None:
    document = project.document(FIRST)
    paint(project, document, Rect(0, 0, 30, 30), CELL)
    made = keep(project, "a").result(30)
    for x in (40, 80):
        paint(project, document, Rect(x, 0, 30, 30), CELL)
    other = project.document(SECOND)
    paint(project, other, Rect(0, 0, 30, 30), CELL)
    project.close()
    db = connect(project.path / "project.db", Access.WRITE)
    db.execute("UPDATE deltas SET data = (SELECT data FROM deltas WHERE seq = 1) WHERE seq = 2")
    db.close()
    with Project.open(project.path) as again:
        before = [again.labels_sha256(image) for image in (FIRST, SECOND)]
        with pytest.raises(ProjectDamaged, match=r"field/0.png"):
            restored(again, made.seq)
        assert [again.labels_sha256(image) for image in (FIRST, SECOND)] == before
        assert again.last_seq() == 4
        assert restored(again, made.seq, (SECOND,)).images == (SECOND,)


def test_a_restore_that_is_closed_changes_nothing(make_project: Callable[..., Project]) -> None:
    project = make_project(count=30)
    made = keep(project, "a").result(30)
    for row in project.images():
        paint(project, project.document(row.id), Rect(0, 0, 600, 400), CELL)
    task = restore(project, made.seq)
    next(task)
    task.close()
    flushed(project)
    assert project.last_seq() in (30, 60)  # whole or not at all


def test_snapshots_are_there_after_a_restart(project: Project) -> None:
    made = keep(project, "a").result(30)
    project.close()
    with Project.open(project.path) as again:
        assert [(s.id, s.name) for s in listed(again)] == [(made.id, "a")]


def test_a_snapshot_whose_number_is_used_again_has_its_own_author(project: Project) -> None:
    assert project.writer is not None
    for author in ("ann", "ben", ""):
        made = project.writer.call(lambda db, author=author: keep_snapshot(db, "a", author)).result(30)
        assert (made.id, made.author) == (1, author)
        project.writer.call(lambda db: db.execute("DELETE FROM snapshots")).result(30)
