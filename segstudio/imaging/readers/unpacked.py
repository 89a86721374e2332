"""Volumes that were unpacked of compressed files: the most recent ones, within a budget for the whole process.

A plane of such a file cannot be read without unpacking all that lies before it, and a file is opened and closed for
each plane that is looked at.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

__all__ = ["unpacked"]

_BUDGET_BYTES = 256 << 20

_Key = tuple[Path, int, int]
_kept: OrderedDict[_Key, NDArray[Any]] = OrderedDict()
_lock = threading.Lock()


def unpacked(path: Path, unpack: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """The volume of a file, by `unpack` where it is not kept; the last one is kept however large it is."""
    status = path.stat()
    key = path, status.st_mtime_ns, status.st_size
    with _lock:
        found = _kept.get(key)
        if found is None:
            found = _kept[key] = unpack()
        _kept.move_to_end(key)
        while len(_kept) > 1 and sum(volume.nbytes for volume in _kept.values()) > _BUDGET_BYTES:
            _kept.popitem(last=False)
        return found
