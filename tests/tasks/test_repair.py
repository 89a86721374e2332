"""Repair: what can be read and proved is in the new project, what is lost is listed, and nothing is invented."""

import hashlib
import json
import os
import random
import shutil
import sqlite3
import tracemalloc
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from segstudio.errors import NotAProject, ProjectDamaged, ProjectLocked, UserError
from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row, new_class_row
from segstudio.labels.edit import Edit, RowChange, Table, TileChange
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, LabelClass, Seq
from segstudio.labels.tiles.tile import expanded, frozen
from segstudio.store.database.connect import Access, connect
from segstudio.store.project import Project
from segstudio.store.values import NewImage, NewPlane
from segstudio.store.writing.waiting_edits import waiting_file
from segstudio.tasks.keeping.repair import RepairReport, repair
from segstudio.tasks.progress import finished
from tests.store.damage import PAGE, flip_byte, overwrite_page, root_page
from tests.store.refusing_disk import RefusingConnection, refusing
from tests.store.store_painting import (
    CELL,
    CLASSES,
    FIRST,
    SIZE,
    VESSEL,
    commit,
    flushed,
    new_images,
    paint,
    painted,
    undo,
)

IMAGES = [ImageId(n) for n in range(1, 5)]


@dataclass(frozen=True)
class Original:
    """A project and what was in it: class (uint16) and origin of every pixel of every tile that holds a label."""

    path: Path
    tiles: Mapping[tuple[int, int, int, int], tuple[np.ndarray, np.ndarray]]
    digests: Mapping[int, str]


def _labels(project: Project) -> dict[tuple[int, int, int, int], tuple[np.ndarray, np.ndarray]]:
    out: dict[tuple[int, int, int, int], tuple[np.ndarray, np.ndarray]] = {}
    for row in project.images(removed=True):
        held = project.frozen(row.id)
        classes = np.zeros(max(held.objects, default=0) + 1, np.uint16)
        for object_id, class_id in held.objects.items():
            classes[object_id] = class_id
        for key, tile in held.tiles.items():
            ids, origins = expanded(tile)
            out[(row.id, *key)] = classes[ids], origins
    return out


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    folder = tmp_path_factory.mktemp("original")
    path = folder / "field.segstudio"
    rng = np.random.default_rng(0)
    with Project.create(path, new_images(folder, len(IMAGES), planes=2), CLASSES) as project:
        assert project.writer is not None
        for image in IMAGES[:3]:
            document = project.document(image)
            for n in range(12):
                rect = Rect(int(rng.integers(0, 500)), int(rng.integers(0, 300)), 90, 70)
                paint(project, document, rect, CELL if n % 2 else VESSEL)
            undo(project, document, paint(project, document, Rect(0, 0, *SIZE), CELL))
            commit(project, document, painted(document, Rect(300, 0, 200, 150), 2, plane=1))
            noise = rng.integers(1, 9, (256, 256)).astype(np.uint32)  # a blob of many pages
            before = document.raster.tile((1, 1, 0))
            after = frozen(noise, np.ones((256, 256), np.uint8))
            commit(project, document, Edit(image, Cause.PAINT, {(1, 1, 0): TileChange(before, after)}))
        flushed(project)
        found = Original(path, _labels(project), {i: project.labels_sha256(i) for i in IMAGES})
    return found


@pytest.fixture
def broken(original: Original, tmp_path: Path) -> Path:
    return shutil.copytree(original.path, tmp_path / "field.segstudio")


def _sound(report: RepairReport) -> None:
    with closing(connect(report.out / "project.db", Access.READ)) as db:
        assert [row[0] for row in db.execute("PRAGMA quick_check")] == ["ok"]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def _compare(report: RepairReport, original: Original) -> set[tuple[int, int, int, int]]:
    """Every tile is as it was, or listed; returns those that are not as they were."""
    with Project.open(report.out) as project:
        found = _labels(project)
        ids = {row.path: row.id for row in project.images(removed=True)}
    lost = {(ids.get(tile.path, 0), tile.plane, tile.ty, tile.tx) for tile in report.lost_tiles}
    some_object = {ids.get(path, 0) for path, _ in report.lost_objects}
    missing: set[tuple[int, int, int, int]] = set()
    for key in original.tiles.keys() | found.keys():
        blank = np.zeros((256, 256), np.uint16), np.zeros((256, 256), np.uint8)
        was, now = original.tiles.get(key, blank), found.get(key, blank)
        same = now[0] == was[0]
        assert np.all(same | (now[0] == 0)), f"labels were invented in {key}"
        assert np.all((now[1] == was[1]) | (now[0] == 0))
        if not same.all():
            missing.add(key)
            listed = key in lost or key[0] in some_object or any(tile.path == "" for tile in report.lost_tiles)
            assert listed or report.lost_images, f"{key} is lost and nobody says so"
    return missing


