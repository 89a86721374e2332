"""How messages are framed: a length (4 bytes, little-endian) and that many bytes of msgpack."""

import struct
from typing import BinaryIO

import msgspec

from segstudio.engine.protocol import Message, Reply

__all__ = ["read_frame", "write_frame"]

_LENGTH = struct.Struct("<I")
_LARGEST_FRAME = 1 << 28

_encoder = msgspec.msgpack.Encoder()


def write_frame(stream: BinaryIO, value: Message | Reply) -> None:
    """Write one message and flush it. Raises OSError or ValueError if the other side is gone."""
    data = _encoder.encode(value)
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """The bytes of the next frame; None at the end of the stream, a torn last frame included.

    Raises ValueError for a length that no message has: then the stream is not ours.
    """
    head = _read_exactly(stream, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > _LARGEST_FRAME:
        raise ValueError(f"a frame of {length} bytes is no message of the engine")
    return _read_exactly(stream, length)


def _read_exactly(stream: BinaryIO, length: int) -> bytes | None:
    """Exactly `length` bytes, also from an unbuffered stream; None if it ends before."""
    parts: list[bytes] = []
    while length > 0:
        part = stream.read(length)
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
