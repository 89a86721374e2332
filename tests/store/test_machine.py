"""Random edits, undo, redo, class edits and restarts against a plain model that knows no tile, delta or index."""

import hashlib
import os
import shutil
import struct
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from store_painting import CELL, CLASSES, VESSEL, commit, new_images, painted, status_row

from segstudio.errors import UserError
from segstudio.geometry import TILE, Rect
from segstudio.labels.class_rows import changed_class_row, new_class_row
from segstudio.labels.document import Document
from segstudio.labels.edit import Batch, Edit
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, LabelClass, Seq, Status
from segstudio.labels.tile import EMPTY
from segstudio.store.history import History
from segstudio.store.project import Project
from segstudio.store.values import NewPlane

IMAGES = (ImageId(1), ImageId(2), ImageId(3))
PLANES = 2
WIDTH, HEIGHT = 300, 270
SIZES = tuple(NewPlane(str(i), WIDTH, HEIGHT) for i in range(PLANES))


@dataclass
class Labels:
    """One image as plain arrays."""

    ids: np.ndarray = field(default_factory=lambda: np.zeros((PLANES, HEIGHT, WIDTH), np.uint32))
    origins: np.ndarray = field(default_factory=lambda: np.zeros((PLANES, HEIGHT, WIDTH), np.uint8))
    objects: dict[int, int] = field(default_factory=dict)
    status: str = "new"

    def copy(self) -> "Labels":
        return Labels(self.ids.copy(), self.origins.copy(), dict(self.objects), self.status)


@dataclass
class Entry:
    """One edit: what the list looks like before and after it, so that undo is looking up."""

    image: ImageId | None
    before: object
    after: object
    undoes: int | None = None
    live: bool = True
    batch: int | None = None


class Model:
    def __init__(self) -> None:
        self.labels = {image: Labels() for image in IMAGES}
        self.classes = {1: "background", 2: "cell", 3: "vessel"}
        self.entries: dict[int, Entry] = {}
        self.next_object = dict.fromkeys(IMAGES, 1)
        self.next_class = 4

    def listed(self, image: ImageId) -> dict[int, Entry]:
        return {seq: e for seq, e in self.entries.items() if e.image in (image, None)}

    def undoable(self, image: ImageId) -> list[int]:
        return [seq for seq, e in self.listed(image).items() if e.undoes is None and e.live]

    def redoable(self, image: ImageId) -> list[int]:
        stack: list[int] = []
        for seq, e in self.listed(image).items():
            if e.undoes is None:
                stack = []
            elif e.undoes in stack:
                stack.remove(e.undoes)
            elif self.entries[e.undoes].undoes is None:
                stack.append(seq)
        return stack

    def together(self, seq: int) -> list[int]:
        """An edit and what of its batch is in force, newest first."""
        batch = self.entries[seq].batch
        alone = [seq] if batch is None else [n for n, e in self.entries.items() if e.batch == batch and e.live]
        return sorted(alone, reverse=True)

    def may_be_taken_back(self, seq: int) -> bool:
        """Whether it is what its image would take back, or do again, next; of edits of images alone."""
        image, redo = self.entries[seq].image, self.entries[seq].undoes is not None
        own = {n: e for n, e in self.entries.items() if e.image == image}
        new = [n for n, e in own.items() if e.undoes is None and e.live]
        undone = [n for n, e in own.items() if e.undoes is not None and self.inverse(n) and e.live]
        if redo:
            return undone[-1] == seq and max(new, default=0) < (self.entries[seq].undoes or 0)
        return new[-1] == seq

    def inverse(self, seq: int) -> bool:
        undoes = self.entries[seq].undoes
        return undoes is not None and self.entries[undoes].undoes is None

    def set(self, image: ImageId | None, value: object) -> None:
        if image is None:
            self.classes = dict(value)  # type: ignore[call-overload]
        else:
            self.labels[image] = value.copy()  # type: ignore[attr-defined]

    def get(self, image: ImageId | None) -> object:
        return dict(self.classes) if image is None else self.labels[image].copy()


