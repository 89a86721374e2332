"""Files written so that a crash leaves the old or the new one: beside, synced, renamed, the folder synced too."""

import os
import sys
import time
from pathlib import Path

__all__ = ["copy_durably", "rename", "sync_folder", "write_durably"]

_TRIES_S = 1.0


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file. Raises `OSError` and leaves the old one where the disk refuses."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        rename(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def copy_durably(source: Path, target: Path) -> None:
    """Copy a file, its times included, and sync it; the target's folder is made. Raises `OSError`."""
    import shutil

    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    with open(target, "rb+") as file:
        os.fsync(file.fileno())


def rename(source: Path, target: Path) -> None:
    """Put a file in the place of another; on Windows tried for a second where a program holds the target.

    Raises `OSError`.
    """
    end = time.monotonic() + _TRIES_S
    while True:
        try:
            os.replace(source, target)
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable; where the system cannot sync a folder (Windows) it needs none."""
    if os.name == "nt":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
