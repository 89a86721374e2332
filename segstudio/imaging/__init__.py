"""Files become pixels: sources, readers by family, display levels, reduced levels and hashes. No labels, no Qt.

`open_source(path)` gives the pixels of a file, or of a folder that holds a series, for scripts.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segstudio.imaging.opening import open_source as open_source

__all__ = ["open_source"]


def __getattr__(name: str) -> Any:
    # Found when it is asked for: who imports a module of this package needs no reader for it.
    if name == "open_source":
        return import_module("segstudio.imaging.opening").open_source
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
