"""A backup as a whole job: its place, its progress, its cancelling."""

import stat
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from segstudio.errors import UserError
from segstudio.labels.model import Seq
from segstudio.store.backup import Backup, back_up
from segstudio.store.progress_token import Ticker
from segstudio.store.project import Project
from segstudio.tasks.images.new import SUFFIX, project_path, stands_inside
from segstudio.tasks.progress import Progress
from segstudio.tasks.reachable import status_of
from segstudio.text import _

__all__ = ["backup", "default_place"]

_DRAIN_S = 60.0
_LOOK_S = 0.05


def default_place(project: Path, folder: Path | None = None) -> Path:
    """NAME-YYYYMMDD-HHMMSS.segstudio (local time) in a folder, by default beside the project."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return (folder or project.parent) / f"{project.name.removesuffix(SUFFIX)}-{stamp}{SUFFIX}"


def backup(project: Project, place: Path | None = None) -> Generator[Progress, None, Backup]:
    """Copy a project and check the copy; without a place at `default_place`, in a folder under that name.

    Labels painted meanwhile are not in it; the project may be open for writing here or elsewhere. Edits that the
    project's disk refuses are not in it either, and are counted. Closing it leaves nothing behind. Raises `UserError`
    where something stands at the place, `DiskRefused`, `ProjectDamaged`.
    """
    there = None if place is None else status_of(place)
    if place is None or (there is not None and stat.S_ISDIR(there.st_mode) and place.suffix != SUFFIX):
        target = default_place(project.path, place)
    else:
        target = project_path(place)
    status_of(target)
    if stands_inside(target.parent, project.path):
        raise UserError(_("A backup cannot be made inside the project itself."), todo=_("Choose another folder."))
    refused = _refused(project)
    # What an earlier writer could not save; a current writer has read it, or reports it itself.
    waiting = 0 if project.writable else project.unsaved.edits
    ticker = Ticker()
    progress = Progress(0, 0, _("copying the labels"))

    def tick(done: int, total: int, doing: str) -> None:
        nonlocal progress
        ticker.step(0)
        if total:
            progress = Progress(done, total, doing)

    with ThreadPoolExecutor(1, thread_name_prefix="backup") as pool:
        future = pool.submit(back_up, project, target, tick)
        try:
            while not future.done():
                yield progress
                wait([future], _LOOK_S)
        finally:
            ticker.cancel()
    made = future.result()
    return replace(made, unsaved=waiting + sum(seq > made.seq for seq in refused))


def _refused(project: Project) -> list[Seq]:
    """Numbers of the edits that the disk refuses this writer."""
    if project.writer is None or project.writer.flush(_DRAIN_S):
        return []
    return [seq for seq, _ in project.writer.pending_edits()]