def test_a_sound_project_is_repaired_into_an_equal_one(broken: Path, original: Original) -> None:
    before = {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in broken.rglob("*") if file.is_file()}
    report = finished(repair(broken))
    assert report.whole, report
    assert report.out == broken.with_name("field-repaired.segstudio")
    _sound(report)
    assert _compare(report, original) == set()
    with Project.open(report.out) as project:
        assert {i: project.labels_sha256(i) for i in IMAGES} == original.digests
        document = project.document(IMAGES[0])
        undo(project, document, project.history(IMAGES[0]).undoable[-1])
        flushed(project)
    after = {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in broken.rglob("*") if file.is_file()}
    assert after == before


def test_a_class_that_was_taken_back_is_not_there_again_in_the_repaired_project(broken: Path) -> None:
    with Project.open(broken) as project:
        assert project.writer is not None
        id_, value = project.next_class()
        row = new_class_row(LabelClass(id_, "nerve", "#123456", Kind.INSTANCE, value, 9))
        made = Edit(None, Cause.CLASSES, rows=(row,))
        project.writer.submit(made.inverted(project.writer.submit(made), Cause.UNDO))
        flushed(project)
        expected = project.classes().all
    report = finished(repair(broken))
    assert report.whole
    with Project.open(report.out) as project:
        assert project.classes().all == expected
        assert project.next_class() == (id_ + 1, value + 1)


@pytest.mark.parametrize("page", ["", "objects", "objects_class", "objects_locked"])
def test_what_was_locked_is_locked_by_its_row_or_where_that_is_gone_by_the_journal(broken: Path, page: str) -> None:
    with Project.open(broken) as project:
        document = project.document(IMAGES[0])
        rows = [RowChange(Table.OBJECTS, n, {"locked": False}, {"locked": True}) for n in (2, 3, 5)]
        commit(project, document, Edit(IMAGES[0], Cause.OBJECTS, rows=tuple(rows)))
        commit(project, document, Edit(IMAGES[0], Cause.OBJECTS, rows=(rows[1].inverted(),)))
        change = changed_class_row(project.classes()[ClassId(CELL)], opacity=0.25)
        assert project.writer is not None
        project.writer.submit(Edit(None, Cause.CLASSES, rows=(change,)))
        flushed(project)
    if page:
        overwrite_page(broken / "project.db", root_page(broken / "project.db", page))
    report = finished(repair(broken))
    assert report.history
    with Project.open(report.out) as project:
        assert project.document(IMAGES[0]).locked == {2, 5}
        assert project.classes()[ClassId(CELL)].opacity == 0.25


def test_a_broken_tile_is_rebuilt_from_the_journal(broken: Path, original: Original) -> None:
    with closing(sqlite3.connect(broken / "project.db")) as db, db:
        db.execute("UPDATE tiles SET data = x'01' || randomblob(50) WHERE image = 1")
    report = finished(repair(broken))
    assert report.rebuilt == sum(1 for key in original.tiles if key[0] == 1)
    assert report.history
    assert _compare(report, original) == set()


def test_with_holes_in_the_journal_the_tiles_are_the_truth(broken: Path, original: Original) -> None:
    with closing(sqlite3.connect(broken / "project.db")) as db, db:
        db.execute("DELETE FROM deltas WHERE id % 3 = 0")
        last = db.execute("SELECT max(seq) FROM edits").fetchone()[0]
    report = finished(repair(broken))
    assert not report.history
    assert _compare(report, original) == set()
    with Project.open(report.out) as project:
        assert project.history(IMAGES[0]).undoable == ()
        assert project.last_seq() == last
        assert paint(project, project.document(IMAGES[3]), Rect(0, 0, 9, 9), CELL) == Seq(last + 1)


def test_a_tile_that_nothing_proves_is_lost_and_named_and_its_neighbours_stay(broken: Path, original: Original) -> None:
    with closing(sqlite3.connect(broken / "project.db")) as db, db:
        db.execute("DELETE FROM deltas")
        db.execute("UPDATE tiles SET data = x'01' WHERE image = 2 AND plane = 0 AND ty = 0 AND tx = 0")
    report = finished(repair(broken))
    assert [(t.path, t.plane, t.ty, t.tx) for t in report.lost_tiles] == [("field/1.png", 0, 0, 0)]
    assert _compare(report, original) == {(2, 0, 0, 0)}


