"""DICOM files as scanners write them, made here: nothing in them is of a person."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

STUDY, SERIES = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.2"


def write_dicom(path: Path, pixels: NDArray[Any], **elements: Any) -> str:
    """Write a picture (h, w), (h, w, 3) or (frames, h, w); returns its SOP instance UID. An element of None is left
    out.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    uid = generate_uid()
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    colour = pixels.ndim == 3 and pixels.shape[-1] == 3
    height, width = pixels.shape[:2] if colour else pixels.shape[-2:]
    bits = 8 * pixels.dtype.itemsize
    usual: dict[str, Any] = {
        "SOPClassUID": CTImageStorage, "SOPInstanceUID": uid, "Modality": "CT",
        "StudyInstanceUID": STUDY, "SeriesInstanceUID": SERIES, "SeriesNumber": 4, "SeriesDescription": "Thorax 1.0",
        "PatientName": "Doe^Jane", "PatientID": "17",
        "Rows": height, "Columns": width, "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "PlanarConfiguration": 0 if colour else None,
        "NumberOfFrames": len(pixels) if pixels.ndim == 3 and not colour else None,
        "PixelData": np.ascontiguousarray(pixels).tobytes(),
    }  # fmt: skip
    for name, value in {**usual, **elements}.items():
        if value is not None:
            setattr(file, name, value)
    file["PixelData"].VR = "OW" if bits > 8 else "OB"
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path, enforce_file_format=True)
    return uid


def write_series(folder: Path, heights: list[float], *, side: int = 8, **elements: Any) -> list[NDArray[np.int16]]:
    """Write slices at these heights along the axis of the body, in this order of their numbers; returns their samples,
    each of which has its own values."""
    slices = []
    for n, height in enumerate(heights):
        pixels = np.full((side, side), 100 * n, np.int16) + np.arange(side, dtype=np.int16)
        at: dict[str, Any] = {
            "ImagePositionPatient": [-10.0, -20.0, height], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [0.5, 0.25], "InstanceNumber": n + 1, "RescaleSlope": 1, "RescaleIntercept": -1024,
            "WindowCenter": 40, "WindowWidth": 400,
        }  # fmt: skip
        write_dicom(folder / f"IM{n:04}.dcm", pixels, **{**at, **elements})
        slices.append(pixels)
    return slices
