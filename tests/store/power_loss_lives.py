"""Random edits by the real writer on a simulated disk, cut at random moments; what a cut leaves is held to the promise.

A life is a script over the files that the cut before it left. `Life.live` yields cuts; `verify` opens what one of them
left with the real `Project.open` and compares: nothing acknowledged is lost, the labels are the model's byte for byte
at some number at or after the last acknowledged one, the journal replays to the same raster, SQLite finds no fault.
"""

import os
import random
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import apsw

from segstudio.geometry import Rect
from segstudio.labels.class_rows import apply_class_row, changed_class_row, new_class_row
from segstudio.labels.document import Document
from segstudio.labels.edit import Batch, Edit
from segstudio.labels.model import Cause, ClassId, ClassTable, ImageId, Kind, LabelClass, Origin, Seq, Status
from segstudio.labels.tiles.raster import Raster
from segstudio.store.history.undo_list import History
from segstudio.store.project import Project
from segstudio.store.values import NewPlane
from segstudio.store.writing import write_connection
from segstudio.store.writing.writer import Writer
from tests.store.apsw_connection import connection_on
from tests.store.plain_labels import labels_of, sha
from tests.store.simulated_disk import Loss, SimulatedDisk, SimulatedVFS
from tests.store.store_painting import CELL, CLASSES, VESSEL, new_images, painted, status_row

__all__ = ["Cut", "Life", "Lost", "State", "first_state", "lives", "memory_folder", "verify", "write_files"]

IMAGES = (ImageId(1), ImageId(2))
PLANES = 1
WIDTH, HEIGHT = 300, 270
_COUNTER = "counter"
_WAIT_S = 60.0
_LONGEST = 40
"""A project of more edits is not lived on with: each cut replays all of them."""


@dataclass
class State:
    """What is on disk when a life begins, and the model of it: digests of every number, all edits."""

    files: dict[str, bytes]
    documents: dict[ImageId, Document]
    histories: dict[ImageId, History]
    classes: ClassTable
    next_class: int
    edits: dict[Seq, Edit] = field(default_factory=dict)
    shas: dict[Seq, tuple[object, ...]] = field(default_factory=dict)
    counter: int = 0

    @property
    def last(self) -> Seq:
        return max(self.shas)


@dataclass(frozen=True, slots=True)
class Cut:
    """What a power cut left, and what had been acknowledged by then."""

    files: dict[str, bytes]
    loss: Loss
    during: str
    acknowledged: Seq
    counter: int


def snapshot(state: State) -> tuple[object, ...]:
    """All that a number stands for: digests of the labels, statuses, names of the classes."""
    found = [labels_of(document) for document in state.documents.values()]
    return (*(sha(f) for f in found), *(f.status for f in found), tuple((c.id, c.name) for c in state.classes.all))


def first_state(folder: Path) -> State:
    """A new project, made by the real program in a real folder."""
    planes = tuple(NewPlane(str(i), WIDTH, HEIGHT) for i in range(PLANES))
    images = [replace(image, planes=planes) for image in new_images(folder, len(IMAGES))]
    path = folder / "new.segstudio"
    Project.create(path, images, CLASSES).close()
    files = {"project.db": (path / "project.db").read_bytes()}
    with Project.open(path) as project:
        state = _read(project, files)
    shutil.rmtree(path)
    state.shas[Seq(0)] = snapshot(state)
    return state


def _read(project: Project, files: dict[str, bytes]) -> State:
    documents = {image: project.document(image) for image in IMAGES}
    for document in documents.values():
        labels_of(document)  # every tile is in memory now
    histories = {image: project.history(image) for image in IMAGES}
    return State(files, documents, histories, project.classes(), int(project.next_class()[0]))


