"""Edits that waited in the state folder: what still fits is saved, the rest is set aside with what rests on it."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from segstudio.geometry import Rect
from segstudio.labels.class_rows import class_columns
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, RowChange, Table, decode_edit
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, LabelClass, Seq
from segstudio.store.project import Project
from segstudio.store.writing.waiting_edits import keep, read_waiting, waiting_file, waiting_files_of
from tests.store.refusing_disk import RefusingConnection, refusing
from tests.store.store_painting import CELL, FIRST, VESSEL, commit, flushed, paint, painted, undo

SECOND = ImageId(2)


@pytest.fixture
def kept_aside(make_project: Callable[..., Project]) -> Callable[..., Project]:
    """Paints while the disk refuses, closes, lets somebody else paint, and opens again."""

    def play(waiting: Callable[[Project], None], meanwhile: Callable[[Project], None]) -> Project:
        project = make_project()
        project.close()
        kind: type[RefusingConnection] = refusing()
        refused = Project.open(project.path, connection_type=kind)
        kind.refuse = "full"
        waiting(refused)
        refused.close(wait_s=1)
        hidden = waiting_file(refused.uuid, refused.path).rename(
            waiting_file(refused.uuid, refused.path).with_suffix(".hidden")
        )
        with Project.open(project.path) as other:
            meanwhile(other)
            flushed(other)
        hidden.rename(waiting_file(refused.uuid, refused.path))
        return Project.open(project.path)

    return play


def _paint_first(project: Project) -> None:
    paint(project, project.document(FIRST), Rect(0, 0, 9, 9), VESSEL)


def _aside(project: Project) -> list[Edit]:
    (file,) = waiting_file(project.uuid, project.path).parent.glob("*.conflict")
    return [decode_edit(blob) for _, blob in read_waiting(file)]


def test_only_the_edit_that_conflicts_and_what_rests_on_it_is_set_aside(kept_aside: Callable[..., Project]) -> None:
    def waiting(project: Project) -> None:
        one, two = project.document(FIRST), project.document(SECOND)
        conflicting = paint(project, one, Rect(0, 0, 60, 60), CELL)  # seq 1: the other has painted in this tile
        paint(project, two, Rect(0, 0, 50, 50), CELL)  # seq 2
        commit(project, one, painted(one, Rect(300, 300, 20, 20), 1))  # another tile, of the object that 1 would make
        paint(project, one, Rect(300, 0, 30, 30), VESSEL)  # fits: another tile and object
        undo(project, one, conflicting)

    with kept_aside(waiting, _paint_first) as again:
        assert again.notice.startswith(
            "2 edits that the disk refused when the project was closed have now been saved. 3"
        )
        assert "no longer fit this project; they are kept in " in again.notice
        assert again.last_seq() == 3
        assert [again.image(id_).labelled_pixels for id_ in (FIRST, SECOND)] == [81 + 900, 2500]
        assert again.history(SECOND).undoable == (2,)
        assert [edit.image for edit in _aside(again)] == [FIRST] * 3
        assert not waiting_file(again.uuid, again.path).exists()


def test_an_undo_of_what_was_saved_meanwhile_names_it_by_its_new_number(kept_aside: Callable[..., Project]) -> None:
    def waiting(project: Project) -> None:
        two = project.document(SECOND)
        undo(project, two, paint(project, two, Rect(0, 0, 50, 50), CELL))

    with kept_aside(waiting, _paint_first) as again:
        assert again.notice == "2 edits that the disk refused when the project was closed have now been saved."
        assert again.history(SECOND).redoable == (Seq(3),)
        assert again.image(SECOND).labelled_pixels == 0


def test_objects_of_a_class_that_was_set_aside_are_set_aside_too(kept_aside: Callable[..., Project]) -> None:
    def classes(name: str) -> Edit:
        made = LabelClass(ClassId(4), name, "#56B4E9", Kind.INSTANCE, 3, 3)
        return Edit(None, Cause.CLASSES, rows=(RowChange(Table.CLASSES, 4, None, class_columns(made)),))

    def waiting(project: Project) -> None:
        assert project.writer is not None
        project.writer.submit(classes("nucleus"))
        paint(project, project.document(SECOND), Rect(0, 0, 50, 50), 4)

    def meanwhile(project: Project) -> None:
        assert project.writer is not None
        project.writer.submit(classes("spore"))

    with kept_aside(waiting, meanwhile) as again:
        assert again.notice.startswith("2 edits no longer fit this project; they are kept in ")
        assert again.image(SECOND).labelled_pixels == 0
        assert again.classes().named("nucleus") is None


def test_an_edit_that_cannot_be_read_does_not_take_the_others_with_it(kept_aside: Callable[..., Project]) -> None:
    def waiting(project: Project) -> None:
        document: Document = project.document(SECOND)
        paint(project, document, Rect(0, 0, 50, 50), CELL)
        paint(project, document, Rect(300, 0, 50, 50), CELL)

    def damage(project: Project) -> None:
        path = waiting_file(project.uuid, project.path).with_suffix(".hidden")
        wire = msgspec.msgpack.decode(path.read_bytes())
        wire["edits"][0][1] = b"nonsense"
        path.write_bytes(msgspec.msgpack.encode(wire))

    with kept_aside(waiting, damage) as again:
        assert again.notice.startswith("1 edit that the disk refused when the project was closed has now been saved. 1")
        assert again.image(SECOND).labelled_pixels == 2500


def test_waiting_edits_are_found_by_the_folder_they_wait_for(
    kept_aside: Callable[..., Project], tmp_path: Path
) -> None:
    seen: list[list[Path]] = []

    def waiting(project: Project) -> None:
        paint(project, project.document(SECOND), Rect(0, 0, 50, 50), CELL)

    def look(project: Project) -> None:
        hidden = waiting_file(project.uuid, project.path).with_suffix(".hidden")
        waiting_file(project.uuid, project.path).write_bytes(hidden.read_bytes())
        seen.append(waiting_files_of(project.path))
        seen.append(waiting_files_of(tmp_path / "other.segstudio"))

    with kept_aside(waiting, look) as again:
        assert seen == [[waiting_file(again.uuid, again.path)], []]


def test_an_edit_that_a_fault_made_does_not_keep_the_project_from_opening(project: Project) -> None:
    made = class_columns(LabelClass(ClassId(4), "nucleus", "#56B4E9", Kind.INSTANCE, 3, 3))
    odd = Edit(None, Cause.CLASSES, rows=(RowChange(Table.CLASSES, 4, None, {**made, "value": "three"}),))
    document = project.document(SECOND)
    fine = painted(document, Rect(0, 0, 50, 50), 1, new_class=CELL)
    project.close()
    keep(project.uuid, project.path, [(Seq(1), odd), (Seq(2), fine)])
    with Project.open(project.path) as again:
        assert again.notice.startswith("1 edit that the disk refused when the project was closed has now been saved. 1")
        assert again.image(SECOND).labelled_pixels == 2500
        assert [edit.id for edit in _aside(again)] == [odd.id]
