"""A disk that refuses what Python itself writes: from the n-th write, sync, name or folder on, until it is lifted."""

import builtins
import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["Refusal", "refused_from"]


class Refusal:
    """`met` tells whether the disk refused anything."""

    def __init__(self, nth: int) -> None:
        self.met = False
        self._left = nth

    def check(self) -> None:
        """Count one change of the disk; raises `OSError` where it is one too many."""
        self._left -= 1
        if self._left < 0:
            self.met = True
            raise OSError(errno.ENOSPC, "No space left on device")


class _File:
    """An open file whose writes are counted; of one that is refused half is there, as on a disk that is full."""

    def __init__(self, file: Any, refusal: Refusal) -> None:
        self._file, self._refusal = file, refusal

    def write(self, data: Any) -> int:
        try:
            self._refusal.check()
        except OSError:
            self._file.write(data[: len(data) // 2])
            raise
        return self._file.write(data)

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def refused_from(nth: int) -> Iterator[Refusal]:
    """Refuse from the n-th change on (0 = all of them), inside."""
    refusal, open_ = Refusal(nth), builtins.open

    def opened(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        if not set(mode) & set("wax+"):
            return open_(file, mode, *args, **options)
        refusal.check()
        return _File(open_(file, mode, *args, **options), refusal)

    def counted(real: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            refusal.check()
            return real(*args, **options)

        return call

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(builtins, "open", opened)
        patched.setattr(io, "open", opened)
        for name in ("fsync", "replace", "rename", "mkdir"):
            patched.setattr(os, name, counted(getattr(os, name)))
        yield refusal
