"""Every error a person can meet, each with one clear sentence.

A `UserError` is not a fault of the program: a broken file, a full disk, a wrong word on the command line. Everything
else that is raised is a bug, shown with its trace. This module knows no other room and no library.
"""

__all__ = [
    "Cancelled",
    "DiskRefused",
    "EditConflict",
    "EngineDied",
    "ExportMismatch",
    "ImageMissing",
    "MaskMismatch",
    "NoSuchDevice",
    "NoSuchNetwork",
    "NotAProject",
    "NotEnoughLabels",
    "NothingLabelled",
    "ProjectDamaged",
    "ProjectLocked",
    "ProjectNewer",
    "ReadOnly",
    "UnknownClassValue",
    "UnreadableImage",
    "UsageError",
    "UserError",
    "WeightsDamaged",
    "printable",
]


def printable(text: str) -> str:
    """The text with bytes of a file name that are not UTF-8, and characters that move the cursor, as '\\xe9'."""
    if text.isprintable():
        return text
    try:
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a surrogate pair, as a file name of Windows may hold
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class UserError(Exception):
    """One sentence says what happened; optionally others say what is safe and what to do."""

    exit_code = 1

    def __init__(self, sentence: str, *, safe: str = "", todo: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.safe = safe
        self.todo = todo

    @property
    def line(self) -> str:
        """Sentence, safety and advice on one line that can be printed, for the command line and the status bar."""
        parts = (self.sentence, self.safe, self.todo)
        return " ".join(printable(part.replace("\n", " ").strip()) for part in parts if part)


class UsageError(UserError):
    """The command makes no sense as written (exit code 2)."""

    exit_code = 2


class UnreadableImage(UserError):
    """An image file cannot be read."""


class ImageMissing(UnreadableImage):
    """An image's file is not where the project expects it."""


class NotAProject(UserError):
    """The folder is not a SegStudio project."""


class ProjectLocked(UserError):
    """Another process writes this project; the sentence says who."""


class ProjectNewer(UserError):
    """The project was made by a newer version."""


class ProjectDamaged(UserError):
    """What was read from the project is not what was written."""


class ReadOnly(UserError):
    """The project, or its folder, cannot be written."""


class DiskRefused(UserError):
    """The disk refused a write: full, gone, or not allowed."""


class Cancelled(UserError):
    """A person cancelled a long job; what it had begun was undone."""


class EditConflict(Exception):
    """An edit was applied where its `before` does not match. A bug, or a reply that came too late."""


class MaskMismatch(UserError):
    """A mask does not fit its image."""


class UnknownClassValue(UserError):
    """A mask holds a value that no class has."""


class ExportMismatch(UserError):
    """What was read back from an export is not what was exported."""


class NoSuchDevice(UserError):
    """The named device is not on this machine."""


class NoSuchNetwork(UserError):
    """A version's network is not in the table: the package that it comes from is missing or was left out."""


class NotEnoughLabels(UserError):
    """There are too few labels to learn from."""


class NothingLabelled(UserError):
    """An image would be marked done without a known pixel: a person must confirm that it is empty."""


class EngineDied(UserError):
    """The engine process ended without being asked to."""


class WeightsDamaged(UserError):
    """A file of weights is truncated, or is not what it claims to be."""
