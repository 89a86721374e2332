"""DICOM, read by pydicom: grey, colour and palette, one frame or many, compressed or not; a series as one stack.

Samples are those stored: slope, intercept and window are told beside them. Overlays are left out on purpose: they are
drawn upon a picture and are no part of what was measured. What of a file is read for its header are the elements that
are named here, so 300 of them take a second.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from segstudio.errors import UnreadableImage
from segstudio.imaging.metadata import Metadata
from segstudio.imaging.readers.dicom_frames import check_deflated, decoded_frame, palette_dtype
from segstudio.imaging.readers.dicom_header import (
    frame_values,
    group_of,
    is_personal,
    names_of_series,
    number,
    placed,
    spacing_of,
    windows_of,
)
from segstudio.imaging.readers.dicom_stack import stacks
from segstudio.imaging.readers.frames import Frame, FrameSource
from segstudio.imaging.readers.refusal import checked_size, reading
from segstudio.imaging.readers.table import Gathered
from segstudio.imaging.source import ImageInfo, ImageSource, Part, PlaneInfo, Stored
from segstudio.text import _

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["gathered", "open_image", "open_series", "probe", "reading_dicom"]

_SINGLE_VIEWS = frozenset(("CR", "DX", "MG", "IO", "PX", "XC", "GM", "ES", "OP", "US", "SM", "RG", "OPT", "OT", "SC"))
"""Modalities whose files of one series are pictures of their own where they do not say where they lie."""

_ELEMENTS = (
    *("SOPInstanceUID", "SOPClassUID", "Modality", "TransferSyntaxUID"),
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue"),
    *("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "WindowCenterWidthExplanation"),
    *("VOILUTFunction", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"),
    *("ImagePositionPatient", "ImageOrientationPatient", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription"),
    *("StudyInstanceUID", "InstanceNumber", "AcquisitionTime", "TemporalPositionIdentifier", "TriggerTime"),
    *("PatientName", "PatientID", "PatientBirthDate", "IssuerOfPatientID", "PatientAddress", "OtherPatientIDs"),
    *("OtherPatientNames", "PatientMotherBirthName", "PatientTelephoneNumbers", "MedicalRecordLocator"),
    *("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"),
    *("RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData"),
    *("ReferringPhysicianName", "PerformingPhysicianName", "NameOfPhysiciansReadingStudy", "OperatorsName"),
    "AccessionNumber",
)
_FLOATS = {32: "float32", 64: "float64"}


def probe(path: Path) -> ImageInfo:
    """See `imaging.source.probe`."""
    with reading_dicom(path):
        return _info(path, _header(path))


def open_image(path: Path) -> ImageSource:
    """See `imaging.source.open_image`."""
    info = probe(path)
    return _Source(info, lambda plane: (path, _frame_of(info.planes[plane].key)))


def gathered(parts: Sequence[ImageInfo]) -> list[Gathered]:
    """See `imaging.readers.table.SeriesReader`."""
    return stacks(parts)


def open_series(stored: Stored) -> ImageSource:
    """See `imaging.readers.table.SeriesReader`."""
    info = replace(probe(stored.first), planes=stored.planes, metadata=stored.metadata, part=None)
    return _Source(info, lambda plane: (stored.files[stored.planes[plane].file], 0))


def reading_dicom(path: Path) -> AbstractContextManager[None]:
    """Turns what pydicom raises about a file into `UnreadableImage`."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return reading(path, InvalidDicomError, BytesLengthException, NotImplementedError)


def _header(path: Path) -> "Dataset":
    from pydicom import config, dcmread

    config.settings.reading_validation_mode = config.IGNORE
    check_deflated(path)
    return dcmread(path, stop_before_pixels=True, specific_tags=list(_ELEMENTS), force=True)


def _info(path: Path, header: "Dataset") -> ImageInfo:
    layout = _layout(path, header)
    checked_size(path, layout.width, layout.height, layout.samples * np.dtype(layout.dtype).itemsize)
    spacing, note = spacing_of(header)
    affine = placed(header, spacing)
    single = layout.frames == 1
    uid = str(header.get("SOPInstanceUID", "") or "")
    metadata = Metadata(
        axes="yx" if single else "zyx",
        sizes=() if single else (layout.frames,),
        spacing=spacing,
        unit="mm" if spacing else "",
        affine=affine if single else None,
        windows=windows_of(header),
        modality=str(header.get("Modality", "") or ""),
        group=group_of(header),
        notes=(note,) if note else (),
        personal=is_personal(header),
        inverted=layout.inverted,
    )
    plane = PlaneInfo(uid or "0", layout.width, layout.height)
    info = ImageInfo((plane,), layout.channels, layout.dtype, "dicom", metadata=metadata)
    if single:
        return replace(info, part=_part(header, metadata))
    return _framed(header, info, spacing, layout.frames)


