"""A DICOMDIR: the list of files of an export (DICOM PS3.3 F.3)."""

import os
from pathlib import Path

from segstudio.errors import UnreadableImage
from segstudio.imaging.readers.dicom import reading_dicom
from segstudio.text import _

__all__ = ["files_named_in"]


def files_named_in(path: Path) -> list[Path]:
    """The files that a DICOMDIR names and that lie below its folder. Raises `UnreadableImage` where there is none."""
    from pydicom import dcmread

    with reading_dicom(path):
        records = dcmread(path).get("DirectoryRecordSequence") or ()
        named = [record.get("ReferencedFileID") for record in records]
    files = dict.fromkeys(_file(path.parent, parts) for parts in named if parts)
    found = [file for file in files if file is not None]
    if not found:
        raise UnreadableImage(_("{name} names no file that is there.", name=path.name))
    return found


def _file(folder: Path, parts: object) -> Path | None:
    """The file of these parts of a path, whatever case its letters have on this disk; None where it is not there, or
    not below the folder.
    """
    names = [parts] if isinstance(parts, str) else [str(part) for part in parts]  # type: ignore[attr-defined]
    at = folder
    for name in names:
        if name in ("", ".", "..") or "/" in name or "\\" in name or not at.is_dir():
            return None
        same = at / name
        if not same.exists():
            same = next((at / other for other in os.listdir(at) if other.casefold() == name.casefold()), same)
        at = same
    return at if at.is_file() else None
