"""The lock of a project: at most one process writes it.

The operating system holds it (flock; on Windows a locked byte beyond the text) on a handle that no child inherits, so
it is free the moment its owner is gone. The text in the file names the owner for messages only.
"""

import contextlib
import errno
import os
import socket
import sys
import weakref
from pathlib import Path

from segstudio.errors import ProjectLocked, ReadOnly
from segstudio.labels.user import user_name
from segstudio.text import _

__all__ = ["LOCK", "ProjectLock", "is_held"]

LOCK = "project.lock"
"""The lock's file in a project."""

if sys.platform == "win32":
    import msvcrt

    _BEYOND_TEXT = 1 << 30

    def _acquire(fd: int) -> None:
        os.lseek(fd, _BEYOND_TEXT, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)

    def _release(fd: int) -> None:
        os.lseek(fd, _BEYOND_TEXT, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _acquire(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)


class ProjectLock:
    """The lock file of one project, held from `acquire` to `release`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.left_behind = False
        """Whether the last owner ended without releasing the lock: killed, or the power failed."""
        self._fd: int | None = None
        self._signed = False

    def acquire(self, name: str, *, sign: bool = True) -> None:
        """Take the lock; without `sign` the file stays as it is.

        Raises `ProjectLocked` naming its owner, `ReadOnly` where the folder cannot be written.
        """
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        except OSError as error:
            raise ReadOnly(
                _(
                    "The folder of the project '{name}' cannot be written ({why}).",
                    name=name,
                    why=error.strerror,
                )
            ) from error
        try:
            _acquire(fd)
        except OSError as error:
            owner = _owner(fd)
            os.close(fd)
            if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                raise ReadOnly(
                    _(
                        "The drive of the project '{name}' does not support locks ({why}).",
                        name=name,
                        why=error.strerror,
                    )
                ) from error
            raise ProjectLocked(
                _("The project '{name}' is open for writing by {owner}.", name=name, owner=owner)
            ) from error
        self._fd = fd
        _held.add(self)
        self.left_behind = os.fstat(fd).st_size > 0
        self._signed = sign
        if sign:
            self._write_text(f"{user_name()}\n{socket.gethostname()}\n{os.getpid()}\n")

    def release(self) -> None:
        """Release the lock; nothing happens where it is not held."""
        if self._fd is None:
            return
        if self._signed:
            self._write_text("")
        _release(self._fd)
        self.drop()

    def drop(self) -> None:
        """Close the handle without unlocking: what a forked child does with the handle it inherited."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            _held.discard(self)

    def _write_text(self, text: str) -> None:
        assert self._fd is not None
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same, only its owner has no name
            os.ftruncate(self._fd, 0)
            os.lseek(self._fd, 0, os.SEEK_SET)
            os.write(self._fd, text.encode())


_held: weakref.WeakSet[ProjectLock] = weakref.WeakSet()


def is_held(project: Path) -> bool:
    """Whether another process has a project open for writing, or this cannot be known."""
    if not (project / LOCK).exists():
        return False
    lock = ProjectLock(project / LOCK)
    try:
        lock.acquire(project.name, sign=False)
    except (ProjectLocked, ReadOnly):
        return True
    lock.release()
    return False


def _drop_inherited() -> None:
    for lock in list(_held):
        lock.drop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop_inherited)


def _owner(fd: int) -> str:
    os.lseek(fd, 0, os.SEEK_SET)
    lines = os.read(fd, 1024).decode(errors="replace").splitlines()
    if len(lines) < 3:
        return _("another process")
    return _("{user} on {machine} (process {process})", user=lines[0], machine=lines[1], process=lines[2])
