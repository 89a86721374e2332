"""Hashes of files: a quick one of size and both ends, and one of the whole content."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from segstudio.errors import Cancelled
from segstudio.imaging.readers.refusal import refused
from segstudio.text import _

__all__ = ["content_hash", "quick_hash"]

_END = 64 << 10
_CHUNK = 1 << 20
_DIGEST = 20  # bytes


def quick_hash(path: Path) -> str:
    """BLAKE2b of a file's size, first and last 64 KiB, as 40 hexadecimal digits. Raises `UnreadableImage`."""
    try:
        with path.open("rb", buffering=0) as file:
            size = file.seek(0, 2)
            file.seek(0)
            hasher = hashlib.blake2b(size.to_bytes(8, "little"), digest_size=_DIGEST)
            hasher.update(file.read(_END))
            if size > _END:
                file.seek(max(_END, size - _END))
                hasher.update(file.read(_END))
    except OSError as error:
        raise refused(path, error) from error
    return hasher.hexdigest()


def content_hash(path: Path, stop: Callable[[], bool] = lambda: False) -> str:
    """BLAKE2b of a file's whole content, as 40 hexadecimal digits; `stop` is called at every MiB.

    Raises `UnreadableImage`, and `Cancelled` if it was stopped.
    """
    hasher = hashlib.blake2b(digest_size=_DIGEST)
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                if stop():
                    raise Cancelled(_("Reading {name} was stopped.", name=path.name))
                hasher.update(chunk)
    except OSError as error:
        raise refused(path, error) from error
    return hasher.hexdigest()
