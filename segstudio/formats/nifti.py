"""Masks as NIfTI: one .nii.gz per image with all its planes, on the grid of its image: its shape and its affine.

A voxel is the class's value; 255 (65535 in 16 bits) is unknown or ignored. Of a NIfTI image the geometry of the header
is kept, and none of its texts: they may name a person. Written by nibabel, read back by our own reader.
"""

import gzip
import os
from collections.abc import Iterable, Iterator
from io import BytesIO
from math import prod
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import ExportMismatch, MaskMismatch, UnreadableImage
from segstudio.formats.mask_folder import FOLDER, below, earlier_masks, is_own, others_below
from segstudio.formats.mask_values import UNKNOWN_8, UNKNOWN_16, storage_of
from segstudio.formats.naming import mask_paths
from segstudio.formats.values import ExportPlan, LabelPlane, MaskFile, MaskValues
from segstudio.imaging.metadata import PLAIN, Metadata
from segstudio.imaging.readers import nifti
from segstudio.imaging.readers.refusal import refused
from segstudio.imaging.readers.table import MASK_MARK
from segstudio.imaging.source import Stored
from segstudio.text import _

__all__ = ["NiftiReader", "NiftiWriter", "earlier", "is_own", "mask_reader", "writer"]

_ENDING = ".nii.gz"
_ENDINGS = (".nii.gz", ".nii")
_MILLIMETRES = {"mm": 1.0, "µm": 0.001, "m": 1000.0}
_LONGEST_NIFTI1 = 32767
_DESCRIPTION = 79
_LEAST, _GREATEST = -(2.0**31), 2.0**31 - 1


def writer(folder: Path, plan: ExportPlan) -> "NiftiWriter":
    """A writer of masks."""
    return NiftiWriter(folder, plan)


def mask_reader() -> "NiftiReader":
    """The reader of masks."""
    return NiftiReader()


def earlier(out: Path) -> Iterator[tuple[PurePosixPath, str]]:
    """See `earlier_masks`."""
    return earlier_masks(out, _ENDING, _project_of)


def _project_of(file: Path) -> str:
    with file.open("rb") as opened:
        head = nifti.unzipped(opened.read(1024))
    _before, mark, after = head.partition(MASK_MARK)
    return after.partition(b"\0")[0].decode("latin-1").strip() if mark else ""


class NiftiWriter:
    """See `MaskWriter`. The planes of an image are gathered, and its file is written when the next image begins."""

    def __init__(self, folder: Path, plan: ExportPlan) -> None:
        self._folder, self._project, self._storage = folder, plan.project, storage_of(plan)
        # One file an image, however many planes it has.
        named = mask_paths([(path, 1) for path, _ in plan.images], _ENDING)
        self._names = {path: names[0] for (path, _), names in zip(plan.images, named, strict=True)}
        self._volume: NDArray[Any] | None = None
        self._of: tuple[str, Stored | None] = ("", None)
        self._files: list[PurePosixPath] = []

    def add(self, labels: LabelPlane) -> None:
        """Take one plane; the image before it is written and read back."""
        if labels.path != self._of[0]:
            self._end()
            height, width = labels.values.shape
            self._volume = np.full((labels.planes, height, width), self._storage.unknown, self._storage.dtype)
            self._of = labels.path, labels.stored
        assert self._volume is not None
        self._volume[labels.plane] = self._storage.stored(labels.values)

    def names_of(self, path: str) -> Iterable[PurePosixPath]:
        """See `MaskWriter`."""
        return [PurePosixPath(FOLDER, self._names[path])]

    def finish(self) -> Iterable[PurePosixPath]:
        """Write the last image; the files written, all of which have been compared."""
        self._end()
        return self._files

    def _end(self) -> None:
        if self._volume is None:
            return
        (path, stored), planes = self._of, self._volume
        self._volume = None
        name = PurePosixPath(FOLDER, self._names[path])
        file = self._folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        image = _image(planes, stored, f"{MASK_MARK.decode()} {self._project}"[:_DESCRIPTION])
        data = BytesIO()
        # No name and no time of day: the same labels give the same file.
        with gzip.GzipFile(fileobj=data, mode="wb", filename="", mtime=0, compresslevel=6) as packed:
            packed.write(image.to_bytes())
        with file.open("wb") as opened:
            opened.write(data.getbuffer())
            opened.flush()
            os.fsync(opened.fileno())
        self._compare(file, name, planes, image.affine)
        self._files.append(name)

    def _compare(self, file: Path, name: PurePosixPath, planes: NDArray[Any], affine: NDArray[np.float64]) -> None:
        source = nifti.open_image(file)
        try:
            same = all(np.array_equal(source.read(plane=n)[..., 0], values) for n, values in enumerate(planes))
        except (UnreadableImage, IndexError) as error:
            raise ExportMismatch(
                _("{name} could not be read back after writing, and nothing was exported.", name=name)
            ) from error
        there = source.info.metadata.affine
        placed = there is None or np.allclose(there, affine[:3], rtol=1e-5, atol=1e-4)
        if not same or not placed or len(source.info.planes) != len(planes):
            raise ExportMismatch(_("{name} does not hold what was written to it, and nothing was exported.", name=name))


