"""Find the files of missing images in a folder: by their relative path, by their name, by their content.

A file counts as found only where it is the one that was labelled: of the same size, and of the same time or the same
hash. An image of several files is missing where one of them is, and found where all of them are. Names are compared by
NFC and without case.
"""

import os
from collections import defaultdict
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from segstudio.errors import UnreadableImage, UserError
from segstudio.imaging.hashing import content_hash, quick_hash
from segstudio.labels.model import ImageId, folded_name
from segstudio.store.project import Project
from segstudio.store.relink import Found, write_places
from segstudio.store.values import FileState, ImageRow
from segstudio.tasks.progress import Progress
from segstudio.text import _

__all__ = ["RelinkReport", "relink"]

_EVERY = 200


@dataclass(frozen=True, slots=True)
class RelinkReport:
    """Paths of the images that were found again, that are still missing, and whose path holds another file."""

    folder: Path
    found: tuple[str, ...]
    missing: tuple[str, ...]
    different: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    """With '/', below the folder."""
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file of a missing image: its path below its root, and what is known of it; '' for a hash that is not known."""

    path: str
    state: FileState
    content_hash: str


class _Folder:
    """The files below a folder, by path, by name and by size; hashes are taken once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.by_path: dict[str, _File] = {}
        self.by_name: defaultdict[str, list[_File]] = defaultdict(list)
        self.by_size: defaultdict[int, list[_File]] = defaultdict(list)
        self._quick: dict[str, str] = {}

    def add(self, file: _File) -> None:
        self.by_path[folded_name(file.path)] = file
        self.by_name[folded_name(file.path.rpartition("/")[2])].append(file)
        self.by_size[file.size].append(file)

    def holds(self, file: _File, wanted: _Wanted) -> bool:
        """Whether a file has the content that is looked for."""
        if file.size != wanted.state.size:
            return False
        try:
            if self._quick_hash(file) != wanted.state.quick_hash:
                return False
            return not wanted.content_hash or content_hash(self.folder / file.path) == wanted.content_hash
        except UnreadableImage:
            return False

    def _quick_hash(self, file: _File) -> str:
        if file.path not in self._quick:
            self._quick[file.path] = quick_hash(self.folder / file.path)
        return self._quick[file.path]


def relink(project: Project, folder: Path) -> Generator[Progress, None, RelinkReport]:
    """Look for every missing image below `folder` and write where they are, in one transaction.

    Raises `ReadOnly`, `UserError` where it is not a folder, `DiskRefused`.
    """
    writer = project.writing()
    folder = Path(os.path.abspath(folder))
    if not folder.is_dir():
        raise UserError(_("'{folder}' is not a folder.", folder=folder))
    rows = project.images(removed=True)
    there = {row.id: [file.is_file() for file in row.files] for row in rows}
    missing = [row for row in rows if not all(there[row.id])]
    if not missing:
        return RelinkReport(folder, (), ())
    files = _Folder(folder)
    for n, file in enumerate(_files_below(folder)):
        files.add(file)
        if n % _EVERY == 0:
            yield Progress(0, len(missing), _("searching the folder"))
    found: dict[ImageId, Found] = {}
    different: list[str] = []
    for done, row in enumerate(missing):
        if done % _EVERY == 0:
            yield Progress(done, len(missing), row.path)
        wanted = _wanted(row)
        all_of_it = _find_all(files, wanted)
        if all_of_it is not None:
            places = tuple((file.path, file.mtime_ns) for file in all_of_it)
            same = all(folded_name(a.path) == folded_name(b.path) for a, b in zip(all_of_it, wanted, strict=True))
            found[row.id] = Found(row.id, places, same)
        elif all(folded_name(file.path) in files.by_path for file in wanted):
            different.append(row.path)
    yield Progress(len(missing), len(missing), _("saving where they are"))
    if found:
        moved = list(found.values())
        stayed = frozenset(row.id for row in rows if row.id not in found and any(there[row.id]))
        writer.call(lambda db: write_places(db, project.path, folder, moved, stayed)).result()
    return RelinkReport(
        folder,
        tuple(row.path for row in missing if row.id in found),
        tuple(row.path for row in missing if row.id not in found),
        tuple(different),
    )


def _files_below(folder: Path) -> Iterator[_File]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.endswith(".segstudio") and not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(where, name)
            try:
                status = os.stat(path)
            except OSError:
                continue  # gone since, or a link to nowhere
            yield _File(Path(os.path.relpath(path, folder)).as_posix(), status.st_size, status.st_mtime_ns)


def _wanted(row: ImageRow) -> list[_Wanted]:
    """The files of an image, in their order; only of the first the whole content may be known."""
    first, *more = zip((row.inner_path, *row.more), row.states, strict=True)
    return [_Wanted(*first, row.content_hash), *(_Wanted(*file, "") for file in more)]


def _find_all(files: _Folder, wanted: list[_Wanted]) -> list[_File] | None:
    """Every file of an image; None where one of them is not there."""
    found: list[_File] = []
    for each in wanted:
        file = _find(files, each)
        if file is None:
            return None
        found.append(file)
    return found


def _find(files: _Folder, wanted: _Wanted) -> _File | None:
    """By relative path, then by name, then by content alone."""
    at_path = files.by_path.get(folded_name(wanted.path))
    known = wanted.state.size, wanted.state.mtime_ns
    if at_path is not None and ((at_path.size, at_path.mtime_ns) == known or files.holds(at_path, wanted)):
        return at_path
    name = folded_name(wanted.path.rpartition("/")[2])
    for file in (*files.by_name.get(name, ()), *files.by_size.get(wanted.state.size, ())):
        if files.holds(file, wanted):
            return file
    return None
