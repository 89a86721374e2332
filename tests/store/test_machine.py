"""A project's whole life at random against a plain model that knows no tile, delta or index: edits, undo and redo,
restarts, tiles that leave memory, snapshots, compacting, backups, merges, repairs and changes of the schema, in any
order. `SEGSTUDIO_MACHINE_EXAMPLES` asks for more of it than the tests do (docs/durability.md).
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from segstudio.errors import UserError
from segstudio.geometry import Rect, tile_rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.done_planes import Marks
from segstudio.labels.model import ClassId, ImageId, Seq, Status
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import frozen
from segstudio.store.database import migrations, schema
from segstudio.store.database.migrations import MIGRATIONS, Migration
from segstudio.store.history.undo_horizon import compacted_points
from segstudio.store.project import Project
from segstudio.store.snapshots import keep, named
from segstudio.tasks.keeping.backup import backup
from segstudio.tasks.keeping.compact import compact, planned
from segstudio.tasks.keeping.merge import merge
from segstudio.tasks.keeping.repair import repair
from segstudio.tasks.keeping.snapshots import restore
from segstudio.tasks.progress import finished
from tests.store.editing_machine import IMAGES, PLANES, EditingMachine, images, rects
from tests.store.merge_model import Model, Said, assert_merged, said
from tests.store.other_hands import Deed, deeds, play
from tests.store.plain_labels import labels_of
from tests.store.plain_project import Picture
from tests.store.store_painting import CELL

EXAMPLES = int(os.environ.get("SEGSTUDIO_MACHINE_EXAMPLES", "0"))
FEW = 15


@dataclass(frozen=True)
class Fork:
    """A copy in other hands, and what both were when it was made."""

    path: Path
    base: Said


class StoreMachine(EditingMachine):
    def __init__(self) -> None:
        super().__init__()
        self.program = pytest.MonkeyPatch()
        self.updated = False
        self.fork: Fork | None = None
        self.places = 0
        self.lost = 0
        """Up to this edit a repair has lost the past of a compacted project."""

    def of_schema(self, *steps: Migration) -> None:
        """From now on the program is the one that knows these migrations."""
        self.program.setattr(migrations, "MIGRATIONS", steps)
        self.program.setitem(migrations.migrate.__kwdefaults__, "migrations", steps)
        self.program.setattr(schema, "MIGRATIONS", steps)
        self.program.setattr(schema, "SCHEMA_VERSION", steps[-1].version if steps else 1)

    def place(self, name: str) -> Path:
        self.places += 1
        return self.folder / f"{name} {self.places}.segstudio"

    @initialize(hasty=st.booleans(), old=st.booleans())
    def make(self, hasty: bool, old: bool) -> None:
        """Some begin with a project of the first schema, which its first writer migrates."""
        self.hasty = hasty
        if old:
            self.of_schema()
        self.begin(self.program.undo)
        assert ("backups" in self.project.notice) == old
        self.give_others_a_copy()

    # --- restarts

    @rule()
    def restart(self) -> None:
        self.project.close()
        self.open(self.project.path)

    @precondition(lambda self: os.name == "posix")
    @rule()
    def restart_without_closing(self) -> None:
        """What a kill leaves: database and log as they lie while the project is open (copied by another process)."""
        self.settle()
        left = self.place("left")
        subprocess.run(["cp", "-r", str(self.project.path), str(left)], check=True)
        self.project.close()
        self.open(left)

    @precondition(lambda self: not self.updated)
    @rule(undo_crosses=st.booleans())
    def restart_with_a_newer_program(self, undo_crosses: bool) -> None:
        """Its schema has a column more; across a migration that is more than that nothing is taken back."""
        self.project.close()
        self.updated = True
        self.of_schema(*MIGRATIONS, Migration(MIGRATIONS[-1].version + 1, _add_column, undo_crosses=undo_crosses))
        if not undo_crosses:
            self.model.floor = len(self.model.entries)
        self.open(self.project.path)
        assert "backups" in self.project.notice

    # --- the past

    @rule()
    def snapshot(self) -> None:
        name = f"snapshot {len(self.model.snapshots)}"
        assert keep(self.project, name).result(30).seq == len(self.model.entries)
        self.model.keep(name)

    @precondition(lambda self: self.model.snapshots)
    @rule(pick=st.integers(0, 50), one=st.one_of(st.none(), images))
    def restore(self, pick: int, one: ImageId | None) -> None:
        self.settle()
        name = list(self.model.snapshots)[pick % len(self.model.snapshots)]
        past = self.model.snapshots[name]
        seq = named(self.project, name).seq
        assert seq == past.seq
        if not self.kept(seq):
            with pytest.raises(UserError, match="no longer kept"):
                finished(restore(self.project, seq))
            return
        changes = self.model.restored(past, one)
        report = finished(restore(self.project, seq, None if one is None else (one,)))
        assert report.classes == any(image is None for image, _ in changes)
        assert list(report.images) == [image for image, _ in changes if image is not None]
        self.model.note_batch(changes)
        assert report.last == (len(self.model.entries) if changes else None)
        self.load()

    def kept(self, seq: int) -> bool:
        """Whether a state is there; all that were named before the project was compacted are."""
        return seq >= self.lost

    @rule(back=st.integers(0, 6))
    def compact(self, back: int) -> None:
        """Labels, snapshots and what can be undone after the floor are as they were."""
        self.settle()
        wanted = max(len(self.model.entries) - back - 1, 0)
        plan = planned(self.project, before=Seq(wanted + 1))
        assert plan.floor == max(self.model.whole_batches(wanted), self.compacted_to())
        finished(compact(self.project, plan))
        if not plan.empty:
            self.model.floor = max(self.model.floor, plan.floor)
        self.load()

    def compacted_to(self) -> Seq:
        with self.project.reading() as db:
            points = compacted_points(db)
        return points[-1] if points else Seq(0)

    # --- copies

    @rule()
    def go_on_in_a_backup(self) -> None:
        copy = self.place("copy")
        finished(backup(self.project, copy))
        self.project.close()
        self.open(copy)

    @rule()
    def go_on_in_a_repaired_project(self) -> None:
        """Of an undamaged one everything is salvaged; of a compacted one no history, since no journal proves it."""
        self.settle()
        compacted = self.compacted_to()
        self.project.close()
        out = self.place("repaired")
        report = finished(repair(self.project.path, out))
        assert report.whole or (compacted and not report.history)
        if not report.history:
            self.model.floor = self.lost = len(self.model.entries)
        self.open(out)

    @rule()
    def give_others_a_copy(self) -> None:
        path = self.place("theirs")
        finished(backup(self.project, path))
        self.settle()
        self.fork = Fork(path, said(self.project))

    @rule(ours=st.lists(st.tuples(images, rects), max_size=3), todo=deeds(IMAGES, PLANES, rects))
    def merge_with_what_others_did(self, ours: list[tuple[ImageId, Rect]], todo: list[Deed]) -> None:
        """A few strokes more of ours, so that there are conflicts. Others who did nothing have the schema of then."""
        assert self.fork is not None
        for image, rect in ours:
            self.paint(image, rect, 0, 1, -1, ClassId(CELL))
        fork = self.fork
        with Project.open(fork.path, write=bool(todo)) as theirs:
            if todo:
                play(theirs, todo)
            b = said(theirs)
        self.settle()
        a = said(self.project)
        earlier = {(note.image, note.plane) for note in self.project.proposals.notes()}
        self.project.close()
        out = self.place("merged")
        report = finished(merge(self.project.path, fork.path, out))
        self.open_merged(out)
        assert_merged(Model(a, b, fork.base), report, self.project, earlier)
        self.give_others_a_copy()

    def open_merged(self, out: Path) -> None:
        """Go on in the merged project: what the merge changed is one batch."""
        self.project = Project.open(out)
        with self.project.reading() as db:
            edits = db.execute("SELECT image, cause FROM edits WHERE seq > ?", (len(self.model.entries),)).fetchall()
        assert {cause for _, cause in edits} <= {"merge"}
        changes: list[tuple[ImageId | None, Picture | dict]] = []
        for image, _ in edits:
            if image is None:
                changes.append((None, {int(c.id): c for c in self.project.classes().all}))
            else:
                changes.append((ImageId(image), Picture(*vars(labels_of(self.project.document(image))).values())))
        self.model.note_batch(changes)
        self.load()

    # --- the journal

    @rule()
    def replay(self) -> None:
        self.settle()
        self.check_journal()

    def check_journal(self) -> None:
        """From what the model was at the floor, the journal leads to the labels of today."""
        start = max(self.compacted_to(), self.lost)
        replayed = {image: _document(image, picture) for image, picture in self.model.at(start).items()}
        for seq in range(start + 1, len(self.model.entries) + 1):
            image = self.model.entries[seq].image
            if image is not None:
                document = replayed[image]
                document.apply(self.project.load_edit(Seq(seq), document.raster.tile))
        for image, document in replayed.items():
            self.check_document(image, document)
        with self.project.reading() as db:
            assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)

    def teardown(self) -> None:
        try:
            if self.documents:
                self.check_everything()
                self.check_journal()
                for name in self.model.snapshots:
                    self.check_snapshot(name)
        finally:
            super().teardown()
            self.program.undo()

    def check_snapshot(self, name: str) -> None:
        past = self.model.snapshots[name]
        if self.kept(past.seq):
            finished(restore(self.project, Seq(past.seq)))
            self.model.note_batch(self.model.restored(past, None))
            self.check_everything()


def _add_column(db: object) -> None:
    db.execute("ALTER TABLE images ADD COLUMN machine_note TEXT NOT NULL DEFAULT ''")  # type: ignore[attr-defined]


def _document(image: ImageId, picture: Picture) -> Document:
    """The document of an image that was read from nowhere."""
    planes, height, width = picture.ids.shape
    raster = Raster([(width, height)] * planes)
    status, some = Marks().with_done(picture.done, planes) if picture.done else Marks(Status(picture.status))
    document = Document(image, raster, picture.objects, status=status, locked=picture.locked, done_planes=some)
    for plane in range(planes):
        for ty, tx in tiles_of(raster.bounds(plane)):
            whole = tile_rect(ty, tx)
            part = np.s_[plane, whole.y : whole.bottom, whole.x : whole.right]
            ids, origins = np.zeros((256, 256), np.uint32), np.zeros((256, 256), np.uint8)
            inside = picture.ids[part].shape
            ids[: inside[0], : inside[1]], origins[: inside[0], : inside[1]] = picture.ids[part], picture.origins[part]
            raster.put((plane, ty, tx), frozen(ids, origins))
    return document


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=EXAMPLES or FEW,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
    # Making a failing life short takes minutes, which only the large form has.
    phases=[Phase.reuse, Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
)
