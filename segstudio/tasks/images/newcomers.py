"""New images in the folders of a project: files that lie beside its images and are not in it.

Only the folders themselves are looked through, not what is below them: the deepest common folder of images that came
from several places may be a person's whole disk. Images that were taken out are not new.
"""

import os
from collections.abc import Collection, Container, Generator, Iterable, Iterator
from dataclasses import dataclass

from segstudio.store.project import Project
from segstudio.store.values import ImageRow
from segstudio.tasks.images.add import additions_of
from segstudio.tasks.images.scan import FoundFile, Scan, is_passed_over, natural_key
from segstudio.tasks.images.skipped import NOT_AN_IMAGE, SkippedFile
from segstudio.tasks.progress import Progress
from segstudio.text import _

__all__ = ["Mark", "Newcomers", "newcomers"]

Mark = tuple[str, int, int]
"""A file as it was looked at: where it lies, its size in bytes, and when it was changed, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Newcomers:
    """`files` are new images in natural order, folder by folder; `folders` says in how many folders they lie.

    `skipped` may be images, but cannot be read. `looked_at` has every file that needs no second look.
    """

    files: tuple[FoundFile, ...]
    folders: int
    skipped: tuple[SkippedFile, ...]
    looked_at: frozenset[Mark]


def newcomers(project: Project, passed: Collection[Mark] = ()) -> Generator[Progress, None, Newcomers]:
    """Look for new images, but for the files that were `passed` before; changes nothing."""
    rows = project.images(removed=True)
    known = {found.file: found for row in rows for found in _places(row)}
    files: dict[str, FoundFile] = {}
    marks: set[Mark] = set()
    for folder, like in sorted(_folders(project, known.values()).items()):
        yield Progress(0, 0, _("looking for new images"))
        for found, mark in _unknown(folder, like, known):
            if mark not in passed:
                files[found.file] = found
                marks.add(mark)
    if not files:
        return Newcomers((), 0, (), frozenset())
    beside = {os.path.dirname(file) for file in files}
    context = [found for found in known.values() if os.path.dirname(found.file) in beside]
    scan = Scan([*context, *sorted(files.values(), key=_natural)], [])
    plan = yield from additions_of(project, scan, lenient=True)
    chosen = tuple(files[os.path.join(image.root, *image.path.split("/"))] for image in plan.images)
    return Newcomers(
        chosen,
        len({os.path.dirname(found.file) for found in chosen}),
        tuple(file for file in plan.skipped_files if file.reason != NOT_AN_IMAGE),
        frozenset(marks),
    )


def _places(row: ImageRow) -> Iterator[FoundFile]:
    """Where the file of an image lies, and where it would lie if it had moved with the project."""
    for root in filter(None, (row.root, row.beside)):
        yield FoundFile(root, row.inner_path, os.path.join(root, *row.inner_path.split("/")), named=False)


def _natural(found: FoundFile) -> tuple[str, object]:
    return os.path.dirname(found.file), natural_key(found.path)


def _folders(project: Project, known: Iterable[FoundFile]) -> dict[str, FoundFile]:
    """The folders in which images of the project lie, each with one of these; none inside the project."""
    inside = os.path.join(project.path, "")
    folders: dict[str, FoundFile] = {}
    for found in known:
        folder = os.path.dirname(found.file)
        if folder not in folders and not found.file.startswith(inside):
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
