"""What `new` and `add` are given becomes files with roots: files, folders and globs. Looks at names alone.

Within a folder, or a glob, files are in natural order: img_2 before img_10. Hidden files and folders, projects and
files that systems put beside images are skipped; files that a person might miss are named with the reason.
"""

import errno
import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from segstudio.errors import UnreadableImage, UserError, printable
from segstudio.labels.model import folded_name
from segstudio.tasks.images.skipped import NO_ENTRY, NOT_UTF_8, TOO_LONG, SkippedFile
from segstudio.text import _

__all__ = ["FoundFile", "Scan", "found_files", "is_passed_over", "natural_key"]

_SYSTEM = frozenset(
    ("__macosx", "$recycle.bin", "system volume information", "@eadir", "thumbs.db", "desktop.ini", "ehthumbs.db")
)
"""Folders and files that systems put beside images, folded."""

_DIRECTORY = "dicomdir"
"""The name, folded, of the file that lists those of a DICOM export (PS3.10, 8.6)."""

_DIGITS = re.compile("([0-9]+)")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that may be an image; `path` is relative to `root`. One that was `named` has to be an image.

    `file` is where it lies, as text: with 100,000 of them paths as objects cost seconds. `deep` says that it lies in a
    folder below the one that was given, or below the fixed part of the glob.
    """

    root: Path
    path: str
    file: str
    named: bool
    deep: bool = False


@dataclass(frozen=True, slots=True)
class Scan:
    """Files in their final order, each once, and those skipped for their name or place."""

    files: list[FoundFile]
    skipped: list[SkippedFile]


@dataclass(frozen=True, slots=True)
class _Single:
    """A file that a glob found or that was named, before its root is known."""

    place: Path
    named: bool
    deep: bool


@dataclass(slots=True)
class _Gathering:
    """What was found so far: below folders, alone, in which order, and what was passed over."""

    folders: list[FoundFile] = field(default_factory=list[FoundFile])
    singles: list[_Single] = field(default_factory=list[_Single])
    order: list[str] = field(default_factory=list[str])
    skipped: list[SkippedFile] = field(default_factory=list[SkippedFile])


def natural_key(path: str) -> tuple[list[list[str | int]], str]:
    """The key that sorts paths as people count: numbers by value, letters without case, folder by folder."""
    return [_counted(name) for name in path.casefold().split("/")], path


def _counted(name: str) -> list[str | int]:
    """Text and numbers in turn, so that like is compared with like."""
    parts: list[str | int] = list(_DIGITS.split(name))
    parts[1::2] = map(int, parts[1::2])
    return parts


def found_files(given: Sequence[str]) -> Scan:
    """The files behind paths and globs, each once, in the order given, within a folder or glob in natural order.

    A folder is a root; the root of files and globs is their deepest common folder. Where two files of several roots
    would have one relative path, the deepest common folder of all is the root. Raises `UserError` for what is missing,
    may not be entered, or has a name that is not valid UTF-8.
    """
    gathering = _Gathering()
    for text in given:
        _gather(text, gathering)
    everything = gathering.folders + _with_common_root(gathering.singles)
    if len({folded_name(f.path) for f in everything}) < len({f.file for f in everything}):
        everything = _told_apart(everything)
    by_file = {f.file: f for f in reversed(everything)}
    named = {f.file for f in everything if f.named}
    near = {f.file for f in everything if not f.deep}
    order = dict.fromkeys(gathering.order)
    files = [replace(by_file[file], named=file in named, deep=file not in near) for file in order]
    return Scan(files, list(dict.fromkeys(gathering.skipped)))


def _gather(text: str, gathering: _Gathering) -> None:
    path = Path(os.path.abspath(text))
    if not _is_utf_8(str(path)):
        raise UnreadableImage(
            _("'{text}' cannot be used: the name is not valid UTF-8.", text=printable(text)),
            todo=_("Rename it, and try again."),
        )
    try:
        if path.is_dir():
            found = list(_below_folder(path, text, gathering.skipped))
            gathering.folders += found
            gathering.order += [f.file for f in found]
        else:
            more = _files_of(text, path, gathering.skipped)
            gathering.singles += more
            gathering.order += [str(single.place) for single in more]
    except OSError as error:
        raise UnreadableImage(_("'{text}' cannot be read: {why}.", text=printable(text), why=_why(error))) from error


def _why(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return _("you have no permission for a folder on the way to it")
    if error.errno == errno.ENAMETOOLONG:
        return _("the path is too long")
    if error.errno == errno.ELOOP:
        return _("the links on the way to it form a loop")
    return _("the disk reports: {words}", words=error.strerror)


def _is_utf_8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _files_of(text: str, path: Path, skipped: list[SkippedFile]) -> list[_Single]:
    """The file of this name, or the files that a glob finds."""
    if path.exists() and path.name.casefold() == _DIRECTORY:
        return [_Single(file, named=False, deep=True) for file in _of_directory(path)]
    if path.exists():
        return [_Single(path, named=True, deep=False)]
    if not glob.has_magic(text):
        raise UnreadableImage(_("{text} cannot be read: there is no such file or folder.", text=printable(text)))
    found: list[_Single] = []
    fixed = _fixed_part(text)
    before = len(skipped)
    for match in sorted(glob.glob(text, recursive=True), key=natural_key):
        place = Path(os.path.abspath(match))
        if not _is_utf_8(str(place)):
            skipped.append(SkippedFile.at(str(place), NOT_UTF_8))
        elif place.is_dir():
            if "**" not in text and not is_passed_over(place.name):
                below = _below_folder(place, match, skipped)
                found += [_Single(Path(f.file), named=False, deep=True) for f in below]
        elif place.name.casefold() not in _SYSTEM and not any(
            is_passed_over(part) for part in place.parent.relative_to(fixed).parts
        ):
            found.append(_Single(place, named=False, deep=place.parent != fixed))
    if not found and len(skipped) == before:
        raise UserError(_("'{text}' matches no file.", text=printable(text)))
    return found


def _of_directory(path: Path) -> list[Path]:
    """The files that a DICOMDIR names and that are there, in natural order. Raises `UnreadableImage`."""
    from segstudio.imaging.readers.dicom_directory import files_named_in

    return sorted(files_named_in(path), key=lambda file: natural_key(file.as_posix()))


def _fixed_part(text: str) -> Path:
    """The folder of a glob down to its first part with a wildcard."""
    parts = Path(os.path.abspath(text)).parts
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:first])


def is_passed_over(name: str) -> bool:
    """Whether a file or folder of this name is not a person's image: hidden, a project, or of the system."""
    return name.startswith(".") or name.endswith(".segstudio") or name.casefold() in _SYSTEM


