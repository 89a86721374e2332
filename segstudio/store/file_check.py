"""Whether an image's files still have the content that was labelled.

Size and time are compared first, from each file's entry. Only one where they differ is read, both ends, then the whole
where the whole was known: of several files only the first one's is. A file that was only touched is the same; an image
whose content is another is flagged if it has edits, and never used silently. One without an edit simply has a new
content.
"""

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.errors import Cancelled, UnreadableImage
from segstudio.imaging.hashing import content_hash, quick_hash
from segstudio.imaging.readers.refusal import refused
from segstudio.store.kept_levels import FileStamp, stamp_of
from segstudio.store.values import FileState, ImageRow, digest_of
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
    """What was found; `files` are the image's as they are now, none where one is missing."""

    content: Content
    files: tuple[FileState, ...] = ()

    @property
    def digest(self) -> str:
        """One hash of all files."""
        return digest_of(self.files)

    @property
    def stamp(self) -> FileStamp:
        """Size and time of all files."""
        return stamp_of([(file.size, file.mtime_ns) for file in self.files])


def look_at(row: ImageRow) -> Look:
    """Look at an image's files; reads only those whose size or time is not what is known."""
    known = row.states
    try:
        found = tuple(_looked(file, state) for file, state in zip(row.files, known, strict=True))
        if found == known:
            return Look(Content.SAME, found)
        same = digest_of(found) == row.digest and (
            not row.content_hash or found[0] == known[0] or content_hash(row.file) == row.content_hash
        )
    except (OSError, UnreadableImage):
        return Look(Content.MISSING)
    return Look(Content.TOUCHED if same or not row.last_edit else Content.CHANGED, found)


def _looked(file: Path, known: FileState) -> FileState:
    """A file as it is now. Raises `OSError`, `UnreadableImage`."""
    status = file.stat()
    if (status.st_size, status.st_mtime_ns) == (known.size, known.mtime_ns):
        return known
    return FileState(status.st_size, status.st_mtime_ns, quick_hash(file))


_CHANGED = N_("The content of '{path}' has changed since it was labelled.")
_FORMER = "'{path}' holds another content than when it was labelled."
"""How earlier versions put it: projects keep it as the problem of an image."""


def changed_sentence(row: ImageRow) -> str:
    """The sentence about an image whose content has changed since it was labelled."""
    return _(_CHANGED, path=row.path)


def must_be_as_labelled(row: ImageRow) -> None:
    """Raise `UnreadableImage` where a file has changed since it was labelled: nothing is learned from it."""
    if look_at(row).content is Content.CHANGED:
        raise UnreadableImage(
            changed_sentence(row), safe=_("Its labels are untouched."), todo=_("Open it in the window and decide.")
        )


def note(project: "Project", row: ImageRow, look: Look) -> "Future[None] | None":
    """Keep the result of a look: the flag of a changed content, or the time of a touched one. None for no change."""
    if project.writer is None or look.content is Content.MISSING:
        return None
    changed = look.digest if look.content is Content.CHANGED else ""
    if look.content is not Content.TOUCHED and changed == row.changed:
        return None
    if look.content is Content.TOUCHED:
        return _write(project, row, look.files, row.content_hash if row.last_edit else "")
    return _run(project, row, "UPDATE files SET changed = ? WHERE image = ? AND position = 0", [(changed, row.id)])


def adopt(project: "Project", row: ImageRow, seen: Look, stop: Callable[[], bool] = lambda: False) -> "Future[None]":
    """Let the labels belong to the content that was `seen`; for a worker thread.

    Raises `ContentChanged` where a file has changed again, `UnreadableImage`, `ReadOnly`, `Cancelled`.
    """
    whole = content_hash(row.file, stop)
    now = tuple(_read(file, stop) for file in row.files)
    if now != seen.files:
        raise ContentChanged(
            _("'{path}' has changed again since it was shown, so its new content was not accepted.", path=row.path),
            safe=_("Its labels are untouched."),
            todo=_("Look at what it holds now, and decide again."),
        )
    return _write(project, row, now, whole)


def _read(file: Path, stop: Callable[[], bool]) -> FileState:
    """A file as it is now, read. Raises `UnreadableImage`, and `Cancelled` if it was stopped."""
    if stop():
        raise Cancelled(_("Reading {name} was stopped.", name=file.name))
    quick = quick_hash(file)
    try:
        status = file.stat()
    except OSError as error:
        raise refused(file, error) from error
    return FileState(status.st_size, status.st_mtime_ns, quick)


def remember_hash(project: "Project", row: ImageRow, stop: Callable[[], bool] = lambda: False) -> None:
    """Keep the hash of the whole first file when it was decoded for the first time; for a worker thread."""
    if project.writer is None or row.content_hash or look_at(row).content is not Content.SAME:
        return
    try:
        found = content_hash(row.file, stop)
    except (UnreadableImage, Cancelled):
        return  # gone: the next look reports it; or stopped: the next image shown is read again
    project.set_content_hash(row.id, found)


def _write(project: "Project", row: ImageRow, files: tuple[FileState, ...], whole: str) -> "Future[None]":
    """Keep the files as they are now; `whole` is the hash of the whole first one, '' where it is not known."""
    update = (
        "UPDATE files SET size = ?, mtime_ns = ?, quick_hash = ?, content_hash = ?, changed = '' "
        "WHERE image = ? AND position = ?"
    )
    values = [
        (file.size, file.mtime_ns, file.quick_hash, "" if place else whole, row.id, place)
        for place, file in enumerate(files)
    ]
    return _run(project, row, update, values)


def _run(project: "Project", row: ImageRow, statement: str, values: Sequence[tuple[object, ...]]) -> "Future[None]":
    """Change what is known of an image's files; a problem recorded for their old state is cleared."""

    def job(db: sqlite3.Connection) -> None:
        db.executemany(statement, values)
        # A problem is kept in the words of the process, version and language that found it.
        said = changed_sentence(row), _CHANGED.format(path=row.path), _FORMER.format(path=row.path)
        db.execute("UPDATE images SET problem = '' WHERE id = ? AND problem IN (?, ?, ?)", (row.id, *said))

    return project.writing().call(job)
