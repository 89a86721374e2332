"""Undoing or redoing what the journal holds: an edit of any size, or a batch with all its images.

Everything is done within the caller's transaction on the writer's thread, tile by tile from the deltas, so that nothing
is held in memory and nothing can change meanwhile. Where one image of a batch has changed since, nothing is undone.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from segstudio.errors import EditConflict, ProjectDamaged, UserError
from segstudio.labels.edit import Batch, Edit, TileChange, TileKey
from segstudio.labels.model import Cause, ImageId, Seq
from segstudio.labels.tiles.codec import apply_delta
from segstudio.labels.tiles.streamed import TILE_BYTES, Part, StreamedEdit, collected
from segstudio.labels.tiles.tile import EMPTY, Tile, digest
from segstudio.store.history.journal_walk import Effect, deltas_of, rows_of
from segstudio.store.history.undo_checks import undo_refusal
from segstudio.store.history.undo_horizon import must_be_reversible, must_hold_own
from segstudio.store.progress_token import Ticker
from segstudio.store.writing.journal import load_edit
from segstudio.store.writing.label_rows import read_tile
from segstudio.text import N_, _

__all__ = ["Reach", "batch_for", "reach", "reversed_edit", "reversed_edits"]

_CONSTANT_DELTA_BYTES = 64
"""A delta between constants takes less, one of a dense tile more."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What undoing an edit changes: images, at most so many bytes of dense tiles, and whether it is a batch."""

    images: tuple[ImageId, ...]
    bytes: int
    batch: bool


@dataclass(frozen=True, slots=True)
class _Target:
    """An edit in force that is to be undone; `root` is the new edit whose rows and deltas say how."""

    seq: Seq
    image: ImageId | None
    root: Seq
    redo: bool
    batch: int | None


def reach(db: sqlite3.Connection, seq: Seq) -> Reach:
    """What undoing this edit changes, the rest of its batch included; cheap."""
    targets = _targets(db, seq)
    dense = 0
    for target in targets:
        dense += db.execute(
            "SELECT count(*) FROM deltas WHERE seq = ? AND length(data) > ?", (target.root, _CONSTANT_DELTA_BYTES)
        ).fetchone()[0]
    images = dict.fromkeys(target.image for target in targets if target.image is not None)
    return Reach(tuple(images), 2 * TILE_BYTES * dense, len(targets) > 1)


def batch_for(db: sqlite3.Connection, seq: Seq, author: str) -> Batch | None:
    """A new batch for the undo of this edit; None where it belongs to none itself."""
    row = db.execute("SELECT batch, undoes FROM edits WHERE seq = ?", (seq,)).fetchone()
    if row is None or row[0] is None:
        return None
    return Batch(Cause.UNDO if row[1] is None else Cause.REDO, author)


def reversed_edits(db: sqlite3.Connection, seq: Seq, author: str, ticker: Ticker) -> Iterator[StreamedEdit]:
    """The edits that undo an edit (or redo, for an undo edit), with all of its batch.

    To be written in the open transaction, in this order. Raises `UserError`, before the first, where an image has
    changed since, a class is in use or deltas are not kept, `Cancelled`, `ProjectDamaged`.
    """
    targets = _targets(db, seq)
    if not targets:
        raise EditConflict(f"edit {seq} cannot be taken back")
    for target in targets:
        must_be_reversible(db, target.root)
        _check_newest(db, target)
        ticker.step(0)
    marks = [target.root for target in targets]
    ticker.total = sum(db.execute("SELECT count(*) FROM deltas WHERE seq = ?", (root,)).fetchone()[0] for root in marks)
    for target in targets:
        refusal = "" if target.redo else undo_refusal(db, target.seq, [], lambda n, find: load_edit(db, n, find))
        if refusal:
            raise UserError(refusal, safe=_("Nothing was undone."))
        yield _reversed(db, target, author, ticker)


def reversed_edit(db: sqlite3.Connection, seq: Seq, author: str, lookup: Callable[[TileKey], Tile]) -> Edit:
    """The same of one edit that belongs to no batch, collected; `lookup` gives the tiles as they are in memory.

    Whether another edit stands in the way is not asked here: `lookup` may be ahead of what is stored. Raises
    `EditConflict` where a tile has changed since, `UserError` where deltas are not kept, `ProjectDamaged`.
    """
    row = db.execute("SELECT image, undoes, batch FROM edits WHERE seq = ?", (seq,)).fetchone()
    if row is None:
        raise EditConflict(f"there is no edit {seq}")
    image = None if row[0] is None else ImageId(row[0])
    target = _Target(seq, image, Seq(row[1] or seq), row[1] is not None, row[2])
    must_hold_own(db, target.root)
    header = _header(db, target, author)
    return collected(header, _parts(db, target, lookup, Ticker())) or header


