"""Random edits, undo, redo, changes of classes and Done over several images, with snapshots between; any of them is
restored, whole or for one image, and the restore taken back. What a snapshot recorded is what comes back.
"""

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from store_painting import CELL, CLASSES, VESSEL, commit, new_images, painted, status_row

from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row, new_class_row
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, LabelClass, Seq, Status
from segstudio.labels.raster import Raster
from segstudio.store.floor import compacted_points, floor_of
from segstudio.store.project import Project
from segstudio.store.snapshots import Snapshot
from segstudio.store.values import NewPlane
from segstudio.tasks.compact import compact, planned
from segstudio.tasks.snapshots import RestoreReport, keep, listed, restore

IMAGES = (ImageId(1), ImageId(2), ImageId(3))
PLANES = 2
SIZES = tuple(NewPlane(str(i), 300, 270) for i in range(PLANES))


@dataclass(frozen=True)
class State:
    """Everything that a restore has to bring back."""

    labels: dict[ImageId, tuple[str, dict[int, int], str]]
    classes: tuple[LabelClass, ...]


def state_of(project: Project) -> State:
    labels = {}
    for image in IMAGES:
        document = project.document(image)
        objects = {int(o): int(c) for o, c in document.objects.items()}
        labels[image] = (project.labels_sha256(image), objects, document.status.value)
    return State(labels, tuple(project.classes()))


def restored(project: Project, seq: Seq, images: tuple[ImageId, ...] | None = None) -> RestoreReport:
    task = restore(project, seq, images)
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value


def replayed(project: Project) -> dict[ImageId, Document]:
    """The journal from its beginning, edit by edit."""
    documents = {image: Document(image, Raster([(p.width, p.height) for p in SIZES])) for image in IMAGES}
    for seq in range(1, project.last_seq() + 1):
        with project.reading() as db:
            image = db.execute("SELECT image FROM edits WHERE seq = ?", (seq,)).fetchone()[0]
        if image is not None:
            document = documents[image]
            document.apply(project.load_edit(Seq(seq), document.raster.tile))
    return documents


rects = st.builds(
    Rect,
    st.sampled_from([0, 3, 250, 255, 256]),
    st.sampled_from([0, 5, 250, 256, 262]),
    st.sampled_from([1, 30, 256, 300]),
    st.sampled_from([1, 50, 256, 270]),
)
images = st.sampled_from(IMAGES)


class RestoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="restore-machine-"))
        listed_ = [replace(image, planes=SIZES) for image in new_images(self.folder, len(IMAGES))]
        self.project = Project.create(self.folder / "m.segstudio", listed_, CLASSES)
        self.recorded: dict[int, State] = {}

    def settle(self) -> None:
        assert self.project.writer is not None
        assert self.project.writer.flush(30)

    @rule(image=images, rect=rects, plane=st.integers(0, 1), pick=st.integers(-3, 3), class_id=st.integers(2, 5))
    def paint(self, image: ImageId, rect: Rect, plane: int, pick: int, class_id: int) -> None:
        document = self.project.document(image)
        known = [0, *document.objects]
        new = pick < 0
        if new and class_id not in self.project.classes():
            return
        id_ = document.next_object if new else known[pick % len(known)]
        edit = painted(document, rect, id_, plane=plane, new_class=class_id if new else None)
        if edit.tiles:
            commit(self.project, document, edit)

    @rule(image=images, status=st.sampled_from(list(Status)), rect=rects)
    def mark(self, image: ImageId, status: Status, rect: Rect) -> None:
        """The status, Done with pixels that it fills in."""
        document = self.project.document(image)
        if document.status is status:
            return
        edit = Edit(image, Cause.STATUS, rows=(status_row(document, status),))
        if status is Status.DONE:
            row = status_row(document, status)
            edit = painted(document, rect, document.next_object, 4, new_class=VESSEL, extra_rows=(row,))
        commit(self.project, document, edit)

    @rule(image=images, class_id=st.sampled_from([CELL, VESSEL]))
    def move_object(self, image: ImageId, class_id: int) -> None:
        """An object gets another class."""
        document = self.project.document(image)
        other = next((o for o, c in document.objects.items() if c != class_id), None)
        if other is not None:
            row = RowChange(Table.OBJECTS, other, {"class_id": document.objects[other]}, {"class_id": class_id})
            commit(self.project, document, Edit(image, Cause.CLASSES, rows=(row,)))

    def change_classes(self, *rows: object) -> None:
        assert self.project.writer is not None
        self.project.writer.submit(Edit(None, Cause.CLASSES, rows=rows))  # type: ignore[arg-type]
        self.settle()

    @rule()
    def add_class(self) -> None:
        id_, value = self.project.next_class()
        name = f"class {id_}" if self.project.classes().named(f"class {id_}") is None else f"new {id_}"
        self.change_classes(new_class_row(LabelClass(id_, name, "#123456", Kind.INSTANCE, value, id_)))

    @rule(word=st.sampled_from(["nerve", "cell", "vessel", "class 4", "class 5"]), class_id=st.integers(2, 5))
    def rename_class(self, word: str, class_id: int) -> None:
        self.settle()
        found = self.project.classes().get(ClassId(class_id))
        if found is not None and self.project.classes().named(word) is None:
            self.change_classes(changed_class_row(found, name=word))

    @rule(class_id=st.integers(2, 5), into=st.sampled_from([None, CELL, VESSEL]))
    def remove_or_merge_class(self, class_id: int, into: int | None) -> None:
        self.settle()
        found = self.project.classes().get(ClassId(class_id))
        if found is None or found.removed or found.merged_into is not None or into == class_id:
            return
        if into is None:
            self.change_classes(changed_class_row(found, removed=True))
        elif self.project.classes().effective(ClassId(into)) not in (None, found):
            self.change_classes(changed_class_row(found, merged_into=into))

    @rule(image=images, redo=st.booleans())
    def undo_or_redo(self, image: ImageId, redo: bool) -> None:
        self.settle()
        history = self.project.history(image)
        seq = history.next_redo() if redo else history.next_undo()
        if seq is None or self.project.undo_refusal(seq):
            return
        document = self.project.document(image)
        edit = self.project.load_edit(seq, document.raster.tile)
        if edit.batch is not None or any(r.before is None for r in edit.rows if edit.image is None):
            return
        inverse = edit.inverted(seq, Cause.REDO if redo else Cause.UNDO)
        assert self.project.writer is not None
        self.project.writer.submit(inverse)
        self.settle()

    @rule()
    def snapshot(self) -> None:
        self.settle()
        made = keep(self.project, f"snapshot {len(self.recorded)}").result(30)
        self.recorded[made.id] = state_of(self.project)

    @precondition(lambda self: self.recorded)
    @rule(pick=st.integers(0, 50), one=st.one_of(st.none(), images), taken_back=st.booleans())
    def restore(self, pick: int, one: ImageId | None, taken_back: bool) -> None:
        self.settle()
        snapshot = self.chosen(pick)
        before = state_of(self.project)
        highest = {image: self.project.document(image).next_object for image in IMAGES}
        report = restored(self.project, snapshot.seq, None if one is None else (one,))
        after, then = state_of(self.project), self.recorded[snapshot.id]
        if one is None:
            assert after == then
        else:
            assert after.labels == {**before.labels, one: then.labels[one]}
            assert after.classes == before.classes
        assert {image: self.project.document(image).next_object for image in IMAGES} == highest
        assert report.batch is not None or before == after
        if taken_back and report.batch is not None:
            assert report.last is not None
            assert self.project.take_back(report.last, "ann").result(30)
            assert state_of(self.project) == before

    def chosen(self, pick: int) -> Snapshot:
        found = [s for s in listed(self.project) if s.id in self.recorded]
        return found[pick % len(found)]

    @rule(back=st.integers(0, 12))
    def compact(self, back: int) -> None:
        """Every snapshot stays restorable, and today's labels, histories and what undo does are as they were."""
        self.settle()
        before = state_of(self.project)
        floor = Seq(max(1, self.project.last_seq() - back))
        task = compact(self.project, planned(self.project, before=floor))
        while next(task, None) is not None:
            pass
        assert state_of(self.project) == before
        with self.project.reading() as db:
            assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
            reached = floor_of(db)
        for image in IMAGES:
            history = self.project.history(image)
            assert all(seq > reached for seq in (*history.undoable, *history.redoable))

    @precondition(lambda self: not self.compacted())
    @rule()
    def replay(self) -> None:
        self.settle()
        whole = Rect(0, 0, 300, 270)
        for image, document in replayed(self.project).items():
            now = self.project.document(image)
            assert dict(document.objects) == dict(now.objects)
            for plane in range(PLANES):
                for ours, theirs in zip(document.raster.read(plane, whole), now.raster.read(plane, whole), strict=True):
                    assert np.array_equal(ours, theirs)

    def compacted(self) -> bool:
        with self.project.reading() as db:
            return bool(compacted_points(db))

    @rule()
    def reopen(self) -> None:
        self.project.close()
        self.project = Project.open(self.project.path)

    def teardown(self) -> None:
        try:
            self.settle()
            for snapshot in listed(self.project):
                if snapshot.id in self.recorded:
                    restored(self.project, snapshot.seq)
                    assert state_of(self.project) == self.recorded[snapshot.id]
        finally:
            self.project.close()
            shutil.rmtree(self.folder)


TestRestoreMachine = RestoreMachine.TestCase
TestRestoreMachine.settings = settings(
    max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
