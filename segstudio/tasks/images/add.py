"""Add images to a project, and bring back those that were taken out: all of them, or none.

Images that are already there, by place or by content, are skipped and counted. New images follow the old ones,
in natural order; an image that was taken out comes back in its place, with its labels. A project that has its images
inside (`new --copy`) takes the files of the new ones in as well.
"""

import os
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from segstudio.durable import copy_durably, sync_folder
from segstudio.errors import DiskRefused, UnreadableImage
from segstudio.imaging.hashing import content_hash
from segstudio.labels.model import ImageId, folded_name
from segstudio.labels.user import user_name
from segstudio.store.growing import added_images, free_name
from segstudio.store.progress_token import Ticker
from segstudio.store.project import Project
from segstudio.store.values import ImageRow, NewImage, NewPlane
from segstudio.tasks.images.combining import Combining, by_pattern
from segstudio.tasks.images.headers import looked_at, no_image_found
from segstudio.tasks.images.mask_folders import MaskFolder
from segstudio.tasks.images.scan import FoundFile, Scan, found_files
from segstudio.tasks.images.series import named_in
from segstudio.tasks.images.skipped import SkippedFile
from segstudio.tasks.progress import Progress
from segstudio.text import _

__all__ = ["Additions", "add_images", "additions", "additions_of", "drop_copies", "take_files_in", "write_additions"]

_COPIES = "images"
_WHOLE_BYTES = 128 << 10
"""The quick hash of a file up to this size covers its whole content."""

_LOOK_S = 0.05
_EVERY = 100


@dataclass(frozen=True, slots=True)
class Additions:
    """What adding does: new images, images of the project that come back, and those that are there already.

    `files` were taken into the project for it. The rest says what was passed over, as for a new project.
    """

    images: tuple[NewImage, ...]
    back: tuple[ImageRow, ...]
    there: tuple[ImageRow, ...]
    skipped_files: tuple[SkippedFile, ...]
    own_masks: int
    mask_folders: tuple[MaskFolder, ...]
    files: tuple[Path, ...] = ()
    apart: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def personal(self) -> int:
        """How many of the images whose files were taken in name a person."""
        return named_in(self.images) if self.files else 0

    @property
    def empty(self) -> bool:
        """Whether nothing would change."""
        return not self.images and not self.back

    @property
    def added(self) -> tuple[str, ...]:
        """Paths of the new images, as `info` has them."""
        return tuple(image.name for image in self.images)


def add_images(
    project: Project, given: Sequence[str], *, combine: str | None = None
) -> Generator[Progress, None, Additions]:
    """Add files, folders and globs to a project: on disk when it ends; closed before that, nothing is added. `combine`
    is as for `new_project`.

    Raises `UnreadableImage` for a named file that cannot be read, `UserError` where there is no image at all,
    `ReadOnly`, `DiskRefused`; then the project is unchanged.
    """
    project.writing()
    plan = yield from take_files_in(project, (yield from additions(project, given, combine=combine)))
    if plan.empty:
        return plan
    ticker = Ticker()
    future = write_additions(project, plan, ticker)
    try:
        while not future.done():
            yield Progress(ticker.done, ticker.total, _("adding the images"))
            wait([future], _LOOK_S)
        future.result()
    except BaseException:
        ticker.cancel()
        wait([future])
        if future.exception() is not None:
            drop_copies(plan)
        raise
    return plan


def additions(
    project: Project, given: Sequence[str], *, lenient: bool = False, combine: str | None = None
) -> Generator[Progress, None, Additions]:
    """Find out what adding would do; changes nothing. Raises as `add_images` does.

    Where that is `lenient`, a named file that cannot be read is skipped like one of a folder: whoever drops a
    selection on the window has not chosen each file.
    """
    way = None if combine is None else by_pattern(combine)
    return (yield from additions_of(project, found_files(given), lenient=lenient, combine=way))


def additions_of(
    project: Project, scan: Scan, *, lenient: bool = False, combine: Combining | None = None
) -> Generator[Progress, None, Additions]:
    """The same for files that were found before."""
    present = _Present(project.images(removed=True))
    at = {file.file: row for file in scan.files if (row := present.at(file.file)) is not None}
    known = {file.file: _as_found(file, at[file.file]) for file in scan.files if file.file in at}
    found = yield from looked_at(scan, known, lenient=lenient, combine=combine)
    if not found.images and not at:
        raise no_image_found(found)
    met = {row.id: row for row in at.values()}
    new: list[NewImage] = []
    for done, image in enumerate(found.images):
        if done % _EVERY == 0:
            yield Progress(done, len(found.images), _("looking for images that are there already"))
        row = present.of_content(image)
        if row is None:
            new.append(image)
        else:
            met[row.id] = row
    return Additions(
        tuple(_named(new, present, copies=_holds_its_images(project, present))),
        tuple(row for row in met.values() if row.removed),
        tuple(row for row in met.values() if not row.removed),
        tuple(found.skipped),
        found.own_masks,
        found.mask_folders,
        apart=found.apart,
    )