def _targets(db: sqlite3.Connection, seq: Seq) -> list[_Target]:
    """The edit and what of its batch is in force, newest first; none where it is not in force itself."""
    row = db.execute("SELECT batch, taken_back FROM edits WHERE seq = ?", (seq,)).fetchone()
    if row is None or row[1] is not None:
        return []
    which, key = ("seq = ?", seq) if row[0] is None else ("batch = ?", row[0])
    rows = db.execute(
        f"SELECT seq, image, undoes, inverse FROM edits WHERE {which} AND taken_back IS NULL ORDER BY seq DESC", (key,)
    ).fetchall()
    return [
        _Target(Seq(number), None if image is None else ImageId(image), Seq(undoes or number), bool(inverse), row[0])
        for number, image, undoes, inverse in rows
        if undoes is None or inverse
    ]


def _check_newest(db: sqlite3.Connection, target: _Target) -> None:
    """Raise `UserError` where its image has another edit that must be undone or redone first.

    Edits of the same batch are not in the way: they are undone with it, newest first.
    """
    where, key = ("image IS NULL", ()) if target.image is None else ("image = ?", (target.image,))
    others = f"{where} AND taken_back IS NULL AND seq != ? AND (batch IS NULL OR batch IS NOT ?)"
    new, undone = (
        db.execute(
            f"SELECT coalesce(max(seq), 0) FROM edits WHERE {others} AND {which}", (*key, target.seq, target.batch)
        ).fetchone()[0]
        for which in ("undoes IS NULL", "inverse = 1")
    )
    if new < target.root and (not target.redo or undone < target.seq):
        return
    (cause,) = db.execute(
        "SELECT coalesce(b.cause, e.cause) FROM edits e LEFT JOIN batches b ON b.id = e.batch WHERE e.seq = ?",
        (target.root,),
    ).fetchone()
    what, path = _(_WORDS.get(Cause(cause), _OTHER)), _path(db, target.image)
    if target.redo:
        raise UserError(
            _("{what} cannot be redone: '{path}' has changed since.", what=what, path=path)
            if path
            else _("{what} cannot be redone: the list of classes or of images has changed since.", what=what),
            safe=_("Nothing was changed."),
        )
    raise UserError(
        _("{what} cannot be undone: '{path}' has changed since.", what=what, path=path)
        if path
        else _("{what} cannot be undone: the list of classes or of images has changed since.", what=what),
        safe=_("Nothing was undone."),
        todo=_("First undo the later changes there."),
    )


_OTHER = N_("The change")
_WORDS = {
    Cause.IMPORT: N_("The import"),
    Cause.RESTORE: N_("The restored snapshot"),
    Cause.MERGE: N_("The merge"),
    Cause.ACCEPT: N_("Accepting the proposal"),
    Cause.DONE: N_("Done"),
    Cause.STATUS: N_("Marking images not done"),
    Cause.IMAGES: N_("Taking out images"),
    Cause.OBJECTS: N_("The change of objects"),
}


def _path(db: sqlite3.Connection, image: ImageId | None) -> str:
    """The path of an image; '' for an edit of none."""
    if image is None:
        return ""
    return str(db.execute("SELECT path FROM images WHERE id = ?", (image,)).fetchone()[0])


def _reversed(db: sqlite3.Connection, target: _Target, author: str, ticker: Ticker) -> StreamedEdit:
    image = target.image
    parts = _parts(db, target, lambda key: EMPTY if image is None else read_tile(db, image, key), ticker)
    return StreamedEdit(_header(db, target, author), parts)


def _header(db: sqlite3.Connection, target: _Target, author: str) -> Edit:
    (tool,) = db.execute("SELECT tool FROM edits WHERE seq = ?", (target.root,)).fetchone()
    cause = Cause.REDO if target.redo else Cause.UNDO
    return Edit(target.image, cause, tool=tool, author=author, undoes=target.seq)


def _parts(
    db: sqlite3.Connection, target: _Target, lookup: Callable[[TileKey], Tile], ticker: Ticker
) -> Iterator[Part]:
    done = Effect(target.seq, target.root, inverse=not target.redo)
    yield from rows_of(db, done)
    if target.image is None:
        return
    for step in sorted(deltas_of(db, done)):
        ticker.step()
        now = lookup(step.key)
        if digest(now) != step.before:
            raise EditConflict(f"tile {step.key} has changed since edit {target.root}")
        (data,) = db.execute("SELECT data FROM deltas WHERE id = ?", (step.delta,)).fetchone()
        after = apply_delta(now, data)
        if digest(after) != step.after:
            raise ProjectDamaged(_("The journal of this project is damaged: an edit cannot be undone."))
        yield step.key, TileChange(now, after)
