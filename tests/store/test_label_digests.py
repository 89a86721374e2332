"""The digest of an image's labels is kept in its row; an edit makes it unknown, a pause or the close known again."""

import sqlite3
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segstudio.geometry import Rect
from segstudio.labels.edit import Batch, Edit
from segstudio.labels.model import Cause, ImageId, Status
from segstudio.store.project import Project
from segstudio.store.writing import label_digests, pauses
from segstudio.store.writing import writer as writer_module
from segstudio.store.writing.label_digests import compute_digest, fill_digests
from segstudio.store.writing.write_connection import WriteConnection
from segstudio.tasks.images.info import info
from tests.store.refusing_disk import RefusingConnection, refusing
from tests.store.store_painting import (
    CELL,
    CLASSES,
    FIRST,
    VESSEL,
    commit,
    flushed,
    new_images,
    paint,
    painted,
    status_row,
    undo,
)

SECOND = ImageId(2)


def _kept(project: Project) -> list[str | None]:
    with project.reading() as db:
        rows = db.execute("SELECT labels_sha256 FROM images ORDER BY position").fetchall()
    return [None if row[0] is None else row[0].hex() for row in rows]


def _computed(project: Project) -> list[str]:
    with project.reading() as db:
        return [compute_digest(db, row.id).hex() for row in project.images()]


def _soon(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


def test_a_new_project_knows_that_nothing_is_labelled(project: Project) -> None:
    assert _kept(project) == _computed(project)


def test_an_edit_makes_the_digest_of_its_image_unknown_and_the_close_known(project: Project) -> None:
    document = project.document(FIRST)
    paint(project, document, Rect(0, 0, 300, 90), CELL)
    flushed(project)
    assert _kept(project)[0] is None
    assert _kept(project)[1:] == _computed(project)[1:]
    assert [image["labels_sha256"] for image in info(project)["images"]] == _computed(project)
    assert _kept(project)[0] is None  # who asks writes nothing
    project.close()
    with Project.open(project.path) as again:
        assert _kept(again) == _computed(again)
        undo(again, again.document(FIRST), again.history(FIRST).undoable[-1])
        flushed(again)
        assert _computed(again)[0] == _computed(again)[1]  # blank equals undone
        assert again.labels_sha256(FIRST) == _kept(again)[1]


def test_marking_an_image_changes_no_label(project: Project) -> None:
    document = project.document(FIRST)
    commit(project, document, Edit(FIRST, Cause.STATUS, rows=(status_row(document, Status.DONE),)))
    flushed(project)
    assert _kept(project) == _computed(project)


def test_a_pause_computes_what_is_unknown(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "_IDLE_S", 0.02)
    paint(project, project.document(FIRST), Rect(0, 0, 300, 90), CELL)
    assert _soon(lambda: None not in _kept(project) and project.last_seq() == 1)
    assert _kept(project) == _computed(project)


def test_what_a_kill_left_unknown_is_computed_in_the_first_pause(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint(project, project.document(FIRST), Rect(0, 0, 300, 90), CELL)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pauses, "fill_digests", lambda *_: True)
        project.close()
    monkeypatch.setattr(writer_module, "_IDLE_S", 0.02)
    with Project.open(project.path) as again:
        assert _soon(lambda: None not in _kept(again))
        assert _kept(again) == _computed(again)


def test_a_change_of_many_images_ends_with_digests_that_are_known(project: Project) -> None:
    assert project.writer is not None
    edits = [painted(project.document(row.id), Rect(0, 0, 90, 90), 1, new_class=CELL) for row in project.images()]
    project.writer.write_all(edits, Batch(Cause.IMPORT)).result(30)
    assert None not in _kept(project)
    assert _kept(project) == _computed(project)


def test_an_edit_does_not_wait_for_the_digests(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_digests, "_CHUNK", 1)
    paint(project, project.document(FIRST), Rect(0, 0, 30, 90), CELL)
    paint(project, project.document(FIRST), Rect(50, 0, 30, 90), CELL)
    paint(project, project.document(SECOND), Rect(0, 0, 30, 90), CELL)
    flushed(project)
    path = project.path / "project.db"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pauses, "fill_digests", lambda *_: True)
        project.close()
    connection = WriteConnection(path, sqlite3.Connection)
    try:
        asked = iter([False, False, True, True, True])
        assert not fill_digests(connection, lambda: next(asked))
        assert connection.db.execute("SELECT count(*) FROM images WHERE labels_sha256 IS NULL").fetchone() == (2,)
        assert fill_digests(connection, lambda: False)
        assert connection.db.execute("SELECT count(*) FROM images WHERE labels_sha256 IS NULL").fetchone() == (0,)
    finally:
        connection.close()


def test_a_disk_that_refuses_the_digests_makes_nothing_unsaved(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_IDLE_S", 0.02)
    kind: type[RefusingConnection] = refusing()
    project.close()
    with Project.open(project.path, connection_type=kind) as opened:
        assert opened.writer is not None
        saved = threading.Event()

        def refuse(_: object) -> None:
            kind.refuse = "full"
            saved.set()

        opened.writer.on_saved = refuse
        paint(opened, opened.document(FIRST), Rect(0, 0, 30, 90), CELL)
        assert saved.wait(30)
        time.sleep(0.2)
        assert opened.writer.state.saved
        assert opened.writer.state.refused == ""
        kind.refuse = None
        opened.writer.on_saved = lambda _: None
        paint(opened, opened.document(FIRST), Rect(50, 0, 30, 90), CELL)
        assert _soon(lambda: None not in _kept(opened))
        assert _kept(opened) == _computed(opened)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["paint", "erase", "undo", "redo", "class", "restart"]),
            st.sampled_from([FIRST, SECOND]),
            st.integers(0, 550),
            st.integers(1, 200),
        ),
        max_size=15,
    )
)
def test_what_is_kept_is_what_is_computed_after_any_edits(
    steps: list[tuple[str, ImageId, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("digests")
    project = Project.create(folder / "d.segstudio", new_images(folder), CLASSES)
    try:
        for what, image, x, size in steps:
            document, history = project.document(image), project.history(image)
            seq = history.next_undo() if what == "undo" else history.next_redo() if what == "redo" else None
            if what == "paint":
                paint(project, document, Rect(x, 0, size, size), VESSEL)
            elif what == "erase":
                edit = painted(document, Rect(x, 0, size, size), 0)
                if edit.tiles:
                    commit(project, document, edit)
            elif what == "restart":
                project.close()
                project = Project.open(project.path)
                assert _kept(project) == _computed(project)
            elif seq is not None:
                undo(project, document, seq, Cause.UNDO if what == "undo" else Cause.REDO)
            flushed(project)
            assert all(a in (None, b) for a, b in zip(_kept(project), _computed(project), strict=True))
            assert list(project.labels_digests().values()) == _computed(project)
    finally:
        project.close()


def test_the_digest_of_an_image_with_more_objects_than_a_piece_is_the_same(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = project.document(FIRST)
    for n in range(7):
        paint(project, document, Rect(40 * n, 0, 40, 40), CELL)
    flushed(project)
    whole = _computed(project)
    for size in (1, 2, 3, 7, 8):
        monkeypatch.setattr(label_digests, "_CHUNK", size)
        assert _computed(project) == whole
    assert len(set(whole)) == 2
