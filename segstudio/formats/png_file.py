"""An encoder for mask PNGs (ISO/IEC 15948): 8-bit palette, or 8- or 16-bit grey. Filter 0, which suits indices best.

Each file has a text chunk at its start by which scans tell our own masks from images and, if it was exported, a second
one right after it that names the project.
"""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.imaging.readers.table import OWN_MASK

__all__ = ["project_of", "write_grey", "write_palette"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _PALETTE = 0, 3
_BAND_BYTES = 4 << 20
_PROJECT = b"tEXtSegStudio project\0"
_HEAD_BYTES = 256


def write_palette(file: Path, indices: NDArray[np.uint8], palette: NDArray[np.uint8], *, project: str = "") -> None:
    """Write indices (h, w) with colours (256, 3), and wait until they are on disk. Raises OSError."""
    _write(file, indices, 8, _PALETTE, palette.tobytes(), project)


def write_grey(file: Path, values: NDArray[np.uint8] | NDArray[np.uint16], *, project: str = "") -> None:
    """Write grey (h, w) of 8 or 16 bits, and wait until it is on disk. Raises OSError."""
    if values.dtype == np.uint8:
        _write(file, values, 8, _GREY, b"", project)
    else:
        _write(file, values.astype(">u2"), 16, _GREY, b"", project)


def project_of(file: Path) -> str:
    """The uuid of the project that exported a mask; '' if the file names none. Raises OSError."""
    with file.open("rb") as opened:
        head = opened.read(_HEAD_BYTES)
    at = head.find(_PROJECT)
    if at < 4:
        return ""
    (length,) = struct.unpack(">I", head[at - 4 : at])
    return head[at + len(_PROJECT) : at + 4 + length].decode("latin-1")


def _write(file: Path, pixels: NDArray[np.generic], bits: int, kind: int, palette: bytes, project: str) -> None:
    height, width = pixels.shape
    with file.open("wb") as out:
        out.write(_SIGNATURE)
        out.write(_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)))
        out.write(_chunk(OWN_MASK[:4], OWN_MASK[4:]))
        if project:
            out.write(_chunk(_PROJECT[:4], _PROJECT[4:] + project.encode("latin-1")))
        if palette:
            out.write(_chunk(b"PLTE", palette))
        packer = zlib.compressobj(6)
        rows = max(1, _BAND_BYTES // max(1, width * bits // 8))
        for top in range(0, height, rows):
            band = pixels[top : top + rows]
            raw = np.ascontiguousarray(band).view(np.uint8).reshape(len(band), -1)
            data = packer.compress(np.pad(raw, ((0, 0), (1, 0))).tobytes())
            if data:
                out.write(_chunk(b"IDAT", data))
        out.write(_chunk(b"IDAT", packer.flush()))
        out.write(_chunk(b"IEND", b""))
        out.flush()
        os.fsync(out.fileno())


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