@pytest.mark.parametrize(
    "table", ["tiles", "objects", "images", "files", "planes", "classes", "edits", "deltas", "groups"]
)
def test_a_table_whose_first_page_is_gone_takes_nothing_else_with_it(
    broken: Path, original: Original, table: str
) -> None:
    database = broken / "project.db"
    overwrite_page(database, root_page(database, table))
    report = finished(repair(broken))
    _sound(report)
    missing = _compare(report, original)
    if table not in ("planes", "objects"):
        assert missing == set()


@pytest.mark.parametrize("index", ["sqlite_autoindex_tiles_1", "objects_class", "edits_new", "images_position"])
def test_an_index_that_is_gone_costs_nothing(broken: Path, original: Original, index: str) -> None:
    database = broken / "project.db"
    overwrite_page(database, root_page(database, index))
    report = finished(repair(broken))
    assert _compare(report, original) == set()


def test_a_header_and_a_schema_that_are_gone_are_replaced(broken: Path, original: Original) -> None:
    overwrite_page(broken / "project.db", 1, 0)
    report = finished(repair(broken))
    _sound(report)
    assert _compare(report, original) == set()


def test_a_log_that_was_not_folded_in_is_read_too(original: Original, tmp_path: Path) -> None:
    live = shutil.copytree(original.path, tmp_path / "live.segstudio")
    folder = tmp_path / "killed.segstudio"
    with Project.open(live) as project:
        paint(project, project.document(IMAGES[3]), Rect(0, 0, 50, 50), CELL)
        flushed(project)
        shutil.copytree(live, folder, ignore=lambda *_: ["project.lock", "project.db-shm"])
    report = finished(repair(folder))
    with Project.open(report.out, write=False) as project:
        assert project.image(IMAGES[3]).labelled_pixels == 2500


def test_without_a_database_the_newest_copy_is_read_and_that_is_said(broken: Path, original: Original) -> None:
    (broken / "backups").mkdir()
    shutil.move(broken / "project.db", broken / "backups" / "before-schema-9.db")
    report = finished(repair(broken))
    assert "project.db is missing: this is the copy" in report.notes[0]
    assert not report.whole
    assert _compare(report, original) == set()


def test_what_cannot_be_repaired_says_so_in_one_line_and_leaves_nothing(broken: Path, tmp_path: Path) -> None:
    (broken / "project.db").write_bytes(b"\x5a" * 40960)
    with pytest.raises(ProjectDamaged, match="cannot be repaired: nothing in it can be read"):
        finished(repair(broken))
    (broken / "project.db").unlink()
    with pytest.raises(ProjectDamaged, match=r"has no project\.db and no copy"):
        finished(repair(broken))
    with pytest.raises(NotAProject):
        finished(repair(tmp_path / "nowhere.segstudio"))
    with pytest.raises(UserError, match="already something"):
        finished(repair(broken, broken))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["field.segstudio"]


def test_a_project_that_somebody_writes_is_not_repaired(broken: Path) -> None:
    with Project.open(broken), pytest.raises(ProjectLocked) as told:
        finished(repair(broken))
    assert told.value.line.endswith("Close it first.")


def test_edits_that_wait_in_the_state_folder_are_in_the_repaired_project(broken: Path) -> None:
    kind: type[RefusingConnection] = refusing()
    refused = Project.open(broken, connection_type=kind)
    kind.refuse = "full"
    paint(refused, refused.document(IMAGES[3]), Rect(0, 0, 30, 30), CELL)
    refused.close(wait_s=1)
    report = finished(repair(broken))
    assert report.waiting_saved == 1
    assert waiting_file(refused.uuid, refused.path).is_file()
    with Project.open(report.out) as project:
        assert project.image(IMAGES[3]).labelled_pixels == 900
    with Project.open(broken) as old:
        assert old.image(IMAGES[3]).labelled_pixels == 900


def test_weights_that_are_gone_are_listed_and_propose_no_more(broken: Path) -> None:
    from segstudio.labels.edit import now_utc
    from segstudio.store.catalog.versions import add_version
    from segstudio.store.values import VersionRow

    with Project.open(broken) as project:
        assert project.writer is not None
        for n in (1, 2):
            row = VersionRow(f"v{n}", n, "deep", "embedded", now_utc(), Seq(1), True, current=n == 2)
            project.writer.call(lambda db, row=row: add_version(db, row)).result(30)
    (broken / "models" / "v1.safetensors").write_bytes(b"w")
    (broken / "models" / "v1.json").write_text(json.dumps({"sha256": hashlib.sha256(b"w").hexdigest()}))
    report = finished(repair(broken))
    assert report.lost_weights == ("v2",)
    with Project.open(report.out, write=False) as project:
        assert [version.name for version in project.versions()] == ["v1", "v2"]
        assert project.current_version() is None
        assert (report.out / "models" / "v1.safetensors").is_file()


