"""The samples of one frame of a DICOM file, whatever they were compressed with."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from segstudio.imaging.source import Pixels

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["decoded_frame"]

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
    syntax = _syntax(header)
    pixels = _by_imagecodecs(header, frame) if syntax in _BY_IMAGECODECS else _by_pydicom(header, frame)
    if str(header.get("PhotometricInterpretation", "")).upper() == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        pixels = apply_color_lut(pixels[..., 0] if pixels.ndim == 3 else pixels, header)
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))


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


def _by_pydicom(header: "Dataset", frame: int) -> Pixels:
    from pydicom.pixels.utils import pixel_array

    found: Any = pixel_array(header, index=frame)
    return np.asarray(found)


def _by_imagecodecs(header: "Dataset", frame: int) -> Pixels:
    import imagecodecs
    from pydicom.encaps import get_frame

    frames = int(header.get("NumberOfFrames") or 1)
    data = get_frame(header.PixelData, frame, number_of_frames=frames)
    found = np.asarray(imagecodecs.jpeg_decode(data))
    wanted = np.dtype(f"{'int' if header.PixelRepresentation else 'uint'}{header.BitsAllocated}")
    return found if found.dtype == wanted else found.astype(wanted)
