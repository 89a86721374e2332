"""Which program wrote a TIFF, from its first directory alone: a scan asks that of every one, and opens none for it."""

import struct
from pathlib import Path

__all__ = ["software_of"]

_SOFTWARE, _ASCII = 305, 2
_LONGEST = 64


def software_of(path: Path, head: bytes) -> bytes:
    """The words of the tag 'software' without what follows a zero byte; b"" where there are none of some 60 bytes at
    most, or where the directory does not lie within `head`, the file's first bytes. Raises `OSError`.
    """
    try:
        found = _entry(head)
    except struct.error:
        return b""
    if found is None:
        return b""
    length, place = found
    if not 0 < length <= _LONGEST:
        return b""
    with path.open("rb") as file:
        file.seek(place)
        return file.read(length).partition(b"\0")[0]


def _entry(head: bytes) -> tuple[int, int] | None:
    """Length and place of the tag's words (TIFF 6.0, section 2; BigTIFF has 8 bytes where TIFF has 4)."""
    order, big = ("<" if head[:2] == b"II" else ">"), head[2:4] in (b"+\0", b"\0+")
    word, counts, size = ("Q", "Q", 20) if big else ("I", "H", 12)
    (at,) = struct.unpack_from(order + word, head, 8 if big else 4)
    (entries,) = struct.unpack_from(order + counts, head, at)
    first = at + struct.calcsize(order + counts)
    for place in range(first, first + size * min(entries, len(head) // size), size):
        tag, kind, length = struct.unpack_from(f"{order}HH{word}", head, place)
        if (tag, kind) == (_SOFTWARE, _ASCII):
            value = place + size - (8 if big else 4)
            inside = length <= struct.calcsize(order + word)
            return length, value if inside else struct.unpack_from(order + word, head, value)[0]
    return None