@pytest.mark.parametrize("seed", [*range(24), 152])
def test_whatever_is_flipped_nothing_is_invented_and_every_lost_tile_is_listed(
    original: Original, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    path = shutil.copytree(original.path, tmp_path / "flipped.segstudio")
    database = path / "project.db"
    pages = database.stat().st_size // PAGE
    where = range(PAGE) if seed % 6 == 0 else range(pages * PAGE)
    for _ in range(rng.choice((1, 1, 1, 3))):
        at = rng.choice(where)
        if seed % 4 == 3:
            overwrite_page(database, at // PAGE + 1, rng.randrange(256))
        else:
            flip_byte(database, at, rng.randrange(1, 256))
    try:
        report = finished(repair(path))
    except ProjectDamaged:
        return
    _sound(report)
    _compare(report, original)


# --- files beside the database


@pytest.fixture
def with_images(tmp_path: Path) -> Path:
    """A project of two image folders within itself, as a merge makes them, and one image outside."""
    path = tmp_path / "field.segstudio"
    made: list[NewImage] = []
    for n, root in enumerate((path / "images", path / "images-2", tmp_path)):
        image = new_images(root, n + 1)[n]
        made.append(image)
    with Project.create(path, made, CLASSES) as project:
        paint(project, project.document(FIRST), Rect(0, 0, 9, 9), CELL)
    for image in made:
        (image.root / image.path).parent.mkdir(parents=True)
        (image.root / image.path).write_bytes(image.path.encode())
    return path


def test_every_folder_of_images_within_the_project_is_taken_along(with_images: Path, tmp_path: Path) -> None:
    report = finished(repair(with_images, tmp_path / "elsewhere" / "new.segstudio"))
    assert report.whole, report
    shutil.rmtree(with_images)
    with Project.open(report.out, write=False) as project:
        assert [row.file.read_bytes() for row in project.images()] == [row.path.encode() for row in project.images()]
        assert [row.file.is_relative_to(report.out) for row in project.images()] == [True, True, False]


def test_a_file_that_could_not_be_copied_is_listed(with_images: Path) -> None:
    (with_images / "images-2" / "field" / "1.png").unlink()
    report = finished(repair(with_images))
    assert report.lost_files == ("images-2/field/1.png",)
    assert not report.whole
    assert report.as_json()["lost"]["files"] == ["images-2/field/1.png"]


def test_every_file_of_a_repaired_project_is_synced(with_images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[tuple[int, int]] = set()
    real = os.fsync

    def noted(fd: int) -> None:
        status = os.fstat(fd)
        synced.add((status.st_dev, status.st_ino))
        real(fd)

    monkeypatch.setattr(os, "fsync", noted)
    report = finished(repair(with_images))
    for path in (*report.out.glob("images*/**/*"), report.out / "images", report.out):
        assert (path.stat().st_dev, path.stat().st_ino) in synced, path


def test_the_damaged_project_is_no_place_for_the_repaired_one(broken: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(broken)
    before = sorted(broken.rglob("*"))
    for out in (broken / "in", tmp_path / "link" / "in", broken / "models" / "in"):
        with pytest.raises(UserError, match="cannot be made inside"):
            finished(repair(broken, out))
    assert sorted(broken.rglob("*")) == before


def test_a_repair_that_fails_leaves_no_folder_above(broken: Path, tmp_path: Path) -> None:
    (broken / "project.db").write_bytes(b"\x5a" * 40960)
    with pytest.raises(ProjectDamaged):
        finished(repair(broken, tmp_path / "x" / "y" / "new"))
    assert not (tmp_path / "x").exists()


def test_a_repair_holds_no_more_labels_the_more_there_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)

    def peak(tiles: int) -> int:
        folder = tmp_path / str(tiles)
        plane = NewPlane("0", 256 * tiles, 256)
        image = NewImage("wide.png", folder, 1, 1, "0", (plane,), 3, "uint8", "png")
        with Project.create(folder / "wide.segstudio", [image], CLASSES) as project:
            document = project.document(FIRST)
            for tx in range(tiles):
                edit = painted(document, Rect(256 * tx, 0, 256, 256), tx + 1, new_class=CELL)
                before = edit.tiles[0, 0, tx].before
                mask = rng.integers(0, 2, (256, 256)).astype(np.uint8)
                after = frozen(mask.astype(np.uint32) * (tx + 1), mask)
                commit(project, document, replace(edit, tiles={(0, 0, tx): TileChange(before, after)}))
            flushed(project)
        tracemalloc.start()
        try:
            report = finished(repair(folder / "wide.segstudio"))
            assert (report.whole, report.tiles) == (True, tiles)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(10), peak(110)
    assert many - few < 5_000_000  # a hundred tiles more: decoded they are 32 MB
