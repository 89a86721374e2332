"""Whether a disk has the room that a large copy needs: asked before it begins, so that it does not break off."""

import shutil
from pathlib import Path

from segstudio.errors import DiskRefused

__all__ = ["must_have_room"]


def must_have_room(folder: Path, needed: int, what: str, *, safe: str, todo: str = "") -> None:
    """Raise `DiskRefused` where the disk of a folder, which need not be there yet, has fewer bytes free.

    `what` begins the sentence ("The backup"), `safe` and `todo` end it.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise DiskRefused(
            f"{what} needs {needed / 1e6:,.0f} MB, and '{folder}' has {free / 1e6:,.0f} MB free.", safe=safe, todo=todo
        )
