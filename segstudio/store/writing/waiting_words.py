"""The sentences about edits that wait for a project outside of it."""

from pathlib import Path

from segstudio.errors import DiskRefused
from segstudio.store.writing.outbox_replay import Replayed
from segstudio.text import _, count

__all__ = ["elsewhere", "not_kept", "outcome", "set_aside", "unreadable", "waits"]


def waits(edits: int, name: str) -> str:
    """Edits of the project of this name are not in what was read of it."""
    return count(
        edits,
        "1 edit of the project '{name}' that the disk refused is waiting in the state folder and is not in "
        "what was read; opening the project for writing saves it if it fits.",
        "{n} edits of the project '{name}' that the disk refused are waiting in the state folder and are not "
        "in what was read; opening the project for writing saves those that fit.",
        name=name,
    )


def not_kept(edits: int, folder: Path, error: OSError) -> DiskRefused:
    """The disk refused the folder of what waits too."""
    return DiskRefused(
        count(
            edits,
            "1 edit could be saved neither in the project nor in {folder}: {why}.",
            "{n} edits could be saved neither in the project nor in {folder}: {why}.",
            folder=folder,
            why=error.strerror or error,
        )
    )


def set_aside(path: Path) -> str:
    """What cannot be read is kept in this file."""
    return _("Edits that could not be saved earlier cannot be read; they are kept in {path}.", path=path)


def unreadable(path: Path, error: Exception) -> str:
    """Edits stay where they cannot be read."""
    if isinstance(error, OSError) and error.strerror:
        return _(
            "Edits that could not be saved earlier cannot be read ({why}); they are in {path}.",
            why=error.strerror,
            path=path,
        )
    return _("Edits that could not be saved earlier cannot be read; they are in {path}.", path=path)


def elsewhere(edits: int, place: str) -> str:
    """Edits wait for the copy in another place; '' where none do."""
    if not edits:
        return ""
    return count(
        edits,
        "1 edit that the disk refused is waiting for the copy of this project at {place}; opening that copy saves it "
        "if it fits.",
        "{n} edits that the disk refused are waiting for the copy of this project at {place}; opening that copy saves "
        "those that fit.",
        place=place,
    )


def outcome(replayed: Replayed, aside: Path | None) -> str:
    """What became of the edits of a file."""
    sentences: list[str] = []
    if replayed.saved:
        sentences.append(
            count(
                replayed.saved,
                "1 edit that the disk refused when the project was closed has now been saved.",
                "{n} edits that the disk refused when the project was closed have now been saved.",
            )
        )
    if aside is not None:
        sentences.append(
            count(
                len(replayed.aside),
                "1 edit no longer fits this project; it is kept in {file}.",
                "{n} edits no longer fit this project; they are kept in {file}.",
                file=aside,
            )
        )
    return " ".join(sentences)
