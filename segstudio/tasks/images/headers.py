"""Files become images for a project: headers are read on threads, and other files are skipped with a reason."""

import os
import posixpath
import stat
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from segstudio.errors import UnreadableImage, UserError
from segstudio.imaging.hashing import quick_hash
from segstudio.imaging.readers.refusal import refused
from segstudio.imaging.readers.table import (
    NOT_PLAIN,
    Content,
    NotReadYetError,
    content_of,
    family_of,
    readable_formats,
)
from segstudio.imaging.source import ImageInfo, probe
from segstudio.store.values import NewFile, NewImage
from segstudio.tasks.images.combining import Combining, combined, known_ways
from segstudio.tasks.images.mask_folders import MaskFolder, without_mask_folders
from segstudio.tasks.images.scan import FoundFile, Scan
from segstudio.tasks.images.series import described, gathered
from segstudio.tasks.images.skipped import (
    LEADS_NOWHERE,
    NOT_A_PLAIN_FILE,
    NOT_ALLOWED,
    NOT_AN_IMAGE,
    Reason,
    SkippedFile,
    not_supported,
    reasons,
    unreadable,
)
from segstudio.tasks.progress import Progress
from segstudio.text import _, count

__all__ = ["Looked", "looked_at", "no_image_found"]

_CHUNK = 64
_THREADS = 8


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file that is an image, and its header."""

    image: NewImage
    info: ImageInfo


@dataclass(slots=True)
class Looked:
    """The images of a scan in its order, and what was passed over.

    `own_masks` counts masks that we exported ourselves; `mask_folders` are folders with files that look like masks of
    the images. `apart` are files, by why, that are not one image though they are named so.
    """

    images: list[NewImage] = field(default_factory=list[NewImage])
    skipped: list[SkippedFile] = field(default_factory=list[SkippedFile])
    own_masks: int = 0
    mask_folders: tuple[MaskFolder, ...] = ()
    apart: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def looked_at(
    scan: Scan,
    known: Mapping[str, NewImage] | None = None,
    *,
    lenient: bool = False,
    combine: Combining | None = None,
) -> Generator[Progress, None, Looked]:
    """Look at the files of a scan. `known` are images, by where they lie, that need no look: they are not in the
    answer, but they help to recognise masks. `combine` says which files are one image, beside those that are known.

    Raises `UnreadableImage` for a named file that cannot be read; where that is `lenient`, it is skipped like others.
    """
    known = known or {}
    unknown = [file for file in scan.files if file.file not in known]
    found = Looked(skipped=list(scan.skipped))
    images = {file.file: known[file.file] for file in scan.files if file.file in known}
    infos: dict[int, ImageInfo] = {}
    yield Progress(0, len(unknown), _("reading headers"))
    done = 0
    for chunk, results in _chunks(unknown, lenient):
        for file, result in zip(chunk, results, strict=True):
            if isinstance(result, _Seen):
                images[file.file] = result.image
                if result.info.part is not None:
                    infos[id(result.image)] = result.info
            elif result is None:
                found.own_masks += 1
            else:
                found.skipped.append(SkippedFile.at(file.file, result))
        done += len(chunk)
        yield Progress(done, len(unknown), _("reading headers"))
    in_order = [images[file.file] for file in scan.files if file.file in images]
    old = {id(image) for image in known.values()}
    kept, found.mask_folders = _without_masks(in_order, scan, old)
    alone = gathered([image for image in kept if id(image) not in old], infos)
    together = combined(alone, (*([combine] if combine is not None else []), *known_ways()))
    found.images = together.images
    found.apart = {why: tuple(paths) for why, paths in together.apart.items()}
    taken = {os.path.join(image.root, *more.path.split("/")) for image in found.images for more in image.more}
    found.skipped = [file for file in found.skipped if file.path not in taken]
    return found


def _without_masks(
    images: Sequence[NewImage], scan: Scan, old: set[int]
) -> tuple[list[NewImage], tuple[MaskFolder, ...]]:
    """The images that are not masks of others, and the folders of those that are; `old` ones are there already."""
    near = {f.file for f in scan.files if not f.deep}
    named = {f.file for f in scan.files if f.named}

    def may_leave(image: NewImage) -> bool:
        return _place(image) not in named

    def below(image: NewImage) -> bool:
        return id(image) in old or (may_leave(image) and _place(image) not in near)

    kept, folders = without_mask_folders(images, below, lambda image: id(image) not in old and may_leave(image))
    if not old:
        return kept, tuple(folders)
    stay = {id(image) for image in kept}
    left = Counter(os.path.dirname(_place(i)) for i in images if id(i) not in stay and id(i) not in old)
    return kept, tuple(replace(f, files=n) for f in folders if (n := left[str(f.folder)]))


def _place(image: NewImage) -> str:
    return os.path.join(image.root, *image.path.split("/"))


def _chunks(
    files: Sequence[FoundFile], lenient: bool
) -> Iterator[tuple[Sequence[FoundFile], list[_Seen | Reason | None]]]:
    """Chunks of files and what they are; threads hide the latency of slow disks."""
    chunks = [files[at : at + _CHUNK] for at in range(0, len(files), _CHUNK)]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="probe") as pool:
        try:
            yield from zip(chunks, pool.map(partial(_look_at_all, lenient), chunks), strict=True)
        finally:
            pool.shutdown(cancel_futures=True)


def _look_at_all(lenient: bool, files: Sequence[FoundFile]) -> list[_Seen | Reason | None]:
    return [_look_at(file, must=file.named and not lenient) for file in files]


def _look_at(found: FoundFile, *, must: bool) -> _Seen | Reason | None:
    """The image; the reason why a file is none, unless it `must` be one; None for a mask that we exported."""
    file = Path(found.file)
    try:
        status = file.stat()
    except OSError as error:
        if must:
            raise UnreadableImage(_("{name} cannot be read: {why}.", name=file.name, why=error.strerror)) from error
        return LEADS_NOWHERE if file.is_symlink() else unreadable(f": {error.strerror}")
    if not stat.S_ISREG(status.st_mode):
        if must:
            raise UnreadableImage(_("{name} cannot be read: {why}.", name=file.name, why=_(NOT_PLAIN)))
        return NOT_A_PLAIN_FILE
    if not found.named:
        content = content_of(file)
        if content is not Content.IMAGE:
            return None if content is Content.OWN_MASK else _why_none(file) or NOT_AN_IMAGE
    try:
        return _image(found, file, status)
    except UnreadableImage as error:
        if must:
            raise
        return _why_none(file) or unreadable(error.sentence)


def _image(found: FoundFile, file: Path, status: os.stat_result) -> _Seen:
    info = probe(file)
    plain = NewImage(found.path, found.root, status.st_size, status.st_mtime_ns, quick_hash(file), (), 0, "", "")
    image = described(plain, info)
    return _Seen(replace(image, more=tuple(_beside(found, file, name) for name in info.beside)), info)


def _beside(found: FoundFile, file: Path, name: str) -> NewFile:
    """A file that holds the pixels of another one, which is a header."""
    other = file.with_name(name)
    try:
        status = other.stat()
    except OSError as error:
        raise refused(other, error) from error
    path = posixpath.join(posixpath.dirname(found.path), name)
    return NewFile(path, status.st_size, status.st_mtime_ns, quick_hash(other))


def _why_none(file: Path) -> Reason | None:
    """Why a file is not an image for us; None where no reader says."""
    try:
        family_of(file)
    except NotReadYetError as error:
        return not_supported(error.format)
    except UnreadableImage as error:
        return NOT_ALLOWED if isinstance(error.__cause__, PermissionError) else NOT_AN_IMAGE
    return None


def no_image_found(found: Looked) -> UserError:
    """The error where nothing given is an image: it says what the files are instead, and which formats are read."""
    parts = [reasons(found.skipped)] if found.skipped else []
    if found.own_masks:
        parts.append(count(found.own_masks, "1 mask was exported by SegStudio", "{n} masks were exported by SegStudio"))
    why = "; ".join(parts)
    return UserError(
        _("No image was found: {why}.", why=why) if why else _("No image was found."),
        todo=_("SegStudio reads {formats}.", formats=readable_formats()),
    )
