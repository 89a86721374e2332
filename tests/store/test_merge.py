"""Two projects into one: against a naive model, and what a merge must never do."""

import hashlib
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings

from segstudio.errors import DiskRefused, NotAProject, ProjectDamaged, ProjectNewer, UserError
from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, Origin, Status
from segstudio.store.catalog.versions import add_version, begin_run, end_run
from segstudio.store.database.connect import connect
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, Split, VersionRow
from segstudio.tasks.images.info import info
from segstudio.tasks.keeping.backup import backup
from segstudio.tasks.keeping.merge import merge
from segstudio.tasks.keeping.repair import repair
from segstudio.tasks.progress import finished
from tests.store.merge_model import (
    CLASSES,
    NERVE,
    VESSEL,
    Model,
    Op,
    assert_merged,
    copied,
    images,
    merged,
    ops,
    play,
    said,
)
from tests.store.refusing_disk import refusing
from tests.store.store_painting import BACKGROUND, FIRST, commit, flushed, status_row, undo, whole

A_RECT, B_RECT = Rect(0, 0, 6, 4), Rect(4, 2, 6, 4)

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _bytes(folder: Path) -> dict[str, str]:
    """What a project's files hold; SQLite's index of a log is no content."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not _left_by_a_reader(path))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _left_by_a_reader(path: Path) -> bool:
    return path.name.endswith("-shm") or (path.name.endswith("-wal") and not path.stat().st_size)


def _paint(x: int, width: int, class_name: str) -> Op:
    return ("paint", 1, 0, Rect(x, 0, width, 4), class_name)


@few
@given(in_a=ops(), in_b=ops())
@example(in_a=[_paint(0, 6, "cell")], in_b=[_paint(2, 6, "cell")])  # an IoU of a half is not above it
@example(in_a=[_paint(0, 6, "cell")], in_b=[_paint(1, 6, "cell")])
def test_two_projects_of_the_same_images_merge_as_the_model_does(in_a: list[Op], in_b: list[Op]) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        sides = []
        for which, todo, origin in (("a", in_a, Origin.PAINTED), ("b", in_b, Origin.IMPORTED)):
            with Project.create(root / f"{which}.segstudio", images(root), CLASSES) as project:
                play(project, todo, origin)
                sides.append(said(project))
        before = _bytes(root)
        report = merged(root / "a.segstudio", root / "b.segstudio", root / "c.segstudio")
        with Project.open(root / "c.segstudio") as c:
            assert_merged(Model(*sides, None), report, c)
        assert {key: value for key, value in _bytes(root).items() if not key.startswith("c.")} == before


@few
@given(first=ops(), in_a=ops(), in_b=ops())
@example(first=[_paint(0, 6, "cell")], in_a=[("remove",)], in_b=[_paint(0, 6, "vessel")])  # hides nothing that A knows
@example(first=[_paint(0, 6, "vessel")], in_a=[], in_b=[_paint(0, 6, "vessel")])  # only the origin differs
@example(first=[_paint(0, 6, "cell")], in_a=[], in_b=[_paint(2, 4, "cell")])  # a cell that B cut in two
@example(first=[_paint(0, 6, "cell"), ("undo", 1)], in_a=[("redo", 1)], in_b=[("redo", 1), ("erase", 1, 0, A_RECT)])
def test_copies_of_one_project_merge_from_their_last_common_edit_as_the_model_does(
    first: list[Op], in_a: list[Op], in_b: list[Op]
) -> None:
    _assert_copies_merge(first, in_a, in_b)


def _assert_copies_merge(first: list[Op], in_a: list[Op], in_b: list[Op], *, compacted: bool = False) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        with Project.create(root / "a.segstudio", images(root), CLASSES) as project:
            play(project, first, Origin.FILLED)
            base = said(project)
            common = project.last_seq()
            copied(project, root / "b.segstudio")
        sides = []
        for which, todo, origin in (("a", in_a, Origin.PAINTED), ("b", in_b, Origin.IMPORTED)):
            with Project.open(root / f"{which}.segstudio") as project:
                play(project, todo, origin)
                sides.append(said(project))
                if which == "b" and compacted:
                    _compact(project)
        report = merged(root / "a.segstudio", root / "b.segstudio", root / "c.segstudio")
        assert report.common_edit == common
        with Project.open(root / "c.segstudio") as c:
            assert_merged(Model(*sides, base), report, c)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two projects of the same images: a cell in A, a vessel over its corner in B, and a cell of B's own."""
    with Project.create(tmp_path / "a.segstudio", images(tmp_path), CLASSES) as a:
        play(a, [("paint", 1, 0, A_RECT, "cell")], Origin.PAINTED)
    with Project.create(tmp_path / "b.segstudio", images(tmp_path), CLASSES) as b:
        play(b, [("paint", 1, 0, B_RECT, "vessel"), ("paint", 2, 1, A_RECT, "cell")], Origin.ACCEPTED)
    return tmp_path / "a.segstudio", tmp_path / "b.segstudio"


