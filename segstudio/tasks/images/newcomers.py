"""New images in the folders of a project: files that lie beside its images and are not in it.

Only the folders themselves are looked through, not what is below them: the deepest common folder of images that came
from several places may be a person's whole disk. Images that were taken out are not new.
"""

import os
from collections.abc import Collection, Container, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass

from segstudio.formats.folder_words import stem_of_image
from segstudio.imaging.readers.table import FAMILIES
from segstudio.labels.model import folded_name
from segstudio.store.project import Project
from segstudio.store.values import ImageRow
from segstudio.tasks.images.add import additions_of
from segstudio.tasks.images.scan import FoundFile, Scan, is_passed_over, natural_key
from segstudio.tasks.images.skipped import NOT_AN_IMAGE, SkippedFile
from segstudio.tasks.progress import Progress
from segstudio.text import _

__all__ = ["Mark", "Newcomers", "newcomers"]

Mark = tuple[str, int, int]
"""A file or folder as it was looked at: where it lies, its size in bytes, and when it was changed, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Newcomers:
    """`files` are new images in natural order, folder by folder; `folders` says in how many folders they lie.

    `skipped` may be images, but cannot be read. `looked_at` has every file that needs no second look; `settled` the
    folders, and the files in them that are called like images but are none of the project: one that was half copied
    changes without its folder.
    """

    files: tuple[FoundFile, ...]
    folders: int
    skipped: tuple[SkippedFile, ...]
    looked_at: frozenset[Mark] = frozenset()
    settled: frozenset[Mark] = frozenset()


def newcomers(
    project: Project, passed: Collection[Mark] = (), settled: frozenset[Mark] = frozenset()
) -> Generator[Progress, None, Newcomers]:
    """Look for new images, but for the files that were `passed` before; changes nothing.

    Where nothing has changed since it was `settled`, there is nothing to look at: of 100,000 images not one is read.
    """
    if settled and _marks(path for path, _size, _time in settled) == settled:
        return Newcomers((), 0, (), settled=settled)
    known = {found.file: found for row in project.images(removed=True) for found in _places(row)}
    likes = _folders(project, known)
    seen = set(_marks(likes))  # before they are read: what comes meanwhile changes them
    endings = tuple(ending for family in FAMILIES.rows for ending in family.extensions)
    files: dict[str, FoundFile] = {}
    marks: set[Mark] = set()
    for folder, like in sorted(likes.items()):
        yield Progress(0, 0, _("looking for new images"))
        for found, mark in _unknown(folder, like, known):
            if found.file.lower().endswith(endings):
                seen.add(mark)
            if mark not in passed:
                files[found.file] = found
                marks.add(mark)
    if not files:
        return Newcomers((), 0, (), settled=frozenset(seen))
    scan = Scan([*_context(files, likes, known), *sorted(files.values(), key=_natural)], [])
    plan = yield from additions_of(project, scan, lenient=True)
    chosen = tuple(
        files[os.path.join(image.root, *path.split("/"))]
        for image in plan.images
        for path in (image.path, *(file.path for file in image.more))
    )
    return Newcomers(
        chosen,
        len({os.path.dirname(found.file) for found in chosen}),
        tuple(file for file in plan.skipped_files if file.reason != NOT_AN_IMAGE),
        frozenset(marks),
        frozenset(seen),
    )


def _marks(paths: Iterable[str]) -> frozenset[Mark]:
    """Files and folders as they are now; of size and time 0 where one cannot be asked."""
    found: set[Mark] = set()
    for path in paths:
        try:
            status = os.stat(path)
            found.add((path, status.st_size, status.st_mtime_ns))
        except OSError:
            found.add((path, 0, 0))
    return frozenset(found)


def _context(
    files: Mapping[str, FoundFile], likes: Mapping[str, FoundFile], known: Mapping[str, FoundFile]
) -> list[FoundFile]:
    """The known images that tell whether new files are masks: those that they may be named after, and one of each
    folder."""
    keys = {_key(file) for file in files}
    keys |= {(folder, stem_of_image(stem)) for folder, stem in keys}
    beside = [likes[folder] for folder in sorted({folder for folder, _stem in keys})]
    alike = [found for file, found in known.items() if _key(file) in keys]
    return list({found.file: found for found in (*beside, *alike)}.values())


def _key(file: str) -> tuple[str, str]:
    """Folder and stem of a file, as names are compared."""
    folder, name = os.path.split(file)
    return folder, folded_name(os.path.splitext(name)[0])


def _places(row: ImageRow) -> Iterator[FoundFile]:
    """Where the file of an image lies, and where it would lie if it had moved with the project."""
    for root in filter(None, (row.root, row.beside)):
        for path in (row.inner_path, *row.more):
            yield FoundFile(root, path, f"{root}{os.sep}{path.replace('/', os.sep)}", named=False)


def _natural(found: FoundFile) -> tuple[str, object]:
    return os.path.dirname(found.file), natural_key(found.path)


def _folders(project: Project, known: Mapping[str, FoundFile]) -> dict[str, FoundFile]:
    """The folders in which images of the project lie, each with one of these; none inside the project."""
    inside = os.path.join(project.path, "")
    folders: dict[str, FoundFile] = {}
    for file, found in known.items():
        folder = os.path.dirname(file)
        if folder not in folders and not file.startswith(inside):
            folders[folder] = found
    return folders


def _unknown(folder: str, like: FoundFile, known: Container[str]) -> Iterator[tuple[FoundFile, Mark]]:
    """The files of a folder that the project does not know, named below the root of the image that is there."""
    inner = like.path.rpartition("/")[0]
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return  # the folder is gone, or its drive is: whoever opens an image from it is told
    for entry in entries:
        if entry.path in known or is_passed_over(entry.name) or not _is_utf_8(entry.name):
            continue
        try:
            if not entry.is_file():
                continue
            status = entry.stat()
        except OSError:
            continue  # gone between two looks, or a link that leads nowhere: nothing to add
        path = f"{inner}/{entry.name}" if inner else entry.name
        yield FoundFile(like.root, path, entry.path, named=False), (entry.path, status.st_size, status.st_mtime_ns)


def _is_utf_8(name: str) -> bool:
    return not any("\udc80" <= character <= "\udcff" for character in name)  # what Python makes of other bytes
