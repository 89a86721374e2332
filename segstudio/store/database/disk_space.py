"""Whether a disk has the room that a large copy needs: asked before it begins, so that it does not break off."""

import shutil
from pathlib import Path

from segstudio.errors import DiskRefused
from segstudio.text import _

__all__ = ["must_have_room"]


def must_have_room(folder: Path, needed: int, what: str, *, safe: str, todo: str = "") -> None:
    """Raise `DiskRefused` where the disk of a folder, which need not be there yet, has fewer bytes free.

    `what` begins the sentence ("The backup"), `safe` and `todo` end it.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise DiskRefused(
            _(
                "{what} needs {needed:,.0f} MB, and '{folder}' has {free:,.0f} MB free.",
                what=what,
                needed=needed / 1000000.0,
                folder=folder,
                free=free / 1000000.0,
            ),
            safe=safe,
            todo=todo,
        )