class Life:
    """One script by one writer. `every` is how many changes of the disk there are between two cuts, about.

    With `failing_syncs` that share of syncs fails; changes of many images, which are not tried again, are left out.
    """

    def __init__(self, state: State, folder: Path, rng: random.Random, every: float, failing_syncs: float = 0) -> None:
        self.state = state
        self.cuts: list[Cut] = []
        self._rng = rng
        self._every = every
        self._failing_syncs = 0.0
        self._wanted_failures = failing_syncs
        self.failures = 0
        self._acknowledged, self._counted = state.last, state.counter
        folder.mkdir(parents=True)
        (folder / "project.db").touch()
        self.disk = SimulatedDisk(state.files, folder)
        self.disk.before = self._before
        self._folder = folder

    def live(self, steps: int) -> None:
        """Run the script; what the cuts left is in `cuts`, the last one made when all was closed."""
        vfs = SimulatedVFS(self.disk)
        kept = write_connection._LONG_LOG_BYTES
        write_connection._LONG_LOG_BYTES = self._rng.choice([0, 40_000, 400_000, kept])
        try:
            self._writer = Writer(self._folder / "project.db", connection_on(vfs))
            self._writer.on_saved = self._on_saved
            self._failing_syncs = self._wanted_failures
            while steps > 0:
                held = self._hold() if self._rng.random() < 0.4 else None
                for _ in range(self._rng.choice([1, 1, 2, 5])):
                    self._rng.choice(_ACTIONS)(self)
                    steps -= 1
                if held is not None:
                    held.set()
                self._flush()
            self._failing_syncs = 0
            self._flush()
            if self._writer.stop(_WAIT_S):
                raise AssertionError("edits are left")
            self.cuts.append(Cut(self.disk.files(), Loss.KEEP, "closed", self._acknowledged, self._counted))
        finally:
            write_connection._LONG_LOG_BYTES = kept
            vfs.unregister()

    def _before(self, change: str) -> None:
        if self._rng.random() * self._every < 1:
            loss = self._rng.choice(list(Loss))
            files = self.disk.crash(self._rng, loss)
            self.cuts.append(Cut(files, loss, change, self._acknowledged, self._counted))
        if change == "sync" and self._rng.random() < self._failing_syncs:
            self.failures += 1
            raise apsw.exception_for(apsw.SQLITE_IOERR_FSYNC)

    def _flush(self) -> None:
        for _ in range(50):
            if self._writer.flush(_WAIT_S):
                return
            if not self._failing_syncs:
                break
        raise AssertionError(f"not saved: {self._writer.state}")

    def _on_saved(self, seq: Seq) -> None:
        self._acknowledged = seq

    def _hold(self) -> threading.Event:
        """Keep the writer busy, so that what comes now is committed together."""
        free = threading.Event()
        self._writer.call(lambda _: free.wait(_WAIT_S))
        return free

    # --- what a person does

    def _submit(self, edit: Edit) -> None:
        if edit.image is not None:
            self.state.documents[edit.image].apply(edit)
        self._note(self._writer.submit(edit), edit)

    def _note(self, seq: Seq, edit: Edit) -> None:
        for row in edit.rows:
            self.state.classes = apply_class_row(self.state.classes, row)
        for history in self.state.histories.values():
            history.record(seq, edit)
        self.state.edits[seq] = edit
        self.state.shas[seq] = snapshot(self.state)

    def _stroke(self, image: ImageId) -> Edit:
        rng, document = self._rng, self.state.documents[image]
        rect = Rect(rng.randrange(WIDTH - 5), rng.randrange(HEIGHT - 5), rng.choice([3, 40, 256]), rng.choice([2, 60]))
        known = [0, *document.objects]
        new = rng.random() < 0.5
        id_ = document.next_object if new else rng.choice(known)
        origin = rng.choice([Origin.PAINTED, Origin.ACCEPTED])
        rows = [status_row(document, Status.IN_PROGRESS)] if document.status is Status.NEW else []
        plane = rng.randrange(PLANES)
        class_id = rng.choice([CELL, VESSEL]) if new else None
        return painted(document, rect, id_, origin, plane=plane, new_class=class_id, extra_rows=rows)

    def paint(self) -> None:
        edit = self._stroke(self._rng.choice(IMAGES))
        if edit.tiles:
            self._submit(edit)

    def done(self) -> None:
        """The rest is background, and the status says so, in one edit; or the image is taken up again."""
        document = self.state.documents[self._rng.choice(IMAGES)]
        if document.status is Status.DONE:
            self._submit(Edit(document.image, Cause.STATUS, rows=(status_row(document, Status.IN_PROGRESS),)))
            return
        rect, id_ = Rect(0, 0, WIDTH, 40), document.next_object
        row = status_row(document, Status.DONE)
        self._submit(painted(document, rect, id_, Origin.FILLED, new_class=1, extra_rows=[row]))

    def batch(self) -> None:
        """A change of both images, written in one transaction."""
        if self._writer.pending or self._wanted_failures:
            return
        edits = [edit for edit in map(self._stroke, IMAGES) if edit.tiles]
        for edit in edits:
            assert edit.image is not None
            self.state.documents[edit.image].apply(edit)
        # A cut may find them before the future says so: what they lead to is noted first, and never a part of them.
        numbers = [Seq(self.state.last + n + 1) for n in range(len(edits))]
        for seq, edit in zip(numbers, edits, strict=True):
            self._note(seq, edit)
        for seq in numbers[:-1]:
            del self.state.shas[seq]
        assert self._writer.write_all(edits, Batch(Cause.PAINT)).result(_WAIT_S) == len(edits)

    def change_class(self) -> None:
        """Add a class, or rename one."""
        if self._rng.random() < 0.5:
            id_ = ClassId(self.state.next_class)
            self.state.next_class += 1
            made = LabelClass(id_, f"class {id_}", "#123456", Kind.INSTANCE, int(id_) - 1, int(id_))
            self._submit(Edit(None, Cause.CLASSES, rows=(new_class_row(made),)))
        else:
            name = f"name {self._rng.random()}"
            row = changed_class_row(self.state.classes[ClassId(CELL)], name=name)
            self._submit(Edit(None, Cause.CLASSES, rows=(row,)))

    def take_back(self) -> None:
        """Undo, or redo."""
        history = self.state.histories[self._rng.choice(IMAGES)]
        seq, cause = history.next_redo(), Cause.REDO
        if seq is None or self._rng.random() < 0.6:
            seq, cause = history.next_undo(), Cause.UNDO
        if seq is not None:
            self._submit(self.state.edits[seq].inverted(seq, cause))

    def count(self) -> None:
        """A setting, written by a job of its own and acknowledged by its future."""
        self.state.counter += 1
        value = self.state.counter

        def counted(done: "Future[object]") -> None:
            if done.exception() is None:
                self._counted = value

        statement = "INSERT OR REPLACE INTO settings VALUES (?, ?)"
        self._writer.call(lambda db: db.execute(statement, (_COUNTER, str(value)))).add_done_callback(counted)


