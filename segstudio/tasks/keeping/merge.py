"""Merging two projects into a third, as a job: what is refused beforehand, and its progress."""

import os
from collections.abc import Generator
from pathlib import Path

from segstudio.errors import NotAProject, UserError
from segstudio.store.merging import MergeReport, merged_project
from segstudio.store.project import DATABASE
from segstudio.tasks.images.new import stands_inside
from segstudio.tasks.progress import Progress, progress_of
from segstudio.text import _

__all__ = ["merge"]


def merge(a: Path, b: Path, out: Path) -> Generator[Progress, None, MergeReport]:
    """Make the project `out` of two others: A's labels, and what B knows more.

    Closing the generator leaves nothing behind. Raises `UserError` where something stands at `out` or a class is of two
    kinds, `NotAProject`, `ProjectNewer`, `ProjectDamaged`, `DiskRefused`.
    """
    a, b, out = (Path(os.path.abspath(path)) for path in (a, b, out))
    if out.exists() or out.is_symlink():
        raise UserError(_("There is already something at '{out}'; a merged project needs a new name.", out=out))
    for project in (a, b):
        if not project.exists():
            raise NotAProject(_("There is no project at '{project}'.", project=project))
        if not (project / DATABASE).is_file():
            raise NotAProject(_("'{name}' is not a SegStudio project.", name=project.name))
        if stands_inside(out.parent, project):
            raise UserError(_("A merged project cannot be made inside the project '{name}'.", name=project.name))
    return (yield from progress_of(merged_project(a, b, out)))
