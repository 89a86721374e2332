import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from segstudio.errors import (
    DiskRefused,
    ProjectDamaged,
    ReadOnly,
    UnreadableImage,
    UsageError,
    UserError,
)
from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ClassId, ImageId, Kind
from segstudio.store.database import create as create_module
from segstudio.store.database.connect import PRAGMAS, Access, connect
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage
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
    whole,
)


def test_a_new_project_lists_its_images_in_the_order_given(project: Project, tmp_path: Path) -> None:
    rows = project.images()
    assert [row.path for row in rows] == ["field/0.png", "field/1.png", "field/2.png"]
    first = rows[0]
    assert (first.planes, first.channels, first.dtype, first.family) == ((SIZE,), 3, "uint8", "png")
    assert first.file == tmp_path / "field/0.png"
    assert (first.status, first.split, first.objects, first.labelled_pixels, first.problem) == ("new", None, 0, 0, "")
    assert project.image(first.id) == first == project.find_image(0) == project.find_image("field/0.png")
    assert project.find_image(-1) == rows[2]


def test_images_are_found_without_regard_to_case_and_form_but_as_spelled_first(tmp_path: Path) -> None:
    image = new_images(tmp_path, 1)[0]
    names = ["Zähler.PNG", "zähler.png", "Za\u0308hne.png"]
    with Project.create(tmp_path / "n.segstudio", [replace(image, path=name) for name in names]) as project:
        assert project.find_image("zähler.png").id == 2
        assert project.find_image("ZÄHLER.png").id == 1
        assert project.find_image("z\u00e4hne.png").path == names[2]
        with pytest.raises(UserError, match="has no image 'nowhere'"):
            project.find_image("nowhere")
        with pytest.raises(UserError, match="no image at place 3"):
            project.find_image(3)


def test_classes_stand_in_the_order_given_with_stable_values(project: Project) -> None:
    found = [(c.id, c.name, c.value, c.kind) for c in project.classes()]
    assert found == [
        (1, "background", 0, Kind.BACKGROUND),
        (2, "cell", 1, Kind.INSTANCE),
        (3, "vessel", 2, Kind.SEMANTIC),
    ]
    assert len({c.color for c in project.classes()}) == 3


def test_a_background_that_lacks_stands_first_and_no_class_gives_object(tmp_path: Path) -> None:
    images = new_images(tmp_path, 1)
    with Project.create(tmp_path / "a.segstudio", images) as project:
        assert [(c.name, c.value) for c in project.classes()] == [("background", 0), ("object", 1)]
    given = [NewClass("x"), NewClass("rest", "#010203", Kind.BACKGROUND), NewClass("y", kind=Kind.IGNORE)]
    with Project.create(tmp_path / "b.segstudio", images, given) as project:
        assert [(c.name, c.value) for c in project.classes()] == [("x", 1), ("rest", 0), ("y", 2)]
        assert project.classes().background.color == "#010203"


@pytest.mark.parametrize(
    ("classes", "word"),
    [
        ([NewClass("a:b")], "not allowed"),
        ([NewClass("  ")], "needs a name"),
        ([NewClass("Cell"), NewClass("cell")], "Two classes"),
        ([NewClass("a", "red")], "#RRGGBB"),
        ([NewClass("a", kind=Kind.BACKGROUND), NewClass("b", kind=Kind.BACKGROUND)], "exactly one"),
        ([NewClass("Background")], "kind background"),
    ],
)
def test_classes_that_cannot_be_are_refused_and_nothing_is_left(
    tmp_path: Path, classes: list[NewClass], word: str
) -> None:
    with pytest.raises(UsageError, match=word):
        Project.create(tmp_path / "a.segstudio", new_images(tmp_path), classes)
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_taken_is_refused_and_stays_as_it_was(tmp_path: Path) -> None:
    taken = tmp_path / "a.segstudio"
    taken.mkdir()
    with pytest.raises(UserError, match="already something"):
        Project.create(taken, new_images(tmp_path))
    assert list(taken.iterdir()) == []