def _nothing_at(path: Path) -> bool:
    return not path.exists() and not list(path.parent.glob(f".{path.name}*"))


def test_a_project_merged_with_itself_is_itself(two: tuple[Path, Path], tmp_path: Path) -> None:
    a, _ = two
    report = merged(a, a, tmp_path / "c.segstudio")
    assert (report.images, report.changed, report.conflicts, report.notes) == (2, 0, (), ())
    with Project.open(tmp_path / "c.segstudio") as c, Project.open(a) as before:
        assert [c.labels_sha256(row.id) for row in c.images()] == [
            before.labels_sha256(row.id) for row in before.images()
        ]
        assert c.last_seq() == before.last_seq()
        assert c.uuid != before.uuid


def test_what_differs_is_listed_with_its_box(two: tuple[Path, Path], tmp_path: Path) -> None:
    report = merged(*two, tmp_path / "c.segstudio")
    assert report.as_json()["conflicts"] == [{"path": "field/0.png", "plane": 0, "pixels": 4, "rect": [4, 2, 2, 2]}]
    assert (report.images, report.added, report.changed, report.common_edit) == (2, 0, 2, None)


def test_the_merge_is_one_batch_whose_edits_can_be_taken_back_before_those_of_a(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    merged(*two, tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c, Project.open(two[0]) as a:
        before = a.labels_sha256(FIRST)
        document = c.document(FIRST)
        newest = c.history(FIRST).next_undo()
        assert newest is not None
        edit = c.load_edit(newest, document.raster.tile)
        assert edit.cause is Cause.MERGE
        assert edit.batch is not None
        assert c.setting("merges")[0]["batch"] == edit.batch
        undo(c, document, newest)
        flushed(c)
        assert c.labels_sha256(FIRST) == before
        older = c.history(FIRST).next_undo()
        assert older is not None
        undo(c, document, older)
        flushed(c)
        assert c.image(FIRST).labelled_pixels == 0


def test_a_merge_is_taken_back_in_every_image_and_done_again(two: tuple[Path, Path], tmp_path: Path) -> None:
    merged(*two, tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c, Project.open(two[0]) as a:
        after = [c.labels_sha256(row.id) for row in c.images()]
        newest = c.history(FIRST).next_undo()
        assert newest is not None
        assert c.take_back(newest, "a").result(30) == 2
        assert [c.labels_sha256(row.id) for row in c.images()] == [a.labels_sha256(row.id) for row in a.images()]
        following = c.history(FIRST).next_redo()
        assert following is not None
        c.take_back(following, "a").result(30)
        assert [c.labels_sha256(row.id) for row in c.images()] == after


def test_derived_figures_of_the_merged_project_are_those_of_its_pixels(two: tuple[Path, Path], tmp_path: Path) -> None:
    merged(*two, tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c:
        ids, _ = whole(c.document(FIRST))
        rows = {row.id: row for row in c.objects(FIRST)}
        assert {int(o): int((ids == o).sum()) for o in set(ids.ravel().tolist()) - {0}} == {
            o: row.area for o, row in rows.items() if row.area
        }
        assert c.image(FIRST).labelled_pixels == int((ids > 0).sum()) == 24 + 24 - 4


def test_projects_that_are_being_written_are_merged_as_they_are(two: tuple[Path, Path], tmp_path: Path) -> None:
    with Project.open(two[0]) as a, Project.open(two[1]) as b:
        play(a, [("paint", 2, 0, A_RECT, "nerve")], Origin.PAINTED)
        play(b, [("paint", 2, 0, B_RECT, "nerve")], Origin.PAINTED)
        merged(*two, tmp_path / "c.segstudio")
        play(a, [("erase", 2, 0, A_RECT)], Origin.PAINTED)
    with Project.open(tmp_path / "c.segstudio") as c:
        assert int((whole(c.document(ImageId(2)))[0] > 0).sum()) == 44


def _with_status(path: Path, status: Status) -> None:
    with Project.open(path) as project:
        document = project.document(FIRST)
        if document.status is not status:
            edit = Edit(FIRST, Cause.STATUS, rows=(status_row(document, status),))
            commit(project, document, edit)
            flushed(project)


@pytest.mark.parametrize(
    ("in_a", "in_b", "in_c"),
    [
        ("done", "done", "done"),
        ("done", "new", "done"),
        ("new", "done", "done"),
        ("done", "in-progress", "in-progress"),
        ("in-progress", "done", "in-progress"),
    ],
)
def test_an_image_is_done_where_both_say_so_or_the_one_that_said_anything(
    in_a: str, in_b: str, in_c: str, tmp_path: Path
) -> None:
    for name, status in (("a", in_a), ("b", in_b)):
        Project.create(tmp_path / f"{name}.segstudio", images(tmp_path), CLASSES).close()
        _with_status(tmp_path / f"{name}.segstudio", Status(status))
    merged(tmp_path / "a.segstudio", tmp_path / "b.segstudio", tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c:
        assert c.image(FIRST).status == in_c


def test_an_image_in_conflict_is_not_done(two: tuple[Path, Path], tmp_path: Path) -> None:
    for path in two:
        _with_status(path, Status.DONE)
    merged(*two, tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c:
        assert c.image(FIRST).status == "in-progress"


def test_an_image_that_only_b_has_is_added_and_one_of_the_same_name_keeps_both(tmp_path: Path) -> None:
    with Project.create(tmp_path / "a.segstudio", images(tmp_path, range(2)), CLASSES) as a:
        play(a, [("paint", 1, 0, A_RECT, "cell")], 1)
    others = [*images(tmp_path, range(1, 2)), *(replace(i, path="field/0.png") for i in images(tmp_path, range(7, 8)))]
    with Project.create(tmp_path / "b.segstudio", others, CLASSES) as b:
        play(b, [("paint", 1, 0, A_RECT, "vessel"), ("paint", 2, 1, B_RECT, "nerve")], 1)
    report = merged(tmp_path / "a.segstudio", tmp_path / "b.segstudio", tmp_path / "c.segstudio")
    assert (report.images, report.added, report.conflicts) == (3, 1, ())
    with Project.open(tmp_path / "c.segstudio") as c:
        assert [row.path for row in c.images()] == ["field/0.png", "field/1.png", "b/field/0.png"]
        added = c.find_image("b/field/0.png")
        assert added.file == tmp_path / "field/0.png"
        assert (added.labelled_pixels, added.status, added.split) == (B_RECT.area, "new", Split.TRAIN)
        assert c.find_image("field/1.png").labelled_pixels == A_RECT.area
        assert c.find_image("field/0.png").labelled_pixels == A_RECT.area


def test_the_same_content_twice_is_paired_by_path(tmp_path: Path) -> None:
    def doubled(*paths: str) -> list[NewImage]:
        return [replace(images(tmp_path, range(1))[0], path=path) for path in paths]

    with Project.create(tmp_path / "a.segstudio", doubled("x.png", "y.png"), CLASSES) as a:
        play(a, [("paint", 2, 0, A_RECT, "cell")], 1)
    with Project.create(tmp_path / "b.segstudio", doubled("y.png", "z.png", "w.png"), CLASSES) as b:
        play(b, [("paint", 1, 0, A_RECT, "vessel"), ("paint", 2, 1, B_RECT, "nerve")], 1)
    report = merged(tmp_path / "a.segstudio", tmp_path / "b.segstudio", tmp_path / "c.segstudio")
    assert (report.images, report.added) == (3, 1)
    assert [(c.path, c.pixels) for c in report.conflicts] == [("y.png", A_RECT.area)]
    with Project.open(tmp_path / "c.segstudio") as c:
        assert c.find_image("x.png").labelled_pixels == B_RECT.area  # z.png is the only one left for it
        assert {row.group_id for row in c.images()} == {1}


def test_versions_and_split_are_those_of_a_and_nothing_held_out_was_trained_on(tmp_path: Path) -> None:
    with Project.create(tmp_path / "a.segstudio", images(tmp_path, range(4)), CLASSES) as a:
        play(a, [("paint", n, 0, A_RECT, "cell") for n in (1, 2, 3, 4)], 1)
        sides = {row.group_id: row.split for row in a.images() if row.split is not None}
        assert sorted(sides.values()) == [Split.HELD_OUT, *[Split.TRAIN] * 3]
        _add_version(a, "v1", sides)
    with Project.create(tmp_path / "b.segstudio", images(tmp_path, range(3, 6)), CLASSES) as b:
        play(b, [("paint", n, 0, B_RECT, "cell") for n in (1, 2, 3)], 1)
        _add_version(b, "v1", {1: Split.TRAIN, 2: Split.TRAIN})
    report = merged(tmp_path / "a.segstudio", tmp_path / "b.segstudio", tmp_path / "c.segstudio")
    assert report.versions_left == ("v1",)
    with Project.open(tmp_path / "c.segstudio") as c:
        held_out = {row.group_id for row in c.images() if row.split is Split.HELD_OUT}
        assert held_out.isdisjoint(c.trained_groups())
        assert [row.split for row in c.images()][:4] == list(sides.values())
        assert None not in {row.split for row in c.images()}
        assert [v.name for v in c.versions()] == ["v1"]
    assert (tmp_path / "c.segstudio/models/v1.safetensors").read_bytes() == b"a"


def test_runs_are_taken_along_and_one_under_way_in_a_is_none_in_c(two: tuple[Path, Path], tmp_path: Path) -> None:
    with Project.open(two[0]) as a:
        assert a.writer is not None
        run = a.writer.call(lambda db: begin_run(db, "run-1", parent="embedded", device="cpu", seed=0)).result()
        a.writer.call(lambda db: end_run(db, run, state="done", version="v1", steps=3)).result()
        a.writer.call(lambda db: begin_run(db, "run-2", parent="v1", device="cpu", seed=0)).result()
        (a.path / "runs/run-1").mkdir()
        (a.path / "runs/run-1/events.jsonl").write_text("{}\n")
        merged(*two, tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c:
        assert [(run.name, run.state) for run in c.runs()] == [("run-1", "done"), ("run-2", "failed")]
    assert (tmp_path / "c.segstudio/runs/run-1/events.jsonl").read_text() == "{}\n"


def _add_version(project: Project, name: str, groups: dict[int, Split]) -> None:
    assert project.writer is not None
    row = VersionRow(name, 1, "deep", "embedded", "2026", project.last_seq(), True, current=True)
    project.writer.call(lambda db: add_version(db, row, groups=groups)).result()
    (project.path / "models" / f"{name}.safetensors").write_bytes(project.path.stem.encode())


def test_copies_made_before_the_first_edit_know_their_classes(tmp_path: Path) -> None:
    a = Project.create(tmp_path / "a.segstudio", images(tmp_path), CLASSES)
    copied(a, tmp_path / "b.segstudio")
    with Project.open(tmp_path / "b.segstudio") as b:
        assert b.writer is not None
        vessel = b.classes()[ClassId(VESSEL)]
        b.writer.submit(Edit(None, Cause.CLASSES, rows=(changed_class_row(vessel, name="vein"),)))
    report = merged(tmp_path / "a.segstudio", tmp_path / "b.segstudio", tmp_path / "c.segstudio")
    assert report.common_edit == 0
    with Project.open(tmp_path / "c.segstudio") as c:
        assert [x.name for x in c.classes()] == ["background", "cell", "vein", "nerve"]


def _compact(project: Project) -> None:
    assert project.writer is not None
    project.writer.call(lambda db: db.execute("DELETE FROM deltas") and None).result()


@pytest.mark.parametrize("both", [False, True])
def test_copies_whose_journals_were_compacted_lose_nothing_and_it_is_said(tmp_path: Path, both: bool) -> None:
    with Project.create(tmp_path / "a.segstudio", images(tmp_path), CLASSES) as a:
        play(a, [("paint", 1, 0, A_RECT, "cell")], 1)
        copied(a, tmp_path / "b.segstudio")
    with Project.open(tmp_path / "a.segstudio") as a:
        play(a, [("erase", 1, 0, Rect(0, 0, 2, 4))], 1)
        if both:
            _compact(a)
    with Project.open(tmp_path / "b.segstudio") as b:
        play(b, [("paint", 1, 0, Rect(100, 0, 9, 9), "vessel"), ("paint", 1, 0, Rect(200, 0, 2, 2), "cell")], 1)
        _compact(b)
    report = merged(tmp_path / "a.segstudio", tmp_path / "b.segstudio", tmp_path / "c.segstudio")
    assert ["compacted" in note for note in report.notes] == [True] * both
    with Project.open(tmp_path / "c.segstudio") as c:
        erased_again = 0 if both else 8
        assert c.image(FIRST).labelled_pixels == A_RECT.area - erased_again + 81 + 4
    with closing(sqlite3.connect(tmp_path / "c.segstudio/project.db")) as db:
        assert db.execute("SELECT * FROM sqlite_schema WHERE name = 'merge_edits'").fetchone() is None


@few
@given(first=ops(), in_a=ops(), in_b=ops())
def test_copies_merge_as_the_model_does_also_where_only_the_journal_of_a_is_whole(
    first: list[Op], in_a: list[Op], in_b: list[Op]
) -> None:
    _assert_copies_merge(first, in_a, in_b, compacted=True)


def test_files_that_a_project_had_taken_in_are_taken_along(tmp_path: Path) -> None:
    for side, number in (("a", 1), ("b", 2)):
        folder = tmp_path / side / "field"
        folder.mkdir(parents=True)
        (folder / f"{number}.png").write_bytes(side.encode())
        new = [replace(i, root=tmp_path / side) for i in images(tmp_path, range(number, number + 1))]
        Project.create(tmp_path / f"{side}.segstudio", new, CLASSES, copy_files=True).close()
    merged(tmp_path / "a.segstudio", tmp_path / "b.segstudio", tmp_path / "c.segstudio")
    for side in "ab":
        shutil.rmtree(tmp_path / f"{side}.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c:
        assert [row.file.read_bytes() for row in c.images()] == [b"a", b"b"]
        assert all(row.file.is_relative_to(c.path) for row in c.images())


# --- what cannot be merged leaves nothing behind


def test_the_new_project_needs_a_free_place(two: tuple[Path, Path], tmp_path: Path) -> None:
    for out in (two[0], two[1], tmp_path):
        with pytest.raises(UserError, match="already something"):
            merged(*two, out)
    with pytest.raises(UserError, match="cannot be made inside"):
        merged(*two, two[0] / "c.segstudio")
    (tmp_path / "link").symlink_to(two[1])
    with pytest.raises(UserError, match="cannot be made inside"):
        merged(*two, tmp_path / "link" / "c.segstudio")


def test_what_is_no_project_is_refused(two: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(NotAProject, match="There is no project at"):
        merged(two[0], tmp_path / "nothing", tmp_path / "c.segstudio")
    with pytest.raises(NotAProject, match="is not a SegStudio project"):
        merged(tmp_path, two[1], tmp_path / "c.segstudio")
    assert _nothing_at(tmp_path / "c.segstudio")


def test_a_newer_project_is_refused(two: tuple[Path, Path], tmp_path: Path) -> None:
    with closing(sqlite3.connect(two[1] / "project.db")) as db:
        db.execute("PRAGMA user_version = 999")
        db.execute("UPDATE settings SET value = '999' WHERE key = 'readable_from'")
        db.commit()
    with pytest.raises(ProjectNewer, match="newer"):
        merged(*two, tmp_path / "c.segstudio")
    assert _nothing_at(tmp_path / "c.segstudio")


def test_a_damaged_tile_is_said_and_nothing_is_made(two: tuple[Path, Path], tmp_path: Path) -> None:
    with closing(sqlite3.connect(two[1] / "project.db")) as db:
        db.execute("UPDATE tiles SET data = x'0102030405'")
        db.commit()
    with pytest.raises(ProjectDamaged, match=r"labels of 'field/0.png' are damaged"):
        merged(*two, tmp_path / "c.segstudio")
    assert _nothing_at(tmp_path / "c.segstudio")


def test_a_damaged_database_is_said_and_nothing_is_made(two: tuple[Path, Path], tmp_path: Path) -> None:
    file = two[1] / "project.db"
    data = bytearray(file.read_bytes())
    data[5 * 4096 : 9 * 4096] = b"\x5a" * (4 * 4096)
    file.write_bytes(data)
    with pytest.raises(ProjectDamaged, match=r"'b\.segstudio' is damaged"):
        merged(*two, tmp_path / "c.segstudio")
    assert _nothing_at(tmp_path / "c.segstudio")


def test_a_full_disk_at_any_write_leaves_nothing(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = refusing()
    monkeypatch.setattr("segstudio.store.merging.connect", lambda path, access: connect(path, access, kind))
    refused = 0
    for at, step in (("INSERT", 3), ("UPDATE", 2), ("COMMIT", 1)):
        for after in range(0, 90, step):
            kind.refuse, kind.at, kind.after = "database or disk is full", at, after
            found = _refusal(two, tmp_path / "c.segstudio")
            if not found:
                shutil.rmtree(tmp_path / "c.segstudio")
                break
            assert "The disk that holds the project is full." in found
            assert _nothing_at(tmp_path / "c.segstudio")
            refused += 1
    assert refused > 10


def _refusal(two: tuple[Path, Path], out: Path) -> str:
    """Why the disk refused a merge; '' where it did not."""
    try:
        merged(*two, out)
    except DiskRefused as error:
        return error.sentence
    return ""


def test_a_merge_that_fails_leaves_no_folder_above(two: tuple[Path, Path], tmp_path: Path) -> None:
    running = merge(*two, tmp_path / "x" / "y" / "c.segstudio")
    next(running)
    assert (tmp_path / "x" / "y").exists()
    running.close()
    assert not (tmp_path / "x").exists()


def test_a_merge_that_is_stopped_leaves_nothing(two: tuple[Path, Path], tmp_path: Path) -> None:
    task = merge(*two, tmp_path / "c.segstudio")
    while not next(task).doing.startswith("field"):
        pass
    task.close()
    assert _nothing_at(tmp_path / "c.segstudio")


def test_two_kinds_of_one_class_are_said_and_nothing_is_made(tmp_path: Path) -> None:
    for name, kind in (("a", Kind.INSTANCE), ("b", Kind.SEMANTIC)):
        with Project.create(tmp_path / f"{name}.segstudio", images(tmp_path), [NewClass("cell", kind=kind)]) as project:
            play(project, [("paint", 1, 0, A_RECT, "cell")], 1)
    with pytest.raises(UserError, match="so the projects cannot be merged"):
        merged(tmp_path / "a.segstudio", tmp_path / "b.segstudio", tmp_path / "c.segstudio")
    assert _nothing_at(tmp_path / "c.segstudio")


# --- copies: what one side changed alone, beside pixels


@pytest.fixture
def copies(tmp_path: Path) -> tuple[Path, Path]:
    """A project in which a vessel and a cell were painted, and a copy of it."""
    with Project.create(tmp_path / "a.segstudio", images(tmp_path), CLASSES) as a:
        play(a, [("paint", 1, 0, A_RECT, "vessel"), ("paint", 1, 0, Rect(100, 0, 4, 4), "cell")], 1)
        copied(a, tmp_path / "b.segstudio")
    return tmp_path / "a.segstudio", tmp_path / "b.segstudio"


def _rows(path: Path, *rows: RowChange, image: ImageId | None = FIRST) -> None:
    with Project.open(path) as project:
        assert project.writer is not None
        project.writer.submit(Edit(image, Cause.STATUS, rows=rows))


@pytest.mark.parametrize(
    ("in_a", "in_b", "in_c"),
    [
        ("new", "done", "done"),
        ("done", "new", "done"),
        ("done", "in-progress", "in-progress"),
        ("done", "done", "done"),
    ],
)
def test_the_status_that_one_copy_changed_alone_holds(
    copies: tuple[Path, Path], tmp_path: Path, in_a: str, in_b: str, in_c: str
) -> None:
    for path, status in zip(copies, (in_a, in_b), strict=True):
        _with_status(path, Status(status))
    merged(*copies, tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c:
        assert c.image(FIRST).status == in_c


@pytest.mark.parametrize("owner", [FIRST, None])
def test_an_image_that_one_copy_took_out_is_out_and_counts_no_more(
    copies: tuple[Path, Path], tmp_path: Path, owner: ImageId | None
) -> None:
    _rows(copies[1], RowChange(Table.IMAGES, 1, {"removed": 0}, {"removed": 1}), image=owner)
    report = merged(*copies, tmp_path / "c.segstudio")
    assert report.images == 1
    with Project.open(tmp_path / "c.segstudio") as c:
        assert [row.removed for row in c.images(removed=True)] == [True, False]
    shutil.rmtree(tmp_path / "c.segstudio")
    _with_status(copies[0], Status.DONE)
    merged(copies[1], copies[0], tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c:
        assert c.image(FIRST).removed
        assert c.image(FIRST).status == "done"


def test_an_image_that_one_copy_brought_back_is_back(copies: tuple[Path, Path], tmp_path: Path) -> None:
    for path in copies:  # not one edit: each took it out
        _rows(path, RowChange(Table.IMAGES, 1, {"removed": 0}, {"removed": 1}), image=None)
    merged(*copies, tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c:
        assert c.image(FIRST).removed
    shutil.rmtree(tmp_path / "c.segstudio")
    shutil.rmtree(copies[1])
    shutil.copytree(copies[0], copies[1])
    with Project.open(copies[1]) as b:
        assert b.take_back(b.last_seq(), "ann").result() == 1
    merged(*copies, tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c:
        assert not c.image(FIRST).removed


def test_taking_out_what_a_merge_brought_back_since_is_not_taken_back(
    copies: tuple[Path, Path], tmp_path: Path
) -> None:
    _rows(copies[0], RowChange(Table.IMAGES, 1, {"removed": 0}, {"removed": 1}), image=None)
    with Project.open(copies[1]) as b:
        play(b, [("paint", 1, 0, Rect(200, 0, 5, 5), "vessel")], 1)
    merged(*copies, tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c:
        taken_out = max(seq for seq in c.history(ImageId(2)).undoable)
        assert "'field/0.png' has changed since" in c.undo_refusal(taken_out)
        with pytest.raises(UserError, match="changed since"):
            c.take_back(taken_out, "ann").result()


def test_an_image_that_a_stranger_took_out_stays(two: tuple[Path, Path], tmp_path: Path) -> None:
    _rows(two[1], RowChange(Table.IMAGES, 1, {"removed": 0}, {"removed": 1}))
    assert merged(*two, tmp_path / "c.segstudio").images == 2


def test_an_object_whose_class_one_copy_changed_has_that_class(copies: tuple[Path, Path], tmp_path: Path) -> None:
    _rows(copies[1], RowChange(Table.OBJECTS, 1, {"class_id": VESSEL}, {"class_id": NERVE}))
    report = merged(*copies, tmp_path / "c.segstudio")
    assert report.conflicts == ()
    with Project.open(tmp_path / "c.segstudio") as c:
        assert (c.document(FIRST).class_ids(0, A_RECT) == NERVE).all()
    shutil.rmtree(tmp_path / "c.segstudio")
    merged(copies[1], copies[0], tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c:
        assert (c.document(FIRST).class_ids(0, A_RECT) == NERVE).all()


def test_a_lock_that_one_copy_changed_alone_holds_and_one_of_a_new_object_goes_along(
    copies: tuple[Path, Path], tmp_path: Path
) -> None:
    for path, n in zip(copies, (1, 2), strict=True):
        _rows(path, RowChange(Table.OBJECTS, n, {"locked": False}, {"locked": True}))
    with Project.open(copies[1]) as b:
        play(b, [("paint", 1, 0, Rect(200, 0, 4, 4), "cell")], 1)
    _rows(copies[1], RowChange(Table.OBJECTS, 3, {"locked": False}, {"locked": True}))
    report = merged(*copies, tmp_path / "c.segstudio")
    assert report.conflicts == ()
    with Project.open(tmp_path / "c.segstudio") as c:
        assert c.document(FIRST).locked == {1, 2, 3}


def test_a_lock_of_both_that_one_copy_took_away_is_away(tmp_path: Path) -> None:
    with Project.create(tmp_path / "a.segstudio", images(tmp_path), CLASSES) as a:
        play(a, [("paint", 1, 0, A_RECT, "vessel")], 1)
        row = RowChange(Table.OBJECTS, 1, {"locked": False}, {"locked": True})
        assert a.writer is not None
        a.writer.submit(Edit(FIRST, Cause.OBJECTS, rows=(row,)))
        copied(a, tmp_path / "b.segstudio")
    _rows(tmp_path / "b.segstudio", row.inverted())
    merged(tmp_path / "a.segstudio", tmp_path / "b.segstudio", tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c:
        assert c.document(FIRST).locked == set()


def test_an_object_whose_class_both_copies_changed_is_in_conflict(copies: tuple[Path, Path], tmp_path: Path) -> None:
    for path, new in zip(copies, (NERVE, BACKGROUND), strict=True):
        _rows(path, RowChange(Table.OBJECTS, 1, {"class_id": VESSEL}, {"class_id": new}))
    report = merged(*copies, tmp_path / "c.segstudio")
    assert [(x.pixels, x.rect) for x in report.conflicts] == [(A_RECT.area, (0, 0, 6, 4))]
    with Project.open(tmp_path / "c.segstudio") as c:
        assert (c.document(FIRST).class_ids(0, A_RECT) == NERVE).all()


def test_a_copy_that_went_on_after_a_merge_is_merged_again_without_conflict(
    copies: tuple[Path, Path], tmp_path: Path
) -> None:
    with Project.open(copies[1]) as b:
        play(b, [("paint", 1, 0, Rect(200, 0, 5, 5), "cell"), ("erase", 1, 0, Rect(0, 0, 3, 4))], 1)
    merged(*copies, tmp_path / "c.segstudio")
    with Project.open(copies[1]) as b:
        play(b, [("paint", 2, 0, A_RECT, "nerve")], 1)
        digests = [b.labels_sha256(row.id) for row in b.images()]
    report = merged(tmp_path / "c.segstudio", copies[1], tmp_path / "d.segstudio")
    assert (report.conflicts, report.changed) == ((), 1)
    with Project.open(tmp_path / "d.segstudio") as d:
        assert [d.labels_sha256(row.id) for row in d.images()] == digests


def test_planes_go_by_the_reader_s_keys(tmp_path: Path) -> None:
    with Project.create(tmp_path / "a.segstudio", images(tmp_path), CLASSES) as a:
        play(a, [("paint", 1, 0, A_RECT, "cell")], 1)
    turned = [replace(image, planes=image.planes[::-1]) for image in images(tmp_path)]
    with Project.create(tmp_path / "b.segstudio", turned, CLASSES) as b:
        play(b, [("paint", 1, 1, A_RECT, "vessel"), ("paint", 1, 0, B_RECT, "nerve")], 1)
    report = merged(tmp_path / "a.segstudio", tmp_path / "b.segstudio", tmp_path / "c.segstudio")
    assert [(x.plane, x.pixels) for x in report.conflicts] == [(0, A_RECT.area)]
    with Project.open(tmp_path / "c.segstudio") as c:
        assert (c.document(FIRST).class_ids(1, B_RECT) == NERVE).all()


def test_files_of_one_quick_hash_and_two_contents_are_two_images(tmp_path: Path) -> None:
    for name in "ab":
        with Project.create(tmp_path / f"{name}.segstudio", images(tmp_path), CLASSES) as project:
            project.set_content_hash(FIRST, name * 40).result()
    report = merged(tmp_path / "a.segstudio", tmp_path / "b.segstudio", tmp_path / "c.segstudio")
    assert (report.images, report.added) == (3, 1)


def test_seconds_of_strangers_add_up_and_those_of_copies_do_not(two: tuple[Path, Path], tmp_path: Path) -> None:
    for path, seconds in zip(two, (10.0, 4.0), strict=True):
        with Project.open(path) as project:
            project.add_time(FIRST, seconds, "anna").result()
    for name, b, expected in (("c", two[1], 14.0), ("d", two[0], 10.0)):
        merged(two[0], b, tmp_path / f"{name}.segstudio")
        with closing(sqlite3.connect(tmp_path / f"{name}.segstudio/project.db")) as db:
            assert db.execute("SELECT seconds FROM times").fetchall() == [(expected,)]


@pytest.mark.parametrize("gives_up", ["remove", "merge"])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_class_that_one_copy_gave_up_stays_where_the_other_painted_with_it_since(
    copies: tuple[Path, Path], tmp_path: Path, gives_up: str, swapped: bool
) -> None:
    with Project.open(copies[0]) as a:
        play(a, [(gives_up,)], 1)
    with Project.open(copies[1]) as b:
        play(b, [("paint", 1, 0, Rect(200, 0, 5, 5), "vessel")], 1)
    report = merged(*(reversed(copies) if swapped else copies), tmp_path / "c.segstudio")
    how = "removed" if gives_up == "remove" else "merged into another"
    assert report.notes == (
        f"The class 'vessel' was {how} in 'a', but 'b' has painted with it since: it stays in use.",
    )
    with Project.open(tmp_path / "c.segstudio") as c:
        assert (c.document(FIRST).class_ids(0, Rect(200, 0, 5, 5)) == VESSEL).all()
        assert c.classes().named("vessel") is not None


def test_a_class_whose_pixels_the_other_copy_only_had_goes_as_before(copies: tuple[Path, Path], tmp_path: Path) -> None:
    with Project.open(copies[0]) as a:
        play(a, [("remove",)], 1)
    with Project.open(copies[1]) as b:
        play(b, [("paint", 1, 0, Rect(200, 0, 5, 5), "nerve")], 1)
    assert merged(*copies, tmp_path / "c.segstudio").notes == ()
    with Project.open(tmp_path / "c.segstudio") as c:
        assert c.classes().named("vessel") is None


@pytest.mark.parametrize("owner", [FIRST, None])
@pytest.mark.parametrize("swapped", [False, True])
def test_an_image_that_one_copy_took_out_stays_where_the_other_labelled_it_since(
    copies: tuple[Path, Path], tmp_path: Path, swapped: bool, owner: ImageId | None
) -> None:
    _rows(copies[0], RowChange(Table.IMAGES, 1, {"removed": 0}, {"removed": 1}), image=owner)
    with Project.open(copies[1]) as b:
        play(b, [("paint", 1, 0, Rect(200, 0, 5, 5), "vessel")], 1)
    report = merged(*(reversed(copies) if swapped else copies), tmp_path / "c.segstudio")
    assert report.notes == ("'field/0.png' was taken out in 'a', but 'b' has labelled it since: it stays.",)
    assert report.images == 2
    with Project.open(tmp_path / "c.segstudio") as c:
        assert (c.document(FIRST).class_ids(0, Rect(200, 0, 5, 5)) == VESSEL).all()


# --- what is kept of a merge


def test_conflicts_stay_listed_in_the_project_and_their_proposals_go_into_a_backup_and_a_repair(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    report = merged(*two, tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio") as c:
        c.proposals.write(ImageId(2), 0, "v1", {}, {})
        copies = [finished(backup(c, tmp_path / "copy.segstudio")).path]
    copies.append(finished(repair(tmp_path / "c.segstudio")).out)
    merged(tmp_path / "c.segstudio", two[0], tmp_path / "d.segstudio")
    copies.append(tmp_path / "d.segstudio")
    for path in copies:
        with Project.open(path, write=False) as copy:
            assert info(copy)["merges"][0]["conflicts"] == report.as_json()["conflicts"]
            assert [(note.image, note.plane, note.version) for note in copy.proposals.notes()] == [(1, 0, "merged")]
            proposal = copy.proposals.read(FIRST, 0)
            assert proposal is not None
            assert (proposal.class_ids(Rect(4, 2, 2, 2)) == VESSEL).all()
    with Project.open(two[0], write=False) as a:
        assert "merges" not in info(a)


def test_a_cache_that_cannot_be_read_stops_no_backup(two: tuple[Path, Path], tmp_path: Path) -> None:
    merged(*two, tmp_path / "c.segstudio")
    (tmp_path / "c.segstudio" / "cache" / "proposals.db").write_bytes(b"\x5a" * 9000)
    with Project.open(tmp_path / "c.segstudio", write=False) as c:
        finished(backup(c, tmp_path / "copy.segstudio"))


def test_an_image_that_b_flagged_as_changed_is_flagged_and_the_merged_project_is_no_backup(tmp_path: Path) -> None:
    Project.create(tmp_path / "a.segstudio", images(tmp_path, range(1)), CLASSES).close()
    with Project.create(tmp_path / "b.segstudio", images(tmp_path, range(1, 2)), CLASSES) as b:
        assert b.writer is not None
        b.writer.call(lambda db: db.execute("UPDATE files SET changed = 'abc'") and None).result()
        finished(backup(b, tmp_path / "copy.segstudio"))
    merged(tmp_path / "copy.segstudio", tmp_path / "a.segstudio", tmp_path / "d.segstudio")
    merged(tmp_path / "a.segstudio", tmp_path / "copy.segstudio", tmp_path / "c.segstudio")
    with Project.open(tmp_path / "c.segstudio", write=False) as c:
        assert [row.changed for row in c.images()] == ["", "abc"]
    with Project.open(tmp_path / "d.segstudio", write=False) as d:
        assert d.setting("backup_of") is None