def sha(labels: Labels) -> str:
    """The digest of DOCUMENT section 4, from whole arrays."""
    hasher = hashlib.sha256()
    down, across = -(-HEIGHT // TILE), -(-WIDTH // TILE)
    for plane in range(PLANES):
        ids = np.zeros((down * TILE, across * TILE), np.uint32)
        origins = np.zeros((down * TILE, across * TILE), np.uint8)
        ids[:HEIGHT, :WIDTH], origins[:HEIGHT, :WIDTH] = labels.ids[plane], labels.origins[plane]
        for ty in range(down):
            for tx in range(across):
                part = np.s_[ty * TILE : (ty + 1) * TILE, tx * TILE : (tx + 1) * TILE]
                if ids[part].any():
                    raw = ids[part].astype("<u4").tobytes() + origins[part].tobytes()
                    hasher.update(struct.pack("<III", plane, ty, tx) + hashlib.sha256(raw).digest())
    for id_ in sorted(labels.objects):
        if (labels.ids == id_).any():
            hasher.update(struct.pack("<II", id_, labels.objects[id_]))
    return hasher.hexdigest()


rects = st.builds(
    Rect,
    st.sampled_from([0, 3, 100, 250, 255, 256, 290]),
    st.sampled_from([0, 5, 120, 250, 255, 256, 262]),
    st.sampled_from([1, 2, 30, 256, 300]),
    st.sampled_from([1, 4, 50, 256, 270]),
)
images = st.sampled_from(IMAGES)


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="store-machine-"))
        listed = [replace(image, planes=SIZES) for image in new_images(self.folder, len(IMAGES))]
        self.project = Project.create(self.folder / "m.segstudio", listed, CLASSES)
        self.streamed = False
        self.model = Model()
        self.load()

    def load(self) -> None:
        self.documents: dict[ImageId, Document] = {image: self.project.document(image) for image in IMAGES}
        self.histories: dict[ImageId, History] = {image: self.project.history(image) for image in IMAGES}

    def submit(self, edit: Edit) -> int:
        """Commit as the session does, and keep every history in step."""
        if edit.image is None:
            assert self.project.writer is not None
            seq = self.project.writer.submit(edit)
        else:
            seq = commit(self.project, self.documents[edit.image], edit)
        for history in self.histories.values():
            history.record(seq, edit)
        return seq

    def note(self, seq: int, image: ImageId | None, before: object, undoes: int | None = None) -> None:
        self.model.entries[seq] = Entry(image, before, self.model.get(image), undoes)

    @rule(
        image=images,
        rect=rects,
        plane=st.integers(0, PLANES - 1),
        origin=st.integers(1, 5),
        pick=st.integers(-3, 4),
        class_id=st.sampled_from([CELL, VESSEL, 4]),
    )
    def paint(self, image: ImageId, rect: Rect, plane: int, origin: int, pick: int, class_id: int) -> None:
        """Pick < 0: a new object; 0: erase; else an object that is there."""
        labels = self.model.labels[image]
        known = [0, *labels.objects]
        new = pick < 0
        if new and class_id not in self.model.classes:
            return
        id_ = self.model.next_object[image] if new else known[pick % len(known)]
        edit = painted(self.documents[image], rect, id_, origin, plane=plane, new_class=class_id if new else None)
        if edit.empty or not edit.tiles:
            return
        before = labels.copy()
        part = np.s_[plane, rect.y : rect.bottom, rect.x : rect.right]
        labels.ids[part] = id_
        labels.origins[part] = origin if id_ else 0
        if new:
            labels.objects[id_] = class_id
            self.model.next_object[image] += 1
        self.note(self.submit(edit), image, before)

    @rule(image=images, status=st.sampled_from(list(Status)))
    def mark(self, image: ImageId, status: Status) -> None:
        document = self.documents[image]
        if document.status is status:
            return
        before = self.model.labels[image].copy()
        self.model.labels[image].status = status.value
        self.note(self.submit(Edit(image, Cause.STATUS, rows=(status_row(document, status),))), image, before)

    @rule()
    def add_class(self) -> None:
        id_, value = self.project.next_class()
        assert id_ == self.model.next_class
        made = LabelClass(id_, f"class {id_}", "#123456", Kind.INSTANCE, value, id_)
        before = dict(self.model.classes)
        self.model.classes[id_] = made.name
        self.model.next_class += 1
        self.note(self.submit(Edit(None, Cause.CLASSES, rows=(new_class_row(made),))), None, before)

    @rule(word=st.sampled_from(["nerve", "bone", "skin"]))
    def rename_class(self, word: str) -> None:
        assert self.project.writer is not None
        self.project.writer.flush()
        table = self.project.classes()
        if table[ClassId(CELL)].name == word:
            return
        before = dict(self.model.classes)
        self.model.classes[CELL] = word
        edit = Edit(None, Cause.CLASSES, rows=(changed_class_row(table[ClassId(CELL)], name=word),))
        self.note(self.submit(edit), None, before)

    @rule(image=images, times=st.integers(1, 3))
    def undo(self, image: ImageId, times: int) -> None:
        for _ in range(times):
            seq = self.histories[image].next_undo()
            assert seq == (self.model.undoable(image) or [None])[-1]
            if seq is None:
                return
            target = self.model.entries[seq]
            made = set(target.after) - set(target.before) if target.image is None else set()  # type: ignore[call-overload]
            used = {c for labels in self.model.labels.values() for c in labels.objects.values()}
            refused = self.project.undo_refusal(seq)
            assert bool(refused) == bool(made & used)
            if refused:
                return
            if not self.revert_all(seq, Cause.UNDO):
                return

    @rule(image=images, times=st.integers(1, 3))
    def redo(self, image: ImageId, times: int) -> None:
        for _ in range(times):
            seq = self.histories[image].next_redo()
            assert seq == (self.model.redoable(image) or [None])[-1]
            if seq is None:
                return
            if not self.revert_all(seq, Cause.REDO):
                return

    def revert_all(self, seq: Seq, cause: Cause) -> bool:
        """Take back what belongs together; whether it was possible. One edit goes both ways: from memory, streamed."""
        targets = self.model.together(seq)
        self.streamed = not self.streamed
        if len(targets) == 1 and (self.model.entries[seq].image is None or not self.streamed):
            self.revert(seq, cause)
            return True
        taken = self.project.take_back(seq, "a")
        if not all(self.model.may_be_taken_back(target) for target in targets):
            with pytest.raises(UserError, match="changed since"):
                taken.result(30)
            return False
        first = len(self.model.entries) + 1
        assert taken.result(30) == len(targets)
        batch = None if self.model.entries[seq].batch is None else first
        for number, target in enumerate(targets, start=first):
            self.note_reverted(number, Seq(target), batch)
        self.load()
        return True

    def revert(self, seq: Seq, cause: Cause) -> None:
        target = self.model.entries[seq]
        lookup = (lambda _: EMPTY) if target.image is None else self.documents[target.image].raster.tile
        edit = self.project.load_edit(seq, lookup).inverted(seq, cause)
        self.note_reverted(self.submit(edit), seq, None)

    def note_reverted(self, number: int, seq: Seq, batch: int | None) -> None:
        target = self.model.entries[seq]
        before = self.model.get(target.image)
        self.model.set(target.image, target.before)
        self.note(number, target.image, before, seq)
        self.model.entries[number].batch = batch
        target.live = False
        if target.undoes is not None:
            self.model.entries[target.undoes].live = True

    @rule(rect=rects, plane=st.integers(0, PLANES - 1), many=st.integers(1, len(IMAGES)), status=st.booleans())
    def paint_many(self, rect: Rect, plane: int, many: int, status: bool) -> None:
        """One change of several images, all of it one batch: a new object in each."""
        self.settle()
        edits = []
        for image in IMAGES[:many]:
            document = self.documents[image]
            rows = (status_row(document, Status.DONE),) if status and document.status is not Status.DONE else ()
            edits.append(painted(document, rect, document.next_object, 3, plane=plane, new_class=CELL, extra_rows=rows))
        assert self.project.writer is not None
        first = len(self.model.entries) + 1
        assert self.project.writer.write_all(edits, Batch(Cause.IMPORT)).result(30) == many
        for number, edit in enumerate(edits, start=first):
            assert edit.image is not None
            labels, id_ = self.model.labels[edit.image], self.model.next_object[edit.image]
            before = labels.copy()
            part = np.s_[plane, rect.y : rect.bottom, rect.x : rect.right]
            labels.ids[part], labels.origins[part] = id_, 3
            labels.objects[id_] = CELL
            labels.status = "done" if len(edit.rows) > 1 else labels.status
            self.model.next_object[edit.image] += 1
            self.note(number, edit.image, before)
            self.model.entries[number].batch = first
        self.load()

    @rule()
    def reopen(self) -> None:
        self.project.close()
        self.project = Project.open(self.project.path)
        self.load()

    @precondition(lambda self: os.name == "posix")
    @rule()
    def restart_without_closing(self) -> None:
        """What a kill leaves: database and log as they lie while the project is open (copied by another process)."""
        self.settle()
        left = self.folder / f"left {len(os.listdir(self.folder))}.segstudio"
        subprocess.run(["cp", "-r", str(self.project.path), str(left)], check=True)
        self.project.close()
        self.project = Project.open(left)
        self.load()

    @rule()
    def look_anew(self) -> None:
        """An image that is switched to: its document and history are read while edits may wait."""
        self.load()

    @precondition(lambda self: self.model.entries)
    @rule()
    def replay(self) -> None:
        self.settle()
        replayed = {image: Document(image, type(d.raster)(d.raster.sizes)) for image, d in self.documents.items()}
        for seq, entry in self.model.entries.items():
            if entry.image is not None:
                document = replayed[entry.image]
                document.apply(self.project.load_edit(Seq(seq), document.raster.tile))
        for image, document in replayed.items():
            self.check_document(image, document)

    @rule()
    def check_everything(self) -> None:
        self.settle()
        assert self.project.last_seq() == len(self.model.entries)
        assert {c.id: c.name for c in self.project.classes().all} == self.model.classes
        for image in IMAGES:
            labels = self.model.labels[image]
            self.check_document(image, self.project.document(image))
            self.check_derived(image, labels)
            assert self.project.labels_sha256(image) == sha(labels)
            assert self.project.document(image).next_object == self.model.next_object[image]
            history = self.project.history(image)
            assert list(history.undoable) == self.model.undoable(image)
            assert list(history.redoable) == self.model.redoable(image)

    def settle(self) -> None:
        assert self.project.writer is not None
        assert self.project.writer.flush(30)

    @invariant()
    def memory_is_the_model(self) -> None:
        for image, document in self.documents.items():
            self.check_document(image, document)
            assert list(self.histories[image].undoable) == self.model.undoable(image)
            assert list(self.histories[image].redoable) == self.model.redoable(image)

    def check_document(self, image: ImageId, document: Document) -> None:
        labels = self.model.labels[image]
        for plane in range(PLANES):
            ids, origins = document.raster.read(plane, Rect(0, 0, WIDTH, HEIGHT))
            assert np.array_equal(ids, labels.ids[plane])
            assert np.array_equal(origins, labels.origins[plane])
        assert dict(document.objects) == labels.objects
        assert document.status.value == labels.status

    def check_derived(self, image: ImageId, labels: Labels) -> None:
        row = self.project.image(image)
        found = {o.id: o for o in self.project.objects(image)}
        assert found.keys() == labels.objects.keys()
        counts: Counter[tuple[int, int]] = Counter()
        for id_, o in found.items():
            mask = labels.ids == id_
            by_origin = np.bincount(labels.origins[mask], minlength=6).tolist()
            assert (o.area, list(o.by_origin)) == (int(mask.sum()), by_origin[1:])
            _, ys, xs = np.nonzero(mask)
            box = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) if len(xs) else None
            assert o.box == box
            counts.update({(o.class_id, origin): n for origin, n in enumerate(by_origin) if n})
        assert self.project.counts(image) == counts
        assert row.labelled_pixels == int((labels.ids > 0).sum())
        assert row.objects == sum(1 for o in found.values() if o.area)
        assert row.status.value == labels.status
        assert row.split is not None or row.labelled_pixels == 0

    def teardown(self) -> None:
        try:
            self.check_everything()
        finally:
            self.project.close()
            shutil.rmtree(self.folder)


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
