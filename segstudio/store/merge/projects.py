"""Two projects into one: everything that happens inside the new project's database, in one transaction.

The new project C begins as a copy of A, so that A's journal, undo, versions and splits are its own. What B knows more
comes as edits of one batch: one of the classes, then one an image. B's versions are left out: what is held out in C has
been trained on by none of C's.
"""

import sqlite3
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from segstudio.labels.edit import Batch, Edit
from segstudio.labels.model import Cause, ClassId, ImageId, Seq
from segstudio.labels.user import user_name
from segstudio.store.catalog.classes import read_classes
from segstudio.store.catalog.versions import read_versions
from segstudio.store.merge.base import (
    JournalCutError,
    Removals,
    Since,
    classes_at,
    last_common_edit,
    removals_since,
    since,
)
from segstudio.store.merge.classes import MergedClasses, SideClasses, merged_classes
from segstudio.store.merge.images import PairedImage, add_images, known_images, paired_images
from segstudio.store.merge.labels import PlaneConflict, merge_image
from segstudio.store.merge.painted import given_up_alone, painted_since
from segstudio.store.merge.proposals import MERGED
from segstudio.store.proposals import Proposals
from segstudio.store.repair.repair_log import lost_apart
from segstudio.store.writing.journal import last_seq, write_batch, write_edit
from segstudio.text import _, count

__all__ = ["MERGES", "Conflict", "MergeReport", "merge_into"]

MERGES = "merges"
"""The setting that lists what was merged into a project: time, name and uuid of the other one, number of the batch, and
the conflicts (path, plane, pixels, rect)."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A plane of an image of C where both know and differ: `pixels` of them, within x, y, w, h."""

    path: str
    plane: int
    pixels: int
    rect: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What a merge did: images in C, those of them that only B had, the conflicts, and sentences.

    `common_edit` is the last edit both have in common, None where they are not copies of one project;
    `versions_left` are those of B, which are not taken.
    """

    images: int
    added: int
    changed: int
    conflicts: tuple[Conflict, ...]
    common_edit: int | None
    versions_left: tuple[str, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The object that `segstudio merge --json` prints."""
        return msgspec.json.decode(msgspec.json.encode(self))


def merge_into(
    c: sqlite3.Connection,
    b: sqlite3.Connection,
    names: tuple[str, str],
    roots: Mapping[int, int],
    proposals: Proposals,
) -> Generator[tuple[int, int, str], None, MergeReport]:
    """Merge B into C, a copy of A, inside C's open transaction; gives done, total and path before each image.

    `names` are A's and B's for sentences, `roots` C's root of each root of B; B's database is a copy that is thrown
    away. Raises `UserError` where a class is of two kinds, `ProjectDamaged`.
    """
    merge = _Merge(c, b, names, proposals)
    pairs, alone = paired_images(known_images(c), known_images(b))
    merge.classes(pairs, alone)
    added = add_images(c, b, alone, roots, names[1])
    pairs += added
    shared = len(pairs) - len(added)
    for done, pair in enumerate(pairs):
        path = str(c.execute("SELECT path FROM images WHERE id = ?", (pair.c,)).fetchone()[0])
        yield done, len(pairs), path
        merge.image(pair, path, shared=done < shared)
    merge.times(pairs)
    return merge.report(len(added))