_ACTIONS: list[Callable[[Life], None]] = [
    *[Life.paint] * 6,
    *[Life.take_back] * 4,
    Life.done,
    Life.batch,
    Life.change_class,
    Life.count,
]


class Lost(AssertionError):
    """Something acknowledged is not there."""


def memory_folder() -> Path:
    """A new folder, in memory where there is such: what a cut left is opened by the thousand, and its syncs prove
    nothing here.
    """
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="power-loss-", dir=memory if os.access(memory, os.W_OK) else None))


def lives(
    folder: Path, rng: random.Random, *, steps: int = 12, every: float = 40, failing_syncs: float = 0
) -> Iterator[list[Cut]]:
    """Live on and on, each life from what a cut of the one before has left; yields the verified cuts of each life.

    Raises `AssertionError` where a cut left something else than was promised, `Lost` where it lost something; what it
    left is then in the newest folder `cut-...`.
    """
    state = first_state(folder)
    for number in count():
        life = Life(state, folder / f"disk-{number}", rng, every, failing_syncs)
        life.live(steps)
        chosen = rng.randrange(len(life.cuts))
        following = state
        for n, cut in enumerate(life.cuts):
            path = folder / f"cut-{number}-{n}"
            last = verify(cut, state, path)
            if n == chosen:
                following = next_state(cut, state, last, path) if last <= _LONGEST else first_state(folder)
            shutil.rmtree(path)
        state = following
        yield life.cuts


def verify(cut: Cut, state: State, path: Path) -> Seq:
    """Open what a cut left, at the free path `path`, and compare; returns the last number that is there."""
    write_files(cut.files, path)
    with Project.open(path) as project:
        last = project.last_seq()
        assert project.notice == ""
        assert project.why_read_only == ""
        if last < cut.acknowledged or int(project.setting(_COUNTER, 0)) < cut.counter:
            raise Lost(f"edit {cut.acknowledged} was called saved; {last} is the last one there ({cut.loss.value})")
        assert last <= state.last
        found = _read(project, cut.files)
        assert snapshot(found) == state.shas[last]
        for image, digest in zip(IMAGES, state.shas[last], strict=False):
            assert project.labels_sha256(image) == digest
        _check_journal(project, state, found, last)
        _check_histories(state, found, last)
    _check_file(path / "project.db")
    return last


def write_files(files: dict[str, bytes], path: Path) -> None:
    path.mkdir(parents=True)
    for name, data in files.items():
        (path / name).write_bytes(data)


def _check_journal(project: Project, state: State, found: State, last: Seq) -> None:
    replayed = {image: Document(image, Raster([(WIDTH, HEIGHT)] * PLANES)) for image in IMAGES}
    for seq in map(Seq, range(1, last + 1)):
        image = state.edits[seq].image
        lookup = replayed[IMAGES[0] if image is None else image].raster.tile
        edit = project.load_edit(seq, lookup)
        assert edit.id == state.edits[seq].id
        if image is not None:
            replayed[image].apply(edit)
    for image, document in found.documents.items():
        assert sha(labels_of(replayed[image])) == sha(labels_of(document))


def _check_histories(state: State, found: State, last: Seq) -> None:
    for image in IMAGES:
        expected = History(image)
        for seq in sorted(state.edits):
            if seq <= last:
                expected.record(seq, state.edits[seq])
        assert found.histories[image].undoable == expected.undoable
        assert found.histories[image].redoable == expected.redoable


def _check_file(path: Path) -> None:
    db = sqlite3.connect(path)
    try:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        db.close()


def next_state(cut: Cut, state: State, last: Seq, path: Path) -> State:
    """The state in which the next life begins, from a cut that was verified at `path`: what came later is forgotten."""
    with Project.open(path) as project:
        state_ = _read(project, cut.files)
        state_.counter = int(project.setting(_COUNTER, 0))
    state_.edits = {seq: edit for seq, edit in state.edits.items() if seq <= last}
    state_.shas = {seq: found for seq, found in state.shas.items() if seq <= last}
    return state_
