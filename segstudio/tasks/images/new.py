"""Make a project of images and classes. Reads headers only; a project is made completely or not at all."""

import hashlib
import os
import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from segstudio.errors import UsageError, UserError
from segstudio.imaging.readers.table import NAMING_OTHERS
from segstudio.labels.class_names import valid_name
from segstudio.labels.model import ClassTable, Kind, folded_name
from segstudio.store.project import NewClass, NewImage, Project
from segstudio.tasks.images.combining import by_pattern
from segstudio.tasks.images.headers import Looked, looked_at, no_image_found
from segstudio.tasks.images.mask_folders import MaskFolder
from segstudio.tasks.images.scan import found_files
from segstudio.tasks.images.series import named_in
from segstudio.tasks.images.skipped import SkippedFile
from segstudio.tasks.progress import Progress
from segstudio.text import _

__all__ = [
    "SUFFIX",
    "NewReport",
    "found_images",
    "new_project",
    "parsed_classes",
    "project_beside",
    "project_path",
    "stands_inside",
]

SUFFIX = ".segstudio"


@dataclass(frozen=True, slots=True)
class NewReport:
    """A project that was made: its folder, how many images it has, what was passed over, its classes.

    `apart` are files, by why, that are not one image though they are named so.
    `personal` counts images that were taken in and whose files name a person.
    `skipped_files` are files in folders and globs that cannot be used, `own_masks` counts masks that we exported
    ourselves; `mask_folders` are folders with files that look like masks of the images.
    """

    path: Path
    images: int
    skipped_files: tuple[SkippedFile, ...]
    own_masks: int
    classes: ClassTable
    mask_folders: tuple[MaskFolder, ...] = ()
    personal: int = 0
    apart: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def skipped(self) -> int:
        """How many files were passed over."""
        return len(self.skipped_files)


def new_project(
    path: Path,
    images: Sequence[str],
    classes: Sequence[str],
    *,
    copy_files: bool = False,
    combine: str | None = None,
) -> Generator[Progress, None, NewReport]:
    """Make a project at `path` (`.segstudio` is added where it is missing) of files, folders and globs.

    Classes are NAME[:#RRGGBB[:KIND]]; none gives background and 'object'. `copy_files` takes the files in, and
    `combine` is a pattern such as `{name}_{c}.tif` of files that are one image. Masks that lie below what is given, or
    beside their images, are left out, unless named themselves. Raises `UsageError` for classes and patterns,
    `UnreadableImage` for a named file that cannot be read, `UserError` where there is no image at all or something
    stands at the path, `DiskRefused`; then no folder stays behind.
    """
    wanted = parsed_classes(classes)
    path = project_path(path)
    if path.exists():
        raise UserError(_("There is already something at '{path}'; a new project needs a new name.", path=path))
    found = yield from found_images(images, combine)
    if copy_files:
        _must_be_alone(found.images)
    yield Progress(len(found.images), len(found.images), _("writing the project"))
    with Project.create(path, found.images, wanted, copy_files=copy_files) as project:
        skipped, masks = tuple(found.skipped), found.mask_folders
        personal = named_in(found.images) if copy_files else 0
        return NewReport(
            path, len(found.images), skipped, found.own_masks, project.classes(), masks, personal, found.apart
        )


def found_images(given: Sequence[str], combine: str | None = None) -> Generator[Progress, None, Looked]:
    """The images that a project of these files, folders and globs would have. Raises as `new_project` does."""
    way = None if combine is None else by_pattern(combine)
    found = yield from looked_at(found_files(given), combine=way)
    if not found.images:
        raise no_image_found(found)
    return found


def _must_be_alone(images: Sequence[NewImage]) -> None:
    """Raises `UserError` for an image whose pixels lie in files that it names: they would not be copied with it."""
    naming = next((image for image in images if image.family in NAMING_OTHERS), None)
    if naming is not None:
        raise UserError(
            _("{path} cannot be copied into a project: its pixels lie in other files.", path=naming.path),
            safe=_("No project was made."),
            todo=_("Leave out --copy, or convert it to GeoTIFF first."),
        )


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
        raise UsageError(_("The class '{text}' has too many fields; it is written NAME:#RRGGBB:KIND.", text=text))
    color, kind = (*(part.strip() for part in more), "", "")[:2]
    if color and not re.fullmatch("#[0-9A-Fa-f]{6}", color):
        raise UsageError(
            _("The colour '{color}' of the class '{name}' is not of the form #RRGGBB.", color=color, name=name)
        )
    if kind and kind not in list(Kind):
        raise UsageError(_("'{kind}' is not a kind of class; choose one of {kinds}.", kind=kind, kinds=", ".join(Kind)))
    return valid_name(name), color, Kind(kind) if kind else None


def project_path(path: Path) -> Path:
    """The folder NAME.segstudio that is meant by a path with or without its ending."""
    path = Path(os.path.abspath(path))
    return path if path.name.endswith(SUFFIX) else path.with_name(path.name + SUFFIX)


def stands_inside(path: Path, project: Path) -> bool:
    """Whether a path is a project's folder or lies in it, whatever links lead there; the path need not exist."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(project))


def project_beside(folder: Path) -> Path:
    """Where the project of a folder of images is, or will be: FOLDER.segstudio beside it, or, where nothing can be
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
