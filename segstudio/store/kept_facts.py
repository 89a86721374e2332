"""Measurements of labels in cache/facts: they need not be made again while the labels are the same.

Records one after the other, each a length, a checksum and msgpack; the last one of a plane counts. Like all of the
cache the file may be deleted at any time, and what cannot be read of it is not there. One process appends, others read.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from segstudio.durable import write_durably
from segstudio.runs import LabelStamp, PlaneFacts

__all__ = ["FACTS", "FactsFile", "KeptFacts", "read_facts"]

FACTS = Path("cache", "facts")
"""Where it lies in a project."""

KeptFacts = tuple[LabelStamp, PlaneFacts]

_MAGIC = b"segstudio facts 1\n"
_HEAD = struct.Struct("<II")
_AT_ONCE = 64
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[KeptFacts] = msgspec.msgpack.Decoder(KeptFacts)


def read_facts(path: Path) -> dict[tuple[int, int], KeptFacts]:
    """What is kept, by image and plane; nothing where the file is missing, unreadable or of another version."""
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    return {(stamp.image, stamp.plane): (stamp, facts) for stamp, facts, _ in _records(data)}


class FactsFile:
    """Appends to the file; what is added is written a few at a time, and the rest by `flush`. Raises `OSError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[bytes] = []
        self._sound = False

    def add(self, stamp: LabelStamp, facts: PlaneFacts) -> None:
        """Keep what was measured on a plane."""
        self._waiting.append(_record((stamp, facts)))
        if len(self._waiting) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        if not self._sound:
            self._mend()
            self._sound = True
        with self._path.open("ab") as file:
            file.write(b"".join(self._waiting))
        self._waiting.clear()

    def _mend(self) -> None:
        """Cut off a torn end, which would hide what is appended; write the file anew where most of it is outdated."""
        self._path.parent.mkdir(exist_ok=True)
        data = self._path.read_bytes() if self._path.exists() else b""
        kept: dict[tuple[int, int], bytes] = {}
        sound = len(_MAGIC) if data.startswith(_MAGIC) else 0
        for stamp, _, end in _records(data):
            kept[stamp.image, stamp.plane] = data[sound:end]
            sound = end
        live = sum(map(len, kept.values()))
        if sound != len(data) or not sound or 2 * live < sound - len(_MAGIC):
            write_durably(self._path, _MAGIC + b"".join(kept.values()))


def _record(kept: KeptFacts) -> bytes:
    data = _encoder.encode(kept)
    return _HEAD.pack(len(data), zlib.crc32(data)) + data


def _records(data: bytes) -> Iterator[tuple[LabelStamp, PlaneFacts, int]]:
    """The records up to the first that is torn or strange, each with where it ends."""
    at = len(_MAGIC) if data.startswith(_MAGIC) else len(data)
    while at + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, at)
        begin, at = at + _HEAD.size, at + _HEAD.size + length
        record = data[begin:at]
        if len(record) < length or zlib.crc32(record) != checksum:
            return
        try:
            stamp, facts = _decoder.decode(record)
        except msgspec.MsgspecError:
            return
        yield stamp, facts, at
