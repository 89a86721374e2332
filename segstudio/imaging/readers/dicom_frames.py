"""The samples of one frame of a DICOM file, whatever they were compressed with."""

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from segstudio.imaging.source import Pixels

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["decoded_frame"]

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_HEAD, _GROUP_END = 1024, 144
"""Of the first group, which says how the others are written: its length stands before the second figure."""

_SPARE, _RATIO, _CHUNK = 64 << 20, 50, 1 << 20

_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")

_BY_IMAGECODECS = frozenset(
    (
        "1.2.840.10008.1.2.4.51",  # JPEG extended, 12 bits
        "1.2.840.10008.1.2.4.57",  # JPEG lossless
        "1.2.840.10008.1.2.4.70",  # JPEG lossless, first-order prediction
    )
)
"""Transfer syntaxes for which pydicom has no decoder under a licence that we can take along."""


def decoded_frame(path: Path, frame: int) -> Pixels:
    """Samples (h, w, c) as stored; colours as RGB, places in a palette as the colours that stand there.

    Raises what decoders raise: for `readers.refusal.reading`.
    """
    from pydicom import dcmread

    header = cast("Dataset", dcmread(path, force=True, defer_size=1 << 16))
    if not any(name in header for name in _PIXELS):
        raise EOFError("no pixel data")
    whole = int(header.get("NumberOfFrames") or 1) == 1 or not _is_said(header)
    if _syntax(header) in _BY_IMAGECODECS:
        pixels = _by_imagecodecs(header, frame)
    else:
        pixels = _by_pydicom(header if whole else path, frame)
    if str(header.get("PhotometricInterpretation", "")).upper() == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        pixels = apply_color_lut(pixels[..., 0] if pixels.ndim == 3 else pixels, header)
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))


def _is_said(header: "Dataset") -> bool:
    """Whether the file says how its samples are written, and is not deflated: then one frame can be read of many."""
    said = str(getattr(header, "file_meta", {}).get("TransferSyntaxUID", ""))
    return bool(said) and said != _DEFLATED.decode()


def _syntax(header: "Dataset") -> str:
    """The transfer syntax; implicit little endian, the default of the standard, for a file that does not say."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if not hasattr(header, "file_meta"):
        header.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" not in header.file_meta:
        implicit = header.original_encoding[0]
        header.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    return str(header.file_meta.TransferSyntaxUID)


def _by_pydicom(source: "Path | Dataset", frame: int) -> Pixels:
    """From the file, so that of many frames one is read, or from what was read of it."""
    from pydicom.pixels.utils import pixel_array

    found: Any = pixel_array(source, index=frame)
    return np.asarray(found)


def _by_imagecodecs(header: "Dataset", frame: int) -> Pixels:
    import imagecodecs
    from pydicom.encaps import get_frame

    frames = int(header.get("NumberOfFrames") or 1)
    data = get_frame(header.PixelData, frame, number_of_frames=frames)
    found = np.asarray(imagecodecs.jpeg_decode(data))
    allocated, stored = int(header.BitsAllocated), int(header.get("BitsStored") or header.BitsAllocated)
    if not header.PixelRepresentation:
        return found.astype(f"uint{allocated}", copy=False)
    # The sign stands in the highest of the bits that are stored.
    above = allocated - stored
    return (found.astype(f"uint{allocated}") << above).view(f"int{allocated}") >> above


def palette_dtype(header: "Dataset") -> str:
    """The type of the colours in a palette (C.7.6.3.1.5), by the length of its data: they may be wider than it says."""
    entries, _first, depth = (int(value) for value in header.RedPaletteColorLookupTableDescriptor)
    data = header.get("RedPaletteColorLookupTableData")
    bits = len(data) * 8 // (entries or 1 << 16) if data else depth
    return "uint16" if bits > 8 else "uint8"


def check_deflated(path: Path) -> None:
    """Refuse a deflated file that unpacks to more than any picture of its size: it is unpacked whole, even for its
    header. Raises `ValueError`.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if _DEFLATED not in head or head[128:132] != b"DICM":
            return
        file.seek(_GROUP_END + int.from_bytes(head[_GROUP_END - 4 : _GROUP_END], "little"))
        unpacking, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
        most = _SPARE + _RATIO * path.stat().st_size
        data = file.read()
    while data:
        total += len(unpacking.decompress(data, _CHUNK))
        if total > most:
            raise ValueError("unpacks to more than a picture")
        data = unpacking.unconsumed_tail
