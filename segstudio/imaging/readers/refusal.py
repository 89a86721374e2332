"""The one place where a decoder's failure becomes a sentence, and where impossible sizes are refused.

Decoders meet hostile files: whatever they raise about content becomes an `UnreadableImage`, never a trace.
"""

import struct
import threading
import tokenize
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segstudio.errors import UnreadableImage
from segstudio.text import N_, _

__all__ = ["DAMAGED", "DECODING_ERRORS", "checked_size", "fits_memory", "quiet", "reading", "refused"]

DAMAGED = N_("its content is damaged, or of a kind that is not supported")
"""The reason given if the decoder's own words would not help; translated when shown."""

DECODING_ERRORS = (
    OSError,
    ValueError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    TypeError,
    AttributeError,
    AssertionError,
    EOFError,
    SyntaxError,
    MemoryError,
    struct.error,
    zlib.error,
    tokenize.TokenError,
)
"""What NumPy, Pillow, OpenCV, tifffile and imagecodecs raise about a file's content (all were observed)."""

_CUT_SHORT = ("truncated", "not enough image data", "unexpected end")
"""What decoders say about a file that ends too early, in lower case."""
_LARGEST_PIXELS = 2**31
_SMALL_BYTES = 256 << 20
_LARGEST_RATIO = 2000


def refused(path: Path, error: BaseException) -> UnreadableImage:
    """The error for a failure: which file, and why as far as is known."""
    return UnreadableImage(_("{name} cannot be read: {reason}.", name=path.name, reason=_reason(error)))


@contextmanager
def reading(path: Path, *more: type[Exception]) -> Iterator[None]:
    """Turns a decoder's failure inside the block into `UnreadableImage`; `more` names a library's own errors."""
    try:
        with quiet():
            yield
    except UnreadableImage:
        raise
    except (*DECODING_ERRORS, *more) as error:
        raise refused(path, error) from error


def checked_size(path: Path, width: int, height: int, bytes_a_pixel: int) -> None:
    """Refuse a plane that has no pixels, is out of proportion to its file, or does not fit into memory."""
    if width <= 0 or height <= 0:
        raise UnreadableImage(
            _(
                "{name} cannot be read: its header says {width} x {height} pixels.",
                name=path.name,
                width=width,
                height=height,
            )
        )
    need = width * height * bytes_a_pixel
    size = path.stat().st_size
    out_of_proportion = need > _SMALL_BYTES and need > size * _LARGEST_RATIO
    if width * height > _LARGEST_PIXELS or out_of_proportion or need > _memory() // 2:
        raise UnreadableImage(
            _(
                "{name} cannot be read: its header asks for {width} x {height} pixels ({need:.1f} GB of memory, "
                "from a file of {size:,} bytes).",
                name=path.name,
                width=width,
                height=height,
                need=need / 1_000_000_000,
                size=size,
            )
        )


def fits_memory(need: int) -> None:
    """Raises `MemoryError` where so many bytes are more than half of what this machine has."""
    if need > _memory() // 2:
        raise MemoryError(f"{need} bytes")


def _memory() -> int:
    """This machine's memory in bytes."""
    import psutil

    return int(psutil.virtual_memory().total)


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return _("there is no such file")
    if isinstance(error, PermissionError):
        return _("reading it is not allowed")
    if isinstance(error, IsADirectoryError):
        return _("it is a folder")
    if isinstance(error, MemoryError):
        return _("it needs more memory than there is")
    if isinstance(error, OSError) and error.errno is not None:
        return _("the disk reports '{reason}'", reason=error.strerror)
    if type(error).__name__ == "DecompressionBombError":
        return _("its header asks for more pixels than any picture has")
    text = str(error).lower()
    if isinstance(error, EOFError) or any(words in text for words in _CUT_SHORT):
        return _("the file is cut short")
    return _(DAMAGED)


_lock = threading.Lock()
_depth = 0
_saved: warnings.catch_warnings | None = None


@contextmanager
def quiet() -> Iterator[None]:
    """Silences Python warnings while a decoder works; unlike `catch_warnings`, several threads may be inside."""
    global _depth, _saved
    with _lock:
        if _depth == 0:
            _saved = warnings.catch_warnings()
            _saved.__enter__()
            warnings.simplefilter("ignore")
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0 and _saved is not None:
                _saved.__exit__(None, None, None)
                _saved = None