def _framed(header: "Dataset", info: ImageInfo, spacing: tuple[float, float] | None, frames: int) -> ImageInfo:
    """An image of several frames, in the order in which they lie in the patient where they all say so."""
    (plane,), metadata = info.planes, info.metadata
    each = [
        replace(
            info,
            planes=(replace(plane, key=f"{plane.key}#{frame}"),),
            metadata=msgspec.structs.replace(metadata, affine=placed(header, spacing, frame)),
            part=Part("", "", (float(frame),)),
        )
        for frame in range(frames)
    ]
    found = stacks(each)
    if len(found) == 1 and len(found[0].places) == frames and all(one.metadata.affine is not None for one in each):
        planes = tuple(each[place].planes[0] for place in found[0].places)
        return replace(info, planes=planes, metadata=found[0].info.metadata)
    return replace(info, planes=tuple(one.planes[0] for one in each))


def _part(header: "Dataset", metadata: Metadata) -> Part | None:
    series, name = names_of_series(header)
    if not series or (metadata.affine is None and metadata.modality in _SINGLE_VIEWS):
        return None
    order = ("TemporalPositionIdentifier", "TriggerTime", "AcquisitionTime", "InstanceNumber")
    return Part(series, name, tuple(number(header, each) or 0.0 for each in order))


@dataclass(frozen=True, slots=True)
class _Layout:
    width: int
    height: int
    frames: int
    samples: int
    channels: int
    dtype: str
    inverted: bool


def _layout(path: Path, header: "Dataset") -> _Layout:
    """Size and kind of samples. Raises `UnreadableImage` for a file that holds no picture, as plans and reports do."""
    rows, columns, bits = (number(header, name) for name in ("Rows", "Columns", "BitsAllocated"))
    if rows is None or columns is None or bits is None:
        raise UnreadableImage(
            _(
                "{name} cannot be read: it is a DICOM file without an image, such as a report or DICOMDIR.",
                name=path.name,
            )
        )
    samples = int(number(header, "SamplesPerPixel") or 1)
    colours = str(header.get("PhotometricInterpretation", "") or "MONOCHROME2").upper()
    signed = bool(number(header, "PixelRepresentation"))
    if int(bits) not in (1, 8, 16, 32, 64) or samples not in (1, 3):
        raise UnreadableImage(
            _(
                "{name} cannot be read: {samples} samples of {bits} bits a pixel are not a picture.",
                name=path.name,
                samples=samples,
                bits=int(bits),
            )
        )
    frames = max(int(number(header, "NumberOfFrames") or 1), 1)
    if frames > path.stat().st_size:
        raise UnreadableImage(
            _(
                "{name} cannot be read: its header asks for {n} frames, more than it has bytes.",
                name=path.name,
                n=frames,
            )
        )
    palette = colours == "PALETTE COLOR"
    dtype = f"{'int' if signed else 'uint'}{max(int(bits), 8)}"
    if _is_float(header):
        dtype = _FLOATS[int(bits)]
    if palette:
        dtype = palette_dtype(header)
    return _Layout(
        int(columns),
        int(rows),
        frames,
        samples,
        3 if palette else samples,
        dtype,
        colours == "MONOCHROME1",
    )


def _is_float(header: "Dataset") -> bool:
    """Whether its pixels are floats: those of parametric maps do not say whether they have a sign (C.7.6.24)."""
    return number(header, "PixelRepresentation") is None and number(header, "BitsAllocated") in (32.0, 64.0)


def _frame_of(key: str) -> int:
    """The frame that a plane's key names; the only one of a file without frames."""
    _uid, mark, frame = key.rpartition("#")
    return int(frame) if mark else 0


class _Source(FrameSource):
    """Frames of one file, or of one file a plane; `place` says where a plane lies."""

    def __init__(self, info: ImageInfo, place: Callable[[int], tuple[Path, int]]) -> None:
        super().__init__(info, self._decoded)
        self._place = place

    def rescale(self, plane: int) -> tuple[float, float]:
        """See `ImageSource.rescale`."""
        path, frame = self._place(plane)
        status = path.stat() if path.exists() else None
        with reading_dicom(path):
            return _values(path, frame, 0 if status is None else status.st_mtime_ns)

    def _decoded(self, plane: int) -> Frame:
        path, frame = self._place(plane)
        size = self.info.planes[plane]
        with reading_dicom(path):
            pixels = decoded_frame(path, frame)
        if (pixels.shape, pixels.dtype) != ((size.height, size.width, self.info.channels), np.dtype(self.info.dtype)):
            raise UnreadableImage(
                _(
                    "{name} cannot be read: its pixels are not {width} x {height} of the kind that its header says.",
                    name=path.name,
                    width=size.width,
                    height=size.height,
                )
            )
        return Frame(pixels)


@lru_cache(maxsize=4096)
def _values(path: Path, frame: int, _changed: int) -> tuple[float, float]:
    """Slope and intercept, kept as long as the file is unchanged."""
    return frame_values(_header(path), frame).rescale
