"""A file of measurements in cache/: records one after the other, each a length, a checksum and msgpack.

The last record of a key counts. Like all of the cache the file may be deleted at any time, and unreadable parts of
it do not count. One process appends, others read.
"""

import struct
import zlib
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from segstudio.durable import write_durably

__all__ = ["RecordFile", "RecordKind", "read_records"]

_HEAD = struct.Struct("<II")
_encoder = msgspec.msgpack.Encoder()

Record = TypeVar("Record")
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class RecordKind(Generic[Record, Key]):
    """The content of a file: `magic` are its first bytes, which differ by version; `key` gives a record's key."""

    magic: bytes
    decoder: msgspec.msgpack.Decoder[Record]
    key: Callable[[Record], Key]


def read_records(path: Path, kind: RecordKind[Record, Key]) -> dict[Key, Record]:
    """What is kept, by key; nothing where the file is missing, unreadable or of another version."""
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    return {kind.key(record): record for record, _ in _records(data, kind)}


class RecordFile(Generic[Record, Key]):
    """Appends to the file; what is added is written `at_once` records at a time, and the rest by `flush`.

    Raises `OSError`.
    """

    def __init__(self, path: Path, kind: RecordKind[Record, Key], at_once: int = 64) -> None:
        self._path = path
        self._kind = kind
        self._at_once = at_once
        self._waiting: list[bytes] = []
        self._sound = False

    def add(self, record: Record) -> None:
        """Keep a measurement."""
        data = _encoder.encode(record)
        self._waiting.append(_HEAD.pack(len(data), zlib.crc32(data)) + data)
        if len(self._waiting) >= self._at_once:
            self.flush()

    def flush(self) -> None:
        """Write waiting records."""
        if not self._waiting:
            return
        if not self._sound:
            self._mend()
            self._sound = True
        with self._path.open("ab") as file:
            file.write(b"".join(self._waiting))
        self._waiting.clear()

    def _mend(self) -> None:
        """Cut off a torn end, which would hide what is appended; rewrite the file where most of it is outdated."""
        self._path.parent.mkdir(exist_ok=True)
        data = self._path.read_bytes() if self._path.exists() else b""
        kept: dict[Key, bytes] = {}
        begin = len(self._kind.magic)
        sound = begin if data.startswith(self._kind.magic) else 0
        for record, end in _records(data, self._kind):
            kept[self._kind.key(record)] = data[sound:end]
            sound = end
        live = sum(map(len, kept.values()))
        if sound != len(data) or not sound or 2 * live < sound - begin:
            write_durably(self._path, self._kind.magic + b"".join(kept.values()))


def _records(data: bytes, kind: RecordKind[Record, Key]) -> Iterator[tuple[Record, int]]:
    """The records up to the first that is torn or strange, each with where it ends."""
    at = len(kind.magic) if data.startswith(kind.magic) else len(data)
    while at + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, at)
        begin, at = at + _HEAD.size, at + _HEAD.size + length
        record = data[begin:at]
        if len(record) < length or zlib.crc32(record) != checksum:
            return
        try:
            found = kind.decoder.decode(record)
        except msgspec.MsgspecError:
            return
        yield found, at