def _image(planes: NDArray[Any], stored: Stored | None, description: str) -> Any:
    """Planes (planes, y, x) as a NIfTI image on the grid of theirs."""
    from nibabel.nifti1 import Nifti1Image
    from nibabel.nifti2 import Nifti2Image

    metadata = PLAIN if stored is None else stored.metadata
    header = None if stored is None else _header_of(stored.first)
    count, height, width = planes.shape
    shape = (width, height, *(reversed(metadata.sizes) if prod(metadata.sizes) == count else (count,)))
    if header is not None and prod(header.get_data_shape()[2:]) == count:
        shape = tuple(int(n) for n in header.get_data_shape())
    voxels = planes.transpose(2, 1, 0).reshape(shape, order="F")
    kind = Nifti2Image if max(shape) > _LONGEST_NIFTI1 else Nifti1Image
    if header is not None:
        image = kind(voxels, header.get_best_affine(), header=header)
        for text in ("db_name", "aux_file", "intent_name"):
            if text in image.header:
                image.header[text] = b""
        image.header.extensions.clear()
        image.header.set_slope_inter(1, 0)
        image.header["cal_min"] = image.header["cal_max"] = 0
    else:
        image = kind(voxels, _affine_of(metadata))
        image.header.set_xyzt_units("mm")
        code = 0 if metadata.affine is None else 1
        image.set_sform(image.affine, code)
        image.set_qform(image.affine, code)
    image.header.set_data_dtype(planes.dtype)
    image.header["descrip"] = description.encode("latin-1", "replace")
    return image


def _header_of(file: Path) -> Any:
    """The header of a NIfTI image; None of any other, or of one that is not there to be asked."""
    from nibabel.loadsave import load
    from nibabel.nifti1 import Nifti1Header

    try:
        with file.open("rb") as opened:
            if not nifti.is_nifti(opened.read(1024)):
                return None
        header: Any = load(file).header
    except OSError:
        return None
    return header if isinstance(header, Nifti1Header) else None


def _affine_of(metadata: Metadata) -> NDArray[np.float64]:
    affine = np.eye(4)
    if metadata.affine is not None:
        affine[:3] = metadata.affine
    elif metadata.spacing is not None:
        sizes = [size * _MILLIMETRES.get(metadata.unit, 1.0) for size in reversed(metadata.spacing)]
        affine[range(len(sizes)), range(len(sizes))] = sizes
    return affine


class NiftiReader:
    """See `MaskReader`. Each plane of a volume is a mask of its own, named with the plane's number."""

    def find(self, path: Path) -> list[MaskFile]:
        """The volumes below a folder, in its `masks` folder if it has one (an export), or the one file, by plane."""
        files = [MaskFile(path, path.name)] if path.is_file() else below(path)
        return [mask for file in files if file.name.lower().endswith(_ENDINGS) for mask in _planes(file)]

    def others(self, path: Path) -> list[MaskFile]:
        """See `MaskReader`."""
        return others_below(path, _ENDINGS)

    def holds_values(self, mask: MaskFile) -> bool:
        """See `MaskReader`."""
        try:
            info = nifti.probe(mask.file)
        except UnreadableImage:
            return False
        return info.channels == 1 and np.dtype(info.dtype).kind in "ui"

    def size(self, mask: MaskFile) -> tuple[int, int]:
        """See `MaskReader`."""
        plane = nifti.probe(mask.file).planes[mask.plane]
        return plane.width, plane.height

    def read(self, mask: MaskFile, *, pictures: bool = False) -> MaskValues:
        """The values of one plane. Numbers that are whole may be stored as any type.

        Raises `UnreadableImage`, or `MaskMismatch` where it holds no values of classes.
        """
        name = mask.file.name
        source = nifti.open_image(mask.file)
        info = source.info
        slope, intercept = source.rescale(mask.plane)
        if info.channels != 1:
            raise MaskMismatch(_("{name} is not a mask: it holds colours, not the values of classes.", name=name))
        found = source.read(plane=mask.plane)[..., 0]
        if (slope, intercept) != (1.0, 0.0) or found.dtype.kind == "f":
            found = found.astype(np.float64) * slope + intercept
        whole = np.rint(found) if found.dtype.kind == "f" else found
        if not np.array_equal(whole, found) or (whole.size and not _LEAST <= whole.min() <= whole.max() <= _GREATEST):
            raise MaskMismatch(_("{name} is not a mask: its values are no values of classes.", name=name))
        unknown = UNKNOWN_8 if np.dtype(info.dtype).itemsize == 1 else UNKNOWN_16
        return MaskValues(whole.astype(np.int32), unknown, grid=info.metadata)


def _planes(file: MaskFile) -> list[MaskFile]:
    """A volume as one mask a plane; as it is where it has one, or cannot be read, which is said when it is."""
    try:
        count = len(nifti.probe(file.file).planes)
    except UnreadableImage:
        return [file]
    except OSError as error:
        raise refused(file.file, error) from error
    if count == 1:
        return [file]
    ending = next(ending for ending in _ENDINGS if file.name.lower().endswith(ending))
    stem, tail = file.name[: -len(ending)], file.name[-len(ending) :]
    return [MaskFile(file.file, f"{stem}_p{plane:04d}{tail}", plane) for plane in range(count)]