class _Present:
    """The images of a project, taken out or not, by where they lie and by what they hold."""

    def __init__(self, rows: Sequence[ImageRow]) -> None:
        self.rows = rows
        self._at: dict[str, ImageRow] = {}
        self._alike: defaultdict[tuple[int, str], list[ImageRow]] = defaultdict(list)
        for row in rows:
            for root in filter(None, (row.root, row.beside)):
                for path in (row.inner_path, *row.more):
                    self._at.setdefault(os.path.normpath(os.path.join(root, *path.split("/"))), row)
            self._alike[row.size, row.quick_hash].append(row)

    def at(self, file: str) -> ImageRow | None:
        """The image whose file this is."""
        return self._at.get(file)

    def of_content(self, image: NewImage) -> ImageRow | None:
        """An image of the same content; one that is not taken out, where there are several."""
        alike = sorted(self._alike.get((image.size, image.quick_hash), ()), key=lambda row: row.removed)
        return next((row for row in alike if _same_content(image, row)), None)


def _same_content(image: NewImage, row: ImageRow) -> bool:
    """Whether files of one size and quick hash are the same. Large ones, whose quick hash covers both ends only, are
    read whole: uncompressed pictures may differ only in the middle.
    """
    if image.size <= _WHOLE_BYTES or image.mtime_ns == row.mtime_ns:
        return True
    mine = content_hash(Path(image.root, *image.path.split("/")))
    try:
        return mine == (row.content_hash or content_hash(row.file))
    except UnreadableImage:
        return True  # its file is gone: size and quick hash are all there is to compare


def _as_found(file: FoundFile, row: ImageRow) -> NewImage:
    planes = tuple(NewPlane("", width, height) for width, height in row.planes)
    return NewImage(
        file.path, file.root, row.size, row.mtime_ns, row.quick_hash, planes, row.channels, row.dtype, row.family
    )


def _holds_its_images(project: Project, present: _Present) -> bool:
    return all(row.root.is_relative_to(project.path) for row in present.rows)


def _named(images: Sequence[NewImage], present: _Present, *, copies: bool) -> list[NewImage]:
    """The images with the names that they get; where their files are taken in, these must be free places too."""
    taken = {folded_name(row.path) for row in present.rows}
    if copies:
        taken |= {folded_name(row.inner_path) for row in present.rows}
    named: list[NewImage] = []
    for image in images:
        name = free_name(image.name or image.path, image.root.name or "images", taken)
        taken.add(folded_name(name))
        named.append(replace(image, name=name))
    return named


def take_files_in(project: Project, plan: Additions) -> Generator[Progress, None, Additions]:
    """Copy the files of new images into a project that has its images inside; of another nothing is copied.

    Raises `DiskRefused`; then, and when it is closed before its end, no copy stays behind.
    """
    if not plan.images or not _holds_its_images(project, _Present(project.images(removed=True))):
        return plan
    root = project.path / _COPIES
    images: list[NewImage] = []
    files: list[Path] = []
    try:
        for done, image in enumerate(plan.images):
            yield Progress(done, len(plan.images), _("copying the files"))
            first, *more = _names_inside(image)
            for path, name in zip(_paths(image), (first, *more), strict=True):
                files.append(root.joinpath(*name.split("/")))
                copy_durably(image.root / path, files[-1])
            moved = tuple(replace(file, path=name) for file, name in zip(image.more, more, strict=True))
            images.append(replace(image, root=root, path=first, more=moved))
        for folder in {file.parent for file in files}:
            sync_folder(folder)
    except BaseException as error:
        drop_copies(replace(plan, files=tuple(files)))
        if isinstance(error, OSError):
            raise DiskRefused(
                _("The images could not be copied into the project: {why}.", why=error.strerror or error),
                safe=_("Nothing was added."),
            ) from error
        raise
    return replace(plan, images=tuple(images), files=tuple(files))


def _paths(image: NewImage) -> tuple[str, ...]:
    return (image.path, *(file.path for file in image.more))


def _names_inside(image: NewImage) -> list[str]:
    """What its files are called inside a project: a lone one like the image, several by their own names below that."""
    if not image.more:
        return [image.name]
    names = [path.rpartition("/")[2] for path in _paths(image)]
    if len({folded_name(name) for name in names}) < len(names):
        names = [f"{place:04}_{name}" for place, name in enumerate(names)]
    return [f"{image.name}/{name}" for name in names]


def drop_copies(plan: Additions) -> None:
    """Remove the files copied in for images that were not added after all."""
    for file in plan.files:
        with suppress(OSError):  # an unused copy does no harm, and the next one replaces it
            file.unlink(missing_ok=True)


def write_additions(project: Project, plan: Additions, ticker: Ticker) -> "Future[int]":
    """Hand the additions to the writer: one transaction, all or nothing. The future says how many edits it took.

    Raises `ReadOnly`; the future raises `Cancelled`, `DiskRefused`.
    """
    ticker.total = len(plan.images)
    back = [ImageId(row.id) for row in plan.back]
    author = user_name()
    return project.writing().write_all(lambda db: added_images(db, plan.images, back, project.path, author, ticker))
