"""Lossless JPEG (ITU-T T.81, process 14) of 2 to 16 bits a sample, decoded by imagecodecs: Pillow refuses it."""

from pathlib import Path

import numpy as np

from segstudio.imaging.readers.frames import Frame, FrameSource
from segstudio.imaging.readers.refusal import checked_size, reading
from segstudio.imaging.source import ImageInfo, PlaneInfo

__all__ = ["header_of", "open_image"]

_LOSSLESS = 0xC3
_ALONE = (0x01, 0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7)
"""Markers that no length follows."""


def header_of(path: Path) -> ImageInfo | None:
    """What the frame of a lossless JPEG says; None where the file is another kind of JPEG, or damaged."""
    with reading(path), path.open("rb") as file:
        file.read(2)
        while True:
            mark = file.read(2)
            if len(mark) < 2 or mark[0] != 0xFF or mark[1] == 0xDA:
                return None
            if mark[1] in _ALONE:
                continue
            size = int.from_bytes(file.read(2), "big") - 2
            if mark[1] == _LOSSLESS:
                return _info(path, file.read(6))
            file.seek(max(size, 0), 1)


def _info(path: Path, frame: bytes) -> ImageInfo | None:
    if len(frame) < 6 or frame[5] not in (1, 3):
        return None
    bits, channels = frame[0], frame[5]
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    dtype = "uint8" if bits <= 8 else "uint16"
    checked_size(path, width, height, channels * np.dtype(dtype).itemsize)
    return ImageInfo((PlaneInfo("0", width, height),), channels, dtype, "jpeg")


def open_image(path: Path, info: ImageInfo) -> FrameSource:
    """The pixels of a file of which `header_of` gave the header."""

    def decode(_plane: int) -> Frame:
        import imagecodecs

        with reading(path):
            found = np.asarray(imagecodecs.jpegsof3_decode(path.read_bytes()))
            size = info.planes[0]
            samples = found.reshape(size.height, size.width, info.channels).astype(info.dtype, copy=False)
            return Frame(np.array(samples))

    return FrameSource(info, decode)
