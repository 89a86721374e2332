"""The rules of a state machine by which a person edits a project, each beside the plain model, and what is compared.

The documents share a budget of two tiles, so that every look at an image pushes others out of memory.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.class_rows import apply_class_row, changed_class_row, new_class_row
from segstudio.labels.document import Document
from segstudio.labels.edit import Batch, Edit, RowChange, Table
from segstudio.labels.model import Cause, ClassId, ClassTable, ImageId, Kind, LabelClass, Seq, Status
from segstudio.labels.tiles.raster import TileBudget
from segstudio.labels.tiles.streamed import TILE_BYTES
from segstudio.labels.tiles.tile import EMPTY
from segstudio.store.database.create import build_project
from segstudio.store.history.undo_list import History
from segstudio.store.project import Project
from segstudio.store.values import NewPlane
from segstudio.store.writing.label_digests import compute_digest, keep_digest
from tests.store.plain_project import Picture, PlainProject
from tests.store.store_painting import CELL, CLASSES, VESSEL, commit, new_images, painted, status_row

__all__ = ["IMAGES", "PLANES", "EditingMachine", "images", "rects"]

IMAGES = (ImageId(1), ImageId(2), ImageId(3))
PLANES = 2
WIDTH, HEIGHT = 300, 270
SIZES = tuple(NewPlane(str(i), WIDTH, HEIGHT) for i in range(PLANES))

rects = st.builds(
    Rect,
    st.sampled_from([0, 3, 100, 250, 255, 256, 290]),
    st.sampled_from([0, 5, 120, 250, 255, 256, 262]),
    st.sampled_from([1, 2, 30, 256, 300]),
    st.sampled_from([1, 4, 50, 256, 270]),
)
images = st.sampled_from(IMAGES)
class_ids = st.integers(2, 6).map(ClassId)


class EditingMachine(RuleBasedStateMachine):
    """In a hasty run edits wait while others are made; otherwise all that is committed is compared after each rule."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="store-machine-"))
        self.hasty = False
        self.streamed = False
        self.budget = TileBudget(2 * TILE_BYTES)
        self.documents: dict[ImageId, Document] = {}
        self.histories: dict[ImageId, History] = {}
        self.project: Project

    def begin(self, between: Callable[[], object]) -> None:
        """Make the project, and open it; `between` is called between the two."""
        listed = [replace(image, planes=SIZES) for image in new_images(self.folder, len(IMAGES))]
        path = self.folder / "m.segstudio"
        build_project(path, listed, CLASSES, copy_files=False)
        between()
        self.open(path)
        classes = {int(c.id): c for c in self.project.classes().all}
        self.model = PlainProject(IMAGES, PLANES, WIDTH, HEIGHT, classes)

    def open(self, path: Path) -> None:
        self.project = Project.open(path)
        self.load()

    def load(self) -> None:
        """Read every image and its history anew, also while edits wait."""
        assert self.project.writer is not None
        for document in self.documents.values():
            document.raster.leave()
        self.documents = {image: self.project.document(image) for image in IMAGES}
        self.histories = {image: self.project.history(image) for image in IMAGES}
        for document in self.documents.values():
            document.raster.share(self.budget)

    def settle(self) -> None:
        assert self.project.writer is not None
        assert self.project.writer.flush(30)

    def submit(self, edit: Edit) -> int:
        """Commit as the session does, and keep every history in step."""
        assert self.project.writer is not None
        if edit.image is None:
            seq = self.project.writer.submit(edit)
        else:
            document = self.documents[edit.image]
            seq = commit(self.project, document, edit)
            document.raster.written(edit.tiles, seq)
        for history in self.histories.values():
            history.record(seq, edit)
        return seq

    # --- one image

    @rule(
        image=images,
        rect=rects,
        plane=st.integers(0, PLANES - 1),
        origin=st.integers(1, 5),
        pick=st.integers(-3, 4),
        class_id=class_ids,
    )
    def paint(self, image: ImageId, rect: Rect, plane: int, origin: int, pick: int, class_id: ClassId) -> None:
        """Pick < 0: a new object; 0: erase; else an object that is there."""
        new = pick < 0
        if new and self.classes.effective(class_id) is None:
            return
        known = [0, *self.model.images[image].objects]
        id_ = self.model.next_object[image] if new else known[pick % len(known)]
        edit = painted(self.documents[image], rect, id_, origin, plane=plane, new_class=class_id if new else None)
        if edit.tiles:
            after = self.filled(image, plane, rect, id_, origin, class_id if new else None)
            assert self.submit(edit) == self.model.note(image, after)

    def filled(
        self, image: ImageId, plane: int, rect: Rect, id_: int, origin: int, new_class: int | None, status: str = ""
    ) -> Picture:
        after = self.model.images[image].copy()
        part = np.s_[plane, rect.y : rect.bottom, rect.x : rect.right]
        after.ids[part] = id_
        after.origins[part] = origin if id_ else 0
        if new_class is not None:
            after.objects[id_] = new_class
        if status:
            after.status, after.done = status, set(range(PLANES) if status == "done" else ())
        return after

    @rule(image=images, status=st.sampled_from(list(Status)), rect=rects)
    def mark(self, image: ImageId, status: Status, rect: Rect) -> None:
        """The status; Done fills pixels in with the same edit."""
        document = self.documents[image]
        if document.status is status:
            return
        row = status_row(document, status)
        if status is Status.DONE:
            id_ = self.model.next_object[image]
            edit = painted(document, rect, id_, 4, new_class=VESSEL, extra_rows=(row,))
            after = self.filled(image, 0, rect, id_, 4, VESSEL, "done")
        else:
            edit = Edit(image, Cause.STATUS, rows=(row,))
            after = self.model.images[image].copy()
            after.status, after.done = status.value, set()
        assert self.submit(edit) == self.model.note(image, after)

    @rule(image=images, plane=st.integers(0, PLANES - 1), done=st.booleans())
    def mark_plane(self, image: ImageId, plane: int, done: bool) -> None:
        """The status of one plane; with the last one the image is done."""
        document = self.documents[image]
        now = document.marks
        row = now.change(image, now.with_done([plane], PLANES) if done else now.without([plane], PLANES))
        if row is not None:
            after = self.model.images[image].copy()
            (after.done.add if done else after.done.discard)(plane)
            after.status = "done" if len(after.done) == PLANES else "in-progress"
            assert self.submit(Edit(image, Cause.DONE, rows=(row,))) == self.model.note(image, after)

    @rule(image=images, class_id=st.sampled_from([CELL, VESSEL]))
    def move_object(self, image: ImageId, class_id: int) -> None:
        """An object gets another class."""
        after = self.model.images[image].copy()
        other = next((o for o, c in after.objects.items() if c != class_id), None)
        if other is not None:
            row = RowChange(Table.OBJECTS, other, {"class_id": after.objects[other]}, {"class_id": class_id})
            after.objects[other] = class_id
            assert self.submit(Edit(image, Cause.CLASSES, rows=(row,))) == self.model.note(image, after)

    @rule(image=images, pick=st.integers(0, 4))
    def lock_or_unlock(self, image: ImageId, pick: int) -> None:
        """An object is locked, or is so no longer: a row alone."""
        after = self.model.images[image].copy()
        if after.objects:
            id_ = sorted(after.objects)[pick % len(after.objects)]
            locked = id_ in after.locked
            after.locked ^= {id_}
            row = RowChange(Table.OBJECTS, id_, {"locked": locked}, {"locked": not locked})
            assert self.submit(Edit(image, Cause.OBJECTS, rows=(row,))) == self.model.note(image, after)

    @rule(rect=rects, plane=st.integers(0, PLANES - 1), many=st.integers(1, len(IMAGES)), done=st.booleans())
    def paint_many(self, rect: Rect, plane: int, many: int, done: bool) -> None:
        """One change of several images, all of it one batch: a new object in each."""
        self.settle()
        edits, changes = [], []
        for image in IMAGES[:many]:
            document = self.documents[image]
            rows = (status_row(document, Status.DONE),) if done and document.status is not Status.DONE else ()
            id_ = self.model.next_object[image]
            edits.append(painted(document, rect, id_, 3, plane=plane, new_class=CELL, extra_rows=rows))
            changes.append((image, self.filled(image, plane, rect, id_, 3, CELL, "done" if rows else "")))
        assert self.project.writer is not None
        assert self.project.writer.write_all(edits, Batch(Cause.IMPORT)).result(30) == many
        self.model.note_batch(changes)
        self.load()

    # --- classes

    @property
    def classes(self) -> ClassTable:
        return ClassTable(self.model.classes.values())

    def write_class(self, row: RowChange) -> None:
        after = {int(c.id): c for c in apply_class_row(self.classes, row).all}
        assert self.submit(Edit(None, Cause.CLASSES, rows=(row,))) == self.model.note(None, after)

    @rule(class_id=class_ids, what=st.sampled_from(["make", "rename", "fade", "remove", "merge"]), into=class_ids)
    def change_class(self, class_id: ClassId, what: str, into: ClassId) -> None:
        """Merge into an older one, so that no two projects merge classes in a ring."""
        if what == "make":
            self.make_class()
        elif not self.in_use(class_id):
            return
        elif what == "rename":
            self.write_class(changed_class_row(self.classes[class_id], name=f"ours after {len(self.model.entries)}"))
        elif what == "fade":
            self.write_class(changed_class_row(self.classes[class_id], opacity=0.1 + len(self.model.entries) % 9 / 10))
        elif what == "remove":
            self.write_class(changed_class_row(self.classes[class_id], removed=True))
        elif into < class_id and self.in_use(into):
            self.write_class(changed_class_row(self.classes[class_id], merged_into=into))

    def make_class(self) -> None:
        id_, value = self.project.next_class()
        assert id_ == self.model.next_class
        name = f"class {id_}" if self.classes.named(f"class {id_}") is None else f"ours {id_}"
        self.write_class(new_class_row(LabelClass(id_, name, "#123456", Kind.INSTANCE, value, id_)))

    def in_use(self, class_id: ClassId) -> bool:
        found = self.classes.get(class_id)
        return found is not None and not found.removed and found.merged_into is None

    # --- undo and redo

    @rule(image=images, times=st.integers(1, 3))
    def undo(self, image: ImageId, times: int) -> None:
        for _ in range(times):
            seq = self.histories[image].next_undo()
            assert seq == (self.model.undoable(image) or [None])[-1]
            if seq is None:
                return
            refused = self.project.undo_refusal(seq)
            assert bool(refused) == self.model.depends(seq)
            if refused or not self.revert_all(seq, Cause.UNDO):
                return

    @rule(image=images, times=st.integers(1, 3))
    def redo(self, image: ImageId, times: int) -> None:
        for _ in range(times):
            seq = self.histories[image].next_redo()
            assert seq == (self.model.redoable(image) or [None])[-1]
            if seq is None or not self.revert_all(seq, Cause.REDO):
                return

    def revert_all(self, seq: Seq, cause: Cause) -> bool:
        """Take back what belongs together; whether it was possible. One edit goes both ways: from memory, streamed."""
        targets = self.model.together(seq)
        entry = self.model.entries[seq]
        self.streamed = not self.streamed
        if entry.batch is None and (entry.image is None or not self.streamed):
            lookup = (lambda _: EMPTY) if entry.image is None else self.documents[entry.image].raster.tile
            self.submit(self.project.load_edit(seq, lookup).inverted(seq, cause))
            self.model.note_reverted(seq)
            return True
        taken = self.project.take_back(seq, "a")
        changed = not all(self.model.may_be_taken_back(target) for target in targets)
        if changed or any(self.model.depends(target) for target in targets):
            with pytest.raises(UserError, match="changed since" if changed else "in use"):
                taken.result(30)
            return False
        assert taken.result(30) == len(targets)
        batch = None if entry.batch is None else len(self.model.entries) + 1
        for target in targets:
            self.model.note_reverted(target, batch)
        self.load()
        return True

    # --- comparing

    @rule()
    def pause(self) -> None:
        """The writer has a moment: the digests of what was painted are computed and kept."""
        assert self.project.writer is not None
        self.project.writer.call(lambda db: [keep_digest(db, image) for image in IMAGES]).result(30)

    @rule()
    def look_anew(self) -> None:
        """An image that is switched to: its document and history are read while edits may wait."""
        self.load()

    @invariant()
    def memory_is_the_model(self) -> None:
        if not self.documents:
            return
        assert self.project.writer is not None
        for image, document in self.documents.items():
            document.raster.saved(self.project.writer.durable)
            self.check_document(image, document)
            assert list(self.histories[image].undoable) == self.model.undoable(image)
            assert list(self.histories[image].redoable) == self.model.redoable(image)
        if not self.hasty:
            self.check_everything()

    @precondition(lambda self: self.hasty)
    @rule()
    def check_what_is_committed(self) -> None:
        self.check_everything()

    def check_everything(self) -> None:
        self.settle()
        assert self.project.writer is not None
        for document in self.documents.values():
            document.raster.saved(self.project.writer.durable)
        assert self.budget.bytes_held <= self.budget.limit_bytes
        assert self.project.last_seq() == len(self.model.entries)
        assert {int(c.id): c for c in self.project.classes().all} == self.model.classes
        for image, picture in self.model.images.items():
            document = self.project.document(image)
            document.raster.share(TileBudget(TILE_BYTES))
            self.check_document(image, document)
            assert document.next_object == self.model.next_object[image]
            assert self.project.labels_sha256(image) == picture.sha
            with self.project.reading() as db:
                assert compute_digest(db, image).hex() == picture.sha
            self.check_derived(image, picture)
            history = self.project.history(image)
            assert list(history.undoable) == self.model.undoable(image)
            assert list(history.redoable) == self.model.redoable(image)

    def check_document(self, image: ImageId, document: Document) -> None:
        picture = self.model.images[image]
        for plane in range(PLANES):
            ids, origins = document.raster.read(plane, Rect(0, 0, WIDTH, HEIGHT))
            assert np.array_equal(ids, picture.ids[plane])
            assert np.array_equal(origins, picture.origins[plane])
        assert dict(document.objects) == picture.objects
        assert document.locked == picture.locked
        assert document.status.value == picture.status
        assert set(document.done_planes) == picture.done

    def check_derived(self, image: ImageId, picture: Picture) -> None:
        row = self.project.image(image)
        found = {int(o.id): o for o in self.project.objects(image)}
        assert found.keys() == picture.objects.keys()
        assert {o for o, row in found.items() if row.locked} == picture.locked
        counts: Counter[tuple[int, int]] = Counter()
        for id_, figures in picture.figures.items():
            o = found[id_]
            assert (o.class_id, o.area) == (picture.objects[id_], sum(figures.by_origin))
            assert (tuple(o.by_origin), o.box) == (figures.by_origin, figures.box)
            counts.update({(o.class_id, origin): n for origin, n in enumerate(figures.by_origin, 1) if n})
        assert self.project.counts(image) == counts
        assert row.labelled_pixels == counts.total()
        present: Counter[ClassId] = Counter()
        for o in found.values():
            counts_as = self.classes.effective(o.class_id)
            if o.area and counts_as is not None and counts_as.kind in (Kind.SEMANTIC, Kind.INSTANCE):
                present[counts_as.id] += 1
        assert self.project.object_counts(image) == present
        assert row.objects == sum(1 if self.classes[c].kind is Kind.SEMANTIC else n for c, n in present.items())
        assert row.status.value == picture.status
        assert row.split is not None or row.labelled_pixels == 0

    def teardown(self) -> None:
        try:
            self.project.close()
        finally:
            shutil.rmtree(self.folder)
