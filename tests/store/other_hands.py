"""What others do in a copy of a project: drawn deeds, done on the project alone; no model follows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hypothesis import strategies as st

from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row, new_class_row
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, LabelClass, Origin, Status
from segstudio.store.project import Project
from tests.store.store_painting import CELL, VESSEL, commit, flushed, painted, redo, status_row, undo

__all__ = ["Act", "Deed", "change_classes", "deeds", "play"]


class Act(StrEnum):
    """What is done."""

    PAINT = "paint"
    ERASE = "erase"
    MARK = "mark"
    MOVE = "move an object to another class"
    LOCK = "lock an object, or unlock it"
    ADD = "add a class"
    RENAME = "rename a class"
    REMOVE = "remove a class"
    MERGE = "merge a class into an older one"
    UNDO = "undo"
    REDO = "redo"


@dataclass(frozen=True)
class Deed:
    """One of them; what has no meaning just then is left out."""

    act: Act
    image: ImageId
    plane: int
    rect: Rect
    pick: int
    class_id: ClassId
    status: Status


def deeds(images: Sequence[ImageId], planes: int, rects: st.SearchStrategy[Rect]) -> st.SearchStrategy[list[Deed]]:
    acts = st.sampled_from([*Act, Act.PAINT, Act.PAINT, Act.PAINT])
    places = st.sampled_from(images), st.integers(0, planes - 1), rects
    deed = st.builds(
        Deed, acts, *places, st.integers(-3, 4), st.integers(2, 6).map(ClassId), st.sampled_from(list(Status))
    )
    return st.lists(deed, max_size=6)


def play(project: Project, todo: Sequence[Deed]) -> None:
    for deed in todo:
        edit = _class_edit(project, deed)
        if edit is not None:
            change_classes(project, edit)
        else:
            _play_image(project, deed)
            flushed(project)


def change_classes(project: Project, edit: Edit) -> None:
    assert project.writer is not None
    project.writer.submit(edit)
    flushed(project)


def _class_edit(project: Project, deed: Deed) -> Edit | None:
    classes = project.classes()
    found = classes.get(deed.class_id)
    if deed.act is Act.ADD:
        id_, value = project.next_class()
        # Both sides make classes of one name; where it is taken, the copy's own.
        name = f"class {id_}" if classes.named(f"class {id_}") is None else f"theirs {id_}"
        row = new_class_row(LabelClass(id_, name, "#123456", Kind.INSTANCE, value, id_))
    elif found is None or found.removed or found.merged_into is not None:
        return None
    elif deed.act is Act.RENAME:
        row = changed_class_row(found, name=f"theirs after {project.last_seq()}")
    elif deed.act is Act.REMOVE:
        row = changed_class_row(found, removed=True)
    elif deed.act is Act.MERGE and (into := classes.get(ClassId(CELL))) != found and classes.effective(ClassId(CELL)):
        assert into is not None
        row = changed_class_row(found, merged_into=CELL)
    else:
        return None
    return Edit(None, Cause.CLASSES, rows=(row,), author="b")


def _play_image(project: Project, deed: Deed) -> None:
    document = project.document(deed.image)
    known = [0, *document.objects]
    if deed.act in (Act.PAINT, Act.ERASE):
        new = deed.act is Act.PAINT and (deed.pick < 0 or len(known) == 1)
        if new and project.classes().effective(deed.class_id) is None:
            return
        id_ = document.next_object if new else known[deed.pick % len(known)] if deed.act is Act.PAINT else 0
        origin = Origin.ACCEPTED
        edit = painted(document, deed.rect, id_, origin, plane=deed.plane, new_class=deed.class_id if new else None)
        if edit.tiles:
            commit(project, document, edit)
    elif deed.act is Act.MARK and document.status is not deed.status:
        commit(project, document, Edit(deed.image, Cause.STATUS, rows=(status_row(document, deed.status),)))
    elif deed.act is Act.MOVE:
        class_id = CELL if deed.pick % 2 else VESSEL
        other = next((o for o, c in document.objects.items() if c != class_id), None)
        if other is not None:
            row = RowChange(Table.OBJECTS, other, {"class_id": document.objects[other]}, {"class_id": class_id})
            commit(project, document, Edit(deed.image, Cause.CLASSES, rows=(row,)))
    elif deed.act is Act.LOCK and document.objects:
        id_ = sorted(document.objects)[deed.pick % len(document.objects)]
        locked = id_ in document.locked
        lock = RowChange(Table.OBJECTS, id_, {"locked": locked}, {"locked": not locked})
        commit(project, document, Edit(deed.image, Cause.OBJECTS, rows=(lock,)))
    elif deed.act in (Act.UNDO, Act.REDO):
        back = deed.act is Act.UNDO
        history = project.history(deed.image)
        seq = history.next_undo() if back else history.next_redo()
        if seq is None or project.undo_refusal(seq):
            return
        with project.reading() as db:
            image, batch = db.execute("SELECT image, batch FROM edits WHERE seq = ?", (seq,)).fetchone()
        if batch is None and image is not None:
            (undo if back else redo)(project, document, seq)
        elif batch is None:
            cause = Cause.UNDO if back else Cause.REDO
            change_classes(project, project.load_edit(seq, document.raster.tile).inverted(seq, cause))
