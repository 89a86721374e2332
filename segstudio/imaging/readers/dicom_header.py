"""What the header of a DICOM file says, in this program's terms (DICOM PS3.3).

Everything that names a person stays in the file: of a patient only a digest is kept, by which files of one patient are
known to belong together.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segstudio.imaging.metadata import Affine, Window
from segstudio.imaging.secret import group_secret
from segstudio.text import N_

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = [
    "FrameValues",
    "frame_values",
    "group_of",
    "is_personal",
    "names_of_series",
    "placed",
    "spacing_of",
    "windows_of",
]

_PERSONAL = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientAddress", "OtherPatientIDs", "OtherPatientNames"),
    *("PatientMotherBirthName", "PatientTelephoneNumbers", "MedicalRecordLocator", "AccessionNumber"),
    *("ReferringPhysicianName", "PerformingPhysicianName", "NameOfPhysiciansReadingStudy", "OperatorsName"),
)
_IMAGER = N_("The size of a pixel is that at the detector: things inside the body are smaller than measured.")
_NOMINAL = N_("The size of a pixel is that of the scanned film.")
_SHAPES = {"LINEAR": "linear", "LINEAR_EXACT": "linear_exact", "SIGMOID": "sigmoid"}


@dataclass(frozen=True, slots=True)
class FrameValues:
    """Slope and intercept of one frame's samples, and the windows that the file gives for its values."""

    rescale: tuple[float, float] = (1.0, 0.0)
    windows: tuple[Window, ...] = ()


def frame_values(header: "Dataset", frame: int) -> FrameValues:
    """Those of a frame: its own functional groups first, then those that all share, then the header's (C.7.6.16)."""
    return FrameValues(_rescale(header, frame), windows_of(header, frame))


def _rescale(header: "Dataset", frame: int) -> tuple[float, float]:
    found = _of_frame(header, frame, "PixelValueTransformationSequence") or header
    slope, intercept = number(found, "RescaleSlope"), number(found, "RescaleIntercept")
    if slope is None or slope == 0.0:
        return 1.0, intercept or 0.0
    return slope, intercept or 0.0


def windows_of(header: "Dataset", frame: int = 0) -> tuple[Window, ...]:
    """The file's own windows, those of a frame where it has some; a width that no function allows is left out."""
    found = _of_frame(header, frame, "FrameVOILUTSequence") or header
    levels, widths = numbers(found, "WindowCenter"), numbers(found, "WindowWidth")
    names = _texts(found, "WindowCenterWidthExplanation")
    shape = _SHAPES.get(str(found.get("VOILUTFunction", "") or "LINEAR").upper(), "linear")
    least = 1.0 if shape == "linear" else 0.0
    return tuple(
        Window(level, width, names[place] if place < len(names) else "", shape)
        for place, (level, width) in enumerate(zip(levels, widths, strict=False))
        if width > 0.0 and width >= least
    )


def _of_frame(header: "Dataset", frame: int, name: str) -> "Dataset | None":
    """An item of the functional groups of a frame, else of those that all frames share."""
    own = header.get("PerFrameFunctionalGroupsSequence") or ()
    shared = header.get("SharedFunctionalGroupsSequence") or ()
    for groups in (own[frame : frame + 1], shared[:1]):
        for group in groups:
            found = group.get(name)
            if found:
                return found[0]
    return None


def spacing_of(header: "Dataset") -> tuple[tuple[float, float] | None, str]:
    """Distances of pixel centres (y, x) in millimetres, and what a person should know of them; None where unknown.

    That in the body comes first, then that at the detector, then that of a scanned film.
    """
    measures = _of_frame(header, 0, "PixelMeasuresSequence") or header
    for source, name, note in (
        (measures, "PixelSpacing", ""),
        (header, "ImagerPixelSpacing", _IMAGER),
        (header, "NominalScannedPixelSpacing", _NOMINAL),
    ):
        found = numbers(source, name)
        if len(found) == 2 and min(found) > 0.0:
            return (found[0], found[1]), note
    return None, ""


def placed(header: "Dataset", spacing: tuple[float, float] | None, frame: int = 0) -> Affine | None:
    """Where a frame lies in the patient; None where the header does not say (C.7.6.2.1.1).

    The third column is the normal, of length 1: what lies between two planes is known when there are several.
    """
    plane = _of_frame(header, frame, "PlanePositionSequence") or header
    turned = _of_frame(header, frame, "PlaneOrientationSequence") or header
    at, cosines = numbers(plane, "ImagePositionPatient"), numbers(turned, "ImageOrientationPatient")
    if len(at) != 3 or len(cosines) != 6 or spacing is None:
        return None
    across, down = cosines[:3], cosines[3:]
    lengths = math.hypot(*across), math.hypot(*down)
    if min(lengths) < 0.5:
        return None
    normal = [
        across[1] * down[2] - across[2] * down[1],
        across[2] * down[0] - across[0] * down[2],
        across[0] * down[1] - across[1] * down[0],
    ]
    # DICOM counts towards left and back, this program (as NIfTI) towards right and front.
    rows = [
        (s * across[i] * spacing[1], s * down[i] * spacing[0], s * normal[i], s * at[i])
        for i, s in enumerate((-1.0, -1.0, 1.0))
    ]
    return rows[0], rows[1], rows[2]


def group_of(header: "Dataset") -> str:
    """The same for all files of one patient, or of one study where no patient is named.

    It is keyed with a secret of this user's, which lies in no project: numbers of patients cannot be found by trying.
    """
    patient = str(header.get("PatientID", "") or "").strip()
    parts = (
        ("patient", str(header.get("IssuerOfPatientID", "") or ""), patient)
        if patient
        else ("study", str(header.get("StudyInstanceUID", "") or ""))
    )
    if not parts[-1]:
        return ""
    keyed = hashlib.blake2b("|".join(parts).encode(), digest_size=6, key=group_secret())
    return f"{parts[0]} {keyed.hexdigest()}"


def is_personal(header: "Dataset") -> bool:
    """Whether the header names a person."""
    return any(str(header.get(name, "") or "").strip() for name in _PERSONAL)


def names_of_series(header: "Dataset") -> tuple[str, str]:
    """What its files have in common, and what a person calls it; '' where the file names no series."""
    uid = str(header.get("SeriesInstanceUID", "") or "")
    number_, description = (str(header.get(name, "") or "") for name in ("SeriesNumber", "SeriesDescription"))
    return uid, " ".join(part for part in (number_, description) if part)


def number(header: "Dataset", name: str) -> float | None:
    """A number; None where there is none, or none that is finite."""
    found = numbers(header, name)
    return found[0] if found else None


def numbers(header: "Dataset", name: str) -> list[float]:
    """Numbers of an element; none where one of them is no finite number."""
    found: Any = header.get(name)
    if found is None or found == "":
        return []
    values = list(found) if hasattr(found, "__iter__") and not isinstance(found, str) else [found]
    try:
        out = [float(value) for value in values]
    except (TypeError, ValueError):
        return []
    return out if all(map(math.isfinite, out)) else []


def _texts(header: "Dataset", name: str) -> list[str]:
    found: Any = header.get(name)
    if found is None:
        return []
    return [str(found)] if isinstance(found, str) else [str(value) for value in found]
