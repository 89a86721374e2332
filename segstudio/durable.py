"""Files written so that a crash leaves the old or the new one: beside, synced, renamed, the folder synced too."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

__all__ = ["built_folder", "copy_durably", "rename", "sync_folder", "write_durably"]

_TRIES_S = 1.0


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file. Raises `OSError` and keeps the old one if the disk refuses."""
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
    """Copy a file with its times, and sync it; makes the target's folder. Raises `OSError`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    with open(target, "rb+") as file:
        os.fsync(file.fileno())


def rename(source: Path, target: Path) -> None:
    """Put a file in the place of another; retried for a second on Windows while a program holds the target.

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
    """Make the names in a folder durable; a system that cannot sync a folder (Windows) does not need it."""
    if os.name == "nt":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def built_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` to build in; at the end it takes that name.

    If anything fails, nothing is left behind, not even the folders made above it. Raises `OSError`; `target` must not
    exist.
    """
    part = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
    missing = [folder for folder in target.parents if not folder.exists()]
    try:
        part.mkdir(parents=True)
        yield part
        sync_folder(part)
        os.rename(part, target)
        for folder in (target.parent, *(made.parent for made in missing)):
            sync_folder(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        for folder in missing:
            with suppress(OSError):  # it is not there, or something was put into it
                folder.rmdir()
        raise
