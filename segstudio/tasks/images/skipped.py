"""Files that a scan passes over, each with its reason, and the words for many of them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from segstudio.errors import printable
from segstudio.text import _, count

__all__ = [
    "LEADS_NOWHERE",
    "NOT_ALLOWED",
    "NOT_AN_IMAGE",
    "NOT_A_PLAIN_FILE",
    "NOT_UTF_8",
    "NO_ENTRY",
    "TOO_LONG",
    "Reason",
    "SkippedFile",
    "named_few",
    "named_groups",
    "not_supported",
    "reasons",
    "unreadable",
]

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a file was passed over: `word` for one file in a list, English and stable for JSON; reasons are equal by it.

    `text(n)` is the sentence about n such files.
    """

    word: str
    text: Callable[[int], str] = field(compare=False)


NOT_AN_IMAGE = Reason("no image", lambda n: count(n, "1 file is not an image", "{n} files are not images"))
NOT_ALLOWED = Reason(
    "reading it is not allowed",
    lambda n: count(n, "1 file may not be read", "{n} files may not be read"),
)
NOT_A_PLAIN_FILE = Reason(
    "no plain file but a pipe, a socket or a device",
    lambda n: count(
        n,
        "1 entry is not a plain file but a pipe, a socket or a device",
        "{n} entries are not plain files but pipes, sockets or devices",
    ),
)
NOT_UTF_8 = Reason(
    "its name is not valid UTF-8",
    lambda n: count(n, "1 name is not valid UTF-8", "{n} names are not valid UTF-8"),
)
LEADS_NOWHERE = Reason(
    "a link that leads nowhere",
    lambda n: count(n, "1 link leads nowhere", "{n} links lead nowhere"),
)
NO_ENTRY = Reason(
    "a folder that may not be entered",
    lambda n: count(n, "1 folder may not be entered", "{n} folders may not be entered"),
)
TOO_LONG = Reason(
    "its path is too long",
    lambda n: count(n, "1 path is too long", "{n} paths are too long"),
)


def not_supported(format_: str) -> Reason:
    """A file of a format that is known but not read yet."""
    return Reason(
        f"{format_}: not supported yet",
        lambda n: count(
            n, "1 {format} file: not supported yet", "{n} {format} files: not supported yet", format=format_
        ),
    )


def unreadable(sentence: str) -> Reason:
    """An image that cannot be read; the part of the reader's `sentence` after the colon is kept."""
    why = sentence.rstrip(".").rpartition(": ")[2]
    return Reason(
        f"it cannot be read: {why}",
        lambda n: count(n, "1 file cannot be read: {why}", "{n} files cannot be read: {why}", why=why),
    )


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file, or folder, that was passed over, as a path that can be printed."""

    path: str
    reason: Reason

    @staticmethod
    def at(path: str, reason: Reason) -> "SkippedFile":
        """One at a path as the file system has it."""
        return SkippedFile(printable(path), reason)


def _grouped(skipped: Iterable[SkippedFile]) -> dict[Reason, list[str]]:
    groups: defaultdict[Reason, list[str]] = defaultdict(list)
    for file in skipped:
        groups[file.reason].append(file.path)
    return groups


def reasons(skipped: Iterable[SkippedFile]) -> str:
    """'3 Photoshop files: not supported yet; 1 file is not an image'."""
    return "; ".join(reason.text(len(paths)) for reason, paths in _grouped(skipped).items())


def named_groups(skipped: Sequence[SkippedFile]) -> list[str]:
    """A sentence a reason, with the first three paths."""
    lines: list[str] = []
    for reason, paths in _grouped(skipped).items():
        lines.append(_("Skipped: {files} ({paths}).", files=reason.text(len(paths)), paths=named_few(paths)))
    return lines


def named_few(paths: Sequence[str]) -> str:
    """The first three of them, and how many more there are."""
    named = ", ".join(paths[:_NAMED])
    if len(paths) <= _NAMED:
        return named
    return _("{paths} and {n} more", paths=named, n=f"{len(paths) - _NAMED:,}")
