"""Whether an image's file still has the content that was labelled.

Size and time are compared first, from the file's entry. Only where they differ is the file read, both
ends, then the whole where the whole was known. A file that was only touched is the same; one whose content is another
is flagged if the image has edits, and never used silently. An image without an edit simply has a new content.
"""

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from segstudio.errors import Cancelled, UnreadableImage
from segstudio.imaging.hashing import content_hash, quick_hash
from segstudio.imaging.readers.refusal import refused
from segstudio.store.values import ImageRow
from segstudio.text import N_, _

if TYPE_CHECKING:
    from segstudio.store.project import Project

__all__ = [
    "Content",
    "ContentChanged",
    "Look",
    "adopt",
    "changed_sentence",
    "look_at",
    "must_be_as_labelled",
    "note",
    "remember_hash",
]


class Content(Enum):
    """The content found in the place of an image's file."""

    SAME = "same"
    TOUCHED = "touched"
    """Of the same content, or of an image that was never edited, at another time."""
    CHANGED = "changed"
    MISSING = "missing"


class ContentChanged(UnreadableImage):
    """An image's file changed again between a look at it and the decision about it."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found; the figures are those of the file as it is now."""

    content: Content
    size: int = 0
    mtime_ns: int = 0
    quick_hash: str = ""


def look_at(row: ImageRow) -> Look:
    """Look at an image's file; reads it only where its size or time is not what is known."""
    try:
        status = row.file.stat()
    except OSError:
        return Look(Content.MISSING)
    if (status.st_size, status.st_mtime_ns) == (row.size, row.mtime_ns):
        return Look(Content.SAME, row.size, row.mtime_ns, row.quick_hash)
    try:
        found = quick_hash(row.file)
        same = found == row.quick_hash and (not row.content_hash or content_hash(row.file) == row.content_hash)
    except UnreadableImage:
        return Look(Content.MISSING)
    content = Content.TOUCHED if same or not row.last_edit else Content.CHANGED
    return Look(content, status.st_size, status.st_mtime_ns, found)


_CHANGED = N_("The content of '{path}' has changed since it was labelled.")
_FORMER = "'{path}' holds another content than when it was labelled."
"""How earlier versions put it: projects keep it as the problem of an image."""


def changed_sentence(row: ImageRow) -> str:
    """The sentence about an image whose content has changed since it was labelled."""
    return _(_CHANGED, path=row.path)


def must_be_as_labelled(row: ImageRow) -> None:
    """Raise `UnreadableImage` where the file has changed since it was labelled: nothing is learned from it."""
    if look_at(row).content is Content.CHANGED:
        raise UnreadableImage(
            changed_sentence(row), safe=_("Its labels are untouched."), todo=_("Open it in the window and decide.")
        )


def note(project: "Project", row: ImageRow, look: Look) -> "Future[None] | None":
    """Keep the result of a look: the flag of a changed content, or the time of a touched one. None for no change."""
    if project.writer is None or look.content is Content.MISSING:
        return None
    changed = look.quick_hash if look.content is Content.CHANGED else ""
    if look.content is not Content.TOUCHED and changed == row.changed:
        return None
    if look.content is Content.TOUCHED:
        return _write(project, row, look, row.content_hash if row.last_edit else "")
    return _run(project, row, "UPDATE files SET changed = ? WHERE image = ? AND position = 0", (changed, row.id))


def adopt(project: "Project", row: ImageRow, seen: Look, stop: Callable[[], bool] = lambda: False) -> "Future[None]":
    """Let the labels belong to the content that was `seen`; for a worker thread.

    Raises `ContentChanged` where the file has changed again, `UnreadableImage`, `ReadOnly`, `Cancelled`.
    """
    whole = content_hash(row.file, stop)
    quick = quick_hash(row.file)
    try:
        status = row.file.stat()
    except OSError as error:
        raise refused(row.file, error) from error
    if (status.st_size, status.st_mtime_ns, quick) != (seen.size, seen.mtime_ns, seen.quick_hash):
        raise ContentChanged(
            _("'{path}' has changed again since it was shown, so its new content was not accepted.", path=row.path),
            safe=_("Its labels are untouched."),
            todo=_("Look at what it holds now, and decide again."),
        )
    return _write(project, row, Look(Content.TOUCHED, status.st_size, status.st_mtime_ns, quick), whole)


def remember_hash(project: "Project", row: ImageRow, stop: Callable[[], bool] = lambda: False) -> None:
    """Keep the hash of the whole file when it was decoded for the first time; for a worker thread."""
    if project.writer is None or row.content_hash or look_at(row).content is not Content.SAME:
        return
    try:
        found = content_hash(row.file, stop)
    except (UnreadableImage, Cancelled):
        return  # gone: the next look reports it; or stopped: the next image shown is read again
    project.set_content_hash(row.id, found)


def _write(project: "Project", row: ImageRow, look: Look, whole: str) -> "Future[None]":
    update = (
        "UPDATE files SET size = ?, mtime_ns = ?, quick_hash = ?, content_hash = ?, changed = '' "
        "WHERE image = ? AND position = 0"
    )
    return _run(project, row, update, (look.size, look.mtime_ns, look.quick_hash, whole, row.id))


def _run(project: "Project", row: ImageRow, statement: str, values: tuple[object, ...]) -> "Future[None]":
    """Change what is known of a file; a problem recorded for its old state is cleared."""

    def job(db: sqlite3.Connection) -> None:
        db.execute(statement, values)
        # A problem is kept in the words of the process, version and language that found it.
        said = changed_sentence(row), _CHANGED.format(path=row.path), _FORMER.format(path=row.path)
        db.execute("UPDATE images SET problem = '' WHERE id = ? AND problem IN (?, ?, ?)", (row.id, *said))

    return project.writing().call(job)