def _below_folder(root: Path, text: str, skipped: list[SkippedFile]) -> Iterator[FoundFile]:
    """Every file below a folder in natural order; links are followed once."""
    if root.name.endswith(".segstudio"):
        raise UserError(_("{text} is a project, not a folder of images.", text=text))
    seen: set[tuple[int, int]] = set()
    names: list[str] = []

    def refused(error: OSError) -> None:
        where = os.fsdecode(error.filename or root)
        if where == str(root):
            raise error
        skipped.append(SkippedFile.at(where, TOO_LONG if error.errno == errno.ENAMETOOLONG else NO_ENTRY))

    for folder, folders, files in os.walk(root, followlinks=True, onerror=refused):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = _wanted(folder, folders, skipped)
        inner = Path(folder).relative_to(root).as_posix()
        wanted = _wanted(folder, files, skipped)
        names += wanted if inner == "." else [f"{inner}/{name}" for name in wanted]
    names.sort(key=natural_key)
    return (FoundFile(root, name, os.path.join(root, *name.split("/")), False, "/" in name) for name in names)


def _wanted(folder: str, names: list[str], skipped: list[SkippedFile]) -> list[str]:
    """The names in a folder that are looked at; those that a project cannot store are skipped with a reason."""
    wanted: list[str] = []
    for name in names:
        if is_passed_over(name):
            continue
        if _is_utf_8(name):
            wanted.append(name)
        else:
            skipped.append(SkippedFile.at(os.path.join(folder, name), NOT_UTF_8))
    return wanted


def _with_common_root(files: list[_Single]) -> list[FoundFile]:
    if not files:
        return []
    root = _common_folder([file.place.parent for file in files])
    return [FoundFile(root, f.place.relative_to(root).as_posix(), str(f.place), f.named, f.deep) for f in files]


def _told_apart(files: list[FoundFile]) -> list[FoundFile]:
    """The same files below one root, so that no two have one path."""
    root = _common_folder([Path(f.file).parent for f in files])
    return [replace(f, root=root, path=Path(f.file).relative_to(root).as_posix()) for f in files]


def _common_folder(folders: list[Path]) -> Path:
    try:
        return Path(os.path.commonpath(folders))
    except ValueError as error:
        raise UserError(
            _("The images are on several drives; make a project for each drive, or name their folders.")
        ) from error