class _Merge:
    def __init__(
        self, c: sqlite3.Connection, b: sqlite3.Connection, names: tuple[str, str], proposals: Proposals
    ) -> None:
        self._c, self._b, self._names, self._proposals = c, b, names, proposals
        self._common = last_common_edit(c, b)
        self._lost = lost_apart(c, b)
        self._healed = 0
        self._batch = Batch(Cause.MERGE, user_name())
        self._seq = last_seq(c)
        self._written = 0
        self._classes: MergedClasses
        self._conflicts: list[Conflict] = []
        self._notes: list[str] = []
        self._cut = False
        self._removals: Removals = {} if self._common is None else removals_since(b, self._common)

    def classes(self, pairs: list[PairedImage], alone: list[ImageId]) -> None:
        """Decide the classes and write their edit."""
        a, b = (
            SideClasses(name, read_classes(db), _used(db))
            for name, db in zip(self._names, (self._c, self._b), strict=True)
        )
        base = None if self._common is None else classes_at(self._b, b.table, self._common)
        dbs = (self._c, self._b)
        wanted = a.table, given_up_alone(base, a.table, b.table)
        a = replace(a, painted=painted_since(dbs, pairs, [], self._since, False, wanted))
        wanted = b.table, given_up_alone(base, b.table, a.table)
        b = replace(b, painted=painted_since(dbs, pairs, alone, self._since, True, wanted))
        rows = self._c.execute("SELECT key, value FROM settings WHERE key IN ('next_class', 'next_value')")
        counters = {key: int(value) for key, value in rows}
        self._classes = merged_classes(a, b, base, ClassId(counters["next_class"]), counters["next_value"])
        self._notes += self._classes.notes
        if self._classes.rows:
            edit = Edit(None, Cause.MERGE, rows=self._classes.rows, tool="merge", author=self._batch.author)
            self._write(edit)

    def _write(self, edit: Edit) -> None:
        if not self._written:
            write_batch(self._c, self._batch)
        self._written += 1
        self._seq = Seq(self._seq + 1)
        write_edit(self._c, self._seq, replace(edit, batch=self._batch.id))

    def image(self, pair: PairedImage, path: str, *, shared: bool) -> None:
        """Merge one image's labels and status; keep B's side of its conflicts as proposals."""
        # One that A lost has no past here, though its number may be free again.
        since = self._since(pair) if shared else None
        self._healed += since is not None and since.lost
        found = merge_image(self._c, self._b, pair, self._classes, since, self._batch)
        if found.edit is not None:
            self._write(found.edit)
        if found.taken_out_by_b is not None:
            took, labelled = reversed(self._names) if found.taken_out_by_b else self._names
            self._notes.append(
                _(
                    "'{path}' was taken out in '{by}', but '{labelled}' has labelled it since: it stays.",
                    path=path,
                    by=took,
                    labelled=labelled,
                )
            )
        for plane, conflict in sorted(found.conflicts.items()):
            self._keep(pair.c, plane, path, conflict)

    def _since(self, pair: PairedImage) -> Since | None:
        if self._common is None or not pair.same_id:
            return None
        lost = self._lost is None or pair.b in self._lost
        try:
            return since(self._c, self._b, pair.b, self._common, lost=lost, removals=self._removals)
        except JournalCutError:
            self._cut = True
            return None

    def _keep(self, image: ImageId, plane: int, path: str, conflict: PlaneConflict) -> None:
        self._proposals.write(image, plane, MERGED, conflict.rows, conflict.tiles)
        rect = conflict.rect
        self._conflicts.append(Conflict(path, plane, conflict.pixels, (rect.x, rect.y, rect.w, rect.h)))

    def times(self, pairs: list[PairedImage]) -> None:
        """Seconds that people spent: of copies the larger figure of a day, since both hold their common past."""
        joined = "seconds + excluded.seconds" if self._common is None else "max(seconds, excluded.seconds)"
        for pair in pairs:
            rows = self._b.execute("SELECT author, day, seconds FROM times WHERE image = ?", (pair.b,)).fetchall()
            self._c.executemany(
                f"INSERT INTO times VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET seconds = {joined}",
                [(pair.c, *row) for row in rows],
            )

    def report(self, added: int) -> MergeReport:
        """Record the merge in C, and return its report."""
        name, batch = self._names[1], self._batch
        uuid = self._b.execute("SELECT value FROM settings WHERE key = 'uuid'").fetchone()[0]
        entry = {
            "time": batch.time, "name": name, "uuid": msgspec.json.decode(uuid), "batch": batch.id,
            "conflicts": self._conflicts,
        }  # fmt: skip
        row = self._c.execute("SELECT value FROM settings WHERE key = ?", (MERGES,)).fetchone()
        merges: list[object] = [*([] if row is None else msgspec.json.decode(row[0])), entry]
        self._c.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (MERGES, msgspec.json.encode(merges).decode()))
        mine = {version.name: version for version in read_versions(self._c)}
        left = tuple(v.name for v in read_versions(self._b) if mine.get(v.name) != v)
        if self._healed:
            self._notes.append(
                count(
                    self._healed,
                    "Labels were lost when one of the projects was repaired: in 1 image the labels of both were taken, "
                    "so labels erased in one of them may be back.",
                    "Labels were lost when one of the projects was repaired: in {n} images the labels of both were "
                    "taken, so labels erased in one of them may be back.",
                )
            )
        if self._cut:
            self._notes.append(
                _("The journals of both were compacted: some images were compared without their last common edit.")
            )
        return MergeReport(
            images=int(self._c.execute("SELECT count(*) FROM images WHERE removed = 0").fetchone()[0]),
            added=added,
            changed=self._written - (1 if self._classes.rows else 0),
            conflicts=tuple(self._conflicts),
            common_edit=None if self._common is None else int(self._common),
            versions_left=left,
            notes=tuple(self._notes),
        )


def _used(db: sqlite3.Connection) -> frozenset[ClassId]:
    """The classes that have a pixel, also in images that are taken out."""
    return frozenset(ClassId(row[0]) for row in db.execute("SELECT DISTINCT class_id FROM counts WHERE pixels > 0"))
