"""A disk that can lose its power: files in memory that know which bytes a sync has made safe, and SQLite on them.

What was written after a file's last sync is pending. `crash` makes the files that a power cut could leave: of what is
pending anything may be there, in any order, torn at sectors or turned to noise; what was synced is there. Names of
files are pending too until the folder is synced. It can also refuse: the n-th write, sync or truncation fails.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import apsw

__all__ = ["Loss", "SimulatedDisk", "SimulatedVFS"]

SECTOR = 512
_NEW_SYNCS_FOLDER = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL
"""Of these kinds of new files SQLite on Unix syncs the folder together with the first sync of the file."""


class Loss(Enum):
    """What a power cut does to writes that no sync has made safe."""

    DROP = "all of them are lost"
    KEEP = "all of them are there"
    PREFIX = "they are there up to one that is torn"
    REORDER = "any of them are there, some torn"
    NOISE = "any of them are there, some with noise in their sectors"


@dataclass(frozen=True, slots=True)
class _Write:
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Truncate:
    size: int


@dataclass(slots=True, eq=False)
class _Inode:
    """A file without its name: what a program reads, and what a sync has made safe."""

    live: bytearray = field(default_factory=bytearray)
    safe: bytearray = field(default_factory=bytearray)
    pending: list[_Write | _Truncate] = field(default_factory=list)
    syncs_folder: bool = False

    def do(self, change: _Write | _Truncate) -> None:
        _apply(self.live, change)
        self.pending.append(change)

    def sync(self) -> None:
        for change in self.pending:
            _apply(self.safe, change)
        self.pending.clear()

    def after_cut(self, loss: Loss, rng: random.Random) -> bytes:
        found = bytearray(self.safe)
        for change in _survivors(self.pending, loss, rng):
            _apply(found, change)
        return bytes(found)


def _apply(content: bytearray, change: _Write | _Truncate) -> None:
    if isinstance(change, _Truncate):
        if change.size < len(content):
            del content[change.size :]
        else:
            content.extend(bytes(change.size - len(content)))
        return
    if change.offset > len(content):
        content.extend(bytes(change.offset - len(content)))
    content[change.offset : change.offset + len(change.data)] = change.data


def _survivors(pending: list[_Write | _Truncate], loss: Loss, rng: random.Random) -> list[_Write | _Truncate]:
    if loss is Loss.DROP:
        return []
    if loss is Loss.KEEP:
        return list(pending)
    if loss is Loss.PREFIX:
        n = rng.randint(0, len(pending))
        return list(pending[:n]) + [part for change in pending[n : n + 1] for part in _torn(change, False, rng)]
    kept: list[_Write | _Truncate] = []
    for change in pending:
        fate = rng.random()
        if fate < 0.4:
            kept.append(change)
        elif fate < 0.7:
            kept.extend(_torn(change, loss is Loss.NOISE, rng))
    return kept


def _torn(change: _Write | _Truncate, noise: bool, rng: random.Random) -> list[_Write | _Truncate]:
    """Some of a write's sectors; what lies outside the written range is never harmed (powersafe overwrite)."""
    if isinstance(change, _Truncate):
        return []
    parts: list[_Write | _Truncate] = []
    at, end = change.offset, change.offset + len(change.data)
    while at < end:
        stop = min(end, (at // SECTOR + 1) * SECTOR)
        fate = rng.random()
        if noise and fate < 0.2:
            parts.append(_Write(at, rng.randbytes(stop - at)))
        elif fate < 0.6:
            parts.append(_Write(at, change.data[at - change.offset : stop - change.offset]))
        at = stop
    return parts


class SimulatedDisk:
    """Files by name. `before` is called with the name of every change that is about to happen, and may raise.

    `mirror`, a real folder, gets empty files of the same names and sizes, for a program that looks at them.
    """

    def __init__(self, files: dict[str, bytes], mirror: Path) -> None:
        self._names = {name: _Inode(bytearray(data), bytearray(data)) for name, data in files.items()}
        self._safe_names = dict(self._names)
        self._pending_names: list[tuple[str, _Inode | None]] = []
        self._mirror = mirror
        self.before: Callable[[str], None] = lambda _: None
        self.changes = 0
        for name in files:
            self._show(name)

    def crash(self, rng: random.Random, loss: Loss) -> dict[str, bytes]:
        """The files as a power cut at this moment leaves them."""
        names = dict(self._safe_names)
        for name, inode in self._pending_names:
            if loss is Loss.KEEP or (loss is not Loss.DROP and rng.random() < 0.5):
                _name(names, name, inode)
        return {name: inode.after_cut(loss, rng) for name, inode in names.items()}

    def files(self) -> dict[str, bytes]:
        """The files as a program reads them."""
        return {name: bytes(inode.live) for name, inode in self._names.items()}

    # --- called by the VFS

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return name in self._names

    def open(self, name: str, flags: int) -> _Inode:
        """The file of a name, made where the flags say so."""
        inode = self._names.get(name)
        if inode is None:
            if not flags & apsw.SQLITE_OPEN_CREATE:
                raise apsw.CantOpenError(name)
            self._about_to("create")
            inode = _Inode(syncs_folder=bool(flags & _NEW_SYNCS_FOLDER))
            self._rename(name, inode)
        return inode

    def delete(self, name: str, sync_folder: bool) -> None:
        """Take a name away."""
        if name in self._names:
            self._about_to("delete")
            self._rename(name, None)
            if sync_folder:
                self.sync_names()

    def change(self, name: str, inode: _Inode, change: _Write | _Truncate) -> None:
        """Write or truncate."""
        self._about_to("write" if isinstance(change, _Write) else "truncate")
        inode.do(change)
        self._show(name)

    def sync(self, inode: _Inode) -> None:
        """Make a file's content safe, and the names of the folder where the file is new.

        What was written before a sync that fails is never written, whatever a later sync says, and is read all the
        same: so Linux does.
        """
        try:
            self._about_to("sync")
        except apsw.Error:
            inode.pending.clear()
            raise
        inode.sync()
        if inode.syncs_folder:
            self.sync_names()
            inode.syncs_folder = False

    def _about_to(self, kind: str) -> None:
        self.changes += 1
        self.before(kind)

    def _rename(self, name: str, inode: _Inode | None) -> None:
        _name(self._names, name, inode)
        self._pending_names.append((name, inode))
        self._show(name)

    def sync_names(self) -> None:
        """Make the names in the folder safe."""
        for name, inode in self._pending_names:
            _name(self._safe_names, name, inode)
        self._pending_names.clear()

    def _show(self, name: str) -> None:
        shown = self._mirror / name
        inode = self._names.get(name)
        if inode is None:
            shown.unlink(missing_ok=True)
            return
        with open(shown, "ab") as file:
            file.truncate(len(inode.live))


def _name(names: dict[str, _Inode], name: str, inode: _Inode | None) -> None:
    if inode is None:
        names.pop(name, None)
    else:
        names[name] = inode


class _File:
    """An open file of SQLite."""

    def __init__(self, disk: SimulatedDisk, name: str, flags: int) -> None:
        self._disk, self._name = disk, name
        self._inode = disk.open(name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._inode.live[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.change(self._name, self._inode, _Write(offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        self._disk.change(self._name, self._inode, _Truncate(size))

    def xSync(self, flags: int) -> None:
        self._disk.sync(self._inode)

    def xFileSize(self) -> int:
        return len(self._inode.live)

    def xLock(self, level: int) -> None:
        """One connection needs no locks."""

    def xUnlock(self, level: int) -> None:
        """See `xLock`."""

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 4096

    def xDeviceCharacteristics(self) -> int:
        # What SQLite takes every disk to be.
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE

    def xClose(self) -> None:
        """Nothing to close."""


class SimulatedVFS(apsw.VFS):
    """The file layer of SQLite over a simulated disk; `unregister` it at the end."""

    def __init__(self, disk: SimulatedDisk) -> None:
        self.name = f"simulated-{id(self)}"
        self._disk = disk
        super().__init__(self.name, base="")

    def xOpen(self, name: object, flags: list[int]) -> _File:  # type: ignore[override]
        if name is None:
            raise apsw.CantOpenError("no temporary files")
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        opened = _File(self._disk, Path(path).name, flags[0])
        flags[1] = flags[0]
        return opened  # type: ignore[return-value]

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self._disk.delete(Path(filename).name, syncdir)

    def xAccess(self, pathname: str, flags: int) -> bool:
        return self._disk.has(Path(pathname).name)