def test_an_error_while_images_are_listed_leaves_nothing(tmp_path: Path) -> None:
    def listed() -> Iterator[NewImage]:
        yield new_images(tmp_path, 1)[0]
        raise UnreadableImage("The file 'x.png' cannot be read.")

    with pytest.raises(UnreadableImage):
        Project.create(tmp_path / "a.segstudio", listed())
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_while_a_project_is_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL  # type: ignore[misc]
        raise error

    monkeypatch.setattr(create_module, "insert_images", full)
    with pytest.raises(DiskRefused, match="full"):
        Project.create(tmp_path / "a.segstudio", new_images(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_copied_images_lie_in_the_project_and_are_its_own_wherever_it_goes(tmp_path: Path) -> None:
    (tmp_path / "field").mkdir()
    (tmp_path / "field/0.png").write_bytes(b"pixels")
    path = tmp_path / "here" / "a.segstudio"
    with Project.create(path, new_images(tmp_path, 1), copy_files=True) as project:
        assert project.images()[0].file.read_bytes() == b"pixels"
        assert path in project.images()[0].file.parents
    moved = path.rename(tmp_path / "b.segstudio")
    shutil.copytree(moved, path)
    with Project.open(moved) as project:
        assert project.images()[0].file == moved / "images/field/0.png"
        assert project.images()[0].file.read_bytes() == b"pixels"


def test_images_that_moved_together_with_the_project_are_found(tmp_path: Path) -> None:
    old = tmp_path / "old"
    (old / "field").mkdir(parents=True)
    (old / "field/0.png").write_bytes(b"pixels")
    Project.create(old / "a.segstudio", new_images(old, 1)).close()
    new = old.rename(tmp_path / "new")
    with Project.open(new / "a.segstudio") as project:
        assert project.images()[0].file == new / "field/0.png"


def test_a_flipped_blob_is_named_and_every_other_image_stays_readable(make_project: Callable[..., Project]) -> None:
    project = make_project()
    for image in (1, 2):
        paint(project, project.document(ImageId(image)), Rect(0, 0, 300, 100), CELL)
    intact = whole(project.document(ImageId(2)))
    project.close()
    db = connect(project.path / "project.db", Access.WRITE)
    data = bytearray(db.execute("SELECT data FROM tiles WHERE image = 1 AND tx = 0").fetchone()[0])
    data[len(data) // 2] ^= 0x10
    db.execute("UPDATE tiles SET data = ? WHERE image = 1 AND tx = 0", (bytes(data),))
    db.close()
    with Project.open(project.path) as again:
        with pytest.raises(ProjectDamaged, match=r"'field/0.png' are damaged.*tile 0, 0"):
            again.frozen(FIRST)
        with pytest.raises(ProjectDamaged):
            whole(again.document(FIRST))
        assert again.tile(FIRST, (0, 0, 1)) != again.tile(FIRST, (0, 1, 1))
        assert np.array_equal(whole(again.document(ImageId(2)))[0], intact[0])


def test_content_that_decodes_but_is_not_what_was_written_is_damage_too(project: Project) -> None:
    paint(project, project.document(FIRST), Rect(0, 0, 300, 100), CELL)
    flushed(project)
    assert project.writer is not None
    project.writer.call(
        lambda db: db.execute("UPDATE tiles SET data = (SELECT data FROM tiles WHERE tx = 1) WHERE tx = 0")
    ).result(30)
    with pytest.raises(ProjectDamaged, match="damaged on disk"):
        project.tiles(FIRST, 0)


@pytest.mark.parametrize("access", [Access.WRITE, Access.READ])
def test_every_connection_has_every_pragma(project: Project, access: Access) -> None:
    db = connect(project.path / "project.db", access)
    try:
        for name, value in PRAGMAS.items():
            assert db.execute(f"PRAGMA {name}").fetchone()[0] == value, name
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA query_only").fetchone()[0] == (access is Access.READ)
        assert db.isolation_level is None
    finally:
        db.close()


def test_durability_is_full_sync_and_nothing_is_mapped() -> None:
    assert (PRAGMAS["synchronous"], PRAGMAS["fullfsync"]) == (2, 1)
    assert (PRAGMAS["mmap_size"], PRAGMAS["wal_autocheckpoint"]) == (0, 0)


def test_twenty_thousand_images_are_made_and_listed(tmp_path: Path) -> None:
    one = new_images(tmp_path, 1)[0]

    def listed() -> Iterator[NewImage]:
        for i in range(20_000):
            yield replace(one, path=f"{i // 1000}/{i}.png", quick_hash=f"{i:016x}")

    with Project.create(tmp_path / "big.segstudio", listed(), CLASSES) as project:
        rows = project.images()
        assert len(rows) == 20_000
        assert rows[12_345].path == "12/12345.png" == project.find_image(12_345).path


def test_settings_are_plain_json_values(project: Project) -> None:
    project.set_setting("done_rest", {"policy": "background", "n": [1, 2.5, None]}).result(30)
    assert project.setting("done_rest") == {"policy": "background", "n": [1, 2.5, None]}
    assert project.setting("absent", "default") == "default"


def test_problems_and_content_hashes_are_kept_with_the_image(project: Project) -> None:
    project.set_problem(FIRST, "The file is truncated.").result(30)
    project.set_content_hash(FIRST, "abc").result(30)
    found = project.image(FIRST)
    assert (found.problem, found.content_hash) == ("The file is truncated.", "abc")


def test_known_classes_are_those_with_pixels(project: Project) -> None:
    assert project.known_classes() == frozenset()
    paint(project, project.document(FIRST), Rect(0, 0, 9, 9), CELL)
    paint(project, project.document(ImageId(2)), Rect(0, 0, 9, 9), 1)
    flushed(project)
    assert project.known_classes() == {CELL, 1}
    assert project.class_pixels() == {CELL: 81, 1: 81}


def test_images_are_found_by_a_class_that_they_have_today(project: Project) -> None:
    second = ImageId(2)
    assert project.images_with(CELL) == frozenset()
    paint(project, project.document(FIRST), Rect(0, 0, 9, 9), CELL)
    paint(project, project.document(second), Rect(0, 0, 9, 9), 1)
    flushed(project)
    assert project.images_with(CELL) == {FIRST}
    assert project.images_with(ClassId(1)) == {second}
    document = project.document(FIRST)
    commit(project, document, painted(document, Rect(0, 0, 9, 9), 0))
    flushed(project)
    assert project.images_with(CELL) == frozenset(), "a class whose last pixel was erased"


def test_a_merged_class_is_found_as_what_it_counts_as(project: Project) -> None:
    paint(project, project.document(FIRST), Rect(0, 0, 9, 9), VESSEL)
    row = changed_class_row(project.classes()[ClassId(VESSEL)], merged_into=CELL)
    assert project.writer is not None
    project.writer.submit(Edit(None, Cause.CLASSES, rows=(row,)))
    flushed(project)
    assert project.images_with(ClassId(CELL)) == {FIRST}
    assert project.images_with(ClassId(VESSEL)) == frozenset()


def test_closing_twice_does_nothing_and_the_last_number_stays_known(project: Project) -> None:
    paint(project, project.document(FIRST), Rect(0, 0, 9, 9), CELL)
    project.close()
    project.close()
    assert project.last_seq() == 1
    with pytest.raises(ReadOnly, match="closed"):
        project.images()


def test_a_reader_beside_a_writer_sees_what_is_committed(project: Project) -> None:
    with Project.open(project.path, write=False) as reader:
        document = project.document(FIRST)
        for i in range(5):
            paint(project, document, Rect(20 * i, 0, 10, 10), CELL)
            flushed(project)
            assert reader.image(FIRST).labelled_pixels == 100 * (i + 1)
            assert reader.labels_sha256(FIRST) == project.labels_sha256(FIRST)
