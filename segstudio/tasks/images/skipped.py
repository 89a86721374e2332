"""Files that a scan passes over, each with its reason, and the words for many of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from segstudio.errors import printable

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
    "named_groups",
    "not_supported",
    "reasons",
    "unreadable",
]

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a file was passed over: for one file in a list, and as sentences about one and about `{n}` of them."""

    word: str
    one: str
    many: str

    def text(self, n: int) -> str:
        """'1 file is no image', '3 DICOM files: not supported yet'."""
        return self.one if n == 1 else self.many.replace("{n}", f"{n:,}")


NOT_AN_IMAGE = Reason("no image", "1 file is no image", "{n} files are no images")
NOT_ALLOWED = Reason("reading it is not allowed", "1 file may not be read", "{n} files may not be read")
NOT_A_PLAIN_FILE = Reason(
    "no plain file but a pipe, a socket or a device",
    "1 entry is no plain file but a pipe, a socket or a device",
    "{n} entries are no plain files but pipes, sockets or devices",
)
NOT_UTF_8 = Reason("its name is not valid UTF-8", "1 name is not valid UTF-8", "{n} names are not valid UTF-8")
LEADS_NOWHERE = Reason("a link that leads nowhere", "1 link leads nowhere", "{n} links lead nowhere")
NO_ENTRY = Reason("a folder that may not be entered", "1 folder may not be entered", "{n} folders may not be entered")
TOO_LONG = Reason("its path is too long", "1 path is too long", "{n} paths are too long")


def not_supported(format_: str) -> Reason:
    """A file of a format that is known and not read yet."""
    rest = f"{format_} file: not supported yet", f"{format_} files: not supported yet"
    return Reason(f"{format_}: not supported yet", f"1 {rest[0]}", f"{{n}} {rest[1]}")


def unreadable(sentence: str) -> Reason:
    """An image that cannot be read; of the reader's `sentence` about it the part after the colon is kept."""
    why = sentence.rstrip(".").rpartition(": ")[2]
    return Reason(f"it cannot be read: {why}", f"1 file cannot be read: {why}", f"{{n}} files cannot be read: {why}")


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
    """'3 DICOM files: not supported yet; 1 file is no image'."""
    return "; ".join(reason.text(len(paths)) for reason, paths in _grouped(skipped).items())


def named_groups(skipped: Sequence[SkippedFile]) -> list[str]:
    """A sentence a reason, with the first three paths."""
    lines: list[str] = []
    for reason, paths in _grouped(skipped).items():
        more = f" and {len(paths) - _NAMED:,} more" if len(paths) > _NAMED else ""
        lines.append(f"Skipped: {reason.text(len(paths))} ({', '.join(paths[:_NAMED])}{more}).")
    return lines
