"""What `new` is given becomes image files with roots: files, folders and globs. Looks at names and first bytes."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from segstudio.errors import UnreadableImage, UserError
from segstudio.labels.model import folded_name

__all__ = ["FoundFile", "found_files"]


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
class _Single:
    """A file that a glob found or that was named, before its root is known."""

    place: Path
    named: bool
    deep: bool


def found_files(given: Sequence[str]) -> list[FoundFile]:
    """The files behind paths and globs, each once, in the order given, within a folder by name.

    A folder is a root; the root of files and globs is their deepest common folder. Where two files of several roots
    would have one relative path, the deepest common folder of all is the root. Raises `UserError` for what is missing.
    """
    folders: list[FoundFile] = []
    singles: list[_Single] = []
    order: list[str] = []
    for text in given:
        path = Path(os.path.abspath(text))
        if path.is_dir():
            found = list(_below_folder(path, text))
            folders += found
            order += [f.file for f in found]
        else:
            more = _files_of(text, path)
            singles += more
            order += [str(single.place) for single in more]
    everything = folders + _with_common_root(singles)
    if len({folded_name(f.path) for f in everything}) < len({f.file for f in everything}):
        everything = _told_apart(everything)
    by_file = {f.file: f for f in reversed(everything)}
    named = {f.file for f in everything if f.named}
    near = {f.file for f in everything if not f.deep}
    return [replace(by_file[file], named=file in named, deep=file not in near) for file in dict.fromkeys(order)]


def _files_of(text: str, path: Path) -> list[_Single]:
    """The file of this name, or the files that a glob finds."""
    if path.exists():
        return [_Single(path, named=True, deep=False)]
    if not glob.has_magic(text):
        raise UnreadableImage(f"{text} cannot be read: there is no such file or folder.")
    found: list[_Single] = []
    fixed = _fixed_part(text)
    for match in sorted(glob.glob(text, recursive=True)):
        place = Path(os.path.abspath(match))
        if place.is_dir():
            if "**" not in text and not _skipped_folder(place.name):
                found += [_Single(Path(f.file), named=False, deep=True) for f in _below_folder(place, match)]
        elif not any(_skipped_folder(part) for part in place.parent.relative_to(fixed).parts):
            found.append(_Single(place, named=False, deep=place.parent != fixed))
    if not found:
        raise UserError(f"'{text}' finds no file.")
    return found


def _fixed_part(text: str) -> Path:
    """The folder of a glob down to its first part with a wildcard."""
    parts = Path(os.path.abspath(text)).parts
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:first])


def _skipped_folder(name: str) -> bool:
    return name.startswith(".") or name.endswith(".segstudio")


def _below_folder(root: Path, text: str) -> Iterator[FoundFile]:
    """Every file below a folder by name; projects and hidden folders are passed over, links are followed once."""
    if root.name.endswith(".segstudio"):
        raise UserError(f"{text} is a project, no folder of images.")
    seen: set[tuple[int, int]] = set()
    names: list[str] = []
    for folder, folders, files in os.walk(root, followlinks=True):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = [name for name in folders if not _skipped_folder(name)]
        inner = Path(folder).relative_to(root).as_posix()
        names += files if inner == "." else [f"{inner}/{name}" for name in files]
    return (FoundFile(root, name, os.path.join(root, *name.split("/")), False, "/" in name) for name in sorted(names))


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
        raise UserError("The images lie on several drives; make a project for each, or name their folders.") from error
