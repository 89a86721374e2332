"""Repairing a project as a job: the place of the new one, what is refused beforehand, and its progress."""

import os
from collections.abc import Generator
from pathlib import Path

from segstudio.errors import NotAProject, UserError
from segstudio.store.repairing import LostTile, RepairReport, repaired_project
from segstudio.tasks.images.new import SUFFIX, project_path, stands_inside
from segstudio.tasks.progress import Progress, progress_of
from segstudio.text import _

__all__ = ["LostTile", "RepairReport", "repair"]


def repair(path: Path, out: Path | None = None) -> Generator[Progress, None, RepairReport]:
    """Take what can be read of the project at `path` into a new one, by default NAME-repaired.segstudio beside it.

    Where project.db is missing or unreadable, the newest copy in its `backups` folder is read. Raises `NotAProject`,
    `ProjectLocked`, `ProjectDamaged` where nothing can be read, `UserError` where something stands at `out`,
    `DiskRefused`; then nothing stays behind.
    """
    path = Path(os.path.abspath(path))
    out = path.with_name(f"{path.name.removesuffix(SUFFIX)}-repaired{SUFFIX}") if out is None else project_path(out)
    if not path.is_dir():
        raise NotAProject(_("'{name}' is not a SegStudio project.", name=path.name))
    if out.exists() or out.is_symlink():
        raise UserError(_("There is already something at '{out}'; a repair needs a new name (--out).", out=out))
    if stands_inside(out.parent, path):
        raise UserError(
            _("A repaired project cannot be made inside the damaged one."), todo=_("Choose another place (--out).")
        )
    return (yield from progress_of(repaired_project(path, out)))
