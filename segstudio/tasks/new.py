"""Make a project of images and classes. Reads headers only; a project is there whole or not at all."""

import hashlib
import os
import re
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from segstudio.errors import UnreadableImage, UsageError, UserError
from segstudio.imaging.hashing import quick_hash
from segstudio.imaging.readers.table import Content, content_of
from segstudio.imaging.source import probe
from segstudio.labels.model import ClassTable, Kind, folded_name
from segstudio.store.classes import valid_name
from segstudio.store.project import NewClass, NewImage, Project
from segstudio.store.values import NewPlane
from segstudio.tasks.mask_folders import MaskFolder, without_mask_folders
from segstudio.tasks.progress import Progress
from segstudio.tasks.scan import FoundFile, found_files

__all__ = ["SUFFIX", "NewReport", "new_project", "parsed_classes", "project_beside", "project_path", "stands_inside"]

SUFFIX = ".segstudio"
_CHUNK = 64
_THREADS = 8


@dataclass(frozen=True, slots=True)
class NewReport:
    """A project that was made: its folder, how many images it has, what was passed over, its classes.

    `skipped` counts files of folders and globs that are no image, `own_masks` masks that we exported ourselves;
    `mask_folders` are folders whose files look like masks of the images.
    """

    path: Path
    images: int
    skipped: int
    own_masks: int
    classes: ClassTable
    mask_folders: tuple[MaskFolder, ...] = ()


def new_project(
    path: Path, images: Sequence[str], classes: Sequence[str], *, copy_files: bool = False
) -> Generator[Progress, None, NewReport]:
    """Make a project at `path` (`.segstudio` is added where it lacks) of files, folders and globs.

    Classes are NAME[:#RRGGBB[:KIND]]; none gives background and 'object'. `copy_files` takes the files in. Folders of
    masks that lie below what is given are left out, unless named themselves. Raises
    `UsageError` for classes, `UnreadableImage` for a named file that cannot be read, `UserError` where there is no
    image at all or something stands at the path, `DiskRefused`; then no folder stays behind.
    """
    wanted = parsed_classes(classes)
    path = project_path(path)
    if path.exists():
        raise UserError(f"There is already something at '{path}'; a new project needs a new name.")
    files = found_files(images)
    found: list[NewImage] = []
    skipped = own = 0
    yield Progress(0, len(files), "reading headers")
    for done, looked_at in _looked_at(files):
        for result in looked_at:
            if isinstance(result, NewImage):
                found.append(result)
            elif result is Content.OWN_MASK:
                own += 1
            else:
                skipped += 1
        yield Progress(done, len(files), "reading headers")
    if not found:
        raise UserError(f"No image was found ({skipped + own} files were looked at).")
    deep = {f.file for f in files if f.deep and not f.named}
    found, mask_folders = without_mask_folders(found, lambda image: os.path.join(image.root, image.path) in deep)
    yield Progress(len(files), len(files), "writing the project")
    with Project.create(path, found, wanted, copy_files=copy_files) as project:
        return NewReport(path, len(found), skipped, own, project.classes(), tuple(mask_folders))


def _looked_at(files: Sequence[FoundFile]) -> Iterator[tuple[int, list[NewImage | Content]]]:
    """Chunks of files looked at, with how many are done; threads hide the latency of slow disks."""
    chunks = [files[at : at + _CHUNK] for at in range(0, len(files), _CHUNK)]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="probe") as pool:
        done = 0
        try:
            for chunk, results in zip(chunks, pool.map(_look_at_all, chunks), strict=True):
                done += len(chunk)
                yield done, results
        finally:
            pool.shutdown(cancel_futures=True)


def _look_at_all(files: Sequence[FoundFile]) -> list[NewImage | Content]:
    return [_look_at(file) for file in files]


def _look_at(found: FoundFile) -> NewImage | Content:
    """The image; for a file that was not named and is none, what it is instead."""
    file = Path(found.file)
    if not found.named:
        content = content_of(file)
        if content is not Content.IMAGE:
            return content
    try:
        info = probe(file)
        status = file.stat()
        return NewImage(
            path=found.path,
            root=found.root,
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            quick_hash=quick_hash(file),
            planes=tuple(NewPlane(p.key, p.width, p.height) for p in info.planes),
            channels=info.channels,
            dtype=info.dtype,
            family=info.family,
        )
    except UnreadableImage:
        if found.named:
            raise
        return Content.OTHER


def parsed_classes(texts: Sequence[str]) -> list[NewClass]:
    """Classes of the form NAME[:#RRGGBB[:KIND]], empty fields being defaults. Raises `UsageError`.

    A class called 'background' without a kind is the background, where no other class is.
    """
    classes = [_parsed_class(text) for text in texts]
    if not any(kind is Kind.BACKGROUND for _, _, kind in classes):
        classes = [
            (name, color, Kind.BACKGROUND if kind is None and folded_name(name) == "background" else kind)
            for name, color, kind in classes
        ]
    return [NewClass(name, color, kind or Kind.SEMANTIC) for name, color, kind in classes]


def _parsed_class(text: str) -> tuple[str, str, Kind | None]:
    name, *more = text.split(":")
    if len(more) > 2:
        raise UsageError(f"The class '{text}' has too many fields; it is written NAME:#RRGGBB:KIND.")
    color, kind = (*(part.strip() for part in more), "", "")[:2]
    if color and not re.fullmatch("#[0-9A-Fa-f]{6}", color):
        raise UsageError(f"The colour '{color}' of the class '{name}' is not of the form #RRGGBB.")
    if kind and kind not in list(Kind):
        raise UsageError(f"'{kind}' is no kind of class; there are {', '.join(Kind)}.")
    return valid_name(name), color, Kind(kind) if kind else None


def project_path(path: Path) -> Path:
    """The folder NAME.segstudio that is meant by a path with or without its ending."""
    path = Path(os.path.abspath(path))
    return path if path.name.endswith(SUFFIX) else path.with_name(path.name + SUFFIX)


def stands_inside(path: Path, project: Path) -> bool:
    """Whether a path is a project's folder or lies in it, whatever links lead there; the path need not exist."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(project))


def project_beside(folder: Path) -> Path:
    """Where the project of a folder of images lies, or will: FOLDER.segstudio beside it, or, where nothing can be
    written there, in the user's data folder."""
    folder = Path(os.path.abspath(folder))
    beside = folder.with_name(folder.name + SUFFIX) if folder.name else folder / f"images{SUFFIX}"
    if beside.exists():
        return beside
    import platformdirs

    # Folders of one name in several places must not share a project.
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
    data = platformdirs.user_data_path("segstudio", appauthor=False) / "projects"
    elsewhere = data / f"{folder.name or 'images'}-{mark}{SUFFIX}"
    return elsewhere if elsewhere.exists() or not os.access(beside.parent, os.W_OK) else beside
