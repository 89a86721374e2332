"""A folder of masks, as all formats of masks have it: which files lie there, and which of them an export wrote."""

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NoReturn

from segstudio.errors import UserError
from segstudio.formats.values import MaskFile
from segstudio.imaging.readers.table import FAMILIES, Content, content_of
from segstudio.text import _

__all__ = ["FOLDER", "below", "earlier_masks", "is_own", "others_below"]

FOLDER = "masks"
"""The folder of an export that its masks lie in."""

_NO_IMAGES = frozenset({".pgm", ".pbm", ".nii", ".gz", ".mat", ".dcm", ".nrrd", ".mha", ".jp2", ".npz", ".svg", ".h5"})
"""Further endings that masks may have. A text or JSON file beside an image is not taken for a mask."""


def is_own(path: Path) -> bool:
    """Whether a file has the mark of masks that an export of ours wrote."""
    return content_of(path) is Content.OWN_MASK


def earlier_masks(out: Path, ending: str, project_of: Callable[[Path], str]) -> Iterator[tuple[PurePosixPath, str]]:
    """Masks of one ending below an export's folder that have our mark: path below `out`, and the project that wrote
    each ('': not known). Raises `OSError`, also for a folder that may not be read."""

    def refuse(error: OSError) -> None:
        raise error

    base = out / FOLDER
    if not base.is_dir():
        return
    for folder, _unused, files in os.walk(base, onerror=refuse):
        for name in sorted(files):
            file = Path(folder, name)
            if name.lower().endswith(ending) and is_own(file):
                yield PurePosixPath(file.relative_to(out).as_posix()), project_of(file)


def below(path: Path) -> list[MaskFile]:
    """Every plain file below a folder except hidden ones, sorted by name; those of its folder `masks`, if it has one,
    alone. Raises `UserError` for a folder that may not be read."""

    def refuse(error: OSError) -> NoReturn:
        raise UserError(_("{path} cannot be read: {reason}.", path=error.filename, reason=error.strerror)) from error

    base = path / FOLDER if os.path.isdir(path / FOLDER) else path
    found: list[MaskFile] = []
    for folder, folders, files in os.walk(base, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inner = Path(folder).relative_to(base)
        for name in files:
            file = Path(folder, name)
            try:
                plain = not name.startswith(".") and file.is_file()
            except PermissionError as error:  # the folder may be listed but not entered
                refuse(error)
            if plain:
                found.append(MaskFile(file, (inner / name).as_posix()))
    return sorted(found, key=lambda mask: mask.name)


def others_below(path: Path, endings: tuple[str, ...]) -> list[MaskFile]:
    """Pictures and arrays there that may be masks in another format than that of these endings."""
    masks = [MaskFile(path, path.name)] if path.is_file() else below(path)
    return [m for m in masks if m.file.suffix.lower() in _others(endings) and not m.name.lower().endswith(endings)]


@cache
def _others(endings: tuple[str, ...]) -> frozenset[str]:
    """Endings of files that may be masks in a format that is not read, including those of other packages' readers."""
    return frozenset(ending for family in FAMILIES.rows for ending in family.extensions) - {*endings} | _NO_IMAGES
