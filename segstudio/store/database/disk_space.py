"""Whether a disk has room for a large copy: asked beforehand, so that it does not stop half-way."""

import shutil
from pathlib import Path

from segstudio.errors import DiskRefused
from segstudio.text import _

__all__ = ["must_have_room"]


def must_have_room(folder: Path, needed: int, sentence: str, *, safe: str, todo: str = "", **values: object) -> None:
    """Raise `DiskRefused` where the disk of a folder, which need not exist yet, has fewer bytes free.

    `sentence` is marked with `N_`; its fields are {needed} and {free} in MB, {folder}, and those of `values`.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise DiskRefused(
            _(sentence, needed=f"{needed / 1e6:,.0f}", free=f"{free / 1e6:,.0f}", folder=folder, **values),
            safe=safe,
            todo=todo,
        )
