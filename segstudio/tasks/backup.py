"""A backup as a whole job: where it goes, how far it is, how it is stopped."""

import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime
from pathlib import Path

from segstudio.errors import UserError
from segstudio.store.backup import Backup, back_up
from segstudio.store.project import Project
from segstudio.tasks.new import SUFFIX, project_path, stands_inside
from segstudio.tasks.progress import Progress

__all__ = ["backup", "default_place"]

_DRAIN_S = 60.0
_LOOK_S = 0.05


def default_place(project: Path, folder: Path | None = None) -> Path:
    """NAME-YYYYMMDD-HHMMSS.segstudio (local time) in a folder, by default beside the project."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return (folder or project.parent) / f"{project.name.removesuffix(SUFFIX)}-{stamp}{SUFFIX}"


def backup(project: Project, place: Path | None = None) -> Generator[Progress, None, Backup]:
    """Copy a project and check the copy; without a place at `default_place`, in a folder under that name.

    What is being painted meanwhile is not in it; the project may be open for writing here or elsewhere. Closing it
    leaves nothing behind. Raises `UserError` where something stands at the place, `DiskRefused`, `ProjectDamaged`.
    """
    if place is None or (place.is_dir() and place.suffix != SUFFIX):
        target = default_place(project.path, place)
    else:
        target = project_path(place)
    if stands_inside(target.parent, project.path):
        raise UserError("A backup cannot be put into the project itself.", todo="Choose another folder.")
    if project.writer is not None:
        project.writer.flush(_DRAIN_S)
    state = _State()
    with ThreadPoolExecutor(1, thread_name_prefix="backup") as pool:
        future = pool.submit(back_up, project, target, state.tick)
        try:
            while not future.done():
                yield state.progress
                wait([future], _LOOK_S)
        finally:
            state.dropped.set()
        return future.result()


class _State:
    """What the copying thread says, and whether it is still wanted."""

    def __init__(self) -> None:
        self.progress = Progress(0, 0, "copying the labels")
        self.dropped = threading.Event()

    def tick(self, done: int, total: int, doing: str) -> None:
        """Called on the copying thread."""
        if self.dropped.is_set():
            raise UserError("The backup was stopped; nothing was left behind.")
        if total:
            self.progress = Progress(done, total, doing)
