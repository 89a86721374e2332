"""What kind of drive a folder is on: a local disk, the network, or a folder that a service copies to other computers.

SQLite's write-ahead log needs memory that every connection shares, which no network file system gives; there the
project is written with a rollback journal. Synced folders work, as long as one computer at a time has the project open.
"""

import os
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

import psutil

from segstudio.text import _

__all__ = ["JournalMode", "file_system", "is_network", "journal_mode", "network_sentence", "of_mounts", "synced_by"]

_NETWORK = frozenset(
    {
        "9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "glusterfs", "gpfs", "lustre",
        "ncpfs", "nfs", "nfs3", "nfs4", "remote", "smb2", "smb3", "smbfs", "webdav",
    }
)  # fmt: skip
_NETWORK_FUSE = (
    "sshfs",
    "glusterfs",
    "davfs",
    "davfs2",
    "rclone",
    "s3fs",
    "gvfsd-fuse",
    "smbnetfs",
    "ceph-fuse",
    "juicefs",
)
_SYNCED_NAMES = (
    ("dropbox", "Dropbox"),
    ("onedrive", "OneDrive"),
    ("google drive", "Google Drive"),
    ("googledrive", "Google Drive"),
    ("my drive", "Google Drive"),
    ("mobile documents", "iCloud"),
    ("icloud", "iCloud"),
    ("nextcloud", "Nextcloud"),
    ("owncloud", "ownCloud"),
    ("syncthing", "Syncthing"),
)
_SYNCED_MARKERS = (
    (".dropbox.cache", "Dropbox"),
    (".stfolder", "Syncthing"),
    (".nextcloudsync.log", "Nextcloud"),
    (".owncloudsync.log", "ownCloud"),
    (".tmp.drivedownload", "Google Drive"),
)


class JournalMode(StrEnum):
    """How SQLite makes a transaction whole."""

    LOG = "wal"
    ROLLBACK = "delete"


def journal_mode(system: str) -> JournalMode:
    """The mode for a kind of file system; an unknown one counts as a local disk."""
    return JournalMode.ROLLBACK if is_network(system) else JournalMode.LOG


def is_network(system: str) -> bool:
    """Whether a kind of file system is reached through the network, or shared with another system as if it were."""
    kind = system.lower()
    return kind in _NETWORK or (kind.startswith("fuse.") and kind.removeprefix("fuse.") in _NETWORK_FUSE)


def network_sentence(name: str, system: str) -> str:
    """The sentence about a project on a network drive."""
    return _(
        "The project '{name}' is on a network drive ({system}): open it on one computer at a time.",
        name=name,
        system=system,
    )


def file_system(place: Path) -> str:
    """The kind of file system that a path, or the nearest folder above it that exists, is on; '' where unknown."""
    path = os.path.realpath(place)
    if path.startswith("\\\\"):
        return "remote"  # a share of Windows that has no drive letter, and so is no partition
    partitions = psutil.disk_partitions(all=True)
    # Windows names the file system of the server's own disk (NTFS), and the options show that it is remote.
    return of_mounts(
        path, ((p.mountpoint, "remote" if "remote" in p.opts.split(",") else p.fstype) for p in partitions)
    )


def of_mounts(path: str, mounts: Iterable[tuple[str, str]]) -> str:
    """The same given (mount point, kind) of every mount: that of the longest mount point above the path, the newest."""
    best, kind = "", ""
    for mounted, system in mounts:
        inside = path == mounted or path.startswith(mounted.rstrip("/\\") + os.sep)
        if inside and len(mounted) >= len(best):
            best, kind = mounted, system
    return kind


def synced_by(place: Path, exists: Callable[[Path], bool] = Path.exists) -> str:
    """The service that copies this folder to other computers, by the names and markers above it; '' for none."""
    path = Path(os.path.abspath(place))
    for folder in (path, *path.parents):
        name = folder.name.lower()
        for part, service in _SYNCED_NAMES:
            if name == part or name.startswith((f"{part} ", f"{part}-", f"{part}~")):
                return service
        for marker, service in _SYNCED_MARKERS:
            if exists(folder / marker):
                return service
    return ""
