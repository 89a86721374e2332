"""Writing waiting edits together; where one does not fit, the others are still written, and that one is set aside.

The journal refuses an edit that does not follow what is stored, and any fault may be met while one is written. That is
a fault of the program, not of the disk: trying again would not help, and what comes after it must be saved.
"""

import sqlite3
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from segstudio.labels.edit import Edit
from segstudio.labels.model import Seq
from segstudio.store.database.disk_errors import refusal
from segstudio.store.writing.journal import note_refused, write_edit
from segstudio.store.writing.outbox import Outbox
from segstudio.store.writing.write_connection import WriteConnection
from segstudio.store.writing.write_queue import Queued, SetAside
from segstudio.text import count

__all__ = ["write_group"]

_Edits = Sequence[tuple[Seq, Edit]]
_Misfit = tuple[Seq, Edit, Exception]
"""An edit that was not written, with its number and what was raised."""


def write_group(connection: WriteConnection, group: Sequence[Queued], outbox: Outbox | None) -> SetAside | None:
    """Write edits in one transaction: all, else those that fit; the others go to the outbox and are returned.

    Raises where the disk refuses; then nothing was written and nothing is set aside. Any other fault than an edit's own
    is raised too.
    """
    edits = [(queued.seq, queued.edit) for queued in group if queued.seq is not None and queued.edit is not None]
    try:
        connection.transact(lambda db: _write_all(db, edits))
    except Exception as error:
        if refusal(error) is not None:
            raise
        return _written_in_part(connection, edits, outbox)
    return None


def _write_all(db: sqlite3.Connection, edits: _Edits) -> None:
    for seq, edit in edits:
        write_edit(db, seq, edit)


def _written_in_part(connection: WriteConnection, edits: _Edits, outbox: Outbox | None) -> SetAside | None:
    found: list[SetAside | None] = []
    try:
        connection.transact(lambda db: found.append(_write_what_fits(db, edits, outbox)))
    except BaseException:
        for aside in found:
            if aside is not None and aside.kept is not None:
                with suppress(OSError):
                    aside.kept.unlink()  # all of it waits still
        raise
    return found[0]


def _write_what_fits(db: sqlite3.Connection, edits: _Edits, outbox: Outbox | None) -> SetAside | None:
    """Write each edit that fits; the others are in the outbox before the commit, so that none is ever nowhere.

    Their numbers stay theirs. An edit that depends on one of them does not fit either: its `before` no longer holds.
    """
    misfits = [misfit for seq, edit in edits if (misfit := _write_or_note(db, seq, edit)) is not None]
    if not misfits:
        return None
    refused = tuple((seq, edit) for seq, edit, _ in misfits)
    details = _traces(misfits)
    kept: Path | None = None
    try:
        kept = None if outbox is None else outbox.set_aside(refused)
    except Exception as error:  # noqa: BLE001 - they must not keep the others from being saved; the details say it
        details += f"\nnot kept:\n{''.join(traceback.format_exception(error))}"
    return SetAside(refused, _sentence(db, misfits, kept), details, kept)


def _write_or_note(db: sqlite3.Connection, seq: Seq, edit: Edit) -> _Misfit | None:
    if db.execute("SELECT 1 FROM edits WHERE seq = ? AND id = ?", (seq, edit.id)).fetchone() is not None:
        return None  # a commit that was reported as refused had been made
    db.execute("SAVEPOINT edit")
    try:
        write_edit(db, seq, edit)
    except Exception as error:
        if refusal(error) is not None:
            raise
        db.execute("ROLLBACK TO edit")
        note_refused(db, seq, edit)
        return seq, edit, error
    finally:
        if db.in_transaction:
            db.execute("RELEASE edit")
    return None


def _sentence(db: sqlite3.Connection, misfits: Sequence[_Misfit], kept: Path | None) -> str:
    images = {edit.image for _, edit, _ in misfits if edit.image is not None}
    found = [_path(db, int(image)) for image in images]
    n = len(misfits)
    if not any(found):
        what = count(
            n,
            "1 edit could not be saved because of a fault in SegStudio and was undone.",
            "{n} edits could not be saved because of a fault in SegStudio and were undone.",
        )
    elif len(found) == 1:
        what = count(
            n,
            "1 edit of '{path}' could not be saved because of a fault in SegStudio and was undone.",
            "{n} edits of '{path}' could not be saved because of a fault in SegStudio and were undone.",
            path=found[0],
        )
    else:
        what = count(
            n,
            "1 edit of {images} images could not be saved because of a fault in SegStudio and was undone.",
            "{n} edits of {images} images could not be saved because of a fault in SegStudio and were undone.",
            images=len(found),
        )
    if kept is None:
        where = count(
            n,
            "It is kept in memory until the project is closed; everything else is saved.",
            "They are kept in memory until the project is closed; everything else is saved.",
        )
    else:
        where = count(
            n,
            "It is kept in {file}; everything else is saved.",
            "They are kept in {file}; everything else is saved.",
            file=kept,
        )
    return f"{what} {where}"


def _path(db: sqlite3.Connection, image: int) -> str:
    row = db.execute("SELECT path FROM images WHERE id = ?", (image,)).fetchone()
    return "" if row is None else str(row[0])


def _traces(misfits: Sequence[_Misfit]) -> str:
    return "\n".join(
        f"edit {seq} (image {edit.image}, {edit.cause}, {edit.tool}):\n{''.join(traceback.format_exception(error))}"
        for seq, edit, error in misfits
    )
