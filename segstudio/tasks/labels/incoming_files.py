"""A format's name and a path become incoming labels; nothing after this asks for the format."""

import os
from dataclasses import dataclass
from pathlib import Path

from segstudio.errors import UsageError
from segstudio.formats.naming import StemPattern
from segstudio.formats.table import FORMATS, Layout, readable
from segstudio.labels.model import ClassTable
from segstudio.store.project import Project
from segstudio.tasks.labels.annotations import IncomingAnnotations
from segstudio.tasks.labels.classes import changed_classes
from segstudio.tasks.labels.incoming import Incoming
from segstudio.tasks.labels.mask_map import MaskMap, must_exist
from segstudio.tasks.labels.masks import IncomingMasks
from segstudio.text import _

__all__ = ["Wanted", "incoming_labels", "wanted_labels"]


def incoming_labels(
    project: Project, format_: str, path: Path, mapping: MaskMap | None = None, pattern: StemPattern | None = None
) -> Incoming:
    """What a path holds for the images of a project; `format_` is '' where the path's ending says it.

    Raises `UsageError` for a format that is not read, and as the class of its layout does.
    """
    name = format_ or _format_of(project, path)
    form = FORMATS.get(name)
    if form is None or not form.imports:
        raise UsageError(
            _(
                "'{name}' is not a format for import; choose one of {readable}.",
                name=name,
                readable=", ".join(readable()),
            )
        )
    incoming = IncomingMasks if form.layout is Layout.MASKS else IncomingAnnotations
    return incoming(project, form, path, mapping or {}, pattern)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What comes in, the classes as they are and as they will be, and the names of the new ones."""

    incoming: Incoming
    now: ClassTable
    classes: ClassTable
    new: tuple[str, ...]


def wanted_labels(
    project: Project,
    format_: str,
    path: Path,
    mapping: MaskMap | None,
    new_classes: bool,
    pattern: StemPattern | None,
) -> Wanted:
    """What a path holds, with the classes it needs; with `new_classes` those that are missing are among them.

    Raises `UserError`, which names them, where they are not wanted, and as `incoming_labels` does.
    """
    now = project.classes()
    incoming = incoming_labels(project, format_, path, mapping, pattern)
    missing = incoming.missing(now)
    if not new_classes:
        must_exist((c.name for c in missing), now, _("--new-classes adds the missing classes."))
    classes = changed_classes(now, missing, project.next_class(), frozenset())
    incoming.use(classes)
    return Wanted(incoming, now, classes, tuple(c.name for c in missing))


def _places(project: Project) -> frozenset[str]:
    """Where the files of a project's images lie."""
    return frozenset(os.path.realpath(file) for row in project.images() for file in row.files)


def _format_of(project: Project, path: Path) -> str:
    """The format that a path says by itself: a file by its ending, a folder by the masks in it.

    The first format of masks where nothing says it, so that its reader says what is wrong. Raises `UsageError` where
    several formats fit, `UserError` for a folder that may not be read. Images of the project are no masks here.
    """
    masks = readable(Layout.MASKS)
    annotations = [name for name in readable(Layout.ANNOTATIONS) if _ends_like(path, name)]
    if annotations or not os.path.isdir(path):
        fitting = [*annotations, *(name for name in masks if _ends_like(path, name))]
    else:
        found = {name: FORMATS[name].load().mask_reader().find(path) for name in masks}
        fitting = [name for name in masks if found[name]]
        if len(fitting) > 1:
            # A folder of PNG masks may hold the images too, which may be TIFFs.
            images = _places(project)
            fitting = [name for name in fitting if any(os.path.realpath(m.file) not in images for m in found[name])]
    if len(fitting) > 1:
        raise UsageError(
            _(
                "{name} may be in several formats: choose one with --format ({fitting}).",
                name=path.name,
                fitting=", ".join(fitting),
            )
        )
    return fitting[0] if fitting else masks[0]


def _ends_like(path: Path, name: str) -> bool:
    return path.name.lower().endswith(FORMATS[name].extensions)
