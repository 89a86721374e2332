"""Whether a file or folder holds labels of a project's images: asked before anybody has said what it is."""

from collections.abc import Generator
from itertools import islice
from pathlib import Path

import numpy as np

from segstudio.errors import UserError
from segstudio.formats.table import FORMATS, Layout, readable
from segstudio.store.project import Project
from segstudio.tasks.images.mask_pairs import is_flat
from segstudio.tasks.labels.incoming_files import incoming_labels
from segstudio.tasks.labels.masks import IncomingMasks
from segstudio.tasks.progress import Progress
from segstudio.text import _

__all__ = ["recognised_format"]

_JUDGED = 8


def recognised_format(project: Project, path: Path) -> Generator[Progress, None, str]:
    """Name of the format in which a path holds labels for images of the project; '' where it holds none.

    A file is one of annotations by its ending. Masks are named after images of the project and hold flat areas; in a
    folder where such images lie too nothing is taken for masks: who names it may want the images.
    """
    yield Progress(0, 0, _("looking at {name}", name=path.name))
    if not path.is_dir():
        fitting = _formats_ending(path.name)
        if fitting:
            return fitting[0]
    for name in readable(Layout.MASKS):
        if _holds_masks(project, name, path):
            return name
    if path.is_dir():
        for name in readable(Layout.ANNOTATIONS):
            if _holds_annotations(project, name, path):
                return name
    return ""


def _formats_ending(name: str) -> list[str]:
    return [form for form in readable(Layout.ANNOTATIONS) if name.lower().endswith(FORMATS[form].extensions)]


def _holds_masks(project: Project, name: str, path: Path) -> bool:
    try:
        found = incoming_labels(project, name, path)
        if not isinstance(found, IncomingMasks) or found.among_images:
            return False
        samples = islice(found.samples(), _JUDGED)
        return all(values is None or len(np.unique(values)) < 2 or is_flat(values[..., None]) for values in samples)
    except UserError:
        return False


def _holds_annotations(project: Project, name: str, path: Path) -> bool:
    try:
        incoming_labels(project, name, path)
    except UserError:
        return False
    return True
